"""The acts on reports: receive, judge, compute from figures. See docs/adr/0034.

The act of a reporter is recorded as one of the system: no entry, history row, notification or refusal of it has the
reporter, nor the request it came with.
"""

from collections.abc import Iterable
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError

from adoption.incidents import actions as incident_actions
from adoption.measures.behaviour_detection import Found
from adoption.models import BehaviourReport, Incident, SealedSource
from adoption.models.reports import (
    BEHAVIOUR_REPORT,
    BEHAVIOUR_REPORT_KINDS,
    BEHAVIOUR_REPORT_SOURCES,
    EXTENTS,
    HALF,
    INCIDENT,
    OVER,
    Report,
)
from adoption.reports import permissions, sealed_reporter
from adoption.reports.report_kinds import kind_of, outcomes_of
from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import in_the_future
from initiatives.lifecycle.findings.sync import follow
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.reminders.telling import tell
from initiatives.models import Initiative

PROTECTED = "protected reports"
MEASUREMENTS = "measurements"
LONGEST = 4000


@contextmanager
def unnamed():
    """Record everything inside without the id of its request."""
    token = row_history.set_request_id("")
    try:
        yield
    finally:
        row_history.reset_request_id(token)


# --- Received --------------------------------------------------------------------------------------------------------


def receive(initiative: Initiative, row: Report, *, sealed: dict[str, Any] | None = None, **facts) -> None:
    """Save a report inside the running act, seal its source, notify who judges it.

    The entry has no source. `facts`: further facts of the entry.
    """
    row.save()
    if sealed is not None:
        row.sealed_source = SealedSource(sealed=sealed_reporter.seal(sealed, row.place))
        row.sealed_source.save()
    _said(initiative, row, EntryKind.REPORT_RECEIVED, **facts)
    follow([initiative])


def _said(initiative: Initiative, row: Report, entry: EntryKind, **facts) -> None:
    """Record a report's arrival, and notify who has to judge it in the same transaction."""
    kind = kind_of(row)
    entries.record(entry, initiative=initiative, report=row.place, what=row.noun, title=str(row), **facts)
    if row.waits:
        tell(
            initiative,
            kind.judges(initiative),
            "report",
            row.place,
            f"{kind.news[:1].lower()}{kind.news[1:]}",
            text=f"{row.summary[:500]} {kind.asks}",
            link=row.get_absolute_url(),
        )


def report_behaviour_report(
    *,
    initiative: Initiative,
    kind: str,
    group: str,
    words: str,
    source: str,
    observed_on: date,
    share: int | None = None,
    extent: str = "unknown",
    may_ask: bool = True,
    once: UUID | None = None,
    by: User,
) -> BehaviourReport:
    """Report the behaviour of a group with the system. The reporter is sealed.

    With `may_ask` False no one can ask for the name. `share`: percent of the group. A weaponised one goes to the board
    at once. Raises ValidationError by field, or Refused.
    """
    with unnamed(), act("report behaviour report", system=PROTECTED, initiative=initiative) as initiative:
        permissions.may_report(initiative, by).or_refuse()
        if once and (known := BehaviourReport.objects.filter(once=once, initiative=initiative).first()):
            return known
        return _receive_behaviour_report(
            initiative,
            sealed={"person": by.pk, "above": sorted(permissions.above(by)), "may_ask": may_ask},
            kind=kind,
            group=group,
            words=words,
            source=source,
            observed_on=observed_on,
            share=share,
            extent=extent,
            once=once,
        )


def _receive_behaviour_report(initiative: Initiative, *, sealed: dict[str, Any], **fields) -> BehaviourReport:
    if wrong := _wrong(fields):
        raise ValidationError(wrong)
    row = BehaviourReport(initiative=initiative, reported_on=clock.today(), **fields)
    row.group, row.words = " ".join(row.group.split()), row.words.strip()
    if row.share is not None:
        row.extent = "most" if row.share > HALF else "fewer"
    receive(initiative, row, sealed=sealed, **_facts(row))
    return row


def _wrong(fields: dict[str, Any]) -> dict[str, str]:
    wrong = {}
    if fields["kind"] not in BEHAVIOUR_REPORT_KINDS:
        wrong["kind"] = "Choose how people use the system."
    if not fields["group"].strip():
        wrong["group"] = "Name a group, for example a team. Do not name a person."
    if not fields["words"].strip():
        wrong["words"] = "Describe what you saw, so that someone can act on it."
    elif len(fields["words"]) > LONGEST:
        wrong["words"] = f"The text has {len(fields['words'])} letters. Use at most {LONGEST}."
    if fields["source"] not in BEHAVIOUR_REPORT_SOURCES or fields["source"] == MEASUREMENTS:
        wrong["source"] = "Choose how you know."
    if fields["observed_on"] > clock.today():
        wrong["observed_on"] = in_the_future(fields["observed_on"], clock.today())
    if fields["share"] is not None and not 0 <= fields["share"] <= 100:
        wrong["share"] = "Enter a share between 0 and 100 percent."
    if fields["extent"] not in EXTENTS:
        wrong["extent"] = "Choose how much of the group does it."
    return wrong


def _facts(row: BehaviourReport) -> dict[str, Any]:
    """Return the facts of a behaviour report for entries."""
    return {
        "report_kind": row.kind,
        "group": row.group,
        "extent": row.extent,
        "share": row.share,
        "source": row.source,
        "observed_on": row.observed_on,
        "words": row.words,
    }


# --- Judged ----------------------------------------------------------------------------------------------------------


def judge(
    *,
    report: Report,
    outcome: str,
    answer: str,
    by: User,
    incident: Incident | None = None,
    fields: dict[str, Any] | None = None,
) -> Report:
    """Judge a report with an outcome of its kind and an answer.

    Raises Refused, Conflict, ValidationError. An incident is opened with `fields` as `open_incident` takes them, or
    `incident` names the existing one. A behaviour report is made with `fields` kind, group and extent.
    """
    kind = kind_of(report)
    with act("judge report", by=by, initiative=report.initiative_id, reason=answer.strip()) as initiative:
        row = kind.model.objects.select_related("initiative__unit", "judged_by").get(pk=report.pk)
        kind.may_judge(initiative, by).or_refuse()
        if outcome not in [one.key for one in outcomes_of(row)]:
            raise _judged_already(row)
        if not answer.strip():
            raise ValidationError(
                {"answer": "Describe how you judge the report, and what is done about the problem."}
            )
        if row.judged_at is None:
            row.answer, row.judged_by, row.judged_at = answer.strip(), by, clock.now()
        if outcome == OVER:
            row.ended_at, row.ended_why = clock.now(), answer.strip()
        elif outcome == BEHAVIOUR_REPORT:
            row.behaviour_report = _behaviour_report_of(initiative, row, **(fields or {}))
        elif outcome == INCIDENT:
            row.incident = _incident_of(initiative, row, incident, by, **(fields or {}))
        row.save()
        entries.record(
            EntryKind.REPORT_JUDGED,
            initiative=initiative,
            report=row.place,
            what=row.noun,
            title=str(row),
            became=outcome,
            into=row.incident.title if outcome == INCIDENT else "",
            words=answer.strip(),
        )
        follow([initiative])
    return row


def _judged_already(row: Report) -> Conflict:
    """Return the conflict that someone else judged the report, or that it has ended."""
    if row.judged_at is not None:
        words = f"{row.judged_by} judged this {row.noun} {clock.moment_in_words(row.judged_at)}."
    else:
        words = f"This {row.noun} is {row.state}."
    return Conflict(words, "Read the outcome.", row.get_absolute_url())


def _behaviour_report_of(
    initiative: Initiative, row: Report, *, kind: str, group: str, extent: str
) -> BehaviourReport:
    """Make a behaviour report in the words of a problem report. The reporter remains unknown."""
    return _receive_behaviour_report(
        initiative,
        sealed={"problem": row.pk},
        kind=kind,
        group=group,
        words=row.what,
        source="problem",
        observed_on=row.happened_on or row.reported_on,
        share=None,
        extent=extent,
    )


def _incident_of(initiative: Initiative, row: Report, there: Incident | None, by: User, **fields) -> Incident:
    if there is None:
        return incident_actions.open_incident(initiative=initiative, by=by, **row.incident_fields(), **fields)
    if there.initiative_id != initiative.pk:
        raise ValidationError({"incident": "Choose an incident of this initiative."})
    return there


# --- Worked out from measurements ------------------------------------------------------------------------------------


def follow_figures(initiative: Initiative, found: Iterable[Found]) -> list[BehaviourReport]:
    """Set a locked initiative's computed behaviour reports inside the running act.

    New ones are opened, others are ended. A report whose figures moved but whose finding is the same is kept, because
    the board may have answered it.
    """
    wanted = {(one.kind, one.group): one for one in found}
    known = {
        (row.kind, row.group): row for row in initiative.behaviour_reports.current().filter(computed=True)
    }
    for there, row in known.items():
        if there not in wanted:
            row.ended_at, row.ended_why = clock.now(), "The measurements no longer show this behaviour."
            row.save()
            entries.record(
                EntryKind.BEHAVIOUR_REPORT_ENDED,
                initiative=initiative,
                behaviour_report=row.pk,
                group=row.group,
                report_kind=row.kind,
                why=row.ended_why,
            )
    rows = []
    for there, one in wanted.items():
        row = known.get(there)
        if row is not None and (row.share, row.words) == (one.share, one.words):
            continue
        fresh = row is None
        row = row or BehaviourReport(
            initiative=initiative, kind=one.kind, group=one.group, source=MEASUREMENTS, computed=True
        )
        row.share, row.extent, row.words, row.figures = one.share, one.extent, one.words, one.figures
        row.observed_on = clock.today()
        row.reported_on = row.reported_on or clock.today()
        row.save()
        _said(
            initiative,
            row,
            EntryKind.BEHAVIOUR_REPORT_COMPUTED if fresh else EntryKind.BEHAVIOUR_REPORT_MOVED,
            **_facts(row),
        )
        rows.append(row)
    follow([initiative])
    return rows
