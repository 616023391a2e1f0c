"""Every number field reads numbers as people type them, and no box is ticked for a person."""

import ast
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from governance.organisation.forms import LinesForm
from governance.tables.forms import NumberField, WholeNumberField

ROOT = Path(__file__).parents[4]
PLAIN = {"IntegerField", "DecimalField", "FloatField"}


@pytest.mark.parametrize(
    ("field", "typed", "read"),
    [
        (WholeNumberField(), "1 200", 1200),
        (WholeNumberField(), "1,200", 1200),
        (WholeNumberField(), "1.200", 1200),
        (WholeNumberField(), "12.0", 12),
        (WholeNumberField(), " 7 ", 7),
        (WholeNumberField(), "-3", -3),
        (WholeNumberField(label="Reviewed every (days)"), "30 days", 30),
        (WholeNumberField(label="Number of users"), "1 user", 1),
        (WholeNumberField(percent=True), "85 %", 85),
        (WholeNumberField(percent=True), "85%", 85),
        (NumberField(), "12,5", Decimal("12.5")),
        (NumberField(), "1.250.000,50", Decimal("1250000.50")),
        (NumberField(), "0.375", Decimal("0.375")),
        (NumberField(percent=True), "12.345 %", Decimal("12.345")),
        (NumberField(label="Minutes per letter"), "2.5 minutes", Decimal("2.5")),
    ],
)
def test_a_typed_number_is_read(field, typed, read):
    assert field.clean(typed) == read


@pytest.mark.parametrize(
    ("field", "typed", "readings"),
    [
        (NumberField(), "1,204", ("1.204", "1204")),
        (NumberField(), "85 %", ("0.85", "85")),
        (NumberField(), "12.345", ("12.345", "12345")),
    ],
)
def test_a_number_with_two_readings_is_asked_about(field, typed, readings):
    with pytest.raises(ValidationError, match="can mean") as asked:
        field.clean(typed)
    assert all(one in str(asked.value) for one in readings)


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        (WholeNumberField(), "85 %"),
        (WholeNumberField(), "1.5"),
        (WholeNumberField(label="Number of users"), "30 days"),
        (WholeNumberField(), "many"),
        (WholeNumberField(max_value=100), "1,200"),
        (NumberField(), "EUR 5"),
        (NumberField(), "12.5.3"),
        (NumberField(), "%"),
    ],
)
def test_what_is_no_such_number_is_refused(field, typed):
    with pytest.raises(ValidationError):
        field.clean(typed)


@pytest.mark.parametrize("kept", [Decimal("1.250"), Decimal("12.5"), Decimal("1200"), 1.204])
def test_a_kept_number_is_shown_as_it_is_read_back(kept):
    field = NumberField()
    assert float(field.clean(field.prepare_value(kept))) == float(kept)


def test_no_form_reads_a_visible_number_in_another_way():
    wrong = []
    for app in ("governance", "initiatives", "adoption"):
        for path in sorted((ROOT / app).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                plain = isinstance(node, ast.Call) and ast.unparse(node.func) in {
                    f"forms.{one}" for one in PLAIN
                }
                if plain and "HiddenInput" not in ast.unparse(node):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []


# An option of the act, whose effect the preview shows before the act.
TICKED = {"governance/organisation/forms.py: invite"}


def test_no_box_is_ticked_for_the_person():
    ticked = set()
    for app in ("governance", "initiatives", "adoption"):
        for path in sorted((ROOT / app).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                    field = ast.unparse(node.value)
                    if field.startswith("forms.BooleanField(") and "initial=True" in field:
                        ticked.add(f"{path.relative_to(ROOT)}: {ast.unparse(node.targets[0])}")
    assert ticked == TICKED


def test_of_a_file_and_lines_neither_is_called_optional():
    form = LinesForm()
    assert form.fields["file"].needed
    assert form.fields["text"].needed
