"""Who is told about an initiative: who may open it now, and who stands in for what was lent, while it lasts."""

import ast
from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.contributions import contributed
from governance.models import Delegation, Delivery, Notification
from governance.notifications import daily_mail, due
from governance.notifications.due import Due
from governance.organisation import actions as organisation_actions
from governance.people.boards import board_for
from governance.rulebook import shipped_text
from governance.vocabulary import HoldKind
from initiatives.inbox.absences import actions as absence_actions
from initiatives.inbox.absences.actions import Asked
from initiatives.lifecycle.access.visibility import visible_to
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.holds import dependant_deeds
from initiatives.lifecycle.reminders import telling
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.roles import handovers
from initiatives.models import Initiative
from initiatives.portfolio.units import actions as unit_actions
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives.initiative_pages import text_of

pytestmark = pytest.mark.django_db

TITLE = "Zebra severance letters"


def keep_secret(initiative, cast) -> Initiative:
    detail_actions.change_details(
        initiative=initiative_acts.fresh(initiative),
        problem="Who leaves.",
        platform="",
        confidential=True,
        by=cast.owner,
    )
    return initiative_acts.fresh(initiative)


def stand_in(person, delegate, membership=None, days=7) -> Delegation:
    today = clock.today()
    absence = absence_actions.plan_absence(
        first=today, last=today + timedelta(days=days), asked=[Asked(delegate, membership)], by=person
    )
    return absence_actions.accept_delegation(delegation=absence.delegations.get(), by=delegate)


def seat_of(cast, person):
    return cast.board.memberships.get(person=person, delegate_of__isnull=True)


def told_of(initiative, **of) -> set[str]:
    rows = Notification.objects.filter(initiative_ref=initiative.ref, **of)
    return set(rows.values_list("person__login", flat=True))


@pytest.fixture
@snapshots.kept
def other_board(cast):
    """A board of the unit elsewhere."""
    made = organisation_actions.add_board(name="Logistics board", unit=cast.elsewhere, by=cast.admin)
    for seat, person in (("business_value", cast.sponsor), ("chair", cast.outsider)):
        organisation_actions.appoint(board=made, person=person, seat=seat, by=cast.admin)
    return made


@pytest.fixture
@snapshots.kept
def review(cast):
    """A prototype review of a confidential initiative that everything is there for."""
    initiative = factories.make_initiative(cast, title=TITLE)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    initiative = keep_secret(initiative, cast)
    return review_actions.open_review(initiative=initiative, by=cast.owner)


# --- Shown and mailed -------------------------------------------------------------------------------------------------


def test_a_board_that_no_longer_decides_reads_no_message_and_gets_no_mail(
    cast, review, other_board, as_, mailoutbox
):
    """C21: the seat goes on, and the unit was merged away from its board."""
    assert TITLE in as_(cast.seat_value).get("/").content.decode()
    unit_actions.merge_units(unit=cast.unit, into=cast.elsewhere, reason="One team.", by=cast.admin)
    assert cast.seat_value.login in told_of(review.initiative, kind="review opened")
    page = as_(cast.seat_value).get("/").content.decode()
    assert TITLE not in page
    assert review.initiative.ref not in page
    daily_mail.deliver(kind=Delivery.DAY)
    assert not any(TITLE in mail.body for mail in mailoutbox if cast.seat_value.email in mail.to)


def test_a_colleague_of_the_unit_reads_no_message_once_it_is_confidential(cast, as_, mailoutbox):
    initiative = factories.make_initiative(cast, title=TITLE)
    telling.tell(initiative, [cast.steward], "comment", "comment:1", "Amara Diallo comments", text="Zebra?")
    assert TITLE in as_(cast.steward).get("/").content.decode()
    keep_secret(initiative, cast)
    assert TITLE not in as_(cast.steward).get("/").content.decode()
    daily_mail.deliver(kind=Delivery.DAY)
    assert not any("Zebra" in mail.body for mail in mailoutbox if cast.steward.email in mail.to)


def test_who_may_not_open_it_is_not_told_and_if_no_one_is_left_the_admins_are(cast):
    initiative = keep_secret(factories.make_initiative(cast, title=TITLE), cast)
    telling.tell(initiative, [cast.outsider, cast.owner], "question", "review:1:question:1", "asks")
    assert told_of(initiative, kind="question") == {"owner"}
    telling.tell(initiative, [cast.outsider], "question", "review:1:question:2", "asks")
    assert told_of(initiative, object_key="review:1:question:2") == {"admin", "second-admin"}
    telling.tell(initiative, [cast.outsider], "decided", "review:1", "was approved")
    assert not told_of(initiative, kind="decided")


def test_a_reminder_reaches_who_may_open_it_else_the_admins(cast, monkeypatch):
    initiative = keep_secret(factories.make_initiative(cast, title=TITLE), cast)

    def query(moment):
        for person in (cast.outsider, cast.owner):
            yield Due(person, "gap", "gap:1", TITLE, initiative_ref=initiative.ref)
        yield Due(cast.outsider, "gap", "gap:2", TITLE, initiative_ref=initiative.ref)
        yield Due(cast.outsider, "meeting", "meeting:1", "The board meets")

    monkeypatch.setattr(contributed, "due_queries", [query])
    found = {(one.person.login, one.object_key) for one in due.find().values()}
    assert found == {
        ("owner", "gap:1"),
        ("admin", "gap:2"),
        ("second-admin", "gap:2"),
        ("outsider", "meeting:1"),
    }


def test_every_message_of_an_act_about_an_initiative_asks_who_is_told():
    """Beside `telling`, one message names an initiative: that of the file that its reader asked for."""
    paths = [
        path
        for app in ("governance", "initiatives", "adoption")
        for path in (settings.BASE_DIR / app).rglob("*.py")
    ]
    found = {
        path.relative_to(settings.BASE_DIR).as_posix()
        for path in paths
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and getattr(call.func, "attr", getattr(call.func, "id", "")) == "notify"
        and any(word.arg == "initiative_ref" for word in call.keywords)
    }
    assert found == {"initiatives/lifecycle/reminders/telling.py", "adoption/audit_log_export/actions.py"}


# --- Stand-ins --------------------------------------------------------------------------------------------------------


def later(days: int):
    return clock.simulated(clock.now() + timedelta(days=days, hours=1))


def test_who_stands_in_for_roles_gets_nothing_of_the_seat(cast, review):
    """C19: the seat was not lent, so its reminder stays with the person, and the stand-in cannot open it."""
    stand_in(cast.seat_value, cast.outsider)
    with later(3):
        found = {(one.person.login, one.kind) for one in due.find().values()}
        assert ("seat-value", "not signed") in found
        assert "outsider" not in {login for login, _ in found}


def test_a_seat_lent_on_one_board_gets_nothing_of_another_board(cast, review, other_board):
    both = organisation_actions.appoint(
        board=other_board, person=cast.seat_value, seat="business_value", by=cast.admin
    )
    stand_in(cast.seat_value, cast.outsider, membership=both)
    with later(3):
        found = {
            one.person.login for one in due.find().values() if one.initiative_ref == review.initiative.ref
        }
    assert "seat-value" in found
    assert "outsider" not in found


def test_a_loan_is_told_as_long_as_it_lasts(cast, as_, mailoutbox):
    """The roles were lent: question and reminder reach the stand-in, after the loan neither page nor mail has them."""
    initiative = factories.make_initiative(cast, title=TITLE)
    initiative_acts.parts(initiative, cast.team)
    initiative = keep_secret(initiative, cast)
    loan = stand_in(cast.owner, cast.outsider)
    hold_deeds.hold(initiative=initiative, reason="Names leak.", by=cast.chair)
    assert {"owner", "outsider"} <= told_of(initiative, kind="held")
    assert TITLE in as_(cast.outsider).get("/").content.decode()
    absence_actions.end_absence(absence=loan.absence, by=cast.owner)
    assert not visible_to(cast.outsider).filter(pk=initiative.pk).exists()
    assert TITLE not in as_(cast.outsider).get("/").content.decode()
    daily_mail.deliver(kind=Delivery.DAY)
    assert not any(TITLE in mail.body for mail in mailoutbox if cast.outsider.email in mail.to)


def test_a_lent_seat_of_the_deciding_board_is_told(cast, review):
    stand_in(cast.seat_risk, cast.outsider, membership=seat_of(cast, cast.seat_risk))
    telling.tell(
        review.initiative, [cast.seat_risk], "look again", "review:1:risk", "look", seat="risk_compliance"
    )
    assert told_of(review.initiative, kind="look again") == {"seat-risk", "outsider"}
    assert board_for(review.initiative.unit) == cast.board
    telling.tell(review.initiative, [cast.seat_risk], "comment", "comment:9", "comments")
    assert told_of(review.initiative, kind="comment") == {"seat-risk"}, "the roles were not lent"


def test_the_inbox_of_a_stand_in_has_nothing_of_an_initiative_without_a_lent_role(cast, as_):
    """A gap of the absent person alone opens the initiative for the person, not for who stands in for roles."""
    initiative = keep_secret(factories.make_initiative(cast, title=TITLE), cast)
    hold_deeds.open_gap(
        initiative=initiative,
        text="Zebra gap",
        owner=cast.sponsor,
        due=clock.today(),
        downstream=[],
        by=cast.owner,
    )
    factories.make_initiative(cast, title="Other", owner=cast.sponsor, by=cast.sponsor)
    assert TITLE in as_(cast.sponsor).get("/").content.decode()
    stand_in(cast.sponsor, cast.outsider)
    page = as_(cast.outsider).get("/").content.decode()
    assert "Other" in page
    assert TITLE not in page
    assert "Zebra" not in page


# --- People who need not be able to open it ---------------------------------------------------------------------------


def test_a_dependant_reads_the_reference_and_never_the_title(cast, as_):
    initiative = factories.make_mvp(cast, title=TITLE)
    dependant_deeds.add_dependant(
        initiative=initiative,
        who="Logistics",
        for_what="month-end closing",
        bearable_outage_hours=4,
        executive=cast.outsider,
        by=cast.owner,
    )
    hold_deeds.hold(initiative=initiative, reason="Zebra.", by=cast.chair)
    due.run()
    keep_secret(initiative, cast)
    rows = Notification.objects.filter(person=cast.outsider)
    assert {row.kind for row in rows} >= {"held", "dependence"}
    assert all(initiative.ref in row.subject and not row.initiative_ref for row in rows)
    assert not any(TITLE in f"{row.subject} {row.text}" for row in rows)
    client = as_(cast.outsider)
    page = client.get("/").content.decode()
    assert initiative.ref in page
    assert TITLE not in page
    assert TITLE not in client.get(f"/dependants/{initiative.dependants.get().pk}/").content.decode()
    assert HoldKind.CONCERN.label not in page


def test_who_handed_over_is_told_the_reference(cast):
    initiative = keep_secret(factories.make_initiative(cast, title=TITLE), cast)
    rows = handovers.propose_handover(
        person=cast.owner, chosen={initiative: cast.sponsor}, reason="I move on.", by=cast.owner
    )
    handovers.accept_handovers(handovers=rows, by=cast.sponsor)
    row = Notification.objects.get(person=cast.owner, kind="handover answered")
    assert row.subject.startswith(f"{initiative.ref}: ")
    assert not row.initiative_ref


# --- Who acted before, and who must act now ---------------------------------------------------------------------------


def test_a_lifted_hold_is_told_to_who_raised_it_and_to_the_owner(cast):
    """7a: the chair lifts alone, with a reason that everybody reads."""
    initiative = factories.make_initiative(cast)
    hold = hold_deeds.hold(initiative=initiative, reason="Names leak.", by=cast.seat_risk)
    hold_deeds.lift_hold(hold=hold, reason="I do not think so.", by=cast.chair)
    assert told_of(initiative, kind="hold lifted") == {"seat-risk", "owner"}
    assert Notification.objects.filter(kind="hold lifted", text__contains="I do not think so.").count() == 2


def test_a_hold_names_the_systems_that_it_stops_before_and_in_its_message(cast, as_):
    """7b, 7c: who answers for a key is told too, by the reference alone."""
    initiative = factories.make_mvp(cast, title=TITLE)
    factories.make_key(cast, initiative, principal=cast.outsider)
    factories.make_key(cast, initiative, system="Alarm bell", scopes=["alerts"])
    words = "1 system is denied every call while the hold is open: Account assistant."
    url = reverse("initiative-act", args=[initiative.ref, "hold"])
    assert words in text_of(as_(cast.seat_security).get(url))
    hold_deeds.hold(initiative=initiative, reason="Names leak.", by=cast.seat_security)
    assert words in Notification.objects.get(kind="held", person=cast.owner).text
    told = Notification.objects.get(kind="held", person=cast.outsider)
    assert words in told.text
    assert TITLE not in f"{told.subject} {told.text}"
    assert words not in text_of(as_(cast.seat_security).get(initiative.get_absolute_url()))


def test_a_proposed_tier_is_told_to_the_seat_that_confirms_it_to_chair_and_signers(cast, review):
    initiative_acts.propose_and_confirm_tier(review.initiative, cast.team, "limited")
    initiative_acts.sign_off(review, "business_value", cast.seat_value)
    Notification.objects.all().delete()
    detail_actions.propose_tier(
        initiative=review.initiative, tier="high", worst_credible_harm="Somebody is dismissed.", by=cast.owner
    )
    assert told_of(review.initiative, kind="tier to confirm") == {"seat-risk"}
    assert told_of(review.initiative, kind="tier proposed") == {"chair", "seat-value"}
    due.run()
    assert cast.seat_risk.notifications.unread().filter(kind="tier to confirm").exists(), "its task is open"


def test_a_review_moved_to_another_rulebook_is_told_to_who_signed_and_who_decides(cast, review):
    """1c: their sign-offs no longer count."""
    initiative_acts.sign_off(review, "business_value", cast.seat_value)
    factories.make_rulebook(cast.admin, cast.chair, shipped_text())
    review_actions.rebase_review(review=review, by=cast.owner)
    assert told_of(review.initiative, kind="review moved") == {"seat-value", "chair"}


def test_a_review_that_another_board_decides_is_told_to_both_boards(cast, review, other_board):
    """2d: the seats of the new board as at its opening; who signed reads the reference alone."""
    initiative_acts.sign_off(review, "business_value", cast.seat_value)
    unit_actions.move_unit(unit=cast.unit, into=cast.elsewhere, reason="One team.", by=cast.admin)
    assert "sponsor" in told_of(review.initiative, kind="review opened")
    changed = Notification.objects.filter(kind="board changed")
    left = {"chair", "deputy-chair", *(person.login for person in cast.seats.values())}
    assert set(changed.values_list("person__login", flat=True)) == {"outsider", "owner", *left}
    signer = changed.get(person=cast.seat_value, object_key=f"review:{review.pk}")
    assert review.initiative.ref in signer.subject
    assert TITLE not in f"{signer.subject} {signer.text}"


def test_an_accepted_role_is_told_to_the_owner_and_to_who_held_it(cast):
    """C17: also a role that an earlier owner proposed."""
    initiative = factories.make_initiative(cast, title=TITLE)
    for person in (cast.lead, cast.support):
        row = role_actions.propose_role(
            initiative=initiative, role="technical_lead", person=person, by=cast.owner
        )
        role_actions.accept_role(assignment=row, by=person)
    rows = Notification.objects.filter(kind="role answered")
    assert sorted(rows.values_list("person__login", flat=True)) == ["lead", "owner", "owner"]
    lead = rows.get(person=cast.lead)
    assert initiative.ref in lead.subject
    assert TITLE not in lead.subject
    owner = role_actions.propose_role(initiative=initiative, role="owner", person=cast.sponsor, by=cast.owner)
    role_actions.accept_role(assignment=owner, by=cast.sponsor)
    assert rows.filter(person=cast.owner).count() == 3, "the earlier owner"


def test_a_role_declined_laid_down_or_taken_is_told_to_who_did_not_do_it(cast):
    initiative = factories.make_initiative(cast, title=TITLE)
    asked = {
        role: role_actions.propose_role(initiative=initiative, role=role, person=person, by=cast.owner)
        for role, person in (
            ("support_owner", cast.support),
            ("data_steward", cast.steward),
            ("sponsor", cast.lead),
        )
    }
    role_actions.decline_role(assignment=asked["support_owner"], reason="No time.", by=cast.support)
    for row in (asked["data_steward"], asked["sponsor"]):
        role_actions.accept_role(assignment=row, by=row.person)
    role_actions.revoke_role(assignment=asked["data_steward"], reason="I leave.", by=cast.steward)
    role_actions.revoke_role(assignment=asked["sponsor"], reason="Another one.", by=cast.owner)
    rows = Notification.objects.filter(kind="role answered")
    told = set(rows.values_list("person__login", "object_key", "period"))
    assert {
        ("owner", f"role:{asked['support_owner'].pk}", "declined"),
        ("owner", f"role:{asked['data_steward'].pk}", "ended"),
        ("lead", f"role:{asked['sponsor'].pk}", "ended"),
    } <= told
    assert not rows.filter(person=cast.lead, subject__contains=TITLE).exists()
