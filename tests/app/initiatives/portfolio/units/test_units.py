"""Units moved and merged: what is shown before is what happens, old days keep the old tree, no race bends it."""

import contextlib
import threading
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, connections, transaction
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.models import Entry, Membership, Notification, Unit, User
from governance.organisation import actions as organisation_actions
from governance.people.boards import board_for
from governance.permission_result import Conflict, Refused
from governance.transparency_log import as_of, sealing
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.models import Initiative, Review
from initiatives.portfolio.units import actions as unit_actions
from initiatives.portfolio.units import plans
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives import boards

WHY = "Two teams became one."


def again(row):
    return type(row).objects.get(pk=row.pk)


def path_of(code: str) -> str:
    return Unit.objects.get(code=code).path


@pytest.fixture
@snapshots.kept
def other_board(cast):
    """A board of the unit elsewhere, with the seat that a prototype needs."""
    made = organisation_actions.add_board(name="Logistics board", unit=cast.elsewhere, by=cast.admin)
    for seat, person in (("business_value", cast.sponsor), ("chair", cast.outsider)):
        organisation_actions.appoint(board=made, person=person, seat=seat, by=cast.admin)
    return made


@pytest.fixture
@snapshots.kept
def signed_off(cast) -> Review:
    """A prototype review that is ready: the value seat approved."""
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    initiative_acts.sign_off(review, "business_value", cast.seat_value)
    assert review_state.snapshot_of(again(review)).verdict.decidable
    return review


@pytest.mark.django_db
def test_a_unit_moves_with_everything_below_it_in_one_act(cast):
    below = organisation_actions.add_unit(name="Key accounts", code="key", parent=cast.unit, by=cast.admin)
    last = Entry.objects.acts().latest("pk").pk
    unit_actions.move_unit(unit=cast.unit, into=cast.elsewhere, reason=WHY, by=cast.admin)
    assert path_of("accounts") == "/northgate/logistics/accounts/"
    assert path_of("key") == "/northgate/logistics/accounts/key/"
    assert again(below).history.first().history_change_reason == WHY
    acts = Entry.objects.acts().filter(pk__gt=last)
    assert [entry.kind for entry in acts] == ["unit moved"]
    facts = acts[0].facts
    assert facts["reason"] == WHY
    assert (facts["facts"]["before"], facts["facts"]["after"]) == ("Retail", "Logistics")
    unit_actions.move_unit(unit=again(cast.unit), into=None, reason=WHY, by=cast.admin)
    assert path_of("key") == "/accounts/key/"


@pytest.mark.django_db
def test_a_place_that_is_no_place_is_refused_with_the_remedy(cast):
    retail, company = cast.unit.parent, cast.unit.parent.parent
    for unit, into, said in [
        (company, cast.unit, "below Northgate"),
        (retail, retail, "the same unit"),
        (cast.unit, retail, "is already at this place"),
    ]:
        with pytest.raises(ValidationError, match=said):
            unit_actions.move_unit(unit=unit, into=into, reason=WHY, by=cast.admin)
    with pytest.raises(ValidationError, match=f"Move {cast.unit} out of {retail} first"):
        unit_actions.merge_units(unit=retail, into=cast.unit, reason=WHY, by=cast.admin)
    with pytest.raises(ValidationError, match="Give the reason"):
        unit_actions.move_unit(unit=cast.unit, into=cast.elsewhere, reason=" ", by=cast.admin)
    with pytest.raises(Refused, match="Only admins"):
        unit_actions.move_unit(unit=cast.unit, into=cast.elsewhere, reason=WHY, by=cast.owner)
    organisation_actions.add_board(name="Accounts board", unit=cast.unit, by=cast.admin)
    with pytest.raises(ValidationError, match="already has Retail board"):
        unit_actions.merge_units(unit=cast.unit, into=retail, carry=True, reason=WHY, by=cast.admin)


@pytest.mark.django_db
def test_what_is_shown_before_a_merge_is_what_happens(cast, signed_off, other_board):
    plan = plans.plan_merge(cast.unit, cast.elsewhere)
    said = " ".join(plan.sentences())
    assert (
        "Logistics gets 1 initiative of Account management, with everything that belongs to them, and 4 people."
        in said
    )
    assert "Logistics board now decides on 1 initiative that Retail board decided until now." in said
    assert "1 earlier sign-off no longer counts" in said
    unit_actions.merge_units(unit=cast.unit, into=cast.elsewhere, reason=WHY, seen=plan.digest, by=cast.admin)
    initiative, old = again(signed_off.initiative), again(cast.unit)
    assert initiative.unit == cast.elsewhere
    assert initiative.history.first().history_change_reason == WHY
    assert old.merged_into == cast.elsewhere
    assert not User.objects.filter(unit=old).exists()
    assert User.objects.filter(unit=cast.elsewhere).count() == plan.people + 1
    assert board_for(initiative.unit) == other_board
    kinds = (
        Entry.objects.acts()
        .filter(initiative_ref=initiative.ref)
        .order_by("-pk")
        .values_list("kind", flat=True)[:2]
    )
    assert set(kinds) == {"board changed", "unit changed"}
    assert Notification.objects.filter(person=cast.outsider, kind="board changed").exists()
    assert Notification.objects.filter(
        person=cast.owner, kind="board changed", initiative_ref=initiative.ref
    ).exists()


@pytest.mark.django_db
def test_sign_offs_of_the_old_board_no_longer_count_whoever_gave_them(cast, signed_off, other_board):
    # She sits in the same seat of both boards: her word was given in another board's name.
    organisation_actions.appoint(
        board=other_board, person=cast.seat_value, seat="business_value", by=cast.admin
    )
    unit_actions.move_unit(unit=cast.unit, into=cast.elsewhere, reason=WHY, by=cast.admin)
    snapshot = review_state.snapshot_of(again(signed_off))
    assert not snapshot.verdict.decidable
    assert "a different board decides on this initiative now" in snapshot.judged_sign_offs[0].stale
    with pytest.raises(Refused):
        review_actions.decide(review=again(signed_off), outcome="approved", reason="Go.", by=cast.chair)


@pytest.mark.django_db
def test_the_board_of_a_merged_unit_closes_or_goes_along(cast):
    own = boards.make_board(cast, cast.unit, "Accounts board", chair=cast.sponsor)
    seat = own.memberships.get(seat="chair")
    initiative = factories.make_initiative(cast)
    plan = plans.plan_merge(cast.unit, cast.elsewhere, carry=True)
    assert "Accounts board becomes the board of Logistics" in " ".join(plan.sentences())
    with transaction.atomic():
        unit_actions.merge_units(unit=cast.unit, into=cast.elsewhere, carry=True, reason=WHY, by=cast.admin)
        assert board_for(again(initiative).unit) == own
        assert Membership.objects.held_at(clock.now()).filter(pk=seat.pk).exists()
        transaction.set_rollback(True)
    unit_actions.merge_units(unit=again(cast.unit), into=cast.elsewhere, reason=WHY, by=cast.admin)
    assert board_for(again(initiative).unit) is None
    assert not Membership.objects.held_at(clock.now()).filter(pk=seat.pk).exists()


@pytest.mark.django_db
def test_an_act_that_would_do_something_else_than_was_shown_is_refused(cast):
    plan = plans.plan_merge(cast.unit, cast.elsewhere)
    factories.make_initiative(cast)
    with pytest.raises(Conflict, match="The consequences have changed"):
        unit_actions.merge_units(
            unit=cast.unit, into=cast.elsewhere, reason=WHY, seen=plan.digest, by=cast.admin
        )
    assert again(cast.unit).merged_into is None


@pytest.mark.django_db
def test_nothing_comes_to_a_unit_that_was_merged(cast, as_):
    unit_actions.merge_units(unit=cast.unit, into=cast.elsewhere, reason=WHY, by=cast.admin)
    gone = again(cast.unit)
    for act in (
        lambda: factories.make_initiative(cast, unit=gone),
        lambda: organisation_actions.add_unit(name="New", code="new", parent=gone, by=cast.admin),
        lambda: organisation_actions.add_person(login="new", full_name="New", unit=gone, by=cast.admin),
        lambda: organisation_actions.add_board(name="New", unit=gone, by=cast.admin),
    ):
        with pytest.raises(ValidationError, match="Choose Logistics"):
            act()
    assert "Account management" not in as_(cast.owner).get(reverse("register")).content.decode()


@pytest.mark.django_db
def test_the_database_holds_the_tree_by_itself(cast):
    unit_actions.merge_units(unit=cast.unit, into=cast.elsewhere, reason=WHY, by=cast.admin)
    initiative = factories.make_initiative(cast, unit=cast.elsewhere)
    gone = again(cast.unit)

    def out_of_place():
        Unit.objects.filter(code="retail").update(path="/retail/")
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS stands_in_the_tree IMMEDIATE")

    initiative.unit, gone.merged_into = gone, None
    for said, write in [
        ("was merged into Logistics", initiative.save),
        ("was merged into Logistics", Unit(name="New", code="new", parent=gone).save),
        ("stays where it was", gone.save),
        ("where its path says", out_of_place),
    ]:
        with (
            acting(system="test", reason="Past the acts"),
            pytest.raises(DatabaseError, match=said),
            transaction.atomic(),
        ):
            write()


@pytest.mark.django_db(transaction=True)
def test_an_earlier_day_still_shows_the_old_tree(cast, as_):
    initiative = factories.make_initiative(cast)
    sealing.seal()
    before = clock.now()
    unit_actions.merge_units(unit=cast.unit, into=cast.elsewhere, reason=WHY, by=cast.admin)
    sealing.seal()
    with as_of.day(before):
        then = Initiative.objects.select_related("unit").get(pk=initiative.pk)
        assert (then.unit.name, then.unit.path) == ("Account management", "/northgate/retail/accounts/")
        assert Unit.objects.living().filter(code="accounts").exists()
        assert board_for(then.unit) == cast.board
    with as_of.day(clock.now() + timedelta(seconds=1)):
        assert Initiative.objects.get(pk=initiative.pk).unit_id == cast.elsewhere.pk
    assert "Logistics" in as_(cast.owner).get(initiative.get_absolute_url()).content.decode()


def _at_once(*acts) -> list:
    """Run these at the same moment, each on a connection of its own; what each returned or raised."""
    start, found = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place, one):
        try:
            start.wait(30)
            found[place] = one()
        except Exception as error:
            found[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


@pytest.mark.django_db(transaction=True)
def test_two_opposite_moves_at_once_make_no_cycle(cast, monkeypatch):
    retail, other = cast.unit.parent, cast.elsewhere
    both, real = threading.Barrier(2), plans.plan_move

    def planned_beside_another(*args):
        """A plan that waits a second for the other move: without the lock both are made of the same tree."""
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(1)
        return real(*args)

    monkeypatch.setattr(plans, "plan_move", planned_beside_another)
    found = _at_once(
        lambda: unit_actions.move_unit(unit=retail, into=other, reason=WHY, by=cast.admin),
        lambda: unit_actions.move_unit(unit=other, into=retail, reason=WHY, by=cast.admin),
    )
    wrong = [one for one in found if isinstance(one, Exception)]
    assert len(wrong) == 1, found
    assert isinstance(wrong[0], ValidationError), wrong
    for unit in Unit.objects.select_related("parent"):
        assert unit.path == f"{unit.parent.path if unit.parent else '/'}{unit.code}/"


@pytest.mark.django_db(transaction=True)
def test_whoever_registers_during_a_merge_waits_and_is_told(cast, monkeypatch):
    entered, go_on = threading.Event(), threading.Event()
    real = unit_actions._board_follows

    def slowly(plan):
        entered.set()
        assert go_on.wait(30)
        real(plan)

    monkeypatch.setattr(unit_actions, "_board_follows", slowly)

    def register():
        entered.wait(30)
        threading.Timer(0.3, go_on.set).start()
        return factories.make_initiative(cast)

    merged, registered = _at_once(
        lambda: unit_actions.merge_units(unit=cast.unit, into=cast.elsewhere, reason=WHY, by=cast.admin),
        register,
    )
    assert not isinstance(merged, Exception), merged
    assert isinstance(registered, DatabaseError), registered
    assert "was merged into Logistics" in str(registered)
    assert not Initiative.objects.filter(unit=cast.unit).exists()
