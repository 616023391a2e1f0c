"""Where it is mended that a model reached its end of life."""

from django.urls import reverse
from django.utils.http import urlencode

from initiatives.cases.case_frame import WhoMay
from initiatives.models import ComponentVersion, Initiative


def replacing(case: Initiative, use: ComponentVersion) -> str:
    """The form that records what runs in the place of this version, begun with what is known."""
    said = {"layer": use.component.layer, "name": use.component.name}
    if use.model_version is not None and use.model_version.successor_id is not None:
        said["model_version"] = str(use.model_version.successor_id)
    return f"{reverse('component-add', args=[case.ref])}?{urlencode(said)}"


def mends_of(case: Initiative, may: WhoMay, source: str) -> list[tuple[str, str]]:
    """The pages on which the person mends it: whoever records what runs."""
    if not may.change_what_runs:
        return []
    uses = ComponentVersion.objects.filter(component__initiative=case, pk=source.split(":")[1])
    return [
        (replacing(case, use), "Record what replaces it")
        for use in uses.select_related("component", "model_version")
    ]
