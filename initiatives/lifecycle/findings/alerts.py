"""Alerts on an initiative: hold, failed drill, step-back, stop, end of grace.

The chair, the owner, dependants and the affected seats get an alert. A person gets no alert on their own act. One
event is one message to a person. A person who may not open the initiative gets a text without a link.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from governance import clock
from governance.database import request_memo, row_history
from governance.models import Rulebook, ServiceKey, User
from governance.models.sign_in import EVALUATE
from governance.people import boards
from governance.permission_result import ended
from governance.rulebook import ParsedRulebook
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import BoardRole, HoldKind, Role, Stage
from initiatives.lifecycle.access import roles_and_seats, visibility
from initiatives.lifecycle.access.signers import ever_owned
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.reminders import telling
from initiatives.models import Dependant, Hold, Initiative

NAMED = 20  # initiatives named in one message about many
# Kinds of these messages: mailed at once, however many mails a person had.
ALERTS = {"held", "initiative stopped", "stepped back"}


@dataclass(frozen=True)
class Event:
    """An event of one initiative for alerts. `plain` is the text for dependants who may not open it.

    `words` follow the name of the initiative in the subject. `key` and `period` identify the message, however often it
    is due. `answering` are the people who answer for keys of its systems.
    """

    initiative: Initiative
    kind: str
    key: str
    words: str
    text: str
    plain: str
    link: str
    seats: frozenset[str]
    period: str = "once"
    answering: tuple[User, ...] = ()


def affected_seats(rulebook: ParsedRulebook, stage: str, requirements: Iterable[str] = ()) -> frozenset[str]:
    """Return the seats of these requirements, else those of the stage's gate."""
    found = {seat for key in requirements for seat in rulebook.seats_asking(key)}
    gate = rulebook.gate_to(Stage.PROTOTYPE if stage == Stage.PROPOSED else stage)
    return frozenset(found or (gate.seats if gate else ()))


def depending(initiatives: Iterable[Initiative]) -> list[Dependant]:
    """Return the dependants of these initiatives, before an act ends them."""
    rows = Dependant.objects.filter(
        initiative__in=[initiative.pk for initiative in initiatives], ended_at__isnull=True
    )
    return list(rows.select_related("executive", "stated_by").order_by("pk"))


def readers(initiative: Initiative, seats: Iterable[str]) -> list[User]:
    """Return chairs, owner and seat holders, who can open the initiative."""
    members = boards.members_now(boards.board_for(initiative.unit))
    acting, _ = roles_and_seats.acting_chair(initiative, members)
    owner = roles_and_seats.accepted(initiative, Role.OWNER)
    found = [acting, owner.person if owner else None]
    if owner is None and not ever_owned(initiative):
        found.append(initiative.registered_by)
    found += [member.person for member in members if member.seat == BoardRole.CHAIR or member.seat in seats]
    return list({person.pk: person for person in found if person is not None and person.is_active}.values())


def tell(events: list[Event], dependants: list[Dependant] | None = None) -> None:
    """Write these messages inside the running act. `dependants` are those before the act, if it ends them."""
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
                seen = visibility.may_see(event.initiative, person)
                mine.append((event, "" if seen else words_for(row, event.plain)))
        for event in events:
            for person in event.answering:
                if person.pk not in people:
                    seen = visibility.may_see(event.initiative, person)
                    people[person.pk] = (person, [(event, "" if seen else event.plain)])
        people.pop(acting.pk if acting else None, None)
        inside: dict[int, list[User]] = {}
        for person, told in people.values():
            (event, plain), more = told[0], len(told) - 1
            if more:
                _tell_of_several(person, [event for event, _ in told])
            elif plain:
                telling.tell_outside(
                    event.initiative,
                    person,
                    event.kind,
                    event.key,
                    event.words,
                    period=event.period,
                    text=plain,
                )
            else:
                inside.setdefault(event.initiative.pk, []).append(person)
        for key, those in inside.items():
            event = of_initiative[key]
            telling.tell(
                event.initiative,
                those,
                event.kind,
                event.key,
                event.words,
                but=acting,
                period=event.period,
                text=event.text,
                link=event.link,
            )


def _tell_of_several(person: User, events: list[Event]) -> None:
    first, count = events[0], len(events)
    named = "; ".join(
        f"{event.initiative.ref} ({Stage(event.initiative.stage).label})" for event in events[:NAMED]
    )
    besides = f"; and {count - NAMED} more" if count > NAMED else ""
    telling.tell_outside(
        first.initiative,
        person,
        first.kind,
        first.key,
        f"{first.words}, and {count - 1} more initiatives",
        period=f"{first.period}, {count - 1} more",
        text=f"{first.plain} {named}{besides}.",
        link="/initiatives/?held=on",
    )


def words_for(row: Dependant, plain: str) -> str:
    """Return the text for a dependant who may not be able to open the initiative."""
    return f"{row.who} depends on the initiative for {ended(row.process or row.for_what)} {plain}"


def deciding_keys(initiatives: Iterable[Initiative]) -> list[ServiceKey]:
    """Return the keys with which systems of these initiatives ask for decisions now, with who answers for them."""
    contracts = {initiative.contract_id for initiative in initiatives} - {None}
    if not contracts:
        return []
    rows = ServiceKey.objects.filter(contract__in=contracts, scopes__contains=[EVALUATE])
    return [key for key in rows.select_related("principal").order_by("pk") if key.good_at(clock.now())]


def denied_words(keys: Iterable[ServiceKey]) -> str:
    """Return the sentence on the systems of these keys, which a hold denies every call."""
    systems = sorted({key.system for key in keys})
    are = "system is" if len(systems) == 1 else "systems are"
    return f"{len(systems)} {are} denied every call while the hold is open: {', '.join(systems)}."


def tell_holds(
    rows: list[Hold], *, requirements: dict[int, list[str]] | None = None, anew: bool = False
) -> None:
    """Alert people to opened holds, or `anew` to open ones. `requirements` has those affected by key of the hold."""
    by_kind: dict[str, list[Event]] = {}
    rulebook = Rulebook.objects.current().parsed if rows else None
    keys = deciding_keys([row.initiative for row in rows])
    for row in rows:
        mine = [key for key in keys if row.blocking and key.contract_id == row.initiative.contract_id]
        denied = f" {denied_words(mine)}" if mine else ""
        initiative, words = row.initiative, HoldKind(row.kind).label
        cap = HoldKind(row.kind).cap
        supported = f", and at most {Stage(cap).label.lower()} is supported" if cap else ""
        # The reminder of a vacancy begins with this very message: it is due once.
        vacant = row.kind == "owner_vacant"
        event = Event(
            initiative,
            "owner vacant" if vacant else "held",
            f"hold:{row.pk}",
            f"held ({words[:1].lower()}{words[1:]})",
            f"{ended(row.reason)} Until the hold is closed, no review of the initiative can be "
            f"decided{supported}.{denied}",
            f"Held: {words[:1].lower()}{words[1:]}.{denied}",
            link_of(row),
            affected_seats(
                rulebook.at_tier(initiative.tier), initiative.stage, (requirements or {}).get(row.pk, ())
            ),
            period="after0d" if vacant else clock.now().isoformat() if anew else "opened",
            answering=tuple(key.principal for key in mine if key.principal.is_active),
        )
        by_kind.setdefault(row.kind, []).append(event)
    for events in by_kind.values():
        tell(events)


def link_of(hold: Hold) -> str:
    """Return the page that shows the cause of a hold."""
    pages = {"residency": "integration-residency", "failed_drill": "integration-drills"}
    pages |= {"definition_conflict": "integration-definitions", "owner_vacant": "people"}
    return reverse(pages.get(hold.kind, "initiative"), args=[hold.initiative.ref])


def tell_end(
    initiative: Initiative, kind: str, was: str, reason: str, dependants: list[Dependant] | None = None
) -> None:
    """Alert the people around the stage `was` to a step back, a stop or a retirement."""
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
        done,
        f"The initiative was {stage_word(was)} before. {ended(reason)}",
        f"The initiative {done}. Use your outage plan, or ask the owner of the initiative what still works.",
        initiative.get_absolute_url(),
        affected_seats(rulebook.at_tier(initiative.tier), was),
    )
    tell([event], dependants)
