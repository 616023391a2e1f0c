"""What one person holds and what stands on their cases and boards: sets of rows, each read at most once a desk."""

from datetime import date, timedelta
from functools import cached_property

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    BigIntegerField,
    BooleanField,
    CharField,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    OuterRef,
    Prefetch,
    Q,
    Value,
)
from django.db.models.functions import Greatest, JSONObject

from governance import clock
from governance.boards import away, boards, seats_held
from governance.models import Delegation, Membership, Rulebook, Unit, User
from governance.models.people import CHAIR, DEPUTY_CHAIR, SEATS
from initiatives import standing
from initiatives.models import (
    Continuation,
    Dependant,
    Handover,
    Hold,
    Initiative,
    Question,
    Review,
    RoleAssignment,
    SignOff,
    Waiver,
)
from initiatives.models.initiative import CLOSED, MVP, PRODUCTION, PROTOTYPE, RUNNING
from initiatives.visibility import stood_in_for

# A chair works through ends oldest first; the rest of them stand in the portfolio's reports.
MOST_ENDING = 20


class Look:
    """What one person holds and what stands there, each set read at most once."""

    def __init__(self, person: User):
        self.person = person
        self.now = clock.now()
        self.today = clock.today()

    @cached_property
    def book(self):
        """The rulebook in force, or None."""
        rulebook = Rulebook.objects.in_force()
        return rulebook.book if rulebook else None

    @cached_property
    def roles(self) -> list[RoleAssignment]:
        """Roles held or proposed, with their cases; those of people for whom the person stands in, too."""
        mine = Q(person=self.person) | Q(person__in=stood_in_for(self.person), accepted_at__isnull=False)
        rows = RoleAssignment.objects.open().filter(mine, initiative__withdrawn_at__isnull=True)
        return list(rows.select_related("initiative", "proposed_by", "person"))

    @cached_property
    def asked(self) -> list[tuple]:
        """What somebody who leaves or is away asks of the person; one question for both.

        Each is: key of the delegation, None for a handover; who asks; their words; seat; board; from; until.
        """
        stand_in = Delegation.objects.waiting().filter(delegate=self.person, absence__ends_at__gt=self.now)
        names = ["absence__person__full_name", "ended_reason", "membership__seat", "membership__board__name"]
        times = ["absence__starts_at", "absence__ends_at"]
        take_over = Handover.objects.waiting().filter(successor=self.person).order_by()
        empty = {
            "key": Value(None, BigIntegerField()),
            "seat": Value(None, CharField()),
            "board": Value(None, CharField()),
            "until": Value(None, DateTimeField()),
        }
        handed = take_over.annotate(**empty).values_list(
            "key", "person__full_name", "reason", "seat", "board", "proposed_at", "until"
        )
        return list(stand_in.order_by().values_list("pk", *names, *times).union(handed, all=True))

    @cached_property
    def standing_in_on(self) -> dict[int, str]:
        """By case, for whom the person stands in there without a role of their own."""
        own = {row.initiative_id for row in self.roles if row.person_id == self.person.pk}
        own |= {case.pk for case in self.standing_in}
        return {row.initiative_id: row.person.full_name for row in self.roles if row.initiative_id not in own}

    def holder_on(self, case: Initiative, seat: str) -> str:
        """For whom the person holds this seat of the case's board, as a delegate only; else empty."""
        mine = [
            member
            for member in self.memberships
            if member.seat == seat and self.boards_by_unit.get(case.unit_id) == member.board_id
        ]
        if not mine or any(member.delegate_of_id is None for member in mine):
            return ""
        return mine[0].delegate_of.person.full_name

    @cached_property
    def _concerned(self) -> list[Initiative]:
        """Cases that the person stands in for (`unowned`), or is asked about as an executive (`asked`)."""
        accepted = RoleAssignment.objects.filter(
            initiative=OuterRef("pk"), role="owner", accepted_at__isnull=False
        )
        asked = Dependant.objects.waiting().filter(initiative=OuterRef("pk"), executive=self.person)
        rows = asked.order_by("pk").values(
            row=JSONObject(pk="pk", who="who", by="stated_by__full_name", at="stated_at")
        )
        unowned = Q(~Exists(accepted), registered_by=self.person)
        return list(
            Initiative.objects.live()
            .filter(unowned | Exists(asked))
            .annotate(
                unowned=ExpressionWrapper(unowned, output_field=BooleanField()), asked=ArraySubquery(rows)
            )
        )

    @cached_property
    def standing_in(self) -> list[Initiative]:
        """Cases that the person registered and nobody ever accepted to own: they stand in for the owner."""
        return [case for case in self._concerned if case.unowned]

    @property
    def dependences(self) -> list[tuple[Initiative, dict]]:
        """What the person is asked to state as an executive: the case, and pk, who, by and at of the dependence."""
        return [(case, row) for case in self._concerned if case.stage not in CLOSED for row in case.asked]

    @cached_property
    def ending(self) -> list[tuple[Initiative, date]]:
        """Cases of the person's boards whose stage ends soon, or has ended, with the day; the oldest first, so many.

        Prototypes and MVPs that await *continue or stop*, and production to be accepted again.
        """
        units = [pk for pk, seats in self.seats_by_unit.items() if seats & {CHAIR, DEPUTY_CHAIR}]
        if not units or self.book is None:
            return []
        near = self.today + timedelta(days=max(self.book.freshness.warn_days_before))
        due = Q(pk__in=[])
        for stage in (PROTOTYPE, MVP):
            most = self.book.stages[stage].max_days_before_review
            if most is not None:
                due |= Q(stage=stage, since__lt=clock.midnight_after(near - timedelta(days=most)))
        rule = self.book.stages[PRODUCTION]
        for days, tier in ((rule.reattest_days_high, Q(tier="high")), (rule.reattest_days, ~Q(tier="high"))):
            due |= Q(tier, stage=PRODUCTION, accepted__lt=clock.midnight_after(near - timedelta(days=days)))
        going_on = Continuation.objects.filter(initiative=OuterRef("pk"), at__gte=OuterRef("since"))
        rows = (
            Initiative.objects.live()
            .annotate(
                accepted=Greatest("since", "reattested_at"),
                continued=ArraySubquery(going_on.order_by().values("until")),
            )
            .filter(due, ~Exists(going_on.filter(until__gt=near)), unit__in=units)
            .exclude(basis="import")
            .order_by("since", "pk")
        )
        return [
            (case, standing.review_by(case, case.continued) or standing.reattest_by(case))
            for case in rows[:MOST_ENDING]
        ]

    @cached_property
    def party_to(self) -> set[int]:
        """Keys of cases on which the person signs and decides nothing."""
        return {row.initiative_id for row in self.roles} | {case.pk for case in self.standing_in}

    @cached_property
    def working(self) -> dict[int, tuple[Initiative, set[str]]]:
        """Running cases on which the person works, with the roles accepted."""
        found: dict[int, tuple[Initiative, set[str]]] = {
            case.pk: (case, {"owner"}) for case in self.standing_in if case.stage in RUNNING
        }
        for row in self.roles:
            if row.accepted_at and row.initiative.stage in RUNNING:
                found.setdefault(row.initiative_id, (row.initiative, set()))[1].add(row.role)
        return found

    @cached_property
    def memberships(self) -> list[Membership]:
        """Seats held now."""
        return seats_held(self.person)

    @cached_property
    def boards_by_unit(self) -> dict[int, int]:
        """For every unit whose board the person sits on: the key of that board."""
        if not self.memberships:
            return {}
        places = {board.unit.path: board.pk for board in boards()}
        within = Q()
        for member in self.memberships:
            within |= Q(path__startswith=member.board.unit.path)
        sat_on = {member.board_id for member in self.memberships}
        found = {}
        for pk, path in Unit.objects.filter(within).values_list("pk", "path"):
            nearest = places[max((place for place in places if path.startswith(place)), key=len)]
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

    @cached_property
    def open_reviews(self) -> list[Review]:
        """Open reviews that the person signs, decides, or answers questions of."""
        if not self.seats_by_unit and not self.working:
            return []
        votes = SignOff.objects.latest()
        rows = (
            Review.objects.filter(
                Q(initiative__unit__in=self.seats_by_unit) | Q(initiative__in=self.working),
                outcome=Review.OPEN,
            )
            .select_related("initiative__unit", "initiative__standing")
            .prefetch_related(Prefetch("sign_offs", queryset=votes, to_attr="votes"))
        )
        found = list(rows)
        asked: dict[int, list[Question]] = {}
        to_answer = [row.pk for row in found if row.initiative_id in self.working]
        for question in Question.objects.filter(review__in=to_answer, answered_at__isnull=True):
            asked.setdefault(question.review_id, []).append(question)
        for row in found:
            row.rulebook = Rulebook.objects.kept(row.rulebook_id)
            row.unanswered = asked.get(row.pk, [])
        return found

    @cached_property
    def chaired(self) -> set[int]:
        """Cases with a review, a hold, a waiver or an end that the person decides on now: chair, or deputy in place."""
        cases = {review.initiative_id: review.initiative.unit_id for review in self.open_reviews}
        cases |= {row.initiative_id: row.initiative.unit_id for row in [*self.holds, *self.waivers]}
        cases |= {case.pk: case.unit_id for case, _ in self.ending}
        mine = {pk for pk, unit in cases.items() if CHAIR in self.seats_by_unit.get(unit, ())}
        deputy = {pk for pk, unit in cases.items() if DEPUTY_CHAIR in self.seats_by_unit.get(unit, ())} - mine
        mine -= self.party_to
        if any(member.away for member in self.memberships):
            return set()
        return mine | self._in_place_of_the_chair(deputy - self.party_to, cases)

    def _in_place_of_the_chair(self, deputy: set[int], cases: dict[int, int]) -> set[int]:
        if not deputy:
            return set()
        mine = {member.board_id: member.board.unit.path for member in self.memberships}
        chairs: dict[str, set[int]] = {path: set() for path in mine.values()}
        held = Membership.objects.held_at(self.now).filter(~away(self.now), board__in=mine, seat=CHAIR)
        for board_id, person_id in held.values_list("board_id", "person_id"):
            chairs[mine[board_id]].add(person_id)
        party = set(
            RoleAssignment.objects.open()
            .filter(initiative__in=deputy, person__in=set().union(*chairs.values()))
            .values_list("initiative_id", "person_id")
        )
        paths = dict(Unit.objects.filter(pk__in=cases.values()).values_list("pk", "path"))
        acting = set()
        for pk in deputy:
            nearest = max(
                (path for path in chairs if paths[cases[pk]].startswith(path)), key=len, default=None
            )
            free = [one for one in chairs.get(nearest, ()) if (pk, one) not in party]
            if not free:
                acting.add(pk)
        return acting

    @cached_property
    def holds(self) -> list[Hold]:
        """Holds that a chair may lift, on cases of the person's boards."""
        units = [pk for pk, seats in self.seats_by_unit.items() if seats & {CHAIR, DEPUTY_CHAIR}]
        if not units:
            return []
        liftable = Q(opened_by__isnull=False) | Q(liftable_since__isnull=False)
        return list(
            Hold.objects.open().filter(liftable, initiative__unit__in=units).select_related("initiative")
        )

    @cached_property
    def waivers(self) -> list[Waiver]:
        """Waivers that still lack an approver, on cases of the person's boards."""
        wanted = {CHAIR, DEPUTY_CHAIR, "risk_compliance"}
        units = [pk for pk, seats in self.seats_by_unit.items() if seats & wanted]
        if not units:
            return []
        return list(
            Waiver.objects.filter(
                Q(chair__isnull=True) | Q(risk__isnull=True),
                refused_at__isnull=True,
                until__gte=self.today,
                initiative__unit__in=units,
            ).select_related("initiative", "requested_by")
        )

    def seats_on(self, case: Initiative) -> list[str]:
        """The voting seats of the person on the board of the case."""
        return [seat for seat in SEATS if seat in self.seats_by_unit.get(case.unit_id, ())]

    def units_with(self, seats) -> list[int]:
        """Units on whose board the person holds one of these seats."""
        return [pk for pk, held in self.seats_by_unit.items() if held & set(seats)]
