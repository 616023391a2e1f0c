"""An idea to production under the shipped rulebook, act by act as its people would: each tier, each situation.

Tied to a system or with no system, with a key or without, with a season behind it, decided by a board of two: what is
asked can be met, or is said to be out of reach before anybody begins. A change in governance/rulebook or
governance/gates asks for it.
"""

from datetime import timedelta

import pytest

from governance import clock
from governance.models import Rulebook
from governance.rulebook import shipped_text
from governance.vocabulary import BoardRole, Level, Stage
from initiatives.lifecycle.facts import supported_stage
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.initiatives import production_at_tier

pytestmark = pytest.mark.django_db
TIERS = ["minimal", "limited", "high"]


@pytest.fixture
def company(cast):
    """An organisation under the shipped rulebook."""
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    return cast


def reached(cast, tier: str, **how):
    """The initiative that reached production at this tier."""
    deputies = production_at_tier.second_holders(cast) if tier == "high" else {}
    initiative = production_at_tier.reach_production(cast, tier, deputies, **how)
    with clock.simulated(clock.now() + timedelta(days=how.get("unused_days", 0))):
        assert supported_stage.said_on(initiative, clock.today()) == (Stage.PRODUCTION, Stage.PRODUCTION, "")
    return initiative


@pytest.mark.parametrize("tier", TIERS)
def test_an_idea_tied_to_a_system_reaches_production(company, tier):
    reached(company, tier)


@pytest.mark.parametrize("tier", TIERS)
def test_one_that_stands_alone_reaches_production(company, tier):
    reached(company, tier, alone=True)


@pytest.mark.parametrize("tier", TIERS)
def test_its_system_sends_what_it_measures_and_no_seat_verifies_it(company, tier):
    initiative = reached(company, tier, keyed=True)
    states = supported_stage.judged(initiative).states
    asked = Rulebook.objects.current().parsed.at_tier(tier)
    measured = [
        key
        for key in asked.gates["production"].requirements()
        if "measurements" in asked.requirements[key].ways
        and asked.requirements[key].level_for(tier, "production")
    ]
    assert measured
    assert {states[key].level for key in measured} == {Level.MEASURED}


def two_members(cast) -> None:
    """Value and risk sit on the board, chair and deputy decide, and nobody else is there."""
    kept = {"business_value", "risk_compliance", BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR}
    for row in cast.board.memberships.exclude(seat__in=kept):
        leaving.revoke_membership(membership=row, reason="A board of two.", by=cast.admin)


def test_a_board_of_two_takes_a_initiative_of_minimal_risk_to_production(company):
    two_members(company)
    reached(company, "minimal")


@pytest.mark.parametrize("tier", ["limited", "high"])
def test_what_a_board_of_two_cannot_decide_is_said_before_it_is_submitted(company, tier, as_):
    initiative = production_at_tier.at_mvp_gate(company, tier, alone=True, deputies={})
    two_members(company)
    page = as_(company.owner).get(f"/initiatives/{initiative.ref}/review/").content.decode()
    assert "The quorum cannot be reached: 3 seats must sign, and 2 can." in page
    assert "Seats without anyone who can sign:" in page


@pytest.mark.parametrize("tier", TIERS)
def test_of_a_season_that_is_over_production_is_reached_while_its_figures_count(company, tier):
    days = Rulebook.objects.current().parsed.requirements["adopt.usage"].days(tier)
    reached(company, tier, unused_days=days - 1)
