"""The formats in which a pipeline files a result, read strictly into the fields of evidence. Pure.

A report is the word of the pipeline, and no more: `figures` has it in words for a page, `details` in the
fields of the form that a person would fill in for this kind of evidence. `bars` holds it against what it must show.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from governance.files import NotTaken
from governance.files.office_parts import read_xml
from governance.gates import remarks
from governance.vocabulary import EvidenceKind, EvidenceResult, ReportFormat, ThresholdSide, strict_json

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
STATEMENT = "https://in-toto.io/Statement/"
NAMED = 10  # names of failed tests and of models that are kept
LONGEST = 120  # characters of one kept name
TEST_NAME = 300  # characters of the name of a test, as a bar lists it
MOST = 1_000_000  # tests or components of one report
RESULTS = {"PASSED": EvidenceResult.PASS, "WARNED": EvidenceResult.PARTIAL, "FAILED": EvidenceResult.FAIL}
# What the attribute `status` of a test means. A test of any other status did not run.
STATUSES = (
    dict.fromkeys(("", "run", "passed", "pass", "ok", "success", "completed"), "passed")
    | dict.fromkeys(("failed", "fail", "failure", "error", "broken"), "failed")
    | {"skipped": "skipped"}
)
# The elements of a test that ran more than once.
RERUNS = ("rerunFailure", "rerunError", "flakyFailure", "flakyError", "rerun")


class Unreadable(ValueError):
    """The report cannot be filed. The message has what is wrong and the fix."""


@dataclass(frozen=True)
class Bar:
    """The bar of a report: the tests that must run, the threshold, the subject and the condition.

    Without `tests` all tests of a report count. Without a threshold all must pass, and an evaluation names its own.
    """

    tests: tuple[str, ...] = ()
    threshold: Decimal | None = None
    side: str = ThresholdSide.AT_LEAST.value
    tested: str = ""
    condition: str = ""


@dataclass(frozen=True)
class Report:
    """A report as read: kind of evidence, its details, its result, and its figures in words.

    `tests` has True by test that passed, False by one that failed, None by one that did not run. `figure` and `bar` are
    the value of a metric and the threshold that the body names. `broken` is True if a suite failed outside of its
    tests. `result` is what the body itself gives. `drill` has the fields of a drill. `commit` and `artefact` are what
    the body names, if anything. `told` has the tests that did not simply run, in words.
    """

    kind: EvidenceKind
    details: dict[str, Any] = field(default_factory=dict)
    result: str = ""
    figures: tuple[tuple[str, str], ...] = ()
    tests: Mapping[str, bool | None] = field(default_factory=dict)
    figure: Decimal | None = None
    bar: Bar | None = None
    broken: bool = False
    drill: dict[str, str] = field(default_factory=dict)
    at: datetime | None = None
    commit: str = ""
    artefact: str = ""
    told: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of tests, of the drill or of the metric, as a bar lists them."""
        return tuple(self.tests)


def read(form: str, body: bytes) -> Report:
    """Return the report in a body. Its result is that of `bars.held_against`. Raises Unreadable."""
    reader = READERS.get(form)
    if reader is None:
        raise Unreadable(f"The format is not known. Set format to one of: {', '.join(READERS)}.")
    if not body.strip():
        raise Unreadable("The body is empty. Send the report itself as the body.")
    try:
        return reader(body)
    except strict_json.NotJson as wrong:
        raise Unreadable(str(wrong)) from None


def plain(said: Any, most: int = LONGEST) -> str:
    """Return a text of a report in one printable line."""
    return " ".join("".join(one if one.isprintable() else " " for one in str(said)[: most * 2]).split())[
        :most
    ]


# --- Tests -----------------------------------------------------------------------------------------------------------


@dataclass
class _Count:
    """The counts of the list of a suite, and its head: the attributes of the suite."""

    head: Mapping[str, str]
    depth: int
    tests: int = 0
    marks: int = 0  # failures and errors: a test may have both
    skipped: int = 0
    not_run: int = 0
    unlisted: int = 0  # skipped tests that the head counts and the list lacks, with those of its parts
    wrong: str = ""  # what is wrong with a part, unless the head around it explains it

    def _said(self, *names: str) -> int | None:
        """Return the sum of these attributes of the head, or None without any. Raises Unreadable."""
        said = [self.head[one] for one in names if self.head.get(one)]
        if not all(one.isascii() and one.isdigit() and len(one) <= 9 for one in said):
            raise Unreadable(f"A suite has {names[0]} that are not a count. Send the report unchanged.")
        return sum(map(int, said)) if said else None

    def check(self) -> int:
        """Return how many tests the list has beyond the head. Raises Unreadable with both figures if it lacks some.

        The list may have more: some runners list each run of a test again, or tests that are planned. It may lack
        skipped tests, which some runners count in the outer head alone and do not list.
        """
        tests, skipped = self._said("tests"), self._said("skipped", "disabled")
        self._at_most(self._said("failures", "errors"), self.marks, "failures and errors")
        lacking = max(0, (tests or 0) - self.tests)
        told = max(0, (skipped or 0) - self.skipped - self.not_run)
        self._at_most(told, lacking, "skipped tests that it does not list")
        if lacking > told:
            self.wrong = self.wrong or self._words(tests, self.tests, "tests")
            if skipped is not None:
                raise Unreadable(self.wrong)
        elif lacking:
            self.wrong, self.unlisted = "", lacking
        return max(0, self.tests - tests) if tests is not None else 0

    def _at_most(self, head: int | None, listed: int, what: str) -> None:
        if head is not None and head > listed:
            raise Unreadable(self._words(head, listed, what))

    @staticmethod
    def _words(head: int | None, listed: int, what: str) -> str:
        return (
            f"The head of a suite has {head:,} {what}, its list has {listed:,}. The report is cut off, "
            "or the suite failed outside of its tests. Correct the run, and send its whole report."
        )


@dataclass
class _Suite:
    """Counts while JUnit XML is parsed."""

    names: list[str] = field(default_factory=list)
    ran: int = 0
    failed: int = 0
    skipped: int = 0
    not_run: int = 0
    again: int = 0
    broken: int = 0
    beyond: int = 0  # tests that the lists have beyond their heads
    seen: dict[str, bool | None] = field(default_factory=dict)  # as `Report.tests`
    repeated: int = 0  # tests that the list has under a name that came before
    failing: list[str] = field(default_factory=list)
    root: str = ""
    depth: int = 0
    test: str = ""
    test_depth: int = 0
    outcome: str = ""
    marks: int = 0
    rerun: bool = False
    open: list[_Count] = field(default_factory=list)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Open an element."""
        self.root = self.root or tag
        self.depth += 1
        if tag in ("testsuites", "testsuite"):
            self.open.append(_Count(dict(attributes), self.depth))
        if tag == "testsuite" and attributes.get("name") and len(self.names) < NAMED:
            self.names.append(plain(attributes["name"], 60))
        elif tag == "testcase":
            if self.test_depth:
                raise Unreadable(
                    "A testcase is inside another testcase. Send the report of the test runner unchanged."
                )
            self.test = plain(f"{attributes.get('classname', '')} {attributes.get('name', '')}", TEST_NAME)
            status = attributes.get("status", "").lower()
            self.outcome = STATUSES.get(status.strip(), "not run")
            self.test_depth, self.marks, self.rerun = self.depth, 0, False
        elif self.test_depth and self.depth == self.test_depth + 1:
            if tag in ("failure", "error"):
                self.outcome = "failed"
                self.marks += 1
            elif tag in RERUNS:
                self.rerun = True
            elif tag == "skipped" and self.outcome != "failed":
                self.outcome = "skipped"
        elif not self.test_depth and tag in ("failure", "error"):
            self.broken += 1
            for one in self.open:
                one.marks += 1

    def end(self, tag: str) -> None:
        """Close an element."""
        if self.test_depth == self.depth:
            self._end_test()
        elif self.open and self.open[-1].depth == self.depth:
            suite = self.open.pop()
            beyond = suite.check()
            self.beyond += beyond if tag == "testsuite" else 0
            if self.open:
                self.open[-1].unlisted += suite.unlisted
                self.open[-1].wrong = self.open[-1].wrong or suite.wrong
            elif suite.wrong:
                raise Unreadable(suite.wrong)
            else:
                self.skipped += suite.unlisted
        self.depth -= 1

    def _end_test(self) -> None:
        failed = self.outcome == "failed"
        self.skipped += self.outcome == "skipped"
        self.not_run += self.outcome == "not run"
        self.ran += self.outcome in ("passed", "failed")
        self.failed += failed
        self.again += self.rerun
        self.repeated += self.test in self.seen
        outcomes = [
            self.seen.get(self.test),
            None if self.outcome not in ("passed", "failed") else not failed,
        ]
        ran = [one for one in outcomes if one is not None]
        self.seen[self.test] = all(ran) if ran else None
        for one in self.open:
            one.tests += 1
            one.marks += max(self.marks, failed)
            one.skipped += self.outcome == "skipped"
            one.not_run += self.outcome == "not run"
        if failed and len(self.failing) < NAMED:
            self.failing.append(plain(self.test))
        self.test_depth = 0
        if self.ran + self.skipped + self.not_run > MOST:
            raise Unreadable(f"The report has more than {MOST:,} tests. Send it in smaller parts.")


def _junit(body: bytes) -> Report:
    suite = _Suite()
    try:
        read_xml(io.BytesIO(body), suite.start, suite.end)
    except NotTaken:
        raise Unreadable(
            "The body is not plain XML: it is damaged, or declares a document type. Send the JUnit XML of the test "
            "runner unchanged."
        ) from None
    if suite.root not in ("testsuites", "testsuite"):
        raise Unreadable(
            f"The body is XML, but not a JUnit report: it begins with {plain(suite.root, 40)}. Send JUnit XML."
        )
    if not suite.ran:
        raise Unreadable("The report has no test that ran. Send the report of a run with tests.")
    figures = [
        ("tests that ran", f"{suite.ran:,}"),
        ("failed", f"{suite.failed:,}"),
        ("skipped", f"{suite.skipped:,}"),
        ("not run", f"{suite.not_run:,}"),
        ("run again", f"{suite.again + min(suite.beyond, suite.repeated):,}"),
        ("errors outside of tests", f"{suite.broken:,}"),
    ]
    told = ", ".join(f"{figure} {name}" for name, figure in figures[2:] if figure != "0")
    if suite.failing:
        figures.append(("failed tests", "; ".join(suite.failing)))
    name = ", ".join(suite.names) or "tests of the pipeline"
    counts = _counts(name, suite.ran, suite.ran - suite.failed)
    return Report(
        EvidenceKind.TEST_REPORT,
        counts,
        figures=tuple(figures),
        tests=suite.seen,
        broken=suite.broken > 0,
        told=told,
    )


def _counts(name: str, n: int, passed: int) -> dict[str, Any]:
    """Return the data set of a suite and the counts of its tests that ran and that passed."""
    return {"data_set": f"{remarks.SUITE_OF}{name}"[:200], "n": n, "passed": passed}


def _test_result(body: bytes) -> Report:
    found = _object(body)
    if "payloadType" in found:
        raise Unreadable(
            "The body is an envelope (DSSE). Send the statement inside it, without the envelope."
        )
    if not str(found.get("_type", "")).startswith(STATEMENT) or found.get("predicateType") != TEST_RESULT:
        raise Unreadable(
            f"The body is not an in-toto statement of the type {TEST_RESULT}. Send a statement of this type."
        )
    predicate = found.get("predicate")
    predicate = predicate if isinstance(predicate, dict) else {}
    said = predicate.get("result")
    if not isinstance(said, str) or said not in RESULTS:
        raise Unreadable(f"The predicate has no result. Set result to {', '.join(RESULTS)}.")
    passed, warned, failed = (_names(predicate, f"{name}Tests") for name in ("passed", "warned", "failed"))
    n = len(passed) + len(warned) + len(failed)
    if not n:
        raise Unreadable(
            "The statement lists no test. List the tests in passedTests, warnedTests and failedTests."
        )
    if said == "PASSED" and (failed or warned):
        raise Unreadable(
            "The result is PASSED, but the statement lists failed or warned tests. Correct the statement."
        )
    configuration = predicate.get("configuration")
    configuration = configuration if isinstance(configuration, list) else []
    first = configuration[0] if configuration and isinstance(configuration[0], dict) else {}
    figures = [
        ("result", said),
        ("passed", f"{len(passed):,}"),
        ("warned", f"{len(warned):,}"),
        ("failed", f"{len(failed):,}"),
    ]
    if failed:
        figures.append(("failed tests", "; ".join(plain(one) for one in failed[:NAMED])))
    if len(named := [plain(one, TEST_NAME) for one in (*passed, *warned, *failed)]) != len(set(named)):
        raise Unreadable("The statement lists a test twice. List each test once, by its result.")
    return Report(
        EvidenceKind.TEST_REPORT,
        _counts(plain(first.get("name") or first.get("uri") or "in-toto configuration"), n, len(passed)),
        "" if said == "PASSED" else RESULTS[said],
        tuple(figures),
        dict.fromkeys(named, False) | dict.fromkeys(named[: len(passed)], True),
        commit=_digest_of(found.get("subject"), "gitCommit"),
        artefact=(digest := _digest_of(found.get("subject"), "sha256")) and f"sha256:{digest}",
    )


def _names(predicate: Mapping[str, Any], name: str) -> list[str]:
    found = predicate.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found) or len(found) > MOST:
        raise Unreadable(f"{name} is not a list of names. Send a list of texts.")
    return found


def _digest_of(subjects: Any, algorithm: str) -> str:
    for one in subjects if isinstance(subjects, list) else []:
        digest = one.get("digest") if isinstance(one, dict) else None
        said = digest.get(algorithm) if isinstance(digest, dict) else None
        if isinstance(said, str) and said.isalnum() and len(said) <= 128:
            return said
    return ""


# --- Figures, parts, deployments, drills -----------------------------------------------------------------------------


def _object(body: bytes) -> dict[str, Any]:
    found = strict_json.read(body)
    if not isinstance(found, dict):
        raise Unreadable("The body is not a JSON object. Send one object.")
    if hidden := strict_json.hidden_text(found):
        raise Unreadable(f"The field {hidden[0] or 'of the body'} has a hidden character. {hidden[1]}")
    return found


def _words(
    found: Mapping[str, Any], name: str, example: str, *, most: int = LONGEST, asked: bool = True
) -> str:
    said = found.get(name)
    if said is None and not asked:
        return ""
    if not isinstance(said, str) or not said.strip() or len(said) > most:
        raise Unreadable(
            f"The body has no {name}. Give it as a text of at most {most} characters, for example {example}."
        )
    return said.strip()


def _number(said: Any, name: str, example: str) -> Decimal:
    try:
        number = (
            Decimal(str(said)) if not isinstance(said, bool) and isinstance(said, int | float | str) else None
        )
    except ArithmeticError:
        number = None
    if number is None or not number.is_finite() or abs(number) >= 10**12 or number != round(number, 12):
        raise Unreadable(f"The {name} is not a plain number. Give it like {example}.")
    return number


def _evaluation(body: bytes) -> Report:
    found = _object(body)
    example = '{"name": "claims 2026-10", "sha256": "9f86…"}'
    data_set = found.get("data_set")
    if not isinstance(data_set, dict):
        raise Unreadable(f"The body has no data_set. Give it like {example}.")
    name, digest = _words(data_set, "name", "claims 2026-10"), data_set.get("sha256")
    if not isinstance(digest, str) or len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise Unreadable(
            "The data_set has no sha256. Give the SHA-256 of the data set in 64 hexadecimal digits."
        )
    n = found.get("n")
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= 10**9:
        raise Unreadable("The n is not a count. Give the number of examples as a whole number from 1.")
    value = _number(found.get("value"), "value", "0.91")
    named = found.get("threshold")
    least = None if named is None else _number(named, "threshold", "0.85")
    side = found.get("side", ThresholdSide.AT_LEAST.value)
    if not isinstance(side, str) or side not in ThresholdSide:
        raise Unreadable("The side is not known. Set side to at_least or at_most.")
    metric = _words(found, "metric", "accuracy", most=80)
    details = {
        "data_set": f"{name}, sha256 {digest}"[:200],
        "n": str(n),
        "metric": metric,
        "figure": format(value.normalize(), "f"),
    }
    figures = (
        ("metric", metric),
        ("value", details["figure"]),
        ("number of examples", f"{n:,}"),
        ("data set", name),
        ("SHA-256 of the data set", digest),
    )
    return Report(
        EvidenceKind.TEST_REPORT,
        details,
        figures=figures,
        tests={metric: None},
        figure=value,
        bar=Bar(threshold=least, side=side),
    )


def _cyclonedx(body: bytes) -> Report:
    if body.lstrip()[:1] == b"<":
        raise Unreadable("The body is XML. Send the bill of materials in the JSON format of CycloneDX.")
    found = _object(body)
    if found.get("bomFormat") != "CycloneDX" or not isinstance(found.get("specVersion"), str):
        raise Unreadable("The body is not a CycloneDX document. Send JSON with bomFormat and specVersion.")
    components = found.get("components", [])
    if (
        not isinstance(components, list)
        or not all(isinstance(one, dict) for one in components)
        or len(components) > MOST
    ):
        raise Unreadable("components is not a list of objects. Send the document of the tool unchanged.")
    if not components:
        raise Unreadable("The document lists no component. Send the document of a build with components.")
    models = [one for one in components if one.get("type") == "machine-learning-model"]
    cards = sum(isinstance(one.get("modelCard"), dict) for one in models)
    named = "; ".join(plain(f"{one.get('name', '')} {one.get('version', '')}") for one in models[:NAMED])
    figures = [
        ("specification", plain(found["specVersion"], 20)),
        ("components", f"{len(components):,}"),
        ("models", f"{len(models):,}"),
        ("models with a model card", f"{cards:,}"),
    ]
    if named:
        figures.append(("names of the models", named))
    return Report(EvidenceKind.DOCUMENT, {}, "", tuple(figures))


def _deployment(body: bytes) -> Report:
    found = _object(body)
    said = _words(found, "deployed_at", "2026-11-27T10:15:00Z")
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Unreadable("deployed_at is not a moment with a time zone. Give it like 2026-11-27T10:15:00Z.")
    figures = (
        ("version", _words(found, "version", "2.4.1")),
        ("environment", _words(found, "environment", "production")),
        ("deployed at", at.isoformat()),
    )
    artefact = _words(found, "artefact", "sha256:9f86…", most=140, asked=False)
    return Report(EvidenceKind.DOCUMENT, {}, "", figures, at=at, artefact=artefact)


def _drill(body: bytes) -> Report:
    found = _object(body)
    result = found.get("result")
    if not isinstance(result, str) or result not in EvidenceResult:
        raise Unreadable(f"The body has no result. Set result to {', '.join(EvidenceResult)}.")
    drill = {
        "kind": _words(found, "drill", "fallback", most=20),
        "fault": _words(found, "fault", "gone", most=20),
        "expected": _words(found, "expected", "The reply names no source", most=2_000),
        "happened": _words(found, "happened", "The reply named no source after 4 s", most=2_000),
        "system": _words(found, "system", "CRM", asked=False),
    }
    figures = (("drill", drill["kind"]), ("fault", drill["fault"]), ("result", result))
    name = " ".join(filter(None, (drill["kind"], drill["fault"], drill["system"])))
    passed = result == EvidenceResult.PASS
    return Report(EvidenceKind.DRILL_RECORD, {}, result, figures, {plain(name): passed}, drill=drill)


READERS: dict[str, Callable[[bytes], Report]] = {
    ReportFormat.JUNIT: _junit,
    ReportFormat.TEST_RESULT: _test_result,
    ReportFormat.EVALUATION: _evaluation,
    ReportFormat.CYCLONEDX: _cyclonedx,
    ReportFormat.DEPLOYMENT: _deployment,
    ReportFormat.DRILL: _drill,
}
