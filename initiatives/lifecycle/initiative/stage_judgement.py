"""The judgement that the state machine reads if no review is open."""

from governance.permission_result import no
from governance.vocabulary import Stage
from initiatives.models import Initiative
from initiatives.models.stage_machine import Judgement


def judgement_of_stop(initiative: Initiative) -> Judgement:
    """Return the judgement for reopening: earlier stage, post-mortem written.

    Raises Refused for an initiative that was not stopped.
    """
    if initiative.stage != Stage.STOPPED:
        no(
            "This initiative is not stopped, so it cannot be reopened.",
            "If the initiative is retired, register a successor.",
        ).or_refuse()
    return Judgement(
        was_prototype=initiative.stage_changes.filter(to_stage=Stage.PROTOTYPE).exists(),
        post_mortem_written=not initiative.obligations.open().filter(kind="post_mortem").exists(),
    )
