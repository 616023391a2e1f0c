"""The state of a review for the rules: sign-offs judged, seats with signers."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from governance.database.request_memo import one_look
from governance.gates import criteria, drawing, sign_off_statement
from governance.gates.criteria import Judged
from governance.gates.gate_inputs import Facts
from governance.gates.separation_of_duties import RestsOn, why_counted_twice
from governance.people.boards import seat_holders
from governance.permission_result import Answer, Reason, no, yes
from governance.vocabulary import Seat, SignOffVerdict, Stage
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access.signers import EligibleSigners, eligible_signers_of, signer_of
from initiatives.lifecycle.facts import drawn_requirements, initiative_rows, supported_stage
from initiatives.models import Initiative, Review, SignOff
from initiatives.models.stage_machine import Judgement


@dataclass(frozen=True, eq=False)
class ReviewSnapshot:
    """One review, read and judged once: initiative, sign-offs, eligible signers.

    The verdict is computed when it is first used.
    """

    review: Review
    initiative: Initiative
    judged: Judged
    judged_sign_offs: tuple[criteria.JudgedSignOff, ...]
    sign_offs: list[SignOff]
    eligible_signers: EligibleSigners

    @cached_property
    def seats(self) -> dict[str, criteria.SeatState]:
        """Return the people who could sign now and those who are barred, by seat."""
        return seat_states(
            self.eligible_signers,
            {
                sign_off.person_id
                for sign_off in self.judged_sign_offs
                if sign_off.verdict == SignOffVerdict.RECUSE
            },
        )

    @cached_property
    def verdict(self) -> criteria.Verdict:
        """Return the verdict: if the review can be decided, and all its blockers."""
        judged, gate = self.judged, self.review.gate
        verdict = criteria.verdict_of(judged, gate, sign_offs=self.judged_sign_offs, seats=self.seats)
        undrawn = drawing.waits(judged) if self.draws else None
        if undrawn is not None:
            verdict = replace(verdict, blockers=(*verdict.blockers, undrawn))
        if self.review.is_open and judged.at >= self.review.expires_at:
            # Right although no task ran: the review is over with its last day, whether it was ended yet or not.
            over = Reason("The review period has ended.", "Ask the owner to open a new review.")
            verdict = replace(verdict, blockers=(*verdict.blockers, over))
        return verdict

    @property
    def draws(self) -> bool:
        """Return True if requirements are drawn for this review before its decision."""
        draws = self.judged.rulebook.drawn_at(self.judged.facts.tier) > 0
        return draws and self.review.is_open and self.review.gate == drawn_requirements.GATE

    @property
    def for_moves(self) -> Judgement:
        """Return the verdict in the form that the conditions of moves read."""
        return Judgement(gate=self.review.gate if self.verdict.decidable else "")


def decision_facts(snapshot: ReviewSnapshot) -> dict:
    """Return what the decision page shows of a review, by the words that name it to the chair."""
    judged, review, initiative = snapshot.judged, snapshot.review, snapshot.initiative
    found = {
        phrase("the sign-off of {}", row.person): [
            row.pk,
            row.seat,
            row.verdict,
            row.digest,
            list(sign_off.stale),
        ]
        for row, sign_off in zip(snapshot.sign_offs, snapshot.judged_sign_offs, strict=True)
    }
    return found | {
        phrase("the rulebook"): judged.rulebook.version,
        phrase("the risk tier"): initiative.tier,
        phrase("the proposed risk tier"): initiative.proposed_tier,
        phrase("the criteria"): [
            [finding.criterion.key, finding.state] for finding in snapshot.verdict.findings
        ],
        phrase("the blockers"): [str(reason) for reason in snapshot.verdict.blockers],
        phrase("the questions"): [row.pk for row in initiative_rows.questions(review) if not row.answer],
    }


def tier_confirmed(initiative: Initiative, gate: str) -> Answer:
    """Return if the risk tier is confirmed for the scope, for gates with a tier.

    The gate to prototype does not ask for a tier. A tier that is confirmed during a review makes its sign-offs stale.
    """
    if gate not in (Stage.MVP, Stage.PRODUCTION):
        return yes()
    if not initiative.tier:
        remedy = (
            "Ask the risk seat to confirm the risk tier."
            if initiative.proposed_tier
            else "Propose a risk tier."
        )
        return no(
            phrase("The risk tier of {} is not confirmed.", initiative.ref),
            remedy,
            initiative.get_absolute_url(),
        )
    scopes = initiative_rows.rows(initiative, "scopes")
    new = next((row for row in initiative.scopes_without_tier(scopes) if row.ended_at is None), None)
    if new is None:
        return yes()
    return no(
        phrase("The risk tier of {} is not confirmed for this scope: {}.", initiative.ref, new.in_words),
        "Ask the risk seat to confirm the risk tier.",
        initiative.get_absolute_url(),
    )


def snapshot_of(
    review: Review, initiative: Initiative | None = None, at: datetime | None = None
) -> ReviewSnapshot:
    """Return the snapshot of the review now. `initiative` is the locked row of an act."""
    initiative = initiative or review.initiative
    with one_look():
        eligible_signers, sign_offs = (
            eligible_signers_of(initiative),
            initiative_rows.current_sign_offs(review),
        )
        judged = supported_stage.judged_by(review.rulebook, initiative, at=at)
    judged_sign_offs = all_judged(sign_offs, eligible_signers, judged)
    return ReviewSnapshot(review, initiative, judged, judged_sign_offs, sign_offs, eligible_signers)


def judged_under(snapshot: ReviewSnapshot, judged: Judged) -> ReviewSnapshot:
    """Return the same snapshot with the initiative judged by another rulebook."""
    judged_sign_offs = all_judged(snapshot.sign_offs, snapshot.eligible_signers, judged)
    return replace(snapshot, judged=judged, judged_sign_offs=judged_sign_offs)


def as_if_signed_again(snapshot: ReviewSnapshot) -> criteria.Verdict:
    """Return the verdict if everyone who approved, and still may, did so again now."""
    signed = tuple(
        replace(sign_off, stale=tuple(_barring(snapshot, row))) if sign_off.approves else sign_off
        for row, sign_off in zip(snapshot.sign_offs, snapshot.judged_sign_offs, strict=True)
    )
    return replace(snapshot, judged_sign_offs=signed).verdict


def _barring(snapshot: ReviewSnapshot, row: SignOff) -> list[str]:
    """Return why this person may not sign for the seat, independent of the facts."""
    reasons = snapshot.eligible_signers.barred(row.person, row.seat)
    if not snapshot.eligible_signers.holds(row.person, row.seat):
        reasons.append(f"{row.person} no longer holds the seat")
    return reasons


def with_sign_off(snapshot: ReviewSnapshot, row: SignOff) -> ReviewSnapshot:
    """Return the same snapshot after this sign-off, without reading all again."""
    sign_offs = [other for other in snapshot.sign_offs if other.seat != row.seat] + [row]
    sign_off = as_judged(row, snapshot.eligible_signers, snapshot.judged, beside=sign_offs)
    others = (other for other in snapshot.judged_sign_offs if other.seat != row.seat)
    return replace(snapshot, sign_offs=sign_offs, judged_sign_offs=(*others, sign_off))


def all_judged(
    rows: list[SignOff], eligible_signers: EligibleSigners, judged: Judged
) -> tuple[criteria.JudgedSignOff, ...]:
    """Return the current sign-offs of a review in the form of the rules."""
    return tuple(as_judged(row, eligible_signers, judged, beside=rows) for row in rows)


def as_judged(
    row: SignOff, eligible_signers: EligibleSigners, judged: Judged, *, beside: Iterable[SignOff] = ()
) -> criteria.JudgedSignOff:
    """Return a sign-off for the rules, with each reason why it is stale.

    `beside` has the current sign-offs of the same review. The earlier of two by accounts of one human counts.
    """
    earlier = {
        other.person_id: str(other.person)
        for other in beside
        if row.person.may_be_another and other.approves and other.pk < row.pk
    }
    twice = why_counted_twice(signer_of(row.person), earlier) if earlier else []
    return criteria.JudgedSignOff(
        seat=row.seat,
        person_id=row.person_id,
        person=row.person.full_name,
        verdict=row.verdict,
        at=row.at,
        criteria=tuple(row.criteria),
        stale=(*stale_of(row, eligible_signers, judged), *(twice if row.approves else ())),
    )


def rests_on(covered: dict, evidence, eligible_signers: EligibleSigners, facts: Facts) -> RestsOn:
    """Return who wrote the items and the contract that a sign-off covers."""
    return RestsOn(
        frozenset(item.author_id for item in facts.items if item.id in evidence),
        eligible_signers.contract_authors if covered.get("contract") else frozenset(),
    )


def stale_of(row: SignOff, eligible_signers: EligibleSigners, judged: Judged) -> list[str]:
    """Return why this approval does not count now.

    See docs/domain.md, invariants 4 and 5. Its facts changed, or its signer may not sign.
    """
    if not row.approves:
        return []
    facts = judged.facts
    evidence = {*row.covered_evidence, *map(int, row.facts["evidence"])}
    covers = rests_on(row.facts, evidence, eligible_signers, facts)
    board = eligible_signers.board.pk if eligible_signers.board else None
    if row.facts.get("board", board) != board:
        reasons = eligible_signers.barred(row.person, row.seat, covers)
        reasons.append("a different board decides on this initiative now")
    else:
        reasons = eligible_signers.why_lapsed(row.person, (row.seat,), row.at, covers)
    about = (row.facts["initiative"], row.facts["gate"], row.facts["seat"])
    if about != (facts.ref, row.review.gate, row.seat) or row.digest != sign_off_statement.digest(
        row.statement
    ):
        reasons.append("the statement was signed for a different review")
    return reasons + sign_off_statement.stale_reasons(row.facts, judged, row.at)


def seat_states(
    eligible_signers: EligibleSigners, recused: frozenset | set = frozenset()
) -> dict[str, criteria.SeatState]:
    """Return by seat who could sign now, and who is barred and why. `recused` people do not sign this review."""
    result = {}
    for seat in Seat:
        able, barred, people, humans = [], [], [], []
        for member in seat_holders(eligible_signers.members, seat):
            reasons = eligible_signers.barred(member.person, seat)
            if member.person_id in recused:
                reasons = [*reasons, f"{member.person} recused themselves"]
            if reasons:
                barred += reasons
            else:
                able.append(member.person.full_name)
                people.append(member.person_id)
                humans.append(min(signer_of(member.person).accounts))
        result[seat] = criteria.SeatState(seat, tuple(able), tuple(barred), tuple(people), tuple(humans))
    return result
