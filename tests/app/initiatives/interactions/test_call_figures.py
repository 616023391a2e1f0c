"""Figures of calls by day, what they measure, disprove or leave open, and what is promised of them."""

import secrets
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from adoption.demo import initiative_acts
from governance import clock
from governance.authorization import decision_log
from governance.database.row_history import acting
from governance.interaction_log import loading
from governance.interaction_log.intake import interactions
from governance.interaction_log.shape import Interaction as Report
from governance.interaction_log.shape import Kind, Message, Source, ToolCall
from governance.models import Entry, Interaction, PolicyDecision
from governance.permission_result import Conflict, Refused
from governance.rulebook import shipped_text
from governance.vocabulary import Level, TakesEffect
from initiatives.interactions.comparison import presentation
from initiatives.interactions.comparison.reconciling import reconcile
from initiatives.interactions.promises import actions
from initiatives.lifecycle.findings import sync
from initiatives.models import MeasuredAnswer, PerformancePromise, ReconciledDay, RequirementFinding
from tests.app.initiatives.contracts.enforcement.test_authzen import FIXTURE
from tests.app.initiatives.contracts.enforcement.test_decision_days import state
from tests.support import factories
from tests.support.servers.asking_systems import write

pytestmark = pytest.mark.django_db
PERFORMANCE, ROLLOUT = "prod.performance", "mvp.rollout"
ASKED, ANSWERED = (Message("user", "?"),), (Message("assistant", "!"),)


@pytest.fixture
def initiative(cast):
    """An MVP with a contract, on which the shipped rulebook decides; at noon, so that one day is counted."""
    row = factories.make_contract(cast, factories.make_mvp(cast), FIXTURE)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text(), takes_effect=TakesEffect.AT_ONCE)
    with time_machine.travel(clock.midnight_after(clock.today()) + timedelta(hours=12)):
        yield initiative_acts.fresh(row)


@pytest.fixture
def key(cast, initiative):
    return factories.make_key(cast, initiative, days=300, scopes=["evaluate", "interactions"])[0]


def later(**span):
    return time_machine.travel(clock.now() + timedelta(**span))


def a_call(*, took=200, at=None, **said) -> Report:
    """A call of a model that answered, after so many milliseconds."""
    at = at or clock.now()
    fields = {
        "kind": Kind.CALL,
        "operation": "chat",
        "version": "m-4",
        "subject": "customer 4",
        "input": ASKED,
        "output": ANSWERED,
        "started": at,
        "ended": at + timedelta(milliseconds=took) if took is not None else None,
        "id": secrets.token_hex(8),
    }
    return Report(**fields | said)


def keep(initiative, key, reports) -> Interaction:
    """These reports in the log; the last of its rows. A decision is named by its digest."""
    interactions.keep(
        reports, initiative=initiative.number, key=key.pk, decision_of=bytes.fromhex, now=clock.now()
    )
    interactions.bring_over()
    loading.loader.bring_orphans(interactions._folder)
    return Interaction.objects.latest("id")


def called(initiative, key, **said) -> Interaction:
    return keep(initiative, key, [a_call(**said)])


def logged(initiative, key, count):
    """So many allowed calls, each of them in the log, whole."""
    at = clock.now() - timedelta(seconds=1)
    write(initiative, count, at=at, key=key, outcome="allow", code="allowed", action="read")
    decision_log.decisions.bring_over()
    digests = PolicyDecision.objects.order_by("-id").values_list("digest", flat=True)[:count]
    run = {
        "kind": Kind.TOOL,
        "tool": ToolCall("read", "{}", result="ok"),
        "version": "m-4",
        "subject": "customer 4",
    }
    keep(
        initiative,
        key,
        [
            Report(**run, started=at, id=secrets.token_hex(8), decision=bytes(digest).hex())
            for digest in digests
        ],
    )


def of_day(initiative, *names):
    (row,) = ReconciledDay.objects.filter(initiative=initiative).exclude(judged_at=None)
    return tuple(getattr(row, name) for name in names)


def week_later():
    """A Tuesday, when the days before are over and counted."""
    day = clock.today() + timedelta(days=8)
    return time_machine.travel(
        clock.midnight_after(day - timedelta(days=day.weekday())) + timedelta(hours=12)
    )


def held(initiative, source) -> list[str]:
    rows = MeasuredAnswer.objects.current().filter(initiative=initiative, source=source)
    return sorted(row.requirement for row in rows)


def found(initiative, source) -> list[str]:
    rows = RequirementFinding.objects.current().filter(initiative=initiative, source=source)
    return sorted(row.requirement for row in rows)


def test_a_row_says_how_long_a_call_took_and_whether_it_failed_and_names_sources(initiative, key):
    row = called(initiative, key, took=1234, retrieval=(Source("CRM: account 12", "what it says"),))
    assert (row.milliseconds, row.failed, row.has_source) == (1234, False, True)
    row = called(initiative, key, took=None, output=(), error="timeout", retrieval=(Source(text="nameless"),))
    assert (row.milliseconds, row.failed, row.has_source) == (None, True, False)
    assert called(initiative, key, took=-5).milliseconds is None, "a clock that runs backwards says no time"
    assert called(initiative, key, took=0).milliseconds == 0


def test_figures_of_a_day(initiative, key):
    now = clock.now()
    called(initiative, key, conversation="a", at=now)
    taken = {"started": now + timedelta(seconds=1), "retrieval": (Source("CRM: account 12"),), "id": "r"}
    keep(initiative, key, [Report(Kind.RETRIEVAL, conversation="a", **taken)])
    called(initiative, key, conversation="a", at=now + timedelta(seconds=2), subject="customer 5")
    called(initiative, key, conversation="a", at=now + timedelta(seconds=3), took=5000, subject="")
    called(initiative, key, conversation="b", at=now, output=(), error="timeout")
    called(initiative, key, conversation="b", at=now, output=())
    said = {"trace_id": "ab", "span_id": "cd", "conversation": "b"}
    called(initiative, key, at=now, output=(), id="", **said)
    keep(initiative, key, [Report(Kind.EVENTS, output=ANSWERED, started=now, **said)])
    with later(minutes=30):
        reconcile()
        assert of_day(initiative, "calls", "tried", "failed", "outputs", "sourced", "named") == (
            6,
            6,
            1,
            4,
            1,
            5,
        )
        assert of_day(initiative, "durations", "subjects") == ({"62": 4, "99": 1}, None), (
            "the day is not over"
        )
    with later(days=1):
        reconcile()
        assert of_day(initiative, "subjects") == (2,)


# In one transaction every row would count as just received, and every day would be judged anew.
@pytest.mark.django_db(transaction=True)
def test_people_are_those_of_four_weeks_and_counted_anew_once_more_comes_late(initiative, key):
    start = clock.now()
    called(initiative, key)
    with later(days=27):
        called(initiative, key, subject="customer 5")
    with later(days=28):
        called(initiative, key, subject="customer 6")
    with later(days=29):
        reconcile()
        rows = ReconciledDay.objects.filter(initiative=initiative, calls__gt=0).order_by("day")
        assert [row.subjects for row in rows] == [1, 2, 2]
        called(initiative, key, subject="customer 7", at=start)
        reconcile()
        assert [row.subjects for row in rows.all()] == [2, 3, 2]


def test_promises_are_made_by_who_changes_what_runs_and_replace_each_other(cast, initiative):
    with pytest.raises(Refused):
        actions.promise(initiative=initiative, median=500, most=2000, errors=0.01, by=cast.support)
    for wrong in ({"median": 0}, {"most": 400}, {"errors": 1.0}):
        with pytest.raises(ValidationError) as said:
            actions.promise(
                **{"initiative": initiative, "median": 500, "most": 2000, "errors": 0.01, "by": cast.lead}
                | wrong
            )
        assert set(said.value.error_dict) == set(wrong)
    actions.promise(initiative=initiative, median=500, most=2000, errors=0.01, by=cast.lead)
    with pytest.raises(Conflict):
        actions.promise(initiative=initiative, median=500, most=2000, errors=0.01, by=cast.owner)
    actions.promise(initiative=initiative, median=400, most=2000, errors=0.01, by=cast.owner)
    assert actions.current_promise(initiative).median == 400
    with pytest.raises(IntegrityError), transaction.atomic(), acting(by=cast.owner, reason="x"):
        PerformancePromise(
            initiative=initiative, median=1, most=1, errors=0, by=cast.owner, at=clock.now()
        ).save()
    actions.withdraw(initiative=initiative, by=cast.owner)
    assert actions.current_promise(initiative) is None
    with pytest.raises(Conflict):
        actions.withdraw(initiative=initiative, by=cast.owner)
    kinds = (
        Entry.objects.acts()
        .filter(initiative_ref=initiative.ref, kind__contains="promise")
        .values_list("kind", flat=True)
    )
    assert sorted(kinds) == ["performance promise withdrawn", "performance promised", "performance promised"]


def promised(initiative, cast, key, *, calls=400, **said):
    """What is promised a day before these calls, in a log that has all that was allowed."""
    actions.promise(initiative=initiative, median=500, most=2000, errors=0.02, by=cast.lead)
    with later(days=1):
        logged(initiative, key, 80)
        keep(initiative, key, [a_call(**said) for _ in range(calls)])


def test_what_was_promised_before_and_is_kept_is_measured(cast, initiative, key):
    promised(initiative, cast, key)
    with week_later():
        reconcile()
        sync.follow_register()
        assert held(initiative, "interactions:promise") == [PERFORMANCE]
        row = MeasuredAnswer.objects.current().get(source="interactions:promise")
        assert "of 400 calls returned within 0.22 s" in row.words
        assert row.until - row.since == timedelta(days=14)
        assert state(initiative, PERFORMANCE).level == Level.MEASURED
        assert {one.tone for one in presentation.figures(initiative) if "promised" in one.words} == {"ok"}
        actions.withdraw(initiative=initiative, by=cast.lead)
        assert held(initiative, "interactions:promise") == []


def test_what_was_promised_after_the_calls_measures_nothing(cast, initiative, key):
    logged(initiative, key, 80)
    keep(initiative, key, [a_call() for _ in range(80)])
    actions.promise(initiative=initiative, median=500, most=2000, errors=0.2, by=cast.lead)
    with week_later():
        reconcile()
        sync.follow_register()
        assert held(initiative, "interactions:promise") == []


def test_without_a_count_that_the_log_does_not_supply_a_kept_promise_stays_documented(cast, initiative, key):
    actions.promise(initiative=initiative, median=500, most=2000, errors=0.02, by=cast.lead)
    with later(days=1):
        keep(initiative, key, [a_call() for _ in range(300)])
    with week_later():
        reconcile()
        sync.follow_register()
        assert held(initiative, "interactions:promise") == found(initiative, "interactions:promise") == []


def test_what_is_promised_and_not_kept_is_a_finding(cast, initiative, key):
    promised(initiative, cast, key, calls=60, took=4000)
    with week_later():
        reconcile()
        sync.follow_register()
        assert found(initiative, "interactions:promise") == [PERFORMANCE]
        assert (
            "a performance promise is not kept"
            in RequirementFinding.objects.get(source="interactions:promise").words
        )


def test_more_people_than_the_scope_declares_are_a_finding(cast, initiative, key):
    people = initiative.scopes.latest("number").user_count
    keep(initiative, key, [a_call(subject=f"customer {number}") for number in range(people + 1)])
    with week_later():
        reconcile()
        sync.follow_register()
        assert ROLLOUT in found(initiative, "interactions:subjects")


def test_people_within_the_scope_are_measured_where_the_log_is_whole(initiative, key):
    logged(initiative, key, 80)
    keep(initiative, key, [a_call() for _ in range(80)])
    with week_later():
        reconcile()
        sync.follow_register()
        assert ROLLOUT in held(initiative, "interactions:subjects")


def allowed_and_not_logged(initiative, key):
    """More allowed calls than the log can miss."""
    write(initiative, 80, at=clock.now(), key=key, outcome="allow", code="allowed", action="read")
    decision_log.decisions.bring_over()


def done_without_asking(initiative, key):
    """An act of the contract that no decision permits."""
    run = Report(Kind.TOOL, tool=ToolCall("read", "{}", result="ok"), started=clock.now())
    keep(initiative, key, [run])


@pytest.mark.parametrize("happens", [allowed_and_not_logged, done_without_asking])
def test_a_day_without_calls_counts_against_the_log(cast, initiative, key, happens):
    promised(initiative, cast, key)
    with later(days=2):
        happens(initiative, key)
    with week_later():
        reconcile()
        sync.follow_register()
        assert ReconciledDay.objects.filter(initiative=initiative, calls=0).exclude(judged_at=None).exists()
        assert held(initiative, "interactions:subjects") == []


def test_pages_promise_and_withdraw(cast, initiative, as_):
    page = f"/initiatives/{initiative.ref}/do/promise-performance/"
    assert as_(cast.lead).get(page).status_code == 200
    typed = {"median": 500, "most": 2000, "percent": 1}
    assert as_(cast.lead).post(page, typed).status_code == 302
    assert "Withdraw the promise" in as_(cast.lead).get(page).content.decode()
    assert as_(cast.lead).post(f"/initiatives/{initiative.ref}/do/withdraw-promise/").status_code == 302
    assert "Withdraw the promise" not in as_(cast.lead).get(page).content.decode()
