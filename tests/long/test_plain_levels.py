"""The rules of the shipped rulebook say what a plain reading of the documents says, at moments now and to come.

A change in governance/gates or governance/rulebook asks for it.
"""

import random
from collections import Counter
from datetime import timedelta

from governance.gates import criteria, turning_points
from tests.support.rules.gate_facts import AT
from tests.support.rules.plain_differences import differences
from tests.support.rules.random_facts import RULEBOOK, STAGES, moments_of, random_facts

IN_THE_SUITE = 200
LAST_HOUR = 12_000
INSTANT = timedelta(microseconds=1)


def moments(chance, facts):
    """Now, two moments at which something may turn and the instants before them, and some hour."""
    found, turns = [AT, AT + timedelta(hours=chance.randint(0, LAST_HOUR))], moments_of(facts)
    for turn in chance.sample(turns, min(2, len(turns))):
        found += [max(AT, turn - INSTANT), turn]
    return found


def test_the_rules_say_what_a_plain_reading_says(rounds):
    """200 initiatives in the suite, 10,000 with `--rounds 10000`; each at several moments, and as the outlook tells
    it.
    """
    spread = Counter()
    for seed in range(max(rounds, IN_THE_SUITE)):
        chance = random.Random(seed)
        facts = random_facts(chance)
        spans = turning_points.outlook(facts, RULEBOOK, AT)
        spread[spans[0].support.supported] += 1
        for at in moments(chance, facts):
            wrong = list(differences(facts, RULEBOOK, at))
            assert not wrong, f"initiative {seed} at {at}: {wrong}"
            told, now = (
                next(span for span in reversed(spans) if span.at <= at),
                criteria.judge(facts, RULEBOOK, at),
            )
            late = [key for key in now.states if judged(now.states[key]) != judged(told.states[key])]
            assert not late, f"initiative {seed} at {at}: the outlook missed {late}"
            assert told.support == now.support, f"initiative {seed} at {at}"
    initiatives = spread.total()
    for stage in STAGES[1:]:
        assert spread[stage] >= initiatives / 10, f"only {spread[stage]} of {initiatives} support {stage}"
    assert spread["proposed"] >= initiatives / 100


def judged(state):
    """What of a state any rule looks at."""
    return state.state, state.level, state.below, state.verifiers
