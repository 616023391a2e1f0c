"""The API by which a pipeline files a result, with the token that its platform signs for the job.

A request names initiative, requirements and format in its address, and its body is the report itself. The token
counts once. No refusal tells a sender about pipelines of other repositories.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from governance import clock
from governance.permission_result import Refused
from governance.sign_in import throttling
from governance.sign_in.rate_limits import Rate
from governance.vocabulary import EvidenceKind
from governance.vocabulary.readable_text import refusal
from governance.web.machine_api import JSON, Answered, Api, body_of, json_response
from initiatives.integration.pipelines import actions, issuer_keys, job_tokens, platforms, reports
from initiatives.lifecycle.access import initiative_lookup
from initiatives.models import Initiative, Pipeline

TYPES = (
    JSON,
    "application/xml",
    "text/xml",
    "application/vnd.cyclonedx+json",
    "application/vnd.in-toto+json",
)
REQUESTS_A_SECOND = 50  # from one address, in one process
FIELDS = (
    "initiative",
    "requirement",
    "format",
    "commit",
    "run",
    "artefact",
)
MOST_REQUIREMENTS = 20
LONGEST = 300  # characters of one field
DECLARE = (
    "Plumbline does not know the subject of the test. Declare on the page “Pipelines” what this pipeline must show for "
    "the requirement."
)
BEARER = "Bearer "

rate = Rate()


def error(request: HttpRequest, answered: Answered) -> HttpResponse:
    """Return an error as JSON with its sentence."""
    return json_response({"error": answered.words}, answered.status)


pipeline_api = Api(error)
nothing = pipeline_api.nothing


@pipeline_api.view("POST")
def results(request: HttpRequest) -> HttpResponse:
    """File the report in the body as evidence. The answer is 201 with the address of the item."""
    if wait := rate.wait(hash(throttling.address_of(request)), REQUESTS_A_SECOND):
        raise Answered(429, "This address sends too many requests.", Retry_After=str(wait))
    raw = _token_of(request)
    fields = _fields(request)
    pipeline, token = authenticated(raw, fields["initiative"])
    filing = _filing(fields)
    try:
        report = reports.read(filing.form, body_of(request, *TYPES))
        row = actions.file_result(
            pipeline=pipeline, token=token, report=report, filing=filing, body=request.body
        )
    except reports.Unreadable as wrong:
        raise Answered(400, str(wrong)) from None
    except ValidationError as wrong:
        raise Answered(400, _listed(wrong)) from None
    except actions.UsedToken as used:
        raise _no_token(str(used)) from None
    except Refused as refused:
        raise Answered(403, str(refused)) from None
    return json_response(
        {
            "evidence": row.evidence_id,
            "address": settings.ADDRESS
            + reverse("evidence-item", args=[fields["initiative"], row.evidence_id]),
            "result": row.evidence.result,
            "requirements": filing.covers,
        },
        201,
    )


# --- The token -------------------------------------------------------------------------------------------------------


def _token_of(request: HttpRequest) -> str:
    """Return the token of a request. Raises Answered with 401."""
    header = request.META.get("HTTP_AUTHORIZATION", "")
    raw: str = header.removeprefix(BEARER).strip()
    if not header.startswith(BEARER) or not raw:
        raise _no_token("Send the token of the platform in the header “Authorization: Bearer …”.")
    return raw


def authenticated(raw: str, ref: str) -> tuple[Pipeline, job_tokens.Read]:
    """Return the pipeline of this initiative that a token is of. Raises Answered: 401, 403 or 503.

    The token is not spent yet. Keys are fetched only for a token that names the repository of a pipeline, and a token
    that its issuer did not sign has the same answer whether the initiative has a pipeline or not.
    """
    why: Answered | None = None
    try:
        claims = job_tokens.claimed(raw)
        for one in _declared(ref, claims["iss"]):
            rules = platforms.PLATFORMS[one.platform]
            if not rules.mine(claims, one.bound):
                continue
            try:
                token = _read(raw, one)
                rules.judge(token.claims, one.bound, one.issuer)
            except job_tokens.Unsigned:
                continue
            except platforms.Unbound as unbound:
                why = why or Answered(403, str(unbound))
            except job_tokens.BadToken as wrong:
                why = why or _no_token(str(wrong))
            else:
                return one, token
    except job_tokens.BadToken as wrong:
        raise _no_token(str(wrong)) from None
    except issuer_keys.NoKeys as away:
        raise Answered(503, str(away), Retry_After=str(issuer_keys.PAUSE)) from None
    raise why or _unknown(ref)


def _declared(ref: str, issuer: str) -> list[Pipeline]:
    """Return the pipelines of an initiative at this issuer, the newest first."""
    initiative = initiative_lookup.with_ref(Initiative.objects.all(), ref)
    if initiative is None:
        return []
    return list(Pipeline.objects.current().filter(initiative=initiative, issuer=issuer).order_by("-pk"))


def _read(raw: str, pipeline: Pipeline) -> job_tokens.Read:
    """Return the token as read for a pipeline, with keys that are fetched again if its key is not known."""
    said: dict[str, Any] = {
        "platform": pipeline.platform,
        "issuer": pipeline.issuer,
        "audience": pipeline.bound.get("audience") or settings.ADDRESS,
        "now": clock.now().timestamp(),
    }
    if pipeline.keys:
        return job_tokens.read(raw, pipeline.keys, **said)
    try:
        return job_tokens.read(raw, issuer_keys.keys_of(pipeline.issuer), **said)
    except job_tokens.UnknownKey:
        return job_tokens.read(raw, issuer_keys.keys_of(pipeline.issuer, anew=True), **said)


def _unknown(ref: str) -> Answered:
    """Return one answer whether the initiative does not exist, has no pipeline like this, or the token is forged."""
    return Answered(
        403,
        f"No pipeline of “{platforms.shown(ref)}” is declared for the issuer and the repository of this token, or the "
        "signature of the token is not by a published key of its issuer, with an accepted algorithm. Send the token of "
        "the platform unchanged. Check the initiative in the address, or declare the pipeline on the page “Pipelines” "
        "of the initiative. A repository that was created again has another id.",
    )


def _no_token(words: str) -> Answered:
    return Answered(401, words, WWW_Authenticate='Bearer realm="plumbline", error="invalid_token"')


# --- The address -----------------------------------------------------------------------------------------------------


def _fields(request: HttpRequest) -> dict[str, str]:
    """Return the fields of the address, each given at most once. Raises Answered."""
    for name, values in request.GET.lists():
        if name not in FIELDS:
            raise Answered(
                400, f"The address has an unknown field {name[:40]!r}. Use only: {', '.join(FIELDS)}."
            )
        if len(values) > 1 or len(values[0]) > LONGEST or refusal(values[0]):
            raise Answered(
                400,
                f"Give the field {name} once, with at most {LONGEST} visible characters. Separate keys by commas.",
            )
    fields = {name: request.GET.get(name, "").strip() for name in FIELDS}
    if not fields["initiative"]:
        raise Answered(400, "The address names no initiative. Add initiative=AI-42 with your reference.")
    return fields


def _filing(fields: Mapping[str, str]) -> actions.Filing:
    covers = list(dict.fromkeys(key.strip() for key in fields["requirement"].split(",") if key.strip()))
    if not covers or len(covers) > MOST_REQUIREMENTS:
        raise Answered(
            400,
            f"The address names no requirement, or more than {MOST_REQUIREMENTS}. Add requirement=KEY, for example "
            "requirement=prod.q04_exceptions.",
        )
    if fields["format"] not in reports.READERS:
        raise Answered(400, f"The format is not known. Set format to one of: {', '.join(reports.READERS)}.")
    return actions.Filing(fields["format"], covers, fields["commit"], fields["run"], fields["artefact"])


def _listed(wrong: ValidationError) -> str:
    """Return the errors of the act as sentences, without the names of the fields of a form."""
    said = wrong.message_dict if hasattr(wrong, "error_dict") else {"": wrong.messages}
    named = {f"{EvidenceKind.TEST_REPORT}_tested": DECLARE}
    return " ".join(named.get(name, sentence) for name, words in said.items() for sentence in words)
