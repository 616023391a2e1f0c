"""Bring what is marked for translation into the catalogue of a language: `make messages LANGUAGE=fr`.

New texts come in without a translation, those that nothing asks for any more go; what is translated stays.
"""

import io
import os
import sys
from collections.abc import Iterator

import django
from babel.messages import pofile
from babel.messages.catalog import Catalog
from babel.messages.extract import extract

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
if __name__ == "__main__":
    django.setup()

from django.utils.translation.template import templatize

from tests.support.paths import ROOT

APPS = ("governance", "initiatives", "adoption")
FUNCTIONS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}


def sources() -> list[str]:
    """The files in which texts are marked, seen from the project's folder."""
    modules = (path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)
    templates = (path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt"))
    return sorted(path.relative_to(ROOT).as_posix() for path in (*modules, *templates))


def marked_in(name: str) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    """The texts that a file has looked up, with their contexts; a pair is a text for one and one for more."""
    source, method = (ROOT / name).read_text(), "python"
    if not name.endswith(".py"):
        # Django makes calls of a template's tags, with everything else blanked out; only its indents are not Python.
        source, method = templatize(source), "javascript"
    for _, text, _, context in extract(method, io.BytesIO(source.encode()), FUNCTIONS):
        yield text, context


def main(language: str) -> str:
    """Write the catalogue of the language, and say what it lacks."""
    asked = Catalog()
    for name in sources():
        for text, context in marked_in(name):
            asked.add(text, context=context, locations=[(name, None)])
    place = ROOT / "adoption/locale" / language / "LC_MESSAGES/django.po"
    catalogue = Catalog(locale=language, project="Plumbline", fuzzy=False, header_comment="")
    if place.exists():
        with place.open("rb") as file:
            catalogue = pofile.read_po(file, abort_invalid=True)
    catalogue.update(asked, no_fuzzy_matching=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("wb") as file:
        pofile.write_po(file, catalogue, width=None, sort_by_file=True, ignore_obsolete=True)
    empty = sum(not message.string or message.string == ("", "") for message in catalogue if message.id)
    return f"{place.relative_to(ROOT)}: {len(catalogue)} texts, {empty} without a translation"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say which language: make messages LANGUAGE=fr")
    print(main(sys.argv[1]))
