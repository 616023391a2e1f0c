"""Validators of passwords, and the form field that takes one."""

import re
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from governance.models import Unit
from governance.vocabulary.readable_text import storable

PRODUCT = "plumbline"
LEFT = 8  # letters that must remain beside such words, as many as a password needs at all
SHORTEST = 4  # letters; shorter words stand in others by chance


def whole(password: str) -> None:
    """Raise ValidationError, without quoting the password, if it holds half of a character."""
    if storable(password) != password:
        raise ValidationError("This contains half of a character. Type it again.", code="half_character")


class PasswordField(forms.CharField):
    """A password or another secret, typed without an echo.

    No one reads it, so it may hold characters that cannot be seen (NIST SP 800-63B). A refusal must not quote it.
    """

    default_validators = [whole]
    widget = forms.PasswordInput

    def __init__(self, *, strip: bool = False, max_length: int = 500, **options):
        super().__init__(strip=strip, max_length=max_length, **options)


def words() -> set[str]:
    """The product, the names of the host in its address, and of the units at the top of the house."""
    names = Unit.objects.filter(parent=None).values_list("name", "code")
    found = {PRODUCT, *re.split(r"[.\W]+", urlsplit(settings.ADDRESS).hostname or "")}
    found |= {word for pair in names for name in pair for word in re.split(r"\W+", name)}
    return {word.casefold() for word in found if len(word) >= SHORTEST}


class NotOnlyHouseWords:
    """Refuses a password that is too short without the words of the house."""

    def validate(self, password: str, user=None) -> None:
        """Raises ValidationError naming the word."""
        rest, used = password.casefold(), ""
        for word in sorted(words(), key=len, reverse=True):
            if word in rest:
                rest, used = rest.replace(word, ""), used or word
        if used and len(rest) < LEFT:
            raise ValidationError(
                f"The password rests on \u201c{used}\u201d, which everybody here would guess; choose other words.",
                code="house_word",
            )

    def get_help_text(self) -> str:
        """For the lists of rules that the framework shows."""
        return (
            "Your password must not rest on the names of the house, such as its company or this application."
        )
