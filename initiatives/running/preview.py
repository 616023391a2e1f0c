"""Preview of a change of what runs: what it would end."""

from governance.models import User
from initiatives.cases.act import act, settle_standing
from initiatives.cases.impact_preview import preview, somebody
from initiatives.components import actions as components_actions
from initiatives.model_register import actions as model_actions
from initiatives.models import Initiative


def of_change(
    case: Initiative, triggers: list[str], *, what: str = "this change", by: User | None = None, **versions
) -> list[str]:
    """What a change that pulls these triggers ends. `versions`: outgoing and incoming ones, as `changes.pull`."""

    def run(case):
        components_actions.pull(case, list(triggers), what, by=by, **versions)
        settle_standing(case)

    return preview(case, run, by=by)


def of_component(case: Initiative, *, by: User, **fields) -> list[str]:
    """What recording this version of a component ends; fields as `model_register.actions.record_component`."""
    # The lock on the register before the one on the case, as every act takes them.
    with act("look ahead", by=by, register=True):
        return preview(case, lambda case: model_actions.record_component(case=case, by=by, **fields), by=by)


def of_scope(case: Initiative, fields: dict, for_stage: str = "", by: User | None = None) -> list[str]:
    """What recording this scope, in force or planned for a stage, ends; fields as `actions.record_scope`."""
    by = by or somebody(case)
    if by is None:
        return []
    return preview(
        case,
        lambda case: components_actions.record_scope(case=case, for_stage=for_stage, by=by, **fields),
        by=by,
    )
