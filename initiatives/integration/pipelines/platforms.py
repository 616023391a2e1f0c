"""The platforms of pipelines: what each signs, and what a pipeline is bound to. Pure.

A binding is a mapping from the names of `Field` to texts. Each platform judges the claims of a token against it. The
claims are those that the platforms document: the OpenID Connect reference of GitHub Actions, ID tokens of GitLab CI,
access tokens of Microsoft Entra, and the private claims of Kubernetes service accounts.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext_noop as _  # looked up when shown

from governance.vocabulary import PipelinePlatform

LONGEST = 200  # characters of one bound value
AGE = 300  # seconds since a token was issued
# Entra dates tokens five minutes back, so that clocks that are slow accept them at once.
AGE_OF_ENTRA = 600
OWN_RUNNERS, YES = "own_runners", "yes"
# What only people with write access to the repository start. A pull request runs code that others wrote.
GITHUB_EVENTS = ("push", "schedule", "workflow_dispatch", "repository_dispatch", "release", "deployment")
GITLAB_SOURCES = ("push", "schedule", "web", "api", "trigger")
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Unbound(Exception):
    """A token of the right issuer does not fit the binding. The message names the claim and the fix."""


@dataclass(frozen=True)
class Field:
    """A field of a binding: its words, an example, its check. `asked` is False if it may stay empty."""

    name: str
    label: str
    example: str
    help: str = ""
    asked: bool = True
    pattern: str = r"[^\s].*"


@dataclass(frozen=True)
class Platform:
    """A platform: issuer, fields, the claim that identifies the repository, and the judgement of claims.

    `mine` returns True if a token is of the repository or account of the binding, so that its author may read why the
    rest does not fit. `commit` and `run` are the claims that name them.
    """

    issuer: str
    fields: tuple[Field, ...]
    mine: Callable[[Mapping[str, Any], Mapping[str, str]], bool]
    judge: Callable[[Mapping[str, Any], Mapping[str, str], str], None]
    issuer_help: str = ""
    age: int = AGE
    token_id: str = "jti"
    commit: str = ""
    run: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()  # further claims that are kept with a report
    shared_rule: str = ""  # what an empty field means
    either: tuple[str, ...] = field(default=())  # of these fields at least one is filled in


def _is(claims: Mapping[str, Any], name: str, wanted: str, what: str, fix: str) -> None:
    """Raise Unbound unless a claim is exactly this text."""
    said = claims.get(name)
    if isinstance(said, str) and said == wanted:
        return
    found = f"“{shown(said)}”" if isinstance(said, str) else "missing" if said is None else "not a text"
    raise Unbound(
        f"The {what} of the token ({name}) is {found}, but this pipeline is declared for “{wanted}”. {fix}"
    )


def shown(said: Any) -> str:
    """Return a claim in one short printable line."""
    return "".join(letter for letter in str(said)[:120] if letter.isprintable())


# --- GitHub ----------------------------------------------------------------------------------------------------------


def _github(claims: Mapping[str, Any], bound: Mapping[str, str], issuer: str) -> None:
    again = "If the repository was renamed or moved, declare the pipeline again."
    _is(claims, "repository_id", bound["repository_id"], "repository id", again)
    _is(claims, "repository_owner_id", bound["owner_id"], "owner id", again)
    _is(claims, "repository", bound["repository"], "repository", again)
    event = claims.get("event_name")
    if event not in GITHUB_EVENTS:
        raise Unbound(
            f"The run was started by “{shown(event)}”, which can run code of a fork. "
            f"Start the workflow by {' or '.join(GITHUB_EVENTS[:3])}."
        )
    for name in ("workflow_ref", "job_workflow_ref"):
        path, _at, ref = str(claims.get(name)).rpartition("@")
        if path != f"{bound['repository']}/{bound['workflow']}":
            raise Unbound(
                f"The workflow of the token ({name}) is “{shown(path)}”, but this pipeline is declared for "
                f"“{bound['repository']}/{bound['workflow']}”. File the result from that workflow file itself, not "
                "from a reusable workflow."
            )
        if bound.get("branch") and ref != f"refs/heads/{bound['branch']}":
            raise Unbound(
                f"The workflow file is of “{shown(ref)}”, but this pipeline is declared for branch "
                f"“{bound['branch']}”. Run the workflow on that branch."
            )
    if bound.get("branch"):
        fix = f"Run the workflow on branch “{bound['branch']}”."
        _is(claims, "ref", f"refs/heads/{bound['branch']}", "branch", fix)
    if bound.get("environment"):
        fix = f"Add “environment: {bound['environment']}” to the job."
        _is(claims, "environment", bound["environment"], "environment", fix)
    _runner(claims, bound, "github-hosted")


def _runner(claims: Mapping[str, Any], bound: Mapping[str, str], hosted: str) -> None:
    allowed = (hosted, "self-hosted") if bound.get(OWN_RUNNERS) == YES else (hosted,)
    if (said := claims.get("runner_environment")) not in allowed:
        raise Unbound(
            f"The job ran on a runner of the kind “{shown(said)}”. Run the job on a {hosted} runner, or declare a "
            "pipeline that allows your own runners."
        )


# --- GitLab ----------------------------------------------------------------------------------------------------------


def _gitlab(claims: Mapping[str, Any], bound: Mapping[str, str], issuer: str) -> None:
    again = "If the project was renamed or moved, declare the pipeline again."
    _is(claims, "project_id", bound["project_id"], "project id", again)
    _is(claims, "project_path", bound["project"], "project", again)
    source = claims.get("pipeline_source")
    if source not in GITLAB_SOURCES:
        raise Unbound(
            f"The pipeline was started by “{shown(source)}”, which can run code of a fork. "
            f"Start the pipeline by {' or '.join(GITLAB_SOURCES[:3])}."
        )
    path, _at, ref = str(claims.get("ci_config_ref_uri")).rpartition("@")
    wanted = f"{urlsplit(issuer).netloc}/{bound['project']}//{bound['workflow']}"
    if path != wanted:
        raise Unbound(
            f"The configuration of the token (ci_config_ref_uri) is “{shown(path)}”, but this pipeline is declared "
            f"for “{wanted}”. File the result from that file."
        )
    if claims.get("ref_protected") != "true":
        raise Unbound(
            "The branch is not protected. Protect the branch in GitLab, then run the pipeline again."
        )
    if bound.get("branch"):
        fix = f"Run the pipeline on branch “{bound['branch']}”."
        _is(claims, "ref_type", "branch", "kind of ref", fix)
        _is(claims, "ref", bound["branch"], "branch", fix)
        if ref != f"refs/heads/{bound['branch']}":
            raise Unbound(f"The configuration is of “{shown(ref)}”. {fix}")
    if bound.get("environment"):
        fix = f"Add “environment: {bound['environment']}” to the job."
        _is(claims, "environment", bound["environment"], "environment", fix)
    _runner(claims, bound, "gitlab-hosted")


# --- Azure Pipelines, through Entra ----------------------------------------------------------------------------------


def _azure(claims: Mapping[str, Any], bound: Mapping[str, str], issuer: str) -> None:
    again = "Use the service connection that is declared, or declare the pipeline again."
    _is(claims, "sub", bound["subject"], "subject", again)
    _is(
        claims,
        "tid",
        tenant_of(issuer),
        "tenant",
        "Use a service connection of this tenant.",
    )
    if bound.get("client_id"):
        _is(claims, "azp", bound["client_id"], "client id", again)
    if "scp" in claims:
        raise Unbound(
            "The token is of a person, not of a service connection. Ask for it inside an AzureCLI@2 task."
        )


def tenant_of(issuer: str) -> str:
    """Return the tenant in an issuer of Entra, the first part of its path, or "" without one."""
    return urlsplit(issuer).path.lstrip("/").split("/")[0]


# --- Kubernetes and others -------------------------------------------------------------------------------------------


def _account_of(claims: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return namespace, name and uid of the service account, as Kubernetes nests them."""
    own = claims.get("kubernetes.io")
    own = own if isinstance(own, dict) else {}
    account = own.get("serviceaccount")
    account = account if isinstance(account, dict) else {}
    return {"namespace": own.get("namespace"), "name": account.get("name"), "uid": account.get("uid")}


def _kubernetes(claims: Mapping[str, Any], bound: Mapping[str, str], issuer: str) -> None:
    account, fix = _account_of(claims), "Run the job under the service account that is declared."
    _is(
        account,
        "uid",
        bound["uid"],
        "uid of the service account",
        f"{fix} A new account of the same name has another uid.",
    )
    _is(account, "namespace", bound["namespace"], "namespace", fix)
    _is(account, "name", bound["account"], "service account", fix)
    _is(claims, "sub", f"system:serviceaccount:{bound['namespace']}:{bound['account']}", "subject", fix)


def _other(claims: Mapping[str, Any], bound: Mapping[str, str], issuer: str) -> None:
    _is(claims, "sub", bound["subject"], "subject", "Use the identity that is declared.")


BRANCH_OR_ENVIRONMENT = _(
    "Enter a branch, an environment or both. For tests on main, enter main and leave the environment empty. If the "
    "branch is empty, every branch that the environment admits can file."
)
_REPOSITORY = r"[\w.-]+(/[\w.-]+)+"
# Letters that a workflow can hold without quotes.
_BRANCH = Field("branch", _("Branch"), "main", asked=False, pattern=r"\w[\w./@+=#-]*")
_ENVIRONMENT = Field("environment", _("Environment"), "production", asked=False, pattern=r"\w[\w ./-]*")
_RUNNERS = Field(
    OWN_RUNNERS,
    _("Own runners"),
    "",
    _("Only if the job runs on your own machines. Anyone who controls the machine can change a result."),
    asked=False,
    pattern=YES,
)

PLATFORMS: dict[str, Platform] = {
    PipelinePlatform.GITHUB: Platform(
        "https://token.actions.githubusercontent.com",
        (
            Field("repository", _("Repository"), "acme/claims", pattern=r"[\w.-]+/[\w.-]+"),
            Field(
                "repository_id",
                _("Repository id"),
                "123456789",
                _("The command “gh api repos/OWNER/NAME --jq .id” shows it."),
                pattern=r"\d{1,20}",
            ),
            Field(
                "owner_id",
                _("Owner id"),
                "9876543",
                _("The command “gh api repos/OWNER/NAME --jq .owner.id” shows it."),
                pattern=r"\d{1,20}",
            ),
            Field(
                "workflow",
                _("Workflow file"),
                ".github/workflows/plumbline.yml",
                pattern=r"\.github/workflows/[^/\s@]+\.ya?ml",
            ),
            _BRANCH,
            _ENVIRONMENT,
            _RUNNERS,
        ),
        lambda claims, bound: claims.get("repository_id") == bound["repository_id"],
        _github,
        commit="sha",
        run=("run_id", "run_attempt"),
        kept=("actor", "workflow_ref", "ref", "environment", "event_name", "runner_environment"),
        shared_rule=BRANCH_OR_ENVIRONMENT,
        either=("branch", "environment"),
    ),
    PipelinePlatform.GITLAB: Platform(
        "https://gitlab.com",
        (
            Field("project", _("Project"), "acme/claims", pattern=_REPOSITORY),
            Field(
                "project_id",
                _("Project id"),
                "46573356",
                _("GitLab shows it under Settings, General."),
                pattern=r"\d{1,20}",
            ),
            Field("workflow", _("Configuration file"), ".gitlab-ci.yml", pattern=r"[\w./-]+\.ya?ml"),
            _BRANCH,
            _ENVIRONMENT,
            _RUNNERS,
        ),
        lambda claims, bound: claims.get("project_id") == bound["project_id"],
        _gitlab,
        issuer_help=_("The address of your GitLab, without a slash at the end."),
        commit="sha",
        run=("pipeline_id", "job_id"),
        kept=(
            "user_login",
            "ci_config_ref_uri",
            "ref",
            "environment",
            "pipeline_source",
            "runner_environment",
        ),
        shared_rule=BRANCH_OR_ENVIRONMENT,
        either=("branch", "environment"),
    ),
    PipelinePlatform.AZURE: Platform(
        "",
        (
            Field(
                "subject",
                _("Subject of the service connection"),
                "5f1d0a52-6c1e-4c55-9a70-2f0f6a0c9d11",
                _("The command “az ad sp show --id CLIENT_ID --query id” shows it."),
            ),
            Field(
                "client_id",
                _("Client id of the service connection"),
                "0b6a3f8e-31f0-4f6e-9c51-7d8f2a4b1c22",
                _(
                    "The page of the service connection shows the id. Empty means that only the subject counts."
                ),
                asked=False,
                pattern=GUID.pattern,
            ),
            Field(
                "audience",
                _("Application id of Plumbline in Entra"),
                "7c1e6d0a-52b4-4f7b-8a3e-1d9c0e5f6a33",
                _(
                    "Entra writes this id into tokens of version 2.0 as their audience. If it is empty, the audience "
                    "is the address of Plumbline."
                ),
                asked=False,
                pattern=GUID.pattern,
            ),
        ),
        lambda claims, bound: claims.get("sub") == bound["subject"],
        _azure,
        issuer_help="https://login.microsoftonline.com/TENANT-ID/v2.0",
        age=AGE_OF_ENTRA,
        token_id="uti",
        kept=("azp", "tid"),
        shared_rule=_(
            "Tokens of Entra name the service connection only, not repository, branch or environment. In Azure "
            "DevOps, allow the connection for one pipeline, and add a branch control check to it."
        ),
    ),
    PipelinePlatform.KUBERNETES: Platform(
        "",
        (
            Field("namespace", _("Namespace"), "claims", pattern=r"[a-z0-9-]{1,63}"),
            Field("account", _("Service account"), "evidence", pattern=r"[a-z0-9.-]{1,200}"),
            Field(
                "uid",
                _("Uid of the service account"),
                "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798",
                _(
                    "The command “kubectl get serviceaccount NAME -n NAMESPACE -o jsonpath={.metadata.uid}” shows it."
                ),
                pattern=r"[0-9a-f-]{36}",
            ),
        ),
        lambda claims, bound: _account_of(claims)["uid"] == bound["uid"],
        _kubernetes,
        issuer_help=_("The command “kubectl get --raw /.well-known/openid-configuration” shows it."),
        shared_rule=_(
            "Everyone who may create pods under this service account can file. Keep an account for this job alone."
        ),
    ),
    PipelinePlatform.OTHER: Platform(
        "",
        (Field("subject", _("Subject of the token (sub)"), "project:claims:branch:main"),),
        lambda claims, bound: claims.get("sub") == bound["subject"],
        _other,
        issuer_help=_("The value of iss in its tokens."),
        shared_rule=_("Plumbline compares the whole subject. Set the platform to name branch and job in it."),
    ),
}


def wrong_with(platform: str, given: Mapping[str, Any]) -> dict[str, str]:
    """Return the errors of a binding by field, each with the way to fix it."""
    rules, wrong = PLATFORMS[platform], {}
    for one in rules.fields:
        said = str(given.get(one.name) or "").strip()
        if not said and one.asked:
            wrong[one.name] = f"Enter the {one.label[0].lower()}{one.label[1:]}, for example {one.example}."
        elif len(said) > LONGEST:
            wrong[one.name] = f"Use at most {LONGEST} characters."
        elif said and not (re.fullmatch(one.pattern, said) and said.isprintable()):
            wrong[one.name] = f"Enter one exact value, for example {one.example}. Patterns are not accepted."
    if rules.either and not wrong and not any(str(given.get(name) or "").strip() for name in rules.either):
        wrong[rules.either[0]] = (
            "Enter a branch or an environment. Without both, every branch could file evidence."
        )
    return wrong


def wrong_issuer(platform: str, issuer: str) -> str:
    """Return why an issuer is not one of its platform, with the fix, or ""."""
    if platform == PipelinePlatform.AZURE and not tenant_of(issuer):
        return "The issuer names no tenant. Use https://login.microsoftonline.com/TENANT-ID/v2.0."
    return ""


def bound_of(platform: str, given: Mapping[str, Any]) -> dict[str, str]:
    """Return the binding to store: the filled fields of the platform."""
    names = [one.name for one in PLATFORMS[platform].fields]
    return {name: said for name in names if (said := str(given.get(name) or "").strip())}


def in_words(platform: str, bound: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the fields of a binding with their values, as a page shows them."""
    return [(one.label, bound[one.name]) for one in PLATFORMS[platform].fields if one.name in bound]
