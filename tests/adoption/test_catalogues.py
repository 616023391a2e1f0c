"""Both languages are complete, what is compiled is what is written, and every text of the page is translated."""

import gettext
import io
import re
from pathlib import Path

import pytest
from django.conf import settings

from adoption import catalogues

LANGUAGES = {path.parent.parent.name: path for path in catalogues.sources()}
PLACES = re.compile(r"%\(\w+\)s")


def asked() -> set[str]:
    """Every text that the sources have translated; the admin's templates have theirs from Django."""
    base = Path(settings.BASE_DIR)
    found = {
        text
        for path in (base / "templates/adoption").rglob("*")
        if path.suffix in (".html", ".txt")
        for text in catalogues.asked_in_template(path.read_text())
    }
    for path in (base / "adoption").rglob("*.py"):
        found.update(catalogues.asked_in_module(path.read_text()))
    return found


def test_there_are_the_languages_of_the_settings():
    assert set(LANGUAGES) == {code for code, _ in settings.LANGUAGES} == {"en", "de"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_with_the_same_places(language):
    messages = catalogues.read(LANGUAGES[language].read_text("utf-8"))
    head = messages.pop("")
    assert f"Language: {language}\n" in head
    assert "charset=UTF-8" in head
    assert set(messages) == asked()
    for msgid, msgstr in messages.items():
        assert msgstr.strip(), msgid
        assert sorted(PLACES.findall(msgid)) == sorted(PLACES.findall(msgstr)), msgid
        assert msgid.count("\n") == msgstr.count("\n"), msgid
        assert (msgid == msgstr) == (language == "en"), msgid


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language):
    messages = catalogues.read(LANGUAGES[language].read_text("utf-8"))
    kept = LANGUAGES[language].with_suffix(".mo").read_bytes()
    assert kept == catalogues.compiled(messages), "run manage.py compile_catalogues"
    # As the standard library reads it.
    known = gettext.GNUTranslations(io.BytesIO(kept))
    assert all(known.gettext(msgid) == msgstr for msgid, msgstr in messages.items() if msgid)


@pytest.mark.parametrize(
    "wrong", ['msgstr "a"', 'msgid "a"\nmsgid_plural "b"', '"lost"', 'msgid "a"\nmsgstr[0] "b"']
)
def test_what_is_not_understood_is_refused(wrong):
    with pytest.raises(ValueError, match="not understood"):
        catalogues.read(wrong)


def test_the_sources_ask_for_something():
    assert len(asked()) > 40
    assert "Thank you" in asked()
    assert "The AI is easy to use." in asked()
