"""A preview of replacing a component version in an initiative. Writes nothing."""

from dataclasses import dataclass

from governance import clock
from governance.models import User
from initiatives.integration.components import actions as components_actions
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.initiative.rehearsal import rehearse
from initiatives.models import ComponentVersion, Deployment, Initiative, Voiding


@dataclass(frozen=True)
class Replaced:
    """The effects of replacing a version in one initiative, and the voided evidence."""

    initiative: Initiative
    use: Deployment
    effects: list[str]
    voided: list[Voiding]


def of_replacing(use: Deployment, successor: ComponentVersion | None, *, by: User) -> Replaced:
    """Return what would happen if another version replaced this one now. Writes nothing."""
    voided: list[Voiding] = []

    def run() -> None:
        with act("look ahead", by=by, initiative=use.initiative) as initiative:
            incoming = Deployment(
                initiative=initiative,
                part=use.part,
                version=successor or use.version,
                region=successor.region if successor else use.region,
                runs_from=max(clock.now(), use.runs_from),
            )
            voided.extend(components_actions.start_version(initiative, incoming, by=by))

    return Replaced(use.initiative, use, rehearse(run, by=by, initiative=use.initiative), voided)
