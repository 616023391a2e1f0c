"""Forms to add a requirement to a draft, and to edit a gate's demands at a tier."""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import chain, count
from typing import Any

from django import forms
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from governance.models import Rulebook
from governance.rulebook import RulebookErrors, diff, parse, schema
from governance.rulebook.editing import Place, Text
from governance.rulebook.parsed_rulebook import ParsedRulebook, Requirement
from governance.rulebook.requirement_editing import Asked, asked_of, fates_of, places_of
from governance.vocabulary import Level, Seat, Stage
from governance.vocabulary.phrases import label, phrase
from initiatives.portfolio.rulebook_changes.forms import (
    HELP,
    LEFT_OUT,
    ReasonField,
    TierFields,
    field_of,
    fix_reason,
)

# What an added requirement says, in the order of the form.
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
REST = ("tested", "each", "why_fresh", "grace_days", "ways", "of_register")
INITIAL = {
    "group": "stage",
    "answered_by": "business_owner",
    "severity": "blocking",
    "waivable": True,
    "evidence": ["document", "test_report"],
    "why_fresh": "as long as most evidence of this stage",
}
# What most requirements of the gate's stage say is preset.
USUAL = ("layer", "fresh_days")
PREFIXES = {Stage.PROTOTYPE: "proto", Stage.PRODUCTION: "prod"}
FATES = {
    "": "the answer must stay current",
    "frozen_at_mvp": "the answer at the gate to MVP stays valid (for a requirement of the prototype)",
    "frozen_at_production": "the answer at the gate to production stays valid",
    "ended_at_production": "an MVP requirement that is no longer asked in production",
}
GROUPS = {
    "stage": "the stage",
    "contract": "the governance contract",
    "integration": "integration",
    "adoption": "adoption",
    "layer": "the layers",
}


class AddForm(TierFields):
    """A new requirement for a draft, and its criteria, which are those of `gate`."""

    ahead = ("question", "counts", "answered_by", "asked_by")
    based_on = forms.IntegerField(widget=forms.HiddenInput)
    key = forms.CharField(
        max_length=60,
        required=False,
        help_text=_(
            "Answers are kept under this key, for example prod.energy. Use small letters, digits, _ and "
            "dots. If empty, Plumbline makes the key from the question."
        ),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "class": "mono"}),
    )

    def __init__(self, *args, text: Text, gate: str, number: int, like: str = "", **options):
        self.text, self.gate = text, gate
        row = text.row("requirement", like) or {}
        told = INITIAL | self._usual() | {name: value for name, value in row.items() if name != "key"}
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
        self.fields["group"].label = pgettext("topic", "Subject")
        self.fields["asked_by"] = forms.MultipleChoiceField(
            label=_("Seat that asks and signs"),
            choices=[(one["key"], self._said(one)) for one in self._criteria()],
            widget=forms.CheckboxSelectMultiple,
            error_messages={
                "required": "Choose at least one seat. Otherwise no one is asked about the requirement."
            },
        )
        self.fields["fate"] = forms.ChoiceField(
            label=_("The answer after the next stage change"), required=False, choices=list(FATES.items())
        )
        self.order_fields(["based_on", *self.ahead, "key", *SAYS, *ANSWERED])
        sent = any(name.startswith("level_at_mvp_") for name in self.data)
        self.add_tiers(row, at_mvp="level_at_mvp" in row or sent)

    def _usual(self) -> dict[str, Any]:
        """Return the stage of the gate, and the usual values of its requirements."""
        rows = [row for row in self.text.raw["requirement"] if row["stage"] == self.gate]
        said = {name: Counter(repr(row[name]) for row in rows) for name in USUAL}
        return {"stage": self.gate} | {
            name: next(row[name] for row in rows if repr(row[name]) == max(counts, key=counts.__getitem__))
            for name, counts in said.items()
            if counts
        }

    @property
    def copies(self) -> list[tuple[str, str]]:
        """Return the requirements that another can copy: key and question."""
        return [(row["key"], row["question"]) for row in self.text.raw["requirement"]]

    @property
    def more_open(self) -> bool:
        """Return True if a folded field has an error."""
        return any(field.errors for field in self.further)

    def _criteria(self) -> Iterable[dict[str, Any]]:
        return (row for row in self.text.raw["criterion"] if row["gate"] == self.gate)

    def _asked(self, row: dict[str, Any]) -> Iterable[str]:
        test = self.text.raw["scale_tests"].get(row.get("scale_test"), {})
        return [*row.get("requirements", ()), *test.get("items", ())]

    def _said(self, row: dict[str, Any]) -> str:
        item = f", as an item of the test of {row['scale_test']}" if "scale_test" in row else ""
        return f"{row['question']} ({Seat.word(row['seat'])}{item})"

    def clean(self):
        """Check that the use of the answer fits the stage, and fill in a missing key."""
        cleaned = super().clean()
        if not cleaned.get("key") and "key" not in self.errors:
            cleaned["key"] = self._named(cleaned.get("question", ""))
        stage, fate = cleaned.get("stage"), cleaned.get("fate")
        if stage and fate and fate not in fates_of(stage):
            self.add_error(
                "fate",
                phrase(
                    "An answer of the stage {} cannot have this value. Choose a different value.",
                    label(Stage.word(stage)),
                ),
            )
        if stage == Stage.MVP and fate == "":
            cleaned["fate"] = "live_at_production"
        return cleaned

    def _named(self, question: str) -> str:
        """Return a free key from the stage and the words of the question."""
        words = [word for word in re.findall("[a-z0-9]+", question.lower()) if len(word) > 3][:3]
        name = f"{PREFIXES.get(Stage(self.gate), self.gate)}.{'_'.join(words)[:40] or 'added'}"
        taken = {*self.text.names("requirement"), *Rulebook.objects.current().parsed.requirements}
        return next(one for one in chain([name], (f"{name}_{n}" for n in count(2))) if one not in taken)

    def row(self) -> dict[str, Any]:
        """Return the typed values as a row of the text, without empty optional ones."""
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
    """The demands of a gate at one tier: for each requirement a level or a reason."""

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
                label=gettext("%(question)s: level") % {"question": row.question},
                choices=[*levels, (LEFT_OUT, LEFT_OUT)],
                initial=asked.level or LEFT_OUT,
            )
            self.fields[f"why-{row.key}"] = ReasonField(
                label=gettext("%(question)s: reason for leaving it out") % {"question": row.question},
                initial=asked.why,
            )

    def rows(self) -> list[tuple[Requirement, list[str], forms.BoundField, forms.BoundField]]:
        """Return each requirement with the other gates that ask it, and its two fields."""
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
        """Check that each requirement left out has a reason."""
        cleaned = super().clean()
        for row in self.rulebook.requirements_at(self.gate):
            level, why = cleaned.get(f"level-{row.key}"), cleaned.get(f"why-{row.key}")
            fix_reason(self, f"why-{row.key}", level, why)
        return cleaned

    def changed(self) -> dict[Place, object]:
        """Return the chosen values that differ from the form's text, by place."""
        said = self.cleaned_data
        wanted = {
            row.key: Asked("", said[f"why-{row.key}"])
            if said[f"level-{row.key}"] == LEFT_OUT
            else Asked(said[f"level-{row.key}"])
            for row in self.rulebook.requirements_at(self.gate)
        }
        return places_of(self.rulebook, self.gate.key, self.tier, wanted)

    def typed(self) -> dict[str, str]:
        """Return the typed values that changed, by field."""
        return {name: self.data[self.add_prefix(name)] for name in self.changed_data if name in self.data}

    def fix(self, errors: RulebookErrors) -> None:
        """Add the loader's problems to the form, because they concern the whole list."""
        for problem in errors.problems:
            self.add_error(
                None, f"{problem.key}: {problem.what} {problem.remedy[:1].upper()}{problem.remedy[1:]}"
            )
