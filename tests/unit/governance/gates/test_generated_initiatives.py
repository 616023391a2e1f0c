"""What is shown of 400 generated initiatives is what their rows support; 2,000 with `--rounds 2000`.

The levels are compared with a plain reading of the documents, which shares no rule with the product
(tests/support/rules/plain_levels.py).
"""

import random
from typing import NamedTuple

import pytest

from governance.gates import criteria, levels
from governance.gates.standards import SHOWN_BY_RUNNING
from governance.vocabulary import ScaleTestOutcome, Stage
from tests.support.rules import plain_levels
from tests.support.rules.gate_facts import AT
from tests.support.rules.random_facts import (
    RULEBOOK,
    drill,
    fall_silent,
    measure,
    only_papers,
    outdate_tier,
    random_facts,
)

GENERATED = 400
BROKEN = 100  # initiatives after which a rule that was taken away has to be missed


class Shown(NamedTuple):
    """Of one initiative what its pages show, beside what its rows support."""

    seed: int
    levels: dict[str, str]
    supported: dict[str, str]
    stage: str
    governance: str
    criteria: frozenset[str]
    runs_without: tuple[str, ...]
    shown_here: bool


def generated(seed):
    """An initiative to which something happened; every second one is in production, nearly whole, perhaps silent."""
    chance = random.Random(seed)
    if seed % 2:
        return random_facts(chance, most=2, also=(in_production, *chance.choice([(), (fall_silent,)])))
    return random_facts(
        chance, also=chance.choice([(only_papers,), (drill,), (measure,), (outdate_tier, only_papers)])
    )


def in_production(draft):
    draft.approved_stage = Stage.PRODUCTION


def shown(seed):
    """What is shown of the initiative, and what its rows support."""
    facts = generated(seed)
    judged = criteria.judge(facts, RULEBOOK, AT)
    return Shown(
        seed,
        {key: str(state.level) for key, state in judged.states.items()},
        {key: plain_levels.answer_level_of(facts, RULEBOOK, key, AT).level for key in RULEBOOK.requirements},
        facts.approved_stage,
        judged.support.tests[SHOWN_BY_RUNNING],
        frozenset(
            found.state
            for found in judged.findings.values()
            if found.criterion.scale_test == SHOWN_BY_RUNNING
        ),
        judged.support.runs_without,
        plain_levels.shown_here(facts, AT),
    )


@pytest.fixture(scope="module")
def everything(request):
    """Each initiative, judged once."""
    number = max(request.config.getoption("rounds"), GENERATED)
    return [shown(seed) for seed in range(number)]


def not_supported(one):
    """The requirements at another level than the rows support."""
    return {
        key: (level, one.supported[key]) for key, level in one.levels.items() if level != one.supported[key]
    }


def passes_unshown(one):
    """Whether the governance test passes, or its criterion is met, where no key asked or nothing was logged."""
    passes = one.governance == ScaleTestOutcome.PASSES or "met" in one.criteria
    return passes and not one.shown_here


def test_the_level_shown_is_the_level_that_the_rows_support(everything):
    wrong = {one.seed: found for one in everything if (found := not_supported(one))}
    assert wrong == {}
    reached = [level for one in everything for level in one.levels.values()]
    for level in ("", "stated", "documented", "verified", "measured"):
        assert reached.count(level) > len(everything), level


def test_a_level_by_another_rule_is_found(monkeypatch):
    monkeypatch.setattr(
        levels,
        "verifiers_of",
        lambda item, key, version, at: frozenset(one.by_id for one in levels._verdicts(item, key, 1, at)),
    )
    assert any(not_supported(shown(seed)) for seed in range(BROKEN))


def test_governance_never_passes_without_a_key_that_asked_and_a_log(everything):
    assert [one.seed for one in everything if passes_unshown(one)] == []
    assert [one.seed for one in everything if bool(one.runs_without) == one.shown_here] == []
    told = [one.governance for one in everything if one.stage == Stage.PRODUCTION]
    assert min(told.count("documented"), told.count("passes")) > len(everything) / 20


def test_a_pass_of_documents_alone_is_found(monkeypatch):
    monkeypatch.setattr(
        criteria,
        "outcomes",
        lambda met, against, without: {
            key: ScaleTestOutcome.PASSES if passed and not against[key] else ScaleTestOutcome.NOT_YET
            for key, passed in met.items()
        },
    )
    assert any(passes_unshown(shown(seed)) for seed in range(BROKEN))
