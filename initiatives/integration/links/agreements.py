"""Links with an agreement of the system's owner, for shared changes (ADR 0042).

An agreement counts for a year, while the link is unchanged and its giver owns the system. An owner who works or
worked on the initiative cannot give one, so that no one gains a right by owning a system and agreeing to their own
link.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db.models import Q, QuerySet

from governance import clock
from governance.gates.levels import INVENTORY
from governance.models import Delegation, User
from governance.vocabulary import RUNNING_STAGES, Role, Stage
from initiatives.integration.systems.findings import digest
from initiatives.lifecycle.facts.finding_rules import Measurable, about
from initiatives.models import Link, LinkAnswer, RoleAssignment, System, Transfer, Vendor
from initiatives.models.integration.systems import ACCEPTANCE_DAYS


def agreed(links: QuerySet) -> list[Link]:
    """Return the current links whose present text an owner outside the team agreed to."""
    rows = list(links.current().select_related("system__owner", "initiative").order_by("pk").distinct())
    answers = {row.link_id: row for row in LinkAnswer.objects.filter(link__in=rows).order_by("pk")}
    oldest = clock.today() - timedelta(days=ACCEPTANCE_DAYS)
    rows = [row for row in rows if _says_yes(row, answers.get(row.pk), oldest)]
    if not rows:
        return []
    transfers: dict[int, list[Transfer]] = {}
    for transfer in Transfer.objects.filter(link__in=rows, ended_at__isnull=True).order_by("position"):
        transfers.setdefault(transfer.link_id, []).append(transfer)
    inside = _team_members({row.initiative_id for row in rows})
    return [
        row
        for row in rows
        if answers[row.pk].digest == digest(row, transfers.get(row.pk, []))[1]
        and row.initiative.registered_by_id != row.system.owner_id
        and (row.initiative_id, row.system.owner_id) not in inside
    ]


def _says_yes(link: Link, answer: LinkAnswer | None, oldest) -> bool:
    """Return True if the newest answer is a yes of the present owner and not too old."""
    owner = link.system.owner
    return (
        answer is not None
        and answer.accepts
        and owner is not None
        and owner.is_active
        and answer.by_id == owner.pk
        and clock.local_day(answer.at) >= oldest
    )


def _team_members(initiatives: set[int]) -> set[tuple[int, int]]:
    """Return (initiative, person) for all who accepted a role there, or stand in now.

    A role counts even after it has ended.
    """
    roles = RoleAssignment.objects.filter(initiative__in=initiatives, accepted_at__isnull=False)
    found = set(roles.values_list("initiative", "person"))
    lent = (
        Delegation.objects.agreed()
        .for_roles()
        .at(clock.now())
        .filter(absence__person__in={person for _, person in found})
        .values_list("absence__person", "delegate")
    )
    behind: dict[int, set[int]] = {}
    for person, delegate in lent:
        behind.setdefault(person, set()).add(delegate)
    return found | {(initiative, one) for initiative, person in found for one in behind.get(person, ())}


def of_initiatives(initiatives: Iterable[int] | QuerySet, systems: Iterable[System]) -> set[tuple[int, int]]:
    """Return (initiative, system) for each link that the system's owner agreed to.

    An agreement to a collection also counts for those of its sources that the same owner owns.
    """
    rows = list(systems)
    wanted = {key for row in rows for key in (row.pk, row.collection_id) if key}
    links = agreed(Link.objects.filter(system__in=wanted, initiative__in=initiatives)) if wanted else []
    return {
        (link.initiative_id, row.pk)
        for link in links
        for row in rows
        if link.system_id == row.pk
        or (link.system_id == row.collection_id and link.system.owner_id == row.owner_id)
    }


@about(Link.objects.current())
def measures(initiatives: list[int]) -> Iterator[tuple[int, Measurable]]:
    """Yield a measured inventory for each initiative whose links are all agreed to."""
    links = Link.objects.current().filter(initiative__in=initiatives)
    current: dict[int, set[int]] = {}
    for key, initiative in links.values_list("pk", "initiative"):
        current.setdefault(initiative, set()).add(key)
    if not current:
        return
    yes = {row.pk for row in agreed(links)}
    whole = {initiative: keys for initiative, keys in current.items() if keys <= yes}
    last = {row.link_id: row for row in LinkAnswer.objects.filter(link__initiative__in=whole).order_by("pk")}
    for initiative, keys in whole.items():
        days = [clock.local_day(last[key].at) for key in keys]
        yield (
            initiative,
            Measurable(
                INVENTORY,
                "agreement",
                "links",
                f"each of {len(keys)} link{'' if len(keys) == 1 else 's'} is agreed to by the owner of its system",
                max(last[key].at for key in keys),
                clock.midnight_after(min(days) + timedelta(days=ACCEPTANCE_DAYS)),
            ),
        )


def uses_vendor(vendor: Vendor, person: User) -> bool:
    """Return True if an initiative of the person uses the vendor by an agreed link.

    The person is its owner or technical lead, and it is beyond an idea.
    """
    roles = RoleAssignment.objects.in_force().filter(
        person=person, role__in=(Role.OWNER, Role.TECHNICAL_LEAD), initiative__withdrawn_at__isnull=True
    )
    stages = [stage for stage in RUNNING_STAGES if stage != Stage.PROPOSED]
    links = Link.objects.filter(
        Q(transfers__vendor=vendor, transfers__ended_at__isnull=True) | Q(system__vendor=vendor),
        initiative__in=roles.filter(initiative__stage__in=stages).values("initiative"),
    )
    return bool(agreed(links))
