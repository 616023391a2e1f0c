"""Issuers of tokens shaped like those of the real platforms, with their documented claims and keys made here."""

import json
import time
from typing import Any
from urllib.parse import urlencode

from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from governance import clock
from governance.models import Rulebook
from initiatives.integration.pipelines import issuer_keys
from initiatives.integration.pipelines.actions import (
    confirm_bar,
    confirm_pipeline,
    declare_bar,
    declare_pipeline,
)
from initiatives.models import Pipeline
from tests.support import factories

GITHUB = "https://token.actions.githubusercontent.com"
GITLAB = "https://gitlab.com"
TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
ENTRA = f"https://login.microsoftonline.com/{TENANT}/v2.0"
CLUSTER = "https://oidc.cluster.example"
OTHER = "https://builds.example"
UID = "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798"
OBJECT_ID = "5f1d0a52-6c1e-4c55-9a70-2f0f6a0c9d11"
CLIENT_ID = "0b6a3f8e-31f0-4f6e-9c51-7d8f2a4b1c22"
APPLICATION = "7c1e6d0a-52b4-4f7b-8a3e-1d9c0e5f6a33"
REQUIREMENT = "prod.q04_exceptions"
ALL = ("RS256", "ES256", "EdDSA", "PS256", "HS256", "HS512", "RS512", "ES384", "none")

KEYS = {
    GITHUB: RSAKey.generate_key(2048, {"kid": "github-1"}),
    GITLAB: RSAKey.generate_key(2048, {"kid": "gitlab-1"}),
    ENTRA: RSAKey.generate_key(2048, {"kid": "entra-1"}),
    CLUSTER: ECKey.generate_key("P-256", {"kid": "cluster-1"}),
    OTHER: OKPKey.generate_key("Ed25519", {"kid": "other-1"}),
}
ALGORITHMS = {GITHUB: "RS256", GITLAB: "RS256", ENTRA: "RS256", CLUSTER: "ES256", OTHER: "EdDSA"}
BOUND: dict[str, dict[str, str]] = {
    "github": {
        "repository": "acme/claims",
        "repository_id": "123456789",
        "owner_id": "9876543",
        "workflow": ".github/workflows/plumbline.yml",
        "branch": "main",
        "environment": "production",
    },
    "gitlab": {
        "project": "acme/claims",
        "project_id": "46573356",
        "workflow": ".gitlab-ci.yml",
        "branch": "main",
    },
    "azure": {"subject": OBJECT_ID, "client_id": CLIENT_ID, "audience": APPLICATION},
    "kubernetes": {"namespace": "claims", "account": "evidence", "uid": UID},
    "other": {"subject": "project:claims:branch:main"},
}
ISSUERS = {"github": GITHUB, "gitlab": GITLAB, "azure": ENTRA, "kubernetes": CLUSTER, "other": OTHER}


class Published:
    """The documents of all issuers, as `issuer_keys` reads them; `asked` has every address that was read."""

    def __init__(self, monkeypatch) -> None:
        self.asked: list[str] = []
        self.keys = {issuer: [key] for issuer, key in KEYS.items()}
        monkeypatch.setattr(issuer_keys, "_json_at", self.read)

    def read(self, address: str) -> Any:
        """Return the discovery document or the keys at an address."""
        self.asked.append(address)
        for issuer, keys in self.keys.items():
            if address == f"{issuer}/.well-known/openid-configuration":
                return {"issuer": issuer, "jwks_uri": f"{issuer}/keys"}
            if address == f"{issuer}/keys":
                return {"keys": [key.as_dict(private=False) for key in keys]}
        raise issuer_keys.NoKeys(f"Plumbline cannot read {address}. Check the declared issuer.")


def claims_of(platform: str, address: str, **changes: Any) -> dict[str, Any]:
    """The claims of a right token, as the platform documents them. A change to None leaves the claim out."""
    now = int(clock.now().timestamp())
    common = {
        "iss": ISSUERS[platform],
        "aud": address,
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "jti": f"id-{time.time_ns()}",
    }
    own: dict[str, dict[str, Any]] = {
        "github": {
            "sub": "repo:acme/claims:environment:production",
            "repository": "acme/claims",
            "repository_id": "123456789",
            "repository_owner": "acme",
            "repository_owner_id": "9876543",
            "repository_visibility": "private",
            "workflow": "Evidence",
            "workflow_ref": "acme/claims/.github/workflows/plumbline.yml@refs/heads/main",
            "workflow_sha": "d20ace7968ba43c0219f62d71334c1095bab1602",
            "job_workflow_ref": "acme/claims/.github/workflows/plumbline.yml@refs/heads/main",
            "job_workflow_sha": "d20ace7968ba43c0219f62d71334c1095bab1602",
            "ref": "refs/heads/main",
            "ref_type": "branch",
            "ref_protected": "true",
            "environment": "production",
            "event_name": "push",
            "runner_environment": "github-hosted",
            "actor": "octocat",
            "actor_id": "583231",
            "sha": "d20ace7968ba43c0219f62d71334c1095bab1602",
            "run_id": "4425592351",
            "run_number": "12",
            "run_attempt": "1",
            "head_ref": "",
            "base_ref": "",
        },
        "gitlab": {
            "sub": "project_path:acme/claims:ref_type:branch:ref:main",
            "namespace_id": "68413579",
            "namespace_path": "acme",
            "project_id": "46573356",
            "project_path": "acme/claims",
            "project_visibility": "private",
            "user_id": "184239",
            "user_login": "ada",
            "user_email": "ada@acme.example",
            "pipeline_id": "1519139981",
            "pipeline_source": "push",
            "job_id": "8222997048",
            "ref": "main",
            "ref_type": "branch",
            "ref_path": "refs/heads/main",
            "ref_protected": "true",
            "runner_id": 12270835,
            "runner_environment": "gitlab-hosted",
            "sha": "8fe1b322a576d59fe6257052a4107df7dc1b8c78",
            "ci_config_ref_uri": "gitlab.com/acme/claims//.gitlab-ci.yml@refs/heads/main",
            "ci_config_sha": "8fe1b322a576d59fe6257052a4107df7dc1b8c78",
        },
        "azure": {
            "aud": APPLICATION,
            "iat": now - 300,
            "nbf": now - 300,
            "exp": now + 3600,
            "jti": None,
            "uti": f"uti-{time.time_ns()}",
            "azp": CLIENT_ID,
            "azpacr": "2",
            "oid": OBJECT_ID,
            "sub": OBJECT_ID,
            "tid": TENANT,
            "ver": "2.0",
        },
        "kubernetes": {
            "aud": [address],
            "exp": now + 600,
            "sub": "system:serviceaccount:claims:evidence",
            "kubernetes.io": {
                "namespace": "claims",
                "node": {"name": "node-1", "uid": "646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1"},
                "pod": {"name": "evidence-x2v", "uid": "5e0bd49b-f040-43b0-99b7-22765a53f7f3"},
                "serviceaccount": {"name": "evidence", "uid": UID},
                "warnafter": now + 300,
            },
        },
        "other": {"sub": "project:claims:branch:main"},
    }
    said = common | own[platform] | changes
    return {name: value for name, value in said.items() if value is not None}


def signed(claims: Any, *, key: Any = None, algorithm: str = "", **header: Any) -> str:
    """A token of these claims by the issuer that they name, or by another key, algorithm or header."""
    said_issuer = claims.get("iss") if isinstance(claims, dict) else None
    issuer = said_issuer if isinstance(said_issuer, str) and said_issuer in KEYS else GITHUB
    key, algorithm = key or KEYS[issuer], algorithm or ALGORITHMS[issuer]
    said = {"alg": algorithm, "typ": "JWT", "kid": KEYS[issuer].kid} | header
    said = {name: value for name, value in said.items() if value is not None}
    body = claims if isinstance(claims, bytes) else _json(claims)
    registry = jws.JWSRegistry(algorithms=list(ALL), strict_check_header=False)
    registry.max_payload_length = registry.max_header_length = 1 << 20
    return jws.serialize_compact(said, body, key, registry=registry)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


TESTS = ("test_crm times out", "test_crm answers late", "test_crm is away")


def make_pipeline(cast, initiative, platform: str = "github", **fields: Any) -> Pipeline:
    """A pipeline of the owner on this platform, confirmed with its bar for the requirement of these tests."""
    row = make_declared(cast, initiative, platform, **fields)
    if not row.keys:
        confirm_pipeline(pipeline=row, by=cast.seat_security)
        row.refresh_from_db()
    make_bar(cast, row)
    return row


def make_bar(
    cast, pipeline: Pipeline, requirement: str = REQUIREMENT, *, confirmed: bool = True, **said: Any
):
    """What a pipeline must show for a requirement, by default for the JUnit report of these tests, confirmed."""
    asked = Rulebook.objects.current().parsed.at_tier(pipeline.initiative.tier)
    fields = {
        "format": "junit",
        "tests": TESTS,
        "tested": next(iter(asked.requirements[requirement].tested), ""),
        "condition": "bounded_real",
    } | said
    bar = declare_bar(pipeline=pipeline, requirement=requirement, by=pipeline.by, **fields)
    if confirmed and not pipeline.keys:
        seat = asked.seats_asking(requirement)[0]
        bar = confirm_bar(bar=bar, by=cast.people[factories.SEAT_LOGINS[seat]])
    return bar


def make_declared(cast, initiative, platform: str = "github", **fields: Any) -> Pipeline:
    """A pipeline of the owner on this platform, which no seat has confirmed."""
    return declare_pipeline(
        initiative=initiative,
        name=fields.pop("name", f"Claims, {platform}"),
        platform=platform,
        issuer=fields.pop("issuer", ISSUERS[platform]),
        bound=BOUND[platform] | fields.pop("bound", {}),
        by=fields.pop("by", cast.owner),
        **fields,
    )


JUNIT = b"""<?xml version="1.0" encoding="UTF-8"?>
<testsuites><testsuite name="exceptions" tests="3" failures="0">
<testcase classname="test_crm" name="times out"/><testcase classname="test_crm" name="answers late"/>
<testcase classname="test_crm" name="is away"/></testsuite></testsuites>
"""


def address_of(ref: str, **changes: str) -> str:
    """The address that takes a JUnit report for the requirement; changes are other fields."""
    fields = {
        "initiative": ref,
        "requirement": REQUIREMENT,
        "format": "junit",
    } | changes
    return f"/evidence/v1/results?{urlencode({name: value for name, value in fields.items() if value})}"


def filed(client, ref: str, token: str, body: bytes = JUNIT, kind: str = "application/xml", **changes: str):
    """The answer to a result that is sent with this token."""
    headers = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    return client.generic("POST", address_of(ref, **changes), body, content_type=kind, **headers)
