"""Pictures of the register: the systems on which most cases hang, and the way the data of a case take."""

from textwrap import wrap

from initiatives.charts.primitives import LETTER, LINE, WIDTH, Canvas, Picture, count
from initiatives.integration.systems.system_inventory import Heaviest

NODE, STEP, GAP = 10, 24, 10  # a place on the way, from one to the next, and the room between two links
FURTHER = 14  # a further line of words


def heaviest(found: Heaviest) -> Picture:
    """A bar for each of the systems on which most cases hang; the others in words."""
    highest = max((row.cases for row in found.rows), default=0)
    canvas = Canvas()
    for place, row in enumerate(found.rows):
        name = f"{_short(row.system.name, WIDTH - 70)}: {count(row.cases, 'initiative')}"
        canvas.bar_row(place, name, row.cases, highest)
    height = len(found.rows) * LINE + 4
    if found.rows and found.others:
        canvas.say(f"and {count(found.others, 'other')} with fewer", 0, height + 12, "start")
        height += 18
    said = ", ".join(f"{row.system.name} {row.cases}" for row in found.rows[:10])
    more = f", and {count(found.others, 'other system')} with fewer" if found.others else ""
    says = f"{len(found.rows)} systems drawn: {said or 'none'}{more}."
    return canvas.picture("Systems by how many initiatives use them", says, height)


def _short(text: str, room: float) -> str:
    """As much of the words as fit into the room."""
    most = max(4, int(room / LETTER))
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def path(ways) -> Picture:
    """Data flow, link by link and downwards: each place a node with its name, region and what is said of it.

    `ways`: rows of {title, stops}, stops of {name, place, note, bad}. Nothing is cut off: words take further lines.
    """
    canvas, top = Canvas(), 0
    for way in ways:
        for line in _lines(way.title, WIDTH):
            canvas.name(line, top + 13)
            top += FURTHER
        top += STEP - FURTHER
        above = None
        for stop in way.stops:
            if above is not None:
                canvas.bar("axis", NODE / 2, above + NODE, 1.5, top - above - NODE)
            canvas.bar("late" if stop.bad else "bar", 0, top, NODE, NODE)
            above = top
            for line in _lines(_said(stop), WIDTH - 20):
                canvas.say(line, 20, top + NODE - 1, "start")
                top += FURTHER
            top += STEP - FURTHER
        top += GAP
    said = "; ".join(f"{way.title}: " + ", ".join(_said(stop) for stop in way.stops) for way in ways)
    return canvas.picture("Data flow", f"{said or 'No link is recorded'}.", top + 2)


def _lines(text: str, room: float) -> list[str]:
    """The words in as many lines as they need."""
    return wrap(text, int(room / LETTER)) or [""]


def _said(stop) -> str:
    """A place in words: "Model (us-east): Acme"."""
    named = f"{stop.name} ({stop.place})" if stop.place else stop.name
    return f"{named}: {stop.note}" if stop.note else named
