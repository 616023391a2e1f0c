"""The measurement of `prod.monitoring`: timely data by keys that people read.

Source: docs/domain.md, "What the monitoring says". Days come from keys alone, so no one of the team wrote them. Silence
is not a finding against an initiative: the measured level ends, and other evidence still counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Min, QuerySet

from adoption.models import Alert, IncidentDraft, MonitoringLook, MonitoringPromise
from adoption.models.monitoring import HEARTBEAT
from governance import clock
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.facts.finding_rules import Measurable, about

REQUIREMENT, WAY = "prod.monitoring", "monitoring"
LEAST = timedelta(days=7)  # for which it has to have been heard of, and for two promised periods
READ_WITHIN = timedelta(days=7)  # a draft that waits longer was not read
FOUND_IN = timedelta(days=28)  # of which the sentence counts what was found
LOOKED_BACK = timedelta(days=400)


@dataclass(frozen=True)
class Rhythm:
    """A stretch of days with data from monitoring, without a gap longer than promised.

    `first` and `last` are the first and latest day of this stretch, `every` the promised days.
    """

    first: date
    last: date
    every: int

    @property
    def needed(self) -> timedelta:
        """Return the required length of the stretch."""
        return max(LEAST, 2 * timedelta(days=self.every))

    @property
    def kept(self) -> bool:
        """Return True if the stretch is long enough to show that the promise is kept."""
        return self.last - self.first >= self.needed

    @property
    def silent_from(self) -> datetime:
        """Return the moment from which it will have been silent for longer than promised."""
        return clock.midnight_after(self.last + timedelta(days=self.every))


def rhythm_of(days: list[date], every: int) -> Rhythm | None:
    """Return the stretch that ends with the newest of these sorted, distinct days, or None."""
    if not days:
        return None
    first = days[-1]
    for day in reversed(days[:-1]):
        if (first - day).days > every:
            break
        first = day
    return Rhythm(first, days[-1], every)


def days_heard(initiatives: list[int]) -> dict[int, list[date]]:
    """Return the days by initiative on which its monitoring sent data, oldest first."""
    found: dict[int, list[date]] = {}
    rows = MonitoringLook.objects.filter(initiative__in=initiatives, day__gt=clock.today() - LOOKED_BACK)
    for initiative, day in rows.order_by("day").values_list("initiative", "day").distinct():
        found.setdefault(initiative, []).append(day)
    return found


def unread_since(initiatives: list[int]) -> dict[int, datetime]:
    """Return the moment by initiative since which its oldest draft waits."""
    rows = IncidentDraft.objects.waiting().filter(initiative__in=initiatives).order_by()
    return dict(rows.values("initiative").annotate(first=Min("opened_at")).values_list("initiative", "first"))


@about(MonitoringPromise.objects.filter(ended_at__isnull=True))
def measured(initiatives: list[int]) -> Iterator[tuple[int, Measurable]]:
    """Yield the result that monitoring runs at the promised rhythm and is read.

    Each day with data has one. It counts until monitoring is silent for longer than promised or a draft waits too long.
    """
    promises = MonitoringPromise.objects.filter(initiative__in=initiatives, ended_at__isnull=True)
    every = dict(promises.values_list("initiative", "every_days"))
    heard, unread, now = days_heard(list(every)), unread_since(list(every)), clock.now()
    kept = {initiative: rhythm_of(days, every[initiative]) for initiative, days in heard.items()}
    found = _found({initiative: rhythm.last for initiative, rhythm in kept.items() if rhythm and rhythm.kept})
    for initiative, rhythm in kept.items():
        if rhythm is None or not rhythm.kept:
            continue
        until = rhythm.silent_from
        if initiative in unread:
            until = min(until, unread[initiative] + READ_WITHIN)
        if until > now:
            yield initiative, _measurable(rhythm, found.get(initiative, (0, 0)), until)


def _measurable(rhythm: Rhythm, found: tuple[int, int], until: datetime) -> Measurable:
    looks, drafts = found
    words = (
        f"monitoring sent data by key at least every {days_in_words(rhythm.every)} from "
        f"{_day(rhythm.first)} to {_day(rhythm.last)} (found in the last four weeks: {looks} "
        f"thing{'' if looks == 1 else 's'}, {drafts} of them for a person to judge)"
    )
    since = clock.midnight_before(rhythm.first + rhythm.needed)
    return Measurable(REQUIREMENT, WAY, "monitoring:rhythm", words, since, until)


def _found(last: dict[int, date]) -> dict[int, tuple[int, int]]:
    """Return counts of alerts and drafts by initiative, for four weeks before its day.

    Heartbeats do not count. One query for each of these days. The counts are fixed until new data arrives.
    """
    found: dict[int, tuple[int, int]] = {}
    for day in set(last.values()):
        until = clock.midnight_before(day)
        rows = Alert.objects.filter(
            initiative__in=[initiative for initiative, of in last.items() if of == day],
            first_at__gte=until - FOUND_IN,
            first_at__lt=until,
        )
        counted = (
            rows.exclude(counts_as=HEARTBEAT)
            .order_by()
            .values("initiative")
            .annotate(looks=Count("pk"), drafts=Count("draft"))
        )
        found |= {row["initiative"]: (row["looks"], row["drafts"]) for row in counted}
    return found


def changing() -> QuerySet[MonitoringPromise]:
    """Return the rows whose result changes with time alone: days pass without data."""
    return MonitoringPromise.objects.filter(ended_at__isnull=True)


@dataclass(frozen=True)
class MonitoringStatus:
    """The state of an initiative's monitoring on its page: tone, sentence, fix."""

    tone: str
    words: str
    fix: str = ""


def status_of(initiative) -> MonitoringStatus:
    """Return what is measured of an initiative's monitoring, or why nothing is."""
    promise = initiative.monitoring_promises.filter(ended_at__isnull=True).first()
    if promise is None:
        return MonitoringStatus(
            "",
            phrase("Unknown. No one has set how often monitoring must send data."),
            phrase("Set the interval, and connect the monitoring."),
        )
    rhythm = rhythm_of(days_heard([initiative.pk]).get(initiative.pk, []), promise.every_days)
    if rhythm is None:
        return MonitoringStatus(
            "",
            phrase("Unknown. Monitoring has never sent data."),
            phrase("Connect monitoring with a key of this initiative."),
        )
    if rhythm.silent_from <= clock.now():
        return MonitoringStatus(
            "warn",
            phrase(
                "Unknown. No data from monitoring since {}, expected at least every {}.",
                _day(rhythm.last),
                days_in_words(rhythm.every),
            ),
            phrase("Restart the monitoring. If it has nothing to report, send a heartbeat."),
        )
    waits = unread_since([initiative.pk]).get(initiative.pk)
    if waits is not None and waits + READ_WITHIN <= clock.now():
        return MonitoringStatus(
            "warn",
            phrase(
                "Not measured. A draft of an incident has waited since {}. Drafts must be read "
                "within a week.",
                _day(clock.local_day(waits)),
            ),
            phrase("Make the draft an incident, or dismiss it with a reason."),
        )
    if not rhythm.kept:
        day = rhythm.first + rhythm.needed
        return MonitoringStatus(
            "",
            phrase(
                "Data from monitoring since {} without a gap. If no gap occurs, the requirement is "
                "measured from {} on.",
                _day(rhythm.first),
                _day(day),
            ),
        )
    return MonitoringStatus(
        "ok",
        phrase(
            "Measured. Monitoring has sent data since {} at least every {}, last on {}.",
            _day(rhythm.first),
            days_in_words(rhythm.every),
            _day(rhythm.last),
        ),
    )


def days_in_words(every: int) -> str:
    """Return "day", or "7 days": the words after "every"."""
    return "day" if every == 1 else phrase("{} days", every)


def _day(day: date) -> str:
    return f"{day:%-d %B %Y}"
