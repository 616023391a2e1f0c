"""The inbox: what waits for a person. Packages contribute `inbox_tasks`."""

from dataclasses import dataclass
from datetime import date

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection

from governance import clock
from governance.contributions import contributed
from governance.database.request_memo import one_look
from governance.models import Entry
from governance.vocabulary.entry_kinds import EntryKind

COUNT_KEPT_SECONDS = 60
# On every page: built by the framework it would cost more than it takes to answer.
UNREAD = "(SELECT count(*) FROM governance_notification WHERE person_id = %s AND read_at IS NULL)"
ACTS_SINCE = f"""
SELECT id, digest, kind, initiative_ref, {UNREAD} FROM governance_entry
 WHERE "table" = '' AND id >= %s ORDER BY id LIMIT %s
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
VERBS = {
    "see": "Read",
    "approve": "Approve",
    "sign": "Sign",
    "verify": "Verify",
    "decide": "Decide",
    "accept": "Accept",
    "answer": "Answer",
    "refresh": "Renew",
    "meet": "Meet",
    "write": "Write",
    "agree": "Agree",
    "complete": "Complete",
    "confirm": "Confirm",
    "start": "Start",
}
NEVER_SNOOZED = ("see", "approve", "start")


@dataclass(frozen=True)
class InboxTask:
    """One thing that waits: a verb, what, on which initiative, why, by when, and the one place to do it."""

    verb: str
    text: str
    link: str
    button: str
    why: str = ""
    ref: str = ""
    due: date | None = None
    when: str = ""
    on_behalf: str = ""  # the name of who is away, where somebody stands in
    is_hold: bool = False  # an initiative stands still until it is done
    waited_for: bool = False  # others cannot go on until it is done, whenever it is due
    to_know: bool = False  # somebody else's to do: told, and counted among what waits for nobody

    @property
    def key(self) -> str:
        """What this task is known by from one day to the next: its verb and its place."""
        return f"{self.verb} {self.link}"[:300]

    @property
    def may_snooze(self) -> bool:
        """Whether it can wait out of sight: never a hold, a warning, a system that waits, or what is due."""
        due = self.due is not None and self.due <= clock.today()
        return not (self.is_hold or due or self.verb in NEVER_SNOOZED)

    @property
    def waits(self) -> bool:
        """Whether it is the person's own to do."""
        return self.verb != "start" and not self.to_know

    @property
    def late(self) -> bool:
        """Whether its day has passed."""
        return self.due is not None and self.due < clock.today()


def all_tasks(person) -> list[InboxTask]:
    """Everything that waits for the person, snoozed or not, most urgent first within its verb."""
    with one_look():
        tasks = [task for hook in contributed.inbox_tasks for task in hook(person)]
    order = list(VERBS)
    return sorted(tasks, key=lambda task: (order.index(task.verb), task.due or date.max, task.ref))


def tasks_and_snoozed(person) -> tuple[list[InboxTask], list[tuple[InboxTask, date]]]:
    """What waits for the person now, and what they snoozed, each with its day: over once that or its due day came."""
    until = dict(person.snoozed_tasks.filter(until__gt=clock.today()).values_list("task", "until"))
    everything = all_tasks(person)
    away = [task for task in everything if task.key in until and task.may_snooze]
    return [task for task in everything if task not in away], [(task, until[task.key]) for task in away]


def tasks_for(person) -> list[InboxTask]:
    """What waits for the person now, without what they snoozed."""
    return tasks_and_snoozed(person)[0]


def snooze(person, key: str, until: date | None) -> InboxTask:
    """Keep one's own task out of the inbox until a day; None brings it back.

    Raises ValidationError where there is no such task, or it may not wait that long: never past its due day.
    """
    person.snoozed_tasks.filter(until__lte=clock.today()).delete()
    task = next((task for task in all_tasks(person) if task.key == key), None)
    if task is None:
        raise ValidationError("That no longer waits for you.")
    if until is None:
        person.snoozed_tasks.filter(task=key).delete()
    elif not task.may_snooze:
        raise ValidationError("This cannot be snoozed: it is due, or somebody waits for it until it is done.")
    elif until <= clock.today():
        raise ValidationError({"until": "Choose a day after today."})
    elif task.due is not None and until > task.due:
        raise ValidationError(
            {"until": f"It is due on {task.due:%-d %B %Y}: choose that day or an earlier one."}
        )
    else:
        person.snoozed_tasks.update_or_create(task=key, defaults={"until": until})
    cache.delete(_count_key(person))
    return task


@dataclass(frozen=True)
class Counted:
    """How much waited for a person when the act `newest` was the last; `circles` tell which initiatives are near
    them.
    """

    count: int
    newest: tuple[int, bytes]
    circles: list

    def unread(self, person) -> int | None:
        """How many notifications the person has not read, where no act since can have changed the count; else None."""
        with connection.cursor() as cursor:
            cursor.execute(ACTS_SINCE, [person.pk, self.newest[0], MOST_ACTS])
            first, *later = cursor.fetchall() or [None]
        if first is None or (first[0], bytes(first[1])) != self.newest or len(later) + 1 == MOST_ACTS:
            return None
        initiatives = {ref for *_, ref, _ in later if ref}
        if any(kind not in contributed.quiet_acts for _, _, kind, *_ in later) or (
            initiatives and any(circle.touches(initiatives) for circle in self.circles)
        ):
            return None
        return first[-1]


def _count_key(person) -> str:
    return f"inbox-{person.pk}-{clock.today()}"


def counts_for(person) -> tuple[int, int]:
    """How much waits for the person, the number of their tasks, and their unread notifications: for the frame of every
    page.

    Every act leaves an entry, so tasks are counted anew once an act may have changed them, and each day; their number
    is kept for a minute at most, because an entry with a lower number may be committed later.
    """
    key = _count_key(person)
    kept = cache.get(key)
    if kept is not None and (unread := kept.unread(person)) is not None:
        return kept.count, unread
    newest = Entry.objects.acts().order_by("-pk").values_list("pk", "digest").first()
    with one_look():
        count = sum(task.waits for task in tasks_for(person))
        circles = [circle_of(person) for circle_of in contributed.inbox_circles]
    if newest is not None:
        cache.set(key, Counted(count, (newest[0], bytes(newest[1])), circles), COUNT_KEPT_SECONDS)
    return count, person.notifications.unread().count()
