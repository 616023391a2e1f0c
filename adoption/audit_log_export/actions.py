"""The exports that a page asks for: asked, written by the worker, taken, erased.

Each act is recorded. The file has the same bytes and the same checker as one of `manage.py export_audit_log`.
"""

import hashlib
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.storage import default_storage
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
from governance.storage import file_fingerprints
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Evidence, Initiative

KEPT = timedelta(days=7)
MOST_KEPT = 5  # of one person at a time
MOST_ENTRIES = 200_000
MOST_BYTES = 1 << 30  # of files of evidence
LONGEST = timedelta(days=366)
LOST = timedelta(minutes=15)  # without an end for so long, its worker is gone
TRIES = 2
FOLDER = "exports"
BOUND = (
    f"You can export at most {MOST_ENTRIES:,} entries and {MOST_BYTES >> 20:,} MB of files from a page. The "
    "operator can export more."
)
FAILED_WORDS = "The file could not be written ({}). The operator finds the cause in the server log."
JOB = "exports"


def ask_export(
    *,
    initiative: Initiative | None = None,
    period: tuple[date, date] | None = None,
    with_files: bool = False,
    by: User,
) -> AuditLogExport:
    """Ask for the audit log of an initiative or of a period. The worker writes it.

    A period includes both days. Raises Refused, ValidationError by field, Conflict if the person has an export running.
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
                phrase("Your export of {} is not finished yet.", there.of_words),
                "Wait until that export is ready. Each person can have one export at a time.",
                there.get_absolute_url(),
            )
        if mine.with_file().count() >= MOST_KEPT:
            no(
                phrase("You have {} exports that are not erased yet.", MOST_KEPT),
                phrase("Wait until the oldest export is erased, {} days after it was written.", KEPT.days),
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
        raise ValidationError(
            {"last": "The last day is before the first day or after today. Change the days."}
        )
    if last - first > LONGEST:
        raise ValidationError({"last": phrase("Choose at most {} days at a time.", LONGEST.days)})


def _bounded(row: AuditLogExport) -> None:
    """Raise Refused if the export would be larger than a page hands out."""
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
        remedy = "Export without files." if held > MOST_BYTES else "Choose fewer days."
        no(phrase("The export is too large. {}", BOUND), remedy).or_refuse()


def place_of(row: AuditLogExport) -> str:
    """Return the name of the file in the store of files, which every host reads."""
    return f"{FOLDER}/{row.pk}.zip"


def prepare(pk: int) -> AuditLogExport | None:
    """Write a waiting export, also one whose worker is gone. Returns None if it is done or under way."""
    row = _claim(pk)
    if row is None:
        return None
    try:
        permissions.may_have(row, row.by).or_refuse()
        row.file_name = f"plumbline-export-{row.of_words.replace(' ', '-')}-{row.pk}.zip"
        written = _write(row)
    except Refused as refused:
        return _failed(row, str(refused.answer))
    except Exception as trouble:
        _failed(row, FAILED_WORDS.format(type(trouble).__name__))
        raise
    now = clock.now()
    row.state, row.done_at, row.until = DONE, now, now + KEPT
    row.entries, row.missing = written.entries, len(written.missing)
    with transaction.atomic():
        row.save()
        _tell(
            row, "is ready", f"The file is kept until {clock.moment_in_words(row.until)}, then it is erased."
        )
    return row


def _write(row: AuditLogExport) -> audit_log_export.Exported:
    """Write the file on this host, then put it into the store of files."""
    scope = audit_log_export.Scope(initiative=row.initiative, first=row.first, last=row.last)
    default_storage.delete(place_of(row))  # of a worker that is gone
    with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        draft = Path(folder) / row.file_name
        written = audit_log_export.export(out=draft, scope=scope, with_files=row.with_files, by=row.by)
        with draft.open("rb") as file:
            row.size, row.sha256 = draft.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            default_storage.save(place_of(row), File(file))
    return written


def _claim(pk: int) -> AuditLogExport | None:
    with transaction.atomic():
        rows = AuditLogExport.objects.select_related("by", "initiative__unit").select_for_update(of=("self",))
        row = rows.under_way().filter(pk=pk).first()
        if row is None or (row.state == RUNNING and row.claimed_at > clock.now() - LOST):
            return None
        if row.tries >= TRIES:
            _failed(row, "The export was interrupted twice. Choose fewer days, or export without files.")
            return None
        row.state, row.claimed_at, row.tries = RUNNING, clock.now(), row.tries + 1
        row.save()
    return row


def _failed(row: AuditLogExport, why: str) -> AuditLogExport:
    with transaction.atomic():
        row.state, row.trouble = FAILED, why
        row.save()
        _tell(row, "failed", why)
    default_storage.delete(place_of(row))
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


def take_export(*, export: AuditLogExport, by: User) -> BinaryIO:
    """Return the file to its asker, and record the taking. Raises Refused, Conflict once it is gone or changed."""
    with act("take export", by=by):
        row = AuditLogExport.objects.select_related("initiative__unit").get(pk=export.pk)
        permissions.may_have(row, by).or_refuse()
        in_time = row.ready and row.until is not None and row.until > clock.now()
        found = file_fingerprints.opened(place_of(row), row.sha256) if in_time else None
        if found is None or found.file is None:
            raise Conflict("The file is not ready yet, or it was erased.", "Start a new export.")
        if _erased_since(row):
            raise Conflict(
                "An entry in this file was erased after the file was written.", "Start a new export."
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
    return found.file


def tend() -> None:
    """Write waiting exports, erase expired ones, and remove files of lost workers."""
    lost = AuditLogExport.objects.filter(state=RUNNING, claimed_at__lte=clock.now() - LOST)
    waits = AuditLogExport.objects.filter(state=WAITING, asked_at__lte=clock.now() - timedelta(minutes=2))
    for pk in sorted({*lost.values_list("pk", flat=True), *waits.values_list("pk", flat=True)}):
        prepare(pk)
    for row in AuditLogExport.objects.filter(state=DONE).select_related("initiative"):
        if row.until <= clock.now() or _erased_since(row):
            _erase(row)
    _clean_up()


def _erased_since(row: AuditLogExport) -> bool:
    """Return True if the file may hold personal data that was erased later."""
    return Entry.objects.filter(kind=EntryKind.ERASED, at__gte=row.claimed_at).exists()


def _erase(row: AuditLogExport) -> None:
    default_storage.delete(place_of(row))
    with act("erase export", system=JOB):
        done = AuditLogExport.objects.filter(pk=row.pk, state=DONE).update(state=ERASED)
        if done:
            entries.record(
                EntryKind.AUDIT_LOG_EXPORT_ERASED, initiative=row.initiative, export=row.pk, of=row.of_words
            )


def _clean_up() -> None:
    held = {f"{pk}.zip" for pk in AuditLogExport.objects.with_file().values_list("pk", flat=True)}
    for name in default_storage.listdir(FOLDER)[1]:
        if name not in held:
            default_storage.delete(f"{FOLDER}/{name}")
