"""Queries on approvals: who may answer one, and what that person is shown.

An approval is for exactly the arguments whose digest the approver saw. So everything that is hashed is shown, and what
a screen would hide (direction marks, zero-width letters) is spelt out.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, OuterRef

from governance import clock
from governance.audit_log import entries
from governance.authorization import approval_patterns
from governance.contracts import cedar_policies
from governance.contracts.wording import duration, money
from governance.models import Clause, User
from governance.vocabulary.readable_text import shown
from initiatives.lifecycle.facts import initiative_rows
from initiatives.models import ApprovalAnswer, ApprovalRequest, Initiative, RoleAssignment
from initiatives.models.approvals import APPROVE

ENTITIES = ("subject", "action", "resource")
# Where a request carries the reference of an approval: not part of what was approved.
REFERENCE = "approval"
MOST_ANSWERS = 1000  # that signs of approving unread are looked for in, the newest


# --- Exactly these arguments -----------------------------------------------------------------------------------------


def arguments_of(evaluation_request: Mapping) -> dict:
    """The parts of a request that an approval is for: all of it but the reference of the approval itself.

    No context and an empty one are the same, because the second call adds the reference to it.
    """
    context = {
        name: value for name, value in (evaluation_request.get("context") or {}).items() if name != REFERENCE
    }
    return {**{part: evaluation_request[part] for part in ENTITIES}, "context": context}


def arguments_digest(evaluation_request: Mapping) -> str:
    """SHA-256 over the canonical form of a request's arguments.

    Raises governance.contracts.cedar_policies.Malformed for values that cannot be kept as they are.
    """
    arguments = arguments_of(evaluation_request)
    try:
        json.dumps(arguments, allow_nan=False)
        text = entries.canonical(arguments)
    except ValueError:
        raise cedar_policies.Malformed("The request holds a value that JSON cannot keep.") from None
    if _holds_nul(arguments):
        raise cedar_policies.Malformed("The request holds the character U+0000, which cannot be kept.")
    return hashlib.sha256(text).hexdigest()


def _holds_nul(value) -> bool:
    """Whether a text in it holds the one character that PostgreSQL does not store."""
    if isinstance(value, Mapping):
        return any("\0" in name or _holds_nul(inner) for name, inner in value.items())
    if isinstance(value, list):
        return any(map(_holds_nul, value))
    return isinstance(value, str) and "\0" in value


# --- Who answers -----------------------------------------------------------------------------------------------------


def names_in(evaluation_request: Mapping) -> frozenset[str]:
    """By what the request names the people the system acts for: as subject, on behalf of, or as principal.

    Each name without regard to case, both as the database has it (lower) and as Unicode has it (casefold).
    """
    subject = evaluation_request["subject"]
    said = (
        subject.get("id"),
        (subject.get("properties") or {}).get("on_behalf_of"),
        (evaluation_request.get("context") or {}).get("principal"),
    )
    names = [text.strip() for value in said for text in _texts(value)]
    return frozenset(form for name in names if name for form in (name.lower(), name.casefold()))


def _texts(value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(value.get("id"))
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def named_as(person: User, names: frozenset[str]) -> bool:
    """Whether one of these names is the person's login or address."""
    return person.login.lower() in names or bool(person.email and person.email.lower() in names)


def is_principal(request: ApprovalRequest, person: User) -> bool:
    """Whether the system acts for this person: as found when it asked, or by the name they bear now."""
    return person.pk in request.principals or named_as(person, names_in(request.arguments))


@dataclass(frozen=True)
class Voice:
    """By which role somebody may answer; `holder` is who holds it, where that is somebody else."""

    role: str
    holder: User | None = None


def voice_of(request: ApprovalRequest, roles: Iterable[RoleAssignment], person: User) -> Voice | None:
    """By which of these roles the person may answer: one of their own first, then one they stand in for.

    Standing in for somebody the system acts for gives no voice: it would be that person's.
    """
    lent = None
    for row in roles:
        if not row.in_force or row.role not in request.approvers:
            continue
        if row.person_id == person.pk:
            return Voice(row.role)
        if person.pk in initiative_rows.standing_in(row) and not is_principal(request, row.person):
            lent = lent or Voice(row.role, row.person)
    return lent


def people_asked(request: ApprovalRequest, roles: Iterable[RoleAssignment]) -> list[tuple[int, Voice]]:
    """Whom the request waits for, by key: holders of its roles, and who stands in for them now instead of them."""
    found: dict[int, Voice] = {}
    for row in roles:
        if not row.in_force or row.role not in request.approvers or is_principal(request, row.person):
            continue
        instead = initiative_rows.standing_in(row) - set(request.principals)
        for key in sorted(instead):
            found.setdefault(key, Voice(row.role, row.person))
        if not instead:
            found[row.person_id] = Voice(row.role)
    return list(found.items())


# --- What is shown ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One value of the arguments: its name in words, where it stands, the value, what else there is to say of it."""

    words: str
    path: str
    value: str
    note: str = ""


def rows_of(arguments: Mapping) -> list[tuple[str, list[Row]]]:
    """Every value of the arguments, in groups (heading, rows): nothing that was hashed is left out."""
    subject, action, resource = (arguments[part] for part in ENTITIES)
    return [
        ("Who asks", list(_entity("subject", subject))),
        ("What it would do", list(_entity("action", action))),
        ("On what", list(_entity("resource", resource))),
        ("Circumstances", list(_values("context", arguments["context"]))),
    ]


def _entity(part: str, entity: Mapping) -> Iterator[Row]:
    for name in sorted(entity, key=_first_of("type", "id", "name")):
        if name != "properties":
            yield from _values(f"{part}.{name}", entity[name], name)
    properties = entity.get("properties")
    if isinstance(properties, Mapping):
        amount = amount_of(entity) if part == "action" else ""
        for name in sorted(properties, key=_first_of("amount", "currency")):
            path, value = f"{part}.properties.{name}", properties[name]
            if amount and name == "amount":
                yield Row("amount", path, amount, f"{value} in minor units")
            else:
                yield from _values(path, value, name)
    elif properties is not None:
        yield from _values(f"{part}.properties", properties, "properties")


def _first_of(*names: str):
    """Puts these names first, in this order; the others keep theirs."""
    return lambda name: names.index(name) if name in names else len(names)


def _values(path: str, value, words: str = "") -> Iterator[Row]:
    """The value, or each value inside it, with the way to it."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _values(f"{path}.{name}", inner, f"{words}, {name}" if words else name)
    elif isinstance(value, list) and value:
        for place, inner in enumerate(value, 1):
            yield from _values(f"{path}[{place}]", inner, f"{words}, {_nth(place)}".lstrip(", "))
    elif value != {} or words:
        yield Row(shown(words.replace("_", " ")), shown(path), _said(value))


def _nth(place: int) -> str:
    return f"number {place}"


def _said(value) -> str:
    """A value so that a text, a number, yes and no, and nothing cannot be taken for each other."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return f"“{shown(value)}”"
    if value is None:
        return "nothing"
    if value in ([], {}):
        return "an empty list" if value == [] else "nothing in it"
    return str(value)


def amount_of(action: Mapping) -> str:
    """What the act would cost, as money; empty where it names no amount with a currency."""
    properties = action.get("properties") or {}
    if not isinstance(properties, Mapping):
        return ""
    amount, currency = properties.get("amount"), properties.get("currency")
    if isinstance(amount, bool) or not isinstance(amount, int) or not isinstance(currency, str):
        return ""
    if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        return ""
    return f"-{money(-amount, currency)}" if amount < 0 else money(amount, currency)


def time_left(until: datetime, now: datetime) -> str:
    """How long there is to answer: "23 minutes left"."""
    minutes = int((until - now).total_seconds() // 60)
    if minutes < 0:
        return "its time is over"
    if minutes == 0:
        return "less than a minute left"
    if minutes >= 120:
        minutes -= minutes % 60
    if minutes >= 2 * 1440:
        minutes -= minutes % 1440
    return f"{duration(minutes)} left"


def until_words(request: ApprovalRequest) -> str:
    """The moment until which it can be answered, in words."""
    return clock.moment_in_words(request.expires_at)


def texts_of(arguments: Mapping, sentences: Iterable[str], why: str) -> Iterator[str]:
    """Everything that there was to read before answering."""
    for heading, rows in rows_of(arguments):
        yield heading
        for row in rows:
            yield from (row.words, row.value, row.note)
    yield from sentences
    yield why


# --- How approvals are given -----------------------------------------------------------------------------------------


def signs_of(initiative: Initiative, now: datetime) -> list[approval_patterns.Sign]:
    """Signs that approvals on the initiative are given unread, from the answers of late: one query to the
    database.
    """
    return approval_patterns.signs(answers_of(initiative, now))


def answers_of(initiative: Initiative, now: datetime) -> list[approval_patterns.Given]:
    """The answers of late on the initiative, newest first: who gave each, how fast, and how much there was to read."""
    asked = Func(
        OuterRef("request__clauses"),
        Func(F("number"), function="to_jsonb"),
        arg_joiner=" @> ",
        template="(%(expressions)s)",
        output_field=BooleanField(),
    )
    clauses = Clause.objects.filter(version=OuterRef("request__version")).annotate(asks=asked)
    rows = (
        ApprovalAnswer.objects.filter(
            request__initiative=initiative, at__gt=now - approval_patterns.LOOKED_BACK
        )
        .annotate(sentences=ArraySubquery(clauses.filter(asks=True).values("sentence")))
        .order_by("-pk")
        .values_list(
            "person",
            "person__full_name",
            "verdict",
            "at",
            "opened_at",
            "request__arguments",
            "sentences",
            "request__why",
            "request__preview__words",
        )[:MOST_ANSWERS]
    )
    return [
        approval_patterns.Given(
            key=key,
            person=name,
            approved=verdict == APPROVE,
            at=at,
            took=at - opened_at,
            words=approval_patterns.words_in(texts_of(arguments, sentences, why)) + (shown or 0),
        )
        for key, name, verdict, at, opened_at, arguments, sentences, why, shown in rows
    ]
