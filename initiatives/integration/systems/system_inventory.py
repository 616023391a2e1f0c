"""The landscape of systems as one person may see it: how many initiatives hang on each, who else depends on one.

What initiatives share is open to everybody; of the initiatives it says only what `visible_to` allows. Others are
counted, except confidential ones: of these strangers hear nothing at all.
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
    """A system and how many initiatives hang on it."""

    system: System
    initiatives: int


@dataclass(frozen=True)
class Heaviest:
    """The systems on which most initiatives hang, and how many others there are, with and without any initiative."""

    rows: tuple[Weight, ...]
    others: int
    unused: int


def weights(person: User) -> dict[int, int]:
    """By system in use, how many initiatives that this person may hear of are tied to it; only those with any.

    One query over all links, answered with a number a system: so the list and the picture say the same.
    """
    links = Link.objects.current().filter(system__retired_at__isnull=True).order_by()
    if not (person.is_admin or person.is_auditor):
        unheard = Initiative.objects.filter(confidential=True).exclude(pk__in=visible_to(person).values("pk"))
        links = links.exclude(initiative__in=unheard.order_by().values("pk"))
    counted = links.values("system").annotate(initiatives=Count("initiative", distinct=True))
    return dict(counted.values_list("system", "initiatives"))


def ordered(systems: QuerySet, weight: dict[int, int]) -> list[int]:
    """The keys of these systems, those on which most initiatives hang first, then by name."""
    named = systems.order_by().values_list("pk", "name")
    return [
        pk for pk, name in sorted(named, key=lambda one: (-weight.get(one[0], 0), one[1].casefold(), one[0]))
    ]


def heaviest(weight: dict[int, int]) -> Heaviest:
    """What the picture of the landscape shows."""
    most = sorted(weight, key=lambda pk: (-weight[pk], pk))[:DRAWN]
    named = System.objects.only("pk", "name").in_bulk(most)
    unused = System.objects.current().count() - len(weight)
    rows = tuple(Weight(named[pk], weight[pk]) for pk in most)
    return Heaviest(rows, len(weight) - len(rows), unused)


@dataclass(frozen=True)
class Dependents:
    """Who depends on a system: the links of initiatives that the person may open, and how many other initiatives there
    are.
    """

    links: QuerySet
    hidden: int


def dependents(person: User, system: System) -> Dependents:
    """The links of initiatives to the system, or to the collection it is a member of."""
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
    """What the register says of links to the system whose owner has not answered, or has to answer again."""
    return (
        RequirementFinding.objects.current()
        .filter(
            system=system, requirement="int.systems_owned", source__endswith=f":{WAITING}", since__lte=now
        )
        .select_related("initiative__unit")
        .order_by("initiative__number", "pk")
    )
