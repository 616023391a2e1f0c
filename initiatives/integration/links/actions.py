"""Links: that an initiative is tied to a system, how, and along which path; the owner's answer; sources accepted for a
time.

Sources: S1-12 to S1-14, S1-37; rulebook, int.inventory, int.sources_condition and int.systems_owned.
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
    """One place that the data of a link pass through: a part of the initiative, a vendor's, or any other.

    `deployment`: any one in that part.
    """

    name: str
    region: str = ""
    vendor: Vendor | None = None
    deployment: Deployment | None = None


def add_link(
    *, initiative: Initiative, system: System, transfers: list[Place] = (), by: User, **fields
) -> Link:
    """Tie an initiative to a system. `fields` are those of FIELDS: pattern, direction and access at least.

    `transfers`: the places that the data pass through, in order. A collection of sources is refused while none is
    listed; a prototype's link is never live. Where the initiative has evidence, a system more pulls `data_source`,
    bound to it.
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
        cause = f"{link.system} is a source more" if new else ""
        reach([initiative], cause, system=link.system, by=by)
    return link


def change_link(*, link: Link, transfers: list[Place] | None = None, by: User, **fields) -> Link:
    """Change how an initiative is tied to a system; what is not named stays. Other transfers end the rows of those
    before.

    Another path of the data pulls `data_source`, bound to the system; a first one does not. The owner's word counted
    for the link as it read then.
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
        moved = f"The data of {link.system} go another way: {_path(was)} before, {_path(places)} now"
        reach([initiative], moved if was and places != was else "", system=link.system, by=by)
    return link


def close_link(*, link: Link, reason: str, by: User) -> Link:
    """Record that an initiative is no longer tied to a system in this way. Its last link takes the source away."""
    if not reason.strip():
        raise ValidationError({"reason": "Say what the initiative does without it."})
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
    """Inside the act that ends an initiative: its links end, and somebody has to close the accounts it alone
    used.

    The owner of each system must give the word that its feed is shut.

    `with_obligations` False: nothing is, of an idea that was registered by mistake.
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
    """Agree, as the owner of the system in person, that an initiative depends on it, or decline and say why (S1-37).

    `digest`: of the link as it was read; raises Conflict where it reads otherwise now. An answer lasts a year.
    """
    if not accepts and not words.strip():
        raise ValidationError({"words": "Say why not, so that the initiative can do it differently."})
    with act("answer link", by=by, initiative=link.initiative_id, register=True) as initiative:
        link = Link.objects.select_related("system__owner", "initiative", "account").get(pk=link.pk)
        system_permissions.may_answer_link(link, by).or_refuse()
        if accepts:
            cooling_off.may_lift(by).or_refuse()
        transfers = list(link.transfers.filter(ended_at__isnull=True).order_by("position"))
        read, now = system_findings.digest(link, transfers)
        if digest != now:
            raise Conflict("The link was changed since you opened this page; read it again.")
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
    """Accept a source in bad condition for a time, as the architecture seat, naming the consequence.

    Through `until`, at most MOST_ACCEPTED_DAYS ahead. It holds for the condition that the source is in now.
    """
    wrong = {}
    if not consequence.strip():
        wrong["consequence"] = "Name what follows from using it in this condition."
    last = clock.today() + timedelta(days=MOST_ACCEPTED_DAYS)
    if not clock.today() <= until <= last:
        wrong["until"] = f"Choose a day from today on, {last:%-d %B %Y} at the latest."
    if wrong:
        raise ValidationError(wrong)
    with act("accept source", by=by, initiative=initiative, register=True) as initiative:
        system_permissions.may_accept_source(initiative, by).or_refuse()
        system = System.objects.select_related("owner").get(pk=system.pk)
        tied = [key for key in (system.pk, system.collection_id) if key]
        if not initiative.links.current().filter(system__in=tied).exists():
            raise ValidationError({"system": f"{initiative.ref} is not connected to {system}."})
        condition = system.condition(clock.today())
        if condition == "maintained":
            raise ValidationError({"system": f"{system} is maintained; nothing has to be accepted."})
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
        raise Conflict("This link has ended already.")
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
    """What is said of a link, for the audit log: things by name."""
    said = {name: getattr(link, name) for name in FIELDS}
    said["account"] = link.account.name if link.account is not None else None
    return said | {"system": link.system.name, "transfers": [[one.name, one.region] for one in places]}


def _checked(link: Link, transfers: list[Place]) -> list[Place]:
    """The places as they are kept. Raises ValidationError for what is wrong with the link, by field."""
    wrong, system, initiative = {}, link.system, link.initiative
    if link.account is not None:
        link.account = ServiceAccount.objects.get(pk=link.account.pk)
    if system.retired_at is not None:
        wrong["system"] = f"{system} was retired: connect the initiative to what took its place."
    elif system.kind == COLLECTION and not system.members.current().exists():
        wrong["system"] = (
            f"{system} is a collection of sources, and none is listed: list them one by one first."
        )
    for name, known, words in (
        ("pattern", PATTERNS, "Choose what the link is for."),
        ("direction", DIRECTIONS, "Choose whether it reads, writes or both."),
        ("access", ACCESS, "Choose how it gets at the data."),
    ):
        if getattr(link, name) not in known:
            wrong[name] = words
    same = initiative.links.current().filter(system=system, pattern=link.pattern).exclude(pk=link.pk)
    if "pattern" not in wrong and same.exists():
        wrong["pattern"] = f"The initiative is connected to {system} in this way already: change that link."
    if link.live and initiative.stage in EARLY_STAGES:
        wrong["live"] = (
            f"A {stage_word(initiative.stage).lower()} holds no data of production: connect it to a copy or a sample."
        )
    if link.timeout_seconds is not None and link.timeout_seconds < 1:
        wrong["timeout_seconds"] = "A call is given up after a second at the earliest."
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
    """The first deployment in the part of this one: the same for each version that runs in the part."""
    if deployment is None:
        return None
    of_initiative = Deployment.objects.filter(initiative=deployment.initiative_id, part=deployment.part)
    return of_initiative.order_by("runs_from", "pk").first()


def _wrong_account(account: ServiceAccount | None, system: System) -> str:
    if account is None:
        return ""
    if account.system_id != system.pk:
        return f"{account} is an account of another system."
    return f"{account} was closed: name another account." if account.closed_at is not None else ""


def _wrong_transfers(places: list[Place], initiative: Initiative) -> str:
    if len(places) > MOST_TRANSFERS:
        return f"At most {MOST_TRANSFERS} places are named; leave out those that only pass the data on."
    if any(not one.name for one in places):
        return "Name each place that the data pass through."
    if any(one.deployment is not None and one.deployment.initiative_id != initiative.pk for one in places):
        return "A component named here is one of another initiative."
    return ""
