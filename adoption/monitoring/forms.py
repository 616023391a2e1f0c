"""Forms of the monitoring of an initiative: the promise, what alerts count as."""

from django import forms
from django.utils.translation import gettext_lazy as _

from adoption.models.monitoring import BECOMES, MOST_DAYS


class PromiseForm(forms.Form):
    """How often the monitoring is heard of."""

    every_days = forms.IntegerField(
        label=_("At least every so many days"),
        min_value=1,
        max_value=MOST_DAYS,
        initial=1,
        help_text=_("1 is every day. A heartbeat counts: the monitoring need not find anything."),
        error_messages={"required": _("Give a number of days from 1 to 31.")},
    )


class MappingForm(forms.Form):
    """What alerts of a rule or a severity count as."""

    rule = forms.CharField(
        label=_("Alerts of the rule"),
        required=False,
        max_length=160,
        help_text=_("As the monitoring calls it, for instance ErrorRateHigh. Left empty: any rule."),
    )
    severity = forms.CharField(
        label=_("With the severity"),
        required=False,
        max_length=40,
        help_text=_("As the monitoring calls it, for instance critical or Sev1. Left empty: any severity."),
    )
    becomes = forms.ChoiceField(
        label=_("They count as"), choices=list(BECOMES.items()), widget=forms.RadioSelect
    )
