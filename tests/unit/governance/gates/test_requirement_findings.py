"""What the register says, as the gates hear it: from its moment to its end, whatever was answered or uploaded."""

from dataclasses import replace
from datetime import timedelta

from governance import clock
from governance.gates import criteria, turning_points
from governance.gates.gate_inputs import FindingFact, HoldFact
from governance.gates.requirements import state_of
from tests.support.rules.gate_facts import AT, LONG_AGO, RULEBOOK, TODAY, everything, evidence_of, one, reply

LATER = clock.midnight_after(TODAY + timedelta(days=9))
MUCH_LATER = clock.midnight_after(TODAY + timedelta(days=40))


def short(key="int.sources_condition", since=LONG_AGO, **fields) -> FindingFact:
    told = {"words": "Wiki-C is frozen.", "fix": "Fix it.", "who": ""} | fields
    return FindingFact(key, since=since, **told)


def state(facts, key, at=AT):
    return state_of(facts, RULEBOOK, key, at)


def supported(facts, at=AT):
    return criteria.judge(facts, RULEBOOK, at).support


def test_what_the_register_lists_outweighs_what_was_answered_and_uploaded():
    facts = one("int.sources_condition", evidence_of("int.sources_condition", 1))
    assert state(facts, "int.sources_condition").satisfied
    found = state(replace(facts, requirement_findings=(short(),)), "int.sources_condition")
    assert (found.state, found.words, found.fix) == ("register", "Wiki-C is frozen.", "Fix it.")
    elsewhere = replace(facts, requirement_findings=(short("int.identity"),))
    assert state(elsewhere, "int.sources_condition").satisfied, "of another requirement it says nothing"


def test_that_it_does_not_apply_does_not_make_it_go_away():
    answers = {"int.sources_condition": reply("not_applicable", accepted_on=TODAY)}
    facts = replace(one("int.sources_condition"), answers=answers)
    assert state(facts, "int.sources_condition").satisfied
    assert state(replace(facts, requirement_findings=(short(),)), "int.sources_condition").state == "register"


def test_what_nobody_answered_stays_unanswered():
    facts = replace(one("int.sources_condition"), answers={}, requirement_findings=(short(),))
    assert state(facts, "int.sources_condition").state == "unanswered"


def test_each_reason_is_told_and_many_are_counted():
    facts = one("int.sources_condition", evidence_of("int.sources_condition", 1))
    three = tuple(short(words=f"Source {n} is stale.", who="Marta Lind") for n in (1, 2, 3))
    found = state(replace(facts, requirement_findings=three), "int.sources_condition")
    assert found.words == "Source 1 is stale. Source 2 is stale. Source 3 is stale."
    assert found.fixed_by == "Marta Lind"
    seven = tuple(short(words=f"Source {n} is stale.", who=f"Person {n}") for n in range(1, 8))
    found = state(replace(facts, requirement_findings=seven), "int.sources_condition")
    assert found.words.endswith("Source 4 is stale. 3 more findings are open.")
    assert found.fixed_by == ""
    four = state(replace(facts, requirement_findings=seven[:4]), "int.sources_condition")
    assert four.words.endswith("Source 4 is stale.")
    five = state(replace(facts, requirement_findings=seven[:5]), "int.sources_condition")
    assert five.words.endswith("1 more finding is open.")


def test_it_counts_from_its_moment_to_its_end_though_nobody_does_anything():
    facts = everything("production")
    facts = replace(facts, requirement_findings=(short(since=LATER, until=MUCH_LATER),))
    just_before = LATER - timedelta(microseconds=1)
    assert supported(facts).supported == "production"
    assert supported(facts, just_before).supported == "production"
    assert supported(facts, LATER).supported == "mvp"
    assert supported(facts, LATER).tests["integration"] == "not_yet"
    assert state(facts, "int.sources_condition", MUCH_LATER).state != "register"
    moments = [one.at for one in turning_points.outlook(facts, RULEBOOK, AT)]
    assert LATER in moments, "the outlook turns where it begins"
    assert MUCH_LATER in moments, "and where it ends"


def test_what_calls_for_a_hold_caps_from_its_moment():
    called = short(
        "int.residency",
        since=LATER,
        hold="residency",
        hold_words="Data leaves the allowed region",
        cap="prototype",
    )
    facts = replace(everything("production"), requirement_findings=(called,))
    assert not criteria.holds_at(facts, RULEBOOK, AT)
    assert supported(facts, LATER).supported == "prototype"
    (hold,) = criteria.holds_at(facts, RULEBOOK, LATER)
    assert (hold.kind, hold.blocking, hold.reason) == ("residency", True, "Wiki-C is frozen.")
    twice = replace(facts, requirement_findings=(called, replace(called, words="Another transfer.")))
    assert len(criteria.holds_at(twice, RULEBOOK, LATER)) == 1, "one hold of a kind"
    opened = HoldFact("residency", "Data leaves the allowed region", "Opened", "prototype", True)
    assert criteria.holds_at(replace(facts, holds=(opened,)), RULEBOOK, LATER) == (opened,), (
        "the row that is open is enough"
    )
