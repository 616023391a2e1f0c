"""What was allowed against what was done: batches, cached allows, retries, late arrivals, samples, what is unmapped."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from governance.interaction_log.reconciliation import (
    BEFORE,
    COMPLETE_AFTER,
    LONGEST,
    Act,
    Decided,
    Verdict,
    reconciled,
    withdrawn,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOW = NOON + timedelta(days=1)
ACTIONS = {"refund": "refund", "make_refund": "refund", "mail": "mail"}
SECOND = timedelta(seconds=1)


def decided(name, seconds=0.0, *, allowed=True, key=1, action="refund", lasts=1.0):
    at = NOON + seconds * SECOND
    return Decided(name.encode(), at, key, action, allowed, at + lasts * SECOND if allowed else None)


def act(name, seconds=0.0, decision="", *, key=1, action="refund", **fields):
    return Act(name, NOON + seconds * SECOND, key, action, decision.encode(), **fields)


def verdicts(decisions, acts, now=NOW):
    """By act, its verdict, and whether it is only probable."""
    found = reconciled(decisions, acts, actions=ACTIONS, now=now)
    return {one.act.id: (one.verdict, one.probable) for one in found.acts}


@pytest.mark.parametrize(
    ("decisions", "done", "verdict"),
    [
        ([decided("d")], act("a", 0.5, "d"), (Verdict.DONE, False)),
        ([decided("d")], act("a", 0.5), (Verdict.DONE, True)),
        ([decided("d", allowed=False)], act("a", 0.5, "d"), (Verdict.AFTER_DENIAL, False)),
        ([decided("d", allowed=False)], act("a", 0.5), (Verdict.AFTER_DENIAL, True)),
        ([decided("d", allowed=False)], act("a", 300), (Verdict.NEVER_ASKED, False)),
        ([], act("a"), (Verdict.NEVER_ASKED, False)),
        ([decided("d", key=2)], act("a", 0.5, "d"), (Verdict.NEVER_ASKED, False)),
        ([decided("d", action="mail")], act("a", 0.5, "d"), (Verdict.NEVER_ASKED, False)),
        ([decided("d")], act("a", 30, "d"), (Verdict.DONE, False)),  # what it was asked for, begun later
        ([decided("d")], act("a", 30), (Verdict.NEVER_ASKED, False)),
        ([decided("d")], act("a", -3), (Verdict.DONE, True)),  # a clock that is off
        ([decided("d")], act("a", -30), (Verdict.NEVER_ASKED, False)),
        ([decided("d")], act("a", 2 * LONGEST.total_seconds(), "d"), (Verdict.NEVER_ASKED, False)),
        ([decided("d")], act("a", 0.5, "d", action="make_refund"), (Verdict.DONE, False)),
        ([decided("d"), decided("e", 0.2, allowed=False)], act("a", 0.5), (Verdict.DONE, True)),
        ([decided("d", -60), decided("e", allowed=False)], act("a", 0.5), (Verdict.AFTER_DENIAL, True)),
    ],
)
def test_one_act_and_what_it_rests_on(decisions, done, verdict):
    assert verdicts(decisions, [done]) == {"a": verdict}


def test_an_allow_ends_at_its_moment_and_the_skew_of_clocks():
    (one,) = decisions = [decided("d", lasts=60)]
    last = (one.ends - NOON).total_seconds()
    assert one.ends == one.until + BEFORE
    found = verdicts(
        decisions, [act("first", 1, "d"), act("last", last, "d"), act("after", last + 0.001, "d")]
    )
    assert [found[name][0] for name in ("first", "last", "after")] == [
        Verdict.DONE,
        Verdict.DONE,
        Verdict.NEVER_ASKED,
    ]


def test_a_cached_allow_covers_a_batch_and_retries_count_once():
    acts = [act(f"a{number}", number / 10, "d" if number % 2 else "") for number in range(10)]
    found = reconciled([decided("d", lasts=5)], acts + acts, actions=ACTIONS, now=NOW)
    assert len(found.of(Verdict.DONE)) == 10
    assert (found.not_done, found.findings) == ((), {})


def test_an_outcome_and_the_span_of_its_act_are_one_act():
    decisions = [decided("d", lasts=60)]
    outcome = act("o", 4, "d", outcome=True)
    both = reconciled(decisions, [act("s", 3, "d"), outcome], actions=ACTIONS, now=NOW)
    assert [(one.act.id, one.act.span) for one in both.acts] == [("o", "s")]
    part = reconciled(decisions, [act("s", 3, "d", sampled=0.1), outcome], actions=ACTIONS, now=NOW)
    assert part.sampling == frozenset({1}), "who samples says so on spans, also where the outcome is kept"
    more = reconciled(decisions, [act("s", 3, "d"), act("t", 20, "d"), outcome], actions=ACTIONS, now=NOW)
    assert [one.act.id for one in more.acts] == ["o", "t"], "each outcome is of one act"
    unasked = reconciled([], [act("s", 3), act("o", 4, outcome=True)], actions=ACTIONS, now=NOW)
    assert [one.act.id for one in unasked.acts] == ["o"]
    assert len(unasked.findings) == 1


def test_what_is_new_is_not_judged_yet_and_what_comes_late_withdraws_a_finding():
    done = act("a", 0)
    early = reconciled([], [done], actions=ACTIONS, now=NOON + COMPLETE_AFTER - SECOND)
    assert (early.acts, early.open) == ((), 1)
    completed = reconciled([], [done], actions=ACTIONS, now=NOON + COMPLETE_AFTER)
    assert list(completed.findings) == ["a"]
    late = reconciled([decided("d")], [done], actions=ACTIONS, now=NOON + COMPLETE_AFTER)
    assert late.findings == {}
    assert [one.act.id for one in withdrawn(completed, late)] == ["a"]
    assert withdrawn(completed, completed) == []


def test_permitted_and_not_done_is_said_but_not_of_senders_that_sample():
    decisions = [decided("d"), decided("e", 10), decided("f", 20, allowed=False), decided("g", key=2)]
    found = reconciled(decisions, [act("a", 0.5, "d")], actions=ACTIONS, now=NOW)
    assert found.not_done == (b"g", b"e")
    sampled = reconciled(decisions, [act("a", 0.5, "d", sampled=0.1)], actions=ACTIONS, now=NOW)
    assert (sampled.not_done, sampled.sampling) == ((b"g",), frozenset({1}))
    fresh = reconciled(decisions, [], actions=ACTIONS, now=NOON + COMPLETE_AFTER)
    assert (fresh.not_done, fresh.open) == ((), 3), "too new to tell"


def test_what_the_contract_does_not_speak_of_is_left_out():
    found = reconciled([], [act("a", action="chat"), act("b", action="")], actions=ACTIONS, now=NOW)
    assert (found.acts, found.unmapped) == ((), 2)


def test_everything_planted_is_found_in_a_hundred_thousand_and_nothing_else():
    draw = random.Random(7)
    decisions, acts, asked_never, after_denial = [], [], set(), set()
    at = 0.0
    for number in range(33_000):
        at += 20 + draw.random() * 5
        kind = draw.random()
        name = f"d{number}"
        if kind < 0.8:
            decisions.append(decided(name, at, lasts=draw.choice([1, 10])))
            named = draw.random() < 0.7
            for turn in range(draw.choice([1, 1, 1, 4])):  # a batch on one allow
                acts.append(act(f"a{number}.{turn}", at + 0.1 * turn, name if named else ""))
            if named and draw.random() < 0.3:
                acts.append(act(f"o{number}", at + 0.5, name, outcome=True))
        else:
            decisions.append(decided(name, at, allowed=False))
        acts.append(act(f"c{number}", at, action="chat"))
    for number in range(200):
        hour = at + 300 * (number + 1)
        asked_never.add(f"n{number}")
        acts.append(act(f"n{number}", hour))
        denied = decided(f"x{number}", hour + 100, allowed=False)
        decisions.append(denied)
        after_denial.add(f"y{number}")
        acts.append(act(f"y{number}", hour + 101, f"x{number}" if number % 2 else ""))
    acts += draw.sample(acts, 5_000)  # sent again
    draw.shuffle(acts)
    draw.shuffle(decisions)
    late = NOON + timedelta(days=60)
    found = reconciled(decisions, acts, actions=ACTIONS, now=late)
    assert {one.act.id for one in found.of(Verdict.NEVER_ASKED)} == asked_never
    assert {one.act.id for one in found.of(Verdict.AFTER_DENIAL)} == after_denial
    assert found.not_done == ()
    acts = [replace(one, sampled=0.1) for one in acts if draw.random() < 0.1]
    sampled = reconciled(decisions, acts, actions=ACTIONS, now=late)
    assert set(sampled.findings) <= asked_never | after_denial
    assert sampled.not_done == ()
