"""Small forms of the contract: a word, a start, a comment. `clause_forms` has the form of a clause."""

from collections.abc import Collection
from dataclasses import replace

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from governance.contracts.clauses import LARGEST, SHORTEST_RETENTION, Terms
from governance.contracts.templates import Starter
from governance.contracts.wording import sentence
from governance.models.contracts import VOCABULARY, VocabularyWord
from governance.sign_in.signing import SigningForm
from governance.tables.forms import WholeNumberField
from governance.vocabulary import ClauseKind
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import DayField, RegionsField, WordsField
from initiatives.contracts.documents.actions import Written

LONGEST_WORDS = VocabularyWord._meta.get_field("words").max_length
LONGEST_KEY = VocabularyWord._meta.get_field("key").max_length


def proposed_key(words: str) -> str:
    """Return a key for words that have none: "send a reply" gives "send_a_reply"."""
    return slugify(words).replace("-", "_")[:LONGEST_KEY]


class KeyField(forms.CharField):
    """The name of a word in the systems of an initiative."""

    def __init__(self, **options):
        allowed = VocabularyWord._meta.get_field("key").validators[:1]
        super().__init__(max_length=LONGEST_KEY, required=False, validators=allowed, **options)


class WordForm(forms.Form):
    """A word of the initiative's vocabulary."""

    kind = forms.ChoiceField(label=_("Purpose"), choices=list(VOCABULARY.items()))
    words = forms.CharField(
        max_length=LONGEST_WORDS,
        help_text=_(
            "Write the words as in a sentence: “send a reply”, “supplier invoices”, “the service desk”."
        ),
    )
    key = KeyField(help_text=_("The name your systems use. If empty, Plumbline makes a key from the words."))

    def clean(self):
        """Propose a key for words without one."""
        typed = super().clean()
        if typed.get("words") and not typed.get("key") and "key" not in self.errors:
            typed["key"] = proposed_key(typed["words"])
            if not typed["key"]:
                self.add_error("key", "Enter a key. Plumbline cannot make a key from these words.")
        return typed


class SeenForm(forms.Form):
    """The text that the author of a change saw."""

    seen = forms.CharField(widget=forms.HiddenInput)


class EditionForm(forms.Form):
    """The edition of the draft that the author of a change saw."""

    edition = forms.IntegerField(widget=forms.HiddenInput)


class RewordForm(SeenForm):
    """New words for a key that stays."""

    words = forms.CharField(max_length=LONGEST_WORDS)

    def __init__(self, *args, word: VocabularyWord, **kwargs):
        super().__init__(*args, initial={"words": word.words, "seen": word.words}, **kwargs)
        self.word = word

    def clean(self):
        """Refuse a change beside newer words once, and then take these words as seen."""
        typed, now = super().clean(), self.word.words
        if typed.get("seen") not in (None, now) and not self.word.retired_at:
            self.data = self.data.copy()
            self.data["seen"] = now
            self.add_error(
                "words", phrase("Someone changed this word to “{}”. Save again to keep your text.", now)
            )
        return typed


class StartForm(forms.Form):
    """The day from which the version is wanted."""

    wanted_from = DayField(
        label=_("In force from"),
        required=False,
        help_text=_("If empty, the contract is in force as soon as the last seat has approved it."),
    )


class BeginForm(forms.Form):
    """The values of a starter contract: audience, resource, amounts, regions, days."""

    audience = forms.CharField(
        label=_("Who does the system work for?"),
        max_length=LONGEST_WORDS,
        help_text=_("Write the words as in a sentence, for example: the account team."),
    )
    resource = forms.CharField(
        label=_("What does the system act on?"),
        max_length=LONGEST_WORDS,
        help_text=_("Use the plural, for example: meeting notes."),
    )
    regions = RegionsField(
        label=_("Regions where data may go"),
        required=False,
        help_text=_(
            "The names your systems use, separated by commas: eu-west, eu-north. If empty, no clause names "
            "regions."
        ),
    )

    def __init__(self, *args, starter: Starter, **kwargs):
        super().__init__(*args, **kwargs)
        self.starter = starter
        # What an organisation names itself is open in the sentences until it is typed.
        asked = {"audience": str(_("[audience]")), "resource": str(_("[resource]"))}
        self.words = starter.words | {
            key: self.data.get(kind) or self.initial.get(kind) or asked[kind]
            for kind, key, _said in starter.vocabulary
            if kind in asked
        }
        for place, one in enumerate(starter.clauses):
            said = sentence(one.kind, one.terms, self.words)
            if one.kind == ClauseKind.AUTONOMY and one.terms.most is not None:
                self.fields[f"most-{place}"] = WholeNumberField(
                    label=_("Maximum number of items at once: clause %(number)d") % {"number": place + 1},
                    help_text=said,
                    initial=one.terms.most,
                    min_value=1,
                    max_value=LARGEST,
                )
            if one.terms.days is not None:
                self.fields[f"days-{place}"] = WholeNumberField(
                    label=_("Days for which records are kept"),
                    help_text=said,
                    initial=one.terms.days,
                    min_value=SHORTEST_RETENTION,
                    max_value=36_500,
                )
        self.order_fields([name for name in self.fields if name != "regions"])

    def vocabulary(self, known: Collection[str]) -> list[tuple[str, str, str]]:
        """Return the words typed, each with a new key unless another word has that key."""
        taken, found = {*known, *self.starter.words}, []
        for kind, key, words in self.starter.vocabulary:
            typed = self.cleaned_data.get(kind, words).strip()
            made = proposed_key(typed)
            found.append((kind, key if typed == words or not made or made in taken else made, typed))
        return found

    def clauses(self, vocabulary: list[tuple[str, str, str]]) -> list[Written]:
        """Return the clauses of the draft, with the typed values. The form must be valid."""
        typed, found = self.cleaned_data, []
        before, now = (
            [key for _kind, key, _words in words] for words in (self.starter.vocabulary, vocabulary)
        )
        keys = dict(zip(before, now, strict=True))
        for place, one in enumerate(self.starter.clauses):
            said = {name: typed[key] for name in ("most", "days") if (key := f"{name}-{place}") in typed}
            said |= {"resource": keys.get(one.terms.resource, one.terms.resource)}
            said |= {"audience": tuple(keys.get(key, key) for key in one.terms.audience)}
            found.append(Written(one.kind, terms=replace(one.terms, **said)))
        if typed["regions"]:
            found.append(Written(ClauseKind.RESIDENCY, terms=Terms(regions=tuple(typed["regions"]))))
        return found


class VerdictForm(SigningForm):
    """A seat's verdict on the text shown: an approval, or an objection with a reason."""

    act = "contract"

    APPROVE, OBJECT = "approve", "object"

    verdict = forms.ChoiceField(
        label=_("Your verdict"),
        choices=[(APPROVE, "Approve this text"), (OBJECT, "Object")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether you approve or object."},
    )
    number = forms.TypedChoiceField(
        label=_("Subject of the objection"), coerce=int, empty_value=0, required=False, choices=[]
    )
    reason = WordsField(
        label=_("Why you object"),
        required=False,
        max_length=4_000,
        help_text=_("The owner reads and answers your reason."),
    )
    seat = forms.CharField(widget=forms.HiddenInput)
    digest = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args, clauses, **kwargs):
        super().__init__(*args, **kwargs)
        numbered = [(one.number, f"Clause {one.number}: {one.sentence[:90]}") for one in clauses]
        self.fields["number"].choices = [(0, "The contract as a whole"), *numbered]

    def clean_reason(self):
        """Require a reason for an objection."""
        reason = self.cleaned_data["reason"]
        if self.cleaned_data.get("verdict") == self.OBJECT and not reason.strip():
            raise forms.ValidationError("Give a reason, so that the owner can answer it.")
        return reason


class CommentForm(forms.Form):
    """The text of a comment on a clause."""

    text = WordsField(label=_("Comment"), max_length=4_000, widget=forms.Textarea(attrs={"rows": 2}))
