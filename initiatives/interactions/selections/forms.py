"""What is selected of the interaction log, for what, and until when."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.web.form_fields import DayField, WordsField
from initiatives.models import InteractionSelection


class SelectionForm(forms.Form):
    """Days, a text or none, how many at most, the purpose, and the day on which the references go."""

    purpose = WordsField(
        label=_("What for"),
        max_length=2000,
        help_text=_(
            "For instance: evaluation set for version 3, complaint of 4 May. It stays in the audit log: name no person."
        ),
    )
    first = DayField(label=_("From"))
    last = DayField(label=_("To"))
    phrase = forms.CharField(
        label=_("Text"),
        required=False,
        max_length=200,
        help_text=_(
            "Leave it empty to draw at random. It is kept, encrypted, only until the search is over."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    model = forms.CharField(
        label=_("Model or version"),
        required=False,
        max_length=120,
        help_text=_("Exactly as reported; empty for all."),
    )
    most = forms.IntegerField(label=_("At most"), min_value=1, max_value=InteractionSelection.MOST)
    until = DayField(
        label=_("Keep the references until"),
        help_text=_("At most 366 days. Then they are removed; the interactions themselves stay in the log."),
    )
