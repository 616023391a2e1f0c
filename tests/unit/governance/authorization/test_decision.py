"""What follows from the contract and the condition of the initiative, rule by rule; and for how long an answer
holds.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings

from governance.authorization.decision import (
    Approval,
    Bound,
    InitiativeCondition,
    Version,
    approval_ends,
    decide,
)
from governance.contracts.cedar_policies import Policies, PolicyTrouble, Rule
from governance.contracts.clauses import Terms, Test

NOW = datetime(2026, 3, 10, 9, 30, 15, tzinfo=UTC)  # a Tuesday
SECOND = timedelta(seconds=1)
PRODUCTION = InitiativeCondition("production")
RULES = (
    Rule(1, "autonomy", Terms(action="draft")),
    Rule(2, "autonomy", Terms(action="send", up_to=5000, currency="EUR")),
    Rule(
        3,
        "human_approval",
        Terms(action="send", over=5000, currency="EUR", approvers=("owner", "deputy"), minutes=60),
    ),
    Rule(
        4,
        "edge_policy",
        Terms(failure="low_confidence", then="ask", approvers=("deputy", "sponsor"), minutes=30),
    ),
    Rule(5, "edge_policy", Terms(failure="personal_data", then="refuse")),
    Rule(6, "audience", Terms(audience=("staff", "user:robot"))),
    Rule(7, "residency", Terms(regions=("CH", "EU"))),
    Rule(8, "record_owner", Terms()),
    Rule(9, "human_approval", Terms(action="erase", minutes=60)),
    Rule(10, "human_approval", Terms(action="wipe", approvers=("owner",))),
    Rule(11, "human_approval", Terms(action="shred", approvers=("owner",), minutes=60)),
)


def version(*rules, starts=NOW - timedelta(days=1), ends=None):
    return Version(3, "d" * 64, starts, ends, Policies(rules or RULES))


def evaluation_request(
    name="draft", *, groups=("staff",), amount=None, failure=None, region="EU", **properties
):
    """A request of somebody of the staff about a letter."""
    act = {} if amount is None else {"amount": amount, "currency": "EUR"}
    said = {key: value for key, value in (("region", region), ("failure", failure)) if value is not None}
    return {
        "subject": {"type": "user", "id": "a", "properties": {"groups": list(groups), **properties}},
        "action": {"name": name, "properties": act},
        "resource": {"type": "letter", "id": "1"},
        "context": said,
    }


def code(asked=None, initiative=PRODUCTION, of=None, now=NOW):
    """Outcome and code of the answer."""
    found = decide(of or version(), initiative, asked or evaluation_request(), now)
    return found.outcome, found.code


# --- The condition of the initiative
# ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("initiative", "expected"),
    [
        (InitiativeCondition("production", switched_off="Ada, since 9:00"), "switched_off"),
        (InitiativeCondition("production", withdrawn=True), "initiative_closed"),
        (InitiativeCondition("stopped"), "initiative_closed"),
        (InitiativeCondition("retired"), "initiative_closed"),
        (InitiativeCondition("proposed"), "not_started"),
        (InitiativeCondition("mvp", held=("The owner left",)), "held"),
    ],
)
def test_a_initiative_that_may_not_run_is_denied_everything(initiative, expected):
    found = decide(version(), initiative, evaluation_request(), NOW)
    assert (found.outcome, found.code, found.allowed) == ("deny", expected, False)
    assert found.version is not None
    assert found.reason.endswith(".")
    # Whatever is asked, and although no contract is there.
    assert decide(None, initiative, {}, NOW).code == expected


def test_the_switch_comes_before_everything_else():
    initiative = InitiativeCondition("stopped", withdrawn=True, switched_off="Drill", held=("Something",))
    assert code(initiative=initiative) == ("deny", "switched_off")


@pytest.mark.parametrize("stage", ["prototype", "mvp", "production"])
def test_without_a_contract_nothing_runs(stage):
    found = decide(None, InitiativeCondition(stage), evaluation_request(), NOW)
    assert (found.code, found.version) == ("no_contract", None)
    assert ("prototype has no contract" in found.reason) is (stage == "prototype")


def test_a_version_binds_from_its_start_until_just_before_its_end():
    starts, ends = NOW, NOW + timedelta(hours=1)
    bounded = version(starts=starts, ends=ends)
    almost = timedelta(microseconds=1)
    assert code(of=bounded, now=starts - almost) == ("deny", "no_contract")
    assert code(of=bounded, now=starts) == ("allow", "allowed")
    assert code(of=bounded, now=ends - almost) == ("allow", "allowed")
    assert code(of=bounded, now=ends) == ("deny", "no_contract")
    assert decide(bounded, PRODUCTION, evaluation_request(), ends).version is None


# --- The test subjects of a prototype --------------------------------------------------------------------------------

TESTERS = ("user:tester-1", "user:test-*")


def prototype_with(*subjects):
    """A prototype with these test subjects."""
    return InitiativeCondition("prototype", bound=Bound(test_subjects=subjects))


def asked_by(name, kind="user"):
    asked = evaluation_request()
    asked["subject"] |= {"type": kind, "id": name}
    return asked


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("user", "tester-1", "allowed"),
        ("user", "test-17", "allowed"),
        ("user", "tester-2", "outside_test_subjects"),
        ("agent", "tester-1", "outside_test_subjects"),
        ("user", "alice", "outside_test_subjects"),
    ],
)
def test_a_prototype_acts_for_its_declared_test_subjects_alone(kind, name, expected):
    found = decide(version(), prototype_with(*TESTERS), asked_by(name, kind), NOW)
    assert (found.code, found.allowed) == (expected, expected == "allowed")
    if not found.allowed:
        assert f"{kind}:{name}" in found.reason
        assert "add this subject to the scope" in found.reason, "it says how to fix it"
        assert found.version is not None


@pytest.mark.parametrize(
    "initiative", [InitiativeCondition("prototype"), prototype_with()], ids=["no scope", "none declared"]
)
def test_a_prototype_that_declares_nobody_acts_for_nobody(initiative):
    found = decide(version(), initiative, evaluation_request(), NOW)
    assert (found.outcome, found.code) == ("deny", "outside_test_subjects")
    assert "Declare test subjects in the scope" in found.reason


def test_whom_a_prototype_acts_for_comes_before_what_a_person_could_approve():
    asking = asked_by("alice") | {"action": {"name": "erase", "properties": {}}}
    assert code(asking, prototype_with(*TESTERS)) == ("deny", "outside_test_subjects")
    assert code(asking | {"subject": {}}, prototype_with(*TESTERS)) == ("deny", "malformed")


@pytest.mark.parametrize("stage", ["mvp", "production"])
def test_later_stages_are_not_bound_to_test_subjects(stage):
    initiative = InitiativeCondition(stage, bound=Bound(test_subjects=TESTERS))
    assert code(asked_by("alice"), initiative) == ("allow", "allowed")


# --- The scope of an MVP ---------------------------------------------------------------------------------------------

BOUND = Bound(frozenset({"claims"}), frozenset({"Bern", "Basel"}), frozenset({"public"}), date(2026, 3, 10))
INSIDE = {"department": "claims", "place": "Bern"}


def inside(**subject):
    asked = evaluation_request(**(INSIDE | subject))
    asked["resource"]["properties"] = {"data_class": ["public"]}
    return asked


def test_an_mvp_is_bounded_by_its_scope():
    mvp = InitiativeCondition("mvp", bound=BOUND)
    assert code(inside(), mvp) == ("allow", "allowed")
    assert code(inside(place=["Bern", "Basel"]), mvp) == ("allow", "allowed")
    for wrong in ("legal", ["claims", "legal"], [], None, 5, [5], "", {"a": 1}):
        assert code(inside(department=wrong), mvp) == ("deny", "outside_scope"), wrong
    silent = inside()
    del silent["resource"]["properties"]
    assert code(silent, mvp) == ("deny", "outside_scope")
    assert code(inside(), InitiativeCondition("mvp")) == ("deny", "outside_scope")
    assert code(inside(), InitiativeCondition("mvp", bound=Bound())) == ("allow", "allowed")
    # Production is not bounded by it.
    assert code(inside(department="legal"), replace(mvp, stage="production")) == ("allow", "allowed")


def test_everything_that_is_missing_is_named_at_once():
    mvp = InitiativeCondition("mvp", bound=BOUND)
    silent = evaluation_request(region=None) | {"context": {}}
    found = decide(version(), mvp, silent, NOW)
    assert found.code == "outside_scope"
    names = ("subject.properties.department", "subject.properties.place", "resource.properties.data_class")
    for name in (*names, "context.region"):
        assert f"Send {name}." in found.reason
    found = decide(version(), mvp, inside(department="legal", place=None), NOW)
    assert found.reason == (
        "legal is outside the departments of this MVP: claims. This MVP is limited to the places Basel, "
        "Bern. Send subject.properties.place."
    )


def test_the_scope_of_an_mvp_ends_with_its_last_local_day():
    mvp = InitiativeCondition("mvp", bound=BOUND)
    midnight = datetime(2026, 3, 11, tzinfo=ZoneInfo("Europe/Zurich"))
    with override_settings(TIME_ZONE="Europe/Zurich"):
        found = decide(version(), mvp, inside(), midnight - SECOND / 2)
        assert (found.code, found.until) == ("allowed", midnight)
        assert code(inside(), mvp, now=midnight) == ("deny", "outside_scope")


# --- What clauses lead to --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "expected", "clauses"),
    [
        (evaluation_request(), ("allow", "allowed"), (1,)),
        (evaluation_request("send", amount=5000), ("allow", "allowed"), (2,)),
        (evaluation_request("send", amount=5001), ("needs_approval", "needs_approval"), (3,)),
        (evaluation_request("send"), ("deny", "not_covered"), ()),
        (evaluation_request("burn"), ("deny", "unknown_action"), ()),
        (evaluation_request("erase"), ("deny", "nobody_to_ask"), (9,)),
        (evaluation_request("wipe"), ("deny", "nobody_to_ask"), (10,)),
        (evaluation_request("shred", failure="low_confidence"), ("deny", "nobody_to_ask"), (4, 11)),
        (evaluation_request(failure="low_confidence"), ("needs_approval", "needs_approval"), (4,)),
        (
            evaluation_request("send", amount=5001, failure="low_confidence"),
            ("needs_approval", "needs_approval"),
            (3, 4),
        ),
        (evaluation_request(failure="personal_data"), ("deny", "edge_policy"), (5,)),
        (evaluation_request(failure="model_unavailable"), ("deny", "edge_unforeseen"), ()),
        (evaluation_request(failure="unheard_of"), ("deny", "edge_unforeseen"), ()),
        (evaluation_request(failure=0), ("deny", "edge_unforeseen"), ()),
        (evaluation_request("burn", failure="low_confidence"), ("deny", "unknown_action"), ()),
        (evaluation_request(groups=()), ("deny", "outside_audience"), (6,)),
        (evaluation_request(groups=("user:robot",)), ("deny", "outside_audience"), (6,)),
        (evaluation_request(region=None), ("deny", "outside_residency"), (7,)),
        (evaluation_request(region="US"), ("deny", "outside_residency"), (7,)),
        (evaluation_request(groups=(), region="US"), ("deny", "outside_audience"), (6,)),
        (evaluation_request(groups=(), failure="personal_data"), ("deny", "outside_audience"), (6,)),
        (evaluation_request("send", amount="10"), ("deny", "malformed"), ()),
        (evaluation_request("send", amount=10.0), ("deny", "malformed"), ()),
        (evaluation_request("send", amount=-1), ("deny", "malformed"), ()),
    ],
)
def test_what_the_clauses_lead_to(asked, expected, clauses):
    found = decide(version(), PRODUCTION, asked, NOW)
    assert (found.outcome, found.code) == expected
    assert tuple(rule.number for rule in found.clauses) == clauses
    assert found.reason.endswith(".")
    assert found.version.number == 3
    assert (found.until is not None) is found.allowed
    assert (found.approval is not None) is (found.outcome == "needs_approval")


def test_who_may_approve_is_named_by_every_clause_that_asks_and_the_strictest_terms_hold():
    found = decide(
        version(), PRODUCTION, evaluation_request("send", amount=5001, failure="low_confidence"), NOW
    )
    assert found.approval == Approval(("deputy",), 30, four_eyes=False)
    both = version(
        Rule(1, "human_approval", Terms(action="send", approvers=("owner", "deputy", "sponsor"), minutes=10)),
        Rule(
            2,
            "human_approval",
            Terms(action="send", approvers=("sponsor", "owner"), minutes=20, four_eyes=True),
        ),
    )
    found = decide(both, PRODUCTION, evaluation_request("send"), NOW)
    assert found.approval == Approval(("owner", "sponsor"), 10, four_eyes=True)


def test_an_edge_initiative_alone_allows_nothing():
    alone = version(RULES[3])
    assert code(evaluation_request("send", failure="low_confidence"), of=alone) == ("deny", "unknown_action")


def test_an_error_of_the_engine_denies(monkeypatch):
    of = version()

    def trouble(*_):
        raise PolicyTrouble("Secret words of the engine")

    monkeypatch.setattr(of.policies, "ask", trouble)
    found = decide(of, PRODUCTION, evaluation_request(), NOW)
    assert (found.outcome, found.code, found.version) == ("deny", "error", of)
    assert "Secret" not in found.reason


def test_an_unsupported_stage_turns_what_was_allowed_into_what_is_asked_and_nothing_else():
    short = InitiativeCondition("production", short="evidence supports an MVP only")
    found = decide(version(), short, evaluation_request(), NOW)
    assert (found.outcome, found.code) == ("needs_approval", "unsupported")
    assert found.approval == Approval(("owner",), 60)
    assert found.reason == "A person must approve this call for now: evidence supports an MVP only."
    assert (found.until, [rule.number for rule in found.clauses]) == (None, [1])
    assert code(evaluation_request("send", amount=5001), short) == ("needs_approval", "needs_approval")
    assert code(evaluation_request("burn"), short) == ("deny", "unknown_action")
    assert code(evaluation_request(failure="personal_data"), short) == ("deny", "edge_policy")


@pytest.mark.parametrize("part", ["subject", "action", "resource"])
def test_a_request_that_is_none_is_malformed(part):
    for wrong in (None, "x", 5, [], {}):
        assert code(evaluation_request() | {part: wrong}) == ("deny", "malformed")
    asked = evaluation_request()
    del asked[part]
    assert code(asked) == ("deny", "malformed")
    assert code(evaluation_request() | {"context": "EU"}) == ("deny", "malformed")
    # The condition of the initiative is told all the same: it needs no request.
    assert code(asked, InitiativeCondition("stopped")) == ("deny", "initiative_closed")


def test_what_a_request_holds_is_repeated_short_and_in_letters():
    asked = evaluation_request("x" * 500 + "\0")
    reason = decide(version(), PRODUCTION, asked, NOW).reason
    assert reason == f"The contract does not cover the action “{'x' * 80}…”."
    reason = decide(version(), PRODUCTION, evaluation_request(failure="a\nb\0"), NOW).reason
    assert reason == "The contract has no policy for the failure “a b[U+0000]”."


# --- For how long ----------------------------------------------------------------------------------------------------


def until(now, *terms, ends=None, initiative=PRODUCTION, zone="Europe/Zurich"):
    """Until when an allowed answer holds under clauses of these terms."""
    rules = [Rule(n, "autonomy", Terms(action="draft", **one)) for n, one in enumerate(terms, 1)]
    with override_settings(TIME_ZONE=zone):
        of = version(*rules, starts=datetime(2020, 1, 1, tzinfo=UTC), ends=ends)
        found = decide(of, initiative, evaluation_request(region=None), now)
    assert found.outcome == "allow"
    assert now < found.until <= now + SECOND
    return found.until


def zurich(day, hour, minute, second=0.0, fold=0):
    whole = datetime(2026, *day, hour, minute, fold=fold, tzinfo=ZoneInfo("Europe/Zurich")).astimezone(UTC)
    return whole + timedelta(seconds=second)


def test_an_answer_holds_for_a_second():
    assert until(NOW, {}) == NOW + SECOND
    assert until(NOW, {}, ends=NOW + SECOND * 5) == NOW + SECOND


def test_an_answer_ends_with_the_version():
    assert until(NOW, {}, ends=NOW + SECOND / 4) == NOW + SECOND / 4


HALF = 59.5  # seconds: half a second before the minute is over


@pytest.mark.parametrize(
    ("terms", "now", "ends"),
    [
        ({"from_minute": 480, "until_minute": 1080}, zurich((3, 10), 17, 59, HALF), zurich((3, 10), 18, 0)),
        ({"from_minute": 1320, "until_minute": 360}, zurich((3, 10), 5, 59, HALF), zurich((3, 10), 6, 0)),
        ({"from_minute": 480, "until_minute": 1440}, zurich((3, 10), 23, 59, HALF), zurich((3, 11), 0, 0)),
        ({"weekdays": (2,)}, zurich((3, 10), 23, 59, HALF), zurich((3, 11), 0, 0)),
        ({"holds_until": date(2026, 3, 10)}, zurich((3, 10), 23, 59, HALF), zurich((3, 11), 0, 0)),
        # Clocks go from 02:00 to 03:00 on 29 March: a window until 02:30 ends at 02:00, and the day has 23 hours.
        ({"from_minute": 60, "until_minute": 150}, zurich((3, 29), 1, 59, HALF), zurich((3, 29), 3, 0)),
        ({"weekdays": (7,)}, zurich((3, 29), 23, 59, HALF), zurich((3, 30), 0, 0)),
        # They go from 03:00 back to 02:00 on 25 October: a window from 02:50 to 03:30 is interrupted.
        (
            {"from_minute": 170, "until_minute": 210},
            zurich((10, 25), 2, 59, HALF),
            zurich((10, 25), 2, 0, fold=1),
        ),
        ({"holds_until": date(2026, 10, 25)}, zurich((10, 25), 23, 59, HALF), zurich((10, 26), 0, 0)),
    ],
)
def test_an_answer_ends_when_its_clause_falls_silent(terms, now, ends):
    assert until(now, terms) == ends
    # It is so by the engine too: a moment before, the clause speaks; then it does not.
    of = version(Rule(1, "autonomy", Terms(action="draft", **terms)), starts=datetime(2020, 1, 1, tzinfo=UTC))
    with override_settings(TIME_ZONE="Europe/Zurich"):
        asked = evaluation_request(region=None)
        assert code(asked, of=of, now=ends - timedelta(microseconds=1)) == ("allow", "allowed")
        assert code(asked, of=of, now=ends) == ("deny", "not_covered")


@pytest.mark.parametrize(
    ("terms", "now"),
    [
        ({"from_minute": 0, "until_minute": 1440}, zurich((3, 10), 23, 59, HALF)),
        ({"from_minute": 1320, "until_minute": 360}, zurich((3, 10), 23, 59, HALF)),
        ({"from_minute": 1320, "until_minute": 360, "weekdays": (5,)}, zurich((3, 14), 1, 59, HALF)),
        ({"from_minute": 480, "until_minute": 1080}, zurich((3, 10), 17, 59, 58.5)),
        ({"weekdays": (2, 3)}, zurich((3, 10), 23, 59, HALF)),
        ({"holds_until": date(2026, 3, 11)}, zurich((3, 10), 23, 59, HALF)),
        # A window that the change of the clocks leaves open.
        ({"from_minute": 60, "until_minute": 200}, zurich((3, 29), 1, 59, HALF)),
        ({"from_minute": 110, "until_minute": 240}, zurich((10, 25), 2, 59, HALF)),
    ],
)
def test_an_answer_holds_for_a_second_where_its_clause_goes_on(terms, now):
    assert until(now, terms) == now + SECOND


def test_an_answer_holds_as_long_as_one_clause_that_allows_it():
    now = zurich((3, 10), 17, 59, HALF)
    day, evening = {"from_minute": 480, "until_minute": 1080}, {"from_minute": 1020, "until_minute": 1200}
    assert until(now, day, evening) == now + SECOND
    assert until(now, day, day | {"weekdays": (2,)}) == zurich((3, 10), 18, 0)


def test_a_local_moment_is_as_good_as_one_in_utc():
    # Adding to a local moment would count by the clock on the wall, which jumps.
    now = zurich((3, 29), 1, 59, HALF)
    assert until(now.astimezone(ZoneInfo("Europe/Zurich")), {}) == now + SECOND


def test_a_condition_is_not_met_by_silence():
    of = version(
        Rule(1, "autonomy", Terms(action="draft", tests=(Test("resource", "status", "differs", "open"),)))
    )
    assert code(evaluation_request(region=None), of=of) == ("deny", "not_covered")


# --- Something left out ----------------------------------------------------------------------------------------------

DRAFT = Rule(1, "autonomy", Terms(action="draft"))
ASKED = {"then": "ask", "approvers": ("owner",), "minutes": 60}
APPROVED = {"action": "draft", "approvers": ("owner",), "minutes": 60}
# What restricts `draft`, with a request that it does not concern: the attribute, its value, and the outcome without it.
RESTRICTIONS = {
    "a prohibition": (
        Rule(2, "edge_policy", Terms(tests=(Test("resource", "frozen", "equals", True),), then="refuse")),
        ("resource", "frozen", False),
        "deny",
    ),
    "a prohibition by a name that is not on a list": (
        Rule(2, "edge_policy", Terms(tests=(Test("context", "channel", "differs", "mail"),), then="refuse")),
        ("context", "channel", "mail"),
        "deny",
    ),
    "a question": (
        Rule(2, "edge_policy", Terms(tests=(Test("resource", "value", "at_least", 1000),), **ASKED)),
        ("resource", "value", 999),
        "needs_approval",
    ),
    "a prohibition for a group": (
        Rule(
            2,
            "edge_policy",
            Terms(audience=("interns",), tests=(Test("resource", "id", "equals", "1"),), then="refuse"),
        ),
        ("subject", "groups", ["staff"]),
        "deny",
    ),
    "an approval above an amount": (
        Rule(2, "human_approval", Terms(**APPROVED, over=1000, currency="EUR")),
        ("action", "amount", 1000),
        "needs_approval",
    ),
    "an approval in a currency": (
        Rule(2, "human_approval", Terms(**APPROVED, over=1000, currency="EUR")),
        ("action", "currency", "CHF"),
        "needs_approval",
    ),
    "an approval of many at once": (
        Rule(2, "human_approval", Terms(**APPROVED, most=3)),
        ("action", "count", 4),
        "needs_approval",
    ),
}
OF_ANOTHER_TYPE = {"frozen": "false", "channel": True, "currency": 7}


def with_property(part, name, value):
    """A request that states an amount and a property."""
    asked = evaluation_request(amount=2000, region=None)
    asked["action"]["properties"] |= {"currency": "EUR"} if name != "amount" else {}
    target = asked["context"] if part == "context" else asked[part].setdefault("properties", {})
    if value is None:
        target.pop(name, None)
    else:
        target[name] = value
    return asked


@pytest.mark.parametrize("name", RESTRICTIONS)
def test_a_restriction_counts_if_what_it_compares_is_left_out(name):
    restricting, (part, attribute, value), outcome = RESTRICTIONS[name]
    of = version(DRAFT, restricting)
    assert code(with_property(part, attribute, value), of=of) == ("allow", "allowed")
    missing = decide(of, PRODUCTION, with_property(part, attribute, None), NOW)
    assert missing.outcome == outcome
    assert missing.clauses == (restricting,)
    named = f"{part}.properties.groups" if attribute == "groups" else f"{part}.{attribute}"
    assert named in missing.reason
    if attribute in OF_ANOTHER_TYPE:
        other = decide(of, PRODUCTION, with_property(part, attribute, OF_ANOTHER_TYPE[attribute]), NOW)
        assert (other.outcome, other.reason) == (missing.outcome, missing.reason)


def test_a_restriction_that_is_met_is_not_explained_by_what_is_missing():
    met = Rule(2, "edge_policy", Terms(tests=(Test("resource", "frozen", "equals", True),), then="refuse"))
    unsure = Rule(3, "edge_policy", Terms(tests=(Test("resource", "level", "equals", 1),), then="refuse"))
    found = decide(version(DRAFT, met, unsure), PRODUCTION, with_property("resource", "frozen", True), NOW)
    assert (found.code, [rule.number for rule in found.clauses]) == ("edge_policy", [2, 3])
    assert "resource.level" not in found.reason


@pytest.mark.parametrize(
    ("terms", "asked", "named"),
    [
        ({"tests": (Test("resource", "level", "at_least", 3),)}, {}, "resource.level as a whole number"),
        ({"tests": (Test("resource", "done", "equals", True),)}, {}, "resource.done as true or false"),
        ({"up_to": 5000, "currency": "EUR"}, {}, "action.amount as a whole number"),
        ({"up_to": 5000, "currency": "EUR"}, {"amount": 5001}, "up to 50.00 EUR"),
        ({"from_minute": 480, "until_minute": 540}, {}, "between 08:00 and 09:00"),
        ({"weekdays": (1,)}, {}, "on Monday"),
        ({"holds_until": date(2026, 3, 9)}, {}, "until 9 March 2026"),
        ({"resource": "mail"}, {}, "mail"),
        ({"audience": ("board",)}, {}, "for board"),
        ({"most": 3}, {}, "action.count as a whole number"),
    ],
)
def test_a_call_that_no_clause_allows_learns_the_condition_that_failed(terms, asked, named):
    of = version(Rule(1, "autonomy", Terms(action="draft", **terms)))
    found = decide(of, PRODUCTION, evaluation_request(region=None, **asked), NOW)
    assert (found.outcome, found.code) == ("deny", "not_covered")
    assert named in found.reason
    assert "minor units" not in found.reason


def test_minor_units_are_explained_for_amounts_only():
    of = version(Rule(1, "autonomy", Terms(action="draft", up_to=5, currency="EUR", most=3)))
    wrong = evaluation_request(region=None, amount=1.5)
    assert "minor units" in decide(of, PRODUCTION, wrong, NOW).reason
    wrong["action"]["properties"] = {"amount": 1, "currency": "EUR", "count": 1.5}
    found = decide(of, PRODUCTION, wrong, NOW)
    assert found.code == "malformed"
    assert "minor units" not in found.reason


# --- Windows past midnight, and the end of an approval ---------------------------------------------------------------

NIGHT = {"from_minute": 1320, "until_minute": 360}  # 22:00 to 06:00


@pytest.mark.parametrize(
    ("terms", "day", "hour", "allowed"),
    [
        ({"weekdays": (5,)}, (3, 13), 21, False),
        ({"weekdays": (5,)}, (3, 13), 2, False),  # the night that began on Thursday
        ({"weekdays": (5,)}, (3, 13), 22, True),
        ({"weekdays": (5,)}, (3, 14), 2, True),
        ({"weekdays": (5,)}, (3, 14), 6, False),
        ({"weekdays": (7,)}, (3, 16), 2, True),  # from Sunday to Monday
        ({"holds_from": date(2026, 3, 13)}, (3, 13), 2, False),
        ({"holds_until": date(2026, 3, 13)}, (3, 14), 2, True),
        ({"holds_until": date(2026, 3, 13)}, (3, 14), 22, False),
    ],
)
def test_a_window_past_midnight_belongs_to_the_day_on_which_it_begins(terms, day, hour, allowed):
    of = version(
        Rule(1, "autonomy", Terms(action="draft", **NIGHT, **terms)), starts=datetime(2020, 1, 1, tzinfo=UTC)
    )
    with override_settings(TIME_ZONE="Europe/Zurich"):
        answer = code(evaluation_request(region=None), of=of, now=zurich(day, hour, 0))
    assert answer == (("allow", "allowed") if allowed else ("deny", "not_covered"))


def test_an_answer_ends_when_a_restriction_begins():
    refusing = Terms(
        tests=(Test("resource", "id", "equals", "1"),), then="refuse", from_minute=1080, until_minute=1200
    )
    of = version(DRAFT, Rule(2, "edge_policy", refusing))
    with override_settings(TIME_ZONE="Europe/Zurich"):
        now = zurich((3, 10), 17, 59, HALF)
        assert decide(of, PRODUCTION, evaluation_request(region=None), now).until == zurich((3, 10), 18, 0)


REFUSED_FROM_SIX = Terms(
    tests=(Test("resource", "id", "equals", "1"),), then="refuse", from_minute=1080, until_minute=1200
)
SCOPED = InitiativeCondition("mvp", bound=Bound(ends_on=date(2026, 3, 10)))


@pytest.mark.parametrize(
    ("rules", "initiative", "now", "minutes", "ends"),
    [
        ([Terms()], PRODUCTION, zurich((3, 10), 17, 30), 60, zurich((3, 10), 18, 30)),
        (
            [Terms(from_minute=480, until_minute=1080)],
            PRODUCTION,
            zurich((3, 10), 17, 30),
            60,
            zurich((3, 10), 18, 0),
        ),
        (
            [Terms(from_minute=480, until_minute=1080)],
            PRODUCTION,
            zurich((3, 10), 9, 30),
            60,
            zurich((3, 10), 10, 30),
        ),
        ([Terms(**NIGHT, weekdays=(5,))], PRODUCTION, zurich((3, 13), 23, 0), 2880, zurich((3, 14), 6, 0)),
        (
            [Terms(holds_until=date(2026, 3, 10))],
            PRODUCTION,
            zurich((3, 10), 23, 0),
            2880,
            zurich((3, 11), 0, 0),
        ),
        ([Terms(), REFUSED_FROM_SIX], PRODUCTION, zurich((3, 10), 17, 30), 60, zurich((3, 10), 18, 0)),
        ([Terms()], SCOPED, zurich((3, 10), 23, 30), 60, zurich((3, 11), 0, 0)),
        # Clocks go from 02:00 to 03:00 on 29 March, so a window until 02:30 ends at 03:00.
        (
            [Terms(from_minute=60, until_minute=150)],
            PRODUCTION,
            zurich((3, 29), 1, 30),
            180,
            zurich((3, 29), 3, 0),
        ),
        # They go from 03:00 back to 02:00 on 25 October, so a window from 02:30 ends in between.
        (
            [Terms(from_minute=150, until_minute=240)],
            PRODUCTION,
            zurich((10, 25), 2, 45),
            180,
            zurich((10, 25), 2, 0, fold=1),
        ),
    ],
)
def test_an_approval_ends_when_the_contract_denies_the_call(rules, initiative, now, minutes, ends):
    made = [
        Rule(number, "edge_policy", terms)
        if terms.then
        else Rule(
            number, "human_approval", replace(terms, action="draft", approvers=("owner",), minutes=minutes)
        )
        for number, terms in enumerate(rules, 1)
    ]
    of = version(*made, starts=datetime(2020, 1, 1, tzinfo=UTC))
    asked = evaluation_request(region=None)
    with override_settings(TIME_ZONE="Europe/Zurich"):
        assert decide(of, initiative, asked, now).outcome == "needs_approval"
        assert approval_ends(of, initiative, asked, now, minutes) == ends
