# ruff: noqa: RUF001 - the characters are what is tested
"""Files that are hard to read, in five languages: each right after at most one correction, which is remembered."""

import io
from dataclasses import dataclass, field

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from governance.tables import reader
from governance.tables.encodings import CodePageUnsure, decode
from governance.tables.reader import open_table, read_table
from initiatives.models import ImportBatch
from tests.support.input import hostile_tables

WORDS = "Name,Stage,Where\nSystème éducatif,Deployed,École\nŒuvre d’été,Pilot,Ça\n"


def grid(*rows, merged=()) -> bytes:
    """A workbook with one sheet."""
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    for area in merged:
        workbook.active.merge_cells(area)
    stored = io.BytesIO()
    workbook.save(stored)
    return stored.getvalue()


def test_a_header_of_two_rows_is_read_as_one():
    two = [
        ["ID", "Contact", None, "Status"],
        [None, "Person", "Address", None],
        [1, "Ada", "a@x.org", "Live"],
    ]
    merged = grid(["Register"], *two, merged=("A1:D1", "A2:A3", "B2:C2", "D2:D3"))
    unmerged = b"ID,Contact,,Status\n,Name,Email,\n1,Ada,a@x.org,Live\n"
    lower = b"Ours 2026\n,,Contact,\nID,Status,Name,Email\n1,Live,Ada,a@x.org\n2,Live,Bob,b@x.org\n"
    for content, names in (
        (merged, ["ID", "Contact Person", "Contact Address", "Status"]),
        (unmerged, ["ID", "Contact Name", "Contact Email", "Status"]),
        (lower, ["ID", "Status", "Contact Name", "Contact Email"]),
    ):
        table = read_table(content)
        assert table.columns == names
        assert table.lines[0].cells[names[-1]] in ("Live", "a@x.org")
        assert "The header has two rows" in " ".join(table.remarks)


@pytest.mark.parametrize(
    "content",
    [
        b"Name,Other,Other\na,b,b\nc,d,e\n",
        b"Name,Stage,,\nHelper,Pilot,x,y\nSorter,Live,x,y\n",
        b"Inventory,,,Draft\nName,Stage,Where,Note\nHelper,Pilot,x,y\n",
        grid(["Our inventory", None, None], ["Name", "Stage", "Where"], ["a", "b", "c"], merged=("A1:C1",)),
    ],
)
def test_rows_and_titles_are_no_part_of_the_header(content):
    assert not any(
        " " in name for name in read_table(content).columns if name[:6] not in ("Column", "Other ")
    )


def test_merged_cells_hold_what_their_first_one_holds():
    rows = [["Name", "Where"], ["a", "North"], ["b", None], ["c", None], [None, None], ["d", "South"]]
    table = read_table(grid(*rows, merged=("B2:B5",)))
    assert [tuple(line.cells.values()) for line in table.lines] == [
        ("a", "North"),
        ("b", "North"),
        ("c", "North"),
        ("d", "South"),
    ]


@pytest.mark.parametrize(
    "name", ["utf-7", "rot13", "base64", "idna", "no-such", "../x", "unicode_escape", ""]
)
def test_what_is_no_code_page_is_refused(name):
    raw = WORDS.encode("cp1252")
    with pytest.raises(CodePageUnsure if not name else ValidationError):
        decode(raw, name)


def test_any_code_page_may_be_named():
    text = "Назва,Стан\nПомічник,ґанок\n"
    assert decode(text.encode("koi8_u"), "KOI8-U")[0] == text
    assert decode("Name,Stage\nHelper,Pilot\n".encode("cp037"), "cp037")[0].startswith("Name,Stage")


def workbook(*, merged=(), since_1904=False, **sheets) -> bytes:
    """A workbook with these sheets, each a list of rows."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    if since_1904:
        made.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
        for area in merged:
            sheet.merge_cells(area)
    stored = io.BytesIO()
    made.save(stored)
    return stored.getvalue()


def formulas(*titles) -> bytes:
    """A workbook whose names and stages are what formulas came to when it was saved."""
    rows = "<row>" + "".join(
        f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in ("Name", "Stage", "Agency")
    )
    rows += "</row>"
    for title in titles:
        cells = [f"Assistant {title}", "Pilot phase", "Acme"]
        rows += (
            "<row>" + "".join(f'<c t="str"><f>A1&amp;B1</f><v>{cell}</v></c>' for cell in cells) + "</row>"
        )
    return hostile_tables.workbook(rows)


@dataclass
class Nasty:
    """A file, the one correction on the page that it may need, what has to be read; and the next of its source."""

    content: bytes
    read: list[tuple]
    following: bytes
    read_next: list[tuple]
    fields: tuple = ("title", "stage", "organisation")
    asked: dict = field(default_factory=dict)  # answered on the page of the upload
    mapped: dict = field(default_factory=dict)  # answered on the page of the file
    remark: str = ""
    name: str = "a.csv"
    problems: tuple = ()


GERMAN = "Verzeichnis der KI-Verfahren;;;\nStand 2026;;;\nSystemname;Einsatzstatus;Behörde;Statusdatum\n"
DUTCH = "naam;gebruiksstatus;organisatie;laatst_gewijzigd\n"
FRENCH = ["Nom du système", "Statut", "Organisme", "Date de fin"]
SPANISH = [
    ["Inventario", None, None, None, None],
    ["Nombre del proyecto", "Estado", "Responsable", None, "Institución"],
    [None, None, "Nombre", "Correo", None],
]
ITALIAN = "Codice,Nome del progetto,Stato del progetto,Ente\n"
ENGLISH = ["System_Name", "projectStatus", "Agency", "Go-live date", "Last updated"]

FILES = {
    "UTF-16 and banner rows, German": Nasty(
        (GERMAN + "Prüfhilfe;Pilotprojekt in Entwicklung;Amt Süd;01.02.2026\n").encode("utf-16"),
        [("Prüfhilfe", "mvp", "Amt Süd", "")],
        (GERMAN + "Lotse;nicht mehr in Betrieb;Amt Süd;01.02.2026\n").encode("utf-16"),
        [("Lotse", "retired", "Amt Süd", "")],
        fields=("title", "stage", "organisation", "began"),
        remark="2 line(s) above the header",
    ),
    "another code page, Dutch": Nasty(
        (DUTCH + "Zoekhulp één;proefproject;Gemeente Ëe;2026-01-01\n").encode("mac_roman"),
        [("Zoekhulp één", "mvp", "Gemeente Ëe", "")],
        (DUTCH + "Zoekhulp twéé;niet meer in gebruik;Gemeente Ëe;2026-01-01\n").encode("mac_roman"),
        [("Zoekhulp twéé", "retired", "Gemeente Ëe", "")],
        fields=("title", "stage", "organisation", "began"),
        asked={"encoding": "mac_roman"},
    ),
    "two sheets, French": Nasty(
        workbook(
            Brouillon=[FRENCH, *[["Non", "En service", "Mairie", "2030-01-01"]] * 5],
            Registre=[FRENCH, ["Aide", "Projet pilote", "Mairie", "2030-01-01"]],
        ),
        [("Aide", "mvp", "Mairie", "")],
        workbook(
            Brouillon=[FRENCH, *[["Non", "En service", "Mairie", "2030-01-01"]] * 6],
            Registre=[FRENCH, ["Guide", "À l’étude", "Mairie", "2030-01-01"]],
        ),
        [("Guide", "proposed", "Mairie", "")],
        fields=("title", "stage", "organisation", "began"),
        asked={"sheet": "Registre"},
        remark="and not Brouillon",
        name="a.xlsx",
    ),
    "merged headers and cells, Spanish": Nasty(
        workbook(
            merged=("A1:E1", "C2:D2", "A2:A3", "B2:B3", "E2:E3", "E4:E5"),
            Hoja=[
                *SPANISH,
                ["Ayuda", "Fase piloto", "Ana", "ana@x.es", "Ministerio"],
                ["Guía", "No está en uso", "Eva", "eva@x.es", None],
            ],
        ),
        [("Ayuda", "mvp", "Ministerio", "ana@x.es"), ("Guía", "", "Ministerio", "eva@x.es")],
        workbook(
            merged=("A1:E1", "C2:D2", "A2:A3", "B2:B3", "E2:E3"),
            Hoja=[*SPANISH, ["Lista", "Implementado", "Ana", "ana@x.es", "Ministerio"]],
        ),
        [("Lista", "production", "Ministerio", "ana@x.es")],
        fields=("title", "stage", "organisation", "contact"),
        remark="Merged cells (6 areas)",
        name="a.xlsx",
    ),
    "serial dates": Nasty(
        workbook(
            Systems=[
                ENGLISH,
                ["Helper", "in pilot", "Acme", 45292, 46000],
                ["Finder", "live", "Acme", "N/A", 46000],
            ]
        ),
        [("Helper", "mvp", "Acme", "2024-01-01"), ("Finder", "production", "Acme", "")],
        workbook(since_1904=True, Systems=[ENGLISH, ["Sorter", "live", "Acme", 43830, 46000]]),
        [("Sorter", "production", "Acme", "2024-01-01")],
        fields=("title", "stage", "organisation", "began"),
        name="a.xlsx",
        problems=("serial",),
    ),
    "shifted columns": Nasty(
        b"Name,Stage,Agency,Note\nHelper,Pilot,Acme,x\nFinder,extra,Live,Acme,x\nSorter,Live\n",
        [("Helper", "mvp", "Acme"), ("Finder", "", "Live"), ("Sorter", "production", "")],
        b"Name,Stage,Agency,Note\nLister,Pilot,Acme,x\n",
        [("Lister", "mvp", "Acme")],
        problems=("shifted",),
    ),
    "JSON lists": Nasty(
        b'Name,Stage,Agency,Vendor\nHelper,"[""Pilot""]","[""Acme""]","[""A Ltd"", ""B Ltd"", ""N/A""]"\n',
        [("Helper", "mvp", "Acme", "A Ltd; B Ltd")],
        b'Name,Stage,Agency,Vendor\nFinder,"[""Pilot""]","[""Acme""]",[blank]\n',
        [("Finder", "mvp", "Acme", "")],
        fields=("title", "stage", "organisation", "vendor"),
    ),
    "formula cells": Nasty(
        formulas("one", "two"),
        [("Assistant one", "mvp", "Acme"), ("Assistant two", "mvp", "Acme")],
        formulas("three"),
        [("Assistant three", "mvp", "Acme")],
        name="a.xlsx",
    ),
    "ids repeated, Italian": Nasty(
        (
            ITALIAN
            + "1,Aiuto,In sviluppo,Comune\n1,Guida,Sperimentazione,Comune\n1,Aiuto,In sviluppo,Comune\n"
        ).encode(),
        [("Aiuto", "prototype", "1"), ("Guida", "mvp", "1"), ("Aiuto", "prototype", "1")],
        (ITALIAN + "1,Aiuto,In sviluppo,Comune\n2,Elenco,In uso,Comune\n").encode(),
        [("Aiuto", "prototype", "1"), ("Elenco", "production", "2")],
        fields=("title", "stage", "key"),
        problems=("repeated id", "same line"),
    ),
    "headers and words of one's own": Nasty(
        "Teil;Ampel;Haus\nHelfer;grün;Nord\nSucher;Redacted;[blank]\n".encode(),
        [("Helfer", "production", "Nord"), ("Sucher", "", "")],
        "Teil;Ampel;Haus\nLotse;grün;Nord\n".encode(),
        [("Lotse", "production", "Nord")],
        mapped={"title": "Teil", "stage": "Ampel", "organisation_column": "Haus", "word": "production"},
    ),
}


@pytest.mark.parametrize("nasty", FILES.values(), ids=FILES)
def test_it_is_right_after_one_correction_which_is_remembered(cast, as_, nasty):
    assert not (nasty.asked and nasty.mapped)
    client = as_(cast.admin)

    def send(content, **data):
        file = {"file": SimpleUploadedFile(nasty.name, content)} if content else {}
        return client.post(reverse("imports"), {**file, **data}, follow=True)

    form = {"source": "new", "new_source": "nasty"}
    answer = send(nasty.content, **form)
    if nasty.asked:
        assert not ImportBatch.objects.exists()
        answer = send(None, **form, kept=answer.context["form"].initial["kept"], **nasty.asked)
    batch = ImportBatch.objects.get()
    page = reverse("import", args=[batch.pk])
    if nasty.mapped:
        chosen = dict(nasty.mapped)
        word = chosen.pop("word")
        client.post(page, chosen)  # the words of the column of stages are asked once it is known
        answer = client.post(page, {**chosen, "word_0": word}, follow=True)
    assert answer.status_code == 200

    def read(batch):
        return [tuple(row.mapped[name] for name in nasty.fields) for row in batch.rows.order_by("line")]

    assert read(batch) == nasty.read
    assert nasty.remark in " ".join(batch.reading["remarks"])
    found = {each["kind"] for row in batch.rows.all() for each in row.problems}
    assert set(nasty.problems) <= found
    confirm = reverse("import-confirm", args=[batch.pk])
    organisations = {row.mapped["organisation"] for row in batch.rows.all()}
    assert client.post(confirm, {"organisations": list(organisations)}).status_code == 302
    batch.refresh_from_db()
    counts = dict(batch.counts)
    assert counts.pop("rows") == len(nasty.read) == sum(counts.values())
    known = ImportBatch.objects.count()
    send(nasty.following, source="nasty")
    assert ImportBatch.objects.count() == known + 1
    assert read(ImportBatch.objects.first()) == nasty.read_next


def test_exactly_as_many_rows_as_are_promised():
    head = b"Our inventory,\n,\nName,Stage\n"
    rows = b"".join(b"%d,Pilot\n" % n for n in range(reader.MAX_ROWS))
    opened = open_table(head + rows)
    assert opened.rows == sum(1 for _ in opened.lines()) == reader.MAX_ROWS == 50_000
    with pytest.raises(ValidationError, match="at most 50,000 rows below the header"):
        read_table(head + rows + b"a,Pilot\n")
