"""Query sets of the initiatives that a person may open, today and looking back."""

from functools import cache

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Concat

from governance import clock
from governance.database.batch_read import Given, words_of
from governance.database.request_memo import once
from governance.models import Delegation, Unit, User
from governance.people.boards import seats_held, units_of_board
from governance.permission_result import Answer, no, yes
from governance.transparency_log import as_of
from governance.vocabulary import ObligationKind, Role, Seat
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access.roles_and_seats import is_owner, roles_of, sits_on_board
from initiatives.models import (
    Condition,
    Gap,
    Handover,
    Initiative,
    Link,
    Obligation,
    RoleAssignment,
    ServiceAccount,
)

# Obligations of owners of systems and accounts, who complete them on pages that open nothing else of the initiative.
COMPLETED_ELSEWHERE = (ObligationKind.FEED, "service_account", ObligationKind.UNKNOWN)
_ever_owned = RoleAssignment.objects.filter(
    initiative=OuterRef("pk"), role=Role.OWNER, accepted_at__isnull=False
)


def visible_to(person: User) -> QuerySet:
    """Return the initiatives this person may open (docs/domain.md, "Who may": read). Others get 404.

    A role opens the initiative from its proposal until it ends or is withdrawn, because the rulebook names no time
    after that. The person who registered it opens it until someone accepted to own it. A person with an open obligation
    reads the initiative until the obligation is completed. On another day, the initiatives are those that the person
    could open before turning back.
    """
    # A look builds the query once.
    return once(("visible", person.pk), lambda: _visible_to(person)).all()


def _visible_to(person: User) -> QuerySet:
    initiatives = Initiative.objects.all()
    opened = as_of.opened()
    if opened is not None:
        return initiatives if opened.initiatives is None else initiatives.filter(pk__in=opened.initiatives)
    if not person.is_active:
        return initiatives.none()
    if person.is_admin or person.is_auditor or person.is_privacy_officer:
        return initiatives
    # Two queries rather than one with "or": each finds its few roles by person, however many there are.
    roles = RoleAssignment.objects.open()
    lent = roles.filter(person__in=stood_in_for(person), accepted_at__isnull=False)
    own = Q(pk__in=roles.filter(person=person).values("initiative")) | Q(pk__in=lent.values("initiative"))
    own |= Q(registered_by=person) & ~Q(Exists(_ever_owned))
    own |= Q(pk__in=with_obligations_of(person))
    seen = own
    if person.unit_id:
        top = Unit.objects.filter(pk=person.unit_id).values("path")
        below = Unit.objects.filter(path__startswith=top).order_by().values("pk")
        seen |= Q(unit__in=below, confidential=False)
    for board in {member.board for member in seats_held(person)}:
        seen |= Q(unit__in=units_of_board(board))
    return initiatives.filter(seen)


def with_obligations_of(person: User) -> RawSQL:
    """Return the keys of initiatives on which the person still has something to do.

    They have an obligation, condition, gap or pending handover, which counts for both sides. The SQL text is made
    once, because every page of an initiative needs it.
    """
    words = _open_obligations()
    return RawSQL(words, [person.pk] * words.count("%s"))


@cache
def _open_obligations() -> str:
    person, asked = Given("person"), Handover.objects.waiting()
    queries = [
        Obligation.objects.open()
        .filter(responsible=person)
        .exclude(kind__in=COMPLETED_ELSEWHERE)
        .values("initiative"),
        Condition.objects.filter(owner=person, met_at__isnull=True).values("review__initiative"),
        Gap.objects.filter(owner=person, closed_at__isnull=True).values("initiative"),
        asked.filter(person=person).values("initiative"),
        asked.filter(successor=person).values("initiative"),
    ]
    return " UNION ALL ".join(map(words_of, queries)).replace("%(person)s", "%s")


def openable(person: User, refs: set[str]) -> set[str]:
    """Return those of these references whose initiatives the person may open now."""
    if not refs - {""}:
        return set()
    found = visible_to(person).filter(pk__in=Initiative.objects.with_refs(refs).order_by().values("pk"))
    return {Initiative.ref_of(number) for number in found.order_by().values_list("number", flat=True)}


def stood_in_for(person: User) -> QuerySet:
    """Return a query of keys of the people for whose roles the person stands in."""
    return (
        Delegation.objects.agreed()
        .for_roles()
        .at(clock.now())
        .filter(delegate=person)
        .values("absence__person")
    )


def accounts_seen_by(person: User) -> QuerySet[ServiceAccount]:
    """Return the service accounts that a person may see.

    They are of systems tied to the person's initiatives or boards, of systems that the person, or one they stand in
    for, owns, and of unlinked systems that the person described. The person also sees accounts that they own or have
    to close. Admins, auditors and the architecture seat see all accounts.
    """
    rows = ServiceAccount.objects.all()
    if not person.is_active:
        return rows.none()
    seats = seats_held(person)
    if (
        person.is_admin
        or person.is_auditor
        or any(one.seat == Seat.ARCHITECTURE_INTEGRATION for one in seats)
    ):
        return rows
    behind = stood_in_for(person)
    roles = RoleAssignment.objects.in_force().filter(Q(person=person) | Q(person__in=behind))
    owned = RoleAssignment.objects.filter(role=Role.OWNER, accepted_at__isnull=False)
    near = Q(initiative__in=roles.values("initiative"))
    near |= Q(initiative__registered_by=person) & ~Q(initiative__in=owned.values("initiative"))
    for board in {member.board for member in seats}:
        near |= Q(initiative__unit__in=units_of_board(board))
    tied = Link.objects.current().filter(near).values("system")
    open_obligations = Obligation.objects.open().filter(
        kind=ObligationKind.SERVICE_ACCOUNT,
        responsible=person,
        source=Concat(Value("account:"), Cast(OuterRef("pk"), TextField())),
    )
    seen = Q(owner=person) | Q(system__owner=person) | Q(system__owner__in=behind)
    seen |= Q(system__in=tied) | Q(system__collection__in=tied)
    seen |= Q(system__described_by=person) & ~Q(system__in=Link.objects.current().values("system"))
    return rows.filter(seen | Exists(open_obligations))


def past_visible_to(person: User) -> QuerySet:
    """Return the initiatives this person may look back at (docs/domain.md, "Who may").

    They are the person's own and those of their boards. Auditors may look back at all.
    """
    initiatives = visible_to(person)
    if person.is_auditor:
        return initiatives
    owned = RoleAssignment.objects.filter(role=Role.OWNER, accepted_at__isnull=False)
    mine = Q(pk__in=owned.in_force().filter(person=person).values("initiative"))
    mine |= Q(registered_by=person) & ~Q(pk__in=owned.values("initiative"))
    for board in {member.board for member in seats_held(person)}:
        mine |= Q(unit__in=units_of_board(board))
    return initiatives.filter(mine)


def may_look_back(initiative: Initiative, person: User) -> Answer:
    """Allow the owner, the board and auditors to see the initiative on another day."""
    if person.is_active and (
        person.is_auditor or is_owner(initiative, person) or sits_on_board(initiative, person)
    ):
        return yes()
    return no("Only the owner, the board and auditors can see earlier days.", "Ask the owner or an auditor.")


def may_look_back_anywhere(person: User) -> Answer:
    """Allow auditors, board members and owners to see the portfolio on another day."""
    if person.is_active and (person.is_auditor or seats_held(person) or past_visible_to(person).exists()):
        return yes()
    return no("Only owners, boards and auditors can see earlier days.", "Ask an auditor.")


def may_see(initiative: Initiative, person: User) -> bool:
    """Return True if the person may open the initiative."""
    return visible_to(person).filter(pk=initiative.pk).exists()


def may_open_file(initiative: Initiative, person: User) -> Answer:
    """Allow readers to open evidence. Admins and privacy officers need a part in the initiative."""
    if not may_see(initiative, person):
        return no("You do not have permission to see this initiative.")
    marked = person.is_admin or (person.is_privacy_officer and not person.is_auditor)
    if marked and not (roles_of(initiative, person) or sits_on_board(initiative, person)):
        who = "Admins" if person.is_admin else "Privacy officers"
        return no(phrase("{} cannot read evidence.", who), "Ask the owner or an auditor.")
    return yes()


def may_read_decision_requests(initiative: Initiative, person: User) -> Answer:
    """Allow readers of evidence files to read the requests of systems. Requests name their subjects."""
    if may_open_file(initiative, person):
        return yes()
    return no("Admins cannot read the requests of systems.", "Ask the owner or an auditor.")
