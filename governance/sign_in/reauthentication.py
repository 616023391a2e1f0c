"""Asking for the password once more: counted, slowed down, a wrong one recorded."""

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.models import User
from governance.sign_in import throttling
from governance.vocabulary.entry_kinds import EntryKind


def why_refused(person: User, password: str, *, purpose: str, address: str | None) -> str:
    """Return why the password does not confirm the person, or "".

    `purpose` is what it was asked for, in words. A wrong password makes an entry, like a failed sign-in. A refused
    try makes none. Tries are counted for the person, in the database, apart from signing in.
    """
    account = str(person.pk)
    until = throttling.enter_try(account, purpose=throttling.CONFIRM)
    if until is not None:
        return (
            f"Too many wrong passwords. You can try again from {clock.hour_in_words(until)}. You can use other pages "
            "until then."
        )
    if not person.check_password(password):
        with acting(by=person):
            entries.record(EntryKind.PASSWORD_REFUSED, login=person.login, purpose=purpose, address=address)
        return "The password is wrong."
    throttling.forget(account, purpose=throttling.CONFIRM)
    return ""
