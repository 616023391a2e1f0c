"""Links by which somebody sets a password of their own: signed, for a while, once. And the mails that carry them.

The link is the row's nonce signed with the secret key: the database alone makes none. An invitation is sent by an
admin, a reset asked for by anybody who knows a name or an address.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.db.models import Q
from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity.permissions import local_accounts_on
from governance.models import ExternalIdentity, PasswordLink, User
from governance.models.sign_in import HANDED, INVITATION, RESET
from governance.notifications import mail as notification_mail
from governance.notifications import notify, outbox
from governance.people import cooling_off
from governance.people.permissions import may_keep_accounts
from governance.permission_result import Conflict
from governance.queue.task_base import after_commit
from governance.sign_in import account_notifications, sessions, throttling
from governance.vocabulary.entry_kinds import EntryKind

LASTS = {INVITATION: timedelta(days=7), RESET: timedelta(hours=1), HANDED: timedelta(days=1)}
KEPT = timedelta(days=90)  # how long a link that ended is shown to admins
ACCOUNTS_OF_ONE_ADDRESS = 5  # a mailbox may be shared; more than these are not written to at once
IN_ONE_RUN = 500
GIVE_UP_AFTER = 3  # failures in a row: the mail server is down, the next run tries again
SUBJECTS = {
    INVITATION: "Your account on Plumbline: choose a password",
    RESET: "Plumbline: choose a new password",
}
_signer = signing.Signer(sep="~", salt="governance.password-link")


# --- The link ------------------------------------------------------------------------------------------------


def token_of(link: PasswordLink) -> str:
    """What stands at the end of the address."""
    return _signer.sign(f"{link.pk}.{link.nonce}")


def address_of(link: PasswordLink) -> str:
    """The whole address that is sent."""
    return f"{settings.ADDRESS}{reverse('password-link', args=[token_of(link)])}"


def find(token: str) -> PasswordLink | None:
    """The link that can be used now, with its person; None for one that is forged, used, ended or too old."""
    try:
        key, _, nonce = _signer.unsign(token).partition(".")
    except signing.BadSignature:
        return None
    return PasswordLink.objects.open().filter(pk=int(key), nonce=nonce).select_related("person").first()


def address_for(person: User, at: datetime | None = None) -> str:
    """Where a link to reset the password goes, now or at a moment: a changed address waits a day; empty for nowhere.

    It is the newest address that has stood for a day; the first one there was, where none has.
    """
    changed = person.address_changed_at
    if at is None and (changed is None or changed + cooling_off.LASTS <= clock.now()):
        return person.email
    at = at or clock.now()
    rows = User.history.filter(id=person.pk, history_date__lte=at).order_by("history_date", "history_id")
    stood: list[tuple[str, datetime]] = []
    for address, since in rows.values_list("email", "history_date"):
        if not stood or stood[-1][0] != address:
            stood.append((address, since))
    if not stood:
        return person.email
    ends = [since for _, since in stood[1:]] + [at]
    old = [
        address for (address, since), end in zip(stood, ends, strict=True) if end - since >= cooling_off.LASTS
    ]
    return old[-1] if old else stood[0][0]


def make(person: User, purpose: str, *, by: User | None = None) -> PasswordLink:
    """A new link, in the running transaction; its person is told. Earlier ones stay until they expire: mails may
    arrive out of order.
    """
    now = clock.now()
    PasswordLink.objects.filter(person=person, expires_at__lt=now - KEPT).delete()
    link = PasswordLink(
        person=person, purpose=purpose, made_at=now, made_by=by, expires_at=now + LASTS[purpose]
    )
    link.save()
    who = (
        str(by)
        if by
        else "Somebody who works on the server"
        if purpose == HANDED
        else "Somebody, perhaps you,"
    )
    told = account_notifications.tell if purpose == HANDED else _tell_of_a_mailed_link
    told(
        person,
        f"link:{link.pk}",
        subject=f"A link to set your password was made ({link.get_purpose_display()})",
        text=f"{who} asked for it; it works once, until {clock.moment_in_words(link.expires_at)}.",
    )
    return link


def _tell_of_a_mailed_link(person: User, about: str, *, subject: str, text: str) -> None:
    """The link comes with a mail of its own."""
    notify.notify(person, "password link", about, subject=subject, text=text, link=reverse("account"))


def end_all(person: User) -> None:
    """End every link of the person that is open, in the running transaction."""
    PasswordLink.objects.filter(person=person, used_at__isnull=True, ended_at__isnull=True).update(
        ended_at=clock.now()
    )


# --- The acts ------------------------------------------------------------------------------------------------


def invite(*, people: list[User], by: User) -> list[PasswordLink]:
    """Send each of these people a link to choose their first password, or send it again; all of them or nobody.

    Raises ValidationError, Refused.
    """
    with acting(by=by, reason="Invited"):
        may_keep_accounts(by).or_refuse()
        locked = User.objects.select_for_update().filter(pk__in=[person.pk for person in people])
        made = [_invite(person, by) for person in locked.order_by("pk")]
    soon()
    return made


def _invite(person: User, by: User) -> PasswordLink:
    if not person.is_active:
        raise ValidationError(f"The account of {person} has ended; give it back first.")
    if not person.email:
        raise ValidationError(f"{person} has no mail address; add one, then invite them.")
    if person.has_usable_password():
        raise ValidationError(
            f"{person} has a password already; the sign-in page sends whoever forgot it a new link."
        )
    entries.record(EntryKind.INVITED, person=person.full_name, person_id=person.pk)
    return make(person, INVITATION, by=by)


def send_reset(*, person: User, by: User) -> PasswordLink:
    """Send somebody who can sign in a link to choose a new password, as an admin whom they asked for it.

    Raises ValidationError, Refused.
    """
    with acting(by=by, reason="A new password was asked for"):
        may_keep_accounts(by).or_refuse()
        person = User.objects.select_for_update().get(pk=person.pk)
        if not person.is_active or not person.email:
            raise ValidationError(f"{person} has no account or no mail address that a link could go to.")
        if not address_for(person):
            counts = clock.moment_in_words(person.address_changed_at + cooling_off.LASTS)
            raise ValidationError(f"The mail address of {person} is new; a link can go there from {counts}.")
        entries.record(EntryKind.PASSWORD_RESET_ASKED_FOR, person=person.full_name, person_id=person.pk)
        link = make(person, RESET, by=by)
    soon()
    return link


def hand_over(*, person: User, system: str) -> str:
    """The address of a link for whoever works on the machine itself to hand over. Raises ValidationError."""
    with acting(system=system, reason="A link to set a password was printed on the server"):
        if not person.is_active:
            raise ValidationError(f"The account of {person} has ended; an admin gives it back first.")
        link = make(person, HANDED)
        entries.record(EntryKind.PASSWORD_LINK_HANDED_OVER, person=person.full_name, person_id=person.pk)
    return address_of(link)


def ask_reset(*, name: str) -> None:
    """Send a link to whoever signs in with this name or is written to at this address.

    Says nothing about whether there was anybody, and takes the same way through the queue for all.
    """
    name = name.strip()
    known = User.objects.active().exclude(email="").filter(Q(login__iexact=name) | Q(email__iexact=name))
    # Whoever only ever signed in with a provider gets no password by a mail alone, nor anybody whose password would
    # not let them in.
    linked = ExternalIdentity.objects.open().values("person")
    known = known.exclude(Q(password="") | Q(password__startswith="!"), pk__in=linked)
    if not local_accounts_on():
        known = known.filter(break_glass__isnull=False)
    for person in known.order_by("pk")[:ACCOUNTS_OF_ONE_ADDRESS]:
        with acting(system="sign-in", reason="A new password was asked for"):
            make(person, RESET)
            entries.record(EntryKind.PASSWORD_RESET_ASKED_FOR, person=person.full_name, person_id=person.pk)
    soon()


def set_password(*, token: str, password: str) -> User:
    """Set the password of the link's person; the link is used up, the person's sessions and other links end.

    Raises Conflict where the link was used or ended meanwhile.
    """
    link = find(token)
    if link is None:
        raise Conflict("This link was used or has ended.", "Ask for a new one on the sign-in page.")
    with acting(by=link.person, reason=f"Password set by a link ({link.get_purpose_display()})"):
        person = User.objects.select_for_update().get(pk=link.person_id)
        _cool_off(person, link)
        used = PasswordLink.objects.open().filter(pk=link.pk).update(used_at=clock.now())
        if not used:
            raise Conflict("This link was used or has ended.", "Ask for a new one on the sign-in page.")
        change_password(person, password, how=link.get_purpose_display())
    throttling.forget(person.login, purpose=throttling.SIGN_IN)
    return person


def _cool_off(person: User, link: PasswordLink) -> None:
    """Let the person sign nothing for a day that lets an initiative rise, where others could have used this link; tell
    them.

    Others could: a link that somebody else made, or one to an address that somebody else changed. The first password
    of somebody invited is their own, unless the address was changed.
    """
    now, changed = clock.now(), person.address_changed_at
    first = link.purpose == INVITATION
    made_by_another = link.purpose == HANDED or (not first and link.made_by_id not in (None, person.pk))
    waits = made_by_another or changed is not None
    if waits:
        person.signs_from = max(filter(None, (person.signs_from, now + cooling_off.LASTS)))
    if changed is not None and changed + cooling_off.LASTS <= now:
        person.address_changed_at = None
    if waits or not first:
        until = f" Until {clock.moment_in_words(person.signs_from)} you sign nothing that lets an initiative rise."
        account_notifications.tell(
            person,
            f"link:{link.pk}",
            subject=f"Your password was set by a link ({link.get_purpose_display()})",
            text=f"Every browser was signed out.{until if waits else ''}",
        )


def change_password(person: User, password: str, *, how: str, keep: str | None = None) -> None:
    """Set the password in the running act, and end what rests on the old one: links, and sessions but `keep`.

    Raises ValidationError for a password that is not good enough, whichever page or program asks.
    """
    validate_password(password, person)
    person.set_password(password)
    person.save()
    end_all(person)
    sessions.end_all(person, but=keep)
    entries.record(EntryKind.PASSWORD_SET, person=person.full_name, person_id=person.pk, how=how)
    if keep is not None:
        account_notifications.tell(
            person,
            f"password:{person.pk}",
            subject="Your password was changed",
            text="It was changed on the page of your account, and every other browser was signed out. If that was not "
            "you, ask for a link to choose a new password on the sign-in page, and tell an admin.",
        )


# --- The mails -----------------------------------------------------------------------------------------------


def soon() -> None:
    """Have the mails sent once the running act is committed; a queue that is down undoes nothing."""
    after_commit("governance.tasks.mail_links")


def mail_waiting() -> int:
    """Send the links that no mail has carried yet; how many were sent. May run twice at once: one mail each."""
    sent = in_a_row = 0
    rows = PasswordLink.objects.unmailed().filter(outbox.free())
    for key in list(rows.order_by("attempts", "pk").values_list("pk", flat=True)[:IN_ONE_RUN]):
        if not outbox.claim(PasswordLink, key):
            continue
        if send(PasswordLink.objects.select_related("person", "made_by").get(pk=key)):
            sent, in_a_row = sent + 1, 0
        else:
            in_a_row += 1
            if in_a_row == GIVE_UP_AFTER:
                break
    return sent


def send(link: PasswordLink) -> bool:
    """Send the mail of a claimed link; False when that failed (`outgoing.attempt`)."""
    return outbox.attempt(link, lambda: compose(link))


def compose(link: PasswordLink) -> EmailMultiAlternatives | None:
    """The mail as text with its HTML twin, to the address that counts; None when there is none."""
    address = link.person.email if link.purpose == INVITATION else address_for(link.person)
    if not address:
        return None
    mail = notification_mail.compose(
        "invitation" if link.purpose == INVITATION else "reset",
        to=link.person,
        subject=SUBJECTS[link.purpose],
        key=f"link-{link.pk}",
        context={
            "by": link.made_by,
            "link": address_of(link),
            "until": clock.moment_in_words(link.expires_at),
        },
    )
    mail.to = [address]
    return mail
