"""The pages that fix a component's end of life, and the note beside requirements."""

from django.urls import reverse
from django.utils.http import urlencode

from governance import clock
from governance.models import User
from initiatives.contributions import Part
from initiatives.integration.components.actions import TRIGGER_OF_LAYER
from initiatives.integration.components.findings import endings
from initiatives.lifecycle.initiative.who_may import WhoMay
from initiatives.models import Deployment, Initiative


def replacing(initiative: Initiative, use: Deployment) -> str:
    """Return the address of the form that records the replacement, filled in as known."""
    said = {"replaces": str(use.pk)}
    if use.version.successor_id is not None:
        said["listed"] = str(use.version.successor_id)
    else:
        said |= {"layer": use.version.layer, "name": use.version.name}
    return f"{reverse('initiative-act', args=[initiative.ref, 'record-version'])}?{urlencode(said)}"


def fixes_of(initiative: Initiative, may: WhoMay, source: str) -> list[tuple[str, str]]:
    """Return the pages that fix it, for people who may record what runs."""
    if not may.change_what_runs:
        return []
    uses = initiative.deployments.filter(pk=source.split(":")[1]).select_related("version")
    return [(replacing(initiative, use), "Record the replacement") for use in uses]


def ways_to_ask(initiative: Initiative, may: WhoMay, source: str) -> list[tuple[str, str]]:
    """Return the page with the request that a pipeline sends, for people who may record what runs."""
    if not may.change_what_runs:
        return []
    return [(f"{reverse('api-access', args=[initiative.ref])}#deploy", "Ask before a deployment")]


def beside_requirement(person: User, about: tuple[dict, str]) -> Part | None:
    """Return the components near or past their end that a requirement depends on.

    `about`: the context of the initiative, and the key of the requirement. A requirement depends on a component if
    the rulebook lists the trigger that a new version of its layer pulls. Replaced components are left out.
    """
    context, key = about
    initiative, may = context["initiative"], context["may"]
    triggers = context["rulebook"].requirements[key].triggers
    layers = [layer for layer, trigger in TRIGGER_OF_LAYER.items() if trigger in triggers]
    if not layers:
        return None
    rows = Deployment.objects.current_at(clock.now()).filter(initiative=initiative, version__layer__in=layers)
    rows = rows.filter(version__end_of_life__isnull=False).select_related("version__successor")
    asked = [
        (one, replacing(initiative, one.use) if may.change_what_runs else "")
        for one in endings(rows.order_by("version__end_of_life", "pk"))
        if one.opens <= clock.today() and one.counts_from is not None
    ]
    return Part("initiatives/components/_ending.html", {"asked": asked}) if asked else None
