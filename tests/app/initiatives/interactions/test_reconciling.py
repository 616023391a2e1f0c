"""Both logs compared by day: figures, findings and what withdraws them, models, silence, and what is measured."""

import secrets
from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, IntegrityError, transaction

from adoption.demo import initiative_acts
from governance import clock
from governance.authorization import decision_log
from governance.database.row_history import acting
from governance.interaction_log import loading
from governance.interaction_log.intake import interactions
from governance.interaction_log.reconciliation import COMPLETE_AFTER
from governance.interaction_log.shape import Interaction as Report
from governance.interaction_log.shape import Kind, Message, ToolCall
from governance.models import Entry, Interaction, OutcomeReport, PolicyDecision
from governance.rulebook import shipped_text
from governance.vocabulary import Level, LogFindingKind, OutcomeKind, TakesEffect
from initiatives import tasks
from initiatives.interactions import actions
from initiatives.interactions.comparison import reconciling
from initiatives.interactions.comparison.reconciling import reconcile
from initiatives.lifecycle.findings import decision_days, sync
from initiatives.models import (
    LogFinding,
    LogFindingWithdrawal,
    MeasuredAnswer,
    Obligation,
    ReconciledDay,
    RequirementFinding,
)
from tests.app.initiatives.contracts.enforcement.test_authzen import FIXTURE
from tests.app.initiatives.contracts.enforcement.test_decision_days import state
from tests.support import factories
from tests.support.servers.asking_systems import write

pytestmark = pytest.mark.django_db
RUNTIME, ROLLOUT, OBSERVED, LOGGED = "layer.runtime", "mvp.rollout", "mvp.observability", "prod.q03_logged"
NEVER, DENIED = LogFindingKind.NEVER_ASKED, LogFindingKind.AFTER_DENIAL


@pytest.fixture
def initiative(cast):
    """An MVP with a contract, on which the shipped rulebook decides; at noon, so that one day is compared."""
    row = factories.make_contract(cast, factories.make_mvp(cast), FIXTURE)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text(), takes_effect=TakesEffect.AT_ONCE)
    with time_machine.travel(clock.midnight_after(clock.today()) + timedelta(hours=12)):
        yield initiative_acts.fresh(row)


@pytest.fixture
def key(cast, initiative):
    return factories.make_key(cast, initiative, days=300, scopes=["evaluate", "interactions"])[0]


def later(**span):
    return time_machine.travel(clock.now() + timedelta(**span))


def decided(initiative, key, *, outcome="allow", action="read", at=None) -> PolicyDecision:
    """One decision in the log."""
    code = "allowed" if outcome == "allow" else "outside"
    write(initiative, 1, at=at, key=key, outcome=outcome, code=code, action=action)
    decision_log.decisions.bring_over()
    return PolicyDecision.objects.latest("id")


def done(initiative, key, *, names=None, at=None, tool="read", **fields) -> Interaction:
    """One act in the interaction log: a run of a tool unless the fields say otherwise. Without a key it is imported."""
    said = {
        "kind": Kind.TOOL,
        "tool": ToolCall(tool, "{}", result="ok") if tool else None,
        "version": "m-4",
        "subject": "customer 4",
        "started": at or clock.now(),
        "id": secrets.token_hex(8),
        "decision": "it" if names else "",
    }
    report = Report(**said | fields)
    of = bytes(names.digest) if names else None
    interactions.keep(
        [report],
        initiative=initiative.number,
        key=key.pk if key else None,
        decision_of=lambda text: of,
        now=clock.now(),
    )
    interactions.bring_over()
    loading.loader.bring_orphans(interactions._folder)
    return Interaction.objects.latest("id")


def figures(initiative, *names):
    (row,) = ReconciledDay.objects.filter(initiative=initiative).exclude(judged_at=None)
    return tuple(getattr(row, name) for name in names)


def findings(initiative, **which):
    rows = LogFinding.objects.current().filter(initiative=initiative, **which)
    return sorted((row.kind, row.what, row.probable) for row in rows)


def test_a_day_has_its_four_figures_and_what_was_not_permitted_is_a_finding(initiative, key):
    allowed, denied = decided(initiative, key), decided(initiative, key, outcome="deny", action="write")
    decided(initiative, key, action="delete")
    done(initiative, key, names=allowed)
    act = done(initiative, key, names=denied, tool="write")
    done(initiative, key, tool="delete", at=clock.now() + timedelta(minutes=4))
    done(initiative, key, kind=Kind.CALL, tool=None, operation="chat", model="m-4")
    with later(minutes=30):
        assert reconcile() == [initiative.pk]
        assert figures(initiative, "done", "not_done", "never_asked", "after_denial") == (1, 1, 1, 1)
        assert figures(initiative, "open", "unmapped", "unnamed", "calls") == (0, 1, {"chat": 1}, 1)
        assert findings(initiative) == [(DENIED, "write", False), (NEVER, "delete", False)]
        row = LogFinding.objects.get(kind=DENIED)
        assert (row.interaction, row.decision, row.key) == (act.pk, bytes(denied.digest).hex(), key)
        found = state(initiative, ROLLOUT)
        assert found.state == "register"
        assert "shows acts that no decision permitted" in found.words
        assert "The first act was “write”" in found.words
        assert reconcile() == [], "nothing came since"
        assert LogFinding.objects.count() == 2


def test_nothing_is_judged_before_both_logs_are_complete(initiative, key):
    done(initiative, key)
    with later(seconds=COMPLETE_AFTER.total_seconds() - 60):
        assert reconcile() == []
        assert figures(initiative, "open", "never_asked") == (1, 0)
    with later(seconds=COMPLETE_AFTER.total_seconds() + 60):
        assert reconcile() == [initiative.pk], "without anything new, time alone"
        assert figures(initiative, "open", "never_asked") == (0, 1)


def test_a_decision_that_comes_late_withdraws_the_finding_recorded(initiative, key):
    at = clock.now()
    done(initiative, key, at=at)
    with later(hours=1):
        reconcile()
        assert findings(initiative) == [(NEVER, "read", False)]
        assert RequirementFinding.objects.current().filter(source="interactions:never_asked").exists()
    with later(hours=2):
        decided(initiative, key, at=at)
        assert reconcile() == [initiative.pk]
        assert findings(initiative) == []
        row = LogFindingWithdrawal.objects.get()
        assert row.why == reconciling.LATE
        assert Entry.objects.filter(
            table="initiatives_logfindingwithdrawal", initiative_ref=initiative.ref
        ).exists()
        assert not RequirementFinding.objects.current().filter(source="interactions:never_asked").exists()
        assert figures(initiative, "done", "never_asked") == (1, 0)


def test_what_comes_late_for_an_earlier_day_has_that_day_judged(initiative, key):
    done(initiative, key)
    with later(days=3):
        reconcile()
        assert findings(initiative) == [(NEVER, "read", False)]
    with later(days=5):
        done(initiative, key, tool="write", at=clock.now() - timedelta(days=5))
        reconcile()
        assert findings(initiative) == [(NEVER, "read", False), (NEVER, "write", False)]


def test_what_is_probable_is_shown_and_is_no_finding_against_a_requirement(initiative, key):
    decided(initiative, key, outcome="deny")
    done(initiative, key, at=clock.now() + timedelta(seconds=1))
    with later(hours=1):
        reconcile()
        assert figures(initiative, "after_denial", "probable") == (1, 1)
        assert findings(initiative) == [(DENIED, "read", True)]
        assert not RequirementFinding.objects.current().filter(source__startswith="interactions").exists()


def test_a_name_means_an_action_once_somebody_said_so(cast, initiative, key):
    done(initiative, key, tool="fetch_record")
    with later(hours=1):
        reconcile()
        assert findings(initiative) == []
        assert figures(initiative, "unnamed") == ({"fetch_record": 1},)
        actions.name_acts(initiative=initiative, meant={"fetch_record": "read"}, by=cast.owner)
        assert Entry.objects.filter(kind="acts named", initiative_ref=initiative.ref).count() == 1
        assert reconcile() == [initiative.pk]
        assert findings(initiative) == [(NEVER, "fetch_record", False)]
        actions.name_acts(initiative=initiative, meant={"fetch_record": actions.NO_ACT}, by=cast.owner)
        assert reconcile() == [initiative.pk]
        assert findings(initiative) == []
        assert figures(initiative, "unmapped") == (0,)
        actions.name_acts(initiative=initiative, meant={"fetch_record": "read"}, by=cast.owner)
        reconcile()
        assert LogFinding.objects.current().get().number == 2, "found again after it was withdrawn"
        actions.name_acts(initiative=initiative, meant={"fetch_record": ""}, by=cast.owner)
        assert reconcile() == [initiative.pk]
        assert findings(initiative) == []
        assert figures(initiative, "unnamed") == ({"fetch_record": 1},)


def test_a_call_that_names_an_allow_was_what_was_allowed_and_one_that_names_a_denial_may_tell_of_it(
    initiative, key
):
    chat = {"kind": Kind.CALL, "tool": None, "operation": "chat", "model": "m-4"}
    done(initiative, key, names=decided(initiative, key), **chat)
    done(initiative, key, names=decided(initiative, key, outcome="deny"), **chat)
    with later(hours=1):
        reconcile()
        assert figures(initiative, "done", "not_done", "after_denial", "never_asked") == (1, 0, 0, 0)


def test_keys_of_one_system_are_one_and_a_collector_speaks_for_the_only_one_that_asks(cast, initiative):
    asks = factories.make_key(cast, initiative, scopes=["evaluate"])[0]
    tells = factories.make_key(cast, initiative, scopes=["interactions"])[0]
    other = factories.make_key(cast, initiative, scopes=["interactions"], system="Collector")[0]
    decided(initiative, asks)
    done(initiative, tells)
    decided(initiative, asks, action="write")
    done(initiative, other, tool="write")
    with later(hours=1):
        reconcile()
        assert figures(initiative, "done", "never_asked") == (2, 0)


def test_an_outcome_and_its_span_are_one_finding_however_late_the_outcome_comes(initiative, key):
    at = clock.now()
    done(initiative, key, at=at)
    with later(hours=1):
        reconcile()
        OutcomeReport(
            initiative_number=initiative.number, key_id=key.pk, kind=OutcomeKind.DONE, action="read", at=at
        ).save()
        assert reconcile() == []
        assert LogFinding.objects.count() == 1
        assert figures(initiative, "never_asked") == (1,)


def test_a_span_that_comes_after_its_outcome_is_the_same_finding(initiative, key, monkeypatch):
    monkeypatch.setattr(reconciling, "LAG", timedelta(0))
    at = clock.now()
    OutcomeReport(
        initiative_number=initiative.number, key_id=key.pk, kind=OutcomeKind.DONE, action="read", at=at
    ).save()
    with later(hours=1):
        reconcile()
        assert LogFinding.objects.get().interaction is None
        done(initiative, key, at=at)
        assert reconcile() == []
        assert LogFinding.objects.count() == 1


def test_findings_are_written_once_and_the_database_refuses_another(initiative, key):
    done(initiative, key)
    with later(hours=1):
        reconcile()
        (row,) = LogFinding.objects.all()
        with pytest.raises(DatabaseError, match="Plumbline"), transaction.atomic():
            LogFinding.objects.update(what="nothing")
        row.pk = None
        with acting(system="test"), pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)


def test_a_second_run_at_once_does_nothing(initiative, key):
    done(initiative, key)
    with later(hours=1):
        tasks.reconcile_logs()
        assert len(findings(initiative)) == 1
        ReconciledDay.objects.update(due=True)
        assert reconcile() == []
        assert LogFinding.objects.count() == 1


def test_a_day_that_cannot_be_judged_rests_and_holds_up_no_other(initiative, key, monkeypatch):
    done(initiative, key)
    done(initiative, key, tool="write", at=clock.now() - timedelta(days=3))
    bad, judge = clock.today(), reconciling.judge

    def breaks(of, day, names):
        if day == bad:
            raise RuntimeError("a row that nobody foresaw")
        return judge(of, day, names)

    monkeypatch.setattr(reconciling, "judge", breaks)
    with later(hours=1):
        reconcile()
        assert findings(initiative) == [(NEVER, "write", False)]
        monkeypatch.setattr(reconciling, "judge", judge)
        reconcile()
        assert len(findings(initiative)) == 1, "it rests"
    with later(hours=2):
        reconcile()
        assert len(findings(initiative)) == 2


def test_in_production_the_owner_must_give_that_it_is_fixed(cast):
    initiative = factories.make_production(cast)
    key = factories.make_key(cast, initiative, scopes=["evaluate", "interactions"])[0]
    assert not Obligation.objects.open().filter(initiative=initiative, kind="step_back").exists()
    done(initiative, key, tool="summarise")
    with later(hours=1):
        reconcile()
        (obligation,) = Obligation.objects.open().filter(initiative=initiative, kind="step_back")
        assert obligation.responsible == cast.owner


def test_a_week_without_another_ends_the_finding(initiative, key):
    done(initiative, key)
    with later(hours=1):
        reconcile()
    with later(days=6):
        sync.follow_register()
        assert RequirementFinding.objects.current().filter(source="interactions:never_asked").exists()
    with later(days=8):
        sync.follow_register()
        assert not RequirementFinding.objects.current().filter(source="interactions:never_asked").exists()


def test_where_the_log_shows_acts_that_did_not_ask_the_bound_is_measured_no_more(initiative, key):
    write(initiative, 5, key=key)
    with later(days=1, hours=3):
        decision_days.count()
        assert state(initiative, RUNTIME).level == Level.MEASURED
        done(initiative, key, tool="write", at=clock.now() - timedelta(hours=1))
        reconcile()
        assert not MeasuredAnswer.objects.current().filter(way="decisions").exists()


# --- Models -----------------------------------------------------------------------------------------------------------


def call(initiative, key, model, version="", **fields):
    return done(
        initiative, key, kind=Kind.CALL, tool=None, operation="chat", model=model, version=version, **fields
    )


def test_a_model_that_nobody_declared_is_a_finding_until_it_is_declared(cast, initiative, key):
    call(initiative, key, "m-4", "m-4-2026-08-06")
    seen = call(initiative, key, "m-4", "m-5")
    call(initiative, key, "", "")
    with later(hours=1):
        reconcile()
        assert findings(initiative) == [(LogFindingKind.OTHER_MODEL, "m-5", False)]
        assert LogFinding.objects.get().interaction == seen.pk
        row = RequirementFinding.objects.current().get(source__startswith="interactions:other_model:")
        assert row.requirement == "prod.performance"
        assert row.words.startswith("A model that is not declared has answered requests")
        assert row.words.endswith("“m-5”.")
        model = factories.make_model(cast, name="m", version="5")
        factories.make_use(cast, initiative, model)
        reconcile()
        assert findings(initiative) == []
        assert LogFindingWithdrawal.objects.get().why == reconciling.DECLARED
        assert not RequirementFinding.objects.current().filter(source__startswith="interactions").exists()


# --- Silence ----------------------------------------------------------------------------------------------------------


def silent(initiative):
    reconcile()
    return findings(initiative, kind=LogFindingKind.SILENT) != []


def test_a_log_that_falls_silent_while_the_system_may_act_is_a_finding_within_a_day(initiative, key):
    done(initiative, key, names=decided(initiative, key))
    with later(hours=20):
        write(initiative, 5, key=key)
        decision_log.decisions.bring_over()
        assert not silent(initiative)
    with later(hours=25):
        assert reconcile() == [initiative.pk]
        assert findings(initiative) == [(LogFindingKind.SILENT, "", False)]
        assert state(initiative, OBSERVED).state == "register"
        assert reconcile() == []
        done(initiative, key, names=decided(initiative, key))
        assert reconcile() == [initiative.pk]
        assert findings(initiative) == []
        assert LogFindingWithdrawal.objects.get().why == reconciling.HEARD


@pytest.mark.parametrize(
    ("allowed", "outcome", "sampled", "expected"),
    [
        (5, "allow", None, True),
        (4, "allow", None, False),  # they may have failed
        (20, "deny", None, False),
        (20, "allow", 0.1, False),  # none of twenty by chance
        (50, "allow", 0.1, True),
    ],
)
def test_silence_is_told_from_chance(initiative, key, allowed, outcome, sampled, expected):
    done(initiative, key, sampled=sampled, tool="read")
    with later(hours=20):
        write(initiative, allowed, key=key, outcome=outcome)
    with later(hours=25):
        decision_log.decisions.bring_over()
        assert silent(initiative) is expected


def test_one_report_of_what_was_done_is_enough(initiative, key):
    done(initiative, key)
    with later(hours=20):
        OutcomeReport(
            initiative_number=initiative.number,
            key_id=key.pk,
            kind=OutcomeKind.DONE,
            action="read",
            at=clock.now(),
        ).save()
    with later(hours=25):
        assert silent(initiative)


def test_a_log_that_never_speaks_on_such_a_day_is_not_expected_to(initiative, key):
    for _ in range(5):
        done(initiative, key, tool="chat")
    with later(days=2):
        assert not silent(initiative), "nobody asked anything either"
    with later(days=6):
        done(initiative, key, tool="chat")
    with later(days=7, hours=-1):
        assert not silent(initiative)
    with later(days=7, hours=12):
        assert silent(initiative), "a week before it spoke in these hours"


# --- What is kept ------------------------------------------------------------------------------------------


def test_so_many_findings_of_a_day_are_written_and_none_is_taken_back_for_another(
    initiative, key, monkeypatch
):
    monkeypatch.setattr(reconciling, "MOST_FINDINGS", 2)
    at = clock.now()
    for second in (10, 20, 30):
        done(initiative, key, at=at + timedelta(seconds=second))
    with later(hours=1):
        reconcile()
        assert figures(initiative, "never_asked") == (3,)
        assert len(findings(initiative)) == 2
        done(initiative, key, at=at)
        assert reconcile() == []
        assert figures(initiative, "never_asked") == (4,)
        assert not LogFindingWithdrawal.objects.exists()


def test_days_before_anything_could_be_reported_are_not_compared(cast, initiative):
    asks = factories.make_key(cast, initiative, days=300)[0]
    decided(initiative, asks)
    with later(days=5):
        key = factories.make_key(cast, initiative, days=300, scopes=["interactions"])[0]
        decided(initiative, asks)
        done(initiative, key)
    with later(days=5, hours=1):
        reconcile()
        assert ReconciledDay.objects.filter(day__lt=clock.today() - timedelta(days=2)).count() == 0
        done(initiative, key, tool="write", at=clock.now() - timedelta(days=5))
        reconcile()
        assert findings(initiative) == [(NEVER, "write", False)], "what is reported of them is, all the same"


def test_what_a_clock_that_is_ahead_puts_into_tomorrow_is_compared_tomorrow(initiative, key):
    midnight = clock.midnight_after(clock.today())
    with time_machine.travel(midnight - timedelta(minutes=2)):
        done(initiative, key, at=midnight + timedelta(minutes=1))
        reconcile()
        assert findings(initiative) == []
    with time_machine.travel(midnight + timedelta(hours=1)):
        assert reconcile() == [initiative.pk]


# --- What is measured ------------------------------------------------------------------------------------------


def logged(initiative, key, count, *, whole=True):
    for _ in range(count):
        at = clock.now() - timedelta(seconds=1)
        done(
            initiative,
            key,
            names=decided(initiative, key, at=at),
            at=at,
            **({} if whole else {"version": ""}),
        )


def measured(initiative):
    return {row.requirement: row.words for row in MeasuredAnswer.objects.current().filter(way="interactions")}


@pytest.mark.parametrize(("whole", "parts", "least"), [(80, 0, True), (60, 0, False), (75, 10, False)])
def test_logging_is_measured_over_allowed_decisions_at_the_lower_end_of_the_interval(
    initiative, key, whole, parts, least
):
    logged(initiative, key, whole)
    logged(initiative, key, parts, whole=False)
    with later(hours=2):
        reconcile()
        assert figures(initiative, "expected", "logged") == (whole + parts, whole)
        sync.follow_register()
        assert measured(initiative) == {}, "the week is not over"
        assert state(initiative, LOGGED).level != Level.MEASURED
    with later(days=7):
        sync.follow_register()
        assert (set(measured(initiative)) == {OBSERVED, LOGGED}) is least
        if least:
            assert state(initiative, LOGGED).level == Level.MEASURED
            assert "of 80 allowed calls" in measured(initiative)[LOGGED]
            assert "at least 95.4 %" in measured(initiative)[LOGGED]


def test_logging_of_a_system_that_samples_is_not_measured(initiative, key):
    logged(initiative, key, 80)
    done(initiative, key, names=decided(initiative, key), sampled=0.5)
    with later(days=7):
        reconcile()
        assert figures(initiative, "logged", "sampling") == (81, True)
        sync.follow_register()
        assert measured(initiative) == {}


def test_an_imported_file_shows_no_logging(initiative, key):
    done(initiative, None, names=decided(initiative, key))
    told = {"trace_id": "ab", "span_id": "cd", "id": "", "version": ""}
    done(initiative, key, names=decided(initiative, key), **told)
    answer = {"tool": None, "input": (), "output": (Message("assistant", "!"),)}
    done(initiative, None, kind=Kind.EVENTS, **answer | told | {"version": "m-4"})
    talk = {"conversation": "c-1", "version": ""}
    done(initiative, key, names=decided(initiative, key), **talk)
    done(initiative, None, kind=Kind.CALL, tool=None, **talk | {"version": "m-4"})
    with later(hours=1):
        reconcile()
        assert figures(initiative, "expected", "logged", "not_done") == (3, 0, 0)


def test_an_imported_file_ends_no_silence(initiative, key):
    done(initiative, key)
    with later(days=1, hours=2):
        for _ in range(5):
            decided(initiative, key)
    with later(days=1, hours=4):
        reconcile()
        assert findings(initiative, kind=LogFindingKind.SILENT)
        done(initiative, None)
        reconcile()
        assert findings(initiative, kind=LogFindingKind.SILENT)
        done(initiative, key)
        reconcile()
        assert not findings(initiative, kind=LogFindingKind.SILENT)


def test_without_a_count_that_the_log_does_not_supply_nothing_is_measured(initiative, key):
    for _ in range(80):
        done(initiative, key, tool="nothing_asked")
    with later(days=7):
        reconcile()
        sync.follow_register()
        assert measured(initiative) == {}


def test_a_run_of_a_tool_has_the_model_and_the_person_of_its_conversation(initiative, key):
    told = {"conversation": "c-1", "version": "", "subject": ""}
    done(initiative, key, names=decided(initiative, key), **told)
    with later(hours=1):
        reconcile()
        assert figures(initiative, "expected", "logged") == (1, 0)
        call(
            initiative,
            key,
            "m-4",
            "m-4",
            conversation="c-1",
            input=(Message("user", "?"),),
            at=clock.now() - timedelta(hours=1),
        )
        reconcile()
        assert figures(initiative, "expected", "logged") == (1, 1)


def test_what_was_allowed_and_failed_is_not_expected_in_the_log(initiative, key):
    failed = decided(initiative, key)
    OutcomeReport(
        initiative_number=initiative.number,
        key_id=key.pk,
        kind=OutcomeKind.FAILED,
        decision=failed.digest,
        decided_at=failed.at,
    ).save()
    with later(hours=1):
        reconcile()
        assert figures(initiative, "expected", "not_done") == (0, 1)
