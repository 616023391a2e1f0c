"""The initiatives that run each component, as far as a person may see them."""

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
    """The deployments of a version that a person may see, and the number of others.

    Confidential initiatives are not counted.
    """

    uses: list[Deployment] = field(default_factory=list)
    others: set[int] = field(default_factory=set)


def seen_by(person: User) -> QuerySet[ComponentVersion]:
    """Return the versions that the person may read.

    These are confirmed, added by the person, or proposed for an initiative that the person sees, so that no list
    shows what only a confidential initiative runs. People who keep the register read all versions.
    """
    rows = ComponentVersion.objects.select_related("vendor", "successor")
    if may_keep_components(person):
        return rows
    uses = Deployment.objects.filter(initiative__in=visible_to(person).values("pk"))
    return rows.filter(Q(confirmed_at__isnull=False) | Q(added_by=person) | Q(pk__in=uses.values("version")))


def deployments_of(versions: Iterable[ComponentVersion], person: User) -> dict[int, VersionDeployments]:
    """Return, by version key, the current and planned uses in running initiatives."""
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
    """Return deployments that run now or are planned, in running initiatives."""
    initiatives = Initiative.objects.live().filter(stage__in=RUNNING_STAGES)
    return Deployment.objects.current_at(clock.now()).filter(initiative__in=initiatives)


def initiatives_of(version: ComponentVersion) -> list[int]:
    """Return keys of the running initiatives that run, ran or will run the version."""
    initiatives = Initiative.objects.live().filter(stage__in=RUNNING_STAGES, deployments__version=version)
    return sorted(set(initiatives.values_list("pk", flat=True)))


def evaluations_of(version: ComponentVersion, person: User) -> list[ModelEvaluation]:
    """Return the model's evaluations in initiatives the person may see, newest first."""
    return list(
        ModelEvaluation.objects.filter(
            deployment__version=version, initiative__in=visible_to(person).values("pk")
        )
        .select_related("initiative", "deployment__version", "result_by", "declared_by", "withdrawn_by")
        .order_by("-declared_on", "-pk")
    )
