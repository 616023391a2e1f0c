"""The pages that fix a finding of the logs against an initiative."""

from django.urls import reverse

from governance.vocabulary import LogFindingKind
from initiatives.lifecycle.initiative.who_may import WhoMay
from initiatives.models import Initiative


def fixes_of(initiative: Initiative, may: WhoMay, source: str) -> list[tuple[str, str]]:
    """Return the pages on which the person can fix it: names, model, settings."""
    if not may.change_what_runs:
        return []
    kind = source.split(":")[1]
    if kind == LogFindingKind.OTHER_MODEL:
        return [
            (
                reverse("initiative-act", args=[initiative.ref, "record-version"]),
                "Declare the version that runs",
            )
        ]
    if kind == LogFindingKind.SILENT:
        return [(reverse("api-access", args=[initiative.ref]) + "#interactions", "Open API access")]
    if kind == "subjects":
        return [(reverse("initiative-act", args=[initiative.ref, "record-scope"]), "Declare the scope")]
    if kind == "promise":
        return [
            (
                reverse("initiative-act", args=[initiative.ref, "promise-performance"]),
                "Change the promise",
            )
        ]
    return [
        (reverse("initiative-act", args=[initiative.ref, "name-acts"]), "Choose the meaning of the names")
    ]
