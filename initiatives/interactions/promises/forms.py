"""The form of promised performance."""

from django import forms
from django.utils.translation import gettext_lazy as _

from initiatives.interactions.promises.actions import LONGEST


class PromiseForm(forms.Form):
    """Times of half of the calls and of 95 in 100, and the share that fails at most."""

    median = forms.IntegerField(
        label=_("Half of the calls come back within (milliseconds)"), min_value=1, max_value=LONGEST
    )
    most = forms.IntegerField(
        label=_("95 in 100 come back within (milliseconds)"), min_value=1, max_value=LONGEST
    )
    percent = forms.FloatField(
        label=_("At most so many in 100 fail"),
        min_value=0,
        max_value=99,
        help_text=_("For instance 0.5."),
    )

    @property
    def promised(self) -> dict:
        """What was typed, the share of errors as one."""
        said = self.cleaned_data
        return {"median": said["median"], "most": said["most"], "errors": said["percent"] / 100}
