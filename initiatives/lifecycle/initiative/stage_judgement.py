"""The judgement that the state machine reads where no review is open."""

from governance.permission_result import no
from governance.vocabulary import Stage
from initiatives.models import Initiative
from initiatives.models.stage_machine import Judgement


def judgement_of_stop(initiative: Initiative) -> Judgement:
    """What reopening is judged by: what the initiative was before it was stopped, and whether its post-mortem is
    written.

    Raises Refused for an initiative that was not stopped.
    """
    if initiative.stage != Stage.STOPPED:
        no("Only a stopped initiative is reopened.", "After retiring, register a successor.").or_refuse()
    return Judgement(
        was_prototype=initiative.stage_changes.filter(to_stage=Stage.PROTOTYPE).exists(),
        post_mortem_written=not initiative.obligations.open().filter(kind="post_mortem").exists(),
    )
