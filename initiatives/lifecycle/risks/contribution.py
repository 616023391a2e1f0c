"""The part of accepted risks in the app: tasks of the inbox, and reminders."""

from initiatives.contributions import Contribution
from initiatives.lifecycle.risks import inbox

CONTRIBUTION = Contribution(
    inbox_parts=[inbox.tasks],
    due_queries=[inbox.reminders],
    notification_verbs=inbox.VERBS,
    passing={*inbox.VERBS},
)
