"""What the register says of definitions: open conflicts about the terms that a case uses (int.definitions).

Sources: rulebook, int.definitions; domain.md, invariant 16; S1-3, S1-10, S1-11.
"""

from collections.abc import Iterable

from initiatives.models import DefinitionConflict, RoleAssignment
from initiatives.register import Wanted


def says(cases: list[int]) -> Iterable[tuple[int, Wanted]]:
    """By case and term, how many conflicts nobody decided; blocking ones call for a hold."""
    found: dict[tuple[int, frozenset], list[DefinitionConflict]] = {}
    names: dict[int, str] = {}
    rows = DefinitionConflict.objects.open().filter(initiative__in=cases)
    for row in rows.select_related("one__term", "other__term").order_by("initiative", "pk"):
        terms = (row.one.term, row.other.term)
        names |= {term.pk: term.name for term in terms}
        found.setdefault((row.initiative_id, frozenset(term.pk for term in terms)), []).append(row)
    stewards = _stewards({case for case, _ in found})
    for (case, terms), conflicts in found.items():
        blocking = [row for row in conflicts if row.severity == "blocking"]
        on = " and ".join(sorted(names[term] for term in terms))
        count = len(conflicts)
        yield (
            case,
            Wanted(
                "int.definitions",
                f"terms:{'-'.join(str(term) for term in sorted(terms))}:conflicts",
                f"{count} open conflict{'' if count == 1 else 's'} on {on}.",
                "The data steward reconciles each with a mapping table, or accepts the difference.",
                who=stewards.get(case, ""),
                since=min(row.found_at for row in (blocking or conflicts)),
                hold="definition_conflict" if blocking else "",
            ),
        )


def _stewards(cases: set[int]) -> dict[int, str]:
    """The data steward of each case, by name."""
    rows = RoleAssignment.objects.in_force().filter(initiative__in=cases, role="data_steward")
    return {row.initiative_id: row.person.full_name for row in rows.select_related("person")}
