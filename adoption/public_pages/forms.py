"""The form that makes the public page of an initiative, and words it anew."""

from django import forms
from django.utils.translation import gettext_lazy as _

from adoption.public_pages.actions import LONGEST
from governance.web.form_fields import WordsField


class PublicPageForm(forms.Form):
    """What it is for, as its users read it."""

    purpose = WordsField(
        label=_("What it is for"),
        max_length=LONGEST,
        help_text=_("Anybody with the address reads this: write it for those who use it, and name nobody."),
    )
