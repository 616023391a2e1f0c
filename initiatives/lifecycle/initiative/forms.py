"""Forms on the description of an initiative: details, risk tier."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.database.shown_state import OverwritingForm
from governance.sign_in.signing import SigningForm
from governance.vocabulary import Tier
from governance.web.form_fields import ReasonForm, WordsField


class DetailsForm(OverwritingForm):
    """Title, problem, platform and readers of an initiative."""

    title = forms.CharField(max_length=200, help_text=_("Enter the name that people will use."))
    problem = WordsField(
        label=_("Problem"),
        help_text=_("Describe who is affected, how often, and what the problem costs today."),
    )
    platform = forms.CharField(
        max_length=120,
        required=False,
        help_text=_("The product or platform on which the initiative is built, if any."),
    )
    confidential = forms.BooleanField(
        label=_("Confidential"),
        required=False,
        help_text=_("Only people on the initiative and its board can see or open it."),
    )
    reason = forms.CharField(
        label=_("Reason for the change"),
        max_length=500,
        required=False,
        help_text=_("Fill in this field if you change the title."),
    )


class TierForm(OverwritingForm):
    """A risk tier with the worst credible harm. The words of the rulebook distinguish the tiers."""

    tier = forms.ChoiceField(label=_("Risk tier"), widget=forms.RadioSelect)
    worst_credible_harm = WordsField(
        label=_("Worst credible harm"),
        help_text=_("What is the worst that a wrong output could do to someone?"),
    )

    def __init__(self, *args, rulebook, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["tier"].choices = [
            (key, f"{words}: {rulebook.risk_tiers.get(key, '')}") for key, words in Tier.choices
        ]


class RefuseTierForm(SigningForm, ReasonForm):
    """The proposed tier as it was shown, the reason against it, and the signature."""

    act = "tier"
    tier = forms.CharField(widget=forms.HiddenInput, max_length=20)


class ConfirmTierForm(SigningForm):
    """The tier and the number of the scope as they were shown, and the signature."""

    act = "tier"
    tier = forms.CharField(widget=forms.HiddenInput, max_length=20)
    scope = forms.IntegerField(widget=forms.HiddenInput, min_value=0, required=False)
