"""The one form part by which whoever binds something shows, at that moment, who they are.

A vote, a decision, the approval of a contract, the acceptance of a role, the agreement to a waiver, the kill switch and
a re-attestation use it, so that none of them is easier than another.
"""

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from governance.sign_in import reauthentication, throttling

TOO_MANY = "too many"  # the code of the error that answers 429


class SigningForm(forms.Form):
    """A form that is valid only with the password of whoever sends it, asked for as its last field each time.

    `purpose` says in words what the password is asked for; a wrong one is an entry of the record with these words. It
    is looked at only once everything else is in order, and never stands in `cleaned_data`. Where one button of a form
    binds nothing, the form makes the field optional for it.
    """

    password = forms.CharField(
        label="Your password",
        strip=False,
        help_text="Signing needs it each time.",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args, request: HttpRequest, purpose: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.request, self.purpose = request, purpose
        self.order_fields([name for name in self.fields if name != "password"])

    def clean(self):
        """Everything else first; then the password, counted and slowed down as everywhere."""
        cleaned = super().clean() or self.cleaned_data
        password = cleaned.pop("password", None)
        if not password or self.errors:
            return cleaned
        wrong = reauthentication.why_refused(
            self.request.user,
            password,
            purpose=self.purpose,
            address=throttling.address_of(self.request),
        )
        if wrong:
            code = TOO_MANY if wrong.startswith("Too many") else None
            self.add_error("password", ValidationError(f"{wrong} Nothing was signed.", code))
        return cleaned

    @property
    def status(self) -> int:
        """The HTTP status of the page that shows this form: 429 after too many wrong passwords, else 200."""
        return 429 if self.is_bound and self.has_error("password", TOO_MANY) else 200
