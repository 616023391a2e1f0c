"""The Celery application: everything it needs comes from the CELERY_ names in the settings."""

import os

from celery import Celery

from governance import queue_files

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")

queue_files.use()
app = Celery("plumbline")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
