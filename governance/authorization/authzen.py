"""Questions as the OpenID AuthZEN Authorization API 1.0 writes them, read strictly. Pure.

Sections of the specification: "Information Model", "Access Evaluation API", "Access Evaluations API", "JSON Payload
Considerations". Fields that are not known are ignored, as it demands; what is known has to have its type.
"""

import json
import math
from dataclasses import dataclass
from types import NoneType
from typing import Any, NoReturn

from governance.authorization import approval_previews

EXECUTE_ALL, DENY_FIRST, PERMIT_FIRST = "execute_all", "deny_on_first_deny", "permit_on_first_permit"
SEMANTICS = (EXECUTE_ALL, DENY_FIRST, PERMIT_FIRST)
MOST_BYTES = 256 * 1024
MOST_QUESTIONS = 200
MOST_ASKED = 1024 * 1024  # bytes of all questions of a batch, with what stands at the top counted in each
LONGEST_NAME = 100
WHOLE_FROM = 1e16  # from here on a number that is no whole one cannot be written
PARTS = ("subject", "action", "resource", "context")
_REQUIRED = {"subject": ("type", "id"), "action": ("name",), "resource": ("type", "id")}


class BadRequest(ValueError):
    """The request is none of this API; its text says what is wrong with it."""


class TooLong(BadRequest):
    """The request is longer than what is answered at once."""


@dataclass(frozen=True)
class Batch:
    """Several questions and how they are gone through. A question that is wrong by itself is its `BadRequest`."""

    questions: tuple[dict[str, Any] | BadRequest, ...]
    semantic: str = EXECUTE_ALL
    size: int = 0  # bytes of all questions as they are logged

    def over(self, allowed: bool) -> bool:
        """Whether the rest is not asked any more after this answer."""
        return self.semantic == (PERMIT_FIRST if allowed else DENY_FIRST)


def read(content_type: str, body: bytes) -> dict[str, Any]:
    """The body of a request as an object. Raises BadRequest."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise BadRequest("Send the request with Content-Type: application/json.")
    if len(body) > MOST_BYTES:
        raise TooLong(f"The request is longer than {MOST_BYTES} bytes.")
    try:
        found = json.loads(body.decode(), parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise BadRequest("The body is not JSON.") from None
    if not isinstance(found, dict):
        raise BadRequest("The body is a JSON object.")
    if b"\\u0000" in body or b"\\ud" in body.lower():  # the only ways to write what no database could keep
        _keepable(found)
    return found


def _keepable(found: dict[str, Any]) -> None:
    """Raise BadRequest for a text with a zero character or half of a character."""
    text = json.dumps(found, ensure_ascii=False)
    if "\\u0000" in text.replace("\\\\", ""):
        raise BadRequest("A text holds a zero character.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadRequest("A text holds half of a character.") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float | int:
    """A number as the database will hand it back: whole from a size on, and zero without a sign.

    The log of decisions commits to what was asked, and is compared with what was kept.
    """
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return int(number) if abs(number) >= WHOLE_FROM else number + 0.0


def question(body: dict[str, Any]) -> dict[str, Any]:
    """One question: its subject, action, resource and context, each checked. Raises BadRequest."""
    found = {part: body[part] for part in PARTS if body.get(part) is not None}
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


def batch(body: dict[str, Any]) -> Batch | None:
    """The questions of an evaluations request; None when it is one question in the form of the other endpoint.

    Raises BadRequest for what is wrong with the whole of it.
    """
    asked = body.get("evaluations")
    if asked is None or asked == []:
        return None
    if not isinstance(asked, list):
        raise BadRequest("evaluations is a list.")
    if len(asked) > MOST_QUESTIONS:
        raise BadRequest(f"At most {MOST_QUESTIONS} evaluations are answered at once.")
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
    return Batch(tuple(_one(given, part) for part in asked), semantic, size)


def _size(given: dict[str, Any], asked: list[Any]) -> int:
    """Bytes of all questions together: each is logged whole, with what it takes from the top."""
    top = {part: len(json.dumps(said, ensure_ascii=False).encode()) for part, said in given.items()}
    return sum(
        len(json.dumps({part: one[part] for part in PARTS if part in one}, ensure_ascii=False).encode())
        + sum(size for part, size in top.items() if part not in one)
        for one in asked
        if isinstance(one, dict)
    )


def _one(given: dict[str, Any], part: object) -> dict[str, Any] | BadRequest:
    if not isinstance(part, dict):
        return BadRequest("An evaluation is an object.")
    try:
        return question({**given, **part})
    except BadRequest as wrong:
        return wrong


def configuration(address: str) -> dict[str, Any]:
    """What `/.well-known/authzen-configuration` says of this decision point."""
    return {
        "policy_decision_point": address,
        "access_evaluation_endpoint": f"{address}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{address}/access/v1/evaluations",
    }
