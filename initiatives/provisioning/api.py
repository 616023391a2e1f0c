"""SCIM 2.0 for directories: Users, Groups and discovery under /scim/v2/, with the key of a directory (RFC 7644).

Every answer is made by scim2-models from the schemas in `resources`; an error names what is wrong and how it is sent
right. What Entra ID and Okta send beside the standard is taken (`resources.POLICY`).
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, ValidationError
from django.db import Error as DatabaseError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from pydantic import ValidationError as Malformed
from scim2_models import (
    Context,
    Error,
    InvalidSyntaxException,
    ListResponse,
    PatchOp,
    Resource,
    ResourceType,
    ResponseParameters,
    Schema,
    SCIMException,
    ScimFilter,
    SearchRequest,
    ServiceProviderConfig,
    UniquenessException,
)

from governance import clock
from governance.authorization import service_keys
from governance.models import Directory, ManagedAccount, ManagedGroup
from governance.permission_result import Refused
from governance.sign_in import throttling
from governance.sign_in.rate_limits import Rate
from governance.web.middleware import for_machines
from initiatives.provisioning import actions, queries
from initiatives.provisioning.resources import (
    CONFIG,
    PROVIDER,
    ROOT,
    Account,
    Group,
    account_of,
    etag,
    group_of,
)

log = structlog.get_logger("plumbline.provisioning")

TYPE = "application/scim+json"
RATE = 200  # requests a second of one directory, in each process

READ_ONLY = ("id", "meta", "schemas", "groups")

rate = Rate()


class Stopped(Exception):
    """The request is answered with this status, sentence and headers."""

    def __init__(self, status: int, words: str, **headers: str):
        super().__init__(words)
        self.status, self.words = status, words
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def scim(**views: Callable) -> Callable:
    """A view for directories: by method, behind a key of a directory, with errors as RFC 7644 has them."""

    @for_machines
    def answer(request: HttpRequest, **named) -> HttpResponse:
        try:
            if request.method not in views:
                raise Stopped(405, f"Send {' or '.join(views)}.", Allow=", ".join(views))
            directory = _entered(request)
            with PROVIDER:
                return views[request.method](request, directory, **named)
        except Stopped as stopped:
            return _error(stopped.status, stopped.words, headers=stopped.headers)
        except SCIMException as wrong:
            return _error(wrong.status, wrong.detail, wrong.scim_type)
        except Malformed as wrong:
            found = Error.from_validation_errors(wrong)[0]
            return _error(found.status or 400, found.detail or "", found.scim_type or "")
        except ValidationError as wrong:
            return _error(400, " ".join(wrong.messages), "invalidValue")
        except Refused as refused:
            return _error(403, str(refused))
        except RequestDataTooBig:
            return _error(413, f"The request is longer than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes.")
        except UnreadablePostError:
            return _error(400, "The request ended before it was whole: send it again.", "invalidSyntax")
        except IntegrityError:
            taken = UniquenessException(detail="Another request took that name meanwhile.")
            return _error(taken.status, taken.detail, taken.scim_type)
        except DatabaseError:
            log.exception("a directory could not be answered")
            return _error(
                503, "Plumbline cannot reach its database: send it again.", headers={"Retry-After": "5"}
            )

    return answer


def _entered(request: HttpRequest) -> Directory:
    """The directory behind the key. Raises Stopped: 401, 429."""
    token = service_keys.read(request.META.get("HTTP_AUTHORIZATION", ""))
    found = Directory.objects.filter(public=token.public).first() if token else None
    if token is None or found is None or not token.opens(found.secret_hash) or not found.good_at(clock.now()):
        if wait := throttling.wrong_key(request, token.public if token else ""):
            raise Stopped(429, "Too many wrong keys came from this address.", Retry_After=str(wait))
        raise Stopped(
            401,
            "Send the key of the directory as Authorization: Bearer; an admin makes it.",
            WWW_Authenticate="Bearer",
        )
    if wait := rate.wait(found.pk, RATE):
        raise Stopped(429, "This directory asks too often.", Retry_After=str(wait))
    return found


def of(message: Any, model: Any) -> Any:
    """A message of SCIM about resources of a model, which is composed as it runs."""
    return message.__class_getitem__(model)


def base_of() -> str:
    """The address of SCIM here, as it stands in resources."""
    return urljoin(settings.ADDRESS, ROOT)


# --- Users ---------------------------------------------------------------------------------------------------------


def _list_users(request, directory):
    return _listed(request.GET.dict(), queries.accounts(directory), Account, account_of)


def _make_user(request, directory):
    said = _read(request, Account, Context.RESOURCE_CREATION_REQUEST)
    row = actions.make_account(directory=directory, said=said)
    return _whole(request, _account(directory, row.uid), Account, account_of, status=201)


def _get_user(request, directory, uid):
    return _whole(request, _account(directory, uid), Account, account_of)


def _put_user(request, directory, uid):
    row = _account(directory, uid)
    said = _read(request, Account, Context.RESOURCE_REPLACEMENT_REQUEST)
    said.replace(account_of(row, base_of()))
    actions.change_account(row=row, said=said, asked_of=request.META.get("HTTP_IF_MATCH", ""))
    return _whole(request, _account(directory, uid), Account, account_of)


def _patch_user(request, directory, uid):
    row = _account(directory, uid)
    said = account_of(row, base_of())
    if _patched(request, said, of(PatchOp, Account)):
        asked = request.META.get("HTTP_IF_MATCH", "") or etag(row.version)
        actions.change_account(row=row, said=said, asked_of=asked)
    return _whole(request, _account(directory, uid), Account, account_of)


def _delete_user(request, directory, uid):
    actions.remove_account(row=_account(directory, uid), asked_of=request.META.get("HTTP_IF_MATCH", ""))
    return HttpResponse(status=204)


# --- Groups --------------------------------------------------------------------------------------------------------


def _list_groups(request, directory):
    members = "members" not in request.GET.get("excludedAttributes", "")
    return _listed(request.GET.dict(), queries.groups(directory, members=members), Group, group_of)


def _make_group(request, directory):
    said = _read(request, Group, Context.RESOURCE_CREATION_REQUEST)
    row = actions.make_group(directory=directory, said=said)
    return _whole(request, _group(directory, row.uid), Group, group_of, status=201)


def _get_group(request, directory, uid):
    return _whole(request, _group(directory, uid), Group, group_of)


def _put_group(request, directory, uid):
    row = _group(directory, uid)
    said = _read(request, Group, Context.RESOURCE_REPLACEMENT_REQUEST)
    said.replace(group_of(row, base_of()))
    actions.change_group(row=row, said=said, asked_of=request.META.get("HTTP_IF_MATCH", ""))
    return _whole(request, _group(directory, uid), Group, group_of)


def _patch_group(request, directory, uid):
    row = _group(directory, uid)
    said = group_of(row, base_of())
    if _patched(request, said, of(PatchOp, Group)):
        asked = request.META.get("HTTP_IF_MATCH", "") or etag(row.version)
        actions.change_group(row=row, said=said, asked_of=asked)
    return _whole(request, _group(directory, uid), Group, group_of)


def _delete_group(request, directory, uid):
    actions.remove_group(row=_group(directory, uid), asked_of=request.META.get("HTTP_IF_MATCH", ""))
    return HttpResponse(status=204)


# --- Discovery, and questions by POST ------------------------------------------------------------------------------


def _config(request, directory):
    return _response(_dumped(CONFIG, {"meta": _place("ServiceProviderConfig", "ServiceProviderConfig")}))


def _described(kind: str, rows: dict) -> Callable:
    def answer(request, directory, name=None):
        if "filter" in request.GET:
            raise Stopped(403, "What is declared here is not filtered.")
        said = {key: _dumped(row, {"meta": _place(kind, f"{kind}s/{key}")}) for key, row in rows.items()}
        if name is None:
            return _response(
                {
                    "schemas": [str(ListResponse.__schema__)],
                    "totalResults": len(said),
                    "startIndex": 1,
                    "itemsPerPage": len(said),
                    "Resources": list(said.values()),
                }
            )
        if name not in said:
            raise Stopped(404, f"Nothing is declared here as {name!r}.")
        return _response(said[name])

    return answer


def _place(kind: str, path: str) -> dict:
    return {"resourceType": kind, "location": urljoin(base_of(), path)}


def _search(model, rows_of, resource_of) -> Callable:
    def answer(request, directory):
        return _listed(_json(request), rows_of(directory), model, resource_of)

    return answer


def _search_all(request, directory):
    raise Stopped(501, "Search Users or Groups: there is no search over both.")


def _me(request, directory):
    raise Stopped(501, "A directory is no account: there is no /Me here.")


def _nothing(request, directory, rest):
    raise Stopped(404, f"There is nothing at {rest[:200]}: ask for Users or Groups and an id of theirs.")


users = scim(GET=_list_users, POST=_make_user)
user = scim(GET=_get_user, PUT=_put_user, PATCH=_patch_user, DELETE=_delete_user)
users_search = scim(POST=_search(Account, queries.accounts, account_of))
groups = scim(GET=_list_groups, POST=_make_group)
group = scim(GET=_get_group, PUT=_put_group, PATCH=_patch_group, DELETE=_delete_group)
groups_search = scim(POST=_search(Group, queries.groups, group_of))
service_provider_config = scim(GET=_config)
resource_types = scim(GET=_described("ResourceType", {one.name: one for one in PROVIDER.resource_types}))
schemas = scim(GET=_described("Schema", {str(one.id): one for one in PROVIDER.schemas}))
search_all = scim(POST=_search_all)
me = scim(GET=_me, POST=_me, PUT=_me, PATCH=_me, DELETE=_me)
nothing = scim(GET=_nothing, POST=_nothing, PUT=_nothing, PATCH=_nothing, DELETE=_nothing)


# --- Reading and answering -----------------------------------------------------------------------------------------


def _account(directory: Directory, uid) -> ManagedAccount:
    row = queries.accounts(directory).filter(uid=uid).first()
    if row is None:
        raise Stopped(404, "No account of this directory has that id.")
    return row


def _group(directory: Directory, uid) -> ManagedGroup:
    row = queries.groups(directory).filter(uid=uid).first()
    if row is None:
        raise Stopped(404, "No group of this directory has that id.")
    return row


def _json(request: HttpRequest) -> dict:
    try:
        said = json.loads(request.body)
    except ValueError:
        raise InvalidSyntaxException(detail="The body is no JSON.") from None
    if not isinstance(said, dict):
        raise InvalidSyntaxException(detail="The body is no JSON object.")
    return said


def _read(request: HttpRequest, model: Any, context: Context) -> Any:
    return model.model_validate(_plain(_json(request)), scim_ctx=context)


def _patched(request: HttpRequest, said: Resource, message: Any) -> bool:
    """Apply a PATCH to a resource; whether it changed anything."""
    asked = _plain(_json(request))
    for name, operations in asked.items():
        if name.lower() == "operations" and isinstance(operations, list):
            asked[name] = [one for operation in operations for one in _by_path(operation)]
            if operations and not asked[name]:
                return False
    patch = message.model_validate(asked, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
    return patch.patch(said)


def _by_path(operation) -> list:
    """An operation without a path, by what it names: Okta names the id too, Entra ID paths such as
    `emails[type eq "work"].value`, and members to be removed as values. Any other operation as it is.
    """
    value = operation.get("value") if isinstance(operation, dict) else None
    if (
        isinstance(value, list)
        and operation.get("path") == "members"
        and str(operation.get("op")).lower() == "remove"
    ):
        named = [one.get("value") for one in value if isinstance(one, dict)]
        return [{"op": "remove", "path": f"members[value eq {ScimFilter.quote(name)}]"} for name in named]
    if not isinstance(value, dict) or operation.get("path"):
        return [operation]
    paths = {name: one for name, one in value.items() if "[" in name}
    whole = {name: one for name, one in value.items() if name not in paths and name.lower() not in READ_ONLY}
    rest = {name: one for name, one in operation.items() if name != "value"}
    return [rest | {"path": name, "value": one} for name, one in paths.items()] + (
        [rest | {"value": whole}] if whole else []
    )


def _plain(said):
    """As the standard has it: Entra ID sends truth values as the texts "True" and "False"."""
    if isinstance(said, dict):
        return {
            name: value.lower() == "true"
            if name.lower() in ("active", "primary", "value") and value in ("True", "False")
            else _plain(value)
            for name, value in said.items()
        }
    return [_plain(one) for one in said] if isinstance(said, list) else said


def _listed(asked: dict, rows, model: Any, resource_of) -> HttpResponse:
    question = of(SearchRequest, model).model_validate(asked, scim_ctx=Context.SEARCH_REQUEST)
    base = base_of()
    total, found = queries.page(rows, question, lambda row: resource_of(row, base))
    said = of(ListResponse, model)(
        total_results=total,
        start_index=question.start_index or 1,
        items_per_page=len(found),
        resources=list(found) or None,
    )
    return _response(said.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=question))


def _whole(request: HttpRequest, row, model: Any, resource_of, status: int = 200) -> HttpResponse:
    """One resource with its ETag; 304 where the reader has it."""
    version = etag(row.version)
    if request.method == "GET" and version in request.META.get("HTTP_IF_NONE_MATCH", ""):
        response = HttpResponse(status=304)
        response["ETag"] = version
        return response
    chosen = of(ResponseParameters, model).model_validate(
        {name: request.GET[name] for name in ("attributes", "excludedAttributes") if name in request.GET}
    )
    contexts = {"GET": Context.RESOURCE_QUERY_RESPONSE, "POST": Context.RESOURCE_CREATION_RESPONSE}
    said = resource_of(row, base_of()).model_dump(
        scim_ctx=contexts.get(
            request.method or "",
            Context.RESOURCE_PATCH_RESPONSE
            if request.method == "PATCH"
            else Context.RESOURCE_REPLACEMENT_RESPONSE,
        ),
        response_parameters=chosen,
    )
    response = _response(said, status)
    response["ETag"] = version
    if status == 201:
        response["Location"] = said["meta"]["location"]
    return response


def _dumped(row: Schema | ResourceType | ServiceProviderConfig, more: dict) -> dict:
    return row.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE) | more


def _error(status: int, words: str, kind: str = "", headers: dict | None = None) -> HttpResponse:
    said = Error(status=status, detail=words, scim_type=kind or None)
    return _response(said.model_dump(), status, headers)


def _response(body: dict, status: int = 200, headers: dict | None = None) -> HttpResponse:
    response = HttpResponse(
        json.dumps(body, ensure_ascii=False, default=str), content_type=TYPE, status=status
    )
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    for name, value in (headers or {}).items():
        response[name] = value
    return response
