"""The knocks of the worker for what people are owed. Each may run twice; what is due and owed stands in tables."""

from celery import shared_task

from governance import delivery, reminders

SURE = {"acks_late": True, "reject_on_worker_lost": True, "ignore_result": True}


@shared_task(**SURE)
def sweep_reminders() -> None:
    """Owe every message that is due now."""
    reminders.sweep()


@shared_task(**SURE)
def deliver_mail() -> None:
    """Send everybody their mail of the day, with everything that is due by then: a second mail there is none."""
    try:
        if delivery.somebody_waits():
            reminders.sweep()
    finally:
        delivery.deliver()
