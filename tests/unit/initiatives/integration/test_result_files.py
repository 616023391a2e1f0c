"""Result files of other tools and plain counts: what is read by name, that no value is kept, what is refused."""

import json
from collections import Counter
from dataclasses import asdict

import pytest
from django.core.exceptions import ValidationError

from governance.tables.encodings import CodePageUnsure
from initiatives.integration.measurement import patterns, result_files
from initiatives.integration.measurement.result_files import CHECK, DRIFT, ROWS, SCHEMA
from tests.support.paths import PROFILES

TOLD = {
    tool: (PROFILES / f"{tool}.json").read_bytes() for tool in ("great_expectations", "evidently", "ydata")
}


def found(profile) -> set[tuple[str, str]]:
    return {(one["kind"], one["column"]) for one in profile.findings}


def table(*rows: str) -> bytes:
    return "\n".join([*rows, ""]).encode()


# Patterns


@pytest.mark.parametrize(
    ("value", "pattern", "kind"),
    [
        ("AB12345678", "A{2}9{8}", "text"),
        ("1234567890", "9{10}", "integer"),
        ("2026-01-31", "9{4}-9{2}-9{2}", "date"),
        ("31/01/2026", "9{2}/9{2}/9{4}", "date"),
        ("2026-01-31T10:00:00", "9{4}-9{2}-9{2}A{1}9{2}:9{2}:9{2}", "timestamp"),
        ("1,234.50", "9{1},9{3}.9{2}", "decimal"),
        ("12aB9aBa9", "X{9}", "text"),
        ("001bDeeF-1234-1234-1234-abcdefabcdef", "h{8}-h{4}-h{4}-h{4}-h{12}", "text"),
    ],
)
def test_a_value_becomes_a_pattern_and_a_type(value, pattern, kind):
    mask = patterns.mask_of(value)
    assert patterns.pattern_of(mask) == pattern
    assert patterns.type_of(mask) == kind


def test_a_counter_that_goes_on_changed_nothing():
    assert patterns.grown("9{5}", "9{6}")
    assert patterns.grown("A{3}-9{3}", "A{3}-9{4}")
    assert not patterns.grown("9{6}", "9{5}")
    assert not patterns.grown("9{10}", "A{2}9{8}")


def test_customer_id_with_three_meanings_shows_three_patterns():
    values = (
        ["0012345678"] * 40
        + ["AB12345678"] * 35
        + ["001aB4Xy9Q7mN2kL0p"] * 20
        + ["n/a", " ", "test", "-", ""]
    )
    column = patterns.column_of(Counter(map(patterns.mask_of, values)))
    assert list(column["patterns"])[:3] == ["9{10}", "A{2}9{8}", "X{18}"]
    assert column["type"] == "text"
    assert column["patterns"]["9{10}"] == round(40 / 96, 4), "blanks count for nothing"


def test_text_has_no_form():
    values = [f"{'word ' * (number % 7 + 1)}{number}" for number in range(100)]
    assert patterns.column_of(Counter(map(patterns.mask_of, values)))["patterns"] == {"text": 1.0}


# Tools


def test_a_great_expectations_result_is_read():
    profile = result_files.read(TOLD["great_expectations"])
    assert (profile.tool, profile.data_set, profile.rows) == ("great_expectations", "customers", 200)
    assert profile.columns["name"]["missing"] == 0.185
    assert profile.columns["id"]["missing"] == 0.0
    assert found(profile) == {
        (SCHEMA, "region"),
        (ROWS, ""),
        (CHECK, "name"),
        (CHECK, "id"),
        (CHECK, "gone"),
    }
    words = [one["words"] for one in profile.findings]
    assert "id: the check “column values to match regex” failed for 100.0% of the rows." in words


def test_an_earlier_great_expectations_result_is_read():
    one = {
        "success": False,
        "expectation_config": {"expectation_type": "expect_column_to_exist", "kwargs": {"column": "region"}},
        "result": {},
    }
    meta = {"expectation_suite_name": "orders.warning", "batch_kwargs": {"data_asset_name": "orders"}}
    profile = result_files.read(json.dumps({"success": False, "results": [one], "meta": meta}).encode())
    assert (profile.data_set, found(profile)) == ("orders", {(SCHEMA, "region")})
    assert "region" not in profile.columns, "it does not exist"


def test_an_evidently_report_is_read():
    profile = result_files.read(TOLD["evidently"])
    assert (profile.tool, profile.rows, profile.duplicates) == ("evidently", 200, 0)
    assert profile.columns["name"]["missing"] == 0.24
    assert {pair for pair in found(profile) if pair[0] != CHECK} == {(DRIFT, "age"), (DRIFT, "")}
    words = [one["words"] for one in profile.findings]
    assert "age: its values have drifted (K-S p_value)." in words
    assert "name: the test “missing value count” failed." in words


def test_a_distance_above_its_threshold_is_drift_and_a_probability_above_is_not():
    config = {"type": "evidently:metric_v2:ValueDrift", "threshold": 0.1}
    metrics = [
        {"config": config | {"column": "near", "method": "Wasserstein distance (normed)"}, "value": 0.05},
        {"config": config | {"column": "far", "method": "Wasserstein distance (normed)"}, "value": 0.3},
        {"config": config | {"column": "alike", "method": "K-S p_value"}, "value": 0.3},
    ]
    profile = result_files.read(json.dumps({"metrics": metrics, "tests": []}).encode())
    assert found(profile) == {(DRIFT, "far")}


def test_an_earlier_evidently_report_is_read():
    drift = {
        "age": {"column_name": "age", "drift_detected": True, "stattest_name": "K-S p_value"},
        "name": {"column_name": "name", "drift_detected": False, "stattest_name": "chi-square p_value"},
    }
    summary = {"number_of_rows": 50, "number_of_duplicated_rows": 3, "nans_by_columns": {"name": 5}}
    told = {
        "metrics": [
            {"metric": "DatasetDriftMetric", "result": {"dataset_drift": True}},
            {"metric": "DataDriftTable", "result": {"drift_by_columns": drift}},
            {"metric": "DatasetSummaryMetric", "result": {"current": summary}},
        ],
        "tests": [
            {"name": "Number of Columns", "status": "FAIL", "parameters": {}},
            {"name": "Number of Rows", "status": "SUCCESS", "parameters": {}},
        ],
    }
    profile = result_files.read(json.dumps(told).encode())
    assert (profile.rows, profile.duplicates, profile.columns["name"]["missing"]) == (50, 3, 0.1)
    assert found(profile) == {(DRIFT, ""), (DRIFT, "age"), (SCHEMA, "")}


def test_a_ydata_report_is_read_and_its_values_become_patterns():
    profile = result_files.read(TOLD["ydata"])
    assert (profile.tool, profile.data_set, profile.rows, profile.duplicates) == (
        "ydata",
        "Customers",
        200,
        2,
    )
    column = profile.columns["id"]
    assert (column["patterns"], column["distinct"], column["type"]) == ({"A{2}9{6}": 1.0}, 200, "text")
    assert (profile.columns["age"]["type"], profile.columns["name"]["missing"]) == ("numeric", 0.185)
    assert profile.findings == []


@pytest.mark.parametrize(
    ("tool", "values"),
    [
        ("great_expectations", ["AB000000", "bob"]),
        ("evidently", ["ann", "45.19"]),
        ("ydata", ["ann", "AB000000", "45.8"]),
    ],
)
def test_no_value_of_the_data_is_kept(tool, values):
    kept = json.dumps(asdict(result_files.read(TOLD[tool])))
    for value in values:
        assert value in TOLD[tool].decode()
        assert value not in kept


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "not valid JSON"),
        (b"[" * 100_000, "more data than a result"),
        (b'{"a": 1}', "not a result of"),
        (b"[1, 2]", "not a result of"),
        (b'{"metrics": [{"metric": "<b>", "result": 3}]}', "not a result of"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_what_is_no_result_is_refused_with_words(content, words):
    with pytest.raises(ValidationError, match=words):
        result_files.read(content)


@pytest.mark.parametrize("odd", [None, [], "x", 1e400, -3, True, {"a": []}, [[1]]])
def test_fields_of_another_kind_are_left_out(odd):
    for told in (
        {"success": odd, "results": [odd, {"expectation_config": odd}], "meta": odd, "statistics": odd},
        {
            "table": {"n": odd, "n_duplicates": odd},
            "variables": {"a": odd, "b": {"n_distinct": odd, "type": odd}},
        },
        {"metrics": [{"config": {"type": "evidently:metric_v2:RowCount"}, "value": odd}, odd], "tests": odd},
    ):
        assert result_files.read(json.dumps(told).encode()).rows is None or odd in (1e400, -3)


# Tables


def test_a_table_is_counted():
    rows = ["id,name,amount", "AB01,ann,1.50", "AB02,,2.50", "AB02,,2.50", "AB03,n/a,12.00"]
    profile = result_files.read(table(*rows))
    assert (profile.tool, profile.rows, profile.duplicates) == ("count", 4, 1)
    assert profile.columns["name"] == {
        "name": "name",
        "missing": 0.75,
        "distinct": 1,
        "distinct_share": 1.0,
        "type": "text",
        "patterns": {"a{3}": 1.0},
    }
    assert profile.columns["id"]["patterns"] == {"A{2}9{2}": 1.0}
    assert profile.columns["amount"]["type"] == "decimal"


def test_columns_that_are_gone_new_or_of_another_type_are_named():
    earlier = result_files.read(table("id,region,amount", "1,north,2", "2,south,3"))
    later = result_files.read(table("id,amount,note", "1,two,x", "2,three,y"))
    result_files.against(list(earlier.columns.values()), later)
    assert [one["words"] for one in later.findings] == [
        "region was removed.",
        "amount was integer and is text.",
        "note is new.",
    ]
    assert {one["kind"] for one in later.findings} == {SCHEMA}


def test_a_code_page_that_cannot_be_told_is_asked_for_and_too_many_cells_are_refused(monkeypatch):
    rows = table("id,street", "1,Straße", "2,Übergang").decode().encode("cp850")
    with pytest.raises(CodePageUnsure):
        result_files.read(rows)
    assert result_files.read(rows, encoding="cp850").rows == 2
    monkeypatch.setattr(result_files, "MOST_CELLS", 3)
    with pytest.raises(ValidationError, match="Send fewer rows"):
        result_files.read(table("a,b", "1,2", "3,4"))
