"""One row of the requirements saved in one act: the answer, new evidence, an item offered again."""

from governance.models import User
from governance.permission_result import no
from initiatives.lifecycle.evidence.actions import add_evidence, cover
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.requirements.actions import answer
from initiatives.models import Evidence, Initiative


def save_row(
    *,
    initiative: Initiative,
    requirement: str,
    reply: dict | None = None,
    evidence: dict | None = None,
    offer: Evidence | None = None,
    by: User,
) -> None:
    """Save what a row of a requirement holds: `reply` as for `answer`, `evidence` as for `add_evidence`, `offer` an
    item.

    Raises Refused when the row holds nothing, else as the acts it is made of; then nothing of it is saved.
    """
    with act("save row", by=by, initiative=initiative) as initiative:
        if reply is None and evidence is None and offer is None:
            no("There is nothing to save.", "Write an answer, or add evidence.").or_refuse()
        if reply is not None:
            answer(initiative=initiative, requirement=requirement, by=by, **reply)
        if evidence is not None:
            add_evidence(initiative=initiative, covers=[requirement], by=by, **evidence)
        if offer is not None:
            cover(evidence=offer, requirements=[requirement], by=by)
