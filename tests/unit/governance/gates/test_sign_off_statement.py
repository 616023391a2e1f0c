"""What a seat signs and every reason, one by one, why a signature no longer counts."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from governance import clock
from governance.gates import sign_off_statement
from governance.gates.criteria import judge
from governance.gates.gate_inputs import Declared, ScopeFact, Verification, Void, WaiverFact
from governance.rulebook import parse
from governance.vocabulary.readable_text import hidden
from tests.support.rules.gate_facts import (
    AT,
    CONTRACT,
    LONG_AGO,
    RULEBOOK,
    SHOWN,
    TODAY,
    days_ago,
    everything,
    evidence_of,
    item,
    one,
    reply,
    swapped,
)
from tests.support.rules.plain_rulebook import plain_text

DAY = timedelta(days=1)
SIGNER = SimpleNamespace(pk=12, full_name="Ines Okafor")


def signed(facts, gate="production", seat="risk_compliance", at=AT):
    return sign_off_statement.seat_facts(judge(facts, RULEBOOK, at), gate, seat)


def reasons(
    before, after, gate="production", seat="risk_compliance", at=AT + timedelta(hours=1), rulebook=RULEBOOK
):
    """Why an approval signed on `before` at noon does not count an hour later, on `after`."""
    return sign_off_statement.stale_reasons(signed(before, gate, seat), judge(after, rulebook, at), AT)


def test_nothing_changed_means_fresh():
    facts = everything("mvp")
    for gate, approved_stage in (("prototype", "proposed"), ("mvp", "prototype"), ("production", "mvp")):
        for seat in RULEBOOK.gates[gate].seats:
            facts = everything(approved_stage)
            assert reasons(facts, facts, gate, seat) == [], (gate, seat)


def test_the_facts_of_a_seat_are_what_its_criteria_ask_for():
    covered = signed(everything("mvp"), seat="adoption_change")
    assert set(covered["criteria"]) == {
        "production.test_adoption",
        "production.lessons_captured",
        "production.behaviour",
    }
    assert set(covered["requirements"]) == {
        *RULEBOOK.scale_tests["adoption"].items,
        "production.lessons_captured",
        "adopt.behaviour",
    }
    assert covered["contract"] is None
    assert signed(everything("mvp"))["contract"] == {"number": 1, "digest": "c" * 64}


# What stales, one by one


def test_age_of_the_sign_off():
    facts = everything("mvp")
    limit = RULEBOOK.freshness.sign_off_max_age_days
    fresh = one(
        "mvp.problem"
    )  # evidence that does not age is not needed: only the sign-off's own age is looked at
    covered = signed(facts)
    then = clock.midnight_before(TODAY + limit * DAY)
    assert not any(
        "days ago" in r for r in sign_off_statement.stale_reasons(covered, judge(fresh, RULEBOOK, then), AT)
    )
    late = clock.midnight_before(TODAY + (limit + 1) * DAY)
    assert f"signed more than {limit} days ago" in sign_off_statement.stale_reasons(
        covered, judge(facts, RULEBOOK, late), AT
    )


def test_another_rulebook():
    other = parse(plain_text().replace('version = "0.9"', 'version = "1.0"'))
    facts = everything("mvp")
    assert reasons(facts, facts, rulebook=other) == ["the review was moved to rulebook 1.0"]


@pytest.mark.parametrize("seat", RULEBOOK.gates["production"].seats)
def test_scope_touches_every_seat(seat):
    facts = everything("mvp")
    wider = replace(facts, scopes=(ScopeFact(2, "400 users", 400, None, False),))
    assert reasons(facts, wider, seat=seat) == ["the scope changed: 40 users, now 400 users"]


def test_a_planned_scope_is_a_fact_too():
    facts = everything("mvp")
    planned = replace(facts, scopes=(*facts.scopes, ScopeFact(2, "400 users", 400, None, True)))
    assert "the scope changed" in reasons(facts, planned)[0]


def test_the_owner_changed():
    facts = everything("mvp")
    assert reasons(facts, replace(facts, owner_id=8, people={"owner": "Sam"})) == [
        "the owner changed: Marta, now Sam"
    ]
    assert reasons(facts, replace(facts, owner_id=None, people={})) == [
        "the owner changed: Marta, now nobody"
    ]


def test_the_tier_changed():
    facts = everything("mvp")
    assert "the risk tier changed: limited, now high" in reasons(facts, replace(facts, tier="high"))


def test_a_new_contract_touches_the_seats_whose_criteria_are_about_it():
    facts = everything("mvp")
    next_one = replace(CONTRACT, id=2, number=2, digest="d" * 64)
    after = replace(facts, contracts=(replace(CONTRACT, until=AT), replace(next_one, since=AT)))
    assert "the contract changed: now version 2" in reasons(facts, after)
    assert reasons(facts, after, seat="adoption_change") == []


def test_a_declaration_or_its_result_changed():
    facts = everything("mvp")
    missed = facts.declared | {"workflow_fit": Declared("workflow_fit", "It will be shown.", "missed")}
    after = replace(facts, declared=missed)
    assert "what was declared, or its result, changed" in reasons(facts, after, seat="business_value")
    assert reasons(facts, after, seat="security_privacy") == []


def test_an_answer_changed():
    facts = everything("mvp")
    after = replace(facts, answers=facts.answers | {"gov.impact": reply(version=2)})
    (why,) = reasons(facts, after)
    assert why.startswith("the answer changed")
    assert reasons(facts, after, seat="adoption_change") == []


def test_evidence_aged_out():
    before = everything("mvp")
    old = evidence_of("int.fallback", 900, days_ago(180))
    facts = swapped(before, "int.fallback", old)
    midnight = clock.midnight_after(TODAY)
    seat = "architecture_integration"
    assert reasons(facts, facts, seat=seat, at=midnight - timedelta(seconds=1)) == []
    assert reasons(facts, facts, seat=seat, at=midnight) == [
        f"evidence aged out: Item 900 of {days_ago(180):%-d %B %Y}"
    ]
    assert reasons(facts, facts, at=midnight) == []


def item_of(facts, key):
    return next(one_item for one_item in facts.items if key in one_item.covers)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"withdrawn_at": AT}, "withdrawn"),
        ({"missing": True}, "file missing"),
        ({"voids": {"gov.impact": (Void(AT, "model_version", "m-4 -> m-5"),)}}, "m-4 -> m-5"),
        ({"superseded_by": 999}, "superseded"),
        ({"components": frozenset()}, "does not name the model"),
    ],
)
def test_an_item_the_statement_names_ended(fields, word):
    facts = everything("mvp")
    touched = replace(item_of(facts, "gov.impact"), **fields)
    after = swapped(facts, "gov.impact", touched)
    assert any(word in why for why in reasons(facts, after)), reasons(facts, after)
    assert reasons(facts, after, seat="adoption_change") == []


def test_an_item_that_ended_stales_although_another_still_grounds():
    facts = everything("mvp")
    second = evidence_of("gov.impact", 901)
    two = replace(facts, items=(*facts.items, second))
    after = swapped(two, "gov.impact", replace(second, withdrawn_at=AT), item_of(facts, "gov.impact"))
    assert any("withdrawn" in why for why in reasons(two, after))


def test_an_acceptance_ended():
    facts = everything("mvp")
    gone = replace(item_of(facts, "prod.q02_support"), acceptance_open=False)
    after = swapped(facts, "prod.q02_support", gone)
    assert any("no longer has the role" in why for why in reasons(facts, after, seat="service_operations"))


def test_evidence_that_is_gone_is_said():
    facts = everything("mvp")
    pk = item_of(facts, "gov.impact").id
    assert f"evidence {pk} is gone" in reasons(facts, swapped(facts, "gov.impact"))


def test_an_accepted_not_applicable_that_ran_out():
    facts = everything("mvp", without=["gov.impact"])
    facts = replace(
        facts,
        answers=facts.answers | {"gov.impact": reply("not_applicable", accepted_on=TODAY - 365 * DAY)},
    )
    assert reasons(facts, facts) == []
    assert reasons(facts, facts, at=clock.midnight_after(TODAY)) != []


def test_a_waiver_that_ran_out():
    facts = everything(
        "mvp",
        without=["production.lessons_captured"],
        waivers=(WaiverFact("production.lessons_captured", LONG_AGO, TODAY, "later"),),
    )
    assert reasons(facts, facts, seat="adoption_change") == []
    (why,) = reasons(facts, facts, seat="adoption_change", at=clock.midnight_after(TODAY))
    assert why.startswith("no longer met")


# New evidence (docs/domain.md, invariant 19)

LATER = AT + timedelta(minutes=30)


@pytest.mark.parametrize("kind", ["test_report", "user_research"])
def test_new_passing_evidence_does_not_stale(kind):
    facts = everything("mvp")
    newer = item(900, "adopt.explains", kind=kind, added_at=LATER)
    after = replace(facts, items=(*facts.items, newer))
    assert reasons(facts, after, seat="adoption_change") == []


@pytest.mark.parametrize("result", ["partial", "fail"])
@pytest.mark.parametrize("observed", [TODAY, days_ago(40)])
def test_a_newer_result_that_is_not_a_pass_stales_whenever_it_was_observed(result, observed):
    facts = everything("mvp")
    newer = item(900, "adopt.trust", kind="telemetry", added_at=LATER, result=result, observed_on=observed)
    after = replace(facts, items=(*facts.items, newer))
    assert any(
        f"a newer result says {result}" in why for why in reasons(facts, after, seat="adoption_change")
    )
    assert reasons(facts, after, seat="business_value") == []


def test_a_failure_that_was_known_when_signing_does_not_stale():
    facts = everything("mvp")
    known = item(900, "adopt.trust", kind="telemetry", result="fail", observed_on=days_ago(40))
    facts = replace(facts, items=(*facts.items, known))
    assert reasons(facts, facts, seat="adoption_change") == []


def test_a_withdrawn_failure_stales_nothing():
    facts = everything("mvp")
    newer = item(900, "adopt.trust", kind="telemetry", added_at=LATER, result="fail", withdrawn_at=LATER)
    after = replace(facts, items=(*facts.items, newer))
    assert reasons(facts, after, seat="adoption_change") == []


def test_passing_evidence_that_supersedes_a_named_item_stales():
    facts = everything("mvp")
    old = item_of(facts, "adopt.trust")
    newer = item(900, "adopt.trust", kind="telemetry", added_at=LATER)
    after = swapped(facts, "adopt.trust", replace(old, superseded_by=900), newer)
    assert reasons(facts, after, seat="adoption_change") == [f"{old.title} was superseded by a newer item"]


def test_evidence_by_the_production_form_is_watched_in_that_form():
    # At the MVP gate mvp.possibility may stand on a performance report; what ends that report ends the sign-off.
    facts = everything("prototype", without=["mvp.possibility"])
    report = item_of(facts, "prod.performance")
    second = evidence_of("prod.performance", 900)
    facts = replace(facts, items=(*facts.items, second))
    assert reasons(facts, facts, "mvp", "business_value") == []
    ended = replace(report, voids={"prod.performance": (Void(AT, "data_source", "a source moved"),)})
    after = swapped(facts, "prod.performance", ended, second)
    assert any("a source moved" in why for why in reasons(facts, after, "mvp", "business_value"))


# The statement itself


def text_of(facts, verdict="approve", seat="risk_compliance", **fields):
    values = {"person": SIGNER, "board": "Retail board", "verdict": verdict, "at": AT}
    return sign_off_statement.write(RULEBOOK, signed(facts, seat=seat), **(values | fields))


def test_the_statement_says_who_what_and_on_which_facts():
    text = text_of(everything("mvp"))
    for words in [
        "I, Ines Okafor, in the seat Risk and compliance",
        "of the Retail board, approve that AI-0001, An initiative, for 40 users, meets these criteria",
        "person 12",
        "Scope: 40 users.",
        "Owner: Marta. Risk tier: limited.",
        "Contract: version 1, sha-256 cccc",
        f"Rulebook: 0.9, sha-256 {RULEBOOK.digest}",
        "This sign-off ends when any of these facts changes or expires.",
        AT.isoformat(timespec="seconds"),
    ]:
        assert words in text, words
    for criterion in RULEBOOK.criteria_of("production", "risk_compliance"):
        assert criterion.key in text
    impact = item_of(everything("mvp"), "gov.impact")
    assert f"{impact.title}, document observed {TODAY.isoformat()}" in text
    assert impact.fingerprint in text


def verified(words="All 12 rows name a person.", at=AT, **fields):
    """Facts with one item that somebody verified 75 seconds after opening it."""
    facts = everything("mvp")
    impact = item_of(facts, "gov.impact")
    said = Verification(99, "Ola Brandt", at, 1, impact.fingerprint, True, words, **fields)
    said = replace(said, seat="risk_compliance", place="Row 4", opened_at=at - timedelta(seconds=75))
    return swapped(facts, "gov.impact", replace(impact, verifications={"gov.impact": (said,)}))


def test_the_statement_quotes_what_each_verifier_saw():
    text = text_of(verified())
    assert (
        f"Verified by Ola Brandt (Risk and compliance) at {AT.isoformat(timespec='seconds')}, "
        "75 seconds after opening it. Seen at “Row 4”: “All 12 rows name a person.”"
    ) in text
    assert "Verified by" not in text_of(everything("mvp"))
    long = "Row by row. " * 60
    assert "... the rest has sha-256" in text_of(verified(long))
    assert long.strip() not in text_of(verified(long))


def test_another_word_of_a_verifier_stales_and_another_verifier_does_not():
    assert reasons(verified(), verified("Only 11 rows do.")) == [
        f"what Ola Brandt saw in {item_of(verified(), 'gov.impact').title} is no longer what was signed"
    ]
    assert reasons(verified(), everything("mvp")) != []
    assert reasons(everything("mvp"), verified()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"owner_id": 8, "people": {"owner": "Sam"}},
        {"tier": "high"},
        {"scopes": (ScopeFact(2, "400 users", 400, None, False),)},
        {"contracts": (replace(CONTRACT, digest="e" * 64),)},
    ],
)
def test_other_facts_make_other_bytes(change):
    facts = everything("mvp")
    assert sign_off_statement.digest(text_of(facts)) != sign_off_statement.digest(
        text_of(replace(facts, **change))
    )


def test_an_objection_names_its_criteria_and_reason():
    text = text_of(
        everything("mvp"),
        "object",
        objected=("production.test_governance",),
        reason="The rule is not enforced.",
    )
    assert "object" in text
    assert "production.test_governance" in text
    assert "production.governance_satisfied" not in text
    assert "Reason: The rule is not enforced." in text


def test_a_condition_is_in_the_bytes():
    condition = {"text": "Train the second team", "owner_name": "Karim", "due": "2026-12-01"}
    text = text_of(everything("mvp"), "approve_with_condition", condition=condition)
    assert "Condition: Train the second team - Karim, by 2026-12-01." in text


def test_what_differs_between_two_statements_is_told_in_pairs_without_what_belongs_to_the_sign_off():
    before = (
        "I, Ada, approve:\n\n- Is it bounded? (a): met\n  - Whom? (b, answer 1): stated\nReason: Read twice.\n"
        "Scope: 40 users.\nSigner: Ada, person 1. Prepared 2026-05-01.\n"
    )
    after = (
        "I, Ben, approve:\n\n- Is it bounded? (a): met\n  - Whom? (b, answer 2): stated\n  - Where? (c): stated\n"
        "Scope: 40 users.\nSigner: Ben, person 2. Prepared 2026-06-01.\n"
    )
    changed, same = sign_off_statement.differences(before, after)
    assert changed == [
        ("- Whom? (b, answer 1): stated", "- Whom? (b, answer 2): stated"),
        ("", "- Where? (c): stated"),
    ]
    assert same == 2
    assert sign_off_statement.differences(before, before) == ([], 3)


# One reading of what is signed


def test_a_statement_spells_out_what_a_reader_cannot_see():
    covered = signed(everything("mvp")) | {
        "title": "only draft, a human \u202edecides\u202c.",
        "problem": "slow\u200bness",
        "owner": [3, "Ana\u2066 Ruiz"],
    }
    text = sign_off_statement.write(
        RULEBOOK,
        covered,
        person=SimpleNamespace(pk=12, full_name="Ines\u200b Okafor"),
        board="Board\u00ad",
        verdict="approve",
        reason="fine\ufeff",
        condition={"text": "by\u2064 then", "owner_name": "Ben\u200f", "due": "2026-12-01"},
        at=AT,
    )
    assert not hidden(text)
    assert "a human [U+202E]decides[U+202C]." in text
    for words in (
        "slow[U+200B]ness",
        "Ana[U+2066] Ruiz",
        "Ines[U+200B] Okafor",
        "fine[U+FEFF]",
        "Ben[U+200F]",
    ):
        assert words in text


# What runs


def statement(facts, gate="production", seat="risk_compliance"):
    covered = signed(facts, gate, seat)
    return sign_off_statement.write(RULEBOOK, covered, person=SIGNER, board="Board", verdict="approve", at=AT)


def test_the_statement_says_what_production_runs_without_and_that_governance_is_documented():
    text = statement(everything("mvp", measured=SHOWN[:1]))
    assert "\nWhat runs: No log here.\n" in text
    assert "(production.test_governance): documented by others\n" in text
    assert "What runs: Not enforced here. No log here." in statement(everything("mvp", measured=()))
    whole = statement(everything("mvp"))
    assert "What runs" not in whole
    assert "(production.test_governance): met\n" in whole
    assert "What runs" not in statement(everything("prototype", measured=()), "mvp")


def test_a_system_that_falls_silent_stales_and_one_that_speaks_does_not():
    speaks, silent = everything("mvp"), everything("mvp", measured=SHOWN[1:])
    assert reasons(speaks, silent) == ["what runs changed: Not enforced here"]
    assert reasons(silent, speaks) == []
