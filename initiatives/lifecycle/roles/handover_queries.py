"""The parts that a person can hand over, and the limits of a successor."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from governance import clock
from governance.models import Membership, User
from governance.people.boards import board_for
from governance.vocabulary import RUNNING_STAGES, ReviewOutcome, Role
from initiatives.models import Condition, Gap, Handover, Initiative, Obligation, RoleAssignment, SignOff


@dataclass
class Part:
    """The rows that one person holds on one initiative.

    Obligations stay with the responsible person (docs/domain.md, invariant 14).
    """

    initiative: Initiative
    roles: list[RoleAssignment] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    obligations: list[Obligation] = field(default_factory=list)
    waiting: Handover | None = None

    @property
    def what(self) -> str:
        """Return in words what passes to a successor."""
        return passes(self.roles, self.conditions, self.gaps)


def passes(roles, conditions, gaps) -> str:
    """Return role names and counts, such as "business owner, 2 conditions"."""
    words = [Role(role.role).label.lower() for role in roles]
    for rows, noun in ((conditions, "condition"), (gaps, "gap")):
        if rows:
            words.append(f"{len(rows)} {noun}{'' if len(rows) == 1 else 's'}")
    return ", ".join(words)


def parts_of(person: User, initiatives: Iterable[int] | None = None) -> list[Part]:
    """Return what the person holds on running initiatives, or on these keys."""
    of_initiatives = {} if initiatives is None else {"pk__in": list(initiatives)}
    running = (
        Initiative.objects.live().filter(stage__in=RUNNING_STAGES, **of_initiatives).select_related("unit")
    )
    found: dict[int, Part] = {}

    def part(initiative: Initiative) -> Part:
        return found.setdefault(initiative.pk, Part(initiative))

    roles = RoleAssignment.objects.in_force().filter(person=person, initiative__in=running)
    for role in roles.select_related("initiative__unit").order_by("role"):
        part(role.initiative).roles.append(role)
    open_conditions = Condition.objects.filter(
        owner=person, met_at__isnull=True, review__initiative__in=running
    )
    for condition in open_conditions.select_related("review__initiative__unit"):
        part(condition.review.initiative).conditions.append(condition)
    for gap in Gap.objects.filter(
        owner=person, closed_at__isnull=True, initiative__in=running
    ).select_related("initiative__unit"):
        part(gap.initiative).gaps.append(gap)
    for obligation in Obligation.objects.open().filter(responsible=person).select_related("initiative__unit"):
        if obligation.initiative_id in found:
            found[obligation.initiative_id].obligations.append(obligation)
    for row in (
        Handover.objects.waiting().filter(person=person, initiative__in=found).select_related("successor")
    ):
        found[row.initiative_id].waiting = row
    return sorted(found.values(), key=lambda one: one.initiative.number)


def keeps_from(chosen: list[tuple[Part, User]]) -> list[str]:
    """Return what successors lose by being asked and accepting. The reason is separation of duties."""
    initiatives, people = {part.initiative.pk for part, _ in chosen}, {person.pk for _, person in chosen}
    now = clock.now()
    sign_offs = SignOff.objects.latest().filter(
        review__outcome=ReviewOutcome.OPEN,
        review__initiative__in=initiatives,
        person__in=people,
        verdict__startswith="approve",
    )
    signed = set(sign_offs.values_list("review__initiative", "person"))
    seats: dict[tuple[int, int], list[str]] = {}
    for member in Membership.objects.held_at(now).filter(person__in=people).select_related("board"):
        seats.setdefault((member.board_id, member.person_id), []).append(member.get_seat_display().lower())
    absent = set(
        User.objects.filter(
            pk__in=people, absences__starts_at__lte=now, absences__ends_at__gt=now
        ).values_list("pk", flat=True)
    )
    said = []
    for part, person in chosen:
        board = board_for(part.initiative.unit)
        held = seats.get((board.pk, person.pk)) if board else None
        said.append(f"{part.initiative.ref} {part.initiative.title}: {person} is asked for {part.what}.")
        if (part.initiative.pk, person.pk) in signed:
            said.append(f"{person} approved in the open review. This sign-off no longer counts from now on.")
        if held:
            said.append(
                f"{person} is on the board of the initiative ({', '.join(held)}). After the request, "
                f"{person} can no longer approve or decide on the initiative."
            )
        if person.pk in absent:
            said.append(f"{person} is away now, and may answer late.")
    return said
