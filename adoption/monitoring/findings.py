"""What the monitoring measures of `prod.monitoring`: that it was heard of by keys, at the promised rhythm, and read.

Source: docs/domain.md, "What the monitoring says". Days come from keys alone, so nobody of the team wrote them. Silence
says nothing against an initiative: what was measured ends with it, and the answer is worth what else is there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Min, QuerySet

from adoption.models import Alert, IncidentDraft, MonitoringLook, MonitoringPromise
from adoption.models.monitoring import HEARTBEAT
from governance import clock
from initiatives.lifecycle.facts.finding_rules import Measurable, about

REQUIREMENT, WAY = "prod.monitoring", "monitoring"
LEAST = timedelta(days=7)  # for which it has to have been heard of, and for two promised periods
READ_WITHIN = timedelta(days=7)  # a draft that waits longer was read by nobody
FOUND_IN = timedelta(days=28)  # of which the sentence counts what was found
LOOKED_BACK = timedelta(days=400)


@dataclass(frozen=True)
class Rhythm:
    """For how long the monitoring has been heard of without a gap longer than promised.

    `first` and `last` are the days on which this stretch begins and ends so far; `every` the promised days.
    """

    first: date
    last: date
    every: int

    @property
    def needed(self) -> timedelta:
        """How long the stretch has to be."""
        return max(LEAST, 2 * timedelta(days=self.every))

    @property
    def kept(self) -> bool:
        """Whether the stretch is long enough to say that the promise is kept."""
        return self.last - self.first >= self.needed

    @property
    def silent_from(self) -> datetime:
        """The moment from which it will have been silent for longer than promised."""
        return clock.midnight_after(self.last + timedelta(days=self.every))


def rhythm_of(days: list[date], every: int) -> Rhythm | None:
    """The stretch that ends with the newest of these days, each once, oldest first; None without any."""
    if not days:
        return None
    first = days[-1]
    for day in reversed(days[:-1]):
        if (first - day).days > every:
            break
        first = day
    return Rhythm(first, days[-1], every)


def days_heard(initiatives: list[int]) -> dict[int, list[date]]:
    """By initiative, the days on which its monitoring was heard of, oldest first."""
    found: dict[int, list[date]] = {}
    rows = MonitoringLook.objects.filter(initiative__in=initiatives, day__gt=clock.today() - LOOKED_BACK)
    for initiative, day in rows.order_by("day").values_list("initiative", "day").distinct():
        found.setdefault(initiative, []).append(day)
    return found


def unread_since(initiatives: list[int]) -> dict[int, datetime]:
    """By initiative, since when its oldest draft waits."""
    rows = IncidentDraft.objects.waiting().filter(initiative__in=initiatives).order_by()
    return dict(rows.values("initiative").annotate(first=Min("opened_at")).values_list("initiative", "first"))


@about(MonitoringPromise.objects.filter(ended_at__isnull=True))
def measured(initiatives: list[int]) -> Iterator[tuple[int, Measurable]]:
    """That the monitoring of an initiative runs at the promised rhythm, and that what it reports is read.

    Once for each day on which it was heard of; until it is silent for longer than promised, or a draft waits too long.
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
        f"since {_day(rhythm.first)} the monitoring was heard of by key at least every "
        f"{days_in_words(rhythm.every)}, last on {_day(rhythm.last)}; in the four weeks before that day it found "
        f"{looks} thing{'' if looks == 1 else 's'}, {drafts} of them put to a person"
    )
    since = clock.midnight_before(rhythm.first + rhythm.needed)
    return Measurable(REQUIREMENT, WAY, "monitoring:rhythm", words, since, until)


def _found(last: dict[int, date]) -> dict[int, tuple[int, int]]:
    """By initiative, the alerts of the four weeks before the day given for it but heartbeats, and those put to a
    person.

    One question for each of these days: what is said of an initiative stays the same until it is heard of again.
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
    """Rows about which time alone changes what is said: days pass without a word."""
    return MonitoringPromise.objects.filter(ended_at__isnull=True)


@dataclass(frozen=True)
class MonitoringStatus:
    """How the monitoring of an initiative stands, as its page says it: a tone, a sentence, and what would change it."""

    tone: str
    words: str
    fix: str = ""


def status_of(initiative) -> MonitoringStatus:
    """What is measured of the monitoring of an initiative, or why nothing is."""
    promise = initiative.monitoring_promises.filter(ended_at__isnull=True).first()
    if promise is None:
        return MonitoringStatus(
            "",
            "Unknown: nobody promised how often it is heard of.",
            "Promise it, and connect the monitoring.",
        )
    rhythm = rhythm_of(days_heard([initiative.pk]).get(initiative.pk, []), promise.every_days)
    if rhythm is None:
        return MonitoringStatus(
            "", "Unknown: it was never heard of.", "Connect it with a key of this initiative."
        )
    if rhythm.silent_from <= clock.now():
        return MonitoringStatus(
            "warn",
            f"Unknown: it has been silent since {_day(rhythm.last)}, and was promised at least every "
            f"{days_in_words(rhythm.every)}.",
            "Have it send again; a heartbeat is enough.",
        )
    waits = unread_since([initiative.pk]).get(initiative.pk)
    if waits is not None and waits + READ_WITHIN <= clock.now():
        return MonitoringStatus(
            "warn",
            f"Not measured: a draft has waited since {_day(clock.local_day(waits))}, so nobody reads what it reports.",
            "Make it an incident, or dismiss it and say why.",
        )
    if not rhythm.kept:
        day = rhythm.first + rhythm.needed
        return MonitoringStatus(
            "",
            f"Heard of since {_day(rhythm.first)} without a gap; measured from {_day(day)}, if it goes on so.",
        )
    return MonitoringStatus(
        "ok",
        f"Measured: heard of since {_day(rhythm.first)} at least every {days_in_words(rhythm.every)}, last on "
        f"{_day(rhythm.last)}.",
    )


def days_in_words(every: int) -> str:
    """ "day", or "7 days": after "every"."""
    return "day" if every == 1 else f"{every} days"


def _day(day: date) -> str:
    return f"{day:%-d %B %Y}"
