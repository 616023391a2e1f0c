"""Sheets in which amounts, headers and people can mean two things: read once they are certain, else asked once."""

import io

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from governance.models import PasswordLink, Unit, User
from governance.permission_result import Refused
from initiatives.models import ImportBatch, Initiative, RoleAssignment
from initiatives.models.imports import OWN_SHEET
from initiatives.portfolio.imports.inventories import actions as inventories
from initiatives.portfolio.imports.portfolio import actions
from tests.support import factories
from tests.support.paths import FAULTY_FILES, SHEETS

pytestmark = pytest.mark.django_db


def upload(cast, content: bytes | str, name="own.csv") -> ImportBatch:
    content = content if isinstance(content, bytes) else content.encode()
    return actions.upload_portfolio(content=content, file_name=name, by=cast.admin)


def rows_of(batch) -> dict[str, dict]:
    return {row.mapped["title"]: row.mapped for row in batch.rows.all()}


def answered(client, batch, **said) -> ImportBatch:
    """The page of the sheet sent as it stands, but for these answers."""
    form = client.get(batch.get_absolute_url()).context["mapping"]
    posted = {name: field.initial or "" for name, field in form.fields.items()} | form.initial
    assert client.post(batch.get_absolute_url(), posted | said).status_code == 302
    return ImportBatch.objects.get(pk=batch.pk)


def test_amounts_with_units_are_read_and_one_question_answers_the_rest(cast, as_):
    client = as_(cast.admin)
    batch = upload(cast, (SHEETS / "amounts.csv").read_bytes())
    rows = rows_of(batch)
    assert {title: row["budget"] for title, row in rows.items()} == {
        "Parking forecast": "",  # 375,000, but no currency is named
        "Menu planner": "1625000.00",
        "Lost property search": "750000.00",
        "Price labels": "45000.00",
        "Route notes": "",
        "Door rota": "",
    }
    assert [
        rows[title]["currency"] for title in ("Menu planner", "Lost property search", "Price labels")
    ] == [*("EUR", "USD", "EUR")]
    parking = rows["Parking forecast"]["read"][0]
    assert (parking["value"], parking["raw"]) == ("375,000.00", "0.375m"), (
        "shown before its currency is chosen"
    )
    page = client.get(batch.get_absolute_url())
    asked = page.context["mapping"].fields
    assert "“1.500k” can mean 1,500.00 or 1,500,000.00" in asked["point"].help_text
    assert not asked["comma"].help_text
    assert "750,000.00 USD, read from “USD 0.750m”" in page.content.decode()
    assert (
        "Amounts and days left out because each can mean two values: 1."
        in client.get(f"{batch.get_absolute_url()}confirm/").content.decode()
    )
    batch = answered(client, batch, point=".", currency="EUR")
    rows = rows_of(batch)
    assert {title: row["budget"] for title, row in rows.items()} == {
        "Parking forecast": "375000.00",
        "Menu planner": "1625000.00",
        "Lost property search": "750000.00",
        "Price labels": "45000.00",
        "Route notes": "2400000000.00",
        "Door rota": "1500.00",
    }
    texts = [each["text"] for row in batch.rows.all() for each in row.problems]
    assert any("in USD, not in EUR" in text for text in texts)
    newer = upload(cast, "Title;Budget\nA;1.500k EUR\n", "next.csv")
    assert newer.rows.get().mapped["budget"] == "", "an answer about amounts counts for its sheet only"


@pytest.mark.parametrize("others", [[], ["12,50"], ["12.50"], ["EUR 12.50", "1.250.000", "300"]])
@pytest.mark.parametrize(
    ("cell", "budget", "asked"),
    [
        ("EUR 1.500", "1500.00", ""),
        ("USD 75,000", "75000.00", ""),
        ("JPY 80.000", "80000.00", ""),
        ("1.250", "", "point"),
        ("1,250", "", "comma"),
        ("1.500 TEUR", "", "point"),
        ("JPY 80.5", "", ""),
    ],
)
def test_other_cells_of_the_column_do_not_decide(cast, others, cell, budget, asked):
    lines = [f"Initiative {place};{text}" for place, text in enumerate([cell, *others])]
    batch = upload(cast, "\n".join(["Title;Budget", *lines]))
    assert rows_of(batch)["Initiative 0"]["budget"] == budget
    assert [name for name in ("point", "comma") if batch.reading["two_readings"][name]["count"]] == [asked][
        : bool(asked)
    ]


def test_each_kind_of_amount_is_asked_about_once_with_its_count_and_three_examples(cast, as_):
    cells = ["1.250", "2.250", "3.250", "4.250", "7,500"]
    lines = [f"Initiative {place};{text}" for place, text in enumerate(cells)]
    batch = upload(cast, "\n".join(["Title;Budget", *lines]))
    asked = batch.reading["two_readings"]
    assert [(asked[name]["count"], len(asked[name]["texts"])) for name in ("point", "comma")] == [
        (4, 3),
        (1, 1),
    ]
    rows = rows_of(answered(as_(cast.admin), batch, point=",", comma=".", currency="EUR"))
    assert [row["budget"] for row in rows.values()] == [
        *("1250.00", "2250.00", "3250.00", "4250.00", "7500.00")
    ]


def test_the_unit_of_a_heading_is_applied_and_shown(cast):
    lines = ("A;Live;90;", "B;Live;40,5;", "C;Live;;12", "D;Live;40k;", "E;Live;90 EUR;")
    rows = rows_of(upload(cast, "\n".join(["Project;Status;Budget (TEUR);Run cost (k$)", *lines])))
    assert [(row["budget"], row["run_cost"], row["currency"]) for row in rows.values()] == [
        ("90000.00", "", "EUR"),
        ("40500.00", "", "EUR"),
        ("", "12000.00", "USD"),
        ("", "", ""),
        ("", "", ""),
    ]
    assert rows["A"]["read"][0]["value"] == "90,000.00 EUR"


def test_what_was_answered_about_days_is_remembered_until_a_day_is_against_it(cast, as_):
    batch = upload(cast, "Title;Go-live\nA;03/04/2027\n")
    answered(as_(cast.admin), batch, dates="mdy")
    same = upload(cast, "Title;Go-live\nB;03/05/2027\n", "same.csv")
    assert rows_of(same)["B"]["go_live_on"] == "2027-03-05"
    newer = upload(cast, "Title;Go-live\nB;03/04/2027\nC;25/04/2027\n", "b.csv")
    assert newer.reading["dates"] == ""
    assert [row["go_live_on"] for row in rows_of(newer).values()] == ["", "2027-04-25"]
    assert newer.reading["two_readings"]["dates"]["count"] == 1


def test_a_day_that_may_begin_with_its_year_is_asked_about(cast, as_):
    batch = upload(cast, "Title;Go-live\nA;26-03-04\nB;26-11-30\nC;25/04/2027\n")
    assert [row["go_live_on"] for row in rows_of(batch).values()] == ["", "", "2027-04-25"]
    rows = rows_of(answered(as_(cast.admin), batch, dates="ymd"))
    assert [row["go_live_on"] for row in rows.values()] == ["2026-03-04", "2026-11-30", "2027-04-25"]


@pytest.mark.parametrize(
    "status",
    ["was live until 2024", "live 2028", "Production ready", "Produktiv bis 2023", "formerly in use"],
)
def test_a_status_with_a_year_or_an_end_is_asked_about(cast, status):
    batch = upload(cast, f"Title;Status\nA;{status}\nB;Live\n")
    assert [(row["stage"], row["stage_raw"]) for row in rows_of(batch).values()] == [
        ("", status),
        ("production", "Live"),
    ]
    assert batch.rows.get(line=2).decision == "triage"


def test_a_department_too_long_for_a_unit_is_kept_whole_and_asked_about(cast, as_):
    long = [f"{'Department of very long names ' * 5}{end}" for end in ("north", "south")]
    batch = upload(cast, f"Title;Status;Department\nA;Live;{long[0]}\nB;Live;{long[1]}\n")
    assert [row.mapped["bureau"] for row in batch.rows.all()] == long
    assert [(row.decision, row.problems[0]["kind"]) for row in batch.rows.all()] == [("triage", "cut")] * 2
    assert all(name in row.problems[0]["text"] for name, row in zip(long, batch.rows.all(), strict=True))
    batch = answered(as_(cast.admin), batch, unit_0=str(cast.unit.pk))
    assert list(batch.rows.values_list("decision", flat=True)) == ["import", "triage"]


def test_an_organisation_too_long_for_a_unit_is_kept_whole_and_not_imported(cast):
    long = f"{'Agency of very long names ' * 5}north"
    batch = inventories.upload_batch(
        content=f"Use case name,Agency,Stage\nA,{long},Pilot\n".encode(),
        file_name="theirs.csv",
        source="theirs",
        by=cast.admin,
    )
    row = batch.rows.get()
    assert (row.mapped["organisation"], row.decision) == (long, "triage")
    assert [each["value"] for each in row.problems if each["kind"] == "cut"] == [long]
    with pytest.raises(Refused):
        inventories.decide_row(row=row, stage="mvp", reason="Seen in use", by=cast.admin)


def test_each_address_of_an_owner_cell_is_named(cast):
    cells = [f"{cast.owner.email}; zoe@corp.example", cast.owner.email, "zoe@corp.example"]
    lines = [f"Initiative {place}\t{cell}\tIdea" for place, cell in enumerate(cells)]
    batch = upload(cast, "\n".join(["Title\tOwner\tStatus", *lines]))
    both, one, _ = batch.rows.all()
    assert (both.mapped["owner"], one.mapped["owner"]) == (None, cast.owner.pk)
    assert batch.reading["people"][cells[0]]["candidates"] == [cast.owner.pk]
    assert batch.reading["people"][cells[0]]["group"] != batch.reading["people"][cells[2]]["group"]
    (text,) = (each["text"] for each in both.problems if "addresses" in each["text"])
    assert all(address in text for address in cells[1:])


def test_titles_that_differ_by_accents_only_are_asked_about(cast):
    batch = upload(cast, "Title;Status\nCafé orders;Live\nCafe orders;Live\nCafeteria;Live\n")
    assert list(batch.rows.values_list("decision", flat=True)) == ["triage", "triage", "import"]
    factories.make_initiative(cast, title="Prévision")
    batch = upload(cast, "Title;Status\nPrevision;Live\n", "next.csv")
    assert (batch.rows.get().decision, batch.rows.get().initiative) == ("triage", None)


def test_one_person_in_six_spellings_is_asked_about_once_and_invited_when_it_is_published(cast, as_):
    client = as_(cast.admin)
    batch = upload(cast, (SHEETS / "amounts.csv").read_bytes())
    assert len(batch.reading["people"]) == 6
    form = client.get(batch.get_absolute_url()).context["mapping"]
    ((person, _),) = form.unsure
    assert "A. Rossi" in person.label
    assert "Rossi, Anna" in person.label
    assert ("invite", "invite anna.rossi@corp.example") in person.field.choices
    batch = answered(client, batch, **{person.html_name: "invite"})
    assert not User.objects.filter(email__iexact="anna.rossi@corp.example").exists()
    page = client.get(f"{batch.get_absolute_url()}confirm/").content.decode()
    assert "anna.rossi@corp.example" in page
    assert not PasswordLink.objects.exists(), "nobody is mailed before it is published"
    client.post(f"{batch.get_absolute_url()}confirm/")
    anna = User.objects.get(email="anna.rossi@corp.example")
    assert anna.full_name == "Anna Rossi"
    assert PasswordLink.objects.get().person == anna
    asked = RoleAssignment.objects.waiting().filter(person=anna)
    assert asked.count() == Initiative.objects.filter(import_rows__batch=batch).distinct().count() == 6
    newer = upload(cast, "Title;Owner;Status\nNew one;A. Rossi;Idea\n", "newer.csv")
    assert newer.rows.get().mapped["owner"] == anna.pk, "remembered for the next sheet"


def test_spellings_of_units_statuses_and_vendors_are_one_question_each(cast, as_):
    client = as_(cast.admin)
    rows = [
        "A;Head Office;In Trial;Quill Works",
        "B;Head Office;in trial;QUILL WORKS",
        "C;HEAD-OFFICE;In-Trial;Quill Works",
        "D;LOGISTICS;In Trial;",
    ]
    batch = upload(cast, "\n".join(["Title;Department;Status;Vendor", *rows]))
    form = client.get(batch.get_absolute_url()).context["mapping"]
    asked = [
        sorted(sorted(field.label.split("; ")) for field in form.part(name)) for name in ("unit", "stage")
    ]
    assert asked == [[["HEAD-OFFICE", "Head Office"], ["LOGISTICS"]], [["In Trial", "In-Trial", "in trial"]]]
    batch = answered(client, batch, stage_0="prototype")
    assert {row["stage"] for row in rows_of(batch).values()} == {"prototype"}
    client.post(f"{batch.get_absolute_url()}confirm/")
    brought = {one.title: one for one in Initiative.objects.filter(import_rows__batch=batch)}
    assert {title: one.unit.name for title, one in brought.items()} == {
        "A": "Head Office",
        "B": "Head Office",
        "C": "Head Office",
        "D": "Logistics",
    }
    assert brought["B"].business_case.vendor == "Quill Works"


def test_a_spelling_that_is_certain_is_not_asked_about_again(cast, as_):
    words = [cast.owner.full_name, cast.owner.email, "Marta L."]
    lines = [f"Initiative {place};{word};Idea" for place, word in enumerate(words)]
    batch = upload(cast, "\n".join(["Title;Owner;Status", *lines]))
    form = as_(cast.admin).get(batch.get_absolute_url()).context["mapping"]
    assert (len(form.sure), len(form.unsure)) == (1, 1)
    assert rows_of(batch)["Initiative 2"]["owner"] is None, "an initial alone names nobody for certain"


def test_headers_of_a_published_register_are_understood(cast, as_):
    batch = upload(cast, (SHEETS / "register.csv").read_bytes())
    assert batch.reading["columns"] == {
        "title": "name_ai_service_en",
        "reference": "register_no",
        "unit": "responsible_organisation",
        "problem": "purpose_summary_en",
        "vendor": "supplier_information",
        "stage": "ai_service_status_en",
    }
    rows = rows_of(batch)
    assert {title: row["stage"] for title, row in rows.items()} == {
        "Parking forecast": "production",
        "Menu planner": "prototype",
        "Lost property search": "production",
        "Price labels": "",
        "Door rota": "retired",
    }
    assert list(batch.reading["stages"]).count("") == 1, "a blank status is asked about once"
    assert rows["Menu planner"]["key"] == "R-0402", "a reference of the register's own finds the row again"
    assert not batch.rows.filter(decision="reject").exists()


def test_a_column_that_is_not_what_its_header_says_is_told(cast):
    batch = upload(cast, "Title;Status;Go-live\nA;2025-06-01;Q3 2026\nB;2025-07-01;Q4 2026\n")
    assert "stage" not in batch.reading["columns"]
    assert any("“Status” is not used for Status" in remark for remark in batch.reading["remarks"])


def test_cells_that_say_nothing_are_blank(cast):
    batch = upload(cast, "Title;Owner;Status;Budget;Vendor\nA;N/A;-;n/a;---\n")
    row = batch.rows.get()
    assert (row.mapped["contact"], row.mapped["stage_raw"], row.mapped["vendor"]) == ("", "", "")
    assert batch.reading["people"] == {}
    assert list(batch.reading["stages"]) == [""]


def test_what_only_a_person_sees_in_a_workbook_is_said_on_the_page(cast, as_):
    client = as_(cast.admin)

    def send(content: bytes):
        sent = {"file": SimpleUploadedFile("portfolio.xlsx", content), "source": OWN_SHEET}
        return client.post(reverse("imports"), sent, follow=True).content.decode()

    assert "E2, A3" in send((FAULTY_FILES / "10-formulas" / "01-formulas.xlsx").read_bytes())
    assert not ImportBatch.objects.exists()
    workbook, written = openpyxl.Workbook(), io.BytesIO()
    for row in (["Initiative", "Status"], ["One", "Idea"], ["Two", "Idea"]):
        workbook.active.append(row)
    workbook.active.row_dimensions[3].hidden = True
    workbook.save(written)
    assert "rows were read: 3." in send(written.getvalue())


def test_letters_with_their_accents_apart_are_the_same_letters(cast, as_):
    client = as_(cast.admin)
    found = []
    for name in ("04a-composed.csv", "04b-decomposed.csv"):
        content = (FAULTY_FILES / "12-accents" / name).read_bytes()
        sent = {"file": SimpleUploadedFile(name, content), "source": OWN_SHEET}
        client.post(reverse("imports"), sent)
        batch = ImportBatch.objects.latest("pk")
        client.post(f"{batch.get_absolute_url()}confirm/")
        decisions = sorted(batch.rows.values_list("decision", flat=True))
        found.append((decisions, Initiative.objects.count(), Unit.objects.count()))
    first, second = found
    assert first[0] == ["import", "import"]
    assert second == (["change", "unchanged"], *first[1:])


def test_headings_in_two_languages_and_a_register_are_found(cast):
    headings = "Projekt / Project;Owner (Verantwortlich);Stand / Status;Inventory ID;Description of use;Kosten [TEUR]"
    batch = upload(cast, f"{headings}\nRoute planner;Ana Ruiz;Live;R-17;Plans routes;90\n")
    row = rows_of(batch)["Route planner"]
    assert [row[name] for name in ("contact", "stage", "key", "problem", "budget")] == [
        *("Ana Ruiz", "production", "R-17", "Plans routes", "90000.00"),
    ]
    assert upload(cast, "Title;Use case ID\nDoor rota;R-18\n", "id.csv").rows.get().mapped["key"] == "R-18"


def test_rows_wait_until_the_column_of_titles_is_chosen(cast, as_):
    batch = upload(cast, "Sarake;Tila\nRoute planner;Live\n")
    assert [(row.decision, row.problems[0]["kind"]) for row in batch.rows.all()] == [("triage", "no name")]
    batch = answered(as_(cast.admin), batch, column_title="Sarake", column_stage="Tila")
    assert rows_of(batch).keys() == {"Route planner"}
    assert not batch.rows.filter(decision="reject").exists()
