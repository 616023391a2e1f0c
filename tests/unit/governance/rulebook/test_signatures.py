"""How strong signatures must be: what a rulebook may say of it, and how two rulebooks differ in that."""

import pytest

from governance.rulebook import diff, parse
from governance.rulebook.validation import RulebookErrors
from tests.support.paths import ROOT

TEXT = (ROOT / "governance" / "rulebook" / "2026_2.toml").read_text()
ASKS = '\n[signatures]\nvote = { high = "passkey", limited = "password and code" }\n'


def test_a_rulebook_says_by_act_and_tier_how_strong_a_signature_must_be():
    assert parse(TEXT).signatures == {}
    assert parse(TEXT + ASKS).signatures == {"vote": {"high": "passkey", "limited": "password and code"}}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('vote = { high = "stamp" }', '"stamp" is not known here'),
        ('vote = { severe = "passkey" }', '"severe" is not known here'),
        ('vote = "passkey"', "vote"),
        ('lunch = { high = "passkey" }', "lunch"),
    ],
)
def test_what_it_may_not_say_is_named_with_its_line(said, words):
    with pytest.raises(RulebookErrors) as wrong:
        parse(TEXT + f"\n[signatures]\n{said}\n")
    assert words in str(wrong.value)


def test_a_difference_is_a_sentence():
    (section,) = diff.differences(parse(TEXT), parse(TEXT + ASKS))
    assert section.title == "How strong signatures must be"
    assert any("Vote at high risk: now passkey" in line for line in section.lines)
    assert diff.differences(parse(TEXT + ASKS), parse(TEXT + ASKS)) == []
