"""Forms of a rulebook's draft: one part of it field by field, its whole text, and what is asked of a forecast."""

import re

from django import forms
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.models import Rulebook
from governance.rulebook import RulebookErrors, diff
from governance.rulebook.editing import BY_TIER, LEVELLED, Place, Text, fields_of, problems_at
from governance.rulebook.requirement_editing import gates_asking, list_of
from governance.sign_in.forms import RulebookForm
from governance.vocabulary import Level, Stage, TakesEffect, Tier
from governance.web.form_fields import DayField
from initiatives.lifecycle.facts.rulebook_in_effect import LATEST_DAYS, LATEST_DAYS_HIGH

ONE_LINE = ("title",)
TICKED = ("evidence kind", "trigger", "seat", "way", "requirement")
LEFT_OUT = "left out"
WHY = "Say in a sentence why this tier does not ask it."
HELP = {
    "fresh_days": "0: only what is named under “what ends its evidence at once” ends it.",
    "fresh_days_minimal": "Empty: the same as for every other initiative.",
    "fresh_days_high_risk": "Empty: the same as for every other initiative.",
    "seats_minimal": "What another seat would sign for goes to the last of these. None: every seat signs.",
    "grace_days": "Empty: the rulebook's own.",
    "warn_days_before": "The earliest first, such as 30, 14, 3.",
    "due_days": "Empty: it is asked before the move, not after it.",
    "quorum_high_risk": "Empty: the same as for every other initiative.",
    "ways": "From rows whose deciding value comes from outside the team; such an answer waits for no verifier.",
    "high": "Of these the strongest is a passkey, then a fresh sign-in at the identity provider. None: a password.",
    "of_register": "Unless it is accepted that the initiative stands alone.",
}


class CopyForm(forms.Form):
    """Which version is copied, and what the next one will be called."""

    base = forms.ModelChoiceField(
        label=_("Start from"),
        queryset=Rulebook.objects.order_by("-id"),
        to_field_name="version",
        empty_label=None,
    )
    version = forms.CharField(
        label=_("Call the next version"),
        max_length=40,
        help_text=_("Letters, digits and . - _, such as 1.1: it is part of an address."),
    )


class TextForm(RulebookForm):
    """The whole text of a draft, typed or as a file."""

    based_on = forms.IntegerField(widget=forms.HiddenInput)


class ReasonField(forms.CharField):
    """Why a tier does not ask a question: a sentence, on one line of the text."""

    widget = forms.Textarea(attrs={"rows": 1})

    def __init__(self, **options):
        super().__init__(required=False, max_length=500, **options)

    def to_python(self, value):
        """Line ends are blanks."""
        return " ".join(super().to_python(value).split())


class TierFields(forms.Form):
    """What one requirement asks at each risk tier: a level, or that it is left out and why; what the gate to MVP asks.

    The fields are there where `add_tiers` was called.
    """

    tiers_at_mvp: bool | None = None  # None: no fields of tiers
    ahead: tuple[str, ...] = ("question", "counts")  # what stands before the table of tiers

    def add_tiers(self, row: dict, *, at_mvp: bool) -> None:
        """Add the fields, with what a row says; `at_mvp`: the gate to MVP may ask another level than others."""
        self.tiers_at_mvp = at_mvp
        levels = [(level.value, level.label.lower()) for level in Level]
        for tier in Tier:
            told = {name: row.get(name, {}).get(tier, "") for name in BY_TIER}
            self.fields[f"level_{tier}"] = forms.ChoiceField(
                label=f"{tier.label}: level",
                choices=[*levels, (LEFT_OUT, LEFT_OUT)],
                initial=told["level"] or (LEFT_OUT if told["left_out"] else Level.DOCUMENTED),
            )
            self.fields[f"left_out_{tier}"] = ReasonField(
                label=f"{tier.label}: left out because", initial=told["left_out"]
            )
            if at_mvp:
                self.fields[f"level_at_mvp_{tier}"] = forms.ChoiceField(
                    label=f"{tier.label}: level at the gate to MVP",
                    required=False,
                    choices=[("", _("the same")), *levels],
                    initial=told["level_at_mvp"],
                )

    @property
    def tiers(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Each tier with its fields, for a table."""
        if self.tiers_at_mvp is None:
            return []
        names = ("level", "left_out", *(("level_at_mvp",) if self.tiers_at_mvp else ()))
        return [(tier.label, [self[f"{name}_{tier}"] for name in names]) for tier in Tier]

    @property
    def plain(self) -> list[forms.BoundField]:
        """The fields that stand outside that table."""
        own = {field.name for _, fields in self.tiers for field in fields}
        return [field for field in self if field.name not in own and not field.is_hidden]

    @property
    def first(self) -> list[forms.BoundField]:
        """Those of them that stand before the table: what is asked."""
        return [field for field in self.plain if field.name in self.ahead]

    @property
    def further(self) -> list[forms.BoundField]:
        """Those that stand after it."""
        return [field for field in self.plain if field.name not in self.ahead]

    def clean(self):
        """A tier that is left out says why; one that is asked keeps no new reason."""
        cleaned = super().clean()
        for tier in Tier if self.tiers_at_mvp is not None else ():
            level, why = cleaned.get(f"level_{tier}"), cleaned.get(f"left_out_{tier}")
            fix_reason(self, f"left_out_{tier}", level, why)
        return cleaned

    def told(self) -> dict[str, dict[str, str | None]]:
        """What was typed, by field of a row and tier; None where a row says nothing."""
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
        """Put the loader's problems at the fields they concern, each with the way to fix it."""
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
        """The tier that a problem speaks of; the first where it names none."""
        return next((tier for tier in Tier if f'"{tier}"' in problem.what), next(iter(Tier)))


def fix_reason(form: forms.Form, name: str, level: str | None, why: str | None) -> None:
    """Ask for the reason why a tier is left out, and refuse one that was typed where the tier asks."""
    if level == LEFT_OUT and not why and name not in form.errors:
        form.add_error(name, WHY)
    if level not in (None, LEFT_OUT) and why and name in form.changed_data:
        form.add_error(name, "It is asked at this tier. Choose “left out”, or take the reason away.")


class PartForm(TierFields):
    """One part of a draft: the fields that can be edited, as the text has them. `based_on`: the text they come from."""

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
        """What a criterion asks, to be ticked off, and one more requirement to choose."""
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
            field.label = _("Items of its scale test")
        others = [key for key in self.text.names("requirement") if key not in (*asked, self.key)]
        choices = [("", "none"), *((key, f"{names[key]} ({key})") for key in others)]
        self.fields["more"] = forms.ChoiceField(
            label=_("Ask one more requirement"), required=False, choices=choices
        )
        before = list(self.fields)[: list(self.fields).index("requirements") + 1]
        self.order_fields([*before, "more"])

    def place(self, name: str) -> Place:
        """Where a field stands in the text."""
        if self.part == "criterion" and name == "requirements":
            return list_of(self.text, self.key)
        return (self.part, self.key, name) if self.key else (self.part, name)

    def changed(self) -> dict[Place, object]:
        """What was typed that differs from the text that the form was filled in on, by place."""
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
    """A value as its field takes it."""
    if isinstance(value, list) and value and isinstance(value[0], int):
        return ", ".join(map(str, value))
    return value


def field_of(kind: str, required: bool, among: str, text: Text, name: str, **said) -> forms.Field:
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
    """When a rulebook would be published, and until when what falls could be fixed."""

    day = DayField(label=_("Published on"), required=False, help_text=_("Today, or a day to come."))
    grace_until = DayField(
        label=_("Fixed until"),
        required=False,
        help_text=_(
            "The last day of the obligation where support falls. Empty: as many days as the rulebook says."
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


class PublishForm(forms.Form):
    """From when it decides, until when what falls may be fixed, and which forecast the chair saw: key and outcome."""

    takes_effect = forms.ChoiceField(
        label=_("It decides what is supported"),
        choices=TakesEffect.choices,
        required=False,
        initial=TakesEffect.CASE_BY_CASE,
        widget=forms.RadioSelect,
        help_text="Case by case: from the next gate or re-attestation of each, at the latest "
        f"{LATEST_DAYS} days from now ({LATEST_DAYS_HIGH} at high risk). Until then the version before decides, and "
        "each initiative shows what this one would make of it.",
    )
    effective_on = DayField(
        label=_("From which day"), required=False, help_text=_("Only where it takes effect on a day.")
    )
    grace_until = DayField(
        label=_("What falls may be fixed until"),
        required=False,
        help_text=_(
            "Only where it takes effect at once: the last day of the obligation of owners. Empty: as many "
            "days as "
            "the rulebook says."
        ),
    )
    seen = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
    outcome = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
