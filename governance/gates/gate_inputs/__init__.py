"""Inputs of gates: plain values, collected once, for the pure rules of `gates`."""

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from governance import clock
from governance.gates.gate_inputs.evidence_inputs import (
    ASKED,
    LOGGED,
    SHOWN_HERE,
    WRITTEN_ANEW,
    Content,
    Item,
    Measured,
    StandsAlone,
    Verification,
    Void,
    first_days,
    without_words,
)
from governance.permission_result import ended
from governance.vocabulary import Layer, Stage, Tier
from governance.vocabulary.phrases import label, phrase

__all__ = (
    "ASKED",
    "LOGGED",
    "SHOWN_HERE",
    "WRITTEN_ANEW",
    "AcceptedRiskFact",
    "ConditionFact",
    "Content",
    "ContractState",
    "Declared",
    "DeploymentFact",
    "Drawn",
    "Facts",
    "FindingFact",
    "HoldFact",
    "Item",
    "Measured",
    "ObjectionFact",
    "ObligationFact",
    "Reply",
    "ScopeFact",
    "StandsAlone",
    "SteppedBack",
    "Verification",
    "Void",
    "WaiverFact",
    "first_days",
    "without_words",
)


@dataclass(frozen=True)
class Reply:
    """The owner's answer to one requirement. `by_id` is its last author.

    `accepted_on` is the day since which "not applicable" is accepted, `accepted_by` has the keys of who did.
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
    """A component version that runs for a time. `names` are its names in logs."""

    id: int
    component: int
    layer: str
    label: str
    since: datetime
    until: datetime | None
    names: frozenset[str] = frozenset()

    def runs_at(self, at: datetime) -> bool:
        """Return True if this version runs at `at`."""
        return self.since <= at and (self.until is None or self.until > at)


@dataclass(frozen=True)
class ContractState:
    """A contract version that is, was or will be in force.

    `unmapped` has the number and sentence of each clause without a control, and is empty for a version that has ended.
    """

    id: int
    number: int
    digest: str
    since: datetime
    until: datetime | None
    unmapped: tuple[tuple[int, str], ...] = ()

    def in_force_at(self, at: datetime) -> bool:
        """Return True if this version binds at `at`."""
        return self.since <= at and (self.until is None or self.until > at)


@dataclass(frozen=True)
class HoldFact:
    """An open hold, the highest stage it leaves supported, and whether it blocks."""

    kind: str
    words: str
    reason: str
    cap: str | None
    blocking: bool


@dataclass(frozen=True)
class ObligationFact:
    """An obligation that is still due. `responsible` is the name of a person.

    `secret` is True if it is on another, confidential initiative: only people who may open that one read its words.
    """

    id: int
    kind: str
    text: str
    responsible_id: int | None
    due: date
    initiative_ref: str
    excused: bool = False
    responsible: str = ""
    secret: bool = False

    @property
    def overdue_words(self) -> str:
        """Return in a sentence that it is overdue."""
        if self.secret:
            return phrase("An obligation on a confidential initiative has been overdue since {}.", self.due)
        said = ended(self.text)
        return phrase(
            "An obligation of {} has been overdue since {}: {}", self.initiative_ref, self.due, said
        )


@dataclass(frozen=True)
class SteppedBack:
    """A step back after which the initiative was not promoted. `open` is True until its owner answered it."""

    source: str
    target: str
    at: datetime
    by: str
    reason: str
    open: bool = False
    answer: str = ""
    answered_by: str = ""

    @property
    def words(self) -> str:
        """Return the stages, the day, the person and the reason, in sentences."""
        source, target = label(Stage(self.source).label), label(Stage(self.target).label)
        taken = phrase(
            "Stepped back from {} to {} on {} by {}", source, target, clock.local_day(self.at), self.by
        )
        return f"{ended(taken)} {ended(self.reason)}"


@dataclass(frozen=True)
class WaiverFact:
    """A granted waiver of one criterion or requirement."""

    key: str
    since: datetime
    until: date
    reason: str


@dataclass(frozen=True)
class AcceptedRiskFact:
    """A risk that the risk seat accepted until a day, and its next review.

    `ends_at` is the moment from which it does not count: after its last day, a missed review by `review_by`, or its
    end.
    """

    id: int
    title: str
    accepted_by: str
    since: datetime
    until: date
    review_by: date | None
    ends_at: datetime

    def counts_at(self, at: datetime) -> bool:
        """Return True if the risk is accepted at `at`."""
        return self.since <= at < self.ends_at


@dataclass(frozen=True)
class ConditionFact:
    """An unmet condition of an earlier decision. `seat` proposed it, "" is the chair."""

    text: str
    owner: str
    due: date
    seat: str = ""


@dataclass(frozen=True)
class ObjectionFact:
    """An objection that counts in an open review, and the criteria it is against."""

    seat: str
    criteria: frozenset[str]
    reason: str


@dataclass(frozen=True)
class Declared:
    """One goal that the MVP declared it would prove, and its result so far."""

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
    """A finding of the integration register against a requirement, from `since` on.

    `hold` is the hold that it also calls for, `cap` the highest stage supported meanwhile. `who` can fix it.
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
        """Return True if the finding counts at `at`."""
        return self.since <= at and (self.until is None or self.until > at)


@dataclass(frozen=True)
class Drawn:
    """A requirement of minimal risk, drawn to be verified (governance.gates.drawing).

    `round` is the review, or the next acceptance of production, that it was drawn for. Production asks it from `since`
    to `until`. `since` is None for an acceptance to come. `answer_version` and `items` are what was offered at the
    draw. `in_place_of` is the requirement whose refusal or change brought it. `checkpoint` is the entries of its
    checkpoint.
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
        """Return True if production asks it to be verified at `at`."""
        return self.since is not None and self.since <= at and (self.until is None or self.until > at)


@dataclass(frozen=True)
class Facts:
    """Everything that gates may read about one initiative."""

    ref: str
    title: str
    approved_stage: str
    imported: bool = False
    tier: str = ""
    proposed_tier: str = ""
    answers: dict[str, Reply] = field(default_factory=dict, hash=False)
    items: tuple[Item, ...] = ()
    deployments: tuple[DeploymentFact, ...] = ()
    contracts: tuple[ContractState, ...] = ()
    holds: tuple[HoldFact, ...] = ()
    waivers: tuple[WaiverFact, ...] = ()
    accepted_risks: tuple[AcceptedRiskFact, ...] = ()
    conditions: tuple[ConditionFact, ...] = ()
    stepped_back: tuple[SteppedBack, ...] = ()
    objections: tuple[ObjectionFact, ...] = ()
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
    harm: str = ""  # the worst credible harm, in the owner's words
    confidential: bool = False
    measured: tuple[Measured, ...] = ()
    # The periods, as (since, until), in which the integration register had an entry.
    described: tuple[tuple[datetime, datetime | None], ...] = ()
    alone: tuple[StandsAlone, ...] = ()
    # All requirements ever drawn, in their order. `round` is the current or next round, or "".
    drawn: tuple[Drawn, ...] = ()
    round: str = ""
    # `tier_scope` is the number of the scope that the tier was confirmed for, or 0. `tier_outdated` has the periods,
    # oldest first, with a scope or a purpose that the tier was not confirmed for.
    tier_scope: int = 0
    tier_outdated: tuple[tuple[datetime, datetime | None], ...] = ()

    def accepted_risks_at(self, at: datetime) -> list[AcceptedRiskFact]:
        """Return the risks that are accepted at `at`, in the order of their requests."""
        return [one for one in self.accepted_risks if one.counts_at(at)]

    def drawn_at(self, key: str, at: datetime) -> Drawn | None:
        """Return the newest draw of this requirement that production asks at `at`."""
        return next(
            (one for one in reversed(self.drawn) if one.requirement == key and one.counts_at(at)), None
        )

    def drawn_ahead(self, key: str, at: datetime) -> Drawn | None:
        """Return this requirement's draw, by `at`, for the next acceptance of production."""
        return next(
            (
                one
                for one in self.of_round()
                if one.requirement == key and one.since is None and one.drawn_at <= at
            ),
            None,
        )

    def of_round(self) -> list[Drawn]:
        """Return the draws of the current round, in order."""
        return [one for one in self.drawn if one.round == self.round]

    def described_at(self, at: datetime) -> bool:
        """Return True if the integration register has an entry at `at`."""
        return any(since <= at and (until is None or until > at) for since, until in self.described)

    def tier_outdated_since(self, at: datetime) -> datetime | None:
        """Return since when the tier is out of date for scope or purpose at `at`, or None.

        A return to a narrower scope for a while does not start the time again.
        """
        now = any(since <= at and (until is None or until > at) for since, until in self.tier_outdated)
        return self.tier_outdated[0][0] if now else None

    def second_looks_at(self, at: datetime) -> tuple[int, int]:
        """Return how many second looks agree with the first by `at`, and how many do not."""
        said = [one for item in self.items for words in item.verifications.values() for one in words]
        looks = [one.shows for one in said if one.second and one.at <= at]
        return sum(looks), len(looks) - sum(looks)

    def stands_alone_at(self, at: datetime) -> StandsAlone | None:
        """Return the accepted declaration of no links that holds at `at`, or None."""
        return next(
            (one for one in self.alone if one.since <= at and (one.until is None or one.until > at)), None
        )

    def measured_at(self, key: str, at: datetime) -> list[Measured]:
        """Return what is measured of this requirement at `at`."""
        return [one for one in self.measured if one.requirement == key and one.counts_at(at)]

    def runs_without(self, at: datetime) -> tuple[str, ...]:
        """Return the keys of SHOWN_HERE that no running system shows here at `at`."""
        ways = {one.way for one in self.measured if one.counts_at(at)}
        return tuple(key for key, (way, _) in SHOWN_HERE.items() if way not in ways)

    @property
    def high(self) -> bool:
        """Return True if the confirmed tier is high."""
        return self.tier == Tier.HIGH

    @property
    def owner_or_role(self) -> str:
        """Return the name of the accepted owner, else the role."""
        return self.people.get("owner", "The owner")

    @property
    def higher_tier(self) -> str:
        """Return the proposed tier if it is above the confirmed one, else ""."""
        order = ["", *Tier]
        higher = self.tier and order.index(self.proposed_tier) > order.index(self.tier)
        return self.proposed_tier if higher else ""

    def items_for(self, key: str) -> list[Item]:
        """Return the items offered for this requirement, newest observation first."""
        return self._offered.get(key, [])

    def first_day(self, item: Item) -> date:
        """Return the day from which the age of the item counts: the first on which its content was there."""
        return self._first_days[item.id]

    def renewed_by(self, item: Item) -> Item | None:
        """Return the earlier item that this one replaced, or None if it is the first."""
        return self._replaced.get(item.id)

    def short_of(self, key: str, at: datetime) -> list[FindingFact]:
        """Return the findings of the register against this requirement at `at`."""
        return [one for one in self._short.get(key, ()) if one.counts_at(at)]

    @cached_property
    def _offered(self) -> dict[str, list[Item]]:
        found: dict[str, list[Item]] = {}
        for item in sorted(self.items, key=self._observed, reverse=True):
            for key in item.covers:
                found.setdefault(key, []).append(item)
        return found

    def _observed(self, item: Item) -> tuple[date, datetime, int]:
        return self.first_day(item), item.added_at, item.id

    @cached_property
    def _first_days(self) -> dict[int, date]:
        return first_days(self.items)

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
        """Return the versions in the model layer that run at `at`."""
        return [
            version for version in self.deployments if version.layer == Layer.MODEL and version.runs_at(at)
        ]
