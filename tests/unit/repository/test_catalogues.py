"""Both languages are complete, what is compiled is what is written, and every text of the page is translated."""

import io
import re
from pathlib import Path

import pytest
from babel.messages import mofile, pofile
from babel.messages.extract import extract
from django.conf import settings
from django.utils.translation.template import templatize

BASE = Path(settings.BASE_DIR)
LANGUAGES = {path.parent.parent.name: path for path in BASE.glob("adoption/locale/*/LC_MESSAGES/django.po")}
PLACES = re.compile(r"%\(\w+\)s")
FUNCTIONS = {"_": None, "gettext": None, "gettext_lazy": None}


def asked() -> set[str]:
    """Every text that the sources have translated; the admin's templates have theirs from Django."""
    modules = [(path.read_text(), "python") for path in (BASE / "adoption").rglob("*.py")]
    # Django makes calls of a template's tags, with everything else blanked out; only its indents are not Python.
    templates = [
        (templatize(path.read_text()), "javascript")
        for path in (BASE / "templates/adoption").rglob("*")
        if path.suffix in (".html", ".txt")
    ]
    return {
        text
        for source, method in modules + templates
        for _, text, _, _ in extract(method, io.BytesIO(source.encode()), FUNCTIONS)
    }


def texts(catalogue) -> dict[str, str]:
    """The texts with their translations, without the head."""
    return {message.id: message.string for message in catalogue if message.id}


def written(language: str):
    """What the .po file says; one that is not understood raises."""
    with LANGUAGES[language].open("rb") as file:
        return pofile.read_po(file, abort_invalid=True)


def test_there_are_the_languages_of_the_settings():
    assert set(LANGUAGES) == {code for code, _ in settings.LANGUAGES} == {"en", "de"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_with_the_same_places(language):
    messages = texts(written(language))
    assert written(language).locale_identifier == language
    assert set(messages) == asked()
    for msgid, msgstr in messages.items():
        assert msgstr.strip(), msgid
        assert sorted(PLACES.findall(msgid)) == sorted(PLACES.findall(msgstr)), msgid
        assert msgid.count("\n") == msgstr.count("\n"), msgid
        assert (msgid == msgstr) == (language == "en"), msgid


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language):
    with LANGUAGES[language].with_suffix(".mo").open("rb") as file:
        assert texts(mofile.read_mo(file)) == texts(written(language)), "run make catalogues"


def test_the_sources_ask_for_something():
    assert len(asked()) > 40
    assert "Thank you" in asked()
    assert "The AI is easy to use." in asked()
