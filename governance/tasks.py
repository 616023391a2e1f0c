"""The tasks of governance: reminders, mails, sessions, sealing. Each calls one function and may run twice."""

from datetime import UTC
from pathlib import Path

from celery import shared_task
from django.conf import settings

from governance import clock
from governance.contributions import contributed
from governance.events import deliveries as event_deliveries
from governance.events import syslog_stream
from governance.identity.factors import resets
from governance.interaction_log import keys as interaction_keys
from governance.interaction_log import loading as interaction_loading
from governance.interaction_retention import destroyed, expiry
from governance.models import Session
from governance.notifications import daily_mail, due
from governance.sign_in import account_notifications, password_links
from governance.transparency_log import sealing, timestamping, witnesses

SURE = {"acks_late": True, "reject_on_worker_lost": True, "ignore_result": True}


@shared_task(**SURE)
def run_reminders() -> None:
    """Write every message that is due now."""
    due.run()


@shared_task(**SURE)
def deliver_mail() -> None:
    """Send everyone their one email of the day, with everything that is due by then.

    The task also sends the password links whose emails did not go out at once.
    """
    mail_links()
    try:
        if daily_mail.somebody_waits():
            due.run()
    finally:
        daily_mail.deliver()


@shared_task(**SURE)
def mail_links() -> None:
    """Send the links to set a password, and the news of accounts, that no mail has carried yet."""
    password_links.mail_waiting()
    account_notifications.send()


@shared_task(**SURE)
def end_old_sessions() -> None:
    """Remove the sessions that have ended by themselves, and do the resets of factors whose day is over."""
    resets.carry_out_due()
    Session.get_session_store_class().clear_expired()


@shared_task(**SURE, needs_right_clock=False)  # its moments are the database's
def seal_audit_log(wait: bool = False) -> None:
    """Seal what is committed, then do what waited for the checkpoint."""
    checkpoint = sealing.seal(wait=wait)
    if checkpoint is not None:
        for follow in contributed.after_sealing:
            follow(checkpoint)


@shared_task(**SURE)
def stamp_audit_log() -> None:
    """Have the newest checkpoint stamped by the authority that is set, if it is time."""
    timestamping.stamp()


@shared_task(**SURE)
def cosign_audit_log() -> None:
    """Have each witness cosign the newest checkpoint."""
    witnesses.cosign()


@shared_task(**SURE)
def send_events() -> None:
    """Find new events, and start one task for each receiver that is due."""
    event_deliveries.spread()
    event_deliveries.forget()
    for receiver in event_deliveries.receivers_due():
        send_events_to.delay(receiver)


@shared_task(**SURE)
def send_events_to(receiver: int) -> None:
    """Send one receiver its events, so that a slow one delays no other."""
    event_deliveries.send_to(receiver)


@shared_task(**SURE)
def stream_audit_log() -> None:
    """Send the sealed entries to the syslog receiver that is set."""
    syslog_stream.stream()


@shared_task(**SURE, needs_right_clock=False)  # its moments are those of who received them
def load_interactions() -> None:
    """Bring over what systems reported."""
    interaction_loading.loader.bring_orphans(Path(settings.INTERACTIONS_DIR) / "waiting")


@shared_task(**SURE)
def tend_interactions() -> None:
    """Tend the interaction log: remove what has expired, change the master once a month.

    And have a database that was put back from an older copy destroy the keys that were destroyed since.
    """
    today = clock.now().astimezone(UTC).date()
    destroyed.again()
    expiry.expire(today)
    destroyed.write()
    destroyed.forget(today)
    interaction_keys.change_master(today=today, backup_days=settings.BACKUP_DAYS)
