"""Long imports in the worker, with progress. A cancelled run leaves no rows.

A run is one transaction. A second connection writes its progress into its row, so that others see it before the end.
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
from governance.models import Unit, User
from governance.permission_result import Conflict, Refused
from governance.queue.task_base import after_commit
from governance.tables.encodings import CodePageUnsure
from initiatives.lifecycle.initiative.act import act
from initiatives.models import ImportBatch, ImportRun
from initiatives.models.imports import OWN_SHEET
from initiatives.portfolio.imports.inventories import actions as inventory_actions
from initiatives.portfolio.imports.portfolio import actions as portfolio_actions

log = structlog.get_logger("plumbline.imports")
LONG = 500  # rows beyond which an import is the worker's
FOLDER = "import-runs"
LOST = timedelta(minutes=10)  # without a word for so long, whoever does it is gone
TRIES = 2
TOLD = timedelta(days=2)  # for which the page says how a run ended
FAILED = (
    "The import stopped ({}), so no row was added. The people who run the installation find details in "
    "the log."
)


class Cancelled(Exception):
    """Someone cancelled the run that is under way."""


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
    """Have the worker upload a file, map a batch or confirm one, with `options`.

    Raises Refused unless `by` is an admin, and Conflict while another run of the batch is under way.
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
                "The worker already reads this file.",
                "Wait until it has finished, or cancel it on the page of the imports.",
                "/imports/#under-way",
            ) from None
        after_commit("initiatives.tasks.run_import", run.pk)
    return run


def cancel_run(*, run: ImportRun, by: User) -> bool:
    """End a waiting or running run without results. Return True if it had not ended."""
    with act("cancel a long import", by=by):
        inventory_actions.refuse_unless_admin(by)
        now = clock.now()
        found = ImportRun.objects.under_way().filter(pk=run.pk).update(state="cancelled", ended_at=now)
    if found:
        _forget(run)
    return bool(found)


def told() -> list[ImportRun]:
    """Return the runs for the page of imports: open ones, and recent failures."""
    lately = Q(state__in=["failed", "cancelled"], ended_at__gt=clock.now() - TOLD)
    under_way = Q(state__in=["waiting", "running"])
    return list(ImportRun.objects.filter(under_way | lately).select_related("by", "batch")[:20])


def go_on() -> None:
    """Send a queue message again for runs that wait or were lost."""
    for pk in ImportRun.objects.under_way().filter(_unattended()).values_list("pk", flat=True):
        after_commit("initiatives.tasks.run_import", pk)


def _unattended() -> Q:
    return Q(state="waiting") | Q(state="running", moved_at__lt=clock.now() - LOST)


def run(pk: int) -> ImportRun | None:
    """Run what was asked, and return None if done, cancelled or under way elsewhere."""
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
        last = _failed(
            pk, "The code page of the file is not clear. Send the file again, and choose a code page."
        )
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
            asked.trouble = "The import stopped twice, so no row was added. Split the file."
            asked.save()
            _forget(asked)
            return None
        asked.state, asked.moved_at, asked.tries = "running", clock.now(), asked.tries + 1
        asked.save()
    return asked


def _wait(pk: int) -> ImportRun:
    """Put the run back into the queue without counting a try."""
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
    if not asked.content.startswith(f"{FOLDER}/{hashlib.sha256(content).hexdigest()}"):
        raise ValidationError("The file was changed while it waited. Send the file again.")
    options = {"content": content, "file_name": asked.file_name, "by": asked.by} | asked.options
    if options["source"] == OWN_SHEET:
        del options["source"]
        return portfolio_actions.upload_portfolio(progress=progress, **options)
    if day := options.pop("published_on", None):
        options["published_on"] = date.fromisoformat(day)
    return inventory_actions.upload_batch(progress=progress, **options)


def _map(asked: ImportRun, progress: "_Progress") -> ImportBatch:
    if asked.batch.source == OWN_SHEET:
        units = {name: Unit.objects.filter(pk=asked.options[name]).first() for name in ("unit", "parent")}
        return portfolio_actions.map_portfolio(
            batch=asked.batch, by=asked.by, progress=progress, **asked.options | units
        )
    return inventory_actions.map_batch(batch=asked.batch, by=asked.by, progress=progress, **asked.options)


def _confirm(asked: ImportRun, progress: "_Progress") -> ImportBatch:
    own = asked.batch.source == OWN_SHEET
    confirm = portfolio_actions.confirm_portfolio if own else inventory_actions.confirm_batch
    confirm(batch=asked.batch, by=asked.by, progress=progress, **asked.options)
    return asked.batch


_DO: dict[str, Callable[[ImportRun, Any], ImportBatch]] = {
    "upload": _upload,
    "map": _map,
    "confirm": _confirm,
}


class _Progress:
    """The progress of a run, which ends once someone cancels the run.

    The progress never falls, even if a file is read several times.
    """

    def __init__(self, pk: int) -> None:
        self._pk, self._most = pk, 0

    def __enter__(self) -> "_Progress":
        self._beside = psycopg.connect(**connection.get_connection_params(), autocommit=True)
        return self

    def __exit__(self, *trouble: object) -> None:
        self._beside.close()

    def __call__(self, done: int, rows: int) -> None:
        """Write the progress. Raises Cancelled."""
        if ImportRun.objects.filter(pk=self._pk).exclude(state="running").exists():
            raise Cancelled
        self._most = max(self._most, done)
        self._beside.execute(
            "UPDATE initiatives_importrun SET rows_done = %s, rows = %s, moved_at = %s WHERE id = %s",
            [self._most, rows, clock.now(), self._pk],
        )
