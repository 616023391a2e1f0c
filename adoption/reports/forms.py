"""Forms of reports: on behaviour, and the one by which a report is judged.

They read what was typed; what is wrong with it, the acts say.
"""

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
from governance.web.form_fields import DayField, OnceForm, WordsField

# Those that a person gives; the others are worked out, or come with what a user reported.
TYPED = {key: words for key, words in BEHAVIOUR_REPORT_SOURCES.items() if key in ("seen", "told", "figures")}


class BehaviourReportForm(OnceForm):
    """What a group does with the system."""

    kind = forms.ChoiceField(
        label=_("What people do"), choices=list(BEHAVIOUR_REPORT_KINDS.items()), widget=forms.RadioSelect
    )
    group = forms.CharField(
        max_length=120, help_text=_("For instance: the night shift of dispatch. A group, never a person.")
    )
    share = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=100,
        label=_("Percent of the group"),
        help_text=_("If you know it."),
    )
    extent = forms.ChoiceField(
        label=_("How much of the group"),
        choices=list(EXTENTS.items()),
        initial="unknown",
        required=False,
        help_text=_("Where you give a percentage, that counts."),
    )
    words = WordsField(
        label=_("In your words"),
        help_text=_("What they do instead, or to whom it is done, and why, as far as you know."),
        max_length=LONGEST,
    )
    source = forms.ChoiceField(
        label=_("How it is known"), choices=list(TYPED.items()), widget=forms.RadioSelect
    )
    observed_on = DayField(label=_("Seen on"), initial=clock.today)
    may_ask = forms.BooleanField(
        required=False,
        initial=True,
        label=_("Whoever chairs the board may ask for my name, and I am told"),
    )

    def act(self) -> dict:
        """The fields as the act takes them."""
        return self.cleaned_data | {"extent": self.cleaned_data["extent"] or "unknown"}


class JudgeForm(forms.Form):
    """What a person makes of a report: words, and what the outcome needs besides."""

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
        """What people do, by that report."""
        self.fields |= {
            "kind": forms.ChoiceField(
                label=_("What people do"),
                choices=list(BEHAVIOUR_REPORT_KINDS.items()),
                widget=forms.RadioSelect,
            ),
            "group": forms.CharField(max_length=120, help_text=_("A group, never a person.")),
            "extent": forms.ChoiceField(
                label=_("How much of the group"), choices=list(EXTENTS.items()), initial="unknown"
            ),
        }

    def _ask_incident(self, title: str) -> None:
        """The incident that it is: one that runs, where there is any, or a new one."""
        running = self.initiative.incidents.running()
        self.running = [row.pk for row in running]
        for_new = _("For a new one.") if self.running else ""
        if self.running:
            self.fields["incident"] = forms.ModelChoiceField(
                running, required=False, empty_label=_("a new incident"), label=_("It belongs to")
            )
        systems = SystemsField(
            label=_("In which systems it lies"),
            widget=forms.CheckboxSelectMultiple,
            help_text=_(
                "None ticked: the initiative as a whole. Only evidence that speaks of what is ticked ends."
            ),
        )
        systems.of(self.initiative)
        self.fields |= {
            "title": forms.CharField(
                label=_("What went wrong"),
                max_length=160,
                required=False,
                initial=title,
                help_text=f"{for_new} {_('In a few words.')}".strip(),
            ),
            "severity": severity_field(
                required=False,
                empty_value=None,
                help_text=f"{for_new} {_('When in doubt, the worse one. It can be corrected.')}".strip(),
            ),
            "wrong_output": forms.BooleanField(required=False, label=_("It gave wrong results")),
        }
        if systems.queryset:
            self.fields["systems"] = systems

    def clean(self) -> dict[str, Any]:
        """A new incident says what and how bad."""
        typed = super().clean() or self.cleaned_data
        if self.outcome == INCIDENT and not typed.get("incident"):
            for name, words in (
                ("title", _("Say what went wrong.")),
                ("severity", _("Choose how bad it is.")),
            ):
                if not typed.get(name) and name not in self.errors:
                    self.add_error(name, words)
        return typed

    def act(self) -> dict[str, Any]:
        """The fields as the act takes them."""
        fields = dict(self.cleaned_data)
        found = {"outcome": self.outcome, "answer": fields.pop("answer")}
        if incident := fields.pop("incident", None):
            return found | {"incident": incident}
        if self.outcome == INCIDENT:
            fields["seen"] = self.running
        return found | {"fields": fields}
