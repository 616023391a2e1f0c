"""Parts of the form for many requirements: an answer, and a shared item."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.vocabulary import AnswerKind, EvidenceKind, EvidenceResult
from initiatives.lifecycle.evidence import artefact_kinds
from initiatives.lifecycle.requirements.forms import AnswerForm, EvidenceOnRow

# What is asked of an item at once; the rest is right by itself for almost everybody, and folded.
AT_ONCE = ("result", "condition")


class ShortAnswerForm(AnswerForm):
    """A positive answer. The page of the requirement takes "not yet" and "not applicable"."""

    item = forms.ChoiceField(label=_("Evidence"), required=False)

    def __init__(self, *args, items, otherwise: str, **options):
        """Set up the form. `items` are existing fitting evidence, `otherwise` the words for choosing none."""
        super().__init__(*args, row=None, **options)
        self.fields["kind"].widget = forms.HiddenInput()
        self.fields["text"].widget.attrs["rows"] = 2
        if "true_as_of" in self.fields:
            self.fields["true_as_of"].widget = forms.HiddenInput()
        self.items = {str(item.pk): item for item in items}
        if self.items:
            there = [(key, item.title) for key, item in self.items.items()]
            self.fields["item"].choices = [("", otherwise), *there]
        else:
            del self.fields["item"]

    def clean_kind(self):
        """Return the kind of an answer, for any input."""
        return AnswerKind.ANSWERED

    @property
    def chosen(self):
        """Return the chosen item of a valid form, or None."""
        return self.items.get(self.cleaned_data.get("item") or "")


class ItemForm(EvidenceOnRow):
    """One item of one kind for all answers beside it that take that kind. An empty form adds none."""

    def __init__(self, *args, kind: str, **options):
        super().__init__(*args, kinds=[kind], **options)
        self.of_kind = kind
        self.fields["kind"].widget = forms.HiddenInput()
        self.fields["kind"].initial = kind

    @property
    def first_fields(self) -> list:
        """Return the unfolded fields in order: the form of the kind, then the result. The source precedes them."""
        own = [name for names in self.own.values() for name in names]
        asked = AT_ONCE[1:] if self.of_kind == EvidenceKind.TEST_REPORT else AT_ONCE
        return [self[name] for name in (*own, *asked) if name in self.fields]

    @property
    def in_words(self) -> str:
        """Return an item with a form in words, as an answer, or ""."""
        if not self.meant or self.of_kind not in self.own:
            return ""
        said = artefact_kinds.in_words(
            self.of_kind, artefact_kinds.read(self.of_kind, self.details(self.of_kind))
        )
        return f"{said[:1].upper()}{said[1:]}. {EvidenceResult.word(self.cleaned_data['result'])}."

    @property
    def more_fields(self) -> list:
        """Return the other fields, which are folded."""
        first = {"source", *self.sources, *(field.name for field in self.first_fields)}
        return [field for field in self.visible_fields() if field.name not in first]

    @property
    def more_open(self) -> bool:
        """Return True if a folded field has an error."""
        return any(field.errors for field in self.more_fields)
