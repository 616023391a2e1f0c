"""What was allowed against what was done: one computation over decisions, outcomes and interactions of a span. Pure.

Only what is mapped to an action of the contract is compared: a run of a tool, or a call that names its action. An allow
covers every act like it until it ends; the first act that names it, also a while after. An act that names its decision
is certain, one that only fits by key, action and time is probable. An outcome that the system reported and the span of
the same act are one act.
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
    """What became of an act."""

    DONE = "permitted and done"
    NEVER_ASKED = "done and never asked"
    AFTER_DENIAL = "done after a denial"


@dataclass(frozen=True)
class Decided:
    """One decision. `until` is how long an allow may be relied on; `id` what acts name it by."""

    id: bytes
    at: datetime
    key: int
    action: str
    allowed: bool
    until: datetime | None = None

    @property
    def ends(self) -> datetime:
        """Until when an act may begin that rests on it, by any clock."""
        return (self.until or self.at) + BEFORE


@dataclass(frozen=True)
class Act:
    """Something that was done: a span, or an outcome that a system reported. `decision` is empty where it names none.

    `sampled` is the share of its acts that the sender says it reports; None where it says nothing. `span` is the id of
    the span that an outcome was found to be of.
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
    """One act, its verdict, the decision that it rests on; `probable` where only key, action and time tie the two."""

    act: Act
    verdict: Verdict
    decision: bytes = b""
    probable: bool = False


@dataclass(frozen=True)
class Reconciled:
    """A span of time compared. `not_done` are allows that nothing rests on, but of keys whose senders sample.

    `waiting` are the moments of acts and allows that are too new to be judged; `unmapped` counts acts of no action of
    the contract.
    """

    acts: tuple[Found, ...] = ()
    not_done: tuple[bytes, ...] = ()
    sampling: frozenset[int] = frozenset()
    waiting: tuple[datetime, ...] = ()
    unmapped: int = 0

    @property
    def open(self) -> int:
        """How many acts and allows are too new to be judged."""
        return len(self.waiting)

    def of(self, verdict: Verdict) -> list[Found]:
        """The acts of this verdict."""
        return [found for found in self.acts if found.verdict == verdict]

    @property
    def findings(self) -> dict[str, Found]:
        """By act, what was done and not permitted."""
        return {found.act.id: found for found in self.acts if found.verdict != Verdict.DONE}


def reconciled(
    decisions: Iterable[Decided], acts: Iterable[Act], *, actions: Mapping[str, str], now: datetime
) -> Reconciled:
    """Compare the acts of a span of time with decisions, as both logs have them at `now`.

    The decisions begin LONGEST before the acts. `actions` gives the action of the contract for what senders call it.
    Asked again once something came late, the answer follows: what was a finding may be none (`withdrawn`).
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
    """The findings of an earlier computation that a later one of the same span no longer has."""
    return [found for act, found in earlier.findings.items() if act not in later.findings]


@dataclass
class _Log:
    """The decisions of one key on one action, by time."""

    rows: list[Decided] = field(default_factory=list)
    at: list[datetime] = field(default_factory=list)

    def add(self, row: Decided) -> None:
        """Add the next one."""
        self.rows.append(row)
        self.at.append(row.at)

    def before(self, act: Act) -> Iterable[Decided]:
        """The decisions that the act can rest on, the newest first."""
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
    """Each act once, by time: the same id twice is one, and so are an outcome and the span nearest to it."""
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
            # Who samples says so on spans alone.
            kept[act.id] = replace(act, span=span.id, sampled=span.sampled)
    return sorted(kept.values(), key=lambda one: one.at)
