"""Pages on another day: the day in the address, its navigation, the error when it cannot be shown."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from governance import clock
from governance.transparency_log import as_of
from governance.vocabulary.phrases import in_the_future

WRITTEN = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?", re.ASCII)
YEARS = range(1970, 9000)  # outside of it days cannot be counted safely, and nobody asks
TICK = timedelta(microseconds=1)
LAST = timedelta(days=1) - TICK


class CannotBeShown(ValueError):
    """The day is invalid, not over, or not sealed yet. The text has the reason."""


@dataclass(frozen=True)
class Day:
    """The day of an address: its end ("2026-10-15") or a moment ("2026-10-15T14:00")."""

    asked: str
    moment: datetime

    @classmethod
    def read(cls, asked: str) -> "Day":
        """Return the day of the address. Raises CannotBeShown for an invalid day or one before the first."""
        if not WRITTEN.fullmatch(asked) or int(asked[:4]) not in YEARS:
            raise CannotBeShown(
                f"“{asked[:40]}” is not a date. Use YYYY-MM-DD, for example 2026-10-15, or a time such as "
                "2026-10-15T14:00."
            )
        try:
            if "T" not in asked:
                return cls(asked, clock.midnight_after(date.fromisoformat(asked)) - TICK)
            return cls(
                asked, timezone.make_aware(datetime.fromisoformat(asked), timezone.get_default_timezone())
            )
        except ValueError:
            raise CannotBeShown(
                f"“{asked}” is not a date in the calendar. Use YYYY-MM-DD, for example 2026-10-15."
            ) from None

    @classmethod
    def of(cls, moment: datetime) -> "Day":
        """Return the day of a moment, in a form that `read` reads (to the second)."""
        local = timezone.localtime(moment, timezone.get_default_timezone())
        if local.time() == (datetime.min + LAST).time():
            return cls(f"{local:%Y-%m-%d}", moment)
        return cls(f"{local:%Y-%m-%dT%H:%M:%S}" if local.second else f"{local:%Y-%m-%dT%H:%M}", moment)

    def moved(self, days: int) -> "Day":
        """Return the day so many days later, at the same hour."""
        on = date.fromisoformat(self.asked[:10]) + timedelta(days=days)
        return Day.read(f"{on.isoformat()}{self.asked[10:]}")

    @property
    def words(self) -> str:
        """Return the day in words, such as "the end of 15 October 2026"."""
        if "T" in self.asked:
            return clock.moment_in_words(self.moment)
        return f"the end of {date.fromisoformat(self.asked):%-d %B %Y}"

    def can_be_shown(self, known_until: datetime | None) -> "Day":
        """Return the day itself. Raises CannotBeShown when it is not over, or the audit log is not sealed so far."""
        if self.moment > clock.now():
            raise CannotBeShown(
                in_the_future(f"{self.words[:1].upper()}{self.words[1:]}", clock.moment_in_words(clock.now()))
            )
        if known_until is None or self.moment > known_until:
            raise CannotBeShown(
                f"The audit log is not sealed up to {self.words} yet, so its entries may not be complete. "
                "Try again later."
            )
        return self


@dataclass(frozen=True)
class Look:
    """A page of a day: its address, its words, and the page today, earlier and later.

    `earlier` and `later` are a day away, and empty if that day cannot be shown.
    """

    asked: str
    words: str
    today: str
    earlier: str
    later: str

    @classmethod
    def at(cls, request: HttpRequest, day: Day, known_until: datetime) -> "Look":
        """Return the requested page from the present. Make it before turning back."""

        def beside(days: int) -> str:
            try:
                return address(request, day.moved(days).can_be_shown(known_until))
            except CannotBeShown:
                return ""

        return cls(day.asked, day.words, address(request, None), beside(-1), beside(1))


def address(request: HttpRequest, day: Day | None) -> str:
    """Return the address of the page as of another day, or of today. Filters stay, and the list begins anew."""
    query = request.GET.copy()
    query.pop("page", None)
    query.pop("as_of", None)
    if day is not None:
        query["as_of"] = day.asked
    return f"{request.path}?{query.urlencode()}" if query else request.path


def latest() -> Day | None:
    """Return the latest minute for a page, or None before the first checkpoint."""
    known = as_of.known_until()
    return Day.of(min(known, clock.now()).replace(second=0, microsecond=0)) if known else None


def cannot_be_shown(request: HttpRequest, why: str, *, status: int = 400) -> HttpResponse:
    """Show why the day cannot be shown, and which days can."""
    newest = latest()
    context = {
        "why": why,
        "latest": newest,
        "latest_url": address(request, newest) if newest else "",
        "today_url": address(request, None),
    }
    return render(request, "governance/pages/asof_cannot.html", context, status=status)
