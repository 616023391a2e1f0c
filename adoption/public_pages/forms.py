"""The form that makes or rewords the public page of an initiative."""

from django import forms
from django.utils.translation import gettext_lazy as _

from adoption.public_pages.actions import LONGEST
from governance.web.form_fields import WordsField


class PublicPageForm(forms.Form):
    """The form for the purpose, as the users read it."""

    purpose = WordsField(
        label=_("Purpose"),
        max_length=LONGEST,
        help_text=_("Everyone with the address can read this. Write for the users, and do not name people."),
    )
