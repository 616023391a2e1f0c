"""What the walks share: a moment, an initiative at its production gate, and reading the state of a review."""

from contextlib import contextmanager
from datetime import UTC, date, datetime

import time_machine
from django.db import transaction

from adoption.demo import artefacts, initiative_acts
from governance.gates import criteria
from governance.gates.requirement_state import State
from governance.gates.requirements import state_of
from governance.models import Entry, Rulebook
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Initiative, Review
from tests.support import factories
from tests.support.database import snapshots

# What a link says of failure, for stories in which something else stands in the way.
CAREFUL = {
    "timeout_seconds": 5,
    "retry": "Twice within a minute",
    "on_failure": "The summary leaves that part out.",
    "told_users": "“That part is missing today.”",
}


def at(year: int, month: int, day: int, hour: int = 9, minute: int = 0) -> time_machine.travel:
    """Let it be this moment, in UTC, and stay."""
    return time_machine.travel(datetime(year, month, day, hour, minute, tzinfo=UTC), tick=False)


@contextmanager
def undone():
    """What happens inside did not happen afterwards: for variants of a story."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def fresh(initiative: Initiative) -> Initiative:
    """The initiative as it stands."""
    return initiative_acts.fresh(initiative)


def snapshot(review: Review) -> review_state.ReviewSnapshot:
    """The review, read and judged at this moment."""
    return review_state.snapshot_of(
        Review.objects.select_related("initiative__unit", "rulebook").get(pk=review.pk)
    )


def stale_seats(review: Review) -> dict[str, tuple[str, ...]]:
    """Seats whose approval no longer counts, with the reasons."""
    return {
        sign_off.seat: sign_off.stale
        for sign_off in snapshot(review).judged_sign_offs
        if sign_off.approves and sign_off.stale
    }


def fresh_seats(review: Review) -> set[str]:
    """Seats whose approval counts."""
    return {
        sign_off.seat
        for sign_off in snapshot(review).judged_sign_offs
        if sign_off.approves and sign_off.fresh
    }


def blockers(review: Review) -> str:
    """Everything that stands in the way of a decision, as one text."""
    return " | ".join(str(reason) for reason in snapshot(review).verdict.blockers)


def state(initiative: Initiative, key: str) -> State:
    """The state of one requirement now."""
    rulebook = Rulebook.objects.current().parsed
    return state_of(supported_stage.facts_of(fresh(initiative)), rulebook, key, criteria.clock.now())


def span(initiative: Initiative):
    """What the kept supported stage says of this moment."""
    return initiative.spans.covering(criteria.clock.now()).get()


def refusals(initiative: Initiative) -> list[str]:
    """What was refused on the initiative, newest first: the answers given."""
    return [
        entry.facts["facts"]["answer"]
        for entry in Entry.objects.acts().of_initiative(initiative.ref).filter(kind="refused")
    ]


def kinds(initiative: Initiative, after: int = 0) -> list[str]:
    """The kinds of entries of the initiative written after an entry, oldest first."""
    entries = Entry.objects.acts().filter(initiative_ref=initiative.ref, pk__gt=after).order_by("pk")
    return list(entries.values_list("kind", flat=True))


def mvp_of_spring(cast: factories.Cast, **fields) -> Initiative:
    """An initiative that became a prototype on 10 May 2026 and an MVP on 3 August 2026."""

    def build() -> Initiative:
        with at(2026, 5, 10):
            initiative = factories.make_prototype(cast, **fields)
        with at(2026, 8, 3):
            return initiative_acts.to_mvp(initiative, cast.team)

    return fresh(snapshots.remembered(f"mvp of spring {fields}", build))


def triage(cast: factories.Cast) -> tuple[Initiative, Review]:
    """An MVP since 1 September with model m-4, contract version 1, and a production review open since 5 October."""
    with at(2026, 8, 20):
        initiative = factories.make_prototype(cast, title="Ticket triage")
    with at(2026, 9, 1):
        initiative = initiative_acts.to_mvp(initiative, cast.team)
        sponsor = role_actions.propose_role(
            initiative=initiative, role="sponsor", person=cast.sponsor, by=cast.owner
        )
        role_actions.accept_role(assignment=sponsor, by=cast.sponsor)
    with at(2026, 10, 5):
        initiative_acts.ground_gate(initiative, "production", cast.team)
        review = review_actions.open_review(initiative=fresh(initiative), by=cast.owner)
        for seat in ("risk_compliance", "architecture_integration", "adoption_change"):
            initiative_acts.sign_off(review, seat, cast.seats[seat])
    return initiative, review


def renew(initiative: Initiative, cast: factories.Cast) -> None:
    """The team brings back everything the MVP stands on: roles accepted again, stale evidence added anew."""
    for assignment in initiative.roles.in_force():
        role_actions.reaccept_role(assignment=assignment, by=assignment.person)
    initiative_acts.ground_gate(initiative, "mvp", cast.team)


def drill(initiative: Initiative, observed_on: date, by, **fields):
    """Upload a record of the outage drill."""
    return evidence_actions.add_evidence(
        initiative=initiative,
        kind="drill_record",
        title="Fallback drill",
        observed_on=observed_on,
        covers=["prod.q10_outage"],
        file=artefacts.pdf(f"Fallback drill of {observed_on} {fields}"),
        by=by,
        **({"result": "pass"} | fields),
    )
