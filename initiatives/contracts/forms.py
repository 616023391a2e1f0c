"""Small forms of the contract: a word, from when, a comment. That of a clause is `forms.clauses`."""

from django import forms
from django.utils.text import slugify

from governance.models.contracts import VOCABULARY, VocabularyWord
from governance.sign_in.signing import SigningForm
from initiatives.form_fields import DayField, WordsField

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
