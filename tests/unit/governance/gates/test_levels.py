"""Levels of answers under a rulebook that asks for them: who can bring each about, and what each gate asks."""

from dataclasses import replace
from datetime import timedelta

import pytest

from governance import clock
from governance.gates import criteria, turning_points
from governance.gates.gate_inputs import Measured, StandsAlone, Verification, WaiverFact
from governance.gates.requirements import state_of
from governance.rulebook import RulebookErrors, parse, shipped_text
from governance.vocabulary import LEVEL_RANK, Level, Tier
from tests.support.rules.gate_facts import AT, LONG_AGO, TODAY, everything, evidence_of, item, one, reply

RULEBOOK = parse(shipped_text())
OTHER = 99


def state(facts, key, at=AT):
    return state_of(facts, RULEBOOK, key, at)


def seen(found, key, by=OTHER, *, shows=True, at=None, **fields):
    """The item with this person's verdict on it."""
    values = {"by_id": by, "by": f"Person {by}", "at": at or found.added_at, "answer_version": 1}
    values |= {"fingerprint": found.fingerprint, "shows": shows, "words": "Page 2 says so."}
    said = Verification(**(values | fields))
    return replace(
        found, verifications={**found.verifications, key: (*found.verifications.get(key, ()), said)}
    )


def spoken(pk, key):
    return item(pk, key, kind="attestation")


def document(pk, key, **fields):
    return item(pk, key, kind="document", **fields)


class TestLevels:
    def test_words_alone_are_stated(self):
        found = state(one("proto.question", spoken(1, "proto.question")), "proto.question")
        assert (found.state, found.level) == ("met", Level.STATED)

    def test_an_artefact_is_documented_and_no_more_however_many_the_team_adds(self):
        items = [document(pk, "mvp.rollout") for pk in range(1, 9)]
        found = state(one("mvp.rollout", *items, tier="limited"), "mvp.rollout")
        assert (found.state, found.level) == ("below", Level.DOCUMENTED)
        assert found.below == {"mvp"}

    def test_beside_a_word_it_is_said_why_what_was_added_does_not_count(self):
        gone = document(2, "mvp.problem", title="The paper", withdrawn_at=LONG_AGO)
        found = state(one("mvp.problem", spoken(1, "mvp.problem"), gone, tier="limited"), "mvp.problem")
        assert (found.state, found.level) == ("below", Level.STATED)
        assert found.words.endswith("The paper was withdrawn.")

    def test_verified_by_somebody_outside(self):
        found = state(
            one("mvp.rollout", seen(document(1, "mvp.rollout"), "mvp.rollout"), tier="limited"), "mvp.rollout"
        )
        assert (found.state, found.level, found.verifiers) == ("met", Level.VERIFIED, {OTHER})

    @pytest.mark.parametrize(
        "stale", [{"answer_version": 2}, {"answer_version": 0}, {"fingerprint": "of the file before"}]
    )
    def test_another_answer_or_another_content_ends_it(self, stale):
        facts = one("mvp.rollout", seen(document(1, "mvp.rollout"), "mvp.rollout", **stale), tier="limited")
        assert state(facts, "mvp.rollout").level == Level.DOCUMENTED

    def test_it_counts_from_its_moment(self):
        facts = one("mvp.rollout", seen(document(1, "mvp.rollout"), "mvp.rollout", at=AT), tier="limited")
        assert state(facts, "mvp.rollout", AT - timedelta(seconds=1)).level == Level.DOCUMENTED
        assert state(facts, "mvp.rollout", AT).level == Level.VERIFIED
        moments = list(turning_points.turning_points(facts, RULEBOOK))
        assert AT in moments

    def test_what_a_verifier_does_not_find_in_it_is_not_documented_either(self):
        facts = one(
            "mvp.rollout", seen(document(1, "mvp.rollout"), "mvp.rollout", shows=False), tier="limited"
        )
        found = state(facts, "mvp.rollout")
        assert not found.satisfies("mvp")
        assert "does not show the answer, according to Person 99: Page 2 says so." in found.words
        again = seen(facts.items[0], "mvp.rollout", at=AT)
        assert state(replace(facts, items=(again,)), "mvp.rollout").level == Level.VERIFIED, (
            "they looked again"
        )

    def test_one_of_two_who_does_not_find_it_is_enough(self):
        both = seen(seen(document(1, "mvp.rollout"), "mvp.rollout", 1), "mvp.rollout", 2, shows=False)
        assert not state(one("mvp.rollout", both, tier="limited"), "mvp.rollout").satisfies("mvp")

    def test_a_role_accepted_in_person_is_measured(self):
        found = state(one("mvp.owner", evidence_of("mvp.owner", 1), tier="high"), "mvp.owner")
        assert (found.state, found.level) == ("met", Level.MEASURED)

    def test_a_clause_of_the_contract_in_force_is_measured(self):
        found = state(one("gov.autonomy", evidence_of("gov.autonomy", 1), tier="high"), "gov.autonomy")
        assert found.level == Level.MEASURED

    def test_what_plumbline_measured_stands_without_words_and_ends_with_it(self):
        until = clock.midnight_after(TODAY)
        measured = Measured("adopt.usage", "measurements", "41 of 60 used it.", LONG_AGO, until)
        facts = replace(one("mvp.risk"), answers={}, measured=(measured,), tier="limited")
        assert state(facts, "adopt.usage").level == Level.MEASURED
        assert state(facts, "adopt.usage").last_day == TODAY
        assert not state(facts, "adopt.usage", until).satisfied
        assert until in list(turning_points.turning_points(facts, RULEBOOK))

    def test_a_failed_report_outranks_every_level(self):
        failed = item(2, "mvp.override", kind="test_report", result="fail")
        facts = one("mvp.override", seen(document(1, "mvp.override"), "mvp.override"), failed, tier="limited")
        assert state(facts, "mvp.override").state == "failing"

    def test_two_persons_verify_production_at_high_risk(self):
        alone = seen(document(1, "prod.q08_change_control"), "prod.q08_change_control")
        facts = one("prod.q08_change_control", alone, tier="high")
        assert state(facts, "prod.q08_change_control").below == {"production"}
        assert state(replace(facts, tier="limited"), "prod.q08_change_control").satisfied
        both = seen(alone, "prod.q08_change_control", 98)
        assert state(replace(facts, items=(both,)), "prod.q08_change_control").satisfied
        twice = seen(alone, "prod.q08_change_control", OTHER, at=AT)
        assert not state(replace(facts, items=(twice,)), "prod.q08_change_control").satisfied


class TestTiers:
    def test_a_requirement_that_a_tier_leaves_out_is_not_asked_and_says_why(self):
        found = state(one("mvp.risk", tier="minimal"), "gov.impact")
        assert found.state == "not_asked"
        assert "the risk seat confirmed it" in found.words

    def test_unset_is_judged_as_limited_and_at_the_first_gate_as_minimal(self):
        assert RULEBOOK.requirements["mvp.rollout"].level_for("", "mvp") == Level.VERIFIED
        assert RULEBOOK.requirements["proto.scope"].level_for("", "prototype") == Level.STATED

    @pytest.mark.parametrize("gate", RULEBOOK.gates)
    def test_a_higher_tier_never_asks_less(self, gate):
        for key in RULEBOOK.gates[gate].requirements():
            ranks = [LEVEL_RANK[RULEBOOK.requirements[key].level_for(tier, gate)] for tier in Tier]
            assert ranks == sorted(ranks), key

    def test_a_gate_may_ask_less_than_a_later_one(self):
        clause = item(1, "gov.human_approval", kind="contract_clause", clause_of=None)
        found = state(one("gov.human_approval", clause, tier="limited"), "gov.human_approval")
        assert found.satisfies("mvp")
        assert not found.satisfies("production")

    def test_each_scale_test_keeps_three_questions_at_every_tier(self):
        for test in RULEBOOK.scale_tests.values():
            for tier in Tier:
                assert (
                    sum(bool(RULEBOOK.requirements[key].level_for(tier, "production")) for key in test.items)
                    >= 3
                )

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ('level = { minimal = "stated"', 'level = { minimal = "proved"', 'names the level "proved"'),
            ('level = { minimal = "stated"', 'level = { least = "stated"', 'the risk tier "least"'),
            ("waivers_max = 3\n", "", '"waivers_max" is missing'),
            ("drawn_at_minimal = 5", "drawn_at_minimal = -1", "drawn_at_minimal"),
            ('ways = ["acceptance"]', 'ways = ["hearsay"]', 'the way "hearsay"'),
        ],
    )
    def test_a_text_that_asks_for_a_level_that_is_none_is_refused(self, old, new, says):
        with pytest.raises(RulebookErrors, match=says):
            parse(shipped_text().replace(old, new, 1))

    def test_a_text_without_levels_is_refused(self):
        text = shipped_text().replace("[levels]", "[former_levels]", 1)
        with pytest.raises(RulebookErrors, match='the key "levels" is missing'):
            parse(text)


class TestSilence:
    def test_an_empty_register_is_unknown_whatever_was_uploaded(self):
        evidence = seen(item(1, "int.fallback", kind="drill_record"), "int.fallback")
        found = state(one("int.fallback", evidence, tier="limited"), "int.fallback")
        assert found.state == "unknown"
        assert "nothing is described in the integration register" in found.words
        described = replace(one("int.fallback", evidence, tier="limited"), described=((LONG_AGO, None),))
        assert state(described, "int.fallback").satisfied

    def test_a_link_that_ended_describes_nothing_any_more(self):
        ended = replace(one("int.fallback", tier="limited"), described=((LONG_AGO, AT),))
        assert state(ended, "int.fallback", AT).state == "unknown"
        assert state(ended, "int.fallback", AT - timedelta(seconds=1)).state != "unknown"

    def test_an_accepted_declaration_stands_for_the_empty_register_until_it_ends(self):
        alone = StandsAlone(LONG_AGO, AT, "Ines", frozenset({OTHER}))
        facts = replace(one("mvp.risk", tier="limited"), alone=(alone,))
        before = AT - timedelta(seconds=1)
        assert state(facts, "int.inventory", before).level == Level.VERIFIED
        assert state(facts, "int.residency", before).state == "not_applicable"
        assert state(facts, "int.inventory", AT).state == "unknown"

    def test_no_model_recorded_is_unknown_from_the_mvp_on(self):
        facts = one("mvp.possibility", evidence_of("mvp.possibility", 1), deployments=())
        assert state(facts, "mvp.possibility").state == "unknown"
        early = one("proto.limitations", spoken(1, "proto.limitations"), deployments=())
        assert state(early, "proto.limitations").satisfied

    def test_no_mention_of_a_link_costs_a_prototype_anything(self):
        """What describes must not void: no requirement of the first gate ends with a source that was added."""
        for key in RULEBOOK.gates["prototype"].requirements():
            assert "data_source" not in RULEBOOK.requirements[key].triggers


def carried(tier="limited", **fields):
    """An initiative with everything documented and verified by two persons, a described register, and nothing
    measured.
    """
    facts = everything("production", tier=tier, described=((LONG_AGO, None),), **fields)
    keys = [key for key in RULEBOOK.requirements if key.startswith(("proto.", "prototype."))]
    extra = tuple(document(1000 + n, key) for n, key in enumerate(keys))
    items = []
    for found in (*facts.items, *extra):
        for key in found.covers:
            found = seen(seen(found, key, 98), key)
        items.append(found)
    return replace(facts, items=tuple(items), answers={**facts.answers, "proto.personal_data": reply()})


class TestSupport:
    def supported(self, facts):
        return criteria.judge(facts, RULEBOOK, AT).support

    @pytest.mark.parametrize("tier", Tier)
    def test_everything_verified_supports_production(self, tier):
        assert self.supported(carried(tier)).supported == "production"

    def test_an_empty_register_supports_no_more_than_a_prototype(self):
        """T2: the integration test of an initiative about whose systems nothing is known."""
        found = self.supported(replace(carried(), described=()))
        assert (found.supported, found.tests["integration"]) == ("prototype", "not_yet")

    def test_what_is_only_documented_supports_no_limited_production(self):
        facts = carried()
        papers = replace(facts, items=tuple(replace(found, verifications={}) for found in facts.items))
        assert self.supported(papers).supported == "prototype"

    def test_a_waived_requirement_shows_all_the_way_up(self):
        """T4: a criterion is never better than its worst requirement."""
        waiver = WaiverFact("mvp.workflow", LONG_AGO, TODAY, "next month")
        facts = carried(without=("mvp.workflow",), waivers=(waiver,))
        judged = criteria.judge(facts, RULEBOOK, AT)
        assert judged.findings["mvp.workflow_known"].state == "with_waiver"
        found = judged.support
        assert (found.supported, found.waived) == ("production", (("mvp.workflow", TODAY),))

    def test_a_criterion_that_is_never_waived_carries_one_waiver_at_most(self):
        keys = ("prod.q04_exceptions", "prod.q05_wrong_output")
        waivers = tuple(WaiverFact(key, LONG_AGO, TODAY, "next month") for key in keys)
        facts = carried(without=keys, waivers=waivers)
        judged = criteria.judge(facts, RULEBOOK, AT)
        finding = judged.findings["production.exceptions"]
        assert finding.blocks
        assert any("at most one waiver is allowed" in reason for reason in finding.reasons)
        assert judged.support.supported == "mvp"
