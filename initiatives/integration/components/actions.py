"""Acts on what runs: versions of components, and the triggers that they pull."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models import Max, Q

from governance import clock
from governance.audit_log import entries
from governance.authorization.deployment_decision import DEPLOYED_LAYERS, DIGEST
from governance.models import User
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.integration.components.register.actions import version_named
from initiatives.integration.components.vendors import vendor_named
from initiatives.lifecycle.changes.actions import pull
from initiatives.lifecycle.findings.sync import follow, follow_more
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import (
    ComponentVersion,
    Deployment,
    Initiative,
    Voiding,
)
from initiatives.models.integration.components import artefact_digest

# Which trigger a new version pulls, by the layer of its component (rulebook, [triggers]).
TRIGGER_OF_LAYER = {
    "model": "model_version",
    "application": "application_version",
    "integration": "integration_schema",
    "policy": "application_version",
    "runtime": "application_version",
    "observability": "application_version",
}


def record_component(
    *,
    initiative: Initiative,
    listed: ComponentVersion | None = None,
    layer: str = "",
    name: str = "",
    version: str = "",
    vendor: str = "",
    region: str = "",
    artefact: str = "",
    replaces: Deployment | None = None,
    runs_from: datetime | None = None,
    approver: User | None = None,
    rollback: str = "",
    by: User,
) -> Deployment:
    """Record that a version of a component runs, now or from a later moment.

    `listed` is its row of the register. Without `listed`, give layer, name and version. A missing row is proposed
    with its vendor, by default that of the last version of this name. The version takes the part of `replaces`, else
    the part with its layer and name, else a new part. Data that pass through the part are in its region from then on.
    A first version voids nothing. `artefact` is the digest of what is deployed. If the same version runs without one,
    it gets this digest and evidence stays. Raises ValidationError or Refused.
    """
    if artefact:
        try:
            artefact_digest(artefact)
        except ValidationError as wrong:
            raise ValidationError({"artefact": wrong}) from None
    if listed is not None and any(text.strip() for text in (layer, name, version, vendor)):
        raise ValidationError(
            {"listed": "You chose a row of the register and named a component. Do only one of the two."}
        )
    if (
        listed is not None
        and listed.region
        and region.strip().casefold() not in ("", listed.region.casefold())
    ):
        raise ValidationError(
            {
                "region": phrase(
                    "The register already contains the region of {}. Leave the region empty.", listed
                )
            }
        )
    if replaces is not None and replaces.initiative_id != initiative.pk:
        raise ValidationError({"replaces": "Choose a component that this initiative runs."})
    with act("record component", by=by, initiative=initiative, register=True) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        last = initiative.deployments.last_named(*((listed.layer, listed.name) if listed else (layer, name)))
        if listed is None:
            maker = vendor_named(vendor) or (last.version.vendor if last else None)
            listed = version_named(layer, maker, name, version, region, by=by)
        incoming = Deployment(
            initiative=initiative,
            part=_part(initiative, listed, replaces or last),
            version=listed,
            region=region.strip() or listed.region,
            artefact=artefact,
            runs_from=runs_from or clock.now(),
        )
        unnamed = initiative.deployments.filter(
            part=incoming.part, version=listed, region=incoming.region, runs_to__isnull=True, artefact=""
        ).first()
        if artefact and unnamed is not None and runs_from is None:
            return _named(initiative, unnamed, artefact)
        start_version(initiative, incoming, approver=approver, rollback=rollback, by=by)
    return incoming


def record_digest(initiative: Initiative, version: str, artefact: str) -> None:
    """Record the digest of the component in this version, inside a running act.

    Several components in this version, a model, and a component with a digest keep what they have.
    """
    running = initiative.deployments.current_at(clock.now()).select_related("version__vendor")
    found = list(running.filter(version__layer__in=DEPLOYED_LAYERS, version__version=version))
    if DIGEST.fullmatch(artefact) and len(found) == 1 and not found[0].artefact:
        _named(initiative, found[0], artefact)


def _named(initiative: Initiative, deployment: Deployment, artefact: str) -> Deployment:
    """Record the digest of a deployment that had none."""
    deployment.artefact = artefact
    deployment.save()
    _record(initiative, deployment)
    follow([initiative])
    return deployment


def _record(initiative: Initiative, deployment: Deployment, replaces: Deployment | None = None) -> None:
    """Write the entry of a deployment with its digest, and the one that it replaces."""
    version = deployment.version
    entries.record(
        EntryKind.COMPONENT_RECORDED,
        initiative=initiative,
        layer=version.layer,
        version=str(deployment),
        vendor=version.vendor.name if version.vendor else "",
        runs_from=deployment.runs_from,
        artefact=deployment.artefact,
        replaces=str(replaces) if replaces else None,
    )


def _part(initiative: Initiative, row: ComponentVersion, replaces: Deployment | None) -> int:
    """Return the part that a version takes. Raises ValidationError if the part has another layer."""
    if replaces is None:
        return (initiative.deployments.aggregate(last=Max("part"))["last"] or 0) + 1
    if replaces.version.layer != row.layer:
        raise ValidationError(
            {
                "replaces": phrase(
                    "{} is in another layer than {}. Choose a component of the same layer.", replaces, row
                )
            }
        )
    return replaces.part


def start_version(
    initiative: Initiative,
    incoming: Deployment,
    *,
    approver: User | None = None,
    rollback: str = "",
    by: User,
) -> list[Voiding]:
    """Start a version in place of the earlier one in its part. Return what that voids.

    Runs in the act on the locked initiative. Raises ValidationError if the earlier version starts later.
    """
    start, layer = incoming.runs_from, incoming.version.layer
    in_part = initiative.deployments.filter(part=incoming.part).select_related("version")
    outgoing = in_part.filter(runs_to__isnull=True).first()
    if outgoing is not None:
        if start < outgoing.runs_from:
            raise ValidationError(
                {"runs_from": phrase("{} runs from {}. Choose a later time.", outgoing, outgoing.runs_from)}
            )
        outgoing.runs_to = start
        outgoing.save()
    incoming.save()
    _record(initiative, incoming, outgoing)
    change = None
    if outgoing is not None:
        change = pull(
            initiative,
            [TRIGGER_OF_LAYER[layer]],
            f"{outgoing} to {incoming}"[:250],  # as much as a change takes
            by=by,
            effective_at=start,
            layer=layer,
            outgoing=outgoing,
            incoming=incoming,
            approver=approver,
            rollback=rollback.strip(),
        )
    told = in_part.filter(
        Q(transfers__ended_at__isnull=True, transfers__isnull=False) | Q(version__end_of_life__isnull=False)
    ).exists()
    if not (follow([initiative]) if told else follow_more(initiative)):
        rewrite_supported_stage(initiative)
    return list(Voiding.objects.filter(change=change).select_related("evidence")) if change else []
