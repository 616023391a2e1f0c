"""The form of one requirement, and of one declared goal of the MVP."""

from pathlib import PurePath

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.database.shown_state import OverwritingForm
from governance.files.upload_policy import tidy_name
from governance.gates import requirements
from governance.vocabulary import KINDS_TESTED, AnswerKind, DeclaredResult, EvidenceCondition
from governance.web.form_fields import DayField, WordsField
from initiatives.lifecycle.evidence.forms import EvidenceItemForm, added_kinds
from initiatives.models import Initiative

ANSWER_WORDS = [
    (AnswerKind.ANSWERED, "Yes"),
    (AnswerKind.NO, "Not yet. Choose this answer if you do not have this yet. The requirement stays open."),
    (AnswerKind.NOT_APPLICABLE, "Not applicable, because ... The reviewer of the requirement must agree."),
]


class SaidField(WordsField):
    """Words that are asked for. The act judges if a row may be saved without them."""

    def validate(self, value):
        """Accept an empty text, because evidence may be added before there are words."""


class AnswerForm(forms.Form):
    """The answer: kind, words, and the day it was true, if an attestation is evidence."""

    kind = forms.ChoiceField(
        label=_("Answer"), choices=ANSWER_WORDS, widget=forms.RadioSelect, initial=AnswerKind.ANSWERED
    )
    text = SaidField(label=_("Your answer"))
    true_as_of = DayField(label=_("Valid from"), required=False)
    based_on = forms.IntegerField(
        required=False, widget=forms.HiddenInput(), min_value=0, max_value=2**31 - 1
    )

    use_required_attribute = False

    def __init__(self, *args, requirement, row, known: str = "", **kwargs):
        """Set up the form. `known` are the initial words that the initiative already has."""
        super().__init__(*args, **kwargs)
        self.row = row
        if row is None and known:
            self.fields["text"].initial = known
            self.fields["text"].help_text = _(
                "This text comes from the facts of this initiative. Correct and complete it."
            )
        attests = (
            "attestation" in requirement.evidence and requirement.key not in requirements.ACCEPTED_IN_PERSON
        )
        if attests:
            self.fields["true_as_of"].help_text = _(
                "Your answer counts as evidence from this day. If you leave the day empty, the text "
                "is saved without a new attestation."
            )
            self.fields["true_as_of"].initial = clock.today() if row is None else None
        else:
            del self.fields["true_as_of"]
        if row is not None and row.kind in dict(ANSWER_WORDS):
            self.fields["kind"].initial, self.fields["text"].initial = row.kind, row.text
        self.fields["based_on"].initial = row.version if row else 0

    def fall_back(self, words: str) -> None:
        """Use these words if the valid form has none."""
        self.cleaned_data["text"] = self.cleaned_data["text"] or words

    def reply(self) -> dict | None:
        """Return the answer as the act takes it, or None if it is empty and new."""
        fields = self.cleaned_data
        if not fields["text"].strip() and fields["kind"] == AnswerKind.ANSWERED and self.row is None:
            return None
        return {
            "kind": fields["kind"],
            "text": fields["text"],
            "true_as_of": fields.get("true_as_of") if fields["kind"] == AnswerKind.ANSWERED else None,
            "based_on": fields["based_on"],
        }


class EvidenceOnRow(EvidenceItemForm):
    """Evidence beside an answer. An empty form adds none."""

    # Any of these filled in means that evidence is meant.
    SIGNS = ("title", "file", "link", "clause", "result", "note")

    def __init__(self, *args, condition: str | None = "", **kwargs):
        """Set up the form. `condition` is the minimum test condition, preselected if it is the lowest one."""
        super().__init__(*args, **kwargs)
        if condition == EvidenceCondition.CURATED and "condition" in self.fields:
            self.fields["condition"].initial = condition
        self.fields["title"].required = self.fields["observed_on"].required = False
        self.fields[
            "title"
        ].help_text += " Leave this empty to use the name of the file or clause. A link needs a title."

    def clean(self):
        """Clean the item, and name one without a title by its file or clause."""
        fields = super().clean()
        file, clause = fields.get("file"), fields.get("clause")
        if not fields.get("title") and "title" not in self.errors:
            named = f"Clause {clause.number}" if clause else ""
            fields["title"] = PurePath(tidy_name(file.name)).stem[:200] if file else named
        return fields

    @property
    def meant(self) -> bool:
        """Return True if the person began to add evidence."""
        given = ((name, self.cleaned_data.get(name)) for name in (*self.SIGNS, *self.own_names))
        return any(value and value != self.fields[name].initial for name, value in given)


class RowEvidenceForm(EvidenceOnRow):
    """Evidence for one row: an existing item, or a new one."""

    offer = forms.ModelChoiceField(
        label=_("Choose an item of this initiative"),
        queryset=None,
        required=False,
        empty_label=_("nothing"),
    )

    def __init__(self, *args, initiative: Initiative, rulebook, requirement, **kwargs):
        items = initiative.evidence.filter(kind__in=requirement.evidence, withdrawn_at__isnull=True)
        items = items.exclude(kind="attestation").exclude(coverage__requirement=requirement.key)
        if requirement.tested:
            items = items.filter(~Q(kind__in=KINDS_TESTED) | Q(details__tested__in=requirement.tested))
        self.there = items.order_by("-observed_on", "-id")
        tried = rulebook.condition_kinds.issuperset(added_kinds(rulebook).keys() & {*requirement.evidence})
        super().__init__(
            *args,
            initiative=initiative,
            rulebook=rulebook,
            kinds=requirement.evidence,
            condition=requirement.min_condition if tried else "",
            tested=requirement.tested,
            **kwargs,
        )
        if requirement.min_evidence in dict(self.fields["kind"].choices):
            self.fields["kind"].initial = requirement.min_evidence

    def _offer_sources(self, kinds, rulebook):
        """Offer the sources of every item, and existing items."""
        if self.there.exists():
            self.fields["offer"].queryset = self.there
        else:
            del self.fields["offer"]
        super()._offer_sources(kinds, rulebook)


class DeclareForm(OverwritingForm):
    """The words on what will be shown."""

    text = WordsField(
        label=_("What will be shown?"),
        help_text=_(
            "Describe the goal, its day and its measurement, so that others can see whether you reached it."
        ),
    )


class OutcomeForm(OverwritingForm):
    """The result of a declared goal."""

    result = forms.ChoiceField(label=_("Result"), choices=[("", _("choose")), *DeclaredResult.choices])
    outcome = WordsField(label=_("What was the result?"))
    evidence = forms.ModelChoiceField(
        label=_("Evidence"), queryset=None, required=False, empty_label=_("none")
    )

    def __init__(self, *args, initiative: Initiative, **kwargs):
        super().__init__(*args, **kwargs)
        there = initiative.evidence.filter(withdrawn_at__isnull=True)
        self.fields["evidence"].queryset = there.exclude(kind="attestation")
