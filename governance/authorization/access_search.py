"""Searches of the AuthZEN Authorization API 1.0: who may, on what, and which actions. Pure.

A search enumerates only names that the contract in force declares: its actions, the subjects that its clauses and the
scope name without a pattern, and the resources that its clauses name by id. Each name is then decided like any request,
and only allowed ones are results. So no result goes beyond `decision.decide`, and a condition that denies every request
leaves every search empty.
"""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance.authorization import authzen
from governance.authorization.authzen import LONGEST_NAME, BadRequest
from governance.authorization.decision import InitiativeCondition, Version, decide
from governance.authorization.deployment_decision import is_asked
from governance.contracts.cedar_policies import value_of
from governance.contracts.clauses import REGION, RESOURCE_ID
from governance.vocabulary import Stage

OPEN = {"subject": "id", "resource": "id", "action": "name"}  # what a search leaves out, and finds
USUAL_RESULTS, MOST_RESULTS = 100, 200  # of one page
MOST_TRIED = 500  # names that one request decides: the next page goes on after them
_ANY = "*"  # stands for the name that is searched, while the rest of a request is read
_BINDING = 16  # bytes of a page token that bind it to its search
_PLACE = 4


@dataclass(frozen=True)
class Page:
    """The page that is asked for: its largest number of results, and the token of the page before."""

    asked: bool = False
    limit: int = USUAL_RESULTS
    token: str = ""


@dataclass(frozen=True)
class Found:
    """The results of one page, the token of the next ("" for none), and how many names were decided."""

    results: list[dict[str, Any]]
    next_token: str
    tried: int


def read(body: dict[str, Any], part: str, *, unstorable: bool = True) -> tuple[dict[str, Any], Page]:
    """Return the request and the page of a search for `part`. A name given for it is ignored. Raises BadRequest."""
    said = {} if part == "action" else body.get(part)
    asked = {**body, part: {**said, OPEN[part]: _ANY}} if isinstance(said, dict) else body
    request = authzen.evaluation_request(asked, unstorable=unstorable)
    request[part] = {name: value for name, value in request[part].items() if name != OPEN[part]}
    return request, _page(body.get("page"))


def _page(said: object) -> Page:
    if said is None:
        return Page()
    if not isinstance(said, dict):
        raise BadRequest("The field “page” must be an object.")
    limit, token = said.get("limit"), said.get("token")
    limit, token = USUAL_RESULTS if limit is None else limit, "" if token is None else token
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise BadRequest("The field “page.limit” must be a whole number of 0 or more.")
    if not isinstance(token, str):
        raise BadRequest("The field “page.token” must be the “next_token” of an earlier answer.")
    return Page(True, min(limit, MOST_RESULTS), token)


def search(
    part: str,
    version: Version | None,
    condition: InitiativeCondition,
    request: Mapping[str, Any],
    page: Page,
    now: datetime,
) -> Found:
    """Return the declared names of `part` with which the request is allowed at `now`.

    Raises BadRequest for a token of another search or of another version of the contract.
    """
    binding = _binding(part, version, request)
    begin, tried = _place(page.token, binding), 0
    results: list[dict[str, Any]] = []
    entities = list(_entities(part, version, condition, request))
    for place in range(begin, len(entities)):
        if tried == MOST_TRIED:
            return Found(results, _token(binding, place), tried)
        entity, tried = entities[place], tried + 1
        candidate = {**request, part: entity}
        if is_asked(candidate) or not decide(version, condition, candidate, now).allowed:
            continue  # a deployment is answered by the gate, whatever a clause says
        if len(results) == page.limit:
            return Found(results, _token(binding, place), tried)
        results.append(entity)
    return Found(results, "", tried)


def left_open(
    version: Version | None, condition: InitiativeCondition, request: Mapping[str, Any]
) -> list[str]:
    """Return the attributes that the scope or a clause compares and the search does not state, by name.

    An evaluation that states them may have another answer than the search.
    """
    bound = condition.bound if condition.stage == Stage.MVP else None
    compared = {f"{part}.{name}" for _, part, name, _ in (bound.limits if bound else ())}
    action = request["action"].get("name")
    for rule in version.policies.rules if version else ():
        if rule.kind == "residency" and rule.terms.regions:
            compared.add(REGION)
        if not action or rule.terms.action in ("", action):
            compared |= {attribute for attribute, _ in rule.terms.compared}
    return sorted(one for one in compared if value_of(request, one) is None)


# --- What is declared ------------------------------------------------------------------------------------------------


def _entities(
    part: str, version: Version | None, condition: InitiativeCondition, request: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield each declared name as a part of the request, with the properties that the search states for all."""
    if version is None:
        return
    kind = request[part].get("type", "")
    if part == "action":
        names: Iterable[str] = version.policies.actions
    else:
        names = _subjects(version, condition, kind) if part == "subject" else _resources(version, kind)
    for name in sorted(set(names)):
        if 0 < len(name) <= LONGEST_NAME:  # a longer one is no request
            yield {**request[part], OPEN[part]: name}


def _subjects(version: Version, condition: InitiativeCondition, kind: str) -> Iterator[str]:
    """Yield the ids of the subjects of this type that a clause or the scope names. Groups have no members here."""
    scope = condition.bound.test_subjects if condition.bound else ()
    named = [name for rule in version.policies.rules for name in rule.terms.audience]
    for name in (*named, *(one for one in scope if "*" not in one)):
        if name.startswith(f"{kind}:"):
            yield name[len(kind) + 1 :]


def _resources(version: Version, kind: str) -> Iterator[str]:
    """Yield the ids that a clause about resources of this type names."""
    for rule in version.policies.rules:
        if rule.terms.resource not in ("", kind):
            continue
        for test in rule.terms.tests:
            if test.attribute == RESOURCE_ID:
                yield from _texts(test.value)


def _texts(value: object) -> Iterable[str]:
    values = value if isinstance(value, tuple) else (value,)
    return [one for one in values if isinstance(one, str)]


# --- Pages -----------------------------------------------------------------------------------------------------------


def _binding(part: str, version: Version | None, request: Mapping[str, Any]) -> bytes:
    """Return the digest of a search. A token fits only the search and the contract that it came from."""
    said = json.dumps([part, version.digest if version else "", request], sort_keys=True)
    return hashlib.sha256(said.encode()).digest()[:_BINDING]


def _token(binding: bytes, place: int) -> str:
    return urlsafe_b64encode(binding + place.to_bytes(_PLACE, "big")).rstrip(b"=").decode()


def _place(token: str, binding: bytes) -> int:
    """Return the place where a page begins. A changed place only skips names."""
    if not token:
        return 0
    try:
        found = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except ValueError:
        found = b""
    if len(found) != _BINDING + _PLACE or found[:_BINDING] != binding:
        raise BadRequest(
            "The field “page.token” belongs to another search or to an earlier contract. Search again without "
            "the token."
        )
    return int.from_bytes(found[_BINDING:], "big")
