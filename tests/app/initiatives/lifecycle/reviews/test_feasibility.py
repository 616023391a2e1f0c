"""Before a review opens the page says whether the board can decide it: at all, today, and who fixes what is missing."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from governance import clock
from governance.organisation import actions as organisation_actions
from initiatives.inbox.absences import actions as absence_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.portfolio.units import leaving
from tests.support import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def initiative(cast):
    """A prototype before its MVP gate: value and risk must sign, three seats in all."""
    return factories.make_prototype(cast)


def page_of(as_, cast, initiative) -> str:
    """What its owner reads before asking the board."""
    answer = as_(cast.owner).get(reverse("review-open", args=[initiative.ref]))
    return " ".join(strip_tags(answer.content.decode()).split())


def vacate(cast, *seats):
    """Nobody sits in these seats any more."""
    for seat in cast.board.memberships.filter(seat__in=seats):
        leaving.revoke_membership(membership=seat, reason="Moved", by=cast.admin)


def test_a_full_board_can_decide(cast, as_, initiative):
    page = page_of(as_, cast, initiative)
    assert "cannot decide the review" not in page


def test_one_person_in_both_seats_that_must_sign_is_said_with_what_fixes_it(cast, as_, initiative):
    vacate(cast, "risk_compliance")
    factories.make_seat(cast, cast.seat_value, "risk_compliance")
    page = page_of(as_, cast, initiative)
    assert "This board cannot decide the review: too few seats can sign." in page
    assert f"only {cast.seat_value.full_name} can sign. One person can sign for only one seat" in page
    assert "An admin can give one of these seats to someone else" in page
    # Somebody from outside the board fixes it.
    factories.make_seat(cast, cast.outsider, "risk_compliance")
    assert "cannot decide the review" not in page_of(as_, cast, initiative)


def test_who_works_on_the_initiative_is_missing_from_the_board(cast, as_, initiative):
    role = role_actions.propose_role(
        initiative=initiative, role="sponsor", person=cast.seat_risk, by=cast.owner
    )
    role_actions.accept_role(assignment=role, by=cast.seat_risk)
    page = page_of(as_, cast, initiative)
    assert "Risk and compliance must sign and cannot" in page
    assert "is sponsor of this initiative" in page


def test_a_board_whose_people_are_away_cannot_decide_today(cast, as_, initiative):
    vacate(cast, "security_privacy", "architecture_integration")
    today = clock.today()
    for person in (cast.seat_adoption, cast.seat_value):
        absence_actions.plan_absence(first=today, last=today + timedelta(days=5), asked=[], by=person)
    page = page_of(as_, cast, initiative)
    assert "This board cannot decide the review today." in page
    assert f"{cast.seat_value.full_name} is away." in page
    assert "as it stands" not in page


def test_a_seat_in_its_first_day_waits_and_the_others_go_on(cast, as_, initiative):
    organisation_actions.appoint(
        board=cast.board, person=cast.outsider, seat="adoption_change", by=cast.admin
    )
    page = page_of(as_, cast, initiative)
    assert f"{cast.outsider.full_name} cannot approve before" in page
    assert "The other people on the board can decide the review." in page
    vacate(cast, "security_privacy", "architecture_integration")
    for seat in cast.board.memberships.filter(seat="adoption_change", person=cast.seat_adoption):
        leaving.revoke_membership(membership=seat, reason="Moved", by=cast.admin)
    assert "This board cannot decide the review today." in page_of(as_, cast, initiative)


def test_nobody_to_decide_is_said_too(cast, as_, initiative):
    vacate(cast, "chair", "deputy_chair")
    assert "No one can decide: the board has no chair." in page_of(as_, cast, initiative)
