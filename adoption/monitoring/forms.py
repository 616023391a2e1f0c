"""Forms of the monitoring of an initiative: the promise, what alerts count as."""

from django import forms
from django.utils.translation import gettext_lazy as _

from adoption.models.monitoring import BECOMES, MOST_DAYS
from governance.database.shown_state import OverwritingForm
from governance.tables.forms import WholeNumberField


class PromiseForm(OverwritingForm):
    """The form for the interval of the monitoring."""

    every_days = WholeNumberField(
        label=_("Maximum interval in days"),
        min_value=1,
        max_value=MOST_DAYS,
        initial=1,
        help_text=_(
            "Use 1 for every day. A heartbeat also counts as data, even if monitoring finds nothing."
        ),
        error_messages={"required": _("Enter a number of days from 1 to 31.")},
    )


class MappingForm(forms.Form):
    """The form for what alerts of a rule or a severity count as."""

    rule = forms.CharField(
        label=_("Rule"),
        required=False,
        max_length=160,
        help_text=_(
            "The name of the rule in your monitoring system, for example ErrorRateHigh. Leave "
            "empty for any rule."
        ),
    )
    severity = forms.CharField(
        label=_("Severity"),
        required=False,
        max_length=40,
        help_text=_(
            "The name of the severity in your monitoring system, for example critical or Sev1. Leave empty "
            "for any severity."
        ),
    )
    becomes = forms.ChoiceField(
        label=_("Count these alerts as"), choices=list(BECOMES.items()), widget=forms.RadioSelect
    )
