"""SCIM 2.0 for directories: Users, Groups, discovery under /scim/v2/ (RFC 7644).

A directory's key opens it. scim2-models makes each answer from the schemas in `resources`. An error names the fault and
the correction. Deviations of Entra ID and Okta are accepted (`resources.POLICY`, `directory_habits`).
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from pydantic import ValidationError as Malformed
from scim2_models import (
    Context,
    Error,
    InvalidSyntaxException,
    InvalidValueException,
    ListResponse,
    PatchOp,
    Resource,
    ResourceType,
    ResponseParameters,
    Schema,
    SCIMException,
    SearchRequest,
    ServiceProviderConfig,
)

from governance import clock
from governance.authorization import service_keys
from governance.models import Directory, ManagedAccount, ManagedGroup
from governance.permission_result import Refused
from governance.sign_in import throttling
from governance.sign_in.rate_limits import Rate
from governance.vocabulary import strict_json
from governance.web.machine_api import JSON, Answered, Api, body_of, json_response
from initiatives.portfolio.provisioning import actions, queries
from initiatives.portfolio.provisioning.directory_habits import as_the_standard_has_it, plain
from initiatives.portfolio.provisioning.resources import (
    CONFIG,
    PROVIDER,
    ROOT,
    Account,
    Group,
    account_of,
    etag,
    group_of,
)

TYPE = "application/scim+json"
RATE = 200  # requests a second of one directory, in each process

rate = Rate()


def error(request: HttpRequest, answered: Answered) -> HttpResponse:
    """Return an error in the form of RFC 7644, section 3.12."""
    said = Error(status=answered.status, detail=answered.words, scim_type=answered.code or None)
    return json_response(said.model_dump(), answered.status, TYPE)


def _known(trouble: Exception) -> Answered | None:
    if isinstance(trouble, SCIMException):
        return Answered(trouble.status, trouble.detail, code=trouble.scim_type or "")
    if isinstance(trouble, Malformed):
        found = Error.from_validation_errors(trouble)[0]
        return Answered(found.status or 400, found.detail or "", code=found.scim_type or "")
    if isinstance(trouble, ValidationError):
        return Answered(400, " ".join(trouble.messages), code="invalidValue")
    if isinstance(trouble, Refused):
        return Answered(403, str(trouble))
    if isinstance(trouble, IntegrityError):
        return Answered(
            409, "Another request used this name first. Read the resource again.", code="uniqueness"
        )
    return None


scim_api = Api(error, _known, retry_after=5)
nothing = scim_api.nothing


def scim(**views: Callable) -> Callable:
    """Return a view for directories by method, behind a key, with errors of RFC 7644."""

    @scim_api.view(*views)
    def answer(request: HttpRequest, **named) -> HttpResponse:
        directory = _entered(request)
        _check_query(request)
        with PROVIDER:
            return views[request.method or ""](request, directory, **named)

    return answer


def _check_query(request: HttpRequest) -> None:
    """Raise InvalidValueException if a parameter of the address has hidden characters."""
    if found := strict_json.hidden_text(request.GET.dict()):
        raise InvalidValueException(detail=f"{found[0] or 'A parameter'}: {found[1]}")


def _entered(request: HttpRequest) -> Directory:
    """Return the directory behind the key. Raises Answered: 401, 429."""
    token = service_keys.read(request.META.get("HTTP_AUTHORIZATION", ""))
    found = Directory.objects.filter(public=token.public).first() if token else None
    if token is None or found is None or not token.opens(found.secret_hash) or not found.good_at(clock.now()):
        if wait := throttling.wrong_key(request, token.public if token else ""):
            raise Answered(
                429,
                "Too many requests with a wrong key came from this address. Try again later.",
                Retry_After=str(wait),
            )
        raise Answered(
            401,
            "Send the key of the directory as a bearer token in the Authorization header. An admin can "
            "make a key.",
            WWW_Authenticate="Bearer",
        )
    if wait := rate.wait(found.pk, RATE):
        raise Answered(429, "This directory sends too many requests. Try again later.", Retry_After=str(wait))
    return found


def of(message: Any, model: Any) -> Any:
    """Return a SCIM message about resources of a model that is composed at run time."""
    return message.__class_getitem__(model)


def base_of() -> str:
    """Return the address of SCIM here, as resources have it."""
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
    said.replace(account_of(row, base_of(), with_names=False))
    actions.change_account(row=row, said=said, asked_of=request.META.get("HTTP_IF_MATCH", ""))
    return _whole(request, _account(directory, uid), Account, account_of)


def _patch_user(request, directory, uid):
    row = _account(directory, uid)
    said = account_of(row, base_of(), with_names=False)
    if _patched(request, said, of(PatchOp, Account)):
        asked = request.META.get("HTTP_IF_MATCH", "") or etag(row.version)
        actions.change_account(
            row=row, said=said, asked_of=asked, unset=getattr(said, "active", None) is None
        )
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
    return json_response(
        _dumped(CONFIG, {"meta": _place("ServiceProviderConfig", "ServiceProviderConfig")}), content_type=TYPE
    )


def _described(kind: str, rows: dict) -> Callable:
    def answer(request, directory, name=None):
        if "filter" in request.GET:
            raise Answered(403, "This resource does not support filters. Send the request without a filter.")
        said = {key: _dumped(row, {"meta": _place(kind, f"{kind}s/{key}")}) for key, row in rows.items()}
        if name is None:
            return json_response(
                {
                    "schemas": [str(ListResponse.__schema__)],
                    "totalResults": len(said),
                    "startIndex": 1,
                    "itemsPerPage": len(said),
                    "Resources": list(said.values()),
                },
                content_type=TYPE,
            )
        if name not in said:
            raise Answered(404, f"The resource {name!r} does not exist here.")
        return json_response(said[name], content_type=TYPE)

    return answer


def _place(kind: str, path: str) -> dict:
    return {"resourceType": kind, "location": urljoin(base_of(), path)}


def _search(model, rows_of, resource_of) -> Callable:
    def answer(request, directory):
        return _listed(_json(request), rows_of(directory), model, resource_of)

    return answer


def _search_all(request, directory):
    raise Answered(501, "A search over all resources is not supported. Search Users or Groups.")


def _me(request, directory):
    raise Answered(501, "A directory does not have an account, so /Me is not available.")


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


# --- Reading and answering -----------------------------------------------------------------------------------------


def _account(directory: Directory, uid) -> ManagedAccount:
    row = queries.accounts(directory).filter(uid=uid).first()
    if row is None:
        raise Answered(404, "No account of this directory has this id.")
    return row


def _group(directory: Directory, uid) -> ManagedGroup:
    row = queries.groups(directory).filter(uid=uid).first()
    if row is None:
        raise Answered(404, "No group of this directory has this id.")
    return row


def _json(request: HttpRequest) -> dict:
    """Return the body of a request. Its texts are readable. Raises Answered, NotJson, SCIMException."""
    said = strict_json.read(body_of(request, TYPE, JSON))
    if not isinstance(said, dict):
        raise InvalidSyntaxException(detail="The body is not a JSON object. Send a JSON object.")
    if found := strict_json.hidden_text(said):
        raise InvalidValueException(detail=f"{found[0] or 'The body'}: {found[1]}")
    return said


def _read(request: HttpRequest, model: Any, context: Context) -> Any:
    return model.model_validate(plain(_json(request)), scim_ctx=context)


def _patched(request: HttpRequest, said: Resource, message: Any) -> bool:
    """Apply a PATCH to a resource, and return True if it changed. Errors count operations from 1.

    `said` is a copy. It is kept only if every operation could be applied (RFC 7644 section 3.5.2).
    """
    asked = _json(request)
    name = next((name for name in asked if name.lower() == "operations"), "")
    operations = asked.get(name)
    if not isinstance(operations, list) or not operations:
        raise InvalidSyntaxException(
            detail="The request has no list of Operations. Send at least one operation."
        )
    changed = False
    for number, operation in enumerate(operations, 1):
        for one in as_the_standard_has_it(operation):
            try:
                patch = message.model_validate(asked | {name: [one]}, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
                changed = patch.patch(said) or changed
            except (SCIMException, Malformed) as trouble:
                wrong = scim_api.answered(trouble)
                raise Answered(
                    wrong.status, f"Operation {number} ({_named(operation)}): {wrong.words}", code=wrong.code
                ) from None
    return changed


def _named(operation: Any) -> str:
    """Return an operation as an error names it."""
    if not isinstance(operation, dict):
        return "not an object"
    return " ".join(str(operation[name])[:120] for name in ("op", "path") if operation.get(name))


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
    return json_response(
        said.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=question),
        content_type=TYPE,
    )


def _whole(request: HttpRequest, row, model: Any, resource_of, status: int = 200) -> HttpResponse:
    """Return one resource with its ETag, or 304 if the reader has it."""
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
    response = json_response(said, status, TYPE)
    response["ETag"] = version
    if status == 201:
        response["Location"] = said["meta"]["location"]
    return response


def _dumped(row: Schema | ResourceType | ServiceProviderConfig, more: dict) -> dict:
    return row.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE) | more
