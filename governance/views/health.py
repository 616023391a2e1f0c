"""Is this process alive, and can it do its work? For the eyes of load balancers and `manage.py run`."""

import os
from pathlib import Path

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from governance import folder
from governance.middleware import open_to_all


@open_to_all
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers; asks nothing of anybody else."""
    return HttpResponse("ok", content_type="text/plain")


@open_to_all
@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, migrations, folder of files and broker are in order, else 503; says what each lacks."""
    database = database_condition()
    state = {
        "database": database,
        "migrations": migrations_condition()
        if database == "ok"
        else "not known: the database does not answer",
        "folder": folder_condition() if database == "ok" else "not known: the database does not answer",
        "broker": broker_condition(),
    }
    ready = all(condition == "ok" for condition in state.values())
    return JsonResponse({"ready": ready} | state, status=200 if ready else 503)


def database_condition() -> str:
    """ "ok", or what is wrong with the database. The details go to the log, not to strangers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "does not answer; see that it runs and that DATABASE_URL is right"
    return "ok"


def migrations_condition() -> str:
    """ "ok", or how many migrations the database still lacks."""
    try:
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:
        return "cannot be read; run `manage.py migrate` as the owner of the database"
    return "ok" if not missing else f"{missing} not applied; run `manage.py migrate`"


def folder_condition() -> str:
    """ "ok", or that the folder of files is not the one of this database."""
    try:
        return folder.condition()
    except DatabaseError:
        return "not known: the database lacks migrations"


def broker_condition() -> str:
    """ "ok", or what is wrong with the queue."""
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        folder = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"])
        if not os.access(folder, os.W_OK | os.X_OK):
            return "the folder of the queue cannot be written; see PLUMBLINE_DATA"
        return "ok"
    try:
        with current_app.connection_for_write(settings.CELERY_BROKER_URL, connect_timeout=3) as queue:
            queue.ensure_connection(max_retries=1, interval_start=0, timeout=3)
    except (OperationalError, OSError):
        return "does not answer; see that it runs and that CELERY_BROKER_URL is right"
    return "ok"
