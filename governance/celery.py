"""The Celery application: everything it needs comes from the CELERY_ names in the settings."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")

TRANSPORT_ALIASES["filesystem"] = (
    "governance.queue_in_files:Transport"  # what filesystem:// means, in every process
)

app = Celery("plumbline", task_cls="governance.knocked:KnockedFor")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
