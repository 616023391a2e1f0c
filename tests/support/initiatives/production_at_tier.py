"""An idea led to production under the shipped rulebook, act by act as its people would, at a tier of risk."""

from datetime import timedelta

from adoption.demo import artefacts, initiative_acts, measures
from adoption.models.instruments import ASKED
from governance import clock
from governance.gates.levels import INVENTORY
from governance.gates.requirement_state import GENERATED_ONLY
from governance.gates.requirements import states_at
from governance.models import Rulebook, User
from governance.vocabulary import EvidenceKind, Tier
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.requirements import standalone
from initiatives.models import Initiative
from tests.support import factories
from tests.support.factories import Cast

Deputies = dict[str, User]


def second_holders(cast: Cast) -> Deputies:
    """A second holder of each seat: at high risk two persons verify."""
    found = {}
    for seat in Rulebook.objects.current().parsed.seats:
        found[seat] = factories.make_person(f"second-{seat}")
        factories.make_seat(cast, found[seat], seat)
    return found


def lacking(initiative: Initiative, gate: str) -> list[str]:
    """What this gate still asks for, each with its words and what fixes it."""
    rulebook = Rulebook.objects.current().parsed
    states = states_at(supported_stage.facts_of(initiative_acts.fresh(initiative)), rulebook, clock.now())
    asked = [key for key in rulebook.gates[gate].requirements() if key not in rulebook.deferred(gate)]
    return [
        f"{key}: {states[key].state} {states[key].words} {states[key].fix}"
        for key in asked
        if not states[key].satisfies(gate) and key not in GENERATED_ONLY
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
    """An initiative of this tier in production; `fields`: of the idea. Asserts before each gate that nothing is
    lacking.

    It is tied to one system, or stands `alone`, as a seat accepts. `keyed`: its system sends what it measures;
    otherwise its owner brings that in a table. `unused_days`: since the season in which it was used, after the gate to
    MVP.
    """
    initiative = at_mvp_gate(cast, tier, alone=alone, deputies=deputies, **fields)
    deputies = deputies if tier == Tier.HIGH else {}
    _shown(initiative, "mvp", cast, deputies)
    initiative_acts.pass_gate(initiative, cast.team)
    if keyed:
        key, _ = factories.make_key(cast, initiative, scopes=["measurements"])
        measures.adopted(initiative, cast.team, key=key)
    with clock.simulated(clock.now() + timedelta(days=unused_days)):
        if unused_days:
            measures.adopted(initiative, cast.team, until=clock.today() - timedelta(days=unused_days))
            for key in ASKED:
                artefacts.from_register(
                    initiative, EvidenceKind.TELEMETRY, [key], owner=cast.owner, lead=cast.lead
                )
        _shown(initiative, "production", cast, deputies, skip=ASKED if keyed else ())
        initiative_acts.pass_gate(initiative, cast.team)
    return initiative_acts.fresh(initiative)


def at_mvp_gate(cast: Cast, tier: str, *, alone: bool, deputies: Deputies, **fields) -> Initiative:
    """A prototype of this tier with people, contract, parts, scope and register, whose requirements are not
    answered.
    """
    initiative = factories.make_initiative(cast, **fields)
    initiative_acts.parts(initiative, cast.team)
    _shown(initiative, "prototype", cast, deputies)
    initiative_acts.pass_gate(initiative, cast.team)
    initiative_acts.staff(initiative, cast.team)
    initiative_acts.plan_scope(initiative, cast.team)
    initiative_acts.propose_and_confirm_tier(initiative_acts.fresh(initiative), cast.team, tier)
    initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
    if alone:
        _stands_alone(initiative_acts.fresh(initiative), cast, deputies if tier == Tier.HIGH else {})
    else:
        _described(initiative, cast)
    return initiative_acts.fresh(initiative)


def _shown(initiative: Initiative, gate: str, cast: Cast, deputies: Deputies, **options) -> None:
    initiative_acts.ground_gate(initiative, gate, cast.team, **options)
    artefacts.verify_gate(initiative, gate, cast.team.seats, deputies)
    missing = lacking(initiative, gate)
    assert not missing, "\n".join(missing)


def _stands_alone(initiative: Initiative, cast: Cast, deputies: Deputies) -> None:
    seat = Rulebook.objects.current().parsed.at_tier(initiative.tier).seats_asking(INVENTORY)[0]
    row = standalone.declare(
        initiative=initiative, reason="Letters are typed in and read out.", by=cast.owner
    )
    for person in filter(None, (cast.seats[seat], deputies.get(seat))):
        standalone.accept(declaration=row, by=person)


def _described(initiative: Initiative, cast: Cast) -> None:
    """One system, whose owner agrees to it as it reads, and how the initiative signs on to it."""
    factories.make_link(
        cast,
        initiative,
        factories.make_system(cast, f"Ledger of {initiative.ref}"),
        agreed=True,
        timeout_seconds=5,
        retry="Once, after a second.",
        on_failure="The list of yesterday is shown, with its day.",
        told_users="That the list is of yesterday.",
    )
    factories.make_flow(cast, initiative)
