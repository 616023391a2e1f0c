"""Separation of duties: who must not sign for an initiative, and why. Pure; pages, acts and the state of a review ask
here.

Whoever works on an initiative, stands in for somebody who does, or wrote what a signature rests on does not sign it;
the seat for business value does not report to the owner (docs/domain.md, invariants 4 and 5). The database refuses the
same by triggers, and the offline verifier looks for it in the audit log; both on purpose without this module.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

REPORTS_TO_NO_OWNER = "business_value"


@dataclass(frozen=True)
class Signer:
    """Who would sign, as far as the rule looks at them; `manager` by key.

    `also`: keys of other accounts that may be the same human's; what they did, this one did.
    `reset_by`: who has had their second factors reset lately, by key and name: whoever did could sign in their place.
    """

    id: int
    name: str
    active: bool = True
    manager: int | None = None
    also: frozenset[int] = frozenset()
    reset_by: tuple[tuple[int, str], ...] = ()

    @property
    def accounts(self) -> frozenset[int]:
        """Keys of every account that counts as this person's."""
        return self.also | {self.id}


@dataclass(frozen=True)
class Part:
    """What somebody is on an initiative: a role by key and in words, merely proposed, or of somebody they stand in
    for.
    """

    key: str
    role: str
    proposed: bool = False
    stands_in_for: str = ""

    def said_of(self, name: str) -> str:
        """The part as a sentence about the person of this name."""
        if self.stands_in_for:
            return f"{name} stands in for {self.stands_in_for}, {self.role} of this initiative"
        return f"{name} is {'proposed as ' if self.proposed else ''}{self.role} of this initiative"

    def said_of_twin(self, name: str) -> str:
        """The part of another account that may be the same human's, as a sentence about the person of this name."""
        return f"{name} may be the same person as another account, which {self.said_of('').strip()}"


@dataclass(frozen=True)
class TeamMembers:
    """Who is a team member of an initiative, by key of the person.

    `stand_in`: who registered it while nobody ever accepted ownership. `owner`: who holds that role in force.
    """

    parts: Mapping[int, tuple[Part, ...]] = field(default_factory=dict, hash=False)
    stand_in: int | None = None
    owner: int | None = None


@dataclass(frozen=True)
class RestsOn:
    """Who wrote what a signature rests on, by key: its evidence, and the contract where it covers one."""

    evidence_authors: frozenset[int] = frozenset()
    contract_authors: frozenset[int] = frozenset()


def why_team_member(signer: Signer, team_members: TeamMembers, *, approving: bool = True) -> list[str]:
    """Why the person must not sign off on the initiative for any seat; a mere proposal silences no objection."""
    reasons = [] if signer.active else [f"{signer.name} is no longer active"]
    reasons += [
        part.said_of(signer.name)
        for part in team_members.parts.get(signer.id, ())
        if approving or not part.proposed
    ]
    reasons += [
        part.said_of_twin(signer.name)
        for key in sorted(signer.also)
        for part in team_members.parts.get(key, ())
        if approving or not part.proposed
    ]
    if team_members.stand_in in signer.accounts:
        reasons.append(f"{signer.name} registered this initiative and stands in for its owner")
    return reasons + why_reset_by_team_member(signer, team_members) if approving else reasons


def why_reset_by_team_member(signer: Signer, team_members: TeamMembers) -> list[str]:
    """Who of the initiative could sign in the place of this person, having had their second factors reset lately."""
    return [
        f"{name} is a team member of this initiative, and had the second factors of {signer.name} reset lately"
        for key, name in signer.reset_by
        if key in team_members.parts or key in (team_members.stand_in, team_members.owner)
    ]


def why_own_work(signer: Signer, rests_on: RestsOn) -> list[str]:
    """Why an approval would be one of the person's own work."""
    reasons = []
    if signer.accounts & rests_on.evidence_authors:
        reasons.append(f"{signer.name} wrote evidence the sign-off rests on")
    if signer.accounts & rests_on.contract_authors:
        reasons.append(f"{signer.name} wrote the contract")
    return reasons


def why_counted_twice(signer: Signer, approved: Mapping[int, str]) -> list[str]:
    """Why an approval would be a second one of the same human. `approved`: names of who approved, by key."""
    return [
        f"{signer.name} may be the same person as {approved[key]}, who approved already"
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
    """Every reason why the person must not sign for the seat; empty when nothing bars them.

    `approving`: whether it is an approval, or an objection. `rests_on`: what the signature covers, once that is known.
    """
    reasons = why_team_member(signer, team_members, approving=approving)
    reports = team_members.owner is not None and signer.manager == team_members.owner
    if approving and seat == REPORTS_TO_NO_OWNER and reports:
        reasons.append(f"{signer.name} reports to the owner")
    if rests_on is not None:
        reasons += why_own_work(signer, rests_on)
    return reasons


def seated(seats: Mapping[str, Iterable[Hashable]], first: Iterable[str] = ()) -> dict[str, Hashable]:
    """By seat who signs for it, for as many of these seats as can sign at once when nobody signs for two.

    `seats`: who could sign for each. Exact: no other way seats more. As many of `first` as can be are among them; a
    seat that is filled stays filled, its person perhaps another, when one is found for the next (augmenting paths).
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
    """Why seats that could be signed for stay empty: sets of seats that share one person too few, with those people.

    `filled`: what `seated` found; `wanted`: the seats asked about, those that are filled passed over (Hall's theorem).
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
    """Reasons as one sentence; names keep their letters."""
    text = "; ".join(reasons)
    return f"{text[:1].upper()}{text[1:]}."
