"""Acts on links of initiatives to systems, owners' answers, and accepted sources.

Sources: S1-12 to S1-14, S1-37, and int.inventory, int.sources_condition and int.systems_owned in the rulebook.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import User
from governance.people import cooling_off
from governance.permission_result import Conflict
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import EARLY_STAGES
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.integration.links import agreements
from initiatives.integration.links.feed_shutdowns import open_shutdown_obligations
from initiatives.integration.systems import findings as system_findings
from initiatives.integration.systems import permissions as system_permissions
from initiatives.integration.systems.accounts import open_closing_obligations, used_again
from initiatives.integration.systems.actions import COLLECTION, reach
from initiatives.lifecycle.findings.sync import follow
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.requirements import standalone
from initiatives.models import (
    Deployment,
    Initiative,
    Link,
    LinkAnswer,
    ServiceAccount,
    SourceAcceptance,
    System,
    Transfer,
    Vendor,
)
from initiatives.models.integration.systems import ACCESS, DIRECTIONS, PATTERNS

MOST_TRANSFERS = 20
MOST_ACCEPTED_DAYS = 180  # rulebook, int.sources_condition
FIELDS = (
    "pattern",
    "direction",
    "access",
    "purpose",
    "account",
    "data_classes",
    "live",
    "timeout_seconds",
    "retry",
    "on_failure",
    "told_users",
)


@dataclass(frozen=True)
class Place:
    """A place on the path of a link: a part of the initiative, a vendor's, or other.

    `deployment` is any deployment in that part.
    """

    name: str
    region: str = ""
    vendor: Vendor | None = None
    deployment: Deployment | None = None


def add_link(
    *, initiative: Initiative, system: System, transfers: list[Place] = (), by: User, **fields
) -> Link:
    """Tie an initiative to a system. `fields` are of FIELDS, at least pattern, direction and access.

    `transfers` has the places that the data pass through, in order. A collection is refused while it lists no source.
    A link of a prototype is never live. If the initiative has evidence, a further system pulls `data_source`, bound
    to it.
    """
    link = Link(initiative=initiative, system=system, by=by, at=clock.now())
    _take(link, fields)
    with act("add link", by=by, initiative=initiative, register=True) as initiative:
        system_permissions.may_link(initiative, by).or_refuse()
        link.initiative = initiative
        link.system = System.objects.select_related("owner").get(pk=system.pk)
        new = not initiative.links.current().filter(system=system).exists()
        places = _checked(link, transfers)
        link.save()
        _write(link, places)
        standalone.end_row(initiative, f"a link to {link.system} was recorded")
        entries.record(EntryKind.LINK_ADDED, initiative=initiative, link=link.pk, **_said(link, places))
        cause = f"{link.system} was added as a source" if new else ""
        reach([initiative], cause, system=link.system, by=by)
    return link


def change_link(*, link: Link, transfers: list[Place] | None = None, by: User, **fields) -> Link:
    """Change how an initiative is tied to a system. Fields that are not named stay.

    Other transfers end the earlier rows. A changed path of the data pulls `data_source`, bound to the system. A first
    path does not. The owner's answer counted for the earlier text of the link.
    """
    with act("change link", by=by, initiative=link.initiative_id, register=True) as initiative:
        system_permissions.may_link(initiative, by).or_refuse()
        link = _current(link, initiative)
        path = list(link.transfers.filter(ended_at__isnull=True).select_related("vendor", "deployment"))
        was = [
            Place(transfer.name, transfer.region, transfer.vendor, transfer.deployment) for transfer in path
        ]
        before = _said(link, was)
        _take(link, fields)
        places = _checked(link, was if transfers is None else transfers)
        after = _said(link, places)
        changed = [name for name in after if after[name] != before[name]]
        if not changed:
            return link
        link.save()
        if places != was:
            row_history.update_where(Transfer, [transfer.pk for transfer in path], ended_at=clock.now())
            _write(link, places)
        entries.record(
            EntryKind.LINK_CHANGED,
            initiative=initiative,
            link=link.pk,
            system=link.system.name,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
        moved = f"The data of {link.system} take a different path: {_path(was)} before, {_path(places)} now"
        reach([initiative], moved if was and places != was else "", system=link.system, by=by)
    return link


def close_link(*, link: Link, reason: str, by: User) -> Link:
    """End a link of an initiative to a system. Its last link also takes the source away."""
    if not reason.strip():
        raise ValidationError({"reason": "Describe how the initiative works without this system."})
    with act("close link", by=by, initiative=link.initiative_id, register=True, reason=reason) as initiative:
        system_permissions.may_link(initiative, by).or_refuse()
        link = _current(link, initiative)
        _end([link], reason.strip(), by)
        entries.record(
            EntryKind.LINK_CLOSED,
            initiative=initiative,
            link=link.pk,
            system=link.system.name,
            why=reason.strip(),
        )
        gone = not initiative.links.current().filter(system=link.system).exists()
        reach([initiative], f"{link.system} is no longer a source" if gone else "", system=link.system, by=by)
    return link


def close_links(initiative: Initiative, why: str, *, with_obligations: bool = True, by: User) -> None:
    """End the links of an initiative, inside the act that ends the initiative.

    Someone must close the accounts that it alone used. The owner of each system must confirm that its feed is shut.
    `with_obligations` is False for an idea that was registered by mistake, which causes neither.
    """
    links = list(initiative.links.current().select_related("system__owner"))
    if not links:
        return
    if with_obligations:
        open_closing_obligations(initiative, links)
        open_shutdown_obligations(initiative, links)
    _end(links, why, by)
    entries.record_many(
        EntryKind.LINK_CLOSED,
        [(initiative, {"link": link.pk, "system": link.system.name, "why": why}) for link in links],
    )
    follow([initiative])


def _end(links: list[Link], why: str, by: User) -> None:
    now, keys = clock.now(), [link.pk for link in links]
    row_history.update_where(Link, keys, ended_at=now, ended_by=by, ended_reason=why)
    transfers = Transfer.objects.filter(link__in=keys, ended_at__isnull=True)
    row_history.update_where(Transfer, list(transfers.values_list("pk", flat=True)), ended_at=now)


def answer_link(*, link: Link, accepts: bool, words: str = "", digest: str, by: User) -> LinkAnswer:
    """Agree or decline as owner of a system that an initiative depends on it (S1-37).

    The owner answers in person, and a decline needs a reason. `digest` is that of the link as it was read. Raises
    Conflict if the link has changed since. An answer counts for a year.
    """
    if not accepts and not words.strip():
        raise ValidationError({"words": "Give the reason, so that the initiative can find another way."})
    with act("answer link", by=by, initiative=link.initiative_id, register=True) as initiative:
        link = Link.objects.select_related("system__owner", "initiative", "account").get(pk=link.pk)
        system_permissions.may_answer_link(link, by).or_refuse()
        if accepts:
            cooling_off.may_lift(by).or_refuse()
        transfers = list(link.transfers.filter(ended_at__isnull=True).order_by("position"))
        read, now = system_findings.digest(link, transfers)
        if digest != now:
            raise Conflict(
                "The link was changed after you opened this page. Open the page again, and check the new details."
            )
        row = LinkAnswer(
            link=link, accepts=accepts, words=words.strip(), read=read, digest=now, by=by, at=clock.now()
        )
        row.save()
        entries.record(
            EntryKind.LINK_ANSWERED,
            initiative=initiative,
            link=link.pk,
            system=link.system.name,
            accepts=accepts,
            words=row.words,
            digest=now,
        )
        if agreements.agreed(Link.objects.filter(pk=link.pk)):
            used_again(link.account, by=by)
        follow([initiative])
    return row


def accept_source(
    *, initiative: Initiative, system: System, consequence: str, until: date, by: User
) -> SourceAcceptance:
    """Accept a source in bad condition for a time, as the architecture seat.

    The seat names the consequence. Holds through `until`, at most MOST_ACCEPTED_DAYS ahead, for the present
    condition.
    """
    wrong = {}
    if not consequence.strip():
        wrong["consequence"] = "Describe the consequence of using the system in this condition."
    last = clock.today() + timedelta(days=MOST_ACCEPTED_DAYS)
    if not clock.today() <= until <= last:
        wrong["until"] = f"Choose a day from today to {last:%-d %B %Y}."
    if wrong:
        raise ValidationError(wrong)
    with act("accept source", by=by, initiative=initiative, register=True) as initiative:
        system_permissions.may_accept_source(initiative, by).or_refuse()
        system = System.objects.select_related("owner").get(pk=system.pk)
        tied = [key for key in (system.pk, system.collection_id) if key]
        if not initiative.links.current().filter(system__in=tied).exists():
            raise ValidationError({"system": phrase("{} is not connected to {}.", initiative.ref, system)})
        condition = system.condition(clock.today())
        if condition == "maintained":
            raise ValidationError(
                {"system": phrase("{} is maintained. You do not need to accept the system.", system)}
            )
        row = SourceAcceptance(
            initiative=initiative,
            system=system,
            condition=condition,
            consequence=consequence.strip(),
            until=until,
            by=by,
            at=clock.now(),
        )
        row.save()
        entries.record(
            EntryKind.SOURCE_ACCEPTED,
            initiative=initiative,
            system=system.name,
            condition=condition,
            consequence=row.consequence,
            until=until,
        )
        follow([initiative])
    return row


def _current(link: Link, initiative: Initiative) -> Link:
    row = Link.objects.select_related("system__owner", "account").get(pk=link.pk)
    if row.ended_at is not None:
        raise Conflict("This link has already ended.")
    row.initiative = initiative
    return row


def _take(link: Link, fields: dict) -> None:
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise TypeError(f"A link has no {', '.join(sorted(unknown))}.")
    for name, value in fields.items():
        if isinstance(value, (list, tuple)):
            value = list(dict.fromkeys(part.strip() for part in value if part.strip()))
        setattr(link, name, value.strip() if isinstance(value, str) else value)


def _write(link: Link, places: list[Place]) -> None:
    rows = [
        Transfer(
            link=link,
            position=number,
            name=place.name,
            region=place.region,
            vendor=place.vendor,
            deployment=place.deployment,
        )
        for number, place in enumerate(places, start=1)
    ]
    if rows:
        row_history.insert_many(Transfer, rows)


def _path(places: list[Place]) -> str:
    return (
        ", ".join(f"{one.name} ({one.region})" if one.region else one.name for one in places) or "no transfer"
    )


def _said(link: Link, places: list[Place]) -> dict:
    """Return the values of a link for the audit log, with things by name."""
    said = {name: getattr(link, name) for name in FIELDS}
    said["account"] = link.account.name if link.account is not None else None
    return said | {"system": link.system.name, "transfers": [[one.name, one.region] for one in places]}


def _checked(link: Link, transfers: list[Place]) -> list[Place]:
    """Return the places as they are kept. Raises ValidationError by field if the link is wrong."""
    wrong, system, initiative = {}, link.system, link.initiative
    if link.account is not None:
        link.account = ServiceAccount.objects.get(pk=link.account.pk)
    if system.retired_at is not None:
        wrong["system"] = f"{system} was retired. Connect the initiative to the system that replaced it."
    elif system.kind == COLLECTION and not system.members.current().exists():
        wrong["system"] = (
            f"{system} is a collection without sources. First list the sources of the collection one by one."
        )
    for name, known, words in (
        ("pattern", PATTERNS, "Choose the purpose of the link."),
        (
            "direction",
            DIRECTIONS,
            "Choose whether the initiative reads from the system, writes to it, or both.",
        ),
        ("access", ACCESS, "Choose how the initiative gets the data."),
    ):
        if getattr(link, name) not in known:
            wrong[name] = words
    same = initiative.links.current().filter(system=system, pattern=link.pattern).exclude(pk=link.pk)
    if "pattern" not in wrong and same.exists():
        wrong["pattern"] = f"The initiative already has this link to {system}. Change that link."
    if link.live and initiative.stage in EARLY_STAGES:
        wrong["live"] = (
            f"A {stage_word(initiative.stage).lower()} must not use production data. Connect the "
            "initiative to a copy or a sample of the data."
        )
    if link.timeout_seconds is not None and link.timeout_seconds < 1:
        wrong["timeout_seconds"] = "Enter at least one second."
    if problem := _wrong_account(link.account, system):
        wrong["account"] = problem
    places = [
        Place(one.name.strip(), one.region.strip(), one.vendor, _first(one.deployment)) for one in transfers
    ]
    if problem := _wrong_transfers(places, initiative):
        wrong["transfers"] = problem
    if wrong:
        raise ValidationError(wrong)
    return places


def _first(deployment: Deployment | None) -> Deployment | None:
    """Return the first deployment in the part of this one, as the key of the part."""
    if deployment is None:
        return None
    of_initiative = Deployment.objects.filter(initiative=deployment.initiative_id, part=deployment.part)
    return of_initiative.order_by("runs_from", "pk").first()


def _wrong_account(account: ServiceAccount | None, system: System) -> str:
    if account is None:
        return ""
    if account.system_id != system.pk:
        return f"{account} is an account of another system. Choose an account of this system."
    return f"{account} was closed. Choose another account." if account.closed_at is not None else ""


def _wrong_transfers(places: list[Place], initiative: Initiative) -> str:
    if len(places) > MOST_TRANSFERS:
        return f"Name at most {MOST_TRANSFERS} places. Leave out places that only forward the data."
    if any(not one.name for one in places):
        return "Name each place that the data pass through."
    if any(one.deployment is not None and one.deployment.initiative_id != initiative.pk for one in places):
        return "A component in this list belongs to another initiative. Choose components of this initiative."
    return ""
