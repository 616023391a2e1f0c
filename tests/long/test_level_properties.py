"""What holds of levels whatever the initiative: properties, each tried on 200 random initiatives, more with `--rounds`.

That silence never pays is tried row by row in tests/long/test_silence_never_pays.py. A change in
governance/gates or governance/rulebook asks for these.
"""

import random
import re
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import transaction

from governance import clock
from governance.authorization.decision import Bound, InitiativeCondition, decide
from governance.contracts import subject_patterns
from governance.database import row_history
from governance.gates import criteria, sign_off_statement, turning_points
from governance.gates.criteria import judge
from governance.gates.gate_inputs import Measured
from governance.gates.requirements import states_at
from governance.models import KeyHeartbeat
from governance.vocabulary import LEVEL_RANK, STAGE_RANK, Level
from initiatives.contracts.enforcement import api
from initiatives.contracts.enforcement.decision_cache import Known
from initiatives.lifecycle.initiative_pages import banners
from tests.support import factories
from tests.support.rules import random_contracts
from tests.support.rules.gate_facts import AT, LONG_AGO, MODEL, TODAY
from tests.support.rules.random_facts import (
    PEOPLE,
    RULEBOOK,
    heard,
    later,
    measure,
    moments_of,
    random_facts,
    said,
    waive,
    waive_beside,
)
from tests.support.servers.asking_systems import write

IN_THE_SUITE = 200
HOUR, INSTANT = timedelta(hours=1), timedelta(microseconds=1)
WITHIN = timedelta(days=RULEBOOK.freshness.shown_here_days)
SIGNER = SimpleNamespace(pk=12, full_name="Ines Okafor")
DOCUMENTED = LEVEL_RANK[Level.DOCUMENTED]


@pytest.fixture
def chances(rounds):
    """A source of chance for each initiative, the same in every run."""
    return [random.Random(seed) for seed in range(max(rounds, IN_THE_SUITE))]


def supported(facts, at):
    return criteria.judge(facts, RULEBOOK, at).support.supported


def moments(chance, *begins):
    """Now, when something begins and the instant before, and some hour to come: three of them."""
    found = [AT, *begins, *(begin - INSTANT for begin in begins), later(chance, 90)]
    found = sorted({at for at in found if at >= AT})
    return chance.sample(found, min(3, len(found)))


# Silence never pays


def test_describing_a_link_never_lowers_what_an_empty_register_supported(chances):
    rose = 0
    for chance in chances:
        empty = replace(random_facts(chance), described=(), alone=())
        since = chance.choice([LONG_AGO, AT, later(chance)])
        told = replace(empty, described=((since, None),))
        for at in moments(chance, since):
            silent, spoken = supported(empty, at), supported(told, at)
            assert STAGE_RANK.get(spoken, 0) >= STAGE_RANK.get(silent, 0), (at, silent, spoken)
            rose += spoken != silent
    assert rose > len(chances) / 4, "the register hardly mattered"


def test_putting_a_model_recorded_never_lowers_what_was_supported_without_one(chances):
    rose = 0
    for chance in chances:
        none = replace(random_facts(chance), deployments=())
        since = chance.choice([LONG_AGO, AT, later(chance)])
        named = replace(none, deployments=(replace(MODEL, id=chance.choice([1, 2]), since=since),))
        for at in moments(chance, since):
            silent, spoken = supported(none, at), supported(named, at)
            assert STAGE_RANK.get(spoken, 0) >= STAGE_RANK.get(silent, 0), (at, silent, spoken)
            rose += spoken != silent
    assert rose > len(chances) / 4, "the model hardly mattered"


# A criterion is never better than its worst requirement


def test_a_criterion_is_never_better_than_its_worst_requirement(chances):
    carried = refused = 0
    for chance in chances:
        facts = random_facts(chance, also=chance.choice([(waive,), (waive_beside,), (waive, waive_beside)]))
        judged = criteria.judge(facts, RULEBOOK, AT)
        for criterion in RULEBOOK.criteria.values():
            found = judged.findings[criterion.key]
            asked = [
                judged.states[key]
                for key in criterion.requirements
                if RULEBOOK.requirements[key].blocking or criterion.severity == "advisory"
            ]
            waived = [state for state in asked if state.state == "waived"]
            lacking = [state for state in asked if not state.satisfies(criterion.gate)]
            if found.state in ("met", "with_waiver"):
                assert not lacking, criterion.key
            if waived:
                assert found.state != "met", criterion.key
            if not RULEBOOK.waivable_criterion(criterion.key):
                assert found.state != "waived", criterion.key
                assert len(waived) < 2 or not found.met, criterion.key
                carried += len(waived) == 1 and found.met
                refused += len(waived) > 1
        for test in RULEBOOK.scale_tests.values():
            assert not any(judged.states[key].state == "waived" for key in test.items)
    assert carried > len(chances) / 10
    assert refused > len(chances) / 50


# Nothing rises by the team's own press


def untouched(facts):
    """The initiative before anybody outside the team had a hand in it."""
    items = tuple(
        replace(item, verifications={}, acceptance_role="", acceptance_open=False, generated=False)
        for item in facts.items
        if item.clause_of is None
    )
    return replace(facts, items=items, measured=(), alone=(), decided={}, imported=False)


def pressed(chance, facts):
    """The initiative with one to eight items more that the team made, for whatever requirements."""
    more = []
    for place in range(chance.randint(1, 8)):
        kind = chance.choice(list(RULEBOOK.evidence_kinds))
        keys = chance.sample(list(RULEBOOK.requirements), chance.randint(1, 12))
        more.append(
            replace(
                chance.choice(facts.items),
                id=5000 + place,
                kind=kind,
                author_id=chance.choice([1, 7]),
                observed_on=TODAY,
                fingerprint=f"team-{place}",
                covers=dict.fromkeys(keys, 50000 + place),
                result="pass" if kind in RULEBOOK.result_kinds else "",
                condition="full_population" if kind in RULEBOOK.condition_kinds else "",
            )
        )
    return replace(facts, items=(*facts.items, *more))


def test_nothing_that_the_team_adds_brings_an_answer_above_documented(chances):
    reached = 0
    for chance in chances:
        facts = pressed(chance, untouched(random_facts(chance)))
        for at in (AT, later(chance, 90)):
            for key, state in states_at(facts, RULEBOOK, at).items():
                assert LEVEL_RANK[state.level] <= DOCUMENTED, (key, state)
                reached += state.level == Level.DOCUMENTED
    assert reached > 10 * len(chances), "hardly anything was documented"


def test_nothing_made_outside_is_worth_more_where_the_team_offers_it_for_another_requirement(chances):
    """An acceptance, the index and a clause are measured where the rulebook names that way, and nowhere else."""
    offers = 0
    for chance in chances:
        facts = random_facts(chance, most=1)
        bare = replace(
            facts,
            measured=(),
            alone=(),
            items=tuple(replace(item, verifications={}) for item in facts.items),
        )
        special = {
            "acceptance": next((item for item in bare.items if item.acceptance_role), None),
            "index": next((item for item in bare.items if item.generated), None),
            "clause": next((item for item in bare.items if item.clause_of), None),
        }
        way = chance.choice([way for way, item in special.items() if item])
        keys = [
            key
            for key, asked in RULEBOOK.requirements.items()
            if special[way].kind in asked.evidence and way not in asked.ways
        ]
        if not keys:
            continue
        offered = replace(special[way], covers={**special[way].covers, **dict.fromkeys(keys, 90_000)})
        others = tuple(item for item in bare.items if item.id != offered.id)
        states = states_at(replace(bare, items=(*others, offered)), RULEBOOK, AT)
        before = states_at(bare, RULEBOOK, AT)
        for key in keys:
            if key in special[way].covers:
                continue
            offers += 1
            assert LEVEL_RANK[states[key].level] <= max(DOCUMENTED, LEVEL_RANK[before[key].level]), (way, key)
    assert offers > len(chances)


# Words are in the statement


def worded(chance, facts):
    """The initiative with words of every length in its answers."""
    answers = {
        key: replace(reply, text=f"{key} \n is {chance.choice(['so', 'shown ' * 40, 'told ' * 300])}".strip())
        for key, reply in facts.answers.items()
    }
    return replace(facts, answers=answers)


def signed(facts, gate, seat):
    return sign_off_statement.seat_facts(judge(facts, RULEBOOK, AT), gate, seat)


def reasons(covered, facts):
    return sign_off_statement.stale_reasons(covered, judge(facts, RULEBOOK, AT + HOUR), AT)


def seats(chance):
    gate = chance.choice(["prototype", "mvp", "production"])
    return gate, chance.choice(RULEBOOK.gates[gate].seats)


def test_a_statement_quotes_each_answer_and_names_its_level(chances):
    cut = 0
    for chance in chances:
        facts, (gate, seat) = worded(chance, random_facts(chance)), seats(chance)
        covered, states = signed(facts, gate, seat), states_at(facts, RULEBOOK, AT)
        text = sign_off_statement.write(
            RULEBOOK, covered, person=SIGNER, board="Board", verdict="approve", at=AT
        )
        assert covered["format"] == sign_off_statement.FORMAT
        for key, row in covered["requirements"].items():
            reply = facts.answers.get(key)
            words = " ".join(reply.text.split()) if reply else ""
            assert row["said"] == words[:600]
            assert row["level"] == states[key].level
            assert words[:600] in text
            line = next(line for line in text.splitlines() if line.startswith("  - ") and f"({key}" in line)
            if row["state"] == "met" and row["level"]:
                assert f"): {row['level']}" in line
            if len(words) > 600:
                cut += 1
                assert row["rest"] == sign_off_statement.digest(words[600:])
                assert row["rest"] in text
    assert cut > len(chances)


def better(chance, facts):
    """The initiative with more verified, measured, or longer in force: nothing in it is weaker or shorter."""
    items = []
    for item in facts.items:
        for key in item.covers:
            if chance.random() < 0.5 and key in facts.answers:
                version = facts.answers[key].version
                words = [
                    said(chance, item, version, by=person, at=AT)
                    for person in PEOPLE
                    if all(one.shows for one in item.verifications.get(key, ()))
                ]
                item = heard(item, key, *words)
        items.append(item)
    measured = tuple(
        Measured(key, asked.ways[0], "41 of 60.", LONG_AGO)
        for key, asked in RULEBOOK.requirements.items()
        if asked.ways and chance.random() < 0.3
    )
    return replace(
        facts,
        items=tuple(items),
        measured=(*facts.measured, *measured),
        waivers=tuple(replace(one, until=one.until + timedelta(days=9)) for one in facts.waivers),
    )


def weaker(chance, facts):
    """The initiative in which some of what was verified is so no more."""
    return replace(
        facts,
        items=tuple(
            replace(item, verifications={}) if chance.random() < 0.3 else item for item in facts.items
        ),
    )


def levels(facts, covered, at=AT + HOUR):
    states = states_at(facts, RULEBOOK, at)
    return {key: LEVEL_RANK[states[key].level] for key in covered["requirements"]}


def test_a_level_that_rises_makes_no_sign_off_stale_and_one_that_falls_does(chances):
    rose = fell = 0
    for chance in chances:
        facts, (gate, seat) = random_facts(chance), seats(chance)
        if chance.random() < 0.5:
            facts = weaker(chance, facts)
        covered = signed(facts, gate, seat)
        if reasons(covered, facts):
            continue  # something ends within the hour, whatever is done
        before = {key: LEVEL_RANK[row["level"]] for key, row in covered["requirements"].items()}
        improved = better(chance, facts)
        after = levels(improved, covered)
        if all(after[key] >= before[key] for key in after):
            assert reasons(covered, improved) == []
            rose += any(after[key] > before[key] for key in after)
        lowered = weaker(chance, facts)
        after = levels(lowered, covered)
        if any(after[key] < before[key] for key in after):
            fell += 1
            assert reasons(covered, lowered)
    assert rose > len(chances) / 10
    assert fell > len(chances) / 10


# The outlook is exact


def test_what_is_supported_at_an_instant_is_what_the_span_says_that_holds_it(chances):
    turned = 0
    for chance in chances:
        facts = random_facts(chance, also=chance.choice([(), (measure,), (measure, measure)]))
        spans = turning_points.outlook(facts, RULEBOOK, AT)
        turned += len({span.support.supported for span in spans}) > 1
        ends = [one.until for one in facts.measured if one.until and one.until >= AT]
        turns = moments_of(facts)
        for turn in {*ends, *chance.sample(turns, min(2, len(turns)))}:
            at = max(AT, chance.choice([turn, turn, turn - INSTANT]))
            told = next(span.support for span in reversed(spans) if span.at <= at)
            assert told == criteria.judge(facts, RULEBOOK, at).support, at
    assert turned > len(chances) / 2


# The decision API knows the stage


def declared_subjects(chance):
    """Test subjects as a scope declares them: none to three names, in some of which * stands for what is left out."""
    found = []
    for _ in range(chance.randint(0, 3)):
        name = chance.choice(["a", "b", "c", "ab", "abc", "tester-1"])
        cut = chance.randint(0, len(name))
        found.append("user:" + chance.choice([name, name, name[:cut] + "*" + name[cut + 1 :]]))
    return tuple(one for one in found if not subject_patterns.wrong_with([one]))


def declares(patterns, evaluation_request):
    """Whether whoever asks is one of those declared, as one reads it; None where nobody can be told to ask."""
    subject = evaluation_request.get("subject")
    if not isinstance(subject, dict) or not all(isinstance(subject.get(one), str) for one in ("type", "id")):
        return None
    name = f"{subject['type']}:{subject['id']}"
    return any(re.fullmatch(re.escape(one).replace(r"\*", ".*"), name, re.S) for one in patterns)


def circumstances(chance):
    """What else bears on an initiative whose systems ask."""
    return {
        "withdrawn": chance.random() < 0.03,
        "switched_off": chance.choice(["", "", "", "", "", "", "An incident."]),
        "held": chance.choice([(), (), (), (), (), ("A drill failed.",)]),
        "short": chance.choice(["", "", "", "The evidence supports no more than an idea."]),
    }


def test_a_prototype_acts_for_its_declared_test_subjects_alone_and_says_what_it_is(chances):
    acted = kept_out = 0
    for chance in chances:
        rules, words = random_contracts.random_contract(chance)
        version, declared = random_contracts.in_force(rules), declared_subjects(chance)
        around = circumstances(chance)
        bound = chance.choice([Bound(test_subjects=declared)] * 5 + [None])
        prototype = InitiativeCondition("prototype", bound=bound, **around)
        known = Known(1, 1, 1, (version,), prototype, (), (1,))
        for _ in range(8):
            evaluation_request = random_contracts.random_request(chance, rules, words)
            now = random_contracts.random_moment(chance, rules)
            one = decide(version, prototype, evaluation_request, now)
            beside = decide(version, InitiativeCondition("production", **around), evaluation_request, now)
            answer = api.said(known, api.Decided(one, now))
            assert answer["context"]["stage"] == "prototype"
            assert answer["decision"] is one.allowed
            if bound is not None and declares(declared, evaluation_request):
                assert (one.outcome, one.code, one.clauses) == (beside.outcome, beside.code, beside.clauses)
                acted += one.allowed
            else:
                assert one.outcome == "deny", (declared, evaluation_request["subject"])
                kept_out += beside.allowed
    assert acted > len(chances) / 20
    assert kept_out > len(chances) / 10


@pytest.mark.django_db
def test_production_says_not_enforced_here_unless_a_key_of_it_was_heard_of_within_its_days(chances):
    cast = factories.make_cast()
    initiative, other = (factories.make_production(cast, title=title) for title in ("Own", "Other"))
    own, foreign = factories.make_key(cast, initiative)[0], factories.make_key(cast, other)[0]
    start, said = clock.now() - timedelta(days=360), {True: 0, False: 0}
    for first in range(0, len(chances), 50):
        chance, signs = chances[first], []
        with transaction.atomic():
            for _ in range(12):
                at, key = start + chance.random() * timedelta(days=300), chance.choice([own, foreign, None])
                if key is not None and chance.random() < 0.5:
                    with row_history.acting(system="test", reason="A heartbeat"):
                        KeyHeartbeat.objects.get_or_create(
                            key=key, day=clock.local_day(at), defaults={"at": at}
                        )
                    at = KeyHeartbeat.objects.get(key=key, day=clock.local_day(at)).at
                else:
                    of = other if key == foreign else initiative
                    write(of, 1, at=at, key=key, outcome=chance.choice(["allow", "deny", "needs_approval"]))
                if key == own:
                    signs.append(at)
            for chance in chances[first : first + 50]:
                edge = chance.choice([*signs, start]) + chance.choice([timedelta(), WITHIN])
                now = edge + chance.choice([timedelta(), INSTANT, -INSTANT, HOUR, -HOUR, timedelta(days=9)])
                heard = any(at <= now < at + WITHIN for at in signs)
                asked = SimpleNamespace(
                    ref=initiative.ref,
                    number=initiative.number,
                    contract_id=initiative.contract_id,
                    withdrawn_at=None,
                )
                for stage in ("prototype", "mvp", "production"):
                    asked.stage = stage
                    judged = SimpleNamespace(at=now, rulebook=RULEBOOK)
                    shown = [one["title"] for one in banners.runs_without(asked, judged)]
                    missing = "No log here." if heard else "Not enforced here. No log here."
                    assert shown == ([missing] if stage == "production" else []), (stage, now, signs)
                said[heard] += 1
            transaction.set_rollback(True)
    assert min(said.values()) > len(chances) / 10, said
