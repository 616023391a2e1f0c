"""Inputs of gates: plain values, collected once, handed to the pure rules of `gates`."""

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from operator import attrgetter

from governance.vocabulary import Layer, Tier


@dataclass(frozen=True)
class Void:
    """That a trigger ended an item for one requirement from `at` on."""

    at: datetime
    trigger: str
    cause: str


@dataclass(frozen=True)
class Verification:
    """What somebody outside the team said, having opened an item: whether it shows the answer in this version.

    `fingerprint`: of the content that was opened. `by` is the person's name.
    """

    by_id: int
    by: str
    at: datetime
    answer_version: int
    fingerprint: str
    shows: bool
    words: str = ""


@dataclass(frozen=True)
class Measured:
    """That Plumbline worked an answer out of rows whose deciding value came from outside the team, for a time."""

    requirement: str
    way: str
    words: str
    since: datetime
    until: datetime | None = None

    def counts_at(self, at: datetime) -> bool:
        """Whether it is so at `at`."""
        return self.since <= at and (self.until is None or self.until > at)


@dataclass(frozen=True)
class StandsAlone:
    """An accepted declaration that the initiative is linked to nothing; `by` accepted it, in `verifiers` by key.

    Accepted by one person and later by a second, it is two of these, one after the other.
    """

    since: datetime
    until: datetime | None
    by: str
    verifiers: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Item:
    """One piece of evidence as the rules see it. `covers` maps a requirement to the order it was attached in."""

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
    unverified: bool = False
    acceptance_role: str = ""
    acceptance_open: bool = False
    clause_of: int | None = None
    clause_kind: str = ""
    components: frozenset[int] = frozenset()
    layers: frozenset[str] = frozenset()
    # By requirement, oldest first, of people who are outside the team and were then.
    verifications: dict[str, tuple[Verification, ...]] = field(default_factory=dict, hash=False)

    def void_at(self, key: str, at: datetime) -> Void | None:
        """The first voiding for this requirement that is in effect at `at`."""
        return next((void for void in self.voids.get(key, ()) if void.at <= at), None)


@dataclass(frozen=True)
class Reply:
    """The owner's answer to one requirement; `by_id`: who wrote it last.

    `accepted_on`: since when it stands that it does not apply; `accepted_by`: keys of who accepted that.
    """

    kind: str
    text: str
    version: int
    at: datetime
    accepted_on: date | None = None
    by_id: int | None = None
    accepted_by: frozenset[int] = frozenset()


@dataclass(frozen=True)
class DeploymentFact:
    """A version of a component that runs from a moment to a moment."""

    id: int
    component: int
    layer: str
    label: str
    since: datetime
    until: datetime | None

    def runs_at(self, at: datetime) -> bool:
        """Whether this version runs at `at`."""
        return self.since <= at and (self.until is None or self.until > at)


@dataclass(frozen=True)
class ContractState:
    """A contract version that is, was or will be in force.

    `unmapped`: its clauses that no control enforces, each by number and in its sentence; of one that ended, none.
    """

    id: int
    number: int
    digest: str
    since: datetime
    until: datetime | None
    unmapped: tuple[tuple[int, str], ...] = ()

    def in_force_at(self, at: datetime) -> bool:
        """Whether this version binds at `at`."""
        return self.since <= at and (self.until is None or self.until > at)


@dataclass(frozen=True)
class HoldFact:
    """An open hold: what it is, the highest stage supported meanwhile, whether it blocks decisions."""

    kind: str
    words: str
    reason: str
    cap: str | None
    blocking: bool


@dataclass(frozen=True)
class ObligationFact:
    """An obligation that is still due; `responsible` is the name of the responsible person."""

    id: int
    kind: str
    text: str
    responsible_id: int | None
    due: date
    initiative_ref: str
    excused: bool = False
    responsible: str = ""


@dataclass(frozen=True)
class WaiverFact:
    """A granted waiver of one criterion or requirement."""

    key: str
    since: datetime
    until: date
    reason: str


@dataclass(frozen=True)
class ConditionFact:
    """A condition of an earlier decision that nobody has met yet."""

    text: str
    owner: str
    due: date


@dataclass(frozen=True)
class Declared:
    """One thing the MVP declared it would prove, and its result so far."""

    key: str
    declared: str
    result: str = ""


@dataclass(frozen=True)
class ScopeFact:
    """The bound an initiative has, or will have when it is promoted."""

    id: int
    words: str
    users: int
    ends_on: date | None
    planned: bool


@dataclass(frozen=True)
class FindingFact:
    """What the integration register says against a requirement, from a moment on; `hold`: what it calls for besides.

    `cap`: the highest stage supported while it calls for a hold. `who` can fix it.
    """

    requirement: str
    words: str
    fix: str
    who: str
    since: datetime
    until: datetime | None = None
    hold: str = ""
    hold_words: str = ""
    cap: str | None = None

    def counts_at(self, at: datetime) -> bool:
        """Whether it is so at `at`."""
        return self.since <= at and (self.until is None or self.until > at)


@dataclass(frozen=True)
class Drawn:
    """A requirement that the audit log's seed drew, at minimal risk, to be verified (governance.gates.drawing).

    `round`: the review, or the next acceptance of production, that it was drawn for. `since`, `until`: when production
    asks it; of what is drawn for an acceptance to come, `since` is None. `answer_version`, `items`: what was offered
    when it was drawn. `in_place_of`: the requirement whose refusal or change brought it. `checkpoint`: its entries.
    """

    requirement: str
    round: str
    drawn_at: datetime
    since: datetime | None
    until: datetime | None = None
    answer_version: int = 0
    items: frozenset[int] = frozenset()
    in_place_of: str = ""
    checkpoint: int = 0

    def counts_at(self, at: datetime) -> bool:
        """Whether production asks it to be verified at `at`."""
        return self.since is not None and self.since <= at and (self.until is None or self.until > at)


@dataclass(frozen=True)
class Facts:
    """Everything of one initiative that gates look at; they look at nothing else."""

    ref: str
    title: str
    approved_stage: str
    imported: bool = False
    tier: str = ""
    answers: dict[str, Reply] = field(default_factory=dict, hash=False)
    items: tuple[Item, ...] = ()
    deployments: tuple[DeploymentFact, ...] = ()
    contracts: tuple[ContractState, ...] = ()
    holds: tuple[HoldFact, ...] = ()
    waivers: tuple[WaiverFact, ...] = ()
    conditions: tuple[ConditionFact, ...] = ()
    obligations: tuple[ObligationFact, ...] = ()
    declared: dict[str, Declared] = field(default_factory=dict, hash=False)
    decided: dict[str, date] = field(default_factory=dict, hash=False)
    reattest_by: date | None = None
    scopes: tuple[ScopeFact, ...] = ()
    people: dict[str, str] = field(default_factory=dict, hash=False)
    requirement_findings: tuple[FindingFact, ...] = ()
    owner_id: int | None = None
    problem: str = ""
    platform: str = ""
    confidential: bool = False
    measured: tuple[Measured, ...] = ()
    # From when until when something was described in the integration register.
    described: tuple[tuple[datetime, datetime | None], ...] = ()
    alone: tuple[StandsAlone, ...] = ()
    # Requirements ever drawn, in their order, and the round in which some are drawn now or next; "" where in none.
    drawn: tuple[Drawn, ...] = ()
    round: str = ""

    def drawn_at(self, key: str, at: datetime) -> Drawn | None:
        """The newest draw of this requirement that production asks at `at`."""
        return next(
            (one for one in reversed(self.drawn) if one.requirement == key and one.counts_at(at)), None
        )

    def drawn_ahead(self, key: str, at: datetime) -> Drawn | None:
        """The draw of this requirement for the next acceptance of production, if it was drawn by then."""
        return next(
            (
                one
                for one in self.of_round()
                if one.requirement == key and one.since is None and one.drawn_at <= at
            ),
            None,
        )

    def of_round(self) -> list[Drawn]:
        """What was drawn in the round that runs, in order."""
        return [one for one in self.drawn if one.round == self.round]

    def described_at(self, at: datetime) -> bool:
        """Whether anything stands in the integration register at `at`."""
        return any(since <= at and (until is None or until > at) for since, until in self.described)

    def stands_alone_at(self, at: datetime) -> StandsAlone | None:
        """The accepted declaration that it is linked to nothing, if one stands at `at`."""
        return next(
            (one for one in self.alone if one.since <= at and (one.until is None or one.until > at)), None
        )

    def measured_at(self, key: str, at: datetime) -> list[Measured]:
        """What is measured of this requirement at `at`."""
        return [one for one in self.measured if one.requirement == key and one.counts_at(at)]

    @property
    def high(self) -> bool:
        """Whether the confirmed tier is high."""
        return self.tier == Tier.HIGH

    def items_for(self, key: str) -> list[Item]:
        """Items offered for this requirement, newest observation first."""
        return self._offered.get(key, [])

    def renewed_by(self, item: Item) -> Item | None:
        """The item that this one replaced as its newer form; None where it is the first."""
        return self._replaced.get(item.id)

    def short_of(self, key: str, at: datetime) -> list[FindingFact]:
        """What the register says against this requirement at `at`."""
        return [one for one in self._short.get(key, ()) if one.counts_at(at)]

    @cached_property
    def _offered(self) -> dict[str, list[Item]]:
        found: dict[str, list[Item]] = {}
        newest_first = sorted(self.items, key=attrgetter("observed_on", "added_at", "id"), reverse=True)
        for item in newest_first:
            for key in item.covers:
                found.setdefault(key, []).append(item)
        return found

    @cached_property
    def _replaced(self) -> dict[int, Item]:
        return {item.superseded_by: item for item in self.items if item.superseded_by is not None}

    @cached_property
    def _short(self) -> dict[str, list[FindingFact]]:
        found: dict[str, list[FindingFact]] = {}
        for one in self.requirement_findings:
            found.setdefault(one.requirement, []).append(one)
        return found

    def models_at(self, at: datetime) -> list[DeploymentFact]:
        """The versions in the model layer that run at `at`."""
        return [
            version for version in self.deployments if version.layer == Layer.MODEL and version.runs_at(at)
        ]
