"""The desk: what waits for a person, grouped by verb. Each app hangs its lines on `hooks.desk_lines`."""

from dataclasses import dataclass
from datetime import date

from django.core.cache import cache

from governance import clock, hooks
from governance.models import Entry

COUNT_KEPT_SECONDS = 60

# In this order on the page; a verb without lines is not shown.
VERBS = {
    "see": "See to it",
    "sign": "Sign",
    "decide": "Decide",
    "accept": "Accept or decline",
    "answer": "Answer",
    "refresh": "Refresh proof",
    "meet": "Meet a condition",
    "write": "Write the post-mortem",
    "agree": "Agree or refuse",
    "settle": "Settle what is owed",
    "confirm": "Confirm",
    "start": "Start here",
}


@dataclass(frozen=True)
class Line:
    """One thing that waits: a verb, what, on which case, why, by when, and the one place to do it."""

    verb: str
    text: str
    link: str
    button: str
    why: str = ""
    ref: str = ""
    due: date | None = None
    when: str = ""
    on_behalf: str = ""  # the name of who is away, where somebody stands in

    @property
    def late(self) -> bool:
        """Whether its day has passed."""
        return self.due is not None and self.due < clock.today()


def lines_for(person) -> list[Line]:
    """Everything that waits for the person, most urgent first within its verb."""
    lines = [line for hook in hooks.desk_lines for line in hook(person)]
    order = list(VERBS)
    return sorted(lines, key=lambda line: (order.index(line.verb), line.due or date.max, line.ref))


def groups_for(person) -> list[tuple[str, str, list[Line]]]:
    """The lines in groups (verb, heading, lines), empty groups left out."""
    lines = lines_for(person)
    grouped = [(verb, words, [line for line in lines if line.verb == verb]) for verb, words in VERBS.items()]
    return [group for group in grouped if group[2]]


def count_for(person) -> int:
    """How much waits for the person, for the frame of every page.

    Every act leaves an entry, so the number is counted once per newest entry and day; kept for a minute at most,
    because an entry with a lower number may be committed later.
    """
    newest = Entry.objects.acts().order_by("-id").values_list("id", "digest").first() or (0, b"")
    key = f"desk-{person.pk}-{newest[0]}-{bytes(newest[1]).hex()[:16]}-{clock.today()}"
    count = cache.get(key)
    if count is None:
        count = len([line for line in lines_for(person) if line.verb != "start"])
        cache.set(key, count, COUNT_KEPT_SECONDS)
    return count
