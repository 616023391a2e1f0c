"""The rules and the audit log, and the Django project package.

Importing it makes the Celery application the current one, so that every `shared_task` finds it.
"""

from governance.celery import app as celery_app

__all__ = ["celery_app"]
