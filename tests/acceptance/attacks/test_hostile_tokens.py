"""Tokens that a pipeline must not file with: none is accepted, and each is refused in a sentence."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from joserfc.jwk import ECKey, OctKey, RSAKey

from governance import clock
from governance.rulebook import shipped_text
from governance.vocabulary import TakesEffect
from initiatives.integration.pipelines.actions import end_pipeline
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Evidence, PipelineReport, PipelineToken
from initiatives.portfolio.units import leaving
from tests.acceptance.walks.story import undone
from tests.support import factories
from tests.support.servers import pipeline_issuers as issuers
from tests.support.servers.pipeline_issuers import CLUSTER, ENTRA, GITHUB, GITLAB, KEYS, signed

pytestmark = pytest.mark.django_db

STRANGER = RSAKey.generate_key(2048, {"kid": "github-1"})
SMALL = RSAKey.generate_key(1024, {"kid": "github-1"})
CURVE = ECKey.generate_key("P-256", {"kid": "github-1"})


class World:
    """An initiative with a pipeline on each platform, another initiative with its own, and an ended pipeline."""

    def __init__(self, cast, settings) -> None:
        self.cast, self.address = cast, settings.ADDRESS
        self.initiative = factories.make_mvp(cast)
        self.other = factories.make_initiative(cast, title="Another assistant")
        factories.make_rulebook(
            cast.admin, cast.chair, source=shipped_text(), takes_effect=TakesEffect.AT_ONCE
        )
        self.pipelines = {
            name: issuers.make_pipeline(cast, self.initiative, name) for name in issuers.ISSUERS
        }
        bound = {"repository": "acme/other", "repository_id": "777", "environment": "secret-env"}
        self.elsewhere = issuers.make_pipeline(cast, self.other, name="Hidden", bound=bound)

    def claims(self, platform: str = "github", **changes: Any) -> dict[str, Any]:
        return issuers.claims_of(platform, self.address, **changes)

    def token(self, platform: str = "github", **changes: Any) -> str:
        return signed(self.claims(platform, **changes))


def part(value: Any) -> str:
    """A part of a token as base64url without padding."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unsigned(world: World, algorithm: Any, signature: str = "", **header: Any) -> str:
    return f"{part({'alg': algorithm, 'typ': 'JWT', 'kid': 'github-1'} | header)}.{part(world.claims())}.{signature}"


def by_public_key(world: World, algorithm: str = "HS256", form: str = "pem") -> str:
    """A token that is signed by HMAC with the public key as the secret."""
    key = KEYS[GITHUB]
    secret = key.as_pem(private=False) if form == "pem" else json.dumps(key.as_dict(private=False)).encode()
    head = f"{part({'alg': algorithm, 'typ': 'JWT', 'kid': 'github-1'})}.{part(world.claims())}"
    return f"{head}.{part(hmac.new(secret, head.encode(), getattr(hashlib, 'sha' + algorithm[2:])).digest())}"


def raw_claims(world: World, more: bytes) -> str:
    """A token whose claims have a name twice, or something else that is not plain JSON."""
    return signed(json.dumps(world.claims()).encode()[:-1] + more, key=KEYS[GITHUB], kid="github-1")


def now() -> int:
    return int(clock.now().timestamp())


def account(**changes: Any) -> dict[str, Any]:
    """The Kubernetes claims with other values of namespace, name or uid."""
    said = {"namespace": "claims", "name": "evidence", "uid": issuers.UID} | changes
    return {
        "namespace": said["namespace"],
        "serviceaccount": {"name": said["name"], "uid": said["uid"]},
        "pod": {"name": "p", "uid": issuers.UID},
    }


def ended(world: World) -> str:
    end_pipeline(pipeline=world.pipelines["github"], reason="The repository moved.", by=world.cast.owner)
    return world.token()


def stopped(world: World) -> str:
    stage_actions.stop(
        initiative=world.initiative, reason_code="no_value", reason="Nobody used it.", by=world.cast.owner
    )
    return world.token()


def left(world: World) -> str:
    leaving.deactivate(person=world.cast.owner, reason="Left.", by=world.cast.admin)
    return world.token()


def used(world: World) -> str:
    token = world.token()
    assert issuers.filed(Client(), world.initiative.ref, token).status_code == 201
    return token


def used_with_new_signature(world: World) -> str:
    """The same id under another signature, time and header."""
    claims = world.claims(jti="id-1")
    assert issuers.filed(Client(), world.initiative.ref, signed(claims)).status_code == 201
    return signed(claims | {"iat": now() - 1, "run_id": "2"}, typ="jwt")


def used_without_id(world: World) -> str:
    """A token without an id whose signature is made again: ECDSA signs the same claims in many ways."""
    claims = world.claims("kubernetes", jti=None)
    assert issuers.filed(Client(), world.initiative.ref, signed(claims)).status_code == 201
    return signed(claims)


HUB, LAB = "acme/claims/.github/workflows/plumbline.yml", "gitlab.com/acme/claims//.gitlab-ci.yml"
Hostile = tuple[Callable[[World], str], str]
HOSTILE: dict[str, Hostile] = {
    # GitHub
    "a pull request of a fork": (lambda w: w.token(event_name="pull_request"), "fork"),
    "pull_request_target": (lambda w: w.token(event_name="pull_request_target"), "fork"),
    "a comment on an issue": (lambda w: w.token(event_name="issue_comment"), "fork"),
    "workflow_run after a fork": (lambda w: w.token(event_name="workflow_run"), "fork"),
    "no event": (lambda w: w.token(event_name=None), "fork"),
    "another workflow": (
        lambda w: w.token(workflow_ref="acme/claims/.github/workflows/a.yml@refs/heads/main"),
        "workflow",
    ),
    "a workflow whose name begins so": (
        lambda w: w.token(workflow_ref=f"{HUB}.yml@refs/heads/main"),
        "workflow",
    ),
    "a reusable workflow of another repository": (
        lambda w: w.token(job_workflow_ref="evil/tools/.github/workflows/plumbline.yml@refs/heads/main"),
        "reusable",
    ),
    "the workflow file of another branch": (
        lambda w: w.token(workflow_ref=f"{HUB}@refs/heads/evil"),
        "branch",
    ),
    "no workflow": (lambda w: w.token(workflow_ref=None), "workflow"),
    "a workflow that is a list": (lambda w: w.token(workflow_ref=[f"{HUB}@refs/heads/main"]), "workflow"),
    "another branch": (lambda w: w.token(ref="refs/heads/evil"), "branch"),
    "a tag of the same name": (lambda w: w.token(ref="refs/tags/main"), "branch"),
    "a branch in capitals": (lambda w: w.token(ref="refs/heads/Main"), "branch"),
    "another environment": (lambda w: w.token(environment="staging"), "environment"),
    "no environment": (lambda w: w.token(environment=None), "environment"),
    "a self-hosted runner": (lambda w: w.token(runner_environment="self-hosted"), "runner"),
    "no kind of runner": (lambda w: w.token(runner_environment=None), "runner"),
    "a repository created again under its name": (
        lambda w: w.token(repository_id="123456790"),
        "created again",
    ),
    "a renamed repository of the same id": (
        lambda w: w.token(repository="acme/renamed"),
        "declare the pipeline again",
    ),
    "another owner": (lambda w: w.token(repository_owner_id="1"), "owner id"),
    "a repository id as a number": (lambda w: w.token(repository_id=123456789), "declared"),
    "the pipeline of another initiative": (
        lambda w: w.token(repository="acme/other", repository_id="777"),
        "declared",
    ),
    # GitLab
    "a merge request of a fork": (lambda w: w.token("gitlab", pipeline_source="merge_request_event"), "fork"),
    "an external pull request": (
        lambda w: w.token("gitlab", pipeline_source="external_pull_request_event"),
        "fork",
    ),
    "an unprotected branch": (lambda w: w.token("gitlab", ref_protected="false"), "protected"),
    "protected as true, not as a text": (lambda w: w.token("gitlab", ref_protected=True), "protected"),
    "another project id": (lambda w: w.token("gitlab", project_id="1"), "declared"),
    "a project that was moved": (lambda w: w.token("gitlab", project_path="evil/claims"), "project"),
    "a configuration of another project": (
        lambda w: w.token(
            "gitlab", ci_config_ref_uri="gitlab.com/evil/tools//.gitlab-ci.yml@refs/heads/main"
        ),
        "configuration",
    ),
    "a configuration of another branch": (
        lambda w: w.token("gitlab", ci_config_ref_uri=f"{LAB}@refs/heads/evil"),
        "configuration",
    ),
    "another GitLab branch": (lambda w: w.token("gitlab", ref="evil"), "branch"),
    "a GitLab tag": (lambda w: w.token("gitlab", ref_type="tag"), "ref"),
    "an own GitLab runner": (lambda w: w.token("gitlab", runner_environment="self-hosted"), "runner"),
    # Azure through Entra
    "another service connection": (
        lambda w: w.token("azure", sub="6f1d0a52-6c1e-4c55-9a70-2f0f6a0c9d11"),
        "declared",
    ),
    "another client": (lambda w: w.token("azure", azp="1b6a3f8e-31f0-4f6e-9c51-7d8f2a4b1c22"), "client id"),
    "another tenant": (lambda w: w.token("azure", tid="bbbbbbbb-0000-cccc-1111-dddd2222eeee"), "tenant"),
    "a token of a person": (lambda w: w.token("azure", scp="user_impersonation"), "person"),
    "the shared audience of Azure": (
        lambda w: w.token("azure", aud="api://AzureADTokenExchange"),
        "audience",
    ),
    # Kubernetes and another issuer
    "another namespace": (
        lambda w: w.token("kubernetes", **{"kubernetes.io": account(namespace="evil")}),
        "namespace",
    ),
    "another service account": (
        lambda w: w.token("kubernetes", **{"kubernetes.io": account(name="evil")}),
        "service account",
    ),
    "a service account created again": (
        lambda w: w.token("kubernetes", **{"kubernetes.io": account(uid="0" * 36)}),
        "declared",
    ),
    "a subject that contradicts its account": (
        lambda w: w.token("kubernetes", sub="system:serviceaccount:evil:evidence"),
        "subject",
    ),
    "no Kubernetes claims": (lambda w: w.token("kubernetes", **{"kubernetes.io": None}), "declared"),
    "Kubernetes claims that are a text": (
        lambda w: w.token("kubernetes", **{"kubernetes.io": "claims"}),
        "declared",
    ),
    "a longer subject": (lambda w: w.token("other", sub="project:claims:branch:main2"), "declared"),
    # Audience
    "another audience": (lambda w: w.token(aud="https://pypi.org"), "audience"),
    "the audience with a slash": (lambda w: w.token(aud=f"{w.address}/"), "audience"),
    "the audience below another path": (lambda w: w.token(aud=f"{w.address}/evidence"), "audience"),
    "the audience in capitals": (lambda w: w.token(aud=w.address.upper()), "audience"),
    "two audiences": (lambda w: w.token(aud=[w.address, "https://evil.example"]), "audience"),
    "the audience twice": (lambda w: w.token(aud=[w.address, w.address]), "audience"),
    "audiences within a list": (lambda w: w.token(aud=[[w.address]]), "audience"),
    "audiences in an object": (lambda w: w.token(aud={w.address: True}), "audience"),
    "no audience": (lambda w: w.token(aud=None), "audience"),
    "an empty list of audiences": (lambda w: w.token(aud=[]), "audience"),
    # Time
    "expired": (lambda w: w.token(exp=now() - 1), "expired"),
    "no end": (lambda w: w.token(exp=None), "exp"),
    "not valid yet": (lambda w: w.token(nbf=now() + 120), "not valid yet"),
    "issued in the future": (lambda w: w.token(iat=now() + 120), "not valid yet"),
    "six minutes old": (lambda w: w.token(iat=now() - 361, nbf=now() - 361), "older than 5 minutes"),
    "an hour old from Entra": (lambda w: w.token("azure", iat=now() - 3600), "older than"),
    "no time of issue": (lambda w: w.token(iat=None), "iat"),
    "an end as a text": (lambda w: w.token(exp=str(now() + 60)), "exp"),
    "an end that is true": (lambda w: w.token(exp=True), "exp"),
    "an end in milliseconds": (lambda w: w.token(exp=(now() + 60) * 1000), "exp"),
    "a time of issue in the year 1970": (lambda w: w.token(iat=0), "older than"),
    "a negative time of issue": (lambda w: w.token(iat=-5), "iat"),
    "an endless end": (lambda w: raw_claims(w, b', "nbf2": 1e999}'), "JWT"),
    # Use
    "used before": (used, "already used"),
    "used before, signed again": (used_with_new_signature, "already used"),
    "used before, without an id": (used_without_id, "already used"),
    "an id that is a number": (lambda w: w.token(jti=7), "jti"),
    "an empty id": (lambda w: w.token(jti=""), "jti"),
    # Signature
    "alg none": (lambda w: unsigned(w, "none"), "algorithm"),
    "alg None in capitals": (lambda w: unsigned(w, "NONE"), "algorithm"),
    "alg none with a signature": (lambda w: unsigned(w, "none", part(b"x" * 256)), "algorithm"),
    "no algorithm": (lambda w: unsigned(w, None), "algorithm"),
    "an algorithm that is a list": (lambda w: unsigned(w, ["RS256"]), "algorithm"),
    "HS256 with the public key": (by_public_key, "algorithm"),
    "HS512 with the public key": (lambda w: by_public_key(w, "HS512"), "algorithm"),
    "HS256 with the published key": (lambda w: by_public_key(w, form="jwk"), "algorithm"),
    "HS256 with an empty key": (
        lambda w: signed(w.claims(), key=OctKey.import_key(b"x" * 32), algorithm="HS256"),
        "algorithm",
    ),
    "RS512": (lambda w: signed(w.claims(), algorithm="RS512"), "algorithm"),
    "PS256, which no platform uses": (lambda w: signed(w.claims(), algorithm="PS256"), "algorithm"),
    "another key under its name": (lambda w: signed(w.claims(), key=STRANGER), "signature"),
    "a short key under its name": (lambda w: signed(w.claims(), key=SMALL), "signature"),
    "a curve under the name of an RSA key": (
        lambda w: signed(w.claims(), key=CURVE, algorithm="ES256"),
        "key",
    ),
    "the key of GitLab with its name": (
        lambda w: signed(w.claims(), key=KEYS[GITLAB], kid="gitlab-1"),
        "key",
    ),
    "the key of GitLab under that of GitHub": (lambda w: signed(w.claims(), key=KEYS[GITLAB]), "signature"),
    "the key of the cluster": (
        lambda w: signed(w.claims(), key=KEYS[CLUSTER], algorithm="ES256", kid="cluster-1"),
        "key",
    ),
    "GitLab claims by the key of Entra": (
        lambda w: signed(w.claims("gitlab"), key=KEYS[ENTRA], kid="entra-1"),
        "key",
    ),
    "a name of a key that is a list": (lambda w: unsigned(w, "RS256", part(b"x"), kid=["github-1"]), "key"),
    "a name of a key that is a path": (
        lambda w: unsigned(w, "RS256", part(b"x"), kid="../../dev/null"),
        "key",
    ),
    "its own key in the header": (
        lambda w: signed(w.claims(), key=STRANGER, jwk=STRANGER.as_dict(private=False)),
        "signature",
    ),
    "an address of keys in the header": (
        lambda w: signed(w.claims(), key=STRANGER, jku="https://evil.example/keys"),
        "signature",
    ),
    "a certificate in the header": (
        lambda w: signed(w.claims(), key=STRANGER, x5u="https://evil.example/c", x5c=["MIIB"]),
        "signature",
    ),
    "a critical header": (lambda w: unsigned(w, "RS256", part(b"x"), crit=["exp"], exp=1), "JWT"),
    "claims that are not encoded": (
        lambda w: unsigned(w, "RS256", part(b"x"), b64=False, crit=["b64"]),
        "JWT",
    ),
    "another type of token": (lambda w: signed(w.claims(), typ="logout+jwt"), "identity token"),
    "a type that is a list": (lambda w: unsigned(w, "RS256", part(b"x"), typ=["JWT"]), "identity token"),
    "no signature": (lambda w: w.token().rpartition(".")[0] + ".", ""),
    "a changed signature": (lambda w: w.token()[:-8] + "AAAAAAAA", "signature"),
    "changed claims": (
        lambda w: (lambda t: f"{t[0]}.{part(w.claims(ref='refs/heads/x'))}.{t[2]}")(w.token().split(".")),
        "signature",
    ),
    # Form
    "huge": (lambda w: w.token(filler="x" * 20_000), "characters"),
    "two parts": (lambda w: w.token().rpartition(".")[0], "JWT"),
    "four parts": (lambda w: w.token() + ".e30", "JWT"),
    "encrypted": (
        lambda w: ".".join([part({"alg": "RSA-OAEP", "enc": "A256GCM"}), "a", "b", "c", "d"]),
        "JWT",
    ),
    "padding": (lambda w: w.token() + "==", "JWT"),
    "not base64": (lambda w: "§§.%%.&&", "JWT"),
    "a header that is a list": (lambda w: f"{part([1])}.{part(w.claims())}.{part(b'x')}", "JWT"),
    "claims that are a list": (lambda w: signed([1, 2], key=KEYS[GITHUB]), "JWT"),
    "claims that are no JSON": (lambda w: signed(b"claims", key=KEYS[GITHUB]), "JWT"),
    "an audience twice in the claims": (lambda w: raw_claims(w, b', "aud": "https://evil.example"}'), "JWT"),
    "an issuer twice in the claims": (
        lambda w: raw_claims(w, b', "iss": "https://token.actions.githubusercontent.com"}'),
        "JWT",
    ),
    "an algorithm twice in the header": (
        lambda w: ".".join((part(b'{"alg": "none", "alg": "RS256"}'), part(w.claims()), part(b"x"))),
        "JWT",
    ),
    "claims of a thousand levels": (
        lambda w: signed(b'{"a":' * 1000 + b"1" + b"}" * 1000, key=KEYS[GITHUB]),
        "JWT",
    ),
    # Issuer and initiative
    "an issuer with a slash": (lambda w: signed(w.claims(iss=f"{GITHUB}/"), key=KEYS[GITHUB]), "declared"),
    "an issuer in capitals": (lambda w: signed(w.claims(iss=GITHUB.upper()), key=KEYS[GITHUB]), "declared"),
    "an issuer without https": (
        lambda w: signed(w.claims(iss=GITHUB.replace("https", "http")), key=KEYS[GITHUB]),
        "declared",
    ),
    "an unknown issuer": (lambda w: signed(w.claims(iss="https://evil.example"), key=STRANGER), "declared"),
    "no issuer": (lambda w: w.token(iss=None), "issuer"),
    "an issuer that is a list": (lambda w: signed(w.claims(iss=[GITHUB]), key=KEYS[GITHUB]), "issuer"),
    "the issuer of GitLab in a token of GitHub": (
        lambda w: signed(w.claims(iss=GITLAB), key=KEYS[GITHUB], kid="github-1"),
        "key",
    ),
    "an ended pipeline": (ended, "declared"),
    "a stopped initiative": (stopped, "closed"),
    "a declarer who left": (left, "no longer works"),
}


@pytest.fixture
def world(cast, settings, monkeypatch) -> World:
    issuers.Published(monkeypatch)
    return World(cast, settings)


def test_there_are_at_least_fifty():
    assert len(HOSTILE) >= 50


def rows() -> tuple[int, int, int]:
    """What a pipeline that files writes."""
    return Evidence.objects.count(), PipelineReport.objects.count(), PipelineToken.objects.count()


def wrong_with(world: World, token: str, said: str) -> list[str]:
    """What is wrong with the answer to a token that must be refused with these words."""
    before = rows()
    answer = issuers.filed(Client(), world.initiative.ref, token)
    words = answer.json().get("error", "")
    sound = {
        "accepted": answer.status_code in (401, 403),
        "not said why": said in words,
        "no sentence": bool(re.fullmatch(r"[A-Z].*\.", words)) and len(words) < 600,
        "names another initiative": "secret-env" not in words and "Hidden" not in words,
        "filed": rows() == before,
    }
    return [f"{fault}: {answer.status_code} {words}" for fault, right in sound.items() if not right]


def test_a_hostile_token_files_nothing_and_is_refused_in_a_sentence(world):
    wrong = []
    for name, (make, said) in HOSTILE.items():
        with undone():
            wrong += [f"{name}: {fault}" for fault in wrong_with(world, make(world), said)]
    assert not wrong, "\n".join(wrong)


def test_the_right_token_is_accepted_beside_them(world):
    for platform in issuers.ISSUERS:
        assert issuers.filed(Client(), world.initiative.ref, world.token(platform)).status_code == 201


def test_a_forged_token_has_one_answer_and_makes_the_server_fetch_nothing(world, monkeypatch):
    """With this pipeline, another one or none the answer is the same. Keys are fetched for no foreign repository."""
    cache.clear()
    published = issuers.Published(monkeypatch)
    foreign = signed(world.claims(repository_id="1"), key=STRANGER)
    forged = signed(world.claims(), key=STRANGER)
    answers = {}
    for token in (foreign, forged):
        for ref in (world.initiative.ref, world.other.ref, "AI-9999"):
            answer = issuers.filed(Client(), ref, token)
            answers[answer.status_code, re.sub("“.*?”", "", answer.json()["error"], count=1)] = ref
        if token == foreign:
            assert not published.asked
    assert len(answers) == 1


def test_a_right_token_says_nothing_about_another_initiative(world):
    """The answer for an initiative with another pipeline is that for one that does not exist."""
    answers = [
        issuers.filed(Client(), ref, world.token()) for ref in (world.other.ref, "AI-9999", "AI-1 OR 1")
    ]
    words = [re.sub("“.*?”", "", answer.json()["error"], count=1) for answer in answers]
    assert {answer.status_code for answer in answers} == {403}
    assert len(set(words)) == 1


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Token x", "bearer x.y.z"])
def test_a_request_without_a_token_is_refused(world, header):
    answer = Client().generic(
        "POST",
        issuers.address_of(world.initiative.ref),
        issuers.JUNIT,
        "application/xml",
        HTTP_AUTHORIZATION=header,
    )
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
