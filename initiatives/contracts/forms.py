"""Small forms of the contract: a word, from when, a comment. That of a clause is `forms.clauses`."""

from django import forms
from django.utils.text import slugify

from governance.models.contracts import VOCABULARY, VocabularyWord
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


class CommentForm(forms.Form):
    """Something said about a clause."""

    text = WordsField(label="Comment", max_length=4_000, widget=forms.Textarea(attrs={"rows": 2}))
