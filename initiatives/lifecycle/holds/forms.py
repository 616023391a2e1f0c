"""Forms on holds, obligations and gaps."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.web.form_fields import DayField, ListField, PersonField, WordsField
from initiatives.models import Initiative
from initiatives.models.versions import OUTAGE_UNITS


class HoldForm(forms.Form):
    """A concern."""

    reason = WordsField(label=_("What must not go on"), help_text=_("The chair judges it from these words."))


class CompleteForm(forms.Form):
    """A note on an obligation that is completed."""

    note = WordsField(label=_("How it was completed"), required=False)


class ShownByForm(forms.Form):
    """By when an imported initiative shows what its reported stage lacks. A changed day needs its reason."""

    due = DayField(label=_("To be shown by"))

    def __init__(self, *args, changing: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if changing:
            self.fields["reason"] = WordsField(label=_("Why the day changes"))


class ExcuseForm(forms.Form):
    """For a decision on which initiative an obligation may be passed, and why."""

    initiative = forms.ModelChoiceField(
        queryset=None,
        label=_("For the decision on"),
        empty_label=_("choose"),
        error_messages={"required": "Choose the initiative whose decision may pass it."},
        help_text=_(
            "Initiatives with an open review for MVP or production that it holds up, and on which you decide."
        ),
    )
    reason = WordsField(label=_("Why this decision may go on"))

    def __init__(self, *args, initiatives, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["initiative"].queryset = Initiative.objects.filter(
            pk__in=[initiative.pk for initiative in initiatives]
        )
        if len(initiatives) == 1:
            self.fields["initiative"].initial = initiatives[0].pk


class GapForm(forms.Form):
    """Something unresolved that bites downstream."""

    text = WordsField(label=_("What is unresolved"))
    owner = PersonField(label=_("Who owns it"))
    due = DayField(label=_("By when"))
    downstream = ListField(
        label=_("What it touches downstream"),
        required=False,
        help_text=_("Systems or teams, separated by commas."),
    )


class CloseGapForm(forms.Form):
    """Evidence that a gap is closed."""

    evidence = forms.ModelChoiceField(
        queryset=None,
        required=False,
        empty_label=_("none: I own this gap and accept it"),
        help_text=_("Without evidence only the gap's owner closes it, by accepting it."),
    )

    def __init__(self, *args, initiative, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["evidence"].queryset = initiative.evidence.filter(withdrawn_at__isnull=True)


class DependantForm(forms.Form):
    """Who depends on it, for what, how long they can do without it, and who states that."""

    who = forms.CharField(label=_("Team or system"), max_length=160)
    process = forms.CharField(
        label=_("In which process"),
        max_length=160,
        required=False,
        help_text=_("For instance: the weekly payment run."),
    )
    for_what = WordsField(label=_("What stops working there without it"))
    outage = forms.IntegerField(
        label=_("How long they can bear an outage"),
        min_value=0,
        max_value=1000,
        help_text=_("0 for no time at all."),
    )
    unit = forms.ChoiceField(
        label=_("Counted in"), choices=[(name, name) for name in OUTAGE_UNITS], initial="hours"
    )
    executive = PersonField(
        label=_("Who states it"),
        help_text=_("An executive who answers for that work. They are asked to state it in person."),
    )

    def act(self) -> dict:
        """The fields as the act takes them."""
        fields = dict(self.cleaned_data)
        hours = fields.pop("outage") * OUTAGE_UNITS[fields.pop("unit")]
        return fields | {"bearable_outage_hours": hours}
