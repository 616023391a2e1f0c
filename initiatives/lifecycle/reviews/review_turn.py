"""Whose move an open review is, and since when: worked out from the review snapshot, so that it is right at any
moment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from governance import clock
from governance.gates import criteria as gates_criteria
from governance.gates.evidence_rules import expiry
from governance.gates.requirements import BY_VERIFYING, State
from governance.permission_result import ended
from governance.vocabulary import Seat, SignOffVerdict
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative import review_state
from initiatives.models import Initiative, Review, SignOff

# A trial asked for sooner than this after registration says so: tools make building fast, not stages (S2-35.1).
FAST_LANE_DAYS = 30


@dataclass(frozen=True)
class Move:
    """Who has the move, what it is, and since when it lies there.

    `kind`: one of KINDS. `people`: by key; nobody where nobody is there to do it. `seat`: the one it is about.
    """

    who: str
    what: str
    since: datetime
    kind: str = ""
    people: tuple[int, ...] = ()
    seat: str = ""

    @property
    def days(self) -> int:
        """Whole days that it has lain there."""
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
    """Whom an open review waits for, the longest wait first: the one computation that pages, inboxes and notifications
    ask.

    The chair once it can be decided. Before that whoever answers an objection, the seat that objected once it was
    answered, and the owner while criteria are unmet; only then seats, and of these those alone whose sign-off is
    needed. Last the owner where the board asked something: it blocks nothing, and seats wait for it.
    """
    return [*_deciding(snapshot), *_questions(snapshot)]


def _questions(snapshot: review_state.ReviewSnapshot) -> Iterator[Move]:
    asked = [row.asked_at for row in initiative_rows.questions(snapshot.review) if not row.answer]
    if asked:
        who, people = _owner(snapshot)
        yield Move(who, "to answer what the board asked", min(asked), QUESTION, people)


def _deciding(snapshot: review_state.ReviewSnapshot) -> list[Move]:
    """Whose move stands between an open review and its decision."""
    verdict, review = snapshot.verdict, snapshot.review
    if verdict.decidable:
        last = max([review.opened_at, *(row.at for row in snapshot.sign_offs)])
        return [_of_chair(snapshot, "to decide", last, DECIDE)]
    found = list(_objections(snapshot))
    blocking = [finding for finding in verdict.findings if finding.blocks]
    found += _verifying(snapshot, blocking)
    unmet = [finding for finding in blocking if not _only_unverified(finding)]
    if unmet:
        who, people = _owner(snapshot)
        count = f"{len(unmet)} criteri{'on' if len(unmet) == 1 else 'a'}"
        what = f"to fix {count}, then for the seats to sign"
        found.append(Move(who, what, _unmet_since(snapshot, unmet), FIX, people))
    if not found and snapshot.judged.at >= review.expires_at:
        who, people = _owner(snapshot)
        what = "to open a new review: the time for this one is over"
        found = [Move(who, what, review.expires_at, REOPEN, people)]
    found = found or list(_seats(snapshot))
    if not found:
        first = verdict.blockers[0]
        return [Move(first.remedy or "Somebody", f"({first.text})", review.opened_at)]
    return sorted(found, key=lambda move: move.since)


def _open_states(finding: gates_criteria.Finding) -> list[State]:
    return [state for state in finding.requirements if not state.satisfies(finding.criterion.gate)]


def _only_unverified(finding: gates_criteria.Finding) -> bool:
    """Whether nothing is missing behind the criterion but that its seat opens and verifies what is there."""
    missing = _open_states(finding)
    return bool(missing) and all(state.place == BY_VERIFYING for state in missing)


def _verifying(
    snapshot: review_state.ReviewSnapshot, blocking: list[gates_criteria.Finding]
) -> Iterator[Move]:
    """Seats whose criteria wait for nothing but their verification: the first half of signing."""
    waiting: dict[str, set[str]] = {}
    for finding in blocking:
        if _only_unverified(finding):
            keys = {state.key for state in _open_states(finding)}
            waiting.setdefault(finding.criterion.seat, set()).update(keys)
    for seat, keys in waiting.items():
        holders = snapshot.eligible_signers.holders(seat)
        what = f"to open and verify {len(keys)} answer{'' if len(keys) == 1 else 's'} as {Seat.word(seat)}"
        opened = snapshot.review.opened_at
        if holders:
            names = " or ".join(person.full_name for person in holders)
            yield Move(names, what, opened, VERIFY, tuple(person.pk for person in holders), seat)
        else:
            yield _of_chair(snapshot, f"to have somebody appointed, {what}", opened, APPOINT, seat)


def _of_chair(
    snapshot: review_state.ReviewSnapshot, what: str, since: datetime, kind: str, seat: str = ""
) -> Move:
    chair, _ = initiative_permissions.acting_chair(
        snapshot.initiative, list(snapshot.eligible_signers.members)
    )
    who = chair.full_name if chair else "a chair, nobody sits there"
    return Move(who, what, since, kind, (chair.pk,) if chair else (), seat)


def _owner(snapshot: review_state.ReviewSnapshot) -> tuple[str, tuple[int, ...]]:
    """The owner by name and key; whoever registered the initiative while nobody ever accepted."""
    held = snapshot.eligible_signers.working.get("owner")
    if held is not None:
        return held[1], (held[0],)
    stand_in = snapshot.eligible_signers.team_members.stand_in
    return "the owner, nobody accepted", (stand_in,) if stand_in is not None else ()


def _objections(snapshot: review_state.ReviewSnapshot) -> Iterator[Move]:
    """For each objection that stands in the way: who has to answer it, and the seat once something was answered."""
    criteria = {one.key: one for one in snapshot.judged.rulebook.gates[snapshot.review.gate].criteria}
    for row in snapshot.sign_offs:
        objected = [criteria[key] for key in row.criteria if key in criteria and criteria[key].blocking]
        if row.verdict != SignOffVerdict.OBJECT or not objected:
            continue
        seat = Seat(row.seat).label
        answered = {one.key: _answered_at(snapshot, row, one) for one in objected}
        moments = [moment for moment in answered.values() if moment is not None]
        if moments:
            what = f"to look again as {seat}: what it objected to was answered"
            holders = snapshot.eligible_signers.holders(row.seat)
            if holders:
                names = " or ".join(person.full_name for person in holders)
                keys = tuple(person.pk for person in holders)
                yield Move(names, what, min(moments), LOOK_AGAIN, keys, row.seat)
            else:
                what = f"to have somebody appointed as {seat}, who objected"
                yield _of_chair(snapshot, what, min(moments), APPOINT, row.seat)
        left = [one for one in objected if answered[one.key] is None]
        if left:
            people = _answering(snapshot, left)
            asked = " and ".join(f"“{one.question}”" for one in left)
            yield Move(
                " and ".join(people.values()) or "the owner, nobody accepted",
                f"to answer the objection of {seat} to {asked}",
                row.at,
                ANSWER,
                tuple(people),
                row.seat,
            )


def message(snapshot: review_state.ReviewSnapshot, move: Move) -> tuple[str, str]:
    """What whoever has to answer an objection, or to look at it again, is told: the subject and the text."""
    row = next(row for row in snapshot.sign_offs if row.seat == move.seat)
    gate, seat = snapshot.judged.rulebook.gates[snapshot.review.gate].title, Seat(move.seat).label
    if move.kind == LOOK_AGAIN:
        return (
            "what your seat objected to was answered",
            f"{gate}: something is new on what {row.person} objected to as {seat}. Read it, then sign-off afresh or "
            "withdraw the objection; it stands until your seat does.",
        )
    asked = " ".join(
        snapshot.judged.rulebook.criteria[key].question
        for key in row.criteria
        if key in snapshot.judged.rulebook.criteria
    )
    return (
        f"{seat} objects",
        f"{gate}: {row.person} objects as {seat}. {ended(row.reason)} It is about: {asked} Nothing is decided until it "
        "is answered: change the answer or add evidence there, and the seat is asked to look again.",
    )


def _answering(snapshot: review_state.ReviewSnapshot, criteria: list) -> dict[int, str]:
    """The owner, and of those who work on the initiative who answers these criteria or wrote the answers; names by
    key.
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
    """Since when an answer, evidence, a result or a waiver is new on what was objected to; None where nothing is."""
    facts, told = snapshot.judged.facts, []
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


def _seats(snapshot: review_state.ReviewSnapshot) -> Iterator[Move]:
    """The seats whose sign-off is still needed. One that must sign and where nobody can is the chair's to fill."""
    rules, verdict = snapshot.judged.rulebook.gates[snapshot.review.gate], snapshot.verdict
    signed = {sign_off.seat for sign_off in snapshot.judged_sign_offs if sign_off.approves and sign_off.fresh}
    spoken = {sign_off.seat for sign_off in snapshot.judged_sign_offs if sign_off.fresh}
    needed = {seat for seat in rules.must_include if seat not in signed}
    if verdict.quorum - len(signed) > len(needed):
        needed |= {seat for seat in rules.seats if seat not in spoken and _able(snapshot, seat)}
    for seat in Seat:
        if seat not in needed:
            continue
        since, able = _unsigned_since(snapshot, seat), _able(snapshot, seat)
        if able:
            yield Move(
                " or ".join(able.values()), f"to sign as {Seat(seat).label}", since, SIGN, tuple(able), seat
            )
        else:
            what = f"to have somebody appointed who can sign as {Seat(seat).label}"
            yield _of_chair(snapshot, what, since, APPOINT, seat)


def _able(snapshot: review_state.ReviewSnapshot, seat: str) -> dict[int, str]:
    """Who can sign for the seat, names by key: whoever signed another seat of this review signs no second one."""
    state = snapshot.seats[seat]
    elsewhere = {row.person_id for row in initiative_rows.sign_offs(snapshot.review) if row.seat != seat}
    people = zip(state.people, state.eligible, strict=True)
    return {key: name for key, name in people if key not in elsewhere}


def awaited_seats(found: list[Move]) -> dict[str, str]:
    """By seat that has a move, who has it."""
    return {move.seat: move.who for move in found if move.kind in (SIGN, LOOK_AGAIN)}


def quiet_since(review: Review, sign_offs) -> datetime:
    """Since when nothing moved: the last sign-off, or the opening."""
    return max([review.opened_at, *(row.at for row in sign_offs)])


def fast_lane(initiative: Initiative, gate: str, at: datetime) -> int | None:
    """Days from registration to `at` where that is early for the MVP gate; None where there is nothing to say.

    An import tells nothing of when its initiatives began.
    """
    days = (clock.local_day(at) - clock.local_day(initiative.registered_at)).days
    return (
        days
        if gate == "mvp" and not (initiative.imported or initiative.brought_in) and days < FAST_LANE_DAYS
        else None
    )


def _unmet_since(snapshot: review_state.ReviewSnapshot, unmet) -> datetime:
    """Since when the first of what is unmet has been: since the opening, unless its evidence ended later."""
    opened = snapshot.review.opened_at
    missing = [state for finding in unmet for state in _open_states(finding)]
    return min((max(opened, _ended_at(snapshot, state) or opened) for state in missing), default=opened)


def _ended_at(snapshot: review_state.ReviewSnapshot, state) -> datetime | None:
    """When the evidence behind a requirement ended, by age or by a trigger; None where it never was complete."""
    facts, asked = snapshot.judged.facts, snapshot.judged.rulebook.requirements[state.key]
    if state.state == "expired":
        last = expiry(asked, state.items[0], facts.tier)
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
    """Since when the seat must give a sign-off: since the opening, or since its own sign-off went stale."""
    row = next((row for row in snapshot.sign_offs if row.seat == seat), None)
    return snapshot.review.opened_at if row is None else stale_since(snapshot, row)


def stale_since(snapshot: review_state.ReviewSnapshot, row: SignOff) -> datetime:
    """When the sign-off stopped counting: the first thing after it that ends such a sign-off; where none shows, the
    sign-off.
    """
    limit = snapshot.judged.rulebook.freshness.sign_off_max_age_days
    moments = [clock.midnight_after(clock.local_day(row.at) + timedelta(days=limit))]
    for key, then in row.facts["requirements"].items():
        moments += _moments_of(snapshot.judged.facts, key, then)
    moments += [version.since for version in snapshot.judged.facts.contracts]
    return min((moment for moment in moments if row.at < moment <= snapshot.judged.at), default=row.at)


def _moments_of(facts, key: str, then: dict) -> Iterator[datetime]:
    """The moments at which what a sign-off said of one requirement can have moved."""
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
