"""The form of promised performance."""

from django.utils.translation import gettext_lazy as _

from governance.database.shown_state import OverwritingForm
from governance.tables.forms import NumberField, WholeNumberField
from initiatives.interactions.promises.actions import LONGEST


class PromiseForm(OverwritingForm):
    """The promised durations of half and of 95 in 100 calls, and the error share."""

    median = WholeNumberField(
        label=_("Half of the calls return within (milliseconds)"), min_value=1, max_value=LONGEST
    )
    most = WholeNumberField(
        label=_("95 in 100 calls return within (milliseconds)"), min_value=1, max_value=LONGEST
    )
    percent = NumberField(
        percent=True,
        label=_("Maximum number of failed calls per 100 calls"),
        min_value=0,
        max_value=99,
        help_text=_("For example 0.5."),
    )

    def act(self) -> dict:
        """Return the typed values, with errors as a share."""
        said = self.cleaned_data
        return {"median": said["median"], "most": said["most"], "errors": float(said["percent"]) / 100}
