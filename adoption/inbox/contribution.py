"""Adoption's additions to the inbox: tasks, sentences, and places to fix findings."""

from adoption.inbox import entry_wording, inbox_tasks, remedies
from governance.vocabulary import WRITTEN_OBLIGATIONS, ObligationKind
from initiatives.contributions import Contribution

CONTRIBUTION = Contribution(
    inbox_tasks=[inbox_tasks.tasks],
    due_queries=[inbox_tasks.post_mortems_to_confirm],
    notification_verbs={
        "lesson offered": "Answer the lesson",
        inbox_tasks.CONFIRM: "Read and confirm",
        "post-mortem": "Open the post-mortem",
    },
    asking={inbox_tasks.CONFIRM, "lesson offered"},
    obligation_acts={
        **dict.fromkeys(WRITTEN_OBLIGATIONS, inbox_tasks.writing),
        ObligationKind.MEASUREMENT: inbox_tasks.measuring,
    },
    quiet_acts=inbox_tasks.QUIET | entry_wording.QUIET,
    sentences=entry_wording.SENTENCES,
    ways=entry_wording.WAYS,
    fixes=remedies.FIXES,
    renewals=remedies.RENEWALS,
)
