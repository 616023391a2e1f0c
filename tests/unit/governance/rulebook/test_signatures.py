"""How strong signatures must be: what a rulebook may say of it, and how two rulebooks differ in that."""

import pytest

from governance.rulebook import diff, parse
from governance.rulebook.editing import read, with_values
from governance.rulebook.validation import RulebookErrors
from tests.support.paths import ROOT

TEXT = (ROOT / "governance" / "rulebook" / "1_0.toml").read_text()
ASKS = '\n[signatures]\nsign_off = { high = "passkey", limited = "password and code" }\n'


def test_a_rulebook_says_by_act_and_tier_how_strong_a_signature_must_be():
    assert parse(TEXT).signatures == {}
    assert parse(TEXT + ASKS).signatures == {"sign_off": {"high": "passkey", "limited": "password and code"}}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('sign_off = { high = "stamp" }', '"stamp" is not known here'),
        ('sign_off = { severe = "passkey" }', '"severe" is not known here'),
        ('sign_off = "passkey"', "sign_off"),
        ('lunch = { high = "passkey" }', "lunch"),
    ],
)
def test_what_it_may_not_say_is_named_with_its_line(said, words):
    with pytest.raises(RulebookErrors) as wrong:
        parse(TEXT + f"\n[signatures]\n{said}\n")
    assert words in str(wrong.value)


def test_a_difference_is_a_sentence():
    (section,) = diff.differences(parse(TEXT), parse(TEXT + ASKS))
    assert section.title == "Strength of signatures"
    assert any("Sign-off at high risk: now passkey" in line for line in section.lines)
    assert diff.differences(parse(TEXT + ASKS), parse(TEXT + ASKS)) == []


def test_it_is_edited_value_by_value_in_a_text_that_says_nothing_of_it_too():
    asks = {
        ("signatures", "sign_off", "high"): "passkey",
        ("signatures", "decision", "high"): "password and code",
    }
    once = with_values(read(TEXT), asks)
    assert parse(once.source).signatures == {
        "sign_off": {"high": "passkey"},
        "decision": {"high": "password and code"},
    }
    assert once.source.startswith(TEXT)
    more = {("signatures", "sign_off", "limited"): "passkey", ("signatures", "waiver", "high"): "passkey"}
    twice = with_values(once, more | {("signatures", "decision", "high"): None})
    assert parse(twice.source).signatures == {
        "sign_off": {"limited": "passkey", "high": "passkey"},
        "waiver": {"high": "passkey"},
    }
    assert twice.source.count("[signatures]") == 1
    assert read(TEXT).row("signatures", "sign_off") == {}
    assert read(TEXT).row("signatures", "lunch") is None
