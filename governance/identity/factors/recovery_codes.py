"""Recovery codes: each lets its person in once without a factor. Shown once, kept as hashes."""

import hashlib
import secrets

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting, insert_many
from governance.identity import ways_in
from governance.models import RecoveryCode, User
from governance.sign_in import account_notifications, throttling
from governance.vocabulary.entry_kinds import EntryKind

COUNT = 10
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is read as another
LENGTH = 16  # of 31 letters each: 79 bits, which no one guesses
PURPOSE = "recovery code"


def left(person: User) -> int:
    """Return the number of codes that can still be used."""
    return _open(person).count()


def make(*, person: User, keep: str | None = None, also: bool = False) -> list[str]:
    """Return new codes, to be shown once. Earlier codes end, with the ways in that end with them."""
    codes = ["".join(secrets.choice(LETTERS) for _ in range(LENGTH)) for _ in range(COUNT)]
    now = clock.now()
    with acting(by=person, reason="Recovery codes made"):
        User.objects.select_for_update().get(pk=person.pk)
        go_on = ways_in.take(person, EntryKind.RECOVERY_CODES_MADE, by=person, keep=keep, also=also)
        insert_many(
            RecoveryCode, [RecoveryCode(person=person, hash=_hash(code), made_at=now) for code in codes]
        )
        entries.record(
            EntryKind.RECOVERY_CODES_MADE, person=person.full_name, person_id=person.pk, count=COUNT
        )
        account_notifications.tell(
            person,
            "recovery codes",
            subject="Recovery codes were made for your account",
            text=f"Earlier codes no longer work. {go_on} If that was not you, change your password.",
        )
    return ["-".join(code[place : place + 4] for place in range(0, LENGTH, 4)) for code in codes]


def why_refused(person: User, code: str, *, address: str | None) -> str:
    """Why the code does not let its person in; empty when it does, and then never again."""
    account = str(person.pk)
    until = throttling.enter_try(account, purpose=PURPOSE)
    if until is not None:
        return f"Too many wrong codes. You can try again from {clock.moment_in_words(until)}."
    with acting(by=person, reason="Recovery code"):
        row = _open(person).select_for_update().filter(hash=_hash(code)).first()
        if row is None:
            why = "The code is not one of your recovery codes, or was already used."
            entries.record(
                EntryKind.CODE_REFUSED,
                login=person.login,
                purpose="sign in by a recovery code",
                why=why,
                address=address,
            )
            return why
        row.used_at = clock.now()
        row.save()
        rest = left(person)
        entries.record(EntryKind.RECOVERY_CODE_USED, person=person.full_name, person_id=person.pk, left=rest)
        account_notifications.tell(
            person,
            f"recovery code:{row.pk}",
            subject="Someone signed in with one of your recovery codes",
            text=f"You have {rest} recovery codes left. If that was not you, change your password and make "
            "new recovery codes.",
        )
    throttling.forget(account, purpose=PURPOSE)
    return ""


def _open(person: User):
    return RecoveryCode.objects.filter(person=person, used_at=None, ended_at=None)


def _hash(code: str) -> str:
    letters = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(letters.encode()).hexdigest()
