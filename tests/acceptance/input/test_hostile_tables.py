"""Hostile and broken tables and documents: refused in words, within bounds of time and memory, and nothing is kept."""

import csv
import io
import time
import tracemalloc

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from initiatives.models import System, SystemImport, SystemImportMapping, SystemImportRow
from initiatives.portfolio.imports.systems import actions as system_import_actions
from initiatives.portfolio.imports.systems import source_documents
from tests.support import factories
from tests.support.input import hostile_tables

MOST_SECONDS = 20  # of work, on a machine that has other work
MOST_MEMORY = 400 * 2**20  # bytes of Python objects, beside the file itself
FILES = hostile_tables.files()


def test_there_are_enough_of_them_and_each_is_another():
    assert len({(file.name, file.content) for file in FILES}) == len(FILES) >= 35


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.what)
def test_each_is_refused_in_words_within_bounds(file):
    before = time.process_time()
    with pytest.raises(ValidationError) as refusal:
        source_documents.read(file.content, file.kind)
    assert file.words in " ".join(refusal.value.messages)
    assert time.process_time() - before < MOST_SECONDS


@pytest.mark.parametrize("what", ["cells without end", "aliases of aliases", "JSON without an end"])
def test_what_they_would_become_is_never_built(what):
    file = next(one for one in FILES if one.what == what)
    tracemalloc.start()
    try:
        with pytest.raises(ValidationError):
            source_documents.read(file.content, file.kind)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


@pytest.mark.django_db
def test_the_page_says_why_and_nothing_is_kept(cast, as_):
    client, wrong = as_(cast.admin), []
    for what in ("rows without end", "a header like a book", "aliases without end", "cut off", "other JSON"):
        file = next(one for one in FILES if one.what == what)
        answer = client.post(
            reverse("system-imports"),
            {"file": SimpleUploadedFile(file.name, file.content), "kind": file.kind},
        )
        if answer.status_code not in (200, 422) or file.words not in answer.content.decode():
            wrong.append(f"{what}: {answer.status_code}")
    assert not wrong
    assert not SystemImport.objects.exists()
    assert not SystemImportRow.objects.exists()
    assert not default_storage.exists("system_imports") or not default_storage.listdir("system_imports")[1]


def test_references_in_circles_and_out_of_the_document_are_not_followed():
    circle = {
        "A": {"$ref": "#/components/schemas/B", "properties": {"b": {"$ref": "#/components/schemas/B"}}},
        "B": {"$ref": "#/components/schemas/A", "allOf": [{"$ref": "#/components/schemas/B"}]},
        "C": {"properties": {"far": {"$ref": "https://evil.example/x.json", "description": "Far"}}},
        "D": {"properties": {"own": {"$ref": "#/components/schemas/D", "description": "Itself"}}},
    }
    table = source_documents.read(hostile_tables.document(circle), "definitions")
    assert [line.cells["field"] for line in table.lines] == ["b", "far", "own"]
    assert "1 references point outside the document" in " ".join(table.remarks)


def test_yaml_builds_texts_and_nothing_else():
    text = f"{hostile_tables.HEAD}x: !!python/object/apply:os.system [ls]\n" + (
        "components: {schemas: {A: {properties: {on: {description: 2020-01-01, <<: *gone}}}}}\n".replace(
            ", <<: *gone", ""
        )
    )
    (line,) = source_documents.read(text.encode(), "definitions").lines
    assert (line.cells["field"], line.cells["description"]) == ("on", "2020-01-01")


@pytest.mark.django_db
def test_what_no_database_keeps_is_left_out_of_the_words(cast):
    schema = {"A\x00": {"properties": {"f\ud800": {"description": "Rate\x00 of the day\udfff"}}}}
    factories.make_system(cast, "Ledger")
    batch, _ = system_import_actions.read_system_import(
        content=hostile_tables.document(schema), file_name="api.json", kind="definitions", by=cast.admin
    )
    assert batch.rows.get().mapped["values"]["meaning"] == "Rate of the day"


@pytest.mark.django_db
def test_formulas_and_tags_are_text_and_come_back_quoted(cast, as_):
    content = 'Name,Kind,Purpose\n"=cmd|calc!A0",wiki,"<script>alert(1)</script>"\n@SUM(1),wiki,-2+3\n'
    batch, _ = system_import_actions.read_system_import(
        content=content.encode(), file_name="=1+1.csv", kind="systems", by=cast.admin
    )
    client = as_(cast.admin)
    page = client.get(reverse("system-import", args=[batch.pk])).content.decode()
    assert "<script>alert(1)" not in page
    answer = client.get(reverse("system-import", args=[batch.pk]) + "?format=csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert {"'=cmd|calc!A0", "'@SUM(1)", "'-2+3"} <= set(cells)
    assert not [cell for cell in cells if cell[:1] in "=+-@" and cell]
    system_import_actions.enter_rows(system_import_actions.confirm_system_import(batch=batch, by=cast.admin))
    assert System.objects.filter(name="=cmd|calc!A0").exists(), "what it is called, letter for letter"


@pytest.mark.django_db
def test_a_code_page_that_cannot_be_told_is_asked_and_the_file_waits_an_hour(cast, as_):
    client = as_(cast.admin)
    content = "Name,Kind\nSystème,wiki\nÉcole,wiki\n".encode("cp1252")
    sent = {"file": SimpleUploadedFile("t.csv", content), "kind": "systems"}
    answer = client.post(reverse("system-imports"), sent)
    assert "In which code page is the file written?" in answer.content.decode()
    assert not SystemImport.objects.exists()
    kept = answer.context["form"].initial["kept"]
    client.post(reverse("system-imports"), {"kept": kept, "kind": "systems", "encoding": "cp1252"})
    assert SystemImport.objects.get().rows.order_by("line").first().mapped["label"] == "Système"
    assert not default_storage.listdir("system_imports")[1]
    assert not SystemImportMapping.objects.exists(), "a guess is remembered once somebody confirmed it"
