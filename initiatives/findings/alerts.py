"""Alerts to everybody around a case: a hold, a failed drill, a step-back, a stop, a grace that is over.

Told are the chair, the owner, whoever depends on the case and the seats that it touches; whoever acts is told nothing
of their own doing. One event is one message to a person. Whoever cannot open the case is told in words alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from governance import clock
from governance.database import request_memo, row_history
from governance.models import Rulebook, User
from governance.notices import owe
from governance.people import boards
from governance.permission_result import ended
from governance.rulebook import Book
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import BoardRole, HoldKind, Role, Stage
from initiatives.access import permissions as case_permissions
from initiatives.access.signers import ever_owned
from initiatives.facts import case_rows
from initiatives.models import Dependant, Hold, Initiative

NAMED = 20  # cases named in one message about many
# Kinds whose desk line stands until the person has opened the message: there is nothing else to answer.
UNTIL_READ = ("case stopped", "stepped back")


@dataclass(frozen=True)
class Event:
    """What happened to one case, as it is told; `plain`: to those who depend on it and may not be able to open it.

    `key` and `period` make the message one and the same, however often it is owed.
    """

    case: Initiative
    kind: str
    key: str
    subject: str
    text: str
    plain: str
    link: str
    seats: frozenset[str]
    period: str = "once"


def affected_seats(book: Book, stage: str, requirements: Iterable[str] = ()) -> frozenset[str]:
    """The seats that something touches: those that sign for these requirements, else those of the stage's gate."""
    found = {seat for key in requirements for seat in book.seats_asking(key)}
    gate = book.gate_to(Stage.PROTOTYPE if stage == Stage.PROPOSED else stage)
    return frozenset(found or (gate.seats if gate else ()))


def depending(cases: Iterable[Initiative]) -> list[Dependant]:
    """Who depends on these cases: read before an act that ends it."""
    rows = Dependant.objects.filter(initiative__in=[case.pk for case in cases], ended_at__isnull=True)
    return list(rows.select_related("executive", "stated_by").order_by("pk"))


def readers(case: Initiative, seats: Iterable[str]) -> list[User]:
    """Who is told and can open the case: whoever decides on it, the chair, the owner, and who holds these seats."""
    members = boards.members_now(boards.board_for(case.unit))
    acting, _ = case_permissions.acting_chair(case, members)
    owner = case_permissions.accepted(case, Role.OWNER)
    found = [acting, owner.person if owner else None]
    if owner is None and not ever_owned(case):
        found.append(case.registered_by)
    found += [member.person for member in members if member.seat == BoardRole.CHAIR or member.seat in seats]
    return list({person.pk: person for person in found if person is not None and person.is_active}.values())


def tell(events: list[Event], dependants: list[Dependant] | None = None) -> None:
    """Owe these messages, of one kind, inside the running act. `dependants`: as they were, where the act ends them."""
    if not events:
        return
    acting = row_history.current().person
    with request_memo.afresh(), request_memo.one_look():
        if len(events) > 1:
            case_rows.read_together([event.case for event in events])
        people: dict[int, tuple[User, list[tuple[Event, str]]]] = {}
        of_case = {event.case.pk: event for event in events}
        for event in events:
            for person in readers(event.case, event.seats):
                people.setdefault(person.pk, (person, []))[1].append((event, ""))
        for row in dependants if dependants is not None else depending([event.case for event in events]):
            event, person = of_case[row.initiative_id], row.executive or row.stated_by
            mine = people.setdefault(person.pk, (person, []))[1]
            if not any(known is event for known, _ in mine):
                mine.append(
                    (
                        event,
                        "" if case_permissions.may_see(event.case, person) else words_for(row, event.plain),
                    )
                )
    for person, told in people.values():
        if acting is None or person.pk != acting.pk:
            _owe(person, told)


def words_for(row: Dependant, plain: str) -> str:
    """What somebody who depends on a case is told who may not be able to open it."""
    return f"{row.who} depends on it for {ended(row.process or row.for_what)} {plain}"


def _owe(person: User, told: list[tuple[Event, str]]) -> None:
    (first, plain), more = told[0], len(told) - 1
    cases = [event.case for event, _ in told]
    named = "; ".join(f"{case} ({Stage(case.stage).label})" for case in cases[:NAMED])
    besides = f"; and {len(cases) - NAMED} more" if len(cases) > NAMED else ""
    owe.owe(
        person,
        first.kind,
        first.key,
        period=f"{first.period}, {more} more" if more else first.period,
        subject=f"{first.subject}, and so are {more} more" if more else first.subject,
        text=f"{first.plain} {named}{besides}." if more else plain or first.text,
        link="/cases/?held=on" if more else "" if plain else first.link,
        case_ref="" if more else first.case.ref,
    )


def tell_holds(
    rows: list[Hold], *, requirements: dict[int, list[str]] | None = None, anew: bool = False
) -> None:
    """Holds that were opened; `requirements`: by key of a hold, what it is held against. `anew`: it stood already."""
    by_kind: dict[str, list[Event]] = {}
    book = Rulebook.objects.current().book if rows else None
    for row in rows:
        case, words = row.initiative, HoldKind(row.kind).label
        cap = HoldKind(row.kind).cap
        supported = f", and it is supported as {Stage(cap).label.lower()} at most" if cap else ""
        # The reminder of a vacancy begins with this very message: it is owed once.
        vacant = row.kind == "owner_vacant"
        event = Event(
            case,
            "owner vacant" if vacant else "held",
            f"hold:{row.pk}",
            f"{case}: held: {words[:1].lower()}{words[1:]}",
            f"{ended(row.reason)} While this stands, no review of it can be decided{supported}.",
            f"Held: {words[:1].lower()}{words[1:]}.",
            link_of(row),
            affected_seats(book.at_tier(case.tier), case.stage, (requirements or {}).get(row.pk, ())),
            period="after0d" if vacant else clock.now().isoformat() if anew else "opened",
        )
        by_kind.setdefault(row.kind, []).append(event)
    for events in by_kind.values():
        tell(events)


def link_of(hold: Hold) -> str:
    """Where what a hold is about is seen."""
    pages = {"residency": "integration-residency", "failed_drill": "integration-drills"}
    pages |= {"definition_conflict": "integration-definitions", "owner_vacant": "people"}
    return reverse(pages.get(hold.kind, "case"), args=[hold.initiative.ref])


def tell_end(
    case: Initiative, kind: str, was: str, reason: str, dependants: list[Dependant] | None = None
) -> None:
    """That a case stepped back or was stopped or retired: to those around the stage that it `was` in."""
    book = Rulebook.objects.current().book
    done = f"stepped back to {stage_word(case.stage)}" if kind == "stepped back" else f"was {case.stage}"
    event = Event(
        case,
        kind,
        f"stage:{case.pk}:{case.since.isoformat()}"[:80],
        f"{case}: it {done}",
        f"{stage_word(was)} until then. {ended(reason)}",
        f"It {done}. Go over to what was agreed for an outage, or ask its owner what still works.",
        case.get_absolute_url(),
        affected_seats(book.at_tier(case.tier), was),
    )
    tell([event], dependants)
