"""The rulebook text becomes a ParsedRulebook, or a list of problems that say where and how to fix them."""

import hashlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.rulebook import ParsedRulebook, RulebookErrors, parse, shipped_text
from tests.support.rules.artefact_rules import with_forms
from tests.support.rules.rulebook_editing import read, with_values, without_requirement

TEXT = shipped_text()
ROWS = TEXT.split("\n")


@pytest.fixture(scope="module")
def rulebook() -> ParsedRulebook:
    return parse(TEXT)


def row(key: str) -> str:
    """The whole [[...]] block of the requirement or criterion with this key."""
    return next(block for block in re.split(r"\n(?=\[)", TEXT) if f'\nkey = "{key}"\n' in block)


def edited(key: str, old: str, new: str) -> str:
    """The default text with one change inside the block of this key."""
    assert row(key).count(old) == 1, (key, old)
    return TEXT.replace(row(key), row(key).replace(old, new))


def swapped(old: str, new: str) -> str:
    """The default text with its only occurrence of `old` replaced."""
    assert TEXT.count(old) == 1, old
    return TEXT.replace(old, new)


def problems(text: str):
    with pytest.raises(RulebookErrors) as caught:
        parse(text)
    return caught.value.problems


def test_default_counts(rulebook):
    own = [requirement for requirement in rulebook.requirements.values() if requirement.own_of]
    assert len(rulebook.requirements) - len(own) == 59
    assert len(own) == 12
    assert all(r.own_of == r.key and r.group == "own" for r in own)
    assert len(rulebook.criteria) == 35
    assert {key: len(gate.criteria) for key, gate in rulebook.gates.items()} == {
        "prototype": 2,
        "mvp": 9,
        "production": 16,
        "stop": 3,
        "retire": 5,
    }
    assert {key: len(rulebook.requirements_at(key)) for key in rulebook.gates} == {
        "prototype": 8,
        "mvp": 22,
        "production": 43,
        "stop": 3,
        "retire": 5,
    }
    assert len(rulebook.scale_items) == 27
    assert len(rulebook.standards) == 9
    assert len(rulebook.stages) == 5


def test_default_figures(rulebook):
    assert rulebook.version == "1.0"
    assert rulebook.freshness.warn_days_before == (30, 14, 3)
    assert rulebook.freshness.waiver_max_days == 90
    assert rulebook.freshness.retention_days == 730
    assert rulebook.stages["production"].reattest_days_high == 180
    assert next(iter(rulebook.standards)) == "funding"
    assert list(rulebook.standards)[-1] == "promotion_criteria"
    assert rulebook.contract.default_when_nobody_answers == "deny"
    assert rulebook.crosswalk_frameworks() == ("eu_ai_act", "iso_42001", "nist_ai_rmf", "soc2")
    assert rulebook.result_kinds == {
        "test_report",
        "drill_record",
        "telemetry",
        "log_sample",
        "user_research",
    }
    assert rulebook.condition_kinds == {"test_report", "user_research"}
    assert rulebook.detailed_kinds == {"test_report", "log_sample", "user_research", "decision_record"}
    assert "telemetry" in rulebook.register_kinds
    assert rulebook.waivers_max == 3


def test_kinds_with_a_form_and_kinds_of_registers_are_said_by_the_text():
    later = parse(with_forms(("test_report",), ("telemetry", "system_record")))
    assert later.detailed_kinds == {"test_report"}
    assert later.register_kinds == {"telemetry", "system_record"}


def test_carry_forward(rulebook):
    assert set(rulebook.carry.frozen) == {"mvp", "production"}
    assert {"proto.question", "mvp.lessons_read"} <= rulebook.carry.frozen["mvp"]
    assert rulebook.carry.frozen["production"] == {"production.lessons_captured"}
    assert rulebook.carry.ended_at_production == {"mvp.rollout"}
    assert rulebook.carry.replaced_at_production["mvp.duty"] == "prod.q02_support"


def test_days_follow_the_tier(rulebook):
    drill = rulebook.requirements["prod.q10_outage"]
    assert (drill.days(""), drill.days("high"), drill.grace_days) == (365, 180, 14)
    owner = rulebook.requirements["mvp.owner"]
    assert owner.days("high") == owner.days("") == 180
    assert owner.blocking
    assert not rulebook.requirements["int.systems_owned"].blocking


def test_own_evidence_is_a_requirement(rulebook):
    own = rulebook.requirements["retire.replacement"]
    assert (own.stage, own.answered_by, own.evidence, own.triggers) == (
        "production",
        "business_owner",
        ("document",),
        (),
    )
    assert own.grace_days is own.min_evidence is own.min_condition is None
    assert rulebook.requirements["stop.reason"].stage == ""
    assert rulebook.criteria["production.business_depends"].requirements[-1] == "production.business_depends"


def test_scale_test_gives_its_items(rulebook):
    assert (
        rulebook.criteria["production.test_adoption"].requirements == rulebook.scale_tests["adoption"].items
    )


def test_gates(rulebook):
    production = rulebook.gates["production"]
    assert rulebook.gate_to("production") is production
    assert rulebook.gate_to("proposed") is None
    assert (production.quorum_for("limited"), production.quorum_for(None), production.quorum_for("high")) == (
        5,
        5,
        6,
    )
    assert rulebook.gates["prototype"].seats == ("business_value",)
    assert len(set(production.requirements())) == len(production.requirements())
    assert not rulebook.criteria["stop.cleanup"].blocking
    assert rulebook.criteria["stop.reason"].blocking
    assert rulebook.deferred("stop") == {"stop.postmortem", "stop.cleanup"}
    assert not rulebook.deferred(production)


def test_the_first_gate_asks_nothing_of_a_past_that_an_idea_does_not_have(rulebook):
    asked = [rulebook.requirements[key] for key in rulebook.gates["prototype"].requirements()]
    past = re.compile(r"\b(was|were|been|did|used)\b")
    assert [one.key for one in asked if past.search(f"{one.question} {one.counts}")] == []


def test_who_asks_for_what(rulebook):
    assert {c.key for c in rulebook.criteria_using("int.residency")} == {
        "mvp.residency_screen",
        "production.test_integration",
    }
    assert rulebook.seats_for("int.inventory", "mvp") == ("security_privacy", "architecture_integration")
    assert [c.key for c in rulebook.criteria_of("retire", "service_operations")] == ["retire.replacement"]
    assert rulebook.listing("record_owner") == {"gov.record_owner"}
    assert rulebook.listing("unheard_of") == frozenset()


def test_what_may_be_waived(rulebook):
    assert rulebook.waivable_requirement("mvp.problem")
    assert not rulebook.waivable_requirement("mvp.owner")
    assert not any(rulebook.waivable_requirement(key) for key in rulebook.scale_items)
    assert rulebook.waivable_criterion("mvp.workflow_known")
    assert not rulebook.waivable_criterion("production.test_adoption")
    loose = parse(edited("gov.autonomy", "waivable = false", "waivable = true"))
    assert loose.requirements["gov.autonomy"].waivable
    assert not loose.waivable_requirement("gov.autonomy")


def test_same_text_same_rulebook(rulebook):
    assert rulebook.digest == hashlib.sha256(TEXT.encode()).hexdigest() == parse(TEXT).digest
    assert parse(TEXT) == rulebook
    assert hash(parse(TEXT)) == hash(rulebook)
    assert parse(TEXT + "\n# a note\n") != rulebook


Q10, FIRST = "prod.q10_outage", "proto.question"
# name: text, a marker that begins the blamed line, the place, words of what is wrong, words of the remedy
BROKEN = {
    "unknown top key": ("colour = 1\n" + TEXT, "colour", "colour", '"colour" is not known', "remove it"),
    "unknown key": (
        edited(FIRST, "fresh_days", "fresh_dayz"),
        "fresh_dayz",
        f"requirement {FIRST}",
        "not known",
        '"fresh_days"',
    ),
    "missing key": (
        edited(FIRST, 'why_fresh = "a', '# "a'),
        "[[requirement]]",
        f"requirement {FIRST}",
        '"why_fresh" is missing',
        "add",
    ),
    "wrong type": (
        edited(Q10, "grace_days = 14", 'grace_days = "14"'),
        'grace_days = "14"',
        f"requirement {Q10}",
        "wrong type",
        "whole number",
    ),
    "flag as a text": (
        edited("mvp.owner", "waivable = false", 'waivable = "no"'),
        'waivable = "no"',
        "requirement mvp.owner",
        "wrong type",
        "true or false",
    ),
    "evidence kind": (
        edited(FIRST, '["attestation", ', '["atestation", '),
        'evidence = ["atest',
        f"requirement {FIRST}",
        "evidence kind",
        '"attestation"',
    ),
    "trigger": (
        edited(FIRST, '["scope"]', '["scop"]'),
        'triggers = ["scop"]',
        f"requirement {FIRST}",
        "trigger",
        '"scope"',
    ),
    "layer": (
        edited(FIRST, '"application"', '"aplication"'),
        'layer = "apl',
        f"requirement {FIRST}",
        "layer",
        '"application"',
    ),
    "stage": (
        edited(FIRST, 'stage = "prototype"', 'stage = "protoype"'),
        'stage = "protoy',
        f"requirement {FIRST}",
        "stage",
        '"prototype"',
    ),
    "role": (
        edited(FIRST, '"business_owner"', '"owner"'),
        'answered_by = "owner"',
        f"requirement {FIRST}",
        "role",
        "business_owner, technical_lead",
    ),
    "seat": (
        edited("stop.cleanup", '"architecture_integration"', '"architects"'),
        'seat = "architects"',
        "criterion stop.cleanup",
        "seat",
        "architecture_integration",
    ),
    "gate": (
        edited("stop.cleanup", '"stop"', '"stopp"'),
        'gate = "stopp"',
        "criterion stop.cleanup",
        "gate",
        '"stop"',
    ),
    "requirement": (
        edited("mvp.named_owner", '"mvp.duty"', '"mvp.dutty"'),
        'requirements = ["mvp.owner", "mvp.dutty"',
        "criterion mvp.named_owner",
        "mvp.dutty",
        '"mvp.duty"',
    ),
    "min evidence": (
        edited("mvp.workflow", 'min_evidence = "document"', 'min_evidence = "telemetry"'),
        'min_evidence = "telemetry"\nfresh_days = 365\ntriggers = ["workflow", "know',
        "requirement mvp.workflow",
        "is not in the evidence",
        "document, user_research",
    ),
    "min condition unknown": (
        edited("prod.performance", '"bounded_real"', '"bounded"'),
        'min_condition = "bounded"',
        "requirement prod.performance",
        "test condition",
        '"bounded_real"',
    ),
    "min condition uncarried": (
        edited(Q10, "grace_days = 14", 'min_condition = "curated"'),
        'min_condition = "curated"\n\n',
        f"requirement {Q10}",
        "never be met",
        "test_report",
    ),
    "negative days": (
        edited(FIRST, "180", "-180"),
        "fresh_days = -180",
        f"requirement {FIRST}",
        "wrong type",
        "from 0",
    ),
    "endless days": (
        edited(FIRST, "180", "99999999"),
        "fresh_days = 99",
        f"requirement {FIRST}",
        "wrong type",
        "36500",
    ),
    "same requirement key": (
        edited("proto.scope", "proto.scope", FIRST),
        (
            f'key = "{FIRST}"\nstage = "prototype"\ngroup = "stage"\nlayer = "application"\n'
            'origin = "seed"\nquestion = "What is'
        ),
        f"requirement {FIRST}",
        "used twice",
        "a different key",
    ),
    "criterion and requirement": (
        edited("stop.cleanup", "stop.cleanup", FIRST),
        f'key = "{FIRST}"\ngate',
        f"criterion {FIRST}",
        "used twice",
        "a different key",
    ),
    "gate without criteria": (
        TEXT.replace('gate = "retire"', 'gate = "stop"'),
        "[gates.retire]",
        "gates.retire",
        "no criteria",
        "[[criterion]]",
    ),
    "must include": (
        swapped('must_include = ["service_operations"]', 'must_include = ["risk_compliance"]'),
        'must_include = ["risk_',
        "gates.retire.must_include",
        "no criterion at this gate",
        "remove the seat from must_include",
    ),
    "quorum too large": (
        swapped("quorum = 3", "quorum = 6"),
        "quorum = 6",
        "gates.mvp.quorum",
        "larger than the 5 seats",
        "5 or less",
    ),
    "quorum too small": (
        swapped("quorum = 3", "quorum = 1\n#"),
        "quorum = 1\n#",
        "gates.mvp.quorum",
        "smaller than the 2",
        "2 or more",
    ),
    "quorum of nobody": (
        swapped('quorum = 1\nmust_include = ["business_value"]', "quorum = 0\nmust_include = []"),
        'quorum = 0\nmust_include = []\nnote = "Light',
        "gates.prototype.quorum",
        "without any signature",
        "1 or more",
    ),
    "quorum for high risk": (
        swapped("quorum_high_risk = 6", "quorum_high_risk = 4"),
        "quorum_high_risk = 4",
        "gates.production.quorum_high_risk",
        "is smaller than quorum",
        "5 or more",
    ),
    "has no requirements": (
        edited("mvp.lessons_read", 'evidence = ["attestation", "document"]\n', ""),
        '[[criterion]]\nkey = "mvp.lessons_read"',
        "criterion mvp.lessons_read",
        "has no requirements",
        "scale_test",
    ),
    "own evidence without days": (
        edited("mvp.lessons_read", "fresh_days = 90\n", ""),
        '[[criterion]]\nkey = "mvp.lessons_read"',
        "criterion mvp.lessons_read",
        "no fresh_days",
        "add fresh_days",
    ),
    "days without evidence": (
        edited("mvp.named_owner", "seat =", "fresh_days = 9\nseat ="),
        "fresh_days = 9\n",
        "criterion mvp.named_owner",
        "no effect",
        "remove",
    ),
    "scale test item": (
        swapped('"gov.record_owner", "gov.enforced", "gov.impact", "prod.q06_human_review"', '"gov.records"'),
        'items = ["gov.autonomy"',
        "scale_tests.governance.items",
        "gov.records",
        "did you mean",
    ),
    "scale test waived": (
        edited("production.test_adoption", "waivable = false", "waivable = true"),
        (
            'waivable = true\ncrosswalk = { nist_ai_rmf = ["MEASURE 4.2", "MEASURE 4.3"], '
            'iso_42001 = ["A.9.3", "A.8.2"]'
        ),
        "criterion production.test_adoption",
        "never be waived",
        "false",
    ),
    "scale test unasked": (
        edited("production.test_adoption", '"blocking"', '"advisory"'),
        "[scale_tests.adoption]",
        "scale_tests.adoption",
        "no blocking criterion",
        "add a criterion",
    ),
    "carried key": (
        swapped('ended_at_production = ["mvp.rollout"]', 'ended_at_production = ["mvp.rolout"]'),
        "ended_at",
        "carry_forward.ended_at_production",
        "mvp.rolout",
        '"mvp.rollout"',
    ),
    "carried twice": (
        swapped('ended_at_production = ["mvp.rollout"]', 'ended_at_production = ["mvp.risk"]'),
        "ended_at",
        "carry_forward.ended_at_production",
        "live_at_production",
        "one of the two",
    ),
    "replacement": (
        swapped('"mvp.owner" = "prod.q01_outcome_owner"', '"mvp.owner" = "prod.q01"'),
        '"mvp.owner" = "prod.q01"',
        "carry_forward.replaced_at_production",
        "prod.q01",
        "did you mean",
    ),
    "a form for a kind that has none": (
        swapped('details = ["test_report",', 'details = ["test_reports",'),
        "details =",
        "evidence_carries.details",
        'the kind with a form "test_reports"',
        'did you mean "test_report"',
    ),
    "a register of a kind that people add": (
        swapped('registers = ["attestation",', 'registers = ["document",'),
        "registers =",
        "evidence_carries.registers",
        'the kind of a register "document"',
        "use a known kind of a register",
    ),
    "replaced in a circle": (
        swapped("[evidence_carries]", '"prod.q02_support" = "mvp.duty"\n[evidence_carries]'),
        '"prod.q02_support" =',
        "carry_forward.replaced_at_production.prod.q02_support",
        "circle",
        "one of the replacements",
    ),
    "long waiver": (
        swapped("waiver_max_days = 90", "waiver_max_days = 91"),
        "waiver_max_days",
        "freshness.waiver_max_days",
        "at most 90",
        "90 or less",
    ),
    "warnings": (
        swapped("[30, 14, 3]", "[3, 14, 30]"),
        "warn_days_before",
        "freshness.warn_days_before",
        "not in descending order",
        "[30, 14, 3]",
    ),
    "retention": (
        swapped("grace_days = 14\nowner", "grace_days = 14\nretention_days = 729\nowner"),
        "retention_days",
        "freshness.retention_days",
        "730",
        "730 or more",
    ),
    "crosswalk": (
        edited(FIRST, '["CC3.1"]', '"CC3.1"'),
        'crosswalk = { nist_ai_rmf = ["MAP 1.1", "MAP 2.1"]',
        f"requirement {FIRST}",
        "wrong type",
        "lists of texts",
    ),
    "blank version": (swapped('"1.0"', '" "'), "version", "version", "blank", "text between quotes"),
    "negative due days": (
        edited("retire.access_closed", "due_days = 14", "due_days = -1"),
        "due_days = -1",
        "criterion retire.access_closed",
        "wrong type",
        "from 0",
    ),
    "evidence twice": (
        swapped(
            '"user_usefulness", "bounded_business_value", "man',
            '"workflow_fit", "bounded_business_value", "man',
        ),
        "declared_goals",
        "criterion production.mvp_goals",
        'names "workflow_fit" twice',
        "once",
    ),
    "where a gate leads": (
        swapped('to = "prototype"', 'to = "mvp"'),
        'to = "mvp"\nquorum = 1',
        "gates.prototype.to",
        "moves are fixed",
        '"prototype"',
    ),
    "where a gate starts": (
        swapped('from = ["mvp"]', 'from = ["prototype"]'),
        'from = ["prototype"]\nto = "production"',
        "gates.production.from",
        "moves are fixed",
        "name mvp",
    ),
    "missing risk tier": (
        swapped('\nlimited = "', '\nsome = "'),
        "[risk_tiers]",
        "risk_tiers",
        '"limited" is missing',
        "add",
    ),
    "missing gate": (
        swapped("[gates.prototype]", "[gates.prototyp]"),
        "[gates.prototyp]",
        "gates.prototyp",
        "not known",
        '"prototype"',
    ),
    "both clause lists": (
        swapped('["audience"', '["autonomy"'),
        "other_clauses",
        "contract.other_clauses",
        "both required and optional",
        "one of the two",
    ),
    "syntax": (
        edited(FIRST, "fresh_days = 180", "fresh_days = "),
        "fresh_days = \n",
        "syntax",
        "not valid TOML",
        "correct this line",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_text_says_where_and_how(name):
    text, marker, place, what, remedy = BROKEN[name]
    # A table of a list begins wherever it first stands; any other heading only at the start of a line.
    begin = text.index(marker) if marker == "[[requirement]]" else ("\n" + text).index("\n" + marker)
    line = text.count("\n", 0, begin) + 1
    found = problems(text)
    assert any(
        p.line == line and p.key.startswith(place) and what in p.what and remedy in p.remedy for p in found
    ), f"expected line {line}, {place}: {what} / {remedy}, found\n" + "\n".join(map(str, found))


def test_all_problems_at_once_in_order():
    text = (
        BROKEN["long waiver"][0]
        .replace('version = "1.0"', 'version = ""')
        .replace('"proto.scope"', '"proto.skope"', 1)
    )
    with pytest.raises(RulebookErrors) as caught:
        parse(text)
    lines = [problem.line for problem in caught.value.problems]
    assert len(lines) >= 3
    assert lines == sorted(lines)
    for said, problem in zip(str(caught.value).split("\n"), caught.value.problems, strict=True):
        assert said == f"line {problem.line} ({problem.key}): {problem.what} Fix: {problem.remedy}"


def test_lines_survive_texts_and_lists_over_several_lines():
    text = edited(
        "proto.question", 'counts = "one', 'counts = """\nkey = [ "not a key"\n""" # [not.a.heading]\n#"one'
    )
    text = text.replace(
        "warn_days_before = [30, 14, 3]", "warn_days_before = [\n  30, # a ] bracket\n  14,\n  3,\n]"
    )
    text = text.replace('group = "contract"', 'group = "kontract"', 1)
    (problem,) = problems(text)
    assert text.split("\n")[problem.line - 1] == 'group = "kontract"'
    assert problem.key == "requirement gov.autonomy"


@pytest.mark.parametrize(
    "text",
    ["", "[", "requirement = 3", "gates = []", "criterion = [1, {}]", "a = \ud800", "x = " + "[" * 5000],
)
def test_nonsense_is_refused_in_the_same_way(text):
    assert all(problem.line >= 1 and problem.remedy for problem in problems(text))


def refused_or_read(text: str):
    found = []
    try:
        parse(text)
    except RulebookErrors as error:
        found = error.problems
        if not found:
            pytest.fail("refused without saying why")
    assert all(1 <= problem.line <= text.count("\n") + 1 for problem in found)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, len(ROWS) - 1))
def test_a_lost_line_raises_nothing_else(number):
    refused_or_read("\n".join(ROWS[:number] + ROWS[number + 1 :]))


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from([n for n, line in enumerate(ROWS) if re.match(r'[\w".]+ = ', line)]),
    st.sampled_from(
        ["0", "-1", "true", '""', '"x"', "[]", "[1]", '["x", "x"]', "{}", "{ a = 1 }", "1.5", "2026-01-01"]
    ),
)
def test_a_strange_value_raises_nothing_else(number, value):
    name = ROWS[number].split(" = ")[0]
    refused_or_read("\n".join([*ROWS[:number], f"{name} = {value}", *ROWS[number + 1 :]]))


def test_a_number_in_place_of_the_tiers_that_are_left_out_raises_nothing_else():
    """Generated values find one place in a thousand: an item of a scale test."""
    places = [n for n, line in enumerate(ROWS) if line.startswith("left_out = ")]
    assert places
    for number in places:
        refused_or_read("\n".join([*ROWS[:number], "left_out = 0", *ROWS[number + 1 :]]))


@pytest.mark.parametrize("written", ["\u202e", "\\u202e", "\u200b", "\\U000e0041", "\\u0000"])
def test_a_rulebook_with_a_character_that_readers_cannot_see_is_refused_by_its_line(written):
    text = shipped_text()
    at = text.index('question = "') + len('question = "')
    with pytest.raises(RulebookErrors) as refused:
        parse(text[:at] + written + text[at:])
    (problem,) = refused.value.problems
    assert problem.line == text.count("\n", 0, at) + 1
    assert "readers cannot see: U+" in problem.what


def test_a_scale_test_keeps_three_items_at_each_tier():
    """Of four items of the integration test that are asked at minimal risk one may go, the next may not."""
    fewer = without_requirement(read(shipped_text()), "int.residency")
    with pytest.raises(RulebookErrors, match="the scale test integration has 2 items at minimal risk"):
        without_requirement(fewer, "int.sources_condition")
    place = ("requirement", "int.fallback")
    left_out = {(*place, "level", "minimal"): None, (*place, "left_out", "minimal"): "none runs"}
    with pytest.raises(RulebookErrors, match="scale test integration"):
        with_values(fewer, left_out)


def test_a_criterion_asks_for_something_and_production_is_accepted_again_one_day():
    text = read(shipped_text())
    with pytest.raises(RulebookErrors, match="this criterion has no requirements"):
        without_requirement(text, "int.systems_owned")
    with pytest.raises(RulebookErrors, match="reattest_days"):
        with_values(text, {("stages", "production", "reattest_days"): None})
