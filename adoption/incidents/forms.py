"""Forms of incidents: few fields at the opening, the others later. The acts validate the values."""

from django import forms
from django.utils.translation import gettext_lazy as _

from adoption.incidents.actions import ROLES
from adoption.models import Incident, ReportingDuty
from adoption.models.incidents import FALLBACKS, SEVERITIES
from governance.contracts.clauses import FAILURES
from governance.database.shown_state import OverwritingForm
from governance.tables.forms import WholeNumberField
from governance.web.form_fields import DayField, OnceForm, PersonField, WordsField
from initiatives.models import Initiative, System


class MomentField(forms.DateTimeField):
    """A day and an hour in the configured time zone."""

    def __init__(self, **options):
        options.setdefault(
            "widget", forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        )
        super().__init__(**options)
        self.error_messages["invalid"] = "Enter day and hour, for example 2026-11-20T14:30."


class SystemsField(forms.ModelMultipleChoiceField):
    """Systems that the initiative is linked to."""

    def __init__(self, **options):
        super().__init__(queryset=System.objects.none(), required=False, **options)

    def of(self, initiative: Initiative) -> None:
        """Offer the systems of this initiative."""
        linked = initiative.links.current().values("system")
        self.queryset = System.objects.filter(pk__in=linked).order_by("name", "pk")


def severity_field(**options) -> forms.TypedChoiceField:
    """Return a field that offers the severities in words."""
    return forms.TypedChoiceField(
        label=_("Severity"),
        choices=list(SEVERITIES.items()),
        coerce=int,
        widget=forms.RadioSelect,
        **options,
    )


class OpenForm(OnceForm):
    """The form that opens an incident. Unknown facts stay empty."""

    title = forms.CharField(label=_("What went wrong?"), max_length=160, help_text=_("In a few words."))
    severity = severity_field(
        help_text=_("If in doubt, choose the worse severity. You can correct it later.")
    )
    started_at = MomentField(
        label=_("Started at"),
        required=False,
        help_text=_("If this field is empty, the time in “Noticed at” is used."),
    )
    detected_at = MomentField(
        label=_("Noticed at"),
        required=False,
        help_text=_("If this field is empty, the current time is used."),
    )
    words = WordsField(label=_("Known facts"), required=False, max_length=4000)
    wrong_output = forms.BooleanField(required=False, label=_("The system gave wrong results"))
    fallback = forms.ChoiceField(
        label=_("Fallback"), choices=list(FALLBACKS.items()), initial="not_used", required=False
    )
    affected_count = WholeNumberField(
        label=_("People affected"), required=False, min_value=0, max_value=2_000_000_000
    )
    affected_words = forms.CharField(
        label=_("Group affected"),
        required=False,
        max_length=250,
        help_text=_("Describe the group. Do not name people."),
    )
    systems = SystemsField(
        label=_("Affected systems"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "If the whole initiative is affected, select no system. Only evidence about the selected "
            "systems is voided."
        ),
    )

    def __init__(self, *args, initiative: Initiative, **options):
        super().__init__(*args, **options)
        self.fields["systems"].of(initiative)
        if not self.fields["systems"].queryset:
            del self.fields["systems"]

    def act(self) -> dict:
        """Return the fields as the act takes them."""
        typed = dict(self.cleaned_data)
        typed["fallback"] = typed["fallback"] or "not_used"
        typed["seen"] = [
            int(key) for key in self.data.get("seen", "").split(",") if key.isdecimal() and len(key) < 19
        ]
        return typed


class AmendForm(OverwritingForm):
    """The form that corrects the known facts."""

    words = WordsField(label=_("Known facts"), required=False, max_length=4000)
    started_at = MomentField(label=_("Started at"))
    detected_at = MomentField(label=_("Noticed at"))
    wrong_output = forms.BooleanField(required=False, label=_("The system gave wrong results"))
    fallback = forms.ChoiceField(label=_("Fallback"), choices=list(FALLBACKS.items()))
    affected_count = WholeNumberField(
        label=_("People affected"), required=False, min_value=0, max_value=2_000_000_000
    )
    affected_words = forms.CharField(label=_("Group affected"), required=False, max_length=250)
    systems = SystemsField(label=_("Also affected systems"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args, incident: Incident, **options):
        names = [name for name in self.base_fields if name != "systems"]
        options.setdefault("initial", {name: getattr(incident, name) for name in names})
        super().__init__(*args, **options)
        field = self.fields["systems"]
        field.of(incident.initiative)
        field.queryset = field.queryset.exclude(pk__in=incident.systems.values("system"))
        if not field.queryset:
            del self.fields["systems"]
        self.incident = incident

    def act(self) -> dict:
        """Return the fields as the act takes them. A moment that no one changed keeps its seconds."""
        typed = dict(self.cleaned_data)
        for name in ("started_at", "detected_at"):
            before = getattr(self.incident, name)
            if typed[name] == before.replace(second=0, microsecond=0):
                typed[name] = before
        return typed


class LineForm(forms.Form):
    """A line of the timeline."""

    words = WordsField(label=_("What happened?"), max_length=4000, widget=forms.Textarea(attrs={"rows": 2}))
    happened_at = MomentField(
        label=_("Time"), required=False, help_text=_("If this field is empty, the current time is used.")
    )


class StateForm(forms.Form):
    """The form that marks an incident as contained or resolved."""

    state = forms.ChoiceField(
        label=_("New status"),
        choices=[
            ("contained", _("contained: no further harm")),
            ("resolved", _("resolved: the system works again")),
        ],
        widget=forms.RadioSelect,
    )
    at = MomentField(
        label=_("Since"), required=False, help_text=_("If this field is empty, the current time is used.")
    )
    words = WordsField(label=_("Action taken"), required=False, max_length=4000)


class CloseForm(forms.Form):
    """The form for the conclusion of an incident."""

    words = WordsField(
        label=_("Conclusion"),
        max_length=4000,
        help_text=_("Describe the cause and the action taken in one sentence."),
    )


class SeverityForm(OverwritingForm):
    """The form for another severity."""

    severity = severity_field()
    reason = WordsField(label=_("Reason"), max_length=4000)


class MergeForm(forms.Form):
    """The form that chooses the older incident to merge into."""

    into = forms.ModelChoiceField(
        queryset=Incident.objects.none(),
        label=_("Duplicate of"),
        empty_label=_("choose an older incident"),
    )
    reason = WordsField(label=_("How do you know?"), max_length=4000)

    def __init__(self, *args, incident: Incident, **options):
        super().__init__(*args, **options)
        rows = incident.initiative.incidents.unfinished().filter(pk__lt=incident.pk)
        self.fields["into"].queryset = rows.order_by("-pk")


class PartForm(forms.Form):
    """The form that gives a person a part."""

    role = forms.ChoiceField(
        label=_("Role"), choices=[(key, words) for key, words in ROLES.items()], widget=forms.RadioSelect
    )
    person = PersonField(required=False, empty_label=_("me"), label=_("Person"))


class ClockForm(forms.Form):
    """The form that chooses a reporting clock, or states that no report is required."""

    duty = forms.ModelChoiceField(
        queryset=ReportingDuty.objects.none(),
        required=False,
        empty_label=_("no report is required"),
        label=_("Duty"),
    )
    aware_on = DayField(
        required=False,
        label=_("Aware since"),
        help_text=_("If this field is empty, the day on which the incident was noticed is used."),
    )
    reason = WordsField(
        required=False,
        label=_("Reason, if no report is required"),
        help_text=_("Name the person who decided that no report is required, and the reason."),
        max_length=4000,
    )

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        field = self.fields["duty"]
        field.queryset = ReportingDuty.objects.filter(in_use=True)
        field.label_from_instance = lambda duty: f"{duty} ({duty.days} days, {duty.source})"


class MetForm(forms.Form):
    """The form for the report that was made."""

    words = WordsField(
        label=_("Report made"),
        max_length=4000,
        help_text=_("The authority and the reference, or the reason why no report was required."),
    )


class ClauseForm(forms.Form):
    """The form that chooses the failure of the drafted clause."""

    failure = forms.ChoiceField(
        label=_("When"), choices=[(key, words) for key, words in FAILURES.items()], widget=forms.RadioSelect
    )
