"""Contributions: lists that the apps above extend in `AppConfig.ready()`, so that nothing below imports them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class InitiativePage:
    """A page that every initiative has, in one of its sections (`initiatives.initiative.initiative_sections.SECTIONS`).

    Its words, the name of its URL (which takes `ref`), a count over the facts or None; in the order of the list.
    """

    section: str
    words: str
    url_name: str
    count: Callable | None = None


@dataclass(frozen=True)
class Part:
    """A part of a page that an app above shows there: its template, and what that is given."""

    template: str
    context: dict


@dataclass(frozen=True)
class Report:
    """A report of the portfolio: its key in the URL, its words, what it is for, and a filter over initiatives."""

    key: str
    words: str
    help: str
    apply: Callable


@dataclass(frozen=True)
class MailKind:
    """A kind of mail, of which a person gets at most one a day about the same matter (governance.notices.daily_mail).

    `newest_day()` is the day that its newest mails bear; `prepare()` makes a row for each that is due; `fill(row)` puts
    into a claimed row what it carries; `compose(row)` is the mail, or None when there is nothing left to say.
    """

    newest_day: Callable
    prepare: Callable
    fill: Callable
    compose: Callable


@dataclass(frozen=True)
class InitiativeEnd:
    """An initiative as retention sees it: `ended_at` is None while it runs."""

    ref: str
    title: str
    ended_at: datetime | None


@dataclass(frozen=True)
class NamedProof:
    """One item of proof that a request for erasure names: its row, what takes the place of its words, its terms.

    `cited` says whether somebody signed on it: then it is part of the records of a decision.
    """

    table: str
    key: str
    initiative_ref: str
    values: dict
    terms: tuple[str, ...]
    cited: bool


# Functions (person) -> list of governance.notices.inbox.Line: what waits for somebody.
inbox_lines: list[Callable] = []
# Functions (person) -> what has `touches(references)`: whether any of these initiatives is near the person's inbox.
inbox_circles: list[Callable] = []
# Kinds of acts that put nothing on any inbox, or only on those near the initiative they are about.
quiet_acts: set[str] = set()
# Functions (person, references) -> {reference: moment}: initiatives that the person saw and may not open any more, and
# until when they could: what they were told of it before is not shown to them any longer.
sight_lost: list[Callable] = []
# Pages that every initiative has; of each section the first is where it opens.
initiative_pages: list[InitiativePage] = []
# By place, functions (person, what the page is about) -> Part or None: "review" (the review), "registering" (title and
# problem as far as they are typed), "link" (the system), "running" (the initiative, the
# address of this installation), "history" (the initiative), "insights" (what the address asks for).
PLACES = ("review", "registering", "link", "running", "history", "insights")
parts: dict[str, list[Callable]] = {place: [] for place in PLACES}
# By what a finding against an initiative is about, functions (initiative, what the person may on it, source) -> list of
# (address, words): where it is fixed by whoever looks.
fixes: dict[str, Callable] = {}
# Reports of the portfolio.
reports: list[Report] = []
# Functions (moment) -> iterable of governance.notices.due.Due: what is owed as a message at that moment.
due_queries: list[Callable] = []
# Functions (references) -> {reference: governance.notices.daily_mail.InitiativeWords}: what a mail says of an
# initiative.
initiative_words: list[Callable] = []
# By kind of notice, what it asks for, as the words of a button: "Read and sign".
notice_verbs: dict[str, str] = {}
# Kinds of notices that a mail of their own carries, never the day's.
own_mails: set[str] = set()
# By kind, how its mails are made.
mails: dict[str, MailKind] = {}
# Functions (person) -> list of units whose weekly digest the person gets.
digest_units: list[Callable] = []
# Functions (person) -> list of governance.notices.calendar_feed.DueDay: what is due to somebody, as days.
calendar_days: list[Callable] = []
# Functions (moment, {key: row of a person as known then}, person or None) ->
# governance.audit.rights_report.Held: roles on initiatives.
rights_held: list[Callable] = []
# Functions (kind, facts, book) -> str: an act of the record as a sentence after the name of who acted.
act_words: list[Callable] = []
# Functions (keys of reviews) -> {key: (words, address)}: where each of them came to its end, beside its own page.
decided_where: list[Callable] = []
# Kinds of entries by which somebody signs or decides: what auditors draw samples of first.
decisions: list[str] = []
# Kinds of entries that say what somebody read, beside exports.
readings: list[str] = []
# Functions (references, or None for all) -> list of InitiativeEnd: which initiatives have ended, and when.
initiative_ends: list[Callable] = []
# Functions (day) -> {number of an initiative: days}: whose interactions have their bodies kept for a shorter time on
# that day.
body_days: list[Callable] = []
# Tables whose rows are records of decisions: kept as long as these.
decision_tables: list[str] = []
# Functions (keys) -> list of NamedProof: items of proof named by a request for erasure.
proof_named: list[Callable] = []
# Functions (initiative): called in the act by which an initiative became confidential, or no longer is.
secrecy_changed: list[Callable] = []
# Functions (references of initiatives): called in the transaction that erased proof of them.
after_erasure: list[Callable] = []
# Functions (checkpoint): what the worker has done once it sealed what was committed.
after_sealing: list[Callable] = []
# By (table, column) of a text, the column with its hash: once the text is erased, the hash would still confirm guesses.
hashes_of_text: dict[tuple[str, str], str] = {}
# (table, column) of texts that are no part of the record and go as a whole: with a name masked, nobody could say what
# they were.
erased_whole: set[tuple[str, str]] = set()


# Functions (alias of a database) -> (words, table, key, field) each: rows that follow from others, and do not say what
# follows.
derived: list[Callable] = []
# Functions (transaction from which on, alias of a database) -> (words, table, key) each: what is wrong with rows to
# which acts commit by the batch, with one digest.
sealed_batches: list[Callable] = []


def where_decided(keys) -> dict[int, tuple[str, str]]:
    """By key of a review, where it came to its end in words, and the address; those that nobody knows are left out."""
    found: dict[int, tuple[str, str]] = {}
    for ask in decided_where:
        found |= ask(keys)
    return found


def parts_of(place: str, person, about) -> list[Part]:
    """What the apps above show at this place."""
    return [part for show in parts[place] if (part := show(person, about)) is not None]
