"""Preview of replacing a model: which proof of a case it would end, by the act itself, undone afterwards."""

from dataclasses import dataclass

from governance import clock
from governance.models import User
from initiatives.cases.impact_preview import preview
from initiatives.components.actions import start_version
from initiatives.models import ComponentVersion, Initiative, ModelVersion, Voiding


@dataclass(frozen=True)
class Replaced:
    """What replacing a model in one case would bring: effects in sentences, and every item of proof that it ends."""

    case: Initiative
    use: ComponentVersion
    effects: list[str]
    voided: list[Voiding]


def of_replacing(use: ComponentVersion, successor: ModelVersion | None, *, by: User) -> Replaced:
    """What would come of it if another version ran in this one's place from now on. Writes nothing."""
    voided: list[Voiding] = []

    def run(case: Initiative) -> None:
        incoming = ComponentVersion(
            component=use.component,
            version=successor.version if successor else "another version",
            region=successor.region if successor else use.region,
            runs_from=max(clock.now(), use.runs_from),
            model_version=successor,
        )
        voided.extend(start_version(case, incoming, by=by))

    case = use.component.initiative
    return Replaced(case, use, preview(case, run, by=by), voided)
