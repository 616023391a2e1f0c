"""The readers of messages about an initiative: one rule for the messages of acts and for reminders.

Only a person who may open the initiative now gets a message. A delegate gets it only for what was lent, while the loan
lasts: a seat of the board that decides now, or the roles that the absent person holds on the initiative. Otherwise the
message remains with the person. If no one is left for a message that asks for an act, the admins get it.
`governance.notifications.notify.readable` checks access again when a message is shown or mailed.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace

from governance import clock
from governance.database.request_memo import one_look
from governance.models import Absence, User
from governance.notifications.due import Due
from governance.notifications.notify import notify
from governance.people.boards import board_for, members_now, read_seats, seat_holders
from governance.vocabulary import BoardRole
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access.visibility import may_see, openable
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.reminders.wording import NEWS, subject
from initiatives.models import Initiative, RoleAssignment

CHAIRS = (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR)


def readers(
    initiative: Initiative,
    people: Iterable[User | None],
    *,
    seat: str = "",
    roles: list[RoleAssignment] | None = None,
) -> list[User]:
    """Return who gets a message for these people, each once: they and their delegates.

    With `seat`, the message is for the holders of this seat of the deciding board. `roles` are those of the initiative,
    if they are read already. Acts use this function: their messages come once, so an absent person gets them too.
    """
    if seat in CHAIRS:  # who decides now sits on the board, and lends no seat
        return list(dict.fromkeys(person for person in people if person is not None and person.is_active))
    roles = initiative_rows.roles(initiative) if roles is None else roles
    told = {
        person.pk: person
        for wanted in people
        if wanted is not None
        for person in (wanted, *delegates(initiative, wanted, roles, seat=seat))
    }
    return [person for person in told.values() if person.is_active and _opens(initiative, person, roles)]


def delegates(
    initiative: Initiative, person: User, roles: list[RoleAssignment], *, seat: str = ""
) -> list[User]:
    """Return the person's present delegates: in this seat of the deciding board, or in these roles."""
    if seat:
        return [
            member.person
            for member in seat_holders(members_now(board_for(initiative.unit)), seat)
            if member.delegate_of_id is not None
            and member.delegate_of.person_id == person.pk
            and member.person.is_active
        ]
    held = [row for row in roles if row.person_id == person.pk]
    keys = {key for row in held for key in initiative_rows.standing_in(row)}
    return list(User.objects.active().filter(pk__in=keys)) if keys else []


def _opens(initiative: Initiative, person: User, roles: list[RoleAssignment]) -> bool:
    """Return True if the person may open the initiative. A role answers without a query."""
    return any(row.open and row.person_id == person.pk for row in roles) or may_see(initiative, person)


def tell(
    initiative: Initiative,
    people: Iterable[User | None],
    kind: str,
    object_key: str,
    words: str,
    *,
    seat: str = "",
    roles: list[RoleAssignment] | None = None,
    but: User | None = None,
    **more,
) -> None:
    """Write one message about the initiative to `readers` of these people, inside the running act.

    `words` follow its reference and title in the subject. `but` is the acting person, who gets no message. `more` has
    further arguments of `notify`.
    """
    told = readers(initiative, people, seat=seat, roles=roles)
    if not told and kind not in NEWS:
        told = admins()
    notify(
        [person for person in told if but is None or person.pk != but.pk],
        kind,
        object_key,
        subject=subject(initiative, words),
        initiative_ref=initiative.ref,
        **more,
    )


def tell_outside(
    initiative: Initiative, people: User | Iterable[User], kind: str, object_key: str, words: str, **more
) -> None:
    """Write a message to people who need not be able to open the initiative, now or later.

    It names the initiative by its reference alone. Kinds of this sort: a dependant whose initiative is held or fails,
    and a person who handed over.
    """
    notify(people, kind, object_key, subject=f"{initiative.ref}: {words}", **more)


def admins() -> list[User]:
    """Return everyone who administers this installation."""
    return list(User.objects.active().filter(is_admin=True).order_by("pk"))


def redirected(dues: list[Due]) -> list[Due]:
    """Return these reminders for the people who get them.

    A delegate gets a reminder in the place of the person, because it is found again once the person is back.
    """
    with one_look():
        dues = _for_delegates(dues)
        about: dict[User, set[str]] = defaultdict(set)
        for due in dues:
            about[due.person].add(due.initiative_ref)
        read_seats(about)
        opened = {person.pk: openable(person, refs) | {""} for person, refs in about.items()}
    kept = [due for due in dues if due.initiative_ref in opened[due.person.pk]]
    told = {(due.kind, due.object_key) for due in kept}
    lost = {(due.kind, due.object_key): due for due in dues if (due.kind, due.object_key) not in told}
    return [*kept, *_for_admins(lost.values())]


def _for_delegates(dues: list[Due]) -> list[Due]:
    """Return these reminders, those of absent people for the delegates of what the reminder is about."""
    away = set(Absence.objects.at(clock.now()).values_list("person", flat=True))
    refs = {due.initiative_ref for due in dues if due.person.pk in away and not due.personal} - {""}
    initiatives = {one.ref: one for one in Initiative.objects.with_refs(refs).select_related("unit")}
    roles = initiative_rows.roles_of_each([one.pk for one in initiatives.values()])
    found = []
    for due in dues:
        one = initiatives.get(due.initiative_ref) if due.person.pk in away and not due.personal else None
        stood = delegates(one, due.person, roles.get(one.pk, []), seat=due.seat) if one else []
        whose = phrase("You are the deputy of {}, who is away. ", due.person)
        text = f"{whose}{due.text}".strip()
        found += [replace(due, person=person, text=text) for person in stood] or [due]
    return found


def _for_admins(dues: Collection[Due]) -> list[Due]:
    """Return these reminders for the admins, because no one else may open the initiative."""
    why = phrase("You receive this because no one who can act may open the initiative.")
    told = admins() if dues else []
    return [replace(due, person=one, text=f"{due.text} {why}".strip()) for due in dues for one in told]
