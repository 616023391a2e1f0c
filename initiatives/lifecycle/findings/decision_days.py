"""Daily counts of the decision log, compared with the scope.

Source: docs/domain.md, "Four levels". The figures come from the keys of running systems, so no one on the team wrote
them. Calls within the declared scope measure that the bound and the runtime hold. Calls beyond it are a finding.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db.models import F, Max, QuerySet
from django.urls import reverse

from governance import clock
from governance.authorization.decision_queries import SIGNAL_DAYS, allowed_subjects, of_day
from governance.gates.gate_inputs import ASKED
from governance.models import KeyHeartbeat, OutcomeReport, PolicyDecision, Rulebook
from governance.transparency_log import recomputation
from governance.vocabulary import LogFindingKind, Stage
from initiatives.contributions import Contribution
from initiatives.lifecycle.facts.finding_rules import Measurable, Wanted, about
from initiatives.lifecycle.findings.sync import follow
from initiatives.lifecycle.initiative.act import act, batched
from initiatives.lifecycle.initiative.who_may import WhoMay
from initiatives.models import DecisionDay, Initiative, LogFinding, ScopeVersion

WAY = "decisions"
# What the log says something about, by the stage of the initiative: its bound ends with the MVP.
SAID_OF = {Stage.MVP: ("mvp.rollout", "layer.runtime"), Stage.PRODUCTION: ("layer.runtime",)}
# Acts that the interaction log shows and that no decision permitted.
NOT_PERMITTED = (LogFindingKind.NEVER_ASKED, LogFindingKind.AFTER_DENIAL)
COMPLETE_AFTER = timedelta(hours=1)  # after midnight: what waited in a spool is in the log by then
CATCH_UP = 7  # days that are counted at most after the worker was away
OWNER = "The owner"


def count() -> list[int]:
    """Count the uncounted past days, at most a week of them. Returns the keys of the initiatives."""
    last = clock.local_day(clock.now() - COMPLETE_AFTER) - timedelta(days=1)
    kept = DecisionDay.objects.aggregate(last=Max("day"))["last"]
    first = max(last - timedelta(days=CATCH_UP - 1), kept + timedelta(days=1) if kept else last)
    touched: list[int] = []
    for back in range((last - first).days, -1, -1):
        touched += _count(last - timedelta(days=back))
    return touched


def _count(day: date) -> list[int]:
    inside = {"at__gte": clock.midnight_before(day), "at__lt": clock.midnight_after(day)}
    numbers = (
        PolicyDecision.objects.calls()
        .filter(key_id__isnull=False, **inside)
        .values("initiative_number")
        .distinct()
    )
    found = Initiative.objects.filter(number__in=numbers, stage__in=SAID_OF).order_by("pk")
    touched = []
    for keys in batched(list(found.values_list("pk", flat=True))):
        with act("count decisions", system="decision count"):
            initiatives = Initiative.objects.all_locked(keys)
            numbered = {initiative.number: initiative for initiative in initiatives}
            known = set(
                DecisionDay.objects.filter(initiative__in=initiatives, day=day).values_list(
                    "initiative", "key"
                )
            )
            subjects = allowed_subjects(list(numbered), day)
            rows = [
                DecisionDay(
                    initiative=numbered[one.initiative],
                    key_id=one.key,
                    day=day,
                    asked=one.asked,
                    allowed=one.allowed,
                    subjects=subjects.get(one.initiative, 0),
                )
                for one in of_day(list(numbered), day)
                if (numbered[one.initiative].pk, one.key) not in known
            ]
            DecisionDay.objects.bulk_create(rows)
            follow(list(initiatives))
            touched += [initiative.pk for initiative in initiatives]
    return touched


# A day of another time zone begins up to a day earlier or later; what waited in a spool came after the count.
_WRONG_DAYS = """
SELECT d.id, i.number, d.day, d.asked, found.asked FROM initiatives_decisionday d
  JOIN initiatives_initiative i ON i.id = d.initiative_id
  CROSS JOIN LATERAL (
    SELECT count(*) AS asked FROM governance_policydecision p
     WHERE p.initiative_number = i.number AND p.key_id = d.key_id AND p.at >= d.day - 1 AND p.at < d.day + 2) found
 WHERE d.asked > found.asked AND d.day - 1 >= (SELECT min(at) FROM governance_policydecision)
 ORDER BY d.id
"""


def unlike(using: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield each counted day with more requests than the decision log has.

    Days before the oldest decision in the log are left out, because the log may have been shortened.
    """
    for key, number, day, said, found in recomputation.stream(using, _WRONG_DAYS, []):
        words = (
            f"{day:%-d %B %Y} of {Initiative.ref_of(number)} has a count of {said} requests, but the "
            f"decision log has {found} around that day"
        )
        yield words, "initiatives_decisionday", str(key), "asked"


def _newest(initiatives: list[int]) -> dict[int, tuple[Initiative, ScopeVersion, list[DecisionDay]]]:
    """Return the scope and newest week of initiatives that asked within 30 days.

    Days are oldest first. Whole weeks are used so that measured values change once a week, not every night.
    """
    now = clock.now()
    since = clock.local_day(now) - timedelta(days=SIGNAL_DAYS)
    days: dict[int, list[DecisionDay]] = {}
    for row in DecisionDay.objects.filter(initiative__in=initiatives, day__gt=since).order_by("day", "pk"):
        days.setdefault(row.initiative_id, []).append(row)
    scopes = ScopeVersion.objects.filter(initiative__in=days, starts_at__lte=now).order_by("number")
    in_force = {one.initiative_id: one for one in scopes if one.ended_at is None or one.ended_at > now}
    found = {}
    for initiative in Initiative.objects.filter(pk__in=in_force, stage__in=SAID_OF):
        week = _monday(days[initiative.pk][-1].day)
        found[initiative.pk] = (
            initiative,
            in_force[initiative.pk],
            [row for row in days[initiative.pk] if row.day >= week],
        )
    return found


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


@about(DecisionDay.objects.all())
def measured(initiatives: list[int]) -> Iterator[tuple[int, Measurable]]:
    """Yield initiatives whose calls were all asked and within the scope's people."""
    found = _newest(initiatives)
    numbers = {initiative.number: key for key, (initiative, _, _) in found.items()}
    since = clock.now() - timedelta(days=SIGNAL_DAYS)
    unasked = OutcomeReport.objects.filter(
        initiative_number__in=numbers, decision__isnull=True, at__gte=since
    )
    past_us = {numbers[number] for number in unasked.values_list("initiative_number", flat=True).distinct()}
    acts = LogFinding.objects.current().filter(initiative__in=found, kind__in=NOT_PERMITTED, at__gte=since)
    past_us |= set(acts.filter(probable=False).values_list("initiative", flat=True))
    for key, (initiative, scope, days) in found.items():
        week, subjects = _monday(days[0].day), days[0].subjects
        # If every call was denied, no one was served, and the people in scope are unknown.
        if not subjects or key in past_us or any(row.subjects > scope.user_count for row in days):
            continue
        words = (
            f"the decision log counts {_people(subjects)} in the thirty days to {days[0].day:%-d %B %Y}, "
            f"the scope declares {scope.user_count}, and every known call asked for a decision first"
        )
        for requirement in SAID_OF[Stage(initiative.stage)]:
            yield (
                key,
                Measurable(
                    requirement,
                    WAY,
                    "decisions:scope",
                    words,
                    clock.midnight_before(week),
                    clock.midnight_after(week + timedelta(days=SIGNAL_DAYS)),
                ),
            )


def shown_span(last: date, days: int) -> tuple[datetime, datetime]:
    """Return the span for which activity on `last` counts as enforced or logged.

    `days` is its length. If it is longer than two weeks, the span starts on the Monday of that week. The row then
    changes once a week, not every night, and never lasts longer than the period.
    """
    start = _monday(last) if days > 14 else last
    return clock.midnight_before(start), clock.midnight_before(start + timedelta(days=max(days, 1)))


def _heartbeats() -> QuerySet:
    """Return the heartbeats, each with the key of its initiative."""
    return KeyHeartbeat.objects.annotate(initiative=F("key__contract__initiative"))


def _beating() -> QuerySet:
    """Return the heartbeats of the last days, which no act reads."""
    return _heartbeats().filter(day__gte=clock.today() - timedelta(days=CATCH_UP))


@about(DecisionDay.objects.all(), _heartbeats())
def asked(initiatives: list[int]) -> Iterator[tuple[int, Measurable]]:
    """Yield initiatives whose key asked or sent a heartbeat in the period."""
    rulebook = Rulebook.objects.in_force()
    if rulebook is None:
        return
    days = rulebook.parsed.freshness.shown_here_days
    since = clock.today() - timedelta(days=days)
    newest: dict[int, date] = {}
    for rows in (DecisionDay.objects.all(), _heartbeats()):
        found = rows.filter(initiative__in=initiatives, day__gt=since).order_by().values_list("initiative")
        for key, last in found.annotate(Max("day")):
            newest[key] = max(last, newest.get(key, last))
    for key, last in sorted(newest.items()):
        start, end = shown_span(last, days)
        words = f"its systems sent requests here in the week of {clock.local_day(start):%-d %B %Y}"
        yield key, Measurable("gov.enforced", ASKED, "decisions:asked", words, start, end)


@about(DecisionDay.objects.all())
def says(initiatives: list[int]) -> Iterator[tuple[int, Wanted]]:
    """Yield a weekly finding if more people are served than the scope declares."""
    for key, (initiative, scope, days) in _newest(initiatives).items():
        within = [place for place, row in enumerate(days) if row.subjects <= scope.user_count]
        beyond = days[within[-1] + 1 :] if within else days
        if not beyond:
            continue
        first = beyond[0]
        words = (
            f"The decision log counts {_people(first.subjects)} in the thirty days to "
            f"{first.day:%-d %B %Y}. The scope in force declares {scope.user_count}."
        )
        for requirement in SAID_OF[Stage(initiative.stage)]:
            yield (
                key,
                Wanted(
                    requirement,
                    "decisions:scope",
                    words,
                    "Find out who else uses the system, or declare the wider scope.",
                    OWNER,
                    since=clock.midnight_after(first.day),
                    until=clock.midnight_after(first.day + timedelta(days=SIGNAL_DAYS)),
                ),
            )


def fixes_of(initiative: Initiative, may: WhoMay, source: str) -> list[tuple[str, str]]:
    """Return the pages on which the person fixes it by declaring a wider scope."""
    return (
        [(reverse("initiative-act", args=[initiative.ref, "record-scope"]), "Declare the scope")]
        if may.change_what_runs
        else []
    )


def _people(number: int) -> str:
    return f"{number} subject{'' if number == 1 else 's'}"


CONTRIBUTION = Contribution(
    register_says=[says],
    measures=[measured, asked],
    changing=[_beating],
    fixes={"decisions": fixes_of},
    derived=[unlike],
)
