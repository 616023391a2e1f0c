"""Forms on directories. Admins send them, and the acts decide."""

from datetime import timedelta

from django import forms

from governance import clock
from governance.database.shown_state import OverwritingForm
from governance.models import IdentityProvider
from governance.web.form_fields import DayField
from initiatives.portfolio.units.forms import PlaceField

HALF_A_YEAR = timedelta(days=180)


class KeyForm(forms.Form):
    """The last day of a directory's key."""

    expires_on = DayField(
        label="Key valid until", help_text="Within a year. You can renew the key here later."
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["expires_on"].initial = clock.today() + HALF_A_YEAR

    @property
    def expires_at(self):
        """Return the end of the chosen day."""
        return clock.midnight_after(self.cleaned_data["expires_on"])


class DirectoryForm(KeyForm):
    """A directory that is to keep accounts here."""

    name = forms.CharField(max_length=80, help_text="The name in your organisation, for example Entra ID.")

    provider = forms.ModelChoiceField(
        IdentityProvider.objects.all(),
        required=False,
        empty_label="none",
        label="Identity provider",
        help_text="If you choose a provider, send the id that the provider uses for the person as "
        "externalId. In Entra ID, use the object id. For other providers, use sub.",
    )

    field_order = ["name", "provider", "expires_on"]


class GroupForm(OverwritingForm):
    """The unit that a group proposes for its people."""

    unit = PlaceField(label="Proposes the unit", required=False, empty_label="none")
