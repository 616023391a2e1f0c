"""Contracts and requests made at random, near the edges of what the clauses say, for the engine and for a reading."""

import math
import zoneinfo
from collections import Counter
from datetime import UTC, date, datetime, timedelta

from django.test import override_settings

from governance.authorization.decision import InitiativeCondition, Version, decide
from governance.contracts.cedar_policies import Policies, Rule
from governance.contracts.clauses import FAILURES, LARGEST, Terms, Test
from tests.support.rules import plain_contract_reading

ZURICH = zoneinfo.ZoneInfo("Europe/Zurich")
ODD = [
    '"',
    "\\",
    "\n",
    "\0",
    "é",
    "ß",
    "\U0001d518",
    "\u202e",
    "'",
    "} ;",
    "//",
    "${",
    "::",
    " ",
    "\t",
    "\ufeff",
    "\u0301",
    "İ",
]
PLAIN = ["open", "closed", "1", "true", "EUR", "user:a", "x"]
FIRST_DAY = date(2026, 3, 23)  # the week in which clocks are put forward in Zurich
OTHER_DAY = date(2026, 10, 19)  # and the one in which they are put back
ATTRIBUTES = [
    ("resource", "status"),
    ("resource", "level"),
    ("resource", "id"),
    ("subject", "rank"),
    ("context", "mood"),
    ("action", "kind"),
]
AMOUNTS = [0, 1, 99, 100, 5000, LARGEST]


def odd_text(chance):
    """A text that is likely to break something that writes it into something else."""
    return "".join(chance.choice(ODD + PLAIN) for _ in range(chance.randint(1, 3)))


def spoken(chance, odd):
    """The words of one contract: what it calls its actions, things, people and values."""
    return {
        "actions": ["send", "read", odd_text(chance) if odd else "pay"],
        "things": ["mail", odd_text(chance) if odd else "file"],
        "people": ["staff", "user:a", odd_text(chance).replace(":", "") or "x" if odd else "user:b"],
        "values": ["open", "closed", "1", "true", odd_text(chance) if odd else "x"],
        "names": [
            (of, name + odd_text(chance) if odd and chance.random() < 0.3 else name)
            for of, name in ATTRIBUTES
        ],
        "regions": ["EU", odd_text(chance) if odd else "CH"],
    }


def random_test(chance, words):
    of, name = chance.choice(words["names"])
    # One attribute is compared with numbers; elsewhere types meet that are not the same.
    if name.startswith("level") and chance.random() < 0.8:
        return Test(
            of,
            name,
            chance.choice(["at_least", "at_most", "equals", "differs"]),
            chance.choice([0, 1, 2, -3]),
        )
    how = chance.choice(["equals", "differs", "differs", "one_of"])
    if how == "one_of":
        return Test(of, name, how, tuple(chance.choices(words["values"], k=chance.randint(1, 3))))
    return Test(of, name, how, chance.choice([*words["values"], 0, 1, True, False]))


def random_terms(chance, words, kind):
    """Terms of a clause of one kind, mostly wide enough to meet a request now and then."""
    often, now_and_then = (lambda: chance.random() < 0.5), (lambda: chance.random() < 0.15)
    terms = {"action": chance.choice([*words["actions"], words["actions"][0]])}
    if kind == "audience":
        return {"audience": tuple(chance.choices(words["people"], k=chance.randint(0, 2)))}
    if kind == "residency":
        return {"regions": tuple(chance.choices(words["regions"], k=chance.randint(0, 2)))}
    if kind == "edge_policy":
        terms["failure"] = chance.choice([*FAILURES][:3])
        terms["then"] = chance.choice(["ask", "ask", "refuse"])
        if often():
            del terms["action"]
        if now_and_then():
            terms["failure"] = ""
            terms["tests"] = (random_test(chance, words),) if often() else ()
            return terms
    elif chance.random() < 0.04:
        terms["failure"] = chance.choice([*FAILURES][:3])
    if kind != "autonomy":
        terms["approvers"] = tuple(
            chance.sample(["owner", "deputy", "sponsor"], chance.choice([0, 1, 2, 3, 3, 3, 3]))
        )
        terms["minutes"] = chance.choice([None, 15, 60, 60, 60, 120])
        terms["four_eyes"] = now_and_then()
    if now_and_then():
        terms["resource"] = chance.choice(words["things"])
    if now_and_then():
        terms["audience"] = tuple(chance.choices(words["people"], k=chance.randint(1, 2)))
    if now_and_then():
        terms["weekdays"] = tuple(chance.sample(range(1, 8), chance.randint(1, 6)))
    if now_and_then():
        terms["from_minute"] = chance.choice([0, 1, 119, 120, 150, 480, 1320, 1439])
        terms["until_minute"] = chance.choice(
            [0, 1, 60, 120, 150, 180, 1080, 1439, 1440, terms["from_minute"]]
        )
    if now_and_then():
        terms["holds_from"] = chance.choice([FIRST_DAY, OTHER_DAY]) + timedelta(days=chance.randint(0, 6))
    if now_and_then():
        terms["holds_until"] = chance.choice([FIRST_DAY, OTHER_DAY]) + timedelta(days=chance.randint(0, 6))
    if now_and_then():
        terms["currency"] = chance.choice(["EUR", "EUR", "CHF"])
        terms["over"] = chance.choice([None, *AMOUNTS[:-1]])
        terms["up_to"] = chance.choice([None, *AMOUNTS])
    if now_and_then():
        terms["most"] = chance.choice([1, 2, 10])
    if chance.random() < 0.3:
        terms["tests"] = tuple(random_test(chance, words) for _ in range(chance.randint(1, 2)))
    if chance.random() < 0.03:
        terms["action"] = ""
    return terms


def random_contract(chance):
    """Rules of a contract, and the words it is written in."""
    words = spoken(chance, odd=chance.random() < 0.4)
    kinds = ["autonomy"] * 5 + ["human_approval"] * 4 + ["edge_policy"] * 2
    said = [chance.choice(kinds) for _ in range(chance.randint(1, 9))]
    said += [kind for kind in ("audience", "residency") if chance.random() < 0.2]
    said += ["record_owner"] * (chance.random() < 0.3)
    chance.shuffle(said)
    given = chance.sample(range(1, 30), len(said))
    return [
        Rule(number, kind, Terms(**(random_terms(chance, words, kind) if kind != "record_owner" else {})))
        for number, kind in zip(given, said, strict=True)
    ], words


def near(chance, rules, name, otherwise):
    """A number at the edge of what some clause says by `name`, or any."""
    edges = [getattr(rule.terms, name) for rule in rules if getattr(rule.terms, name) is not None]
    number = chance.choice(edges) + chance.choice([-1, 0, 0, 1]) if edges else chance.choice(otherwise)
    return -number if chance.random() < 0.1 else number


WRONG = [
    None,
    1.0,
    0.5,
    float("nan"),
    2**63,
    -(2**63),
    2**63 - 1,
    10**30,
    [],
    ["open"],
    {},
    {"a": 1},
    "",
    True,
    "\ud800",
    "1",
]


def a_value(chance, rules, words, name):
    if chance.random() < 0.02:
        return chance.choice(WRONG)
    if name.startswith("level"):
        values = [
            one.value
            for rule in rules
            for one in rule.terms.tests
            if one.name == name and type(one.value) is int
        ]
        return chance.choice(values or [0]) + chance.choice([-1, 0, 1])
    return chance.choice([*words["values"], *words["values"], 0, 1, True, False])


def random_request(chance, rules, words):
    """A request in the words of the contract, near its edges, and now and then with something wrong in it."""
    properties = {"subject": {}, "action": {}, "resource": {}, "context": {}}
    for of, name in words["names"]:
        if chance.random() < 0.8:
            properties[of][name] = a_value(chance, rules, words, name)
    if chance.random() < 0.7:
        properties["subject"]["groups"] = chance.choices(words["people"], k=chance.randint(0, 2))
    if chance.random() < 0.8:
        edge = chance.choice(["over", "up_to"])
        properties["action"] |= {
            "amount": near(chance, rules, edge, AMOUNTS),
            "currency": chance.choice(["EUR", "EUR", "CHF"]),
        }
    if chance.random() < 0.8:
        properties["action"]["count"] = near(chance, rules, "most", [0, 1, 2])
    foreseen = [rule.terms.failure for rule in rules if rule.terms.failure]
    if chance.random() < (0.25 if foreseen else 0.05):
        failures = [*foreseen * 4, *FAILURES, "unheard_of", 7]
        properties["context"]["failure"] = chance.choice(failures)
    if chance.random() < 0.8:
        properties["context"]["region"] = chance.choice([*words["regions"], *words["regions"], "US"])
    actions = [rule.terms.action for rule in rules if rule.terms.action] or words["actions"]
    person = chance.choice([name for name in words["people"] if name.startswith("user:")] + ["user:c"])
    evaluation_request = {
        "subject": {"type": "user", "id": person.removeprefix("user:"), "properties": properties["subject"]},
        "action": {
            "name": chance.choice(
                [*actions, *actions, *actions, chance.choice(["unheard", *words["actions"]])]
            ),
            "properties": properties["action"],
        },
        "resource": {
            "type": chance.choice(words["things"]),
            "id": chance.choice(["1", *words["values"]]),
            "properties": properties["resource"],
        },
        "context": properties["context"],
    }
    if chance.random() < 0.04:
        spoil(chance, evaluation_request)
    return evaluation_request


def spoil(chance, evaluation_request):
    """Put something wrong in one place of the request, or take something away."""
    part = chance.choice([*evaluation_request])
    where = chance.choice(
        [
            evaluation_request,
            evaluation_request[part],
            evaluation_request[part].get("properties", evaluation_request[part]),
        ]
    )
    name = chance.choice([*where]) if where else "amount"
    if chance.random() < 0.3:
        where.pop(name, None)
    else:
        where[name] = chance.choice(WRONG)


def random_moment(chance, rules):
    """A moment in one of the two weeks, often at the edge of a window, a day, or where clocks change."""
    day = chance.choice([FIRST_DAY, OTHER_DAY]) + timedelta(days=chance.choice([0, 1, 2, 3, 4, 5, 6, 6, 7]))
    minutes = [
        minute
        for rule in rules
        for minute in (rule.terms.from_minute, rule.terms.until_minute)
        if minute is not None
    ]
    minute = chance.choice(minutes or [0, 60, 150, 480, 1439]) + chance.choice([-1, 0, 0, 1])
    local = datetime(day.year, day.month, day.day, tzinfo=ZURICH) + timedelta(minutes=minute)
    second = chance.choice([timedelta(), timedelta(seconds=59, microseconds=999_999), timedelta(seconds=30)])
    return local.replace(fold=chance.choice([0, 1])).astimezone(UTC) + second


# --- The engine beside the reading -----------------------------------------------------------------------------------

LONG_BEFORE = datetime(2020, 1, 1, tzinfo=UTC)
PER_CONTRACT = 20


def in_force(rules):
    """The clauses as a version that is in force."""
    return Version(1, "d" * 64, LONG_BEFORE, None, Policies(rules))


def answered(version, evaluation_request, now):
    """What the engine answers, in the form of the reading."""
    said = decide(version, InitiativeCondition("production"), evaluation_request, now)
    asked = said.approval
    approval = asked and (frozenset(asked.approvers), asked.minutes, asked.four_eyes)
    clauses = tuple(rule.number for rule in said.clauses)
    return said.outcome, said.code, clauses, approval


def unequal(chance, count):
    """Ask `count` random requests of random contracts: what the two answered differently, and how often what."""
    wrong, codes = [], Counter()
    with override_settings(TIME_ZONE=ZURICH.key):
        for _ in range(math.ceil(count / PER_CONTRACT)):
            rules, words = random_contract(chance)
            version = in_force(rules)
            for _ in range(min(PER_CONTRACT, count - codes.total())):
                evaluation_request, now = random_request(chance, rules, words), random_moment(chance, rules)
                ours = answered(version, evaluation_request, now)
                theirs = plain_contract_reading.read(rules, evaluation_request, now, ZURICH)
                codes[ours[:2]] += 1
                if ours != theirs:
                    wrong.append((rules, evaluation_request, now, ours, theirs))
    return wrong, codes


# --- Something left out ----------------------------------------------------------------------------------------------

STRICTNESS = {"allow": 0, "needs_approval": 1, "deny": 2}


def left_out(rules, evaluation_request):
    """Yield the request without each of its attributes, with null for it, and with a value of each foreign type.

    A type is foreign if no clause compares the attribute with a value of the type.
    """
    tests = [one for rule in rules for one in rule.terms.tests]
    compared = {(one.attribute, str if isinstance(one.value, tuple) else type(one.value)) for one in tests}
    for part in ("subject", "action", "resource", "context"):
        holder = evaluation_request if part == "context" else evaluation_request[part]
        key = "context" if part == "context" else "properties"
        for name, value in (holder.get(key) or {}).items():
            if (part, name) == ("context", "failure"):
                continue  # a signal: a request without it has no failure
            others = [
                one
                for one in ("x", 7, True, None, ["x"], {})
                if type(one) is not type(value) and (f"{part}.{name}", type(one)) not in compared
            ]
            rest = {one: said for one, said in holder[key].items() if one != name}
            for properties in (rest, *({**rest, name: one} for one in others)):
                changed = {**holder, key: properties}
                yield changed if part == "context" else {**evaluation_request, part: changed}
        if part != "context":
            yield {**evaluation_request, part: {k: v for k, v in holder.items() if k != key}}


def looser(chance, count):
    """Return the answers that got looser because something was left out, and how many were compared."""
    found, compared = [], Counter()
    with override_settings(TIME_ZONE=ZURICH.key):
        while compared.total() < count:
            rules, words = random_contract(chance)
            version = in_force(rules)
            for _ in range(PER_CONTRACT):
                evaluation_request, now = random_request(chance, rules, words), random_moment(chance, rules)
                whole = answered(version, evaluation_request, now)
                if whole[1] == "malformed":
                    continue  # it cannot be compared, so nothing says what it asks
                for less in left_out(rules, evaluation_request):
                    ours = answered(version, less, now)
                    theirs = plain_contract_reading.read(rules, less, now, ZURICH)
                    compared[whole[0], ours[0]] += 1
                    if STRICTNESS[ours[0]] < STRICTNESS[whole[0]] or ours != theirs:
                        found.append((rules, evaluation_request, less, now, whole, ours, theirs))
    return found, compared
