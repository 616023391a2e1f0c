"""Checks of evidence files against their recorded hashes. Missing or changed files are recorded.

Only the worker writes its findings, and only if the folder of files is the right one. If many files are gone at once,
the folder is probably the wrong one. The check then writes nothing, and an admin confirms the loss.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

import structlog
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.people.permissions import may_keep_accounts
from governance.permission_result import Conflict, no
from governance.storage import data_folder, file_fingerprints
from governance.storage.kept_files import KeptFiles
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.evidence.actions import FOLDER
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import Evidence, FileCheck

log = structlog.get_logger("plumbline.files")

MOST = 5  # files that a check records as gone without an admin
SHARE = 20  # nor one in so many of all files; a single file is always believed
PART = 2 << 30  # bytes that one check hashes; the next goes on from there
DAY = timedelta(days=1)
KINDS = {
    file_fingerprints.THERE: EntryKind.EVIDENCE_FILE_FOUND,
    file_fingerprints.GONE: EntryKind.EVIDENCE_FILE_MISSING,
    file_fingerprints.CHANGED: EntryKind.EVIDENCE_FILE_CHANGED,
}


@dataclass
class _Seen:
    """One look at the store. It has keys of items whose files are gone or changed, and of those back."""

    looked: int = 0
    gone: list[int] = field(default_factory=list)
    back: list[int] = field(default_factory=list)
    hashed_to: int = 0


def find_missing_files(*, system: str = "file check", part: int = PART) -> list[Evidence]:
    """Look for every file of evidence and hash a part of them. Files not as recorded are voided until they are back.

    Returns the changed items. If more than MOST files are gone, or one in SHARE, nothing changes until an admin
    confirms. Raises folder.WrongFolder if the folder is not the one that the database names, and StoreAway.
    """
    data_folder.demand()
    last = FileCheck.objects.first()
    seen = _look(last.hashed_to if last else 0, part)
    doubted = too_many(len(seen.gone), seen.looked)
    FileCheck.objects.update_or_create(
        only=True,
        defaults={
            "at": clock.now(),
            "looked": seen.looked,
            "gone": seen.gone if doubted else [],
            "hashed_to": seen.hashed_to,
        },
    )
    if doubted:
        log.error(
            "too many files are missing or changed, so no result was recorded",
            gone=len(seen.gone),
            of=seen.looked,
        )
    changed = [_write(key, system=system) for key in [*seen.back, *([] if doubted else seen.gone)]]
    return [row for row in changed if row is not None]


def too_many(gone: int, of: int) -> bool:
    """Return True if so many files are gone at once that the folder is probably wrong."""
    return gone > MOST or (gone > 1 and gone * SHARE > of)


def _look(hashed_to: int, part: int) -> _Seen:
    rows = Evidence.objects.exclude(file="").order_by("pk")
    seen = _Seen()
    there = cast(KeptFiles, default_storage).below(FOLDER)  # in few requests to a bucket
    # Columns, not whole items: all files of the house pass here every few hours.
    for key, name, sha256, missing in rows.values_list("pk", "file", "sha256", "missing_since").iterator(500):
        if missing is not None:
            if file_fingerprints.state(name, sha256) == file_fingerprints.THERE:
                seen.back.append(key)
            continue
        seen.looked += 1
        if name not in there and not default_storage.exists(name):
            seen.gone.append(key)
    gone, read = set(seen.gone), 0
    rest = rows.filter(pk__gt=hashed_to, missing_since__isnull=True).values_list(
        "pk", "file", "sha256", "size"
    )
    for key, name, sha256, size in rest.iterator(500):
        if read >= part:
            break
        read += size or 0
        seen.hashed_to = key
        if key not in gone and file_fingerprints.state(name, sha256) == file_fingerprints.CHANGED:
            seen.gone.append(key)
    else:
        seen.hashed_to = 0  # the round is done; the next begins anew
    return seen


def check_file(*, key: int, system: str = "file check") -> Evidence | None:
    """Check again one file that someone found not as recorded, or back. Returns the item if it changed.

    Single checks must not void what a full check would not. After MOST files in a day, the full check decides.
    """
    data_folder.demand()
    row = Evidence.objects.filter(pk=key).exclude(file="").first()
    if row is None:
        return None
    late = Evidence.objects.filter(missing_since__gt=clock.now() - DAY).exclude(pk=key).count()
    if row.missing_since is None and late >= MOST:
        return None
    return _write(key, system=system)


def _write(key: int, *, system: str = "", by: User | None = None, reason: str = "") -> Evidence | None:
    """Look again with the initiative locked, and record the finding. Returns None if it is already recorded."""
    initiative_of = Evidence.objects.values_list("initiative_id", flat=True).get(pk=key)
    with act("file check", system=system, by=by, initiative=initiative_of, reason=reason) as initiative:
        row = Evidence.objects.get(pk=key)
        found = file_fingerprints.state(row.file.name, row.sha256)
        if (found == file_fingerprints.THERE) == (row.missing_since is None):
            return None
        row.missing_since = None if found == file_fingerprints.THERE else clock.now()
        row.save()
        entries.record(
            KINDS[found], initiative=initiative, evidence=row.pk, title=row.title, sha256=row.sha256
        )
        rewrite_supported_stage(initiative)
    log.warning(KINDS[found], evidence=row.pk)
    return row


# --- What an admin confirms -------------------------------------------------------------------------------------------


def doubted_files() -> list[int]:
    """Return the keys of evidence whose files the last check doubted."""
    found = FileCheck.objects.values_list("gone", flat=True).first()
    return found or []


def mark_of(keys: list[int]) -> str:
    """Return a short hash of the shown list. A person confirms only that list."""
    return hashlib.sha256(repr(keys).encode()).hexdigest()[:16]


def confirm_gone(*, seen: str, reason: str, by: User) -> list[Evidence]:
    """Confirm as an admin that the doubted files are gone, after one more look. Returns the voided items.

    `seen` is `mark_of` the list that the person saw. Raises ValidationError, Conflict, Refused.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Explain how you know that the files are gone."})
    reason = reason.strip()
    with act("confirm files gone", by=by, reason=reason):
        may_keep_accounts(by).or_refuse()
        check = FileCheck.objects.select_for_update().first()
        keys = check.gone if check else []
        if mark_of(keys) != seen:
            raise Conflict("The files were checked again while the page was open.", "Read the list again.")
        if not keys:
            raise Conflict("No file is waiting to be confirmed as gone.")
        if why := data_folder.wrong():
            no(phrase("These files may still exist: {}", why)).or_refuse()
        entries.record(EntryKind.FILES_CONFIRMED_GONE, count=len(keys), evidence=keys, why=reason)
    changed = [_write(key, by=by, reason=reason) for key in keys]
    FileCheck.objects.filter(only=True).update(gone=[])
    return [row for row in changed if row is not None]
