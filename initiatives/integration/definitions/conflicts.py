"""Conflicts between definitions that initiatives rest on, and their resolution.

There is one row for an initiative, a facet, and a pair of systems and terms, or for one field alone. A conflict and
the steward's decision hold while both definitions are unchanged (S1-3, S1-10, S1-11). Pairs that differ in wording
are undecided. Their row counts against nothing and notifies no one.
"""

from collections import defaultdict
from itertools import combinations

from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import User
from governance.vocabulary import HoldKind, Role
from governance.vocabulary.entry_kinds import EntryKind
from governance.web.charts.primitives import count
from initiatives.integration.comparison.facets import Definition, Difference, compare
from initiatives.integration.definitions import definition_dependencies
from initiatives.lifecycle.reminders import telling
from initiatives.models import (
    DefinitionConflict,
    Initiative,
    Link,
    RoleAssignment,
    System,
    TermDefinition,
    TermUse,
)
from initiatives.models.integration.definitions import GONE, OPEN, UNDECIDED, WORDING

Pair = tuple[TermDefinition, TermDefinition]
# Who is notified: the data steward, who resolves the conflict, or else the owner, who names a steward.
ASKED = (Role.DATA_STEWARD, Role.OWNER)


def resolve_conflicts(initiatives: list[Initiative]) -> None:
    """Write the conflicts of these locked initiatives, in the running act, set-wise.

    New conflicts are opened, and conflicts that no longer hold are marked as gone.
    """
    now, keys = clock.now(), [initiative.pk for initiative in initiatives]
    current: dict[int, list[DefinitionConflict]] = {key: [] for key in keys}
    rows = DefinitionConflict.objects.filter(initiative__in=keys).exclude(status=GONE)
    for row in rows.select_related("one", "other").order_by("pk"):
        current[row.initiative_id].append(row)
    defined = definition_dependencies.definitions_of(keys)
    found = _found(
        defined,
        definition_dependencies.profiles_of({row.system_id for rows in defined.values() for row in rows}),
    )
    new, gone, reworded = [], [], []
    for key in keys:
        there = {row.pk for row in defined[key]}
        stands = [
            row
            for row in current[key]
            if row.status != UNDECIDED and {row.one_id, row.other_id} <= there and _untouched(row)
        ]
        kept = {row.pk for row in stands}
        resolved = {(row.one_id, row.other_id) for row in stands}
        for place, pairs in found[key].items():
            if place[0] == WORDING:
                pairs = {ids: pair for ids, pair in pairs.items() if ids not in resolved}
            here = [row for row in current[key] if _place(row.facet, row.one, row.other) == place]
            row, said = _row_of(key, place[0], pairs, here, kept)
            if row is not None and row.pk is None:
                new.append(row)
            elif row is not None and (row.words, row.severity) != said:
                row.words, row.severity = said
                reworded.append(row)
        gone += [row for row in current[key] if row.pk not in kept]
    if gone:
        row_history.update_where(DefinitionConflict, [row.pk for row in gone], status=GONE, gone_at=now)
    for row in reworded:
        row.save()
    if new:
        row_history.insert_many(DefinitionConflict, new)
    by_key = {initiative.pk: initiative for initiative in initiatives}
    opened = [row for row in new if row.status == OPEN]
    ended = [row for row in gone if row.status != UNDECIDED]
    for kind, changed in ((EntryKind.CONFLICT_FOUND, opened), (EntryKind.CONFLICT_GONE, ended)):
        told = [
            (by_key[row.initiative_id], {"conflict": row.pk, "facet": row.facet, "words": row.words})
            for row in changed
        ]
        entries.record_many(kind, told)
    _tell(opened, by_key)


def _tell(found: list[DefinitionConflict], by_key: dict[int, Initiative]) -> None:
    """Notify the data steward of conflicts found, or the owner without a steward."""
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
        initiative = by_key[keys[0]]
        others = len(keys) - 1
        more = len(words[initiative.pk]) - 1
        telling.tell(
            initiative,
            [person],
            "definitions disagree",
            f"{HoldKind.DEFINITION_CONFLICT}:{initiative.pk}",
            "definitions disagree" + (f" (and on {count(others, 'other initiative')})" if others else ""),
            period=clock.now().isoformat(),
            text=words[initiative.pk][0] + (f" {more} more definitions disagree." if more else ""),
            link=reverse("integration-definitions", args=[initiative.ref])
            if not others
            else reverse("inbox"),
        )


def _row_of(key: int, facet: str, pairs, here: list[DefinitionConflict], kept: set[int]):
    """Return the open or undecided row of one place, old or new, and its words.

    Both are None if all is decided. The words come with their severity. Adds the key of a row that still holds to
    `kept`.
    """
    decided = [row.decided_at for row in here if row.pk in kept and row.decided_at is not None]
    covered = max(decided, default=None)
    left = {
        ids: one
        for ids, one in pairs.items()
        if covered is None or any(definition.at > covered for definition in one[0])
    }
    if not left:
        return None, None
    status = UNDECIDED if facet == WORDING else OPEN
    row = next((row for row in here if row.status == status and (row.one_id, row.other_id) in left), None)
    ids = (row.one_id, row.other_id) if row else min(left, key=lambda ids: _newest(left[ids][0]))
    difference, more = left[ids][1], len(left) - 1
    words = difference.words + (
        f" {more} more pair{'s' if more > 1 else ''} of definitions disagree{'' if more > 1 else 's'} too."
        if more
        else ""
    )
    if row is not None:
        kept.add(row.pk)
        return row, (words, difference.severity)
    row = DefinitionConflict(
        initiative_id=key,
        facet=facet,
        one_id=ids[0],
        other_id=ids[1],
        severity=difference.severity,
        words=words,
        found_at=clock.now(),
        status=status,
    )
    return row, (words, difference.severity)


def _untouched(row: DefinitionConflict) -> bool:
    """Return True if neither definition changed since the row was found or decided."""
    since = row.decided_at or row.found_at
    return row.one.at <= since and row.other.at <= since


def _newest(pair: Pair) -> tuple:
    """Return a sort key with current pairs first: an open end, then the later start."""
    ends = [row.valid_to.toordinal() if row.valid_to else 10**7 for row in pair]
    starts = [row.valid_from.toordinal() if row.valid_from else 0 for row in pair]
    return (-min(ends), -max(starts), pair[0].pk, pair[1].pk)


def _place(facet: str, one: TermDefinition, other: TermDefinition) -> tuple:
    """Return the key of a conflict row: a pair of systems and terms, or one field."""
    if one.system_id == other.system_id and one.field.casefold() == other.field.casefold():
        return (facet, one.system_id, one.field.casefold())
    return (facet, frozenset((one.term_id, other.term_id)), frozenset((one.system_id, other.system_id)))


def _found(defined: dict[int, list[TermDefinition]], profiles) -> dict[int, dict[tuple, dict]]:
    """Return the differing pairs, by initiative and place. Each pair is compared once."""
    said: dict[tuple, Definition] = {}
    compared: dict[tuple, list[Difference]] = {}
    found: dict[int, dict[tuple, dict]] = {}
    for key, rows in defined.items():
        seen = {}
        for row in rows:
            column = profiles(key, row)
            seen[row.pk] = (row.pk, column and column["key"])
            if seen[row.pk] not in said:
                said[seen[row.pk]] = definition_dependencies.as_said(row, column)
        places = found[key] = defaultdict(dict)
        for one, other in combinations(sorted(rows, key=lambda row: row.pk), 2):
            names = seen[one.pk], seen[other.pk]
            if names not in compared:
                compared[names] = compare(said[names[0]], said[names[1]])
            for difference in compared[names]:
                places[_place(difference.facet, one, other)][one.pk, other.pk] = ((one, other), difference)
    return found


def initiatives_that_rest_on(term: int, system: System) -> list[int]:
    """Return running initiatives with the term that are tied to the system.

    A link to the collection that contains the system counts too.
    """
    tied = Link.objects.current().filter(system__in=[pk for pk in (system.pk, system.collection_id) if pk])
    uses = TermUse.objects.filter(term=term, ended_at__isnull=True, initiative__in=tied.values("initiative"))
    return sorted(uses.values_list("initiative", flat=True))
