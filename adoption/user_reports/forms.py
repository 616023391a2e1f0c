"""The form that users report problems by, in their language, and those that treat what came by it."""

from django import forms
from django.utils.translation import gettext_lazy as _

from adoption.incidents.forms import SystemsField, severity_field
from adoption.models import Incident, ProblemReport
from adoption.models.signals import EXTENTS, SIGNAL_KINDS
from adoption.user_reports.actions import LONGEST
from initiatives.form_fields import WordsField

HARMS = [
    ("none", _("No")),
    ("time", _("It cost time or money")),
    ("person", _("Somebody was treated wrongly or came to harm")),
    ("unknown", _("I cannot tell")),
]


class ProblemForm(forms.Form):
    """What happened, when, which answer of the AI, whether it harmed anybody, and how to reach whoever reports it."""

    what = forms.CharField(
        label=_("What happened?"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Please say what happened.")},
    )
    happened_on = forms.DateField(
        label=_("On which day?"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    output = forms.CharField(
        label=_("What did the AI say or do?"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("As literally as you can. Leave out names of other people."),
    )
    harm = forms.ChoiceField(
        label=_("Did it do harm?"), choices=HARMS, initial="unknown", widget=forms.RadioSelect
    )
    contact = forms.CharField(
        label=_("How can you be reached?"),
        required=False,
        max_length=250,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_(
            "Only if you want to. It is kept locked: only the chair of the board can open it, has to say why, and the "
            "page with your answer then tells you so. It is deleted ninety days after your report was answered."
        ),
    )
    key = forms.RegexField(r"^[A-Za-z0-9_-]{16,32}$", widget=forms.HiddenInput, required=False)


class TreatForm(forms.Form):
    """The answer that whoever reported it reads."""

    answer = WordsField(
        label="Your answer to whoever reported it",
        max_length=LONGEST,
        help_text="They read it under their link. Say what you do about it.",
    )


class ToSignalForm(TreatForm):
    """What people do, by that report."""

    kind = forms.ChoiceField(
        label="What people do", choices=list(SIGNAL_KINDS.items()), widget=forms.RadioSelect
    )
    group = forms.CharField(max_length=120, help_text="A group, never a person.")
    extent = forms.ChoiceField(
        label="How much of the group", choices=list(EXTENTS.items()), initial="unknown"
    )

    field_order = ["kind", "group", "extent", "answer"]


class ToIncidentForm(TreatForm):
    """The incident that it is: one that runs, where there is any, or a new one."""

    incident = forms.ModelChoiceField(
        queryset=Incident.objects.none(), required=False, empty_label="a new incident", label="It belongs to"
    )
    title = forms.CharField(
        label="What went wrong",
        max_length=160,
        help_text="In a few words.",
        error_messages={"required": "Say what went wrong."},
    )
    severity = severity_field(
        help_text="When in doubt, the worse one. It can be corrected.",
        empty_value=None,
        error_messages={"required": "Choose how bad it is."},
    )
    wrong_output = forms.BooleanField(required=False, label="It gave wrong results")
    systems = SystemsField(
        label="In which systems it lies",
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: the initiative as a whole. Only evidence that speaks of what is ticked ends.",
    )

    field_order = ["incident", "title", "severity", "wrong_output", "systems", "answer"]

    def __init__(self, *args, problem: ProblemReport, **options):
        super().__init__(*args, **options)
        self.running = list(problem.initiative.incidents.running())
        if self.running:
            self.fields["incident"].queryset = problem.initiative.incidents.running()
            for name in ("title", "severity"):
                self.fields[name].required = False
                self.fields[name].help_text = f"For a new one. {self.fields[name].help_text}"
        else:
            del self.fields["incident"]
        self.fields["systems"].of(problem.initiative)
        if not self.fields["systems"].queryset:
            del self.fields["systems"]

    def clean(self):
        """A new one says what and how bad."""
        typed = super().clean()
        if not typed.get("incident"):
            for name, words in (("title", "Say what went wrong."), ("severity", "Choose how bad it is.")):
                if not typed.get(name) and name not in self.errors:
                    self.add_error(name, words)
        return typed

    def act(self) -> dict:
        """The fields as the act takes them."""
        typed = dict(self.cleaned_data)
        if typed.get("incident"):
            return {"incident": typed["incident"], "answer": typed["answer"]}
        typed.pop("incident", None)
        return typed | {"seen": [row.pk for row in self.running]}
