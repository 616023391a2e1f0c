"""Whose move an open review is, and since when: worked out from the sitting, so that it is right at any moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from governance import clock, gates
from governance.models.people import SEATS
from initiatives import board, permissions
from initiatives.models import Initiative, Review, SignOff

# A trial asked for sooner than this after registration says so: tools make building fast, not stages (S2-35.1).
FAST_LANE_DAYS = 30


@dataclass(frozen=True)
class Move:
    """Who has the move, what it is, and since when it lies there."""

    who: str
    what: str
    since: datetime

    @property
    def days(self) -> int:
        """Whole days that it has lain there."""
        return (clock.today() - clock.local_day(self.since)).days


def moves(sitting: board.Sitting) -> list[Move]:
    """Whom an open review waits for, the longest wait first: the chair, whoever can mend what is unmet, or seats."""
    verdict, opened = sitting.verdict, sitting.review.opened_at
    if verdict.decidable:
        chair, _ = permissions.acting_chair(sitting.case)
        last = max([opened, *(row.at for row in sitting.sign_offs)])
        return [Move(chair.full_name if chair else "a chair, nobody sits there", "to decide", last)]
    unmet = [finding for finding in verdict.findings if finding.blocks]
    if unmet:
        owner = sitting.facts.people.get("owner", "the owner, nobody accepted")
        count = f"{len(unmet)} criteri{'on' if len(unmet) == 1 else 'a'}"
        return [Move(owner, f"to mend {count}, then for the seats to sign", _unmet_since(sitting, unmet))]
    found = [
        Move(who, f"to sign as {SEATS[seat]}", _unsigned_since(sitting, seat))
        for seat, who in waiting_seats(sitting).items()
    ]
    if not found:
        first = verdict.blockers[0]
        return [Move(first.remedy or "Somebody", f"({first.text})", opened)]
    return sorted(found, key=lambda move: move.since)


def waiting_seats(sitting: board.Sitting) -> dict[str, str]:
    """The seats without a fresh vote of any kind, with who could give it, in the order of a board."""
    voted = {vote.seat for vote in sitting.votes if vote.fresh}
    signing = sitting.book.gates[sitting.review.gate].seats
    return {
        seat: " or ".join(sitting.seats[seat].eligible) or "nobody can sign"
        for seat in SEATS
        if seat in signing and seat not in voted
    }


def quiet_since(review: Review, sign_offs) -> datetime:
    """Since when nothing moved: the last vote, or the opening."""
    return max([review.opened_at, *(row.at for row in sign_offs)])


def fast_lane(case: Initiative, gate: str, at: datetime) -> int | None:
    """Days from registration to `at` where that is early for the MVP gate; None where there is nothing to say.

    An import tells nothing of when its cases began.
    """
    days = (clock.local_day(at) - clock.local_day(case.registered_at)).days
    return days if gate == "mvp" and not case.imported and days < FAST_LANE_DAYS else None


def _unmet_since(sitting: board.Sitting, unmet) -> datetime:
    """Since when the first of what is unmet has been: since the opening, unless its proof ended later."""
    opened = sitting.review.opened_at
    missing = [state for finding in unmet for state in finding.requirements if not state.grounded]
    return min((max(opened, _ended_at(sitting, state) or opened) for state in missing), default=opened)


def _ended_at(sitting: board.Sitting, state) -> datetime | None:
    """When the proof behind a requirement ended, by age or by a trigger; None where it never was complete."""
    facts, asked = sitting.facts, sitting.book.requirements[state.key]
    if state.state == "stale":
        last = gates.expiry(asked, state.items[0], facts.high)
        return clock.midnight_after(last) if last else None
    if state.state == "voided":
        ends = [
            void.at for item in facts.items for void in item.voids.get(state.key, ()) if void.at <= sitting.at
        ]
        return max(ends, default=None)
    return None


def _unsigned_since(sitting: board.Sitting, seat: str) -> datetime:
    """Since when the seat owes a vote: since the opening, or since its own vote went stale."""
    row = next((row for row in sitting.sign_offs if row.seat == seat), None)
    return sitting.review.opened_at if row is None else stale_since(sitting, row)


def stale_since(sitting: board.Sitting, row: SignOff) -> datetime:
    """When the vote stopped counting: the first thing after it that ends such a vote; where none shows, the vote."""
    limit = sitting.book.freshness.sign_off_max_age_days
    moments = [clock.midnight_after(clock.local_day(row.at) + timedelta(days=limit))]
    for key, then in row.facts["requirements"].items():
        moments += _moments_of(sitting.facts, key, then)
    moments += [version.since for version in sitting.facts.contracts]
    return min((moment for moment in moments if row.at < moment <= sitting.at), default=row.at)


def _moments_of(facts, key: str, then: dict) -> Iterator[datetime]:
    """The moments at which what a vote said of one requirement can have moved."""
    if then["until"]:
        yield clock.midnight_after(date.fromisoformat(then["until"]))
    reply = facts.answers.get(key)
    if reply is not None and then["answer"] and reply.version != then["answer"]:
        yield reply.at
    items = facts.items_for(key)
    superseding = {item.superseded_by for item in items if item.id in then["evidence"]}
    for item in items:
        if item.id in then["evidence"]:
            yield from (void.at for void in item.voids.get(key, ()))
            if item.withdrawn_at:
                yield item.withdrawn_at
        elif item.id in superseding or item.result not in ("", "pass"):
            yield item.added_at
