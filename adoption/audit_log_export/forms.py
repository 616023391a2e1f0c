"""The forms by which the audit log is asked for."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.web.form_fields import DayField


class ExportForm(forms.Form):
    """The form that asks if the export includes the files of the evidence."""

    with_files = forms.BooleanField(
        label=_("Include the evidence files"),
        required=False,
        help_text=_(
            "Without the files, the export has only their fingerprints. You can use a fingerprint to check "
            "your own copy of a file."
        ),
    )


class DaysForm(ExportForm):
    """The form that asks for the first and the last day, both included."""

    first = DayField(
        label=_("From"), help_text=_("The export has entries that were recorded on or after this day.")
    )
    last = DayField(label=_("To"), help_text=_("The last day is included."))

    field_order = ["first", "last", "with_files"]
