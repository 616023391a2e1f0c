"""What the register says of definitions (int.definitions): open conflicts about the terms that a case uses, and fields
that were measured otherwise than they are declared.

Sources: rulebook, int.definitions; domain.md, invariant 16; S1-3, S1-10, S1-11.
"""

from collections.abc import Iterable

from initiatives.disagreeing import Definition, isolated
from initiatives.models import DefinitionConflict, RoleAssignment, TermDefinition, TermUse
from initiatives.models.definitions import GONE
from initiatives.register import Wanted, about, rested

MEASURED = ":measured"  # ends the source of each finding about a field that was measured otherwise


@about(TermUse.objects.filter(ended_at__isnull=True), DefinitionConflict.objects.exclude(status=GONE))
def says(cases: list[int]) -> Iterable[tuple[int, Wanted]]:
    """By case: conflicts that nobody decided, term by term, and fields that are not as declared."""
    yield from _conflicts(cases)
    yield from _measured(cases)


def _measured(cases: list[int]) -> Iterable[tuple[int, Wanted]]:
    """Definitions whose field was measured otherwise, during the years of which they speak."""
    defined = rested.definitions_of(cases)
    profiles = rested.profiles_of({row.system_id for rows in defined.values() for row in rows})
    measured = [
        (case, row, said)
        for case, rows in defined.items()
        for row in rows
        if (said := _measured_as(row, profiles(case, row))) is not None
    ]
    reasons = isolated.against_measure_all([said for _, _, said in measured])
    for (case, row, said), why in zip(measured, reasons, strict=True):
        if why:
            most = max(said.profile["patterns"], key=said.profile["patterns"].get)
            yield (
                case,
                Wanted(
                    "int.definitions",
                    source_of(row),
                    f"{said} is said to be “{row.identifier_format}” and was measured mostly {most} ({why}).",
                    "Correct the format, or write one definition for each period that its profile shows.",
                    since=row.at,
                    system_id=row.system_id,
                ),
            )


def _measured_as(row: TermDefinition, column: dict | None) -> Definition | None:
    """The definition with what was measured of its field in the years of which it speaks; None where nothing was."""
    patterns = _patterns(row, column) if column else {}
    return rested.as_said(row, {**column, "patterns": patterns}) if patterns else None


def source_of(row: TermDefinition) -> str:
    """What names a finding about what was measured of this definition's field."""
    return f"definition:{row.pk}{MEASURED}"


def _patterns(row: TermDefinition, column: dict) -> dict[str, float]:
    """Share by share how the values of those years were written; empty where that is not known."""
    if row.valid_from is None and row.valid_to is None:
        return column.get("patterns") or {}
    first = f"{row.valid_from:%Y-%m}" if row.valid_from else ""
    last = f"{row.valid_to:%Y-%m}" if row.valid_to else "9999"
    found: dict[str, float] = {}
    for era in column.get("eras") or []:
        if era["from"] <= last and era["to"] >= first:
            for pattern, share in era["patterns"].items():
                found[pattern] = found.get(pattern, 0) + share * era["rows"]
    total = sum(found.values())
    return {pattern: share / total for pattern, share in found.items()} if total else {}


def _conflicts(cases: list[int]) -> Iterable[tuple[int, Wanted]]:
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
