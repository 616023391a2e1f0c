"""An idea led to production under the shipped rulebook, act by act as its people would, at a tier of risk."""

from datetime import timedelta

from adoption.demo import artefacts, case_acts, measures
from adoption.models.instruments import ASKED
from governance import clock
from governance.gates import criteria
from governance.gates.levels import INVENTORY
from governance.models import Rulebook, User
from governance.vocabulary import EvidenceKind, Tier
from initiatives.facts import supported_stage
from initiatives.integration.links import standalone
from initiatives.models import Initiative
from tests.support import factories
from tests.support.factories import Cast

Deputies = dict[str, User]


def second_holders(cast: Cast) -> Deputies:
    """A second holder of each seat: at high risk two persons verify."""
    found = {}
    for seat in Rulebook.objects.current().book.seats:
        found[seat] = factories.make_person(f"second-{seat}")
        factories.make_seat(cast, found[seat], seat)
    return found


def lacking(case: Initiative, gate: str) -> list[str]:
    """What this gate still asks for, each with its words and what fixes it."""
    book = Rulebook.objects.current().book
    states = criteria.states_at(supported_stage.facts_of(case_acts.fresh(case)), book, clock.now())
    asked = [key for key in book.gates[gate].requirements() if key not in book.deferred(gate)]
    return [
        f"{key}: {states[key].state} {states[key].words} {states[key].fix}"
        for key in asked
        if not states[key].satisfies(gate) and key not in criteria.GENERATED_ONLY
    ]


def reach_production(
    cast: Cast,
    tier: str,
    deputies: Deputies,
    *,
    alone: bool = False,
    keyed: bool = False,
    unused_days: int = 0,
    **fields,
) -> Initiative:
    """A case of this tier in production; `fields`: of the idea. Asserts before each gate that nothing is lacking.

    It is tied to one system, or stands `alone`, as a seat accepts. `keyed`: its system sends what it measures;
    otherwise its owner brings that in a table. `unused_days`: since the season in which it was used, after the gate to
    MVP.
    """
    case = at_mvp_gate(cast, tier, alone=alone, deputies=deputies, **fields)
    deputies = deputies if tier == Tier.HIGH else {}
    _shown(case, "mvp", cast, deputies)
    case_acts.pass_gate(case, cast.team)
    if keyed:
        key, _ = factories.make_key(cast, case, scopes=["readings"])
        measures.adopted(case, cast.team, key=key)
    with clock.simulated(clock.now() + timedelta(days=unused_days)):
        if unused_days:
            measures.adopted(case, cast.team, until=clock.today() - timedelta(days=unused_days))
            for key in ASKED:
                artefacts.from_register(case, EvidenceKind.TELEMETRY, [key], owner=cast.owner, lead=cast.lead)
        _shown(case, "production", cast, deputies, skip=ASKED if keyed else ())
        case_acts.pass_gate(case, cast.team)
    return case_acts.fresh(case)


def at_mvp_gate(cast: Cast, tier: str, *, alone: bool, deputies: Deputies, **fields) -> Initiative:
    """A prototype of this tier with people, contract, parts, scope and register, whose questions are not answered."""
    case = factories.make_case(cast, **fields)
    case_acts.parts(case, cast.team)
    _shown(case, "prototype", cast, deputies)
    case_acts.pass_gate(case, cast.team)
    case_acts.staff(case, cast.team)
    case_acts.propose_and_confirm_tier(case_acts.fresh(case), cast.team, tier)
    case_acts.contract(case_acts.fresh(case), cast.team)
    case_acts.plan_scope(case, cast.team)
    if alone:
        _stands_alone(case_acts.fresh(case), cast, deputies if tier == Tier.HIGH else {})
    else:
        _described(case, cast)
    return case_acts.fresh(case)


def _shown(case: Initiative, gate: str, cast: Cast, deputies: Deputies, **options) -> None:
    case_acts.ground_gate(case, gate, cast.team, **options)
    artefacts.verify_gate(case, gate, cast.team.seats, deputies)
    missing = lacking(case, gate)
    assert not missing, "\n".join(missing)


def _stands_alone(case: Initiative, cast: Cast, deputies: Deputies) -> None:
    seat = Rulebook.objects.current().book.at_tier(case.tier).seats_asking(INVENTORY)[0]
    row = standalone.declare(case=case, reason="Letters are typed in and read out.", by=cast.owner)
    for person in filter(None, (cast.seats[seat], deputies.get(seat))):
        standalone.accept(declaration=row, by=person)


def _described(case: Initiative, cast: Cast) -> None:
    """One system, whose owner agrees to it as it reads, and how the case signs on to it."""
    factories.make_link(
        cast,
        case,
        factories.make_system(cast, f"Ledger of {case.ref}"),
        agreed=True,
        timeout_seconds=5,
        retry="Once, after a second.",
        on_failure="The list of yesterday is shown, with its day.",
        told_users="That the list is of yesterday.",
    )
    factories.make_flow(cast, case)
