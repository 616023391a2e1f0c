"""What the inbox of adoption adds: tasks, sentences, where findings are fixed."""

from adoption.inbox import entry_wording, inbox_tasks, remedies
from initiatives.contributions import Contribution

CONTRIBUTION = Contribution(
    inbox_tasks=[inbox_tasks.tasks],
    quiet_acts=inbox_tasks.QUIET | entry_wording.QUIET,
    sentences=entry_wording.SENTENCES,
    ways=entry_wording.WAYS,
    fixes=remedies.FIXES,
)
