"""Inputs of gates about one item of evidence: what ended it, who verified it, how old its content is."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from governance import clock
from governance.vocabulary import EvidenceRegister

# What only a running system can show here: the missing thing, the way it is measured and the sentence without it.
ASKED, LOGGED = "asked", "logged"
SHOWN_HERE = {
    "enforcement": (ASKED, "Not enforced here."),
    "log": (LOGGED, "No log here."),
}
# The registers of which each record is a new observation, also with the same content as an earlier record.
WRITTEN_ANEW = frozenset((EvidenceRegister.INTEGRATION, EvidenceRegister.MEASUREMENTS))


@dataclass(frozen=True)
class Void:
    """A trigger that ended an item for one requirement from `at` on."""

    at: datetime
    trigger: str
    cause: str


@dataclass(frozen=True)
class Verification:
    """The verdict of someone outside the team on whether an item shows the answer.

    `fingerprint` is of the content that was opened. `by` is the person's name, `seat` the seat they acted in, `place`
    a place in the item. `opened_at` is when they first opened it. The pages or rows that they opened are not recorded.
    `second` marks a blind look at what someone else verified earlier.
    """

    by_id: int
    by: str
    at: datetime
    answer_version: int
    fingerprint: str
    shows: bool
    words: str = ""
    seat: str = ""
    place: str = ""
    opened_at: datetime | None = None
    second: bool = False

    @property
    def seconds(self) -> int | None:
        """Return the whole seconds from first opening to verdict, or None if unknown."""
        return int((self.at - self.opened_at).total_seconds()) if self.opened_at else None


@dataclass(frozen=True)
class Measured:
    """An answer that Plumbline computes from values from outside the team, for a time."""

    requirement: str
    way: str
    words: str
    since: datetime
    until: datetime | None = None

    def counts_at(self, at: datetime) -> bool:
        """Return True if the answer is measured at `at`."""
        return self.since <= at and (self.until is None or self.until > at)


def without_words(missing: Iterable[str]) -> str:
    """Return what an initiative runs without (keys of SHOWN_HERE), as sentences."""
    named = set(missing)
    return " ".join(words for key, (_, words) in SHOWN_HERE.items() if key in named)


@dataclass(frozen=True)
class StandsAlone:
    """An accepted declaration that the initiative has no links.

    `by` names who accepted it, and `verifiers` has the keys. A second acceptance starts another one, after the first.
    """

    since: datetime
    until: datetime | None
    by: str
    verifiers: frozenset[int] = frozenset()


class Content(Protocol):
    """An item of evidence as far as the age of its content depends on it."""

    @property
    def id(self) -> int: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def observed_on(self) -> date: ...
    @property
    def added_at(self) -> datetime: ...
    @property
    def withdrawn_at(self) -> datetime | None: ...
    @property
    def anew(self) -> bool: ...


def first_days(items: Iterable[Content]) -> dict[int, date]:
    """Return by item the day from which its age counts: the first on which its content was there.

    Items that Plumbline or a run of a pipeline made are observed anew, also with the same content. A withdrawn item
    shows that its content was there when it was added, because the day that it names may have been wrong.
    """
    items, since = list(items), dict[str, date]()
    for item in items:
        day = item.observed_on
        if item.withdrawn_at is not None:
            day = max(day, clock.local_day(item.added_at))
        since[item.fingerprint] = min(since.get(item.fingerprint, day), day)
    return {
        item.id: item.observed_on if item.anew else min(item.observed_on, since[item.fingerprint])
        for item in items
    }


@dataclass(frozen=True)
class Item:
    """One piece of evidence as the rules see it. `covers` has the order of attachment.

    `rows` is the number of rows in its file, and `models` has their model names. `remarks` is what
    `governance.gates.remarks` returns for it. `link` is the key of the link of a drill on one link that has not ended.
    """

    id: int
    kind: str
    title: str
    author_id: int
    observed_on: date
    added_at: datetime
    fingerprint: str
    covers: dict[str, int] = field(hash=False)
    result: str = ""
    condition: str = ""
    voids: dict[str, tuple[Void, ...]] = field(default_factory=dict, hash=False)
    withdrawn_at: datetime | None = None
    superseded_by: int | None = None
    missing: bool = False
    generated: bool = False
    of_pipeline: bool = False
    # The requirements for which a confirmed pipeline was held against what a seat confirmed that it must show.
    measures: frozenset[str] = frozenset()
    unverified: bool = False
    # The subject of a test report, a drill or user research, or "".
    tested: str = ""
    acceptance_role: str = ""
    acceptance_open: bool = False
    clause_of: int | None = None
    clause_kind: str = ""
    components: frozenset[int] = frozenset()
    layers: frozenset[str] = frozenset()
    rows: int | None = None
    remarks: str = ""
    link: int | None = None
    models: tuple[str, ...] = ()
    # The register of the product that wrote it, or "".
    register: str = ""
    # By requirement, oldest first. Each verifier was outside the team then and is so now.
    verifications: dict[str, tuple[Verification, ...]] = field(default_factory=dict, hash=False)

    @property
    def anew(self) -> bool:
        """Return True if Plumbline or a run of a pipeline made it on its day."""
        return self.generated or self.of_pipeline or self.register in WRITTEN_ANEW

    def void_at(self, key: str, at: datetime) -> Void | None:
        """Return the first voiding for this requirement that is in effect at `at`."""
        return next((void for void in self.voids.get(key, ()) if void.at <= at), None)
