"""The form of one requirement, and of one thing that the MVP declares it will prove."""

from pathlib import PurePath

from django import forms
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.files.upload_policy import tidy_name
from governance.gates import requirements
from governance.vocabulary import AnswerKind, DeclaredResult
from governance.web.form_fields import DayField, WordsField
from initiatives.lifecycle.evidence.forms import EvidenceItemForm
from initiatives.models import Initiative

ANSWER_WORDS = [
    (AnswerKind.ANSWERED, "Yes"),
    (AnswerKind.NO, "Not yet. An honest one is worth more than silence; it stays a gap."),
    (AnswerKind.NOT_APPLICABLE, "Not applicable, because ... Its reviewer has to agree."),
]


class SaidField(WordsField):
    """Words that are asked for; whether a row may be saved without them, the act judges."""

    def validate(self, value):
        """Nothing is wrong with silence here: evidence may be added before there are words."""


class AnswerForm(forms.Form):
    """The answer: kind, words, and the day on which it was true where saying so is evidence."""

    kind = forms.ChoiceField(
        label=_("Answer"), choices=ANSWER_WORDS, widget=forms.RadioSelect, initial=AnswerKind.ANSWERED
    )
    text = SaidField(label=_("Your answer"))
    true_as_of = DayField(label=_("Valid from"), required=False)
    based_on = forms.IntegerField(
        required=False, widget=forms.HiddenInput(), min_value=0, max_value=2**31 - 1
    )

    use_required_attribute = False

    def __init__(self, *args, requirement, row, **kwargs):
        super().__init__(*args, **kwargs)
        self.row = row
        attests = (
            "attestation" in requirement.evidence and requirement.key not in requirements.ACCEPTED_IN_PERSON
        )
        if attests:
            self.fields["true_as_of"].help_text = _(
                "Your word counts as evidence here, from this day on. "
                "Left empty, the words are saved without being attested anew."
            )
            self.fields["true_as_of"].initial = clock.today() if row is None else None
        else:
            del self.fields["true_as_of"]
        if row is not None and row.kind in dict(ANSWER_WORDS):
            self.fields["kind"].initial, self.fields["text"].initial = row.kind, row.text
        self.fields["based_on"].initial = row.version if row else 0

    def reply(self) -> dict | None:
        """The answer as the act takes it; None where nothing was written and nothing stood there."""
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
    """Evidence beside an answer; left empty, none is added."""

    # Any of these filled in means that evidence is meant.
    SIGNS = ("title", "file", "link", "clause", "result", "note")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["title"].required = self.fields["observed_on"].required = False
        self.fields["title"].help_text += " Left empty, it is called by its file or clause; a link needs one."

    def clean(self):
        """As of every item; one without a title is called by its file or its clause."""
        fields = super().clean()
        file, clause = fields.get("file"), fields.get("clause")
        if not fields.get("title") and "title" not in self.errors:
            named = f"Clause {clause.number}" if clause else ""
            fields["title"] = PurePath(tidy_name(file.name)).stem[:200] if file else named
        return fields

    @property
    def meant(self) -> bool:
        """Whether the person began to add evidence."""
        return any(self.cleaned_data.get(name) for name in (*self.SIGNS, *self.own_names))


class RowEvidenceForm(EvidenceOnRow):
    """Evidence for one row."""

    def __init__(self, *args, initiative: Initiative, rulebook, requirement, **kwargs):
        super().__init__(
            *args, initiative=initiative, rulebook=rulebook, kinds=requirement.evidence, **kwargs
        )
        if requirement.min_evidence in dict(self.fields["kind"].choices):
            self.fields["kind"].initial = requirement.min_evidence


class OfferForm(forms.Form):
    """An item that is there already."""

    offer = forms.ModelChoiceField(
        label=_("Choose from what this initiative has"),
        queryset=None,
        required=False,
        empty_label=_("nothing"),
    )

    def __init__(self, *args, initiative: Initiative, requirement, **kwargs):
        super().__init__(*args, **kwargs)
        items = initiative.evidence.filter(kind__in=requirement.evidence, withdrawn_at__isnull=True)
        items = items.exclude(kind="attestation").exclude(coverage__requirement=requirement.key)
        self.fields["offer"].queryset = items.order_by("-observed_on", "-id")


class DeclareForm(forms.Form):
    """What will be shown."""

    text = WordsField(
        label=_("What will be shown"),
        help_text=_("What, by when, and how it is measured; so that a miss can be seen."),
    )


class OutcomeForm(forms.Form):
    """What came of it."""

    result = forms.ChoiceField(label=_("Result"), choices=[("", _("choose")), *DeclaredResult.choices])
    outcome = WordsField(label=_("What was found"))
    evidence = forms.ModelChoiceField(
        label=_("Evidence"), queryset=None, required=False, empty_label=_("none")
    )

    def __init__(self, *args, initiative: Initiative, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["evidence"].queryset = initiative.evidence.filter(withdrawn_at__isnull=True)
