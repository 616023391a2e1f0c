"""A board that is added below another waits: it takes over by an act that was shown, once it can decide."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.models import Board, Entry, Membership, Notification
from governance.organisation import actions as organisation_actions
from governance.people.boards import board_for, units_of_board
from governance.permission_result import Conflict, Refused
from governance.transparency_log import verification
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.models import Initiative, Review
from initiatives.portfolio.units import actions as unit_actions
from initiatives.portfolio.units import leaving, plans
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives import boards
from tests.support.initiatives.initiative_pages import at

pytestmark = pytest.mark.django_db
WHY = "Accounts get their own board."
PREFIX = "Accounts seat of "


def again(row):
    return type(row).objects.get(pk=row.pk)


@pytest.fixture
@snapshots.kept
def review(cast) -> Review:
    """A prototype review that is ready: the value seat approved."""
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    initiative_acts.sign_off(review, "business_value", cast.seat_value)
    return review


@pytest.fixture
def nearer(cast, review) -> Board:
    """A board added nearer to the unit, without a seat."""
    return organisation_actions.add_board(name="Accounts board", unit=cast.unit, by=cast.admin)


def seated(cast, board: Board, *, but: str = "") -> dict[str, str]:
    """Fill the seats with new people, without one. Return the logins by seat."""
    found = {}
    for seat in ["chair", *cast.seats]:
        if seat != but:
            person = factories.make_person(f"new-{seat.replace('_', '-')}", full_name=PREFIX + seat)
            organisation_actions.appoint(board=board, person=person, seat=seat, by=cast.admin)
            found[seat] = person.login
    return found


def told(kind: str) -> set[str]:
    return set(Notification.objects.filter(kind=kind).values_list("person__login", flat=True))


def board_in_database(initiative: Initiative) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT plumbline_board_of(%s)", [initiative.unit_id])
        return cursor.fetchone()[0]


def test_a_board_without_seats_takes_nothing_over(cast, review, nearer, as_):
    initiative = again(review.initiative)
    assert board_for(initiative.unit) == cast.board
    assert board_in_database(initiative) == cast.board.pk
    assert not units_of_board(nearer).exists()
    assert review_state.snapshot_of(again(review)).verdict.decidable
    assert as_(cast.chair).get(initiative.get_absolute_url()).status_code == 200
    assert told("board changed") == set()
    seats = seated(cast, nearer)
    assert seats
    newcomer = Membership.objects.get(board=nearer, seat="chair").person
    assert as_(newcomer).get(initiative.get_absolute_url()).status_code == 404, "a seat of a waiting board"
    assert not roles_and_seats.sits_on_board(initiative, newcomer)


def test_a_board_of_a_unit_without_one_above_decides_at_once(cast):
    board = organisation_actions.add_board(name="Logistics board", unit=cast.elsewhere, by=cast.admin)
    assert board_for(cast.elsewhere) == board


def test_what_is_shown_before_a_board_takes_over_is_what_happens_and_everybody_is_told(cast, review, nearer):
    seats = seated(cast, nearer)
    Notification.objects.all().delete()
    initiative = again(review.initiative)
    plan = plans.plan_take_over(again(nearer))
    said = " ".join(plan.sentences())
    assert "Accounts board now decides on 1 initiative that Retail board decided until now." in said
    assert "1 earlier sign-off no longer counts" in said
    unit_actions.take_over(board=nearer, reason=WHY, seen=plan.digest, by=cast.admin)
    assert board_for(again(initiative).unit) == again(nearer)
    assert board_in_database(initiative) == nearer.pk
    entry = Entry.objects.acts().filter(initiative_ref=initiative.ref).latest("pk")
    assert (entry.kind, entry.facts["facts"]["before"], entry.facts["facts"]["after"]) == (
        "board changed",
        "Retail board",
        "Accounts board",
    )
    assert Entry.objects.acts().filter(kind="board took over").get().facts["reason"] == WHY
    left = {"chair", "deputy-chair", *(person.login for person in cast.seats.values())}
    assert told("board changed") == {"owner", seats["chair"], *left}
    asked = review.parsed_rulebook.gates[review.gate].seats
    assert told("review opened") == {seats[seat] for seat in asked}
    to_left = Notification.objects.filter(kind="board changed", person=cast.chair).get()
    assert initiative.ref not in to_left.subject + to_left.text, "they may no longer open it"
    snapshot = review_state.snapshot_of(again(review))
    assert not snapshot.verdict.decidable


def test_the_verifier_reads_the_board_as_the_acts_do(cast, review, nearer):
    review_actions.decide(review=again(review), outcome="approved", reason="Go.", by=cast.chair)
    seated(cast, nearer)
    with clock.simulated(clock.now() + timedelta(days=2)):
        unit_actions.take_over(board=nearer, reason=WHY, by=cast.admin)
        hold = hold_deeds.hold(initiative=again(review.initiative), reason="Wait.", by=cast.owner)
        chair = Membership.objects.get(board=nearer, seat="chair").person
        hold_deeds.lift_hold(hold=hold, reason="Go on.", by=chair)
        report = verification.verify()
    assert (report.findings, report.unjudged) == ([], 0)


def test_it_waits_for_its_chair_and_for_each_seat_that_a_gate_needs(cast, review, nearer):
    with pytest.raises(Refused, match="no chair"):
        unit_actions.take_over(board=nearer, reason=WHY, by=cast.admin)
    seated(cast, nearer, but="risk_compliance")
    with pytest.raises(Refused, match="Risk and compliance"):
        unit_actions.take_over(board=nearer, reason=WHY, by=cast.admin)
    organisation_actions.appoint(board=nearer, person=cast.outsider, seat="risk_compliance", by=cast.admin)
    with pytest.raises(ValidationError):
        unit_actions.take_over(board=nearer, reason=" ", by=cast.admin)
    with pytest.raises(Refused, match="Only admins"):
        unit_actions.take_over(board=nearer, reason=WHY, by=cast.chair)
    seen = plans.plan_take_over(again(nearer)).digest
    factories.make_initiative(cast, title="Another")
    with pytest.raises(Conflict):
        unit_actions.take_over(board=nearer, reason=WHY, seen=seen, by=cast.admin)
    unit_actions.take_over(board=nearer, reason=WHY, by=cast.admin)
    with pytest.raises(Refused, match="already decides"):
        unit_actions.take_over(board=nearer, reason=WHY, by=cast.admin)


def test_the_database_lets_no_board_without_a_chair_take_over(cast, review, nearer):
    nearer.decides_from = clock.now()
    decides = again(cast.board)
    decides.decides_from = None
    for row, said in ((nearer, "without a chair"), (decides, "decides_from of governance_board stays")):
        with acting(system="test"), pytest.raises(DatabaseError, match=said), transaction.atomic():
            row.save()


def test_the_page_shows_what_is_missing_then_the_plan_and_acts_once_it_was_seen(cast, review, nearer, as_):
    client, url = as_(cast.admin), reverse("board-take-over", args=[nearer.pk])
    page = client.get(reverse("boards"))
    row = next(one for one in page.context["boards"] if one.board == nearer)
    assert (row.decides, row.units) == (cast.board, 0)
    assert row.lacks
    assert url not in page.content.decode()
    assert client.get(url).status_code == 403
    seated(cast, nearer)
    assert url in client.get(reverse("boards")).content.decode()
    shown = client.post(url, {"reason": WHY})
    assert shown.status_code == 200
    assert shown.context["happens"] == plans.plan_take_over(again(nearer)).sentences()
    assert again(nearer).decides_from is None
    assert client.post(url, {"reason": WHY, "seen": shown.context["seen"]}).status_code == 302
    assert again(nearer).decides_from is not None
    assert client.get(url).status_code == 403


def test_adding_says_that_the_board_waits(cast, review, as_):
    sent = {"name": "Accounts board", "unit": cast.unit.pk}
    page = as_(cast.admin).post(at("add-board"), sent, follow=True)
    assert "waits" in " ".join(str(message) for message in page.context["messages"])
    assert Entry.objects.acts().filter(kind="board added").latest("pk").facts["facts"]["waits"] is True


def test_no_unit_moves_below_a_board_that_no_one_chairs(cast, review):
    board = boards.make_board(cast, cast.elsewhere, "Logistics board", chair=cast.outsider)
    leaving.revoke_membership(membership=board.memberships.get(seat="chair"), reason="Left.", by=cast.admin)
    for act in (unit_actions.move_unit, unit_actions.merge_units):
        with pytest.raises(ValidationError, match="no chair"):
            act(unit=cast.unit, into=cast.elsewhere, reason=WHY, by=cast.admin)
    assert board_for(again(cast.unit)) == cast.board


def test_everybody_concerned_hears_of_a_move(cast, review):
    boards.make_board(cast, cast.elsewhere, "Logistics board", chair=cast.outsider)
    Notification.objects.all().delete()
    unit_actions.move_unit(unit=cast.unit, into=cast.elsewhere, reason=WHY, by=cast.admin)
    assert told("board changed") == {"owner", "outsider", "chair", "deputy-chair", "seat-value"}, (
        "the signer too"
    )
