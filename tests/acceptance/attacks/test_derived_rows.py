"""A3: whoever has the application's login to the database makes rows say more than follows from the facts.

Spans are written by a trigger alone. What the login can still add, a row of `PastSupportedStage`, has no seal: the
decision API does not rely on it, verification names it, and the worker corrects it and tells admins and auditors.
"""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, ProgrammingError, connection, transaction

from adoption.measurements import tallies
from governance import clock
from governance.authorization import decision_log
from governance.database.row_history import acting, insert_many
from governance.models import Entry
from governance.operations import corrections
from governance.transparency_log import verification
from initiatives.interactions.comparison import reconciling
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.facts import supported_stage_rows
from initiatives.lifecycle.findings import sync
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.stages import periodic
from initiatives.models import (
    Initiative,
    MeasuredAnswer,
    Obligation,
    PastSupportedStage,
    ReconciledDay,
    SupportedStagePeriod,
)
from tests.support import factories, plugin
from tests.support.attacks.acts_of_others import inserted
from tests.support.attacks.forged_statements import as_ as in_the_name_of
from tests.support.attacks.forged_statements import changed
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.servers.asking_systems import System, write

pytestmark = pytest.mark.django_db

INSIDE = {
    "subject_groups": ["account_managers"],
    "subject_department": "Account management",
    "subject_place": "Zurich",
    "resource_data_class": "customer notes",
    "action_count": 1,
}
AS_PRODUCTION = {"supported": "production", "unsupported_stages": 0, "label": "", "until_at": None}


@pytest.fixture
def in_name_only(cast) -> Initiative:
    """An MVP whose evidence was withdrawn, on the day after its grace: systems need approval."""
    initiative = factories.make_mvp(cast)
    item = initiative.evidence.filter(coverage__requirement="mvp.problem", kind="document").first()
    evidence_actions.withdraw_evidence(evidence=item, reason="It was of another team", by=cast.owner)
    due = initiative.obligations.get(kind="step_back").due
    with clock.simulated(clock.midnight_after(due) + timedelta(hours=10)):
        yield initiative


@pytest.fixture
def system(cast, in_name_only) -> System:
    """A system of it; a key made now lasts beyond the grace."""
    return System(factories.make_key(cast, in_name_only)[1].text)


def by(login: str, statement: str, *values) -> None:
    """Carry out a statement with the application's login, as somebody who knows how acts are told to the database."""
    act = {"name": "Mallory", "at": clock.now().isoformat(), "reason": ""}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('plumbline.act', %s, true)", [json.dumps(act)])
        cursor.execute(f"SET LOCAL SESSION AUTHORIZATION {login}")
        cursor.execute(statement, values or None)
        cursor.execute("RESET SESSION AUTHORIZATION")


def add(login: str, initiative: Initiative, spans: list[dict]) -> None:
    """Add a supported stage with these spans past every act."""
    newest = PastSupportedStage.objects.filter(initiative=initiative).latest("pk")
    by(
        login,
        "INSERT INTO initiatives_pastsupportedstage (initiative_id, rulebook_id, computed_at, valid_until, spans)"
        " VALUES (%s, %s, %s, NULL, %s)",
        initiative.pk,
        newest.rulebook_id,
        clock.now(),
        json.dumps([span | {"id": 10**9 + n} for n, span in enumerate(spans)]),
    )


def as_production(initiative: Initiative) -> list[dict]:
    """One span that says production for ever, with the seal of what is kept."""
    return [PastSupportedStage.objects.filter(initiative=initiative).latest("pk").spans[0] | AS_PRODUCTION]


def as_supported_before(initiative: Initiative) -> list[dict]:
    """The spans of an earlier supported stage which supported the approved stage, with their own seals."""
    earlier = PastSupportedStage.objects.filter(
        initiative=initiative, spans__0__unsupported_stages=0
    ).order_by("pk")
    return [earlier.last().spans[0] | {"until_at": None}]


def with_a_seal_of_its_own(initiative: Initiative) -> list[dict]:
    """A seal in letters that no seal has."""
    (span,) = as_production(initiative)
    return [span | {"seal": "é" * 64}]


def decided(system: System) -> str:
    """What the decision API says, as a word."""
    answer = system.ask("summarise", **INSIDE)
    return "allow" if answer["decision"] else answer["context"]["outcome"]


def named() -> list[tuple[str, str]]:
    """Table and field of what verification finds."""
    return [(one.table, one.field) for one in verification.verify().findings]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE initiatives_supportedstageperiod SET supported = 'production', unsupported_stages = 0, label = ''",
        "DELETE FROM initiatives_supportedstageperiod",
        "UPDATE initiatives_supportedstage SET valid_until = now() + interval '1 year'",
        "DELETE FROM initiatives_supportedstage",
        "DELETE FROM adoption_lessonwords",
    ],
)
def test_the_application_cannot_write_what_the_database_derives(cast, application_login, statement):
    factories.make_initiative(cast)
    with pytest.raises(ProgrammingError, match="permission denied for table"):
        by(application_login, statement)


@pytest.mark.parametrize("spans", [as_production, as_supported_before, with_a_seal_of_its_own])
def test_a_forged_supported_stage_allows_nothing_is_named_and_corrected(
    cast, in_name_only, system, application_login, spans
):
    initiative = in_name_only
    assert decided(system) == "needs_approval"
    assert named() == []
    add(application_login, initiative, spans(initiative))
    assert SupportedStagePeriod.objects.get(initiative=initiative).unsupported_stages == 0, (
        "the forgery went through"
    )
    assert decided(system) == "needs_approval"
    assert ("initiatives_supportedstageperiod", "supported") in named()
    with pytest.raises(CommandError, match=f"The supported stage of {initiative.ref} has supported "):
        call_command("verify_audit_log", "--application", plugin.LOGINS.application, stdout=StringIO())

    assert periodic.correct() == [initiative.pk]
    assert periodic.correct() == []
    assert (
        SupportedStagePeriod.objects.filter(initiative=initiative)
        .covering(clock.now())
        .get()
        .unsupported_stages
        == 1
    )
    assert decided(system) == "needs_approval"
    assert named() == []


def test_an_obligation_of_grace_is_neither_completed_nor_opened_without_its_act(
    cast, in_name_only, system, application_login
):
    """The decision API allows until the day of the obligation: a later one would buy days."""
    initiative, old = in_name_only, in_name_only.obligations.get(kind="step_back", completed_at=None)
    later = Obligation(
        initiative=initiative,
        kind="step_back",
        source="mine",
        text="Later",
        due=clock.today() + timedelta(days=3000),
        responsible=old.responsible,
        opened_at=clock.now(),
    )
    for forged in (changed(old, completed_at=clock.now()), inserted(later)):
        with pytest.raises(DatabaseError, match="initiatives_obligation changed without its act"):
            run(application_login, [in_the_name_of(None), *forged])
    assert decided(system) == "needs_approval"
    assert named() == []
    with unguarded("initiatives_obligation"):
        run(
            application_login,
            [in_the_name_of(None), *changed(old, completed_at=clock.now()), *inserted(later)],
        )
    assert named() == [("initiatives_obligation", "")] * 2


def run(login: str, statements: list[tuple[str, list]]) -> None:
    """Carry out these in one transaction, with the application's login. Raises DatabaseError where one is refused."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL SESSION AUTHORIZATION {login}")
        for text, values in statements:
            cursor.execute(text, values or None)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("RESET SESSION AUTHORIZATION")


def test_what_was_corrected_is_recorded_and_told_to_admins_and_auditors(
    cast, in_name_only, application_login, as_
):
    add(application_login, in_name_only, as_production(in_name_only))
    periodic.correct()
    entry = Entry.objects.get(kind="derived row corrected")
    assert entry.initiative_ref == in_name_only.ref
    assert entry.facts["facts"] == {
        "what": "the supported stage, supported",
        "kept": "production",
        "right": "prototype",
    }
    told = list(corrections.corrections_due(clock.now()))
    assert {one.person for one in told} >= {cast.admin}
    assert all(one.person.is_admin or one.person.is_auditor for one in told)
    assert (
        "the supported stage, supported had the value production. The correct value is prototype."
        in told[0].text
    )
    page = as_(cast.admin).get("/status/").content.decode()
    assert "A computed value was wrong and was corrected." in page
    assert in_name_only.ref in page


def test_a_row_changed_by_the_owner_is_not_relied_on_and_is_named(cast, in_name_only, system):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE initiatives_supportedstageperiod SET supported = 'production', unsupported_stages = 0,"
            " label = '', until_at = NULL"
            " WHERE initiative_id = %s AND from_at = (SELECT min(from_at) FROM initiatives_supportedstageperiod s"
            " WHERE s.initiative_id = initiatives_supportedstageperiod.initiative_id)",
            [in_name_only.pk],
        )
    assert decided(system) == "needs_approval"
    words = [str(one) for one in verification.verify().findings]
    assert any(f"differs from the newest supported stage of {in_name_only.ref}" in one for one in words)
    assert any(f"The supported stage of {in_name_only.ref} has supported production" in one for one in words)
    assert periodic.correct() == [in_name_only.pk]
    assert verification.verify().ok


def test_facts_that_cannot_be_read_are_named_and_stop_no_verification(cast, in_name_only):
    hold_deeds.hold(initiative=in_name_only, reason="Look at it", by=cast.chair)
    row = in_name_only.holds.get()
    row.kind = "nonsense"
    with unguarded("initiatives_hold"), acting(by=cast.chair, reason="Past the act"):
        row.save()
    words = [str(one) for one in verification.verify().findings]
    assert any(f"the facts of {in_name_only.ref} cannot be read" in one for one in words), words
    assert periodic.correct() == []


@pytest.mark.parametrize("moment", ["-infinity", "20000-01-01"])
def test_a_supported_stage_has_moments_that_pages_can_read(in_name_only, application_login, moment):
    (span,) = as_production(in_name_only)
    with pytest.raises(ProgrammingError, match="a moment that no calendar has"):
        add(application_login, in_name_only, [span | {"from_at": moment}])


def test_an_earlier_supported_stage_is_not_put_after_a_newer_one(in_name_only, application_login):
    with pytest.raises(
        ProgrammingError, match="a newer supported stage of this initiative was written already"
    ):
        by(
            application_login,
            "INSERT INTO initiatives_pastsupportedstage (id, initiative_id, rulebook_id, computed_at, spans)"
            " SELECT 0, initiative_id, rulebook_id, computed_at, spans FROM initiatives_pastsupportedstage"
            " WHERE initiative_id = %s ORDER BY id LIMIT 1",
            in_name_only.pk,
        )


def test_after_the_secret_key_is_changed_supported_stages_are_sealed_anew_and_nobody_is_told(cast, settings):
    initiative = factories.make_mvp(cast)
    system = System(factories.make_key(cast, initiative)[1].text)
    assert decided(system) == "allow"
    settings.SECRET_KEY = "another secret key of this installation"
    assert decided(system) == "needs_approval", (
        "a restored copy does not rely on rows of another installation"
    )
    assert verification.verify().ok, "verification needs no secret"
    assert initiative.pk in periodic.correct()
    assert decided(system) == "allow"
    assert not Entry.objects.filter(kind="derived row corrected").exists()


def test_supported_stages_of_an_honest_life_differ_in_nothing(cast):
    initiatives = [factories.make_initiative(cast), factories.make_mvp(cast), factories.make_production(cast)]
    keys = [initiative.pk for initiative in initiatives]
    for days in (0, 1, 40, 200, 400):
        with clock.simulated(clock.now() + timedelta(days=days)):
            assert list(supported_stage_rows.differing(keys)) == []


# Other derived rows


def test_a_tally_that_is_not_the_sum_of_its_measurements_is_named_and_corrected(cast, application_login):
    initiative = factories.make_mvp(cast)
    measure = factories.make_measure(cast, initiative)
    factories.make_measurement(cast, measure)
    assert tallies.correct() == []
    by(application_login, "UPDATE adoption_tally SET hits = 100, n = 1000")
    assert ("adoption_tally", "n") in named()
    assert f"measure {measure.pk} of {initiative.ref}" in str(verification.verify().findings[0])
    assert tallies.correct() == [measure.pk]
    assert (measure.tallies.get().hits, measure.tallies.get().n) == (80, 100)
    assert Entry.objects.get(kind="derived row corrected").facts["facts"]["kept"] == "1000 values"
    assert named() == []


def test_a_day_of_decisions_that_the_log_does_not_have_is_named(cast, application_login):
    initiative = factories.make_mvp(cast)
    key = factories.make_key(cast, initiative)[0]
    for days in (5, 2):
        write(initiative, 3, key=key, at=clock.now() - timedelta(days=days))
    decision_log.decisions.bring_over()
    add_day = (
        "INSERT INTO initiatives_decisionday (initiative_id, key_id, day, asked, allowed, subjects)"
        " VALUES (%s, %s, %s, %s, %s, 1)"
    )
    day = clock.today() - timedelta(days=2)
    by(application_login, add_day, initiative.pk, key.pk, day, 3, 3)
    assert named() == []
    by(application_login, add_day, initiative.pk, key.pk, day - timedelta(days=1), 50, 50)
    assert named() == [("initiatives_decisionday", "asked")]


def test_figures_of_both_logs_are_counted_again_the_next_day(cast, application_login):
    initiative = factories.make_mvp(cast)
    factories.make_key(cast, initiative, days=300, scopes=["evaluate", "interactions"])
    # Older than what is judged anew by its persons or its names, so that no other rule counts them.
    for days, moment in ((30, clock.now()), (33, clock.now() + timedelta(days=900))):
        ReconciledDay.objects.create(
            initiative=initiative, day=clock.today() - timedelta(days=days), due=False, judged_at=moment
        )
    by(
        application_login,
        "UPDATE initiatives_reconciledday SET calls = 100, expected = 100, logged = 100, seconds = 1e300",
    )
    with clock.simulated(clock.now() + timedelta(days=1, hours=1)):
        reconciling.reconcile()
    assert set(ReconciledDay.objects.values_list("calls", "expected", "logged")) == {(0, 0, 0)}


def test_what_was_measured_past_plumbline_is_ended(cast):
    initiative = factories.make_prototype(cast)
    assert sync.follow_register() == []
    forged = MeasuredAnswer(
        initiative=initiative,
        requirement="mvp.rollout",
        way="decisions",
        source="decisions:scope",
        words="the log says so",
        since=clock.now(),
    )
    with acting(system="Mallory"):
        insert_many(MeasuredAnswer, [forged])
    assert MeasuredAnswer.objects.current().filter(initiative=initiative).exists()
    assert sync.follow_register() == [initiative.pk]
    assert not MeasuredAnswer.objects.current().filter(initiative=initiative).exists()
