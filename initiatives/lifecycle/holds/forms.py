"""Forms on holds, obligations and gaps."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.database.shown_state import OverwritingForm
from governance.sign_in.signing import SigningForm
from governance.web.form_fields import DayField, ListField, PersonField, WordsField
from initiatives.models import Gap, Initiative
from initiatives.models.versions import OUTAGE_UNITS


class HoldForm(SigningForm):
    """A concern, and the signature."""

    reason = WordsField(label=_("What must stop?"), help_text=_("The chair uses your text to decide."))


class CompleteForm(forms.Form):
    """A note on an obligation that is completed."""

    note = WordsField(label=_("How was the obligation completed?"), required=False)


class ShownByForm(OverwritingForm):
    """The day by which an imported initiative shows what it lacks. A changed day needs its reason."""

    due = DayField(label=_("Day for the evidence"))

    def __init__(self, *args, changing: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if changing:
            self.fields["reason"] = WordsField(label=_("Reason for the new day"))


class ExcuseForm(forms.Form):
    """The initiative whose decision may pass an obligation, and the reason."""

    initiative = forms.ModelChoiceField(
        queryset=None,
        label=_("For the decision on"),
        empty_label=_("choose"),
        error_messages={"required": "Choose the initiative whose decision you allow."},
        help_text=_(
            "The list contains only initiatives that you decide on. This obligation blocks their MVP or "
            "production review."
        ),
    )
    reason = WordsField(label=_("Reason to allow the decision"))

    def __init__(self, *args, initiatives, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["initiative"].queryset = Initiative.objects.filter(
            pk__in=[initiative.pk for initiative in initiatives]
        )
        if len(initiatives) == 1:
            self.fields["initiative"].initial = initiatives[0].pk


class GapForm(forms.Form):
    """An unresolved point that has effects downstream."""

    text = WordsField(label=_("Known problem"))
    owner = PersonField(label=_("Owner of the gap"))
    due = DayField(label=_("Due on"))
    downstream = ListField(
        label=_("Affected systems or teams"),
        required=False,
        help_text=_("Systems or teams, separated by commas."),
    )


class CloseGapForm(forms.Form):
    """Evidence that a gap is closed. A person who does not own the gap has to name some."""

    evidence = forms.ModelChoiceField(
        queryset=None,
        required=False,
        empty_label=_("none: I own this gap and accept it"),
        help_text=_("Only the gap's owner can close the gap without evidence, by accepting it."),
    )

    def __init__(self, *args, gap: Gap, owns: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if not owns or gap.ended_risk_id is not None:
            self.fields["evidence"].required = True
            self.fields["evidence"].empty_label = _("choose")
        self.fields["evidence"].queryset = gap.initiative.evidence.filter(withdrawn_at__isnull=True)
        if gap.ended_risk_id is not None:
            self.fields["evidence"].help_text = _(
                "The risk seat accepted this risk, and the acceptance ended. The gap's owner cannot "
                "accept the risk."
            )


class DependantForm(forms.Form):
    """The dependant, what it needs, how long it can do without, and its executive."""

    who = forms.CharField(label=_("Team or system"), max_length=160)
    process = forms.CharField(
        label=_("In which process"),
        max_length=160,
        required=False,
        help_text=_("For instance: the weekly payment run."),
    )
    for_what = WordsField(label=_("What stops working there?"))
    outage = forms.IntegerField(
        label=_("Bearable outage"),
        min_value=0,
        max_value=1000,
        help_text=_("If the work cannot bear any outage, enter 0."),
    )
    unit = forms.ChoiceField(
        label=_("Unit of time"), choices=[(name, name) for name in OUTAGE_UNITS], initial="hours"
    )
    executive = PersonField(
        label=_("Executive"),
        help_text=_(
            "An executive who is responsible for that work. Plumbline asks the executive to confirm the "
            "dependence."
        ),
    )

    def act(self) -> dict:
        """Return the fields as the act takes them."""
        fields = dict(self.cleaned_data)
        hours = fields.pop("outage") * OUTAGE_UNITS[fields.pop("unit")]
        return fields | {"bearable_outage_hours": hours}
