"""Where everything lies in the pictures of the portfolio, in the units of an SVG that is `WIDTH` wide.

A strict Content-Security-Policy leaves no room for inline style, so each shape is worked out here. Numbers stand in the
picture itself: it says the same in print, without colour, and to a screen reader by its title and description.
"""

from dataclasses import dataclass

from governance.templatetags.plumbline import layer_word, stage_word
from initiatives.efforts import WeekOfCase, amount
from initiatives.figures import MOVES, Flow, LayerGaps, Stays, Week
from initiatives.where_it_goes import OfLayer

WIDTH = 320
LETTER = 6.2  # about the width of a letter at the size of the words
ROW = 52  # a row of small bars: its name, room for numbers, the bars
BARS = 18  # the highest of these bars
LINE = 34  # a row with one bar: its name, the bar
UPRIGHT = 84  # the highest of the upright bars
WAITED = 30  # the highest of the bars of days waited
# How each layer is drawn where they stand on each other, from the bottom up: class and strength of its colour.
DRAWN = {
    "integration": ("bar", ""),
    "policy": ("middle", ""),
    "runtime": ("axis", ""),
    "observability": ("middle", "0.45"),
    "application": ("bar", "0.45"),
    "model": ("box", ""),
}


@dataclass(frozen=True)
class Shape:
    """One rectangle: `kind` is its class in the stylesheet."""

    kind: str
    x: str
    y: str
    width: str
    height: str
    strength: str = ""  # of its colour, between 0 and 1; all of it where nothing is said


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


def _rectangle(kind: str, x: float, y: float, width: float, height: float, strength: str = "") -> Shape:
    return Shape(kind, _place(x), _place(y), _place(width), _place(height), strength)


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


def effort(weeks: tuple[WeekOfCase, ...]) -> Picture:
    """Hours a week, the layers on each other; below, days waited, and a mark where something could be seen of it."""
    most_hours = max((week.all_hours for week in weeks), default=0)
    most_waited = max((week.all_waited for week in weeks), default=0)
    layers = [layer for layer in DRAWN if any(week.hours.get(layer) for week in weeks)]
    if not (most_hours or most_waited):
        return Picture("Effort week by week", "No effort was noted.", (), (), 0)
    shapes, words = [], []
    for place, layer in enumerate(layers):
        total = sum(week.hours.get(layer, 0) for week in weeks)
        left, top = (place % 2) * WIDTH / 2, place // 2 * 16
        shapes.append(_rectangle(DRAWN[layer][0], left, top + 3, 10, 10, DRAWN[layer][1]))
        words.append(_words(f"{layer_word(layer)}: {amount(total)} h", left + 15, top + 12, "start", "name"))
    base = (len(layers) + 1) // 2 * 16 + UPRIGHT + 18
    room = min(WIDTH / len(weeks), 40)
    shapes.append(_rectangle("axis", 0, base, WIDTH, 1))
    low = base + 40 + WAITED
    for place, week in enumerate(weeks):
        left, wide, height = place * room + 1, room - 2, float(base)
        for layer in layers:
            if hours := float(week.hours.get(layer, 0)):
                tall = _bar(hours, float(most_hours), UPRIGHT)
                height -= tall
                shapes.append(_rectangle(DRAWN[layer][0], left, height, wide, tall, DRAWN[layer][1]))
        if week.all_hours == most_hours and most_hours:
            words.append(_words(amount(most_hours), left + wide / 2, height - 3))
            most_hours = -1  # said once
        if week.seen:
            shapes.append(_rectangle("middle", left, base + 4, wide, 4))
        if waited := float(week.all_waited):
            tall = _bar(waited, float(most_waited), WAITED)
            shapes.append(_rectangle("late", left, low - tall, wide, tall))
    shapes.append(_rectangle("axis", 0, low, WIDTH, 1))
    waited = sum(week.all_waited for week in weeks)
    words.append(_words("Marked: weeks in which something could be seen", 0, base + 22, "start"))
    words.append(_words(f"Days waited: {amount(waited)}", 0, base + 36, "start", "name"))
    every = 1 if len(weeks) <= 4 else 5
    for place, week in enumerate(weeks):
        if place % every == 0 and place * room <= WIDTH - 36:
            words.append(_words(f"{week.first:%-d %b}", place * room, low + 14, "start"))
    hours = sum((week.all_hours for week in weeks), 0)
    unseen = sum(week.unseen for week in weeks)
    says = (
        f"{count(len(weeks), 'week')} to the one from {weeks[-1].first:%-d %B %Y}: {amount(hours)} hours, "
        f"{amount(waited)} days waited; in {count(unseen, 'week')} with work nothing could be seen of it."
    )
    return Picture("Effort week by week", says, tuple(shapes), tuple(words), int(low + 20))


def months(layers: tuple[OfLayer, ...]) -> Picture:
    """Two bars for each layer that took anything, in the order of the stack: months of work, and days waited."""
    rows = [row for row in layers if row.hours or row.waited]
    most, longest = max((row.hours for row in rows), default=0), max((row.waited for row in rows), default=0)
    shapes, words, said = [], [], []
    for place, row in enumerate(rows):
        top = place * ROW
        text = f"{layer_word(row.layer)}: {row.months:.1f} months, {amount(row.waited)} days waited"
        words.append(_words(text, 0, top + 13, "start", "name"))
        shapes.append(_rectangle("axis", 0, top + 44, WIDTH, 1))
        if row.hours:
            shapes.append(_rectangle("bar", 0, top + 19, _bar(float(row.hours), float(most), WIDTH), 12))
        if row.waited:
            shapes.append(_rectangle("late", 0, top + 34, _bar(float(row.waited), float(longest), WIDTH), 6))
        said.append(text)
    says = f"Upper bar: months of work; lower bar: days waited. {'; '.join(said)}."
    return Picture("Where the months go", says, tuple(shapes), tuple(words), len(rows) * ROW)
