"""The deployment gate: an answer to a pipeline, kept with its attestation.

Source: docs/adr/0087. The rules are in `governance.authorization.deployment_decision`. This module reads what they need
on the locked initiative, and keeps the answer. Sources of the attestation: in-toto Attestation Framework (Statement
v1), SLSA Verification Summary v1, DSSE 1.0. An admission controller checks it with the public key alone (docs/api.md,
"Ask before you deploy").
"""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.urls import reverse

from governance.audit_log import entries
from governance.authorization import decision_log, deployment_decision
from governance.authorization.decision import Decision
from governance.authorization.deployment_decision import AskedDeployment, DeclaredVersion
from governance.gates import criteria
from governance.models import Rulebook, ServiceKey
from governance.transparency_log import signing_keys
from governance.vocabulary import STAGE_RANK
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contracts.enforcement.decision_cache import Known
from initiatives.lifecycle.facts import rulebook_in_effect, supported_stage
from initiatives.lifecycle.findings.sync import follow
from initiatives.lifecycle.initiative.act import act
from initiatives.models import DeploymentDecision, Initiative

SYSTEM = "deployment gate"
FINDING = "deployment"  # the kind of a finding on a version that was deployed without an answer
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/verification_summary/v1"
PAYLOAD = "application/vnd.in-toto+json"
PASSED, FAILED = "PASSED", "FAILED"
LEVEL = "PLUMBLINE_"  # before the stage, in capitals


def decide(
    known: Known,
    key: int,
    asked: AskedDeployment,
    now: datetime,
    write: Callable[[Decision], decision_log.Kept],
) -> tuple[Decision, decision_log.Kept, DeploymentDecision]:
    """Return the decision, its line in the log, and its row with the attestation.

    `write` appends the decision to the log, which is on disk before the row is kept. An allowed deployment ends its
    finding. Raises OSError if the log cannot be written, DatabaseError if the row cannot be kept. The log may then have
    an allow that no one received.
    """
    with act("decide deployment", system=SYSTEM, initiative=known.initiative) as initiative:
        decision, reasons = answer(known, initiative, asked, now)
        line = write(decision)
        decision_log.decisions.sync([line])
        rulebook = rulebook_in_effect.rulebook_of(initiative, now)
        row = DeploymentDecision(
            initiative=initiative,
            key_id=key,
            decision=line.digest.hex(),
            at=now,
            artefact=asked.artefact,
            version=asked.version,
            stage=asked.stage,
            reasons=list(reasons),
            rulebook=rulebook,
            envelope=envelope(
                asked, initiative=initiative, allowed=decision.allowed, rulebook=rulebook, at=now
            ),
        )
        row.save(force_insert=True)
        entries.record(
            EntryKind.DEPLOYMENT_ALLOWED if row.allowed else EntryKind.DEPLOYMENT_DENIED,
            initiative=initiative,
            artefact=row.artefact,
            version=row.version,
            stage=row.stage,
            system=ServiceKey.objects.only("system").get(pk=key).system,
            decision=row.decision,
            **({} if row.allowed else {"why": decision.reason}),
        )
        if row.allowed and _findings(initiative).exists():
            follow([initiative])
    return decision, line, row


def answer(
    known: Known, initiative: Initiative, asked: AskedDeployment, now: datetime
) -> tuple[Decision, tuple[str, ...]]:
    """Return the decision with each reason of a no, and keep nothing."""
    supported = known.condition.supported
    if supported and STAGE_RANK[supported] < STAGE_RANK[asked.stage]:
        supported = _supported_once_asked(initiative, now) or supported
    running = initiative.deployments.current_at(now).select_related("version")
    return deployment_decision.decide(
        asked,
        known.condition,
        reported=initiative.imported,
        supported=supported,
        contract=known.version_at(now)[0],
        declared=[
            DeclaredVersion(one.version.layer, one.version.name, one.version.version, one.artefact)
            for one in running
        ],
    )


def _findings(initiative: Initiative):
    """Return the current findings on versions that were deployed without an answer."""
    return initiative.requirement_findings.current().filter(source__startswith=f"{FINDING}:")


def _supported_once_asked(initiative: Initiative, now: datetime) -> str:
    """Return the supported stage without the findings that only an answer of this gate ends, or "" if there are none.

    Otherwise, a version that was deployed without asking could never be asked about.
    """
    words = set(_findings(initiative).values_list("words", flat=True))
    if not words:
        return ""
    facts = supported_stage.facts_of(initiative)
    left = tuple(one for one in facts.requirement_findings if one.words not in words)
    rulebook = rulebook_in_effect.rulebook_of(initiative, now).parsed
    return criteria.judge(replace(facts, requirement_findings=left), rulebook, now).support.supported


def attested(initiative: int, decision: bytes) -> DeploymentDecision | None:
    """Return the answer to a pipeline of this initiative by the digest of its decision, or None."""
    return DeploymentDecision.objects.filter(initiative=initiative, decision=decision.hex()).first()


# --- Attestations ----------------------------------------------------------------------------------------------------


def envelope(
    asked: AskedDeployment, *, initiative: Initiative, allowed: bool, rulebook: Rulebook, at: datetime
) -> str:
    """Return the signed envelope of an answer as JSON. `at` is the moment of the decision."""
    said = statement(asked, initiative=initiative, allowed=allowed, rulebook=rulebook, at=at)
    payload = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    return json.dumps(signed(payload, signing_keys.signing_key()))


def statement(
    asked: AskedDeployment, *, initiative: Initiative, allowed: bool, rulebook: Rulebook, at: datetime
) -> dict[str, Any]:
    """Return the statement on an answer. A denial has FAILED as its result and as its only level."""
    address = settings.ADDRESS
    return {
        "_type": STATEMENT,
        "subject": [
            {
                "name": f"{initiative.ref} {asked.version}",
                "digest": {"sha256": asked.artefact.removeprefix("sha256:")},
            }
        ],
        "predicateType": PREDICATE,
        "predicate": {
            "verifier": {"id": address},
            "timeVerified": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "resourceUri": f"{address}{reverse('initiative', args=[initiative.ref])}",
            "policy": {
                "uri": f"{address}{reverse('rulebook-version', args=[rulebook.version])}",
                "digest": {"sha256": rulebook.digest},
            },
            "verificationResult": PASSED if allowed else FAILED,
            "verifiedLevels": [f"{LEVEL}{asked.stage.upper()}" if allowed else FAILED],
        },
    }


def signed(payload: bytes, key: Ed25519PrivateKey) -> dict[str, Any]:
    """Return the DSSE envelope around a payload, signed with `key`."""
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD,
        "signatures": [
            {
                "keyid": signing_keys.spki_digest(key),
                "sig": base64.b64encode(key.sign(encoded(PAYLOAD, payload))).decode(),
            }
        ],
    }


def encoded(kind: str, payload: bytes) -> bytes:
    """Return the bytes that are signed: the pre-authentication encoding of DSSE."""
    return b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)
