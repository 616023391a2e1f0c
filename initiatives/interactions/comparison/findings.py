"""What both logs say against requirements of a case, and what they measure of its logging.

Source: docs/domain.md, "Four levels" and "What systems did". The figures come from the keys of running systems and from
a count that the interaction log does not supply itself, so nobody of the team wrote them.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

from django.db.models import Q, QuerySet, Sum

from governance import clock
from governance.vocabulary import LogFindingKind, Stage
from initiatives.facts.finding_rules import Measurable, Wanted, about
from initiatives.findings.decision_days import SAID_OF
from initiatives.integration.resilience.trace_sampling import wilson
from initiatives.models import Initiative, LogFinding, ReconciledDay

WAY = "interactions"
OBSERVED = ("mvp.observability", "prod.q03_logged")
MODEL = ("prod.performance",)
# A week without another ends what was found: by then either it was mended, or there is more of it.
COUNTS = timedelta(days=7)
WEEKS = 4  # over which the share of what is logged is measured, whole ones
LEAST = 0.95  # of what was allowed, at the lower end of the interval: with 73 and none missing it is reached
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
def says(cases: list[int]) -> Iterator[tuple[int, Wanted]]:
    """What stands in the logs of these cases, one a kind, or a model; probable ones are none."""
    stages = dict(Initiative.objects.filter(pk__in=cases, stage__in=_STAGES).values_list("pk", "stage"))
    recent = clock.now() - COUNTS
    rows = LogFinding.objects.standing().filter(Q(at__gt=recent) | Q(kind=LogFindingKind.SILENT))
    groups: dict[tuple[int, str, str], list[LogFinding]] = defaultdict(list)
    for row in rows.filter(initiative__in=stages, probable=False).order_by("at", "pk"):
        of = row.act.partition(":")[0] if row.kind == LogFindingKind.OTHER_MODEL else ""
        groups[row.initiative_id, row.kind, of].append(row)
    for (case, kind, of), found in groups.items():
        first = found[0]
        words = _WORDS[LogFindingKind(kind)].format(
            day=_day(first.day), before=_day(clock.local_day(first.at) - timedelta(days=1)), what=first.what
        )
        for requirement in requirements_of(kind, stages[case]):
            yield (
                case,
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
def measured(cases: list[int]) -> Iterator[tuple[int, Measurable]]:
    """The share of what was allowed that the interaction log has whole, over the last four whole weeks.

    Once a week, so that what is measured is not written anew each night. Where nothing was allowed there is no count to
    hold the log against, and nothing is measured.
    """
    monday = _monday(clock.today())
    since = monday - timedelta(weeks=WEEKS)
    sums = (
        ReconciledDay.objects.filter(
            *(
                Q(initiative__in=cases),
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


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _day(day: date) -> str:
    return f"{day:%-d %B %Y}"
