"""Signed links by which a person sets a password, once and for a while, with emails.

The link is the row's nonce signed with the secret key, so the database alone cannot make one. An admin sends an
invitation. Anyone who knows a name or an address can ask for a reset.
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
from governance.identity import ways_in
from governance.identity.permissions import local_accounts_on
from governance.models import ExternalIdentity, PasswordLink, User
from governance.models.sign_in import HANDED, INVITATION, RESET
from governance.notifications import mail as notification_mail
from governance.notifications import notify, outbox
from governance.people import cooling_off
from governance.people.permissions import may_keep_accounts
from governance.permission_result import Conflict
from governance.queue.task_base import after_commit
from governance.sign_in import account_notifications, throttling
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import Phrase, phrase

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
    """Return the end of the link's address."""
    return _signer.sign(f"{link.pk}.{link.nonce}")


def address_of(link: PasswordLink) -> str:
    """Return the whole address of the link."""
    return f"{settings.ADDRESS}{reverse('password-link', args=[token_of(link)])}"


def find(token: str) -> PasswordLink | None:
    """Return the link with its person, or None if it is forged, used, ended or too old."""
    try:
        key, _, nonce = _signer.unsign(token).partition(".")
    except signing.BadSignature:
        return None
    return PasswordLink.objects.open().filter(pk=int(key), nonce=nonce).select_related("person").first()


def address_for(person: User, at: datetime | None = None) -> str:
    """Return the address for a link to reset the password, now or at a moment, or "".

    The address is the newest one that was unchanged for a day, or the first one if there is none.
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
    """Make a link in the running transaction and notify its person. Earlier links stay valid.

    Earlier links stay until they expire, because emails may arrive out of order.
    """
    now = clock.now()
    PasswordLink.objects.filter(person=person, expires_at__lt=now - KEPT).delete()
    link = PasswordLink(
        person=person, purpose=purpose, made_at=now, made_by=by, expires_at=now + LASTS[purpose]
    )
    link.save()
    who = (
        str(by) if by else "Someone who works on the server" if purpose == HANDED else "Someone, perhaps you,"
    )
    told = account_notifications.tell if purpose == HANDED else _tell_of_a_mailed_link
    told(
        person,
        f"link:{link.pk}",
        subject=f"A link to set your password was made ({link.get_purpose_display()})",
        text=(
            f"{who} asked for the link. The link works once, until {clock.moment_in_words(link.expires_at)}."
        ),
    )
    return link


def _tell_of_a_mailed_link(person: User, about: str, *, subject: str, text: str) -> None:
    """Notify the person without an extra email, because the link has one."""
    notify.notify(person, "password link", about, subject=subject, text=text, link=reverse("account"))


# --- The acts ------------------------------------------------------------------------------------------------


def invite(*, people: list[User], by: User) -> list[PasswordLink]:
    """Send each of these people a link for their first password: all of them or none.

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
        raise ValidationError(
            phrase("The account of {} is deactivated. First reactivate the account.", person)
        )
    if not person.email:
        raise ValidationError(
            phrase("{} has no email address. Add an email address, then invite the person.", person)
        )
    if person.has_usable_password():
        raise ValidationError(
            phrase(
                "{} already has a password. Someone who forgot the password can ask for a new link "
                "on the sign-in page.",
                person,
            )
        )
    entries.record(EntryKind.INVITED, person=person.full_name, person_id=person.pk)
    return make(person, INVITATION, by=by)


def send_reset(*, person: User, by: User) -> PasswordLink:
    """Send a person who can sign in a link to choose a new password, as an admin.

    Raises ValidationError, Refused.
    """
    with acting(by=by, reason="A new password was asked for"):
        may_keep_accounts(by).or_refuse()
        person = User.objects.select_for_update().get(pk=person.pk)
        if not person.is_active or not person.email:
            raise ValidationError(phrase("{} has no account, or no email address for a link.", person))
        if not address_for(person):
            counts = clock.moment_in_words(person.address_changed_at + cooling_off.LASTS)
            raise ValidationError(
                phrase("The email address of {} is new. A link can be sent to it from {}.", person, counts)
            )
        entries.record(EntryKind.PASSWORD_RESET_ASKED_FOR, person=person.full_name, person_id=person.pk)
        link = make(person, RESET, by=by)
    soon()
    return link


def hand_over(*, person: User, system: str) -> str:
    """Return a link's address for an operator to hand over. Raises ValidationError."""
    with acting(system=system, reason="A link to set a password was printed on the server"):
        if not person.is_active:
            raise ValidationError(
                phrase("The account of {} is deactivated. An admin can reactivate it.", person)
            )
        link = make(person, HANDED)
        entries.record(EntryKind.PASSWORD_LINK_HANDED_OVER, person=person.full_name, person_id=person.pk)
    return address_of(link)


def ask_reset(*, name: str) -> None:
    """Send a link to each account with this name or email address.

    The result is the same for unknown names, and all requests take the same way through the queue.
    """
    name = name.strip()
    known = User.objects.active().exclude(email="").filter(Q(login__iexact=name) | Q(email__iexact=name))
    # A person who only ever signed in with a provider gets no password by an email alone, nor one whose password would
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


def set_password(*, token: str, password: str, also: bool = False) -> User:
    """Set the password of the link's person, and end what the table of ways in ends, `also` what its box asks.

    Raises Conflict if the link was used or ended meanwhile.
    """
    link = find(token)
    if link is None:
        raise Conflict("This link was used or has expired.", "Ask for a new link on the sign-in page.")
    with acting(by=link.person, reason=f"Password set by a link ({link.get_purpose_display()})"):
        person = User.objects.select_for_update().get(pk=link.person_id)
        waits = _cool_off(person, link)
        used = PasswordLink.objects.open().filter(pk=link.pk).update(used_at=clock.now())
        if not used:
            raise Conflict("This link was used or has expired.", "Ask for a new link on the sign-in page.")
        go_on = change_password(person, password, how=link.get_purpose_display(), also=also)
        _tell_of_password(person, link, waits, go_on)
    throttling.forget(person.login, purpose=throttling.SIGN_IN)
    return person


def made_by_another(link: PasswordLink) -> bool:
    """Return True if an admin or the operator made the link for someone who has or had a password."""
    if link.purpose == HANDED:
        return True
    return link.purpose == RESET and link.made_by_id not in (None, link.person_id)


def _cool_off(person: User, link: PasswordLink) -> bool:
    """Bar the person from approving a higher stage for a day if others could use the link. Return if they could.

    Others could use a link that another person made, or one to an address that
    another person changed. The first password of an invited person is safe, unless the address was changed.
    """
    now, changed = clock.now(), person.address_changed_at
    waits = made_by_another(link) or changed is not None
    if waits:
        person.signs_from = max(filter(None, (person.signs_from, now + cooling_off.LASTS)))
    if changed is not None and changed + cooling_off.LASTS <= now:
        person.address_changed_at = None
    return waits


def _tell_of_password(person: User, link: PasswordLink, waits: bool, go_on: str) -> None:
    if waits or link.purpose != INVITATION:
        until = f" You cannot approve a higher stage before {clock.moment_in_words(person.signs_from)}."
        account_notifications.tell(
            person,
            f"link:{link.pk}",
            subject=f"Your password was set by a link ({link.get_purpose_display()})",
            text=f"Every browser was signed out.{until if waits else ''} {go_on}".strip(),
        )


def change_password(
    person: User, password: str, *, how: str, keep: str | None = None, also: bool = False
) -> Phrase:
    """Set the password in the running act, and end what the table of ways in ends. Return what goes on.

    Raises ValidationError for a password that is not good enough, for every page and program.
    """
    validate_password(password, person)
    person.set_password(password)
    person.save()
    go_on = ways_in.take(
        person, EntryKind.PASSWORD_SET, by=person, reason="The password was set", keep=keep, also=also
    )
    entries.record(EntryKind.PASSWORD_SET, person=person.full_name, person_id=person.pk, how=how)
    if keep is not None:
        account_notifications.tell(
            person,
            f"password:{person.pk}",
            subject="Your password was changed",
            text=(
                "Someone changed the password on the page of your account, and every other browser was "
                f"signed out. {go_on} If that was not you, ask for a link to choose a new password on the sign-in "
                "page, and tell an admin."
            ),
        )
    return go_on


# --- The mails -----------------------------------------------------------------------------------------------


def soon() -> None:
    """Have the emails sent after the running act commits, even if the queue is down now."""
    after_commit("governance.tasks.mail_links")


def mail_waiting() -> int:
    """Send the links that no email has carried yet, once each. Return the number sent."""
    sent = in_a_row = 0
    rows = PasswordLink.objects.unmailed().filter(outbox.free()).exclude(outbox.given_up())
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
    """Send the email of a claimed link. Return False if that failed (`outbox.attempt`)."""
    return outbox.attempt(link, lambda: compose(link))


def compose(link: PasswordLink) -> EmailMultiAlternatives | None:
    """Return the email of a link to the valid address, or None without an address."""
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
