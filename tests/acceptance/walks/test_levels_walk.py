"""An idea to production under a rulebook with levels, act by act as its people would, at each tier of risk."""

import pytest

from adoption.demo import artefacts, case_acts
from governance import clock
from governance.gates import criteria
from governance.models import Rulebook
from governance.rulebook import load_version
from governance.vocabulary import Stage
from initiatives.facts import supported_stage
from tests.support import factories


def lacking(case, gate: str) -> list[str]:
    """What this gate still asks for, each with its words and what mends it."""
    book = Rulebook.objects.current().book
    states = criteria.states_at(supported_stage.facts_of(case_acts.fresh(case)), book, clock.now())
    asked = [key for key in book.gates[gate].requirements() if key not in book.deferred(gate)]
    return [
        f"{key}: {states[key].state} {states[key].words} {states[key].fix}"
        for key in asked
        if not states[key].satisfies(gate) and key not in criteria.GENERATED_ONLY
    ]


def shown(case, gate: str, cast, deputies) -> None:
    case_acts.ground_gate(case, gate, cast.team)
    artefacts.verify_gate(case, gate, cast.team.seats, deputies)
    missing = lacking(case, gate)
    assert not missing, "\n".join(missing)


def described(case, cast) -> None:
    """One system, whose owner agrees to it as it reads, and how the case signs on to it."""
    factories.make_link(
        cast,
        case,
        agreed=True,
        timeout_seconds=5,
        retry="Once, after a second.",
        on_failure="The list of yesterday is shown, with its day.",
        told_users="That the list is of yesterday.",
    )
    factories.make_flow(cast, case)


@pytest.mark.django_db
@pytest.mark.parametrize("tier", ["minimal", "limited", "high"])
def test_an_idea_reaches_production(cast, tier):
    factories.make_rulebook(cast.admin, cast.chair, source=load_version("2026.2"))
    # At high risk two persons verify: each seat has a second holder.
    deputies = {}
    if tier == "high":
        for seat in Rulebook.objects.current().book.seats:
            deputies[seat] = factories.make_person(f"second-{seat}")
            factories.make_seat(cast, deputies[seat], seat)
    case = factories.make_case(cast)
    case_acts.parts(case, cast.team)
    shown(case, "prototype", cast, deputies)
    case_acts.pass_gate(case, cast.team)
    case_acts.staff(case, cast.team)
    case_acts.propose_and_confirm_tier(case_acts.fresh(case), cast.team, tier)
    case_acts.contract(case_acts.fresh(case), cast.team)
    case_acts.plan_scope(case, cast.team)
    described(case, cast)
    shown(case, "mvp", cast, deputies)
    case_acts.pass_gate(case, cast.team)
    assert case_acts.fresh(case).stage == Stage.MVP
    shown(case, "production", cast, deputies)
    case_acts.pass_gate(case, cast.team)
    case = case_acts.fresh(case)
    assert supported_stage.said_on(case, clock.today()) == (Stage.PRODUCTION, Stage.PRODUCTION, "")
