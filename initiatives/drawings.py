"""Where everything lies in the pictures of the portfolio, in the units of an SVG that is `WIDTH` wide.

A strict Content-Security-Policy leaves no room for inline style, so each shape is worked out here. Numbers stand in the
picture itself: it says the same in print, without colour, and to a screen reader by its title and description.
"""

from dataclasses import dataclass

from governance.templatetags.plumbline import layer_word, stage_word
from initiatives.figures import MOVES, Flow, LayerGaps, Stays, Week

WIDTH = 320
LETTER = 6.2  # about the width of a letter at the size of the words
ROW = 52  # a row of small bars: its name, room for numbers, the bars
BARS = 18  # the highest of these bars
LINE = 34  # a row with one bar: its name, the bar
UPRIGHT = 84  # the highest of the upright bars


@dataclass(frozen=True)
class Shape:
    """One rectangle: `kind` is its class in the stylesheet."""

    kind: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True)
class Words:
    """Words at a place; `kind` is their class, `anchor` which part of them stands there."""

    text: str
    x: str
    y: str
    anchor: str = "middle"
    kind: str = ""


@dataclass(frozen=True)
class Picture:
    """A whole picture: what it is called, what it shows in a sentence, its shapes and words, how high it is."""

    title: str
    says: str
    shapes: tuple[Shape, ...]
    words: tuple[Words, ...]
    height: int
    width: int = WIDTH

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.shapes


def _place(value: float) -> str:
    return f"{value:.1f}"


def _rectangle(kind: str, x: float, y: float, width: float, height: float) -> Shape:
    return Shape(kind, _place(x), _place(y), _place(width), _place(height))


def _words(text, x: float, y: float, anchor: str = "middle", kind: str = "") -> Words:
    return Words(str(text), _place(x), _place(y), anchor, kind)


def _bar(value: float, highest: float, room: float) -> float:
    """The length of a bar; anything that is not nothing can be seen."""
    return max(1.5, room * value / highest) if value else 0.0


def count(number: int, one: str, many: str = "") -> str:
    """A number with its word: "1 case", "3 cases"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def flow(figures: Flow) -> Picture:
    """A row of bars for each kind of move that there was, one bar a month, all rows on one scale."""
    rows = [(MOVES[move], counts) for move, counts in figures.counts.items() if any(counts)]
    highest = max((max(counts) for _, counts in rows), default=0)
    room = WIDTH / len(figures.months)
    shapes, words = [], []
    for place, (name, counts) in enumerate(rows):
        base = place * ROW + ROW - 6
        words.append(_words(f"{name}: {sum(counts)}", 0, place * ROW + 12, "start", "name"))
        shapes.append(_rectangle("axis", 0, base, WIDTH, 1))
        for month, value in enumerate(counts):
            tall = _bar(value, highest, BARS)
            if value:
                shapes.append(_rectangle("bar", month * room + 4, base - tall, room - 8, tall))
                words.append(_words(value, month * room + room / 2, base - tall - 3))
    bottom = len(rows) * ROW + 12
    words += [
        _words(f"{month:%b}", place * room + room / 2, bottom)
        for place, month in enumerate(figures.months)
        if rows
    ]
    said = [f"{name.lower()} {sum(counts)}" for name, counts in rows]
    first, last = figures.months[0], figures.months[-1]
    says = f"Moves a month from {first:%B %Y} to {last:%B %Y}: {', '.join(said) or 'none'}."
    return Picture("Flow between stages", says, tuple(shapes), tuple(words), bottom + 6)


def stays(figures: Stays) -> Picture:
    """For each stage a box from the lower to the upper quartile with a line at the median, in days."""
    highest = max((row.upper for row in figures.rows), default=0) or 1
    shapes, words, said = [], [], []
    for place, row in enumerate(figures.rows):
        top = place * LINE
        name = f"{stage_word(row.stage)}, {'moved on' if row.ended else 'still there'}"
        name = name[:1].upper() + name[1:]
        spread = "" if row.few else f" ({row.lower:.0f} to {row.upper:.0f})"
        words.append(_words(f"{name}: {row.median:.0f}{spread}, n {row.count}", 0, top + 13, "start", "name"))
        shapes.append(_rectangle("axis", 0, top + 25, WIDTH, 1))
        left, right = WIDTH * row.lower / highest, WIDTH * row.upper / highest
        if not row.few:
            shapes.append(_rectangle("box", left, top + 19, max(1.5, right - left), 12))
        shapes.append(_rectangle("middle", min(WIDTH - 3, WIDTH * row.median / highest), top + 17, 3, 16))
        said.append(f"{name} {row.median:.0f}{spread}, n {row.count}")
    return Picture(
        "Time in stage",
        f"Days in a stage, median and quartiles: {'; '.join(said) or 'no stay yet'}.",
        tuple(shapes),
        tuple(words),
        len(figures.rows) * LINE + 4,
    )


def ageing(weeks: tuple[Week, ...]) -> Picture:
    """Two bars a week: cases with proof that ages out, and claims that lose support by it."""
    highest = max((max(week.ageing, week.falling) for week in weeks), default=0)
    total, falling = sum(week.ageing for week in weeks), sum(week.falling for week in weeks)
    base, room = UPRIGHT + 16, WIDTH / max(1, len(weeks))
    shapes, words = [], []
    for place, week in enumerate(weeks if highest else ()):
        left, wide = place * room + 1.5, (room - 3) / 2
        for kind, value, x in (("bar", week.ageing, left), ("late", week.falling, left + wide)):
            tall = _bar(value, highest, UPRIGHT)
            if value:
                shapes.append(_rectangle(kind, x, base - tall, wide - 1, tall))
                words.append(_words(value, x + wide / 2, base - tall - 3))
        if place % 3 == 0:
            label = f"{week.first:%-d %b}"
            half = len(label) * LETTER / 2
            middle = min(max(place * room + room / 2, half), WIDTH - half)
            words.append(_words(label, middle, base + 14))
    if shapes:
        shapes.insert(0, _rectangle("axis", 0, base, WIDTH, 1))
    most = max(weeks, key=lambda week: week.ageing) if highest else None
    says = f"Week by week, cases with proof that goes stale ({total}) and claims that lose support by it ({falling})."
    if most:
        says += f" Most in the week from {most.first:%-d %B}: {count(most.ageing, 'case')}."
    return Picture("Proof that ages out in ninety days", says, tuple(shapes), tuple(words), base + 20)


def gaps(layers: tuple[LayerGaps, ...]) -> Picture:
    """A bar for each layer, in the order of the stack."""
    highest = max((row.gaps for row in layers), default=0)
    shapes, words = [], []
    for place, row in enumerate(layers if highest else ()):
        top = place * LINE
        text = f"{layer_word(row.layer)}: {count(row.gaps, 'gap')}"
        text += f" in {count(row.cases, 'case')}" if row.gaps else ""
        words.append(_words(text, 0, top + 13, "start", "name"))
        shapes.append(_rectangle("axis", 0, top + 30, WIDTH, 1))
        if row.gaps:
            shapes.append(_rectangle("bar", 0, top + 19, _bar(row.gaps, highest, WIDTH), 11))
    said = ", ".join(f"{layer_word(row.layer)} {row.gaps}" for row in layers)
    return Picture(
        "Gaps by layer",
        f"What stands open between claims and proof: {said}.",
        tuple(shapes),
        tuple(words),
        len(layers) * LINE + 4,
    )
