"""The findings of measures for and against requirements.

Measurements reach the gates only by these. Contributed as `more_says` and `measures`. A requirement of adoption has a
finding while a measure that it asks for is absent, insufficient, about other people than the real users, too old, or
not met. No document alone meets the requirement. A finding about a met measure starts at the moment from which the
measure no longer counts, so that no job has to run then.
"""

from collections.abc import Iterator
from datetime import date

from adoption.measures import queries
from adoption.measures.evaluation import Verdict, judge, said_day
from adoption.models import Measure
from adoption.models.instruments import ASKED, INSTRUMENTS
from governance import clock
from governance.permission_result import ended
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.facts.finding_rules import Measurable, Wanted, about

OWNER = "The owner"
WAY = "measurements"
DECLARE = phrase("Declare a measure on the Adoption tab, then send measurements of the real users.")


def source_of(requirement: str) -> str:
    """Return the source prefix of all measure findings about a requirement."""
    return f"measure:{requirement}:"


def undeclared() -> dict[str, tuple[str, Wanted]]:
    """Return the finding by requirement of initiatives without measures (`unless`).

    The finding needs no row, so ten thousand imported initiatives need none.
    """
    return {
        key: (
            source_of(key),
            Wanted(
                key,
                source_of(key) + "none",
                phrase("No measure is declared: {}.", _listed(groups)),
                DECLARE,
                OWNER,
            ),
        )
        for key, groups in ASKED.items()
    }


@about(Measure.objects.current())
def says(initiatives: list[int]) -> Iterator[tuple[int, Wanted]]:
    """Yield the findings of the current measures of these initiatives, set-wise.

    Each measured requirement yields one or more.
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
                        phrase("Not measured: {}.", INSTRUMENTS[group[0]].words.lower()),
                        DECLARE,
                        OWNER,
                    ),
                )
        for measure, subject in found:
            if measure.requirement in ASKED:
                yield initiative, wanted_of(measure, judge(subject))


def wanted_of(measure: Measure, verdict: Verdict) -> Wanted:
    """Return the finding of one measure. A met measure has it from the day its measurements are too old."""
    source = f"{source_of(measure.requirement)}{measure.pk}"
    if not verdict.met:
        return Wanted(
            measure.requirement, source, phrase("{}: {}", measure.words, verdict.words), verdict.fix, OWNER
        )
    return Wanted(
        measure.requirement,
        source,
        phrase("{}: the measurements until {} no longer count.", measure.words, said_day(verdict.read_until)),
        phrase("Send a newer measurement."),
        OWNER,
        since=clock.midnight_after(verdict.counts_until),
    )


@about(Measure.objects.current())
def measured(initiatives: list[int]) -> Iterator[tuple[int, Measurable]]:
    """Yield the results of measures whose figures came with a key or by survey.

    A requirement is measured while each of its measures is met and no measurement behind the figure was typed or
    imported from a table. A typed figure is only as good as a person's word, even as an average (docs/domain.md, "Four
    levels").
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
    """Return the result of these met measures. It counts from the newest day until the first is too old."""
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
