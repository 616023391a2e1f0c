"""Requests as the OpenID AuthZEN Authorization API 1.0 writes them, read strictly. Pure.

Sections of the specification: "Information Model", "Access Evaluation API", "Access Evaluations API", "JSON Payload
Considerations". Fields that are not known are ignored, as it demands; what is known has to have its type.
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
# How JSON writes what cannot be stored, U+0000 and halves of characters; whole characters may be written so, too.
_BY_NUMBER = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class BadRequest(ValueError):
    """The request is none of this API; its text says what is wrong with it."""


class TooLong(BadRequest):
    """The request is longer than what is answered at once."""


@dataclass(frozen=True)
class Batch:
    """Several requests and how they are gone through. A request that is wrong by itself is its `BadRequest`."""

    evaluation_requests: tuple[dict[str, Any] | BadRequest, ...]
    semantic: str = EXECUTE_ALL
    size: int = 0  # bytes of all requests as they are logged

    def over(self, allowed: bool) -> bool:
        """Whether the rest is not asked any more after this answer."""
        return self.semantic == (PERMIT_FIRST if allowed else DENY_FIRST)


def read(body: bytes) -> dict[str, Any]:
    """The body of a request as an object. Raises NotJson, BadRequest."""
    found = _read(body)
    if not isinstance(found, dict):
        raise BadRequest("The body is a JSON object.")
    return found


def may_be_unstorable(body: bytes) -> bool:
    """Return True if a text in `body` may hold a character that cannot be stored, and each has to be looked at."""
    return _BY_NUMBER.search(body) is not None


def _refuse_unstorable(part: str, said: object) -> None:
    """Raise BadRequest for a text or a name in it with a character that no database keeps."""
    left = [said]
    while left:
        one = left.pop()
        if isinstance(one, str):
            if found := readable_text.UNSTORABLE.search(one):
                raise BadRequest(
                    f"{part} holds {readable_text.name_of(found[0])}, which cannot be stored. Leave the character out."
                )
        elif isinstance(one, dict):
            left += [*one, *one.values()]
        elif isinstance(one, list):
            left += one


def _number(text: str) -> float | int:
    """A number as the database will hand it back: whole from a size on, and zero without a sign.

    The log of decisions commits to what was asked, and is compared with what was kept.
    """
    number = strict_json.finite(text)
    return int(number) if abs(number) >= WHOLE_FROM else number + 0.0


_read = strict_json.reader(_number)


def evaluation_request(body: dict[str, Any], *, unstorable: bool = True) -> dict[str, Any]:
    """One request: its subject, action, resource and context, each checked. Raises BadRequest.

    `unstorable` is what `may_be_unstorable` said of the request.
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
            raise BadRequest(f"{part} is an object.")
        for name in names:
            if name not in said:
                raise BadRequest(f"{part}.{name} is missing.")
            if not isinstance(said[name], str) or not said[name]:
                raise BadRequest(f"{part}.{name} is a text.")
            if len(said[name]) > LONGEST_NAME:
                raise BadRequest(f"{part}.{name} is longer than {LONGEST_NAME} characters.")
        if not isinstance(said.get("properties", {}), (dict, NoneType)):
            raise BadRequest(f"{part}.properties is an object.")
    if not isinstance(found.get("context", {}), dict):
        raise BadRequest("context is an object.")
    if approval_previews.PREVIEW in found.get("context", {}):
        try:
            approval_previews.read(found["context"][approval_previews.PREVIEW])
        except approval_previews.Unreadable as wrong:
            raise BadRequest(str(wrong)) from None
    return found


def batch(body: dict[str, Any], *, unstorable: bool = True) -> Batch | None:
    """The requests in the body of an evaluations call; None when it is one request in the form of the other endpoint.

    `unstorable` as for `request`. Raises BadRequest for what is wrong with the whole of it.
    """
    asked = body.get("evaluations")
    if asked is None or asked == []:
        return None
    if not isinstance(asked, list):
        raise BadRequest("evaluations is a list.")
    if len(asked) > MOST_REQUESTS:
        raise BadRequest(f"At most {MOST_REQUESTS} evaluations are answered at once.")
    options = body.get("options", {})
    if not isinstance(options, dict):
        raise BadRequest("options is an object.")
    semantic = options.get("evaluations_semantic", EXECUTE_ALL)
    if semantic not in SEMANTICS:
        raise BadRequest(f"options.evaluations_semantic is one of {', '.join(SEMANTICS)}.")
    given = {part: body[part] for part in PARTS if part in body}
    size = _size(given, asked)
    if size > MOST_ASKED:
        raise TooLong(
            f"The evaluations are longer than {MOST_ASKED} bytes together, with what stands at the top counted in "
            "each; send them in several requests."
        )
    return Batch(tuple(_one(given, part, unstorable) for part in asked), semantic, size)


def _size(given: dict[str, Any], asked: list[Any]) -> int:
    """Bytes of all requests together: each is logged whole, with what it takes from the top."""
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
        return BadRequest("An evaluation is an object.")
    try:
        return evaluation_request({**given, **part}, unstorable=unstorable)
    except BadRequest as wrong:
        return wrong


def configuration(address: str) -> dict[str, Any]:
    """What `/.well-known/authzen-configuration` says of this decision point."""
    return {
        "policy_decision_point": address,
        "access_evaluation_endpoint": f"{address}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{address}/access/v1/evaluations",
    }
