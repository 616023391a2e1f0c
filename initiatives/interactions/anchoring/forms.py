"""Forms of samples of outputs: the draw, and the judgement of one output."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.web.form_fields import DayField
from initiatives.models import OutputSample


class SampleForm(forms.Form):
    """The days, the number of outputs, and the share that has to trace."""

    first = DayField(label=_("From"))
    last = DayField(label=_("To"), help_text=_("Yesterday or earlier."))
    wanted = forms.IntegerField(
        label=_("Number of outputs"),
        min_value=OutputSample.LEAST,
        max_value=OutputSample.MOST,
        initial=100,
        help_text=_("If the log has fewer outputs, all are drawn."),
    )
    percent = forms.IntegerField(
        label=_("Target: outputs in 100 that trace to a governed source"),
        min_value=50,
        max_value=99,
        initial=90,
        help_text=_(
            "The lower end of the 95 percent confidence range must reach this target. You cannot change the "
            "target after the sample is drawn."
        ),
    )

    def act(self) -> dict:
        """Return the typed values, with the target as a share."""
        said = self.cleaned_data
        return {name: said[name] for name in ("first", "last", "wanted")} | {"target": said["percent"] / 100}


class JudgementForm(forms.Form):
    """The judgement whether an output follows from the sources that it names."""

    traces_to_it = forms.TypedChoiceField(
        label=_("Does the output follow from the sources that it names?"),
        coerce=lambda value: value == "yes",
        choices=[("yes", _("Yes")), ("no", _("No"))],
        widget=forms.RadioSelect,
    )
    words = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=500,
        help_text=_("The audit log keeps this text. Do not repeat what people wrote."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
