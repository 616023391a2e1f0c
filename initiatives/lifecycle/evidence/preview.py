"""Preview of adding or withdrawing evidence: what it would end."""

from datetime import date

from governance import clock
from governance.models import User
from initiatives.lifecycle.evidence import actions
from initiatives.lifecycle.initiative.impact_preview import LEFT_OPEN, preview, somebody
from initiatives.models import Initiative


def of_evidence(
    initiative: Initiative,
    *,
    covers: list[str],
    kind: str,
    result: str,
    supersedes=None,
    title: str = "the new item",
    observed_on: date | None = None,
    condition: str = "",
    clause=None,
    names=None,
    by: User | None = None,
) -> list[str]:
    """What adding this item ends: by superseding another, or by saying something other than pass.

    No file is stored; the content of one is not looked at.
    """
    author = by or somebody(initiative)
    if author is None:
        return []

    def run(initiative):
        item = actions.create_evidence(
            initiative,
            kind=kind,
            title=title,
            observed_on=observed_on or clock.today(),
            covers=covers,
            result=result,
            condition=condition,
            clause=clause,
            supersedes=supersedes,
            names=names,
            by=author,
        )
        actions.rewrite_for_item(initiative, item)

    return preview(initiative, run, by=author)


def of_withdrawal(initiative: Initiative, item, *, by: User) -> list[str]:
    """What withdrawing an item of evidence ends."""
    return preview(
        initiative, lambda _: actions.withdraw_evidence(evidence=item, reason=LEFT_OPEN, by=by), by=by
    )
