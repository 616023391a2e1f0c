"""The inbox: what waits for a person. Packages contribute `inbox_tasks`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection

from governance import clock
from governance.contributions import contributed
from governance.database.request_memo import one_look
from governance.models import Entry
from governance.models.rulebook import NoRulebook
from governance.runtime.logging_setup import each_row
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase

COUNT_KEPT_SECONDS = 60
# On every page: built by the framework it would cost more than it takes to answer.
ACTS_SINCE = """
SELECT id, digest, kind, initiative_ref FROM governance_entry WHERE "table" = '' AND id >= %s ORDER BY id LIMIT %s
"""
MOST_ACTS = 100  # of others, before it is easier to count anew than to look at each

# Acts about no initiative, or about what was refused or only read: none of them puts anything in an inbox.
QUIET: set[str] = {
    EntryKind.CALENDAR_ADDRESS_REVOKED,
    EntryKind.CALENDAR_ADDRESS_MADE,
    EntryKind.EXPORT_TAKEN,
    EntryKind.PAST_READ,
    EntryKind.PROVIDER_KEYS_RECORDED,
    EntryKind.REFUSED,
    EntryKind.SIGN_IN_FAILED,
    EntryKind.SIGN_IN_REFUSED,
    EntryKind.SIGNED_IN,
    EntryKind.SIGNED_OUT_BY_AN_ADMIN,
    EntryKind.SIGNED_OUT_ELSEWHERE,
}

# In this order on the page, with what a filter by it is called.
VERBS: dict[str, str] = {
    "see": phrase("Read"),
    "approve": phrase("Approve"),
    "sign": phrase("Sign"),
    "verify": phrase("Verify"),
    "decide": phrase("Decide"),
    "accept": phrase("Accept"),
    "answer": phrase("Answer"),
    "refresh": phrase("Renew"),
    "submit": phrase("Submit"),
    "meet": phrase("Meet"),
    "write": phrase("Write"),
    "agree": phrase("Agree"),
    "complete": phrase("Complete"),
    "confirm": phrase("Confirm"),
    "start": phrase("Start"),
}
NEVER_SNOOZED = ("see", "approve", "start")


@dataclass(frozen=True)
class InboxTask:
    """One matter that waits for a person, with a verb, a text, a reason, dates and a link.

    `since` is the day on which the task became possible. Tasks of one `matter` are one line, led by the first task in
    the order of the producers. The others are its `parts`. `about` names what notifications about the task have as
    their object, beside the matter itself.
    """

    verb: str
    text: str
    link: str
    button: str
    why: str = ""
    ref: str = ""
    due: date | None = None
    when: str = ""
    on_behalf: str = ""  # the name of the absent person, if the reader is their substitute
    is_hold: bool = False  # an initiative must not move until it is done
    waited_for: bool = False  # others cannot go on until it is done, whenever it is due
    to_know: bool = False  # someone else has to do it: shown, but not counted as waiting
    since: date = field(kw_only=True)
    matter: str = ""
    parts: tuple["InboxTask", ...] = ()
    about: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return the permanent name of this task: its verb and its place."""
        return f"{self.verb} {self.link}"[:300]

    @property
    def may_snooze(self) -> bool:
        """Return True if the task is not a hold, not due and not of `NEVER_SNOOZED`."""
        due = self.due is not None and self.due <= clock.today()
        return not (self.is_hold or due or self.verb in NEVER_SNOOZED)

    @property
    def waits(self) -> bool:
        """Return True if the person has to do the task."""
        return self.verb != "start" and not self.to_know

    @property
    def late(self) -> bool:
        """Return True if the due day has passed."""
        return self.due is not None and self.due < clock.today()


CANNOT_BE_JUDGED = phrase("cannot be judged")


def made_by(producers: Iterable[Callable], about) -> list[InboxTask]:
    """Return the tasks that each producer makes. One that fails is logged and shown as one line."""

    def made(producer: Callable) -> list[InboxTask]:
        return [*producer(about)]

    tasks: list[InboxTask] = []
    for producer, found, problem in each_row(producers, made):
        if isinstance(problem, (NoRulebook, DatabaseError)):
            raise problem
        tasks += found or ()
        if problem is not None:
            name = f"{producer.__module__}.{producer.__qualname__}"
            tasks.append(broken(name, phrase("Some tasks cannot be shown"), "/"))
    return tasks


def broken(ref: str, text: str, link: str) -> InboxTask:
    """Return the line of something that fails while it is judged, to be known only."""
    return InboxTask(
        "see",
        text,
        link,
        phrase("Open"),
        phrase("Ask an admin to find the cause in the log of the application."),
        to_know=True,
        since=clock.today(),
        matter=f"broken:{ref}",
    )


def all_tasks(person) -> list[InboxTask]:
    """Return all tasks of the person, one a matter, most urgent first within a verb."""
    with one_look():
        tasks = _joined(made_by(contributed.inbox_tasks, person))
    order = list(VERBS)
    return sorted(tasks, key=lambda task: (order.index(task.verb), task.due or date.max, task.ref))


def _joined(tasks: list[InboxTask]) -> list[InboxTask]:
    """Return one task a matter with its earliest due day.

    Acts lead before holds to see, and both before what is only to know.
    """
    matters: dict[str, list[InboxTask]] = {}
    for task in sorted(tasks, key=lambda task: (task.to_know, task.is_hold and task.verb == "see")):
        matters.setdefault(task.matter or task.key, []).append(task)
    return [
        replace(
            first,
            due=min((one.due for one in (first, *rest) if one.due), default=None),
            is_hold=any(one.is_hold for one in (first, *rest)),
            waited_for=any(one.waited_for for one in (first, *rest)),
            parts=tuple(rest),
        )
        if rest
        else first
        for first, *rest in matters.values()
    ]


def tasks_and_snoozed(person) -> tuple[list[InboxTask], list[tuple[InboxTask, date]]]:
    """Return the person's tasks of now, and the snoozed ones with their last day."""
    until = dict(person.snoozed_tasks.filter(until__gt=clock.today()).values_list("task", "until"))
    everything = all_tasks(person)
    away = [task for task in everything if task.key in until and task.may_snooze]
    return [task for task in everything if task not in away], [(task, until[task.key]) for task in away]


def tasks_for(person) -> list[InboxTask]:
    """Return the person's tasks of now, without the snoozed ones."""
    return tasks_and_snoozed(person)[0]


def snooze(person, key: str, until: date | None) -> InboxTask:
    """Keep a task of this person out of the inbox until a day, or bring it back (None).

    Raises ValidationError if the task does not exist or must not wait. No task waits past its due day.
    """
    person.snoozed_tasks.filter(until__lte=clock.today()).delete()
    task = next((task for task in all_tasks(person) if task.key == key), None)
    if task is None:
        raise ValidationError("This task is no longer in your inbox.")
    if until is None:
        person.snoozed_tasks.filter(task=key).delete()
    elif not task.may_snooze:
        raise ValidationError("You cannot snooze this task: it is due, or someone else is waiting for it.")
    elif until <= clock.today():
        raise ValidationError({"until": "Choose a day after today."})
    elif task.due is not None and until > task.due:
        raise ValidationError(
            {"until": phrase("The task is due on {}. Choose that day or an earlier one.", task.due)}
        )
    else:
        person.snoozed_tasks.update_or_create(task=key, defaults={"until": until})
    cache.delete(_count_key(person))
    return task


@dataclass(frozen=True)
class Counted:
    """The number of a person's tasks at the act `newest`. `circles`: initiatives near them."""

    count: int
    newest: tuple[int, bytes]
    circles: list

    def holds(self) -> bool:
        """Return True if no act since can have changed the count."""
        with connection.cursor() as cursor:
            cursor.execute(ACTS_SINCE, [self.newest[0], MOST_ACTS])
            first, *later = cursor.fetchall() or [None]
        if first is None or (first[0], bytes(first[1])) != self.newest or len(later) + 1 == MOST_ACTS:
            return False
        initiatives = {ref for *_, ref in later if ref}
        return all(kind in contributed.quiet_acts for _, _, kind, _ in later) and not (
            initiatives and any(circle.touches(initiatives) for circle in self.circles)
        )


def _count_key(person) -> str:
    return f"inbox-{person.pk}-{clock.today()}"


def count_for(person) -> int:
    """Return the number of tasks that wait for the person, for the frame of every page.

    Every act leaves an entry, so tasks are counted again each day and after an act that may have changed them. Their
    number is kept for a minute at most, because an entry with a lower number may be committed later.
    """
    key = _count_key(person)
    kept = cache.get(key)
    if kept is not None and kept.holds():
        return kept.count
    newest = Entry.objects.acts().order_by("-pk").values_list("pk", "digest").first()
    with one_look():
        count = sum(task.waits for task in tasks_for(person))
        circles = [circle_of(person) for circle_of in contributed.inbox_circles]
    if newest is not None:
        cache.set(key, Counted(count, (newest[0], bytes(newest[1])), circles), COUNT_KEPT_SECONDS)
    return count
