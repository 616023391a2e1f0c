"""Fingerprints of files: whether one that the audit log names still has the recorded hash."""

import hashlib
import io
from dataclasses import dataclass
from typing import BinaryIO

import structlog
from celery import Task
from django.conf import settings
from django.core.files.storage import Storage, default_storage

from governance.storage import data_folder
from governance.storage.sealed_files import Unreadable
from governance.transparency_log.verification import Report

log = structlog.get_logger("plumbline.files")
THERE, GONE, CHANGED = "there", "gone", "changed"
# A file that is not as it was recorded, as a sentence about “...”.
WORDS = {
    GONE: "is gone from storage",
    CHANGED: "is not the recorded file: its SHA-256 differs",
}


@dataclass(frozen=True)
class Opened:
    """A file to hand out. If it is not the recorded one, `file` is None and `state` is the reason."""

    state: str
    file: BinaryIO | None = None


def opened(name: str, sha256: str) -> Opened:
    """Open a file and hash it. Up to the size of an upload what is handed out are the very bytes that were hashed.

    Raises StoreAway.
    """
    try:
        source = default_storage.open(name, "rb")
    except Unreadable:
        return Opened(CHANGED)
    except OSError:
        return Opened(GONE)
    try:
        content = source.read(settings.UPLOAD_MAX_BYTES + 1)
        if len(content) <= settings.UPLOAD_MAX_BYTES:
            source.close()
            source, found = io.BytesIO(content), hashlib.sha256(content).hexdigest()
        else:
            source.seek(0)
            found = hashlib.file_digest(source, "sha256").hexdigest()
            source.seek(0)
    except OSError:
        source.close()
        return Opened(GONE)
    if found != sha256:
        source.close()
        return Opened(CHANGED)
    return Opened(THERE, source)


def state(name: str, sha256: str, storage: Storage = default_storage) -> str:
    """THERE, GONE or CHANGED, by the bytes of the file. Raises StoreAway."""
    try:
        with storage.open(name, "rb") as source:
            found = hashlib.file_digest(source, "sha256").hexdigest()
    except Unreadable:
        return CHANGED
    except OSError:
        return GONE
    return THERE if found == sha256 else CHANGED


def ask_worker(task: Task, key: int) -> None:
    """Have the worker check the found files. The page shows even if the queue is away."""
    try:
        task.delay(key)
    except Exception as trouble:
        log.warning("the worker could not be asked to look at a file", key=key, error=str(trouble))


@dataclass
class Looked:
    """The number of files compared with fingerprints, and of files known as missing."""

    files: int = 0
    missing: int = 0


def verify(report: Report) -> Looked:
    """Hash every file that a row speaks of, and add what is wrong to the report: which table, row and field.

    A file that is gone and known to be gone is counted, and no finding. Raises folder.WrongFolder, StoreAway.
    """
    data_folder.demand()
    looked = Looked()
    for model, field in data_folder.kinds():
        names = {one.name for one in model._meta.concrete_fields}
        if "sha256" not in names:
            continue
        wanted = ["pk", field.name, "sha256", *({"missing_since"} & names)]
        for row in (
            model._base_manager.exclude(**{field.name: ""}).order_by("pk").values(*wanted).iterator(500)
        ):
            looked.files += 1
            found = state(row[field.name], row["sha256"], field.storage)
            if found == GONE and row.get("missing_since") is not None:
                looked.missing += 1
            elif found != THERE:
                report.add(
                    f"the file {row[field.name]} {WORDS[found]}",
                    "file",
                    table=model._meta.db_table,
                    key=str(row["pk"]),
                    field=field.name,
                )
    return looked
