"""Forms on changes that no version shows."""

from datetime import datetime

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.database.shown_state import OverwritingForm
from governance.web.form_fields import DayField, PersonField, WordsField
from initiatives.lifecycle.changes.actions import REPORTED


def start_of(day) -> datetime | None:
    """Return the start of that day, or None for today or no day. A version with None runs from now."""
    return clock.midnight_before(day) if day and day != clock.today() else None


class ChangeForm(forms.Form):
    """A change that no version shows."""

    triggers = forms.MultipleChoiceField(label=_("Kind of change"), widget=forms.CheckboxSelectMultiple)
    what = forms.CharField(
        label=_("Description of the change"),
        max_length=250,
        help_text=_("This text is shown beside evidence that no longer counts after the change."),
    )
    effective_on = DayField(label=_("Since"), required=False, help_text=_("Empty means now."))

    def __init__(self, *args, rulebook, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["triggers"].choices = [
            (key, capfirst(rulebook.triggers.get(key, key))) for key in REPORTED
        ]

    def act(self) -> dict:
        """Return the fields as the act takes them."""
        fields = dict(self.cleaned_data)
        return fields | {"effective_at": start_of(fields.pop("effective_on"))}


class CompleteForm(OverwritingForm):
    """The facts that a change still lacks."""

    confirms = True
    approver = PersonField(label=_("Approved by"))
    rollback = WordsField(label=_("Rollback"), help_text=_("Describe the steps that undo the change."))
