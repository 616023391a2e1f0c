"""The Celery application: everything it needs comes from the CELERY_ names in the settings."""

import os

from celery import Celery, signals
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from kombu.transport import TRANSPORT_ALIASES

from governance.operations.startup import refuse, refuse_wrong_folder

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")

TRANSPORT_ALIASES["filesystem"] = (
    "governance.queue.filesystem_broker:Transport"  # what filesystem:// means, in every process
)

app = Celery("plumbline", task_cls="governance.queue.task_base:QueuedTask")


@app.on_configure.connect
def refuse_wrong_setting(**_: object) -> None:
    """End a worker or beat with a wrong setting by one sentence, as the web server ends."""
    try:
        _loaded = settings.DEBUG
    except ImproperlyConfigured as wrong:
        refuse(wrong)


app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
signals.worker_init.connect(refuse_wrong_folder, dispatch_uid="plumbline-folder")
signals.beat_init.connect(refuse_wrong_folder, dispatch_uid="plumbline-folder")
