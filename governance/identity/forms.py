"""Forms of identity: a provider, a link by an admin, pairs of accounts, one's own link."""

from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from governance.identity.proofs.demands import Asked
from governance.models import IdentityProvider, User
from governance.models.identity.providers import BreakGlass
from governance.sign_in.forms import Picker
from governance.sign_in.password_validators import PasswordField
from governance.sign_in.signing import SigningForm


class LinkOwnForm(SigningForm):
    """The password of whoever links their account, for which no other provider stands in."""

    @cached_property
    def asked(self) -> Asked:
        """As for an act, without the accounts that are linked."""
        return replace(super().asked, links=())

    def signed_there(self) -> bool:
        """Never: what was signed at another provider links nothing."""
        return False


class ProviderForm(forms.ModelForm):
    """A provider; what is pinned is asked once, and the secret is never shown."""

    secret = PasswordField(
        label=_("Client secret"),
        required=False,
        strip=True,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Kept encrypted and never shown again. Empty keeps the one there is."),
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
            "kind": _("Which provider"),
            "name": _("Name on the button"),
            "slug": _("Short name in addresses"),
            "issuer": _("Issuer"),
            "client_id": _("Client id"),
            "authentication": _("How the provider knows us"),
            "scopes": _("Scopes"),
            "takes_guests": _("Guests of the tenant may sign in"),
            "makes_people": _("Whoever signs in first gets an account, without any role"),
            "unit_claim": _("Claim whose values propose a unit"),
            "signing_acr": _("Strength that a signature asks for"),
        }
        help_texts = {
            "slug": _("Small letters, digits and hyphens. It stands in the redirect address, and stays."),
            "issuer": _("Copied from the discovery document, to the letter. It is pinned, and stays."),
            "takes_guests": _("Only for Entra: accounts of other organisations that were invited."),
            "unit_claim": _("Such as roles. A value that is the code of a unit is told to admins, no more."),
            "signing_acr": _(
                "Values of acr, for Entra of acrs (c1 to c99), of which the token must name one; spaces between them. "
                "Empty asks for a fresh sign-in alone."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for name in ("slug", "issuer"):
                del self.fields[name]
        self.fields["authentication"].initial = IdentityProvider.Authentication.SECRET
        self.order_fields([*list(self.fields)[:5], "authentication", "secret", *list(self.fields)[6:]])

    def clean_issuer(self) -> str:
        """Without spaces around it; whether it can be pinned the act says."""
        return self.cleaned_data["issuer"].strip()

    def clean(self) -> dict[str, Any]:
        """A new secret where one is needed."""
        said = super().clean() or self.cleaned_data
        needs = said.get("authentication") == IdentityProvider.Authentication.SECRET
        if needs and not said.get("secret") and not self.instance.secret_box:
            self.add_error(
                "secret", ValidationError("Enter the secret that the provider made for this client.")
            )
        return said

    def said(self) -> dict[str, Any]:
        """What the act is told. Of a new provider its kind says what tells people apart: Entra's tenant and object,
        every other's `sub`; never a mail address.
        """
        said = {name: self.cleaned_data[name] for name in self.fields}
        if self.instance.pk:
            return said
        claims, entra = IdentityProvider.KeyClaim, said["kind"] == IdentityProvider.Kind.ENTRA
        return said | {"key_claim": claims.TENANT_AND_OBJECT if entra else claims.SUBJECT}


def _people() -> Any:
    return User.objects.active().order_by("full_name", "pk")


class LinkForForm(forms.Form):
    """A link that an admin makes for somebody; it counts a day later."""

    person = forms.ModelChoiceField(User.objects.none(), label=_("Person"), widget=Picker)
    key = forms.CharField(
        label=_("Key at the provider"),
        max_length=300,
        help_text=_("For Entra tenant id/object id, else the sub of the person."),
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = _people()  # type: ignore[attr-defined]


class PairForm(forms.Form):
    """Two accounts that may be one person's."""

    person = forms.ModelChoiceField(User.objects.none(), label=_("One account"), widget=Picker)
    other = forms.ModelChoiceField(User.objects.none(), label=_("Another account"), widget=Picker)
    reason = forms.CharField(label=_("Why they may be one person's"), max_length=300)

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
