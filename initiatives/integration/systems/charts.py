"""Pictures of the register: systems with most initiatives, and data flows."""

from dataclasses import dataclass
from textwrap import wrap

from governance.web.charts.primitives import LETTER, LINE, WIDTH, Canvas, Picture, count
from initiatives.integration.systems.system_inventory import Heaviest

FURTHER = 14  # a further line of words


def heaviest(found: Heaviest) -> Picture:
    """Return a bar for each system with most initiatives, and the others in words."""
    highest = max((row.initiatives for row in found.rows), default=0)
    canvas = Canvas()
    for place, row in enumerate(found.rows):
        name = f"{_short(row.system.name, WIDTH - 70)}: {count(row.initiatives, 'initiative')}"
        canvas.bar_row(place, name, row.initiatives, highest)
    height = len(found.rows) * LINE + 4
    if found.rows and found.others:
        canvas.say(f"and {count(found.others, 'other')} with fewer", 0, height + 12, "start")
        height += 18
    said = ", ".join(f"{row.system.name} {row.initiatives}" for row in found.rows[:10])
    more = f", and {count(found.others, 'other system')} with fewer" if found.others else ""
    says = f"{len(found.rows)} systems drawn: {said or 'none'}{more}."
    return canvas.picture("Systems by how many initiatives use them", says, height)


def _short(text: str, room: float) -> str:
    """Return as much of the words as the room takes."""
    most = max(4, int(room / LETTER))
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


# --- Data flow --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stop:
    """A place that the data pass: name, region, note, page, and whether it is bad."""

    name: str
    place: str = ""
    note: str = ""
    bad: bool = False
    url: str = ""


@dataclass(frozen=True)
class Way:
    """The data flow of one link. `stops` are in the order in which the data pass them."""

    title: str
    stops: tuple[Stop, ...]
    direction: str
    data: str
    url: str

    @property
    def out(self) -> bool:
        """Return True if the AI system only writes there."""
        return self.direction == "writes"


@dataclass(frozen=True)
class Flow:
    """The content of an initiative's drawing: links, the AI system, who acts on it."""

    ways: tuple[Way, ...]
    system: Stop
    actors: tuple[Stop, ...]

    @property
    def marked(self) -> bool:
        """Return True if a place is marked as bad."""
        stops = (self.system, *self.actors, *(stop for way in self.ways for stop in way.stops))
        return any(stop.bad for stop in stops)


@dataclass(frozen=True)
class _Box:
    """A place with its words, wrapped for a width, each line with its class."""

    shown: Stop
    width: float
    lines: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, stop: Stop, width: float, data: str = "") -> "_Box":
        said = ((stop.name, "name"), (stop.place, ""), (data, ""))
        lines = [(line, kind) for words, kind in said for line in _lines(words, width - 2 * PAD)]
        note = f"! {stop.note}" if stop.bad and stop.note else stop.note
        lines += [(line, "late" if stop.bad else "") for line in _lines(note, width - 2 * PAD)]
        return cls(stop, width, tuple(lines))

    @property
    def height(self) -> float:
        return len(self.lines) * FURTHER + PAD

    def draw(self, canvas: Canvas, x: float, y: float, height: float = 0) -> None:
        """Draw the box from its upper left corner, with at least this height."""
        height = max(height, self.height)
        canvas.bar("box late" if self.shown.bad else "box", x, y, self.width, height)
        for place, (line, kind) in enumerate(self.lines):
            canvas.say(line, x + PAD, y + PAD / 2 + FURTHER * (place + 1) - 4, "start", kind)


PAD, BETWEEN, HEADING = 16, 12, 22  # inside a box, between two, and for the words above a column
RIGHT, LEFT, DOWN = "\u25ba", "\u25c4", "\u25bc"
BROAD = 800
# Where the columns of the broad drawing begin, and how broad they are: sources, transfers, AI system, who acts.
COLUMNS = ((0, 200), (245, 180), (470, 140), (655, 145))
HEADINGS = ("Sources", "Transfers", "AI system", "Acts on the output")
INSET, TRUNK = 22, 6  # of the boxes of the narrow drawing, whose trunk leads every source to the AI system


def flow(drawn: Flow) -> tuple[Picture, Picture]:
    """Return the data flow from sources to people who act, broad and for a phone.

    A bad place is marked by its border and by "!" before its note. All text is shown in full.
    """
    return _broad(drawn), _narrow(drawn)


def _broad(drawn: Flow) -> Picture:
    canvas, ins, outs = Canvas(), [way for way in drawn.ways if not way.out], _outs(drawn)
    (source_x, source_w), (transfer_x, transfer_w), (ai_x, ai_w), (out_x, out_w) = COLUMNS
    for (x, _), words in zip(COLUMNS, HEADINGS, strict=True):
        canvas.say(words, x, 12, "start")
    top: float = HEADING
    for way in ins:
        source = _Box.of(way.stops[0], source_w, way.data)
        transfers = [_Box.of(stop, transfer_w) for stop in way.stops[1:-1]]
        source.draw(canvas, source_x, top)
        start, y = source_x + source_w, top
        for place, transfer in enumerate(transfers):
            transfer.draw(canvas, transfer_x, y)
            if place:
                _down(canvas, transfer_x + PAD, y - BETWEEN, y)
            else:
                _across(canvas, start, transfer_x, y + PAD, way.direction)
            start, last = transfer_x + transfer_w, y
            y += transfer.height + BETWEEN
        _across(canvas, start, ai_x, (last if transfers else top) + PAD, way.direction)
        top = max(top + source.height + BETWEEN, y)
    bottom, right = top - BETWEEN, float(HEADING)
    for box in [_Box.of(stop, out_w, data) for stop, data in outs]:
        box.draw(canvas, out_x, right)
        _across(canvas, ai_x + ai_w, out_x, right + PAD, "reads")
        right += box.height + BETWEEN
    system = _Box.of(drawn.system, ai_w)
    height = max(bottom, right - BETWEEN, HEADING + system.height) - HEADING
    system.draw(canvas, ai_x, HEADING, height)
    return canvas.picture("Data flow", _told(drawn), int(HEADING + height + 4), BROAD)


def _narrow(drawn: Flow) -> Picture:
    canvas, ins, outs = Canvas(), [way for way in drawn.ways if not way.out], _outs(drawn)
    wide, top, first = WIDTH - INSET, float(HEADING), 0.0
    canvas.say("Sources and transfers", 0, 12, "start")
    for way in ins:
        boxes = [_Box.of(stop, wide, "" if place else way.data) for place, stop in enumerate(way.stops[:-1])]
        for place, box in enumerate(boxes):
            box.draw(canvas, INSET, top)
            if place:
                _down(canvas, INSET + PAD, top - BETWEEN, top)
            if place == len(boxes) - 1:
                canvas.bar("axis", TRUNK, top + PAD, INSET - TRUNK, 1.5)
                first = first or top + PAD
            top += box.height + BETWEEN
        top += BETWEEN / 2
    top += HEADING
    canvas.say(HEADINGS[2], INSET, top - 6, "start")
    system = _Box.of(drawn.system, wide)
    if first:
        canvas.bar("axis", TRUNK, first, 1.5, top + PAD - first)
        _across(canvas, TRUNK, INSET, top + PAD, "reads")
    system.draw(canvas, INSET, top)
    top += system.height + HEADING + BETWEEN
    begun = top - HEADING - BETWEEN
    canvas.say(HEADINGS[3], INSET + 2 * PAD, top - 8, "start")
    for place, (stop, data) in enumerate(outs):
        box = _Box.of(stop, wide, data)
        box.draw(canvas, INSET, top)
        if not place:
            _down(canvas, INSET + PAD, begun, top)
        top += box.height + BETWEEN
    return canvas.picture("Data flow", _told(drawn), int(top - BETWEEN + 4))


def _outs(drawn: Flow) -> list[tuple[Stop, str]]:
    """Return who acts on the output, then systems that are only written to.

    Each has the way to it in words.
    """
    found = [(stop, "") for stop in drawn.actors]
    for way in drawn.ways:
        if way.out:
            through = ", ".join(_said(stop) for stop in way.stops[1:-1])
            found.append((way.stops[-1], f"{way.data}, through {through}" if through else way.data))
    return found


def _across(canvas: Canvas, start: float, end: float, y: float, direction: str) -> None:
    """Draw an arrow to the right, and also to the left if data go both ways."""
    canvas.bar("axis", start, y - 0.75, end - start, 1.5)
    canvas.say(RIGHT, end + 1, y + 4, "end")
    if direction == "both":
        canvas.say(LEFT, start - 1, y + 4, "start")


def _down(canvas: Canvas, x: float, start: float, end: float) -> None:
    canvas.bar("axis", x - 0.75, start, 1.5, end - start)
    canvas.say(DOWN, x, end)


def _told(drawn: Flow) -> str:
    """Return the drawing in sentences, for people who do not see it."""
    ways = [f"{way.title}: " + ", then ".join(_said(stop) for stop in way.stops) for way in drawn.ways]
    system = f"The AI system: {_said(drawn.system)}"
    acts = f"People who act on the output: {', '.join(_said(stop) for stop in drawn.actors)}"
    return ". ".join([*(ways or ["No link is recorded"]), system, acts]) + "."


def _lines(text: str, room: float) -> list[str]:
    """Return the words in as many lines as they need."""
    return wrap(text, int(room / LETTER))


def _said(stop) -> str:
    """Return a place in words, such as "Model (us-east): Acme"."""
    named = f"{stop.name} ({stop.place})" if stop.place else stop.name
    return f"{named}: {stop.note}" if stop.note else named
