"""Which initiatives run which components, as far as somebody may see them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from governance import clock
from governance.models import User
from governance.vocabulary import RUNNING_STAGES
from initiatives.integration.components.permissions import may_keep_components
from initiatives.lifecycle.access.visibility import visible_to
from initiatives.models import ComponentVersion, Deployment, Initiative, ModelEvaluation


@dataclass
class VersionDeployments:
    """The deployments of a version in initiatives that a person may see, and in how many others it runs.

    Confidential initiatives are not even counted.
    """

    uses: list[Deployment] = field(default_factory=list)
    others: set[int] = field(default_factory=set)


def seen_by(person: User) -> QuerySet[ComponentVersion]:
    """The versions that the person may read of: those that are confirmed, and those proposed for an initiative they
    see.

    So that no list tells what only a confidential initiative runs. Who keeps the register reads all.
    """
    rows = ComponentVersion.objects.select_related("vendor", "successor")
    if may_keep_components(person):
        return rows
    uses = Deployment.objects.filter(initiative__in=visible_to(person).values("pk"))
    return rows.filter(Q(confirmed_at__isnull=False) | Q(added_by=person) | Q(pk__in=uses.values("version")))


def deployments_of(versions: Iterable[ComponentVersion], person: User) -> dict[int, VersionDeployments]:
    """By key of the version, who runs it now or will: running initiatives alone."""
    found = {version.pk: VersionDeployments() for version in versions}
    uses = list(
        current_uses()
        .filter(version__in=found)
        .select_related("initiative__unit", "version")
        .order_by("initiative__number", "runs_from", "pk")
    )
    initiatives = {use.initiative_id for use in uses}
    seen = (
        set(visible_to(person).filter(pk__in=initiatives).values_list("pk", flat=True))
        if initiatives
        else set()
    )
    for use in uses:
        initiative, runs = use.initiative, found[use.version_id]
        if initiative.pk in seen:
            runs.uses.append(use)
        elif not initiative.confidential:
            runs.others.add(initiative.pk)
    return found


def current_uses() -> QuerySet[Deployment]:
    """Deployments that run now, or are planned to, in running initiatives."""
    initiatives = Initiative.objects.live().filter(stage__in=RUNNING_STAGES)
    return Deployment.objects.current_at(clock.now()).filter(initiative__in=initiatives)


def initiatives_of(version: ComponentVersion) -> list[int]:
    """Keys of the running initiatives that run the version, ran it, or will."""
    initiatives = Initiative.objects.live().filter(stage__in=RUNNING_STAGES, deployments__version=version)
    return sorted(set(initiatives.values_list("pk", flat=True)))


def evaluations_of(version: ComponentVersion, person: User) -> list[ModelEvaluation]:
    """How the model did in each initiative that the person may see, the newest declaration first."""
    return list(
        ModelEvaluation.objects.filter(
            deployment__version=version, initiative__in=visible_to(person).values("pk")
        )
        .select_related("initiative", "deployment__version", "result_by", "declared_by", "withdrawn_by")
        .order_by("-declared_on", "-pk")
    )
