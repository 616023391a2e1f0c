"""What grounds one requirement, case by case: answers, kinds, results, age, models, carry-forward, waivers."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import override_settings

from governance import clock
from governance.gates import turning_points
from governance.gates.evidence_rules import names_a_page, used_before
from governance.gates.gate_inputs import DeploymentFact, Void, WaiverFact
from governance.gates.requirements import state_of
from tests.support.rules.gate_facts import (
    AT,
    CONTRACT,
    LONG_AGO,
    MODEL,
    RULEBOOK,
    TODAY,
    days_ago,
    everything,
    evidence_of,
    item,
    one,
    reply,
)

DAY = timedelta(days=1)


def state(facts, key, at=AT):
    return state_of(facts, RULEBOOK, key, at)


# What grounds one requirement


def test_nothing_said_is_unanswered():
    facts = one("mvp.problem", answers={})
    assert state(facts, "mvp.problem").state == "unanswered"
    assert not state(facts, "mvp.problem").satisfied


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("no", "no"), ("not_reported", "not_reported"), ("not_applicable", "waiting"), ("answered", "met")],
)
def test_no_not_reported_not_applicable_and_answered_are_four_states(kind, expected):
    facts = one("mvp.problem", item(1, "mvp.problem"), answer=reply(kind))
    assert state(facts, "mvp.problem").state == expected
    assert state(facts, "mvp.problem").satisfied is (expected == "met")


def test_an_answer_without_evidence_grounds_nothing():
    found = state(one("mvp.problem"), "mvp.problem")
    assert found.state == "unproven"
    assert "document" in found.words


def test_evidence_without_an_answer_grounds_nothing():
    assert state(one("mvp.problem", item(1, "mvp.problem"), answers={}), "mvp.problem").state == "unanswered"


def test_a_kind_that_is_not_listed_does_not_count():
    facts = one("mvp.problem", item(1, "mvp.problem", kind="telemetry"))
    assert state(facts, "mvp.problem").state == "unproven"


def test_evidence_for_another_requirement_does_not_count():
    assert state(one("mvp.problem", item(1, "mvp.users")), "mvp.problem").state == "unproven"


def test_evidence_added_later_does_not_count_yet():
    later = item(1, "mvp.problem", added_at=AT + timedelta(seconds=1))
    assert state(one("mvp.problem", later), "mvp.problem").state == "unproven"


# Not applicable


def test_accepted_not_applicable_needs_no_evidence_and_lasts_as_long_as_evidence():
    accepted = reply("not_applicable", accepted_on=days_ago(90))
    facts = one("mvp.users", answer=accepted)  # fresh for 90 days
    found = state(facts, "mvp.users")
    assert found.state == "not_applicable"
    assert found.satisfied
    assert found.last_day == TODAY


def test_accepted_not_applicable_expires():
    facts = one("mvp.users", answer=reply("not_applicable", accepted_on=days_ago(91)))
    assert state(facts, "mvp.users").state == "waiting"


def test_accepted_not_applicable_without_days_lasts():
    facts = one("stop.reason", answer=reply("not_applicable", accepted_on=days_ago(4000)))
    assert state(facts, "stop.reason").state == "not_applicable"


def test_not_applicable_is_not_rescued_by_old_evidence():
    facts = one("mvp.users", item(1, "mvp.users"), answer=reply("not_applicable"))
    assert not state(facts, "mvp.users").satisfied


# Age


def test_the_last_day_counts_and_the_next_does_not():
    facts = one("mvp.users", item(1, "mvp.users", observed_on=days_ago(90)))
    assert state(facts, "mvp.users").satisfied
    assert state(facts, "mvp.users").last_day == TODAY
    tomorrow = clock.midnight_after(TODAY)
    assert state(facts, "mvp.users", tomorrow - timedelta(microseconds=1)).satisfied
    stale = state(facts, "mvp.users", tomorrow)
    assert stale.state == "expired"
    assert "only until" in stale.words


def test_a_day_ends_at_local_midnight_also_when_the_clock_changes():
    # In Zurich 25 October 2026 has 25 hours: summer time ends, midnight is at 23:00 UTC instead of 22:00.
    with override_settings(TIME_ZONE="Europe/Zurich"):
        facts = one("mvp.users", item(1, "mvp.users", observed_on=date(2026, 10, 25) - 90 * DAY))
        for moment, current in [
            (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), True),
            (datetime(2026, 10, 25, 21, 59, 59, tzinfo=UTC), True),
            (datetime(2026, 10, 25, 22, 30, tzinfo=UTC), True),  # 23:30, the same local day
            (datetime(2026, 10, 25, 23, 0, tzinfo=UTC), False),
        ]:
            assert state(facts, "mvp.users", moment).satisfied is current, moment
        turns = [
            one.at for one in turning_points.outlook(facts, RULEBOOK, datetime(2026, 10, 20, tzinfo=UTC))
        ]
        assert datetime(2026, 10, 25, 23, 0, tzinfo=UTC) in turns


def test_no_days_means_only_a_trigger_ends_it():
    old = item(1, "stop.reason", kind="attestation", observed_on=days_ago(4000))
    facts = one("stop.reason", old)
    assert state(facts, "stop.reason").satisfied
    assert state(facts, "stop.reason").last_day is None
    voided = replace(old, voids={"stop.reason": (Void(AT, "incident", "an incident"),)})
    assert state(one("stop.reason", voided), "stop.reason").state == "voided"


def test_a_high_tier_shortens_the_days():
    facts = one("mvp.risk", item(1, "mvp.risk", observed_on=days_ago(91)))  # 180 days, 90 where high
    assert state(facts, "mvp.risk").satisfied
    assert state(replace(facts, tier="limited"), "mvp.risk").satisfied
    assert state(replace(facts, tier="high"), "mvp.risk").state == "expired"


def test_a_newer_item_keeps_it_grounded_when_the_older_one_ages():
    facts = one(
        "mvp.users", item(1, "mvp.users", observed_on=days_ago(90)), item(2, "mvp.users", observed_on=TODAY)
    )
    assert state(facts, "mvp.users").last_day == TODAY + 90 * DAY
    assert state(facts, "mvp.users", clock.midnight_after(TODAY)).satisfied


# Results


@pytest.mark.parametrize("result", ["partial", "fail"])
def test_partial_is_not_pass_and_a_later_one_outranks_an_older_pass(result):
    passed = item(1, "prod.q10_outage", kind="drill_record", observed_on=days_ago(10))
    later = item(2, "prod.q10_outage", kind="drill_record", observed_on=days_ago(5), result=result)
    assert state(one("prod.q10_outage", passed), "prod.q10_outage").satisfied
    found = state(one("prod.q10_outage", passed, later), "prod.q10_outage")
    assert found.state == "failing"
    assert result in found.words


def test_the_newest_observation_decides_not_the_newest_upload():
    passed = item(1, "prod.q10_outage", kind="drill_record", observed_on=days_ago(5))
    older = item(
        2, "prod.q10_outage", kind="drill_record", observed_on=days_ago(10), result="fail", added_at=AT
    )
    assert state(one("prod.q10_outage", passed, older), "prod.q10_outage").satisfied


def test_on_one_day_the_later_upload_decides():
    passed = item(1, "prod.q10_outage", kind="drill_record", added_at=AT - timedelta(hours=2))
    failed = item(2, "prod.q10_outage", kind="drill_record", result="fail", added_at=AT - timedelta(hours=1))
    assert state(one("prod.q10_outage", passed, failed), "prod.q10_outage").state == "failing"
    assert state(
        one("prod.q10_outage", replace(failed, added_at=AT - timedelta(hours=3)), passed), "prod.q10_outage"
    ).satisfied


def test_a_document_does_not_outrank_a_failed_result():
    failed = item(1, "prod.q05_wrong_output", kind="drill_record", observed_on=days_ago(3), result="fail")
    document = item(2, "prod.q05_wrong_output", observed_on=TODAY)
    assert state(one("prod.q05_wrong_output", failed, document), "prod.q05_wrong_output").state == "failing"


def test_an_aged_failure_still_outranks_an_older_pass():
    failed = item(1, "prod.q05_wrong_output", kind="drill_record", observed_on=days_ago(181), result="fail")
    document = item(2, "prod.q05_wrong_output", observed_on=days_ago(182))
    assert not state(one("prod.q05_wrong_output", failed, document), "prod.q05_wrong_output").satisfied


# Kinds and conditions


def test_a_minimum_kind_is_asked_for():
    research = item(1, "mvp.workflow", kind="user_research")
    assert state(one("mvp.workflow", research), "mvp.workflow").state == "weak"
    assert state(one("mvp.workflow", research, item(2, "mvp.workflow")), "mvp.workflow").satisfied


def test_a_minimum_kind_that_aged_out_is_missing():
    research = item(1, "mvp.workflow", kind="user_research")
    document = item(2, "mvp.workflow", observed_on=days_ago(181))
    assert state(one("mvp.workflow", research, document), "mvp.workflow").state == "weak"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [("curated", "weak"), ("bounded_real", "met"), ("full_population", "met")],
)
def test_a_minimum_condition_is_asked_for(condition, expected):
    report = item(1, "prod.performance", kind="test_report", condition=condition)
    assert state(one("prod.performance", report), "prod.performance").state == expected


def test_the_last_day_is_that_of_the_minimum_kind():
    report = item(1, "prod.performance", kind="test_report", observed_on=days_ago(80))
    telemetry = item(2, "prod.performance", kind="telemetry", observed_on=days_ago(1))
    assert state(one("prod.performance", report, telemetry), "prod.performance").last_day == TODAY + 10 * DAY


# The model that runs


def test_evidence_must_name_the_model_that_runs():
    report = item(1, "mvp.possibility", kind="test_report", components=frozenset({99}))
    found = state(one("mvp.possibility", report), "mvp.possibility")
    assert found.state == "unproven"
    assert "m-4" in found.words


def test_only_requirements_with_that_trigger_must_name_the_model():
    assert state(one("mvp.problem", item(1, "mvp.problem", components=frozenset())), "mvp.problem").satisfied


def test_evidence_for_a_planned_model_counts_from_its_start():
    start = AT + DAY
    out = replace(MODEL, until=start)
    planned = DeploymentFact(2, 1, "model", "Language model m-5", start, None)
    old = item(
        1,
        "mvp.possibility",
        kind="test_report",
        voids={"mvp.possibility": (Void(start, "model_version", "m-4 -> m-5"),)},
    )
    new = item(2, "mvp.possibility", kind="test_report", components=frozenset({2}))
    facts = one("mvp.possibility", old, new, deployments=(out, planned))
    assert state(facts, "mvp.possibility").items == (old,)
    assert state(facts, "mvp.possibility", start).items == (new,)
    unprepared = one("mvp.possibility", old, deployments=(out, planned))
    assert state(unprepared, "mvp.possibility", start - timedelta(seconds=1)).satisfied
    assert state(unprepared, "mvp.possibility", start).state == "voided"


def test_evidence_about_models_only_grounds_only_the_model_layer():
    report = item(1, "mvp.override", kind="test_report", layers=frozenset({"model"}))
    assert state(one("mvp.override", report), "mvp.override").state == "unproven"
    both = replace(report, layers=frozenset({"model", "application"}))
    assert state(one("mvp.override", both), "mvp.override").satisfied
    on_model = item(1, "mvp.possibility", kind="test_report", layers=frozenset({"model"}))
    assert state(one("mvp.possibility", on_model), "mvp.possibility").satisfied


# Layers, clauses, acceptance, generated index


def test_one_report_serves_only_the_first_layer_it_was_attached_to():
    report = item(
        1, "layer.policy", "layer.runtime", kind="test_report", covers={"layer.runtime": 5, "layer.policy": 6}
    )
    facts = one("layer.policy", report, answers={"layer.policy": reply(), "layer.runtime": reply()})
    assert state(facts, "layer.runtime").satisfied
    found = state(facts, "layer.policy")
    assert found.state == "unproven"
    assert "own report" in found.words


def test_the_same_content_uploaded_twice_is_one_report():
    first = item(1, "layer.policy", kind="test_report", fingerprint="same")
    second = item(2, "layer.runtime", kind="test_report", fingerprint="same")
    facts = one("layer.policy", first, second, answers={"layer.policy": reply(), "layer.runtime": reply()})
    assert state(facts, "layer.policy").satisfied
    assert not state(facts, "layer.runtime").satisfied
    other = replace(facts, items=(first, replace(second, fingerprint="another")))
    assert state(other, "layer.runtime").satisfied


def test_a_clause_without_a_control_is_named():
    mapped = one("gov.enforced", evidence_of("gov.enforced", 1))
    assert state(mapped, "gov.enforced").satisfied
    missing = replace(CONTRACT, unmapped=((3, "It may send a reply"), (4, "Else."), (7, "Or.")))
    found = state(replace(mapped, contracts=(missing,)), "gov.enforced")
    assert found.state == "unmapped"
    assert (
        found.words
        == "No control is named for clause 3: It may send a reply. The same applies to clauses 4 and 7."
    )
    many = replace(CONTRACT, unmapped=tuple((number, "It may.") for number in range(1, 31)))
    found = state(replace(mapped, contracts=(many,)), "gov.enforced")
    assert found.words == "No control is named for clause 1: It may. The same applies to 29 other clauses."
    assert state(replace(mapped, contracts=(missing,), answers={}), "gov.enforced").state == "unanswered"
    away = replace(
        mapped, contracts=(missing,), answers={"gov.enforced": reply("not_applicable", accepted_on=TODAY)}
    )
    assert state(away, "gov.enforced").state == "unmapped", "no seat waives the map"


def test_only_the_contract_in_force_has_to_be_mapped():
    tomorrow = clock.midnight_after(TODAY)
    ended = replace(CONTRACT, until=AT, unmapped=((1, "Old."),))
    planned = replace(CONTRACT, id=2, number=2, since=tomorrow, unmapped=((2, "New."),))
    now = replace(CONTRACT, until=tomorrow)
    facts = one("gov.enforced", evidence_of("gov.enforced", 1), contracts=(ended,))
    assert state(facts, "gov.enforced").satisfied, "nothing is in force: other requirements say so"
    facts = replace(facts, contracts=(now, planned))
    assert state(facts, "gov.enforced").satisfied, "not before the next version starts"
    assert state(facts, "gov.enforced", tomorrow).words == "No control is named for clause 2: New."


def test_the_layer_rule_is_for_layers_only():
    shared = item(1, "mvp.problem", "mvp.users", "layer.policy")
    facts = one("mvp.problem", shared, answers={key: reply() for key in shared.covers})
    assert all(state(facts, key).satisfied for key in shared.covers)


def test_a_clause_counts_only_while_its_contract_is_in_force():
    cited = item(1, "gov.autonomy", kind="contract_clause", clause_of=CONTRACT.id)
    assert state(one("gov.autonomy", cited), "gov.autonomy").satisfied
    for contracts in [
        (),
        (replace(CONTRACT, id=2),),
        (replace(CONTRACT, since=AT + DAY),),
        (replace(CONTRACT, until=AT),),
    ]:
        found = state(one("gov.autonomy", cited, contracts=contracts), "gov.autonomy")
        assert found.state == "unproven", contracts
        assert "not in force" in found.words


def test_a_vendors_clause_needs_no_contract_of_ours():
    cited = item(1, "int.residency", kind="contract_clause")
    assert state(one("int.residency", cited, contracts=()), "int.residency").satisfied


@pytest.mark.parametrize("key", ["mvp.owner", "mvp.duty", "prod.q01_outcome_owner", "prod.q02_support"])
def test_only_the_persons_own_acceptance_counts(key):
    said = item(1, key, kind="attestation")
    assert not state(one(key, said), key).satisfied
    assert state(one(key, evidence_of(key, 1)), key).satisfied
    wrong = replace(evidence_of(key, 1), acceptance_role="sponsor")
    assert not state(one(key, wrong), key).satisfied
    gone = replace(evidence_of(key, 1), acceptance_open=False)
    found = state(one(key, gone), key)
    assert not found.satisfied
    assert "no longer has the role" in found.words


def test_support_is_accepted_in_person_even_beside_a_document():
    document = item(1, "prod.q02_support")
    assert state(one("prod.q02_support", document), "prod.q02_support").state == "weak"
    acceptance = evidence_of("prod.q02_support", 2, days_ago(80))
    both = state(one("prod.q02_support", document, acceptance), "prod.q02_support")
    assert both.satisfied
    assert both.last_day == TODAY + 10 * DAY


def test_the_outcome_owner_may_be_named_by_a_decision():
    decision = item(1, "prod.q01_outcome_owner", kind="decision_record")
    assert state(one("prod.q01_outcome_owner", decision), "prod.q01_outcome_owner").satisfied


def test_the_index_counts_only_when_it_was_generated():
    key = "prod.q07_governance_evidence"
    assert not state(one(key, item(1, key, kind="system_record")), key).satisfied
    assert state(one(key, item(1, key, kind="system_record", generated=True)), key).satisfied


# What ends an item


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"withdrawn_at": AT}, "withdrawn"),
        ({"superseded_by": 9}, "superseded"),
        ({"missing": True}, "file missing"),
        ({"voids": {"mvp.problem": (Void(AT, "scope", "Scope 40 -> 400 users"),)}}, "40 -> 400"),
    ],
)
def test_what_ends_an_item_is_said(fields, word):
    found = state(one("mvp.problem", item(1, "mvp.problem", **fields)), "mvp.problem")
    assert not found.satisfied
    assert word in found.words


def test_a_voiding_ends_an_item_for_its_requirement_only_and_from_its_moment():
    shared = item(
        1, "mvp.problem", "mvp.users", voids={"mvp.problem": (Void(AT + DAY, "workflow", "redesigned"),)}
    )
    facts = one("mvp.problem", shared, answers={"mvp.problem": reply(), "mvp.users": reply()})
    assert state(facts, "mvp.problem").satisfied
    assert state(facts, "mvp.problem", AT + DAY).state == "voided"
    assert state(facts, "mvp.users", AT + DAY).satisfied


def test_a_withdrawn_failure_no_longer_decides():
    passed = item(1, "prod.q10_outage", kind="drill_record", observed_on=days_ago(2))
    failed = item(2, "prod.q10_outage", kind="drill_record", result="fail", withdrawn_at=AT)
    assert state(one("prod.q10_outage", passed, failed), "prod.q10_outage").satisfied


# The declaration


def test_the_declaration_is_made_item_by_item():
    key = "mvp.advance_evidence"
    facts = everything("prototype")
    assert state(facts, key).satisfied
    missing = dict(list(facts.declared.items())[1:])
    found = state(replace(facts, declared=missing), key)
    assert found.state == "unproven"
    assert "workflow fit" in found.words


# Carried forward


def test_a_frozen_answer_stands_as_decided_from_its_gate_on():
    for approved_stage, expected in [
        ("prototype", "unanswered"),
        ("mvp", "as_decided"),
        ("production", "as_decided"),
    ]:
        facts = one("mvp.users", approved_stage=approved_stage, decided={"mvp": days_ago(500)})
        assert state(facts, "proto.question").state == expected, approved_stage


def test_a_frozen_answer_is_live_again_without_its_decision():
    facts = one("proto.question", approved_stage="mvp")  # reopened: no decision stands behind it
    assert state(facts, "proto.question").state == "unproven"


def test_what_is_not_frozen_stays_live():
    facts = one(
        "mvp.problem", approved_stage="production", decided={"mvp": days_ago(400), "production": days_ago(9)}
    )
    assert state(facts, "mvp.problem").state == "unproven"
    assert state(facts, "production.lessons_captured").state == "as_decided"


def test_the_bound_of_the_rollout_ends_with_production():
    assert state(one("x", approved_stage="production"), "mvp.rollout").state == "not_asked"
    assert state(one("x", approved_stage="mvp"), "mvp.rollout").state == "unanswered"


@pytest.mark.parametrize("approved_stage", ["prototype", "mvp", "production"])
@pytest.mark.parametrize("pair", RULEBOOK.carry.replaced_at_production.items(), ids=lambda pair: pair[0])
def test_a_replaced_answer_is_grounded_by_either_form_at_every_stage(pair, approved_stage):
    old, new = pair
    by_new = one(new, evidence_of(new, 1), approved_stage=approved_stage)
    assert state(by_new, old).satisfied
    assert new in state(by_new, old).words
    assert state(one(old, evidence_of(old, 1), approved_stage=approved_stage), old).satisfied
    neither = one(old, approved_stage=approved_stage)
    assert not state(neither, old).satisfied


def test_an_imported_stage_is_asked_frozen_answers_once_and_they_do_not_age():
    old = item(1, "proto.question", kind="attestation", observed_on=days_ago(900))
    facts = one("proto.question", old, approved_stage="mvp", imported=True)
    assert state(facts, "proto.question").satisfied
    assert state(facts, "proto.question").last_day is None
    assert state(replace(facts, items=()), "proto.question").state == "unproven"
    live = one(
        "mvp.users", item(1, "mvp.users", observed_on=days_ago(900)), approved_stage="mvp", imported=True
    )
    assert state(live, "mvp.users").state == "expired"


@pytest.mark.parametrize("key", ["proto.not_production", "prototype.selected"])
def test_two_answers_are_not_asked_of_stages_imported_above_prototype(key):
    assert state(one("x", approved_stage="mvp", imported=True), key).state == "not_asked"
    assert state(one("x", approved_stage="prototype", imported=True), key).state == "unanswered"
    assert state(one("x", approved_stage="mvp"), key).state == "unanswered"


# Waivers


def waiver(key, until=TODAY, since=LONG_AGO):
    return WaiverFact(key, since, until, "the audit is in January")


def test_a_waiver_of_a_requirement_counts_until_its_last_day():
    facts = one("mvp.users", waivers=(waiver("mvp.users"),))
    assert state(facts, "mvp.users").state == "waived"
    assert state(facts, "mvp.users").last_day == TODAY
    assert not state(facts, "mvp.users", clock.midnight_after(TODAY)).satisfied


def test_a_waiver_that_expires_on_a_weekend_expires_anyway():
    saturday = date(2026, 11, 7)
    facts = one("mvp.users", waivers=(waiver("mvp.users", until=saturday),))
    assert state(facts, "mvp.users", datetime(2026, 11, 7, 23, 59, tzinfo=UTC)).satisfied
    assert not state(facts, "mvp.users", datetime(2026, 11, 8, tzinfo=UTC)).satisfied


def test_a_waiver_does_not_count_before_it_was_granted():
    facts = one("mvp.users", waivers=(waiver("mvp.users", since=AT + DAY),))
    assert not state(facts, "mvp.users").satisfied


@pytest.mark.parametrize("key", ["mvp.risk", "int.identity", "adopt.trust", "layer.policy"])
def test_what_the_rulebook_does_not_let_be_waived_is_not(key):
    assert not state(one(key, waivers=(waiver(key),)), key).satisfied


@pytest.mark.parametrize(
    "place", ["First page", "Page 3", "pages 2 and 3", "p. 12", "the 2nd page", "Title page"]
)
def test_a_place_that_is_a_page(place):
    assert names_a_page(place)


@pytest.mark.parametrize("place", ["Row 4", "column page_url", "Landing page", "09:14", "Heading", "step 3"])
def test_a_place_that_is_none(place):
    assert not names_a_page(place)


def test_words_are_used_before_by_the_same_person_only():
    said = [(1, "It says so."), (2, "It says so."), (1, "it says: so"), (1, "It says more.")]
    assert used_before(said) == [False, False, True, False]
