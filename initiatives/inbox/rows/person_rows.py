"""The work list of one person, read in two queries: roles, seats, and their rows."""

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
from initiatives.inbox.rows import around_queries, inbox_queries
from initiatives.integration.residency.permissions import may_confirm_terms
from initiatives.lifecycle.access.signers import Decides
from initiatives.lifecycle.access.visibility import COMPLETED_ELSEWHERE
from initiatives.lifecycle.facts import stage_expiry, supported_stage
from initiatives.models import (
    Condition,
    Dependant,
    Gap,
    Initiative,
    Obligation,
    Review,
    RoleAssignment,
    SupportedStagePeriod,
    Waiver,
)


class Look:
    """The roles and seats of one person, and the rows around them, each set read once."""

    def __init__(self, person: User):
        self.person = person
        self.now = clock.now()
        self.today = clock.today()

    # Rows that name the person

    @cached_property
    def _named(self) -> dict[str, list]:
        """Return every row that names the person, by table of `inbox_queries.OF_PERSON`.

        The published rulebooks are kept for the request, as `Rulebook.objects.current` reads them.
        """
        named = inbox_queries.OF_PERSON.ask([self.person.pk], now=self.now, today=self.today)
        (row,) = named["person"]
        once(("published rulebooks",), lambda: row.published_rulebooks)
        return named

    @cached_property
    def _of_the_away(self) -> dict[str, list]:
        """Return the same rows of the people for whose roles the person stands in now."""
        away = {
            row.away
            for row in self._named["delegations"]
            if row.accepted_at and row.membership_id is None and row.since <= self.now
        }
        return inbox_queries.OF_PERSON.ask(away, *inbox_queries.OF_THE_AWAY, now=self.now, today=self.today)

    @cached_property
    def rulebook(self):
        """Return the rulebook in force, or None."""
        published = self._named["person"][0].published_rulebooks
        return Rulebook.objects.kept(published[0]).parsed if published else None

    @property
    def imports(self) -> list[dict]:
        """Return unconfirmed imports for an admin, oldest first: pk, file, source and at."""
        return self._named["person"][0].open_imports if self.person.is_admin and self.person.is_active else []

    @property
    def sheet_changes(self) -> list[dict]:
        """Return changes that sheets propose to the person's initiatives, with the file."""
        return self._named["person"][0].sheet_changes

    @property
    def drafts(self) -> list[dict]:
        """Return rulebooks that others proposed, for a chair, newest first."""
        if not any(member.seat == BoardRole.CHAIR for member in self.memberships):
            return []
        return [row for row in self._named["person"][0].proposed_rulebooks if row["admin"] != self.person.pk]

    @property
    def unconfirmed_terms(self) -> list[dict]:
        """Return unconfirmed terms for who can confirm: pk, vendor, reference, who, at."""
        rows = self._named["person"][0].unconfirmed_terms
        return rows if rows and may_confirm_terms(self.person) else []

    @cached_property
    def roles(self) -> list[RoleAssignment]:
        """Return roles held or proposed, with accepted roles of those they stand in for."""
        theirs = [row for row in self._of_the_away["roles"] if row.accepted_at]
        found = [*self._named["roles"], *theirs]
        return sorted(found, key=lambda row: (row.initiative.number, row.role, row.pk))

    @property
    def asked_to_stand_in(self) -> list[Delegation]:
        """Return requests to stand in, with `who`, `since`, `until`, `seat` and `board`."""
        return [row for row in self._named["delegations"] if row.accepted_at is None]

    @property
    def conditions(self) -> list[Condition]:
        """Return conditions of the person, or of someone they stand in for, by day."""
        lent = [
            row
            for row in self._of_the_away["conditions"]
            if self._lent(row.owner_id, row.review.initiative_id)
        ]
        return sorted([*self._named["conditions"], *lent], key=_by_day)

    def _lent(self, person: int, initiative: int) -> bool:
        """Return True if this absent person lent a role on the initiative, which alone opens it for a delegate."""
        theirs = self._of_the_away["roles"]
        return any(
            row.accepted_at and row.person_id == person and row.initiative_id == initiative for row in theirs
        )

    @property
    def obligations(self) -> list[Obligation]:
        """Return other obligations of the person, or of someone they stand in for, by day."""
        lent = [
            row
            for row in self._of_the_away["obligations"]
            if row.kind in COMPLETED_ELSEWHERE or self._lent(row.responsible_id, row.initiative_id)
        ]
        return sorted([*self._named["obligations"], *lent], key=_by_day)

    @property
    def gaps(self) -> list[Gap]:
        """Return open gaps of the person, or of someone they stand in for, by day."""
        lent = [row for row in self._of_the_away["gaps"] if self._lent(row.owner_id, row.initiative_id)]
        return sorted([*self._named["gaps"], *lent], key=_by_day)

    @cached_property
    def acting_as(self) -> set[int]:
        """Return keys of the person and of those for whose roles they stand in."""
        return {self.person.pk} | {row.person_id for row in self._of_the_away["roles"]}

    @cached_property
    def standing_in_on(self) -> dict[int, str]:
        """Return by initiative who the person stands in for without holding a role there."""
        own = {row.initiative_id for row in self.roles if row.person_id == self.person.pk}
        own |= {initiative.pk for initiative in self.standing_in}
        return {row.initiative_id: row.person.full_name for row in self.roles if row.initiative_id not in own}

    @property
    def standing_in(self) -> list[Initiative]:
        """Return initiatives that the person registered and that no one accepted to own."""
        return self._named["unowned"]

    @property
    def depending(self) -> list[Dependant]:
        """Return dependences on initiatives that are `held` or past their grace (`lapsed`)."""
        return sorted(self._named["depending"], key=lambda row: (row.initiative.number, row.pk))

    @cached_property
    def team_initiatives(self) -> set[int]:
        """Return keys of initiatives that the person cannot sign for, as a team member."""
        return {row.initiative_id for row in self.roles} | {initiative.pk for initiative in self.standing_in}

    @cached_property
    def working(self) -> dict[int, tuple[Initiative, set[str]]]:
        """Return running initiatives on which the person works, with the roles accepted."""
        found: dict[int, tuple[Initiative, set[str]]] = {
            initiative.pk: (initiative, {"owner"})
            for initiative in self.standing_in
            if initiative.stage in RUNNING_STAGES
        }
        for row in self.roles:
            if row.accepted_at and row.initiative.stage in RUNNING_STAGES:
                found.setdefault(row.initiative_id, (row.initiative, set()))[1].add(row.role)
        return found

    def works_since(self, initiative: Initiative) -> datetime:
        """Return since when the person could work toward the next stage of an initiative."""
        mine = [
            row.accepted_at for row in self.roles if row.initiative_id == initiative.pk and row.accepted_at
        ]
        return max(initiative.since, min(mine, default=initiative.since))

    def working_as(self, *roles: str) -> list[int]:
        """Return keys of running initiatives on which the person holds one of these roles."""
        return [pk for pk, (_, held) in self.working.items() if held & set(roles)]

    # Where the person sits

    @cached_property
    def memberships(self) -> list[Membership]:
        """Return the seats held now."""
        return seats_held(self.person)

    def holder_on(self, initiative: Initiative, seat: str) -> str:
        """Return who the person holds this seat for as a delegate only, or an empty text."""
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
        """Return every unit below a board on which the person sits."""
        return {row["id"]: Unit(**row) for member in self._named["seats"] for row in member.units}

    @cached_property
    def boards_by_unit(self) -> dict[int, int]:
        """Return, for every unit whose board the person sits on, the key of that board."""
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
        """Return the person's seats by unit of their boards, chair and deputy included."""
        seats: dict[int, set[str]] = {}
        for member in self.memberships:
            seats.setdefault(member.board_id, set()).add(member.seat)
        return {unit: seats[board] for unit, board in self.boards_by_unit.items()}

    # Rows of those boards and initiatives

    @cached_property
    def _current_there(self) -> dict[str, list]:
        """Return every row around the person's units, by table of `around_queries.AROUND`."""
        deputy = {member.board_id for member in self.memberships if member.seat == BoardRole.DEPUTY_CHAIR}
        return around_queries.AROUND.ask(
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
                "sponsored": self.working_as("sponsor"),
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
        """Return the rows of one table of `inbox_queries.OF_PERSON` or `around_queries.AROUND`."""
        return self._named[table] if table in self._named else self._current_there[table]

    @cached_property
    def spans(self) -> dict[int, SupportedStagePeriod]:
        """Return the supported stage period of each running initiative of the person."""
        return {row.initiative_id: row for row in self.rows("spans")}

    @cached_property
    def open_reviews(self) -> list[Review]:
        """Return the open reviews before the person's boards, with `latest_sign_offs`."""
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
        """Return open reviews, with units, of initiatives on which the person works."""
        found = sorted(self.rows("own_reviews"), key=_by_initiative)
        for row in found:
            row.rulebook = Rulebook.objects.kept(row.rulebook_id)
        return found

    @property
    def waivers(self) -> list[Waiver]:
        """Return waivers that lack an approver, on initiatives of the person's boards."""
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
            for initiative in initiatives[: around_queries.MOST_ENDING]
        ]
        return ends, sum({initiative.unit_id: initiative.in_all for initiative in initiatives}.values())

    @property
    def ending(self) -> list[tuple[Initiative, date]]:
        """Return initiatives of the person's boards whose stage ends soon or has ended.

        The oldest come first, each with the day. The number of initiatives is limited.
        """
        return self._ending[0]

    @property
    def ending_in_all(self) -> int:
        """Return how many initiatives `ending` would list without its limit."""
        return self._ending[1]

    @cached_property
    def chaired(self) -> set[int]:
        """Return initiatives that the person decides on now, as chair or as acting deputy."""
        initiatives = {row.initiative_id: row.initiative.unit_id for row in self.open_reviews}
        initiatives |= {
            row.initiative_id: row.initiative.unit_id
            for row in [*self.rows("holds"), *self.waivers, *self.rows("lapsed")]
        }
        initiatives |= {initiative.pk: initiative.unit_id for initiative, _ in self.ending}
        chairs = {BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR}
        mine = {pk for pk, unit in initiatives.items() if chairs & set(self.seats_by_unit.get(unit, ()))}
        mine -= self.team_initiatives
        if not mine or any(member.away for member in self.memberships):
            return set()
        decides = Decides("pk", self.person.pk, self.now)
        return set(Initiative.objects.filter(decides, pk__in=mine).values_list("pk", flat=True))

    def chairs_now(self, unit: int) -> bool:
        """Return True if the person is chair of the unit now, or deputy without a chair."""
        if any(member.away for member in self.memberships):
            return False
        seats, there = self.seats_by_unit.get(unit, ()), {row.board_id for row in self.rows("chairs")}
        in_place = BoardRole.DEPUTY_CHAIR in seats and self.boards_by_unit[unit] not in there
        return BoardRole.CHAIR in seats or in_place

    def may_lift_in(self, unit: int, seat: str) -> Answer:
        """Return whether the person may sign in this seat what lets an initiative rise."""
        board = self.boards_by_unit.get(unit)
        held = [row for row in self.memberships if row.seat == seat and row.board_id == board]
        return cooling_off.may_lift(self.person, held)

    def review_of(self, initiative: Initiative) -> str:
        """Return the matter of the person's seats: the open review, else the initiative."""
        open_review = next((row for row in self.open_reviews if row.initiative_id == initiative.pk), None)
        return f"review:{open_review.pk}" if open_review else f"board:{initiative.pk}"

    def seats_on(self, initiative: Initiative) -> list[str]:
        """Return the signing seats of the person on the board of the initiative."""
        return [seat for seat in Seat if seat in self.seats_by_unit.get(initiative.unit_id, ())]

    def units_with(self, seats) -> list[int]:
        """Return units on whose board the person holds one of these seats."""
        return [pk for pk, held in self.seats_by_unit.items() if held & set(seats)]


def look_of(person: User) -> Look:
    """Return the rows of the person's inbox, read once for a request."""
    return once(("inbox", person.pk), lambda: Look(person))


@dataclass(frozen=True)
class Circle:
    """The initiatives near a person's inbox: those it names, and all of their boards."""

    initiatives: frozenset[str]
    units: frozenset[int]

    def touches(self, references: set[str]) -> bool:
        """Return True if one of these initiatives is near."""
        if references & self.initiatives:
            return True
        numbers = [int(ref[3:]) for ref in references]
        return bool(numbers and self.units) and (
            Initiative.objects.filter(number__in=numbers, unit__in=self.units).exists()
        )


def circle_of(person: User) -> Circle:
    """Return the initiatives near this person's inbox now."""
    look = look_of(person)
    rows = [*look.roles, *look.obligations, *look.gaps, *look.rows("dependants"), *look.depending]
    initiatives = {row.initiative.ref for row in rows} | {initiative.ref for initiative in look.standing_in}
    initiatives |= {row.review.initiative.ref for row in look.conditions}
    return Circle(frozenset(initiatives), frozenset(look.seats_by_unit))


def _by_initiative(row) -> tuple:
    return row.initiative.number, row.pk


def _by_day(row) -> tuple:
    return row.due, row.pk
