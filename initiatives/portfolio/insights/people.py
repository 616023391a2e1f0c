"""The load of each person, and how each verifies evidence (S2-4.2). No gate uses it."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median

from django.db.models import Count, Q, QuerySet

from governance.gates.evidence_rules import used_before
from governance.models import Membership, User
from governance.people.boards import seats_held
from governance.permission_result import Answer, no, yes
from governance.vocabulary import RUNNING_STAGES, BoardRole, Role, shares
from initiatives.models import Condition, Gap, Obligation, RoleAssignment, Verification


@dataclass
class Load:
    """The load of one person on these initiatives: roles held or asked, tasks, seats."""

    person: User
    roles: dict[str, int] = field(default_factory=dict)
    asked: int = 0
    due: int = 0
    overdue: int = 0
    seats: int = 0

    @property
    def held(self) -> int:
        """Return the number of roles on running initiatives."""
        return sum(self.roles.values())

    @property
    def roles_in_words(self) -> str:
        """Return the roles and their numbers in words."""
        return ", ".join(f"{Role(role).label.lower()} {count}" for role, count in sorted(self.roles.items()))


def loads(initiatives: QuerySet, today: date, now: datetime) -> list[Load]:
    """Return the load by person, most roles first, then most due, in six queries.

    Roles count on running initiatives. Obligations, conditions and gaps count on all initiatives where they are open.
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


@dataclass
class Verifying:
    """The verifications of one person in one seat. `seconds` run from opening to verdict.

    `looked_at` counts second looks of others at them, and `agreed` those that agree.
    """

    person: User
    seat: str
    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    repeated: int = 0
    agreed: int = 0
    looked_at: int = 0

    @property
    def count(self) -> int:
        """Return the number of verdicts of both kinds."""
        return len(self.seconds)

    @property
    def median_seconds(self) -> float:
        """Return the median time from opening to verdict, in seconds."""
        return median(self.seconds)

    @property
    def refused_percent(self) -> float:
        """Return the percentage of verdicts that the item does not show the answer."""
        return 100 * self.refused / self.count

    @property
    def repeated_percent(self) -> float:
        """Return the percentage of verdicts in words that the person used earlier."""
        return 100 * self.repeated / self.count

    @property
    def agreement(self) -> str:
        """Return the share of second looks that agree, with its interval, or ""."""
        return shares.in_words(self.agreed, self.looked_at)


def may_read_verifying(person: User) -> Answer:
    """Allow auditors and chairs to read how each person verifies visible evidence."""
    chairs = (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR)
    if person.is_active and (person.is_auditor or any(held.seat in chairs for held in seats_held(person))):
        return yes()
    return no("Only auditors and chairs can see how people verify evidence.", "Ask an auditor or a chair.")


def verifying(initiatives: QuerySet) -> list[Verifying]:
    """Return how each person verified, by seat, then by most verdicts, in two queries."""
    keys = initiatives.order_by().values("pk")
    said = list(
        Verification.objects.filter(evidence__initiative__in=keys)
        .order_by("at", "pk")
        .values_list("verifier", "seat", "shows", "at", "opening__at", "words", "second__shows")
    )
    people = User.objects.in_bulk({person for person, *_ in said})
    again = used_before((person, words) for person, *_, words, _ in said)
    found: dict[tuple[str, int], Verifying] = {}
    for (person, seat, shows, at, opened, _, agrees), repeated in zip(said, again, strict=True):
        row = found.setdefault((seat, person), Verifying(people[person], seat))
        row.seconds.append((at - opened) / timedelta(seconds=1))
        row.refused += not shows
        row.repeated += repeated
        row.looked_at += agrees is not None
        row.agreed += bool(agrees)
    return sorted(found.values(), key=lambda one: (one.seat, -one.count, one.person.full_name, one.person.pk))
