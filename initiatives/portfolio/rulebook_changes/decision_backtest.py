"""Back-tests: past decisions judged by another rulebook, with the facts they had.

The audit log shows those facts (`governance.transparency_log.as_of`). The sign-offs count as the findings frozen in the
review show. A back-test shows what rules would have meant, and does not question a decision.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from governance import clock
from governance.gates import criteria
from governance.gates.gate_inputs import Declared, Facts
from governance.models import Sealing
from governance.rulebook import ParsedRulebook
from governance.transparency_log import as_of
from governance.vocabulary import ReviewOutcome, Seat
from initiatives.lifecycle.facts import initiative_rows, supported_stage
from initiatives.models import Review

SOMEBODY = "the holder at that time"


@dataclass(frozen=True)
class Told:
    """One decision under another rulebook: if it was possible, and what was missing."""

    initiative: int
    decidable: bool
    unmet: tuple[tuple[str, str], ...]
    why: tuple[str, ...]


def decided_between(since: date, until: date) -> list[int]:
    """Return the keys of the reviews approved in these days, the oldest first."""
    approved = Review.objects.filter(outcome__in=(ReviewOutcome.APPROVED, ReviewOutcome.WITH_CONDITIONS))
    within = approved.filter(
        ended_at__gte=clock.midnight_before(since), ended_at__lt=clock.midnight_after(until)
    )
    return list(within.order_by("ended_at", "pk").values_list("pk", flat=True))


def replay(pk: int, rulebook: ParsedRulebook) -> Told | None:
    """Judge an approved review by this rulebook, on the facts at its decision.

    The result is None if the audit log does not show the facts yet.
    """
    review = Review.objects.get(pk=pk)
    decided = review.history.filter(outcome=review.outcome).earliest("history_id")
    sealed = Sealing.objects.filter(xact=decided.history_xact).values_list("known_at", flat=True).first()
    if sealed is None or review.findings is None:
        return None
    with as_of.day(sealed):
        initiative = (
            Review.objects.select_related("initiative__unit", "initiative__contract").get(pk=pk).initiative
        )
        facts = _before(
            supported_stage.facts_of(initiative), review, initiative_rows.rows(initiative, "stage_changes")
        )
    at = review.ended_at
    judged = criteria.judge(facts, rulebook, at)
    verdict = criteria.verdict_of(
        judged, review.gate, sign_offs=_sign_offs(review, rulebook, at), seats=_seats(review, rulebook)
    )
    lacking = {
        state.key: rulebook.requirements[state.key].question
        for finding in verdict.findings
        if finding.blocks
        for state in finding.requirements
        if not state.satisfies(review.gate) and rulebook.requirements[state.key].blocking
    }
    return Told(
        review.initiative_id,
        verdict.decidable,
        tuple((key, "") for key in lacking),
        tuple(one.text for one in verdict.blockers),
    )


def _before(facts: Facts, review: Review, changes) -> Facts:
    """Return the facts before the decision, without what the decision changed."""
    frozen, at = review.findings, review.ended_at
    earlier = [change for change in changes if change.at < at]
    return replace(
        facts,
        approved_stage=frozen["approved_stage"],
        tier=frozen["tier"],
        imported=bool(earlier) and earlier[-1].basis == "import",
        decided={gate: day for gate, day in facts.decided.items() if gate != review.gate},
        declared={key: Declared(key, *said) for key, said in frozen["declared"].items()},
        items=tuple(item for item in facts.items if item.added_at <= at),
        conditions=tuple(one for one in facts.conditions if one.due < clock.local_day(at)),
        reattest_by=None,
    )


def _sign_offs(review: Review, rulebook: ParsedRulebook, at) -> tuple[criteria.JudgedSignOff, ...]:
    """Return the sign-offs as they counted then. One too old for this rulebook is stale."""
    limit = rulebook.freshness.sign_off_max_age_days
    cast = {row.digest: row for row in initiative_rows.sign_offs(review)}
    found = []
    for told in review.findings["sign_offs"]:
        row, stale = cast[told["digest"]], tuple(told["stale"])
        if clock.local_day(row.at) + timedelta(days=limit) < clock.local_day(at):
            stale = (*stale, f"signed more than {limit} days before")
        known = tuple(key for key in row.criteria if key in rulebook.criteria)
        found.append(
            criteria.JudgedSignOff(
                row.seat, row.person_id, row.person.full_name, row.verdict, row.at, known, stale
            )
        )
    return tuple(found)


def _seats(review: Review, rulebook: ParsedRulebook) -> dict[str, criteria.SeatState]:
    """Return each seat as one that someone can sign for. The holders do not matter."""
    keys = {*Seat, *rulebook.gates[review.gate].seats}
    return {
        key: criteria.SeatState(key, (SOMEBODY,), (), (-number,))
        for number, key in enumerate(sorted(keys), 1)
    }
