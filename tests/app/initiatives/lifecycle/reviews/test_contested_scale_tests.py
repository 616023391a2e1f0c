"""A scale test does not pass while a seat objects to what the test rests on, or a condition of its seat is unmet."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from adoption.demo import initiative_acts
from governance import clock
from initiatives.lifecycle.facts import supported_stage, supported_stage_rows
from initiatives.lifecycle.holds import condition_deeds
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews.sign_offs import actions as sign_off_actions
from initiatives.models import Condition, Review
from tests.support import factories
from tests.support.initiatives.initiative_pages import at

pytestmark = pytest.mark.django_db
SEAT = "adoption_change"


@pytest.fixture
def review(cast) -> Review:
    """An MVP before the production gate, everything shown."""
    initiative = factories.make_ready(cast, factories.make_mvp(cast), "production")
    return review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)


def adoption(client, review) -> tuple[str, bool, bool]:
    """How the test stands on the overview, in the portfolio, and whether Insights has the initiative as ready."""
    overview = BeautifulSoup(client.get(review.initiative.get_absolute_url()).content, "html.parser")
    state = overview.select("#tests li")[2].select_one(".tag").text
    span = review.initiative.spans.covering(clock.now()).get()
    rows = client.get(at("insights-figure", "scalable")).content.decode()
    return state, span.adoption, review.initiative.ref in rows


def objected(cast, review):
    """The adoption seat objects to the scale test."""
    reason, criteria = "Nobody in the branch uses it.", ("production.test_adoption",)
    return initiative_acts.sign_off(
        review, SEAT, cast.seats[SEAT], "object", reason=reason, criteria=criteria
    )


def test_an_objection_stands_against_its_scale_test_until_the_seat_withdraws_it(cast, review, as_):
    client = as_(cast.owner)
    assert adoption(client, review) == ("passes", "passes", True)
    row = objected(cast, review)
    assert adoption(client, review) == ("not yet", "not_yet", False)
    assert (
        "Nobody in the branch uses it." in client.get(review.initiative.get_absolute_url()).content.decode()
    )
    judged = supported_stage.judged(initiative_acts.fresh(review.initiative))
    assert [key for key, one in judged.support.tests.items() if one == "not_yet"] == ["adoption"]
    assert judged.support.supported == "production", "an objection does not lower what evidence supports"
    assert not list(supported_stage_rows.differing([review.initiative_id]))
    sign_off_actions.withdraw_sign_off(sign_off=row, reason="They do.", by=cast.seats[SEAT])
    assert adoption(client, review) == ("passes", "passes", True)


def test_an_objection_ends_with_its_review(cast, review, as_):
    objected(cast, review)
    review_actions.withdraw_review(review=review, reason="Later.", by=cast.owner)
    assert adoption(as_(cast.owner), review) == ("passes", "passes", True)
    assert not list(supported_stage_rows.differing([review.initiative_id]))


def test_an_unmet_condition_of_the_seat_stands_against_its_test(cast, review):
    wanted = {"text": "Train the branch", "owner": cast.owner, "due": clock.today() + timedelta(days=30)}
    said = wanted | {
        "owner": cast.owner.pk,
        "owner_name": cast.owner.full_name,
        "due": wanted["due"].isoformat(),
    }
    for seat, person in cast.seats.items():
        if review.parsed_rulebook.criteria_of(review.gate, seat):
            verdict = "approve_with_condition" if seat == SEAT else "approve"
            initiative_acts.sign_off(review, seat, person, verdict, condition=said if seat == SEAT else None)
    review_actions.decide(
        review=review,
        outcome="approved_with_conditions",
        reason="Ready.",
        conditions=[wanted | {"sign_off": review.sign_offs.get(seat=SEAT).pk}],
        by=cast.chair,
    )
    tests = supported_stage.judged(initiative_acts.fresh(review.initiative)).support.tests
    assert [key for key, one in tests.items() if one == "not_yet"] == ["adoption"]
    condition_deeds.meet_condition(condition=Condition.objects.get(), note="Trained.", by=cast.owner)
    assert review.initiative.spans.covering(clock.now()).get().adoption == "passes"
