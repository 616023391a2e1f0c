"""Where the definitions that cases rest on disagree: computed for many cases together, written down, and gone again.

One row a case, facet, pair of systems and terms; of one field alone, one row. What the steward decided stands while
both definitions stay as they are (S1-3, S1-10, S1-11).
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations

from django.urls import reverse

from governance import clock, history, ledger, notify
from governance.models import User
from initiatives import disagreeing
from initiatives.drawings import count
from initiatives.models import (
    DefinitionConflict,
    Initiative,
    Link,
    Profile,
    RoleAssignment,
    System,
    TermDefinition,
    TermUse,
)
from initiatives.models.definitions import GONE, OPEN

Pair = tuple[TermDefinition, TermDefinition]
# Who is told of what was found: the data steward, who settles it; where there is none, the owner, who names one.
ASKED = ("data_steward", "owner")


def settle_conflicts(cases: list[Initiative]) -> None:
    """Write down what these locked cases' definitions say against each other, in the running act, set-wise.

    New ones are opened, and those that no longer hold are gone; of a decided one, both definitions stayed the same.
    """
    now, keys = clock.now(), [case.pk for case in cases]
    standing: dict[int, list[DefinitionConflict]] = {key: [] for key in keys}
    rows = DefinitionConflict.objects.filter(initiative__in=keys).exclude(status=GONE)
    for row in rows.select_related("one", "other").order_by("pk"):
        standing[row.initiative_id].append(row)
    rested = definitions_of(keys)
    profiles = _profiles(keys, {row.system_id for rows in rested.values() for row in rows})
    known: dict[tuple, list[disagreeing.Conflict]] = {}
    new, gone, reworded = [], [], []
    for key in keys:
        found = _found(key, rested[key], profiles, known)
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


def _found(key: int, rows: list[TermDefinition], profiles, known) -> dict[tuple, dict]:
    """By place, the pairs that disagree there, each with what the finder says of it."""
    found: dict[tuple, dict] = defaultdict(dict)
    for one, other in combinations(sorted(rows, key=lambda row: row.pk), 2):
        seen = profiles(key, one), profiles(key, other)
        asked = (one.pk, other.pk, *(profile and profile["key"] for profile in seen))
        if asked not in known:
            known[asked] = disagreeing.find(_definition(one, seen[0]), _definition(other, seen[1]))
        for conflict in known[asked]:
            found[_place(conflict.facet, one, other)][(one.pk, other.pk)] = ((one, other), conflict)
    return found


def _definition(row: TermDefinition, profile) -> disagreeing.Definition:
    return disagreeing.Definition(
        term=row.term.name,
        system=row.system.name,
        field=row.field,
        meaning=row.meaning,
        identifier_format=row.identifier_format,
        business_logic=row.business_logic,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        profile=profile,
    )


def definitions_of(keys: Iterable[int]) -> dict[int, list[TermDefinition]]:
    """By case, the standing definitions it rests on: of the terms in use, in linked systems and their members."""
    keys = list(keys)
    terms: dict[int, set[int]] = {key: set() for key in keys}
    for case, term in TermUse.objects.filter(initiative__in=keys, ended_at__isnull=True).values_list(
        "initiative", "term"
    ):
        terms[case].add(term)
    systems = systems_of(keys)
    rows = (
        TermDefinition.objects.standing()
        .filter(term__in=set().union(*terms.values()), system__in=set().union(*systems.values()))
        .select_related("term", "system")
    )
    by_place: dict[tuple[int, int], list[TermDefinition]] = defaultdict(list)
    for row in rows:
        by_place[(row.term_id, row.system_id)].append(row)
    return {
        key: [
            row
            for term in sorted(terms[key])
            for system in sorted(systems[key])
            for row in by_place.get((term, system), ())
        ]
        for key in keys
    }


def systems_of(keys: Iterable[int]) -> dict[int, set[int]]:
    """By case, the keys of the systems it is tied to, the members of linked collections among them."""
    found: dict[int, set[int]] = {key: set() for key in keys}
    links = list(Link.objects.standing().filter(initiative__in=found).values_list("initiative", "system"))
    members: dict[int, set[int]] = defaultdict(set)
    inside = System.objects.standing().filter(collection__in={system for _, system in links})
    for system, collection in inside.values_list("pk", "collection"):
        members[collection].add(system)
    for case, system in links:
        found[case] |= {system} | members[system]
    return found


def cases_that_rest_on(term: int, system: System) -> list[int]:
    """The running cases that use the term and are tied to the system, or to the collection it is a member of."""
    tied = Link.objects.standing().filter(system__in=[pk for pk in (system.pk, system.collection_id) if pk])
    uses = TermUse.objects.filter(term=term, ended_at__isnull=True, initiative__in=tied.values("initiative"))
    return sorted(uses.values_list("initiative", flat=True))


def _profiles(keys: list[int], systems: set[int]):
    """What was measured last of a field, as the finder takes it: of the case itself, or of one that is no secret."""
    columns: dict[tuple[int, str], list[tuple[int, bool, dict]]] = defaultdict(list)
    rows = Profile.objects.filter(system__in=systems, state="measured").order_by("-taken_on", "-pk")
    for profile in rows.select_related("initiative").only(
        "system", "columns", "initiative__confidential", "initiative__number"
    ):
        for column in profile.columns or []:
            name = str(column.get("name", "")).casefold() if isinstance(column, dict) else ""
            if name:
                place = (profile.system_id, name)
                columns[place].append(
                    (profile.initiative_id, profile.initiative.confidential, column | {"key": profile.pk})
                )

    def of(case: int, row: TermDefinition) -> dict | None:
        """The newest of the field that this case may rest on."""
        return next(
            (
                column
                for owner, confidential, column in columns.get((row.system_id, row.field.casefold()), ())
                if owner == case or not confidential
            ),
            None,
        )

    return of
