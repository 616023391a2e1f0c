"""Compare the allowed and the done: decisions, outcomes and interactions. Pure.

Only what is mapped to an action of the contract is compared: a run of a tool, or a call that names its action. An
allow covers every similar act until it ends. It also covers the first act that names it, a while after its end. An act
that names its decision is certain. An act that only fits by key, action and time is probable. A reported outcome and
the span of the same act are one act.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

COMPLETE_AFTER = timedelta(minutes=15)  # after which both logs are taken to have what they will have
BEFORE = timedelta(seconds=5)  # by which the clock of a system may be off
SAME_ACT = timedelta(
    minutes=2
)  # at most between a span and the report of its outcome, or a denial and its act
LONGEST = timedelta(hours=1)  # at most between a decision and the act that it was asked for


class Verdict(StrEnum):
    """The verdict on an act."""

    DONE = "permitted and done"
    NEVER_ASKED = "done and never asked"
    AFTER_DENIAL = "done after a denial"


@dataclass(frozen=True)
class Decided:
    """One decision. Acts name it by `id`, and may rely on an allow until `until`."""

    id: bytes
    at: datetime
    key: int
    action: str
    allowed: bool
    until: datetime | None = None

    @property
    def ends(self) -> datetime:
        """Return the last moment, by any clock, at which an act may begin under it."""
        return (self.until or self.at) + BEFORE


@dataclass(frozen=True)
class Act:
    """An act: a span, or an outcome that a system reported.

    `decision` is empty if it names none. `sampled` is the share of acts that the sender reports, or None if unknown.
    `span` is the id of the span that an outcome belongs to.
    """

    id: str
    at: datetime
    key: int
    action: str
    decision: bytes = b""
    outcome: bool = False
    sampled: float | None = None
    span: str = ""


@dataclass(frozen=True)
class Found:
    """An act, its verdict and its decision. `probable`: only key, action and time fit."""

    act: Act
    verdict: Verdict
    decision: bytes = b""
    probable: bool = False


@dataclass(frozen=True)
class Reconciled:
    """The result for a period. `not_done`: allows without acts, of keys not sampled.

    `waiting` has the times of acts and allows that are too new to be judged. `unmapped` counts acts whose action is
    not in the contract.
    """

    acts: tuple[Found, ...] = ()
    not_done: tuple[bytes, ...] = ()
    sampling: frozenset[int] = frozenset()
    waiting: tuple[datetime, ...] = ()
    unmapped: int = 0

    @property
    def open(self) -> int:
        """Return the number of acts and allows that are too new to be judged."""
        return len(self.waiting)

    def of(self, verdict: Verdict) -> list[Found]:
        """Return the acts with this verdict."""
        return [found for found in self.acts if found.verdict == verdict]

    @property
    def findings(self) -> dict[str, Found]:
        """Return, by act, what was done without permission."""
        return {found.act.id: found for found in self.acts if found.verdict != Verdict.DONE}


def reconciled(
    decisions: Iterable[Decided], acts: Iterable[Act], *, actions: Mapping[str, str], now: datetime
) -> Reconciled:
    """Compare the acts of a period with decisions, as both logs have them at `now`.

    The decisions begin LONGEST before the acts. `actions` maps the names of senders to actions of the contract. A
    later call includes late reports, and may end a finding (`withdrawn`).
    """
    by_id: dict[bytes, Decided] = {}
    logs: dict[tuple[int, str], _Log] = {}
    for row in sorted(decisions, key=lambda one: one.at):
        by_id[row.id] = row
        logs.setdefault((row.key, row.action), _Log()).add(row)
    found: list[Found] = []
    used: set[bytes] = set()
    sampling: set[int] = set()
    waiting: list[datetime] = []
    unmapped = 0
    for act in _once(acts, actions):
        if act.sampled is not None and act.sampled < 1:
            sampling.add(act.key)
        action = actions.get(act.action)
        if action is None:
            unmapped += 1
            continue
        judged = _judged(act, action, by_id, logs.get((act.key, action), _Log()), used)
        if judged.verdict == Verdict.DONE:
            used.add(judged.decision)
        elif act.at > now - COMPLETE_AFTER:
            waiting.append(act.at)
            continue
        found.append(judged)
    left = [row for row in by_id.values() if row.allowed and row.id not in used and row.key not in sampling]
    over = tuple(row.id for row in left if row.ends <= now - COMPLETE_AFTER)
    waiting += [row.at for row in left if row.ends > now - COMPLETE_AFTER]
    return Reconciled(tuple(found), over, frozenset(sampling), tuple(waiting), unmapped)


def withdrawn(earlier: Reconciled, later: Reconciled) -> list[Found]:
    """Return the findings of an earlier comparison that a later one no longer has."""
    return [found for act, found in earlier.findings.items() if act not in later.findings]


@dataclass
class _Log:
    """The decisions of one key on one action, by time."""

    rows: list[Decided] = field(default_factory=list)
    at: list[datetime] = field(default_factory=list)

    def add(self, row: Decided) -> None:
        """Add the next decision."""
        self.rows.append(row)
        self.at.append(row.at)

    def before(self, act: Act) -> Iterable[Decided]:
        """Yield the decisions that may cover the act, the newest first."""
        for place in range(bisect_right(self.at, act.at + BEFORE) - 1, -1, -1):
            if self.at[place] < act.at - LONGEST:
                return
            yield self.rows[place]


def _judged(act: Act, action: str, by_id: Mapping[bytes, Decided], log: _Log, used: set[bytes]) -> Found:
    named = by_id.get(act.decision)
    if named is not None and (named.key, named.action) == (act.key, action):
        if not named.allowed:
            return Found(act, Verdict.AFTER_DENIAL, named.id)
        first = named.id not in used and act.at <= named.ends + LONGEST
        if first or act.at <= named.ends:
            return Found(act, Verdict.DONE, named.id)
    denial = None
    for number, row in enumerate(log.before(act)):
        if row.allowed and act.at <= row.ends:
            return Found(act, Verdict.DONE, row.id, probable=True)
        if number == 0 and not row.allowed and act.at - row.at <= SAME_ACT:
            denial = row
    if denial is not None:
        return Found(act, Verdict.AFTER_DENIAL, denial.id, probable=True)
    return Found(act, Verdict.NEVER_ASKED)


def _once(acts: Iterable[Act], actions: Mapping[str, str]) -> list[Act]:
    """Return each act once, by time. An outcome and its nearest span are one act."""
    kept: dict[str, Act] = {}
    for act in acts:
        kept.setdefault(act.id, act)
    spans: dict[tuple[int, str], list[Act]] = {}
    for act in sorted(kept.values(), key=lambda one: one.at):
        if not act.outcome:
            spans.setdefault((act.key, actions.get(act.action, "")), []).append(act)
    for act in [act for act in kept.values() if act.outcome]:
        like = spans.get((act.key, actions.get(act.action, "")), [])
        first = bisect_right(like, act.at - SAME_ACT, key=lambda one: one.at)
        near = []
        for span in like[first:]:
            if span.at > act.at + SAME_ACT:
                break
            if span.id in kept and span.decision in (b"", act.decision):
                near.append(span)
        if near:
            span = min(near, key=lambda one: (one.decision != act.decision, abs(one.at - act.at)))
            del kept[span.id]
            # Only spans show the sampling of a sender.
            kept[act.id] = replace(act, span=span.id, sampled=span.sampled)
    return sorted(kept.values(), key=lambda one: one.at)
