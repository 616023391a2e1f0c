"""The form that declines a proposal."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.web.form_fields import WordsField


class DeclineForm(forms.Form):
    """A form for the reason to decline."""

    answer = WordsField(label=_("Reason"), help_text=_("The person who proposed the change reads this."))
