"""Contributions of the interaction log, such as findings, reminders and sentences."""

from initiatives.contributions import Contribution
from initiatives.interactions import entry_wording, inbox, reminders
from initiatives.interactions.comparison import findings, remedies
from initiatives.interactions.comparison import inbox as comparison_inbox
from initiatives.interactions.requests import inbox as request_inbox

CONTRIBUTION = Contribution(
    inbox_parts=[comparison_inbox.tasks, inbox.tasks],
    inbox_tasks=[request_inbox.tasks],
    due_queries=[reminders.bulk_readings, request_inbox.subject_requests],
    notification_verbs=reminders.VERBS | request_inbox.VERBS,
    passing={*reminders.VERBS, *request_inbox.VERBS},
    register_says=[findings.says, findings.says_of_calls],
    measures=[findings.measured, findings.measured_of_calls, findings.logged],
    changing=[findings.changing],
    fixes={"interactions": remedies.fixes_of},
    sentences=entry_wording.SENTENCES,
)
