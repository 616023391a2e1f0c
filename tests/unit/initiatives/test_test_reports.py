"""What a JUnit report proves: its head agrees with its list, and what did not run is told."""

import itertools
import json
from decimal import Decimal
from pathlib import Path

import pytest

from initiatives.integration.pipelines import bars, reports

PASSED = '<testcase classname="r" name="a"/>'
FAILED = '<testcase classname="r" name="b"><failure/></testcase>'
SKIPPED = '<testcase classname="r" name="c"><skipped/></testcase>'


def read(head, *tests, **bar):
    """The report of one suite, held against a bar."""
    report = reports.read("junit", f'<testsuite name="r" {head}>{"".join(tests)}</testsuite>'.encode())
    return bars.held_against(report, reports.Bar(**bar))


@pytest.mark.parametrize(
    ("head", "tests"),
    [
        ('tests="7" failures="1"', [PASSED] * 4),
        ('tests="3" failures="0" errors="2"', [PASSED] * 3),
        ('failures="1"', [PASSED]),
        ('skipped="2"', [PASSED, SKIPPED]),
        ('tests="many"', [PASSED]),
    ],
)
def test_a_report_whose_head_and_list_disagree_is_refused(head, tests):
    with pytest.raises(reports.Unreadable):
        read(head, *tests)


@pytest.mark.parametrize(
    ("head", "tests", "result", "told"),
    [
        ('tests="2" failures="0" errors="0" skipped="0"', [PASSED] * 2, "pass", ""),
        ('tests="2" failures="1"', [PASSED, FAILED], "fail", ""),
        ('failures="0"', [PASSED, FAILED], "fail", ""),
        (
            'tests="1"',
            [PASSED, PASSED],
            "pass",
            "1 run again",
        ),  # as pytest writes a test that passed when it ran again
        (
            "",
            ['<testcase name="a" status="failed"/>', '<testcase name="b" status="notrun"/>'],
            "fail",
            "1 not run",
        ),
        (
            "",
            [PASSED, '<testcase name="a" status="fail"/>', '<testcase name="b" status="undefined"/>'],
            "fail",
            "1 not run",
        ),
        ('tests="8" skipped="7"', [PASSED, *[SKIPPED] * 7], "pass", "7 skipped"),
        ('tests="2"', [PASSED, '<testcase name="b"><rerunFailure/></testcase>'], "pass", "1 run again"),
        ('tests="1"', [PASSED, "<error/>"], "fail", "1 errors outside of tests"),
        ('tests="1" errors="1"', ['<testcase name="b"><failure/><error/></testcase>'], "fail", ""),
    ],
)
def test_what_did_not_simply_pass_is_told_beside_the_result(head, tests, result, told):
    report = read(head, *tests)
    assert (report.result, report.told) == (result, told)


def test_an_error_outside_of_the_tests_fails_at_any_threshold():
    assert read("", PASSED, "<error/>", threshold=Decimal("0.01")).result == "fail"


def test_the_head_of_all_suites_agrees_with_the_list_too():
    inner = f'<testsuite name="r" tests="1">{PASSED}</testsuite>'
    assert reports.read("junit", f'<testsuites tests="1">{inner}</testsuites>'.encode()).names == ("r a",)
    with pytest.raises(reports.Unreadable):
        reports.read("junit", f'<testsuites tests="2">{inner}</testsuites>'.encode())


NAMES = ("r a", "r b", "r c")
OUTCOMES = {
    "passes": '<testcase classname="r" name="{}"/>',
    "fails": '<testcase classname="r" name="{}"><failure/></testcase>',
    "skipped": '<testcase classname="r" name="{}"><skipped/></testcase>',
    "missing": "",
}
ADDED = '<testcase classname="added" name="d{}"/>'


@pytest.mark.parametrize("threshold", [None, Decimal("0.6"), Decimal("0.01")])
@pytest.mark.parametrize("outcomes", list(itertools.product(OUTCOMES, repeat=3)))
def test_a_report_meets_its_bar_by_the_declared_tests_alone(outcomes, threshold):
    """Each declared test ran, and so many of them passed. Added tests change nothing, passing or failing."""
    listed = [
        OUTCOMES[outcome].format(name.split()[1]) for name, outcome in zip(NAMES, outcomes, strict=True)
    ]
    good = [*listed, *(ADDED.format(n) for n in range(300))]
    bad = [*good, '<testcase classname="added" name="x"><failure/></testcase>']
    ran = all(outcome in ("passes", "fails") for outcome in outcomes)
    share = Decimal(outcomes.count("passes")) / 3
    wanted = "pass" if ran and share >= (threshold or 1) else "fail"
    for tests in (good, bad):
        report = read("", *tests, tests=NAMES, threshold=threshold)
        assert (report.result, report.details["n"]) == (wanted, "3")
        assert ("declared tests that did not run" in dict(report.figures)) is not ran


@pytest.mark.parametrize(
    ("result", "lists", "wanted"),
    [
        ("PASSED", (["r a", "r b", "r c"], [], []), "pass"),
        ("FAILED", (["r a", "r b", "r c"], [], ["d"]), "pass"),  # what failed was added
        ("FAILED", (["r a", "r b", "r c"], [], []), "fail"),  # it failed for another reason
        ("WARNED", (["r a", "r b", "r c"], ["d"], []), "pass"),
        ("WARNED", (["r a", "r b"], ["r c"], []), "fail"),
        ("PASSED", (["r a", "r b"], [], []), "fail"),
    ],
)
def test_a_statement_meets_its_bar_by_the_declared_tests_alone(result, lists, wanted):
    lists = dict(zip(("passedTests", "warnedTests", "failedTests"), lists, strict=True))
    body = {
        "_type": f"{reports.STATEMENT}v1",
        "predicateType": reports.TEST_RESULT,
        "predicate": {"result": result, **lists},
    }
    report = reports.read("test-result", json.dumps(body).encode())
    assert bars.held_against(report, reports.Bar(tests=NAMES)).result == wanted


def test_an_evaluation_is_held_against_the_declared_metric_and_threshold():
    body = {
        "metric": "accuracy",
        "value": 0.5,
        "threshold": 0.01,
        "n": 400,
        "data_set": {"name": "claims", "sha256": "9f" * 32},
    }
    report = reports.read("evaluation", json.dumps(body).encode())
    bar = reports.Bar(tests=("accuracy",), threshold=Decimal("0.8"))
    assert bars.held_against(report, bar).result == "fail"
    assert bars.held_against(report, reports.Bar()).result == "pass"  # its own threshold, never measured
    with pytest.raises(reports.Unreadable):
        bars.held_against(report, reports.Bar(tests=("recall",), threshold=Decimal("0.1")))


@pytest.mark.parametrize(
    ("outer", "inner", "told"),
    [
        ('tests="4" skipped="2"', ['tests="3"', 'tests="1"'], "2 skipped"),  # as mocha writes it
        ('tests="4" skipped="2"', ['tests="4"'], "2 skipped"),
        ("", ['tests="3" skipped="2"', 'tests="2" skipped="1"'], "3 skipped"),
        ('tests="4" skipped="1"', ['tests="4"'], None),
        ('tests="4"', ['tests="4"'], None),
        ('tests="2" skipped="0"', ['tests="3"', 'tests="1"'], None),
        ("", ['tests="4"', 'tests="1"'], None),
        ('skipped="2"', ['tests="4"'], None),
        ('tests="9" skipped="2"', ['tests="1"'], None),
    ],
)
def test_skipped_tests_that_the_list_lacks_are_told(outer, inner, told):
    """One passing test is listed in each part. What the outer head does not call skipped is refused."""
    parts = [
        f'<testsuite name="r" {head}><testcase classname="r" name="{n}"/></testsuite>'
        for n, head in enumerate(inner)
    ]
    if len(inner) == 1:
        parts[0] = parts[0].replace("</testsuite>", '<testcase classname="r" name="b"/></testsuite>')
    body = f"<testsuites {outer}>{''.join(parts)}</testsuites>".encode()
    if told is None:
        with pytest.raises(reports.Unreadable):
            reports.read("junit", body)
    else:
        assert reports.read("junit", body).told == told


# Written by the runners themselves, over tests that pass, fail, break in their set-up, are skipped and run again: for
# each file its result, the tests that ran, and what is told. A refused file has no result.
BY_RUNNERS = {
    "behave-a": ("fail", 3, "1 skipped"),
    "ctest-a": ("fail", 2, "1 skipped, 1 not run"),
    "go-a": None,  # a package that does not compile is counted and not listed
    "go-flaky": ("pass", 1, ""),  # it does not write that the test ran again
    "go-good": ("pass", 3, ""),
    "jest-a": ("fail", 4, "1 skipped"),
    "jest-flaky": ("pass", 1, ""),  # it does not write that the test ran again
    "jest-good": ("pass", 2, ""),
    "jest-syntax": None,  # a suite that could not be read is no test that ran
    "jest-syntax-errors": ("fail", 2, "1 run again"),
    "maven-a": ("fail", 7, "2 skipped, 3 run again"),
    "maven-empty": None,  # it lists the tests of a nested class in another file
    "maven-good": ("pass", 3, ""),
    "maven-setup": ("fail", 1, "1 run again"),
    "mocha-a": None,  # a hook failed, and its tests are counted and not listed
    "mocha-flaky": ("pass", 2, ""),
    "mocha-skip": ("pass", 2, "2 skipped"),
    "node-a": ("fail", 6, "1 skipped"),
    "node-good": ("pass", 2, ""),
    "perl-a": ("fail", 4, "1 errors outside of tests"),  # it lists a skipped test as one that passed
    "playwright-a": ("fail", 7, "2 skipped"),
    "playwright-flaky": ("pass", 2, ""),
    "pytest-allskip": None,
    "pytest-collect": ("fail", 1, ""),
    "pytest-good": ("pass", 3, ""),
    "pytest-mixed": ("fail", 5, "2 skipped"),
    "pytest-reruns": ("fail", 5, "3 run again"),
    "pytest-stopped": ("fail", 5, ""),
    "pytest-sub": None,  # its head counts subtests that the list lacks
    "pytest-truncated": None,
    "pytest-xunit1": ("fail", 5, "2 skipped"),
    "robot-a": ("fail", 2, "1 skipped"),
    "rspec-a": ("fail", 2, "2 skipped"),
    "unittest-a": ("fail", 5, "2 skipped"),
    "unittest-setup": ("fail", 1, ""),
    "vitest-a": ("fail", 4, "3 skipped"),
    "vitest-flaky": ("pass", 1, ""),
    "vitest-good": ("pass", 1, ""),
    "vitest-syntax": ("fail", 1, ""),
}


@pytest.mark.parametrize("name", BY_RUNNERS)
def test_reports_of_real_runners_have_the_verdict_of_their_run(name):
    body = (Path(__file__).parents[2] / f"data/reports/{name}.xml").read_bytes()
    wanted = BY_RUNNERS[name]
    if wanted is None:
        with pytest.raises(reports.Unreadable):
            reports.read("junit", body)
        return
    report = bars.held_against(reports.read("junit", body), reports.Bar())
    assert (report.result, int(report.details["n"]), report.told) == wanted
    short = bars.held_against(
        reports.read("junit", body),
        reports.Bar(tests=(*report.names, "another test"), threshold=Decimal("0.01")),
    )
    assert short.result == "fail"


def test_every_stored_report_has_a_verdict():
    stored = (Path(__file__).parents[2] / "data/reports").glob("*.xml")
    assert {path.stem for path in stored} == set(BY_RUNNERS)
