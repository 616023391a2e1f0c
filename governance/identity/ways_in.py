"""The ways into an account, and what each act that takes one away does to every other way.

The table has a row for each act and a column for each way. Acts run their row by `take`, in their transaction. Pages
and notifications name the ways that go on by the same table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import QuerySet
from django.http import HttpRequest

from governance import clock
from governance.audit_log import entries
from governance.models import (
    ApiToken,
    AuthenticatorApp,
    CalendarFeed,
    ExternalIdentity,
    Passkey,
    PasswordLink,
    RecoveryCode,
    ServiceKey,
    Session,
    User,
)
from governance.notifications import preferences
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import Phrase, phrase


class Outcome(StrEnum):
    """The effect of an act on a way."""

    ENDS = "E"
    ASKED = "A"  # ends if the box on the page is ticked, which it is at first
    GOES_ON = "-"  # named on the page and in the notification
    SHUT = "S"  # opens nothing while the account is deactivated, and is there again with the account


@dataclass(frozen=True)
class Taken:
    """The person whose ways end, who ends them, and why. The session with the key `keep` does not end."""

    person: User
    by: User | None
    reason: str = ""
    keep: str | None = None


@dataclass(frozen=True)
class Way:
    """A way in: its number in words, its open rows, and how they end. Without `end` each ends on its own page."""

    words: Callable[[int], Phrase]
    rows: Callable[[User, str | None], QuerySet]
    end: Callable[[QuerySet, Taken], None] | None


@dataclass(frozen=True)
class Preview:
    """The ways that an act ends, those that its box also ends, and those that go on, in words."""

    ends: Phrase | None
    asked: Phrase | None
    goes_on: Phrase | None


def _delete(rows: QuerySet, taken: Taken) -> None:
    rows.delete()


def _end_links(rows: QuerySet, taken: Taken) -> None:
    rows.update(ended_at=clock.now())


def _end_factors(rows: QuerySet, taken: Taken) -> None:
    for row in rows.select_for_update(of=("self",)):
        row.ended_at = clock.now()
        if hasattr(row, "ended_by_id"):
            row.ended_by = taken.by
        row.save()


def _end_tokens(rows: QuerySet, taken: Taken) -> None:
    for row in rows.select_for_update(of=("self",)).select_related("owner"):
        end_token(row, taken.reason, taken.by)


def _end_calendar(rows: QuerySet, taken: Taken) -> None:
    preferences.revoke_calendar_address(person=taken.person)


def end_token(row: ApiToken, reason: str, by: User | None) -> None:
    """End a token in the running act. `by` is None for a directory."""
    row.ended_at, row.ended_by, row.ended_reason = clock.now(), by, reason
    row.save()
    entries.record(
        EntryKind.API_TOKEN_ENDED,
        name=row.name,
        public=row.public,
        person=row.owner.full_name,
        person_id=row.owner_id,
        why=reason,
    )


def _open(model, **more) -> Callable[[User, str | None], QuerySet]:
    return lambda person, keep: model.objects.filter(person=person, ended_at=None, **more)


def _sessions(person: User, keep: str | None) -> QuerySet:
    return Session.objects.filter(person=person).exclude(session_key=keep or "")


def _tokens(person: User, keep: str | None) -> QuerySet:
    return ApiToken.objects.filter(owner=person, ended_at=None, expires_at__gt=clock.now())


def _calendars(person: User, keep: str | None) -> QuerySet:
    return CalendarFeed.objects.filter(person=person)


def _keys(person: User, keep: str | None) -> QuerySet:
    return ServiceKey.objects.filter(principal=person, revoked_at=None, expires_at__gt=clock.now())


def _session_words(count: int) -> Phrase:
    return phrase("1 session") if count == 1 else phrase("{} sessions", count)


def _link_words(count: int) -> Phrase:
    return phrase("1 link for a password") if count == 1 else phrase("{} links for a password", count)


def _passkey_words(count: int) -> Phrase:
    return phrase("1 passkey") if count == 1 else phrase("{} passkeys", count)


def _app_words(count: int) -> Phrase:
    return phrase("the authenticator app")


def _code_words(count: int) -> Phrase:
    return phrase("1 recovery code") if count == 1 else phrase("{} recovery codes", count)


def _identity_words(count: int) -> Phrase:
    return phrase("1 linked account") if count == 1 else phrase("{} linked accounts", count)


def _token_words(count: int) -> Phrase:
    return phrase("1 API token") if count == 1 else phrase("{} API tokens", count)


def _calendar_words(count: int) -> Phrase:
    return phrase("the calendar address")


def _key_words(count: int) -> Phrase:
    return phrase("1 key of a system") if count == 1 else phrase("{} keys of systems", count)


WAYS = {
    "session": Way(_session_words, _sessions, _delete),
    "link": Way(_link_words, _open(PasswordLink, used_at=None), _end_links),
    "passkey": Way(_passkey_words, _open(Passkey), _end_factors),
    "app": Way(_app_words, _open(AuthenticatorApp), _end_factors),
    "code": Way(_code_words, _open(RecoveryCode, used_at=None), _end_factors),
    "identity": Way(_identity_words, _open(ExternalIdentity), None),
    "token": Way(_token_words, _tokens, _end_tokens),
    "calendar": Way(_calendar_words, _calendars, _end_calendar),
    "key": Way(_key_words, _keys, None),
}

# The columns are in the order of WAYS: session link passkey app code identity token calendar key.
TABLE = {
    EntryKind.PASSKEY_REVOKED: "A E - - - - - - -",
    EntryKind.AUTHENTICATOR_APP_ADDED: "- - - E - - - - -",
    EntryKind.AUTHENTICATOR_APP_REVOKED: "A E - E - - - - -",
    EntryKind.RECOVERY_CODES_MADE: "A E - - E - - - -",
    EntryKind.FACTORS_RESET: "E E E E E - - - -",
    EntryKind.PASSWORD_SET: "E E - - - - A A -",
    EntryKind.IDENTITY_REVOKED: "E E - - - - - - -",
    EntryKind.ACCOUNT_CHANGED: "- E - - - - - - -",
    EntryKind.ACCOUNT_DEACTIVATED: "E E S S S S E E -",
    EntryKind.SIGNED_OUT_ELSEWHERE: "E E - - - - A A -",
    EntryKind.SIGNED_OUT_BY_AN_ADMIN: "E E - - - - - - -",
    EntryKind.SIGNED_OUT_BY_PROVIDER: "- - - - - - - - -",  # only sessions that came by it
    EntryKind.API_TOKEN_ENDED: "- - - - - - - - -",
    EntryKind.CALENDAR_ADDRESS_MADE: "- - - - - - - - -",  # in place of an earlier one
    EntryKind.CALENDAR_ADDRESS_REVOKED: "- - - - - - - - -",
}


def outcomes(act: EntryKind) -> dict[str, Outcome]:
    """Return what the act does to each way. Raises KeyError and ValueError for an act or a way without its place."""
    return dict(zip(WAYS, map(Outcome, TABLE[act].split()), strict=True))


def open_ways(person: User, act: EntryKind, *which: Outcome, keep: str | None = None) -> Phrase | None:
    """Return in words what the person has of the ways to which the act does this, or None."""
    found = []
    for name, one in outcomes(act).items():
        if one in which and (count := WAYS[name].rows(person, keep).count()):
            found.append(WAYS[name].words(count))
    return Phrase(", ".join(found), ", ".join("{}" for _ in found), tuple(found)) if found else None


def also(request: HttpRequest) -> bool:
    """Return True if the box of the page was ticked."""
    return request.POST.get("also") == "yes"


def preview(person: User, act: EntryKind, keep: str | None = None) -> Preview:
    """Return what the act would do to the ways of the person, for its page."""
    said = (open_ways(person, act, one, keep=keep) for one in (Outcome.ENDS, Outcome.ASKED, Outcome.GOES_ON))
    return Preview(*said)


def consequences(person: User, act: EntryKind) -> list[Phrase]:
    """Return the sentences of a preview, for a page that lists what happens."""
    ways = preview(person, act)
    said = [phrase("The change also ends: {}.", ways.ends)] if ways.ends else []
    return [*said, go_on(person, act)] if ways.asked or ways.goes_on else said


def take(
    person: User,
    act: EntryKind,
    *,
    by: User | None,
    reason: str = "",
    keep: str | None = None,
    also: bool = False,
) -> Phrase:
    """End the ways that the act ends, in the running act. Return a sentence about those that go on, or "".

    `also`: the box on the page was ticked. The session with the key `keep` goes on.
    """
    taken = Taken(person, by, reason, keep)
    ending = (Outcome.ENDS, Outcome.ASKED) if also else (Outcome.ENDS,)
    for name, one in outcomes(act).items():
        end = WAYS[name].end
        if one in ending and end is not None:
            end(WAYS[name].rows(person, keep), taken)
    return go_on(person, act, keep)


def go_on(person: User, act: EntryKind, keep: str | None = None) -> Phrase:
    """Return a sentence that names the ways that go on after the act, or ""."""
    left = open_ways(person, act, Outcome.ASKED, Outcome.GOES_ON, keep=keep)
    return phrase("These still give access to the account: {}.", left) if left else Phrase("")
