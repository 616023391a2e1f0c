"""Forms of samples of outputs: what is drawn, and what is said of one output."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.web.form_fields import DayField
from initiatives.models import OutputSample


class SampleForm(forms.Form):
    """From which days, how many, and which share has to trace."""

    first = DayField(label=_("From"))
    last = DayField(label=_("To"), help_text=_("Yesterday or earlier."))
    wanted = forms.IntegerField(
        label=_("How many outputs"),
        min_value=OutputSample.LEAST,
        max_value=OutputSample.MOST,
        initial=100,
        help_text=_("Where fewer are logged, all of them are drawn."),
    )
    percent = forms.IntegerField(
        label=_("So many in 100 have to trace to a governed source"),
        min_value=50,
        max_value=99,
        initial=90,
        help_text=_("At the lower end of the 95 % interval. It is said before anything is drawn."),
    )

    @property
    def asked(self) -> dict:
        """What was typed, the target as a share."""
        said = self.cleaned_data
        return {name: said[name] for name in ("first", "last", "wanted")} | {"target": said["percent"] / 100}


class JudgementForm(forms.Form):
    """Whether an output follows from the sources that it names."""

    traces_to_it = forms.TypedChoiceField(
        label=_("Does it follow from the sources it names?"),
        coerce=lambda value: value == "yes",
        choices=[("yes", _("It does")), ("no", _("It does not"))],
        widget=forms.RadioSelect,
    )
    words = forms.CharField(
        label=_("Why not"),
        required=False,
        max_length=500,
        help_text=_("It stays in the audit log: do not repeat what people said."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
