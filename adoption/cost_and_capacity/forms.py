"""The filter of cost and capacity: a unit with all below it."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.models import Unit
from governance.sign_in.forms import UnitField


class UnitForm(forms.Form):
    """A unit; left open, everything that the person may see."""

    unit = UnitField(label=_("Unit"), required=False, queryset=Unit.objects.own(), empty_label=_("any"))
