"""The four fields that begin an initiative."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.database.shown_state import OverwritingForm
from governance.models import User
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import DayField, OwnUnitField, PersonField, sign_offs_lost
from initiatives.models import BusinessCase, Initiative
from initiatives.portfolio.registration.actions import check_business_case


class BusinessCaseForm(OverwritingForm, forms.ModelForm):
    """Money, dates and vendor, as a person states them."""

    rows_may_be_empty = True
    go_live_on = DayField(
        label=_("Go-live"), required=False, help_text=_("The day on which people plan to use it.")
    )

    class Meta:
        model = BusinessCase
        fields = ("budget", "run_cost", "benefit", "currency", "go_live_on", "vendor", "ticket")
        labels = {
            "budget": _("Budget"),
            "run_cost": _("Running cost a year"),
            "benefit": _("Benefit a year"),
            "ticket": _("Ticket"),
        }
        help_texts = {
            "budget": _("Planned cost until go-live."),
            "benefit": _("Expected benefit. Adoption shows the measured values."),
            "currency": _("Three letters, for example EUR."),
            "ticket": _("The id in your tracker or portfolio."),
        }

    def clean(self) -> dict[str, Any]:
        """Check amounts and currency at their fields, before the constraints of the model."""
        said = super().clean() or self.cleaned_data
        try:
            check_business_case(BusinessCase(**said))
        except forms.ValidationError as wrong:
            for name in wrong.error_dict.keys() - self.errors.keys():
                self.add_error(name, wrong.error_dict[name])
        return said

    def act(self) -> dict[str, dict]:
        """Return what was stated, for the act."""
        return {"said": self.cleaned_data}


class RegisterForm(forms.Form):
    """Title, unit, problem, owner."""

    title = forms.CharField(max_length=200, help_text=_("Enter the name that people will use."))
    unit = OwnUnitField(
        empty_label=_("choose"), help_text=_("The unit with the problem. The board of the unit decides.")
    )
    problem = forms.CharField(
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Describe who is affected, how often, and what the problem costs today."),
    )
    owner = PersonField(
        empty_label=_("choose"),
        help_text=_("Name one person, not a team. The person must accept."),
    )
    successor_of = forms.CharField(max_length=20, required=False, widget=forms.HiddenInput())

    def __init__(self, *args, person: User, visible, **kwargs):
        super().__init__(*args, **kwargs)
        self.visible = visible
        self.fields["unit"].initial = person.unit_id
        self.fields["owner"].initial = person.pk
        cast(PersonField, self.fields["owner"]).beside = sign_offs_lost()

    def clean_successor_of(self) -> Initiative | None:
        """Return the initiative that this one follows, if the person may see it."""
        ref = self.cleaned_data["successor_of"]
        if not ref:
            return None
        number = ref.removeprefix("AI-")
        found = None
        if number.isascii() and number.isdecimal() and len(number) < 10:
            found = self.visible.filter(number=int(number)).first()
        if found is None:
            raise forms.ValidationError(phrase("You cannot see an initiative {}, or it does not exist.", ref))
        return found


class OtherForm(forms.Form):
    """Another initiative by its number, neither confidential nor withdrawn."""

    other = forms.ModelChoiceField(
        queryset=Initiative.objects.none(), to_field_name="number", widget=forms.HiddenInput
    )

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        cast(forms.ModelChoiceField, self.fields["other"]).queryset = Initiative.objects.told()
