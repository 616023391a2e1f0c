"""The tasks of adoption. Each calls one act or query and may run twice."""

from celery import shared_task

from adoption.audit_log_export import actions as export_actions
from adoption.lessons import actions as lesson_actions
from adoption.measurements import tallies
from adoption.measures import overdue_measurements
from adoption.monitoring import actions as monitoring_actions
from adoption.postmortems import attachments
from adoption.reports import sources
from initiatives.tasks import SURE


@shared_task(**SURE)
def open_measurement_obligations() -> None:
    """Correct wrong tallies, then open obligations for measures silent for too long."""
    tallies.correct()
    overdue_measurements.open_silence_obligations()


@shared_task(**SURE)
def follow_lesson(key: int) -> None:
    """Ask the running initiatives near a lesson that was just offered or taken out."""
    lesson_actions.follow_lesson(key)


@shared_task(**SURE)
def forget_contacts() -> None:
    """Delete old alerts and the contacts of people without an account."""
    sources.forget_contacts()
    monitoring_actions.forget_alerts()


@shared_task(**SURE)
def check_attachment(key: int) -> None:
    """Check again one attachment that a reader found to differ from the audit log."""
    attachments.check_attachment(key)


@shared_task(**SURE, time_limit=580)  # less than what brings a lost task back
def prepare_export(key: int) -> None:
    """Write an export of the audit log that a person asked for."""
    export_actions.prepare(key)


@shared_task(**SURE, time_limit=580)
def tend_exports() -> None:
    """Write the exports that still wait, and erase the exports whose time is over."""
    export_actions.tend()
