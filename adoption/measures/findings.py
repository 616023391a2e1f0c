"""What measures say of the requirements of initiatives, for and against: the one way in which measurements reach the
gates.

Contributed as `more_says` and `measures`. A requirement of adoption is short while a measure that it asks for is
absent, insufficient, about other people than the real users, too old, or not met; so no document alone meets it. What
is met now says from which moment it counts no more, so that nothing has to run then.
"""

from collections.abc import Iterator
from datetime import date

from adoption.measures import queries
from adoption.measures.evaluation import Verdict, judge, said_day
from adoption.models import Measure
from adoption.models.instruments import ASKED, INSTRUMENTS
from governance import clock
from governance.permission_result import ended
from initiatives.lifecycle.facts.finding_rules import Measurable, Wanted, about

OWNER = "The owner"
WAY = "measurements"
DECLARE = "Declare a measure on the Adoption tab, then send measurements of the real users."


def source_of(requirement: str) -> str:
    """How the sources of everything begin that measures say about a requirement."""
    return f"measure:{requirement}:"


def undeclared() -> dict[str, tuple[str, Wanted]]:
    """By requirement, what stands against every initiative about whose measures nothing is written (`unless`).

    No row says so: ten thousand imported initiatives need none.
    """
    return {
        key: (
            source_of(key),
            Wanted(
                key,
                source_of(key) + "none",
                f"No measure is declared: {_listed(groups)}.",
                DECLARE,
                OWNER,
            ),
        )
        for key, groups in ASKED.items()
    }


@about(Measure.objects.current())
def says(initiatives: list[int]) -> Iterator[tuple[int, Wanted]]:
    """What the current measures of these initiatives say, set-wise.

    Each measured requirement says at least one thing.
    """
    for initiative, found in queries.subjects(initiatives).items():
        by_requirement: dict[str, list[Measure]] = {}
        for measure, _ in found:
            by_requirement.setdefault(measure.requirement, []).append(measure)
        for requirement, measures in by_requirement.items():
            for group in queries.lacking(requirement, measures) if requirement in ASKED else ():
                yield (
                    initiative,
                    Wanted(
                        requirement,
                        f"{source_of(requirement)}lacks:{group[0]}",
                        f"Not measured: {INSTRUMENTS[group[0]].words.lower()}.",
                        DECLARE,
                        OWNER,
                    ),
                )
        for measure, subject in found:
            if measure.requirement in ASKED:
                yield initiative, wanted_of(measure, judge(subject))


def wanted_of(measure: Measure, verdict: Verdict) -> Wanted:
    """What one measure says: at once where it is not met, else from the day on which its measurements are too old."""
    source = f"{source_of(measure.requirement)}{measure.pk}"
    if not verdict.met:
        return Wanted(measure.requirement, source, f"{measure.words}: {verdict.words}", verdict.fix, OWNER)
    return Wanted(
        measure.requirement,
        source,
        f"{measure.words}: its measurements until {said_day(verdict.read_until)} count no more.",
        "Send a newer measurement.",
        OWNER,
        since=clock.midnight_after(verdict.counts_until),
    )


@about(Measure.objects.current())
def measured(initiatives: list[int]) -> Iterator[tuple[int, Measurable]]:
    """What the measures of these initiatives show by figures that nobody typed: sent with a key, or asked by a survey.

    A requirement is measured while each of its measures is met and no measurement behind the figure was typed or
    brought in a table: the figure would then be as good as somebody's word, however well it is averaged
    (docs/domain.md, "Four levels").
    """
    found = queries.subjects(initiatives)
    typed = queries.last_typed(measure for rows in found.values() for measure, _ in rows)
    for initiative, rows in found.items():
        by_requirement: dict[str, list[tuple[Measure, Verdict]]] = {}
        for measure, subject in rows:
            if measure.requirement in ASKED:
                by_requirement.setdefault(measure.requirement, []).append((measure, judge(subject)))
        for requirement, judged in by_requirement.items():
            if not queries.lacking(requirement, [measure for measure, _ in judged]) and all(
                verdict.met and typed.get(measure.pk, date.min) < (verdict.judged_from or date.max)
                for measure, verdict in judged
            ):
                yield initiative, _measurable(requirement, judged)


def _measurable(requirement: str, judged: list[tuple[Measure, Verdict]]) -> Measurable:
    """What these measures, all of them met, come to: from the day of the newest measurement until the first is
    too old.
    """
    return Measurable(
        requirement,
        WAY,
        source_of(requirement) + "met",
        " ".join(f"{measure.words}: {ended(verdict.words)}" for measure, verdict in judged),
        clock.midnight_before(max(verdict.read_until for _, verdict in judged if verdict.read_until)),
        clock.midnight_after(min(verdict.counts_until for _, verdict in judged if verdict.counts_until)),
    )


def _listed(groups) -> str:
    words = [" or ".join(INSTRUMENTS[key].words.lower() for key in group) for group in groups]
    return "; ".join(words)
