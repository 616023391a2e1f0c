"""What renews a verified item counts as verified for fourteen days, waiting for its seat, and not a moment longer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from governance import clock
from governance.gates import remarks, sign_off_statement
from governance.gates.gate_inputs import Verification, Void
from governance.gates.levels import seen_in
from governance.gates.requirements import BY_VERIFYING, state_of
from governance.gates.turning_points import outlook
from governance.vocabulary import Level
from tests.support.rules.gate_facts import AT, days_ago, item, one
from tests.support.rules.random_facts import RULEBOOK

KEY = "mvp.rollout"  # limited: verified at the gate to MVP
DAY = timedelta(days=1)
ADDED = AT - 3 * DAY


def said(found, *people, shows=True, at=None, version=1):
    """The item with the verdicts of these people, an hour after it came unless said."""
    at = at or found.added_at + timedelta(hours=1)
    words = tuple(
        Verification(person, f"Person {person}", at, version, found.fingerprint, shows, "Page 2.")
        for person in people
    )
    return replace(found, verifications={KEY: (*found.verifications.get(KEY, ()), *words)})


def renewed(old=None, *, people=(98,), tier="limited", **new):
    """Facts with an item that was verified and its newer form, added three days ago."""
    older = said(item(1, KEY, observed_on=days_ago(40), **(old or {})), *people)
    older = replace(older, superseded_by=2)
    newer = item(2, KEY, **({"observed_on": days_ago(3)} | new))
    newer = replace(newer, added_at=ADDED)
    return one(KEY, older, newer, tier=tier)


def state(facts, at=AT):
    return state_of(facts, RULEBOOK, KEY, at)


def test_it_counts_as_verified_and_waits_for_its_seat():
    found = state(renewed())
    assert (found.state, found.level, found.place) == ("met", Level.VERIFIED, BY_VERIFYING)
    assert found.satisfies("mvp")
    assert (found.verifiers, found.renewed) == (frozenset(), {98})
    assert "renews verified evidence" in found.words


def test_what_was_seen_is_that_of_the_item_and_meanwhile_of_what_it_renews():
    facts = renewed(people=(97, 98))
    older, newer = facts.items
    assert [one.by_id for one in seen_in(facts, RULEBOOK, KEY, newer, AT)] == [97, 98]
    facts = replace(facts, items=(older, said(newer, 98)))
    seen = seen_in(facts, RULEBOOK, KEY, facts.items[1], AT)
    assert [(one.by_id, one.fingerprint) for one in seen] == [(97, "sha-1"), (98, "sha-2")]
    refused = replace(facts, items=(older, said(newer, 97, 98, shows=False)))
    assert seen_in(refused, RULEBOOK, KEY, refused.items[1], AT + timedelta(days=30)) == []


def test_the_same_file_renews_nothing_and_is_as_old_as_on_its_first_day():
    facts = renewed(fingerprint="sha-1")
    newer = facts.items[1]
    assert (state(facts).level, state(facts).renewed) == (Level.DOCUMENTED, frozenset())
    assert facts.first_day(newer) == days_ago(40)
    last = state(facts).last_day
    assert last == state(replace(facts, items=(replace(facts.items[0], superseded_by=None),))).last_day
    assert state(facts, clock.midnight_after(last)).state == "expired"
    assert f"{days_ago(40):%-d %B %Y}" in remarks.same_file(facts, newer)
    assert remarks.same_file(facts, facts.items[0]) == ""
    first = f"{days_ago(40):%-d %B %Y}"
    assert first in sign_off_statement._named(facts, newer)["remarks"], "printed below the item"


@pytest.mark.parametrize("made", [{"of_pipeline": True}, {"generated": True}, {"register": "integration"}])
def test_what_is_made_anew_each_time_is_of_its_day_whatever_its_content(made):
    facts = renewed(fingerprint="sha-1", **made)
    assert facts.first_day(facts.items[1]) == days_ago(3)
    assert state(facts).renewed == {98}


def test_a_withdrawn_item_shows_that_its_file_was_there_when_it_was_added():
    wrong = item(1, KEY, observed_on=days_ago(300), added_at=AT - 20 * DAY, withdrawn_at=AT - 19 * DAY)
    late, right = (item(2, KEY, observed_on=days_ago(day), fingerprint="sha-1") for day in (3, 25))
    assert one(KEY, wrong, late).first_day(late) == days_ago(20)
    assert one(KEY, wrong, right).first_day(right) == days_ago(25)


def test_an_old_pass_added_again_is_no_newer_than_a_failure_after_it():
    key = "prod.q10_outage"
    passed = item(1, key, kind="drill_record", observed_on=days_ago(10))
    failed = item(2, key, kind="drill_record", observed_on=days_ago(5), result="fail")
    again = item(3, key, kind="drill_record", observed_on=days_ago(1), fingerprint="sha-1")
    assert state_of(one(key, passed, failed, again), RULEBOOK, key, AT).state == "failing"


def test_it_ends_with_the_fourteenth_day():
    facts = renewed()
    end = clock.midnight_after(clock.local_day(ADDED) + timedelta(days=14))
    assert state(facts, end - timedelta(microseconds=1)).satisfies("mvp")
    after = state(facts, end)
    assert (after.level, after.place) == (Level.DOCUMENTED, BY_VERIFYING)
    assert not after.satisfies("mvp")


def test_the_end_is_foretold_to_the_moment():
    facts = replace(renewed(), approved_stage="mvp")
    end = clock.midnight_after(clock.local_day(ADDED) + timedelta(days=14))
    assert end in [one.at for one in outlook(facts, RULEBOOK, AT)]


def test_once_its_seat_verified_it_nothing_waits():
    facts = renewed()
    newer = said(facts.items[1], 99, at=AT - timedelta(hours=1))
    found = state(replace(facts, items=(facts.items[0], newer)))
    assert (found.level, found.place, found.verifiers, found.renewed) == (
        Level.VERIFIED,
        "",
        {99},
        frozenset(),
    )
    long_after = AT + timedelta(days=60)
    assert state(replace(facts, items=(facts.items[0], newer)), long_after).satisfies("mvp")


def test_whoever_says_that_the_newer_one_does_not_show_it_ends_it():
    facts = renewed()
    newer = said(facts.items[1], 99, shows=False, at=AT - timedelta(hours=1))
    assert not state(replace(facts, items=(facts.items[0], newer))).satisfies("mvp")


VOIDED = {"voids": {KEY: (Void(ADDED - timedelta(days=1), "scope", "the scope was widened"),)}}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"author_id": 5}, {}),
        ({"kind": "system_record"}, {}),
        ({}, {"kind": "system_record"}),
        (VOIDED, {}),
        ({"withdrawn_at": ADDED - timedelta(hours=1)}, {}),
    ],
    ids=[
        "another author",
        "another kind",
        "a newer one of another kind",
        "voided before",
        "withdrawn before",
    ],
)
def test_not_in_place_of_what_is_not_the_same_or_did_not_count(old, new):
    assert state(renewed(old, **new)).level == Level.DOCUMENTED


def test_not_of_what_nobody_verified_in_person():
    """What counts by renewal renews nothing in its turn."""
    facts = renewed()
    middle = replace(facts.items[1], superseded_by=3)
    last = replace(item(3, KEY, observed_on=days_ago(1)), added_at=AT - timedelta(days=1))
    assert state(replace(facts, items=(facts.items[0], middle, last))).level == Level.DOCUMENTED


def test_not_once_the_answer_is_another():
    facts = renewed()
    answers = {KEY: replace(facts.answers[KEY], version=2)}
    assert state(replace(facts, answers=answers)).level == Level.DOCUMENTED


def test_not_of_what_was_out_of_date_already():
    days = RULEBOOK.requirements[KEY].days("limited")
    facts = renewed()
    older = replace(facts.items[0], observed_on=clock.local_day(ADDED) - timedelta(days=days + 1))
    assert state(replace(facts, items=(older, facts.items[1]))).level == Level.DOCUMENTED
    older = replace(older, observed_on=clock.local_day(ADDED) - timedelta(days=days))
    assert state(replace(facts, items=(older, facts.items[1]))).level == Level.VERIFIED


def test_a_verdict_that_came_after_the_renewal_is_about_what_is_gone():
    facts = renewed(people=())
    late = said(facts.items[0], 98, at=ADDED + timedelta(hours=1))
    assert state(replace(facts, items=(late, facts.items[1]))).level == Level.DOCUMENTED


class TestHighRisk:
    """In production two persons verify; so do two of what is renewed."""

    AUDIT = "int.audit_trail"

    def at_high(self, people, again=()):
        def verified(found, who, at):
            words = tuple(
                Verification(person, "P", at, 1, found.fingerprint, True, "Page 2.") for person in who
            )
            return replace(found, verifications={self.AUDIT: words})

        older = item(1, self.AUDIT, kind="drill_record", observed_on=days_ago(40))
        older = replace(verified(older, people, older.added_at), superseded_by=2)
        newer = replace(item(2, self.AUDIT, kind="drill_record", observed_on=days_ago(3)), added_at=ADDED)
        newer = verified(newer, again, AT - timedelta(hours=1))
        facts = one(self.AUDIT, older, newer, tier="high", described=((AT - timedelta(days=99), None),))
        return state_of(facts, RULEBOOK, self.AUDIT, AT)

    def test_two_who_verified_the_older_one_are_enough_for_fourteen_days(self):
        found = self.at_high((97, 98))
        assert found.satisfies("production")
        assert found.place == BY_VERIFYING

    def test_one_is_not(self):
        assert not self.at_high((97,)).satisfies("production")

    def test_it_waits_until_two_verified_the_newer_one(self):
        half = self.at_high((97, 98), again=(97,))
        assert half.satisfies("production")
        assert (half.place, half.verifiers) == (BY_VERIFYING, {97})
        whole = self.at_high((97, 98), again=(97, 99))
        assert (whole.place, whole.verifiers) == ("", {97, 99})
