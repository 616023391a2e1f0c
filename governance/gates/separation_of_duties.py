"""Separation of duties: who must not sign for an initiative, and why. Pure.

Pages, acts and the state of a review ask this module. A person does not sign if they work on the initiative, act for
someone who does, or wrote what the signature covers. The seat for business value does not report to the owner, and
neither does who lowers a risk tier (docs/domain.md, invariants 4 and 5). Database triggers enforce the same rule, and
the offline verifier checks the audit log for it. Both work without this module on purpose.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

REPORTS_TO_NO_OWNER = "business_value"


@dataclass(frozen=True)
class Signer:
    """A person who would sign. `manager` is a key.

    `also` has the keys of other accounts that may belong to the same human. Their acts count as this signer's.
    `reset_by` has the key and name of each person who had the signer's second factors reset lately and could sign in
    as the signer.
    """

    id: int
    name: str
    active: bool = True
    manager: int | None = None
    also: frozenset[int] = frozenset()
    reset_by: tuple[tuple[int, str], ...] = ()

    @property
    def accounts(self) -> frozenset[int]:
        """Return the keys of every account that counts as this person's."""
        return self.also | {self.id}


@dataclass(frozen=True)
class Part:
    """A role on an initiative: held, proposed, or of someone the person stands in for.

    `former` is ownership that ended after the last decision.
    """

    key: str
    role: str
    proposed: bool = False
    stands_in_for: str = ""
    former: bool = False

    @property
    def bars_objections(self) -> bool:
        """Return True if the person may not even object."""
        return not (self.proposed or self.former)

    def said_of(self, name: str) -> str:
        """Return the part as a sentence about the person of this name."""
        if self.former:
            return f"{name} was {self.role} of this initiative after its last decision"
        if self.stands_in_for:
            return f"{name} stands in for {self.stands_in_for}, {self.role} of this initiative"
        return f"{name} is {'proposed as ' if self.proposed else ''}{self.role} of this initiative"

    def said_of_twin(self, name: str) -> str:
        """Return the part of a possible second account of this person, as a sentence."""
        return f"{name} may be the same person as another account, which {self.said_of('').strip()}"


@dataclass(frozen=True)
class TeamMembers:
    """The team members of an initiative, by key of the person.

    `stand_in` registered it, if no one has ever accepted ownership. `owner` holds that role now.
    """

    parts: Mapping[int, tuple[Part, ...]] = field(default_factory=dict, hash=False)
    stand_in: int | None = None
    owner: int | None = None


@dataclass(frozen=True)
class RestsOn:
    """The authors, by key, of the evidence and the contract that a signature covers."""

    evidence_authors: frozenset[int] = frozenset()
    contract_authors: frozenset[int] = frozenset()


def why_team_member(signer: Signer, team_members: TeamMembers, *, approving: bool = True) -> list[str]:
    """Return why the person must not sign. A proposed or former role does not bar an objection."""
    reasons = [] if signer.active else [f"{signer.name} is no longer active"]
    reasons += [
        part.said_of(signer.name)
        for part in team_members.parts.get(signer.id, ())
        if approving or part.bars_objections
    ]
    reasons += [
        part.said_of_twin(signer.name)
        for key in sorted(signer.also)
        for part in team_members.parts.get(key, ())
        if approving or part.bars_objections
    ]
    if team_members.stand_in in signer.accounts:
        reasons.append(f"{signer.name} registered this initiative and stands in for its owner")
    return reasons + why_reset_by_team_member(signer, team_members) if approving else reasons


def why_reset_by_team_member(signer: Signer, team_members: TeamMembers) -> list[str]:
    """Return which team members had this person's second factors reset lately."""
    return [
        f"{name} is a team member of this initiative, and recently asked for a reset of the second factors "
        f"of {signer.name}"
        for key, name in signer.reset_by
        if key in team_members.parts or key in (team_members.stand_in, team_members.owner)
    ]


def why_reports(signer: Signer, team_members: TeamMembers) -> list[str]:
    """Return that the person reports to the owner, which also bars from lowering a risk tier."""
    reports = team_members.owner is not None and signer.manager == team_members.owner
    return [f"{signer.name} reports to the owner"] if reports else []


def why_own_work(signer: Signer, rests_on: RestsOn) -> list[str]:
    """Return why an approval would cover the person's own work."""
    reasons = []
    if signer.accounts & rests_on.evidence_authors:
        reasons.append(f"{signer.name} wrote evidence that the sign-off covers")
    if signer.accounts & rests_on.contract_authors:
        reasons.append(f"{signer.name} wrote the contract")
    return reasons


def why_counted_twice(signer: Signer, approved: Mapping[int, str]) -> list[str]:
    """Return why the signer may be a human in `approved`, which maps keys to names."""
    return [
        f"{signer.name} may be the same person as {approved[key]}, who has already approved"
        for key in sorted(signer.also & approved.keys())
    ]


def why_barred(
    signer: Signer,
    seat: str,
    team_members: TeamMembers,
    *,
    approving: bool = True,
    rests_on: RestsOn | None = None,
) -> list[str]:
    """Return every reason why the person must not sign for the seat.

    `approving` is False for an objection. `rests_on` is what the signature covers, if that is known.
    """
    reasons = why_team_member(signer, team_members, approving=approving)
    if approving and seat == REPORTS_TO_NO_OWNER:
        reasons += why_reports(signer, team_members)
    if rests_on is not None:
        reasons += why_own_work(signer, rests_on)
    return reasons


def seated(seats: Mapping[str, Iterable[Hashable]], first: Iterable[str] = ()) -> dict[str, Hashable]:
    """Return who signs for which seat, so that most seats sign and no one signs twice.

    `seats` has the people who could sign for each seat. The result is exact (augmenting paths): no other choice fills
    more seats. It fills as many of `first` as it can. A filled seat stays filled, but its person may change for the
    next seat.
    """
    able = {seat: list(people) for seat, people in seats.items()}
    taken: dict[Hashable, str] = {}

    def place(seat: str, tried: set[Hashable]) -> bool:
        for person in able[seat]:
            if person in tried:
                continue
            tried.add(person)
            if person not in taken or place(taken[person], tried):
                taken[person] = seat
                return True
        return False

    for seat in dict.fromkeys([*(one for one in first if one in able), *able]):
        place(seat, set())
    return {seat: person for person, seat in taken.items()}


def contested(
    seats: Mapping[str, Iterable[Hashable]], filled: Mapping[str, Hashable], wanted: Iterable[str]
) -> list[tuple[frozenset[str], frozenset[Hashable]]]:
    """Return why seats stay empty, as sets of seats and the too few people they share.

    `filled` is what `seated` returned. `wanted` has the seats in question, without the filled ones (Hall's theorem).
    """
    holder = {person: seat for seat, person in filled.items()}
    told: list[tuple[frozenset[str], frozenset[Hashable]]] = []
    for seat in wanted:
        if seat not in seats or seat in filled:
            continue
        found, people, ahead = {seat}, set[Hashable](), [seat]
        while ahead:
            for person in seats[ahead.pop()]:
                people.add(person)
                if person in holder and holder[person] not in found:
                    found.add(holder[person])
                    ahead.append(holder[person])
        if people and (frozenset(found), frozenset(people)) not in told:
            told.append((frozenset(found), frozenset(people)))
    return told


def said(reasons: list[str]) -> str:
    """Return the reasons as one sentence, in which names keep their letters."""
    text = "; ".join(reasons)
    return f"{text[:1].upper()}{text[1:]}."
