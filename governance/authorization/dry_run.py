"""Dry run: logged requests, decided again by another version of the contract. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from governance.authorization import decision as authorization_decision
from governance.contracts import cedar_policies
from governance.vocabulary import DecisionOutcome

MOST = 20_000  # requests in one run, so that it ends while somebody waits
# Codes begin so where the contract asked a person, whatever came of it.
OF_PEOPLE = ("approv", "too_many_waiting")
EXAMPLES = 3  # of each change, for each action
# Before every moment that was asked at: a version that is tried out binds whenever the request was asked.
ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    """One request as the log has it; `outcome` and `code` are what was answered, `reason` why."""

    at: datetime
    evaluation_request: Mapping[str, Any]
    outcome: str
    code: str
    reason: str = ""
    place: str = ""  # in the log

    @property
    def before(self) -> str:
        """What the contract said: that a person was asked, also where the answer had come and was used or not."""
        return DecisionOutcome.NEEDS_APPROVAL if self.code.startswith(OF_PEOPLE) else self.outcome


@dataclass(frozen=True)
class Example:
    """One request that would be answered otherwise, and how."""

    asked: Asked
    decision: authorization_decision.Decision


@dataclass
class Change:
    """All requests about one action whose outcome would become another: how many, and the newest of them."""

    action: str
    before: str
    after: str
    count: int = 0
    examples: list[Example] = field(default_factory=list)


@dataclass
class Replayed:
    """What a run found: how many requests, by outcome then and now, and the changes, the most frequent first."""

    asked: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)  # by (before, after)
    changes: list[Change] = field(default_factory=list)

    @property
    def changed(self) -> int:
        """How many requests would be answered otherwise."""
        return sum(change.count for change in self.changes)


def replay(
    version: authorization_decision.Version,
    condition: authorization_decision.InitiativeCondition,
    asked: Iterable[Asked],
) -> Replayed:
    """Answer every request again by this version, in this condition of the initiative, at the moment it was asked."""
    found = Replayed()
    changes: dict[tuple[str, str, str], Change] = {}
    for one in asked:
        decision = authorization_decision.decide(version, condition, one.evaluation_request, one.at)
        found.asked += 1
        found.outcomes[one.before, decision.outcome] += 1
        if decision.outcome == one.before:
            continue
        key = one.evaluation_request["action"]["name"], one.before, decision.outcome
        change = changes.setdefault(key, Change(*key))
        change.count += 1
        if len(change.examples) < EXAMPLES:
            change.examples.append(Example(one, decision))
    found.changes = sorted(changes.values(), key=lambda one: (-one.count, one.action, one.before, one.after))
    return found


def on_trial(
    number: int, digest: str, policies: cedar_policies.Policies | cedar_policies.Unreadable
) -> authorization_decision.Version:
    """A version as if it had always bound, for a run."""
    return authorization_decision.Version(number, digest, ALWAYS, None, policies)
