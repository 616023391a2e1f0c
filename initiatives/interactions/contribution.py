"""Contributions of the interaction log, such as findings, inbox tasks and sentences."""

from initiatives.contributions import Contribution
from initiatives.interactions import entry_wording
from initiatives.interactions.comparison import findings, inbox, remedies

CONTRIBUTION = Contribution(
    inbox_parts=[inbox.tasks],
    register_says=[findings.says, findings.says_of_calls],
    measures=[findings.measured, findings.measured_of_calls, findings.logged],
    changing=[findings.changing],
    fixes={"interactions": remedies.fixes_of},
    sentences=entry_wording.SENTENCES,
)
