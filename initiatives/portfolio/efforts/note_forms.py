"""Forms of what is noted about an initiative: events, money, observations."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.tables.forms import NumberField
from governance.vocabulary import Layer
from governance.web.form_fields import DayField, OnceForm, WordsField
from initiatives.models.notes import EVENT_KINDS


class EventForm(OnceForm):
    """Something that happened around the initiative."""

    kind = forms.ChoiceField(
        label=_("What happened?"), choices=list(EVENT_KINDS.items()), widget=forms.RadioSelect
    )
    happened_on = DayField(label=_("On"), initial=clock.today)
    words = WordsField(
        label=_("Description"),
        help_text=_(
            "Describe what happened and who took part. The note is shown in the activity and is not evidence."
        ),
    )


class FundingForm(OnceForm):
    """Money that was given."""

    decided_by = forms.CharField(
        label=_("Decided by"),
        max_length=160,
        help_text=_("A name or a body, for example: steering committee."),
    )
    decided_on = DayField(label=_("On"), initial=clock.today)
    basis = WordsField(
        label=_("Basis"),
        help_text=_("Name what they saw or read before they decided, for example a demo."),
    )
    amount = NumberField(
        label=_("Amount"), max_digits=14, decimal_places=2, required=False, help_text=_("Optional.")
    )
    currency = forms.CharField(max_length=3, required=False, help_text=_("Three letters, for example EUR."))


class ObservationForm(OnceForm):
    """An observation of someone on the initiative."""

    layer = forms.ChoiceField(label=_("Layer"), choices=[("", _("choose a layer")), *Layer.choices])
    observed_on = DayField(label=_("Seen on"), initial=clock.today)
    words = WordsField(
        label=_("Observation"),
        help_text=_("A field note on daily work, good or bad. The board reads the note."),
    )
