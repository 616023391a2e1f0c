"""The form for an answer to a request for approval."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.web.form_fields import WordsField


class ApprovalForm(forms.Form):
    """The reason of an answer, which a refusal needs."""

    reason = WordsField(
        label=_("Why"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2_000,
        help_text=_("Give a reason if you refuse. The system and its owner receive the reason."),
    )
