"""Silence never pays: whatever an initiative describes of itself, from an empty register, costs it no support. Where
links are described already, what nobody knows yet costs none before the day to find it out.

Rows are told by real acts and judged in the facts of random initiatives, at every moment at which something turns; 80
times at least, more with `--rounds`. A change in governance/gates, governance/rulebook or initiatives/lifecycle/facts
asks for it.
"""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from governance import clock
from governance.gates import criteria, turning_points
from governance.gates.gate_inputs import FindingFact, HoldFact
from governance.models import Rulebook
from governance.rulebook import shipped_text
from governance.vocabulary import STAGE_RANK
from tests.support import factories
from tests.support.rules.described_registers import (
    KINDS_TO_TELL,
    UNKNOWNS,
    bare_initiative,
    laid_into,
    linked_initiative,
    told_of,
)
from tests.support.rules.gate_facts import AT, LONG_AGO
from tests.support.rules.random_facts import RULEBOOK, later, moments_of, random_facts

IN_THE_SUITE = 80
INITIATIVES_OF_EACH = 2  # random initiatives into which what was told is laid


@pytest.fixture
def chances(rounds):
    """A source of chance for each initiative, the same in every run."""
    return [random.Random(seed) for seed in range(max(rounds, IN_THE_SUITE))]


def supported(facts, at):
    """The rank of what is supported; of a closed initiative 0."""
    return STAGE_RANK.get(criteria.judge(facts, RULEBOOK, at).support.supported, 0)


def silent(facts, chance):
    """The initiative before anything around it was described; perhaps not even its model."""
    kept = tuple(
        one for one in facts.requirement_findings if not one.hold and not one.requirement.startswith("int.")
    )
    deployments = facts.deployments if chance.random() < 0.5 else ()
    return replace(facts, described=(), alone=(), requirement_findings=kept, deployments=deployments)


def moments(*initiatives):
    """Every moment at which something turns in one of them, and now."""
    return sorted({AT, *(moment for facts in initiatives for moment in moments_of(facts))})


@pytest.mark.django_db
def test_no_row_that_describes_costs_support_from_an_empty_register(chances):
    cast = factories.make_cast()
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    initiative, rose, against, told_once = bare_initiative(cast), 0, 0, Counter()
    for place, chance in enumerate(chances):
        if place % INITIATIVES_OF_EACH == 0:
            # First each kind alone, then several in whatever order.
            single = place // INITIATIVES_OF_EACH
            kinds = chance.choices(KINDS_TO_TELL, k=chance.randint(1, 8))
            told = told_of(cast, initiative, chance, KINDS_TO_TELL[single : single + 1] or kinds)
            told_once.update(set(told.kinds))
            assert costs_nothing(told), told.kinds
        nothing = silent(random_facts(chance, most=2), chance)
        spoken = laid_into(nothing, told, chance.choice([LONG_AGO, AT, later(chance)]), chance)
        against += spoken.requirement_findings != nothing.requirement_findings
        for at in moments(nothing, spoken):
            before, after = supported(nothing, at), supported(spoken, at)
            assert before <= STAGE_RANK["prototype"], (at, nothing.tier, nothing.approved_stage)
            assert after >= before, (told.kinds, at, nothing.tier, nothing.approved_stage)
            rose += after > before
    assert set(told_once) == set(KINDS_TO_TELL)
    assert rose > len(chances) / 20, "what was told hardly mattered"
    assert against > len(chances) / 4, "hardly anything was found against what was told"


@pytest.mark.django_db
def test_what_nobody_knows_costs_before_its_day_no_more_than_what_is_known(chances):
    """Where links are described already. A source more ends evidence in both; it is shown anew in both."""
    cast, fell, told_once = factories.make_cast(), 0, Counter()
    initiative = linked_initiative(cast, links=2)
    rulebook = Rulebook.objects.current().parsed

    def rank(facts, at):
        return STAGE_RANK.get(criteria.judge(facts, rulebook, at).support.supported, 0)

    for place, chance in enumerate(chances[:: 2 * INITIATIVES_OF_EACH]):
        # First each kind alone, then several in whatever order.
        kinds, seed = UNKNOWNS[place : place + 1] or chance.choices(UNKNOWNS, k=3), chance.random()
        known, unknown = (
            told_of(cast, initiative, random.Random(seed), kinds, knows=knows, gate="mvp")
            for knows in (True, False)
        )
        told_once.update(unknown.kinds)
        assert known.kinds == unknown.kinds == tuple(kinds)
        ends = clock.midnight_after(clock.today() + timedelta(days=rulebook.freshness.unknown_days))
        turns = {one.at for facts in (known.after, unknown.after) for one in outlook_of(facts, rulebook)}
        before = [known.after, unknown.before] if set(kinds) == {"unknown_place"} else [known.after]
        assert rank(known.after, clock.now()) == STAGE_RANK["mvp"], kinds
        for at in sorted(turns):
            now = rank(unknown.after, at)
            assert at >= ends or all(now >= rank(facts, at) for facts in before), (kinds, at)
            fell += now < rank(known.after, at)
    assert set(told_once) == set(UNKNOWNS)
    assert fell, "what nobody found out never counted"


def outlook_of(facts, rulebook):
    return turning_points.outlook(facts, rulebook, clock.now())


def costs_nothing(told):
    """Whether the initiative itself, as its acts left it, supports no less at any moment from then on."""
    spans = [turning_points.outlook(facts, RULEBOOK, told.at) for facts in (told.before, told.after)]
    turns = {judged.at for outlook in spans for judged in outlook}
    return all(supported(told.after, at) >= supported(told.before, at) for at in turns)


# What a tier leaves out


def test_what_is_found_against_a_requirement_that_a_tier_leaves_out_costs_nothing(chances):
    """Neither the finding, nor the hold that it calls for, nor the row of that hold."""
    tried = held = 0
    for chance in chances:
        facts = random_facts(chance, most=2)
        left_out = [key for key in RULEBOOK.requirements if not RULEBOOK.asks(key, facts.tier)]
        if not left_out:
            continue
        kind, cap = chance.choice([("definition_conflict", "mvp"), ("failed_drill", "mvp")])
        since = chance.choice([LONG_AGO, AT, later(chance)])
        found = [
            FindingFact(key, "They disagree.", "Resolve it.", "", since, None, kind, "Held", cap)
            for key in chance.sample(left_out, min(2, len(left_out)))
        ]
        told = replace(facts, requirement_findings=(*facts.requirement_findings, *found))
        if since <= AT and not any(one.hold == kind for one in facts.requirement_findings):
            told = replace(told, holds=(*facts.holds, HoldFact(kind, "Held", "They disagree.", cap, True)))
        for at in moments(facts, told):
            assert supported(told, at) == supported(facts, at), (found, at, facts.tier)
            tried += 1
        # The same against a requirement that is asked does count: it is not that holds were forgotten.
        asked = chance.choice([key for key in RULEBOOK.requirements if RULEBOOK.asks(key, facts.tier)])
        counts = replace(
            facts,
            requirement_findings=(
                *facts.requirement_findings,
                replace(found[0], requirement=asked, since=AT),
            ),
        )
        held += supported(counts, AT) < supported(facts, AT)
    assert tried > len(chances)
    assert held > len(chances) / 20
