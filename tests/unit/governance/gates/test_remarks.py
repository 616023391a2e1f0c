"""Remarks: which counts a text states, what differs from what was counted, and words used again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from governance import clock
from governance.gates import remarks, sign_off_statement
from governance.gates.criteria import judge
from governance.gates.gate_inputs import Reply
from tests.support.rules.gate_facts import AT, LONG_AGO, MODEL, RULEBOOK, everything

LOG, TEST = "log_sample", "test_report"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Forty logged calls", [(40, "calls")]),
        ("200 traced results", [(200, "results")]),
        ("Two hundred and forty-one calls of June", [(241, "calls")]),
        ("1,204 rows, one call", [(1204, "rows"), (1, "calls")]),
        ("twenty-five requests and three hundred ten calls", [(25, "requests"), (310, "calls")]),
        ("Calls of 3 November 2026", []),
        ("On 3 days, 40 calls", [(40, "calls")]),
        ("0.93 of the calls", []),
        ("Forty people. Calls were logged.", []),
        ("Version 2 of the very long calls", []),
        ("Answered calls", []),
        ("one calls", [(1, "calls")]),
        ("4 call centres", []),
        ("", []),
    ],
)
def test_a_count_is_found_with_the_noun_that_it_counts(text, found):
    assert remarks.counts_in(text, remarks.OF_LOG) == found


@pytest.mark.parametrize(
    ("kind", "title", "details", "said"),
    [
        (LOG, "Forty logged calls", {"rows": 4}, "stated 40, found 4"),
        (LOG, "Forty logged calls", {"rows": 40}, ""),
        (LOG, "Log of two systems", {"rows": 4}, ""),
        (TEST, "Accuracy", {"n": 240, "file_rows": 4}, "stated 240, found 4"),
        (TEST, "Accuracy", {"n": 240, "file_rows": 240}, ""),
        (TEST, "Accuracy", {"n": 240}, ""),
        ("user_research", "Interviews", {"n": 12, "file_rows": 3}, "stated 12, found 3"),
        ("document", "Forty rows", {"file_rows": 4}, ""),
        ("document", "Plan", {"characters": 10}, "10 characters, no table, no page"),
    ],
)
def test_what_an_item_states_stands_beside_what_was_counted(kind, title, details, said):
    assert remarks.of_item(kind, title, details, remarks.KnownNames("AI-0001")) == said


KNOWN = remarks.KnownNames("AI-0001", frozenset(["Letters of May, v2"]), frozenset(["Customer ledger"]))


@pytest.mark.parametrize(
    ("details", "said"),
    [
        ({"data_set": "letters of May, version 2"}, ""),
        ({"data_set": "Extract of the customer ledger"}, ""),
        ({"data_set": "May"}, ""),
        (
            {"data_set": "Invoices of June"},
            "names data set Invoices of June, which AI-0001 did not record",
        ),
        ({}, ""),
    ],
)
def test_a_name_that_is_not_recorded_is_said(details, said):
    assert remarks.other_data_set(details, KNOWN) == said
    assert remarks.of_item("document", "Plan", details, KNOWN) == said
    assert remarks.other_data_set(details, remarks.KnownNames("AI-0001")) == "", "nothing is recorded yet"


def answered(text, key="int.inventory", **fields):
    facts = everything("mvp", **fields)
    return replace(facts, answers=facts.answers | {key: Reply("answered", text, 1, LONG_AGO)})


def test_the_answer_about_links_is_compared_with_the_register():
    register = ((LONG_AGO, None), (LONG_AGO, AT - timedelta(days=1)))
    said = answered("Two links: ledger and order system.", described=register)
    assert remarks.of_answer(said, "int.inventory", AT) == ["Stated 2, found 1 in the integration register."]
    before = AT - timedelta(days=2)
    assert remarks.of_answer(said, "int.inventory", before) == [], "both links stood there then"
    assert remarks.of_answer(answered("Two links."), "int.inventory", AT) == [], "nothing is described"
    assert remarks.of_answer(answered("One link.", described=register), "int.inventory", AT) == []


def test_the_words_of_an_answer_are_compared_with_the_rows_of_its_only_item():
    said = answered("Forty calls are logged.", "prod.q03_logged")
    (item,) = said.items_for("prod.q03_logged")
    counted = replace(item, kind=LOG, rows=4)
    facts = replace(said, items=tuple(counted if one is item else one for one in said.items))
    assert remarks.of_answer(facts, "prod.q03_logged", AT) == [f"Stated 40, found 4 in “{item.title}”."]
    gone = replace(counted, withdrawn_at=AT)
    facts = replace(said, items=tuple(gone if one is item else one for one in said.items))
    assert remarks.of_answer(facts, "prod.q03_logged", AT) == []


def test_a_drill_of_a_failing_source_without_a_link_in_use_is_remarked():
    (item, *_) = everything("mvp").items
    drill = replace(item, kind="drill_record", tested="fallback", link=None)
    assert remarks.without_link(drill) == "is about no link in use"
    for other in ({"link": 7}, {"tested": "escalation"}, {"kind": TEST}):
        assert remarks.without_link(replace(drill, **other)) == ""


def test_a_log_that_names_another_model_than_ran_on_its_day_is_remarked():
    key = "prod.q03_logged"
    said = answered("Every call is logged.", key, deployments=(replace(MODEL, names=frozenset({"m-4"})),))
    (item,) = said.items_for(key)

    def told(facts, **fields):
        items = tuple(replace(one, **fields) if one is item else one for one in facts.items)
        return remarks.of_answer(replace(facts, items=items), key, AT)

    assert told(said, models=("M-4", "m-4-2026-08-06")) == []
    day = f"{item.observed_on:%-d %B %Y}"
    named = f"“{item.title}” names the model m-3, which did not run on {day}."
    assert told(said, models=("m-4", "m-3")) == [named]
    assert told(said, models=("m-3",), withdrawn_at=AT) == []
    assert told(replace(said, deployments=()), models=("m-3",)) == [], "no model is recorded"
    ended = replace(said.deployments[0], until=clock.midnight_before(item.observed_on))
    other = replace(MODEL, id=2, since=ended.until, names=frozenset({"m-3"}))
    assert told(replace(said, deployments=(ended, other)), models=("m-3",)) == []
    assert len(told(replace(said, deployments=(ended, other)), models=("m-4",))) == 1


def test_the_statement_says_what_is_remarked_and_a_new_remark_stales():
    before = everything("mvp")
    keys = [key for key in before.answers if key in RULEBOOK.scale_tests["governance"].items]
    unique = {key: replace(one, text=key) for key, one in before.answers.items()}
    before = replace(before, answers=unique)
    again = {
        **unique,
        keys[0]: replace(unique[keys[0]], text="Yes."),
        keys[1]: replace(unique[keys[1]], text="Yes."),
    }
    after = replace(before, answers=again)

    def covered(facts):
        return sign_off_statement.seat_facts(judge(facts, RULEBOOK, AT), "production", "risk_compliance")

    class Signer:
        pk, full_name = 12, "Ines Okafor"

    def text(facts):
        return sign_off_statement.write(
            RULEBOOK, covered(facts), person=Signer(), board="Board", verdict="approve", at=AT
        )

    assert "Remark" not in text(before)
    assert "    Remark: Same words as 1 other answer.\n" in text(after)
    stale = sign_off_statement.stale_reasons(covered(before), judge(after, RULEBOOK, AT), AT)
    assert any(one.startswith("an answer has a new remark: ") for one in stale)
    few = replace(before, items=tuple(replace(one, remarks="stated 40, found 4") for one in before.items))
    assert "    Remark: stated 40, found 4.\n" in text(few)


def test_a_suite_of_tests_that_a_pipeline_ran_is_no_data_set():
    known = remarks.KnownNames("AI-0001", frozenset(["claims"]), frozenset())
    named = {"data_set": "Test suite: exceptions"}
    assert "did not record" in remarks.other_data_set(named, known)
    assert remarks.other_data_set(named | {remarks.SUITE: True}, known) == ""
