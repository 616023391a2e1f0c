"""Findings and measurements from both logs, for the requirements of an initiative.

Source: docs/domain.md, "Four levels" and "What systems did". The figures come from the keys of running systems and from
a count outside the interaction log, so the team did not write them.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db.models import OuterRef, Q, QuerySet, Subquery

from governance import clock
from governance.gates.gate_inputs import LOGGED
from governance.models import Interaction, Rulebook
from governance.vocabulary import LogFindingKind, Stage
from governance.vocabulary.phrases import phrase
from governance.vocabulary.shares import wilson
from initiatives.interactions.comparison import ways
from initiatives.interactions.comparison.figures_of import (
    WEEKS,
    figures_of,
    people_in_scope,
    promises_of,
    summed,
    weeks,
)
from initiatives.lifecycle.facts.finding_rules import Measurable, Wanted, about
from initiatives.lifecycle.findings.decision_days import SAID_OF, shown_span
from initiatives.lifecycle.findings.decision_days import WAY as SCOPE_WAY
from initiatives.models import Initiative, LogFinding, ReconciledDay

WAY = "interactions"
OBSERVED = ("mvp.observability", "prod.q03_logged")
MODEL = PROMISED = ("prod.performance",)
# A week without another ends what was found: by then either it was fixed, or there is more of it.
COUNTS = timedelta(days=7)
COUNTING = timedelta(days=1)  # for the count of the next weeks, before these findings end
GOOD_FOR = timedelta(days=14)  # after the last of these weeks
OWNER, LEAD = "The owner", phrase("The technical lead")
_STAGES = (Stage.MVP, Stage.PRODUCTION)
_WORDS = {
    LogFindingKind.NEVER_ASKED: phrase(
        "Since {day}, the interaction log shows acts that no decision permitted. The first act was “{what}”."
    ),
    LogFindingKind.AFTER_DENIAL: phrase(
        "Since {day}, the interaction log shows acts that a decision had denied. The first act was “{what}”."
    ),
    LogFindingKind.OTHER_MODEL: phrase(
        "A model that is not declared has answered requests since {day}: “{what}”."
    ),
    LogFindingKind.SILENT: phrase("The interaction log has no entries since {before}."),
}
_FIXES = {
    LogFindingKind.NEVER_ASKED: phrase(
        "Make the system ask before it acts, or choose the meaning of the name of the act."
    ),
    LogFindingKind.AFTER_DENIAL: phrase(
        "Make the system follow the decision, or choose the meaning of the name of the act."
    ),
    LogFindingKind.OTHER_MODEL: phrase("Declare the version that runs, or switch to the declared version."),
    LogFindingKind.SILENT: phrase("Make the system report its interactions again."),
}


def requirements_of(kind: str, stage: str) -> tuple[str, ...]:
    """Return the requirements that a finding of this kind concerns in this stage."""
    if kind == LogFindingKind.OTHER_MODEL:
        return MODEL
    if kind == LogFindingKind.SILENT:
        return OBSERVED
    return SAID_OF[Stage(stage)]


@about(LogFinding.objects.all())
def says(initiatives: list[int]) -> Iterator[tuple[int, Wanted]]:
    """Yield the findings in these logs, one for each kind or model. Probable ones are left out."""
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
    """Yield findings on more people than in scope, and on promises that calls break.

    They cover the last four whole weeks, and only what the figures disprove. Unknown figures are not a finding. Each
    holds from the first moment after these weeks until the next ones are over.
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
            words = phrase(
                "The interaction log names more people than the scope in force declares: {}", served.words
            )
            fix = phrase("Find out who else uses the system, or declare the wider scope.")
            for requirement in SAID_OF[Stage(stage)]:
                yield initiative, Wanted(requirement, "interactions:subjects", words, fix, OWNER, **span)
        promise, since = promises.get(initiative, (None, None))
        kept = ways.as_promised(summed(days, since), promise) if promise else None
        if kept is not None and kept.holds is False:
            words = phrase("The interaction log shows that a performance promise is not kept: {}", kept.words)
            fix = phrase("Fix the cause of slow or failed calls, or change the promise.")
            for requirement in PROMISED:
                yield initiative, Wanted(requirement, "interactions:promise", words, fix, LEAD, **span)


class _Weeks(NamedTuple):
    initiative: int
    stage: str
    days: list[ReconciledDay]


def _weeks_of(initiatives: list[int]) -> Iterator[_Weeks]:
    """Yield the running ones of these, with stage and days of the last four weeks."""
    stages = dict(Initiative.objects.filter(pk__in=initiatives, stage__in=_STAGES).values_list("pk", "stage"))
    for initiative, days in figures_of(stages).items():
        yield _Weeks(initiative, stages[initiative], days)


@about(ReconciledDay.objects.all())
def measured_of_calls(initiatives: list[int]) -> Iterator[tuple[int, Measurable]]:
    """Yield measurements from calls: kept promises, people in scope.

    Only complete logs count. In another log, a system might have reported its good calls alone.
    """
    _, monday = weeks()
    good = clock.midnight_before(monday), clock.midnight_before(monday) + GOOD_FOR
    found = [row for row in _weeks_of(initiatives) if ways.complete(summed(row.days)).holds]
    scopes, promises = (
        people_in_scope(row.initiative for row in found),
        promises_of(row.initiative for row in found),
    )
    for initiative, stage, days in found:
        served = ways.within_scope(summed(days), scopes[initiative]) if initiative in scopes else None
        if (
            served is not None
            and served.holds
            and not any(row.never_asked or row.after_denial for row in days)
        ):
            words = phrase("the interaction log names {}, and every act was allowed", served.words[:-1])
            for requirement in SAID_OF[Stage(stage)]:
                yield initiative, Measurable(requirement, SCOPE_WAY, "interactions:subjects", words, *good)
        if initiative not in promises:
            continue
        promise, since = promises[initiative]
        kept = ways.as_promised(summed(days, since), promise)
        if kept.holds:
            words = phrase(
                "the interaction log from {} shows this: {}", _day(summed(days, since).first), kept.words
            )
            for requirement in PROMISED:
                yield initiative, Measurable(requirement, WAY, "interactions:promise", words, *good)


@about(ReconciledDay.objects.all())
def measured(initiatives: list[int]) -> Iterator[tuple[int, Measurable]]:
    """Yield the share of allowed calls that the log has completely, in four weeks.

    The share is measured once a week, so that it is not written again each night. An initiative without allowed calls
    has no count to compare the log with, and gets no measurement.
    """
    _, monday = weeks()
    for row in _weeks_of(initiatives):
        figures = summed(row.days)
        if not ways.complete(figures).holds:
            continue
        low, _ = wilson(figures.logged, figures.expected)
        words = phrase(
            "{} of {} allowed calls in the four weeks to {} have input, output, actor, time and "
            "model version in the interaction log, which is at least {} %",
            figures.logged,
            figures.expected,
            _day(monday - timedelta(days=1)),
            f"{100 * low:.1f}",
        )
        for requirement in OBSERVED:
            yield (
                row.initiative,
                Measurable(
                    requirement,
                    WAY,
                    "interactions:logged",
                    words,
                    clock.midnight_before(monday),
                    clock.midnight_before(monday) + GOOD_FOR,
                ),
            )


@about(ReconciledDay.objects.all())
def logged(initiatives: list[int]) -> Iterator[tuple[int, Measurable]]:
    """Yield initiatives whose log got an interaction by a key within the rulebook's period."""
    rulebook = Rulebook.objects.in_force()
    if rulebook is None:
        return
    days, now = rulebook.parsed.freshness.shown_here_days, clock.now()
    calls = Interaction.objects.filter(
        initiative_number=OuterRef("number"),
        key_id__isnull=False,
        at__gt=now - timedelta(days=days),
        at__lte=now,
    )
    newest = Subquery(calls.order_by("-at", "-id").values("at")[:1])
    rows = Initiative.objects.filter(pk__in=initiatives).annotate(newest=newest).exclude(newest=None)
    for key, last in rows.order_by("pk").values_list("pk", "newest"):
        start, end = shown_span(clock.local_day(last), days)
        words = phrase("the interaction log has calls of the week of {}", _day(clock.local_day(start)))
        yield key, Measurable("int.audit_trail", LOGGED, "interactions:calls", words, start, end)


def changing() -> QuerySet[ReconciledDay]:
    """Return the rows whose findings change by time alone, as weeks end."""
    return ReconciledDay.objects.filter(day__gte=clock.today() - timedelta(weeks=WEEKS + 2))


def _day(day: date) -> str:
    return f"{day:%-d %B %Y}"
