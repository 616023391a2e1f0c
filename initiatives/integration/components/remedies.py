"""Where it is fixed that a component reached its end of life."""

from django.urls import reverse
from django.utils.http import urlencode

from initiatives.lifecycle.initiative.initiative_frame import WhoMay
from initiatives.models import Deployment, Initiative


def replacing(initiative: Initiative, use: Deployment) -> str:
    """The form that records what runs in the place of this version, begun with what is known."""
    said = {"replaces": str(use.pk)}
    if use.version.successor_id is not None:
        said["listed"] = str(use.version.successor_id)
    else:
        said |= {"layer": use.version.layer, "name": use.version.name}
    return f"{reverse('component-add', args=[initiative.ref])}?{urlencode(said)}"


def fixes_of(initiative: Initiative, may: WhoMay, source: str) -> list[tuple[str, str]]:
    """The pages on which the person fixes it: whoever records what runs."""
    if not may.change_what_runs:
        return []
    uses = initiative.deployments.filter(pk=source.split(":")[1]).select_related("version")
    return [(replacing(initiative, use), "Record what replaces it") for use in uses]
