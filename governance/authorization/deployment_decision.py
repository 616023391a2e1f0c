"""Decide if a version of an initiative may be deployed to a stage. Pure.

A pipeline asks as AuthZEN writes it: the action `deploy`, with `stage` and `version` in its properties, on a resource
of the type `artefact`, whose id is the digest. No clause of a contract is asked: the approved stage, its support and
the register of deployments decide. A yes is for one artefact, whose digest the register has. Asking records nothing in
the register. Source: docs/adr/0087.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from governance.authorization.authzen import BadRequest
from governance.authorization.decision import Decision, InitiativeCondition, Version, refusal_of
from governance.permission_result import ended
from governance.vocabulary import RUNNING_STAGES, STAGE_RANK, DecisionOutcome, Layer, Stage
from governance.vocabulary.readable_text import hidden, shown

ACTION, RESOURCE = "deploy", "artefact"
ALLOWED, DENIED = "deployment_allowed", "deployment_denied"
CODES = {
    ALLOWED: (DecisionOutcome.ALLOW, "The version may be deployed to this stage."),
    DENIED: (
        DecisionOutcome.DENY,
        "The version may not be deployed to this stage. The field “reasons” names each obstacle.",
    ),
}
LONGEST_VERSION = 80  # characters of a version in the register of components
# A pipeline deploys no model: what runs a model is in another layer, and has its own version and digest.
DEPLOYED_LAYERS = tuple(layer for layer in Layer if layer != Layer.MODEL)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
# What to do if the condition of the initiative denies everything, by its code.
_REMEDIES = {
    "switched_off": "Ask the owner or the chair to switch the systems on again.",
    "held": "Fix the cause, and have the hold lifted.",
    "initiative_closed": "Deploy nothing of this initiative.",
    "nobody_responsible": "Then ask again.",
    "not_started": "Have the prototype gate decided first.",
}
_FINAL = ("initiative_closed", "not_started")


@dataclass(frozen=True)
class AskedDeployment:
    """One question: may this artefact (sha256:...), as this version, go to this stage?"""

    artefact: str
    version: str
    stage: Stage


@dataclass(frozen=True)
class DeclaredVersion:
    """A component version that the initiative runs or plans, with its digest if one is recorded."""

    layer: str
    name: str
    version: str
    artefact: str = ""


def is_asked(evaluation_request: Mapping[str, Any]) -> bool:
    """Return True if the request asks for a deployment, which no clause of a contract answers."""
    return (evaluation_request["action"]["name"], evaluation_request["resource"]["type"]) == (
        ACTION,
        RESOURCE,
    )


def read(evaluation_request: Mapping[str, Any]) -> AskedDeployment:
    """Return the question in a request for which `is_asked` is True. Raises BadRequest."""
    artefact = evaluation_request["resource"]["id"]
    if not DIGEST.match(artefact):
        raise BadRequest(
            "resource.id must be a digest, such as sha256: and 64 hexadecimal digits in lower case."
        )
    properties = evaluation_request["action"].get("properties") or {}
    stage, version = properties.get("stage"), properties.get("version")
    if stage not in RUNNING_STAGES[1:]:
        raise BadRequest(f"action.properties.stage must be one of {', '.join(RUNNING_STAGES[1:])}.")
    if not isinstance(version, str) or not version.strip() or len(version) > LONGEST_VERSION:
        raise BadRequest(f"action.properties.version must be a text of 1 to {LONGEST_VERSION} characters.")
    if hidden(version):
        raise BadRequest("action.properties.version has an invisible character. Leave the character out.")
    return AskedDeployment(artefact, version.strip(), Stage(stage))


def decide(
    asked: AskedDeployment,
    condition: InitiativeCondition,
    *,
    reported: bool,
    supported: str,
    contract: Version | None,
    declared: Iterable[DeclaredVersion],
) -> tuple[Decision, tuple[str, ...]]:
    """Return the decision, and each reason of a no as a sentence with what to do.

    `reported` is True if the stage comes from an import, `supported` is the stage that evidence supports now, or "" if
    it is unknown. `contract` is the version in force, `declared` what the initiative runs or plans.
    """
    reasons = tuple(_reasons(asked, condition, reported, supported, contract, tuple(declared)))
    if reasons:
        return Decision(DecisionOutcome.DENY, DENIED, " ".join(reasons), version=contract), reasons
    words = f"Version {shown(asked.version)} may be deployed to the stage {asked.stage}."
    return Decision(DecisionOutcome.ALLOW, ALLOWED, words, version=contract), ()


def _reasons(
    asked: AskedDeployment,
    condition: InitiativeCondition,
    reported: bool,
    supported: str,
    contract: Version | None,
    declared: tuple[DeclaredVersion, ...],
) -> Iterable[str]:
    closed = refusal_of(replace(condition, switched_off=""))
    if closed is not None and closed.code in _FINAL:
        yield f"{closed.reason} {_REMEDIES[closed.code]}"
        return
    refusal = refusal_of(condition)
    if refusal is not None:
        yield f"{refusal.reason} {_REMEDIES[refusal.code]}"
    if reported:
        yield f"The stage {condition.stage} was reported by an import. Have a review decide this stage."
    elif STAGE_RANK[condition.stage] < STAGE_RANK[asked.stage]:
        yield f"The approved stage is {condition.stage}. Have the gate to {asked.stage} decided first."
    if not supported:
        yield "The stage that evidence supports today is not known. Ask again in an hour."
    elif STAGE_RANK[supported] < STAGE_RANK[asked.stage]:
        yield (
            f"Evidence supports at most the stage {supported}. Add the evidence that the page Requirements "
            f"names for {asked.stage}."
        )
    if asked.stage == Stage.PRODUCTION and contract is None:
        yield "No version of the contract is in force. Have the board approve a version of the contract."
    yield from _undeclared(asked, declared)


def _undeclared(asked: AskedDeployment, declared: tuple[DeclaredVersion, ...]) -> Iterable[str]:
    """Yield the reason if no deployed component has this version with this artefact."""
    same = [one for one in declared if one.version.casefold() == asked.version.casefold()]
    deployed = [one for one in same if one.layer in DEPLOYED_LAYERS]
    if any(one.artefact == asked.artefact for one in deployed):
        return
    version = shown(asked.version)
    unnamed = next((one for one in deployed if not one.artefact), None)
    if unnamed is not None:
        yield (
            f"No digest is recorded for version {version} of {shown(unnamed.name)}. Record this version again "
            "under Versions and scope, with the digest of its artefact."
        )
    elif deployed:
        yield (
            f"Version {version} of {shown(deployed[0].name)} is recorded with another digest. Deploy the recorded "
            "artefact, or record the new artefact as a new version."
        )
    elif same:
        yield (
            f"Version {version} is the version of a model, {shown(same[0].name)}. Ask for the version of the "
            "component that the pipeline deploys."
        )
    else:
        yield ended(
            f"Version {version} is neither running nor planned. Record it under Versions and scope, with the "
            "day from which it runs and the digest of its artefact"
        )
