"""Acts on intake: a unit's link, requests by people without an account, answers.

No act here makes an account or writes to anyone by itself. An email address of a public form is unproven until an admin
invites its owner.
"""

from datetime import date, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q

from governance import clock
from governance.audit_log import entries
from governance.models import LegalHold, Unit, User
from governance.organisation.actions import add_person, open_to_own
from governance.people.permissions import may_keep_accounts
from governance.permission_result import Conflict, no
from governance.sign_in import password_links
from governance.vocabulary import IntakeState, Invitation
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative, IntakeLink, IntakeRequest, IntakeSender
from initiatives.portfolio.intake import permissions as intake_permissions
from initiatives.portfolio.registration import actions as registration_actions

FORM = "intake form"
LONGEST = {"name": 120, "email": 254, "problem": 2000, "users": 500, "hurts": 1000}  # letters of each field
LONGEST_DAYS = 366  # that a link is open
KEPT_DAYS = 90  # how long a sender is known after the answer; the form says so
KEPT_UNANSWERED_DAYS = 366


def make_link(*, unit: Unit, until: date, by: User) -> IntakeLink:
    """Make the intake link of a unit. An earlier link ends at once.

    `until` is the last day of the link. Raises ValidationError by field, Refused.
    """
    wrong = {}
    if not clock.today() <= until <= clock.today() + timedelta(days=LONGEST_DAYS):
        wrong["until"] = f"Choose a day from today to {LONGEST_DAYS} days ahead."
    if intake_permissions.chair_of(unit) is None:
        wrong["unit"] = f"{unit} has no chair who could answer. Fill the seat, or choose another unit."
    if wrong:
        raise ValidationError(wrong)
    open_to_own(unit, "unit")
    with act("make intake link", by=by, reason="Intake link made"):
        intake_permissions.may_open(unit, by).or_refuse()
        unit = Unit.objects.select_for_update().get(pk=unit.pk)
        for before in IntakeLink.objects.not_ended().filter(unit=unit):
            _end(before, by)
        row = IntakeLink(unit=unit, until=until, made_by=by, made_at=clock.now())
        row.save()
        entries.record(EntryKind.INTAKE_LINK_MADE, unit=unit.name, link=row.pk, until=until.isoformat())
    return row


def close_link(*, link: IntakeLink, by: User) -> IntakeLink:
    """Switch an intake link off. Its requests stay. Raises Refused, Conflict."""
    with act("close intake link", by=by, reason="Intake link closed"):
        intake_permissions.may_open(link.unit, by).or_refuse()
        row = IntakeLink.objects.select_for_update(of=("self",)).select_related("unit").get(pk=link.pk)
        if row.ended_at is not None:
            raise Conflict("This intake link was switched off already.")
        _end(row, by)
    return row


def _end(row: IntakeLink, by: User) -> None:
    row.ended_at, row.ended_by = clock.now(), by
    row.save()
    entries.record(EntryKind.INTAKE_LINK_CLOSED, unit=row.unit.name, link=row.pk)


def receive(
    *,
    link: IntakeLink,
    name: str,
    email: str,
    problem: str,
    users: str,
    hurts: str = "",
    once: UUID | None = None,
) -> IntakeRequest:
    """Save a request that someone wrote by a link, without a login or an account.

    No one is written to. A form sent again with the same `once` is one request. Raises Refused after the link has
    ended, and ValidationError by field.
    """
    said = {
        key: text.strip()
        for key, text in (
            ("name", name),
            ("email", email),
            ("problem", problem),
            ("users", users),
            ("hurts", hurts),
        )
    }
    wrong = {key: "Please fill this in." for key, text in said.items() if not text and key != "hurts"}
    wrong |= {
        key: f"The text has {len(text)} letters. Use at most {LONGEST[key]} letters."
        for key, text in said.items()
        if len(text) > LONGEST[key]
    }
    if wrong:
        raise ValidationError(wrong)
    with act("receive intake", system=FORM):
        there = IntakeLink.objects.open_on(clock.today()).select_for_update(of=("self",)).filter(pk=link.pk)
        link = there.select_related("unit").first()
        if link is None:
            no(
                "This link is switched off.", "Ask the person who gave you the link for a new link."
            ).or_refuse()
        known = IntakeRequest.objects.filter(once=once).first() if once else None
        if known is not None:
            return known
        row = IntakeRequest(
            link=link,
            unit=link.unit,
            problem=said["problem"],
            users=said["users"],
            hurts=said["hurts"],
            received_at=clock.now(),
            once=once,
        )
        row.save()
        IntakeSender.objects.create(request=row, name=said["name"], email=said["email"])
        entries.record(EntryKind.INTAKE_RECEIVED, unit=link.unit.name, request=row.pk)
    return row


def problem_of(request: IntakeRequest) -> str:
    """Return the sender's words as the problem of the initiative made of them."""
    said = (request.problem, f"Who would use it: {request.users}")
    hurts = f"Effects today: {request.hurts}" if request.hurts else ""
    return "\n\n".join(filter(None, (*said, hurts)))


def unit_now(unit: Unit) -> Unit:
    """Return the unit, or the one that it was merged into."""
    while unit.merged_into is not None:
        unit = unit.merged_into
    return unit


def make_idea(*, request: IntakeRequest, title: str, owner: User, invite: bool, by: User) -> Initiative:
    """Register an idea with the sender's words as its problem, as the chair.

    The chair names the owner. `invite`: ask admins to invite the sender. Raises ValidationError by field, Refused,
    Conflict.
    """
    with act("make idea of intake", by=by, reason="Came by the intake link"):
        row = _waiting(request, by)
        initiative = registration_actions.register(
            title=title, unit=unit_now(row.unit), problem=problem_of(row), owner=owner, by=by
        )
        row.initiative, row.state = initiative, IntakeState.IDEA
        if invite and IntakeSender.objects.filter(request=row).exists():
            row.invitation = Invitation.ASKED
        _decide(row, by)
        entries.record(
            EntryKind.INTAKE_BECAME_IDEA,
            initiative=initiative,
            request=row.pk,
            unit=row.unit.name,
            invitation=row.invitation == Invitation.ASKED,
        )
    return initiative


def decline(*, request: IntakeRequest, reason: str, by: User) -> IntakeRequest:
    """Decline a request, as the chair, with a reason. The sender is not written to. Raises as `make_idea`."""
    if not reason.strip():
        raise ValidationError({"reason": "Give a reason, for people who ask about it later."})
    with act("decline intake", by=by, reason=reason):
        row = _waiting(request, by)
        row.state, row.reason = IntakeState.DECLINED, reason.strip()
        _decide(row, by)
        entries.record(EntryKind.INTAKE_DECLINED, request=row.pk, unit=row.unit.name, why=row.reason)
    return row


def _locked(request: IntakeRequest) -> IntakeRequest:
    rows = IntakeRequest.objects.select_for_update(of=("self",)).select_related("unit", "decided_by")
    return rows.get(pk=request.pk)


def _waiting(request: IntakeRequest, by: User) -> IntakeRequest:
    """Return the request, read after the lock, while it has no answer."""
    row = _locked(request)
    if row.state != IntakeState.WAITING:
        raise Conflict(
            phrase("{} answered this request already.", row.decided_by),
            "Read the outcome.",
            row.get_absolute_url(),
        )
    intake_permissions.may_answer(row, by).or_refuse()
    return row


def _decide(row: IntakeRequest, by: User) -> None:
    row.decided_by, row.decided_at = by, clock.now()
    row.save()


# The sender


def invite_sender(*, request: IntakeRequest, login: str, full_name: str, unit: Unit | None, by: User) -> User:
    """Add an account for the sender and invite them by email. Raises as `add_person`."""
    with act("invite intake sender", by=by, reason="Invited by the intake link"):
        row = _to_invite(request, by)
        known = account_of(row.sender)
        if known is not None:
            raise ValidationError(
                {"login": phrase("{} already has an account with this address. Choose another login.", known)}
            )
        person = add_person(
            login=login.strip(), full_name=full_name.strip(), email=row.sender.email, unit=unit, by=by
        )
        password_links.invite(people=[person], by=by)
        row.invitation = Invitation.INVITED
        row.save()
        entries.record(EntryKind.INTAKE_SENDER_INVITED, request=row.pk, person=full_name, person_id=person.pk)
    return person


def leave_sender(*, request: IntakeRequest, reason: str, by: User) -> IntakeRequest:
    """Do not invite the sender, as an admin, with a reason."""
    if not reason.strip():
        raise ValidationError({"reason": "Give a reason for the chair who asked."})
    with act("leave intake sender", by=by, reason=reason):
        row = _to_invite(request, by)
        row.invitation = Invitation.LEFT
        row.save()
        entries.record(EntryKind.INTAKE_SENDER_NOT_INVITED, request=row.pk, why=reason.strip())
    return row


def _to_invite(request: IntakeRequest, by: User) -> IntakeRequest:
    may_keep_accounts(by).or_refuse()
    row = _locked(request)
    if row.invitation != Invitation.ASKED:
        raise Conflict("This invitation is answered already.", "Read the outcome.", row.get_absolute_url())
    return row


def account_of(sender: IntakeSender) -> User | None:
    """Return the active person with the sender's email address. Ownership is unproven."""
    return User.objects.active().filter(email__iexact=sender.email).first()


def remove_sender(*, request: IntakeRequest, by: User) -> IntakeRequest:
    """Delete the sender of a request, as one of its readers."""
    with act("remove intake sender", by=by, reason="Sender removed"):
        if not intake_permissions.requests_for(by).filter(pk=request.pk).exists():
            no(
                "Only the chair of the board and admins can do this.", "Ask the chair or an admin."
            ).or_refuse()
        row = _locked(request)
        if row.invitation == Invitation.ASKED:
            no(
                "An admin was asked to invite the sender.", "Ask an admin to answer the request first."
            ).or_refuse()
        gone, _ = IntakeSender.objects.filter(request=row).delete()
        if not gone:
            raise Conflict("The name and the address are deleted already.", link=row.get_absolute_url())
        entries.record(EntryKind.INTAKE_SENDER_REMOVED, request=row.pk)
    return row


def forget_senders() -> int:
    """Delete senders some time after their answer, as the form promises. Return how many.

    An unanswered one is deleted later. The sender stays while an invitation waits, or a legal hold is on the
    initiative. Safe to repeat.
    """
    now = clock.now()
    held = [
        int(ref.removeprefix("AI-"))
        for ref in LegalHold.objects.open()
        .exclude(initiative_ref="")
        .values_list("initiative_ref", flat=True)
    ]
    old = Q(request__decided_at__lte=now - timedelta(days=KEPT_DAYS))
    old |= Q(request__received_at__lte=now - timedelta(days=KEPT_UNANSWERED_DAYS))
    rows = IntakeSender.objects.filter(old).exclude(request__invitation=Invitation.ASKED)
    return rows.exclude(request__initiative__number__in=held).delete()[0]
