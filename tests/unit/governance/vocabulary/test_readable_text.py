"""The rule for text that people read or sign: what is refused, what is kept, how the rest is shown."""

import unicodedata
from argparse import ArgumentTypeError

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from governance.vocabulary import readable_text as rule

REFUSED = {
    "right-to-left override": "only \u202etfard",
    "isolate": "a\u2066b",
    "direction mark": "a\u200fb",
    "zero-width space": "pay\u200bments",
    "byte order mark": "\ufeffTitle",
    "soft hyphen": "govern\u00adance",
    "NUL": "a\x00b",
    "bell": "a\x07b",
    "C1 control": "a\x85b",
    "half a character": "a\ud83db",
    "noncharacter": "a\ufffeb",
    "a noncharacter of a higher plane": "a\U0001ffffb",
    "private use": "a\ue000b",
    "tag letters": "a\U000e0041b",
    "line separator": "a\u2028b",
    "Hangul filler": "a\u3164b",
    "variation selector of nothing": "a\ufe0fb",
    "variation selector of a supplement": "a\U000e0100b",
    "zero-width joiner between Latin letters": "a\u200db",
    "zero-width non-joiner between Latin letters": "a\u200cb",
    "two joiners": "\u0645\u06cc\u200c\u200c\u062e\u0648\u0627\u0647\u0645",
    "a joiner at the end": "\u0645\u06cc\u200c",
}
KEPT = {
    "Latin": "Über façade \u2013 “quoted” 3 € … №5",
    "lines and tabs": "a\n\tb\r\nc",
    "a no-break space": "10\u00a0000",
    "Arabic": "مرحبا",
    "Arabic number sign": "\u0600\u0661\u0662",
    "Persian with a non-joiner": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "Hindi with a joiner": "\u0915\u094d\u200d\u0937",
    "Sinhala with a joiner": "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
    "an emoji family": "👨‍👩‍👧‍👦",
    "an emoji with skin and joiner": "👩🏽‍💻",
    "a heart in colour": "❤️",
    "a heart on fire": "❤️‍🔥",
    "a keycap": "1️⃣",
    "an emoji newer than this Python": "\U0001faff",
    "Chinese": "人工智能",
    "Hebrew": "שלום",
    "letters with combining marks": "e\u0301",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_hidden_characters_are_refused_by_name(text: str) -> None:
    letter = text[rule.hidden(text)[0]]
    assert f"U+{ord(letter):04X}" in rule.refusal(text)
    assert f"[U+{ord(letter):04X}]" in rule.shown(text)
    with pytest.raises(ValidationError, match="cannot see"):
        rule.ReadableText()(text)


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_text_of_every_script_is_kept(text: str) -> None:
    assert rule.refusal(text) == ""
    assert rule.shown(text) == text == rule.storable(text)
    rule.ReadableText()(text)


@given(st.text(alphabet=st.characters(), max_size=40))
def test_shown_text_has_nothing_hidden_and_is_the_same_for_the_same_text_only(text: str) -> None:
    shown = rule.shown(text)
    assert rule.hidden(shown) == []
    assert (shown == text) == (rule.refusal(text) == "")


@given(st.text(alphabet=st.characters(codec=None, categories=None), max_size=40))
def test_storable_text_can_be_written_and_keeps_its_length(text: str) -> None:
    kept = rule.storable(text)
    assert len(kept) == len(text)
    assert "\x00" not in kept
    kept.encode()


def test_every_control_and_format_character_is_decided() -> None:
    letters = (chr(number) for number in range(0x110000))
    for letter in letters:
        if unicodedata.category(letter) in ("Cc", "Cf", "Cs") and letter not in rule.LINES:
            assert (rule.refusal(f"a{letter}b") == "") == (letter in rule.ENCLOSING), hex(ord(letter))


def test_a_normal_form_keeps_30_marks_on_a_letter():
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        for text in ("plain", "cafe\u0301", "a" + "\u0301\u0323" * 15, "\u1e9b\u0323", "\ufb01x"):
            assert rule.normalized(form, text) == unicodedata.normalize(form, text)
    assert len(rule.normalized("NFD", "a" + "\u0301\u0323" * 5_000 + "b")) == 32


def test_an_argument_of_a_command_is_taken_or_refused_by_its_rule() -> None:
    assert rule.argument("AI-0001 stays") == "AI-0001 stays"
    with pytest.raises(ArgumentTypeError, match="U\\+202E"):
        rule.argument("AI-0001 \u202estays")


def test_a_sentence_key_is_the_words_without_capitals_spaces_and_punctuation() -> None:
    assert rule.sentence_key("It says so, with the day.") == rule.sentence_key(" it SAYS so - with  the day")
    assert rule.sentence_key("Row 4 says so") != rule.sentence_key("Row 5 says so")
    assert rule.sentence_key("... !") == ""


def test_a_text_has_one_spelling():
    composed, apart = "Z\u00fcrich", "Zu\u0308rich"
    assert rule.one_spelling(f"{apart}\r\nb\rc") == f"{composed}\nb\nc"
