"""What the inbox of adoption adds: lines, sentences, where findings are fixed."""

from adoption.inbox import entry_wording, remedies
from initiatives.contributions import Contribution

CONTRIBUTION = Contribution(
    inbox_tasks=[lines.lines],
    quiet_acts=lines.QUIET | entry_wording.QUIET,
    sentences=entry_wording.SENTENCES,
    ways=entry_wording.WAYS,
    fixes=remedies.FIXES,
)
