"""What each kind of evidence holds: fields that only the thing fits, a sentence for each that is missing."""

from datetime import date

import pytest

from governance.files.log_samples import Counted
from governance.files.plain_text import emptiness
from governance.gates.remarks import KnownNames
from governance.rulebook.schema import FIXED
from governance.vocabulary import EvidenceKind
from initiatives.lifecycle.evidence import artefact_kinds
from initiatives.lifecycle.evidence.artefact_kinds import check, counts_as, in_words, line, read
from tests.support.rules.artefact_rules import GIVEN

KNOWN = KnownNames("AI-0001")

TODAY = date(2026, 6, 1)


def test_every_kind_that_a_rulebook_may_hold_to_a_form_has_one_and_every_other_a_source():
    assert set(FIXED["kind with a form"]) == set(artefact_kinds.FORMS) == set(artefact_kinds.LEDES)
    assert set(FIXED["kind of a register"]) == set(artefact_kinds.SOURCES)
    assert set(artefact_kinds.FORMS) | set(artefact_kinds.SOURCES) == set(EvidenceKind) - {"document"}


@pytest.mark.parametrize("kind", GIVEN)
def test_a_full_form_is_taken_and_each_field_that_lacks_is_named(kind):
    assert check(kind, GIVEN[kind], result="pass", today=TODAY) == {}
    for one in artefact_kinds.FORMS[kind]:
        wrong = check(kind, GIVEN[kind] | {one.name: " "}, result="pass", today=TODAY)
        assert wrong == {one.name: one.missing}
    assert len(check(kind, {}, result="pass", today=TODAY)) == len(artefact_kinds.FORMS[kind])


@pytest.mark.parametrize(
    ("kind", "name", "given", "said"),
    [
        ("test_report", "data_set", "xxx", "one character"),
        ("test_report", "data_set", "same same", "one word"),
        ("test_report", "data_set", "long " * 60, "at most 200"),
        ("test_report", "n", "0", "Enter 1 or more"),
        ("test_report", "n", "-3", "Enter the number"),
        ("test_report", "n", "many", "Enter the number"),
        ("test_report", "n", "12,5", "Enter the number"),
        ("test_report", "figure", "1,204", "plain number"),
        ("test_report", "n", "9" * 10, "Enter 1 or more"),
        ("test_report", "n", "9" * 5_000, "Enter the number"),
        ("test_report", "n", "\u00b2", "Enter the number"),
        ("test_report", "figure", "nan", "plain number"),
        ("test_report", "figure", "high", "plain number"),
        ("test_report", "side", "left", "reach the threshold"),
        ("decision_record", "decided_on", "2026-06-02", "is in the future"),
        ("decision_record", "decided_on", "soon", "day of the decision"),
        ("user_research", "ends_on", "2026-03-01", "before the first"),
        ("user_research", "method", "guess", "asked or observed"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(kind, name, given, said):
    wrong = check(kind, GIVEN[kind] | {name: given}, result="pass", today=TODAY)
    assert list(wrong) == [name]
    assert said in wrong[name]


@pytest.mark.parametrize(
    ("figure", "side", "result", "taken"),
    [
        ("0.85", "at_least", "pass", True),
        ("0.8499", "at_least", "pass", False),
        ("0.8499", "at_least", "fail", True),
        ("0.8499", "at_least", "partial", True),
        ("0,85", "at_most", "pass", True),
        ("0.8501", "at_most", "pass", False),
        ("-3", "at_most", "pass", True),
    ],
)
def test_a_figure_that_misses_its_threshold_is_no_pass(figure, side, result, taken):
    given = GIVEN["test_report"] | {"figure": figure, "side": side}
    assert (check("test_report", given, result=result, today=TODAY) == {}) is taken


def test_what_is_kept_is_plain():
    given = GIVEN["test_report"] | {"n": "1,204", "figure": "91,50", "data_set": "  Letters \n of May "}
    assert read("test_report", given | {"else": "no"}) == {
        "tested": "quality",
        "data_set": "Letters of May",
        "n": 1204,
        "metric": "accuracy",
        "figure": "91.5",
        "threshold": "0.85",
        "side": "at_least",
    }
    assert read("user_research", GIVEN["user_research"] | {"register": "drills"}).keys() == {
        *("tested", "n", "starts_on", "ends_on", "method")
    }
    assert read("document", {"n": "3"}) == {}


def test_the_compact_lines():
    kept = {kind: read(kind, given) for kind, given in GIVEN.items()}
    assert in_words("test_report", kept["test_report"]) == (
        "quality of results: data set Letters of May, version 2, n 240, accuracy 0.91 against 0.85 declared"
    )
    most = kept["test_report"] | {"side": "at_most", "metric": "seconds"}
    assert in_words("test_report", most).endswith("seconds 0.91 against at most 0.85 declared")
    assert in_words("decision_record", kept["decision_record"]) == (
        "decided by Ada Moreau on 3 March 2026, Retail board, item 4"
    )
    assert in_words("user_research", kept["user_research"]) == (
        "use at work: interviews, n 24, 2 March 2026 to 13 March 2026"
    )
    counts = artefact_kinds.of_log(Counted(1_204, ("input", "output", "time"), 98))
    assert in_words("log_sample", counts) == "1,204 rows, input, output, time, 98 % filled"
    assert in_words("drill_record", {"register": "drills"}) == "from the drills of the initiative"
    for kind in EvidenceKind:
        assert in_words(kind, {}) == "", "what was added before has no details"
    assert line("document", "Minutes", {}, 1, KNOWN) == ""
    assert line("document", "Minutes", {}, 3, KNOWN) == "serves 3 requirements"
    assert line("log_sample", "Calls of May", counts, 2, KNOWN).endswith("98 % filled; serves 2 requirements")


def test_what_was_uploaded_as_a_registers_kind_counts_as_a_document():
    registers = {"telemetry", "system_record", "drill_record", "attestation", "contract_clause"}
    assert counts_as("telemetry", {}, registers) == "document"
    assert counts_as("telemetry", {}, ()) == "telemetry", "under a rulebook that says nothing of it"
    assert counts_as("telemetry", {"register": "measurements"}, registers) == "telemetry"
    assert counts_as("contract_clause", {}, registers) == "document"
    assert counts_as("contract_clause", {}, registers, written_here=True) == "contract_clause"
    assert counts_as("attestation", {}, registers) == "attestation"
    assert counts_as("test_report", {}, registers) == "test_report"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no words"),
        (" \n\u200b\t", "has no words"),
        ("...", "has no words"),
        ("x", "one character"),
        ("XxX x", "one character"),
        ("7.7", "one character"),
        ("n/a n/a", "one word"),
        ("Bla, bla \u2014 BLA!", "one word"),
        ("Is it so?", "answer repeats the requirement"),
        ("is IT, so", "answer repeats the requirement"),
        ("No", ""),
        ("n/a", ""),
        ("Is it so? Yes.", ""),
        ("\u6ca1\u6709", ""),
        ("42", ""),
        ("bla " * 200_000 + "end", ""),
    ],
)
def test_a_text_that_says_nothing_is_told_from_one_that_may(text, said):
    why = emptiness(text, "Is it so?")
    assert said in why
    assert bool(why) is bool(said)
