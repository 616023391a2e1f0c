"""Departures: roles and seats end, systems lose their owner, and evidence follows."""

from django.core.exceptions import ValidationError
from django.db.models import Q

from governance import clock
from governance.api_tokens.actions import end_tokens
from governance.audit_log import entries
from governance.models import Membership, User
from governance.notifications import preferences
from governance.people.permissions import may_cease_as_admin
from governance.permission_result import no
from governance.sign_in import password_links, sessions
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.integration.resilience.process_actions import knowledge_leaves, resting_on
from initiatives.integration.systems.actions import initiatives_of_owner, owner_left
from initiatives.lifecycle.findings.sync import follow, lock_initiatives
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.lifecycle.roles.actions import leave_vacancy
from initiatives.models import Initiative


def deactivate(*, person: User, reason: str, by: User | None = None, system: str = "") -> User:
    """Deactivate an account: its roles, seats and sessions end at once.

    An initiative without an owner goes on hold, and drafts stay. Knowledge that only the person had is reopened, and
    its evidence ends (S1-5). `by` is an admin, or `system` a feed such as HR. Initiatives are locked in key order.
    Raises Refused for the last admin.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Give the reason why the account is deactivated."})
    initiatives = set(person.roles.open().values_list("initiative_id", flat=True))
    with act("deactivate", by=by, system=system, reason=reason, register=True):
        if by is not None and not (by.is_active and by.is_admin):
            no("Only admins can deactivate accounts.").or_refuse()
        if by is not None and by.pk == person.pk:
            no("You cannot deactivate your own account.", "Ask another admin.").or_refuse()
        tied, resting = initiatives_of_owner(person), resting_on(person)
        locked = Initiative.objects.all_locked(initiatives | tied | resting)
        ended = []
        for initiative in locked:
            for assignment in initiative.roles.open().filter(person=person):
                assignment.ended_at = clock.now()
                assignment.ended_reason = f"{person.full_name} left: {reason.strip()}"
                assignment.save()
                entries.record(
                    EntryKind.ROLE_ENDED, initiative=initiative, role=assignment.role, person=person.full_name
                )
                ended.append((initiative, assignment))
        end_seats(person.memberships)
        may_cease_as_admin(person).or_refuse()
        person = User.objects.select_for_update().get(pk=person.pk)
        person.is_active = False
        person.save()
        sessions.end_all(person)
        password_links.end_all(person)
        end_tokens(person=person, reason=reason.strip(), by=by)
        preferences.revoke_calendar_address(person=person)
        entries.record(
            EntryKind.ACCOUNT_DEACTIVATED, person=person.full_name, person_id=person.pk, login=person.login
        )
        for initiative, assignment in ended:
            leave_vacancy(initiative, assignment)
        owner_left(person, [initiative for initiative in locked if initiative.pk in tied], by=by)
        knowledge_leaves(person, [initiative for initiative in locked if initiative.pk in resting], by=by)
        for initiative in locked:
            rewrite_supported_stage(initiative)
    return person


def reactivate(*, person: User, reason: str, by: User | None = None, system: str = "") -> User:
    """Reactivate an account without its roles and seats. Owned systems are owned again.

    `by` is an admin, or `system` the directory that keeps the account.
    """
    with act("reactivate", by=by, system=system, register=True, reason=reason):
        if by is not None and not (by.is_active and by.is_admin):
            no("Only admins can reactivate accounts.").or_refuse()
        person = User.objects.select_for_update().get(pk=person.pk)
        person.is_active = True
        person.save()
        entries.record(EntryKind.ACCOUNT_REACTIVATED, person=person.full_name, person_id=person.pk)
        follow(lock_initiatives(initiatives_of_owner(person) | resting_on(person)))
    return person


def revoke_membership(*, membership: Membership, reason: str, by: User) -> Membership:
    """Revoke a seat now, as an admin or its holder. Its sign-offs no longer count in open reviews."""
    with act("revoke membership", by=by, reason=reason):
        if not (by.is_active and (by.is_admin or by.pk == membership.person_id)):
            no("Only admins, or the person in the seat, can end a membership.").or_refuse()
        membership = Membership.objects.select_for_update().get(pk=membership.pk)
        end_seat(membership)
    return membership


def end_seats(memberships) -> None:
    """End these seats now, inside the running act, as far as they have not ended."""
    for membership in memberships.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=clock.now())):
        end_seat(membership)


def end_seat(membership: Membership) -> None:
    """Revoke a seat now, or before it begins, in the running act. An ended one stays."""
    if membership.ends_at is not None and membership.ends_at <= clock.now():
        return
    membership.ends_at = max(clock.now(), membership.starts_at)
    membership.save()
    entries.record(
        EntryKind.SEAT_LEFT,
        person=membership.person.full_name,
        person_id=membership.person_id,
        seat=membership.seat,
        board=membership.board.name,
    )
    # Whoever stands in during an absence does so for a seat that is held.
    for delegate in membership.delegates.filter(delegation__isnull=False):
        end_seat(delegate)
