"""Tasks of the admins' inbox about the data folder and the signing key.

Tasks in the inbox of every admin, worked out by the web server that shows them.
"""

from datetime import timedelta

from django.urls import reverse

from governance import clock
from governance.models import TaskRun, User
from governance.notifications.inbox import InboxTask
from governance.storage import data_folder
from governance.transparency_log import sealing, signing_keys
from governance.vocabulary.phrases import phrase

SEALING = "governance.tasks.seal_audit_log"
LATELY = timedelta(hours=1)  # beside a worker with the right key, one with another fails only now and then


def tasks(person: User) -> list[InboxTask]:
    """Return the admins' tasks for a wrong folder of files and another signing key."""
    if not (person.is_admin and person.is_active):
        return []
    found = []
    if why := data_folder.wrong():
        found.append(_inbox_task(phrase("The folder of files is not the right one"), why))
    if why := signing_refused():
        found.append(_inbox_task(phrase("The audit log is signed with another key"), why))
    return found


def signing_refused() -> str:
    """Return why signing stopped, here or in a worker within the last hour, or ""."""
    newest = sealing.newest()
    if newest is not None and (why := signing_keys.stray(newest)):
        return why
    failed = TaskRun.objects.filter(name=SEALING, failed_at__gt=clock.now() - LATELY).first()
    return failed.reason if failed is not None and "PLUMBLINE_SIGNING_KEY" in failed.reason else ""


def _inbox_task(text: str, why: str) -> InboxTask:
    return InboxTask(
        "see",
        text,
        reverse("status"),
        phrase("See the status"),
        why[:1].upper() + why[1:],
        since=clock.today(),
    )
