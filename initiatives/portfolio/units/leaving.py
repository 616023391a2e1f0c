"""Departures: roles, seats and loans end, systems lose their owner, and evidence follows."""

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.identity import ways_in
from governance.models import Delegation, Membership, User
from governance.notifications.notify import notify
from governance.people import boards
from governance.people.permissions import may_cease_as_admin, may_end_seat
from governance.permission_result import ended, no
from governance.vocabulary import ReviewOutcome, Role
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contracts.enforcement import system_keys
from initiatives.integration.resilience.process_actions import knowledge_leaves, resting_on
from initiatives.integration.systems.actions import initiatives_of_owner, owner_left
from initiatives.lifecycle.findings.sync import follow, lock_initiatives
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.lifecycle.reminders.telling import tell
from initiatives.lifecycle.reminders.wording import days_of
from initiatives.lifecycle.roles.actions import leave_vacancy
from initiatives.models import Initiative, Review, RoleAssignment
from initiatives.portfolio.units import decision_gaps


def deactivate(*, person: User, reason: str, by: User | None = None, system: str = "") -> User:
    """Deactivate an account: its roles, seats, loans and sessions end at once.

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
        keyed = {key.contract.initiative.pk for key in system_keys.keys_of(person)}
        locked = Initiative.objects.all_locked(initiatives | tied | resting | keyed)
        left = []
        for initiative in locked:
            for assignment in initiative.roles.open().filter(person=person):
                assignment.ended_at = clock.now()
                assignment.ended_reason = f"{person.full_name} left: {reason.strip()}"
                assignment.save()
                entries.record(
                    EntryKind.ROLE_ENDED, initiative=initiative, role=assignment.role, person=person.full_name
                )
                left.append((initiative, assignment))
        may_cease_as_admin(person).or_refuse()
        person = User.objects.select_for_update().get(pk=person.pk)
        person.is_active = False
        person.save()
        end_loans(person, f"The account of {person} was deactivated")
        seats = end_seats(person.memberships)
        gone = f"The account of the owner was deactivated: {reason.strip()}"
        ways_in.take(person, EntryKind.ACCOUNT_DEACTIVATED, by=by, reason=gone)
        entries.record(
            EntryKind.ACCOUNT_DEACTIVATED, person=person.full_name, person_id=person.pk, login=person.login
        )
        for initiative, assignment in left:
            leave_vacancy(initiative, assignment)
        owner_left(person, [initiative for initiative in locked if initiative.pk in tied], by=by)
        knowledge_leaves(person, [initiative for initiative in locked if initiative.pk in resting], by=by)
        for initiative in locked:
            rewrite_supported_stage(initiative)
        system_keys.principal_left(person)
        decision_gaps.tell_at_once(decision_gaps.boards_chaired(seats))
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
        system_keys.principal_back(person)
        follow(lock_initiatives(initiatives_of_owner(person) | resting_on(person)))
    return person


def revoke_membership(*, membership: Membership, reason: str, by: User) -> Membership:
    """Revoke a seat now, as an admin or its holder. Its sign-offs no longer count in open reviews."""
    with act("revoke membership", by=by, reason=reason):
        may_end_seat(membership, by).or_refuse()
        membership = Membership.objects.select_for_update().get(pk=membership.pk)
        end_seat(membership)
        decision_gaps.tell_at_once(decision_gaps.boards_chaired([membership]))
    return membership


def end_seats(memberships) -> list[Membership]:
    """End these seats now, inside the running act, as far as they have not ended. Return the ended ones."""
    rows = list(memberships.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=clock.now())))
    for membership in rows:
        end_seat(membership)
    return rows


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
    for row in _open_loans().filter(Q(membership=membership) | Q(stands=membership)):
        _take_back(row, f"The seat of {membership.person} ended")


def end_loan(row: Delegation, reason: str) -> None:
    """End a delegation and its seat, inside the running act. No message is sent."""
    row.ended_at, row.ended_reason = clock.now(), reason
    row.save()
    if row.stands is not None:
        end_seat(row.stands)


def end_loans(person: User, reason: str) -> None:
    """End what the person stands in for, and what others stand in for the person, in the running act."""
    for row in _open_loans().filter(Q(delegate=person) | Q(absence__person=person)):
        _take_back(row, reason)


def tell_owners(row: Delegation) -> None:
    """Notify other owners that no one acts in place of the absent person."""
    away = row.absence.person
    for initiative, owner in _owners_of(row):
        if owner.pk != away.pk:
            tell(
                initiative,
                [owner],
                "loan ended",
                f"delegation:{row.pk}:{initiative.ref}",
                f"no one stands in for {away}",
                text=(
                    f"{away} is away {days_of(row.absence)}. {row.delegate} no longer stands in for {row.what}. "
                    f"Ask {away} to name someone else."
                ),
                link=initiative.get_absolute_url(),
            )


def _open_loans():
    return (
        Delegation.objects.filter(ended_at__isnull=True, absence__ends_at__gt=clock.now())
        .select_related("absence__person", "delegate", "membership__board", "stands__board", "stands__person")
        .order_by("pk")
    )


def _take_back(row: Delegation, reason: str) -> None:
    """End a loan that neither side ended. Notify both sides, and the owners if it was accepted."""
    end_loan(row, reason)
    away = row.absence.person
    entries.record(
        EntryKind.DELEGATION_ENDED,
        absence=row.absence_id,
        delegate=row.delegate.full_name,
        person=away.full_name,
        what=row.what,
    )
    notify(
        away,
        "delegate answered",
        f"delegation:{row.pk}",
        period="ended",
        subject=f"{row.delegate} does not stand in for you {days_of(row.absence)}",
        text=f"No one stands in for {row.what} now. {ended(reason)}",
        link=reverse("away"),
    )
    notify(
        row.delegate,
        "loan ended",
        f"delegation:{row.pk}",
        subject=f"You do not stand in for {away} {days_of(row.absence)}",
        text=f"You are no longer asked for {row.what}. {ended(reason)}",
        link=reverse("away"),
    )
    if row.accepted_at is not None:
        tell_owners(row)


def _owners_of(row: Delegation) -> list[tuple[Initiative, User]]:
    """Return the initiatives on which the loan counted, each with its accepted owner."""
    if row.membership is None:
        held = RoleAssignment.objects.in_force().filter(person=row.absence.person)
        concerned = Initiative.objects.live().filter(pk__in=held.values("initiative"))
    else:
        reviews = Review.objects.filter(
            outcome=ReviewOutcome.OPEN,
            initiative__unit__in=boards.units_of_board(row.membership.board),
        )
        asked = [one.initiative_id for one in reviews if row.membership.seat in _seats_asked(one)]
        concerned = Initiative.objects.filter(pk__in=asked)
    owners = RoleAssignment.objects.in_force().filter(role=Role.OWNER, initiative__in=concerned)
    return [
        (owner.initiative, owner.person)
        for owner in owners.select_related("initiative", "person").order_by("initiative")
    ]


def _seats_asked(review: Review) -> tuple[str, ...]:
    return review.parsed_rulebook.gates[review.gate].seats
