"""Forms of the moves: withdraw, stop, retire, reopen, step back, accept again."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.sign_in.signing import SigningForm
from governance.web.form_fields import DayField, ReasonForm, WordsField
from initiatives.lifecycle.scope.forms import ScopeForm
from initiatives.lifecycle.stages.actions import STOP_REASONS
from initiatives.models import Initiative


class WithdrawForm(forms.Form):
    """Why an idea is taken out of the list, and the initiative it is joined to."""

    joined_to = forms.CharField(
        label=_("Joined to"),
        max_length=20,
        required=False,
        help_text=_("The reference of the initiative that goes on, for instance AI-0042."),
    )
    reason = WordsField(
        label=_("Why"), required=False, help_text=_("May be left out when it is joined to another.")
    )

    def __init__(self, *args, visible, **kwargs):
        super().__init__(*args, **kwargs)
        self.visible = visible

    def clean_joined_to(self) -> Initiative | None:
        """The initiative with that reference, among those the person may see."""
        ref = self.cleaned_data["joined_to"].strip().upper()
        if not ref:
            return None
        number = ref.removeprefix("AI-")
        found = None
        if number.isascii() and number.isdecimal() and len(number) < 10:
            found = self.visible.filter(number=int(number)).first()
        if found is None:
            raise forms.ValidationError(f"There is no initiative {ref} that you can see.")
        return found


class StopForm(forms.Form):
    """The kind of reason, and a sentence."""

    reason_code = forms.ChoiceField(
        label=_("Reason"), choices=list(STOP_REASONS.items()), widget=forms.RadioSelect
    )
    reason = WordsField(label=_("In a sentence"), help_text=_("What was learned? A no is an answer too."))


class StepBackForm(ScopeForm):
    """Why, how users were told, and the smaller scope."""

    reason = WordsField(label=_("Why the stage is withdrawn"))
    users_told = WordsField(
        label=_("How and when its users were told"), help_text=_("For instance: mail to both teams on 3 May.")
    )
    field_order = ("reason", "users_told")


class ContinueForm(forms.Form):
    """Why it goes on, until when; and the end that was seen, so that a second word on it is told apart."""

    reason = WordsField(
        label=_("Why it goes on"),
        help_text=_("What it still has to find out, and why that is worth the time."),
    )
    until = DayField(label=_("Until"), help_text=_("The last day; then the question is asked again."))
    was = DayField(widget=forms.HiddenInput)


class ReattestForm(SigningForm, ReasonForm):
    """A remark of the chair, and the signature."""

    act = "attestation"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = False
        self.fields["reason"].label = _("Remark")
