"""The acts on alerts, each a heartbeat, a look, or a draft of an incident. People judge the drafts."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.urls import reverse

from adoption.models import Alert, AlertMapping, IncidentDraft, MonitoringLook, MonitoringPromise
from adoption.models.monitoring import (
    ALERTMANAGER,
    BECOMES,
    DRAFT,
    HEARTBEAT,
    LOOK,
    MOST_DAYS,
    OTHER,
)
from adoption.monitoring.alert_senders import Sent
from adoption.monitoring.permissions import may_set_monitoring
from adoption.reports.actions import receive
from governance import clock
from governance.audit_log import entries
from governance.models import LegalHold, ServiceKey, User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.findings.sync import follow
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative

MOST_A_DAY = 1_000  # new alerts of one key; what it sends beyond is counted in the answer, and not kept
KEPT = timedelta(days=730)  # alerts, from the moment they were first heard of
BODIES_KEPT = timedelta(days=90)  # what their senders said in full
# Rules that are there to fire always, as monitoring setups name them.
HEARTBEATS = frozenset({"watchdog", "deadmansswitch", "heartbeat"})
# Alertmanager fires again under the same start after its source was away; what comes sooner after the end came late.
FIRES_AGAIN = timedelta(minutes=15)
# What is kept of alerts that did not arrive, or were not kept, as one alert of the day: rule, words, what to do.
LEFT_OUT = (
    "Alerts left out by the sender",
    "alerts were left out by the sender.",
    "In Alertmanager, raise max_alerts for this webhook, or group fewer alerts.",
)
NOT_KEPT = (
    "Alerts beyond the limit of a day",
    "alerts of one message were beyond the limit of a day and are not kept.",
    "Group the alerts in the monitoring system.",
)
_RANK = {HEARTBEAT: 0, LOOK: 1, DRAFT: 2}


@dataclass(frozen=True)
class Taken:
    """The result of sent alerts: new, known, and new ones beyond the day's limit."""

    new: int = 0
    known: int = 0
    beyond: int = 0


# --- What machines send ----------------------------------------------------------------------------------------------


def take(*, initiative: Initiative, key: ServiceKey, sent: tuple[Sent, ...], left_out: int = 0) -> Taken:
    """Take in alerts of the monitoring of an initiative, in one act.

    A request without alerts shows that it runs. A fingerprint and start of a sender have one row, in any order and
    after repeats. An alert ends as soon as one request ends it, at the earliest end that was sent. `left_out` is the
    number of alerts that the sender omitted. Raises Conflict for an initiative that ended.
    """
    with act("take alerts", system=f"alerts by key {key.public}", initiative=initiative) as initiative:
        if initiative.closed or initiative.withdrawn_at:
            raise Conflict("This initiative has ended, so it takes no alerts. Remove it from the monitoring.")
        first = _looked(initiative, key)
        rows = _known(initiative, sent)
        mappings = mappings_of(initiative)
        start = clock.midnight_before(clock.today())
        room = MOST_A_DAY - Alert.objects.filter(key=key, first_at__gte=start).count()
        fates: Counter[str] = Counter()
        for one in sent:
            place = (one.sender, one.fingerprint, one.started)
            row = rows.get(place)
            if row is None and room <= 0:
                fates["beyond"] += 1
                continue
            if row is None:
                row = rows[place] = _new(initiative, key, one, mappings)
                room -= 1
                fates["new"] += 1
            else:
                _again(row, one, mappings)
                fates["known"] += 1
            if row.counts_as == DRAFT and row.draft_id is None:
                row.draft = _draft_of(initiative, row)
                row.save()
        _keep_number(initiative, key, LEFT_OUT, left_out)
        _keep_number(initiative, key, NOT_KEPT, fates["beyond"])
        if first:
            follow([initiative])
    return Taken(**fates)


def _looked(initiative: Initiative, key: ServiceKey) -> bool:
    """Record that monitoring sent data today. Returns True if this is the first time today."""
    today = clock.today()
    if MonitoringLook.objects.filter(initiative=initiative, key=key, day=today).exists():
        return False
    MonitoringLook(initiative=initiative, key=key, day=today, at=clock.now()).save()
    return True


def _keep_number(initiative: Initiative, key: ServiceKey, what: tuple[str, str, str], count: int) -> None:
    """Keep the largest number that one message of today had. A sender repeats its messages, so they have no sum."""
    if not count:
        return
    rule, words, fix = what
    day = clock.midnight_before(clock.today())
    place = {
        "initiative": initiative,
        "sender": OTHER,
        "fingerprint": f"{rule}, {key.public}",
        "started_at": day,
    }
    row = Alert.objects.filter(**place).first() or Alert(**place, key=key, rule=rule, first_at=clock.now())
    if row.pk and int(row.summary.partition(" ")[0]) >= count:
        return
    row.ended_at, row.counts_as = clock.now(), LOOK
    row.summary, row.body = f"{count} {words}", f"{count} {words} {fix}"
    row.save()


def _known(initiative: Initiative, sent: tuple[Sent, ...]) -> dict[tuple, Alert]:
    rows = initiative.alerts.filter(
        fingerprint__in={one.fingerprint for one in sent}, started_at__in={one.started for one in sent}
    )
    return {(row.sender, row.fingerprint, row.started_at): row for row in rows.select_related("draft")}


def _new(initiative: Initiative, key: ServiceKey, one: Sent, mappings: list[AlertMapping]) -> Alert:
    row = Alert(
        initiative=initiative,
        key=key,
        sender=one.sender,
        fingerprint=one.fingerprint,
        rule=one.rule,
        severity=one.severity,
        started_at=one.started,
        ended_at=one.ended,
        first_at=clock.now(),
        summary=one.summary,
        link=one.link,
        body=one.body,
        counts_as=counts_as(mappings, one.rule, one.severity),
    )
    row.save()
    return row


def _again(row: Alert, one: Sent, mappings: list[AlertMapping]) -> None:
    """Update a known alert with its end or severity. The kind that it counts as only ever rises."""
    before = row.ended_at, row.severity
    if one.ended is not None:
        row.ended_at = min(one.ended, row.ended_at or one.ended)
    elif row.ended_at is not None and row.sender == ALERTMANAGER:
        if clock.now() - row.ended_at > FIRES_AGAIN:
            row.ended_at = None
            row.draft = row.draft if row.draft and row.draft.waits else None
    elif row.ended_at is None and one.severity != row.severity:
        row.severity, row.summary, row.link = one.severity, one.summary, one.link
        row.counts_as = max(row.counts_as, counts_as(mappings, row.rule, row.severity), key=_RANK.__getitem__)
    if before != (row.ended_at, row.severity):
        row.body = one.body
        row.save()


def _draft_of(initiative: Initiative, row: Alert) -> IncidentDraft:
    """Return the waiting draft about the alert's rule, or a new one. The operators are notified of a new one."""
    there = initiative.incident_drafts.waiting().filter(rule=row.rule).first()
    if there is not None:
        return there
    draft = IncidentDraft(
        initiative=initiative,
        rule=row.rule,
        title=row.summary[:160],
        severity=row.severity,
        started_at=row.started_at,
        opened_at=clock.now(),
    )
    receive(initiative, draft, rule=draft.rule, severity=draft.severity, sender=row.get_sender_display())
    return draft


# --- What alerts count as --------------------------------------------------------------------------------------------


def mappings_of(initiative: Initiative) -> list[AlertMapping]:
    """Return the current rows of the initiative's mapping."""
    return list(initiative.alert_mappings.filter(ended_at__isnull=True))


def counts_as(mappings: list[AlertMapping], rule: str, severity: str) -> str:
    """Return what an alert of this rule and severity counts as.

    A row with both comes first, then a row with the rule, then one with the severity, then one with neither. Without a
    row, a rule that always fires is a heartbeat, and any other alert a look.
    """
    by_place = {(row.rule, row.severity): row.becomes for row in mappings}
    name, bad = rule.lower(), severity.lower()
    for place in ((name, bad), (name, "")):
        if place in by_place:
            return by_place[place]
    if name in HEARTBEATS:
        return HEARTBEAT
    return by_place.get(("", bad)) or by_place.get(("", "")) or LOOK


def map_alerts(*, initiative: Initiative, rule: str, severity: str, becomes: str, by: User) -> AlertMapping:
    """Set what alerts of a rule, a severity or both count as from now on.

    Both empty: all others. It replaces the earlier row of exactly these. Raises ValidationError, Refused.
    """
    if becomes not in BECOMES:
        raise ValidationError({"becomes": "Choose the meaning of these alerts."})
    rule, severity = " ".join(rule.lower().split()), " ".join(severity.lower().split())
    with act("map alerts", by=by, initiative=initiative) as initiative:
        may_set_monitoring(initiative, by).or_refuse()
        there = initiative.alert_mappings.filter(rule=rule, severity=severity, ended_at__isnull=True).first()
        if there is not None and there.becomes == becomes:
            return there
        if there is not None:
            there.ended_at = clock.now()
            there.save()
        row = AlertMapping(
            initiative=initiative,
            rule=rule,
            severity=severity,
            becomes=becomes,
            made_by=by,
            made_at=clock.now(),
        )
        row.save()
        entries.record(EntryKind.ALERTS_MAPPED, initiative=initiative, which=str(row), becomes=becomes)
    return row


def close_mapping(*, mapping: AlertMapping, by: User) -> AlertMapping:
    """Let alerts of this rule and severity count again as all others do."""
    with act("close alert mapping", by=by, initiative=mapping.initiative_id) as initiative:
        may_set_monitoring(initiative, by).or_refuse()
        row = AlertMapping.objects.get(pk=mapping.pk)
        if row.ended_at is not None:
            raise Conflict(
                "This rule for alerts was withdrawn already.",
                link=reverse("monitoring", args=[initiative.ref]),
            )
        row.ended_at = clock.now()
        row.save()
        entries.record(
            EntryKind.ALERT_MAPPING_CLOSED, initiative=initiative, which=str(row), becomes=row.becomes
        )
    return row


def promise_monitoring(*, initiative: Initiative, every_days: int, by: User) -> MonitoringPromise:
    """Set the largest number of days between two signals of the monitoring. Raises ValidationError, Refused."""
    if not 1 <= every_days <= MOST_DAYS:
        raise ValidationError({"every_days": phrase("Enter a number of days from 1 to {}.", MOST_DAYS)})
    with act("promise monitoring", by=by, initiative=initiative) as initiative:
        may_set_monitoring(initiative, by).or_refuse()
        there = initiative.monitoring_promises.filter(ended_at__isnull=True).first()
        if there is not None and there.every_days == every_days:
            return there
        if there is not None:
            there.ended_at = clock.now()
            there.save()
        row = MonitoringPromise(initiative=initiative, every_days=every_days, made_by=by, made_at=clock.now())
        row.save()
        entries.record(
            EntryKind.MONITORING_PROMISED,
            initiative=initiative,
            every_days=every_days,
            before=there.every_days if there else None,
        )
        follow([initiative])
    return row


# --- For how long ----------------------------------------------------------------------------------------------------


def forget_alerts() -> tuple[int, int]:
    """Delete expired alerts and empty the bodies of others.

    Returns how many of each. Safe to repeat. A waiting draft keeps its alerts, and so does a legal hold on the
    initiative.
    """
    now = clock.now()
    free = Alert.objects.exclude(
        Q(draft__isnull=False, draft__judged_at__isnull=True)
        | Q(initiative__number__in=LegalHold.objects.open().initiative_numbers())
    )
    gone = free.filter(first_at__lt=now - KEPT).delete()[0]
    emptied = free.filter(first_at__lt=now - BODIES_KEPT).exclude(body="").update(body="")
    return gone, emptied
