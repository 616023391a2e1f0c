"""Where the definitions that cases rest on disagree: computed for many cases together, written down, and gone again.

One row a case, facet, pair of systems and terms; of one field alone, one row. What the steward decided stands while
both definitions stay as they are (S1-3, S1-10, S1-11).
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from django.core.exceptions import ValidationError
from django.urls import reverse

from governance import clock, history, ledger, notify
from governance.models import User
from initiatives.charts.primitives import count
from initiatives.disagreeing import Conflict, Definition, isolated
from initiatives.models import (
    DefinitionConflict,
    Initiative,
    Link,
    RoleAssignment,
    System,
    TermDefinition,
    TermUse,
)
from initiatives.models.definitions import GONE, OPEN
from initiatives.register import rested

Pair = tuple[TermDefinition, TermDefinition]
# Who is told of what was found: the data steward, who settles it; where there is none, the owner, who names one.
ASKED = ("data_steward", "owner")


def settle_conflicts(cases: list[Initiative]) -> None:
    """Write down what these locked cases' definitions say against each other, in the running act, set-wise.

    New ones are opened, and those that no longer hold are gone; of a decided one, both definitions stayed the same.
    Raises ValidationError where comparing takes too long.
    """
    now, keys = clock.now(), [case.pk for case in cases]
    standing: dict[int, list[DefinitionConflict]] = {key: [] for key in keys}
    rows = DefinitionConflict.objects.filter(initiative__in=keys).exclude(status=GONE)
    for row in rows.select_related("one", "other").order_by("pk"):
        standing[row.initiative_id].append(row)
    defined = rested.definitions_of(keys)
    profiles = rested.profiles_of({row.system_id for rows in defined.values() for row in rows})
    known = _compared(defined, profiles)
    new, gone, reworded = [], [], []
    for key in keys:
        found = _found(key, defined[key], profiles, known)
        kept = set()
        for place, pairs in found.items():
            here = [row for row in standing[key] if _place(row.facet, row.one, row.other) == place]
            row, said = _open_row(key, place[0], pairs, here, kept)
            if row is not None and row.pk is None:
                new.append(row)
            elif row is not None and (row.words, row.severity) != said:
                row.words, row.severity = said
                reworded.append(row)
        gone += [row for row in standing[key] if row.pk not in kept]
    if gone:
        history.update_where(DefinitionConflict, [row.pk for row in gone], status=GONE, gone_at=now)
    for row in reworded:
        row.save()
    if new:
        history.insert_many(DefinitionConflict, new)
    by_key = {case.pk: case for case in cases}
    for kind, changed in (("conflict found", new), ("conflict gone", gone)):
        told = [
            (by_key[row.initiative_id], {"conflict": row.pk, "facet": row.facet, "words": row.words})
            for row in changed
        ]
        ledger.record_many(kind, told)
    _tell(new, by_key)


def _tell(found: list[DefinitionConflict], by_key: dict[int, Initiative]) -> None:
    """Whoever settles what was found, or has to name somebody who can: one message a person in an act."""
    words: dict[int, list[str]] = defaultdict(list)
    for row in found:
        words[row.initiative_id].append(row.words)
    asked: dict[int, dict[str, User]] = defaultdict(dict)
    roles = RoleAssignment.objects.in_force().filter(initiative__in=words, role__in=ASKED)
    for row in roles.select_related("person"):
        asked[row.initiative_id][row.role] = row.person
    by_person: dict[User, list[int]] = defaultdict(list)
    for key, roles in asked.items():
        by_person[next(roles[role] for role in ASKED if role in roles)].append(key)
    for person, keys in by_person.items():
        case = by_key[keys[0]]
        others = len(keys) - 1
        more = len(words[case.pk]) - 1
        notify.owe(
            person,
            "definitions disagree",
            f"case:{case.pk}",
            period=clock.now().isoformat(),
            subject=f"{case}: definitions disagree"
            + (f"; so on {count(others, 'other case')}" if others else ""),
            text=words[case.pk][0] + (f" And {more} more." if more else ""),
            link=reverse("integration-definitions", args=[case.ref]) if not others else reverse("desk"),
            case_ref=case.ref,
        )


def _open_row(key: int, facet: str, pairs, here: list[DefinitionConflict], kept: set[int]):
    """The open row of one place, with what it says: the one that is there, or a new one; None where all is decided.

    Adds the keys of rows that still hold to `kept`.
    """
    decided = [
        row
        for row in here
        if row.status != OPEN and (row.one_id, row.other_id) in pairs and _untouched(row, row.decided_at)
    ]
    kept.update(row.pk for row in decided)
    covered = max((row.decided_at for row in decided), default=None)
    left = {
        ids: one
        for ids, one in pairs.items()
        if covered is None or any(definition.at > covered for definition in one[0])
    }
    if not left:
        return None, None
    open_row = next((row for row in here if row.status == OPEN and (row.one_id, row.other_id) in left), None)
    ids = (
        (open_row.one_id, open_row.other_id) if open_row else min(left, key=lambda ids: _newest(left[ids][0]))
    )
    conflict = left[ids][1]
    more = len(left) - 1
    words = conflict.words + (
        f" So do {more} more pair{'s' if more > 1 else ''} of definitions." if more else ""
    )
    if open_row is not None:
        kept.add(open_row.pk)
        return open_row, (words, conflict.severity)
    row = DefinitionConflict(
        initiative_id=key,
        facet=facet,
        one_id=ids[0],
        other_id=ids[1],
        severity=conflict.severity,
        words=words,
        found_at=clock.now(),
    )
    return row, (words, conflict.severity)


def _untouched(row: DefinitionConflict, since) -> bool:
    """Whether neither definition was written anew since that moment."""
    return row.one.at <= since and row.other.at <= since


def _newest(pair: Pair) -> tuple:
    """What holds now comes first: an open end, then the later start."""
    ends = [row.valid_to.toordinal() if row.valid_to else 10**7 for row in pair]
    starts = [row.valid_from.toordinal() if row.valid_from else 0 for row in pair]
    return (-min(ends), -max(starts), pair[0].pk, pair[1].pk)


def _place(facet: str, one: TermDefinition, other: TermDefinition) -> tuple:
    """What is one conflict however many definitions show it: a pair of systems and terms; of one field, the field."""
    if facet == "validity":
        return (facet, one.system_id, one.field.casefold())
    return (facet, frozenset((one.term_id, other.term_id)), frozenset((one.system_id, other.system_id)))


def _pairs(key: int, rows: list[TermDefinition], profiles) -> Iterator[tuple[Pair, tuple, tuple]]:
    """The pairs of a case's definitions, each with what was measured of both, and what names that comparison."""
    for one, other in combinations(sorted(rows, key=lambda row: row.pk), 2):
        seen = profiles(key, one), profiles(key, other)
        yield (one, other), seen, (one.pk, other.pk, *(profile and profile["key"] for profile in seen))


def _compared(defined: dict[int, list[TermDefinition]], profiles) -> dict[tuple, list[Conflict]]:
    """What the finder says of all those pairs, each compared once. Raises ValidationError where it takes too long."""
    asked: dict[tuple, tuple[Definition, Definition]] = {}
    for key, rows in defined.items():
        for pair, seen, name in _pairs(key, rows, profiles):
            if name not in asked:
                asked[name] = tuple(map(rested.as_said, pair, seen))
    try:
        return dict(zip(asked, isolated.find_all(list(asked.values())), strict=True))
    except isolated.TooLong as trouble:
        raise ValidationError(str(trouble)) from None


def _found(key: int, rows: list[TermDefinition], profiles, known) -> dict[tuple, dict]:
    """By place, the pairs that disagree there, each with what the finder says of it."""
    found: dict[tuple, dict] = defaultdict(dict)
    for (one, other), _, name in _pairs(key, rows, profiles):
        for conflict in known[name]:
            found[_place(conflict.facet, one, other)][(one.pk, other.pk)] = ((one, other), conflict)
    return found


def cases_that_rest_on(term: int, system: System) -> list[int]:
    """The running cases that use the term and are tied to the system, or to the collection it is a member of."""
    tied = Link.objects.standing().filter(system__in=[pk for pk in (system.pk, system.collection_id) if pk])
    uses = TermUse.objects.filter(term=term, ended_at__isnull=True, initiative__in=tied.values("initiative"))
    return sorted(uses.values_list("initiative", flat=True))
