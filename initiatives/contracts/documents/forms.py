"""Small forms of the contract: a word, from when, a comment. That of a clause is `forms.clauses`."""

from dataclasses import replace

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from governance.contracts.clauses import LARGEST, SHORTEST_RETENTION, Terms
from governance.contracts.templates import Starter
from governance.contracts.wording import sentence
from governance.models.contracts import VOCABULARY, VocabularyWord
from governance.sign_in.signing import SigningForm
from governance.vocabulary import ClauseKind
from governance.web.form_fields import DayField, RegionsField, WordsField
from initiatives.contracts.documents.actions import Written

LONGEST_WORDS = VocabularyWord._meta.get_field("words").max_length
LONGEST_KEY = VocabularyWord._meta.get_field("key").max_length


def proposed_key(words: str) -> str:
    """A key for a word that has none yet: "send a reply" is "send_a_reply"."""
    return slugify(words).replace("-", "_")[:LONGEST_KEY]


class KeyField(forms.CharField):
    """What the systems of an initiative call a word."""

    def __init__(self, **options):
        allowed = VocabularyWord._meta.get_field("key").validators[:1]
        super().__init__(max_length=LONGEST_KEY, required=False, validators=allowed, **options)


class WordForm(forms.Form):
    """A word of the initiative's vocabulary."""

    kind = forms.ChoiceField(label="What it is for", choices=list(VOCABULARY.items()))
    words = forms.CharField(
        max_length=LONGEST_WORDS,
        help_text="As they stand in a sentence: “send a reply”, “supplier invoices”, “the service desk”.",
    )
    key = KeyField(help_text="What your systems call it. Empty: made from the words.")

    def clean(self):
        """A key for words that came without."""
        typed = super().clean()
        if typed.get("words") and not typed.get("key") and "key" not in self.errors:
            typed["key"] = proposed_key(typed["words"])
            if not typed["key"]:
                self.add_error("key", "Give a key: none can be made from these words.")
        return typed


class RewordForm(forms.Form):
    """Other words for a key that stays."""

    words = forms.CharField(max_length=LONGEST_WORDS)
    seen = forms.CharField(widget=forms.HiddenInput)


class StartForm(forms.Form):
    """From when the version is wanted."""

    wanted_from = DayField(
        label="In force from", required=False, help_text="Empty: as soon as the last seat has approved it."
    )


class BeginForm(forms.Form):
    """What differs from house to house in a contract to begin with: amounts, regions, and how long records stay."""

    regions = RegionsField(
        label=_("Regions where data may go"),
        required=False,
        help_text=_(
            "As your systems state them, separated by commas: eu-west, eu-north. Empty: no clause says it."
        ),
    )

    def __init__(self, *args, starter: Starter, **kwargs):
        super().__init__(*args, **kwargs)
        self.starter = starter
        for place, one in enumerate(starter.clauses):
            said = sentence(one.kind, one.terms, starter.words)
            if one.kind == ClauseKind.AUTONOMY and one.terms.most is not None:
                self.fields[f"most-{place}"] = forms.IntegerField(
                    label=_("How many at once, at most: clause %(number)d") % {"number": place + 1},
                    help_text=said,
                    initial=one.terms.most,
                    min_value=1,
                    max_value=LARGEST,
                )
            if one.terms.days is not None:
                self.fields[f"days-{place}"] = forms.IntegerField(
                    label=_("Days for which records are kept"),
                    help_text=said,
                    initial=one.terms.days,
                    min_value=SHORTEST_RETENTION,
                    max_value=36_500,
                )
        self.order_fields([name for name in self.fields if name != "regions"])

    def clauses(self) -> list[Written]:
        """The clauses of the draft, with what was typed; of a form that is valid."""
        typed, found = self.cleaned_data, []
        for place, one in enumerate(self.starter.clauses):
            said = {name: typed[key] for name in ("most", "days") if (key := f"{name}-{place}") in typed}
            found.append(Written(one.kind, terms=replace(one.terms, **said)))
        if typed["regions"]:
            found.append(Written(ClauseKind.RESIDENCY, terms=Terms(regions=tuple(typed["regions"]))))
        return found


class VerdictForm(SigningForm):
    """A seat's word on exactly the text that was shown: it approves, or objects with a reason."""

    act = "contract"

    APPROVE, OBJECT = "approve", "object"

    verdict = forms.ChoiceField(
        label="Your verdict",
        choices=[(APPROVE, "Approve this text"), (OBJECT, "Object")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether you approve or object."},
    )
    number = forms.TypedChoiceField(
        label="What you object to", coerce=int, empty_value=0, required=False, choices=[]
    )
    reason = WordsField(
        label="Why you object",
        required=False,
        max_length=4_000,
        help_text="The owner reads it, and answers it.",
    )
    seat = forms.CharField(widget=forms.HiddenInput)
    digest = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args, clauses, **kwargs):
        super().__init__(*args, **kwargs)
        numbered = [(one.number, f"Clause {one.number}: {one.sentence[:90]}") for one in clauses]
        self.fields["number"].choices = [(0, "The contract as a whole"), *numbered]

    def clean_reason(self):
        """An objection says why."""
        reason = self.cleaned_data["reason"]
        if self.cleaned_data.get("verdict") == self.OBJECT and not reason.strip():
            raise forms.ValidationError("Say why you object, so that the owner can answer it.")
        return reason


class CommentForm(forms.Form):
    """Something said about a clause."""

    text = WordsField(label="Comment", max_length=4_000, widget=forms.Textarea(attrs={"rows": 2}))
