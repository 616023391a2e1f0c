"""People and initiatives for separation of duties, with one human's accounts.

Reviews, contracts, waivers and acceptances by two people use `EligibleSigners.why_lapsed` to find consents that no
longer count. The database uses `plumbline_consents`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, F, Func, TextField, Value

from governance.database.request_memo import once
from governance.gates.separation_of_duties import (
    Part,
    RestsOn,
    Signer,
    TeamMembers,
    why_barred,
    why_counted_twice,
    why_reports,
    why_team_member,
)
from governance.identity import same_person
from governance.identity.factors.resets import reset_lately
from governance.models import ContractVersion, User
from governance.models.people import Board, Membership
from governance.people.boards import board_for, members_now, seat_holders
from governance.vocabulary import Role
from initiatives.lifecycle.facts import initiative_rows
from initiatives.models import Answer, Initiative, Review, StandaloneDeclaration

# The reason of a stop is evidence that the chair writes too. It does not make them an author of the initiative.
STOP_REASON = "stop.reason"


def signer_of(person: User, *, now: bool = False) -> Signer:
    """Return the person in the form that separation of duties checks. `now` is True if they are about to sign."""
    return Signer(
        person.pk,
        str(person),
        person.is_active,
        person.manager_id,
        also=same_person.twins_of(person),
        reset_by=once(("resets", person.pk), lambda: reset_lately(person)) if now else (),
    )


def accounts_of(person: User) -> frozenset[int]:
    """Return the keys of all accounts that count as this person's. An act that needs two people counts them as one."""
    return same_person.twins_of(person) | {person.pk}


def why_approved_twice(review: Review, person: User) -> list[str]:
    """Return why an approval by this person would be the same human's second."""
    if not person.may_be_another:
        return []
    approved = {
        row.person_id: str(row.person) for row in initiative_rows.current_sign_offs(review) if row.approves
    }
    return why_counted_twice(signer_of(person), approved)


def ever_owned(initiative: Initiative) -> bool:
    """Return True if anyone ever accepted ownership. Before that, an owner is not missing."""
    return any(row.role == Role.OWNER and row.accepted_at for row in initiative_rows.roles(initiative))


def team_members_of(initiative: Initiative) -> TeamMembers:
    """Return the present team members, in the form separation of duties checks.

    A person who owned the initiative after its last decision is one of them.
    """
    parts: dict[int, tuple[Part, ...]] = {}
    owner, decided = None, initiative_rows.last_decision(initiative)
    for row in initiative_rows.roles(initiative):
        if not row.open:
            if row.role == Role.OWNER and row.accepted_at and _later(row.ended_at, decided):
                part = Part(row.role, row.get_role_display().lower(), former=True)
                parts[row.person_id] = (*parts.get(row.person_id, ()), part)
            continue
        part = Part(row.role, row.get_role_display().lower(), proposed=not row.accepted_at)
        parts[row.person_id] = (*parts.get(row.person_id, ()), part)
        for key in initiative_rows.standing_in(row):
            parts[key] = (*parts.get(key, ()), replace(part, stands_in_for=str(row.person)))
        if row.role == Role.OWNER and row.in_force:
            owner = row.person_id
    return TeamMembers(parts, None if ever_owned(initiative) else initiative.registered_by_id, owner)


def why_not_decide(initiative: Initiative, person: User, verb: str = "is") -> str:
    """Return why the person, by any account, does not decide on the initiative. Empty if they may.

    The words follow a name, with `verb`. A team member does not decide. Neither does anyone who owned the initiative,
    opened a review of it or wrote evidence for it after its last decision, or who wrote its contract.
    """
    team_members, accounts = team_members_of(initiative), accounts_of(person)
    held = {part for key in accounts for part in team_members.parts.get(key, ())}
    roles = sorted({part.key.replace("_", " ") for part in held if not part.former})
    if team_members.stand_in in accounts:
        roles.append("stands in for its owner")
    if roles:
        return f"{verb} a team member of this initiative ({', '.join(roles)})"
    if held:
        return "owned this initiative after its last decision"
    decided = initiative_rows.last_decision(initiative)
    opened = (
        row.opened_by_id for row in initiative_rows.reviews(initiative) if _later(row.opened_at, decided)
    )
    if accounts & set(opened):
        return "opened a review of this initiative after its last decision"
    wrote = (
        item.author_id
        for item in initiative_rows.rows(initiative, "evidence")
        if _later(item.added_at, decided)
        and not (item.generated or item.withdrawn_at)
        and STOP_REASON not in dict(item.covers)
    )
    if accounts & set(wrote):
        return "wrote evidence for this initiative after its last decision"
    return "wrote the contract of this initiative" if accounts & contract_authors(initiative) else ""


def _later(moment: datetime | None, decided: datetime | None) -> bool:
    return moment is not None and (decided is None or moment > decided)


def contract_authors(initiative: Initiative) -> frozenset[int]:
    """Return the keys of the authors of contract versions in force or in preparation."""
    return frozenset(
        version.author_id
        for version in initiative_rows.rows(initiative, "contract_versions")
        if version.state != ContractVersion.SUPERSEDED
    )


class Decides(Func):
    """The initiatives on which a person decides at a moment, in queries, by key: `Decides("pk", person, now)`."""

    function = "plumbline_decides"
    output_field = BooleanField()


class Speaks(Func):
    """The approvals of calls that count, in queries: by initiative, person, absent person, role and two moments."""

    function = "plumbline_speaks"
    output_field = BooleanField()


class Consents(Func):
    """The consents that count, in queries. The database function answers like `EligibleSigners.why_lapsed`."""

    function = "plumbline_consents"
    output_field = BooleanField()

    def __init__(self, initiative: str, person: str, seats: str | Sequence[str], since: str, now) -> None:
        """Take names of columns. `seats` is the column with the seat, or the seats themselves."""
        held = (
            Func(F(seats), template="ARRAY[%(expressions)s]::text[]")
            if isinstance(seats, str)
            else Value(list(seats), ArrayField(TextField()))
        )
        super().__init__(F(initiative), F(person), held, F(since), now)


@dataclass(frozen=True)
class EligibleSigners:
    """The board of an initiative, and what bars its members from signing, read once.

    `working` has the key and name of the holder of each role in force.
    """

    members: tuple[Membership, ...]
    team_members: TeamMembers
    working: dict[str, tuple[int, str]] = field(default_factory=dict, hash=False)
    contract_authors: frozenset[int] = frozenset()
    board: Board | None = None

    def holds(self, person, seat: str, since: datetime | None = None) -> bool:
        """Return True if the person holds the seat now, and has held it without a break since that moment."""
        return any(
            member.person_id == person.pk
            and member.seat == seat
            and (since is None or member.starts_at <= since)
            for member in self.members
        )

    def holders(self, seat: str) -> list:
        """Return the seat's present holders. They may at least withdraw or object."""
        return [member.person for member in seat_holders(self.members, seat)]

    def barred(self, person, seat: str, rests_on: RestsOn | None = None) -> list[str]:
        """Return why the person must not approve for the seat. See docs/domain.md, invariant 4."""
        return why_barred(signer_of(person), seat, self.team_members, rests_on=rests_on)

    def why_lapsed(
        self, person: User, seats: Sequence[str], since: datetime, rests_on: RestsOn | None = None
    ) -> list[str]:
        """Return why a consent that the person gave at `since` for one of `seats` does not count now.

        The giver must be active and not a team member. They must have held one of the seats on the board that decides
        now, without a break. An empty list means that the consent counts.
        """
        reasons = self.barred(person, seats[0], rests_on)
        if not any(self.holds(person, seat) for seat in seats):
            reasons.append(f"{person} no longer holds the seat")
        elif not any(self.holds(person, seat, since) for seat in seats):
            reasons.append(f"the seat under which {person} signed has ended, and was granted again")
        return reasons


def eligible_signers_of(initiative: Initiative) -> EligibleSigners:
    """Read the eligible signers of an initiative now, in four queries."""
    board = board_for(initiative.unit)
    return EligibleSigners(
        members=tuple(members_now(board)),
        board=board,
        team_members=team_members_of(initiative),
        working={
            role.role: (role.person_id, role.person.full_name)
            for role in initiative_rows.roles(initiative)
            if role.in_force and role.open
        },
        contract_authors=contract_authors(initiative),
    )


def first_lapsed(initiative: Initiative, row: Answer | StandaloneDeclaration) -> bool:
    """Return True if the first of two acceptances does not count now. Someone must accept first again."""
    if row.accepted_by is None or row.accepted_at is None:
        return False
    signers = eligible_signers_of(initiative)
    return bool(signers.why_lapsed(row.accepted_by, (row.accepted_seat,), row.accepted_at))


def why_lowers_no_tier(initiative: Initiative, person: User) -> list[str]:
    """Return why this person must not confirm the proposed risk tier, if that is lower than the confirmed one."""
    if not initiative.lowers_tier:
        return []
    return why_reports(signer_of(person, now=True), team_members_of(initiative))


def barred_from_signing(initiative: Initiative, person: User, *, now: bool = False) -> list[str]:
    """Return why this person must not sign off here (docs/domain.md, invariant 4).

    `now` is True if they are about to sign. An empty list bars no one.
    """
    return why_team_member(signer_of(person, now=now), team_members_of(initiative))
