"""Forms of accepted risks: the request, and the review."""

from datetime import timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.sign_in.signing import SigningForm
from governance.tables.forms import WholeNumberField
from governance.web.form_fields import DayField, WordsField


class RiskRequestForm(forms.Form):
    """A risk with its reason, its last day, and how often it is reviewed."""

    title = forms.CharField(label=_("Risk"), max_length=120, help_text=_("A short name, for the lists."))
    happens = WordsField(label=_("What can happen?"), max_length=2000)
    limits = WordsField(label=_("What limits the risk?"), max_length=2000)
    reason = WordsField(
        label=_("Benefit of taking the risk"),
        max_length=2000,
        help_text=_("The risk seat uses your text to decide."),
    )
    until = DayField(label=_("Until"))
    review_days = WholeNumberField(
        label=_("Reviewed every (days)"),
        min_value=1,
        initial=30,
        help_text=_("If the risk seat misses a review, the acceptance ends and the risk becomes a gap."),
    )

    def __init__(self, *args, earlier, longest: int, **kwargs):
        """Set up the form. `earlier` can be extended, and `longest` is the most days for an acceptance."""
        super().__init__(*args, **kwargs)
        last = clock.today() + timedelta(days=longest)
        self.fields[
            "until"
        ].help_text = f"The acceptance can last at most {longest} days, until {last:%-d %B %Y}."
        if earlier:
            self.fields["extends"] = forms.ModelChoiceField(
                queryset=earlier,
                label=_("Earlier acceptance that this request extends"),
                required=False,
                empty_label=_("none: this risk is new"),
            )


class RiskReviewForm(SigningForm):
    """The facts checked for a risk that is still acceptable, and the signature."""

    looked_at = WordsField(
        label=_("What did you check?"),
        max_length=2000,
        help_text=_("For instance: incidents and reports since the last review."),
    )
