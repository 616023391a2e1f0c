"""Forms of a rulebook's draft: its parts by field, its text, and its forecasts."""

import re

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.models import Rulebook
from governance.rulebook import RulebookErrors, diff
from governance.rulebook.editing import BY_TIER, LEVELLED, Place, Text, fields_of, problems_at
from governance.rulebook.requirement_editing import gates_asking, list_of
from governance.sign_in.forms import RulebookForm
from governance.sign_in.signing import SigningForm
from governance.vocabulary import Level, Stage, TakesEffect, Tier
from governance.web.form_fields import DayField
from initiatives.lifecycle.facts.rulebook_in_effect import LATEST_DAYS, LATEST_DAYS_HIGH

ONE_LINE = ("title",)
TICKED = ("evidence kind", "trigger", "seat", "way", "requirement")
LEFT_OUT = "left out"
WHY = "Explain in one sentence why this tier does not need it."
HELP = {
    "fresh_days": "0 means that the evidence does not expire by date. Only a change under “what ends its evidence at "
    "once” ends the evidence.",
    "fresh_days_minimal": "If empty, the value for other initiatives applies.",
    "fresh_days_high_risk": "If empty, the value for other initiatives applies.",
    "seats_minimal": "These seats sign. The last seat also signs for the seats that you do not choose. If you choose "
    "no seat, every seat signs.",
    "grace_days": "If empty, the value of the rulebook applies.",
    "warn_days_before": "Enter the largest number first, for example 30, 14, 3.",
    "due_days": "If empty, the answer is due before the stage change.",
    "quorum_high_risk": "If empty, the value for other initiatives applies.",
    "ways": "Plumbline measures the answer from records whose deciding value comes from outside the "
    "team. These answers need no verification.",
    "high": "The strongest is a passkey, then a new sign-in at the identity provider. If you choose none, a "
    "password is enough.",
    "of_register": "Not needed if the initiative is accepted as standalone.",
}


class CopyForm(forms.Form):
    """The version to copy, and the name of the next one."""

    base = forms.ModelChoiceField(
        label=_("Start from"),
        queryset=Rulebook.objects.order_by("-id"),
        to_field_name="version",
        empty_label=None,
    )
    version = forms.CharField(
        label=_("Name of the next version"),
        max_length=40,
        help_text=_(
            "Letters, digits and the signs . - _, for example 1.1. The name becomes part of a web "
            "address, so use only these characters."
        ),
    )


class TextForm(RulebookForm):
    """The whole text of a draft, typed or as a file."""

    based_on = forms.IntegerField(widget=forms.HiddenInput)


class ReasonField(forms.CharField):
    """The reason why a tier leaves a question out: a sentence on one line."""

    widget = forms.Textarea(attrs={"rows": 1})

    def __init__(self, **options):
        super().__init__(required=False, max_length=500, **options)

    def to_python(self, value):
        """Return the reason with line ends as blanks."""
        return " ".join(super().to_python(value).split())


class TierFields(forms.Form):
    """The demands of a requirement at each tier: a level, or a reason to leave it out.

    The gate to MVP can have its own levels. `add_tiers` adds the fields.
    """

    tiers_at_mvp: bool | None = None  # None: no fields of tiers
    ahead: tuple[str, ...] = ("question", "counts")  # what stands before the table of tiers

    def add_tiers(self, row: dict, *, at_mvp: bool) -> None:
        """Add the fields with the values of a row. `at_mvp` allows another level at the gate to MVP."""
        self.tiers_at_mvp = at_mvp
        levels = [(level.value, level.label.lower()) for level in Level]
        for tier in Tier:
            told = {name: row.get(name, {}).get(tier, "") for name in BY_TIER}
            self.fields[f"level_{tier}"] = forms.ChoiceField(
                label=gettext("%(label)s: level") % {"label": tier.label},
                choices=[*levels, (LEFT_OUT, LEFT_OUT)],
                initial=told["level"] or (LEFT_OUT if told["left_out"] else Level.DOCUMENTED),
            )
            self.fields[f"left_out_{tier}"] = ReasonField(
                label=gettext("%(label)s: reason for leaving it out") % {"label": tier.label},
                initial=told["left_out"],
            )
            if at_mvp:
                self.fields[f"level_at_mvp_{tier}"] = forms.ChoiceField(
                    label=gettext("%(label)s: level at the gate to MVP") % {"label": tier.label},
                    required=False,
                    choices=[("", _("same level")), *levels],
                    initial=told["level_at_mvp"],
                )

    @property
    def tiers(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return each tier with its fields, for a table."""
        if self.tiers_at_mvp is None:
            return []
        names = ("level", "left_out", *(("level_at_mvp",) if self.tiers_at_mvp else ()))
        return [(tier.label, [self[f"{name}_{tier}"] for name in names]) for tier in Tier]

    @property
    def plain(self) -> list[forms.BoundField]:
        """Return the fields outside that table."""
        own = {field.name for _, fields in self.tiers for field in fields}
        return [field for field in self if field.name not in own and not field.is_hidden]

    @property
    def first(self) -> list[forms.BoundField]:
        """Return the fields before the table of tiers, which ask the question."""
        return [field for field in self.plain if field.name in self.ahead]

    @property
    def further(self) -> list[forms.BoundField]:
        """Return the fields after the table of tiers."""
        return [field for field in self.plain if field.name not in self.ahead]

    def clean(self):
        """Check that a tier has a reason if it is left out, and no new one if it is asked."""
        cleaned = super().clean()
        for tier in Tier if self.tiers_at_mvp is not None else ():
            level, why = cleaned.get(f"level_{tier}"), cleaned.get(f"left_out_{tier}")
            fix_reason(self, f"left_out_{tier}", level, why)
        return cleaned

    def told(self) -> dict[str, dict[str, str | None]]:
        """Return the typed values by field and tier, or None for a field to leave out."""
        found: dict[str, dict[str, str | None]] = {name: {} for name in BY_TIER}
        for tier in Tier if self.tiers_at_mvp is not None else ():
            level = self.cleaned_data[f"level_{tier}"]
            out = level == LEFT_OUT
            found["level"][tier] = None if out else level
            found["left_out"][tier] = self.cleaned_data[f"left_out_{tier}"] if out else None
            if self.tiers_at_mvp:
                found["level_at_mvp"][tier] = (
                    None if out else self.cleaned_data[f"level_at_mvp_{tier}"] or None
                )
        return found

    def fix_by(self, text: Text, errors: RulebookErrors, part: str, key: str) -> None:
        """Add the loader's problems to their fields, each with its remedy."""
        own = [name for name in self.fields if not self.fields[name].widget.is_hidden]
        asked_by = list_of(text, key)[:2] if part == "criterion" else ()
        for name, problems in problems_at(text, errors, part, key, fields=[*own, *BY_TIER]).items():
            for problem in problems:
                place = "requirements" if asked_by and problem.path[:2] == asked_by else name
                place = f"{place}_{self.tier_of(problem)}" if place in BY_TIER else place
                where = "" if place in self.fields else f"{problem.key}: "
                self.add_error(
                    place if place in self.fields else None,
                    f"{where}{problem.what} {problem.remedy[:1].upper()}{problem.remedy[1:]}",
                )

    def tier_of(self, problem) -> str:
        """Return the tier that a problem names, or the first."""
        return next((tier for tier in Tier if f'"{tier}"' in problem.what), next(iter(Tier)))


def fix_reason(form: forms.Form, name: str, level: str | None, why: str | None) -> None:
    """Require a reason if a tier is left out, and refuse one typed if the tier asks."""
    if level == LEFT_OUT and not why and name not in form.errors:
        form.add_error(name, WHY)
    if level not in (None, LEFT_OUT) and why and name in form.changed_data:
        form.add_error(name, "This tier asks the requirement. Choose “left out”, or remove the reason.")


class PartForm(TierFields):
    """One part of a draft: its editable fields. `based_on` is the number of their text."""

    based_on = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args, text: Text, part: str, key: str, number: int, **options):
        self.text, self.part, self.key = text, part, key
        told = {name: shown(text.value(self.place(name))) for name in fields_of(text, part)}
        options["initial"] = told | {"based_on": number} | options.get("initial", {})
        super().__init__(*args, **options)
        row = text.row(part, key) or {}
        self.own = part == "requirement" or "evidence" in row  # whether it is a requirement to the owner
        for name, (kind, required, among) in fields_of(text, part).items():
            if name in LEVELLED and not self.own:
                continue
            label = diff.NAMES.get(name, name.replace("_", " "))
            self.fields[name] = field_of(
                kind,
                required,
                among,
                text,
                name,
                label=label[:1].upper() + label[1:],
                help_text=HELP.get(name, ""),
            )
        if part == "criterion":
            self._duty()
        if part in ("requirement", "criterion") and self.own:
            gates = gates_asking(text, key)
            at_mvp = (Stage.MVP in gates and len(gates) > 1) or "level_at_mvp" in row
            self.add_tiers(row, at_mvp=at_mvp)

    def _duty(self) -> None:
        """Add the requirements of a criterion to clear, and one more to choose."""
        asked = self.text.value(self.place("requirements")) or []
        names = {
            row["key"]: row["question"]
            for name in ("requirement", "criterion")
            for row in self.text.raw[name]
        }
        field = self.fields["requirements"]
        field.choices = [(key, f"{names.get(key, key)} ({key})") for key in asked]
        if not asked:
            field.widget = forms.MultipleHiddenInput()
        if self.place("requirements")[0] == "scale_tests":
            field.label = _("Items of the scale test")
        others = [key for key in self.text.names("requirement") if key not in (*asked, self.key)]
        choices = [("", "none"), *((key, f"{names[key]} ({key})") for key in others)]
        self.fields["more"] = forms.ChoiceField(
            label=_("Ask for one more requirement"), required=False, choices=choices
        )
        before = list(self.fields)[: list(self.fields).index("requirements") + 1]
        self.order_fields([*before, "more"])

    def place(self, name: str) -> Place:
        """Return the place of a field in the text."""
        if self.part == "criterion" and name == "requirements":
            return list_of(self.text, self.key)
        return (self.part, self.key, name) if self.key else (self.part, name)

    def changed(self) -> dict[Place, object]:
        """Return the typed values that differ from the form's text, by place."""
        found: dict[Place, object] = {}
        for name, (_label, required, _kind) in fields_of(self.text, self.part).items():
            if name not in self.fields:
                continue
            before, value = self.text.value(self.place(name)), self.cleaned_data[name]
            if isinstance(value, str):
                value = value.replace("\r\n", "\n")
            if name == "requirements" and self.cleaned_data["more"]:
                value = [*value, self.cleaned_data["more"]]
            if isinstance(value, list):  # in the order they stood in, what is new behind them
                stood = before or []
                value = [one for one in stood if one in value] + [one for one in value if one not in stood]
            if not required and value in ("", []) and before != []:
                value = None  # left out, rather than said to be nothing
            if value is False and not required and before is not False:
                value = None
            if value != before:
                found[self.place(name)] = value
        bare = self.part == "criterion" and not self.cleaned_data.get("evidence")  # its levels have no effect
        for name, tiers in self.told().items():
            for tier, value in tiers.items():
                place = (*self.place(name), tier)
                value = None if bare else value
                if value != self.text.value(place):
                    found[place] = value
        return found

    def fix(self, errors: RulebookErrors) -> None:
        """Put the loader's problems at the fields they concern."""
        self.fix_by(self.text, errors, self.part, self.key)


def shown(value):
    """Return a value as its field takes it."""
    if isinstance(value, list) and value and isinstance(value[0], int):
        return ", ".join(map(str, value))
    return value


def field_of(kind: str, required: bool, among: str, text: Text, name: str, **said) -> forms.Field:
    """Return the field for a value of this kind. The loader checks the rest."""
    if kind == "flag":
        return forms.BooleanField(required=False, **said)
    if kind == "count":
        return forms.IntegerField(required=required, min_value=0, max_value=36_500, **said)
    if kind == "counts":
        return NumbersField(required=required, **said)
    if kind in ("texts", "some"):
        if among in TICKED:
            names = [(one, one.replace("_", " ")) for one in text.names(among)]
            short = {} if among == "requirement" else {"class": "cells"}
            field = forms.MultipleChoiceField(
                required=False, choices=names, widget=forms.CheckboxSelectMultiple(attrs=short), **said
            )
            field.needed = kind == "some" and required
            return field
        return LinesField(required=False, **said)
    if among:
        names = [(one, one.replace("_", " ")) for one in text.names(among)]
        return forms.ChoiceField(
            required=required, choices=[*([] if required else [("", "none")]), *names], **said
        )
    widget = forms.TextInput if name in ONE_LINE else forms.Textarea(attrs={"rows": 3})
    return forms.CharField(required=required, max_length=5000, widget=widget, **said)


class NumbersField(forms.CharField):
    """Whole numbers, separated by commas, read as a list."""

    def to_python(self, value):
        """Return the numbers. Raises ValidationError if one is not a number."""
        words = [one for one in re.split(r"[,\s]+", value or "") if one]
        if not all(one.isascii() and one.isdecimal() and len(one) < 6 for one in words):
            raise forms.ValidationError("Enter whole numbers, separated by commas, for example 30, 14, 3.")
        return [int(one) for one in words]


class LinesField(forms.CharField):
    """Words, one a line, read as a list."""

    widget = forms.Textarea(attrs={"rows": 8, "class": "mono", "spellcheck": "false"})

    def prepare_value(self, value):
        """Return a list as typed text."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value):
        """Return the lines that are not blank."""
        return [line.strip() for line in (value or "").splitlines() if line.strip()]


class ForecastForm(forms.Form):
    """When a rulebook would be published, and until when what falls could be fixed."""

    day = DayField(label=_("Published on"), required=False, help_text=_("Choose today or a future day."))
    grace_until = DayField(
        label=_("Fix by"),
        required=False,
        help_text=_(
            "The last day to restore a supported stage that falls. If empty, the number of "
            "days in the rulebook applies."
        ),
    )

    def __init__(self, *args, **options):
        super().__init__(*args, **{"initial": {"day": clock.today()}} | options)


class PeriodForm(forms.Form):
    """The period whose decisions are judged by another rulebook."""

    since = DayField(label=_("Decided from"))
    until = DayField(label=_("Decided until"))

    def __init__(self, *args, **options):
        today = clock.today()
        super().__init__(
            *args, **{"initial": {"since": today.replace(month=1, day=1), "until": today}} | options
        )


class PublishForm(SigningForm):
    """The start of a rulebook, the last day to restore support, and the signature. It names the forecast seen."""

    act = "rulebook"

    takes_effect = forms.ChoiceField(
        label=_("Start of the new rulebook"),
        choices=TakesEffect.choices,
        required=False,
        initial=TakesEffect.CASE_BY_CASE,
        widget=forms.RadioSelect,
        help_text=f"Case by case: from the next gate or re-attestation of each initiative, at the latest in "
        f"{LATEST_DAYS} days ({LATEST_DAYS_HIGH} days at high risk). The earlier version applies until then. Each "
        "initiative also shows its result under the new version.",
    )
    effective_on = DayField(
        label=_("First day"),
        required=False,
        help_text=_("Fill in this field only if you chose “On a day” above."),
    )
    grace_until = DayField(
        label=_("Last day to restore support"),
        required=False,
        help_text=_(
            "Fill in this field only if the rulebook starts immediately. Owners must restore the support "
            "by this day. If empty, the number of days in the rulebook applies."
        ),
    )
    seen = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
    outcome = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args, affects_initiatives: bool = True, **signing):
        super().__init__(*args, **signing)
        if not affects_initiatives:
            for name in ("takes_effect", "effective_on", "grace_until"):
                self.fields[name].widget = forms.HiddenInput()
