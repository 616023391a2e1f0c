"""Forms of what is noted about a case: events, money, observations."""

from uuid import uuid4

from django import forms

from governance import clock
from governance.vocabulary import Layer
from initiatives.form_fields import DayField, WordsField
from initiatives.models.notes import EVENT_KINDS


class OnceForm(forms.Form):
    """A form that carries a key of its own: sent twice, by two presses or a lost answer, it is one note."""

    once = forms.UUIDField(widget=forms.HiddenInput, required=False, initial=uuid4)


class EventForm(OnceForm):
    """Something that happened around the case."""

    kind = forms.ChoiceField(
        label="What happened", choices=list(EVENT_KINDS.items()), widget=forms.RadioSelect
    )
    happened_on = DayField(label="On", initial=clock.today)
    words = WordsField(
        label="In words",
        help_text="Who showed or said what to whom. It stands in the history; it is no evidence.",
    )


class FundingForm(OnceForm):
    """Money that was given."""

    decided_by = forms.CharField(
        label="Who decided", max_length=160, help_text="A name or a body, for instance: steering committee."
    )
    decided_on = DayField(label="On", initial=clock.today)
    basis = WordsField(
        label="On what basis", help_text="What they had seen or read when they decided, for instance a demo."
    )
    amount = forms.DecimalField(
        label="Amount", max_digits=14, decimal_places=2, required=False, help_text="May be left out."
    )
    currency = forms.CharField(max_length=3, required=False, help_text="Three letters, for instance EUR.")


class ObservationForm(OnceForm):
    """What somebody saw."""

    layer = forms.ChoiceField(label="Layer", choices=[("", "choose a layer"), *Layer.choices])
    observed_on = DayField(label="Seen on", initial=clock.today)
    words = WordsField(
        label="What you saw",
        help_text="A field note: what happens in the work, good or bad. The board reads it.",
    )
