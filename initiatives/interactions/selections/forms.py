"""The form of a selection of interactions."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.web.form_fields import DayField, WordsField
from initiatives.models import InteractionSelection


class SelectionForm(forms.Form):
    """Days, an optional text, a limit, the purpose, and the last day of references."""

    purpose = WordsField(
        label=_("Purpose"),
        max_length=2000,
        help_text=_(
            "For example: evaluation set for version 3, complaint of 4 May. The audit log keeps the "
            "purpose, so name no person."
        ),
    )
    first = DayField(label=_("From"))
    last = DayField(label=_("To"))
    phrase = forms.CharField(
        label=_("Text"),
        required=False,
        max_length=200,
        help_text=_(
            "Leave this empty to draw at random. The text is kept, encrypted, only until the search is over."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    model = forms.CharField(
        label=_("Model or version"),
        required=False,
        max_length=120,
        help_text=_("Exactly as reported. Empty means all."),
    )
    most = forms.IntegerField(label=_("Maximum number"), min_value=1, max_value=InteractionSelection.MOST)
    until = DayField(
        label=_("Keep the references until"),
        help_text=_(
            "Choose at most 366 days. The references are removed after that day. The interactions stay "
            "in the log."
        ),
    )
