"""Forms of your account: a new password, a request for a link, the first admin."""

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.models import User
from governance.sign_in import throttling
from governance.sign_in.password_validators import PasswordField
from governance.vocabulary.phrases import phrase

# What the validators of the settings ask for, in one breath; each says more where it is not met.
PASSWORD_HELP = (
    "Use at least 8 characters. Do not use a common password, your name or the name of your organisation."
)


def _password(label: str, *, new: bool = True, **options) -> PasswordField:
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password" if new else "current-password"})
    return PasswordField(label=label, widget=widget, **options)


class NewPasswordForm(forms.Form):
    """A new password, twice. `person` is whose it becomes: it may not be like their name."""

    password = _password("New password")
    again = _password("New password again")

    def __init__(self, person: User, *args, **options):
        super().__init__(*args, **options)
        self.person = person
        self.fields["password"].help_text = PASSWORD_HELP

    def clean(self):
        """Both the same, and good enough."""
        cleaned = super().clean()
        check_new(self, self.person)
        return cleaned


class ChangePasswordForm(NewPasswordForm):
    """The same, with the password of now before it."""

    current = _password("Current password", new=False)
    field_order = ("current", "password", "again")


def check_new(form: forms.Form, person: User) -> None:
    """Put on the form what is wrong with its new password."""
    password, again = form.cleaned_data.get("password"), form.cleaned_data.get("again")
    if password is None or again is None:
        return
    if password != again:
        form.add_error("again", "The two passwords differ. Type the same password twice.")
        return
    try:
        validate_password(password, person)
    except ValidationError as wrong:
        form.add_error("password", wrong)


class ResetForm(forms.Form):
    """The request for a new password. `throttled_until` is set if it was refused unread."""

    name = forms.CharField(
        label=_("User name or email address"),
        max_length=254,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )

    def __init__(self, address: str | None, *args, **options):
        super().__init__(*args, **options)
        self.address, self.throttled_until = address, None

    def clean(self):
        """Count the request, for the typed name, known or not, and for its address."""
        cleaned = super().clean()
        if self.errors:
            return cleaned
        self.throttled_until = throttling.enter_try(cleaned["name"], purpose=throttling.RESET) or (
            throttling.enter_try(
                self.address, purpose=throttling.RESET_FROM, most=throttling.TRIES_PER_ADDRESS
            )
            if self.address
            else None
        )
        if self.throttled_until:
            raise forms.ValidationError(
                phrase("Too many requests. Try again at {}.", clock.moment_in_words(self.throttled_until))
            )
        return cleaned


class FirstAdminForm(forms.ModelForm):
    """The account of the first admin."""

    password = _password("Password")
    again = _password("Password again")

    class Meta:
        model = User
        fields = ("login", "full_name", "email")
        labels = {"login": _("User name"), "full_name": _("Your name"), "email": _("Email address")}
        help_texts = {
            "login": _("The name you sign in with. Use letters, digits and . @ + - _ ' # ! ^ ~ &"),
            "full_name": _("Your name as shown on the statements you sign."),
            "email": _("The address for emails from Plumbline."),
        }

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["password"].help_text = PASSWORD_HELP
        self.fields["email"].required = True

    def clean(self):
        """Both passwords the same, and good enough."""
        cleaned = super().clean()
        names = ("login", "full_name", "email")
        check_new(self, User(**{name: cleaned.get(name) or "" for name in names}))
        return cleaned
