"""Moves at an open review with their start, computed from the snapshot."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from governance import clock
from governance.gates import criteria as gates_criteria
from governance.gates.evidence_rules import expiry_of
from governance.gates.requirements import BY_VERIFYING, State
from governance.models import Rulebook
from governance.permission_result import ended
from governance.vocabulary import Seat, SignOffVerdict
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative import review_state
from initiatives.models import Initiative, Review, SignOff

# A trial asked for sooner than this after registration says so: tools make building fast, not stages (S2-35.1).
FAST_LANE_DAYS = 30


@dataclass(frozen=True)
class Move:
    """A move at an open review: its people in words, the act, and since when it waits.

    `kind` is one of KINDS. `people` has the keys, empty if no one can do it. `seat` is the seat of the move, and
    `criterion` the one that an objection is about.
    """

    who: str
    what: str
    since: datetime
    kind: str = ""
    people: tuple[int, ...] = ()
    seat: str = ""
    criterion: str = ""

    def link(self, review: Review) -> str:
        """Return the place on the page of the review where the move is made."""
        place = self.criterion or ("mine" if self.seat else "")
        return f"{review.get_absolute_url()}{'#' if place else ''}{place}"

    @property
    def days(self) -> int:
        """Return the whole days that it has waited."""
        return (clock.today() - clock.local_day(self.since)).days


DECIDE, REOPEN, FIX, VERIFY, ANSWER, LOOK_AGAIN, SIGN, APPOINT, QUESTION = KINDS = (
    "decide",
    "reopen",
    "fix",
    "verify",
    "answer an objection",
    "look again",
    "sign",
    "appoint",
    "answer a question",
)


def moves(snapshot: review_state.ReviewSnapshot) -> list[Move]:
    """Return the moves that an open review waits for, the longest wait first.

    Pages, inboxes and notifications all use it. The chair moves once the review can be decided. Earlier moves are
    those of people who answer an objection, the seat that objected once it was answered, the owner while criteria are
    unmet, and each seat whose sign-off is needed and whose criteria are met. The owner comes last for questions of
    the board, which block nothing, although seats wait for an answer.
    """
    return [*_deciding(snapshot), *_questions(snapshot)]


def _questions(snapshot: review_state.ReviewSnapshot) -> Iterator[Move]:
    asked = [row.asked_at for row in initiative_rows.questions(snapshot.review) if not row.answer]
    if asked:
        who, people = _owner(snapshot)
        yield Move(who, "to answer the board's question", min(asked), QUESTION, people)


def _deciding(snapshot: review_state.ReviewSnapshot) -> list[Move]:
    """Return the moves that are needed before the decision on an open review."""
    verdict, review = snapshot.verdict, snapshot.review
    if verdict.decidable:
        last = max([_ready_since(snapshot), *(row.at for row in snapshot.sign_offs)])
        return [_of_chair(snapshot, "to decide", last, DECIDE)]
    found = list(_objections(snapshot))
    blocking = [finding for finding in verdict.findings if finding.blocks]
    found += _verifying(snapshot, blocking)
    unmet = [finding for finding in blocking if not _only_unverified(finding)]
    if unmet:
        who, people = _owner(snapshot)
        what = (
            phrase("to fix 1 criterion, then for the seats to sign")
            if len(unmet) == 1
            else phrase("to fix {} criteria, then for the seats to sign", len(unmet))
        )
        found.append(Move(who, what, _unmet_since(snapshot, unmet), FIX, people))
    if not found and snapshot.judged.at >= review.expires_at:
        who, people = _owner(snapshot)
        what = "to open a new review, because the review period has ended"
        found = [Move(who, what, review.expires_at, REOPEN, people)]
    if snapshot.judged.at < review.expires_at:
        found += _seats(snapshot, {finding.criterion.seat for finding in blocking})
    if not found:
        first = verdict.blockers[0]
        return [Move(first.remedy or "Someone", f"({first.text})", review.opened_at)]
    return sorted(found, key=lambda move: move.since)


def _open_states(finding: gates_criteria.Finding) -> list[State]:
    return [state for state in finding.requirements if not state.satisfies(finding.criterion.gate)]


def _only_unverified(finding: gates_criteria.Finding) -> bool:
    """Return True if the criterion only lacks its seat's verification."""
    missing = _open_states(finding)
    return bool(missing) and all(state.place == BY_VERIFYING for state in missing)


def _verifying(
    snapshot: review_state.ReviewSnapshot, blocking: list[gates_criteria.Finding]
) -> Iterator[Move]:
    """Yield the seats whose criteria only lack their verification."""
    waiting: dict[str, set[str]] = {}
    for finding in blocking:
        if _only_unverified(finding):
            keys = {state.key for state in _open_states(finding)}
            waiting.setdefault(finding.criterion.seat, set()).update(keys)
    for seat, keys in waiting.items():
        holders = snapshot.eligible_signers.holders(seat)
        name = label(Seat.word(seat))
        what = (
            phrase("to open and verify 1 answer as {}", name)
            if len(keys) == 1
            else phrase("to open and verify {} answers as {}", len(keys), name)
        )
        ready = min(_changed_at(snapshot, key) for key in keys)
        if holders:
            names = " or ".join(person.full_name for person in holders)
            yield Move(names, what, ready, VERIFY, tuple(person.pk for person in holders), seat)
        else:
            yield _of_chair(snapshot, phrase("to have someone appointed, {}", what), ready, APPOINT, seat)


def _of_chair(
    snapshot: review_state.ReviewSnapshot, what: str, since: datetime, kind: str, seat: str = ""
) -> Move:
    chair, _ = roles_and_seats.acting_chair(snapshot.initiative, list(snapshot.eligible_signers.members))
    who = chair.full_name if chair else "a chair (no one yet)"
    return Move(who, what, since, kind, (chair.pk,) if chair else (), seat)


def _owner(snapshot: review_state.ReviewSnapshot) -> tuple[str, tuple[int, ...]]:
    """Return the owner by name and key. Before any acceptance, return the person who registered it."""
    held = snapshot.eligible_signers.working.get("owner")
    if held is not None:
        return held[1], (held[0],)
    stand_in = snapshot.eligible_signers.team_members.stand_in
    return "the owner (no one has accepted yet)", (stand_in,) if stand_in is not None else ()


def _objections(snapshot: review_state.ReviewSnapshot) -> Iterator[Move]:
    """Yield who answers each blocking objection, and the seat once answered."""
    rules = snapshot.judged.rulebook.gates[snapshot.review.gate]
    for row in snapshot.sign_offs:
        objected = row.objects_to(rules)
        if not objected:
            continue
        seat = Seat(row.seat).label
        answered = {one.key: _answered_at(snapshot, row, one) for one in objected}
        moments = [moment for moment in answered.values() if moment is not None]
        if moments:
            what = phrase(
                "to review again for the seat {}, because the objection of this seat was answered", seat
            )
            holders = snapshot.eligible_signers.holders(row.seat)
            if holders:
                names = " or ".join(person.full_name for person in holders)
                keys = tuple(person.pk for person in holders)
                first = next(key for key, moment in answered.items() if moment is not None)
                yield Move(names, what, min(moments), LOOK_AGAIN, keys, row.seat, first)
            else:
                what = phrase("to have someone appointed as {}, the seat that objected", seat)
                yield _of_chair(snapshot, what, min(moments), APPOINT, row.seat)
        left = [one for one in objected if answered[one.key] is None]
        if left:
            people = _answering(snapshot, left)
            asked = " and ".join(f"“{one.question}”" for one in left)
            yield Move(
                " and ".join(people.values()) or "the owner (no one has accepted yet)",
                phrase("to answer the objection of {} to {}", seat, asked),
                row.at,
                ANSWER,
                tuple(people),
                row.seat,
                left[0].key,
            )


@dataclass(frozen=True)
class LapsedObjection:
    """An objection that blocked under an earlier rulebook, and its questions that no longer block."""

    row: SignOff
    questions: tuple[str, ...]


def lapsed_objections(snapshot: review_state.ReviewSnapshot) -> list[LapsedObjection]:
    """Return the objections to criteria that blocked when they were signed, and no longer do.

    The rulebook of the review has these criteria as advice, or no longer has them.
    """
    rules, found = snapshot.judged.rulebook.gates[snapshot.review.gate], []
    earlier = {one.digest: one.parsed for one in Rulebook.objects.kept_versions()}
    for row in snapshot.sign_offs:
        signed = earlier.get(row.facts["rulebook"])
        if signed is None or row.facts["rulebook"] == snapshot.judged.rulebook.digest:
            continue
        still = {one.key for one in row.objects_to(rules)}
        gone = [one for one in row.objects_to(signed.gates[snapshot.review.gate]) if one.key not in still]
        if gone:
            found.append(LapsedObjection(row, tuple(one.question for one in gone)))
    return found


def message(snapshot: review_state.ReviewSnapshot, move: Move) -> tuple[str, str]:
    """Return subject and text of the message on an objection's move."""
    row = next(row for row in snapshot.sign_offs if row.seat == move.seat)
    gate, seat = snapshot.judged.rulebook.gates[snapshot.review.gate].title, Seat(move.seat).label
    if move.kind == LOOK_AGAIN:
        return (
            "the objection of your seat was answered",
            phrase(
                "{}: there is an answer to the objection of {} as {}. Read the answer, then sign off "
                "again or withdraw the objection. The objection counts until your seat does one of "
                "the two.",
                gate,
                row.person,
                seat,
            ),
        )
    asked = " ".join(
        snapshot.judged.rulebook.criteria[key].question
        for key in row.criteria
        if key in snapshot.judged.rulebook.criteria
    )
    return (
        phrase("{} objects", seat),
        (
            f"{gate}: {row.person} objects as {seat}. {ended(row.reason)} The objection is about: {asked} "
            "The board cannot decide until you answer. Reply on the page of the review, change the "
            "answer, or add evidence. The holder of the seat then reviews again."
        ),
    )


def _answering(snapshot: review_state.ReviewSnapshot, criteria: list) -> dict[int, str]:
    """Return by key the owner and team members who answer these criteria.

    A team member who wrote one of the answers counts too.
    """
    name, owner = _owner(snapshot)
    people = dict.fromkeys(owner, name)
    names = dict(snapshot.eligible_signers.working.values())
    for key in dict.fromkeys(key for one in criteria for key in one.requirements):
        asked = snapshot.judged.rulebook.requirements[key].answered_by
        held = snapshot.eligible_signers.working.get("owner" if asked == "business_owner" else asked)
        reply = snapshot.judged.facts.answers.get(key)
        for person in (held[0] if held else None, reply.by_id if reply else None):
            if person in names:
                people[person] = names[person]
    return people


def _answered_at(snapshot: review_state.ReviewSnapshot, row: SignOff, criterion) -> datetime | None:
    """Return when the objection got an answer, evidence, result or waiver, or None."""
    facts = snapshot.judged.facts
    told = [
        question.answered_at
        for question in initiative_rows.questions(snapshot.review)
        if question.criterion == criterion.key and question.answered_at and question.answered_at > row.at
    ]
    for key in criterion.requirements:
        then = row.facts["requirements"].get(key, {})
        reply = facts.answers.get(key)
        if reply is not None and reply.version != then.get("answer"):
            told.append(max(reply.at, row.at))
        told += [
            item.added_at
            for item in facts.items_for(key)
            if item.added_at > row.at and item.withdrawn_at is None
        ]
        if then and then["state"] != "met" and snapshot.judged.states[key].satisfied:
            told.append(row.at)  # an item that was there already was offered for it: nothing says when
    for key in criterion.declared_goals:
        now = facts.declared.get(key)
        if row.facts["declared_goals"].get(key) != ([now.declared, now.result] if now else None):
            told.append(row.at)
    keys = {criterion.key, *criterion.requirements}
    told += [waiver.since for waiver in facts.waivers if waiver.key in keys and waiver.since > row.at]
    return max(told, default=None)


def _seats(snapshot: review_state.ReviewSnapshot, unmet: set[str]) -> Iterator[Move]:
    """Yield the seats whose sign-off is needed. The chair fills a required seat without a signer.

    `unmet` has the seats whose own criteria are not met. They, and seats that object, have another move first.
    """
    rules, verdict = snapshot.judged.rulebook.gates[snapshot.review.gate], snapshot.verdict
    signed = {sign_off.seat for sign_off in snapshot.judged_sign_offs if sign_off.approves and sign_off.fresh}
    lapsed = {one.row.seat for one in lapsed_objections(snapshot) if not one.row.objects_to(rules)}
    spoken = {sign_off.seat for sign_off in snapshot.judged_sign_offs if sign_off.fresh} - lapsed
    needed = {seat for seat in rules.must_include if seat not in signed}
    if verdict.quorum - len(signed) > len(needed):
        needed |= {seat for seat in rules.seats if seat not in spoken and _able(snapshot, seat)}
    objecting = {row.seat for row in snapshot.sign_offs if row.verdict == SignOffVerdict.OBJECT} - lapsed
    for seat in Seat:
        if seat not in needed or seat in unmet | objecting:
            continue
        since, able = _unsigned_since(snapshot, seat), _able(snapshot, seat)
        if able:
            yield Move(
                " or ".join(able.values()),
                phrase("to sign as {}", label(Seat(seat).label)),
                since,
                SIGN,
                tuple(able),
                seat,
            )
        else:
            what = phrase("to have someone appointed who can sign as {}", label(Seat(seat).label))
            yield _of_chair(snapshot, what, since, APPOINT, seat)


def must_sign(snapshot: review_state.ReviewSnapshot) -> set[str]:
    """Return the seats that the quorum needs, with those that the gate names."""
    rules, quorum = snapshot.judged.rulebook.gates[snapshot.review.gate], snapshot.verdict.quorum
    approving = {row.seat for row in snapshot.judged_sign_offs if row.approves and row.fresh}
    recused = {row.seat for row in snapshot.sign_offs if row.verdict == SignOffVerdict.RECUSE}
    open_to = {
        seat for seat in rules.seats if seat in approving or (seat not in recused and _able(snapshot, seat))
    }
    return {*rules.must_include} | {seat for seat in rules.seats if len(open_to - {seat}) < quorum}


def _able(snapshot: review_state.ReviewSnapshot, seat: str) -> dict[int, str]:
    """Return by key the people who can sign for the seat. A signer of another seat cannot."""
    state = snapshot.seats[seat]
    elsewhere = {row.person_id for row in initiative_rows.sign_offs(snapshot.review) if row.seat != seat}
    people = zip(state.people, state.eligible, strict=True)
    return {key: name for key, name in people if key not in elsewhere}


def awaited_seats(found: list[Move]) -> dict[str, str]:
    """Return the people in words by each seat that has a move."""
    return {move.seat: move.who for move in found if move.kind in (SIGN, LOOK_AGAIN)}


def quiet_since(review: Review, sign_offs) -> datetime:
    """Return the moment of the last sign-off, else of the opening."""
    return max([review.opened_at, *(row.at for row in sign_offs)])


def fast_lane(initiative: Initiative, gate: str, at: datetime) -> int | None:
    """Return the days since registration if early for the MVP gate, else None.

    An imported initiative has none, because an import does not contain its start.
    """
    days = (clock.local_day(at) - clock.local_day(initiative.registered_at)).days
    return (
        days
        if gate == "mvp" and not (initiative.imported or initiative.brought_in) and days < FAST_LANE_DAYS
        else None
    )


def _unmet_since(snapshot: review_state.ReviewSnapshot, unmet) -> datetime:
    """Return when the first unmet criterion began: opening, or end of evidence."""
    opened = snapshot.review.opened_at
    missing = [state for finding in unmet for state in _open_states(finding)]
    return min((max(opened, _ended_at(snapshot, state) or opened) for state in missing), default=opened)


def _ended_at(snapshot: review_state.ReviewSnapshot, state) -> datetime | None:
    """Return when a requirement's evidence ended, by age or trigger, or None."""
    facts, asked = snapshot.judged.facts, snapshot.judged.rulebook.requirements[state.key]
    if state.state == "expired":
        last = expiry_of(facts, asked, state.items[0])
        return clock.midnight_after(last) if last else None
    if state.state == "voided":
        ends = [
            void.at
            for item in facts.items
            for void in item.voids.get(state.key, ())
            if void.at <= snapshot.judged.at
        ]
        return max(ends, default=None)
    return None


def _unsigned_since(snapshot: review_state.ReviewSnapshot, seat: str) -> datetime:
    """Return since when the seat can sign: all is there, its own is stale."""
    row = next((row for row in snapshot.sign_offs if row.seat == seat), None)
    ready = _ready_since(snapshot)
    return ready if row is None else max(ready, stale_since(snapshot, row))


def _ready_since(snapshot: review_state.ReviewSnapshot) -> datetime:
    """Return since when the review is open and all that its criteria need is there."""
    criteria = snapshot.judged.rulebook.gates[snapshot.review.gate].criteria
    keys = {key for one in criteria if one.blocking for key in one.requirements}
    return max((_changed_at(snapshot, key) for key in keys), default=snapshot.review.opened_at)


def _changed_at(snapshot: review_state.ReviewSnapshot, key: str) -> datetime:
    """Return the last change of answer, evidence or verification since opening."""
    facts = snapshot.judged.facts
    reply, items = (
        facts.answers.get(key),
        [item for item in facts.items_for(key) if item.withdrawn_at is None],
    )
    moments = [snapshot.review.opened_at, *(item.added_at for item in items)]
    moments += [row.at for item in items for row in item.verifications.get(key, ())]
    return max([*moments, reply.at] if reply is not None else moments)


def stale_since(snapshot: review_state.ReviewSnapshot, row: SignOff) -> datetime:
    """Return when the sign-off stopped counting, by the first change that ends it.

    Without a known change, it is the moment of the sign-off.
    """
    limit = snapshot.judged.rulebook.freshness.sign_off_max_age_days
    moments = [clock.midnight_after(clock.local_day(row.at) + timedelta(days=limit))]
    for key, then in row.facts["requirements"].items():
        moments += _moments_of(snapshot.judged.facts, key, then)
    moments += [version.since for version in snapshot.judged.facts.contracts]
    return min((moment for moment in moments if row.at < moment <= snapshot.judged.at), default=row.at)


def _moments_of(facts, key: str, then: dict) -> Iterator[datetime]:
    """Yield the moments at which a sign-off's facts on it may have changed."""
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
