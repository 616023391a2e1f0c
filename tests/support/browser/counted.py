"""People whose clicks, filled fields, pages and time are counted.

A click opens a link or presses a button. A field is one that is typed into, chosen from, ticked, or given a file; one
that is right as it stands costs nothing. Time is that of the walk, each moment counted to whoever acted last: it says
how the work is shared, not how long people think.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from playwright.sync_api import Frame, Locator

from governance.models import User
from tests.support.browser.people import Person, Watch


@dataclass
class Cost:
    """What it took one person."""

    clicks: int = 0
    fields: int = 0
    pages: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            *(mine + theirs for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True))
        )

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(
            *(mine - theirs for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True))
        )


@dataclass
class Tally:
    """What it took everybody, by name, and where that stood when a stage was reached."""

    by_person: dict[str, Cost] = field(default_factory=dict)
    reached: dict[str, Cost] = field(default_factory=dict)
    reached_by: dict[str, dict[str, Cost]] = field(default_factory=dict)
    by_step: dict[str, Cost] = field(default_factory=dict)
    asked: dict[str, list[str]] = field(
        default_factory=dict
    )  # by step, the fields filled; "" before it is noted
    last: float = field(default_factory=time.monotonic)

    def of(self, person: User) -> Cost:
        """The cost of a person, to whom the time since the last act of anybody is counted."""
        cost, now = self.by_person.setdefault(person.full_name, Cost()), time.monotonic()
        cost.seconds += now - self.last
        self.last = now
        return cost

    def total(self) -> Cost:
        """What it took all together so far."""
        return sum(self.by_person.values(), Cost())

    def step(self, name: str) -> None:
        """Note that what it took since the last note was for this."""
        noted = sum(self.by_step.values(), Cost())
        self.by_step[name] = self.by_step.get(name, Cost()) + (self.total() - noted)
        self.asked[name] = self.asked.pop("", [])

    def filled(self, person: User, field: Locator) -> None:
        """Count one field of this person, and note how the page calls it."""
        self.of(person).fields += 1
        words = field.evaluate(
            "one => one.labels?.[0]?.innerText ?? one.getAttribute('aria-label') ?? one.name"
        )
        self.asked.setdefault("", []).append(f"{person.full_name}: {words.splitlines()[0]}")

    def reach(self, stage: str) -> None:
        """Note what it took all together, and each, up to this stage."""
        self.reached[stage] = self.total()
        self.reached_by[stage] = {name: replace(cost) for name, cost in self.by_person.items()}

    def lines(self) -> Iterator[str]:
        """The tally in words: stage by stage, step by step, then person by person."""
        before = Cost()
        for stage, cost in self.reached.items():
            yield f"{stage:32} {_words(cost)}, of these {_words(cost - before)} since the stage before"
            for person, own in sorted(self.reached_by[stage].items(), key=lambda one: -one[1].clicks):
                yield f"  {person:30} {_words(own)}"
            before = cost
        for name, cost in self.by_step.items():
            yield f"  {name:30} {_words(cost)}"
            yield from (f"    {words}" for words in self.asked.get(name, ()))
        for name, cost in sorted(self.by_person.items(), key=lambda one: -one[1].clicks):
            yield f"{name:32} {_words(cost)}"
        yield f"{len(self.by_person)} people"


def _words(cost: Cost) -> str:
    return f"{cost.clicks:4} clicks, {cost.fields:4} fields, {cost.pages:4} pages, {cost.seconds / 60:5.1f} minutes"


class Counted(Person):
    """Somebody with a mouse, of whom each act is counted. They type name and password."""

    def __init__(self, person: User, watch: Watch, tally: Tally):
        super().__init__(person, watch.page())
        self.arrived = False
        self.tally = tally
        self.page.on("framenavigated", self._another_page)
        self.sign_in()
        self.arrived = True  # in the inbox, which they have just been shown

    def _another_page(self, frame: Frame) -> None:
        if frame == self.page.main_frame and frame.url != "about:blank":
            self.tally.of(self.person).pages += 1

    def inbox(self) -> None:
        """Back to what waits; whoever has just signed in is there."""
        if not self.arrived:
            super().inbox()

    def follow(self, link: Locator) -> None:
        """A link or a button is a click."""
        super().follow(link)
        self.arrived = False
        self.tally.of(self.person).clicks += 1

    def fill(self, field: Locator, words: str) -> None:
        """A text is a field."""
        self.tally.filled(self.person, field)
        super().fill(field, words)

    def select(self, field: Locator, option: Locator) -> None:
        """A choice is a field."""
        self.tally.filled(self.person, field)
        super().select(field, option)

    def check(self, box: Locator) -> None:
        """A tick is a field."""
        self.tally.filled(self.person, box)
        super().check(box)

    def hand_in(self, field: Locator, file: dict) -> None:
        """A file is a field."""
        self.tally.filled(self.person, field)
        super().hand_in(field, file)
