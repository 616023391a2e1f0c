"""The forms by which the audit log is asked for."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.web.form_fields import DayField


class ExportForm(forms.Form):
    """Whether the files of the evidence come with it."""

    with_files = forms.BooleanField(
        label=_("Put the files of the evidence in"),
        required=False,
        help_text=_(
            "Without them the export holds their fingerprints, by which files that you have are checked."
        ),
    )


class DaysForm(ExportForm):
    """From which day to which, both included."""

    first = DayField(label=_("From"), help_text=_("The first day on which it was recorded."))
    last = DayField(label=_("To"), help_text=_("The last day, included."))

    field_order = ["first", "last", "with_files"]
