"""Forms of the pages of a case. They read what was typed; what is wrong with it, the acts say."""

import re
from datetime import date

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from governance.models import User
from governance.tables.columns import first_day, parse_date
from initiatives.models import ModelVersion

# Days outside these are typing errors; times beyond them would leave the calendar.
EARLIEST, LATEST = date(1990, 1, 1), date(2100, 12, 31)
LONGEST_TEXT = 20_000


class DayField(forms.DateField):
    """A day, typed or picked, within the calendar that records can hold."""

    def __init__(self, **options):
        options.setdefault("widget", forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        super().__init__(**options)
        self.error_messages["invalid"] = "Give a day as year-month-day, for instance 2026-11-20."
        self.validators += [
            MinValueValidator(EARLIEST, "Days before 1990 are not recorded here."),
            MaxValueValidator(LATEST, "That day is too far ahead."),
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
        """The day, read without guessing which number is the month."""
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
    """A person, picked by name; people who left are not offered."""

    def __init__(self, **options):
        options.setdefault("empty_label", "choose a person")
        super().__init__(queryset=User.objects.active().select_related("unit"), **options)
        self.error_messages["invalid_choice"] = "That person is not here any more; choose another."

    def label_from_instance(self, person) -> str:
        """The name, and where the person works, because names repeat."""
        return f"{person.full_name} ({person.unit})" if person.unit_id else person.full_name


class ModelField(forms.ModelChoiceField):
    """A model of the register, with its vendor, because names of families repeat."""

    def __init__(self, **options):
        super().__init__(
            queryset=ModelVersion.objects.select_related("vendor"),
            required=False,
            **options,
        )

    def label_from_instance(self, model) -> str:
        """Vendor, family, version, region."""
        return f"{model.vendor}: {model}"


class ListField(forms.CharField):
    """Several short words, separated by commas or lines; read as a list, each once."""

    apart = r"[,\r\n]"

    def __init__(self, **options):
        options.setdefault("max_length", 2_000)
        super().__init__(**options)

    def prepare_value(self, value):
        """A list as it is typed."""
        return ", ".join(value) if isinstance(value, (list, tuple)) else value

    def clean(self, value) -> list[str]:
        """The words, without empty ones and repetitions."""
        text = super().clean(value) or ""
        parts = (" ".join(part.split()) for part in re.split(self.apart, text))
        return list(dict.fromkeys(part for part in parts if part))


class RegionsField(ListField):
    """Names of regions, in none of which a semicolon stands: it separates them too."""

    apart = r"[,;\r\n]"


class ReasonForm(forms.Form):
    """One reason."""

    reason = WordsField(
        label="Why", help_text="Everybody on the initiative reads this; it stays in its history."
    )
