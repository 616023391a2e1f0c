"""Queries on approvals: who may answer one, and the content of its page.

An approval is for exactly the arguments whose digest the approver saw. So the page shows everything that is hashed, and
spells out what a screen hides (direction marks, zero-width letters).
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
from governance.contracts.wording import duration, money, role_words
from governance.models import Clause, User
from governance.vocabulary.currencies import wrong_currency
from governance.vocabulary.phrases import phrase
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
    """Return the parts of a request that an approval covers, without its reference.

    A missing context equals an empty one, because the second call adds the reference to the context.
    """
    context = {
        name: value for name, value in (evaluation_request.get("context") or {}).items() if name != REFERENCE
    }
    return {**{part: evaluation_request[part] for part in ENTITIES}, "context": context}


def arguments_digest(evaluation_request: Mapping) -> str:
    """Return the SHA-256 of the canonical form of a request's arguments."""
    arguments = arguments_of(evaluation_request)
    try:
        json.dumps(arguments, allow_nan=False)
        text = entries.canonical(arguments)
    except ValueError:
        raise cedar_policies.Malformed("The request contains a value that JSON cannot represent.") from None
    if _holds_nul(arguments):
        raise cedar_policies.Malformed("The request contains the character U+0000, which cannot be stored.")
    return hashlib.sha256(text).hexdigest()


def _holds_nul(value) -> bool:
    """Return True if a text in the value has a NUL, which PostgreSQL does not store."""
    if isinstance(value, Mapping):
        return any("\0" in name or _holds_nul(inner) for name, inner in value.items())
    if isinstance(value, list):
        return any(map(_holds_nul, value))
    return isinstance(value, str) and "\0" in value


# --- Who answers -----------------------------------------------------------------------------------------------------


def names_in(evaluation_request: Mapping) -> frozenset[str]:
    """Return the names of those the system acts for: subject, on behalf of, principal.

    Each name is in lower case as the database has it (lower) and as Unicode has it (casefold).
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
    """Return True if one of these names is the person's login or address."""
    return person.login.lower() in names or bool(person.email and person.email.lower() in names)


def is_principal(request: ApprovalRequest, person: User) -> bool:
    """Return True if the system acts for this person, by stored keys or today's names."""
    return person.pk in request.principals or named_as(person, names_in(request.arguments))


@dataclass(frozen=True)
class Voice:
    """The role by which a person may answer, and the `holder` if they are a deputy."""

    role: str
    holder: User | None = None


def voice_of(request: ApprovalRequest, roles: Iterable[RoleAssignment], person: User) -> Voice | None:
    """Return the role by which the person may answer, an own role before a lent one.

    A deputy of someone the system acts for has no voice, because the answer would be that person's.
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


def why_lapsed(answer: ApprovalAnswer, roles: Iterable[RoleAssignment]) -> str:
    """Return why an approval of a call does not count now, or "". `roles` are those of the initiative.

    It counts while its giver is active and speaks in the same role without a break, for the same person.
    """
    if not answer.person.is_active:
        return phrase("{} is no longer active.", answer.person)
    holder = answer.on_behalf_of_id or answer.person_id
    for row in roles:
        held = row.in_force and row.accepted_at and row.accepted_at <= answer.at
        if not held or (row.person_id, row.role) != (holder, answer.role):
            continue
        if answer.on_behalf_of_id is None or answer.person_id in initiative_rows.standing_in(row):
            return ""
    return phrase("{} no longer answers as {}.", answer.person, role_words([answer.role]))


def counting(answers: Iterable[ApprovalAnswer], roles: Iterable[RoleAssignment]) -> list[ApprovalAnswer]:
    """Return the answers that count now: refusals, and approvals that have not lapsed."""
    roles = list(roles)
    return [row for row in answers if row.verdict != APPROVE or not why_lapsed(row, roles)]


def is_approved(
    request: ApprovalRequest, answers: Iterable[ApprovalAnswer], roles: Iterable[RoleAssignment]
) -> bool:
    """Return True if enough of these approvals count now: one, or two if two people must approve."""
    voices = sum(row.verdict == APPROVE for row in counting(answers, roles))
    return voices >= (2 if request.four_eyes else 1)


def people_asked(request: ApprovalRequest, roles: Iterable[RoleAssignment]) -> list[tuple[int, Voice]]:
    """Return the voices of those a request waits for: role holders, or their deputies."""
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
    """One value of the arguments: its name in words, its path, the value and a note."""

    words: str
    path: str
    value: str
    note: str = ""


def rows_of(arguments: Mapping) -> list[tuple[str, list[Row]]]:
    """Return every value that was hashed, in groups (heading, rows)."""
    subject, action, resource = (arguments[part] for part in ENTITIES)
    return [
        ("Asked by", list(_entity("subject", subject))),
        ("Action", list(_entity("action", action))),
        ("Resource", list(_entity("resource", resource))),
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
    """Return a sort key that puts these names first, in this order. The others keep their order."""
    return lambda name: names.index(name) if name in names else len(names)


def _values(path: str, value, words: str = "") -> Iterator[Row]:
    """Yield a row for the value, or for each value inside it, with its path."""
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
    """Return a value as text that distinguishes a text, a number, yes, no and nothing."""
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
    """Return the cost of the act as money. Empty without an amount and a currency."""
    properties = action.get("properties") or {}
    if not isinstance(properties, Mapping):
        return ""
    amount, currency = properties.get("amount"), properties.get("currency")
    if isinstance(amount, bool) or not isinstance(amount, int) or not isinstance(currency, str):
        return ""
    if wrong_currency(currency):
        return ""
    return f"-{money(-amount, currency)}" if amount < 0 else money(amount, currency)


def time_left(until: datetime, now: datetime) -> str:
    """Return the time left to answer in words, such as "23 minutes left"."""
    minutes = int((until - now).total_seconds() // 60)
    if minutes < 0:
        return "expired"
    if minutes == 0:
        return "less than a minute left"
    if minutes >= 120:
        minutes -= minutes % 60
    if minutes >= 2 * 1440:
        minutes -= minutes % 1440
    return f"{duration(minutes)} left"


def until_words(request: ApprovalRequest) -> str:
    """Return in words the moment until which the request can be answered."""
    return clock.moment_in_words(request.expires_at)


def texts_of(arguments: Mapping, sentences: Iterable[str], why: str) -> Iterator[str]:
    """Yield every text that an approver had to read before the answer."""
    for heading, rows in rows_of(arguments):
        yield heading
        for row in rows:
            yield from (row.words, row.value, row.note)
    yield from sentences
    yield why


# --- How approvals are given -----------------------------------------------------------------------------------------


def signs_of(initiative: Initiative, now: datetime) -> list[approval_patterns.Sign]:
    """Return signs that recent approvals on the initiative are given unread. Uses one query."""
    return approval_patterns.signs(answers_of(initiative, now))


def answers_of(initiative: Initiative, now: datetime) -> list[approval_patterns.Given]:
    """Return recent answers, newest first, with their speed and the words to read."""
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
