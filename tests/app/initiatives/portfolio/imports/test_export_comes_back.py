"""Our own export comes back in without a change; edits are shown, and taken only where they are a person's words."""

import csv
import io
from decimal import Decimal

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from initiatives.models import ImportBatch, Initiative
from initiatives.models.imports import OWN_SHEET
from initiatives.portfolio.imports.portfolio import actions
from initiatives.portfolio.registration import actions as registration_actions
from tests.support import factories
from tests.support.paths import FAULTY_FILES

pytestmark = pytest.mark.django_db


@pytest.fixture
def portfolio(cast):
    """Initiatives of several stages, with words that spreadsheets take for formulas."""
    made = [
        factories.make_initiative(cast, title="=Sum of parts; =1+1"),
        factories.make_prototype(cast),
        factories.make_mvp(cast),
        factories.make_initiative(cast, title="'-1 day' delay warning"),
        factories.make_initiative(cast, title="''@home' care;'=1"),
    ]
    said = {
        "budget": Decimal("1200.5"),
        "benefit": 80000,
        "currency": "EUR",
        "vendor": "-Acme-",
        "go_live_on": None,
        "ticket": "#REF!",
    }
    registration_actions.state_business_case(initiative=made[1], said=said, by=cast.owner)
    return made


def exported(client, ending="csv") -> bytes:
    response = client.get(f"/initiatives/export.{ending}")
    return response.getvalue() if hasattr(response, "getvalue") else b"".join(response.streaming_content)


def rows_of(content: bytes) -> list[dict]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def as_csv(rows: list[dict]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def upload(cast, content: bytes, name: str):
    return actions.upload_portfolio(content=content, file_name=name, by=cast.admin)


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_it_comes_back_in_without_a_change(cast, as_, portfolio, ending):
    content = exported(as_(cast.admin), ending)
    batch = upload(cast, content, f"portfolio.{ending}")
    assert batch.reading["export"]
    for row in batch.rows.all():
        assert (row.decision, row.mapped["changes"], row.mapped["refused"]) == ("unchanged", [], []), (
            row.mapped
        )
    assert batch.rows.count() == Initiative.objects.live().count()


def test_a_typed_apostrophe_of_another_sheet_stays(cast, as_):
    content = (FAULTY_FILES / "11-apostrophe" / "03-apostrophe.csv").read_bytes()
    file = SimpleUploadedFile("portfolio.csv", content)
    assert as_(cast.admin).post(reverse("imports"), {"file": file, "source": OWN_SHEET}).status_code == 302
    rows = ImportBatch.objects.get().rows.order_by("line")
    assert [(row.mapped["title"], row.mapped["vendor"]) for row in rows] == [
        ("'+1 week' staffing outlook", "Harbour Labs"),
        ("'-1' error finder", "'@home' care"),
    ]


def test_a_workbook_holds_no_formula(cast, as_, portfolio):
    workbook = openpyxl.load_workbook(io.BytesIO(exported(as_(cast.admin), "xlsx")))
    cells = [cell for row in workbook.active.iter_rows() for cell in row]
    assert any("Sum of parts" in str(cell.value) for cell in cells)
    assert any("#REF!" in str(cell.value) for cell in cells)
    assert not [cell.value for cell in cells if cell.data_type in ("f", "e")], (
        "no formula, and no error of one"
    )


EDITS = {
    "Title": ("A new name", "title"),
    "Problem": ("Another problem.", "problem"),
    "Vendor": ("Beta", "vendor"),
    "Budget": ("9000", "budget"),
    "Currency": ("USD", "currency"),
    "Go-live": ("2027-01-31", "go_live_on"),
    "Ticket": ("T-9", "ticket"),
    "Approved stage": ("Production", None),
    "Supported stage": ("Production", None),
    "Levels of answers": ("20 measured", None),
    "Owner": ("Somebody Else", None),
    "Risk tier": ("Minimal", None),
    "Unit": ("Elsewhere", None),
    "Governance test": ("passes", None),
    "Open requirements, approved stage": ("99", None),
    "Open requirements, next gate": ("99", None),
    "In stage since": ("2020-01-01", None),
}


def test_each_edit_is_shown_and_only_words_are_proposed(cast, as_, portfolio):
    content = exported(as_(cast.admin))
    for header, (after, field) in EDITS.items():
        rows = rows_of(content)
        row = next(row for row in rows if row["Reference"] == portfolio[1].ref)
        row[header] = "does not pass" if row[header] == after else after
        found = upload(cast, as_csv(rows), "edited.csv").rows.get(initiative=portfolio[1])
        changed = [each["field"] for each in found.mapped["changes"]]
        refused = [each["words"] for each in found.mapped["refused"]]
        assert (changed, refused) == (([field], []) if field else ([], [header])), header
        assert found.decision == ("change" if field else "unchanged"), header
