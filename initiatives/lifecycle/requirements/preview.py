"""Preview of saving an answer: what it would end."""

from datetime import date

from governance.models import User
from initiatives.lifecycle.initiative.impact_preview import LEFT_OPEN, preview
from initiatives.lifecycle.requirements import actions
from initiatives.models import Initiative


def of_answer(
    initiative: Initiative,
    key: str,
    *,
    by: User,
    kind: str = "",
    text: str = "",
    true_as_of: date | None = None,
) -> list[str]:
    """What saving another answer to this requirement ends. Without kind and text: other words of the same kind."""
    row = initiative.answers.filter(requirement=key).first()
    same = row.kind if row and row.kind != "not_reported" else "answered"

    def run(initiative):
        actions.answer(
            initiative=initiative,
            requirement=key,
            kind=kind or same,
            text=text or LEFT_OPEN,
            true_as_of=true_as_of,
            by=by,
        )

    return preview(initiative, run, by=by)
