"""The daily comparison of both logs, which keeps figures and writes findings.

Days are found by what came since the last look, and judged as a whole. So late and repeated reports, and two workers at
once, end in the same rows. A day that is too new is judged again once both logs are complete
(`reconciliation.COMPLETE_AFTER`). A new mapping of names or a new model makes the last days due again.
"""

import hashlib
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil

import structlog
from django.db import connection
from django.db.models import OuterRef, Q, Subquery

from governance import clock
from governance.interaction_log.reconciliation import LONGEST, Found, Verdict
from governance.models import Interaction, OutcomeReport, PolicyDecision, ServiceKey
from governance.models.sign_in import INTERACTIONS
from governance.vocabulary import RUNNING_STAGES, DecisionOutcome, LogFindingKind, OutcomeKind
from initiatives.interactions.comparison.act_names import Names, names_of
from initiatives.interactions.comparison.both_logs import MOST_NAMES, Day, read_day
from initiatives.interactions.comparison.day_figures import SPAN, subjects_to
from initiatives.lifecycle.findings.sync import follow
from initiatives.lifecycle.initiative.act import act
from initiatives.models import (
    Initiative,
    LogFinding,
    LogFindingWithdrawal,
    ReconciledDay,
    ReconciliationMark,
)

log = structlog.get_logger("plumbline.interactions")

SYSTEM = "comparison of logs"
ANEW = timedelta(days=30)  # days that are judged again by other names
RECOUNTED = timedelta(weeks=5)  # days that are counted once more each day
MOST_DAYS = 500  # judged in one run
SECONDS = 150  # after which a run leaves the rest to the next one
MOST_FINDINGS = 200  # current rows of a kind, initiative and day; the day counts all
PACE = 20  # times as long as it took does a day rest that took a second or more: a twentieth of a worker
LONGEST_REST = 24 * 60 * 60  # seconds, so that no figure in a row keeps its day from being counted for longer
# After which every report of a moment (the database's) is committed: each is a transaction of its own.
LAG = timedelta(minutes=1)
SILENCE = timedelta(days=1)
HEARD_WITHIN = timedelta(days=7)  # before which a log that ended is no news
TRIED = (
    60  # seconds that a day is taken to take until it was judged: what kills a run rests, and others go on
)
ENOUGH = 5  # acts that a log would have to be expected to hold: that it has none by chance is then below 1 %
_RUNNING = 0x706C726563  # the key of the lock that one run holds
_TOUCHED = """
SELECT DISTINCT initiative_number, date_trunc('hour', at) FROM {table}
 WHERE initiative_number = ANY(%s) AND batch_id IN (SELECT id FROM {batch} WHERE xact >= %s)"""
_COUNTED = ("tried", "failed", "outputs", "sourced", "named", "durations", "subjects")
KINDS = {Verdict.NEVER_ASKED: LogFindingKind.NEVER_ASKED, Verdict.AFTER_DENIAL: LogFindingKind.AFTER_DENIAL}
LATE = "A later decision permits the act, or the name of the act was mapped."
DECLARED = "The model was declared later."
HEARD = "The log has entries again."


def reconcile() -> list[int]:
    """Judge every due day, and return the keys of initiatives with changed findings.

    A second run at the same time has nothing to do. If both run, they write the same rows.
    """
    with _alone() as alone:
        if not alone:
            return []
        reporting = _initiatives()
        initiatives = {initiative.pk: initiative for initiative in reporting}
        names = names_of(reporting)
        _mark_due(reporting, names)
        touched: dict[int, None] = {}
        until = time.monotonic() + SECONDS
        due = ReconciledDay.objects.filter(initiative__in=initiatives, due=True, day__lte=clock.today())
        for row in due.order_by("-day", "pk")[:MOST_DAYS]:
            if time.monotonic() > until:
                break
            rests = timedelta(seconds=min(PACE * row.seconds, LONGEST_REST) if row.seconds > 1 else 0)
            now = clock.now()
            if row.judged_at is None or not now - rests < row.judged_at <= now:
                ReconciledDay.objects.filter(pk=row.pk).update(judged_at=clock.now(), seconds=TRIED)
                try:
                    changed = judge(initiatives[row.initiative_id], row.day, names[row.initiative_id])
                except Exception:  # of one day: the others are judged all the same, and this one again later
                    log.exception("a day cannot be compared", initiative=row.initiative_id, day=str(row.day))
                    continue
                touched |= dict.fromkeys(changed)
        touched |= dict.fromkeys(_listen(initiatives))
        return list(touched)


@contextmanager
def _alone() -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_RUNNING])
        (got,) = cursor.fetchone()
        try:
            yield got
        finally:
            if got:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_RUNNING])


def _initiatives() -> dict[Initiative, datetime]:
    """Return the running initiatives whose systems may report, and since when."""
    keys = ServiceKey.objects.filter(contract=OuterRef("contract"), scopes__contains=[INTERACTIONS])
    first = Subquery(keys.order_by("made_at").values("made_at")[:1])
    found = Initiative.objects.live().filter(stage__in=RUNNING_STAGES).annotate(reports_since=first)
    return {
        initiative: initiative.reports_since
        for initiative in found.filter(reports_since__isnull=False).order_by("pk")
    }


# --- Which days -------------------------------------------------------------------------------------------------------


def _mark_due(initiatives: dict[Initiative, datetime], names: dict[int, Names]) -> None:
    """Mark the days with new rows, too new days, and those judged by other names."""
    numbers = {initiative.number: initiative.pk for initiative in initiatives}
    first = {initiative.number: since - timedelta(hours=1) for initiative, since in initiatives.items()}
    now = clock.now()
    with act("compare logs", system=SYSTEM):
        ReconciliationMark.objects.get_or_create(pk=1)
        mark = ReconciliationMark.objects.select_for_update().get(pk=1)
        with connection.cursor() as cursor:
            # Whatever is not visible yet is of a transaction from here on.
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, plumbline_now()")
            ahead, moment = cursor.fetchone()
            told, asked = (
                _touched(cursor, table, batch, list(numbers), mark.xact)
                for table, batch in (
                    (Interaction._meta.db_table, "governance_interactionbatch"),
                    (PolicyDecision._meta.db_table, "governance_decisionbatch"),
                )
            )
        reports = OutcomeReport.objects.filter(initiative_number__in=numbers, reported_at__lte=moment - LAG)
        if mark.outcomes_to is not None:
            reports = reports.filter(reported_at__gt=mark.outcomes_to)
        for number, at, decided_at in reports.values_list("initiative_number", "at", "decided_at"):
            asked |= {(number, moment) for moment in (at, decided_at) if moment is not None}
        # Of the days before anything could be reported nothing is compared but what is reported of them all the same.
        asked = {(number, moment) for number, moment in asked if moment >= first[number]}
        _have_due({(numbers[number], day) for number, moment in told | asked for day in _reached(moment)})
        recent = ReconciledDay.objects.filter(due=False)
        recent.filter(open__gt=0).update(due=True)
        # A day that is over is judged once more, for the persons of the four weeks to it.
        recent.filter(
            calls__gt=0, subjects=None, day__lt=clock.local_day(now), day__gte=clock.local_day(now - ANEW)
        ).update(due=True)
        for pk, one in names.items():
            others = recent.filter(initiative=pk, day__gte=clock.local_day(now - ANEW))
            others.exclude(judged_by=one.digest).update(due=True)
        # Figures are no part of the audit log: those of the last days are counted once more each day, whatever they
        # say.
        counted = Q(judged_at__lt=clock.midnight_before(clock.local_day(now))) | Q(judged_at__gt=now)
        recent.filter(counted, day__gte=clock.local_day(now - RECOUNTED)).update(due=True)
        mark.xact, mark.outcomes_to = ahead, moment - LAG
        mark.save()


def _touched(cursor, table: str, batch: str, numbers: list[int], since: int) -> set[tuple[int, datetime]]:
    """Return (initiative number, hour) of rows in batches from this transaction on."""
    cursor.execute(_TOUCHED.format(table=table, batch=batch), [numbers, since])
    return set(cursor.fetchall())


def _reached(moment: datetime) -> set[date]:
    """Return the days whose comparison reads a row of this hour."""
    return {clock.local_day(moment + side * (LONGEST + timedelta(hours=1))) for side in (-1, 0, 1)}


def _have_due(days: Iterable[tuple[int, date]]) -> None:
    rows = [ReconciledDay(initiative_id=initiative, day=day, due=True) for initiative, day in sorted(days)]
    ReconciledDay.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["initiative", "day"],
        update_fields=["due"],
        batch_size=1000,
    )


# --- One day ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Seen:
    """One finding as the logs have it now."""

    kind: str
    act: str
    what: str
    at: datetime
    key: int | None = None
    interaction: int | None = None
    decision: str = ""
    probable: bool = False
    outcome: str = ""  # of an act that was reported twice, what it is called while its span is not known


def judge(initiative: Initiative, day: date, names: Names) -> list[int]:
    """Judge one day again, and return the initiative's key if its findings changed.

    Both logs are read before the initiative is locked, so that other acts do not wait.
    """
    now, began = clock.now(), time.monotonic()
    said = read_day(initiative, day, names, now)
    before = ReconciledDay.objects.filter(initiative=initiative, day=day).first()
    later = _later_subjects(initiative, day) if before is not None and before.calls != said.calls else {}
    seconds = time.monotonic() - began
    seen = list(_seen(said, day))
    with act("compare logs", system=SYSTEM, initiative=initiative.pk) as initiative:
        ReconciledDay.objects.update_or_create(
            initiative=initiative, day=day, defaults=_figures(said, names, now, seconds)
        )
        for other, subjects in later.items():
            ReconciledDay.objects.filter(pk=other).update(subjects=subjects)
        current = _current(initiative, day=day)
        places = {
            (one.kind, one.outcome if (one.kind, one.outcome) in current else one.act): one for one in seen
        }
        changed = _write_findings(initiative, places, current, day, now)
        if changed:
            follow([initiative])
    if changed:
        log.info("logs were compared", initiative=initiative.number, day=str(day), findings=len(seen))
    return [initiative.pk] if changed else []


def _later_subjects(initiative: Initiative, day: date) -> dict[int, int]:
    """Return by row the recounted persons of days whose four weeks include this one."""
    rows = ReconciledDay.objects.filter(
        initiative=initiative, day__gt=day, day__lt=day + timedelta(days=SPAN), subjects__isnull=False
    )
    return {row.pk: subjects_to(initiative.number, row.day) for row in rows.only("day")}


def _figures(said: Day, names: Names, now: datetime, seconds: float) -> dict:
    verdicts = [(found.verdict, found.probable) for found in said.acts]
    return {
        "due": False,
        "judged_at": now,
        "judged_by": names.digest,
        "seconds": seconds,
        "done": said.named + sum(1 for verdict, _ in verdicts if verdict == Verdict.DONE),
        "not_done": said.not_done,
        "never_asked": verdicts.count((Verdict.NEVER_ASKED, False)),
        "after_denial": sum(1 for verdict, _ in verdicts if verdict == Verdict.AFTER_DENIAL),
        "probable": verdicts.count((Verdict.AFTER_DENIAL, True)),
        "open": said.open,
        "unmapped": said.unnamed.total(),
        "unnamed": dict(said.unnamed.most_common(MOST_NAMES)),
        "sampling": said.sampling,
        "calls": said.calls,
        "expected": said.expected,
        "logged": said.logged,
        **{name: getattr(said.figures, name) for name in _COUNTED},
    }


def _seen(said: Day, day: date) -> Iterator[_Seen]:
    for found in said.findings:
        yield _of_act(KINDS[found.verdict], found)
    for model in said.models:
        name = hashlib.sha256(model.label.encode()).hexdigest()[:32]
        yield _Seen(
            LogFindingKind.OTHER_MODEL,
            f"m{name}:{day:%Y%m%d}",
            model.label,
            model.at,
            interaction=model.interaction,
        )


def _of_act(kind: str, found: Found) -> _Seen:
    """Return the finding of an act. Its key is the span, if any, so that a later outcome has the same key."""
    name = found.act.span or found.act.id
    return _Seen(
        kind,
        name,
        found.act.action,
        found.act.at,
        key=found.act.key or None,
        interaction=int(name[1:]) if name.startswith("i") else None,
        decision=found.decision.hex(),
        probable=found.probable,
        outcome=found.act.id,
    )


def _current(initiative: Initiative, **which) -> dict[tuple[str, str], LogFinding]:
    rows = LogFinding.objects.current().filter(initiative=initiative, **which)
    return {(row.kind, row.act): row for row in rows.exclude(kind=LogFindingKind.SILENT)}


def _write_findings(
    initiative: Initiative,
    seen: dict[tuple[str, str], _Seen],
    current: dict[tuple[str, str], LogFinding],
    day: date,
    now: datetime,
) -> bool:
    """Write new findings and withdraw those no longer seen. Return True if any changed."""
    gone = [
        row
        for place, row in current.items()
        if place not in seen or (row.probable, row.decision) != (seen[place].probable, seen[place].decision)
    ]
    LogFindingWithdrawal.objects.bulk_create(
        LogFindingWithdrawal(
            finding=row, why=DECLARED if row.kind == LogFindingKind.OTHER_MODEL else LATE, at=now
        )
        for row in gone
    )
    left = current.keys() - {(row.kind, row.act) for row in gone}
    room: dict[str, int] = dict.fromkeys(LogFindingKind.values, MOST_FINDINGS)
    for kind, _ in left:
        room[kind] -= 1
    new = []
    for place, one in seen.items():
        if place not in left and room[one.kind] > 0:
            room[one.kind] -= 1
            new.append(one)
    _write(initiative, new, day, now)
    return bool(gone or new)


def _write(initiative: Initiative, new: list[_Seen], day: date, now: datetime) -> None:
    before: dict[tuple[str, str], int] = {}
    known = LogFinding.objects.filter(initiative=initiative, act__in=[one.act for one in new])
    for kind, name, number in known.values_list("kind", "act", "number"):
        before[kind, name] = max(before.get((kind, name), 0), number)
    LogFinding.objects.bulk_create(
        LogFinding(
            initiative=initiative,
            kind=one.kind,
            act=one.act,
            number=before.get((one.kind, one.act), 0) + 1,
            what=one.what,
            at=one.at,
            day=day,
            key_id=one.key,
            interaction=one.interaction,
            decision=one.decision,
            probable=one.probable,
            found_at=now,
        )
        for one in new
    )


# --- Silence ----------------------------------------------------------------------------------------------------------


def _listen(initiatives: dict[int, Initiative]) -> list[int]:
    """Find logs that fell silent or resumed, and return the keys of their initiatives.

    A log is silent if it has rows by keys of the last week and none for a day, although the system was allowed to act,
    reported an act, or had rows in the same hours a week before. Days on which a log is always empty do not count.
    """
    now, touched = clock.now(), []
    current = {
        row.initiative_id: row
        for row in LogFinding.objects.current().filter(initiative__in=initiatives, kind=LogFindingKind.SILENT)
    }
    for initiative in initiatives.values():
        newest = (
            Interaction.objects.filter(initiative_number=initiative.number, key_id__isnull=False)
            .order_by("-at", "-id")
            .first()
        )
        last = newest.at if newest else None
        row = current.get(initiative.pk)
        if (
            newest is None
            or last is None
            or (row is None and not now - HEARD_WITHIN - SILENCE < last <= now - SILENCE)
        ):
            continue
        if row is None and _should_have_spoken(initiative, newest, now):
            with act("compare logs", system=SYSTEM, initiative=initiative.pk) as initiative:
                if not _silent(initiative):
                    name = f"silent:{last:%Y%m%dT%H%M%S}"
                    seen = _Seen(LogFindingKind.SILENT, name, "", last + SILENCE)
                    _write(initiative, [seen], clock.local_day(last + SILENCE), now)
                    follow([initiative])
                    touched.append(initiative.pk)
        elif row is not None and last > now - SILENCE and last > row.at - SILENCE:
            with act("compare logs", system=SYSTEM, initiative=initiative.pk) as initiative:
                for one in _silent(initiative):
                    LogFindingWithdrawal.objects.create(finding=one, why=HEARD, at=now)
                follow([initiative])
                touched.append(initiative.pk)
    return touched


def _silent(initiative: Initiative) -> list[LogFinding]:
    return list(LogFinding.objects.current().filter(initiative=initiative, kind=LogFindingKind.SILENT))


def _should_have_spoken(initiative: Initiative, last: Interaction, now: datetime) -> bool:
    """Return True if decisions, reports or last week show that newer rows are missing.

    For a system that samples, the expected number follows its share.
    """
    share, since = last.sampled or 1.0, max(last.at, now - SILENCE) + LONGEST
    done = OutcomeReport.objects.filter(initiative_number=initiative.number, kind=OutcomeKind.DONE).filter(
        Q(at__gt=since, at__lte=now) | Q(at__isnull=True, decided_at__gt=since, decided_at__lte=now)
    )
    allowed = PolicyDecision.objects.calls().filter(
        initiative_number=initiative.number,
        key_id__isnull=False,
        outcome=DecisionOutcome.ALLOW,
        at__gt=since,
        at__lte=now,
    )
    before = Interaction.objects.filter(
        initiative_number=initiative.number, at__gt=now - SILENCE - HEARD_WITHIN, at__lte=now - HEARD_WITHIN
    )
    most = ceil(ENOUGH / share)
    return (
        any(len(rows.values("pk")[:most]) == most for rows in (done, allowed))
        or len(before.values("pk")[:ENOUGH]) == ENOUGH
        or (share == 1 and done.exists())
    )
