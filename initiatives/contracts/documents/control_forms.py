"""Forms on controls of clauses and on decisions on architecture."""

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.models import Clause
from governance.vocabulary import SHOWS_NO_CONTROL
from governance.web.form_fields import DayField, WordsField
from initiatives.models import Initiative
from initiatives.models.enforcement import ENFORCING_LAYERS


class ControlForm(forms.Form):
    """One control: its layer, its description, and its evidence."""

    layer = forms.ChoiceField(
        label=_("Layer"),
        choices=[
            (key, f"{words}: {said}")
            for (key, words), said in zip(
                ENFORCING_LAYERS.items(),
                (
                    "defines what is allowed",
                    "makes the running system follow the contract",
                    "shows what happened",
                ),
                strict=True,
            )
        ],
        widget=forms.RadioSelect,
    )
    control = WordsField(
        label=_("Control"),
        help_text=_("For example a setting, a check in the code, an alarm, or “A person checks weekly”."),
    )
    evidence = forms.ModelChoiceField(
        label=_("Evidence that shows the control"),
        queryset=None,
        empty_label=_("choose an item"),
        help_text=_("An item of this initiative."),
    )

    def __init__(self, *args, initiative: Initiative, **kwargs):
        super().__init__(*args, **kwargs)
        items = initiative.evidence.filter(withdrawn_at__isnull=True, superseded_by__isnull=True)
        items = items.filter(Q(details__tested__isnull=True) | ~Q(details__tested__in=SHOWS_NO_CONTROL))
        self.fields["evidence"].queryset = items.order_by("-observed_on", "-id")
        self.fields["evidence"].label_from_instance = lambda item: (
            f"{item.title}, observed {item.observed_on:%-d %B %Y}"
        )


class ClausesControlForm(ControlForm):
    """One control that enforces several clauses."""

    clauses = forms.ModelMultipleChoiceField(
        label=_("Clauses that the control enforces"),
        queryset=Clause.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Tick the clauses that the control enforces.")},
    )

    def __init__(self, *args, clauses, **kwargs):
        """Offer these `clauses` to tick."""
        super().__init__(*args, **kwargs)
        self.fields["clauses"].queryset = clauses
        self.fields["clauses"].label_from_instance = lambda clause: f"{clause.number}. {clause.sentence}"


class DecisionForm(forms.Form):
    """A decision on how the system is built."""

    title = forms.CharField(label=_("Decision"), max_length=200)
    text = WordsField(
        label=_("Why"),
        help_text=_("The reasons for the decision, and the alternatives that you did not choose."),
    )
    decided_on = DayField(label=_("Decided on"), initial=clock.today)
