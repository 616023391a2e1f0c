"""Forms of the monitoring of a case: the promise, what alerts count as, what becomes of a draft."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from adoption.incidents.forms import SystemsField, severity_field
from adoption.models import Incident, IncidentDraft
from adoption.models.monitoring import BECOMES, MOST_DAYS
from initiatives.form_fields import ReasonForm


class PromiseForm(forms.Form):
    """How often the monitoring is heard of."""

    every_days = forms.IntegerField(
        label=_("At least every so many days"),
        min_value=1,
        max_value=MOST_DAYS,
        initial=1,
        help_text=_("1 is every day. A sign of life counts: the monitoring need not find anything."),
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


class DismissForm(ReasonForm):
    """Why it is no incident."""


class ConfirmForm(forms.Form):
    """The incident that a draft tells of: one that runs, where there is any, or a new one."""

    incident = forms.ModelChoiceField(
        queryset=Incident.objects.none(),
        required=False,
        empty_label=_("a new incident"),
        label=_("It belongs to"),
    )
    title = forms.CharField(label=_("What went wrong"), max_length=160, help_text=_("In a few words."))
    severity = severity_field(
        help_text=_(
            "Yours to judge: what the monitoring calls it decides nothing. When in doubt, the worse one."
        ),
        empty_value=None,
    )
    wrong_output = forms.BooleanField(required=False, label=_("It gave wrong results"))
    systems = SystemsField(
        label=_("In which systems it lies"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "None ticked: the initiative as a whole. Only evidence that speaks of what is ticked ends."
        ),
    )

    def __init__(self, *args: Any, draft: IncidentDraft, **options: Any):
        options["initial"] = {"title": draft.title}
        super().__init__(*args, **options)
        self.running = list(draft.initiative.incidents.running())
        incident: Any = self.fields["incident"]
        incident.queryset = draft.initiative.incidents.running()
        for name in ("title", "severity"):
            self.fields[name].required = False
        if not self.running:
            del self.fields["incident"]
        systems: Any = self.fields["systems"]
        systems.of(draft.initiative)
        if not systems.queryset:
            del self.fields["systems"]

    def clean(self):
        """A new one says what and how bad."""
        typed = super().clean() or self.cleaned_data
        if not typed.get("incident"):
            for name, words in (
                ("title", _("Say what went wrong.")),
                ("severity", _("Choose how bad it is.")),
            ):
                if not typed.get(name) and name not in self.errors:
                    self.add_error(name, words)
        return typed

    def act(self) -> dict:
        """The fields as the act takes them."""
        typed = dict(self.cleaned_data)
        if typed.get("incident"):
            return {"incident": typed["incident"]}
        typed.pop("incident", None)
        return typed | {"seen": [row.pk for row in self.running]}
