"""Long imports, which the worker does: asked for by a page, with progress, and cancelled with nothing left of them.

What a run brings is one transaction. How far it is goes into its row over a connection of its own, or nobody else
would see it before the end.
"""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import psycopg
import structlog
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q

from governance import clock
from governance.models import User
from governance.permission_result import Conflict, Refused
from governance.queue.task_base import after_commit
from governance.tables.encodings import CodePageUnsure
from initiatives.lifecycle.initiative.act import act
from initiatives.models import ImportBatch, ImportRun
from initiatives.portfolio.imports.inventories import actions as inventory_actions

log = structlog.get_logger("plumbline.imports")
LONG = 2_000  # rows beyond which an import is the worker's
FOLDER = "import-runs"
LOST = timedelta(minutes=10)  # without a word for so long, whoever does it is gone
TRIES = 2
TOLD = timedelta(days=2)  # for which the page says how a run ended
FAILED = "It broke off ({}); nothing of it was kept. Whoever runs the installation finds more in the log."


class Cancelled(Exception):
    """Somebody cancelled the run that is under way."""


def ask_run(
    *,
    kind: str,
    rows: int,
    options: dict[str, Any],
    batch: ImportBatch | None = None,
    content: bytes = b"",
    file_name: str = "",
    by: User,
) -> ImportRun:
    """Have the worker upload a file, map a batch or confirm one; `options` go to that act as they are.

    Raises Refused for everybody but admins, Conflict while another run of the batch is under way.
    """
    with act("ask for a long import", by=by):
        inventory_actions.refuse_unless_admin(by)
        stored = ""
        if content:
            name = f"{FOLDER}/{hashlib.sha256(content).hexdigest()}"
            stored = default_storage.save(name, ContentFile(content))
        try:
            with transaction.atomic():
                run = ImportRun.objects.create(
                    kind=kind,
                    batch=batch,
                    content=stored,
                    file_name=file_name or (batch.file_name if batch else ""),
                    options=options,
                    rows=rows,
                    by=by,
                    asked_at=clock.now(),
                )
        except IntegrityError:
            raise Conflict(
                "The worker is at this file already.",
                "Wait until it is done, or cancel it on the page of the imports.",
                "/imports/#under-way",
            ) from None
        after_commit("initiatives.tasks.run_import", run.pk)
    return run


def cancel_run(*, run: ImportRun, by: User) -> bool:
    """End a run that waits or is under way; whether it still was. Nothing of it is kept."""
    with act("cancel a long import", by=by):
        inventory_actions.refuse_unless_admin(by)
        now = clock.now()
        found = ImportRun.objects.under_way().filter(pk=run.pk).update(state="cancelled", ended_at=now)
    if found:
        _forget(run)
    return bool(found)


def told() -> list[ImportRun]:
    """The runs that the page of the imports tells of: under way, or ended lately without a batch to show for it."""
    lately = Q(state__in=["failed", "cancelled"], ended_at__gt=clock.now() - TOLD)
    under_way = Q(state__in=["waiting", "running"])
    return list(ImportRun.objects.filter(under_way | lately).select_related("by", "batch")[:20])


def go_on() -> None:
    """Send a queue message again for what waits, or was lost."""
    for pk in ImportRun.objects.under_way().filter(_unattended()).values_list("pk", flat=True):
        after_commit("initiatives.tasks.run_import", pk)


def _unattended() -> Q:
    return Q(state="waiting") | Q(state="running", moved_at__lt=clock.now() - LOST)


def run(pk: int) -> ImportRun | None:
    """Do what was asked; None where that is done, cancelled, or under way elsewhere."""
    asked = _claim(pk)
    if asked is None:
        return None
    try:
        with transaction.atomic(), _Progress(asked.pk) as progress:
            batch = _DO[asked.kind](asked, progress)
            last = ImportRun.objects.select_for_update().get(pk=pk)
            if last.state != "running":
                raise Cancelled
            last.state, last.ended_at, last.batch = "done", clock.now(), batch
            last.rows_done = last.rows
            last.save()
    except Cancelled:
        last = ImportRun.objects.get(pk=pk)
    except inventory_actions.ImportUnderWay:
        return _wait(pk)
    except (Refused, Conflict) as refused:
        last = _failed(pk, str(refused))
    except ValidationError as wrong:
        last = _failed(pk, " ".join(wrong.messages))
    except CodePageUnsure:
        last = _failed(pk, "Its code page cannot be told. Send it again, and choose one.")
    except Exception as trouble:
        log.exception("a long import broke off", run=pk)
        last = _failed(pk, FAILED.format(type(trouble).__name__))
    _forget(last)
    return last


def _claim(pk: int) -> ImportRun | None:
    with transaction.atomic():
        found = ImportRun.objects.select_for_update(of=("self",)).select_related("by", "batch")
        asked = found.filter(_unattended(), pk=pk).first()
        if asked is None:
            return None
        if asked.tries >= TRIES:
            asked.state, asked.ended_at = "failed", clock.now()
            asked.trouble = "It broke off twice; nothing of it was kept. Split the file."
            asked.save()
            _forget(asked)
            return None
        asked.state, asked.moved_at, asked.tries = "running", clock.now(), asked.tries + 1
        asked.save()
    return asked


def _wait(pk: int) -> ImportRun:
    """Back into the queue: a queue message is sent again, and this was no try."""
    ImportRun.objects.under_way().filter(pk=pk).update(state="waiting", tries=F("tries") - 1)
    return ImportRun.objects.get(pk=pk)


def _failed(pk: int, why: str) -> ImportRun:
    ImportRun.objects.under_way().filter(pk=pk).update(state="failed", trouble=why, ended_at=clock.now())
    return ImportRun.objects.get(pk=pk)


def _forget(asked: ImportRun) -> None:
    if asked.content:
        default_storage.delete(asked.content)


def _upload(asked: ImportRun, progress: "_Progress") -> ImportBatch:
    with default_storage.open(asked.content) as stored:
        content = stored.read()
    options = dict(asked.options)
    if day := options.pop("published_on", None):
        options["published_on"] = date.fromisoformat(day)
    return inventory_actions.upload_batch(
        content=content, file_name=asked.file_name, by=asked.by, progress=progress, **options
    )


def _map(asked: ImportRun, progress: "_Progress") -> ImportBatch:
    return inventory_actions.map_batch(batch=asked.batch, by=asked.by, progress=progress, **asked.options)


def _confirm(asked: ImportRun, progress: "_Progress") -> ImportBatch:
    inventory_actions.confirm_batch(batch=asked.batch, by=asked.by, progress=progress, **asked.options)
    return asked.batch


_DO: dict[str, Callable[[ImportRun, Any], ImportBatch]] = {
    "upload": _upload,
    "map": _map,
    "confirm": _confirm,
}


class _Progress:
    """Writes how far a run is, and ends it once somebody cancelled it.

    What it tells never goes back, though a file is looked through several times.
    """

    def __init__(self, pk: int) -> None:
        self._pk, self._most = pk, 0

    def __enter__(self) -> "_Progress":
        self._beside = psycopg.connect(**connection.get_connection_params(), autocommit=True)
        return self

    def __exit__(self, *trouble: object) -> None:
        self._beside.close()

    def __call__(self, done: int, rows: int) -> None:
        """Raises Cancelled."""
        if ImportRun.objects.filter(pk=self._pk).exclude(state="running").exists():
            raise Cancelled
        self._most = max(self._most, done)
        self._beside.execute(
            "UPDATE initiatives_importrun SET rows_done = %s, rows = %s, moved_at = %s WHERE id = %s",
            [self._most, rows, clock.now(), self._pk],
        )
