"""Data profiles from result files of other tools, and from tables counted here.

The tools are Great Expectations, Evidently and ydata-profiling. Their files contain values of rows too, for example
`unexpected_list`, samples and labels. Only the fields named here are read, and only the pattern and the length of a
value are kept (ADR 29).
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from governance.tables.encodings import wrong
from governance.tables.reader import open_table
from governance.vocabulary import bounded_json
from initiatives.integration.measurement import patterns

SCHEMA, DRIFT, ROWS, CHECK = "schema", "drift", "rows", "check"  # kinds of findings
MOST_COLUMNS, MOST_FINDINGS = 500, 500
MOST_CELLS = 1_000_000  # of a table that is counted here
MAX_NAME = 120  # characters of the name of a column
# Expectations about the shape of a table, and about how many rows it has.
SHAPE = {
    "expect_column_to_exist",
    "expect_column_values_to_be_in_type_list",
    "expect_column_values_to_be_of_type",
    "expect_table_column_count_to_be_between",
    "expect_table_column_count_to_equal",
    "expect_table_columns_to_match_ordered_list",
    "expect_table_columns_to_match_set",
}
VOLUME = "expect_table_row_count_"
NOT_NULL = "expect_column_values_to_not_be_null"
# Tests of Evidently about the same, old names and new, and those that repeat a metric.
TESTS = {
    "row count": ROWS,
    "number of rows": ROWS,
    "column count": SCHEMA,
    "number of columns": SCHEMA,
    "column types": SCHEMA,
}
TOLD_BY_METRICS = ("value drift", "drifted columns count")
MANY_DRIFTED = "The table: more columns have drifted than the report allows."
NOT_TOLD = (
    "This JSON file is not a result of Great Expectations, Evidently or ydata-profiling. "
    "Send the JSON file that one of these tools wrote, or the table as csv or xlsx."
)


@dataclass
class Profile:
    """The profile of one data set in a file. `missing` of a column: a share from 0 to 1."""

    tool: str
    data_set: str = ""
    rows: int | None = None
    duplicates: int | None = None
    columns: dict[str, dict[str, Any]] = field(default_factory=dict)
    findings: list[dict[str, str]] = field(default_factory=list)

    def add_column(self, name: str, **told: Any) -> None:
        """Add a column, or add facts to a known column. A fact that is None is left out."""
        if name and (name in self.columns or len(self.columns) < MOST_COLUMNS):
            self.columns.setdefault(name, {"name": name, "type": ""})
            self.columns[name] |= {key: value for key, value in told.items() if value is not None}

    def add_finding(self, kind: str, column: str, words: str) -> None:
        """Add a finding of one of the kinds above."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append({"kind": kind, "column": column, "words": words})


def read(content: bytes, *, encoding: str = "") -> Profile:
    """Return the profile that a file holds, or count the table that it is. `encoding`: of a table, if someone chose it.

    Raises ValidationError at "file" or "encoding", and CodePageUnsure.
    """
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"["):
        return _count(content, encoding)
    try:
        told = bounded_json.loads(content)
    except bounded_json.TooMuch:
        raise wrong(
            "The file contains more data than a result file should. Export the result again, without samples."
        ) from None
    except ValueError:
        raise wrong("The file is not valid JSON. Export the result again.") from None
    if isinstance(told, dict):
        if isinstance(told.get("results"), list) and "success" in told:
            return _great_expectations(told)
        if isinstance(told.get("variables"), dict) and isinstance(told.get("table"), dict):
            return _ydata(told)
        if isinstance(told.get("metrics"), list) or isinstance(told.get("tests"), list):
            return _evidently(told)
    raise wrong(NOT_TOLD)


def against(earlier: list[dict[str, Any]], later: Profile) -> None:
    """Add to the later profile the columns that are gone, new or of another type since these `earlier` ones."""
    before = {column["name"]: column for column in earlier}
    if not before or not later.columns:
        return
    for name, column in before.items():
        now = later.columns.get(name)
        if now is None:
            later.add_finding(SCHEMA, name, f"{name} was removed.")
        elif column["type"] != now["type"] and not {column["type"], now["type"]} & {"", "empty"}:
            later.add_finding(SCHEMA, name, f"{name} was {column['type']} and is {now['type']}.")
    for name in later.columns.keys() - before.keys():
        later.add_finding(SCHEMA, name, f"{name} is new.")


# Great Expectations: a validation result


def _great_expectations(told: dict[str, Any]) -> Profile:
    meta = _object(told.get("meta"))
    batch = _object(meta.get("active_batch_definition")) or _object(meta.get("batch_kwargs"))
    suite = told.get("suite_name") or meta.get("expectation_suite_name")
    found = Profile("great_expectations", _name(batch.get("data_asset_name") or suite))
    for one in _objects(told["results"]):
        config, result = _object(one.get("expectation_config")), _object(one.get("result"))
        check = str(config.get("type") or config.get("expectation_type") or "")
        if not re.fullmatch(r"expect_[a-z0-9_]{1,100}", check):
            continue
        column = _name(_object(config.get("kwargs")).get("column"))
        rows = result.get("observed_value") if check.startswith(VOLUME) else result.get("element_count")
        found.rows = max((n for n in (found.rows, _count_of(rows)) if n is not None), default=None)
        unexpected = _share(result.get("unexpected_percent"), 100)
        missing = unexpected if check == NOT_NULL else _share(result.get("missing_percent"), 100)
        if result:
            found.add_column(column, missing=missing)
        if one.get("success") is False:
            kind = SCHEMA if check in SHAPE else ROWS if check.startswith(VOLUME) else CHECK
            share = f" for {unexpected:.1%} of the rows" if unexpected else ""
            words = check.removeprefix("expect_").replace("_", " ")
            found.add_finding(kind, column, f"{column or 'The table'}: the check “{words}” failed{share}.")
    return found


# Evidently: a report, as versions since 0.7 write it and as earlier ones did


def _evidently(told: dict[str, Any]) -> Profile:
    found = Profile("evidently")
    names = [
        _metric(found, str(_object(one.get("config")).get("type") or ""), one)
        if "config" in one
        else _earlier_metric(found, str(one.get("metric") or ""), _object(one.get("result")))
        for one in _objects(told.get("metrics"))
    ]
    for one in _objects(told.get("tests")):
        asked = _object(_object(one.get("metric_config")).get("params"))
        name = _words(str(asked.get("type") or one.get("name") or "").rpartition(":")[2])
        names.append(name)
        if one.get("status") != "FAIL" or name in TOLD_BY_METRICS:
            continue
        column = _name(asked.get("column") or _object(one.get("parameters")).get("column_name"))
        kind = DRIFT if "drift" in name else TESTS.get(name, CHECK)
        found.add_finding(kind, column, f"{column or 'The table'}: the test “{name}” failed.")
    if not any(names):
        raise wrong(NOT_TOLD)
    return found


def _metric(found: Profile, name: str, one: dict[str, Any]) -> str:
    """Read a metric of version 0.7 or later, and return its name in words."""
    config, value = _object(one.get("config")), one.get("value")
    column, name = _name(config.get("column")), name.rpartition(":")[2]
    if name == "RowCount":
        found.rows = _count_of(value)
    elif name == "DuplicatedRowCount":
        found.duplicates = _count_of(value)
    elif name == "MissingValueCount":
        found.add_column(column, missing=_share(_object(value).get("share")))
    elif name == "DriftedColumnsCount":
        share, allowed = _share(_object(value).get("share")), _share(config.get("drift_share"))
        if share is not None and allowed is not None and share >= allowed:
            found.add_finding(DRIFT, "", MANY_DRIFTED)
    elif name == "ValueDrift":
        found.add_column(column)
        score, threshold = _number(value), _number(config.get("threshold"))
        if score is not None and threshold is not None:
            method = str(config.get("method") or "")
            if score < threshold if "p_value" in method else score >= threshold:
                found.add_finding(DRIFT, column, f"{column}: its values have drifted ({_name(method)}).")
    return _words(name)


def _earlier_metric(found: Profile, name: str, result: dict[str, Any]) -> str:
    """Read a metric of a version before 0.7, and return its name in words."""
    if name in ("DataDriftTable", "ColumnDriftMetric"):
        for one in _objects(list(_object(result.get("drift_by_columns")).values()) or [result]):
            column = _name(one.get("column_name"))
            found.add_column(column)
            if one.get("drift_detected") is True:
                method = _name(one.get("stattest_name"))
                found.add_finding(DRIFT, column, f"{column}: its values have drifted ({method}).")
    elif name == "DatasetDriftMetric" and result.get("dataset_drift") is True:
        found.add_finding(DRIFT, "", MANY_DRIFTED)
    elif name in ("DatasetSummaryMetric", "DatasetMissingValuesMetric"):
        now = _object(result.get("current"))
        found.rows = _count_of(now.get("number_of_rows")) or found.rows
        found.duplicates = _count_of(now.get("number_of_duplicated_rows")) or found.duplicates
        for key in ("nans_by_columns", "number_of_missing_values_by_column"):
            for column, count in _object(now.get(key)).items():
                missing = _count_of(count)
                share = _share(missing, found.rows) if found.rows else None
                found.add_column(_name(column), missing=share)
    return _words(name)


def _words(name: str) -> str:
    """Return a class name as words: `ValueDrift` is "value drift". Other text gives ""."""
    if not re.fullmatch(r"[A-Za-z0-9 ]{1,80}", name):
        return ""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()


# ydata-profiling


def _ydata(told: dict[str, Any]) -> Profile:
    table = _object(told["table"])
    found = Profile(
        "ydata",
        _name(_object(told.get("analysis")).get("title")),
        _count_of(table.get("n")),
        _count_of(table.get("n_duplicates")),
    )
    for name, one in told["variables"].items():
        one, masks = _object(one), Counter[str]()
        if one.get("type") in ("Text", "Categorical"):  # numbers were rewritten by the tool
            for value, count in _object(one.get("value_counts_without_nan")).items():
                masks[patterns.mask_of(value)] += _count_of(count) or 0
        seen = patterns.column_of(+masks) if masks else {"type": _name(one.get("type")).lower()}
        found.add_column(
            _name(name),
            missing=_share(one.get("p_missing")),
            distinct=_count_of(one.get("n_distinct")),
            distinct_share=_share(one.get("p_distinct")),
            **seen,
        )
    return found


# A table, counted here


def _count(content: bytes, encoding: str) -> Profile:
    table = open_table(content, encoding=encoding)
    names = table.table.columns
    if table.rows * len(names) > MOST_CELLS:
        raise wrong(f"The table has more than {MOST_CELLS:,} cells. Send fewer rows or columns.")
    masks: list[Counter[str]] = [Counter() for _ in names]
    values: list[set[int]] = [set() for _ in names]
    seen: set[int] = set()
    rows = 0
    for line in table.lines():
        cells = [line.cells[name].strip() for name in names]
        rows += 1
        seen.add(hash(tuple(cells)))
        for place, cell in enumerate(cells):
            mask = patterns.mask_of(cell)
            masks[place][mask] += 1
            if mask != patterns.BLANK:
                values[place].add(hash(cell))
    found = Profile("count", "", rows, rows - len(seen))
    for name, counted, distinct in zip(names, masks, values, strict=True):
        filled = rows - counted[patterns.BLANK]
        found.add_column(
            _name(name),
            missing=_share(rows - filled, rows),
            distinct=len(distinct),
            distinct_share=_share(len(distinct), filled) if filled else None,
            **patterns.column_of(counted),
        )
    return found


# Named fields of a file from outside


def _object(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _objects(found: Any) -> Iterator[dict[str, Any]]:
    return (one for one in (found if isinstance(found, list) else []) if isinstance(one, dict))


def _name(found: Any) -> str:
    """Return a name of a column or a data set, short and printable, or "" without one."""
    text = found if isinstance(found, str) else ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MAX_NAME]


def _number(found: Any) -> float | None:
    known = isinstance(found, int | float) and not isinstance(found, bool) and abs(found) < 1e15
    return float(found) if known and math.isfinite(found) else None


def _count_of(found: Any) -> int | None:
    number = _number(found)
    return int(number) if number is not None and number >= 0 else None


def _share(found: Any, whole: float = 1) -> float | None:
    number = _number(found)
    return round(min(1.0, max(0.0, number / whole)), 6) if number is not None else None
