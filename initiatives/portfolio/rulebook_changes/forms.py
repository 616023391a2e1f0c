"""Forms of a rulebook's draft: its text, its forecasts, and its publication."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.models import Rulebook
from governance.sign_in.forms import RulebookForm
from governance.sign_in.signing import SigningForm
from governance.vocabulary import TakesEffect
from governance.web.form_fields import DayField
from initiatives.lifecycle.facts.rulebook_in_effect import LATEST_DAYS, LATEST_DAYS_HIGH


class CopyForm(forms.Form):
    """The version to copy, and the name of the next one."""

    base = forms.ModelChoiceField(
        label=_("Start from"),
        queryset=Rulebook.objects.order_by("-id"),
        to_field_name="version",
        empty_label=None,
    )
    version = forms.CharField(
        label=_("Name of the next version"),
        max_length=40,
        help_text=_(
            "Letters, digits and the signs . - _, for example 1.1. The name becomes part of a web "
            "address, so use only these characters."
        ),
    )


class TextForm(RulebookForm):
    """The whole text of a draft, typed or as a file."""

    based_on = forms.IntegerField(widget=forms.HiddenInput)


class ForecastForm(forms.Form):
    """When a rulebook would be published, and until when what falls could be fixed."""

    day = DayField(label=_("Published on"), required=False, help_text=_("Choose today or a future day."))
    grace_until = DayField(
        label=_("Fix by"),
        required=False,
        help_text=_(
            "The last day to restore a supported stage that falls. If empty, the number of "
            "days in the rulebook applies."
        ),
    )

    def __init__(self, *args, **options):
        super().__init__(*args, **{"initial": {"day": clock.today()}} | options)


class PublishForm(SigningForm):
    """The start of a rulebook, the last day to restore support, and the signature. It names the forecast seen."""

    act = "rulebook"

    takes_effect = forms.ChoiceField(
        label=_("Start of the new rulebook"),
        choices=TakesEffect.choices,
        required=False,
        initial=TakesEffect.CASE_BY_CASE,
        widget=forms.RadioSelect,
        help_text=f"Case by case: from the next gate or re-attestation of each initiative, at the latest in "
        f"{LATEST_DAYS} days ({LATEST_DAYS_HIGH} days at high risk). The earlier version applies until then. Each "
        "initiative also shows its result under the new version.",
    )
    effective_on = DayField(
        label=_("First day"),
        required=False,
        help_text=_("Fill in this field only if you chose “On a day” above."),
    )
    grace_until = DayField(
        label=_("Last day to restore support"),
        required=False,
        help_text=_(
            "Fill in this field only if the rulebook starts immediately. Owners must restore the support "
            "by this day. If empty, the number of days in the rulebook applies."
        ),
    )
    seen = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
    outcome = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args, affects_initiatives: bool = True, **signing):
        super().__init__(*args, **signing)
        if not affects_initiatives:
            for name in ("takes_effect", "effective_on", "grace_until"):
                self.fields[name].widget = forms.HiddenInput()
