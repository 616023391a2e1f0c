"""Forms of API access: keys, a trial request, the switch, the log, a dry run."""

from datetime import timedelta

from django import forms
from django.utils.translation import gettext_lazy

from governance import clock
from governance.audit.forms import DayField as OpenDayField
from governance.authorization.decision_queries import Wanted
from governance.models.sign_in import ALERTS, DEPLOYMENTS, KEY_SCOPES
from governance.sign_in.signing import SigningForm
from governance.tables.forms import WholeNumberField
from governance.vocabulary import DecisionOutcome, Role
from governance.web.form_fields import DayField, PersonField, ReasonForm
from initiatives.contracts.enforcement.code_examples import CODES

USUAL_LIFE = timedelta(days=90)


def _ends(day):
    """Return the moment at which a key ends that is valid through this day."""
    return clock.midnight_after(day)


class RotateForm(forms.Form):
    """The expiry of the next key."""

    expires_on = DayField(
        label=gettext_lazy("Expires on"), help_text=gettext_lazy("The last day, at most a year from today.")
    )

    def __init__(self, *args, **options):
        options.setdefault("initial", {"expires_on": clock.today() + USUAL_LIFE})
        super().__init__(*args, **options)

    def act(self) -> dict:
        """Return the fields as the act takes them."""
        fields = dict(self.cleaned_data)
        return fields | {"expires_at": _ends(fields.pop("expires_on"))}


class PrincipalForm(forms.Form):
    """Another person who is responsible for a key."""

    principal = PersonField(
        label=gettext_lazy("Responsible person"),
        help_text=gettext_lazy("The person that the system acts for. This person cannot approve its calls."),
    )


class KeyForm(RotateForm, PrincipalForm):
    """A key for one system."""

    system = forms.CharField(
        label=gettext_lazy("System"),
        max_length=120,
        help_text=gettext_lazy("The name that people use for the system, for example: Reply drafts, test."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Purpose of the key"),
        choices=list(KEY_SCOPES.items()),
        initial=[scope for scope in KEY_SCOPES if scope not in (ALERTS, DEPLOYMENTS)],
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "If your monitoring cannot set headers, put a key that is only for alerts into the address."
        ),
    )
    field_order = ("system", "principal", "scopes")

    def __init__(self, *args, initiative, scope: str = "", **options):
        """Preselect `scope`, the scope that the link to the form names, if any."""
        super().__init__(*args, **options)
        if scope in KEY_SCOPES:
            self.fields["scopes"].initial = [scope]
        # The lead is mostly right, so a first key needs no search among all people.
        lead = initiative.roles.in_force().filter(role=Role.TECHNICAL_LEAD).first()
        self.fields["principal"].initial = lead.person_id if lead else None


class TryForm(forms.Form):
    """A request as a system would send it."""

    subject = forms.CharField(
        label=gettext_lazy("Subject"), max_length=220, help_text=gettext_lazy("Use type:id.")
    )
    action = forms.CharField(label=gettext_lazy("Action"), max_length=100)
    resource = forms.CharField(
        label=gettext_lazy("Resource"), max_length=220, help_text=gettext_lazy("Use type:id.")
    )
    properties = forms.CharField(
        label=gettext_lazy("Properties"),
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=(
            gettext_lazy(
                "Write one property on each line: subject.department=Sales, action.amount=5000, "
                "context.failure=low_confidence."
            )
        ),
    )


class SwitchForm(SigningForm, ReasonForm):
    """The reason to switch the systems off or on, and the signature."""

    act = "switch"


class DrillForm(forms.Form):
    """The requirements that the drill covers."""

    covers = forms.MultipleChoiceField(
        label=gettext_lazy("Requirements that the drill shows"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args, rulebook, **options):
        super().__init__(*args, **options)
        self.fields["covers"].choices = [
            (key, asked.question)
            for key, asked in rulebook.requirements.items()
            if "drill_record" in asked.evidence
        ]


class ToldForm(forms.Form):
    """The filters of the log. All are optional. The page names and ignores invalid ones."""

    outcome = forms.ChoiceField(
        label=gettext_lazy("Outcome"), required=False, choices=[("", "any"), *DecisionOutcome.choices]
    )
    code = forms.ChoiceField(
        label=gettext_lazy("Code"), required=False, choices=[("", "any"), *((code, code) for code in CODES)]
    )
    action = forms.CharField(label=gettext_lazy("Action"), required=False, max_length=100)
    subject = forms.CharField(label=gettext_lazy("Subject"), required=False, max_length=220)
    resource = forms.CharField(label=gettext_lazy("Resource"), required=False, max_length=220)
    clause = WholeNumberField(label=gettext_lazy("Clause"), required=False, min_value=1, max_value=100_000)
    key = forms.TypedChoiceField(label=gettext_lazy("Key"), required=False, coerce=int, empty_value=None)
    since = OpenDayField(label=gettext_lazy("From"))
    until = OpenDayField(label=gettext_lazy("To"))

    def __init__(self, *args, keys, subjects: bool, **options):
        """Take the `keys` of the initiative. `subjects` is True if the person may see who asked."""
        super().__init__(*args, **options)
        self.fields["key"].choices = [("", "any"), *((str(key.pk), str(key)) for key in keys)]
        if not subjects:
            del self.fields["subject"], self.fields["resource"]

    @property
    def wanted(self) -> Wanted:
        """Return the valid filters."""
        self.is_valid()
        given = {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}
        if "since" in given:
            given["since"] = clock.midnight_before(given["since"])
        if "until" in given:
            given["until"] = clock.midnight_after(given["until"])
        return Wanted(**given)


class DryRunForm(forms.Form):
    """The version that answers, and the days of the requests."""

    version = forms.TypedChoiceField(label=gettext_lazy("Version"), coerce=int)
    since = DayField(label=gettext_lazy("Asked from"))
    until = DayField(label=gettext_lazy("To"))
    running = forms.BooleanField(label=gettext_lazy("Ignore holds and the kill switch"), required=False)

    def __init__(self, *args, versions, **options):
        super().__init__(*args, **options)
        self.fields["version"].choices = [
            (str(one.number), f"Version {one.number}, {one.get_state_display().lower()}") for one in versions
        ]

    def clean(self):
        """Check that the period ends after it begins."""
        given = super().clean()
        if given.get("since") and given.get("until") and given["until"] < given["since"]:
            self.add_error("until", "The last day is before the first day. Correct one of the days.")
        return given
