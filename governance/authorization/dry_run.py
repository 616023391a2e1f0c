"""Dry run: logged requests, decided again by another contract version. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from governance.authorization import decision as authorization_decision
from governance.contracts import cedar_policies
from governance.vocabulary import DecisionOutcome

MOST = 20_000  # requests in one run, so that it ends while somebody waits
# The beginning of codes for which the contract asked a person, with any result.
OF_PEOPLE = "approv"
EXAMPLES = 3  # of each change, for each action
# Earlier than every request, so that a version on trial binds at the moment of each.
ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    """One logged request. `outcome`, `code` and `reason` are its answer at the time."""

    at: datetime
    evaluation_request: Mapping[str, Any]
    outcome: str
    code: str
    reason: str = ""
    place: str = ""  # in the log

    @property
    def before(self) -> str:
        """Return the contract's outcome: "needs approval" if a person was asked."""
        return DecisionOutcome.NEEDS_APPROVAL if self.code.startswith(OF_PEOPLE) else self.outcome


@dataclass(frozen=True)
class Example:
    """One request with its new, different decision."""

    asked: Asked
    decision: authorization_decision.Decision


@dataclass
class Change:
    """All requests for one action with the same change: their number, and the newest."""

    action: str
    before: str
    after: str
    count: int = 0
    examples: list[Example] = field(default_factory=list)


@dataclass
class Replayed:
    """The result of a run: requests by old and new outcome, frequent changes first."""

    asked: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)  # by (before, after)
    changes: list[Change] = field(default_factory=list)

    @property
    def changed(self) -> int:
        """Return the number of requests whose outcome would change."""
        return sum(change.count for change in self.changes)


def replay(
    version: authorization_decision.Version,
    condition: authorization_decision.InitiativeCondition,
    asked: Iterable[Asked],
) -> Replayed:
    """Decide every request again by this version and condition, at its own moment."""
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
    """Return a version that is always in force, for a run."""
    return authorization_decision.Version(number, digest, ALWAYS, None, policies)
