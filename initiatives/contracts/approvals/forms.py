"""The answer to what a system asks."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.web.form_fields import WordsField


class ApprovalForm(forms.Form):
    """Why; needed to refuse."""

    reason = WordsField(
        label=_("Why"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2_000,
        help_text=_("Needed to refuse: the system is told, and its owner reads it."),
    )
