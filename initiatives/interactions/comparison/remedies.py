"""Where it is fixed what both logs say against an initiative."""

from django.urls import reverse

from governance.vocabulary import LogFindingKind
from initiatives.lifecycle.initiative.initiative_frame import WhoMay
from initiatives.models import Initiative


def fixes_of(initiative: Initiative, may: WhoMay, source: str) -> list[tuple[str, str]]:
    """The pages on which the person fixes it: names, the model that runs, or the system's settings."""
    if not may.change_what_runs:
        return []
    kind = source.split(":")[1]
    if kind == LogFindingKind.OTHER_MODEL:
        return [(reverse("component-add", args=[initiative.ref]), "Declare what runs")]
    if kind == LogFindingKind.SILENT:
        return [(reverse("api-access", args=[initiative.ref]) + "#interactions", "Have the system report")]
    if kind == "subjects":
        return [(reverse("scope-add", args=[initiative.ref]), "Declare the scope")]
    if kind == "promise":
        return [(reverse("performance-promise", args=[initiative.ref]), "Promise what can be kept")]
    return [(reverse("act-names", args=[initiative.ref]), "Say what the names mean")]
