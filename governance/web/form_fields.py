"""Forms of the pages of an initiative. They read typed values, and the acts check them."""

import re
from collections.abc import Mapping
from datetime import date
from uuid import uuid4

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.models import Board, Membership, Unit, User
from governance.sign_in.forms import Picker
from governance.tables.columns import first_day, parse_date
from governance.vocabulary import Seat

# Days outside these are typing errors; times beyond them would leave the calendar.
EARLIEST, LATEST = date(1990, 1, 1), date(2100, 12, 31)
LONGEST_TEXT = 20_000


def control_id(field: forms.BoundField) -> str:
    """Return the id of the control of a field, to which an error links. In a group of boxes it is the first box."""
    return field.id_for_label or f"{field.auto_id}_0"


class DayField(forms.DateField):
    """A day, typed or picked, within the calendar that records can hold."""

    def __init__(self, **options):
        options.setdefault("widget", forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        super().__init__(**options)
        self.error_messages["invalid"] = "Give a day as year-month-day, for instance 2026-11-20."
        self.validators += [
            MinValueValidator(EARLIEST, "Days before 1990 are not recorded here."),
            MaxValueValidator(LATEST, "This day is too far in the future."),
        ]


class SinceField(DayField):
    """A day that people may know by its year or month alone: the first day of it then."""

    def __init__(self, **options):
        options.setdefault("widget", forms.DateInput(attrs={"autocomplete": "off"}, format="%Y-%m-%d"))
        super().__init__(**options)
        self.error_messages["invalid"] = (
            "Give a year, a month or a day, for instance 2011, 2011-05 or 2011-05-30."
        )

    def to_python(self, value):
        """Return the day, read without guessing which number is the month."""
        if not isinstance(value, str) or not value.strip():
            return super().to_python(value)
        return super().to_python(first_day(parse_date(value)) or "no day")


class WordsField(forms.CharField):
    """A text of some lines."""

    def __init__(self, **options):
        options.setdefault("widget", forms.Textarea(attrs={"rows": 4}))
        options.setdefault("max_length", LONGEST_TEXT)
        super().__init__(**options)


class PersonField(forms.ModelChoiceField):
    """A person, picked by name. People who left are not offered.

    `beside` is a remark on some people in the list, by key.
    """

    beside: Mapping[int, str] = {}

    def __init__(self, **options):
        options.setdefault("empty_label", "choose a person")
        options.setdefault("widget", Picker)
        super().__init__(queryset=User.objects.active().select_related("unit"), **options)
        self.error_messages["invalid_choice"] = "This person is no longer active. Choose someone else."

    def label_from_instance(self, person) -> str:
        """Return the name, and where the person works, because names repeat."""
        name = f"{person.full_name} ({person.unit})" if person.unit_id else person.full_name
        said = self.beside.get(person.pk)
        return f"{name}: {said}" if said else name


def sign_offs_lost(board: Board | None = None) -> dict[int, str]:
    """Return what people lose who take a role on an initiative of this board, by key.

    Without a board, each board of the person counts. People who work on an initiative do not sign off on it
    (docs/domain.md, invariant 4).
    """
    seats = Membership.objects.held_at(clock.now()).filter(seat__in=Seat)
    if board is not None:
        return dict.fromkeys(
            seats.filter(board=board).values_list("person", flat=True),
            "sits on the board, and would lose the right to sign off",
        )
    sits: dict[int, list[str]] = {}
    for name, person in seats.order_by("board__name").values_list("board__name", "person").distinct():
        sits.setdefault(person, []).append(name)
    return {
        person: f"sits on {' and '.join(names)}, and would lose the right to sign off there"
        for person, names in sits.items()
    }


class OwnUnitField(forms.ModelChoiceField):
    """A unit of this organisation. A merged or imported unit is refused with the fix."""

    def __init__(self, **options):
        options.setdefault("widget", Picker)
        options.setdefault("queryset", Unit.objects.own())
        super().__init__(**options)
        self.error_messages["invalid_choice"] = (
            "This unit was merged, or came with an imported list. Choose another unit, or ask an admin to "
            "take it over."
        )


class ListField(forms.CharField):
    """Several short words, separated by commas or lines. The field reads them as a list, each once."""

    apart = r"[,\r\n]"

    def __init__(self, **options):
        options.setdefault("max_length", 2_000)
        super().__init__(**options)

    def prepare_value(self, value):
        """Return a list as it is typed."""
        return ", ".join(value) if isinstance(value, (list, tuple)) else value

    def has_changed(self, initial, data) -> bool:
        """Return True if other words were typed."""
        return super().has_changed(self.prepare_value(initial), data)

    def clean(self, value) -> list[str]:
        """Return the words, without empty ones and repetitions."""
        text = super().clean(value) or ""
        parts = (" ".join(part.split()) for part in re.split(self.apart, text))
        return list(dict.fromkeys(part for part in parts if part))


class RegionsField(ListField):
    """Names of regions. A semicolon also separates them, because no name contains one."""

    apart = r"[,;\r\n]"


class ReasonForm(forms.Form):
    """One reason."""

    reason = WordsField(
        label=_("Why"), help_text=_("Everyone on the initiative can read this, and its history keeps it.")
    )


class FoldedForm(forms.Form):
    """A form that asks some of its fields at once, by name in `at_once`, and folds the others. Empty: it asks all."""

    at_once: tuple[str, ...] = ()
    more_words = _("More")

    @property
    def first(self) -> list[forms.BoundField]:
        """Return the fields that are asked at once."""
        return [field for field in self.visible_fields() if not self.at_once or field.name in self.at_once]

    @property
    def more(self) -> list[forms.BoundField]:
        """Return the fields that are folded."""
        return [field for field in self.visible_fields() if self.at_once and field.name not in self.at_once]

    @property
    def more_open(self) -> bool:
        """Return True if a folded field has an error."""
        return any(field.errors for field in self.more)


class OnceForm(forms.Form):
    """A form with a key. A form sent twice, by two presses or a lost answer, is one note."""

    once = forms.UUIDField(widget=forms.HiddenInput, required=False, initial=uuid4)
