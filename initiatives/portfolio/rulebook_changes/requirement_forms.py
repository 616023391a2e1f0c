"""Forms of requirements in a rulebook's draft: one more of them, and what a gate asks at a risk tier."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.rulebook import RulebookErrors, diff, parse, schema
from governance.rulebook.editing import Place, Text
from governance.rulebook.parsed_rulebook import ParsedRulebook, Requirement
from governance.rulebook.requirement_editing import Asked, asked_of, fates_of, places_of
from governance.vocabulary import Level, Seat, Stage
from initiatives.portfolio.rulebook_changes.forms import (
    HELP,
    LEFT_OUT,
    ReasonField,
    TierFields,
    field_of,
    fix_reason,
)

# What an added requirement says besides, in the order of the form.
SAYS = ("stage", "group", "layer", "question", "counts", "evidence", "min_evidence", "min_condition")
ANSWERED = (
    "answered_by",
    "severity",
    "waivable",
    "fresh_days",
    "fresh_days_minimal",
    "fresh_days_high_risk",
    "triggers",
)
REST = ("why_fresh", "grace_days", "ways", "of_register")
INITIAL = {
    "group": "stage",
    "answered_by": "business_owner",
    "severity": "blocking",
    "waivable": True,
    "fresh_days": 180,
}
FATES = {
    "": "it must stay current",
    "frozen_at_mvp": "it stands as decided at the gate to MVP (of a requirement of the prototype)",
    "frozen_at_production": "it stands as decided at the gate to production",
    "ended_at_production": "it is not asked any more in production (of a requirement of the MVP)",
}
GROUPS = {
    "stage": "the stage",
    "contract": "the governance contract",
    "integration": "integration",
    "adoption": "adoption",
    "layer": "the layers",
}


class AddForm(TierFields):
    """A requirement to add to a draft, and what asks for it; `gate`: the gate whose criteria may."""

    ahead = ("question", "counts", "key", "stage", "group", "layer", "asked_by")
    based_on = forms.IntegerField(widget=forms.HiddenInput)
    key = forms.CharField(
        max_length=60,
        help_text=_(
            "A name that answers are kept under, such as prod.energy: small letters, digits, _ and dots. It does "
            "not change any more."
        ),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "class": "mono"}),
    )

    def __init__(self, *args, text: Text, gate: str, number: int, like: str = "", **options):
        self.text, self.gate = text, gate
        row = text.row("requirement", like) or {}
        told = INITIAL | {"stage": gate} | {name: value for name, value in row.items() if name != "key"}
        asking = [one["key"] for one in self._criteria() if like and like in self._asked(one)]
        options["initial"] = told | {"based_on": number, "asked_by": asking} | options.get("initial", {})
        super().__init__(*args, **options)
        names = [*SAYS, *ANSWERED, *REST]
        for name in names:
            label = diff.NAMES.get(name, name)
            self.fields[name] = field_of(
                *schema.REQUIREMENT[name],
                text,
                name,
                label=label[:1].upper() + label[1:],
                help_text=HELP.get(name, ""),
            )
        self.fields["group"].choices = list(GROUPS.items())
        self.fields["group"].label = _("What it is about")
        self.fields["asked_by"] = forms.MultipleChoiceField(
            label=_("Asked by, and signed by whom"),
            choices=[(one["key"], self._said(one)) for one in self._criteria()],
            widget=forms.CheckboxSelectMultiple,
            error_messages={
                "required": "Choose at least one: a requirement that nothing asks is never put to anybody."
            },
        )
        self.fields["fate"] = forms.ChoiceField(
            label=_("Its answer after the next promotion"), required=False, choices=list(FATES.items())
        )
        self.order_fields(["based_on", *self.ahead, *SAYS, *ANSWERED])
        sent = any(name.startswith("level_at_mvp_") for name in self.data)
        self.add_tiers(row, at_mvp="level_at_mvp" in row or sent)

    def _criteria(self) -> Iterable[dict[str, Any]]:
        return (row for row in self.text.raw["criterion"] if row["gate"] == self.gate)

    def _asked(self, row: dict[str, Any]) -> Iterable[str]:
        test = self.text.raw["scale_tests"].get(row.get("scale_test"), {})
        return [*row.get("requirements", ()), *test.get("items", ())]

    def _said(self, row: dict[str, Any]) -> str:
        item = f", as an item of the test of {row['scale_test']}" if "scale_test" in row else ""
        return f"{row['question']} ({Seat.word(row['seat'])}{item})"

    def clean(self):
        """What becomes of the answer fits the stage of the requirement."""
        cleaned = super().clean()
        stage, fate = cleaned.get("stage"), cleaned.get("fate")
        if stage and fate and fate not in fates_of(stage):
            self.add_error("fate", f"An answer of the stage {Stage.word(stage)} cannot. Choose another.")
        if stage == Stage.MVP and fate == "":
            cleaned["fate"] = "live_at_production"
        return cleaned

    def row(self) -> dict[str, Any]:
        """What was typed as a row of the text, without what says nothing."""
        names = [name for name in (*SAYS, *ANSWERED, *REST) if name in self.fields]
        typed = {name: self.cleaned_data[name] for name in names} | {
            name: {tier: value for tier, value in tiers.items() if value}
            for name, tiers in self.told().items()
        }
        optional = [name for name, (_, required, _) in schema.REQUIREMENT.items() if not required]
        row = {
            name: value.replace("\r\n", "\n") if isinstance(value, str) else value
            for name, value in typed.items()
            if not (name in optional and (value in ("", [], {}) or value is None or value is False))
        }
        return {"key": self.cleaned_data["key"], "origin": "added"} | row

    def fix(self, errors: RulebookErrors) -> None:
        """Put the loader's problems at the fields they concern."""
        self.fix_by(self.text, errors, "requirement", self.cleaned_data["key"])


class AskedForm(forms.Form):
    """What a gate asks at one tier: of each requirement a level, or that it is left out and why."""

    based_on = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args, text: Text, gate: str, tier: str, number: int, **options):
        self.rulebook: ParsedRulebook = parse(text.source)
        self.gate, self.tier = self.rulebook.gates[gate], tier
        options["initial"] = {"based_on": number} | options.get("initial", {})
        super().__init__(*args, **options)
        levels = [(level.value, level.label.lower()) for level in Level]
        for row in self.rulebook.requirements_at(gate):
            asked = asked_of(row, gate, tier)
            self.fields[f"level-{row.key}"] = forms.ChoiceField(
                label=f"{row.question}: level",
                choices=[*levels, (LEFT_OUT, LEFT_OUT)],
                initial=asked.level or LEFT_OUT,
            )
            self.fields[f"why-{row.key}"] = ReasonField(
                label=f"{row.question}: left out because", initial=asked.why
            )

    def rows(self) -> list[tuple[Requirement, list[str], forms.BoundField, forms.BoundField]]:
        """Each requirement with the other gates that ask it, and its two fields."""
        return [
            (
                row,
                [
                    self.rulebook.gates[gate].title
                    for gate in self.rulebook.gates_asking(row.key)
                    if gate != self.gate.key
                ],
                self[f"level-{row.key}"],
                self[f"why-{row.key}"],
            )
            for row in self.rulebook.requirements_at(self.gate)
        ]

    def clean(self):
        """What is left out says why."""
        cleaned = super().clean()
        for row in self.rulebook.requirements_at(self.gate):
            level, why = cleaned.get(f"level-{row.key}"), cleaned.get(f"why-{row.key}")
            fix_reason(self, f"why-{row.key}", level, why)
        return cleaned

    def changed(self) -> dict[Place, object]:
        """What was chosen that differs from the text that the form was filled in on, by place."""
        said = self.cleaned_data
        wanted = {
            row.key: Asked("", said[f"why-{row.key}"])
            if said[f"level-{row.key}"] == LEFT_OUT
            else Asked(said[f"level-{row.key}"])
            for row in self.rulebook.requirements_at(self.gate)
        }
        return places_of(self.rulebook, self.gate.key, self.tier, wanted)

    def typed(self) -> dict[str, str]:
        """What was typed and not left as it stood, by field."""
        return {name: self.data[self.add_prefix(name)] for name in self.changed_data if name in self.data}

    def fix(self, errors: RulebookErrors) -> None:
        """Say what is wrong; it concerns the list as a whole, such as a scale test with too few items."""
        for problem in errors.problems:
            self.add_error(
                None, f"{problem.key}: {problem.what} {problem.remedy[:1].upper()}{problem.remedy[1:]}"
            )
