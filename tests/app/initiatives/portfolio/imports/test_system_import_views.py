"""Pages of the system imports: read, map, choose, confirm, drop; who sees whose tables."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from governance.models import Entry
from initiatives.integration.residency.findings import FIND_OUT
from initiatives.models import System, SystemImport, SystemImportRow, Term
from initiatives.portfolio.imports.systems import actions as system_import_actions
from tests.support import factories

pytestmark = pytest.mark.django_db


def page(client, url, **data):
    """The text of a page, or of where a post leads."""
    answer = client.post(url, data, follow=True) if data else client.get(url, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def sent(content: str, name: str = "system_import.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode(), "text/csv")


def read(cast, content: str, kind: str = "systems", by=None):
    batch, _ = system_import_actions.read_system_import(
        content=content.encode(), file_name="system_import.csv", kind=kind, by=by or cast.admin
    )
    return batch


def test_from_a_file_to_the_register(cast, as_):
    client = as_(cast.admin)
    assert "No tables yet" in page(client, reverse("system-imports"))
    assert "Choose the file" in page(client, reverse("system-imports"), kind="systems")
    text = page(
        client, reverse("system-imports"), file=sent("Name,Kind\nShare,wiki\nOdd,teapot\n"), kind="systems"
    )
    assert "No row is in the register yet" in text
    assert "“teapot” is not a known value of kind of system" in text
    batch = SystemImport.objects.get()
    text = page(client, reverse("system-import-confirm", args=[batch.pk]))
    assert "1 row is added to the register." in text
    assert "1 row is left out or cannot be read" in text
    assert "replaces values of" not in text, "what concerns no row is not said"
    assert not System.objects.exists()
    text = page(client, reverse("system-import-confirm", args=[batch.pk]), go="1")
    assert "Confirmed by" in text
    assert "2 of 2 rows are finished" in text
    assert System.objects.get().name == "Share"
    assert "This file was imported before" in page(
        client, reverse("system-imports"), file=sent("Name,Kind\nShare,wiki\nOdd,teapot\n"), kind="systems"
    )
    assert "2 of 2 rows are finished" in page(client, reverse("system-import-progress", args=[batch.pk]))


def test_a_region_that_nobody_knows_is_said_in_the_preview_and_enters(cast, as_):
    batch = read(cast, "Name,Kind,Region\nShare,wiki,eu-west; mars-1\nBase,wiki,DE\n")
    text = page(as_(cast.admin), reverse("system-import", args=[batch.pk]))
    said = f"The region mars-1 is not known. {FIND_OUT} Add the missing regions under Regions."
    assert text.count(said) == 1
    assert f'<a href="{reverse("regions")}">Regions' in text
    assert set(batch.rows.values_list("state", flat=True)) == {"new"}


def test_differences_are_taken_row_by_row_and_column_by_column(cast, as_):
    for name in ("A", "B"):
        factories.make_system(cast, name, kind="wiki", location="here", purpose="old")
    batch = read(cast, "Name,Kind,URL,Purpose\nA,wiki,there,new\nB,wiki,there,new\nC,wiki,there,new\n")
    client, url = as_(cast.admin), reverse("system-import", args=[batch.pk])
    text = page(client, url)
    assert "“here” in the register, “there” in the table" in text
    assert reverse("system-import-confirm", args=[batch.pk]) in text, "one row is new"
    rows = {row.mapped["label"]: row for row in batch.rows.all()}
    page(
        client,
        url,
        do="rows",
        row=[str(row.pk) for row in rows.values()],
        take=[f"{rows['A'].pk}:purpose", f"{rows['A'].pk}:name", "x:y", "9999999:purpose"],
        out=[str(rows["C"].pk)],
    )
    assert SystemImportRow.objects.get(pk=rows["A"].pk).takes == ["purpose"]
    assert SystemImportRow.objects.get(pk=rows["C"].pk).state == "skipped"
    assert "2 rows will have the values of the table when you confirm." in page(
        client, url, do="take", field="location"
    )
    page(
        client,
        url,
        do="rows",
        row=["9" * 5000, rows["A"].pk],
        take=[f"{rows['A'].pk}:purpose", "9" * 5000 + ":purpose"],
    )
    text = page(client, reverse("system-import-confirm", args=[batch.pk]))
    assert "The table replaces values of 2 rows in the register, in 2 fields that you selected." in text
    page(client, url, do="keep", field="location")
    assert SystemImportRow.objects.get(pk=rows["B"].pk).takes == []
    page(client, f"{url}?state=differs", do="leave", state="differs", q="B")
    assert SystemImportRow.objects.get(pk=rows["B"].pk).state == "skipped"
    page(client, reverse("system-import-confirm", args=[batch.pk]), go="1")
    assert list(System.objects.values_list("name", "location", "purpose")) == [
        ("A", "here", "new"),
        ("B", "here", "old"),
    ]


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("state=new", "Fresh", "Strange"),
        ("state=wrong", "Strange", "Fresh"),
        ("q=FRE", "Fresh", "Strange"),
        ("q=nothing", "No rows match", "Fresh</th>"),
        ("state=%27&page=x&field=odd", "Fresh", "No rows match"),
    ],
)
def test_rows_are_filtered_and_junk_changes_nothing(cast, as_, query, shown, hidden):
    batch = read(cast, "Name,Kind\nFresh,wiki\nStrange,teapot\n")
    text = page(as_(cast.admin), f"{reverse('system-import', args=[batch.pk])}?{query}")
    rows = text[text.index("Rows by line of the table") :]
    assert shown in rows
    assert hidden not in rows


def test_the_mapping_is_changed_on_its_page(cast, as_):
    batch = read(cast, "Ding,Sorte\nShare,\n")
    client, url = as_(cast.admin), reverse("system-import-mapping", args=[batch.pk])
    assert "Contents of the columns" in page(client, url)
    assert "Choose the column with this value" in page(client, url, column_kind="Sorte")
    page(client, url, column_name="Ding", value_kind="wiki")
    assert batch.rows.get().mapped["values"] == {"name": "Share", "kind": "wiki"}
    assert "Select a valid choice" in page(client, url, column_name="Elsewhere")


def test_a_dropped_table_is_gone_for_everybody(cast, as_):
    batch = read(cast, "Name,Kind\nShare,wiki\n")
    client = as_(cast.admin)
    assert "The rows of the file are discarded." in page(
        client, reverse("system-import-drop", args=[batch.pk])
    )
    page(client, reverse("system-import-drop", args=[batch.pk]), go="1")
    assert client.get(reverse("system-import", args=[batch.pk])).status_code == 404
    assert Entry.objects.filter(kind="system import dropped").exists()


def test_leads_see_their_own_tables_and_only_what_they_may_bring(cast, as_):
    initiative = factories.make_mvp(cast)
    factories.make_link(cast, initiative, factories.make_system(cast, "Ledger"), agreed=True)
    factories.make_term(cast, "Rate")
    own = read(cast, "Term,System,Field,Meaning\nRate,Ledger,rate,Of the day\n", "definitions", by=cast.lead)
    other = read(cast, "Name,Kind\nHidden,wiki\n")
    client = as_(cast.lead)
    text = page(client, reverse("system-imports"))
    assert reverse("system-import", args=[own.pk]) in text
    assert reverse("system-import", args=[other.pk]) not in text
    assert 'value="systems"' not in text
    assert 'value="links"' in text
    names = (
        "system-import",
        "system-import-mapping",
        "system-import-confirm",
        "system-import-drop",
    )
    for name in names:
        assert client.get(reverse(name, args=[own.pk])).status_code == 200
        assert client.get(reverse(name, args=[other.pk])).status_code == 404
        assert client.post(reverse(name, args=[other.pk]), {"do": "leave", "state": "new"}).status_code == 404
        assert as_(cast.owner).get(reverse(name, args=[own.pk])).status_code == 403
    assert SystemImport.objects.filter(dropped_at=None).count() == 2


def test_a_table_that_is_long_goes_on_by_itself(cast, as_, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.setattr("initiatives.portfolio.imports.systems.actions.TOGETHER", 2)
    monkeypatch.setattr("initiatives.portfolio.imports.systems.views.AT_ONCE_SECONDS", 0)
    batch = read(cast, "Name,Kind\n" + "".join(f"S{n},wiki\n" for n in range(7)))
    client = as_(cast.admin)
    text = page(client, reverse("system-import-confirm", args=[batch.pk]), go="1")
    assert "5 rows are being imported into the register" in text
    assert "2 of 7 rows are finished" in text
    assert 'hx-trigger="every 2s"' in text
    page(client, reverse("system-import", args=[batch.pk]), do="on")
    assert System.objects.count() == 4
    from initiatives.tasks import enter_system_imports

    enter_system_imports()
    assert System.objects.count() == 7
    assert "7 of 7 rows are finished" in page(client, reverse("system-import", args=[batch.pk]))


def test_whoever_may_import_finds_the_way(cast, as_):
    initiative = factories.make_mvp(cast)
    system_imports = reverse("system-imports")
    of_initiative = {
        reverse("integration", args=[initiative.ref]): f'"{system_imports}?kind=links">Import from a table',
        reverse(
            "integration-definitions", args=[initiative.ref]
        ): f'"{system_imports}?kind=definitions">Import from a table',
    }
    ways = {reverse("systems"): f'"{system_imports}">Import from a table'} | of_initiative
    for url, way in ways.items():
        assert way in page(as_(cast.lead), url)
        assert way not in page(as_(cast.owner), url)
    assert ways[reverse("systems")] in page(as_(cast.admin), reverse("systems"))
    shown = page(as_(cast.lead), f"{system_imports}?kind=links")
    assert '<option value="links" selected>' in shown
    assert 'aria-current="page">Systems' in shown


def test_columns_that_nothing_is_read_from_are_named(cast, as_):
    batch = read(cast, "Name,Kind,Colour,Mood\nShare,wiki,red,good\n")
    assert "Not used: “Colour”, “Mood”. These columns are not imported" in page(
        as_(cast.admin), reverse("system-import", args=[batch.pk])
    )
    batch = read(cast, "Name,Kind\nShare,wiki\n")
    assert "Not used" not in page(as_(cast.admin), reverse("system-import", args=[batch.pk]))
    sites = (
        "Site URL,Last Activity Date,Root Web Template,Is Deleted\nhttps://a.example,2026-01-02,Team,false\n"
    )
    assert "Not used: “Root Web Template”." in page(
        as_(cast.admin), reverse("system-import", args=[read(cast, sites).pk])
    )


def test_rows_that_entered_lead_to_their_systems(cast, as_):
    client, here = as_(cast.admin), factories.make_system(cast, "Ledger")
    batch = read(cast, "Name,Kind\nShare,wiki\nLedger,bought\nOdd,teapot\n")
    url = reverse("system-import", args=[batch.pk])
    assert f'<a href="{here.get_absolute_url()}">Ledger</a>' in page(client, url)
    assert ">Share</a>" not in page(client, url)
    page(client, reverse("system-import-confirm", args=[batch.pk]), go="1")
    share = System.objects.get(name="Share")
    assert f'<a href="{share.get_absolute_url()}">Share</a>' in page(client, url)
    assert ">Odd</a>" not in page(client, url)
    said = "Term,System,Field,Meaning\nRate,Ledger,rate,Of the day\nPrice,,,What is paid\n"
    batch = read(cast, said, "definitions")
    page(client, reverse("system-import-confirm", args=[batch.pk]), go="1")
    shown = page(client, reverse("system-import", args=[batch.pk]))
    assert shown.count(f'<a href="{here.get_absolute_url()}">') == 1
    assert f'<a href="{Term.objects.get(name="Price").get_absolute_url()}">' in shown
