"""Validators of passwords, and the form field that takes one."""

import re
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from governance.models import Unit
from governance.vocabulary.phrases import phrase
from governance.vocabulary.readable_text import storable

PRODUCT = "plumbline"
LEFT = 8  # letters that must remain beside such words, as many as a password needs at all
SHORTEST = 4  # letters; shorter words stand in others by chance


def whole(password: str) -> None:
    """Raise ValidationError, without quoting the password, if it holds half of a character."""
    if storable(password) != password:
        raise ValidationError(
            "The password contains an incomplete character. Type it again.", code="half_character"
        )


class PasswordField(forms.CharField):
    """A password or another secret, typed without an echo.

    No one reads it, so it may hold characters that cannot be seen (NIST SP 800-63B). A refusal must not quote it.
    """

    default_validators = [whole]
    widget = forms.PasswordInput

    def __init__(self, *, strip: bool = False, max_length: int = 500, **options):
        super().__init__(strip=strip, max_length=max_length, **options)


def words() -> set[str]:
    """Return the words of the product, the host's address and the top units."""
    names = Unit.objects.filter(parent=None).values_list("name", "code")
    found = {PRODUCT, *re.split(r"[.\W]+", urlsplit(settings.ADDRESS).hostname or "")}
    found |= {word for pair in names for name in pair for word in re.split(r"\W+", name)}
    return {word.casefold() for word in found if len(word) >= SHORTEST}


class NotOnlyHouseWords:
    """Refuses a password that is too short without the words of the house."""

    def validate(self, password: str, user=None) -> None:
        """Raise ValidationError with the word if little else is left of the password."""
        rest, used = password.casefold(), ""
        for word in sorted(words(), key=len, reverse=True):
            if word in rest:
                rest, used = rest.replace(word, ""), used or word
        if used and len(rest) < LEFT:
            raise ValidationError(
                phrase("The password contains “{}”, which is easy to guess here. Choose other words.", used),
                code="house_word",
            )

    def get_help_text(self) -> str:
        """Return the text for the framework's lists of rules."""
        return (
            "Your password must not contain names such as that of your organisation or of this application."
        )
