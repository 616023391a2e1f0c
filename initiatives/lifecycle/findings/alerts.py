"""Alerts to everybody around an initiative: a hold, a failed drill, a step-back, a stop, a grace that is over.

Told are the chair, the owner, whoever depends on the initiative and the seats that it touches; whoever acts is told
nothing of their own doing. One event is one message to a person. Whoever cannot open the initiative is told in words
alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from governance import clock
from governance.database import request_memo, row_history
from governance.models import Rulebook, User
from governance.notifications import notify
from governance.people import boards
from governance.permission_result import ended
from governance.rulebook import ParsedRulebook
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import BoardRole, HoldKind, Role, Stage
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.access.signers import ever_owned
from initiatives.lifecycle.facts import initiative_rows
from initiatives.models import Dependant, Hold, Initiative

NAMED = 20  # initiatives named in one message about many
# Kinds whose inbox line stands until the person has opened the message: there is nothing else to answer.
UNTIL_READ = ("initiative stopped", "stepped back")


@dataclass(frozen=True)
class Event:
    """What happened to one initiative, as it is told; `plain`: to those who depend on it and may not be able to open
    it.

    `key` and `period` make the message one and the same, however often it is due.
    """

    initiative: Initiative
    kind: str
    key: str
    subject: str
    text: str
    plain: str
    link: str
    seats: frozenset[str]
    period: str = "once"


def affected_seats(rulebook: ParsedRulebook, stage: str, requirements: Iterable[str] = ()) -> frozenset[str]:
    """The seats that something touches: those that sign for these requirements, else those of the stage's gate."""
    found = {seat for key in requirements for seat in rulebook.seats_asking(key)}
    gate = rulebook.gate_to(Stage.PROTOTYPE if stage == Stage.PROPOSED else stage)
    return frozenset(found or (gate.seats if gate else ()))


def depending(initiatives: Iterable[Initiative]) -> list[Dependant]:
    """Who depends on these initiatives: read before an act that ends it."""
    rows = Dependant.objects.filter(
        initiative__in=[initiative.pk for initiative in initiatives], ended_at__isnull=True
    )
    return list(rows.select_related("executive", "stated_by").order_by("pk"))


def readers(initiative: Initiative, seats: Iterable[str]) -> list[User]:
    """Who is told and can open the initiative: whoever decides on it, the chair, the owner, and who holds these
    seats.
    """
    members = boards.members_now(boards.board_for(initiative.unit))
    acting, _ = initiative_permissions.acting_chair(initiative, members)
    owner = initiative_permissions.accepted(initiative, Role.OWNER)
    found = [acting, owner.person if owner else None]
    if owner is None and not ever_owned(initiative):
        found.append(initiative.registered_by)
    found += [member.person for member in members if member.seat == BoardRole.CHAIR or member.seat in seats]
    return list({person.pk: person for person in found if person is not None and person.is_active}.values())


def tell(events: list[Event], dependants: list[Dependant] | None = None) -> None:
    """Write these messages, of one kind, inside the running act. `dependants`: as they were, where the act ends
    them.
    """
    if not events:
        return
    acting = row_history.current().person
    with request_memo.afresh(), request_memo.one_look():
        if len(events) > 1:
            initiative_rows.read_together([event.initiative for event in events])
        people: dict[int, tuple[User, list[tuple[Event, str]]]] = {}
        of_initiative = {event.initiative.pk: event for event in events}
        for event in events:
            for person in readers(event.initiative, event.seats):
                people.setdefault(person.pk, (person, []))[1].append((event, ""))
        for row in (
            dependants if dependants is not None else depending([event.initiative for event in events])
        ):
            event, person = of_initiative[row.initiative_id], row.executive or row.stated_by
            mine = people.setdefault(person.pk, (person, []))[1]
            if not any(known is event for known, _ in mine):
                mine.append(
                    (
                        event,
                        ""
                        if initiative_permissions.may_see(event.initiative, person)
                        else words_for(row, event.plain),
                    )
                )
    for person, told in people.values():
        if acting is None or person.pk != acting.pk:
            _notify(person, told)


def words_for(row: Dependant, plain: str) -> str:
    """What somebody who depends on an initiative is told who may not be able to open it."""
    return f"{row.who} depends on it for {ended(row.process or row.for_what)} {plain}"


def _notify(person: User, told: list[tuple[Event, str]]) -> None:
    (first, plain), more = told[0], len(told) - 1
    initiatives = [event.initiative for event, _ in told]
    named = "; ".join(f"{initiative} ({Stage(initiative.stage).label})" for initiative in initiatives[:NAMED])
    besides = f"; and {len(initiatives) - NAMED} more" if len(initiatives) > NAMED else ""
    notify.notify(
        person,
        first.kind,
        first.key,
        period=f"{first.period}, {more} more" if more else first.period,
        subject=f"{first.subject}, and so are {more} more" if more else first.subject,
        text=f"{first.plain} {named}{besides}." if more else plain or first.text,
        link="/initiatives/?held=on" if more else "" if plain else first.link,
        initiative_ref="" if more else first.initiative.ref,
    )


def tell_holds(
    rows: list[Hold], *, requirements: dict[int, list[str]] | None = None, anew: bool = False
) -> None:
    """Holds that were opened; `requirements`: by key of a hold, what it is held against. `anew`: it stood already."""
    by_kind: dict[str, list[Event]] = {}
    rulebook = Rulebook.objects.current().parsed if rows else None
    for row in rows:
        initiative, words = row.initiative, HoldKind(row.kind).label
        cap = HoldKind(row.kind).cap
        supported = f", and it is supported as {Stage(cap).label.lower()} at most" if cap else ""
        # The reminder of a vacancy begins with this very message: it is due once.
        vacant = row.kind == "owner_vacant"
        event = Event(
            initiative,
            "owner vacant" if vacant else "held",
            f"hold:{row.pk}",
            f"{initiative}: held: {words[:1].lower()}{words[1:]}",
            f"{ended(row.reason)} While this stands, no review of it can be decided{supported}.",
            f"Held: {words[:1].lower()}{words[1:]}.",
            link_of(row),
            affected_seats(
                rulebook.at_tier(initiative.tier), initiative.stage, (requirements or {}).get(row.pk, ())
            ),
            period="after0d" if vacant else clock.now().isoformat() if anew else "opened",
        )
        by_kind.setdefault(row.kind, []).append(event)
    for events in by_kind.values():
        tell(events)


def link_of(hold: Hold) -> str:
    """Where what a hold is about is seen."""
    pages = {"residency": "integration-residency", "failed_drill": "integration-drills"}
    pages |= {"definition_conflict": "integration-definitions", "owner_vacant": "people"}
    return reverse(pages.get(hold.kind, "initiative"), args=[hold.initiative.ref])


def tell_end(
    initiative: Initiative, kind: str, was: str, reason: str, dependants: list[Dependant] | None = None
) -> None:
    """That an initiative stepped back or was stopped or retired: to those around the stage that it `was` in."""
    rulebook = Rulebook.objects.current().parsed
    done = (
        f"stepped back to {stage_word(initiative.stage)}"
        if kind == "stepped back"
        else f"was {initiative.stage}"
    )
    event = Event(
        initiative,
        kind,
        f"stage:{initiative.pk}:{initiative.since.isoformat()}"[:80],
        f"{initiative}: it {done}",
        f"{stage_word(was)} until then. {ended(reason)}",
        f"It {done}. Go over to what was agreed for an outage, or ask its owner what still works.",
        initiative.get_absolute_url(),
        affected_seats(rulebook.at_tier(initiative.tier), was),
    )
    tell([event], dependants)
