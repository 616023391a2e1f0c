"""The frame of the read API: tokens, days of the past, checkpoints, ETags, errors, and the OpenAPI document.

An endpoint is a function that returns plain values by the permissions of the pages. `endpoint` gives it everything
else. django-ninja reads its parameters and writes the document. No endpoint takes another method than GET.
"""

import base64
import hashlib
import inspect
import json
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import wraps
from typing import Any, Generic, TypeVar, get_args

import structlog
from django.conf import settings
from django.db import DatabaseError, IntegrityError
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import translation
from django.utils.cache import patch_vary_headers
from ninja import NinjaAPI, Schema
from ninja.errors import ValidationError
from ninja.security import HttpBearer
from pydantic import Field

from adoption.read_api.cursors import Paging
from governance import clock
from governance.authorization import service_keys
from governance.database import replica
from governance.database.request_memo import one_look
from governance.database.row_history import acting
from governance.models import ApiToken, ApiTokenUse, Checkpoint
from governance.permission_result import Refused
from governance.sign_in import throttling
from governance.sign_in.rate_limits import Rate
from governance.transparency_log import as_of
from governance.vocabulary import strict_json
from governance.web.machine_api import Answered, Api, json_response
from governance.web.middleware import read_of
from governance.web.pages.as_of_views import CannotBeShown, Day

log = structlog.get_logger("plumbline.read_api")

ROOT = "api/v1"
RATE = 50  # requests a second of one token, in each process
MOST = 200  # rows of one page
SYSTEM = "read API"
TODAY_ONLY = "This address is available only for today. Send the request without as_of."
SEND_A_TOKEN = (
    "Send a token in the header “Authorization: Bearer plt_…”. People make tokens under Your account."
)
STATUSES = {
    200: "The answer",
    304: "The answer is still the one with this ETag",
    400: "A parameter, a day or a cursor is wrong",
    401: "The token is missing, wrong, expired or ended",
    403: "The owner of the token, or its scope, does not allow this",
    404: "The address or the row does not exist, or the owner of the token cannot see it",
    405: "The address is only read",
    429: "Too many requests, or too many wrong tokens. Retry-After has the seconds",
    503: "The database is away, or took too long. Retry-After has the seconds",
}
Data = TypeVar("Data")

rate = Rate()


# --- Shapes ----------------------------------------------------------------------------------------------------------


class Problem(Schema):
    """Why a request was not answered."""

    error: str = Field(description="One or two sentences: what happened, and what to do")


class CheckpointOut(Schema):
    """The signed head of the audit log that the answer is under."""

    size: int = Field(description="Number of entries that are sealed")
    root: str = Field(description="Root hash of the tree, in Base64 as in the signed note")
    at: Any = Field(
        description="Time of the checkpoint, ISO 8601",
        json_schema_extra={"type": "string", "format": "date-time"},
    )


class Under(Schema):
    """The day of an answer, and the checkpoint that it is under."""

    as_of: str | None = Field(description="The day or moment that was asked for, or null for now")
    checkpoint: CheckpointOut | None = Field(
        description="The newest checkpoint, or that of the day. Changes since may be in an answer of now"
    )


class One(Under, Generic[Data]):
    """One thing."""

    data: Data


class Page(Under, Generic[Data]):
    """A part of a list."""

    data: list[Data]
    next: str | None = Field(description="The cursor of the next page, or null on the last")


class Query(Schema):
    """Parameters of every address."""

    as_of: str = Field(
        "",
        description="A day (2026-10-15, its end) or a moment (2026-10-15T14:00) in the time zone of Plumbline",
        max_length=40,
    )


class PageQuery(Query):
    """Parameters of every list."""

    cursor: str = Field("", description="The value of `next` of the page before", max_length=2000)
    limit: int = Field(50, description="Rows of a page", ge=1, le=MOST)


# --- Who asks --------------------------------------------------------------------------------------------------------


class Token(HttpBearer):
    """The token of a request. Its owner is the person who reads."""

    openapi_description = "A personal or service token, plt_…"

    def __call__(self, request: HttpRequest) -> ApiToken:
        """Return the token behind a request. Raises Answered: 401, 429."""
        return self.authenticate(request, request.META.get("HTTP_AUTHORIZATION", ""))

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken:
        """Return the token in this header, if it opens now, and note its use. Raises Answered: 401, 429."""
        sent = service_keys.read(token, service_keys.API_PREFIX)
        used = ApiTokenUse.objects.filter(token=OuterRef("pk"), day=clock.today())
        rows = ApiToken.objects.select_related("owner__unit").annotate(used=Exists(used))
        found = rows.filter(public=sent.public).first() if sent else None
        if sent is None or found is None or not sent.opens(found.secret_hash):
            if wait := throttling.wrong_key(request, sent.public if sent else ""):
                raise Answered(
                    429, "This address sent too many wrong tokens. Try again later.", Retry_After=str(wait)
                )
            raise _no_token(SEND_A_TOKEN)
        if found.ended_at is not None:
            raise _no_token(
                f"This token was ended: {found.ended_reason}. Make a new token under Your account."
            )
        if not found.good_at(clock.now()):
            raise _no_token("This token has expired. Make a new token under Your account.")
        if not found.owner.is_active:
            raise _no_token("The account of the owner of this token is not active. Ask an admin.")
        if wait := rate.wait(found.pk, RATE):
            raise Answered(429, "This token sends too many requests. Try again later.", Retry_After=str(wait))
        if not found.used:
            _note_use(found)
        request.user = found.owner
        return found


def _no_token(words: str) -> Answered:
    return Answered(401, words, WWW_Authenticate='Bearer realm="plumbline"')


def _note_use(token: ApiToken) -> None:
    """Keep that the token was used today, once however often it is used."""
    now = clock.now()
    try:
        with acting(system=SYSTEM):
            ApiTokenUse(token=token, day=clock.local_day(now), at=now).save()
    except IntegrityError:  # another request was first
        return


# --- Errors ----------------------------------------------------------------------------------------------------------


def error(request: HttpRequest, answered: Answered) -> HttpResponse:
    """Return an error in the one form of this API."""
    return json_response({"error": answered.words}, answered.status)


def _known(trouble: Exception) -> Answered | None:
    if isinstance(trouble, ValidationError):
        wrong = trouble.errors[0]
        named = wrong["loc"][-1] if wrong.get("loc") else "parameter"
        return Answered(400, f"The parameter “{named}” is wrong. {str(wrong.get('msg', '')).rstrip('.')}.")
    if isinstance(trouble, CannotBeShown):
        return Answered(400, str(trouble))
    if isinstance(trouble, Http404):
        return Answered(404, str(trouble) or "The address does not exist, or you cannot see it.")
    if isinstance(trouble, Refused):
        return Answered(403, str(trouble.answer))
    return None


read_api = Api(error, _known, retry_after=5)
nothing = read_api.nothing


# --- Endpoints -------------------------------------------------------------------------------------------------------


class ReadApi(NinjaAPI):
    """django-ninja with our errors, and an ETag on every answer."""

    def set_default_exception_handlers(self) -> None:
        """Leave every exception to `machine_api.Api`, which knows them all."""

    def create_response(self, request, data, *, status=None, temporal_response=None) -> HttpResponse:
        """Return the answer with its ETag, or 304 if the caller has it already.

        The checkpoint is left out of the ETag: it moves every few seconds, and the answer does not.
        """
        response = super().create_response(request, data, status=status, temporal_response=temporal_response)
        same = json.dumps({name: one for name, one in data.items() if name != "checkpoint"}, default=str)
        etag = f'W/"{hashlib.sha256(same.encode()).hexdigest()[:32]}"'
        if _has(request, etag):
            response = HttpResponse(status=304)
        response["ETag"] = etag
        response["Cache-Control"] = "private, no-cache"
        patch_vary_headers(response, ["Authorization"])
        return response


def _has(request: HttpRequest, etag: str) -> bool:
    """Return True if If-None-Match names the answer, weakly compared (RFC 9110, 13.1.2)."""
    sent = [one.strip().removeprefix("W/") for one in request.META.get("HTTP_IF_NONE_MATCH", "").split(",")]
    return "*" in sent or etag.removeprefix("W/") in sent


api = ReadApi(
    title="Plumbline read API",
    version="1",
    description="The pages of a person as JSON. Every address is only read.",
    openapi_url=None,
    docs_url=None,
    urls_namespace="read-api",
    auth=Token(),
)


def endpoint(
    address: str,
    *,
    scope: str,
    answer: Any,
    on_day: Callable[..., as_of.Opened] | None = None,
) -> Callable[[Callable[..., dict]], Callable[..., dict]]:
    """Add a function to the API. Its first line is the summary of the address.

    `on_day` returns what today's rights open to someone who looks back, as for `middleware.on_any_day`. Without it the
    address has no days but today. The function returns `data`, and `next` if it is a list.
    """

    def add(function: Callable[..., dict]) -> Callable[..., dict]:
        allowed = get_args(inspect.signature(function).parameters["query"].annotation)[0].model_fields
        name = function.__name__

        @wraps(function)
        def run(request: Any, **named: Any) -> dict:
            if not request.auth.allows(scope):
                raise Answered(403, f"This token does not have the scope {scope}. Make a token that has it.")
            _only(request, allowed)
            place = {key: one for key, one in named.items() if key != "query"}
            return _answered(request, name, on_day, place, lambda: function(request, **named))

        responses = {200: answer, 304: None} | {
            status: Problem for status in STATUSES if status not in (200, 304)
        }
        api.get(
            address,
            response=responses,
            operation_id=name,
            url_name=f"api-{name.replace('_', '-')}",
            summary=(function.__doc__ or "").strip().splitlines()[0].rstrip("."),
            openapi_extra={"x-scope": scope, "x-days": on_day is not None},
        )(run)
        return function

    return add


def _only(request: HttpRequest, allowed: Iterable[str]) -> None:
    """Raise Answered for a parameter that the address does not have, and for text that no one sees."""
    if found := strict_json.hidden_text(request.GET.dict()):
        raise Answered(400, f"{found[0] or 'A parameter'}: {found[1]}")
    if unknown := sorted(set(request.GET) - set(allowed)):
        names = ", ".join(sorted(allowed))
        raise Answered(400, f"The parameter “{unknown[0][:40]}” does not exist here. Use these: {names}.")


def _answered(request: HttpRequest, name: str, on_day, place: dict, read: Callable[[], dict]) -> dict:
    """Return the answer of now or of the day asked for, from the replica if there is one."""
    asked, person = request.GET.get("as_of"), request.user
    day, opened = None, None
    if asked:
        if on_day is None:
            raise CannotBeShown(TODAY_ONLY)
        opened = on_day(person, **place)
        day = Day.read(asked).can_be_shown(as_of.known_until())
        read_of(person, opened.initiative, page=f"api-{name}", as_of=day.asked)

    def answer() -> dict:
        with one_look(), as_of.day(day.moment, opened=opened) if day else nullcontext():
            found = read()
        under = Checkpoint.objects.order_by("-pk")
        if day:
            under = under.filter(at__lte=day.moment)
        return found | {"as_of": day.asked if day else None, "checkpoint": _checkpoint(under.first())}

    return _from_replica(answer)


def _from_replica(answer: Callable[[], dict]) -> dict:
    """Return the answer from the replica. The primary answers where it lags, refuses, finds nothing or fails."""
    found = replica.watch.latest() if replica.set_up() else None
    if found is not None and found.has(0):
        try:
            with replica.reading(found):
                return answer()
        except (DatabaseError, Http404, Refused, Answered) as trouble:
            log.info("the primary answers in place of the replica", trouble=str(trouble).strip())
    return answer()


def _checkpoint(row: Checkpoint | None) -> dict | None:
    return (
        {"size": row.size, "root": base64.b64encode(bytes(row.root)).decode(), "at": row.at} if row else None
    )


def paging_of(request: HttpRequest, query: PageQuery) -> Paging:
    """Return the page that the request asks for. Its filters and its day are a part of the question."""
    filters = sorted((key, one) for key, one in request.GET.items() if key not in ("cursor", "limit"))
    return Paging(f"{request.path_info} {json.dumps(filters)}", query.cursor, query.limit)


def whole(form: Any) -> Any:
    """Return a form of filters whose values are all right. Raises Answered (400) with the first error."""
    if not form.is_valid():
        name, words = next(iter(form.errors.items()))
        raise Answered(400, f"The parameter “{name}” is wrong. {words[0]}")
    return form


def page_at(address: str) -> str:
    """Return the whole address of a page of Plumbline."""
    return f"{settings.ADDRESS}{address}"


# --- Addresses -------------------------------------------------------------------------------------------------------


@read_api.view("GET", "HEAD")
def openapi(request: HttpRequest) -> dict:
    """Return the OpenAPI document. It has no secret, so no token is asked for."""
    return document()


def document() -> dict:
    """Return the OpenAPI 3.1 document of this API, with each response described."""
    found = api.get_openapi_schema(path_prefix=f"{ROOT}/")
    found["servers"] = [{"url": settings.ADDRESS}]
    for methods in found["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                response["description"] = STATUSES[status]
                if status in (429, 503):
                    response["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
                elif status in (200, 304):
                    response["headers"] = {"ETag": {"schema": {"type": "string"}}}
    return json.loads(json.dumps(found, default=str))


def addresses() -> list[URLPattern]:
    """Return the addresses of all endpoints, each for machines and with our errors."""
    return [
        path(f"{ROOT}/{one.pattern}", _for_machines(one.callback), name=one.name)
        for one in api._get_urls()
        if isinstance(one, URLPattern) and one.name and one.name != "api-root"
    ]


def _for_machines(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @read_api.view("GET", "HEAD")
    def answer(request: HttpRequest, **named: Any) -> HttpResponse:
        request.method = "GET"  # of which HEAD sends the headers alone
        with translation.override("en"):
            return view(request, **named)

    return answer
