"""The work list of one person: roles, seats and what stands on their initiatives, in two queries."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from governance import clock
from governance.database.request_memo import once
from governance.models import ContractVersion, Delegation, Membership, Rulebook, Unit, User
from governance.people import cooling_off
from governance.people.boards import boards, seats_held
from governance.permission_result import Answer
from governance.vocabulary import RUNNING_STAGES, BoardRole, Seat, Stage
from initiatives.inbox.rows import inbox_queries
from initiatives.integration.proposals.permissions import SEAT_WAITS
from initiatives.integration.residency.permissions import RESIDENCY_SEATS, may_confirm_terms
from initiatives.lifecycle.access.permissions import ARCHITECTURE
from initiatives.lifecycle.facts import stage_expiry, supported_stage
from initiatives.models import (
    Condition,
    Dependant,
    Initiative,
    Obligation,
    ProposedChange,
    Review,
    RoleAssignment,
    SupportedStagePeriod,
    Waiver,
)


class Look:
    """What one person holds and what stands there, each set read at most once."""

    def __init__(self, person: User):
        self.person = person
        self.now = clock.now()
        self.today = clock.today()

    # What names the person

    @cached_property
    def _named(self) -> dict[str, list]:
        """Every row that names the person, by table of `inbox_rows.OF_PERSON`.

        What the frame of the page and others ask too is kept for the running look.
        """
        named = inbox_queries.OF_PERSON.ask([self.person.pk], now=self.now, today=self.today)
        (row,) = named["person"]
        once(("rulebook in force",), lambda: row.newest_rulebook)
        once(("unread", self.person.pk), lambda: row.unread_notifications)
        return named

    @cached_property
    def _of_the_away(self) -> dict[str, list]:
        """The same rows of the people for whose roles the person stands in now."""
        away = {
            row.away
            for row in self._named["delegations"]
            if row.accepted_at and row.membership_id is None and row.since <= self.now
        }
        return inbox_queries.OF_PERSON.ask(away, *inbox_queries.OF_THE_AWAY, now=self.now, today=self.today)

    @cached_property
    def rulebook(self):
        """The rulebook in force, or None."""
        newest = self._named["person"][0].newest_rulebook
        return Rulebook.objects.kept(newest).parsed if newest is not None else None

    @property
    def imports(self) -> list[dict]:
        """Imports that nobody confirmed, for an admin: pk, file, source and at, oldest first."""
        return self._named["person"][0].open_imports if self.person.is_admin and self.person.is_active else []

    @property
    def sheet_changes(self) -> list[dict]:
        """Changes that sheets propose of what the person owns: number and title of the initiative, and the file."""
        return self._named["person"][0].sheet_changes

    @property
    def intake_invitations(self) -> list[dict]:
        """Senders of requests whom an admin is asked to invite: pk, unit, at and the number of the initiative."""
        named = self._named["person"][0].intake_invitations
        return named if self.person.is_admin and self.person.is_active else []

    @property
    def drafts(self) -> list[dict]:
        """Rulebooks that somebody else proposed, for a chair: version, and the name of the admin; newest first."""
        if not any(member.seat == BoardRole.CHAIR for member in self.memberships):
            return []
        return [row for row in self._named["person"][0].proposed_rulebooks if row["admin"] != self.person.pk]

    @property
    def proposals(self) -> list[ProposedChange]:
        """Proposed changes of what the person owns, by others: with `who` and the `place`, the system's name."""
        rows = {row.pk: row for name in ("proposals", "account_proposals") for row in self._named[name]}
        return [row for _, row in sorted(rows.items()) if row.by_id != self.person.pk]

    @property
    def proposals_to_seats(self) -> list[dict]:
        """Proposed changes that wait for one of the person's seats now: pk, kind, who, at and place."""
        rows = [row for row in self._named["person"][0].shared_proposals if row["by"] != self.person.pk]
        seats = {member.seat for member in self.memberships}
        architecture, residency = ARCHITECTURE in seats, bool(seats & set(RESIDENCY_SEATS))
        return [
            row
            for row in rows
            if (residency if row["kind"] == "vendor_term_filed" else architecture and self._is_due(row))
        ]

    def _is_due(self, row: dict) -> bool:
        """Whether the architecture seat answers a proposal now: a business term at once, all else after its week."""
        at_once = row["kind"] in ("term_named", "term_changed")
        return at_once or datetime.fromisoformat(row["at"]) + SEAT_WAITS <= self.now

    @property
    def unconfirmed_terms(self) -> list[dict]:
        """Terms of vendors that bind nobody yet, for who can confirm them: pk, vendor, reference, who and at."""
        rows = self._named["person"][0].unconfirmed_terms
        return rows if rows and may_confirm_terms(self.person) else []

    @cached_property
    def roles(self) -> list[RoleAssignment]:
        """Roles held or proposed, with their initiatives; those of people for whom the person stands in, too."""
        theirs = [row for row in self._of_the_away["roles"] if row.accepted_at]
        found = [*self._named["roles"], *theirs]
        return sorted(found, key=lambda row: (row.initiative.number, row.role, row.pk))

    @property
    def asked_to_stand_in(self) -> list[Delegation]:
        """What people who will be away ask of the person: with `who`, `since`, `until`, `seat` and `board`."""
        return [row for row in self._named["delegations"] if row.accepted_at is None]

    @property
    def conditions(self) -> list[Condition]:
        """Conditions that the person, or whoever they stand in for, has to meet, by their day."""
        return sorted([*self._named["conditions"], *self._of_the_away["conditions"]], key=_by_day)

    @property
    def obligations(self) -> list[Obligation]:
        """Whatever else is due by the person, or by whoever they stand in for, by its day."""
        return sorted([*self._named["obligations"], *self._of_the_away["obligations"]], key=_by_day)

    @cached_property
    def acting_as(self) -> set[int]:
        """Keys of the person and of those for whose roles they stand in."""
        return {self.person.pk} | {row.person_id for row in self._of_the_away["roles"]}

    @cached_property
    def standing_in_on(self) -> dict[int, str]:
        """By initiative, for whom the person stands in there without a role of their own."""
        own = {row.initiative_id for row in self.roles if row.person_id == self.person.pk}
        own |= {initiative.pk for initiative in self.standing_in}
        return {row.initiative_id: row.person.full_name for row in self.roles if row.initiative_id not in own}

    @property
    def standing_in(self) -> list[Initiative]:
        """Initiatives that the person registered and nobody ever accepted to own: they stand in for the owner."""
        return self._named["unowned"]

    @property
    def depending(self) -> list[Dependant]:
        """Dependences of the person on initiatives that are held (`held`) or past their grace (`lapsed`)."""
        return sorted(self._named["depending"], key=lambda row: (row.initiative.number, row.pk))

    @property
    def to_read(self) -> list[dict]:
        """Messages about a stop or a step-back that the person has not opened: pk, subject, text, ref and at."""
        return self._named["person"][0].to_read

    @cached_property
    def team_initiatives(self) -> set[int]:
        """Keys of initiatives on which the person signs and decides nothing."""
        return {row.initiative_id for row in self.roles} | {initiative.pk for initiative in self.standing_in}

    @cached_property
    def working(self) -> dict[int, tuple[Initiative, set[str]]]:
        """Running initiatives on which the person works, with the roles accepted."""
        found: dict[int, tuple[Initiative, set[str]]] = {
            initiative.pk: (initiative, {"owner"})
            for initiative in self.standing_in
            if initiative.stage in RUNNING_STAGES
        }
        for row in self.roles:
            if row.accepted_at and row.initiative.stage in RUNNING_STAGES:
                found.setdefault(row.initiative_id, (row.initiative, set()))[1].add(row.role)
        return found

    def working_as(self, *roles: str) -> list[int]:
        """Keys of the running initiatives on which the person holds one of these roles."""
        return [pk for pk, (_, held) in self.working.items() if held & set(roles)]

    # Where the person sits

    @cached_property
    def memberships(self) -> list[Membership]:
        """Seats held now."""
        return seats_held(self.person)

    def holder_on(self, initiative: Initiative, seat: str) -> str:
        """For whom the person holds this seat of the initiative's board, as a delegate only; else empty."""
        mine = [
            member
            for member in self.memberships
            if member.seat == seat and self.boards_by_unit.get(initiative.unit_id) == member.board_id
        ]
        if not mine or any(member.delegate_of_id is None for member in mine):
            return ""
        return mine[0].delegate_of.person.full_name

    @cached_property
    def units(self) -> dict[int, Unit]:
        """Every unit below a board on which the person sits."""
        return {row["id"]: Unit(**row) for member in self._named["seats"] for row in member.units}

    @cached_property
    def boards_by_unit(self) -> dict[int, int]:
        """For every unit whose board the person sits on: the key of that board."""
        if not self.memberships:
            return {}
        places = {board.unit.path: board.pk for board in boards()}
        sat_on = {member.board_id for member in self.memberships}
        found = {}
        for pk, unit in self.units.items():
            nearest = places[max((place for place in places if unit.path.startswith(place)), key=len)]
            if nearest in sat_on:
                found[pk] = nearest
        return found

    @cached_property
    def seats_by_unit(self) -> dict[int, set[str]]:
        """For every unit whose board the person sits on: the seats, chair and deputy included."""
        seats: dict[int, set[str]] = {}
        for member in self.memberships:
            seats.setdefault(member.board_id, set()).add(member.seat)
        return {unit: seats[board] for unit, board in self.boards_by_unit.items()}

    # What stands on those boards and initiatives

    @cached_property
    def _current_there(self) -> dict[str, list]:
        """Every row around the person's units and running initiatives, by table of `inbox_rows.AROUND`."""
        deputy = {member.board_id for member in self.memberships if member.seat == BoardRole.DEPUTY_CHAIR}
        return inbox_queries.AROUND.ask(
            {
                "seated": list(self.seats_by_unit),
                "chaired": self.units_with([BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR]),
                "ended": self.units_with([BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR]) if self.rulebook else [],
                "waived": self.units_with([BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR, "risk_compliance"]),
                "signing": self.units_with(self.rulebook.contract.seats if self.rulebook else ()),
                "risky": self.units_with(["risk_compliance"]),
                "boards": deputy,
                "initiatives": list(self.working),
                "owned": self.working_as("owner"),
                "recorded": self.working_as("owner", "technical_lead"),
                "reconciled": self.working_as("owner", "data_steward"),
                "renewed": [
                    pk
                    for pk in self.working_as("owner", "support_owner")
                    if self.working[pk][0].stage == Stage.PRODUCTION
                ],
            },
            now=self.now,
            today=self.today,
            **(stage_expiry.moments(self.rulebook) if self.rulebook else {}),
        )

    def rows(self, table: str) -> list:
        """The rows of one table of `inbox_rows`: those that name the person, or around their units and running
        initiatives.
        """
        return self._named[table] if table in self._named else self._current_there[table]

    @cached_property
    def spans(self) -> dict[int, SupportedStagePeriod]:
        """What the evidence of each running initiative of theirs supports now."""
        return {row.initiative_id: row for row in self.rows("spans")}

    @cached_property
    def answered(self) -> dict[int, set[str]]:
        """The requirements that have an answer, on each running initiative of theirs."""
        return {row.pk: set(row.answered) for row in self.rows("answered")}

    @cached_property
    def open_reviews(self) -> list[Review]:
        """Open reviews before the person's boards, with the `sign_offs` that stand."""
        found = sorted(self.rows("reviews"), key=_by_initiative)
        for row in found:
            row.rulebook = Rulebook.objects.kept(row.rulebook_id)
            row.initiative.unit = self.units[row.initiative.unit_id]
            row.latest_sign_offs = [
                sign_off for sign_off in self.rows("sign_offs") if sign_off.review_id == row.pk
            ]
        return found

    @cached_property
    def own_reviews(self) -> list[Review]:
        """Open reviews of the initiatives on which the person works, with their units."""
        found = sorted(self.rows("own_reviews"), key=_by_initiative)
        for row in found:
            row.rulebook = Rulebook.objects.kept(row.rulebook_id)
        return found

    @property
    def waivers(self) -> list[Waiver]:
        """Waivers that still lack an approver, on initiatives of the person's boards."""
        return sorted((row for row in self.rows("waivers") if row.until >= self.today), key=_by_initiative)

    @property
    def contracts(self) -> list[ContractVersion]:
        """Contracts in review that the person did not write: with `signed`, the seats, and `initiative_...`."""
        return [row for row in self.rows("contracts") if row.author_id != self.person.pk]

    @cached_property
    def _ending(self) -> tuple[list[tuple[Initiative, date]], int]:
        initiatives = sorted(self.rows("ending"), key=lambda initiative: (initiative.since, initiative.pk))
        ends = [
            (
                initiative,
                supported_stage.review_by(initiative, list(map(date.fromisoformat, initiative.continued)))
                or supported_stage.reattest_by(initiative),
            )
            for initiative in initiatives[: inbox_queries.MOST_ENDING]
        ]
        return ends, sum({initiative.unit_id: initiative.in_all for initiative in initiatives}.values())

    @property
    def ending(self) -> list[tuple[Initiative, date]]:
        """Initiatives of the person's boards whose stage ends soon, or has ended, with the day; the oldest first, so
        many.
        """
        return self._ending[0]

    @property
    def ending_in_all(self) -> int:
        """How many such initiatives there are."""
        return self._ending[1]

    @cached_property
    def chaired(self) -> set[int]:
        """Initiatives with something to decide that the person decides on now: as chair, or as deputy in place of
        one.
        """
        initiatives = {row.initiative_id: row.initiative.unit_id for row in self.open_reviews}
        initiatives |= {
            row.initiative_id: row.initiative.unit_id
            for row in [*self.rows("holds"), *self.waivers, *self.rows("lapsed")]
        }
        initiatives |= {initiative.pk: initiative.unit_id for initiative, _ in self.ending}
        mine = {pk for pk, unit in initiatives.items() if BoardRole.CHAIR in self.seats_by_unit.get(unit, ())}
        deputy = {
            pk
            for pk, unit in initiatives.items()
            if BoardRole.DEPUTY_CHAIR in self.seats_by_unit.get(unit, ())
        } - mine
        mine -= self.team_initiatives
        if any(member.away for member in self.memberships):
            return set()
        return mine | self._in_place_of_the_chair(deputy - self.team_initiatives, initiatives)

    def _in_place_of_the_chair(self, deputy: set[int], initiatives: dict[int, int]) -> set[int]:
        """Those of these initiatives on whose board no chair is there who is not a team member of the initiative."""
        chairs: dict[int, set[int]] = {}
        for row in self.rows("chairs"):
            chairs.setdefault(row.board_id, set()).add(row.person_id)
        chaired = {pk for pk in deputy if chairs.get(self.boards_by_unit[initiatives[pk]])}
        if not chaired:
            return deputy
        team_member = set(
            RoleAssignment.objects.open()
            .filter(initiative__in=chaired, person__in=set().union(*chairs.values()))
            .values_list("initiative_id", "person_id")
        )
        return {
            pk
            for pk in deputy
            if all((pk, one) in team_member for one in chairs.get(self.boards_by_unit[initiatives[pk]], ()))
        }

    def chairs_now(self, unit: int) -> bool:
        """Whether the person answers for the unit now: as chair of its board, or as deputy while no chair is there."""
        if any(member.away for member in self.memberships):
            return False
        seats, there = self.seats_by_unit.get(unit, ()), {row.board_id for row in self.rows("chairs")}
        in_place = BoardRole.DEPUTY_CHAIR in seats and self.boards_by_unit[unit] not in there
        return BoardRole.CHAIR in seats or in_place

    def may_lift_in(self, unit: int, seat: str) -> Answer:
        """Sign now, in this seat of the board of the unit, what lets an initiative rise."""
        board = self.boards_by_unit.get(unit)
        held = [row for row in self.memberships if row.seat == seat and row.board_id == board]
        return cooling_off.may_lift(self.person, held)

    def seats_on(self, initiative: Initiative) -> list[str]:
        """The signing seats of the person on the board of the initiative."""
        return [seat for seat in Seat if seat in self.seats_by_unit.get(initiative.unit_id, ())]

    def units_with(self, seats) -> list[int]:
        """Units on whose board the person holds one of these seats."""
        return [pk for pk, held in self.seats_by_unit.items() if held & set(seats)]


def look_of(person: User) -> Look:
    """What the person holds, read once for the running look."""
    return once(("inbox", person.pk), lambda: Look(person))


@dataclass(frozen=True)
class Circle:
    """The initiatives near a person's inbox: those named there by reference, and all of the units whose board they sit
    on.
    """

    initiatives: frozenset[str]
    units: frozenset[int]

    def touches(self, references: set[str]) -> bool:
        """Whether one of these initiatives is near."""
        if references & self.initiatives:
            return True
        numbers = [int(ref[3:]) for ref in references]
        return bool(numbers and self.units) and (
            Initiative.objects.filter(number__in=numbers, unit__in=self.units).exists()
        )


def circle_of(person: User) -> Circle:
    """The initiatives near this person's inbox now."""
    look = look_of(person)
    rows = [*look.roles, *look.obligations, *look.rows("dependants"), *look.depending]
    initiatives = {row.initiative.ref for row in rows} | {initiative.ref for initiative in look.standing_in}
    initiatives |= {Initiative.ref_of(row.initiative_number) for row in look.conditions}
    return Circle(frozenset(initiatives), frozenset(look.seats_by_unit))


def _by_initiative(row) -> tuple:
    return row.initiative.number, row.pk


def _by_day(row) -> tuple:
    return row.due, row.pk
