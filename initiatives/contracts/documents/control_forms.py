"""Forms on what enforces the contract: controls of clauses, reports on layers, decisions on architecture."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.models import Clause
from governance.web.form_fields import DayField, WordsField
from initiatives.models import Initiative
from initiatives.models.enforcement import ENFORCING_LAYERS


class ControlForm(forms.Form):
    """One control: where it works, what it is, what last showed it."""

    layer = forms.ChoiceField(
        label="Layer",
        choices=[
            (key, f"{words}: {said}")
            for (key, words), said in zip(
                ENFORCING_LAYERS.items(),
                ("says what is allowed", "holds what runs to it", "shows what happened"),
                strict=True,
            )
        ],
        widget=forms.RadioSelect,
    )
    control = WordsField(
        label="What enforces it",
        help_text="A setting, a check in the code, an alarm. “A person checks weekly” is an answer too.",
    )
    evidence = forms.ModelChoiceField(
        label="What last showed it",
        queryset=None,
        empty_label="choose an item",
        help_text="Of this initiative.",
    )

    def __init__(self, *args, initiative: Initiative, **kwargs):
        super().__init__(*args, **kwargs)
        items = initiative.evidence.filter(withdrawn_at__isnull=True, superseded_by__isnull=True)
        self.fields["evidence"].queryset = items.order_by("-observed_on", "-id")
        self.fields["evidence"].label_from_instance = lambda item: (
            f"{item.title}, observed {item.observed_on:%-d %B %Y}"
        )


class ClausesControlForm(ControlForm):
    """One control that enforces several clauses."""

    clauses = forms.ModelMultipleChoiceField(
        label=_("Which clauses it enforces"),
        queryset=Clause.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Tick the clauses that it enforces.")},
    )

    def __init__(self, *args, clauses, **kwargs):
        """`clauses`: those that can be ticked."""
        super().__init__(*args, **kwargs)
        self.fields["clauses"].queryset = clauses
        self.fields["clauses"].label_from_instance = lambda clause: f"{clause.number}. {clause.sentence}"


class DecisionForm(forms.Form):
    """A decision on how the system is built."""

    title = forms.CharField(label="What was decided", max_length=200)
    text = WordsField(label="Why", help_text="What spoke for it, and what was not chosen.")
    decided_on = DayField(label="Decided on", initial=clock.today)
