"""Findings of linked systems: condition, owners' agreement, what links and accounts lack.

Sources: rulebook, int.sources_condition, int.inventory, int.identity and int.systems_owned; S1-2, S1-13, S1-14, S1-37.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import date, timedelta

from governance import clock
from initiatives.lifecycle.facts.finding_rules import EVER, Wanted, about
from initiatives.models import (
    Customisation,
    Link,
    LinkAnswer,
    ServiceAccount,
    SourceAcceptance,
    System,
    Transfer,
)
from initiatives.models.integration.systems import ACCEPTANCE_DAYS, MANY_CUSTOMISATIONS, OLD_YEARS

# How the source of a finding ends while the owner's word is waited for, and once it was no.
WAITING, DECLINED = "agreement", "declined"


@about(Link.objects.current())
def says(initiatives: list[int]) -> Iterable[tuple[int, Wanted]]:
    """Sources in bad condition, links and accounts not fully described, systems whose owner has not agreed."""
    links = list(
        Link.objects.current()
        .filter(initiative__in=initiatives)
        .select_related("system__owner", "account__owner")
        .order_by("initiative", "id")
    )
    members: dict[int, list[System]] = {}
    inside = {link.system_id for link in links if link.system.kind == "knowledge_collection"}
    for member in System.objects.current().filter(collection__in=inside).select_related("owner"):
        members.setdefault(member.collection_id, []).append(member)
    transfers: dict[int, list[Transfer]] = {}
    for transfer in Transfer.objects.filter(link__in=links, ended_at__isnull=True).order_by("position"):
        transfers.setdefault(transfer.link_id, []).append(transfer)
    accepted = _acceptances(initiatives)
    answers = _answers(links)
    told: set[tuple[int, int]] = set()
    identities: set[tuple[int, ServiceAccount]] = set()
    for link in links:
        for source in (link.system, *members.get(link.system_id, ())):
            if (link.initiative_id, source.pk) not in told:
                told.add((link.initiative_id, source.pk))
                yield from _condition(link.initiative_id, source, accepted)
        if link.system.kind == "knowledge_collection" and not members.get(link.system_id):
            yield (
                link.initiative_id,
                Wanted(
                    "int.inventory",
                    f"system:{link.system_id}:members",
                    f"{link.system} is a collection of sources, and none is listed.",
                    "List its sources one by one.",
                    system_id=link.system_id,
                ),
            )
        if link.system.retired_at is not None:
            yield link.initiative_id, _retired(link.system)
        if link.account is not None and (link.initiative_id, link.account) not in identities:
            identities.add((link.initiative_id, link.account))
            for one in _identity(link.account, link.system):
                yield link.initiative_id, one
        yield from _inventory(link, transfers.get(link.pk, []))
        yield from _agreement(link, transfers.get(link.pk, []), answers.get(link.pk))


def risk_notes(system: System, customisations: list[Customisation]) -> list[str]:
    """What every link to a heavily customised system says as a risk; a note, never a finding (S1-2).

    From MANY_CUSTOMISATIONS teams on, or with any customisation after OLD_YEARS in service.
    """
    today = clock.today()
    teams = {row.team.casefold() for row in customisations if row.ended_on is None or row.ended_on > today}
    since = system.in_service_since
    old = since is not None and (since.year + OLD_YEARS, since.month, since.day) <= (
        today.year,
        today.month,
        today.day,
    )
    if not teams or not (old or len(teams) >= MANY_CUSTOMISATIONS):
        return []
    served = f", in service since {since.year}" if since else ""
    return [
        f"Customised by {len(teams)} team{'s' if len(teams) > 1 else ''}{served}: "
        "the same field may not mean the same to all of them."
    ]


def _retired(system: System) -> Wanted:
    return Wanted(
        "int.inventory",
        f"system:{system.pk}:retired",
        f"{system} was retired on {clock.local_day(system.retired_at):%-d %B %Y}.",
        "Close the link, and connect the initiative to what took its place.",
        system_id=system.pk,
    )


def _identity(account: ServiceAccount, system: System) -> Iterable[Wanted]:
    """What an account lacks; a review counts as overdue from the end of its day on, exactly."""
    who = account.owner.full_name if account.owner else ""
    # Its name is for those who may see accounts, its finding for everybody who reads the initiative.
    place = f"A service account in {system}"
    if account.closed_at is not None:
        yield Wanted(
            "int.identity",
            f"account:{account.pk}:closed",
            f"{place} was closed.",
            "Name the account that the link uses now.",
            system_id=system.pk,
        )
        return
    missing = []
    if account.owner is None or not account.owner.is_active:
        missing.append("owner")
    if not account.privileges:
        missing.append("list of what it may do")
    if account.review_by is None:
        missing.append("day of its next review")
    if missing:
        yield Wanted(
            "int.identity",
            f"account:{account.pk}:missing",
            f"{place} has no {' and no '.join(missing)}.",
            "Fill in the account.",
            who=who,
            system_id=system.pk,
        )
    if account.review_by is not None:
        yield Wanted(
            "int.identity",
            f"account:{account.pk}:review",
            f"{place} was to be reviewed by {account.review_by:%-d %B %Y}.",
            "Look at what it may do, and say so on the page of the system.",
            who=who,
            since=clock.midnight_after(account.review_by),
            system_id=system.pk,
        )


def _condition(initiative: int, source: System, accepted) -> Iterable[tuple[int, Wanted]]:
    """One thing against a source at most: what is worst. What was accepted for a time counts again after its day."""
    today = clock.today()
    orphaned = source.owner_id is None or not source.owner.is_active
    stale = source.stale_from()
    if orphaned:
        condition, since = "orphaned", EVER
        since_words = f"; last organised in {source.organised_on:%Y}" if source.organised_on else ""
        words = f"{source} has no owner{since_words}."
    elif source.editable is False:
        condition, since, words = "frozen", EVER, f"{source} is frozen: nobody can edit it."
    elif stale is not None:
        condition = "stale"
        since = EVER if stale == date.min else clock.midnight_before(stale)
        last = source.last_updated_on
        known = (
            f"it was last updated on {last:%-d %B %Y}" if last else "nobody knows when it was last updated"
        )
        words = f"{source} is out of date: {known}."
    else:
        return
    until = accepted.get((initiative, source.pk, condition))
    if until is not None and until >= today:
        since = max(since, clock.midnight_after(until))
    yield (
        initiative,
        Wanted(
            "int.sources_condition",
            f"system:{source.pk}:{condition}",
            words,
            "Fix it, remove it, or ask the architecture seat to accept the consequence for a time.",
            since=since,
            system_id=source.pk,
        ),
    )


def _acceptances(initiatives: list[int]) -> dict[tuple[int, int, str], date]:
    rows = SourceAcceptance.objects.filter(initiative__in=initiatives).order_by("pk")
    return {(row.initiative_id, row.system_id, row.condition): row.until for row in rows}


def _answers(links: list[Link]) -> dict[int, LinkAnswer]:
    """The newest word of each link's system's owner."""
    rows = LinkAnswer.objects.filter(link__in=links).select_related("by").order_by("pk")
    return {row.link_id: row for row in rows}


def lacking(link: Link, transfers: list[Transfer]) -> list[str]:
    """What a link itself does not say of its data, in words; who owns its system is said there."""
    missing = []
    if not link.data_classes:
        missing.append("which classes of data it carries")
    if not transfers and not link.system.regions:
        missing.append("in which region the data are")
    return missing + [
        f"the region of {transfer.name}"
        for transfer in transfers
        if not transfer.region and transfer.deployment_id is None
    ]


def _inventory(link: Link, transfers: list[Transfer]) -> Iterable[tuple[int, Wanted]]:
    of_link = lacking(link, transfers)
    of_system = ["who owns the system"] if link.system.owner_id is None else []
    fixes = [
        *(["fill in the link"] if of_link else []),
        *(["name an owner of the system"] if of_system else []),
    ]
    if fixes:
        yield (
            link.initiative_id,
            Wanted(
                "int.inventory",
                f"link:{link.pk}:missing",
                f"The link to {link.system} does not say {', nor '.join(of_system + of_link)}.",
                f"{', and '.join(fixes).capitalize()}.",
                system_id=link.system_id,
            ),
        )


def digest(link: Link, transfers: list[Transfer]) -> tuple[str, str]:
    """What an owner reads of a link before agreeing, as bytes in a fixed order, and their hash (SHA-256)."""
    read = json.dumps(
        {
            "initiative": link.initiative_id,
            "system": link.system_id,
            "pattern": link.pattern,
            "direction": link.direction,
            "access": link.access,
            "account": link.account_id,
            "data_classes": sorted(link.data_classes),
            "live": link.live,
            "transfers": [
                [transfer.name, transfer.region, transfer.vendor_id, transfer.deployment_id]
                for transfer in transfers
            ],
        },
        sort_keys=True,
    )
    return read, hashlib.sha256(read.encode()).hexdigest()


def _agreement(
    link: Link, transfers: list[Transfer], answer: LinkAnswer | None
) -> Iterable[tuple[int, Wanted]]:
    """Whether the system's owner agreed to be depended on: this link as it reads now, in person, within the year."""
    owner, since = link.system.owner, EVER
    asked, fix = WAITING, "The system's owner reads the link and answers, in person."
    if owner is None or not owner.is_active:
        words = f"Nobody owns {link.system} who could agree to be depended on."
        fix = "Name an owner, who then reads the link and answers, in person."
    elif answer is None or answer.by_id != owner.pk:
        words = f"{owner} has not agreed that the initiative depends on {link.system}."
    elif answer.digest != digest(link, transfers)[1]:
        words = f"The link to {link.system} was changed since {owner} answered for it."
    elif not answer.accepts:
        words = f"{owner} declined that the initiative depends on {link.system}: {answer.words}"
        asked, fix = DECLINED, "Change the link as its owner asks, or end it."
    else:
        words = f"{owner} agreed to the link to {link.system} more than a year ago."
        since = clock.midnight_after(clock.local_day(answer.at) + timedelta(days=ACCEPTANCE_DAYS))
    yield (
        link.initiative_id,
        Wanted(
            "int.systems_owned",
            f"link:{link.pk}:{asked}",
            words,
            fix,
            who=owner.full_name if owner else "",
            since=since,
            system_id=link.system_id,
        ),
    )
