"""Supported stages that say what a test wants, whatever the facts of the initiative: `say(initiative, [span, ...])`."""

from datetime import datetime
from typing import Any

from governance import clock
from governance.database.row_history import acting
from governance.models import Rulebook
from initiatives.lifecycle.facts import supported_stage_rows
from initiatives.models import Initiative

PASSES = {
    "supported": "proposed",
    "unsupported_stages": 0,
    "label": "",
    "governance": "passes",
    "integration": "passes",
    "adoption": "passes",
    "runs_without": [],
    "held": False,
    "gaps": {},
    "open_requirements": {},
    "profile": None,
    "to_verify": None,
    "next_expiry_on": None,
    "until_at": None,
}


def say(
    initiative: Initiative,
    spans: list[dict[str, Any]],
    *,
    rulebook: Rulebook | None = None,
    at: datetime | None = None,
) -> None:
    """Write a supported stage of these spans as the product does: a row of the audit log, which the database follows.

    A span needs `from_at`; what it leaves out is as in `PASSES`.
    """
    rulebook, at = rulebook or Rulebook.objects.current(), at or clock.now()
    with acting(system="test", reason="A supported stage that a test tells"):
        supported_stage_rows._say([(initiative.pk, rulebook, [PASSES | span for span in spans])], at)
