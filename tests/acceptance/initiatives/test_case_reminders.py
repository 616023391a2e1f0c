"""What is due on the initiatives, to whom, and how often: each query at the days that matter, a silent worker in
between.
"""

from datetime import timedelta

import pytest

from adoption.demo import initiative_acts
from governance import clock
from governance.contributions import contributed
from governance.database.row_history import acting
from governance.models import Notification, Rulebook
from governance.notifications import due
from initiatives.integration.components import actions as components_actions
from initiatives.lifecycle.changes import actions as change_actions
from initiatives.lifecycle.evidence import file_checks
from initiatives.lifecycle.holds.actions import open_obligation
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages.actions import change_stage
from initiatives.models import Condition, Gap, Hold, Waiver
from initiatives.models.stage_machine import REPORTED, offered
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded

pytestmark = pytest.mark.django_db


def on(days: int):
    """The same hour, some days from now."""
    return clock.now() + timedelta(days=days)


def told(kind: str, days: int) -> dict[str, list[str]]:
    """Run the periodic job as if it were `days` from now; who was newly told of this kind, with the periods, by sign-in
    name.
    """
    seen = set(Notification.objects.values_list("pk", flat=True))
    due.run(on(days))
    due.run(on(days))
    new = Notification.objects.filter(kind=kind).exclude(pk__in=seen).select_related("person").order_by("pk")
    found: dict[str, list[str]] = {}
    for notification in new:
        found.setdefault(notification.person.login, []).append(notification.period)
        assert len(notification.subject) <= 250
        assert notification.initiative_ref.startswith("AI-")
        assert notification.link.startswith("/")
        assert notification.kind in contributed.notification_verbs, "the mail says what to do"
    return found


def silence() -> None:
    """Forget what was written so far."""
    Notification.objects.all().delete()


BOARD = {"seat-value", "seat-risk", "seat-security", "seat-architecture", "seat-operations", "seat-adoption"}


def test_ageing_evidence_is_told_at_each_threshold_and_once(cast):
    factories.make_mvp(cast)
    silence()
    rulebook = Rulebook.objects.current().parsed
    days = rulebook.requirements["mvp.duty"].fresh_days
    assert days == 90, "the figure this test counts with"

    def left(number):
        return 90 - number  # evidence of today is current to the end of day 90

    assert "support" not in told("evidence", left(31))
    assert told("evidence", left(30))["support"] == ["30d"]
    assert "support" not in told("evidence", left(20))
    assert told("evidence", left(14))["support"] == ["14d"]
    # three days without a worker: one right message, not none and not two
    assert told("evidence", left(2))["support"] == ["3d"]
    assert "support" not in told("evidence", left(0)), "on its last day it is current"
    assert told("evidence", left(-1))["support"] == ["0d"]
    assert told("evidence", left(-7))["chair"] == ["chair7d"]
    board = told("evidence", left(-14))
    assert set(board) >= BOARD
    assert board["chair"] == ["board14d"]


def test_newer_evidence_silences_and_its_own_age_is_told_anew(cast):
    initiative = factories.make_mvp(cast)
    silence()
    assert told("evidence", 85)
    with clock.simulated(on(86)):
        for key in Rulebook.objects.current().parsed.gates["mvp"].requirements():
            initiative_acts.ground(initiative_acts.fresh(initiative), key, cast.team)
        for role in initiative.roles.in_force().filter(role__in=["owner", "support_owner"]):
            role_actions.reaccept_role(assignment=role, by=role.person)
    assert told("evidence", 92) == {}, "everything is fresh again"
    assert told("evidence", 86 + 88), "and ages again"


def test_an_imported_stage_reminds_nobody(cast):
    initiative = factories.make_initiative(cast)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    with act("import", system="test", initiative=initiative) as row:
        change_stage(row, offered(row, kind=REPORTED, target="production"), reason="Listed", by=None)
    silence()
    for days in (0, 100, 200, 400):
        due.run(on(days))
    assert not Notification.objects.exists()


def test_an_open_review_tells_seats_chair_and_owner_on_their_days(cast):
    initiative = initiative_acts.fresh(factories.make_initiative(cast))
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    review = review_actions.open_review(initiative=initiative, by=cast.owner)
    seats = review.rulebook.parsed.gates["prototype"].seats
    logins = {factories.SEAT_LOGINS[seat] for seat in seats}
    silence()
    assert told("not signed", 2) == {}
    assert told("not signed", 3) == {login: ["after3d"] for login in logins}
    assert told("not signed", 9) == {login: ["after7d"] for login in logins}
    assert told("seats not signed", 14) == {"chair": ["after14d"]}
    assert told("review expires", 80) == {"owner": ["14d"], "chair": ["14d"]}
    assert told("review expires", 88) == {"owner": ["3d"], "chair": ["3d"]}
    assert told("review expires", 91) == {}
    initiative_acts.sign_off(review, seats[0], cast.seats[seats[0]])
    silence()
    assert factories.SEAT_LOGINS[seats[0]] not in told("not signed", 3)


def test_a_sign_off_gone_stale_is_told_once_for_each_reason(cast):
    initiative = initiative_acts.fresh(factories.make_initiative(cast))
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    review = review_actions.open_review(initiative=initiative, by=cast.owner)
    seat = review.rulebook.parsed.gates["prototype"].seats[0]
    signer = factories.SEAT_LOGINS[seat]
    initiative_acts.sign_off(review, seat, cast.seats[seat])
    silence()
    assert told("stale sign-off", 1) == {}
    first = told("stale sign-off", 46)
    assert set(first) == {signer, "owner"}, "support has nothing to answer at this gate"
    assert told("stale sign-off", 47) == {}
    assert Notification.objects.get(kind="stale sign-off", person__login=signer).link.endswith(
        f"/sign/{seat}/"
    )


def test_roles_wait_for_an_answer(cast):
    initiative = factories.make_initiative(cast)
    role_actions.propose_role(initiative=initiative, role="sponsor", person=cast.sponsor, by=cast.owner)
    silence()
    assert told("role", 0) == {"sponsor": ["after0d"]}
    assert told("role", 2) == {}
    assert told("role", 5) == {"sponsor": ["after3d"]}
    assert told("role", 7) == {"sponsor": ["after7d"]}
    assert told("role unanswered", 14) == {"owner": ["after14d"]}


def test_ideas_that_nobody_owns(cast):
    factories.make_initiative(cast, owner=cast.sponsor, by=cast.owner)
    silence()
    assert told("no owner", 2) == {}
    assert told("no owner", 3) == {"owner": ["after3d"]}
    assert told("no owner", 8) == {"owner": ["after7d"]}
    assert told("no owner", 20) == {"owner": ["after14d"], "chair": ["after14d"]}


def test_obligations_are_told_before_on_and_weekly_after_their_day(cast):
    initiative = factories.make_initiative(cast)
    sponsor = role_actions.propose_role(
        initiative=initiative, role="sponsor", person=cast.sponsor, by=cast.owner
    )
    role_actions.accept_role(assignment=sponsor, by=cast.sponsor)
    with act("test", system="test", initiative=initiative) as row:
        open_obligation(
            row,
            "criterion",
            source="stop.cleanup:1",
            text="Clean up",
            due=on(30).date(),
            responsible=cast.owner,
        )
    silence()
    assert told("due", 10) == {}
    assert told("due", 16) == {"owner": ["14d"]}
    assert told("due", 28) == {"owner": ["3d"]}
    assert told("due", 30) == {"owner": ["0d"]}
    assert told("overdue", 31) == {"owner": ["late0"]}
    assert told("overdue", 36) == {}
    assert told("overdue", 38) == {"owner": ["late1"], "chair": ["chair7d"]}
    last = told("overdue", 45)
    assert last.pop("owner") == ["late2"]
    assert set(last) == BOARD | {"chair", "sponsor"}
    with unguarded("governance_user"), acting(system="test"):
        cast.owner.is_active = False
        cast.owner.save()
    assert told("overdue", 52) == {"sponsor": ["late3"], "chair": ["late3"]}, "who is gone is stood in for"


def with_grace(cast) -> None:
    """An initiative whose days of grace end in 14 days."""
    initiative = factories.make_initiative(cast)
    with act("test", system="test", initiative=initiative) as row:
        open_obligation(
            row,
            "step_back",
            source="mvp:1",
            text="MVP: not supported by current evidence",
            due=on(14).date(),
            responsible=cast.owner,
        )


def test_grace_that_is_over_goes_to_the_chair_at_once(cast):
    with_grace(cast)
    silence()
    assert told("due", 0) == {"owner": ["14d"]}
    seats = {
        factories.SEAT_LOGINS[seat] for seat in Rulebook.objects.current().parsed.gates["prototype"].seats
    }
    all_at_once = {key: ["grace over"] for key in {"chair", *seats}}
    assert told("overdue", 15) == {"owner": ["late0"]} | all_at_once
    assert told("overdue", 21) == {"chair": ["chair7d"]} | {}, "the owner hears weekly, the chair once a step"


def test_the_first_run_long_after_the_grace_sends_one_message_to_each_person(cast):
    with_grace(cast)
    sent = told("overdue", 34)
    assert {"owner", "chair", "seat-risk"} <= set(sent)
    assert {person: len(periods) for person, periods in sent.items() if len(periods) > 1} == {}


def test_conditions_gaps_and_waivers(cast):
    initiative = factories.make_prototype(cast)
    review = initiative.reviews.get()
    with unguarded("initiatives_condition", "initiatives_waiver"), acting(system="test"):
        Condition(
            review=review, text="Limit it.", owner=cast.lead, due=on(20).date(), proposed_by=cast.seat_risk
        ).save()
        Gap(
            initiative=initiative,
            text="Old exports",
            owner=cast.steward,
            due=on(20).date(),
            opened_at=clock.now(),
        ).save()
        Waiver(
            initiative=initiative,
            key="proto.scope",
            reason="Later",
            requested_by=cast.owner,
            requested_at=clock.now(),
            until=on(20).date(),
            chair=cast.chair,
            chair_at=clock.now(),
            risk=cast.seat_risk,
            risk_at=clock.now(),
        ).save()
    silence()
    assert told("condition", 5) == {}
    due.run(on(6))
    for kind, login in (("condition", "lead"), ("gap", "steward"), ("waiver", "owner")):
        assert list(Notification.objects.filter(kind=kind).values_list("person__login", "period")) == [
            (login, "14d")
        ]
    assert told("condition", 20) == {"lead": ["0d"]}
    assert told("condition overdue", 21) == {"lead": ["late0"], "owner": ["late0"]}
    assert told("waiver", 21) == {}
    assert told("gap", 34) == {login: ["board14d"] for login in BOARD | {"chair"}}, (
        "the steward was told on day 21"
    )


def test_a_change_recorded_halfway_and_a_missing_file(cast):
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    components_actions.record_component(
        initiative=initiative, layer="model", name="Language model", version="m-5", by=cast.owner
    )
    item = initiative_acts.ground(initiative, "proto.limitations", cast.team)
    silence()
    assert told("change", 0) == {"owner": ["after0d"]}
    change = initiative.changes.get()
    change_actions.complete_change(
        change=change, approver=cast.chair, rollback="Put m-4 back.", by=cast.owner
    )
    assert told("change", 7) == {}
    item.file.storage.delete(item.file.name)
    file_checks.find_missing_files()
    assert set(told("file missing", 0)) == {"admin", "second-admin", "owner"}
    assert told("file missing", 3) == {}


def test_a_vacancy_climbs_and_is_told_once_a_step(cast):
    initiative = factories.make_mvp(cast)
    sponsor = role_actions.propose_role(
        initiative=initiative, role="sponsor", person=cast.sponsor, by=cast.owner
    )
    role_actions.accept_role(assignment=sponsor, by=cast.sponsor)
    leaving.deactivate(person=cast.owner, reason="left", by=cast.admin)
    assert Hold.objects.open().get().kind == "owner_vacant"
    silence()
    assert told("owner vacant", 0) == {"sponsor": ["after0d"], "chair": ["after0d"]}
    assert told("owner vacant", 1) == {}
    assert told("owner vacant", 8) == {"chair": ["after7d"]}
    assert set(told("owner vacant", 14)) == BOARD | {"sponsor"}
    assert told("owner vacant", 29) == {}


def test_the_number_of_questions_does_not_grow_with_the_initiatives(cast, django_assert_max_num_queries):
    """Initiatives with nothing near cost no judging of their own. One question is of corrected rows, told to admins."""
    for number in range(6):
        factories.make_initiative(cast, title=f"Idea {number}")
    with django_assert_max_num_queries(48):
        due.run()
