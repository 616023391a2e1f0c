"""Log samples: counted whatever they are written in, and refused in words whatever they hold."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st

from governance.files import log_samples
from governance.files.log_samples import count
from tests.support.rules.artefact_rules import LOG


def refusal(content: bytes) -> str:
    with pytest.raises(ValidationError) as caught:
        count(content)
    return caught.value.message_dict["file"][0]


def tried(content: bytes) -> tuple[log_samples.Counted | None, dict]:
    try:
        return count(content), {}
    except ValidationError as refused:
        return None, refused.message_dict


def lines(*rows: dict) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def attribute(key: str, value: object) -> dict:
    return {"key": key, "value": {"stringValue": value} if isinstance(value, str) else value}


def spans(*rows: list[dict], resource=(), **fields) -> dict:
    found = [{"startTimeUnixNano": "1772442840000000000", "attributes": row} | fields for row in rows]
    return {"resourceSpans": [{"resource": {"attributes": list(resource)}, "scopeSpans": [{"spans": found}]}]}


ASKED = [attribute("gen_ai.prompt", "Who signs?"), attribute("gen_ai.completion", "The branch.")]
ROW = {"time": "2026-03-02", "input": "Who signs?", "output": "The branch."}


# What is counted


def test_a_table_is_counted():
    counted = count(LOG)
    assert counted.rows == 2
    assert counted.columns == ("input", "output", "actor", "time", "model version")
    assert counted.filled == 100


def test_the_names_of_models_are_kept_with_their_rows_and_nothing_else_that_is_said():
    rows = [ROW | {"model": name} for name in ("m-4", " m-4 ", "m-9", "x" * 121)] + [ROW]
    assert count(lines(*rows)).models == (("m-4", 2), ("m-9", 1))
    spoken = spans([*ASKED, attribute("gen_ai.response.model", "gpt-4o")])
    assert count(json.dumps(spoken).encode()).models == (("gpt-4o", 1),)
    assert count(lines(ROW)).models == ()
    many = count(lines(*[ROW | {"model": f"m-{number}"} for number in range(100)]))
    assert len(many.models) == log_samples.MOST_MODELS


def test_the_share_is_of_the_columns_found_and_rounded_down():
    gap = LOG.replace(b"u-18", b"  ")
    assert count(gap).filled == 90
    almost = lines(*[ROW] * 999, ROW | {"output": ""})
    assert count(almost).filled == 99


def test_a_column_in_which_nothing_stands_is_not_found():
    empty = b"time;prompt;answer;user\n2026-03-02;Who?;Ada;\n2026-03-03;When?;Now;\n"
    assert count(empty).columns == ("input", "output", "time")
    blank = b"time;prompt;answer\n2026-03-02;Who?; \n2026-03-03;When?;\n"
    assert "output (for example output, answer" in refusal(blank)


def test_json_lines_a_list_and_one_object_are_counted():
    assert count(lines(ROW, ROW | {"user_id": 17})) == log_samples.Counted(
        2, ("input", "output", "actor", "time"), 87
    )
    assert count(json.dumps([ROW, ROW]).encode()).rows == 2
    assert count(json.dumps(ROW, indent=2).encode()).rows == 1
    assert count(lines(ROW | {"input": [{"role": "user"}], "output": {"text": "Yes"}})).filled == 100


def test_otlp_is_counted_by_its_spans_and_log_records():
    user = attribute("enduser.id", "u-17")
    counted = count(
        json.dumps(spans(ASKED, [*ASKED, user], resource=[attribute("llm.model_name", "m-4")])).encode()
    )
    assert counted.rows == 2
    assert counted.columns == ("input", "output", "actor", "time", "model version")
    assert counted.filled == 90
    body = {"kvlistValue": {"values": [attribute("prompt", "Who?"), attribute("answer", "Ada.")]}}
    log = {"timeUnixNano": "1772442840000000000", "body": body}
    of_logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [log] * 3}]}]}
    assert count(lines(of_logs, of_logs)).rows == 6, "a collector writes one such object a line"
    assert count(lines(of_logs)).columns == ("input", "output", "time")
    events = spans([], events=[{"name": "gen_ai.content", "attributes": ASKED}])
    assert count(lines(events)).columns == ("input", "output", "time")


# What is refused


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty"),
        (b" \n\n", "The file is empty"),
        (b"x", "no rows below its header"),
        (b"time,input,output\n", "no rows below its header"),
        (b"{}", "No filled column was found for input and output and time"),
        (b"[]", "The file has no rows"),
        (b"[1, 2]", "Object 1 is not an object"),
        (b'{"input": ', "Line 1 is not JSON"),
        (lines(ROW) + b"\nand more", "Line 2 is not JSON"),
        (lines({"input": "a", "output": "b"}), "found for time"),
        (b"%PDF-1.4 nothing", "PDF"),
        (b"\x00\x01\x02" * 99, "not text"),
        (b"PK\x03\x04 no workbook", "damaged"),
        (b"<html><body>time</body></html>", "not a table"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a":' * 100_000, "not JSON"),
        (b'{"input": ' + b"9" * 10_000 + b"}", "not JSON"),
        (lines({"resourceSpans": {}}), "resourceSpans must be a list"),
        (lines({"resourceSpans": [1]}), "resourceSpans must be a list"),
        (lines({"resourceLogs": [{"scopeLogs": "x"}]}), "scopeLogs must be a list"),
        (lines({"resourceLogs": [{"resource": {"attributes": 7}}]}), "attributes must be a list"),
        (lines({"resourceLogs": []}), "The file has no rows"),
        (lines(spans(ASKED, startTimeUnixNano="0")), "found for time"),
        (lines(*({f"n{n}": 1} for n in range(501))), "more than 500 different columns"),
        (lines(*[{"a": 1}] * 50_001), "more than 50,000 rows"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_log_sample_is_refused_in_a_sentence(content, said):
    assert said in refusal(content)


def test_too_large_an_upload_is_not_read():
    class Endless:
        size = log_samples.MOST_BYTES + 1

    with pytest.raises(ValidationError, match="larger than 5 MB"):
        log_samples.count_file(Endless())


# Generated

NAMES = st.sampled_from(
    [
        *("input", "output", "time", "resourceSpans", "resourceLogs", "scopeSpans", "scopeLogs", "spans"),
        *("logRecords", "attributes", "resource", "body", "kvlistValue", "values", "events", "key", "value"),
        *("timeUnixNano", "stringValue", "gen_ai.prompt", "gen_ai.completion"),
    ]
) | st.text(max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)


@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.lists(st.lists(st.text(max_size=9), max_size=6), max_size=8).map(
            lambda rows: "\n".join(",".join(row) for row in rows).encode("utf-8", "surrogatepass")
        ),
        st.lists(JSON, max_size=6).map(lambda rows: "\n".join(json.dumps(row) for row in rows).encode()),
        JSON.map(lambda said: json.dumps({"resourceSpans": said}).encode()),
        JSON.map(lambda said: json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": said}]}]}).encode()),
    )
)
def test_whatever_comes_is_counted_or_refused_in_words(content):
    counted, said = tried(content)
    if counted is None:
        assert set(said) == {"file"}
        assert all(words.strip() for words in said["file"])
    else:
        assert counted.rows >= 1
        assert set(log_samples.NEEDED) <= set(counted.columns) <= set(log_samples.COLUMNS)
        assert 0 <= counted.filled <= 100


CELL = st.text(st.characters(categories=["L", "N", "P"], exclude_characters='",;|\t'), min_size=1, max_size=8)


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=30), st.data())
def test_what_is_written_is_what_is_counted(rows, data):
    names = [data.draw(st.sampled_from(log_samples.COLUMNS[name])) for name in log_samples.NEEDED]
    written = [dict(zip(names, row, strict=True)) for row in rows]
    counted = count(lines(*written))
    assert (counted.rows, counted.filled) == (len(rows), 100)
    assert set(counted.columns) == set(log_samples.NEEDED)


@pytest.mark.parametrize(
    ("content", "counted"),
    [
        (b"number,result\n1,ok\n2,ok\n\n", (2, None)),
        (b'{"number": 1}\n{"number": 2}\n', (2, None)),
        (b"abcdefghij", (None, 10)),
        (b"a;b\n1;2\n", (1, None)),
        (b"One line, and another.\nA text, with commas, that is a text and no table at all.\n", (None, None)),
        (b"%PDF-1.7\n\x00\xff", (None, None)),
    ],
)
def test_how_much_a_text_holds_is_counted_as_rows_or_as_few_characters(content, counted):
    file = SimpleUploadedFile("file", content)
    assert log_samples.size_of(file) == counted
    assert file.tell() == 0, "the file is left where it was"
