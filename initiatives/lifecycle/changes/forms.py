"""Forms on changes that no version shows."""

from datetime import datetime

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.web.form_fields import DayField, PersonField, WordsField
from initiatives.lifecycle.changes.actions import REPORTED


def start_of(day) -> datetime | None:
    """The moment a version runs from: the start of that day; None, meaning now, for today or no day."""
    return clock.midnight_before(day) if day and day != clock.today() else None


class ChangeForm(forms.Form):
    """A change that no version shows."""

    triggers = forms.MultipleChoiceField(label=_("What kind of change"), widget=forms.CheckboxSelectMultiple)
    what = forms.CharField(
        label=_("What changed"),
        max_length=250,
        help_text=_("It becomes the cause shown beside evidence that it ends."),
    )
    effective_on = DayField(label=_("Since"), required=False, help_text=_("Empty means now."))

    def __init__(self, *args, rulebook, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["triggers"].choices = [
            (key, capfirst(rulebook.triggers.get(key, key))) for key in REPORTED
        ]

    def act(self) -> dict:
        """The fields as the act takes them."""
        fields = dict(self.cleaned_data)
        return fields | {"effective_at": start_of(fields.pop("effective_on"))}


class CompleteForm(forms.Form):
    """What a change still lacks."""

    approver = PersonField(label=_("Who approved it"))
    rollback = WordsField(label=_("The way back"), help_text=_("How the change is undone."))
