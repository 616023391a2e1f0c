"""A language of our own making: English in accents, a third longer, each text in brackets ⟦like this⟧.

Whatever a page shows outside of the brackets is marked nowhere, and no catalogue could ever translate it.
"""

import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import django
from babel.messages import mofile
from babel.messages.catalog import Catalog

from tests.support.commands.messages import marked_in, sources, vocabulary

CODE, FOLDER = "en-xa", "en_XA"
OPENS, CLOSES = "⟦", "⟧"
ACCENTS = str.maketrans("aceinouyACEINOUY", "áçéíñóúýÁÇÉÍÑÓÚÝ")
# What stays as it is: places for values, elements with their attributes, entities.
KEPT = re.compile(r"(%\(\w+\)[sd]|%[sd%]|\{\w*\}|<[^>]*>|&#?\w+;)")
PATTERNS = ("j F Y",)  # how a date is written: letters that stand for its parts


def pseudo(text: str) -> str:
    """The text in accents and brackets; words to choose from (`yes,no`) each by itself, a date's pattern as it is."""
    if not text.strip() or text in PATTERNS:
        return text
    if re.search(r",(?=\S)", text) and ", " not in text and "<" not in text:
        return ",".join(pseudo(part) if part else "" for part in text.split(","))
    parts = KEPT.split(text)
    said = "".join(part if KEPT.fullmatch(part) else part.translate(ACCENTS) for part in parts)
    letters = sum(len(part) for part in parts if not KEPT.fullmatch(part))
    longer = " ".join(["öö" * 4] * (letters // 24) + ["ö" * (letters % 24 // 3)])
    return f"{OPENS}{said}{' ' if longer.strip() else ''}{longer.strip()}{CLOSES}"


def djangos_own() -> Iterator[str]:
    """What Django itself says on forms and in accounts, by the keys of one of its catalogues."""
    for place in ("conf", "contrib/auth"):
        path = Path(django.__file__).parent / place / "locale/de/LC_MESSAGES/django.mo"
        with path.open("rb") as file:
            yield from (key for key in gettext.GNUTranslations(file)._catalog if isinstance(key, str))


def write(folder: Path) -> None:
    """The compiled catalogue, where Django looks for it once `folder` is one of LOCALE_PATHS."""
    catalogue = Catalog(locale="en")
    for key in djangos_own():
        if key and "\x04" not in key:
            catalogue.add(key, pseudo(key))
    for name in sources():
        for text, context in marked_in(name):
            said = tuple(pseudo(one) for one in text) if isinstance(text, tuple) else pseudo(text)
            catalogue.add(text, said, context=context)
    for word in sorted(vocabulary()):
        catalogue.add(word, pseudo(word))
    place = folder / FOLDER / "LC_MESSAGES"
    place.mkdir(parents=True)
    with (place / "django.mo").open("wb") as file:
        mofile.write_mo(file, catalogue)
