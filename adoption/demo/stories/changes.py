"""What changes around the initiatives: somebody is away, somebody will be, and somebody leaves."""

from datetime import timedelta

from adoption.demo.people import Company
from governance import clock
from initiatives.inbox.absences import actions as absence_actions
from initiatives.inbox.absences.actions import Asked
from initiatives.lifecycle.roles import handover_queries, handovers


def away_now(company: Company) -> None:
    """Nora Falk is away, and Marta Lindqvist stands in on her initiatives."""
    nora, marta = company["nora"], company["owner"]
    with clock.simulated(clock.now() - timedelta(days=5)):
        first = clock.today() + timedelta(days=1)
        absence = absence_actions.plan_absence(
            first=first, last=first + timedelta(days=20), asked=[Asked(marta)], by=nora
        )
        absence_actions.accept_delegation(delegation=absence.delegations.get(), by=marta)


def away_soon(company: Company) -> None:
    """Olu Adeyemi will be away; who sits for him has not answered yet."""
    olu = company["seat-security"]
    seat = olu.memberships.held_at(clock.now()).get(board=company.boards["northgate"])
    with clock.simulated(clock.now() - timedelta(days=2)):
        first = clock.today() + timedelta(days=14)
        absence_actions.plan_absence(
            first=first, last=first + timedelta(days=11), asked=[Asked(company["sponsor"], seat)], by=olu
        )


def leaving(company: Company) -> None:
    """Ben Okoye leaves; for two of his initiatives he asked Ravi Menon, who has not answered yet."""
    ben = company["ben"]
    with clock.simulated(clock.now() - timedelta(days=1)):
        held = sorted(
            (part.initiative for part in handover_queries.parts_of(ben)),
            key=lambda initiative: initiative.number,
        )
        handovers.propose_handover(
            person=ben,
            chosen=dict.fromkeys(held[:2], company["lead"]),
            reason="I leave Northgate at the end of the year.",
            by=ben,
        )
