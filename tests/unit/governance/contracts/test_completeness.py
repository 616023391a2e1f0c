"""What is missing from a contract or wrong in it: planted defects are found, sound contracts are left in peace."""

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.authorization.decision import InitiativeCondition, Version, decide
from governance.contracts.cedar_policies import Policies, Rule
from governance.contracts.clauses import ASK, FAILURES, REFUSE, Terms, Test
from governance.contracts.completeness import gaps
from tests.support.rules.sound_contracts import (
    DRAFT_AND_SEND,
    MATCH,
    ON,
    REQUIRED,
    ROLES,
    SEARCH,
    SOUND,
    SUMMARISE,
    TRIAGE,
    approval,
    asked,
    autonomy,
    edge,
    numbered,
)


def found(rules, roles=ROLES, on=ON, required=REQUIRED):
    return [(gap.code, gap.numbers, gap.blocking) for gap in gaps(rules, roles, required, on)]


def changed(rules, number, **terms):
    """The contract with other terms in one clause."""
    return [
        replace(rule, terms=replace(rule.terms, **terms)) if rule.number == number else rule for rule in rules
    ]


def without(rules, *numbers):
    return [rule for rule in rules if rule.number not in numbers]


def added(rules, *said):
    """The contract with clauses added at its end."""
    return [*rules, *(Rule(len(rules) + n, kind, Terms(**terms)) for n, (kind, terms) in enumerate(said, 1))]


@pytest.mark.parametrize("name", SOUND)
def test_nothing_is_said_of_a_sound_contract(name):
    assert 8 <= len(SOUND[name]) <= 15
    assert gaps(SOUND[name], ROLES, REQUIRED, ON) == []


PLANTED = {
    "an act that no clause speaks of": (
        added(SUMMARISE, edge("low_confidence", action="translate")),
        ("action_unspoken", (14,), True),
    ),
    "two clauses ask different people": (
        added(TRIAGE, approval("close", "owner", tests=(Test("resource", "age_days", "at_least", 365),))),
        ("contradiction", (4, 7, 8, 16), True),
    ),
    "refuse and ask in the same initiative": (
        added(MATCH, asked("low_confidence", "owner", "sponsor")),
        ("contradiction", (8, 15), True),
    ),
    "on its own and with approval": (
        added(SEARCH, approval("search", "owner", "data_steward", resource="intranet")),
        ("contradiction", (2, 16), True),
    ),
    "inside an approval": (
        added(DRAFT_AND_SEND, autonomy("refund", audience=("customer_care",), up_to=500, currency="EUR")),
        ("unreachable", (4, 15), True),
    ),
    "nobody to approve": (changed(SUMMARISE, 4, approvers=()), ("no_approver", (4,), True)),
    "no time to approve in": (changed(TRIAGE, 5, minutes=None), ("no_time_limit", (5,), True)),
    "a failure nobody thought of": (without(MATCH, 11), ("failure_missing", (), True)),
    "four eyes of one person": (changed(MATCH, 3, approvers=("owner",)), ("four_eyes", (3,), True)),
    "an audience of nobody": (changed(SEARCH, 13, audience=()), ("audience_empty", (13,), True)),
    "no audience at all": (without(SUMMARISE, 12), ("audience_missing", (), True)),
    "conditions that exclude each other": (
        changed(
            SUMMARISE,
            2,
            tests=(
                Test("resource", "status", "equals", "closed"),
                Test("resource", "status", "differs", "closed"),
            ),
        ),
        ("never_applies", (2,), True),
    ),
    "amounts that exclude a condition": (
        changed(MATCH, 4, tests=(Test("action", "amount", "at_most", 0),)),
        ("never_applies", (4,), True),
    ),
    "a currency that the condition excludes": (
        changed(MATCH, 4, tests=(Test("action", "currency", "equals", "EUR"),)),
        ("never_applies", (4,), True),
    ),
    "a kind that is required": (without(SUMMARISE, 11), ("kind_missing", (), True)),
    "a clause that is over": (
        added(TRIAGE, autonomy("assign", resource="call", holds_until=date(2026, 3, 9))),
        ("expired", (16,), False),
    ),
    "a clause that begins later": (
        changed(TRIAGE, 1, holds_from=date(2026, 3, 11)),
        ("not_begun", (1,), False),
    ),
    "no act": (added(SUMMARISE, autonomy("", resource="meeting")), ("no_action", (14,), True)),
    "no failure": (added(SUMMARISE, edge("")), ("no_failure", (14,), True)),
    "no consequence": (changed(SUMMARISE, 7, then=""), ("no_consequence", (7,), True)),
    "for others than the contract": (changed(DRAFT_AND_SEND, 1, audience=()), ("audience_missing", (), True)),
    "for a person whom the contract does not mean": (
        [
            *without(MATCH, 5, 13),
            Rule(5, "human_approval", replace(MATCH[4].terms, audience=("user:eve",))),
            Rule(13, "audience", Terms(audience=("user:ada", "user:bob"))),
        ],
        ("outside_audience", (5,), True),
    ),
    "for a group that the contract does not name": (
        changed(MATCH, 5, audience=("sales",)),
        ("outside_audience", (5,), False),
    ),
    "a place where data may not go": (
        changed(TRIAGE, 3, tests=(Test("context", "region", "equals", "US"),)),
        ("outside_residency", (3,), True),
    ),
    "the same again": (
        added(TRIAGE, autonomy("assign", resource="ticket", most=5)),
        ("repeats", (1, 16), False),
    ),
    "a number given twice": ([*MATCH, replace(MATCH[13], number=13)], ("number_twice", (13,), True)),
    "residency nowhere": (changed(TRIAGE, 15, regions=()), ("no_region", (15,), True)),
    "kept for no time": (changed(MATCH, 14, days=None), ("no_days", (14,), True)),
    "kept too short": (changed(MATCH, 14, days=30), ("wrong_terms", (14,), True)),
    "foreseen for some acts only": (changed(MATCH, 9, action="match"), ("failure_in_part", (9,), False)),
    "two people, and one for both clauses": (
        changed(MATCH, 6, approvers=("owner", "data_steward")),
        ("contradiction", (3, 6), True),
    ),
    "an approval inside a stricter one": (
        added(
            TRIAGE,
            approval(
                "close",
                "support_owner",
                "owner",
                minutes=600,
                tests=(Test("resource", "age_days", "at_least", 120),),
            ),
        ),
        ("unreachable", (4, 16), True),
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_defect_is_found_and_nothing_else_is_said(name):
    rules, defect = PLANTED[name]
    assert found(rules) == [defect]


def test_a_vacant_record_owner_bars_signing():
    roles = {key: name for key, name in ROLES.items() if key != "record_owner"}
    assert found(SUMMARISE, roles) == [("record_owner_vacant", (), True)]
    assert gaps(SUMMARISE, {**roles, "owner": "Ida"}, REQUIRED, ON, owner_keeps_records=True) == []
    assert found(SUMMARISE, {**roles, "owner": "Ida"}) == [("record_owner_vacant", (), True)]


def test_a_vacant_approver_is_advice_while_another_can_answer_and_bars_signing_when_none_can():
    roles = {key: name for key, name in ROLES.items() if key != "deputy"}
    assert found(SUMMARISE, roles) == [("approver_vacant", (3, 4, 5), False)]
    roles = {key: name for key, name in ROLES.items() if key != "data_steward"}
    assert ("approver_vacant", (3, 5), True) in found(SEARCH, roles)


def test_two_roles_of_one_person_are_one_person():
    codes = {(code, numbers) for code, numbers, _ in found(MATCH, ROLES | {"sponsor": "Ada"})}
    assert codes == {("four_eyes", (3,))}


def test_a_role_that_both_clauses_need_and_nobody_accepted():
    rules = added(
        without(TRIAGE, 4),
        approval("close", "support_owner", "sponsor"),
        approval("close", "sponsor", "owner"),
    )
    rules = [replace(rule, number=n) for n, rule in enumerate(rules, 1)]
    roles = {key: name for key, name in ROLES.items() if key != "sponsor"}
    assert (
        "Clause 16 and clause 15 ask for approval of the same call, but no one has accepted to be the "
        "sponsor, who must answer for both."
    ) in [gap.words for gap in gaps(rules, roles, REQUIRED, ON)]
    assert "only the sponsor" not in " ".join(gap.words for gap in gaps(rules, ROLES, REQUIRED, ON))


def test_each_failure_that_nobody_thought_of_is_named():
    rules = [rule for rule in MATCH if rule.kind != "edge_policy"]
    said = gaps(rules, ROLES, REQUIRED, ON)
    assert [gap.code for gap in said] == ["failure_missing"] * len(FAILURES)
    assert all(any(words in gap.words for gap in said) for words in FAILURES.values())


def test_an_expired_edge_initiative_no_longer_speaks():
    assert set(found(changed(MATCH, 9, holds_until=date(2026, 3, 9)))) == {
        ("failure_missing", (), True),
        ("expired", (9,), False),
    }


def test_an_empty_contract_lacks_everything():
    codes = {code for code, *_ in found([], {})}
    assert codes == {"kind_missing", "failure_missing", "record_owner_vacant"}


def test_a_stricter_exception_is_no_contradiction():
    # Asked in general and refused above an amount; alone in general and asked in one initiative; asked twice, one may
    # answer.
    rules = added(
        MATCH,
        edge("sources_conflict", action="match", over=900_000, currency="EUR"),
        approval("match", "owner", "sponsor", resource="invoice", up_to=100, currency="EUR", weekdays=(7,)),
    )
    assert found(rules) == []


def test_clauses_for_different_groups_are_not_said_to_contradict():
    # Somebody may be in both groups, but nothing says so.
    rules = added(
        SUMMARISE,
        approval("erase", "owner", "deputy", audience=("secretariat",)),
        approval("erase", "deputy", "sponsor", audience=("board_office",)),
    )
    assert found(rules) == []
    rules = changed(rules, 15, approvers=("deputy",), audience=("secretariat",))
    assert found(changed(rules, 14, approvers=("owner",)))[0][0] == "contradiction"


@pytest.mark.parametrize(
    ("inner", "outer", "idle"),
    [
        (("secretariat",), ("secretariat", "board_office"), True),
        (("secretariat",), (), True),
        (("secretariat", "board_office"), ("secretariat",), False),
        ((), ("secretariat",), False),
    ],
)
def test_a_clause_for_more_people_is_not_inside_one_for_fewer(inner, outer, idle):
    rules = added(
        SUMMARISE,
        autonomy("erase", resource="letter", audience=inner),
        approval("erase", "owner", "deputy", audience=outer),
    )
    assert found(rules) == ([("unreachable", (14, 15), True)] if idle else [])


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        ({}, "repeats"),
        ({"minutes": 121}, "unreachable"),
        ({"approvers": ("owner", "deputy", "sponsor")}, "unreachable"),
        ({"minutes": 119}, None),
        ({"approvers": ("owner",)}, None),
        ({"four_eyes": True}, None),
        ({"four_eyes": True, "minutes": 121}, None),
    ],
    ids=repr,
)
def test_an_approval_that_asks_more_in_anything_decides_something(inner, code):
    wide = approval("erase", "owner", "deputy")
    narrow = ("human_approval", wide[1] | {"resource": "letter"} | inner)
    assert found(added(SUMMARISE, wide, narrow)) == ([(code, (14, 15), code != "repeats")] if code else [])


def test_clauses_that_perhaps_nobody_may_use_are_not_said_to_contradict():
    rules = added(
        SUMMARISE,
        approval("erase", "owner", "deputy", audience=("sales",)),
        approval("erase", "deputy", "sponsor", audience=("sales",)),
        approval("erase", "sponsor", "owner", audience=("sales",)),
        approval("erase", "technical_lead", audience=("sales",)),
    )
    assert found(rules) == [("outside_audience", (number,), False) for number in (14, 15, 16, 17)]


def test_windows_past_midnight_and_days_are_compared_exactly():
    night = {"from_minute": 22 * 60, "until_minute": 6 * 60}
    inside = {"from_minute": 23 * 60, "until_minute": 2 * 60}
    across = {"from_minute": 5 * 60, "until_minute": 7 * 60}
    base = added(SUMMARISE, approval("erase", "owner", "deputy", **night))
    assert found(added(base, autonomy("erase", **inside))) == [("unreachable", (14, 15), True)]
    assert found(added(base, autonomy("erase", **across))) == []
    assert found(added(base, autonomy("erase", **night))) == [("contradiction", (14, 15), True)]
    # A clause of two days in a week has no Monday: 14 and 15 March 2026 are a weekend.
    weekend = {"holds_from": date(2026, 3, 14), "holds_until": date(2026, 3, 15)}
    on_monday = added(SUMMARISE, autonomy("erase", weekdays=(1,), **weekend))
    assert ("never_applies", (14,), True) in found(on_monday)
    on_sunday = added(SUMMARISE, autonomy("erase", weekdays=(7,), **weekend))
    assert {code for code, *_ in found(on_sunday)} == {"not_begun"}


def test_what_was_is_not_compared():
    # The autonomy reaches further back than the approval, but those days are over.
    rules = added(
        SUMMARISE,
        autonomy("erase", holds_from=date(2026, 1, 1)),
        approval("erase", "owner", "deputy", holds_from=date(2026, 3, 1)),
    )
    assert found(rules) == [("contradiction", (14, 15), True)]


def test_a_text_is_never_a_number():
    tests = (Test("resource", "level", "equals", "3"),)
    rules = added(
        SUMMARISE,
        autonomy("erase", tests=tests),
        autonomy("archive", tests=(Test("resource", "level", "at_least", 3),)),
    )
    assert found(rules) == [("never_applies", (14,), True)]
    rules = added(
        SUMMARISE,
        autonomy("erase", tests=(Test("resource", "level", "equals", 1),)),
        approval("erase", "owner", "deputy", tests=(Test("resource", "level", "equals", True),)),
    )
    assert found(rules) == []


def test_a_refusal_that_compares_with_another_type_refuses_all_calls_of_the_first_type():
    status = (Test("resource", "status", "equals", "open"),)
    refusing = ("edge_policy", {"action": "erase", "then": REFUSE})
    numbers = (Test("resource", "status", "equals", 3),)
    rules = added(SUMMARISE, autonomy("erase", tests=status), (refusing[0], refusing[1] | {"tests": numbers}))
    assert found(rules) == [("unreachable", (14, 15), True)]
    closed = (Test("resource", "status", "equals", "closed"),)
    rules = added(SUMMARISE, autonomy("erase", tests=status), (refusing[0], refusing[1] | {"tests": closed}))
    assert found(rules) == []


def test_what_is_said_reads_well():
    rules = added(SUMMARISE, autonomy("publish", weekdays=(1,)), edge("low_confidence", action="translate"))
    assert [(gap.words, gap.fix) for gap in gaps(rules, ROLES, REQUIRED, ON)] == [
        (
            "Clause 14 never applies, because clause 4 covers all its calls and asks a person.",
            "Remove clause 14, or limit clause 4 to fewer calls.",
        ),
        (
            "Clause 15 names the act “translate”, but no clause allows the act.",
            "Add a clause that allows “translate”, either always or only after a person approves.",
        ),
    ]


# --- What is said is so ----------------------------------------------------------------------------------------------

TESTS = st.builds(
    lambda name, pair: Test("resource", name, *pair),
    st.sampled_from(["status", "level"]),
    st.one_of(
        st.tuples(
            st.sampled_from(["equals", "differs"]), st.sampled_from(["open", "closed", 1, 2, True, False])
        ),
        st.tuples(st.sampled_from(["at_least", "at_most"]), st.integers(0, 3)),
        st.tuples(st.just("one_of"), st.sampled_from([("open",), ("open", "closed"), ()])),
    ),
)
TERMS = st.fixed_dictionaries(
    {},
    optional={
        "action": st.sampled_from(["send", "read", ""]),
        "resource": st.sampled_from(["mail", ""]),
        "audience": st.sampled_from([(), ("staff",), ("staff", "user:a"), ("user:a",), ("user:b",)]),
        "weekdays": st.sampled_from([(), (1,), (1, 2, 3, 4, 5), (6, 7)]),
        "holds_from": st.sampled_from([None, ON - timedelta(1), ON, ON + timedelta(1)]),
        "holds_until": st.sampled_from([None, ON - timedelta(1), ON, ON + timedelta(1)]),
        "over": st.sampled_from([None, 0, 10, 20]),
        "up_to": st.sampled_from([None, 10, 20]),
        "currency": st.sampled_from(["EUR", "CHF"]),
        "most": st.sampled_from([None, 0, 1, 2]),
        "tests": st.lists(TESTS, max_size=2).map(tuple),
        "failure": st.sampled_from(["", "low_confidence", "personal_data", "unheard_of"]),
        "then": st.sampled_from(["", ASK, REFUSE, "unheard_of"]),
        "approvers": st.sampled_from([(), ("owner",), ("owner", "sponsor"), ("sponsor",)]),
        "minutes": st.sampled_from([None, 10, 60, -1]),
        "four_eyes": st.booleans(),
        "regions": st.sampled_from([(), ("EU",), ("EU", "CH")]),
        "days": st.sampled_from([None, 30, 1000]),
        "from_minute": st.sampled_from([None, 0, 540, 1320]),
        "until_minute": st.sampled_from([None, 0, 540, 600, 1440]),
    },
)
KINDS = ["autonomy", "human_approval", "edge_policy", "audience", "residency", "record_owner", "retention"]
CONTRACTS = st.lists(st.tuples(st.sampled_from(KINDS), TERMS), max_size=8).map(lambda said: numbered(*said))
NARROWING = [
    "resource",
    "audience",
    "weekdays",
    "holds_from",
    "holds_until",
    "from_minute",
    "until_minute",
    "over",
    "up_to",
    "most",
    "tests",
]


def finished(base, clauses):
    """Clauses that are each narrowed by some of the same terms, so that many lie inside one another."""
    return numbered(
        *(
            (
                kind,
                terms | {key: base[key] for key in keys & set(base) if base[key] != 0} | {"currency": "EUR"},
            )
            for kind, keys, terms in clauses
        )
    )


FINISHED = st.builds(
    finished,
    TERMS,
    st.lists(
        st.tuples(
            st.sampled_from(["autonomy", "human_approval", "human_approval", "edge_policy"]),
            st.sets(st.sampled_from(NARROWING), max_size=3),
            st.fixed_dictionaries(
                {
                    "action": st.sampled_from(["send", "send", "send", "read"]),
                    "failure": st.sampled_from(["low_confidence", "low_confidence", ""]),
                    "then": st.sampled_from([ASK, REFUSE]),
                    "approvers": st.sampled_from([("owner",), ("owner", "sponsor"), ("sponsor",)]),
                    "minutes": st.sampled_from([10, 60]),
                    "four_eyes": st.booleans(),
                }
            ),
        ),
        min_size=2,
        max_size=5,
    ),
)
QUESTIONS = st.fixed_dictionaries(
    {
        "subject": st.fixed_dictionaries(
            {
                "type": st.just("user"),
                "id": st.sampled_from("ab"),
                "properties": st.fixed_dictionaries(
                    {}, optional={"groups": st.sampled_from([[], ["staff"], ["staff"], None])}
                ),
            }
        ),
        "action": st.fixed_dictionaries(
            {
                "name": st.sampled_from(["send", "send", "read"]),
                "properties": st.fixed_dictionaries(
                    {},
                    optional={
                        "amount": st.sampled_from([0, 1, 10, 11, 20, 21]),
                        "currency": st.sampled_from(["EUR", "EUR", "CHF"]),
                        "count": st.sampled_from([0, 1, 2, 3]),
                    },
                ),
            }
        ),
        "resource": st.fixed_dictionaries(
            {
                "type": st.sampled_from(["mail", "mail", "file"]),
                "id": st.just("1"),
                "properties": st.fixed_dictionaries(
                    {},
                    optional={
                        "status": st.sampled_from(["open", "closed", 1, 2, True]),
                        "level": st.sampled_from([0, 1, 2, 3, "open", False]),
                    },
                ),
            }
        ),
        "context": st.fixed_dictionaries({}, optional={"failure": st.just("low_confidence")}),
    }
)
MIDNIGHT = datetime(ON.year, ON.month, ON.day, tzinfo=UTC)
MOMENTS = st.integers(0, 4 * 24 * 60).map(lambda minutes: MIDNIGHT + timedelta(minutes=minutes))


def test_whatever_is_written_is_read_without_an_error(rounds):
    @given(CONTRACTS, st.sampled_from([ROLES, {}, {"owner": "Ada", "sponsor": "Ada"}]))
    @settings(max_examples=60 if rounds < 500 else 3000, deadline=None, database=None)
    def written(rules, roles):
        for gap in gaps(rules, roles, REQUIRED, ON):
            assert gap.words.endswith(".")
            assert gap.fix.endswith((".", "?"))
            assert set(gap.numbers) <= {rule.number for rule in rules}

    written()


def decided(rules, requests):
    """What each request is answered: the code, and what a system and an approver make of it."""
    version = Version(1, "", MIDNIGHT - timedelta(days=900), None, Policies(rules))
    for evaluation_request, now in requests:
        found = decide(version, InitiativeCondition("production"), evaluation_request, now)
        asked = found.approval
        yield found.code, found.outcome, asked and (set(asked.approvers), asked.minutes, asked.four_eyes)


def idle(gap):
    """The number of the clause that is said to decide nothing, if the gap says that."""
    said = re.search(r"[Cc]lause (\d+) (never applies|repeats clause|adds nothing)", gap.words)
    return int(said[1]) if said else None


def test_a_clause_that_is_said_to_decide_nothing_decides_nothing(rounds):
    told = Counter()

    @given(FINISHED, st.lists(st.tuples(QUESTIONS, MOMENTS), min_size=12, max_size=12))
    @settings(
        max_examples=30 if rounds < 500 else 4000, deadline=None, database=None, derandomize=rounds < 500
    )
    def idle_clauses(rules, requests):
        for gap in gaps(rules, ROLES, REQUIRED, ON):
            if number := idle(gap):
                told[gap.code] += 1
                pairs = zip(decided(rules, requests), decided(without(rules, number), requests), strict=True)
                for whole, less in pairs:
                    assert whole[0] == "malformed" or whole[1:] == less[1:], gap

    idle_clauses()
    assert len(told) > 1, "the contracts made hold too few idle clauses to try anything"
    assert told.total() > 5
