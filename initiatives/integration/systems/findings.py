"""Findings of linked systems: condition, agreement, missing facts of links.

Sources: int.sources_condition, int.inventory, int.identity and int.systems_owned, S1-2, S1-13, S1-14, S1-37.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import date, timedelta

from governance import clock
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.facts.finding_rules import EVER, Unknown, Wanted, about
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

# The end of a finding's source while the owner's answer is missing, and once the answer was no.
WAITING, DECLINED = "agreement", "declined"


@about(Link.objects.current())
def says(initiatives: list[int]) -> Iterable[tuple[int, Wanted]]:
    """Yield bad sources, incomplete links and accounts, and missing agreements."""
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
                    phrase("{} is a collection without sources.", link.system),
                    phrase("List its sources one by one."),
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
    """Return the risk of a link to a heavily customised system, as a note (S1-2).

    This is from MANY_CUSTOMISATIONS teams on, or with any customisation after OLD_YEARS in service. It is never a
    finding.
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
    served = phrase(", in service since {}", since.year) if since else ""
    return [
        f"Customised by {len(teams)} team{'s' if len(teams) > 1 else ''}{served}. The same field can have "
        "a different meaning in each team."
    ]


def _retired(system: System) -> Wanted:
    return Wanted(
        "int.inventory",
        f"system:{system.pk}:retired",
        phrase("{} was retired on {}.", system, clock.local_day(system.retired_at)),
        phrase("Close the link, and connect the initiative to the system that replaced it."),
        system_id=system.pk,
    )


def _identity(account: ServiceAccount, system: System) -> Iterable[Wanted]:
    """Yield what an account lacks. A review is overdue once its day has ended."""
    who = account.owner.full_name if account.owner else ""
    # Its name is for those who may see accounts, its finding for everybody who reads the initiative.
    place = phrase("A service account in {}", system)
    if account.closed_at is not None:
        yield Wanted(
            "int.identity",
            f"account:{account.pk}:closed",
            phrase("{} was closed.", place),
            phrase("Name the account that the link uses now."),
            system_id=system.pk,
        )
        return
    missing = []
    if account.owner is None or not account.owner.is_active:
        missing.append("owner")
    if not account.privileges:
        missing.append("list of permissions")
    if account.review_by is None:
        missing.append("day of its next review")
    if missing:
        yield Wanted(
            "int.identity",
            f"account:{account.pk}:missing",
            phrase("{} has no {}.", place, " and no ".join(missing)),
            phrase("Fill in the account."),
            who=who,
            system_id=system.pk,
        )
    if account.review_by is not None:
        yield Wanted(
            "int.identity",
            f"account:{account.pk}:review",
            phrase("The review of {}{} was due by {}.", place[:1].lower(), place[1:], account.review_by),
            phrase("Check the permissions of the account, and record the review on the page of the system."),
            who=who,
            since=clock.midnight_after(account.review_by),
            system_id=system.pk,
        )


def _condition(initiative: int, source: System, accepted) -> Iterable[tuple[int, Wanted]]:
    """Yield the worst condition of a source. An accepted condition counts again after its day."""
    today = clock.today()
    orphaned = source.owner_id is None or not source.owner.is_active
    stale = source.stale_from()
    unknown = None
    if orphaned:
        condition, since = "orphaned", EVER
        since_words = (
            phrase(", last organised in {}", f"{source.organised_on:%Y}") if source.organised_on else ""
        )
        words = phrase("{} has no owner{}.", source, since_words)
    elif source.editable is False:
        condition, since, words = "frozen", EVER, phrase("{} is frozen: no one can edit it.", source)
    elif stale is not None:
        condition = "stale"
        since = EVER if stale == date.min else clock.midnight_before(stale)
        last = source.last_updated_on
        known = (
            phrase("it was last updated on {}", last) if last else "the day of its last update is not known"
        )
        words = phrase("{} is out of date: {}.", source, known)
        if last is None:
            text = phrase("Find out when {} was last updated", source)
            unknown = Unknown(f"system:{source.pk}:updated", text, of_system=True)
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
            phrase(
                "Fix or remove the source, or ask the architecture seat to accept the consequence for a limited "
                "time."
            ),
            since=since,
            system_id=source.pk,
            unknown=unknown,
        ),
    )


def _acceptances(initiatives: list[int]) -> dict[tuple[int, int, str], date]:
    rows = SourceAcceptance.objects.filter(initiative__in=initiatives).order_by("pk")
    return {(row.initiative_id, row.system_id, row.condition): row.until for row in rows}


def _answers(links: list[Link]) -> dict[int, LinkAnswer]:
    """Return, by link, the newest answer of its system's owner."""
    rows = LinkAnswer.objects.filter(link__in=links).select_related("by").order_by("pk")
    return {row.link_id: row for row in rows}


def lacking(link: Link, transfers: list[Transfer]) -> list[str]:
    """Return what a link does not state of its data, in words. The system's owner is apart."""
    missing = []
    if not link.data_classes:
        missing.append("the data classes")
    if not transfers and not link.system.regions:
        missing.append("the region of the data")
    return missing + [
        f"the region of {transfer.name}"
        for transfer in transfers
        if not transfer.region and transfer.deployment_id is None
    ]


def _inventory(link: Link, transfers: list[Transfer]) -> Iterable[tuple[int, Wanted]]:
    of_link = lacking(link, transfers)
    of_system = ["the owner of the system"] if link.system.owner_id is None else []
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
                phrase(
                    "The link to {} does not contain {}.", link.system, ", nor ".join(of_system + of_link)
                ),
                f"{', and '.join(fixes).capitalize()}.",
                system_id=link.system_id,
                # A system without an owner is known to have none.
                unknown=None
                if of_system
                else Unknown(
                    f"link:{link.pk}:missing",
                    phrase("Enter for the link to {}: {}", link.system, ", ".join(of_link)),
                ),
            ),
        )


def digest(link: Link, transfers: list[Transfer]) -> tuple[str, str]:
    """Return what an owner reads of a link, as text in a fixed order, and its SHA-256."""
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
    """Yield a finding unless the owner agreed to the present link within the year."""
    owner, since = link.system.owner, EVER
    asked, fix = WAITING, phrase("Ask the owner of the system to read the link and answer.")
    waits = Unknown(
        f"link:{link.pk}:{WAITING}",
        phrase("Answer for the link to {}", link.system),
        of_system=True,
    )
    unknown = None
    if owner is None or not owner.is_active:
        words = phrase("{} has no owner who could agree to the link.", link.system)
        fix = phrase("Name an owner, who then reads the link and answers.")
    elif answer is None or answer.by_id != owner.pk:
        words, unknown = phrase("{} has not agreed to the link to {}.", owner, link.system), waits
    elif answer.digest != digest(link, transfers)[1]:
        words, unknown = (
            phrase("The link to {} was changed after {} agreed to it.", link.system, owner),
            waits,
        )
    elif not answer.accepts:
        words = phrase("{} declined the link to {}: {}", owner, link.system, answer.words)
        asked, fix = DECLINED, phrase("Change the link as the owner of the system asks, or end the link.")
    else:
        words = phrase("{} agreed to the link to {} more than a year ago.", owner, link.system)
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
            unknown=unknown,
        ),
    )
