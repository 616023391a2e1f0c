"""Terms for reporting an incident to an authority. Admins keep the templates, and clocks run by them."""

from datetime import date, timedelta

from django.core.exceptions import ValidationError

from adoption.incidents import permissions
from adoption.incidents.actions import read
from adoption.incidents.reporting_duties import TEMPLATES
from adoption.models import Deadline, Incident, ReportingDuty
from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import in_the_future, phrase
from initiatives.lifecycle.initiative.act import act


def lay_out_duties(*, by: User) -> list[ReportingDuty]:
    """Add the templates that are missing, by name. Templates that an admin changed keep the change."""
    with act("lay out reporting duties", by=by):
        permissions.may_keep_duties(by).or_refuse()
        known = set(ReportingDuty.objects.values_list("name", flat=True))
        new = [ReportingDuty(**vars(one)) for one in TEMPLATES if one.name not in known]
        for row in new:
            row.save()
        if new:
            entries.record(EntryKind.REPORTING_DUTIES_LAID_OUT, names=[row.name for row in new])
    return new


def add_duty(
    *, name: str, days: int, applies: str, source: str, in_use: bool = True, by: User
) -> ReportingDuty:
    """Add a template. Raises ValidationError by field, or Refused."""
    with act("add reporting duty", by=by):
        permissions.may_keep_duties(by).or_refuse()
        row = ReportingDuty(
            name=name.strip(), days=days, applies=applies.strip(), source=source.strip(), in_use=in_use
        )
        row.full_clean()
        row.save()
        entries.record(EntryKind.REPORTING_DUTY_ADDED, name=row.name, days=row.days, source=row.source)
    return row


def start_clock(
    *, incident: Incident, duty: ReportingDuty, aware_on: date | None = None, by: User
) -> Deadline:
    """Start the clock of a reporting duty on an incident.

    `aware_on`: the day on which one became aware, by default of detection. The last day counts to its local midnight.
    Raises ValidationError, Refused, Conflict when it runs.
    """
    with act("start reporting clock", by=by, initiative=incident.initiative_id) as initiative:
        row = read(incident)
        permissions.may_work(row, by).or_refuse()
        aware_on = aware_on or clock.local_day(row.detected_at)
        duty = ReportingDuty.objects.get(pk=duty.pk)
        wrong: dict[str, str] = {}
        if aware_on > clock.today():
            wrong["aware_on"] = in_the_future(aware_on, clock.today())
        elif aware_on < clock.local_day(row.started_at):
            wrong["aware_on"] = "The incident started later. Enter a later day."
        if not duty.in_use:
            wrong["duty"] = f"{duty} is no longer in use. Choose a different duty."
        if wrong:
            raise ValidationError(wrong)
        if row.deadlines.filter(duty=duty, met_at__isnull=True).exists():
            raise Conflict("This reporting deadline was already started.")
        deadline = Deadline(
            incident=row,
            duty=duty,
            words=duty.name,
            source=duty.source,
            aware_on=aware_on,
            due=aware_on + timedelta(days=duty.days),
            started_by=by,
            started_at=clock.now(),
        )
        deadline.save()
        if row.no_duty_because:
            row.no_duty_because = ""
            row.save()
        entries.record(
            EntryKind.REPORTING_CLOCK_STARTED,
            initiative=initiative,
            incident=row.pk,
            title=row.title,
            duty=duty.name,
            aware_on=aware_on,
            due=deadline.due,
        )
    return deadline


def meet_deadline(*, deadline: Deadline, words: str, by: User) -> Deadline:
    """Record how the duty was met. `words`: authority and reference, or why no report was required."""
    if not words.strip():
        raise ValidationError(
            {"words": "Enter the authority and the reference, or the reason why no report is required."}
        )
    with act("meet reporting deadline", by=by, initiative=deadline.incident.initiative_id) as initiative:
        row = Deadline.objects.select_related("incident__initiative__unit", "met_by").get(pk=deadline.pk)
        permissions.may_work(row.incident, by).or_refuse()
        if row.met_at is not None:
            raise Conflict(
                phrase("{} recorded the report {}.", row.met_by, clock.moment_in_words(row.met_at))
            )
        row.met_at, row.met_by, row.met_words = clock.now(), by, words.strip()
        row.save()
        entries.record(
            EntryKind.REPORTING_DEADLINE_MET,
            initiative=initiative,
            incident=row.incident_id,
            title=row.incident.title,
            duty=row.words,
            due=row.due,
            words=row.met_words,
        )
    return row


def judge_no_duty(*, incident: Incident, reason: str, by: User) -> Incident:
    """Record, with the reason, that no authority needs a report, while no clock runs."""
    if not reason.strip():
        raise ValidationError({"reason": "Enter who decided that no report is required, and the reason."})
    with act(
        "judge reporting duty", by=by, initiative=incident.initiative_id, reason=reason.strip()
    ) as initiative:
        row = read(incident)
        permissions.may_judge(row, by).or_refuse()
        if row.deadlines.filter(met_at__isnull=True).exists():
            raise ValidationError(
                {
                    "reason": "A reporting deadline was started. Record on that deadline why no report is required."
                }
            )
        row.no_duty_because = reason.strip()
        row.save()
        entries.record(
            EntryKind.NO_REPORTING_DUTY,
            initiative=initiative,
            incident=row.pk,
            title=row.title,
            why=row.no_duty_because,
        )
    return row


def move_clocks(row: Incident, older: Incident, by: User) -> None:
    """Move the running clocks to the older incident inside the merging act. The earlier day counts."""
    there = {one.duty_id: one for one in older.deadlines.filter(met_at__isnull=True)}
    if row.deadlines.filter(met_at__isnull=True).exists():
        older.no_duty_because = ""
    elif not older.all_deadlines.exists():
        older.no_duty_because = older.no_duty_because or row.no_duty_because
    older.save()
    for one in row.deadlines.filter(met_at__isnull=True):
        twin = there.get(one.duty_id)
        if twin is None:
            twin = Deadline(incident=older, started_by=by, started_at=one.started_at)
            for name in ("duty", "words", "source", "aware_on", "due"):
                setattr(twin, name, getattr(one, name))
            twin.save()
        elif one.due < twin.due:
            twin.due, twin.aware_on = one.due, one.aware_on
            twin.save()
        one.met_at, one.met_by, one.met_words = clock.now(), by, f"Continued on “{older.title}”"
        one.save()
