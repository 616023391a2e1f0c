"""How strong signatures must be: what a rulebook may say of it, and how two rulebooks differ in that."""

import pytest

from governance.rulebook import diff, parse
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
