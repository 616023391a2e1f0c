"""Preview of saving an answer: what it would end."""

from datetime import date

from governance.models import User
from initiatives.cases.impact_preview import LEFT_OPEN, preview
from initiatives.checklist import actions
from initiatives.models import Initiative


def of_answer(
    case: Initiative,
    key: str,
    *,
    by: User,
    kind: str = "",
    text: str = "",
    true_as_of: date | None = None,
) -> list[str]:
    """What saving another answer to this requirement ends. Without kind and text: other words of the same kind."""
    row = case.answers.filter(requirement=key).first()
    same = row.kind if row and row.kind != "not_reported" else "answered"

    def run(case):
        actions.answer(
            case=case,
            requirement=key,
            kind=kind or same,
            text=text or LEFT_OPEN,
            true_as_of=true_as_of,
            by=by,
        )

    return preview(case, run, by=by)
