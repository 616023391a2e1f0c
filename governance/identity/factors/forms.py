"""Forms of factors: each is changed only by who shows, at that moment, that it is them."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from governance.identity.factors import codes, freshness
from governance.identity.proofs import provider_tokens
from governance.models import ExternalIdentity
from governance.sign_in import throttling
from governance.sign_in.password_validators import PasswordField
from governance.vocabulary.phrases import phrase

TOO_MANY = "too many"


class FreshForm(forms.Form):
    """A form that needs the password and any code, or a fresh provider sign-in.

    The code is of the person's app. A person without a password signs in again (`freshness`). `purpose`: what for.
    """

    password = PasswordField(
        label=_("Your password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    code = forms.CharField(
        label=_("One-time code"),
        max_length=12,
        help_text=_("The six digits that your authenticator app shows now."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def __init__(self, *args, request, purpose: str, **options):
        super().__init__(*args, **options)
        self.request, self.purpose = request, purpose
        self.by_provider = not request.user.has_usable_password()
        self.fresh = self.by_provider and freshness.by_provider(request)
        if self.by_provider or codes.app_of(request.user) is None:
            del self.fields["code"]
        if self.by_provider:
            del self.fields["password"]
        self.order_fields([name for name in self.fields if name not in ("password", "code")])

    def clean(self):
        """Check the password, then the code, each counted and slowed down."""
        cleaned = super().clean() or self.cleaned_data
        password, code = cleaned.pop("password", None), cleaned.pop("code", None)
        if self.by_provider and not self.fresh:
            ways = " or ".join(str(link.provider) for link in self.ways)
            fix = f"Sign in again at {ways}" if ways else "Ask an admin for a link to set a password"
            self.add_error(
                None, phrase("You have no password in Plumbline. {}. Your account is unchanged.", fix)
            )
        if self.errors or self.fresh:
            return cleaned
        address = throttling.address_of(self.request)
        why = freshness.why_refused(
            self.request.user, password or "", code, purpose=self.purpose, address=address
        )
        if why is not None:
            self.add_error(
                why.field, ValidationError(phrase("{} Your account is unchanged.", why.words), why.code)
            )
        return cleaned

    @property
    def ways(self) -> list[ExternalIdentity]:
        """Return the linked accounts at which a person without a password signs in first."""
        return (
            list(provider_tokens.links_of(self.request.user)) if self.by_provider and not self.fresh else []
        )

    @property
    def status(self) -> int:
        """429 after too many wrong ones, else 200."""
        return (
            429
            if any(self.has_error(name, TOO_MANY) for name in ("password", "code") if name in self.fields)
            else 200
        )


class NameForm(FreshForm):
    """The name of a new passkey."""

    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        help_text=_("A name that you recognise later, for example phone or security key."),
    )
    field_order = ("name", "password", "code")


class FirstCodeForm(FreshForm):
    """The first code of a new app."""

    first = forms.CharField(
        label=_("First code"),
        max_length=12,
        help_text=_("The six digits that the app shows now."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )


class ResetForm(FreshForm):
    """The reason for a reset of a person's factors."""

    reason = forms.CharField(
        label=_("How do you know that the person asked for the reset?"),
        max_length=500,
        help_text=_(
            "The person can read this text, and the audit log keeps it. Example: “I called back on the "
            "number in the directory.”"
        ),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
