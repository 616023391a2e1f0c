"""The forms of reports: on behaviour, and for the judgement. The acts validate the values."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from adoption.incidents.forms import SystemsField, severity_field
from adoption.models import Report
from adoption.models.reports import (
    BEHAVIOUR_REPORT,
    BEHAVIOUR_REPORT_KINDS,
    BEHAVIOUR_REPORT_SOURCES,
    EXTENTS,
    INCIDENT,
)
from adoption.reports.actions import LONGEST
from adoption.reports.report_kinds import kind_of
from governance import clock
from governance.tables.forms import WholeNumberField
from governance.web.form_fields import DayField, OnceForm, WordsField

# Those that a person gives; the others are worked out, or come with what a user reported.
TYPED = {key: words for key, words in BEHAVIOUR_REPORT_SOURCES.items() if key in ("seen", "told", "figures")}


class BehaviourReportForm(OnceForm):
    """The form for the behaviour of a group with the system."""

    kind = forms.ChoiceField(
        label=_("Behaviour"), choices=list(BEHAVIOUR_REPORT_KINDS.items()), widget=forms.RadioSelect
    )
    group = forms.CharField(
        max_length=120, help_text=_("For example: the night shift of dispatch. Name a group, not a person.")
    )
    share = WholeNumberField(
        percent=True,
        required=False,
        min_value=0,
        max_value=100,
        label=_("Percent of the group"),
        help_text=_("Fill in this field only if you know the percentage."),
    )
    extent = forms.ChoiceField(
        label=_("Part of the group"),
        choices=list(EXTENTS.items()),
        initial="unknown",
        required=False,
        help_text=_("If you also enter a percentage, the percentage is used."),
    )
    words = WordsField(
        label=_("Description"),
        help_text=_("Describe what they do instead, or who is affected, and why, as far as you know."),
        max_length=LONGEST,
    )
    source = forms.ChoiceField(label=_("Source"), choices=list(TYPED.items()), widget=forms.RadioSelect)
    observed_on = DayField(label=_("Seen on"), initial=clock.today)
    may_ask = forms.BooleanField(
        required=False,
        label=_("The chair of the board may ask for my name, and I am notified"),
    )

    def act(self) -> dict:
        """Return the fields as the act takes them."""
        return self.cleaned_data | {"extent": self.cleaned_data["extent"] or "unknown"}


class JudgeForm(forms.Form):
    """The form for the judgement of a report: the answer and the outcome's fields."""

    answer = WordsField(max_length=LONGEST)

    def __init__(self, *args: Any, report: Report, outcome: str, **options: Any):
        super().__init__(*args, **options)
        kind, answer = kind_of(report), self.fields["answer"]
        answer.label, answer.help_text = kind.answer, kind.answer_help
        self.initiative, self.outcome, self.running = report.initiative, outcome, []
        if outcome == BEHAVIOUR_REPORT:
            self._ask_behaviour()
        if outcome == INCIDENT:
            answer.initial = kind.first_words
            self._ask_incident(title=getattr(report, "title", ""))
        self.order_fields([name for name in self.fields if name != "answer"])

    def _ask_behaviour(self) -> None:
        """Add the fields for people's behaviour."""
        self.fields |= {
            "kind": forms.ChoiceField(
                label=_("Behaviour"),
                choices=list(BEHAVIOUR_REPORT_KINDS.items()),
                widget=forms.RadioSelect,
            ),
            "group": forms.CharField(max_length=120, help_text=_("Name a group, not a person.")),
            "extent": forms.ChoiceField(
                label=_("Part of the group"), choices=list(EXTENTS.items()), initial="unknown"
            ),
        }

    def _ask_incident(self, title: str) -> None:
        """Add the fields for the incident: a running one, if there are any, or a new one."""
        running = self.initiative.incidents.running()
        self.running = [row.pk for row in running]
        for_new = _("For a new incident.") if self.running else ""
        if self.running:
            self.fields["incident"] = forms.ModelChoiceField(
                running, required=False, empty_label=_("a new incident"), label=_("Incident")
            )
        systems = SystemsField(
            label=_("Affected systems"),
            widget=forms.CheckboxSelectMultiple,
            help_text=_(
                "If the whole initiative is affected, select no system. Only evidence about the selected "
                "systems is voided."
            ),
        )
        systems.of(self.initiative)
        self.fields |= {
            "title": forms.CharField(
                label=_("What went wrong?"),
                max_length=160,
                required=False,
                initial=title,
                help_text=f"{for_new} {_('In a few words.')}".strip(),
            ),
            "severity": severity_field(
                required=False,
                empty_value=None,
                help_text=(
                    f"{for_new} {_('If in doubt, choose the worse severity. You can correct it later.')}"
                ).strip(),
            ),
            "wrong_output": forms.BooleanField(required=False, label=_("The system gave wrong results")),
        }
        if systems.queryset:
            self.fields["systems"] = systems

    def clean(self) -> dict[str, Any]:
        """Require title and severity for a new incident."""
        typed = super().clean() or self.cleaned_data
        if self.outcome == INCIDENT and not typed.get("incident"):
            for name, words in (
                ("title", _("Describe what went wrong.")),
                ("severity", _("Choose a severity.")),
            ):
                if not typed.get(name) and name not in self.errors:
                    self.add_error(name, words)
        return typed

    def act(self) -> dict[str, Any]:
        """Return the fields as the act takes them."""
        fields = dict(self.cleaned_data)
        found = {"outcome": self.outcome, "answer": fields.pop("answer")}
        if incident := fields.pop("incident", None):
            return found | {"incident": incident}
        if self.outcome == INCIDENT:
            fields["seen"] = self.running
        return found | {"fields": fields}
