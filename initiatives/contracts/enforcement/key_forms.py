"""Forms of the systems of an initiative: their keys, a request that is tried, a version that is tried out, the log."""

from datetime import timedelta

from django import forms

from governance import clock
from governance.audit.forms import DayField as OpenDayField
from governance.authorization.decision_queries import Wanted
from governance.models.sign_in import ALERTS, KEY_SCOPES
from governance.sign_in.signing import SigningForm
from governance.vocabulary import DecisionOutcome, Role
from governance.web.form_fields import DayField, PersonField, ReasonForm
from initiatives.contracts.enforcement.code_examples import CODES

USUAL_LIFE = timedelta(days=90)


def _ends(day):
    """The moment a key ends that is good through this day."""
    return clock.midnight_after(day)


class RotateForm(forms.Form):
    """Until when the next key opens."""

    expires_on = DayField(label="Good until", help_text="The last day; within a year.")

    def __init__(self, *args, **options):
        options.setdefault("initial", {"expires_on": clock.today() + USUAL_LIFE})
        super().__init__(*args, **options)

    def act(self) -> dict:
        """The fields as the act takes them."""
        fields = dict(self.cleaned_data)
        return fields | {"expires_at": _ends(fields.pop("expires_on"))}


class KeyForm(RotateForm):
    """A key for one system."""

    system = forms.CharField(
        label="Which system",
        max_length=120,
        help_text="As its people call it, for instance: Reply drafts, test.",
    )
    principal = PersonField(
        label="Responsible person",
        help_text="The person the system acts for. They approve nothing that it asks.",
    )
    scopes = forms.MultipleChoiceField(
        label="What the key is for",
        choices=list(KEY_SCOPES.items()),
        initial=[scope for scope in KEY_SCOPES if scope != ALERTS],
        widget=forms.CheckboxSelectMultiple,
        help_text="A key for alerts alone may stand in an address, for monitoring that sets no headers.",
    )
    field_order = ("system", "principal", "scopes")

    def __init__(self, *args, initiative, scope: str = "", **options):
        """`scope`: the one that whoever opens the form came for, if any."""
        super().__init__(*args, **options)
        if scope in KEY_SCOPES:
            self.fields["scopes"].initial = [scope]
        # Mostly right, and whoever makes a key for the first time need not wonder whom to choose among everybody.
        lead = initiative.roles.in_force().filter(role=Role.TECHNICAL_LEAD).first()
        self.fields["principal"].initial = lead.person_id if lead else None


class TryForm(forms.Form):
    """A request as a system would ask it."""

    subject = forms.CharField(label="Who asks", max_length=220, help_text="As type:id.")
    action = forms.CharField(label="What it wants to do", max_length=100)
    resource = forms.CharField(label="On what", max_length=220, help_text="As type:id.")
    properties = forms.CharField(
        label="Properties",
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One a line: subject.department=Sales, action.amount=5000, context.failure=low_confidence.",
    )


class SwitchForm(SigningForm, ReasonForm):
    """Why the systems are switched off or on, and the signature."""

    act = "switch"


class DrillForm(forms.Form):
    """What the drill shows."""

    covers = forms.MultipleChoiceField(label="What it shows", widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args, rulebook, **options):
        super().__init__(*args, **options)
        self.fields["covers"].choices = [
            (key, asked.question)
            for key, asked in rulebook.requirements.items()
            if "drill_record" in asked.evidence
        ]


class ToldForm(forms.Form):
    """The filters of the log. Nothing is required; what is not understood is said and left out."""

    outcome = forms.ChoiceField(
        label="Outcome", required=False, choices=[("", "any"), *DecisionOutcome.choices]
    )
    code = forms.ChoiceField(
        label="Code", required=False, choices=[("", "any"), *((code, code) for code in CODES)]
    )
    action = forms.CharField(label="Action", required=False, max_length=100)
    subject = forms.CharField(label="Who asked", required=False, max_length=220)
    clause = forms.IntegerField(label="Clause", required=False, min_value=1, max_value=100_000)
    key = forms.TypedChoiceField(label="Key", required=False, coerce=int, empty_value=None)
    since = OpenDayField(label="From")
    until = OpenDayField(label="To")

    def __init__(self, *args, keys, subjects: bool, **options):
        """`keys` are those of the initiative; `subjects`: whether the person may see who asked."""
        super().__init__(*args, **options)
        self.fields["key"].choices = [("", "any"), *((str(key.pk), str(key)) for key in keys)]
        if not subjects:
            del self.fields["subject"]

    @property
    def wanted(self) -> Wanted:
        """What was understood."""
        self.is_valid()
        given = {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}
        if "since" in given:
            given["since"] = clock.midnight_before(given["since"])
        if "until" in given:
            given["until"] = clock.midnight_after(given["until"])
        return Wanted(**given)


class DryRunForm(forms.Form):
    """Which version answers, and the requests of which days."""

    version = forms.TypedChoiceField(label="Version", coerce=int)
    since = DayField(label="Asked from")
    until = DayField(label="To")
    running = forms.BooleanField(label="As if nothing were held or switched off", required=False)

    def __init__(self, *args, versions, **options):
        super().__init__(*args, **options)
        self.fields["version"].choices = [
            (str(one.number), f"Version {one.number}, {one.get_state_display().lower()}") for one in versions
        ]

    def clean(self):
        """A period ends after it begins."""
        given = super().clean()
        if given.get("since") and given.get("until") and given["until"] < given["since"]:
            self.add_error("until", "This day is before the first one.")
        return given
