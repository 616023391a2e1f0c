"""Forms of catch-up plans: the day of each wave, the wave of each gap, the chair's word, filters of the overview."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.models import Unit
from governance.sign_in.forms import Choices, Picker
from governance.vocabulary import Stage, Tier
from initiatives.catch_up.queries import CLAIMED, STATES
from initiatives.catch_up.waves import WAVES
from initiatives.form_fields import DayField, WordsField

AGREE, SEND_BACK = "agree", "back"


def _day(number: int, *, required: bool) -> DayField:
    return DayField(label=f"Wave {number}: {WAVES[number]}, by", required=required)


class PlanForm(forms.Form):
    """The day of each wave, and for each requirement the wave that it belongs to.

    `asked`: each requirement with its question; `chosen`: the wave proposed for each; `changing`: a plan stands.
    """

    def __init__(
        self, *args, asked: dict[str, str], chosen: dict[str, int], days: dict, changing: bool, **options
    ):
        super().__init__(*args, **options)
        for number in WAVES:
            self.fields[f"day_{number}"] = _day(number, required=number in chosen.values())
            self.fields[f"day_{number}"].initial = days.get(number)
        if changing:
            self.fields["reason"] = WordsField(
                label=_("Why the plan changes"),
                help_text=_("The earlier plan is kept beside it; the board agrees to the new days anew."),
            )
        self.keys = dict(enumerate(asked))
        for place, key in self.keys.items():
            self.fields[f"wave_{place}"] = forms.TypedChoiceField(
                label=asked[key],
                choices=[(number, f"Wave {number}") for number in WAVES],
                coerce=int,
                initial=chosen[key],
                widget=Choices,
            )

    @property
    def head(self) -> list:
        """The fields above the questions."""
        return [field for field in self if not field.name.startswith("wave_")]

    @property
    def questions(self) -> list:
        """One field for each question."""
        return [field for field in self if field.name.startswith("wave_")]

    def plan(self) -> dict:
        """What was chosen, as the act takes it."""
        cleaned = self.cleaned_data
        keys: dict[int, list[str]] = {number: [] for number in WAVES}
        for place, key in self.keys.items():
            keys[cleaned[f"wave_{place}"]].append(key)
        days = {number: cleaned[f"day_{number}"] for number in WAVES}
        return {"keys": keys, "days": days, "reason": cleaned.get("reason", "")}


class AnswerForm(forms.Form):
    """The chair's word on the days of a plan."""

    plan = forms.IntegerField(widget=forms.HiddenInput)
    outcome = forms.ChoiceField(
        label=_("Your word on these dates"),
        choices=[(AGREE, _("Agree to them")), (SEND_BACK, _("Send the plan back"))],
        widget=forms.RadioSelect,
    )
    words = WordsField(
        label=_("What should change"),
        required=False,
        help_text=_("Needed where you send it back; whoever proposed the plan reads it."),
    )


class ManyForm(forms.Form):
    """The day of each wave for many plans at once, with the filter they are proposed over."""

    def __init__(self, *args, days: dict, **options):
        super().__init__(*args, **options)
        for number in WAVES:
            self.fields[f"day_{number}"] = _day(number, required=True)
            self.fields[f"day_{number}"].initial = days[number]

    def days(self) -> dict:
        """The day of each wave."""
        return {number: self.cleaned_data[f"day_{number}"] for number in WAVES}


class OverviewFilter(forms.Form):
    """Which initiatives the overview shows."""

    unit = forms.ModelChoiceField(
        label=_("Unit"), queryset=Unit.objects.living(), required=False, empty_label=_("any"), widget=Picker
    )
    stage = forms.ChoiceField(
        label=_("Claimed stage"),
        choices=[("", _("any")), *[(stage, Stage(stage).label) for stage in CLAIMED]],
        required=False,
        widget=Choices,
    )
    tier = forms.ChoiceField(
        label=_("Risk tier"),
        choices=[("", _("any")), *Tier.choices, ("unset", _("Not confirmed"))],
        required=False,
        widget=Choices,
    )
    plan = forms.ChoiceField(
        label=_("Plan"), choices=[("", _("any")), *STATES.items()], required=False, widget=Choices
    )
    late = forms.BooleanField(label=_("Overdue only"), required=False)
