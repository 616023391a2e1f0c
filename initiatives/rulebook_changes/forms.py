"""Forms of a rulebook's draft: one part of it field by field, its whole text, and what is asked of a forecast."""

import re

from django import forms

from governance import clock
from governance.models import Rulebook
from governance.rulebook import RulebookErrors, diff
from governance.rulebook.editing import PARTS, Place, Text, problems_at
from governance.sign_in.forms import RulebookForm
from governance.vocabulary import TakesEffect
from initiatives.facts.rulebook_in_effect import LATEST_DAYS, LATEST_DAYS_HIGH
from initiatives.form_fields import DayField

ONE_LINE = ("title",)
TICKED = ("evidence kind", "trigger", "seat")
HELP = {
    "fresh_days": "0: only what is named under “what ends its proof at once” ends it.",
    "fresh_days_high_risk": "Empty: the same as for every other case.",
    "grace_days": "Empty: the rulebook's own.",
    "requirements": "Keys, one a line.",
    "warn_days_before": "The earliest first, such as 30, 14, 3.",
    "due_days": "Empty: it is asked before the move, not after it.",
    "quorum_high_risk": "Empty: the same as for every other case.",
}


class CopyForm(forms.Form):
    """Which version is copied, and what the next one will be called."""

    base = forms.ModelChoiceField(
        label="Start from",
        queryset=Rulebook.objects.order_by("-id"),
        to_field_name="version",
        empty_label=None,
    )
    version = forms.CharField(
        label="Call the next version",
        max_length=40,
        help_text="Letters, digits and . - _, such as 2026.2: it is part of an address.",
    )


class TextForm(RulebookForm):
    """The whole text of a draft, typed or as a file."""

    based_on = forms.IntegerField(widget=forms.HiddenInput)


class PartForm(forms.Form):
    """One part of a draft: the fields that can be edited, as the text has them. `based_on`: the text they come from."""

    based_on = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args, text: Text, part: str, key: str, number: int, **options):
        self.text, self.part, self.key = text, part, key
        told = {name: _shown(text.value(self.place(name))) for name in PARTS[part]}
        options["initial"] = told | {"based_on": number} | options.get("initial", {})
        super().__init__(*args, **options)
        for name, (kind, required, among) in PARTS[part].items():
            label = diff.NAMES.get(name, name.replace("_", " "))
            self.fields[name] = _field(
                kind,
                required,
                among,
                text,
                name,
                label=label[:1].upper() + label[1:],
                help_text=HELP.get(name, ""),
            )

    def place(self, name: str) -> Place:
        """Where a field stands in the text."""
        return (self.part, self.key, name) if self.key else (self.part, name)

    def changed(self, seen: Text) -> dict[Place, object]:
        """What was typed that differs from the text somebody saw, by place."""
        found = {}
        for name, (_, required, _) in PARTS[self.part].items():
            before, value = seen.value(self.place(name)), self.cleaned_data[name]
            if isinstance(value, str):
                value = value.replace("\r\n", "\n")
            if isinstance(value, list):  # in the order they stood in, what is new behind them
                stood = before or []
                value = [one for one in stood if one in value] + [one for one in value if one not in stood]
            if not required and value in ("", []) and before != []:
                value = None  # left out, rather than said to be nothing
            if value != before:
                found[self.place(name)] = value
        return found

    def mend(self, errors: RulebookErrors) -> None:
        """Put the loader's problems at the fields they concern, each with the way to mend it."""
        for name, problems in problems_at(self.text, errors, self.part, self.key).items():
            for problem in problems:
                where = "" if name else f"{problem.key}: "
                self.add_error(
                    name or None, f"{where}{problem.what} {problem.remedy[:1].upper()}{problem.remedy[1:]}"
                )


def _shown(value):
    """A value as its field takes it."""
    if isinstance(value, list) and value and isinstance(value[0], int):
        return ", ".join(map(str, value))
    return value


def _field(kind: str, required: bool, among: str, text: Text, name: str, **said) -> forms.Field:
    """The field for a value of this kind. What the loader checks is left to the loader, which says it better."""
    if kind == "flag":
        return forms.BooleanField(required=False, **said)
    if kind == "count":
        return forms.IntegerField(required=required, min_value=0, max_value=36_500, **said)
    if kind == "counts":
        return NumbersField(required=required, **said)
    if kind in ("texts", "some"):
        if among in TICKED:
            names = [(one, one.replace("_", " ")) for one in text.names(among)]
            return forms.MultipleChoiceField(
                required=False, choices=names, widget=forms.CheckboxSelectMultiple, **said
            )
        return LinesField(required=False, **said)
    if among:
        names = [(one, one.replace("_", " ")) for one in text.names(among)]
        return forms.ChoiceField(
            required=required, choices=[*([] if required else [("", "none")]), *names], **said
        )
    widget = forms.TextInput if name in ONE_LINE else forms.Textarea(attrs={"rows": 3})
    return forms.CharField(required=required, max_length=5000, widget=widget, **said)


class NumbersField(forms.CharField):
    """Whole numbers, separated by commas; read as a list."""

    def to_python(self, value):
        """Raises ValidationError for what is no number."""
        words = [one for one in re.split(r"[,\s]+", value or "") if one]
        if not all(one.isascii() and one.isdecimal() and len(one) < 6 for one in words):
            raise forms.ValidationError("Whole numbers, separated by commas, such as 30, 14, 3.")
        return [int(one) for one in words]


class LinesField(forms.CharField):
    """Words, one a line; read as a list."""

    widget = forms.Textarea(attrs={"rows": 8, "class": "mono", "spellcheck": "false"})

    def prepare_value(self, value):
        """A list as it is typed."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value):
        """Every line that is not blank."""
        return [line.strip() for line in (value or "").splitlines() if line.strip()]


class ForecastForm(forms.Form):
    """When a rulebook would be published, and until when what falls could be mended."""

    day = DayField(label="Published on", required=False, help_text="Today, or a day to come.")
    grace_until = DayField(
        label="Mended until",
        required=False,
        help_text="The last day of what is owed where support falls. Empty: as many days as the rulebook says.",
    )

    def __init__(self, *args, **options):
        super().__init__(*args, **{"initial": {"day": clock.today()}} | options)


class PeriodForm(forms.Form):
    """The period whose decisions are judged by another rulebook."""

    since = DayField(label="Decided from")
    until = DayField(label="Decided until")

    def __init__(self, *args, **options):
        today = clock.today()
        super().__init__(
            *args, **{"initial": {"since": today.replace(month=1, day=1), "until": today}} | options
        )


class PublishForm(forms.Form):
    """From when it decides, until when what falls may be mended, and which forecast the chair saw: key and outcome."""

    takes_effect = forms.ChoiceField(
        label="It decides what is supported",
        choices=TakesEffect.choices,
        required=False,
        initial=TakesEffect.CASE_BY_CASE,
        widget=forms.RadioSelect,
        help_text="Case by case: from the next gate or re-attestation of each, at the latest "
        f"{LATEST_DAYS} days from now ({LATEST_DAYS_HIGH} at high risk). Until then the version before decides, and "
        "each case shows what this one would make of it.",
    )
    effective_on = DayField(
        label="From which day", required=False, help_text="Only where it takes effect on a day."
    )
    grace_until = DayField(
        label="What falls may be mended until",
        required=False,
        help_text="Only where it takes effect at once: the last day of what owners owe for it. Empty: as many days as "
        "the rulebook says.",
    )
    seen = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
    outcome = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
