"""Read requests of the OpenID AuthZEN Authorization API 1.0 strictly. Pure.

Sections of the specification: "Information Model", "Access Evaluation API", "Access Evaluations API", "JSON Payload
Considerations". Unknown fields are ignored, as it demands. Known fields must have their type.
"""

import json
import re
from dataclasses import dataclass
from types import NoneType
from typing import Any

from governance.authorization import approval_previews
from governance.vocabulary import readable_text, strict_json

EXECUTE_ALL, DENY_FIRST, PERMIT_FIRST = "execute_all", "deny_on_first_deny", "permit_on_first_permit"
SEMANTICS = (EXECUTE_ALL, DENY_FIRST, PERMIT_FIRST)
MOST_BYTES = 256 * 1024
MOST_REQUESTS = 200
MOST_ASKED = 1024 * 1024  # bytes of all requests of a batch, with what stands at the top counted in each
LONGEST_NAME = 100
WHOLE_FROM = 1e16  # from here on a number that is no whole one cannot be written
PARTS = ("subject", "action", "resource", "context")
_REQUIRED = {"subject": ("type", "id"), "action": ("name",), "resource": ("type", "id")}
# The JSON escapes of unstorable characters (U+0000, halves of pairs). Whole characters may have these escapes, too.
_BY_NUMBER = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class BadRequest(ValueError):
    """A request that this API does not accept. Its text names the fault."""


class TooLong(BadRequest):
    """A request that is longer than one call may be."""


@dataclass(frozen=True)
class Batch:
    """Several requests and how to evaluate them. A bad one is its `BadRequest`."""

    evaluation_requests: tuple[dict[str, Any] | BadRequest, ...]
    semantic: str = EXECUTE_ALL
    size: int = 0  # bytes of all requests as they are logged

    def over(self, allowed: bool) -> bool:
        """Return True if this answer ends the batch."""
        return self.semantic == (PERMIT_FIRST if allowed else DENY_FIRST)


def read(body: bytes) -> dict[str, Any]:
    """Return the body of a request as an object. Raises NotJson, BadRequest."""
    found = _read(body)
    if not isinstance(found, dict):
        raise BadRequest("The body must be a JSON object.")
    return found


def may_be_unstorable(body: bytes) -> bool:
    """Return True if `body` may hold an unstorable character and needs a full check."""
    return _BY_NUMBER.search(body) is not None


def _refuse_unstorable(part: str, said: object) -> None:
    """Raise BadRequest for a text or a name that contains an unstorable character."""
    left = [said]
    while left:
        one = left.pop()
        if isinstance(one, str):
            if found := readable_text.UNSTORABLE.search(one):
                raise BadRequest(
                    f"{part} contains {readable_text.name_of(found[0])}, which cannot be stored. Leave the "
                    "character out."
                )
        elif isinstance(one, dict):
            left += [*one, *one.values()]
        elif isinstance(one, list):
            left += one


def _number(text: str) -> float | int:
    """Return a number as the database returns it: whole if large, zero without sign.

    The log of decisions commits to the request and is compared with the stored one.
    """
    number = strict_json.finite(text)
    return int(number) if abs(number) >= WHOLE_FROM else number + 0.0


_read = strict_json.reader(_number)


def evaluation_request(body: dict[str, Any], *, unstorable: bool = True) -> dict[str, Any]:
    """Return one request with checked subject, action, resource and context.

    `unstorable` is the result of `may_be_unstorable` for the request. Raises BadRequest.
    """
    found = {part: body[part] for part in PARTS if body.get(part) is not None}
    if unstorable:
        for part, said in found.items():
            _refuse_unstorable(part, said)
    for part, names in _REQUIRED.items():
        said = found.get(part)
        if said is None:
            raise BadRequest(f"{part} is missing.")
        if not isinstance(said, dict):
            raise BadRequest(f"{part} must be an object.")
        for name in names:
            if name not in said:
                raise BadRequest(f"{part}.{name} is missing.")
            if not isinstance(said[name], str) or not said[name]:
                raise BadRequest(f"{part}.{name} must be a text.")
            if len(said[name]) > LONGEST_NAME:
                raise BadRequest(f"{part}.{name} is longer than {LONGEST_NAME} characters.")
        if not isinstance(said.get("properties", {}), (dict, NoneType)):
            raise BadRequest(f"{part}.properties must be an object.")
    if not isinstance(found.get("context", {}), dict):
        raise BadRequest("The field “context” must be an object.")
    if approval_previews.PREVIEW in found.get("context", {}):
        try:
            approval_previews.read(found["context"][approval_previews.PREVIEW])
        except approval_previews.Unreadable as wrong:
            raise BadRequest(str(wrong)) from None
    return found


def batch(body: dict[str, Any], *, unstorable: bool = True) -> Batch | None:
    """Return the requests of an evaluations call, or None if it is a single request.

    `unstorable` is as for `evaluation_request`. Raises BadRequest for a fault of the whole call.
    """
    asked = body.get("evaluations")
    if asked is None or asked == []:
        return None
    if not isinstance(asked, list):
        raise BadRequest("The field “evaluations” must be a list.")
    if len(asked) > MOST_REQUESTS:
        raise BadRequest(
            f"The request has more than {MOST_REQUESTS} evaluations. Send the evaluations in several "
            "requests."
        )
    options = body.get("options", {})
    if not isinstance(options, dict):
        raise BadRequest("The field “options” must be an object.")
    semantic = options.get("evaluations_semantic", EXECUTE_ALL)
    if semantic not in SEMANTICS:
        raise BadRequest(f"The field “options.evaluations_semantic” must be one of {', '.join(SEMANTICS)}.")
    given = {part: body[part] for part in PARTS if part in body}
    size = _size(given, asked)
    if size > MOST_ASKED:
        raise TooLong(
            f"The evaluations are longer than {MOST_ASKED} bytes together. The fields at the top level "
            "count once for each evaluation. Send the evaluations in several requests."
        )
    return Batch(tuple(_one(given, part, unstorable) for part in asked), semantic, size)


def _size(given: dict[str, Any], asked: list[Any]) -> int:
    """Return the bytes of all requests as logged, each with its fields from the top."""
    evaluation_requests = [
        {part: one[part] for part in PARTS if part in one} for one in asked if isinstance(one, dict)
    ]
    top = {part: _length(said) for part, said in given.items()}
    taken = sum(size for part, size in top.items() for one in evaluation_requests if part not in one)
    return _length(evaluation_requests) + taken


def _length(said: object) -> int:
    return len(json.dumps(said, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def _one(given: dict[str, Any], part: object, unstorable: bool) -> dict[str, Any] | BadRequest:
    if not isinstance(part, dict):
        return BadRequest("Each evaluation must be an object.")
    try:
        return evaluation_request(
            {**given, **{name: _named(given.get(name), said, name) for name, said in part.items()}},
            unstorable=unstorable,
        )
    except BadRequest as wrong:
        return wrong


def _named(top: object, said: object, part: str) -> object:
    """Return a part of one evaluation. It replaces that of the top, whose type, id and name fill what it omits."""
    if not isinstance(top, dict) or not isinstance(said, dict):
        return said
    return {name: top[name] for name in _REQUIRED.get(part, ()) if name in top} | said


def configuration(address: str) -> dict[str, Any]:
    """Return the content of `/.well-known/authzen-configuration`."""
    return {
        "policy_decision_point": address,
        "access_evaluation_endpoint": f"{address}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{address}/access/v1/evaluations",
        "search_subject_endpoint": f"{address}/access/v1/search/subject",
        "search_resource_endpoint": f"{address}/access/v1/search/resource",
        "search_action_endpoint": f"{address}/access/v1/search/action",
        "access_request_endpoint": f"{address}/access/v1/requests",
        "capabilities": ["urn:openid:authzen:capability:access-request"],
    }
