"""Forms of what is noted about an initiative: events, money, observations."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.vocabulary import Layer
from governance.web.form_fields import DayField, OnceForm, WordsField
from initiatives.models.notes import EVENT_KINDS


class EventForm(OnceForm):
    """Something that happened around the initiative."""

    kind = forms.ChoiceField(
        label=_("What happened"), choices=list(EVENT_KINDS.items()), widget=forms.RadioSelect
    )
    happened_on = DayField(label=_("On"), initial=clock.today)
    words = WordsField(
        label=_("In words"),
        help_text=_("Who showed or said what to whom. It stands in the history; it is no evidence."),
    )


class FundingForm(OnceForm):
    """Money that was given."""

    decided_by = forms.CharField(
        label=_("Who decided"),
        max_length=160,
        help_text=_("A name or a body, for instance: steering committee."),
    )
    decided_on = DayField(label=_("On"), initial=clock.today)
    basis = WordsField(
        label=_("On what basis"),
        help_text=_("What they had seen or read when they decided, for instance a demo."),
    )
    amount = forms.DecimalField(
        label=_("Amount"), max_digits=14, decimal_places=2, required=False, help_text=_("May be left out.")
    )
    currency = forms.CharField(max_length=3, required=False, help_text=_("Three letters, for instance EUR."))


class ObservationForm(OnceForm):
    """What somebody saw."""

    layer = forms.ChoiceField(label=_("Layer"), choices=[("", _("choose a layer")), *Layer.choices])
    observed_on = DayField(label=_("Seen on"), initial=clock.today)
    words = WordsField(
        label=_("What you saw"),
        help_text=_("A field note: what happens in the work, good or bad. The board reads it."),
    )
