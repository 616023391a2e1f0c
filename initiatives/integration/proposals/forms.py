"""The form of whoever declines a proposal."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.web.form_fields import WordsField


class DeclineForm(forms.Form):
    """Why not."""

    answer = WordsField(label=_("Why not"), help_text=_("Whoever proposed it reads this."))
