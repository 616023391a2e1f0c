"""The judgement that the state machine reads where no review is open."""

from governance.permission_result import no
from governance.vocabulary import Stage
from initiatives.models import Initiative
from initiatives.models.stage_machine import Judgement


def judgement_of_stop(case: Initiative) -> Judgement:
    """What reopening is judged by: what the case was before it was stopped, and whether its post-mortem is written.

    Raises Refused for a case that was not stopped.
    """
    if case.stage != Stage.STOPPED:
        no("Only a stopped initiative is reopened.", "After retiring, register a successor.").or_refuse()
    return Judgement(
        was_prototype=case.stage_changes.filter(to_stage=Stage.PROTOTYPE).exists(),
        settled=not case.obligations.unsettled().filter(kind="post_mortem").exists(),
    )
