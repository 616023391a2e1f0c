"""Exports asked for by a page: asked for, written by the worker, taken, erased; each is recorded.

What is written is `audit_log_export.export`, as `manage.py export_audit_log` has it: the same bytes, the same checker.
"""

import hashlib
import os
import shutil
from datetime import date, timedelta
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum

from adoption.audit_log_export import audit_log_export, permissions
from adoption.models import AuditLogExport
from adoption.models.audit_log_exports import DONE, ERASED, FAILED, RUNNING, WAITING
from governance import clock
from governance.audit_log import entries
from governance.models import Entry, User
from governance.notifications.notify import notify
from governance.permission_result import Conflict, Refused, all_of, no
from governance.queue.task_base import after_commit
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Evidence, Initiative

KEPT = timedelta(days=7)
MOST_KEPT = 5  # of one person at a time
MOST_ENTRIES = 200_000
MOST_BYTES = 1 << 30  # of files of evidence
LONGEST = timedelta(days=366)
LOST = timedelta(minutes=15)  # without an end for so long, whoever wrote it is gone
TRIES = 2
CHUNK = 1 << 20
BOUND = (
    f"At most {MOST_ENTRIES:,} entries and {MOST_BYTES >> 20:,} MB of files; "
    "whoever runs the installation can export more."
)
FAILED_WORDS = "It could not be written ({}). Whoever runs the installation finds more in the log."
JOB = "exports"


def ask_export(
    *,
    initiative: Initiative | None = None,
    period: tuple[date, date] | None = None,
    with_files: bool = False,
    by: User,
) -> AuditLogExport:
    """Ask for the audit log of an initiative, or of the days of a period, both included; the worker writes it.

    Raises Refused, ValidationError by field, and Conflict while another one of this person is under way.
    """
    if (initiative is None) == (period is None):
        raise ValueError("an export is of one initiative or of some days")
    if period is not None:
        _check(period)
    with act("ask export", by=by, initiative=initiative) as locked:
        may = permissions.may_ask(locked, by) if locked else permissions.may_ask_days(by)
        files = [permissions.may_have_files(locked, by)] if with_files else []
        all_of(may, *files).or_refuse()
        mine = AuditLogExport.objects.filter(by=User.objects.select_for_update(of=("self",)).get(pk=by.pk))
        there = mine.under_way().first()
        if there is not None:
            raise Conflict(
                f"Your export of {there.of_words} is under way.",
                "Wait until it is ready: each person has one at a time.",
                there.get_absolute_url(),
            )
        if mine.with_file().count() >= MOST_KEPT:
            no(
                f"You have {MOST_KEPT} exports that are not erased yet.",
                f"Each is erased {KEPT.days} days after it was written; then ask again.",
            ).or_refuse()
        first, last = period or (None, None)
        row = AuditLogExport(
            initiative=locked, first=first, last=last, with_files=with_files, by=by, asked_at=clock.now()
        )
        _bounded(row)
        row.save()
        entries.record(
            EntryKind.AUDIT_LOG_EXPORT_ASKED,
            initiative=locked,
            export=row.pk,
            of=row.of_words,
            with_files=with_files,
        )
        after_commit("adoption.tasks.prepare_export", row.pk)
    return row


def _check(period: tuple[date, date]) -> None:
    first, last = period
    if not first <= last <= clock.today():
        raise ValidationError({"last": "The last day is today or earlier, and not before the first."})
    if last - first > LONGEST:
        raise ValidationError({"last": f"Choose at most {LONGEST.days} days at a time."})


def _bounded(row: AuditLogExport) -> None:
    """Raises Refused where it would be larger than a page hands out."""
    entries, evidence = Entry.objects.all(), Evidence.objects.all()
    if row.initiative is not None:
        entries, evidence = (
            entries.filter(initiative_ref=row.initiative.ref),
            evidence.filter(initiative=row.initiative),
        )
    else:
        ends = clock.midnight_before(row.first), clock.midnight_after(row.last)
        entries = entries.filter(recorded_at__gte=ends[0], recorded_at__lt=ends[1])
        evidence = evidence.filter(added_at__gte=ends[0], added_at__lt=ends[1])
    some = entries.order_by().values("pk")[: MOST_ENTRIES + 1].count()
    held = evidence.aggregate(all=Sum("size"))["all"] or 0 if row.with_files else 0
    if some > MOST_ENTRIES or held > MOST_BYTES:
        remedy = "Take it without files." if held > MOST_BYTES else "Choose fewer days."
        no(f"That is more than a page hands out. {BOUND}", remedy).or_refuse()


def place_of(row: AuditLogExport) -> Path:
    """Where the file lies: in a folder of its own, for this user of the machine alone."""
    return Path(settings.EXPORTS_DIR) / str(row.pk) / (row.file_name or "none")


def prepare(pk: int) -> AuditLogExport | None:
    """Write a waiting export. None where that is done, or under way; begun again where its worker is gone."""
    row = _claim(pk)
    if row is None:
        return None
    try:
        permissions.may_have(row, row.by).or_refuse()
        row.file_name = f"plumbline-export-{row.of_words.replace(' ', '-')}-{row.pk}.zip"
        place = place_of(row)
        shutil.rmtree(place.parent, ignore_errors=True)
        place.parent.mkdir(mode=0o700, parents=True)
        scope = audit_log_export.Scope(initiative=row.initiative, first=row.first, last=row.last)
        written = audit_log_export.export(out=place, scope=scope, with_files=row.with_files, by=row.by)
    except Refused as refused:
        return _failed(row, str(refused.answer))
    except Exception as trouble:
        _failed(row, FAILED_WORDS.format(type(trouble).__name__))
        raise
    now = clock.now()
    row.state, row.done_at, row.until = DONE, now, now + KEPT
    row.size, row.sha256 = place.stat().st_size, _digest(place)
    row.entries, row.missing = written.entries, len(written.missing)
    with transaction.atomic():
        row.save()
        _tell(row, "is ready", f"Its file is kept until {clock.moment_in_words(row.until)}, then erased.")
    return row


def _claim(pk: int) -> AuditLogExport | None:
    with transaction.atomic():
        rows = AuditLogExport.objects.select_related("by", "initiative__unit").select_for_update(of=("self",))
        row = rows.under_way().filter(pk=pk).first()
        if row is None or (row.state == RUNNING and row.claimed_at > clock.now() - LOST):
            return None
        if row.tries >= TRIES:
            _failed(row, "It was broken off twice. Choose fewer days, or take it without files.")
            return None
        row.state, row.claimed_at, row.tries = RUNNING, clock.now(), row.tries + 1
        row.save()
    return row


def _failed(row: AuditLogExport, why: str) -> AuditLogExport:
    with transaction.atomic():
        row.state, row.trouble = FAILED, why
        row.save()
        _tell(row, "failed", why)
    shutil.rmtree(place_of(row).parent, ignore_errors=True)
    return row


def _tell(row: AuditLogExport, what: str, text: str) -> None:
    notify(
        row.by,
        "audit log export",
        f"audit log export:{row.pk}",
        subject=f"Your export of {row.of_words} {what}",
        text=text,
        link=row.get_absolute_url(),
        initiative_ref=row.initiative.ref if row.initiative else "",
    )


def _digest(place: Path) -> str:
    digest = hashlib.sha256()
    with place.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def take_export(*, export: AuditLogExport, by: User) -> Path:
    """The file, for whoever asked for it; that it was taken is an entry. Raises Refused, Conflict once it is gone."""
    with act("take export", by=by):
        row = AuditLogExport.objects.select_related("initiative__unit").get(pk=export.pk)
        permissions.may_have(row, by).or_refuse()
        place = place_of(row)
        if not (row.ready and row.until > clock.now() and place.is_file()):
            raise Conflict("There is no file: it is not ready yet, or was erased.", "Ask for another export.")
        if _erased_since(row):
            raise Conflict(
                "Something of the audit log was erased since it was written.", "Ask for another export."
            )
        row.taken_at = clock.now()
        row.save()
        entries.record(
            EntryKind.AUDIT_LOG_EXPORT_TAKEN,
            initiative=row.initiative,
            export=row.pk,
            of=row.of_words,
            sha256=row.sha256,
        )
    return place


def tend() -> None:
    """Write what still waits, and erase what was kept long enough, with whatever lost workers left in the folder."""
    lost = AuditLogExport.objects.filter(state=RUNNING, claimed_at__lte=clock.now() - LOST)
    waits = AuditLogExport.objects.filter(state=WAITING, asked_at__lte=clock.now() - timedelta(minutes=2))
    for pk in sorted({*lost.values_list("pk", flat=True), *waits.values_list("pk", flat=True)}):
        prepare(pk)
    for row in AuditLogExport.objects.filter(state=DONE).select_related("initiative"):
        if row.until <= clock.now() or _erased_since(row):
            _erase(row)
    _clean_up()


def _erased_since(row: AuditLogExport) -> bool:
    """Whether personal data was erased since it was written, which it may hold still."""
    return Entry.objects.filter(kind=EntryKind.ERASED, at__gte=row.claimed_at).exists()


def _erase(row: AuditLogExport) -> None:
    shutil.rmtree(place_of(row).parent, ignore_errors=True)
    with act("erase export", system=JOB):
        done = AuditLogExport.objects.filter(pk=row.pk, state=DONE).update(state=ERASED)
        if done:
            entries.record(
                EntryKind.AUDIT_LOG_EXPORT_ERASED, initiative=row.initiative, export=row.pk, of=row.of_words
            )


def _clean_up() -> None:
    folder = Path(settings.EXPORTS_DIR)
    if not folder.is_dir():
        return
    held = {str(pk) for pk in AuditLogExport.objects.with_file().values_list("pk", flat=True)}
    for found in os.scandir(folder):
        if found.name not in held:
            shutil.rmtree(found.path, ignore_errors=True)
