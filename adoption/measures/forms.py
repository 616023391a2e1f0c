"""Forms of measures and measurements. Shares are typed in percent, and the acts validate the values."""

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from adoption.models.instruments import INSTRUMENTS, Instrument
from adoption.models.measures import BETTER, Goal
from governance.tables.forms import AsTyped, WholeNumberField
from governance.web.form_fields import ListField, OnceForm, WordsField


class FigureField(AsTyped, forms.FloatField):
    """A figure as people type it. A share is typed in percent and kept between 0 and 1."""

    def __init__(self, *, share: bool = False, **options):
        super().__init__(percent=share, **options)

    def to_python(self, value):
        """Return the figure. A share is between 0 and 1."""
        found = super().to_python(value)
        return found / 100 if found is not None and self.percent else found

    def prepare_value(self, value):
        """Return a kept figure as it is typed, in a form that has one reading."""
        return super().prepare_value(value * 100 if self.percent and isinstance(value, float) else value)


class GoalFields(forms.Form):
    """The fields for baseline, target and number of people, for one instrument."""

    def add_goal(self, how: Instrument, goal: Goal | None = None) -> None:
        """Add the fields that this instrument asks for, filled in with a goal."""
        unit = "percent" if how.share else "its unit"
        self.fields["baseline"] = FigureField(
            share=how.share,
            label=gettext("Baseline, in %(unit)s") % {"unit": unit},
            required=how.baseline,
            help_text=_("The figure from the time before the system."),
        )
        self.fields["baseline_n"] = WholeNumberField(
            label=_("Sample size of the baseline"), required=how.baseline, min_value=1, max_value=10**7
        )
        self.fields["target"] = FigureField(
            share=how.share,
            label=gettext("Target, in %(unit)s") % {"unit": unit},
            help_text=_(
                "Set the target before the first measurement. All values of the 95 percent confidence interval "
                "must meet the target."
            ),
        )
        self.fields["intended"] = WholeNumberField(
            label=_("Number of intended users"), min_value=1, max_value=10**7
        )
        if how.blind is not None:
            least = f"{how.blind:.0%}"
            self.fields["bound"] = FigureField(
                share=True,
                label=_("Limit for blind acceptance, in percent"),
                required=False,
                help_text=(
                    gettext(
                        "A value beyond this limit counts against trust. The default is %(least)s. You can "
                        "only set a stricter limit."
                    )
                    % {"least": least}
                ),
            )
        if goal is not None:
            for name in ("baseline", "baseline_n", "target", "intended", "bound"):
                if name in self.fields:
                    self.fields[name].initial = getattr(goal, name)


class InstrumentForm(forms.Form):
    """The form that chooses the instrument."""

    instrument = forms.ChoiceField(
        label=_("Measure"), choices=[(one.key, one.words) for one in INSTRUMENTS.values()]
    )


class DeclareForm(GoalFields, OnceForm):
    """The form for a measure with its baseline and target."""

    def __init__(self, how: Instrument, *args, **options):
        super().__init__(*args, **options)
        self.how = how
        self.fields["words"] = forms.CharField(
            label=_("Definition"), max_length=200, help_text=f"{how.asks}."
        )
        self.fields["population"] = forms.CharField(
            label=_("Group"),
            max_length=200,
            help_text=_("The real users in scope, in your words."),
        )
        self.fields["source"] = forms.CharField(
            label=_("Source"),
            max_length=200,
            help_text=_("For example: application log."),
            initial="Surveys of this initiative" if how.asked_by else "",
        )
        if how.value:
            self.fields["counterfactual"] = WordsField(
                label=_("Compared with"),
                help_text=_("Describe what would have happened without the system, and how you know."),
            )
            self.fields["better"] = forms.ChoiceField(label=_("Better is"), choices=list(BETTER.items()))
        if not how.share and not how.asked_by:
            self.fields["unit"] = forms.CharField(label=_("Unit"), max_length=40, initial=how.unit)
        self.add_goal(how)
        if how.asked_by:
            return
        self.fields["teams"] = ListField(
            label=_("Teams measured separately"),
            required=False,
            help_text=_("Every department in scope is included anyway.")
            if how.weekly
            else _("Leave empty to measure all users together."),
        )


class GoalForm(GoalFields):
    """The form that moves a goal, with the reason."""

    number = forms.IntegerField(widget=forms.HiddenInput)
    reason = WordsField(label=_("Reason"), help_text=_("The page shows the reason beside the figures."))

    def __init__(self, *args, how: Instrument, goal: Goal, **options):
        super().__init__(*args, **options)
        self.add_goal(how, goal)
        self.fields["number"].initial = goal.number
        self.order_fields(["baseline", "baseline_n", "target", "intended", "bound", "reason"])
