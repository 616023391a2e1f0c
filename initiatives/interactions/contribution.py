"""What the interaction log adds: findings, lines and reminders, sentences, shorter times."""

from initiatives.contributions import Contribution
from initiatives.interactions import body_terms, entry_wording, reminders
from initiatives.interactions.comparison import findings, remedies
from initiatives.interactions.comparison import inbox as comparison_inbox
from initiatives.interactions.requests import inbox as request_inbox
from initiatives.interactions.requests import reminders as request_reminders

CONTRIBUTION = Contribution(
    inbox_parts=[comparison_inbox.tasks],
    inbox_tasks=[request_inbox.tasks],
    due_queries=[reminders.body_terms, reminders.bulk_readings, request_reminders.subject_requests],
    notification_verbs=reminders.VERBS | request_reminders.VERBS,
    register_says=[findings.says, findings.says_of_calls],
    measures=[findings.measured, findings.measured_of_calls],
    changing=[findings.changing],
    fixes={"interactions": remedies.fixes_of},
    body_days=[body_terms.days_on],
    sentences=entry_wording.SENTENCES,
)
