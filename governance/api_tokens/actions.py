"""Acts on tokens of programs: make, rotate, end.

A token is shown once, to its owner. It reads what its owner may see, and ends with the account of its owner (ADR 89).
"""

from datetime import timedelta

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.authorization import service_keys
from governance.database.row_history import acting
from governance.identity import ways_in
from governance.models import ApiToken, User
from governance.models.sign_in import (
    PERSONAL,
    PERSONAL_DAYS,
    PERSONAL_SCOPES,
    READ,
    SERVICE,
    SERVICE_SCOPES,
)
from governance.permission_result import Answer, no, yes
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase

MOST_DAYS = {PERSONAL: PERSONAL_DAYS, SERVICE: 365}
MOST_OPEN = 20  # of one person, so that a list stays short enough to be looked through
# How long a rotated token still opens, so that a service can change over without a gap.
CHANGE_OVER = timedelta(hours=24)


def may_make_token(person: User) -> Answer:
    """Return yes for active people with fewer than `MOST_OPEN` tokens that open."""
    if not person.is_active:
        return no("This account is no longer active.", "Ask an admin.")
    if open_tokens(person).count() >= MOST_OPEN:
        return no(phrase("You already have {} tokens.", MOST_OPEN), "End a token that you do not use.")
    return yes()


def may_end_token(token: ApiToken, person: User) -> Answer:
    """Return yes for the owner of the token and for admins."""
    if person.is_active and (person.is_admin or person.pk == token.owner_id):
        return yes()
    return no("Only its owner and admins can end a token.", "Ask an admin.")


def open_tokens(person: User):
    """Return the tokens of a person that have neither expired nor ended."""
    return ApiToken.objects.filter(owner=person, ended_at=None, expires_at__gt=clock.now())


def make_token(
    *, kind: str, name: str, days: int, scopes: list[str] | None = None, by: User
) -> tuple[ApiToken, service_keys.Token]:
    """Make a token of the person that expires after so many days. Only the caller gets the full token.

    A personal token reads everything that its owner sees, and a service token what its scopes name. A personal token
    may also have the scopes of `PERSONAL_SCOPES`. Raises Refused, ValidationError.
    """
    with acting(by=by, reason="API token made"):
        may_make_token(by).or_refuse()
        return _made(kind, name, days, scopes or [], by)


def rotate_token(*, token: ApiToken, days: int, by: User) -> tuple[ApiToken, service_keys.Token]:
    """Make the successor of a service token. The old token still opens for the change-over. Raises Refused."""
    with acting(by=by, reason="API token rotated"):
        row = ApiToken.objects.select_for_update(of=("self",)).get(pk=token.pk)
        if by.pk != row.owner_id or not by.is_active:
            no("Only its owner can rotate a token.", "Ask the owner, or make a new token.").or_refuse()
        if row.kind != SERVICE:
            no("A personal token cannot be rotated.", "Make a new token.").or_refuse()
        if not row.good_at(clock.now()):
            no("This token has expired or was ended.", "Make a new token.").or_refuse()
        if ApiToken.objects.filter(rotates=row).exists():
            no("This token was already rotated.", "End this token, or rotate the new token.").or_refuse()
        made = _made(row.kind, row.name, days, row.scopes, by, rotates=row)
        row.expires_at = min(row.expires_at, clock.now() + CHANGE_OVER)
        row.save()
    return made


def end_token(*, token: ApiToken, reason: str, by: User) -> ApiToken:
    """End a token at once, as its owner or as an admin. Raises Refused, ValidationError."""
    if not reason.strip():
        raise ValidationError({"reason": "Give a reason. The reason is kept with the token."})
    with acting(by=by, reason=reason):
        row = ApiToken.objects.select_for_update(of=("self",)).select_related("owner").get(pk=token.pk)
        may_end_token(row, by).or_refuse()
        if row.ended_at is not None:
            no("This token was already ended.").or_refuse()
        ways_in.end_token(row, reason.strip(), by)
    return row


def _made(
    kind: str, name: str, days: int, scopes: list[str], by: User, rotates: ApiToken | None = None
) -> tuple[ApiToken, service_keys.Token]:
    wrong, name = {}, name.strip()
    if not name:
        wrong["name"] = "Name the program that uses the token."
    if not 1 <= days <= MOST_DAYS[kind]:
        wrong["days"] = f"Choose at most {MOST_DAYS[kind]} days."
    if kind == SERVICE and (not scopes or set(scopes) - set(SERVICE_SCOPES)):
        wrong["scopes"] = "Choose what the service reads."
    if wrong:
        raise ValidationError(wrong)
    token, now = service_keys.fresh(service_keys.API_PREFIX), clock.now()
    row = ApiToken(
        kind=kind,
        name=name,
        owner=by,
        public=token.public,
        secret_hash=token.digest,
        scopes=[READ, *sorted(PERSONAL_SCOPES.keys() & scopes)] if kind == PERSONAL else sorted(set(scopes)),
        made_at=now,
        expires_at=now + timedelta(days=days),
        rotates=rotates,
    )
    row.save()
    entries.record(
        EntryKind.API_TOKEN_MADE,
        type=kind,
        name=name,
        public=row.public,
        person=by.full_name,
        person_id=by.pk,
        scopes=row.scopes,
        expires_at=row.expires_at,
        rotates=rotates.public if rotates else None,
    )
    return row, token
