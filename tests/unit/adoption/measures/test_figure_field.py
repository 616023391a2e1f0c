"""A typed figure has one reading, or is refused with both. What is kept is shown in a form that is read back."""

import pytest
from django.core.exceptions import ValidationError

from adoption.measures.forms import FigureField


@pytest.mark.parametrize("typed", ["1.204", "1,204", "12.345"])
def test_a_typed_figure_that_can_be_two_is_refused(typed):
    with pytest.raises(ValidationError, match="can mean"):
        FigureField().clean(typed)


@pytest.mark.parametrize(
    ("typed", "share", "read"),
    [
        ("12,5", False, 12.5),
        ("1204", False, 1204),
        ("0.125", False, 0.125),
        ("-3", False, -3),
        ("12.345 %", True, 0.12345),
    ],
)
def test_a_figure_with_one_reading_is_taken(typed, share, read):
    assert FigureField(share=share).clean(typed) == pytest.approx(read)


@pytest.mark.parametrize("share", [False, True])
@pytest.mark.parametrize("kept", [1.204, 12.345, 0.5, 100.0, 0.12345])
def test_a_kept_figure_is_shown_as_it_is_read_back(kept, share):
    field = FigureField(share=share)
    if not share or kept <= 1:
        assert field.clean(field.prepare_value(kept)) == pytest.approx(kept)
