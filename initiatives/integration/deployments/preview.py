"""Preview of a change of what runs: what it would end."""

from dataclasses import dataclass

from governance import clock
from governance.models import User
from initiatives.integration.components import actions as components_actions
from initiatives.lifecycle.changes import actions as change_actions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.lifecycle.initiative.impact_preview import preview, somebody
from initiatives.lifecycle.scope import actions as scope_actions
from initiatives.models import ComponentVersion, Deployment, Initiative, Voiding


@dataclass(frozen=True)
class Replaced:
    """What replacing a version in one initiative would bring: effects in sentences, and every item of evidence that it
    ends.
    """

    initiative: Initiative
    use: Deployment
    effects: list[str]
    voided: list[Voiding]


def of_replacing(use: Deployment, successor: ComponentVersion | None, *, by: User) -> Replaced:
    """What would come of it if another version ran in this one's place from now on. Writes nothing."""
    voided: list[Voiding] = []

    def run(initiative: Initiative) -> None:
        incoming = Deployment(
            initiative=initiative,
            part=use.part,
            version=successor or use.version,
            region=successor.region if successor else use.region,
            runs_from=max(clock.now(), use.runs_from),
        )
        voided.extend(components_actions.start_version(initiative, incoming, by=by))

    return Replaced(use.initiative, use, preview(use.initiative, run, by=by), voided)


def of_change(
    initiative: Initiative,
    triggers: list[str],
    *,
    what: str = "this change",
    by: User | None = None,
    **versions,
) -> list[str]:
    """What a change that pulls these triggers ends. `versions`: outgoing and incoming ones, as `changes.pull`."""

    def run(initiative):
        change_actions.pull(initiative, list(triggers), what, by=by, **versions)
        rewrite_supported_stage(initiative)

    return preview(initiative, run, by=by)


def of_component(initiative: Initiative, *, by: User, **fields) -> list[str]:
    """What recording this version of a component ends; fields as `actions.record_component`."""
    # The lock on the register before the one on the initiative, as every act takes them.
    with act("look ahead", by=by, register=True):
        return preview(
            initiative,
            lambda initiative: components_actions.record_component(initiative=initiative, by=by, **fields),
            by=by,
        )


def of_scope(initiative: Initiative, fields: dict, for_stage: str = "", by: User | None = None) -> list[str]:
    """What recording this scope, in force or planned for a stage, ends; fields as `actions.record_scope`."""
    by = by or somebody(initiative)
    if by is None:
        return []
    return preview(
        initiative,
        lambda initiative: scope_actions.record_scope(
            initiative=initiative, for_stage=for_stage, by=by, **fields
        ),
        by=by,
    )
