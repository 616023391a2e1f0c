"""The result of a report by its bar: what the team declared and a seat confirmed that the pipeline must show. Pure.

A report can meet its bar or fail it, and cannot change it.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal
from typing import cast

from governance.vocabulary import EvidenceKind, EvidenceResult, ReportFormat, ThresholdSide
from initiatives.integration.pipelines import reports

WHOLE, PLACES = Decimal(1), Decimal("0.0001")


def family(form: str) -> str:
    """Return the format under which a bar is declared: both formats of tests share one."""
    return ReportFormat.JUNIT.value if form == ReportFormat.TEST_RESULT else form


def held_against(report: reports.Report, bar: reports.Bar) -> reports.Report:
    """Return the report with its result by this bar. Raises Unreadable if it is about another matter."""
    if report.kind == EvidenceKind.DOCUMENT:
        return report
    if report.kind == EvidenceKind.DRILL_RECORD or report.figure is not None:
        if bar.tests and not set(report.names) & set(bar.tests):
            raise reports.Unreadable(
                f"The report is about “{report.names[0]}”. Declared for this pipeline: {_listed(bar.tests)}. "
                "Send one of these, or declare anew what the pipeline must show."
            )
        return _figure(report, bar) if report.figure is not None else report
    least = WHOLE if bar.threshold is None else bar.threshold
    judged = {
        name: report.tests.get(reports.plain(name, reports.TEST_NAME)) for name in bar.tests
    } or report.tests
    absent = [name for name, passed in judged.items() if passed is None] if bar.tests else []
    n = len(bar.tests) or report.details["n"]
    passed = sum(map(bool, judged.values())) if bar.tests else report.details["passed"]
    # Rounded down, so that one failed test of many is never shown as all passed.
    share = (Decimal(passed) / n).quantize(PLACES, ROUND_FLOOR)
    reached = passed >= least * n and not absent
    details = {
        "tested": bar.tested,
        "data_set": report.details["data_set"],
        "n": str(n),
        "metric": "share of passed tests",
        "figure": format(share.normalize(), "f"),
        "threshold": format(least.normalize(), "f"),
        "side": ThresholdSide.AT_LEAST.value,
    }
    told = report.told
    figures = report.figures
    if absent:
        words = f"{len(absent):,} of {n:,} declared tests did not run"
        told = ", ".join(filter(None, (told, words)))
        figures += (
            (
                "declared tests that did not run",
                "; ".join(reports.plain(one) for one in absent[: reports.NAMED]),
            ),
        )
    result = "" if bar.tests and False in report.tests.values() else report.result
    if report.broken or not result:
        result = EvidenceResult.PASS if reached and not report.broken else EvidenceResult.FAIL
    return replace(report, details=details, result=result, figures=figures, told=told)


def _listed(names: Sequence[str]) -> str:
    return "; ".join(reports.plain(one) for one in names[: reports.NAMED])


def _figure(report: reports.Report, bar: reports.Bar) -> reports.Report:
    """Return an evaluation held against the threshold of its bar, or against its own without one. Raises Unreadable."""
    value = cast(Decimal, report.figure)
    by = bar if bar.threshold is not None else report.bar
    if by is None or by.threshold is None:
        raise reports.Unreadable("The threshold is not a plain number. Give it like 0.85.")
    reached = value >= by.threshold if by.side == ThresholdSide.AT_LEAST else value <= by.threshold
    threshold = format(by.threshold.normalize(), "f")
    details = report.details | {"tested": bar.tested, "threshold": threshold, "side": by.side}
    figures = (
        *report.figures,
        ("threshold", f"{ThresholdSide.word(by.side).lower()}: {threshold}"),
    )
    result = EvidenceResult.PASS if reached else EvidenceResult.FAIL
    return replace(report, details=details, result=result, figures=figures)
