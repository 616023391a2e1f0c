"""Forms on what an initiative is: details, risk tier."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.vocabulary import Tier
from governance.web.form_fields import WordsField


class RenameForm(forms.Form):
    """Another name, and why."""

    title = forms.CharField(label=_("New name"), max_length=200, help_text=_("What people call it."))
    reason = forms.CharField(
        label=_("Why"), max_length=500, help_text=_("For whoever looks for it under its old name.")
    )


class DetailsForm(forms.Form):
    """Problem, platform and who may read it."""

    problem = WordsField(label=_("Problem"), help_text=_("Who has it, how often, what it costs today."))
    platform = forms.CharField(
        max_length=120,
        required=False,
        help_text=_("The product or platform it is built on, if there is one."),
    )
    confidential = forms.BooleanField(
        label=_("Confidential"),
        required=False,
        help_text=_("Then only its people and its board can open it; nobody else sees that it exists."),
    )
    reason = forms.CharField(
        label=_("Why it changes"), max_length=500, required=False, help_text=_("Stands in the history.")
    )


class TierForm(forms.Form):
    """A risk tier with the worst credible harm. The rulebook's own words tell the tiers apart."""

    tier = forms.ChoiceField(label=_("Risk tier"), widget=forms.RadioSelect)
    worst_credible_harm = WordsField(
        label=_("Worst credible harm"), help_text=_("What could a wrong output do to somebody, at worst?")
    )

    def __init__(self, *args, rulebook, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["tier"].choices = [
            (key, f"{words}: {rulebook.risk_tiers.get(key, '')}") for key, words in Tier.choices
        ]
