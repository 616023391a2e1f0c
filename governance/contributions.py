"""Contributions: what packages add to packages below them, so that nothing below imports them.

A package declares one `Contribution`, named `CONTRIBUTION`, and `apps.py` of its app installs it at the start. Readers
find everything in `contributed`, in the order of installing: `governance`, `initiatives`, `adoption`, each in the order
of the list in its `apps.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module


@dataclass(frozen=True)
class MailKind:
    """A kind of email that a person gets at most once a day per matter (`daily_mail`).

    `newest_day()` returns the day of its newest emails. `prepare()` makes a row for each email that is due. `fill(row)`
    puts the contents into a claimed row. `compose(row)` returns the email, or None if nothing is left to send.
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
class NamedEvidence:
    """An item of evidence that a request for erasure names.

    `values` replace the words of the row. `cited` is True if someone signed on the item. The item is then part of the
    records of a decision.
    """

    table: str
    key: str
    initiative_ref: str
    values: dict
    terms: tuple[str, ...]
    cited: bool


@dataclass(frozen=True)
class EventSubject:
    """The words about an initiative that may leave the application. `title` is "" if it is confidential."""

    title: str
    link: str
    unit_path: str


@dataclass(kw_only=True)
class Contribution:
    """What one package adds, or all packages together."""

    # Functions (person) -> list of governance.notifications.inbox.InboxTask: what waits for somebody.
    inbox_tasks: list[Callable] = field(default_factory=list)
    # Functions (person) -> what has `touches(references)`: whether any of these initiatives is near the person's inbox.
    inbox_circles: list[Callable] = field(default_factory=list)
    # Kinds of acts that put nothing on any inbox, or only on those near the initiative they are about.
    quiet_acts: set[str] = field(default_factory=set)
    # Functions (person, references) -> those of the references whose initiatives the person may open now: messages
    # about others are neither shown to the person nor mailed.
    openable: list[Callable] = field(default_factory=list)
    # Functions (moment) -> iterable of governance.notifications.due.Due: what is due as a message at that moment.
    due_queries: list[Callable] = field(default_factory=list)
    # Functions (list of Due) -> list of Due: the same reminders for the people who get them, such as delegates.
    redirect: list[Callable] = field(default_factory=list)
    # Functions (references) -> {reference: governance.notifications.daily_mail.InitiativeWords}: what a mail says of an
    # initiative.
    initiative_words: list[Callable] = field(default_factory=list)
    # Functions (references) -> {reference: EventSubject}: what an event says about an initiative.
    event_subjects: list[Callable] = field(default_factory=list)
    # By kind of notification, what it asks for, as the words of a button: "Read and sign".
    notification_verbs: dict[str, str] = field(default_factory=dict)
    # Kinds of notifications that ask for an act in the inbox: closed once no task of their person is about them.
    asking: set[str] = field(default_factory=set)
    # Kinds of notifications that are closed once no reminder finds them due, and no task of their person is about them.
    passing: set[str] = field(default_factory=set)
    # Kinds of notifications that are mailed however many mails their person had: holds, stops, step-backs.
    alerts: set[str] = field(default_factory=set)
    # Kinds of notifications that a mail of their own carries, never the day's.
    own_mails: set[str] = field(default_factory=set)
    # By kind, how its mails are made.
    mails: dict[str, MailKind] = field(default_factory=dict)
    # Functions (person) -> list of units whose weekly digest the person gets.
    digest_units: list[Callable] = field(default_factory=list)
    # Functions (person) -> list of governance.notifications.calendar_feed.DueDay: what is due to somebody, as days.
    calendar_days: list[Callable] = field(default_factory=list)
    # Functions (moment, {key: row of a person as known then}, person or None) ->
    # governance.audit.rights_report.Held: roles on initiatives.
    rights_held: list[Callable] = field(default_factory=list)
    # Functions (kind, facts, rulebook) -> str: an act of the audit log as a sentence after the name of who acted.
    act_words: list[Callable] = field(default_factory=list)
    # Kinds of entries by which somebody signs or decides: what auditors draw samples of first.
    decisions: set[str] = field(default_factory=set)
    # Kinds of entries that say what somebody read, beside exports.
    readings: set[str] = field(default_factory=set)
    # Functions (references, or None for all) -> list of InitiativeEnd: which initiatives have ended, and when.
    initiative_ends: list[Callable] = field(default_factory=list)
    # Tables whose rows are records of decisions: kept as long as these.
    decision_tables: set[str] = field(default_factory=set)
    # Functions (keys) -> list of NamedEvidence: items of evidence named by a request for erasure.
    evidence_named: list[Callable] = field(default_factory=list)
    # Functions (references of initiatives): called in the transaction that erased evidence of them.
    after_erasure: list[Callable] = field(default_factory=list)
    # Functions () -> iterable of prometheus_client.Metric: figures for /metrics (`governance.operations.metrics`).
    figures: list[Callable] = field(default_factory=list)
    # Functions (checkpoint): what the worker has done once it sealed what was committed.
    after_sealing: list[Callable] = field(default_factory=list)
    # By (table, column) of a text, the column with its hash: once the text is erased, the hash would still confirm
    # guesses.
    hashes_of_text: dict[tuple[str, str], str] = field(default_factory=dict)
    # (table, column) of texts that are no part of the audit log and go as a whole: with a name masked, nobody could say
    # what they were.
    erased_whole: set[tuple[str, str]] = field(default_factory=set)
    # Functions (alias of a database) -> (words, table, key, field) each: rows that follow from others, and do not say
    # what follows.
    derived: list[Callable] = field(default_factory=list)
    # Functions (transaction from which on, alias of a database) -> (words, table, key) each: what is wrong with rows to
    # which acts commit by the batch, with one digest.
    sealed_batches: list[Callable] = field(default_factory=list)

    def take(self, other: "Contribution") -> None:
        """Add what the other has in the fields that the class of this one declares.

        Raises TypeError for a value of another type than that of its field, and for a member that is not callable where
        functions belong.
        """
        for name, kind in type(self).__annotations__.items():
            mine, more = getattr(self, name), getattr(other, name)
            functions = kind in (list[Callable], dict[str, Callable])
            members = more.values() if isinstance(more, dict) else more
            if type(more) is not type(mine) or (functions and not all(map(callable, members))):
                raise TypeError(f"{name} takes {kind}, not {more!r}.")
            mine.extend(more) if isinstance(mine, list) else mine.update(more)


# Everything that was installed.
contributed = Contribution()


def install(*modules: str, into: tuple[Contribution, ...] = (contributed,)) -> None:
    """Add what each of these modules declares as `CONTRIBUTION`. Models must be loaded."""
    for module in modules:
        for whole in into:
            whole.take(import_module(module).CONTRIBUTION)
