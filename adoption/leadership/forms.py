"""The filters of the leaders' page: a unit with all below it, and the period of what happened on a day."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.audit.forms import DayField as OpenDay
from governance.models import Unit
from governance.sign_in.forms import UnitField


class LeadersForm(forms.Form):
    """A unit, and a period; both may be left open."""

    unit = UnitField(label=_("Unit"), required=False, queryset=Unit.objects.own(), empty_label=_("any"))
    since = OpenDay(label=_("Happened from"))
    until = OpenDay(label=_("until"))

    def clean(self):
        """A period ends after it begins."""
        cleaned = super().clean()
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", "This day is before the first one.")
        return cleaned
