"""Forms of measures and measurements: shares are typed in percent; what is wrong with what was typed, the acts say."""

from django import forms
from django.utils.translation import gettext_lazy as _

from adoption.models.instruments import INSTRUMENTS, Instrument
from adoption.models.measures import BETTER, Goal
from governance.web.form_fields import ListField, OnceForm, WordsField


class FigureField(forms.FloatField):
    """A figure, with a point or a comma; in percent where it is a share, kept as a share."""

    def __init__(self, *, share: bool = False, **options):
        self.share = share
        attrs = {"inputmode": "decimal", "autocomplete": "off"}
        super().__init__(widget=forms.TextInput(attrs=attrs), **options)
        self.error_messages["invalid"] = "Give a number, for instance 12.5 or 12,5."

    def to_python(self, value):
        """The figure; a share between 0 and 1."""
        found = super().to_python(value.replace(",", ".").strip(" %") if isinstance(value, str) else value)
        return found / 100 if found is not None and self.share else found

    def prepare_value(self, value):
        """A kept share, as it is typed."""
        if self.share and isinstance(value, float):
            return f"{value * 100:.10g}"
        return f"{value:.10g}" if isinstance(value, float) else value


class GoalFields(forms.Form):
    """Baseline, target and how many people, for one instrument."""

    def add_goal(self, how: Instrument, goal: Goal | None = None) -> None:
        """Add the fields that this instrument asks for, filled in with a goal."""
        unit = "percent" if how.share else "its unit"
        self.fields["baseline"] = FigureField(
            share=how.share,
            label=f"Baseline, in {unit}",
            required=how.baseline,
            help_text=_("What it was before, without the system."),
        )
        self.fields["baseline_n"] = forms.IntegerField(
            label=_("Read from how many"), required=how.baseline, min_value=1, max_value=10**7
        )
        self.fields["target"] = FigureField(
            share=how.share,
            label=f"Target, in {unit}",
            help_text=_("Stated before the first measurement. The whole 95 % interval has to reach it."),
        )
        self.fields["intended"] = forms.IntegerField(
            label=_("How many people it is meant for"), min_value=1, max_value=10**7
        )
        if how.blind is not None:
            least = f"{how.blind:.0%}"
            self.fields["bound"] = FigureField(
                share=True,
                label=_("Bound of blind acceptance, in percent"),
                required=False,
                help_text=f"From here on it counts against trust. Left empty: {least}; a stricter one counts.",
            )
        if goal is not None:
            for name in ("baseline", "baseline_n", "target", "intended", "bound"):
                if name in self.fields:
                    self.fields[name].initial = getattr(goal, name)


class InstrumentForm(forms.Form):
    """Which instrument."""

    instrument = forms.ChoiceField(
        label=_("What is measured"), choices=[(one.key, one.words) for one in INSTRUMENTS.values()]
    )


class DeclareForm(GoalFields, OnceForm):
    """A measure with its baseline and target."""

    def __init__(self, how: Instrument, *args, **options):
        super().__init__(*args, **options)
        self.how = how
        self.fields["words"] = forms.CharField(
            label=_("What exactly"), max_length=200, help_text=f"{how.asks}."
        )
        self.fields["population"] = forms.CharField(
            label=_("Whom it is about"),
            max_length=200,
            help_text=_("The real users in scope, in your words."),
        )
        self.fields["source"] = forms.CharField(
            label=_("Where the figures come from"),
            max_length=200,
            help_text=_("For instance: log of the application."),
            initial="Surveys of this initiative" if how.asked_by else "",
        )
        if how.value:
            self.fields["counterfactual"] = WordsField(
                label=_("Compared with what"),
                help_text=_("What would have happened without the system, and how you know."),
            )
            self.fields["better"] = forms.ChoiceField(label=_("Better is"), choices=list(BETTER.items()))
        if not how.share and not how.asked_by:
            self.fields["unit"] = forms.CharField(label=_("Unit"), max_length=40, initial=how.unit)
        self.add_goal(how)
        if how.asked_by:
            return
        self.fields["teams"] = ListField(
            label=_("Teams to be read one by one"),
            required=False,
            help_text=_("Every department in scope is asked for anyway.")
            if how.weekly
            else _("Left empty, the users are read as one."),
        )


class GoalForm(GoalFields):
    """A goal that moves, and why."""

    number = forms.IntegerField(widget=forms.HiddenInput)
    reason = WordsField(
        label=_("Why it moves"), help_text=_("It stands beside the figures for as long as they do.")
    )

    def __init__(self, how: Instrument, goal: Goal, *args, **options):
        super().__init__(*args, **options)
        self.add_goal(how, goal)
        self.fields["number"].initial = goal.number
        self.order_fields(["baseline", "baseline_n", "target", "intended", "bound", "reason"])
