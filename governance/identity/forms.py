"""Forms of identity: a provider, a link by an admin, pairs of accounts, your link."""

from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from governance.database.shown_state import OverwritingForm
from governance.identity.proofs.batch_forms import BatchSigningForm
from governance.identity.proofs.demands import Asked
from governance.models import IdentityProvider, User
from governance.models.identity.providers import BreakGlass
from governance.sign_in.forms import Picker
from governance.sign_in.password_validators import PasswordField
from governance.sign_in.signing import SigningForm


class LinkOwnForm(SigningForm):
    """The password of a person who links their account. A provider's proof does not count."""

    @cached_property
    def asked(self) -> Asked:
        """Return the demands of an act, without the linked accounts."""
        return replace(super().asked, links=())

    def signed_there(self) -> bool:
        """Return False, because a signature at another provider links nothing."""
        return False


class TakeOverForm(BatchSigningForm):
    """Reported keys, addresses and names that an admin takes over, and the signature."""

    act = "identity"


class ProviderForm(OverwritingForm, forms.ModelForm):
    """A provider; what is pinned is asked once, and the secret is never shown."""

    secret = PasswordField(
        label=_("Client secret"),
        required=False,
        strip=True,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_(
            "Plumbline stores the secret encrypted and never shows it. Leave this field empty to "
            "keep the present secret."
        ),
    )

    class Meta:
        model = IdentityProvider
        fields = (
            "kind",
            "name",
            "slug",
            "issuer",
            "client_id",
            "authentication",
            "scopes",
            "takes_guests",
            "makes_people",
            "unit_claim",
            "signing_acr",
        )
        labels = {
            "kind": _("Provider type"),
            "name": _("Name on the button"),
            "slug": _("Short name in addresses"),
            "issuer": _("Issuer"),
            "client_id": _("Client id"),
            "authentication": _("Client authentication"),
            "scopes": _("Scopes"),
            "takes_guests": _("Guests of the tenant may sign in"),
            "makes_people": _("Create an account, without a role, at the first sign-in"),
            "unit_claim": _("Claim whose values propose a unit"),
            "signing_acr": _("Strength required for a signature"),
        }
        help_texts = {
            "slug": _(
                "Small letters, digits and hyphens. The name is part of the redirect address, so you cannot "
                "change the name later."
            ),
            "issuer": _(
                "Copy the issuer exactly from the discovery document. You cannot change the issuer later."
            ),
            "takes_guests": _(
                "This setting is only for Entra. Guests are invited accounts of other organisations."
            ),
            "unit_claim": _("For example: roles. If a value is the code of a unit, admins get a proposal."),
            "signing_acr": _(
                "Values of acr (for Entra: acrs, c1 to c99), separated by spaces. The token must have one "
                "of these values. If this field is empty, only a fresh sign-in is required."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, row=kwargs.get("instance"), **kwargs)
        if self.instance.pk:
            for name in ("slug", "issuer"):
                del self.fields[name]
        self.fields["authentication"].initial = IdentityProvider.Authentication.SECRET
        self.order_fields([*list(self.fields)[:5], "authentication", "secret", *list(self.fields)[6:]])

    def clean_issuer(self) -> str:
        """Return the issuer without spaces around it. The act checks it."""
        return self.cleaned_data["issuer"].strip()

    def clean(self) -> dict[str, Any]:
        """Check that there is a secret if one is needed."""
        said = super().clean() or self.cleaned_data
        needs = said.get("authentication") == IdentityProvider.Authentication.SECRET
        if needs and not said.get("secret") and not self.instance.secret_box:
            self.add_error(
                "secret", ValidationError("Enter the secret that the provider made for this client.")
            )
        return said

    def said(self) -> dict[str, Any]:
        """Return the values for the act, with the key claim of a new provider by its kind.

        The key claim is tenant and object for Entra, `sub` for others, never an email address.
        """
        said = {name: value for name, value in self.cleaned_data.items() if name in self.fields}
        if self.instance.pk:
            return said
        claims, entra = IdentityProvider.KeyClaim, said["kind"] == IdentityProvider.Kind.ENTRA
        return said | {"key_claim": claims.TENANT_AND_OBJECT if entra else claims.SUBJECT}


def _people() -> Any:
    return User.objects.active().order_by("full_name", "pk")


class LinkForForm(forms.Form):
    """A link that an admin makes for a person. The link counts a day later."""

    person = forms.ModelChoiceField(User.objects.none(), label=_("Person"), widget=Picker)
    key = forms.CharField(
        label=_("Key at the provider"),
        max_length=300,
        help_text=_("Tenant id/object id for Entra, or the sub of the person for other providers."),
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = _people()  # type: ignore[attr-defined]


class PairForm(forms.Form):
    """Two accounts that may be one person's."""

    person = forms.ModelChoiceField(User.objects.none(), label=_("One account"), widget=Picker)
    other = forms.ModelChoiceField(User.objects.none(), label=_("Another account"), widget=Picker)
    reason = forms.CharField(label=_("Why these accounts may belong to one person"), max_length=300)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name in ("person", "other"):
            self.fields[name].queryset = _people()  # type: ignore[attr-defined]


class BreakGlassForm(forms.Form):
    """An admin to mark."""

    person = forms.ModelChoiceField(User.objects.none(), label=_("Admin"), widget=Picker)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        marked = BreakGlass.objects.values("person")
        self.fields["person"].queryset = (  # type: ignore[attr-defined]
            _people().filter(is_admin=True).exclude(pk__in=marked)
        )


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(label=_("Reason"), max_length=300)
