"""A task with a person, an act and a day: one description of its line, its reminders and its day in a calendar."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from governance import clock
from governance.models import User
from governance.notifications.due import Due, before, late, since
from governance.notifications.inbox import InboxTask
from governance.permission_result import ended
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import about
from initiatives.models import Initiative


class Act(NamedTuple):
    """The way to do a task: the inbox verb, the page and its button."""

    verb: str
    link: str
    button: str


class Aside(NamedTuple):
    """The text and the page of a message to readers who cannot do the task."""

    text: str
    link: str


@dataclass(frozen=True)
class DueTask:
    """One task of `person`: act, start, last day, and what it blocks later.

    `key` names it for notifications and calendars, and tasks of one `matter` share a line. `kinds` has the kinds of
    its message before and after its day. Reminders come so many `days` before its day, and each week once it is
    overdue if `weekly`. A task without a day has reminders so many days after its start (`waits`). If `says_all`, its
    `noun` is the whole subject of a message and `why` the whole text, except for readers with an `aside`. A task
    `outside` opens nothing else of the initiative, so its message names it by its reference alone. A `personal` task
    is reminded of also while the person is away. One `to_know` has to be done by someone else.
    """

    key: str
    initiative: Initiative
    person: User | None
    text: str
    act: Act
    why: str
    since: date
    due: date | None
    noun: str
    kinds: tuple[str, str]
    blocks: str = ""
    matter: str = ""
    weekly: bool = False
    days: tuple[int, ...] = (14, 3, 0)
    waits: tuple[int, ...] = ()
    says_all: bool = False
    outside: bool = False
    personal: bool = False
    escalates: bool = True
    to_know: bool = False
    aside: Aside | None = None

    def task(self, on_behalf: str = "") -> InboxTask:
        """Return the task as a line of the inbox of its person."""
        return InboxTask(
            self.act.verb,
            self.text,
            self.act.link,
            self.act.button,
            self.why,
            self.initiative.ref,
            self.due,
            on_behalf=on_behalf,
            to_know=self.to_know,
            since=self.since,
            matter=self.matter or self.key,
            about=(self.key,),
        )

    @property
    def overdue(self) -> bool:
        """Return True if its day has passed."""
        return self.due is not None and self.due < clock.today()

    @property
    def kind(self) -> str:
        """Return the kind of its message today."""
        return self.kinds[self.overdue]

    def message(self, person: User, period: str) -> Due:
        """Return the message to this person about the task at a period."""
        said = Aside(self.why if self.says_all else self._said_to(person), self.act.link)
        if self.aside is not None and person != self.person:
            said = self.aside
        return about(
            self.initiative,
            self.kind,
            self.key,
            self.noun if self.says_all else f"{self.noun} {self._day}",
            text=said.text,
            link=said.link,
            outside=self.outside,
            due_on=self.due,
            personal=self.personal,
        )(person, period=period)

    @property
    def _day(self) -> str:
        return f"{'was due on' if self.overdue else 'is due by'} {self.due:%-d %B %Y}"

    def _said_to(self, person: User) -> str:
        whose = (
            phrase("Due from you.")
            if person == self.person
            else phrase("Due from {}.", self.person or "no one named")
        )
        return f"{ended(self.text)} {whose} {self.blocks if self.overdue else ''}".strip()

    def period(self, today: date) -> str:
        """Return the threshold that the task has reached: after its start, or before or after its day."""
        if self.due is None or self.waits:
            return since(self.since, today, self.waits)
        return before(self.due, today, self.days) or late(self.due, today, weekly=self.weekly)


def remind(found: list[DueTask], moment: datetime, asked: Callable[[Circle, DueTask], list[User | None]]):
    """Yield the messages about tasks to those `asked`, at each period of a task. They escalate if the task does."""
    today, circle = clock.local_day(moment), Circle(one.initiative for one in found)
    for one in found:
        start = one.since if one.waits or one.due is None else one.due
        yield from told(
            asked(circle, one),
            one.period(today),
            one.message,
            circle.escalated(one.initiative, start, today) if one.escalates else ("", []),
        )
