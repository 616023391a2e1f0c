"""The part of accepted risks in the app: tasks of the inbox, reminders, and the end at a reopening."""

from initiatives.contributions import Contribution
from initiatives.lifecycle.risks import actions, inbox

CONTRIBUTION = Contribution(
    reopeners=[actions.end_all],
    inbox_parts=[inbox.tasks],
    due_queries=[inbox.reminders],
    notification_verbs=inbox.VERBS,
    passing={*inbox.VERBS},
)
