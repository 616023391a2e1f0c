"""Which cases run which models, as far as somebody may see them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from governance import clock
from governance.models import User
from governance.vocabulary import RUNNING_STAGES
from initiatives.access.visibility import visible_to
from initiatives.model_register.permissions import may_keep_models
from initiatives.models import ComponentVersion, Initiative, ModelEvaluation, ModelVersion


@dataclass
class Running:
    """The uses of a model in cases that a person may see, and in how many others it runs.

    Confidential cases are not even counted.
    """

    uses: list[ComponentVersion] = field(default_factory=list)
    others: set[int] = field(default_factory=set)


def seen_by(person: User) -> QuerySet[ModelVersion]:
    """The models that the person may read of: those that are confirmed, and those proposed for a case they see.

    So that no list tells what only a confidential case runs. Who keeps the register reads all.
    """
    rows = ModelVersion.objects.select_related("vendor", "successor")
    if may_keep_models(person):
        return rows
    uses = ComponentVersion.objects.filter(component__initiative__in=visible_to(person).values("pk"))
    return rows.filter(
        Q(confirmed_at__isnull=False)
        | Q(added_by=person)
        | Q(pk__in=uses.filter(model_version__isnull=False).values("model_version"))
    )


def running(models: Iterable[ModelVersion], person: User) -> dict[int, Running]:
    """By key of the model, who runs it now or will: running cases alone."""
    found = {model.pk: Running() for model in models}
    uses = list(
        standing_uses()
        .filter(model_version__in=found)
        .select_related("component__initiative__unit", "model_version")
        .order_by("component__initiative__number", "runs_from", "pk")
    )
    cases = {use.component.initiative_id for use in uses}
    seen = set(visible_to(person).filter(pk__in=cases).values_list("pk", flat=True)) if cases else set()
    for use in uses:
        case, runs = use.component.initiative, found[use.model_version.pk] if use.model_version else Running()
        if case.pk in seen:
            runs.uses.append(use)
        elif not case.confidential:
            runs.others.add(case.pk)
    return found


def standing_uses() -> QuerySet[ComponentVersion]:
    """Versions that run now, or are planned to, in running cases."""
    return ComponentVersion.objects.filter(
        Q(runs_to__isnull=True) | Q(runs_to__gt=clock.now()),
        component__initiative__in=Initiative.objects.live().filter(stage__in=RUNNING_STAGES),
    )


def cases_of(model: ModelVersion) -> list[int]:
    """Keys of the running cases that run the model, ran it, or will."""
    cases = Initiative.objects.live().filter(
        stage__in=RUNNING_STAGES, components__versions__model_version=model
    )
    return sorted(set(cases.values_list("pk", flat=True)))


def evaluations_of(model: ModelVersion, person: User) -> list[ModelEvaluation]:
    """How the model did in each case that the person may see, the newest declaration first."""
    return list(
        ModelEvaluation.objects.filter(
            component_version__model_version=model, initiative__in=visible_to(person).values("pk")
        )
        .select_related(
            "initiative", "component_version__component", "result_by", "declared_by", "withdrawn_by"
        )
        .order_by("-declared_on", "-pk")
    )
