"""Forms of the moves: withdraw, stop, retire, reopen, step back, accept again."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.sign_in.signing import SigningForm
from governance.templatetags.plumbline import stage_word
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import DayField, ReasonForm, WordsField
from initiatives.lifecycle.scope.forms import ScopeForm
from initiatives.lifecycle.stages.actions import STOP_REASONS
from initiatives.models import Initiative


class WithdrawForm(forms.Form):
    """The reason to withdraw an idea, and the initiative it is joined to."""

    joined_to = forms.CharField(
        label=_("Joined to"),
        max_length=20,
        required=False,
        help_text=_("The reference of the initiative that continues, for example AI-0042."),
    )
    reason = WordsField(
        label=_("Why"), required=False, help_text=_("Not needed if the initiative is joined to another.")
    )

    def __init__(self, *args, visible, **kwargs):
        super().__init__(*args, **kwargs)
        self.visible = visible

    def clean_joined_to(self) -> Initiative | None:
        """Return the initiative with that reference, among those the person may see."""
        ref = self.cleaned_data["joined_to"].strip().upper()
        if not ref:
            return None
        number = ref.removeprefix("AI-")
        found = None
        if number.isascii() and number.isdecimal() and len(number) < 10:
            found = self.visible.filter(number=int(number)).first()
        if found is None:
            raise forms.ValidationError(
                phrase("The initiative {} does not exist, or you cannot see it. Check the reference.", ref)
            )
        return found


class StageForm(SigningForm, ReasonForm):
    """The reason of an act on the stage, and the signature."""

    act = "stage"


class StopForm(SigningForm):
    """The kind of reason, a sentence, and the signature."""

    act = "stage"

    reason_code = forms.ChoiceField(
        label=_("Reason"), choices=list(STOP_REASONS.items()), widget=forms.RadioSelect
    )
    reason = WordsField(
        label=_("In a sentence"),
        help_text=_("What was learned? You can also write that the idea did not work."),
    )


class StepBackForm(SigningForm, ScopeForm):
    """The lower stage, reason, message to users, smaller scope, and signature."""

    act = "stage"
    target = forms.ChoiceField(label=_("Demote to"), widget=forms.RadioSelect)
    reason = WordsField(label=_("Reason for withdrawing the stage"))
    users_told = WordsField(
        label=_("How and when were its users told?"),
        help_text=_("For instance: email to both teams on 3 May."),
    )
    field_order = ("target", "reason", "users_told")

    def __init__(self, *args, lower: list[str], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["target"].choices = [(stage, stage_word(stage)) for stage in lower]
        if len(lower) == 1:
            del self.fields["target"]


class ContinueForm(SigningForm):
    """The reason to continue, the new end, the end seen, and the signature."""

    act = "stage"
    reason = WordsField(
        label=_("Reason to continue"),
        help_text=_("Describe what the initiative still has to find out, and why this is worth the time."),
    )
    until = DayField(label=_("Until"), help_text=_("The last day. Then the chair decides again."))
    was = DayField(widget=forms.HiddenInput)


class ReattestForm(SigningForm, ReasonForm):
    """A remark of the chair, and the signature."""

    act = "attestation"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = False
        self.fields["reason"].label = _("Remark")
