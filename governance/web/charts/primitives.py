"""Rectangles, words and whole pictures, in units of an SVG that is `WIDTH` wide.

A strict Content-Security-Policy leaves no room for inline style, so each shape is computed here. Numbers are in the
picture itself. It means the same in print, without colour, and to a screen reader by its title and description.
"""

from dataclasses import dataclass

WIDTH = 320
LETTER = 6.2  # about the width of a letter at the size of the words
ROW = 52  # a row of small bars: its name, room for numbers, the bars
BARS = 18  # the highest of these bars
FEWEST = 3  # values of a chart; fewer are shown as a table alone
VALUES = ("bar", "late", "middle")  # the shapes that are a value each
LINE = 34  # a row with one bar: its name, the bar


@dataclass(frozen=True)
class Shape:
    """One rectangle: `kind` is its class in the stylesheet."""

    kind: str
    x: str
    y: str
    width: str
    height: str
    strength: str = "1"  # of its colour, between 0 and 1


@dataclass(frozen=True)
class Words:
    """Words at a place. `kind` is their class, `anchor` the part of the words at the place."""

    text: str
    x: str
    y: str
    anchor: str = "middle"
    kind: str = ""


@dataclass(frozen=True)
class Area:
    """A rectangle that leads to the rows behind a figure. `label` names it for screen readers."""

    url: str
    label: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True)
class Picture:
    """A whole picture: what it is called, what it shows in a sentence, its shapes and words, how high it is.

    `areas`: where its figures lead to.
    """

    title: str
    says: str
    shapes: tuple[Shape, ...]
    words: tuple[Words, ...]
    height: int
    width: int = WIDTH
    areas: tuple[Area, ...] = ()

    @property
    def empty(self) -> bool:
        """Return True if the picture has no shapes."""
        return not self.shapes

    @property
    def few(self) -> bool:
        """Return True if it has fewer than three values, which a table shows better."""
        return sum(shape.kind in VALUES for shape in self.shapes) < FEWEST


class Canvas:
    """A picture while it is drawn."""

    def __init__(self):
        self.shapes: list[Shape] = []
        self.words: list[Words] = []
        self.areas: list[Area] = []

    def bar(self, kind: str, x: float, y: float, width: float, height: float, strength: str = "1") -> None:
        """Draw a rectangle from its upper left corner."""
        self.shapes.append(Shape(kind, _place(x), _place(y), _place(width), _place(height), strength))

    def axis(self, y: float) -> None:
        """Draw a line from left to right."""
        self.bar("axis", 0, y, WIDTH, 1)

    def say(self, text: object, x: float, y: float, anchor: str = "middle", kind: str = "") -> None:
        """Words at a place."""
        self.words.append(Words(str(text), _place(x), _place(y), anchor, kind))

    def name(self, text: str, y: float, x: float = 0) -> None:
        """Write the name of a row."""
        self.say(text, x, y, "start", "name")

    def bar_row(self, place: int, name: str, value: float, highest: float) -> None:
        """Draw a row of height LINE: its name and one bar from the left."""
        self.name(name, place * LINE + 13)
        self.axis(place * LINE + 30)
        if value:
            self.bar("bar", 0, place * LINE + 19, length(value, highest, WIDTH), 11)

    def column_row(self, place: int, name: str) -> float:
        """Draw a row of height ROW with its name, for upright bars. Returns the base line of the bars."""
        self.name(name, place * ROW + 12)
        base = place * ROW + ROW - 6
        self.axis(base)
        return base

    def lead(self, url: str, label: str, x: float, y: float, width: float, height: float) -> None:
        """Make a rectangle a link, at least 24 wide and high, so that a finger can hit it."""
        self.areas.append(Area(url, label, _place(x), _place(y), _place(width), _place(height)))

    def picture(self, title: str, says: str, height: int, width: int = WIDTH) -> Picture:
        """Return the drawn picture."""
        return Picture(title, says, tuple(self.shapes), tuple(self.words), height, width, tuple(self.areas))


def length(value: float, highest: float, room: float) -> float:
    """Return the length of a bar. Any value above 0 is visible."""
    return max(1.5, room * value / highest) if value else 0.0


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its word: "1 initiative", "3 initiatives"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def _place(value: float) -> str:
    return f"{value:.1f}"
