"""Completeness of a contract: what the whole lacks, and the fix in business words. Pure.

`clauses.problems` checks one clause by itself. This module reads the clauses together, with who accepted which role,
before the board is asked to sign. It reports only what is certain. Sources: S0-13 to S0-16, S0-19.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from governance.contracts.cedar_policies import Rule
from governance.contracts.clauses import FAILURES, problems
from governance.contracts.overlaps import Gap, asks, begun, between, clauses_in_words, ending, roles_in_words
from governance.contracts.wording import listed

__all__ = ["Gap", "gaps"]

_KINDS = {
    "autonomy": "acts that the system may do on its own",
    "human_approval": "acts that need the approval of a person",
    "edge_policy": "edge cases",
    "record_owner": "the owner of the change log and the audit trail",
    "audience": "the groups that the system works for",
    "retention": "the retention time of records",
    "residency": "the regions where data may go",
}
_ALLOWING = ("autonomy", "human_approval")


def gaps(
    clauses: Sequence[Rule],
    roles: Mapping[str, str],
    required: Sequence[str],
    on: date,
    owner_keeps_records: bool = False,
) -> list[Gap]:
    """Return everything missing or wrong on the day `on`, first what prevents signing.

    `roles` are the accepted roles by key, with the person's name. `required` are the kinds of clause that the rulebook
    wants. With `owner_keeps_records`, the owner owns the audit trail if no one else accepted to.
    """
    rules = list(clauses)
    now = [rule for rule in rules if not (rule.terms.holds_until and rule.terms.holds_until < on)]
    found = [
        *_kinds_missing(now, required),
        *_edges_missing(now),
        *_audience_missing(rules),
        *_record_owner_vacant(roles, ("record_owner", "owner") if owner_keeps_records else ("record_owner",)),
        *_numbered_twice(rules),
        *_actions_unspoken(now),
        *_edges_in_part(now),
        *_dates(rules, on),
    ]
    for rule in rules:
        found += _unfinished(rule)
    found += _approvers_vacant(now, roles)
    found += between(rules, roles, on)
    return sorted(found, key=lambda gap: (not gap.blocking, gap.numbers))


# --- The contract as a whole -----------------------------------------------------------------------------------------


def _kinds_missing(rules: Sequence[Rule], required: Sequence[str]) -> Iterator[Gap]:
    there = {rule.kind for rule in rules}
    for kind in dict.fromkeys(required):
        if kind not in there and kind != "edge_policy":  # said by failure, below
            what = _KINDS.get(kind, kind)
            yield Gap(
                "kind_missing", f"The contract has no clause for: {what}.", f"Add a clause for: {what}."
            )


def _edges_missing(rules: Sequence[Rule]) -> Iterator[Gap]:
    there = {rule.terms.failure for rule in rules if rule.kind == "edge_policy"}
    for failure, words in FAILURES.items():
        if failure not in there:
            yield Gap(
                "failure_missing",
                f"The contract has no edge case for: {words}.",
                f"Add an edge case: when {words}, it does nothing or a person is asked.",
            )


def _edges_in_part(rules: Sequence[Rule]) -> Iterator[Gap]:
    """Yield failures that are foreseen for some acts only. For other acts nothing is done."""
    acts = {rule.terms.action for rule in rules if rule.kind in _ALLOWING} - {""}
    foreseen = defaultdict(set)
    for rule in rules:
        if rule.kind == "edge_policy" and rule.terms.failure in FAILURES:
            foreseen[rule.terms.failure].add(rule.terms.action)
    for failure, actions in foreseen.items():
        if "" not in actions and (left := acts - actions):
            words = FAILURES[failure]
            numbers = {
                rule.number for rule in rules if rule.kind == "edge_policy" and rule.terms.failure == failure
            }
            yield Gap(
                "failure_in_part",
                f"If {words}, {clauses_in_words(numbers)} cover{ending(numbers)} only some acts. The other "
                f"acts ({_quoted(left)}) are then denied.",
                "Remove the act from this edge case, or add an edge case for the other acts.",
                tuple(sorted(numbers)),
                blocking=False,
            )


def _quoted(words: Iterable[str]) -> str:
    return listed([f"“{word}”" for word in sorted(words)])


def _audience_missing(rules: Sequence[Rule]) -> Iterator[Gap]:
    bounds = [rule for rule in rules if rule.kind == "audience"]
    empty = tuple(sorted(rule.number for rule in bounds if not rule.terms.audience))
    if empty:
        yield Gap(
            "audience_empty",
            f"{begun(clauses_in_words(empty))} should name the groups that the system works for, but "
            f"name{ending(empty)} no group.",
            "Choose the groups that the system works for.",
            empty,
        )
    if not bounds and (
        open_to_all := [rule.number for rule in rules if rule.kind in _ALLOWING and not rule.terms.audience]
    ):
        yield Gap(
            "audience_missing",
            "The contract does not name the groups that the system works for, so "
            f"{clauses_in_words(open_to_all)} would apply to everyone.",
            "Add a clause that names these groups, or name the groups in each clause.",
        )


def _record_owner_vacant(roles: Mapping[str, str], owning: Sequence[str]) -> Iterator[Gap]:
    if not any(map(roles.get, owning)):
        yield Gap(
            "record_owner_vacant",
            "No one has accepted to own the change log and the audit trail.",
            "Propose an audit trail owner, and ask that person to accept the role.",
        )


def _numbered_twice(rules: Sequence[Rule]) -> Iterator[Gap]:
    times = Counter(rule.number for rule in rules)
    for number in sorted(one for one in times if times[one] > 1):
        yield Gap(
            "number_twice",
            f"Two clauses have the number {number}.",
            "Remove one of the two clauses and add it again. The new clause gets a new number.",
            (number,),
        )


def _actions_unspoken(rules: Sequence[Rule]) -> Iterator[Gap]:
    """Yield a gap for each act that a clause names and no clause allows."""
    spoken = {rule.terms.action for rule in rules if rule.kind in _ALLOWING}
    named = defaultdict(set)
    for rule in rules:
        named[rule.terms.action].add(rule.number)
        for one in rule.terms.tests:
            if (one.of, one.name) == ("action", "name"):
                for value in one.value if isinstance(one.value, tuple) else (one.value,):
                    named[value if isinstance(value, str) else ""].add(rule.number)
    for action in sorted(set(named) - spoken - {""}):
        numbers = tuple(sorted(named[action]))
        yield Gap(
            "action_unspoken",
            f"{begun(clauses_in_words(numbers))} name{ending(numbers)} the act “{action}”, but no clause "
            "allows the act.",
            f"Add a clause that allows “{action}”, either always or only after a person approves.",
            numbers,
        )


def _dates(rules: Sequence[Rule], on: date) -> Iterator[Gap]:
    for rule in rules:
        terms = rule.terms
        if terms.holds_until and terms.holds_until < on:
            yield Gap(
                "expired",
                f"Clause {rule.number} ended on {terms.holds_until:%-d %B %Y} and no longer applies.",
                "Remove the clause, or enter a later last day.",
                (rule.number,),
                blocking=False,
            )
        elif terms.holds_from and terms.holds_from > on:
            yield Gap(
                "not_begun",
                f"Clause {rule.number} does not apply before {terms.holds_from:%-d %B %Y}.",
                "Keep the first day if it is correct, or remove the first day.",
                (rule.number,),
                blocking=False,
            )


# --- One clause ------------------------------------------------------------------------------------------------------


def _unfinished(rule: Rule) -> Iterator[Gap]:
    """Yield a gap for each part that the clause lacks and its kind needs."""
    terms, name, number = rule.terms, f"Clause {rule.number}", (rule.number,)
    if rule.kind in _ALLOWING and not terms.action:
        yield Gap("no_action", f"{name} has no act.", "Choose an act.", number)
    if rule.kind == "edge_policy" and not (terms.failure or terms.tests):
        fix = "Choose a failure from the list, or add conditions."
        yield Gap("no_failure", f"{name} has no edge case.", fix, number)
    if rule.kind == "edge_policy" and not terms.then:
        yield Gap(
            "no_consequence",
            f"{name} has no consequence.",
            "Choose whether nothing is done or a person is asked.",
            number,
        )
    if asks(rule) and not terms.approvers:
        yield Gap("no_approver", f"{name} names no approver.", "Choose at least one role.", number)
    if asks(rule) and not terms.minutes:
        yield Gap(
            "no_time_limit",
            f"{name} has no time limit for the approval.",
            "Enter the time after which the call is denied.",
            number,
        )
    if rule.kind == "residency" and not terms.regions:
        yield Gap("no_region", f"{name} names no region for data.", "Enter at least one region.", number)
    if rule.kind == "retention" and not terms.days:
        yield Gap("no_days", f"{name} has no retention time for records.", "Enter a number of days.", number)
    for why in dict.fromkeys(problems(rule.kind, terms).values()):
        yield Gap("wrong_terms", f"{name} is not valid.", why, number)


def _approvers_vacant(rules: Sequence[Rule], roles: Mapping[str, str]) -> Iterator[Gap]:
    """Yield vacant approving roles, and four-eyes clauses with fewer than two people."""
    nobody: defaultdict[frozenset[str], set[int]] = defaultdict(set)
    some: defaultdict[str, set[int]] = defaultdict(set)
    for rule in rules:
        named = set(rule.terms.approvers)
        if not (asks(rule) and named):
            continue
        vacant = {role for role in named if not roles.get(role)}
        people = {roles[role] for role in named - vacant}
        if not people:
            nobody[frozenset(named)].add(rule.number)
        elif rule.terms.four_eyes and len(people) < 2:
            yield Gap(
                "four_eyes",
                f"Clause {rule.number} needs two people to approve, but only {listed(sorted(people))} has "
                "the approving roles.",
                "Add a role that someone else has accepted, or require only one person.",
                (rule.number,),
            )
        else:
            for role in vacant:
                some[role].add(rule.number)
    for unfilled, numbers in nobody.items():
        yield Gap(
            "approver_vacant",
            f"No one can approve what {clauses_in_words(numbers)} ask{ending(numbers)} for, because no one "
            f"has accepted to be {roles_in_words(unfilled, 'or')}.",
            "Ask someone to accept this role, or choose another role.",
            tuple(sorted(numbers)),
        )
    for role, numbers in some.items():
        yield Gap(
            "approver_vacant",
            f"No one has accepted to be {roles_in_words([role], 'or')}, who may approve "
            f"{clauses_in_words(numbers)}.",
            "Ask someone to accept this role, or remove the role.",
            tuple(sorted(numbers)),
            blocking=False,
        )
