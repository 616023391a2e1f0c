"""The guided start: every step with its state from rows, what a seat costs, what a board could decide."""

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from governance import clock
from governance.rulebook import parse, shipped_text
from initiatives.inbox.first_month import first_month, seat_time
from initiatives.lifecycle.holds.actions import lacking, show_by
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.portfolio.units import leaving
from tests.support.initiatives.imported_portfolio import give_owner, make_portfolio
from tests.support.web import query_counts

pytestmark = pytest.mark.django_db
RULEBOOK = parse(shipped_text())


def state(key: str) -> str:
    """What the step says."""
    return next(step.state for step in first_month.steps() if step.key == key)


def test_each_step_says_how_far_it_is(cast):
    assert state("portfolio") == "nothing is imported"
    initiatives = make_portfolio(cast, titles=["A", "B", "C", "D"])
    assert state("portfolio") == "4 reported as Production"
    assert state("owners") == "0 accepted, 0 not answered yet, 4 not asked yet"
    give_owner(cast, initiatives[0], cast.owner)
    role_actions.propose_role(initiative=initiatives[1], role="owner", person=cast.lead, by=cast.admin)
    assert first_month.owners() == {"accepted": 1, "asked": 1, "none": 2}
    assert state("shown-by") == "0 with a day, 0 past their day, 4 without a day"
    show_by(initiative=initiatives[0], due=clock.today(), by=cast.owner)
    assert state("shown-by") == "1 with a day, 0 past their day, 3 without a day"


def test_gaps_are_those_of_the_initiatives(cast):
    initiatives = make_portfolio(cast)
    assert first_month.gaps_by_layer().total() == sum(len(lacking(initiative)) for initiative in initiatives)


def test_what_a_seat_costs_follows_from_what_it_signs():
    limited = {row.seat: row for row in seat_time.seat_times(RULEBOOK, "limited")}
    minimal = {row.seat: row for row in seat_time.seat_times(RULEBOOK, "minimal")}
    assert set(minimal) == {"business_value", "risk_compliance"} < set(limited)
    first = RULEBOOK.gates["prototype"].title
    (value,) = [gate for gate in limited["business_value"].gates if gate.title == first]
    assert (value.title, value.must, value.answers, value.verified) == (
        first,
        True,
        len(RULEBOOK.gates["prototype"].requirements()),
        0,
    )
    assert value.minutes == seat_time.SIGNING + seat_time.READING * value.answers
    high = {row.seat: row.minutes for row in seat_time.seat_times(RULEBOOK, "high")}
    assert all(high[seat] >= row.minutes for seat, row in limited.items())
    assert seat_time.verifications(RULEBOOK, "prototype", "limited") == 0
    assert (
        0
        < seat_time.verifications(RULEBOOK, "mvp", "limited")
        < seat_time.verifications(RULEBOOK, "production", "high")
    )
    assert 5 < seat_time.reading_minutes(RULEBOOK) < 60


def test_a_small_board_is_told_what_it_can_decide(cast):
    rulebook = RULEBOOK
    assert not any(one.cannot for one in first_month.reach(rulebook))
    for seat in cast.board.memberships.exclude(
        seat__in=["business_value", "risk_compliance", "chair", "deputy_chair"]
    ):
        leaving.revoke_membership(membership=seat, reason="Moved", by=cast.admin)
    found = {one.tier: [title for title, _ in one.cannot] for one in first_month.reach(rulebook)}
    titles = {key: rulebook.gates[key].title for key in rulebook.gates}
    assert titles["production"] not in found["minimal"]
    assert titles["production"] in found["limited"]
    assert titles["prototype"] not in found["limited"]


def test_the_page_is_for_admins_and_asks_as_much_for_many(cast, as_):
    url = reverse("first-month")
    assert as_(cast.chair).get(url).status_code == 403
    client = as_(cast.admin)
    make_portfolio(cast, titles=["A", "B"])
    few = query_counts.asked(client, url)
    make_portfolio(cast, titles=[f"System {number}" for number in range(30)])
    assert query_counts.asked(client, url) <= few
    page = " ".join(strip_tags(client.get(url, {"tier": "high"}).content.decode()).split())
    assert "32 reported as Production" in page
    assert "this board can decide every gate" in page
    assert "The rulebook gives the number of answers" in page
