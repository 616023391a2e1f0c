"""Validators of passwords: none may rest on the names of this product or organisation."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

from governance.models import Unit

PRODUCT = "plumbline"
LEFT = 8  # letters that must remain beside such words, as many as a password needs at all
SHORTEST = 4  # letters; shorter words stand in others by chance


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
