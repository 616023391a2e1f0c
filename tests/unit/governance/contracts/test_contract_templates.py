"""Contracts to begin with: whole, sound, and readable aloud as they stand."""

from pathlib import Path

import pytest

from governance import rulebook
from governance.contracts import templates
from governance.contracts.cedar_policies import Policies, Rule
from governance.contracts.clauses import FAILURES, problems
from governance.contracts.completeness import gaps
from governance.contracts.templates import STARTERS
from governance.contracts.wording import sentence
from governance.models.contracts import VOCABULARY
from governance.vocabulary import ClauseKind
from tests.support.rules.sound_contracts import ON, REQUIRED, ROLES

EACH = pytest.mark.parametrize("starter", STARTERS.values(), ids=STARTERS)


def rules(starter) -> list[Rule]:
    """Its clauses as the engine takes them."""
    return [
        Rule(number, one.kind, one.terms, sentence(one.kind, one.terms, starter.words))
        for number, one in enumerate(starter.clauses, 1)
    ]


@EACH
def test_nothing_is_missing_from_it_and_nothing_contradicts_anything(starter):
    assert [problems(rule.kind, rule.terms) for rule in rules(starter)] == [{}] * len(starter.clauses)
    assert gaps(rules(starter), ROLES, REQUIRED, ON) == []
    assert {one.terms.failure for one in starter.clauses if one.kind == "edge_policy"} == set(FAILURES)


@EACH
def test_without_a_record_owner_the_check_still_says_so(starter):
    """What the test above does not find is looked for: the same check finds what is taken away."""
    vacant = {role: name for role, name in ROLES.items() if role != "record_owner"}
    assert [gap.code for gap in gaps(rules(starter), vacant, REQUIRED, ON)] == ["record_owner_vacant"]
    for failure in FAILURES:
        less = [rule for rule in rules(starter) if rule.terms.failure != failure]
        assert "failure_missing" in {gap.code for gap in gaps(less, ROLES, REQUIRED, ON)}


@EACH
def test_every_clause_is_one_sentence_of_its_own_words(starter):
    assert all(rule.sentence.endswith(".") for rule in rules(starter))
    assert len({rule.sentence for rule in rules(starter)}) == len(starter.clauses)
    keys = [key for _, key, _ in starter.vocabulary]
    used = {
        key
        for one in starter.clauses
        for key in (one.terms.action, one.terms.resource, *one.terms.audience)
        if key
    }
    assert set(keys) == used, "no word is missing, and none is for nothing"
    assert len(set(keys)) == len(keys)
    assert {kind for kind, _, _ in starter.vocabulary} <= set(VOCABULARY)
    assert {one.kind for one in starter.clauses} <= set(ClauseKind)


@EACH
def test_the_engine_reads_it(starter):
    assert Policies(rules(starter)).actions == {
        key for kind, key, _ in starter.vocabulary if kind == "action"
    }


def test_there_are_five():
    assert [one.title for one in STARTERS.values()] == [
        "Summarise",
        "Triage",
        "Match",
        "Search",
        "Draft and send",
    ]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("about = ", "abuot = ", 'the key "abuot" is not known here'),
        ('kind = "autonomy"', 'kind = "autonomous"', 'the kind "autonomous" does not exist'),
        ("most = 50", "must = 50", "Terms do not have must"),
        ("most = 50", 'most = "50"', "most has the wrong type"),
        ("ask_when = ", "ask_if = ", "unexpected keyword argument 'ask_if'"),
    ],
)
def test_what_a_contract_does_not_have_is_refused_with_its_line(old, new, why):
    text = Path(rulebook.__file__).with_name("contract_templates.toml").read_text()
    with pytest.raises(rulebook.RulebookErrors, match=why) as error:
        templates.read(text.replace(old, new, 1))
    around = text.index(old), text.index("\n\n", text.index(old))
    heading = text.rindex("\n[", 0, around[1]) + 1
    lines = {text[:place].count("\n") + 1 for place in (around[0], heading)}
    assert lines & {problem.line for problem in error.value.problems}
