"""Forms of incidents: few fields while it burns, the others later. What is wrong with them, the acts say."""

from django import forms
from django.utils.translation import gettext_lazy as _

from adoption.incidents.actions import ROLES
from adoption.models import Incident, ReportingDuty
from adoption.models.incidents import FALLBACKS, SEVERITIES
from governance.contracts.clauses import FAILURES
from governance.web.form_fields import DayField, OnceForm, PersonField, WordsField
from initiatives.models import Initiative, System


class MomentField(forms.DateTimeField):
    """A day and an hour in the configured time zone."""

    def __init__(self, **options):
        options.setdefault(
            "widget", forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        )
        super().__init__(**options)
        self.error_messages["invalid"] = "Give day and hour, for instance 2026-11-20T14:30."


class SystemsField(forms.ModelMultipleChoiceField):
    """Systems that the initiative is linked to."""

    def __init__(self, **options):
        super().__init__(queryset=System.objects.none(), required=False, **options)

    def of(self, initiative: Initiative) -> None:
        """Offer the systems of this initiative."""
        linked = initiative.links.current().values("system")
        self.queryset = System.objects.filter(pk__in=linked).order_by("name", "pk")


def severity_field(**options) -> forms.TypedChoiceField:
    """How bad it is, in words."""
    return forms.TypedChoiceField(
        label=_("How bad is it"),
        choices=list(SEVERITIES.items()),
        coerce=int,
        widget=forms.RadioSelect,
        **options,
    )


class OpenForm(OnceForm):
    """What is needed to open an incident; what is not known yet stays empty."""

    title = forms.CharField(label=_("What went wrong"), max_length=160, help_text=_("In a few words."))
    severity = severity_field(help_text=_("When in doubt, the worse one. It can be corrected."))
    started_at = MomentField(label=_("Since when"), required=False, help_text=_("Left empty: since now."))
    detected_at = MomentField(label=_("Noticed at"), required=False, help_text=_("Left empty: now."))
    words = WordsField(label=_("What is known"), required=False, max_length=4000)
    wrong_output = forms.BooleanField(required=False, label=_("It gave wrong results"))
    fallback = forms.ChoiceField(
        label=_("Its fallback"), choices=list(FALLBACKS.items()), initial="not_used", required=False
    )
    affected_count = forms.IntegerField(
        label=_("How many people it touches"), required=False, min_value=0, max_value=2_000_000_000
    )
    affected_words = forms.CharField(
        label=_("Who they are"), required=False, max_length=250, help_text=_("A group in words, never names.")
    )
    systems = SystemsField(
        label=_("In which systems it lies"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "None ticked: the initiative as a whole. Only evidence that speaks of what is ticked ends."
        ),
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, initiative: Initiative, **options):
        super().__init__(*args, **options)
        self.fields["systems"].of(initiative)
        if not self.fields["systems"].queryset:
            del self.fields["systems"]

    def act(self) -> dict:
        """The fields as the act takes them."""
        typed = dict(self.cleaned_data)
        typed["fallback"] = typed["fallback"] or "not_used"
        typed["seen"] = [int(key) for key in typed["seen"].split(",") if key.isdecimal() and len(key) < 19]
        return typed


class AmendForm(forms.Form):
    """What turned out to be otherwise."""

    words = WordsField(label=_("What is known"), required=False, max_length=4000)
    started_at = MomentField(label=_("Since when"))
    detected_at = MomentField(label=_("Noticed at"))
    wrong_output = forms.BooleanField(required=False, label=_("It gave wrong results"))
    fallback = forms.ChoiceField(label=_("Its fallback"), choices=list(FALLBACKS.items()))
    affected_count = forms.IntegerField(
        label=_("How many people it touches"), required=False, min_value=0, max_value=2_000_000_000
    )
    affected_words = forms.CharField(label=_("Who they are"), required=False, max_length=250)
    systems = SystemsField(label=_("It lies in these systems too"), widget=forms.CheckboxSelectMultiple)

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
        """The fields as the act takes them: what nobody touched keeps its seconds."""
        typed = dict(self.cleaned_data)
        for name in ("started_at", "detected_at"):
            before = getattr(self.incident, name)
            if typed[name] == before.replace(second=0, microsecond=0):
                typed[name] = before
        return typed


class LineForm(forms.Form):
    """A line of the timeline."""

    words = WordsField(label=_("What happened"), max_length=4000, widget=forms.Textarea(attrs={"rows": 2}))
    happened_at = MomentField(label=_("When"), required=False, help_text=_("Left empty: now."))


class StateForm(forms.Form):
    """That it is contained, or resolved."""

    state = forms.ChoiceField(
        label=_("It is"),
        choices=[
            ("contained", _("contained: it does no more harm")),
            ("resolved", _("resolved: it works again")),
        ],
        widget=forms.RadioSelect,
    )
    at = MomentField(label=_("Since when"), required=False, help_text=_("Left empty: since now."))
    words = WordsField(label=_("What was done"), required=False, max_length=4000)


class CloseForm(forms.Form):
    """What came of it."""

    words = WordsField(
        label=_("In a sentence"), max_length=4000, help_text=_("What it was, and what was done.")
    )


class SeverityForm(forms.Form):
    """Another severity."""

    severity = severity_field()
    reason = WordsField(label=_("What showed it"), max_length=4000)


class MergeForm(forms.Form):
    """The older incident that this one is."""

    into = forms.ModelChoiceField(
        queryset=Incident.objects.none(),
        label=_("It is the same as"),
        empty_label=_("choose an older incident"),
    )
    reason = WordsField(label=_("How that is known"), max_length=4000)

    def __init__(self, *args, incident: Incident, **options):
        super().__init__(*args, **options)
        rows = incident.initiative.incidents.unfinished().filter(pk__lt=incident.pk)
        self.fields["into"].queryset = rows.order_by("-pk")


class PartForm(forms.Form):
    """Who has which part."""

    role = forms.ChoiceField(
        label=_("Who"), choices=[(key, words) for key, words in ROLES.items()], widget=forms.RadioSelect
    )
    person = PersonField(required=False, empty_label=_("I do"), label=_("Is"))


class ClockForm(forms.Form):
    """Which clock runs, or that none does."""

    duty = forms.ModelChoiceField(
        queryset=ReportingDuty.objects.none(),
        required=False,
        empty_label=_("nothing has to be reported"),
        label=_("What applies"),
    )
    aware_on = DayField(
        required=False, label=_("Aware of it since"), help_text=_("Left empty: since the day it was noticed.")
    )
    reason = WordsField(
        required=False,
        label=_("If nothing has to be reported: why"),
        help_text=_("Who judged it, and on what ground."),
        max_length=4000,
    )

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        field = self.fields["duty"]
        field.queryset = ReportingDuty.objects.filter(in_use=True)
        field.label_from_instance = lambda duty: f"{duty} ({duty.days} days; {duty.source})"


class MetForm(forms.Form):
    """That it was reported."""

    words = WordsField(
        label=_("What was done"),
        max_length=4000,
        help_text=_(
            "To whom it was reported and under which reference; or why it turned out that it need not be."
        ),
    )


class ClauseForm(forms.Form):
    """Which failure the drafted clause speaks of."""

    failure = forms.ChoiceField(
        label=_("When"), choices=[(key, words) for key, words in FAILURES.items()], widget=forms.RadioSelect
    )
