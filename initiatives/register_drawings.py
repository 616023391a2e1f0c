"""Pictures of the register: the systems on which most cases hang, and the way the data of a case take."""

from textwrap import wrap

from initiatives.drawings import LETTER, LINE, WIDTH, Picture, Shape, Words, count
from initiatives.landscape import Heaviest

NODE, STEP, GAP = 10, 24, 10  # a place on the way, from one to the next, and the room between two links
FURTHER = 14  # a further line of words


def heaviest(found: Heaviest) -> Picture:
    """A bar for each of the systems on which most cases hang; the others in words."""
    highest = max((row.cases for row in found.rows), default=0)
    shapes, words = [], []
    for place, row in enumerate(found.rows):
        top = place * LINE
        words.append(
            Words(
                f"{_short(row.system.name, WIDTH - 70)}: {count(row.cases, 'case')}",
                "0.0",
                f"{top + 13:.1f}",
                "start",
                "name",
            )
        )
        shapes.append(Shape("axis", "0.0", f"{top + 30:.1f}", f"{WIDTH:.1f}", "1.0"))
        shapes.append(
            Shape("bar", "0.0", f"{top + 19:.1f}", f"{max(1.5, WIDTH * row.cases / highest):.1f}", "11.0")
        )
    height = len(found.rows) * LINE + 4
    if found.rows and found.others:
        words.append(
            Words(f"and {count(found.others, 'other')} with fewer", "0.0", f"{height + 12:.1f}", "start")
        )
        height += 18
    said = ", ".join(f"{row.system.name} {row.cases}" for row in found.rows[:10])
    more = f", and {count(found.others, 'other system')} with fewer" if found.others else ""
    return Picture(
        "Systems by how many cases hang on them",
        f"{len(found.rows)} systems drawn: {said or 'none'}{more}.",
        tuple(shapes),
        tuple(words),
        height,
    )


def _short(text: str, room: float) -> str:
    """As much of the words as fit into the room."""
    most = max(4, int(room / LETTER))
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def path(ways) -> Picture:
    """The way of the data, link by link and downwards: each place a node with its name, region and what is said of it.

    `ways`: rows of {title, stops}, stops of {name, place, note, bad}. Nothing is cut off: words take further lines.
    """
    shapes, words, top = [], [], 0
    for way in ways:
        for line in _lines(way.title, WIDTH):
            words.append(Words(line, "0.0", f"{top + 13:.1f}", "start", "name"))
            top += FURTHER
        top += STEP - FURTHER
        above = None
        for stop in way.stops:
            if above is not None:
                shapes.append(
                    Shape(
                        "axis", f"{NODE / 2:.1f}", f"{above + NODE:.1f}", "1.5", f"{top - above - NODE:.1f}"
                    )
                )
            shapes.append(
                Shape("late" if stop.bad else "bar", "0.0", f"{top:.1f}", f"{NODE:.1f}", f"{NODE:.1f}")
            )
            above = top
            for line in _lines(_said(stop), WIDTH - 20):
                words.append(Words(line, "20.0", f"{top + NODE - 1:.1f}", "start"))
                top += FURTHER
            top += STEP - FURTHER
        top += GAP
    said = "; ".join(f"{way.title}: " + ", ".join(_said(stop) for stop in way.stops) for way in ways)
    return Picture(
        "The way of the data", f"{said or 'No link is recorded'}.", tuple(shapes), tuple(words), top + 2
    )


def _lines(text: str, room: float) -> list[str]:
    """The words in as many lines as they need."""
    return wrap(text, int(room / LETTER)) or [""]


def _said(stop) -> str:
    """A place in words: "Model (us-east): Acme"."""
    named = f"{stop.name} ({stop.place})" if stop.place else stop.name
    return f"{named}: {stop.note}" if stop.note else named
