"""Boards without anyone who can decide, and loans whose stand-in leaves: who hears of it, and when."""

from datetime import timedelta

import pytest
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.models import Absence, Delegation, Entry, Membership, Notification
from governance.notifications import due
from governance.organisation import actions as organisation_actions
from governance.permission_result import Refused
from initiatives.inbox.absences import actions as absence_actions
from initiatives.inbox.absences.actions import Asked
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Review
from initiatives.portfolio.units import decision_gaps, leaving
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives.initiative_pages import SIGNED, at

pytestmark = pytest.mark.django_db
WHY = "Left the company."
DAY = timedelta(days=1)


@pytest.fixture
@snapshots.kept
def review(cast) -> Review:
    """An open prototype review."""
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    return review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)


def seat_of(cast, person) -> Membership:
    return cast.board.memberships.get(person=person, delegate_of=None)


def told(kind: str) -> set[str]:
    return set(Notification.objects.filter(kind=kind).values_list("person__login", flat=True))


def ended_by_admin(cast):
    leaving.revoke_membership(membership=seat_of(cast, cast.chair), reason=WHY, by=cast.admin)


def ended_by_its_holder(cast):
    leaving.revoke_membership(membership=seat_of(cast, cast.chair), reason=WHY, by=cast.chair)


def deactivated(cast):
    leaving.deactivate(person=cast.chair, reason=WHY, by=cast.admin)


def deactivated_by_a_directory(cast):
    leaving.deactivate(person=cast.chair, reason=WHY, system="directory Entra ID")


def absent(cast):
    absence_actions.plan_absence(first=clock.today(), last=clock.today() + 3 * DAY, asked=[], by=cast.chair)


WAYS = [ended_by_admin, ended_by_its_holder, deactivated, deactivated_by_a_directory, absent]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_admins_and_owners_hear_at_once_that_the_last_chair_is_gone(cast, review, way):
    way(cast)
    assert told("no chair") == told("review without chair") == set(), "the deputy decides"
    with clock.simulated(clock.now() + timedelta(minutes=1)):
        leaving.revoke_membership(membership=seat_of(cast, cast.deputy_chair), reason=WHY, by=cast.admin)
    assert told("no chair") == {"admin", "second-admin"}
    assert told("review without chair") == {"owner"}
    rows = Notification.objects.filter(kind__in=["no chair", "review without chair"])
    count = rows.count()
    with clock.simulated(clock.now() + timedelta(minutes=2)):
        due.run(queries=[decision_gaps.undecided])
    assert rows.count() == count, "once"


def test_a_seat_that_ends_by_its_day_is_found_by_the_worker(cast, review):
    leaving.revoke_membership(membership=seat_of(cast, cast.chair), reason=WHY, by=cast.admin)
    leaving.revoke_membership(membership=seat_of(cast, cast.deputy_chair), reason=WHY, by=cast.admin)
    Notification.objects.all().delete()
    organisation_actions.appoint(
        board=cast.board,
        person=cast.sponsor,
        seat="chair",
        ends_at=clock.midnight_after(clock.today() + 30 * DAY),
        by=cast.admin,
    )
    due.run(queries=[decision_gaps.undecided])
    assert told("no chair") == set(), "the end is far away"
    due.run(clock.now() + 20 * DAY, queries=[decision_gaps.undecided])
    assert told("no chair") == {"admin", "second-admin"}
    periods = Notification.objects.filter(kind="no chair").values_list("period", flat=True)
    assert set(periods) == {"ahead"}
    due.run(clock.now() + 31 * DAY, queries=[decision_gaps.undecided])
    assert set(periods.all()) == {"ahead", "now"}


def test_a_chair_of_the_team_counts_as_gone_for_that_review(cast, review):
    role = role_actions.propose_role(
        initiative=review.initiative, role="sponsor", person=cast.chair, by=cast.owner
    )
    role_actions.accept_role(assignment=role, by=cast.chair)
    due.run(queries=[decision_gaps.undecided])
    assert told("review without chair") == set()
    leaving.revoke_membership(membership=seat_of(cast, cast.deputy_chair), reason=WHY, by=cast.admin)
    assert told("review without chair") == {"owner", "admin", "second-admin"}
    assert told("no chair") == set(), "the chair decides on the others"


def test_a_board_that_decides_on_nothing_is_not_missed(cast):
    leaving.revoke_membership(membership=seat_of(cast, cast.chair), reason=WHY, by=cast.admin)
    leaving.revoke_membership(membership=seat_of(cast, cast.deputy_chair), reason=WHY, by=cast.admin)
    assert told("no chair") == set()


def absence(person, first: int, last: int) -> Absence:
    today = clock.today()
    return Absence(
        person=person,
        starts_at=clock.midnight_before(today + first * DAY),
        ends_at=clock.midnight_after(today + last * DAY),
    )


GAPS = [
    # absences of the chair and of the deputy in days from today, gaps in the same days
    ([], [], []),
    ([(1, 9)], [], []),
    ([(1, 9)], [(5, 12)], [(5, 9)]),
    ([(1, 3), (6, 9)], [(2, 8)], [(2, 3), (6, 8)]),
    ([(1, 3)], [(4, 8)], []),
]


@pytest.mark.parametrize(("chair", "deputy", "expected"), GAPS)
def test_a_gap_is_where_both_are_away(cast, chair, deputy, expected):
    absences = [absence(cast.chair, *one) for one in chair]
    absences += [absence(cast.deputy_chair, *one) for one in deputy]
    found = decision_gaps.gaps(decision_gaps.chair_seats(cast.board), absences)
    spans = [absence(cast.chair, *one) for one in expected]
    assert found == [decision_gaps.Gap(one.starts_at, one.ends_at) for one in spans]


def test_the_second_absence_is_planned_only_after_it_was_said_that_no_one_decides(cast, review, as_):
    absent(cast)
    typed = {"first": clock.today() + DAY, "last": clock.today() + 9 * DAY, "step": "save"}
    client = as_(cast.deputy_chair)
    page = client.post("/away/", typed)
    assert page.status_code == 200
    assert page.context["stops"] in " ".join(page.context["effects"])
    assert not cast.deputy_chair.absences.exists(), "shown first, whichever button is pressed"
    assert client.post("/away/", typed | {"stops": page.context["stops"]}).status_code == 302
    assert cast.deputy_chair.absences.exists()
    assert told("no chair") == {"admin", "second-admin"}
    assert told("review without chair") == {"owner"}


def test_the_holder_ends_the_own_seat_on_its_page_and_nobody_elses(cast, review, as_):
    client, seat = as_(cast.chair), seat_of(cast, cast.chair)
    other = seat_of(cast, cast.deputy_chair)
    assert client.get(at("seats/revoke", other.pk)).status_code == 403
    assert client.post(at("seats/revoke", other.pk), SIGNED | {"reason": WHY}).status_code == 403
    with pytest.raises(Refused):
        leaving.revoke_membership(membership=other, reason=WHY, by=cast.chair)
    url = at("seats/revoke", seat.pk)
    assert url in client.get("/away/").content.decode()
    assert client.get(url).status_code == 200
    answer = client.post(url, SIGNED | {"reason": WHY})
    assert (answer.status_code, answer["Location"]) == (302, "/away/")
    seat.refresh_from_db()
    assert seat.ends_at is not None


def test_pages_say_before_an_end_that_no_one_decides(cast, review, as_):
    leaving.revoke_membership(membership=seat_of(cast, cast.chair), reason=WHY, by=cast.admin)
    said = f"No one can decide for {cast.board}"
    client, seat = as_(cast.admin), seat_of(cast, cast.deputy_chair)
    assert said in client.get(at("seats/revoke", seat.pk)).content.decode()
    url = reverse("admin:governance_user_deactivate", args=[cast.deputy_chair.pk])
    assert said in client.get(url).content.decode()
    other = seat_of(cast, cast.seat_value)
    assert said not in client.get(at("seats/revoke", other.pk)).content.decode()


# Loans


def lent(cast, person, delegate, membership=None) -> Delegation:
    planned = absence_actions.plan_absence(
        first=clock.today(), last=clock.today() + 7 * DAY, asked=[Asked(delegate, membership)], by=person
    )
    return absence_actions.accept_delegation(delegation=planned.delegations.get(), by=delegate)


def to_whom(kind: str, row: Delegation) -> set[str]:
    rows = Notification.objects.filter(kind=kind, object_key__startswith=f"delegation:{row.pk}")
    return set(rows.values_list("person__login", flat=True))


def leaves(cast, row):
    leaving.deactivate(person=row.delegate, reason=WHY, by=cast.admin)


def leaves_by_directory(cast, row):
    leaving.deactivate(person=row.delegate, reason=WHY, system="directory Entra ID")


def loses_the_lent_seat(cast, row):
    leaving.revoke_membership(membership=row.stands, reason=WHY, by=cast.admin)


def gives_it_back(cast, row):
    absence_actions.decline_delegation(delegation=row, by=row.delegate)


@pytest.mark.parametrize(
    "way", [leaves, leaves_by_directory, loses_the_lent_seat, gives_it_back], ids=lambda way: way.__name__
)
def test_a_lent_seat_without_its_stand_in_is_told_to_its_holder_and_the_owner(cast, review, way):
    row = lent(cast, cast.seat_value, cast.outsider, seat_of(cast, cast.seat_value))
    Notification.objects.filter(kind="delegate answered").delete()
    way(cast, row)
    row.refresh_from_db()
    assert row.ended_at is not None
    assert not row.stands.holds_at(clock.now())
    assert to_whom("delegate answered", row) == {"seat-value"}
    assert "owner" in to_whom("loan ended", row)
    if way is not gives_it_back:
        assert Entry.objects.acts().filter(kind="delegation ended").count() == 1


def test_lent_roles_without_their_stand_in_are_told_to_the_owner(cast):
    factories.make_initiative(cast)
    initiative = factories.make_initiative(cast, title="Another")
    initiative_acts.staff(initiative, cast.team)
    row = lent(cast, cast.lead, cast.outsider)
    leaves(cast, row)
    told = Notification.objects.filter(kind="loan ended", person=cast.owner)
    assert [one.initiative_ref for one in told] == [initiative.ref], "where the lead has a role"


def test_who_was_only_asked_and_leaves_ends_the_request_without_a_word_to_owners(cast, review):
    planned = absence_actions.plan_absence(
        first=clock.today() + DAY, last=clock.today() + 7 * DAY, asked=[Asked(cast.outsider)], by=cast.owner
    )
    row = planned.delegations.get()
    leaves(cast, row)
    row.refresh_from_db()
    assert row.ended_at is not None
    assert to_whom("delegate answered", row) == {"owner"}
    assert to_whom("loan ended", row) == set()
    absence_actions.name_delegate(absence=planned, asked=Asked(cast.support), by=cast.owner)


def test_when_the_person_away_leaves_the_stand_in_hears_it(cast, review):
    row = lent(cast, cast.seat_value, cast.outsider, seat_of(cast, cast.seat_value))
    leaving.deactivate(person=cast.seat_value, reason=WHY, by=cast.admin)
    row.refresh_from_db()
    assert row.ended_at is not None
    assert "outsider" in to_whom("loan ended", row)
    assert not row.stands.holds_at(clock.now())
