"""Checks of evidence files against their recorded hashes; what is missing or changed is written down.

Only the worker writes what it finds, and only where the folder of files is the right one. A check that finds many
files gone at once rather found a folder that is not the right one: it writes nothing, and an admin confirms it.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.people.permissions import may_keep_accounts
from governance.permission_result import Conflict, no
from governance.storage import data_folder, file_fingerprints
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import Evidence, FileCheck

log = structlog.get_logger("plumbline.files")

MOST = 5  # files that a check calls gone without asking anybody
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
    """What one look at the store found: keys of items whose files are gone or changed, and such as are back."""

    looked: int = 0
    gone: list[int] = field(default_factory=list)
    back: list[int] = field(default_factory=list)
    hashed_to: int = 0


def find_missing_files(*, system: str = "file check", part: int = PART) -> list[Evidence]:
    """Look for every file of evidence and hash a part of them; what is not as recorded is voided until it is back.

    Returns the items that changed. More than MOST files gone, or one in SHARE, change nothing and wait for an admin.
    Raises folder.WrongFolder where the folder is not the one that the database names.
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
            "too many files are not as recorded; nothing was written", gone=len(seen.gone), of=seen.looked
        )
    changed = [_write(key, system=system) for key in [*seen.back, *([] if doubted else seen.gone)]]
    return [row for row in changed if row is not None]


def too_many(gone: int, of: int) -> bool:
    """Whether so many files are gone at once that the folder is to be doubted rather than they."""
    return gone > MOST or (gone > 1 and gone * SHARE > of)


def _look(hashed_to: int, part: int) -> _Seen:
    rows = Evidence.objects.exclude(file="").order_by("pk")
    seen = _Seen()
    # Columns, not whole items: all files of the house pass here every few hours.
    for key, name, sha256, missing in rows.values_list("pk", "file", "sha256", "missing_since").iterator(500):
        if missing is not None:
            if file_fingerprints.state(name, sha256) == file_fingerprints.THERE:
                seen.back.append(key)
            continue
        seen.looked += 1
        if not default_storage.exists(name):
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
    """Look again at the file of one item that somebody found not as recorded, or back; the item where that is so.

    One file after the other must not void what a check at once would not: after MOST in a day the check decides.
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
    """Look once more, with the initiative locked, and write what is found; None where that is known."""
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
    """Keys of the evidence whose files the last check found not as recorded, and did not believe it."""
    found = FileCheck.objects.values_list("gone", flat=True).first()
    return found or []


def mark_of(keys: list[int]) -> str:
    """What a page says it showed, so that nobody confirms another list than they saw."""
    return hashlib.sha256(repr(keys).encode()).hexdigest()[:16]


def confirm_gone(*, seen: str, reason: str, by: User) -> list[Evidence]:
    """Confirm, as admin, that the doubted files are gone; each is looked for once more. Returns what was voided.

    `seen` is `mark_of` the list that the person saw. Raises ValidationError, Conflict, Refused.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Say how you know that they are gone."})
    reason = reason.strip()
    with act("confirm files gone", by=by, reason=reason):
        may_keep_accounts(by).or_refuse()
        check = FileCheck.objects.select_for_update().first()
        keys = check.gone if check else []
        if mark_of(keys) != seen:
            raise Conflict("The files were checked again meanwhile.", "Look at the list once more.")
        if not keys:
            raise Conflict("Nothing is to be confirmed any more.")
        if why := data_folder.wrong():
            no(f"These files may be there: {why}").or_refuse()
        entries.record(EntryKind.FILES_CONFIRMED_GONE, count=len(keys), evidence=keys, why=reason)
    changed = [_write(key, by=by, reason=reason) for key in keys]
    FileCheck.objects.filter(only=True).update(gone=[])
    return [row for row in changed if row is not None]
