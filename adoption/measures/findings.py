"""What measures say against the requirements of cases: the one way in which readings reach the gates.

Hung on the register of initiatives (`register.MORE_SAYS`). A requirement of adoption is short while a measure that it
asks for is absent, insufficient, about other people than the real users, too old, or not met; so no document alone
meets it. What is met now says from which moment it counts no more, so that nothing has to run then.
"""

from collections.abc import Iterator

from adoption.measures import queries
from adoption.measures.evaluation import Verdict, judge, said_day
from adoption.models import Measure
from adoption.models.instruments import ASKED, INSTRUMENTS
from governance import clock
from initiatives.facts.finding_rules import Wanted, about

OWNER = "The owner"
DECLARE = "Declare a measure on the Adoption tab, then send readings of the real users."


def source_of(requirement: str) -> str:
    """How the sources of everything begin that measures say about a requirement."""
    return f"measure:{requirement}:"


def undeclared() -> dict[str, tuple[str, Wanted]]:
    """By requirement, what stands against every case about whose measures nothing is written (`register.UNLESS`).

    No row says so: ten thousand imported claims need none.
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


@about(Measure.objects.standing())
def says(cases: list[int]) -> Iterator[tuple[int, Wanted]]:
    """What the standing measures of these cases say, set-wise. Each measured requirement says at least one thing."""
    for case, found in queries.subjects(cases).items():
        by_requirement: dict[str, list[Measure]] = {}
        for measure, _ in found:
            by_requirement.setdefault(measure.requirement, []).append(measure)
        for requirement, measures in by_requirement.items():
            for group in queries.lacking(requirement, measures) if requirement in ASKED else ():
                yield (
                    case,
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
                yield case, wanted_of(measure, judge(subject))


def wanted_of(measure: Measure, verdict: Verdict) -> Wanted:
    """What one measure says: at once where it is not met, else from the day on which its readings are too old."""
    source = f"{source_of(measure.requirement)}{measure.pk}"
    if not verdict.met:
        return Wanted(measure.requirement, source, f"{measure.words}: {verdict.words}", verdict.fix, OWNER)
    return Wanted(
        measure.requirement,
        source,
        f"{measure.words}: its readings until {said_day(verdict.read_until)} count no more.",
        "Send a newer reading.",
        OWNER,
        since=clock.midnight_after(verdict.counts_until),
    )


def _listed(groups) -> str:
    words = [" or ".join(INSTRUMENTS[key].words.lower() for key in group) for group in groups]
    return "; ".join(words)
