"""A measure as a chart: weekly measurements with intervals, baseline and target."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

from django.urls import reverse

from adoption.measures.evaluation import Cell, Figure, Subject, figure_of, monday
from adoption.models.instruments import USERS
from governance import clock
from governance.web.charts.primitives import LETTER, WIDTH, Canvas, Picture
from initiatives.models import Initiative

WEEKS = 26
TOP, TALL, FOOT = 16, 110, 34  # room for marks, the figures, and the weeks below


@dataclass(frozen=True)
class Mark:
    """An event on a day that may have moved a figure: a version, an incident."""

    day: date
    words: str
    link: str = ""


@dataclass(frozen=True)
class Week:
    """The figure of one week, all teams together. It is None in a week without data."""

    first: date
    figure: Figure | None


def marks_of(initiative: Initiative) -> list[Mark]:
    """Return the drawn events, oldest first: versions that began to run, incidents."""
    since = monday(clock.today()) - timedelta(weeks=WEEKS - 1)
    rows = initiative.deployments.filter(
        runs_from__gte=clock.midnight_before(since), runs_from__lte=clock.now()
    ).select_related("version")
    found = [Mark(clock.local_day(row.runs_from), f"{row.version.in_region('')} runs") for row in rows]
    incidents = initiative.incidents.filter(
        started_at__gte=clock.midnight_before(since), started_at__lte=clock.now(), merged_into__isnull=True
    )
    found += [
        Mark(clock.local_day(row.started_at), f"Incident: {row.title}", reverse("incident", args=[row.pk]))
        for row in incidents
    ]
    return sorted(found, key=lambda mark: mark.day)


def weeks_of(subject: Subject, team: str | None = None) -> list[Week]:
    """Return the figures of the drawn weeks of one team or all. They end with the newest measurement."""
    cells = [
        cell
        for cell in subject.cells
        if cell.about == USERS and cell.n and (team is None or cell.team.casefold() == team.casefold())
    ]
    if not cells:
        return []
    by_week: dict[date, list[Cell]] = {}
    for cell in cells:
        by_week.setdefault(cell.week, []).append(cell)
    last = max(by_week)
    first = max(min(by_week), last - timedelta(weeks=WEEKS - 1))
    weeks = [first + timedelta(weeks=count) for count in range((last - first).days // 7 + 1)]
    return [
        Week(week, figure_of(subject.how, by_week.get(week, ()), subject.aims[-1].intended)) for week in weeks
    ]


def measurements(subject: Subject, weeks: list[Week], marks: Iterable[Mark] = ()) -> Picture:
    """Return the chart. A bar shows each week's interval with its figure, and lines show the goals."""
    figures = [week.figure for week in weeks if week.figure is not None]
    aim = subject.aims[-1]
    goals = [("target", "goal", aim.target)]
    if aim.baseline is not None:
        goals.append(("baseline", "base", aim.baseline))
    if not figures:
        return Picture(subject.words, "No measurements yet.", (), (), 0)
    ends = [end for figure in figures for end in (figure.low, figure.high)] + [value for *_, value in goals]
    low, high = (0.0, 1.0) if subject.how.share else (min(0.0, *ends), max(ends))
    spread = (high - low) or 1.0

    def down(value: float) -> float:
        return TOP + TALL * (1 - (min(max(value, low), high) - low) / spread)

    room = WIDTH / max(len(weeks), 8)
    canvas = Canvas()
    for place, week in enumerate(weeks):
        if week.figure is None:
            continue
        left, wide = place * room + room * 0.2, room * 0.6
        top, bottom = down(week.figure.high), down(week.figure.low)
        canvas.bar("box", left, top, wide, max(1.0, bottom - top))
        canvas.bar("middle", left, down(week.figure.point) - 1.5, wide, 3)
    taken = None
    for name, kind, value in sorted(goals, key=lambda goal: -goal[2]):
        at = down(value)
        canvas.bar(kind, 0, at, WIDTH, 0.5)
        label = max(at - 3, (taken or -99) + 11) if taken is not None else at - 3
        canvas.say(f"{name} {subject.said(value)}", WIDTH, label, "end")
        taken = label
    base = TOP + TALL
    canvas.axis(base)
    numbers: dict[date, list[str]] = {}
    for number, mark in enumerate(marks, start=1):
        numbers.setdefault(mark.day, []).append(str(number))
    for day, those in numbers.items():
        at = (day - weeks[0].first).days / 7 * room
        if 0 <= at <= len(weeks) * room:
            canvas.bar("axis", min(at, WIDTH - 1.5), TOP - 4, 1.5, TALL + 4)
            place = min(max(at, LETTER), WIDTH - 2 * LETTER)
            canvas.say(",".join(those), place, 9, kind="name")
    every = ceil(LETTER * 7.5 / room)  # so many weeks to a label, or they would run into each other
    for place, week in enumerate(weeks):
        if place % every == 0:
            canvas.say(f"{week.first:%-d %b}", place * room + 2, base + 13, "start")
    last = next(week for week in reversed(weeks) if week.figure is not None)
    silent = sum(week.figure is None for week in weeks)
    says = (
        f"Weeks from {weeks[0].first:%-d %B %Y}. Last week ({last.first:%-d %B %Y}): "
        f"{subject.said(last.figure.point)}, with 95 % confidence between "
        f"{subject.said(last.figure.low)} and {subject.said(last.figure.high)}. "
        + ", ".join(f"{n.capitalize()} {subject.said(v)}" for n, _, v in goals)
        + (f". {silent} of {len(weeks)} weeks have no data" if silent else "")
    )
    return canvas.picture(subject.words, f"{says}.", TOP + TALL + FOOT - 14)
