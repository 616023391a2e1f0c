"""JSON read strictly: what is taken, and what each refusal says."""

import json

import pytest

from governance.vocabulary.strict_json import DEEPEST, NotJson, hidden_text, read


def nested(levels: int) -> bytes:
    return b"[" * levels + b"1" + b"]" * levels


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"a": 1.5}', {"a": 1.5}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b'{"a": {"a": 1}}', {"a": {"a": 1}}),
        (b'"' + b"[" * 5000 + b'"', "[" * 5000),
        (json.dumps([[]] * 5000).encode(), [[]] * 5000),
    ],
)
def test_json_is_read(body, found):
    assert read(body) == found


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"{", "line 1, column 2"),
        (b'{"a": "\xff"}', "byte 8 is not UTF-8"),
        (b"\xff\xfe{\x00}\x00", "is not UTF-8"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"[1e999]", "number is too large"),
        (b"[" + b"9" * 5000 + b"]", "number is too large"),
        (b'{"a": 1, "a": 2}', "'a' twice"),
        (b'{"b": {"\\u202ea": 1, "\\u202ea": 2}}', r"\[U\+202E\]a' twice"),
        (nested(3000), "levels deep"),
        (b"[" * 200_000, "levels deep"),
    ],
)
def test_what_is_not_json_is_refused_in_words(body, words):
    with pytest.raises(NotJson, match=words):
        read(body)


def test_the_depth_is_bounded_to_the_level():
    assert json.dumps(read(nested(DEEPEST))).count("[") == DEEPEST
    with pytest.raises(NotJson, match=f"more than {DEEPEST} levels"):
        read(nested(DEEPEST + 1))


@pytest.mark.parametrize(
    ("found", "place"),
    [
        ({"name": {"givenName": "a\u202eb"}}, "name.givenName"),
        ({"emails": [{"value": "a"}, {"value": "\ud83d"}]}, "emails[1].value"),
        ({"a": {"b\x00": 1}}, "a"),
        ("\ufffe", ""),
    ],
)
def test_a_hidden_character_is_named_by_its_place(found, place):
    assert hidden_text(found)[0] == place


def test_readable_texts_are_taken():
    assert hidden_text({"a": ["Zoë", "नमस्ते", "👩‍💻", 1, None, {"b": "two\nlines"}]}) is None


def test_texts_have_one_form_of_accents():
    """One system sends the letters composed, another apart or escaped."""
    composed, apart = "Z\u00fcrich", "Zu\u0308rich"
    for body in (json.dumps({"unit": [apart]}), json.dumps({"unit": [apart]}, ensure_ascii=False)):
        assert read(body.encode()) == {"unit": [composed]}
