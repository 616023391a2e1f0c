"""The register of one initiative as plain text, which is kept as evidence."""

from collections.abc import Iterable, Iterator
from datetime import date

from governance import clock
from initiatives.models import (
    Initiative,
    Link,
    ProcessRecord,
    RequirementFinding,
    ServiceAccount,
    SignOnFlow,
    System,
    TermDefinition,
    Transfer,
)
from initiatives.models.integration.definitions import STATED
from initiatives.models.integration.systems import CONDITIONS_OF_SYSTEMS


def as_text(initiative: Initiative) -> str:
    """Return the register as text: links, accounts, definitions, processes, findings.

    Each line has one fact. The number of queries is fixed. Unknown values are named as unknown.
    """
    now = clock.now()
    lines = [
        f"The integration register of {initiative.ref} {initiative.title}",
        f"State at {clock.moment_in_words(now)}.",
    ]
    for title, rows in (
        ("Links", _links(initiative)),
        ("Service accounts", _accounts(initiative)),
        ("Definitions", _definitions(initiative)),
        ("Conflicts of definitions", _conflicts(initiative)),
        ("Processes and sign-on", _processes(initiative)),
        ("Findings", _requirement_findings(initiative)),
    ):
        lines += ["", title, *(f"- {row}" for row in rows)]
        if lines[-1] == title:
            lines.append("- none")
    return "\n".join(lines) + "\n"


def _links(initiative: Initiative) -> Iterator[str]:
    links = list(initiative.links.current().select_related("system__owner", "system__vendor", "account"))
    members: dict[int, list[System]] = {}
    for member in System.objects.current().filter(collection__in=[link.system_id for link in links]):
        members.setdefault(member.collection_id, []).append(member)
    transfers: dict[int, list[Transfer]] = {}
    for transfer in Transfer.objects.filter(link__in=links, ended_at__isnull=True).select_related(
        "vendor", "deployment__version"
    ):
        transfers.setdefault(transfer.link_id, []).append(transfer)
    today = clock.today()
    for link in links:
        yield _link(link, transfers.get(link.pk, []), today)
        for member in members.get(link.system_id, []):
            yield f"  of {link.system}: {_system(member, today)}"


def _link(link: Link, transfers: list[Transfer], today: date) -> str:
    path = " > ".join(
        [
            f"{link.system} ({', '.join(link.system.regions) or 'region not known'})",
            *(
                f"{transfer} ({transfer.deployment or transfer.region or 'region not known'})"
                for transfer in transfers
            ),
        ]
    )
    return "; ".join(
        [
            _system(link.system, today),
            f"{link.get_pattern_display().partition(':')[0].lower()}, {link.get_direction_display().lower()}"
            f" by {link.get_access_display()}, {'live' if link.live else 'not live'}",
            f"account {link.account}" if link.account_id else "no account named",
            f"data {_listed(link.data_classes)}",
            f"path {path}",
            f"gives up after {link.timeout_seconds} s" if link.timeout_seconds else "no time-out",
            f"retry: {link.retry or 'not stated'}",
            f"when it fails: {link.on_failure or 'not stated'}",
        ]
    )


def _system(system: System, today: date) -> str:
    condition = CONDITIONS_OF_SYSTEMS[system.condition(today)]
    last = (
        f"last updated {system.last_updated_on:%-d %B %Y}"
        if system.last_updated_on
        else "last update not known"
    )
    return f"{system} ({system.get_kind_display()}), owner {system.owner or 'no one'}, {condition}, {last}"


def _accounts(initiative: Initiative) -> Iterator[str]:
    used = (
        ServiceAccount.objects.open()
        .filter(links__initiative=initiative, links__ended_at__isnull=True)
        .distinct()
    )
    for account in used.select_related("system", "owner"):
        review = f"review by {account.review_by:%-d %B %Y}" if account.review_by else "no review date"
        yield (
            f"{account} in {account.system}, owner {account.owner or 'no one'}, may "
            f"{account.privileges or 'not stated'}, {review}"
        )


def _definitions(initiative: Initiative) -> Iterator[str]:
    rows = TermDefinition.objects.current().filter(
        term__uses__initiative=initiative,
        term__uses__ended_at__isnull=True,
        system__links__initiative=initiative,
    )
    for row in rows.select_related("term", "system").distinct():
        years = " to ".join(f"{day:%-d %B %Y}" if day else "open" for day in (row.valid_from, row.valid_to))
        yield (
            f"{row.term} in {row.system}, {row.field}: {row.meaning}, format "
            f"{row.identifier_format or 'not stated'}, logic {row.business_logic or 'not stated'}, "
            f"{_stated(row)}rows from {years}"
        )


def _stated(row: TermDefinition) -> str:
    """Return the facets that a definition states, each followed by a semicolon."""
    said = [f"{words.lower()} {value}, " for name, words in STATED.items() if (value := getattr(row, name))]
    return "".join(said)


def _conflicts(initiative: Initiative) -> Iterator[str]:
    rows = initiative.conflicts.exclude(status="gone").select_related("decided_by")
    for row in rows:
        decided = f", by {row.decided_by}: {row.decision}" if row.decided_by_id else ""
        yield f"{row.words} ({row.get_facet_display()}): {row.get_status_display()}{decided}"


def _processes(initiative: Initiative) -> Iterator[str]:
    for row in ProcessRecord.objects.current().filter(initiative=initiative, replaced_by__isnull=True):
        held = f", held by {row.held_by}" if row.held_by else ""
        cost = "not budgeted" if row.redesign_cost is None else f"{row.redesign_cost} {row.currency}"
        yield f"{row.name}: {row.get_status_display()}{held}, redesign {cost}"
    for flow in SignOnFlow.objects.current().filter(initiative=initiative, replaced_by__isnull=True):
        yield (f"Sign-on: explained by {flow.explainer or 'no one'}, reviewed {flow.reviewed_on:%-d %B %Y}")


def _requirement_findings(initiative: Initiative) -> Iterable[str]:
    now = clock.now()
    return [
        row.words
        for row in RequirementFinding.objects.current().filter(initiative=initiative)
        if row.since <= now
    ]


def _listed(words: list[str]) -> str:
    return ", ".join(words) or "not stated"
