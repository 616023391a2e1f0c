"""The acts on incidents: open, update, and what follows from the severity.

`_bring` alone applies the consequences of a severity, on opening and on a later correction. A lower severity takes back
nothing that is due already.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.urls import reverse

from adoption.incidents import permissions
from adoption.models import Incident, IncidentLine, IncidentSystem
from adoption.models.incidents import CLOSED, CONTAINED, FALLBACKS, OPEN, RESOLVED, SERIOUS, SEVERITIES
from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import Rulebook, User
from governance.people.boards import board_for, members_now
from governance.permission_result import Conflict, ended, no
from governance.vocabulary import Role
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import in_the_future, phrase
from initiatives.lifecycle.access.roles_and_seats import accepted, acting_chair
from initiatives.lifecycle.access.signers import ever_owned
from initiatives.lifecycle.access.visibility import may_see
from initiatives.lifecycle.changes.actions import Pulled, pull_many
from initiatives.lifecycle.findings import alerts
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.lifecycle.reminders.telling import tell, tell_outside
from initiatives.lifecycle.stages.actions import open_written_obligation
from initiatives.models import Dependant, Initiative, System

TRIGGER = "incident"
TOLD = (Role.OWNER, Role.DEPUTY, Role.SUPPORT_OWNER, Role.TECHNICAL_LEAD)
ROLES = {
    "lead": "leads the response",
    "scribe": "writes the timeline",
    "speaker": "informs the people affected",
}


def open_incident(
    *,
    initiative: Initiative,
    severity: int,
    title: str,
    words: str = "",
    started_at: datetime | None = None,
    detected_at: datetime | None = None,
    wrong_output: bool = False,
    fallback: str = "not_used",
    affected_count: int | None = None,
    affected_words: str = "",
    systems: Iterable[System] = (),
    seen: Iterable[int] = (),
    once: UUID | None = None,
    by: User,
) -> Incident:
    """Open an incident.

    Severity 1 and 2 void what the rulebook lists under `incident` and must give a post-mortem. `seen`: keys of the
    running incidents that the author was shown. Conflict names one they did not know of. `systems`: the affected
    systems of the register. Without one the whole initiative is affected. Raises ValidationError by field, or Refused.
    """
    with act("open incident", by=by, initiative=initiative) as initiative:
        permissions.may_open(initiative, by).or_refuse()
        if once and (known := Incident.objects.filter(once=once, initiative=initiative).first()):
            return known
        now, systems = clock.now(), list(systems)
        row = Incident(
            initiative=initiative,
            severity=severity,
            title=" ".join(title.split()).removesuffix("."),
            words=words.strip(),
            started_at=started_at or detected_at or now,
            detected_at=detected_at or max(now, started_at or now),
            wrong_output=wrong_output,
            fallback=fallback,
            affected_count=affected_count,
            affected_words=affected_words.strip(),
            reported_by=by,
            opened_at=now,
            once=once,
        )
        if wrong := _wrong(row, systems):
            raise ValidationError(wrong)
        other = (
            initiative.incidents.running().exclude(pk__in=list(seen)).select_related("reported_by").first()
        )
        if other is not None:
            raise Conflict(
                phrase(
                    "{} opened “{}” {}.",
                    other.reported_by,
                    other.title,
                    clock.moment_in_words(other.opened_at),
                ),
                "Check whether that incident is the same as yours. If so, write in its timeline. Otherwise "
                "open yours.",
                reverse("incident", args=[other.pk]),
            )
        row.save()
        for system in systems:
            IncidentSystem(incident=row, system=system, at=now).save()
        entries.record(
            EntryKind.INCIDENT_OPENED,
            initiative=initiative,
            incident=row.pk,
            title=row.title,
            severity=row.severity,
            started_at=row.started_at,
            detected_at=row.detected_at,
            systems=[system.name for system in systems],
        )
        if row.severity != 1:  # of the worst, the board and those on the initiative hear in one message
            _tell(initiative, row, _on_initiative(initiative), f"{by} opened the incident.", period="opened")
        _bring(initiative, row, systems, by)
    return row


def _later(moment: datetime) -> str:
    """Return the refusal of a time that is not over."""
    return in_the_future(clock.moment_in_words(moment), clock.moment_in_words(clock.now()))


def _wrong(row: Incident, systems: list[System]) -> dict[str, str]:
    wrong, now = {}, clock.now()
    if row.severity not in SEVERITIES:
        wrong["severity"] = "Choose a severity. You can correct it later."
    if not row.title:
        wrong["title"] = "Describe in a few words what went wrong."
    if row.fallback not in FALLBACKS:
        wrong["fallback"] = "Choose whether the fallback worked."
    if row.started_at > now:
        wrong["started_at"] = _later(row.started_at)
    if row.detected_at > now:
        wrong["detected_at"] = _later(row.detected_at)
    elif row.detected_at < row.started_at:
        wrong["detected_at"] = (
            "The time when the incident was noticed is before the start of the incident. Enter a later time."
        )
    if row.contained_at is not None and row.started_at > row.contained_at:
        contained = clock.moment_in_words(row.contained_at)
        wrong["started_at"] = phrase("The incident was contained {}. Enter an earlier time.", contained)
    linked = set(row.initiative.links.current().values_list("system", flat=True)) if systems else set()
    if {system.pk for system in systems} - linked:
        wrong["systems"] = "Choose only systems that this initiative is linked to."
    return wrong


def _bring(initiative: Initiative, row: Incident, systems: list[System], by: User, period: str = "") -> None:
    """Apply the severity of an incident inside the running act.

    It voids evidence, opens the obligation, sends warnings and notifies the board. `period` tells the messages of a
    reopening from earlier ones.
    """
    if row.severity not in SERIOUS:
        return
    _void(initiative, row, systems, by)
    days = Rulebook.objects.current().parsed.freshness.post_mortem_due_days
    open_written_obligation(
        initiative, "post_mortem", row.source, days, f"Post-mortem of the incident: {row.title}"
    )
    _warn_all(initiative, row, period=period or f"severity {row.severity}")
    if row.severity == 1:
        _tell_board(initiative, row, period=period or "severity 1")
    rewrite_supported_stage(initiative)


def _on_initiative(initiative: Initiative) -> list[User | None]:
    """Return who runs the initiative, and who registered it if it never had an owner."""
    return [
        *(_holder(initiative, role) for role in TOLD),
        None if ever_owned(initiative) else initiative.registered_by,
    ]


def _tell_board(initiative: Initiative, row: Incident, *, period: str = "severity 1") -> None:
    chair, _ = acting_chair(initiative)
    board = [member.person for member in members_now(board_for(initiative.unit))]
    words = "The board and the owner are notified at once."
    _tell(initiative, row, [*_on_initiative(initiative), chair, *board], words, period=period)
    entries.record(EntryKind.BOARD_TOLD, initiative=initiative, incident=row.pk, title=row.title)


def _void(initiative: Initiative, row: Incident, systems: list[System], by: User) -> None:
    pulled = [Pulled(initiative, system) for system in systems] or [Pulled(initiative)]
    pull_many(pulled, [TRIGGER], f"Incident: {row.title}", by=by)


def _warn_all(initiative: Initiative, row: Incident, *, period: str) -> None:
    warned = alerts.depending([initiative])
    knowing = {person.pk for person in _on_initiative(initiative) if person is not None}
    if row.severity == 1:
        knowing |= {member.person_id for member in members_now(board_for(initiative.unit))}
    for dependant in warned:
        if (dependant.executive_id or dependant.stated_by_id) not in knowing:
            _warn(initiative, row, dependant, period)
    if warned:
        entries.record(
            EntryKind.DEPENDANTS_WARNED,
            initiative=initiative,
            incident=row.pk,
            who=[dependant.who for dependant in warned],
        )


def _warn(initiative: Initiative, row: Incident, dependant: Dependant, period: str) -> None:
    """Notify a dependant. The words of the incident are for those alone who may open the initiative."""
    person = dependant.executive or dependant.stated_by
    inside = may_see(initiative, person)
    what = "The results were wrong. " if row.wrong_output else ""
    (tell if inside else tell_outside)(
        initiative,
        [person],
        "incident upstream",
        f"incident:{row.pk}",
        f"incident of severity {row.severity}",
        period=period,
        text=f"{dependant.who} depends on this initiative for {ended(dependant.process or dependant.for_what)} "
        f"{f'{ended(row.title)} ' if inside else ''}{what}Since {clock.moment_in_words(row.started_at)}. "
        "Switch to the agreed outage plan (longest bearable outage: "
        f"{dependant.bearable_outage_hours} hours).",
    )


def _holder(initiative: Initiative, role: str) -> User | None:
    found = accepted(initiative, role)
    return found.person if found else None


def _tell(
    initiative: Initiative, row: Incident, people: Iterable[User | None], words: str, *, period: str
) -> None:
    tell(
        initiative,
        people,
        "incident",
        f"incident:{row.pk}",
        f"incident, severity {row.severity} ({row.title})",
        but=row_history.current().person,
        period=period,
        text=f"{words} Since {clock.moment_in_words(row.started_at)}. {row.words[:500]}".strip(),
        link=reverse("incident", args=[row.pk]),
    )


def read(incident: Incident) -> Incident:
    """Return the row, read after the lock, with the people it names."""
    return Incident.objects.select_related(
        "initiative__unit", "initiative__contract", "reported_by", "lead", "scribe", "speaker", "merged_into"
    ).get(pk=incident.pk)


def not_closed(row: Incident) -> None:
    """Raise Conflict if the incident is closed."""
    if row.state == CLOSED:
        raise Conflict(
            phrase("This incident was closed {}.", clock.moment_in_words(row.closed_at)),
            "If the problem is back, reopen the incident.",
            reverse("incident", args=[row.pk]),
        )


# --- While it happens ------------------------------------------------------------------------------------------------


def write_line(
    *, incident: Incident, words: str, happened_at: datetime | None = None, by: User
) -> IncidentLine:
    """Add a line to the timeline. Lines are never changed. A line written long afterwards is marked as late."""
    wrong, now = {}, clock.now()
    if not words.strip():
        wrong["words"] = "Describe what happened, or what was seen, decided or done."
    if happened_at is not None and happened_at > now:
        wrong["happened_at"] = _later(happened_at)
    if wrong:
        raise ValidationError(wrong)
    with act("write on incident", by=by, initiative=incident.initiative_id) as initiative:
        row = read(incident)
        permissions.may_work(row, by).or_refuse()
        return _line(initiative, row, words, by, happened_at)


def _line(initiative: Initiative, row: Incident, words: str, by: User, happened_at=None) -> IncidentLine:
    now = clock.now()
    line = IncidentLine(incident=row, happened_at=happened_at or now, words=words.strip(), by=by, at=now)
    line.save()
    entries.record(
        EntryKind.INCIDENT_LINE_WRITTEN,
        initiative=initiative,
        incident=row.pk,
        title=row.title,
        words=line.words,
        happened_at=line.happened_at,
    )
    return line


def take_part(*, incident: Incident, role: str, person: User | None = None, by: User) -> Incident:
    """Take a part in an incident, or hand it to someone: lead, scribe, speaker."""
    if role not in ROLES:
        raise ValidationError({"role": "Choose a role."})
    with act("take part in incident", by=by, initiative=incident.initiative_id) as initiative:
        row = read(incident)
        permissions.may_work(row, by).or_refuse()
        not_closed(row)
        person = person or by
        if not person.is_active:
            raise ValidationError({"person": phrase("{} is no longer active. Choose someone else.", person)})
        if getattr(row, f"{role}_id") == person.pk:
            return row
        setattr(row, role, person)
        row.save()
        entries.record(
            EntryKind.INCIDENT_PART_TAKEN,
            initiative=initiative,
            incident=row.pk,
            title=row.title,
            role=role,
            who=person.full_name,
        )
        if person.pk != by.pk:
            _tell(initiative, row, [person], f"{by} named you as the person who {ROLES[role]}.", period=role)
    return row


def move_on(
    *, incident: Incident, state: str, at: datetime | None = None, words: str = "", by: User
) -> Incident:
    """Record that the incident is contained or resolved, and since when. `words` go into the timeline."""
    if state not in (CONTAINED, RESOLVED):
        raise ValidationError({"state": "Choose “contained” or “resolved”."})
    with act("move incident on", by=by, initiative=incident.initiative_id) as initiative:
        row = read(incident)
        permissions.may_work(row, by).or_refuse()
        not_closed(row)
        at = at or clock.now()
        if at > clock.now():
            raise ValidationError({"at": _later(at)})
        if at < row.started_at:
            raise ValidationError(
                {
                    "at": phrase(
                        "The incident started {}. Enter a later time.", clock.moment_in_words(row.started_at)
                    )
                }
            )
        if row.contained_at is not None and at < row.contained_at:
            since = clock.moment_in_words(row.contained_at)
            raise ValidationError({"at": phrase("The incident was contained {}. Enter a later time.", since)})
        if row.state == RESOLVED or (row.state == CONTAINED and state == CONTAINED):
            raise Conflict(
                phrase("The incident is {} already.", row.state), link=reverse("incident", args=[row.pk])
            )
        row.state = state
        if state == RESOLVED:
            row.resolved_at = at
        row.contained_at = row.contained_at or at
        row.save()
        entries.record(
            EntryKind(f"incident {state}"), initiative=initiative, incident=row.pk, title=row.title, since=at
        )
        if words.strip():
            _line(initiative, row, words, by, at)
    return row


def amend(*, incident: Incident, by: User, **fields) -> Incident:
    """Correct the known facts: words, start and detection, people affected, fallback.

    `systems`: further systems that the incident touches. Evidence about these systems is voided now.
    """
    known = {
        "words",
        "started_at",
        "detected_at",
        "wrong_output",
        "fallback",
        "affected_count",
        "affected_words",
    }
    systems = list(fields.pop("systems", ()))
    if set(fields) - known:
        raise TypeError(f"An incident has no {', '.join(sorted(set(fields) - known))} to put right.")
    with act("amend incident", by=by, initiative=incident.initiative_id) as initiative:
        row = read(incident)
        permissions.may_work(row, by).or_refuse()
        not_closed(row)
        before = {name: getattr(row, name) for name in fields}
        for name, value in fields.items():
            setattr(row, name, value.strip() if isinstance(value, str) else value)
        there = set(row.systems.values_list("system", flat=True))
        more = [system for system in systems if system.pk not in there]
        if wrong := _wrong(row, more):
            raise ValidationError(wrong)
        changed = [name for name, value in before.items() if getattr(row, name) != value]
        if not changed and not more:
            return row
        if changed:
            row.save()
        for system in more:
            IncidentSystem(incident=row, system=system, at=clock.now()).save()
        entries.record(
            EntryKind.INCIDENT_AMENDED,
            initiative=initiative,
            incident=row.pk,
            title=row.title,
            changed=changed,
            systems=[system.name for system in more],
        )
        if more and there and row.serious:  # with none named before, all of it was voided already
            _void(initiative, row, more, by)
            rewrite_supported_stage(initiative)
    return row


# --- How it ends -----------------------------------------------------------------------------------------------------


def close(*, incident: Incident, words: str, by: User) -> Incident:
    """Close a resolved incident with its conclusion. A serious one first needs a judgement on the duty to report."""
    if not words.strip():
        raise ValidationError({"words": "Describe the cause and the action taken in one sentence."})
    with act("close incident", by=by, initiative=incident.initiative_id) as initiative:
        row = read(incident)
        permissions.may_judge(row, by).or_refuse()
        not_closed(row)
        if row.state != RESOLVED:
            no(
                "The incident is not resolved yet.",
                "Record the time from which the system works again. Then close the incident.",
            ).or_refuse()
        if row.serious and not row.no_duty_because and not row.all_deadlines.exists():
            no(
                "No one has judged yet whether the incident must be reported to an authority.",
                "Start the reporting deadline that applies, or give a reason why no report is required.",
                reverse("row-act", args=["incidents", row.pk, "clock"]),
            ).or_refuse()
        row.state, row.closed_at, row.closed_words = CLOSED, clock.now(), words.strip()
        row.save()
        entries.record(
            EntryKind.INCIDENT_CLOSED,
            initiative=initiative,
            incident=row.pk,
            title=row.title,
            words=row.closed_words,
        )
    return row


def reopen(*, incident: Incident, reason: str, by: User) -> Incident:
    """Open a resolved or closed incident again because it came back or was not over.

    Its severity has its consequences again: evidence that was renewed since is voided, and a post-mortem is due.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Describe how you know that the incident is not over."})
    with act(
        "reopen incident", by=by, initiative=incident.initiative_id, reason=reason.strip()
    ) as initiative:
        row = read(incident)
        permissions.may_judge(row, by).or_refuse()
        if row.merged_into_id:
            no(
                phrase("This incident is a duplicate of “{}”.", row.merged_into), "Reopen that incident."
            ).or_refuse()
        if row.state not in (RESOLVED, CLOSED):
            raise Conflict("The incident is open already.", link=reverse("incident", args=[row.pk]))
        row.state, row.resolved_at, row.contained_at = OPEN, None, None
        row.closed_at, row.closed_words, row.reopened_at = None, "", clock.now()
        row.save()
        period = told_reopened(initiative, row, [row.lead], reason.strip(), by)
        _bring(initiative, row, [named.system for named in row.systems.select_related("system")], by, period)
    return row


def told_reopened(
    initiative: Initiative, row: Incident, people: Iterable[User | None], why: str, by: User
) -> str:
    """Record a reopening inside the running act and notify these people. Return the period of the messages."""
    entries.record(
        EntryKind.INCIDENT_REOPENED, initiative=initiative, incident=row.pk, title=row.title, why=why
    )
    period = f"reopened {clock.now():%Y-%m-%dT%H:%M:%S}"
    words = f"{by} reopened the incident: {why}"
    _tell(initiative, row, [*people, *_on_initiative(initiative)], words, period=period)
    return period


def correct_severity(*, incident: Incident, severity: int, reason: str, by: User) -> Incident:
    """Correct the severity of an incident. Raising applies that severity. Lowering takes back nothing due or voided."""
    wrong = {}
    if severity not in SEVERITIES:
        wrong["severity"] = "Choose a severity."
    if not reason.strip():
        wrong["reason"] = "Describe how you know."
    if wrong:
        raise ValidationError(wrong)
    with act(
        "correct severity", by=by, initiative=incident.initiative_id, reason=reason.strip()
    ) as initiative:
        row = read(incident)
        permissions.may_judge(row, by).or_refuse()
        if row.merged_into_id:
            no(
                phrase("This incident is a duplicate of “{}”.", row.merged_into),
                "Correct the severity of that incident.",
            ).or_refuse()
        if row.severity == severity:
            raise Conflict(
                phrase("The incident already has severity {}.", severity),
                link=reverse("incident", args=[row.pk]),
            )
        set_severity(initiative, row, severity, reason.strip(), by)
    return row


def set_severity(initiative: Initiative, row: Incident, severity: int, why: str, by: User) -> None:
    """Set another severity inside the running act, with its consequences."""
    before, row.severity = row.severity, severity
    row.save()
    entries.record(
        EntryKind.INCIDENT_SEVERITY_CORRECTED,
        initiative=initiative,
        incident=row.pk,
        title=row.title,
        before=before,
        severity=severity,
        why=why,
    )
    if severity >= before:
        return
    systems = [named.system for named in row.systems.select_related("system")]
    if before in SERIOUS:  # voided, due and warned then; what is new is that the board hears of it
        _tell_board(initiative, row)
        _warn_all(initiative, row, period="severity 1")
    else:
        _bring(initiative, row, systems, by)
