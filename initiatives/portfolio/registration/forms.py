"""The four fields that begin an initiative."""

from typing import cast

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.models import User
from governance.web.form_fields import DayField, OwnUnitField, PersonField, sign_offs_lost
from initiatives.models import BusinessCase, Initiative


class BusinessCaseForm(forms.ModelForm):
    """Money, dates and vendor, as whoever fills it in states them."""

    rows_may_be_empty = True
    go_live_on = DayField(label=_("Go-live"), required=False, help_text=_("When its people plan to use it."))

    class Meta:
        model = BusinessCase
        fields = ("budget", "run_cost", "benefit", "currency", "go_live_on", "vendor", "ticket")
        labels = {
            "budget": _("Budget"),
            "run_cost": _("Run cost a year"),
            "benefit": _("Benefit a year"),
            "ticket": _("Ticket"),
        }
        help_texts = {
            "budget": _("What it may cost until it runs."),
            "benefit": _("What is expected; measured values stand under Adoption."),
            "currency": _("Three letters, for instance EUR."),
            "ticket": _("Its id in your tracker or portfolio."),
        }

    def validate_constraints(self) -> None:
        """What belongs together is said by the act."""


class RegisterForm(forms.Form):
    """Title, unit, problem, owner. `why_new` is asked only when there are similar initiatives."""

    rows_may_be_empty = True  # only why_new, which is needed wherever it is shown
    title = forms.CharField(max_length=200, help_text=_("What people will call it."))
    unit = OwnUnitField(empty_label=_("choose"), help_text=_("Whose problem it solves. Its board decides."))
    problem = forms.CharField(
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Who has it, how often, what it costs today. Two sentences will do."),
    )
    owner = PersonField(
        empty_label=_("choose"),
        help_text=_("A person, never a team. You, or somebody who will be asked to accept."),
    )
    why_new = forms.CharField(
        label=_("Why this is new"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What it does that none of these does."),
    )
    successor_of = forms.CharField(max_length=20, required=False, widget=forms.HiddenInput())

    def __init__(self, *args, person: User, visible, **kwargs):
        super().__init__(*args, **kwargs)
        self.visible = visible
        self.fields["unit"].initial = person.unit_id
        self.fields["owner"].initial = person.pk
        cast(PersonField, self.fields["owner"]).beside = sign_offs_lost()

    def clean_successor_of(self) -> Initiative | None:
        """The initiative this one follows, if the person may see it."""
        ref = self.cleaned_data["successor_of"]
        if not ref:
            return None
        number = ref.removeprefix("AI-")
        found = None
        if number.isascii() and number.isdecimal() and len(number) < 10:
            found = self.visible.filter(number=int(number)).first()
        if found is None:
            raise forms.ValidationError(f"There is no initiative {ref} that you may see.")
        return found
