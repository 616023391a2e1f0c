"""German is complete: every marked text and every word of the vocabulary is translated, and compiled as written."""

import ast
import os
import re
from pathlib import Path

import pytest
from babel.messages import mofile, pofile
from django.conf import settings

from governance.management.commands.collectstatic import compile_translations
from governance.operations.static_files import uncompiled
from tests.support.commands import messages
from tests.support.commands.messages import marked_in, sources
from tests.unit.repository.test_architecture import nodes_of, tree_of

BASE = Path(settings.BASE_DIR)
LANGUAGES = {path.parent.parent.name: path for path in BASE.glob("adoption/locale/*/LC_MESSAGES/django.po")}
PLACES = re.compile(r"%\(\w+\)s")
# The places of a phrase: in the order of its values, or by their numbers where a language needs another order.
IN_ORDER, BY_NUMBER = re.compile(r"(?<!\{)\{\}(?!\})"), re.compile(r"(?<!\{)\{(\d+)\}(?!\})")
TAGS = re.compile(r"</?[a-z]+[^>]*>")


def plain(value):
    """Return a text, its context or its forms as .po files have them: read_mo gives lists and bytes."""
    return tuple(value) if isinstance(value, list) else value.decode() if isinstance(value, bytes) else value


def texts(catalogue) -> dict[tuple, str | tuple[str, ...]]:
    """Return the translations by text and context, without the head."""
    return {(plain(row.id), plain(row.context) or ""): plain(row.string) for row in catalogue if row.id}


def written(language: str):
    """Return the content of the .po file. A file that is not understood raises an error."""
    with LANGUAGES[language].open("rb") as file:
        return pofile.read_po(file, abort_invalid=True)


def every(text: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the forms of a text: one, or one for each number."""
    return text if isinstance(text, tuple) else (text,)


def test_there_are_the_languages_of_the_settings():
    assert {"en", *LANGUAGES} == {code for code, _ in settings.LANGUAGES} == {"en", "de"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_with_the_same_places(language):
    there = texts(written(language))
    assert written(language).locale_identifier == language
    marked = {(text, context or "") for name in sources() for text, context in marked_in(name)}
    words = {(word, "") for word in messages.vocabulary()}
    # A text that is used for one and for many is kept as one for many.
    many = {text[0] for text, _ in there if isinstance(text, tuple)}
    asked = {
        (text, context) for text, context in marked | words if isinstance(text, tuple) or text not in many
    }
    missing = sorted(map(str, asked - set(there)))
    assert not missing, f"make messages LANGUAGE={language}, then translate: {missing}"
    assert not set(there) - asked, "no page asks for these any longer"  # prose: allow
    for (text, _), said in there.items():
        assert all(one.strip() for one in every(said)), f"not translated: {text}"
        places = {place for one in every(text) for place in PLACES.findall(one)}
        assert {place for one in every(said) for place in PLACES.findall(one)} <= places, text
        assert set(PLACES.findall(every(said)[-1])) == set(PLACES.findall(every(text)[-1])), text
        values = len(IN_ORDER.findall(every(text)[0]))
        numbers = BY_NUMBER.findall(every(said)[0]) if values else []
        assert len(IN_ORDER.findall(every(said)[0])) == (0 if numbers else values), text
        assert {int(number) for number in numbers} <= set(range(values)), text
        tags = [sorted(TAGS.findall(one)) for one in (every(text)[-1], every(said)[-1])]
        assert tags[0] == tags[1], text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language):
    with LANGUAGES[language].with_suffix(".mo").open("rb") as file:
        assert texts(mofile.read_mo(file)) == texts(written(language))


def test_a_catalogue_is_compiled_once_its_texts_are_newer(tmp_path, settings):
    settings.BASE_DIR = tmp_path
    texts = tmp_path / "app/locale/fr/LC_MESSAGES/django.po"
    texts.parent.mkdir(parents=True)
    texts.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Day"\nmsgstr "Jour"\n'
    )
    assert uncompiled() == [texts]
    compile_translations()
    assert uncompiled() == []
    assert sorted(path.suffix for path in texts.parent.iterdir()) == [".mo", ".po"]
    os.utime(texts.with_suffix(".mo"), (0, 0))
    assert uncompiled() == [texts]


def test_a_phrase_has_a_constant_message_with_a_place_for_each_value():
    wrong = []
    for name in sources():
        for call in nodes_of(tree_of(BASE / name)) if name.endswith(".py") else ():
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "phrase" and call.args:
                message = getattr(call.args[0], "value", None)
                if not isinstance(message, str):
                    wrong.append(f"{name}:{call.lineno}: the catalogue cannot find the message")
                elif len(call.args) > 1 and len(IN_ORDER.findall(message)) != len(call.args) - 1:
                    wrong.append(f"{name}:{call.lineno}: {message}")
    assert wrong == []


def test_texts_that_pages_look_up_are_found():
    """Refusals, errors of forms and notes, also where an argument chooses between two of them."""
    source = """
no("Not yet.", "Ask an admin." if one else "Ask a chair.")
Reason(text="Too late.", link="/here is no text/")
ValidationError({"name": "Enter a name.", "key": [f"{x} is not a text.", "Enter a key."]})
form.add_error("field name", "Choose a day.")
messages.success(request, "It is saved.")
logger.info("not a note", "of a page")
other("Left out.")
"""
    assert list(messages.looked_up_in(ast.parse(source))) == [
        "Not yet.",
        "Ask an admin.",
        "Ask a chair.",
        "Too late.",
        "Enter a name.",
        "Enter a key.",
        "Choose a day.",
        "It is saved.",
    ]


def test_words_of_the_vocabulary_are_asked():
    words = messages.vocabulary()
    assert {"Production", "Security and privacy"} <= words
    assert not any(word.isdigit() for word in words)


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
    monkeypatch.setattr(messages, "vocabulary", set)
    said = messages.main("fr")
    assert said == "adoption/locale/fr/LC_MESSAGES/django.po: 5 texts, 5 without a translation"
    file = tmp_path / "adoption/locale/fr/LC_MESSAGES/django.po"
    file.write_text(file.read_text().replace('msgid "Name"\nmsgstr ""', 'msgid "Name"\nmsgstr "Nom"'))
    (tmp_path / "one.html").write_text('{% translate "Other" %}')
    assert messages.main("fr").endswith("2 texts, 1 without a translation")
    with file.open("rb") as written_file:
        catalogue = pofile.read_po(written_file, abort_invalid=True)
    assert texts(catalogue) == {("Name", ""): "Nom", ("Other", ""): ""}
