"""Both languages are complete, what is compiled is what is written, and every text of the page is translated."""

import re
from pathlib import Path

import pytest
from babel.messages import mofile, pofile
from django.conf import settings

from tests.support.commands import messages
from tests.support.commands.messages import marked_in, sources

BASE = Path(settings.BASE_DIR)
LANGUAGES = {path.parent.parent.name: path for path in BASE.glob("adoption/locale/*/LC_MESSAGES/django.po")}
PLACES = re.compile(r"%\(\w+\)s")


# What people outside read without signing in, in these languages; pages inside are in English so far.
OUTSIDE = [
    *(f"adoption/surveys/{name}.py" for name in ("forms", "mails", "question_sets")),
    *("adoption/reports/public_views.py", "adoption/public_pages/presentation.py"),
    *(f"templates/adoption/surveys/survey_{name}" for name in ("answer.html", "mail.txt", "nothing.html")),
    *(f"templates/adoption/surveys/survey_{name}" for name in ("outside.html", "thanks.html")),
    *(f"templates/adoption/reports/report_{name}.html" for name in ("nothing", "outside", "problem")),
    *(
        "templates/adoption/reports/reported_problem.html",
        "templates/adoption/public_pages/public_page.html",
    ),
]


def asked() -> set[str]:
    """Every text that the pages outside have translated."""
    return {text for name in OUTSIDE for text, _ in marked_in(name)}


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
    assert set(OUTSIDE) <= set(sources())
    assert len(asked()) > 40
    assert "Thank you" in asked()
    assert "The AI is easy to use." in asked()


def test_a_catalogue_of_a_new_language_holds_what_templates_and_forms_ask(tmp_path, monkeypatch):
    """A text of one line, one of a whole sentence with its places, one in numbers, and one of a form."""
    monkeypatch.setattr(messages, "sources", lambda: ["one.html", "forms.py"])
    (tmp_path / "one.html").write_text(
        '{% translate "Short" %}{% blocktranslate trimmed with a=b.c %}\n  Long\n  {{ a }}\n{% endblocktranslate %}'
        "{% blocktranslate count n=m %}{{ n }} day{% plural %}{{ n }} days{% endblocktranslate %}"
        '{% tag _("state") %}'
    )
    (tmp_path / "forms.py").write_text('label = _("Name")\nother = "Left out"\n')
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    said = messages.main("fr")
    assert said == "adoption/locale/fr/LC_MESSAGES/django.po: 5 texts, 5 without a translation"
    file = tmp_path / "adoption/locale/fr/LC_MESSAGES/django.po"
    file.write_text(file.read_text().replace('msgid "Name"\nmsgstr ""', 'msgid "Name"\nmsgstr "Nom"'))
    (tmp_path / "one.html").write_text('{% translate "Other" %}')
    assert messages.main("fr").endswith("2 texts, 1 without a translation")
    with file.open("rb") as written_file:
        catalogue = pofile.read_po(written_file, abort_invalid=True)
    assert texts(catalogue) == {"Name": "Nom", "Other": ""}
