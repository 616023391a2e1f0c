"""What each person carries: roles held and asked, what is due, seats (S2-4.2). It advises; no gate asks for it."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Count, Q, QuerySet

from governance.models import Membership, User
from governance.vocabulary import RUNNING_STAGES, Role
from initiatives.models import Condition, Gap, Obligation, RoleAssignment


@dataclass
class Load:
    """What one person carries on the initiatives that are looked at: roles held and asked, what is due, seats."""

    person: User
    roles: dict[str, int] = field(default_factory=dict)
    asked: int = 0
    due: int = 0
    overdue: int = 0
    seats: int = 0

    @property
    def held(self) -> int:
        """How many roles on initiatives that run, whatever role."""
        return sum(self.roles.values())

    @property
    def roles_in_words(self) -> str:
        """Which roles, and how many of each."""
        return ", ".join(f"{Role(role).label.lower()} {count}" for role, count in sorted(self.roles.items()))


def loads(initiatives: QuerySet, today: date, now: datetime) -> list[Load]:
    """Load by person over these initiatives, in six questions: those with most roles first, then with most that is due.

    Roles count on initiatives that run; obligations, conditions and gaps wherever they are open.
    """
    keys = initiatives.order_by().values("pk")
    running = initiatives.filter(stage__in=RUNNING_STAGES, withdrawn_at__isnull=True).order_by().values("pk")
    found: dict[int, dict] = defaultdict(
        lambda: {"roles": {}, "asked": 0, "due": 0, "overdue": 0, "seats": 0}
    )
    roles = RoleAssignment.objects.in_force().filter(initiative__in=running)
    for person, role, count in roles.order_by().values_list("person", "role").annotate(n=Count("pk")):
        found[person]["roles"][role] = count
    asked = RoleAssignment.objects.waiting().filter(initiative__in=running, person__is_active=True)
    for person, count in asked.order_by().values_list("person").annotate(n=Count("pk")):
        found[person]["asked"] = count
    for rows, who, due in (
        (Obligation.objects.open().filter(initiative__in=keys), "responsible", "due"),
        (Condition.objects.filter(review__initiative__in=keys, met_at__isnull=True), "owner", "due"),
        (Gap.objects.filter(initiative__in=keys, closed_at__isnull=True), "owner", "due"),
    ):
        counted = rows.exclude(**{who: None}).order_by().values(who)
        late = Count("pk", filter=Q(**{f"{due}__lt": today}))
        for row in counted.annotate(n=Count("pk"), late=late):
            found[row[who]]["due"] += row["n"]
            found[row[who]]["overdue"] += row["late"]
    seats = Membership.objects.held_at(now).filter(person__in=list(found))
    for person, count in seats.order_by().values_list("person").annotate(n=Count("pk")):
        found[person]["seats"] = count
    people = User.objects.in_bulk(list(found))
    rows_ = [Load(people[pk], **facts) for pk, facts in found.items()]
    return sorted(rows_, key=lambda one: (-one.held, -one.due, one.person.full_name, one.person.pk))
