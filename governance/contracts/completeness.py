"""Completeness of a contract: what is missing from it as a whole and how to fix it, in words of the business. Pure.

What is wrong with one clause by itself is said by `clauses.problems`; here clauses are read together, with who accepted
which role, before the board is asked to sign. What is not certain is not said. Sources: S0-13 to S0-16, S0-19.
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
    "autonomy": "what the system may do on its own",
    "human_approval": "what it may do only when a person approves",
    "edge_policy": "what applies when something goes wrong",
    "record_owner": "who owns the change log and the audit trail",
    "audience": "for whom the system works",
    "retention": "how long records are kept",
    "residency": "where data may go",
}
_ALLOWING = ("autonomy", "human_approval")


def gaps(clauses: Sequence[Rule], roles: Mapping[str, str], required: Sequence[str], on: date) -> list[Gap]:
    """Everything that is missing or wrong on the day `on`; what bars signing comes first.

    `roles`: the keys of roles that somebody accepted, with that person's name. `required`: the kinds of clause that the
    rulebook wants.
    """
    rules = list(clauses)
    now = [rule for rule in rules if not (rule.terms.holds_until and rule.terms.holds_until < on)]
    found = [
        *_kinds_missing(now, required),
        *_edges_missing(now),
        *_audience_missing(rules),
        *_record_owner_vacant(roles),
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
            yield Gap("kind_missing", f"The contract does not say {what}.", f"Add a clause that says {what}.")


def _edges_missing(rules: Sequence[Rule]) -> Iterator[Gap]:
    there = {rule.terms.failure for rule in rules if rule.kind == "edge_policy"}
    for failure, words in FAILURES.items():
        if failure not in there:
            yield Gap(
                "failure_missing",
                f"The contract does not say what applies when {words}.",
                f"Add an edge case: when {words}, it does nothing or a person is asked.",
            )


def _edges_in_part(rules: Sequence[Rule]) -> Iterator[Gap]:
    """Failures that are foreseen for some acts and not for others; in those nothing is done."""
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
                f"When {words}, {clauses_in_words(numbers)} speak{ending(numbers)} of some acts, "
                f"not of {_quoted(left)}; those are then refused.",
                "Leave the act of that edge case open, or add an edge case for the other acts.",
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
            f"{begun(clauses_in_words(empty))} should say for whom the system works, and name{ending(empty)} nobody.",
            "Choose the groups that it works for.",
            empty,
        )
    if not bounds and (
        open_to_all := [rule.number for rule in rules if rule.kind in _ALLOWING and not rule.terms.audience]
    ):
        yield Gap(
            "audience_missing",
            f"Nothing says for whom the system works: {clauses_in_words(open_to_all)} would hold for everybody.",
            "Add a clause that names the groups it works for, or name them in each clause.",
        )


def _record_owner_vacant(roles: Mapping[str, str]) -> Iterator[Gap]:
    if not roles.get("record_owner"):
        yield Gap(
            "record_owner_vacant",
            "Nobody has accepted to own the change log and the audit trail.",
            "Propose an audit trail owner, and let that person accept the role.",
        )


def _numbered_twice(rules: Sequence[Rule]) -> Iterator[Gap]:
    times = Counter(rule.number for rule in rules)
    for number in sorted(one for one in times if times[one] > 1):
        yield Gap(
            "number_twice",
            f"Two clauses are called clause {number}, so that nobody could tell which one is meant.",
            "Remove one of them, and add it again: it then gets a number of its own.",
            (number,),
        )


def _actions_unspoken(rules: Sequence[Rule]) -> Iterator[Gap]:
    """Acts that some clause names, and no clause says whether they may be done."""
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
            f"{begun(clauses_in_words(numbers))} name{ending(numbers)} the act “{action}”, and no clause "
            "says whether it may be done.",
            f"Say in a clause of its own whether “{action}” is done without asking or only when a person approves.",
            numbers,
        )


def _dates(rules: Sequence[Rule], on: date) -> Iterator[Gap]:
    for rule in rules:
        terms = rule.terms
        if terms.holds_until and terms.holds_until < on:
            yield Gap(
                "expired",
                f"Clause {rule.number} ended on {terms.holds_until:%-d %B %Y} and says nothing any more.",
                "Remove it, or give it a later last day.",
                (rule.number,),
                blocking=False,
            )
        elif terms.holds_from and terms.holds_from > on:
            yield Gap(
                "not_begun",
                f"Clause {rule.number} says nothing before {terms.holds_from:%-d %B %Y}.",
                "Leave it if that is meant; else take the first day out.",
                (rule.number,),
                blocking=False,
            )


# --- One clause ------------------------------------------------------------------------------------------------------


def _unfinished(rule: Rule) -> Iterator[Gap]:
    """What a clause does not say, although its kind needs it."""
    terms, name, number = rule.terms, f"Clause {rule.number}", (rule.number,)
    if rule.kind in _ALLOWING and not terms.action:
        yield Gap("no_action", f"{name} does not say which act it is about.", "Choose an act.", number)
    if rule.kind == "edge_policy" and not (terms.failure or terms.tests):
        fix = "Choose what goes wrong from the list, or give the conditions of the initiative."
        yield Gap("no_failure", f"{name} does not say in which case it applies.", fix, number)
    if rule.kind == "edge_policy" and not terms.then:
        yield Gap(
            "no_consequence",
            f"{name} does not say what then applies.",
            "Choose whether nothing is done or a person is asked.",
            number,
        )
    if asks(rule) and not terms.approvers:
        yield Gap("no_approver", f"{name} does not say who may approve.", "Choose at least one role.", number)
    if asks(rule) and not terms.minutes:
        yield Gap(
            "no_time_limit",
            f"{name} does not say how long somebody has to approve.",
            "Give a time after which nothing is done.",
            number,
        )
    if rule.kind == "residency" and not terms.regions:
        yield Gap("no_region", f"{name} does not say where data may go.", "Name at least one place.", number)
    if rule.kind == "retention" and not terms.days:
        yield Gap(
            "no_days", f"{name} does not say how long records are kept.", "Give a number of days.", number
        )
    for why in dict.fromkeys(problems(rule.kind, terms).values()):
        yield Gap("wrong_terms", f"{name} cannot be read as it stands.", why, number)


def _approvers_vacant(rules: Sequence[Rule], roles: Mapping[str, str]) -> Iterator[Gap]:
    """Roles that may approve and that nobody accepted, and clauses that need two people and have fewer."""
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
                f"Clause {rule.number} needs two people to approve, and {listed(sorted(people))} is the only one "
                f"in its roles.",
                "Add a role that somebody else has accepted, or let one person approve.",
                (rule.number,),
            )
        else:
            for role in vacant:
                some[role].add(rule.number)
    for unfilled, numbers in nobody.items():
        yield Gap(
            "approver_vacant",
            f"Nobody can approve what {clauses_in_words(numbers)} ask{ending(numbers)} for: nobody has "
            f"accepted to be {roles_in_words(unfilled, 'or')}.",
            "Let somebody accept that role, or choose another.",
            tuple(sorted(numbers)),
        )
    for role, numbers in some.items():
        yield Gap(
            "approver_vacant",
            f"Nobody has accepted to be {roles_in_words([role], 'or')}, who may approve {clauses_in_words(numbers)}.",
            "Let somebody accept that role, or leave it out.",
            tuple(sorted(numbers)),
            blocking=False,
        )
