"""Clauses read as sentences: every part of the terms is heard, in the words of the initiative, and nothing twice."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.contracts.cedar_policies import Rule, policies
from governance.contracts.clauses import ASK, FAILURES, REFUSE, WEEKDAYS, Terms, Test, problems
from governance.contracts.wording import (
    Change,
    clock_time,
    differences,
    duration,
    listed,
    money,
    sentence,
    without,
)
from tests.support.rules.sound_contracts import SOUND

WORDS = {
    "send_reply": "send the reply",
    "mail": "customer mail",
    "care": "customer care",
    "staff": "our staff",
}


def said(kind, **terms):
    return sentence(kind, Terms(**terms), WORDS)


@pytest.mark.parametrize(
    ("kind", "terms", "sentence"),
    [
        ("autonomy", {"action": "send_reply"}, "It may send the reply on its own."),
        (
            "autonomy",
            {"action": "send_reply", "resource": "mail"},
            "It may send the reply on customer mail on its own.",
        ),
        ("autonomy", {"action": "fly"}, "It may fly on its own."),
        (
            "human_approval",
            {"action": "send_reply", "approvers": ("owner",), "minutes": 120},
            "It may send the reply, but only after the business owner approved it within 2 hours.",
        ),
        (
            "human_approval",
            {
                "action": "send_reply",
                "over": 5000,
                "currency": "EUR",
                "approvers": ("owner", "sponsor"),
                "minutes": 45,
            },
            "It may send the reply, above 50.00 EUR, but only after the business owner or the sponsor approved it "
            "within 45 minutes.",
        ),
        (
            "human_approval",
            {
                "action": "send_reply",
                "approvers": ("owner", "deputy", "sponsor"),
                "minutes": 60,
                "four_eyes": True,
            },
            "It may send the reply, but only after two of these people approved it within 1 hour: the business owner, "
            "the deputy owner and the sponsor.",
        ),
        (
            "human_approval",
            {"action": "send_reply"},
            "It may send the reply, but only after a person still to be named approved it, for which no time is set.",
        ),
        (
            "edge_policy",
            {"failure": "low_confidence", "then": REFUSE},
            "When it is not sure of its answer, it does nothing.",
        ),
        (
            "edge_policy",
            {"failure": "low_confidence", "then": REFUSE, "action": "send_reply", "resource": "mail"},
            "When it is not sure of its answer, it does not send the reply on customer mail.",
        ),
        (
            "edge_policy",
            {"failure": "model_unavailable", "then": ASK, "approvers": ("deputy",), "minutes": 1440},
            "When the model does not answer in time, it may act, but only after the deputy owner approved it "
            "within 1 day.",
        ),
        (
            "edge_policy",
            {"then": REFUSE, "tests": (Test("context", "urgent", "equals", True),)},
            "It does nothing, if the urgent is yes.",
        ),
        (
            "edge_policy",
            {"failure": "low_confidence", "then": REFUSE, "resource": "mail"},
            "When it is not sure of its answer, it does nothing with customer mail.",
        ),
        (
            "edge_policy",
            {
                "failure": "low_confidence",
                "then": ASK,
                "resource": "mail",
                "approvers": ("owner",),
                "minutes": 60,
            },
            "When it is not sure of its answer, it may act on customer mail, but only after the business owner "
            "approved it within 1 hour.",
        ),
        (
            "autonomy",
            {"action": "send_reply", "failure": "low_confidence"},
            "When it is not sure of its answer, it may send the reply on its own.",
        ),
        ("record_owner", {}, "The record owner of this initiative owns the change log and the audit trail."),
        (
            "audience",
            {"audience": ("care", "staff", "user:ada")},
            "It works for customer care, our staff and user:ada and for nobody else.",
        ),
        ("retention", {"days": 730}, "Records of what it does are kept for 730 days."),
        ("residency", {"regions": ("CH", "EU")}, "Its data go to CH and EU and to no other place."),
    ],
)
def test_each_kind_of_clause_reads_well(kind, terms, sentence):
    assert said(kind, **terms) == sentence


@pytest.mark.parametrize(
    ("terms", "heard"),
    [
        ({"audience": ("care",)}, "for customer care"),
        ({"audience": ("care", "staff")}, "for customer care and our staff"),
        ({"up_to": 5000, "currency": "EUR"}, "up to 50.00 EUR"),
        ({"over": 0, "currency": "EUR"}, "above 0.00 EUR"),
        ({"over": 100, "up_to": 5000, "currency": "EUR"}, "above 1.00 EUR and up to 50.00 EUR"),
        ({"most": 1}, "one at a time"),
        ({"most": 20}, "at most 20 at a time"),
        ({"weekdays": (1,)}, "on Monday"),
        ({"weekdays": (7, 6)}, "on Saturday and Sunday"),
        ({"weekdays": (1, 2)}, "on Monday and Tuesday"),
        ({"weekdays": (5, 4, 3, 2, 1)}, "Monday to Friday"),
        ({"weekdays": (1, 3, 5)}, "on Monday, Wednesday and Friday"),
        ({"weekdays": (1, 2, 3, 4, 5, 6, 7)}, "Monday to Sunday"),
        ({"from_minute": 0, "until_minute": 1440}, "between 00:00 and 24:00"),
        ({"from_minute": 1320, "until_minute": 390}, "between 22:00 and 06:30 of the next day"),
        ({"holds_from": date(2026, 3, 1)}, "from 1 March 2026 on"),
        ({"holds_until": date(2026, 12, 31)}, "until 31 December 2026"),
        ({"tests": (Test("resource", "status", "equals", "open"),)}, "if the status of the thing is “open”"),
        (
            {"tests": (Test("subject", "years_served", "at_least", 3),)},
            "if the years served of who asks is at least 3",
        ),
        ({"tests": (Test("action", "silent", "differs", False),)}, "if the silent of the act is not no"),
        (
            {
                "tests": (
                    Test("context", "channel", "one_of", ("mail", "chat")),
                    Test("context", "load", "at_most", 9),
                )
            },
            "if the channel is one of “mail” or “chat” and the load is at most 9",
        ),
    ],
)
def test_each_bound_is_heard(terms, heard):
    assert said("autonomy", action="send_reply", **terms) == f"It may send the reply on its own, {heard}."
    asked = said("human_approval", action="send_reply", approvers=("owner",), minutes=60, **terms)
    assert (
        asked
        == f"It may send the reply, {heard}, but only after the business owner approved it within 1 hour."
    )
    edge = said("edge_policy", action="send_reply", failure="personal_data", then=REFUSE, **terms)
    assert edge == f"When {FAILURES['personal_data']}, it does not send the reply, {heard}."


FROZEN = (Test("resource", "frozen", "equals", True),)


@pytest.mark.parametrize(
    ("kind", "terms", "named"),
    [
        (
            "edge_policy",
            {"tests": FROZEN, "then": REFUSE},
            ["the frozen of the thing (as true or false)", "denied"],
        ),
        ("edge_policy", {"tests": FROZEN, "then": ASK}, ["the frozen of the thing", "a person must approve"]),
        (
            "human_approval",
            {"over": 5, "currency": "EUR"},
            ["the amount", "the currency", "a person must approve"],
        ),
        (
            "human_approval",
            {"most": 5, "audience": ("care",)},
            ["the number at a time", "the groups of who asks"],
        ),
        ("autonomy", {"tests": FROZEN}, []),
        ("edge_policy", {"failure": "low_confidence", "then": REFUSE}, []),
        ("human_approval", {"audience": ("user:a",)}, []),
        ("edge_policy", {"tests": (Test("resource", "id", "equals", "7"),), "then": REFUSE}, []),
    ],
)
def test_a_restriction_names_what_may_not_be_left_out(kind, terms, named):
    words = without(kind, Terms(action="send_reply", **terms))
    assert bool(words) is bool(named)
    assert all(one in words for one in named)


def test_bounds_are_said_in_the_order_of_speech():
    whole = said(
        "autonomy",
        action="send_reply",
        resource="mail",
        audience=("care",),
        up_to=5000,
        currency="EUR",
        most=3,
        weekdays=(1, 2, 3, 4, 5),
        from_minute=480,
        until_minute=1080,
        holds_from=date(2026, 1, 1),
        holds_until=date(2026, 6, 30),
        tests=(Test("resource", "status", "equals", "open"),),
    )
    assert whole == (
        "It may send the reply on customer mail on its own, for customer care, up to 50.00 EUR, at most 3 at a time, "
        "Monday to Friday, between 08:00 and 18:00, from 1 January 2026 on, until 30 June 2026, "
        "if the status of the thing is “open”."
    )


@pytest.mark.parametrize(
    ("kind", "terms"),
    [
        ("autonomy", {}),
        ("autonomy", {"resource": "mail"}),
        ("human_approval", {"approvers": ("owner",)}),
        ("edge_policy", {"failure": "low_confidence"}),
        ("edge_policy", {"then": REFUSE}),
        ("audience", {}),
        ("retention", {}),
        ("residency", {}),
        ("something else", {"action": "send_reply"}),
    ],
)
def test_terms_that_say_too_little_make_no_sentence(kind, terms):
    assert said(kind, **terms) == ""


@pytest.mark.parametrize("name", SOUND)
def test_clauses_that_differ_read_differently(name):
    sentences = [sentence(rule.kind, rule.terms, {}) for rule in SOUND[name]]
    assert len(set(sentences)) == len(sentences)
    for one in sentences:
        assert one.endswith(".")
        assert one[0].isupper()
        assert "None" not in one
        assert "  " not in one


BASES = [
    {"action": action, "failure": failure, "then": then, "tests": tests}
    for action in ("send", "")
    for failure in ("low_confidence", "")
    for then in (ASK, REFUSE)
    for tests in ((), (Test("resource", "status", "equals", "1"),))
]
CHANGES = {
    "action": ["read", ""],
    "resource": ["mail"],
    "audience": [("staff",), ("staff", "user:a")],
    "weekdays": [(1,), (1, 2, 3), (1, 3), (6, 7)],
    "from_minute": [0, 60],
    "until_minute": [120, 1440],
    "holds_from": [date(2026, 1, 1)],
    "holds_until": [date(2026, 1, 1)],
    "over": [0, 100],
    "up_to": [50, 5000],
    "currency": ["CHF"],
    "most": [1, 2],
    "tests": [
        (Test("resource", "status", how, value),)
        for how, value in (("equals", 1), ("equals", True), ("differs", "1"))
    ]
    + [(Test("subject", "status", "equals", "1"),), (Test("resource", "level", "at_least", 1),)]
    + [(Test("resource", "level", "at_most", 1),), (Test("context", "status", "one_of", ("1", "2")),)],
    "failure": ["personal_data", ""],
    "then": [ASK, REFUSE],
}


@pytest.mark.parametrize("kind", ["autonomy", "human_approval", "edge_policy"])
def test_what_the_engine_is_given_is_heard(kind):
    """Whatever one change to the terms does to the policy, the sentence tells of it."""
    needs = {
        "currency": {"over": 10},
        "from_minute": {"until_minute": 600},
        "until_minute": {"from_minute": 90},
    }
    needs |= {"over": {"currency": "EUR"}, "up_to": {"currency": "EUR"}}
    tried = 0
    for base in BASES:
        for name, values in CHANGES.items():
            before = Terms(**base) if name != "currency" else Terms(**base, over=10, currency="EUR")
            for value in values:
                after = Terms(**{**base, **needs.get(name, {}), name: value})
                assert problems(kind, after) == {}
                if policies([Rule(1, kind, before)]) != policies([Rule(1, kind, after)]):
                    tried += 1
                    assert sentence(kind, before, {}) != sentence(kind, after, {}), (base, name, value)
    assert tried > 200


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (0, "EUR", "0.00 EUR"),
        (5, "EUR", "0.05 EUR"),
        (5000, "CHF", "50.00 CHF"),
        (123456, "USD", "1234.56 USD"),
        (500, "JPY", "500 JPY"),
        (1500, "KWD", "1.500 KWD"),
        (7, "BHD", "0.007 BHD"),
    ],
)
def test_money_has_the_digits_of_its_currency(amount, currency, words):
    assert money(amount, currency) == words


@given(st.integers(0, 2**53), st.sampled_from(["EUR", "JPY", "KWD"]))
@settings(max_examples=60, deadline=None)
def test_money_loses_nothing(amount, currency):
    assert int(money(amount, currency).split()[0].replace(".", "")) == amount


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (1, "1 minute"),
        (45, "45 minutes"),
        (60, "1 hour"),
        (90, "90 minutes"),
        (120, "2 hours"),
        (1440, "1 day"),
        (1500, "25 hours"),
        (43200, "30 days"),
    ],
)
def test_a_duration_is_in_the_largest_unit_that_fits(minutes, words):
    assert duration(minutes) == words


def test_lists_and_hours():
    assert (listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"], "or")) == (
        "",
        "a",
        "a and b",
        "a, b or c",
    )
    assert [clock_time(minute) for minute in (0, 61, 1439, 1440)] == ["00:00", "01:01", "23:59", "24:00"]


@given(st.sets(st.integers(1, 7), min_size=1))
@settings(max_examples=60, deadline=None)
def test_days_of_the_week_can_be_read_back(days):
    heard = said("autonomy", action="send_reply", weekdays=tuple(days)).removeprefix(
        "It may send the reply on its own, "
    )
    names = [day for day in WEEKDAYS if day in heard]
    if " to " in heard:
        first, last = (WEEKDAYS.index(name) + 1 for name in (names[0], names[-1]))
        assert set(range(first, last + 1)) == days
    else:
        assert {WEEKDAYS.index(name) + 1 for name in names} == days


def test_two_versions_are_compared_in_sentences():
    old = [(1, "It may read."), (2, "It may send."), (4, "It works for staff.")]
    new = [(4, "It works for staff."), (2, "It may send, up to 50.00 EUR."), (3, "It may call.")]
    assert differences(old, new) == [
        Change(1, "It may read.", ""),
        Change(2, "It may send.", "It may send, up to 50.00 EUR."),
        Change(3, "", "It may call."),
    ]
    assert differences(old, list(reversed(old))) == []
    assert differences([], []) == []
