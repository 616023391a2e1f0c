"""What both logs say against requirements of an initiative, and what they measure of its logging.

Source: docs/domain.md, "Four levels" and "What systems did". The figures come from the keys of running systems and from
a count that the interaction log does not supply itself, so nobody of the team wrote them.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet, Sum

from governance import clock
from governance.vocabulary import LogFindingKind, Stage
from initiatives.integration.resilience.trace_sampling import wilson
from initiatives.interactions.comparison import ways
from initiatives.interactions.comparison.figures_of import (
    WEEKS,
    figures_of,
    people_in_scope,
    promises_of,
    samples_of,
    summed,
    weeks,
)
from initiatives.interactions.comparison.ways import LEAST
from initiatives.lifecycle.facts.finding_rules import Measurable, Wanted, about
from initiatives.lifecycle.findings.decision_days import SAID_OF
from initiatives.lifecycle.findings.decision_days import WAY as SCOPE_WAY
from initiatives.models import Initiative, LogFinding, ReconciledDay

WAY = "interactions"
OBSERVED = ("mvp.observability", "prod.q03_logged")
MODEL = PROMISED = ("prod.performance",)
ANCHORED = ("int.anchor",)
# A week without another ends what was found: by then either it was fixed, or there is more of it.
COUNTS = timedelta(days=7)
COUNTING = timedelta(days=1)  # in which the next weeks are counted, before what these say ends
GOOD_FOR = timedelta(days=14)  # after the last of these weeks
OWNER, LEAD = "The owner", "The technical lead"
_STAGES = (Stage.MVP, Stage.PRODUCTION)
_WORDS = {
    LogFindingKind.NEVER_ASKED: "The interaction log shows acts since {day} that were done and nobody asked about, "
    "the first of them “{what}”.",
    LogFindingKind.AFTER_DENIAL: "The interaction log shows acts since {day} that were done after a denial, "
    "the first of them “{what}”.",
    LogFindingKind.OTHER_MODEL: "A model runs that nobody declared: since {day} “{what}” answered.",
    LogFindingKind.SILENT: "The interaction log, which used to speak, has been silent since {before}.",
}
_FIXES = {
    LogFindingKind.NEVER_ASKED: "Have the system ask before it acts, or say what it means by that name.",
    LogFindingKind.AFTER_DENIAL: "Have the system obey the answer, or say what it means by that name.",
    LogFindingKind.OTHER_MODEL: "Declare the version that runs, or have the declared one answer.",
    LogFindingKind.SILENT: "Have the system report again what it does.",
}


def requirements_of(kind: str, stage: str) -> tuple[str, ...]:
    """Against what a finding of this kind stands in this stage."""
    if kind == LogFindingKind.OTHER_MODEL:
        return MODEL
    if kind == LogFindingKind.SILENT:
        return OBSERVED
    return SAID_OF[Stage(stage)]


@about(LogFinding.objects.all())
def says(initiatives: list[int]) -> Iterator[tuple[int, Wanted]]:
    """What stands in the logs of these initiatives, one a kind, or a model; probable ones are none."""
    stages = dict(Initiative.objects.filter(pk__in=initiatives, stage__in=_STAGES).values_list("pk", "stage"))
    recent = clock.now() - COUNTS
    rows = LogFinding.objects.current().filter(Q(at__gt=recent) | Q(kind=LogFindingKind.SILENT))
    groups: dict[tuple[int, str, str], list[LogFinding]] = defaultdict(list)
    for row in rows.filter(initiative__in=stages, probable=False).order_by("at", "pk"):
        of = row.act.partition(":")[0] if row.kind == LogFindingKind.OTHER_MODEL else ""
        groups[row.initiative_id, row.kind, of].append(row)
    for (initiative, kind, of), found in groups.items():
        first = found[0]
        words = _WORDS[LogFindingKind(kind)].format(
            day=_day(first.day), before=_day(clock.local_day(first.at) - timedelta(days=1)), what=first.what
        )
        for requirement in requirements_of(kind, stages[initiative]):
            yield (
                initiative,
                Wanted(
                    requirement,
                    f"interactions:{kind}:{of}" if of else f"interactions:{kind}",
                    words,
                    _FIXES[LogFindingKind(kind)],
                    LEAD if kind == LogFindingKind.SILENT else OWNER,
                    since=first.found_at,
                ),
            )


@about(ReconciledDay.objects.all())
def says_of_calls(initiatives: list[int]) -> Iterator[tuple[int, Wanted]]:
    """That more people were served than the scope declares, or that what was promised of calls is not kept.

    Of the last four whole weeks, and only what the figures disprove: what is unknown is no finding. Told from the first
    moment after these weeks until the next ones are over.
    """
    _, monday = weeks()
    span: dict[str, Any] = {
        "since": clock.midnight_before(monday),
        "until": clock.midnight_before(monday) + COUNTS + COUNTING,
    }
    found = list(_weeks_of(initiatives))
    scopes, promises = (
        people_in_scope(row.initiative for row in found),
        promises_of(row.initiative for row in found),
    )
    for initiative, stage, days in found:
        people = scopes.get(initiative)
        served = ways.within_scope(summed(days), people) if people is not None else None
        if served is not None and served.holds is False:
            words = f"The interaction log names more people than the scope in force declares: {served.words}"
            fix = "Find out who else is served, or declare the wider scope."
            for requirement in SAID_OF[Stage(stage)]:
                yield initiative, Wanted(requirement, "interactions:subjects", words, fix, OWNER, **span)
        promise, since = promises.get(initiative, (None, None))
        kept = ways.as_promised(summed(days, since), promise) if promise else None
        if kept is not None and kept.holds is False:
            words = f"What was promised is not kept, says the interaction log: {kept.words}"
            fix = "Fix what is slow or fails, or promise what can be kept."
            for requirement in PROMISED:
                yield initiative, Wanted(requirement, "interactions:promise", words, fix, LEAD, **span)


class _Weeks(NamedTuple):
    initiative: int
    stage: str
    days: list[ReconciledDay]


def _weeks_of(initiatives: list[int]) -> Iterator[_Weeks]:
    """The running ones of these initiatives with their stage and the days of the last four whole weeks."""
    stages = dict(Initiative.objects.filter(pk__in=initiatives, stage__in=_STAGES).values_list("pk", "stage"))
    for initiative, days in figures_of(stages).items():
        yield _Weeks(initiative, stages[initiative], days)


@about(ReconciledDay.objects.all())
def measured_of_calls(initiatives: list[int]) -> Iterator[tuple[int, Measurable]]:
    """What calls show where the log has what was allowed: that they are as promised, and served whom the scope names.

    A log of which nobody knows whether it is whole proves nothing: its system might report its good calls alone.
    """
    _, monday = weeks()
    good = clock.midnight_before(monday), clock.midnight_before(monday) + GOOD_FOR
    found = [row for row in _weeks_of(initiatives) if ways.complete(summed(row.days)).holds]
    scopes, promises = (
        people_in_scope(row.initiative for row in found),
        promises_of(row.initiative for row in found),
    )
    samples = samples_of(row.initiative for row in found)
    for initiative, stage, days in found:
        sample = samples.get(initiative)
        anchored = ways.anchored(*sample) if sample else None
        if anchored and anchored.holds and ways.sourced(summed(days)).holds:
            words = f"{ways.sourced(summed(days)).words} {anchored.words}"
            for requirement in ANCHORED:
                yield initiative, Measurable(requirement, WAY, "interactions:sources", words, *good)
        served = ways.within_scope(summed(days), scopes[initiative]) if initiative in scopes else None
        if (
            served is not None
            and served.holds
            and not any(row.never_asked or row.after_denial for row in days)
        ):
            words = f"the interaction log names {served.words[:-1]}, and no act that was not allowed"
            for requirement in SAID_OF[Stage(stage)]:
                yield initiative, Measurable(requirement, SCOPE_WAY, "interactions:subjects", words, *good)
        if initiative not in promises:
            continue
        promise, since = promises[initiative]
        kept = ways.as_promised(summed(days, since), promise)
        if kept.holds:
            words = f"in the interaction log of the days from {_day(summed(days, since).first)}: {kept.words}"
            for requirement in PROMISED:
                yield initiative, Measurable(requirement, WAY, "interactions:promise", words, *good)


@about(ReconciledDay.objects.all())
def measured(initiatives: list[int]) -> Iterator[tuple[int, Measurable]]:
    """The share of what was allowed that the interaction log has whole, over the last four whole weeks.

    Once a week, so that what is measured is not written anew each night. Where nothing was allowed there is no count to
    hold the log against, and nothing is measured.
    """
    since, monday = weeks()
    sums = (
        ReconciledDay.objects.filter(
            *(
                Q(initiative__in=initiatives),
                Q(initiative__stage__in=_STAGES),
                Q(day__gte=since),
                Q(day__lt=monday),
            ),
        )
        .values("initiative")
        .annotate(logged_sum=Sum("logged"), expected_sum=Sum("expected"))
        .order_by("initiative")
    )
    for row in sums:
        logged, expected = row["logged_sum"], row["expected_sum"]
        if not expected or wilson(logged, expected)[0] < LEAST:
            continue
        low = wilson(logged, expected)[0]
        words = (
            f"of {expected} allowed calls in the four weeks to {_day(monday - timedelta(days=1))} the interaction log "
            f"has {logged} with input, output, actor, time and model version, at least {100 * low:.1f} %"
        )
        for requirement in OBSERVED:
            yield (
                row["initiative"],
                Measurable(
                    requirement,
                    WAY,
                    "interactions:logged",
                    words,
                    clock.midnight_before(monday),
                    clock.midnight_before(monday) + GOOD_FOR,
                ),
            )


def changing() -> QuerySet[ReconciledDay]:
    """Rows about which time alone changes what is said: weeks end, and what was found counts for a week."""
    return ReconciledDay.objects.filter(day__gte=clock.today() - timedelta(weeks=WEEKS + 2))


def _day(day: date) -> str:
    return f"{day:%-d %B %Y}"
