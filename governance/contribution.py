"""The contribution of `governance` to its own notifications and inboxes."""

from governance.contributions import Contribution
from governance.events import deliveries
from governance.identity import reported_identities
from governance.models import Delivery
from governance.notifications import daily_mail, inbox, outbox
from governance.operations import corrections, installation_inbox, status_inbox
from governance.people import new_seats
from governance.sign_in import account_notifications
from governance.transparency_log import sealing

CONTRIBUTION = Contribution(
    inbox_tasks=[status_inbox.tasks, installation_inbox.tasks, new_seats.tasks, reported_identities.tasks],
    after_sealing=[deliveries.after_sealing],
    quiet_acts=inbox.QUIET,
    due_queries=[sealing.checkpoints_due, corrections.corrections_due],
    notification_verbs={
        "checkpoint": "Compare it with the audit log",
        corrections.KIND: "See what was wrong",
        reported_identities.CHANGED_NAME: "See the account",
        outbox.KIND: "Open the status",
    },
    mails={Delivery.DAY: daily_mail.DAY_MAIL, Delivery.ACCOUNT: account_notifications.ACCOUNT_MAIL},
    own_mails={account_notifications.KIND},
)
