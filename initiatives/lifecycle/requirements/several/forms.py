"""The parts of the form that asks many requirements: one answer in words, and one item that shows several."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.vocabulary import AnswerKind
from initiatives.lifecycle.requirements.forms import AnswerForm, EvidenceOnRow

# What is asked of an item at once; the rest is right by itself for almost everybody, and folded.
AT_ONCE = ("file", "result", "condition")


class ShortAnswerForm(AnswerForm):
    """An answer that is given; that there is none yet, or that it does not apply, is said on the requirement's page."""

    item = forms.ChoiceField(label=_("Evidence"), required=False)

    def __init__(self, *args, items, otherwise: str, **options):
        """`items`: evidence there is that the requirement takes. `otherwise`: what shows it when none is chosen."""
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
        """Whatever was sent, this form holds answers."""
        return AnswerKind.ANSWERED

    @property
    def chosen(self):
        """The item that was chosen for it, once the form is valid; None where none was."""
        return self.items.get(self.cleaned_data.get("item") or "")


class ItemForm(EvidenceOnRow):
    """One item of one kind for all that is answered beside it and takes that kind; left empty, none is added."""

    def __init__(self, *args, kind: str, **options):
        super().__init__(*args, kinds=[kind], **options)
        self.fields["kind"].widget = forms.HiddenInput()
        self.fields["kind"].initial = kind

    @property
    def first_fields(self) -> list:
        """What is asked at once, in order: the form of the kind, then the file and how it went."""
        own = [name for names in self.own.values() for name in names]
        return [self[name] for name in (*own, *AT_ONCE) if name in self.fields]

    @property
    def more_fields(self) -> list:
        """What is asked besides, folded."""
        first = {field.name for field in self.first_fields}
        return [field for field in self.visible_fields() if field.name not in first]

    @property
    def more_open(self) -> bool:
        """Whether something is to fix in what is folded."""
        return any(field.errors for field in self.more_fields)
