"""The state of a review as the rules need it: votes with the reasons why they went stale, seats with who can sign."""

from dataclasses import dataclass, field, replace

from governance import clock, gates, statements
from governance.answers import Reason
from governance.boards import board_for, members_now, seat_holders
from governance.models import ContractVersion
from governance.models.people import SEATS
from governance.reading import one_look
from initiatives import sources, standing
from initiatives.models import Initiative, Review
from initiatives.models.initiative import ROLES


@dataclass(frozen=True)
class Bench:
    """Who sits on the board of a case, and what bars whom from signing: read once, asked many times.

    `working`: by role in force, who holds it, key and name.
    """

    members: tuple
    roles: dict[int, tuple[str, ...]] = field(hash=False)
    working: dict[str, tuple[int, str]] = field(default_factory=dict, hash=False)
    stand_in: int | None = None
    owner: int | None = None
    contract_authors: frozenset[int] = frozenset()
    board: int | None = None

    def holds(self, person, seat: str) -> bool:
        """Whether the person holds the seat now."""
        return any(member.person_id == person.pk and member.seat == seat for member in self.members)

    def holders(self, seat: str) -> list:
        """Who holds the seat now, and may at least look again, withdraw or object there."""
        return [member.person for member in seat_holders(list(self.members), seat)]

    def barred(self, person, seat: str) -> list[str]:
        """Why the person must not approve for the seat (invariant 4); empty when nothing bars them."""
        reasons = [] if person.is_active else [f"{person} is no longer active"]
        reasons += [f"{person} is {words} of this case" for words in self.roles.get(person.pk, ())]
        if self.stand_in == person.pk:
            reasons.append(f"{person} registered this case and stands in for its owner")
        if seat == "business_value" and self.owner is not None and person.manager_id == self.owner:
            reasons.append(f"{person} reports to the owner")
        return reasons


def bench_of(case: Initiative) -> Bench:
    """Read the bench of a case now: four queries."""
    roles: dict[int, tuple[str, ...]] = {}
    working: dict[str, tuple[int, str]] = {}
    owner, owned = None, False
    for role in sources.roles(case):
        owned = owned or (role.role == "owner" and role.accepted_at is not None)
        if role.declined_at or role.ended_at:
            continue
        words = ROLES[role.role].lower()
        if not role.accepted_at:
            words = f"proposed as {words}"
        elif role.person.is_active:
            working[role.role] = (role.person_id, role.person.full_name)
            owner = role.person_id if role.role == "owner" else owner
        roles[role.person_id] = (*roles.get(role.person_id, ()), words)
        for key in sources.standing_in(role):
            roles[key] = (*roles.get(key, ()), f"standing in for {role.person}, {words}")
    board = board_for(case.unit)
    return Bench(
        members=tuple(members_now(board)),
        board=board.pk if board else None,
        roles=roles,
        working=working,
        stand_in=None if owned else case.registered_by_id,
        owner=owner,
        contract_authors=frozenset(
            version.author_id
            for version in sources.rows(case, "contract_versions")
            if version.state != ContractVersion.SUPERSEDED
        ),
    )


@dataclass
class Sitting:
    """One review, read once: facts, votes, seats and the verdict on it at one moment."""

    review: Review
    case: Initiative
    facts: object
    book: object
    states: dict
    votes: tuple
    seats: dict
    verdict: gates.Verdict
    sign_offs: list
    bench: Bench
    at: object


def sit(review: Review, case: Initiative | None = None, at=None) -> Sitting:
    """Read and judge the review now. `case` is the locked row when acting."""
    case = case or review.initiative
    at = at or clock.now()
    book = review.rulebook.book
    with one_look():
        facts, bench, sign_offs = standing.facts_of(case), bench_of(case), sources.standing_votes(review)
    states = gates.states_at(facts, book, at)
    votes = tuple(vote_of(row, bench, facts, book, at, states) for row in sign_offs)
    return _judged(Sitting(review, case, facts, book, states, votes, {}, None, sign_offs, bench, at))


def judged_under(sitting: Sitting, book, facts=None) -> Sitting:
    """The same sitting under another book, with the facts as they are while it is in force."""
    facts = facts or sitting.facts
    states = gates.states_at(facts, book, sitting.at)
    votes = tuple(vote_of(row, sitting.bench, facts, book, sitting.at, states) for row in sitting.sign_offs)
    return _judged(replace(sitting, facts=facts, book=book, states=states, votes=votes))


def as_if_signed_again(sitting: Sitting) -> gates.Verdict:
    """What the verdict would be if everybody who approved did so once more now, as far as they still may."""
    votes = tuple(
        replace(vote, stale=tuple(_barring(sitting, row))) if vote.approves else vote
        for row, vote in zip(sitting.sign_offs, sitting.votes, strict=True)
    )
    return _judged(replace(sitting, votes=votes)).verdict


def _barring(sitting: Sitting, row) -> list[str]:
    """Why this person may not sign for the seat, whatever the facts say."""
    reasons = sitting.bench.barred(row.person, row.seat)
    if not sitting.bench.holds(row.person, row.seat):
        reasons.append(f"{row.person} no longer holds the seat")
    return reasons


def with_vote(sitting: Sitting, row) -> Sitting:
    """The same sitting after this vote was cast, without reading everything again."""
    vote = vote_of(row, sitting.bench, sitting.facts, sitting.book, sitting.at, sitting.states)
    sign_offs = [other for other in sitting.sign_offs if other.seat != row.seat] + [row]
    votes = (*(other for other in sitting.votes if other.seat != row.seat), vote)
    return _judged(replace(sitting, sign_offs=sign_offs, votes=votes))


def _judged(sitting: Sitting) -> Sitting:
    recused = {vote.person_id for vote in sitting.votes if vote.verdict == "recuse"}
    seats = seat_states(sitting.bench, recused)
    verdict = gates.judge(
        sitting.facts,
        sitting.book,
        sitting.review.gate,
        sitting.at,
        votes=sitting.votes,
        seats=seats,
        states=sitting.states,
    )
    if sitting.review.is_open and sitting.at >= sitting.review.expires_at:
        # Right although no task ran: the review is over with its last day, whether it was ended yet or not.
        over = Reason("The time for this review is over.", "The owner can open a new one.")
        verdict = replace(verdict, blockers=(*verdict.blockers, over))
    return replace(sitting, seats=seats, verdict=verdict)


def vote_of(row, bench: Bench, facts, book, at, states) -> gates.Vote:
    """A stored sign-off as the rules see it, with every reason why it no longer counts."""
    return gates.Vote(
        seat=row.seat,
        person_id=row.person_id,
        person=row.person.full_name,
        verdict=row.verdict,
        at=row.at,
        criteria=tuple(row.criteria),
        stale=tuple(stale_of(row, bench, facts, book, at, states)),
    )


def stale_of(row, bench: Bench, facts, book, at, states) -> list[str]:
    """Why this approval does not count at `at`: its facts moved, or its signer may not sign (invariants 4, 5)."""
    if not row.approves:
        return []
    reasons = bench.barred(row.person, row.seat)
    about = (row.facts["case"], row.facts["gate"], row.facts["seat"])
    if about != (facts.ref, row.review.gate, row.seat) or row.digest != statements.digest(row.statement):
        reasons.append("the statement was signed for something else")
    if row.facts.get("board", bench.board) != bench.board:
        reasons.append("another board decides this case now")
    elif not bench.holds(row.person, row.seat):
        reasons.append(f"{row.person} no longer holds the seat")
    covered = {*row.covered_evidence, *map(int, row.facts["evidence"])}
    if any(item.id in covered and item.author_id == row.person_id for item in facts.items):
        reasons.append(f"{row.person} wrote evidence the vote rests on")
    if row.facts.get("contract") and row.person_id in bench.contract_authors:
        reasons.append(f"{row.person} wrote the contract")
    return reasons + statements.stale_reasons(row.facts, facts, book, at, row.at, states)


def seat_states(bench: Bench, recused: frozenset | set = frozenset()) -> dict[str, gates.SeatState]:
    """For each seat who could sign now and who is barred, and why. `recused` people do not sign this review."""
    result = {}
    for seat in SEATS:
        able, barred, people = [], [], []
        for member in seat_holders(list(bench.members), seat):
            reasons = bench.barred(member.person, seat)
            if member.person_id in recused:
                reasons = [*reasons, f"{member.person} recused themselves"]
            if reasons:
                barred += reasons
            else:
                able.append(member.person.full_name)
                people.append(member.person_id)
        result[seat] = gates.SeatState(seat, tuple(able), tuple(barred), tuple(people))
    return result
