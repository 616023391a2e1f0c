# ruff: noqa: RUF001 - the characters are what is tested
"""Pages of the imports: for admins only, the question about the code page, mapping, confirmation, rows set aside."""

import io

import openpyxl
import psycopg
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse

from governance import clock
from initiatives.models import ImportBatch, ImportRow, ImportRun, Initiative
from initiatives.portfolio.imports.inventories import actions as inventory_actions
from initiatives.portfolio.imports.inventories import batch_rows, import_runs
from initiatives.portfolio.imports.inventories.views import _organisations
from initiatives.portfolio.imports.portfolio import actions as portfolio_actions
from tests.support import factories
from tests.support.database import snapshots
from tests.support.paths import EXTRACTS


def page(client, url, **data):
    """The text of a page, or of where a post leads."""
    answer = client.post(url, data, follow=True) if data else client.get(url, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def sent(content: bytes, name: str = "inventory.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "text/csv")


@pytest.fixture
@snapshots.kept
def batch(cast):
    """The extract of 2025, uploaded and waiting."""
    content = (EXTRACTS / "us_2025.csv").read_bytes()
    return inventory_actions.upload_batch(
        content=content, file_name="us_2025.csv", source="us-2025", by=cast.admin
    )


def test_everybody_but_admins_is_refused(cast, as_, batch):
    row = batch.rows.filter(decision="triage").first()
    urls = [
        reverse("imports"),
        reverse("import", args=[batch.pk]),
        reverse("import-confirm", args=[batch.pk]),
        reverse("import-row", args=[row.pk]),
    ]
    for person in (cast.owner, cast.chair, cast.auditor, cast.outsider):
        client = as_(person)
        for url in urls:
            assert client.get(url).status_code == 403
            assert client.post(url, {"reason": "x", "stage": "mvp"}).status_code == 403
    assert as_(cast.admin).get(reverse("import", args=[batch.pk + 999])).status_code == 404
    assert not Initiative.objects.exists()


def test_upload_preview_confirm(cast, as_):
    client = as_(cast.admin)
    assert "No files yet" in page(client, reverse("imports"))
    content = (EXTRACTS / "us_2025.csv").read_bytes()
    text = page(client, reverse("imports"), file=sent(content), source="us-2025")
    assert "What happens to these 36 rows?" in text
    assert "DOJ-0160 for 2 different systems" in text
    assert "No row is imported yet" in text
    assert not Initiative.objects.exists()
    url = reverse("import-confirm", args=[ImportBatch.objects.get().pk])
    assert "signs nothing and creates no obligations" in page(client, url)
    text = page(client, url, organisations=["Department of Homeland Security"])
    assert "rows wait for confirmation" in text
    assert set(Initiative.objects.values_list("source_organisation", flat=True)) == {
        "Department of Homeland Security"
    }
    text = page(client, reverse("imports"), file=sent(content), source="us-2025")
    assert "This file was uploaded before" in text
    assert "Choose at least one organisation" in client.post(url).content.decode()


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("decision=triage", "not reported", "Mobile Fortify"),
        ("problem=misplaced", "shifted cell", "Copilot for Appian"),
        ("q=mobile+fort", "Mobile Fortify", "Copilot for Appian"),
        ("organisation=Surface+Transportation+Board", "Copilot for Appian", "Mobile Fortify"),
        ("q=nothing+like+this", "No rows match", "Mobile Fortify</td>"),
    ],
)
def test_rows_are_filtered(cast, as_, batch, query, shown, hidden):
    text = page(as_(cast.admin), f"{reverse('import', args=[batch.pk])}?{query}")
    rows = text[text.index('id="rows"') :]
    assert shown in rows
    assert hidden not in rows


def test_strange_filters_and_pages_are_no_error(cast, as_, batch):
    for query in ("page=-3", "page=x", "decision=%27", "problem=odd", "organisation=%27"):
        page(as_(cast.admin), f"{reverse('import', args=[batch.pk])}?{query}")


def test_an_unsure_code_page_is_asked_and_the_file_kept(cast, as_):
    client = as_(cast.admin)
    content = "Name,Stage,Agency\nSystème,Deployed,École\n".encode("cp1252")
    first = client.post(reverse("imports"), {"file": sent(content), "source": "new", "new_source": "ecole"})
    text = first.content.decode()
    assert "In which code page is the file written?" in text
    assert "Système" in text
    assert not ImportBatch.objects.exists()
    kept = first.context["form"].initial["kept"]
    answers = {"kept": kept, "source": "new", "new_source": "ecole", "encoding": "cp1252"}
    assert "Fixed" not in page(client, reverse("imports"), **answers)
    assert ImportBatch.objects.get().rows.get().mapped["title"] == "Système"
    assert not default_storage.listdir("imports")[1]


def test_a_kept_file_is_nobody_elses_and_not_for_ever(cast, as_):
    answers = {"kept": "forged", "source": "us-2025", "encoding": "cp1252"}
    assert "The file was kept for one hour. Choose the file again." in page(
        as_(cast.admin), reverse("imports"), **answers
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"source": "us-2025"}, "Choose the file"),
        ({"source": "new", "file": b"a,b\n1,2\n"}, "Name the source"),
        ({"source": "us-2025", "file": b"%PDF-1.4"}, "The file is a PDF"),
        ({"source": "us-2025", "file": b"PK\x03\x04zz"}, "damaged"),
        ({"source": "us-2025", "file": b"\xff\xd8\xff\xe0\x00\x10JFIF"}, "not text"),  # and not asked about
        ({"source": "us-2025", "file": b"a,b\x01\x02\x03\x04\x05\n1,2\n", "encoding": "cp1252"}, "not text"),
        ({"source": "us-2025", "file": b"#!/bin/sh\nrm,me\n"}, "or a script"),
        ({"source": "us-2025", "file": SimpleUploadedFile("a.pdf", b"a,b\n1,2\n")}, "ends in .csv"),
        ({"source": "nowhere", "file": b"a,b\n1,2\n"}, "Select a valid choice"),
        ({"source": "us-2025", "file": b"a,b\n1,2\n", "published_on": "soon"}, "year-month-day"),
    ],
)
def test_wrong_uploads_say_how_to_fix_them(cast, as_, data, words):
    data = {name: sent(value) if isinstance(value, bytes) else value for name, value in data.items()}
    assert words in page(as_(cast.admin), reverse("imports"), **data)


def test_the_mapping_of_an_unseen_schema(cast, as_):
    client = as_(cast.admin)
    content = b"Thing;Where;How far\nHelper;Office;green\nSorter;Office;pilot\n"
    text = page(client, reverse("imports"), file=sent(content), source="new", new_source="Acme 2026")
    assert "Columns" in text
    batch = ImportBatch.objects.get()
    url = reverse("import", args=[batch.pk])
    assert "This field is required" in page(client, url, organisation="Acme", stage="How far")
    page(client, url, title="Thing", bureau="Where", stage="How far", organisation="Acme")
    assert [row.mapped["title"] for row in batch.rows.all()] == ["Helper", "Sorter"]
    words = list(ImportBatch.objects.get().reading["stages"])
    chosen = {
        f"word_{place}": {"green": "production", "pilot": "mvp"}[word] for place, word in enumerate(words)
    }
    page(client, url, title="Thing", bureau="Where", stage="How far", organisation="Acme", **chosen)
    assert [row.mapped["stage"] for row in batch.rows.all()] == ["production", "mvp"]
    assert [row.decision for row in batch.rows.all()] == ["import", "import"]


def test_a_row_set_aside_is_decided_on_its_page(cast, as_, batch):
    client = as_(cast.admin)
    inventory_actions.confirm_batch(batch=batch, by=cast.admin)
    row = batch.rows.filter(decision="triage").first()
    url = reverse("import-row", args=[row.pk])
    assert "Original row" in page(client, url)
    assert "This field is required" in page(client, url, stage="", reason="x")
    page(client, url, stage="prototype", reason="Its office says so.")
    row.refresh_from_db()
    assert row.initiative.stage == "prototype"
    assert "Decide the row" not in page(client, url)
    assert "This row is already decided: " in page(client, url, stage="mvp", reason="No, later.")


def test_what_a_cell_holds_is_shown_as_text(cast, as_):
    content = b"Name,Stage,Agency,Note\n<script>alert(1)</script>,Pilot,<b>x</b>,<img src=x>\n"
    batch = inventory_actions.upload_batch(content=content, file_name="<i>.csv", source="acme", by=cast.admin)
    client = as_(cast.admin)
    urls = (
        reverse("imports"),
        reverse("import", args=[batch.pk]),
        reverse("import-confirm", args=[batch.pk]),
        reverse("import-row", args=[batch.rows.get().pk]),
    )
    for url in urls:
        text = page(client, url)
        for raw in ("<script>alert", "<b>x", "<img src=x", "<i>.csv"):
            assert raw not in text


def test_what_its_source_said_is_read_on_the_page_of_the_imported_initiative(cast, as_, batch):
    inventory_actions.confirm_batch(batch=batch, by=cast.admin)
    row = batch.rows.filter(initiative__isnull=False, decision="import").first()
    text = page(as_(cast.admin), row.initiative.get_absolute_url())
    assert "Report of the source" in text
    assert f"line {row.line}" in text
    assert "The source reports this stage, and Plumbline has no evidence for it." in text
    made = factories.make_initiative(cast)
    assert "Report of the source" not in page(as_(cast.admin), made.get_absolute_url())


def test_a_second_import_under_way_is_refused_with_the_reason(cast, as_, batch, monkeypatch):
    monkeypatch.setattr(inventory_actions, "WAITS_FOR_ANOTHER", "50ms")
    client, content = as_(cast.admin), (EXTRACTS / "us_2025.csv").read_bytes()
    why = "Another import is running. Two imports at once could add the same system twice."
    form = {"organisations": [name for name, _ in _organisations(batch.rows)]}
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_advisory_lock(hashtext('plumbline import'))")
        assert why in page(
            client, reverse("imports"), file=sent(content + b"\n", "next.csv"), source="us-2025"
        )
        assert why in page(client, reverse("import-confirm", args=[batch.pk]), **form)
    assert ImportBatch.objects.count() == 1
    assert not Initiative.objects.exists()
    assert f"{batch.rows.count()} rows: " in page(client, reverse("import-confirm", args=[batch.pk]), **form)


def workbook(**sheets) -> bytes:
    """A workbook with these sheets, each a list of rows."""
    xlsx = openpyxl.Workbook()
    xlsx.remove(xlsx.active)
    for title, rows in sheets.items():
        sheet = xlsx.create_sheet(title)
        for row in rows:
            sheet.append(row)
    stored = io.BytesIO()
    xlsx.save(stored)
    return stored.getvalue()


def test_the_sheet_of_a_workbook_is_chosen_once_and_remembered(cast, as_):
    client = as_(cast.admin)
    header = ["Name", "Stage", "Agency"]
    content = workbook(
        Small=[header, ["Right", "Pilot", "Acme"]], Large=[header, *[["No", "Live", "Acme"]] * 3]
    )
    form = {"source": "new", "new_source": "acme"}
    asked = client.post(reverse("imports"), {**form, "file": sent(content, "a.xlsx")})
    assert "Which sheet of the workbook contains the rows?" in asked.content.decode()
    assert not ImportBatch.objects.exists()
    kept = asked.context["form"].initial["kept"]
    page(client, reverse("imports"), **form, kept=kept, sheet="Small")
    batch = ImportBatch.objects.get()
    assert [row.mapped["title"] for row in batch.rows.all()] == ["Right"]
    page(client, reverse("import-confirm", args=[batch.pk]), organisations=["Acme"])
    following = workbook(
        Large=[header, *[["No", "Live", "Acme"]] * 4], Small=[header, ["Next", "Pilot", "Acme"]]
    )
    page(client, reverse("imports"), source="acme", file=sent(following, "b.xlsx"))
    assert [row.mapped["title"] for row in ImportBatch.objects.first().rows.all()] == ["Next"]


def test_a_code_page_that_is_not_offered_is_named(cast, as_):
    client = as_(cast.admin)
    content = "Name,Stage,Agency\nПомічник ґанку,Pilot,Київ\n".encode("koi8_u")
    form = {"source": "new", "new_source": "kyiv"}
    wrong = page(client, reverse("imports"), **form, file=sent(content), other_encoding="utf-7")
    assert "Code page" in wrong
    page(client, reverse("imports"), **form, file=sent(content), other_encoding="KOI8-U")
    assert ImportBatch.objects.get().rows.get().mapped["title"] == "Помічник ґанку"


def test_a_file_without_a_column_for_names_cannot_be_confirmed_before_one_is_chosen(cast, as_):
    client = as_(cast.admin)
    text = page(
        client,
        reverse("imports"),
        file=sent(b"Xyz;Status;Agency\nHelper;Pilot;Acme\n"),
        source="new",
        new_source="a",
    )
    batch = ImportBatch.objects.get()
    confirm = reverse("import-confirm", args=[batch.pk])
    assert "No column with the names was found" in text
    assert confirm not in text
    assert "you cannot confirm rows" in page(client, confirm, organisations=["Acme"])
    assert not Initiative.objects.exists()
    columns = {"title": "Xyz", "stage": "Status", "organisation_column": "Agency", "word_0": "mvp"}
    assert confirm in page(client, reverse("import", args=[batch.pk]), **columns)
    page(client, confirm, organisations=["Acme"])
    assert Initiative.objects.get().title == "Helper"
    text = page(client, reverse("imports"), file=sent(b"a,b\n1,2\n"), source="us-2025")
    assert "has no column" in text


def lines(count: int) -> bytes:
    return b"Name,Stage,Agency\n" + b"".join(b"System %d,Pilot,Acme\n" % n for n in range(count))


def test_a_long_import_is_the_workers(cast, as_, monkeypatch):
    monkeypatch.setattr(import_runs, "LONG", 50)
    client = as_(cast.admin)
    text = page(client, reverse("imports"), file=sent(lines(60)), source="new", new_source="acme")
    assert "In the background" in text
    assert not ImportBatch.objects.exists()
    run = import_runs.run(ImportRun.objects.get().pk)
    assert (run.state, run.rows_done, run.rows) == ("done", 60, 60)
    assert not default_storage.listdir("import-runs")[1]
    batch = ImportBatch.objects.get()
    assert batch.rows.count() == 60
    confirm = reverse("import-confirm", args=[batch.pk])
    text = page(client, confirm, organisations=["Acme"])
    assert "In progress in the background" in text
    assert "The worker already reads this file" in page(client, confirm, organisations=["Acme"])
    assert import_runs.run(ImportRun.objects.first().pk).state == "done"
    assert Initiative.objects.count() == 60
    assert import_runs.run(ImportRun.objects.first().pk) is None


@pytest.mark.parametrize("when", ["before", "between"])
def test_a_cancelled_import_leaves_nothing(cast, as_, monkeypatch, when):
    monkeypatch.setattr(import_runs, "LONG", 50)
    client = as_(cast.admin)
    page(client, reverse("imports"), file=sent(lines(60)), source="new", new_source="acme")
    asked = ImportRun.objects.get()
    if when == "before":
        assert "Cancelled" in page(client, reverse("imports"), cancel=asked.pk)
        assert import_runs.run(asked.pk) is None
    else:
        real = import_runs._Progress.__call__

        def cancelled(progress, done, rows):
            if done:
                import_runs.ImportRun.objects.filter(pk=asked.pk).update(state="cancelled")
            real(progress, done, rows)

        monkeypatch.setattr(import_runs._Progress, "__call__", cancelled)
        import_runs.run(asked.pk)
    assert not ImportBatch.objects.exists()
    assert not ImportRow.objects.exists()
    assert not default_storage.listdir("import-runs")[1]


def test_a_long_import_that_cannot_be_read_says_why(cast, as_, monkeypatch):
    monkeypatch.setattr(import_runs, "LONG", 50)
    client = as_(cast.admin)
    page(
        client,
        reverse("imports"),
        file=sent(lines(60)),
        source="new",
        new_source="acme",
        published_on="2026-01-02",
    )
    page(
        client,
        reverse("imports"),
        file=sent(lines(61)),
        source="new",
        new_source="acme",
        published_on="2026-01-01",
    )
    newer, older = ImportRun.objects.order_by("pk")
    import_runs.run(newer.pk)
    inventory_actions.confirm_batch(batch=ImportBatch.objects.get(), by=cast.admin)
    assert import_runs.run(older.pk).state == "failed"
    assert "is older than" in page(client, reverse("imports"))


def asked_of_the_worker(client, monkeypatch) -> ImportRun:
    """A file of sixty rows that waits for the worker."""
    monkeypatch.setattr(import_runs, "LONG", 50)
    page(client, reverse("imports"), file=sent(lines(60)), source="new", new_source="acme")
    return ImportRun.objects.get()


def test_progress_goes_one_way(cast, as_, monkeypatch):
    run = asked_of_the_worker(as_(cast.admin), monkeypatch)
    monkeypatch.setattr(batch_rows, "AT_A_TIME", 10)
    told: list[int] = []

    class Beside:
        def execute(self, _, values):
            told.append(values[0])

        def close(self):
            pass

    monkeypatch.setattr(import_runs.psycopg, "connect", lambda **_: Beside())
    assert import_runs.run(run.pk).state == "done"
    assert told == sorted(told)
    assert set(told) == {0, 10, 20, 30, 40, 50, 60}


def test_a_run_that_must_wait_for_another_import_waits(cast, as_, monkeypatch):
    run = asked_of_the_worker(as_(cast.admin), monkeypatch)
    monkeypatch.setattr(inventory_actions, "WAITS_FOR_ANOTHER", "50ms")
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_advisory_lock(hashtext('plumbline import'))")
        for _ in range(import_runs.TRIES + 1):
            assert import_runs.run(run.pk).state == "waiting"
    assert default_storage.listdir("import-runs")[1], "its file is still there"
    assert import_runs.run(run.pk).state == "done"


def test_a_run_lost_twice_leaves_no_file(cast, as_, monkeypatch):
    run = asked_of_the_worker(as_(cast.admin), monkeypatch)
    ImportRun.objects.update(
        state="running", tries=import_runs.TRIES, moved_at=clock.now() - 2 * import_runs.LOST
    )
    assert import_runs.run(run.pk) is None
    assert ImportRun.objects.get().state == "failed"
    assert not default_storage.listdir("import-runs")[1]


def test_sheets_of_ones_own_are_uploaded_on_the_same_page_and_are_no_inventory(cast, as_):
    client, file = as_(cast.admin), sent(b"Initiative;Status\nReader;Pilot\n", "own.csv")
    page(client, reverse("imports"), file=file, source="own-portfolio")
    batch = ImportBatch.objects.get(own=True)
    assert "Decide the row" not in page(client, reverse("import-row", args=[batch.rows.get().pk]))
    portfolio_actions.map_portfolio(
        batch=batch,
        columns=batch.reading["columns"],
        **{"stages": {}, "units": {}, "people": {}, "unit": cast.unit, "parent": cast.unit, "by": cast.admin},
    )
    portfolio_actions.confirm_portfolio(batch=batch, by=cast.admin)
    named = page(client, reverse("imports"), file=sent(lines(3)), source="new", new_source="Own portfolio")
    assert "Name the source with letters or digits" in named
    assert "Own portfolio" in page(client, reverse("imports"))


def test_the_same_file_as_ones_own_is_another_list(cast):
    def sent_as(own: bool) -> ImportBatch:
        return inventory_actions.upload_batch(
            content=lines(3), file_name="a.csv", source="acme", own=own, by=cast.admin
        )

    first = sent_as(False)
    assert sent_as(False).repeats == first
    assert sent_as(True).repeats is None


def test_a_row_rejected_by_hand_stays_rejected(cast):
    def uploaded(text: bytes) -> ImportBatch:
        return inventory_actions.upload_batch(content=text, file_name="a.csv", source="acme", by=cast.admin)

    text = b"Name,Stage,Agency\nOne,,Acme\nTwo,Pilot,Acme\n"
    first, second = uploaded(text), uploaded(text + b"Three,Pilot,Acme\n")
    inventory_actions.decide_row(
        row=first.rows.get(line=2), stage="mvp", reason="They say so.", by=cast.admin
    )
    inventory_actions.decide_row(row=second.rows.get(line=2), reason="Not ours.", by=cast.admin)
    inventory_actions.confirm_batch(batch=first, by=cast.admin)
    inventory_actions.confirm_batch(batch=second, by=cast.admin)
    assert second.rows.get(line=2).decision == "reject"
    assert second.rows.get(line=3).decision == "unchanged"
