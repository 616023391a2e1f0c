"""What the walks share: a moment, a case at its production gate, and reading the state of a review."""

from contextlib import contextmanager
from datetime import UTC, date, datetime

import time_machine
from django.db import transaction

from adoption.demo import artefacts, case_acts
from governance.gates import criteria
from governance.models import Entry, Rulebook
from initiatives.cases import review_state
from initiatives.evidence import actions as evidence_actions
from initiatives.facts import supported_stage
from initiatives.models import Initiative, Review
from initiatives.reviews import actions as review_actions
from initiatives.roles import actions as role_actions
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
    """Let it be this moment, in UTC, standing still."""
    return time_machine.travel(datetime(year, month, day, hour, minute, tzinfo=UTC), tick=False)


@contextmanager
def undone():
    """What happens inside did not happen afterwards: for variants of a story."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def fresh(case: Initiative) -> Initiative:
    """The case as it stands."""
    return case_acts.fresh(case)


def sitting(review: Review) -> review_state.Sitting:
    """The review, read and judged at this moment."""
    return review_state.sit(Review.objects.select_related("initiative__unit", "rulebook").get(pk=review.pk))


def stale_seats(review: Review) -> dict[str, tuple[str, ...]]:
    """Seats whose approval no longer counts, with the reasons."""
    return {vote.seat: vote.stale for vote in sitting(review).votes if vote.approves and vote.stale}


def fresh_seats(review: Review) -> set[str]:
    """Seats whose approval counts."""
    return {vote.seat for vote in sitting(review).votes if vote.approves and vote.fresh}


def blockers(review: Review) -> str:
    """Everything that stands in the way of a decision, as one text."""
    return " | ".join(str(reason) for reason in sitting(review).verdict.blockers)


def state(case: Initiative, key: str) -> criteria.State:
    """The state of one requirement now."""
    book = Rulebook.objects.current().book
    return criteria.state_of(supported_stage.facts_of(fresh(case)), book, key, criteria.clock.now())


def span(case: Initiative):
    """What the kept standing says of this moment."""
    return case.spans.covering(criteria.clock.now()).get()


def refusals(case: Initiative) -> list[str]:
    """What was refused on the case, newest first: the answers given."""
    return [
        entry.facts["facts"]["answer"]
        for entry in Entry.objects.acts().of_case(case.ref).filter(kind="refused")
    ]


def kinds(case: Initiative, after: int = 0) -> list[str]:
    """The kinds of entries of the case written after an entry, oldest first."""
    entries = Entry.objects.acts().filter(case_ref=case.ref, pk__gt=after).order_by("pk")
    return list(entries.values_list("kind", flat=True))


def mvp_of_spring(cast: factories.Cast, **fields) -> Initiative:
    """A case that became a prototype on 10 May 2026 and an MVP on 3 August 2026."""

    def build() -> Initiative:
        with at(2026, 5, 10):
            case = factories.make_prototype(cast, **fields)
        with at(2026, 8, 3):
            return case_acts.to_mvp(case, cast.team)

    return fresh(snapshots.remembered(f"mvp of spring {fields}", build))


def triage(cast: factories.Cast) -> tuple[Initiative, Review]:
    """An MVP since 1 September with model m-4, contract version 1, and a production review open since 5 October."""
    with at(2026, 8, 20):
        case = factories.make_prototype(cast, title="Ticket triage")
    with at(2026, 9, 1):
        case = case_acts.to_mvp(case, cast.team)
        sponsor = role_actions.propose_role(case=case, role="sponsor", person=cast.sponsor, by=cast.owner)
        role_actions.accept_role(assignment=sponsor, by=cast.sponsor)
    with at(2026, 10, 5):
        case_acts.ground_gate(case, "production", cast.team)
        review = review_actions.open_review(case=fresh(case), by=cast.owner)
        for seat in ("risk_compliance", "architecture_integration", "adoption_change"):
            case_acts.vote(review, seat, cast.seats[seat])
    return case, review


def renew(case: Initiative, cast: factories.Cast) -> None:
    """The team brings back everything the MVP stands on: roles accepted again, stale proof added anew."""
    for assignment in case.roles.in_force():
        role_actions.reaccept_role(assignment=assignment, by=assignment.person)
    case_acts.ground_gate(case, "mvp", cast.team)


def drill(case: Initiative, observed_on: date, by, **fields):
    """Upload a record of the outage drill."""
    return evidence_actions.add_evidence(
        case=case,
        kind="drill_record",
        title="Fallback drill",
        observed_on=observed_on,
        covers=["prod.q10_outage"],
        file=artefacts.pdf(f"Fallback drill of {observed_on} {fields}"),
        by=by,
        **({"result": "pass"} | fields),
    )
