"""Findings of definitions: open conflicts about terms, and fields not as declared.

Sources: int.definitions in the rulebook, docs/domain.md, invariant 16, and S1-3, S1-10, S1-11.
"""

from collections.abc import Iterable

from governance.vocabulary import Role
from governance.vocabulary.phrases import phrase
from initiatives.integration.comparison import facets
from initiatives.integration.definitions import definition_dependencies
from initiatives.lifecycle.facts.finding_rules import Wanted, about
from initiatives.models import DefinitionConflict, RoleAssignment, TermDefinition, TermUse
from initiatives.models.integration.definitions import GONE

MEASURED = ":measured"  # ends the source of each finding about a field that was measured otherwise


@about(TermUse.objects.filter(ended_at__isnull=True), DefinitionConflict.objects.exclude(status=GONE))
def says(initiatives: list[int]) -> Iterable[tuple[int, Wanted]]:
    """Yield, by initiative, open conflicts term by term, and fields not as declared.

    Undecided pairs count for nothing here. They are only a note on the page.
    """
    yield from _conflicts(initiatives)
    yield from _measured(initiatives)


def _measured(initiatives: list[int]) -> Iterable[tuple[int, Wanted]]:
    """Yield definitions whose field was measured otherwise during their years."""
    defined = definition_dependencies.definitions_of(initiatives)
    profiles = definition_dependencies.profiles_of(
        {row.system_id for rows in defined.values() for row in rows}
    )
    for initiative, rows in defined.items():
        for row in rows:
            said = definition_dependencies.as_said(row, profiles(initiative, row))
            if why := facets.against_measure(said):
                patterns = said.profile["patterns"]
                yield (
                    initiative,
                    Wanted(
                        "int.definitions",
                        source_of(row),
                        phrase(
                            "{} is defined as “{}”, but most measured values are {} ({}).",
                            said,
                            said.identifier,
                            max(patterns, key=patterns.get),
                            why,
                        ),
                        phrase("Correct the standard or the mask, or write one definition for each period."),
                        since=row.at,
                        system_id=row.system_id,
                    ),
                )


def source_of(row: TermDefinition) -> str:
    """Return the source of a finding about the measured field of this definition."""
    return f"definition:{row.pk}{MEASURED}"


def _conflicts(initiatives: list[int]) -> Iterable[tuple[int, Wanted]]:
    """Yield, by initiative and terms, the number of open conflicts. A blocking one calls for a hold."""
    found: dict[tuple[int, frozenset], list[DefinitionConflict]] = {}
    names: dict[int, str] = {}
    rows = DefinitionConflict.objects.open().filter(initiative__in=initiatives)
    for row in rows.select_related("one__term", "other__term").order_by("initiative", "pk"):
        terms = (row.one.term, row.other.term)
        names |= {term.pk: term.name for term in terms}
        found.setdefault((row.initiative_id, frozenset(term.pk for term in terms)), []).append(row)
    stewards = _stewards({initiative for initiative, _ in found})
    for (initiative, terms), conflicts in found.items():
        blocking = [row for row in conflicts if row.severity == "blocking"]
        on = " and ".join(sorted(names[term] for term in terms))
        count = len(conflicts)
        yield (
            initiative,
            Wanted(
                "int.definitions",
                f"terms:{'-'.join(str(term) for term in sorted(terms))}:conflicts",
                f"{count} open conflict{'' if count == 1 else 's'} on {on}.",
                phrase(
                    "The data steward reconciles each conflict with a mapping table, or accepts the difference."
                ),
                who=stewards.get(initiative, ""),
                since=min(row.found_at for row in (blocking or conflicts)),
                hold="definition_conflict" if blocking else "",
            ),
        )


def _stewards(initiatives: set[int]) -> dict[int, str]:
    """Return the name of the data steward of each initiative."""
    rows = RoleAssignment.objects.in_force().filter(initiative__in=initiatives, role=Role.DATA_STEWARD)
    return {row.initiative_id: row.person.full_name for row in rows.select_related("person")}
