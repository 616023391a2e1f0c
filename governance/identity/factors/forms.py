"""Forms of factors: each is changed only by who shows, at that moment, that it is them."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from governance.identity.factors import codes, freshness
from governance.identity.proofs import provider_tokens
from governance.models import ExternalIdentity
from governance.sign_in import throttling
from governance.sign_in.password_validators import PasswordField

TOO_MANY = "too many"


class FreshForm(forms.Form):
    """A form that is valid only with the password, and with the code of an app where there is one; or, where there is
    no password, after a fresh sign-in at an identity provider (`freshness`). `purpose` says in words what for.
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
        """The password, then the code, each counted and slowed down."""
        cleaned = super().clean() or self.cleaned_data
        password, code = cleaned.pop("password", None), cleaned.pop("code", None)
        if self.by_provider and not self.fresh:
            ways = " or ".join(str(link.provider) for link in self.ways)
            fix = f"Sign in anew at {ways}" if ways else "Ask an admin for a link to set one"
            self.add_error(None, f"You have no password here. {fix}. Nothing was changed.")
        if self.errors or self.fresh:
            return cleaned
        address = throttling.address_of(self.request)
        why = freshness.why_refused(
            self.request.user, password or "", code, purpose=self.purpose, address=address
        )
        if why is not None:
            self.add_error(why.field, ValidationError(f"{why.words} Nothing was changed.", why.code))
        return cleaned

    @property
    def ways(self) -> list[ExternalIdentity]:
        """The linked accounts by which somebody without a password shows first that it is them."""
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
    """What a new passkey is called."""

    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        help_text=_("By which you know it again: the phone, the security key."),
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
    """Why somebody's factors are reset."""

    reason = forms.CharField(
        label=_("How you know that they asked for it"),
        max_length=500,
        help_text=_(
            "They read it, and it stays in the audit log: “called back on the number in the directory”."
        ),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
