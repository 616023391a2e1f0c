"""The definitions that initiatives rest on, and the measurements of their fields."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from initiatives.integration.comparison.facets import Definition
from initiatives.integration.links import agreements
from initiatives.models import Link, Profile, System, TermDefinition, TermUse
from initiatives.models.integration.definitions import STATED


def definitions_of(keys: Iterable[int]) -> dict[int, list[TermDefinition]]:
    """Return, by initiative, current definitions of its terms in its linked systems.

    The members of linked collections count as linked systems.
    """
    keys = list(keys)
    terms: dict[int, set[int]] = {key: set() for key in keys}
    for initiative, term in TermUse.objects.filter(initiative__in=keys, ended_at__isnull=True).values_list(
        "initiative", "term"
    ):
        terms[initiative].add(term)
    systems = systems_of(keys)
    rows = (
        TermDefinition.objects.current()
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
    """Return, by initiative, the keys of its linked systems and collection members."""
    found: dict[int, set[int]] = {key: set() for key in keys}
    links = list(Link.objects.current().filter(initiative__in=found).values_list("initiative", "system"))
    members: dict[int, set[int]] = defaultdict(set)
    inside = System.objects.current().filter(collection__in={system for _, system in links})
    for system, collection in inside.values_list("pk", "collection"):
        members[collection].add(system)
    for initiative, system in links:
        found[initiative] |= {system} | members[system]
    return found


def profiles_of(systems: set[int]) -> Callable[[int, TermDefinition], dict | None]:
    """Return a function that finds the newest profile of a field for an initiative.

    The profile is of the initiative itself, or of one that is not confidential and has the agreement of the system's
    owner.
    """
    columns: dict[tuple[int, str], list[tuple[int, bool, dict]]] = defaultdict(list)
    rows = Profile.objects.filter(system__in=systems).order_by("-taken_on", "-pk")
    rows = list(
        rows.select_related("initiative", "system").only(
            "system__collection", "system__owner", "columns", "initiative__confidential", "initiative__number"
        )
    )
    speaks = agreements.of_initiatives(
        {row.initiative_id for row in rows if not row.initiative.confidential},
        {row.system_id: row.system for row in rows}.values(),
    )
    for profile in rows:
        for column in profile.columns:
            if column.get("patterns"):  # a tool may know a column without its patterns
                place = (profile.system_id, column["name"].casefold())
                columns[place].append(
                    (
                        profile.initiative_id,
                        (profile.initiative_id, profile.system_id) in speaks,
                        column | {"key": profile.pk},
                    )
                )

    def of(initiative: int, row: TermDefinition) -> dict | None:
        """Return the newest profile of the field that this initiative may rest on."""
        return next(
            (
                column
                for owner, speaks_for_others, column in columns.get((row.system_id, row.field.casefold()), ())
                if owner == initiative or speaks_for_others
            ),
            None,
        )

    return of


def as_said(row: TermDefinition, column: dict | None) -> Definition:
    """Return a definition for comparison, with the measured column of its field.

    A column is left out if the definition is about some years alone.
    """
    return Definition(
        term=row.term.name,
        system=row.system.name,
        field=row.field,
        meaning=row.meaning,
        identifier_format=row.identifier_format,
        business_logic=row.business_logic,
        stated={name: getattr(row, name) for name in STATED},
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        # Of which years the rows are is not known: patterns are no reading of a definition for some years alone.
        profile=column if row.valid_from is None and row.valid_to is None else None,
    )
