"""Forms on receivers of events. Admins send them, and the acts decide."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.events.event_types import EVENT_TYPES
from governance.models import EventReceiver, Unit, User
from governance.sign_in.forms import Picker
from governance.sign_in.password_validators import PasswordField


class ReceiverForm(forms.Form):
    """A receiver of events."""

    name = forms.CharField(label=_("Name"), max_length=80)
    kind = forms.ChoiceField(label=_("Kind"), choices=EventReceiver.Kind.choices)
    address = PasswordField(
        label=_("Address"),
        strip=True,
        max_length=2000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_(
            "An https address. Plumbline stores the address encrypted and shows only its host, because an address "
            "can contain a secret."
        ),
    )
    owner = forms.ModelChoiceField(
        User.objects.filter(is_active=True),
        label=_("Owner"),
        widget=Picker,
        empty_label=_("choose"),
        help_text=_("The person who operates the receiver, or the channel."),
    )
    event_types = forms.MultipleChoiceField(
        label=_("Events"),
        choices=[(name, one.words) for name, one in EVENT_TYPES.items()],
        widget=forms.CheckboxSelectMultiple,
        initial=[name for name, one in EVENT_TYPES.items() if one.in_chat],
    )
    unit = forms.ModelChoiceField(
        Unit.objects.living(),
        label=_("Only the unit"),
        required=False,
        widget=Picker,
        empty_label=_("all units"),
        help_text=_("The units below are included."),
    )
    initiative_ref = forms.CharField(
        label=_("Only the initiative"),
        required=False,
        max_length=20,
        help_text=_("A reference, for example AI-0042. Leave the field empty for all initiatives."),
    )


class EndForm(forms.Form):
    """Why a receiver is ended."""

    reason = forms.CharField(
        label=_("Why"), max_length=500, help_text=_("The reason is kept with the receiver.")
    )
