"""What a JUnit report proves: its head agrees with its list, and what did not run is told."""

import pytest

from initiatives.integration.pipelines import reports

PASSED = '<testcase classname="r" name="a"/>'
FAILED = '<testcase classname="r" name="b"><failure/></testcase>'
SKIPPED = '<testcase classname="r" name="c"><skipped/></testcase>'


def read(head, *tests, **more):
    """The report of one suite."""
    return reports.read("junit", f'<testsuite name="r" {head}>{"".join(tests)}</testsuite>'.encode(), **more)


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
    assert read("", PASSED, "<error/>", threshold="0.01").result == "fail"


def test_the_head_of_all_suites_agrees_with_the_list_too():
    inner = f'<testsuite name="r" tests="1">{PASSED}</testsuite>'
    assert reports.read("junit", f'<testsuites tests="1">{inner}</testsuites>'.encode()).result == "pass"
    with pytest.raises(reports.Unreadable):
        reports.read("junit", f'<testsuites tests="2">{inner}</testsuites>'.encode())
