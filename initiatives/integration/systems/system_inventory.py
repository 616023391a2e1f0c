"""The landscape of systems with their initiatives, as one person may see it.

Shared data are open to everyone. Only initiatives in `visible_to` are named. Others are counted, except confidential
ones, which strangers never see.
"""

from dataclasses import dataclass

from django.db.models import Count, QuerySet

from governance.models import User
from initiatives.integration.systems.findings import WAITING
from initiatives.lifecycle.access.visibility import visible_to
from initiatives.models import Initiative, Link, RequirementFinding, System

DRAWN = 30  # of the systems on which most initiatives hang; the others are one number


@dataclass(frozen=True)
class Weight:
    """A system and the number of initiatives tied to it."""

    system: System
    initiatives: int


@dataclass(frozen=True)
class Heaviest:
    """The systems with most initiatives, and a count of others with and without any."""

    rows: tuple[Weight, ...]
    others: int
    unused: int


def weights(person: User) -> dict[int, int]:
    """Return the number of initiatives by system in use, for systems with any.

    Counts only initiatives that this person may know of. One query serves the list and the picture, so that both
    agree.
    """
    links = Link.objects.current().filter(system__retired_at__isnull=True).order_by()
    if not (person.is_admin or person.is_auditor):
        unheard = Initiative.objects.filter(confidential=True).exclude(pk__in=visible_to(person).values("pk"))
        links = links.exclude(initiative__in=unheard.order_by().values("pk"))
    counted = links.values("system").annotate(initiatives=Count("initiative", distinct=True))
    return dict(counted.values_list("system", "initiatives"))


def ordered(systems: QuerySet, weight: dict[int, int]) -> list[int]:
    """Return the keys of these systems, most initiatives first, then by name."""
    named = systems.order_by().values_list("pk", "name")
    return [
        pk for pk, name in sorted(named, key=lambda one: (-weight.get(one[0], 0), one[1].casefold(), one[0]))
    ]


def heaviest(weight: dict[int, int]) -> Heaviest:
    """Return what the picture of the landscape shows."""
    most = sorted(weight, key=lambda pk: (-weight[pk], pk))[:DRAWN]
    named = System.objects.only("pk", "name").in_bulk(most)
    unused = System.objects.current().count() - len(weight)
    rows = tuple(Weight(named[pk], weight[pk]) for pk in most)
    return Heaviest(rows, len(weight) - len(rows), unused)


@dataclass(frozen=True)
class Dependents:
    """The links to a system that the person may open, and a count of the others."""

    links: QuerySet
    hidden: int


def dependents(person: User, system: System) -> Dependents:
    """Return the links of initiatives to the system or to its collection."""
    tied = [key for key in (system.pk, system.collection_id) if key]
    links = Link.objects.current().filter(system__in=tied)
    rows = links.select_related("initiative__unit", "system").order_by("initiative__number", "pk")
    if person.is_admin or person.is_auditor:
        return Dependents(rows, 0)
    seen = rows.filter(initiative__in=visible_to(person).values("pk"))
    others = Initiative.objects.filter(
        pk__in=links.values("initiative"), confidential=False, withdrawn_at__isnull=True
    ).exclude(pk__in=visible_to(person).values("pk"))
    return Dependents(seen, others.count())


def waiting_answers(system: System, now) -> QuerySet:
    """Return findings of links to the system that wait for an answer of its owner."""
    return (
        RequirementFinding.objects.current()
        .filter(system=system, requirement="int.systems_owned", source__endswith=f":{WAITING}")
        .to_answer(now)
        .select_related("initiative__unit")
        .order_by("initiative__number", "pk")
    )
