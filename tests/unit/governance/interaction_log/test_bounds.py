"""What a request costs is bounded before objects are built from it, and grows with its length at most."""

import csv
import gzip
import io
import itertools
import json
import subprocess
import sys

import pytest

from governance.authorization import authzen
from governance.interaction_log import lines, otlp, shape
from governance.interaction_log.conventions import spans
from governance.interaction_log.shape import Kind
from governance.vocabulary import bounded_json, strict_json
from tests.support.paths import ROOT


def field(number, body):
    """A field of bytes as protobuf writes it."""
    found = bytearray()
    for value in (number << 3 | 2, len(body)):
        while value > 0x7F:
            found.append(value & 0x7F | 0x80)
            value >>= 7
        found.append(value)
    return bytes(found) + body


def of_spans(inner):
    """A request with these bytes as its spans."""
    return field(1, field(2, inner))


def one_span(inner):
    """A request with one span that has ids and these fields."""
    return of_spans(field(2, field(1, b"\1" * 16) + field(2, b"\2" * 8) + inner))


EMPTY_SPAN, EMPTY_ATTRIBUTE, EMPTY_EVENT, EMPTY_LINK = b"\x12\0", b"\x4a\0", b"\x5a\0", b"\x6a\0"
BOMB = """
import gzip, resource, sys
from governance.interaction_log import otlp
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    otlp.read_traces(otlp.unpacked(sys.stdin.buffer.read(), "gzip"), otlp.PROTOBUF)
except otlp.Refused as refused:
    print(refused.status, refused.count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_six_kilobytes_that_hold_three_million_spans_are_refused_in_little_memory():
    """They came to 1.1 GB; the kilobytes that the process grew by are printed by a process of its own."""
    packed = gzip.compress(of_spans(EMPTY_SPAN * 3_000_000), mtime=0)
    assert len(packed) < 6_000
    done = subprocess.run(
        [sys.executable, "-c", BOMB], input=packed, cwd=ROOT, capture_output=True, check=True, timeout=120
    )
    status, count, grown = map(int, done.stdout.split())
    assert (status, count) == (413, otlp.MOST_RECORDS + 1)
    assert grown < 60_000


def test_as_many_spans_as_may_come_are_read():
    assert (
        otlp.read_traces(of_spans(EMPTY_SPAN * otlp.MOST_RECORDS), otlp.PROTOBUF).rejected
        == otlp.MOST_RECORDS
    )
    sent = {"resourceSpans": [{"scopeSpans": [{"spans": [{}] * otlp.MOST_RECORDS}]}]}
    assert otlp.read_traces(json.dumps(sent).encode(), otlp.JSON).rejected == otlp.MOST_RECORDS
    sent["resourceSpans"] *= 2
    with pytest.raises(otlp.Refused) as refused:
        otlp.read_traces(json.dumps(sent).encode(), otlp.JSON)
    assert (refused.value.status, refused.value.count) == (413, 2 * otlp.MOST_RECORDS)
    assert str(otlp.MOST_RECORDS) in refused.value.words


MANY = 400_000


@pytest.mark.parametrize(
    "body",
    [
        one_span(EMPTY_ATTRIBUTE * MANY),
        one_span(EMPTY_EVENT * MANY),
        one_span(EMPTY_LINK * MANY),
        one_span(field(9, field(2, field(5, b"\x0a\0" * MANY)))),  # a list of empty values
        one_span(field(11, EMPTY_ATTRIBUTE.replace(b"\x4a", b"\x1a") * MANY)),  # attributes of an event
        field(1, field(1, b"\x0a\0" * MANY)),  # attributes of a resource
        field(1, b"\x12\0" * MANY),  # scopes
        b"\x0a\0" * MANY,  # resources
    ],
    ids=["attributes", "events", "links", "values", "of an event", "of a resource", "scopes", "resources"],
)
def test_messages_of_every_kind_are_counted_before_they_are_read(body, monkeypatch):
    monkeypatch.setattr(otlp._SCHEMA, "_most_others", 10_000)
    with pytest.raises(otlp.Refused) as refused:
        otlp.read_traces(body, otlp.PROTOBUF)
    assert refused.value.status == 413


def test_a_group_is_no_field_of_a_message():
    """Parsers keep groups as unknown fields, so nobody would have counted what lies in them."""
    with pytest.raises(otlp.Refused) as refused:
        otlp.read_traces(b"\x7b" + EMPTY_SPAN * 9 + b"\x7c", otlp.PROTOBUF)
    assert refused.value.status == 400


def test_values_within_values_are_bounded():
    value = field(1, b"x")
    for _ in range(otlp.DEEPEST - 1):
        value = field(5, field(1, value))
    read = otlp.read_traces(one_span(field(9, field(1, b"k") + field(2, value))), otlp.PROTOBUF)
    assert read.spans[0].attributes["k"]
    for _ in range(5):
        value = field(5, field(1, value))
    with pytest.raises(otlp.Refused, match="deep"):
        otlp.read_traces(one_span(field(9, field(1, b"k") + field(2, value))), otlp.PROTOBUF)


def test_a_resource_is_not_kept_for_thousands_of_spans_when_it_is_long():
    resource = field(1, field(1, field(1, b"k") + field(2, field(1, b"x" * 100_000))))
    body = field(1, resource + field(2, EMPTY_SPAN * 1_000))
    with pytest.raises(otlp.Refused, match="resource"):
        otlp.read_traces(body, otlp.PROTOBUF)
    sent = {"attributes": [{"key": "k", "value": {"stringValue": "x" * 100_000}}]}
    body = json.dumps({"resourceSpans": [{"resource": sent, "scopeSpans": [{"spans": [{}] * 1_000}]}]})
    with pytest.raises(otlp.Refused, match="resource"):
        otlp.read_traces(body.encode(), otlp.JSON)


@pytest.mark.parametrize(
    "body",
    [b"[" + b"[]," * 3 * MANY + b"1]", b"[" + b"1," * 3 * MANY + b"1]", b'[{"a":' * 80 + b"1" + b"}]" * 80],
)
def test_json_is_measured_before_it_is_read(body):
    with pytest.raises(bounded_json.TooMuch):
        bounded_json.loads(body)
    with pytest.raises(otlp.Refused):
        otlp.read_traces(b'{"resourceSpans":' + body + b"}", otlp.JSON)
    assert lines.read(body)[0] == []
    assert lines.read(b'{"at":"2026-11-22T09:30:00Z","input":"x","till":' + body + b"}")[0] == []


@pytest.mark.parametrize(
    ("body", "values"),
    [(b'"[[[[{{{,,,"', 1), (b'["\\"[,", {"a": 1}, 2]', 5), (b"", 1), (b'"\\', 1), (b'"[', 1)],
)
def test_what_stands_in_texts_is_no_value(body, values):
    assert bounded_json.measured(body) == values


def counted(body: bytes) -> int:
    """How many values a body holds by the letter: one more than its brackets that open and its commas."""
    count, inside, escaped = 1, False, False
    for byte in body:
        letter = chr(byte)
        if inside:
            inside, escaped = letter != '"' or escaped, letter == "\\" and not escaped
        elif letter == '"':
            inside = True
        else:
            count += letter in "[{,"
    return count


def test_each_short_body_is_measured_as_it_is_counted_by_the_letter():
    for letters in itertools.product('"[,\\a', repeat=7):
        body = "".join(letters).encode()
        assert bounded_json.measured(body) == counted(body), body


def test_three_thousand_levels_are_refused_everywhere():
    deep = b'{"a":' * 3_000 + b"1" + b"}" * 3_000
    with pytest.raises(strict_json.NotJson):
        authzen.read(deep)
    with pytest.raises(otlp.Refused):
        otlp.read_traces(deep, otlp.JSON)
    good = b'{"at":"2026-11-22T09:30:00Z","input":"x"}'
    found, (wrong,) = lines.read(good + b"\n" + deep + b"\n" + good)
    assert (len(found), wrong.number) == (2, 2)


def test_deep_json_in_a_text_stays_a_text():
    deep = "[" * 3_000 + "]" * 3_000
    sent = {"key": "gen_ai.input.messages", "value": {"stringValue": deep}}
    one = {"traceId": "a" * 32, "spanId": "b" * 16, "attributes": [sent]}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]}).encode()
    (report,) = spans.read(otlp.read_traces(body, otlp.JSON))
    assert report.input[0].text == deep


def test_lines_behind_the_bound_are_counted_and_those_before_it_kept(monkeypatch):
    monkeypatch.setattr(lines, "MOST_LINES", 2)
    good = b'{"at":"2026-11-22T09:30:00Z","input":"x"}\n'
    found, (wrong,) = lines.read(good * 7)
    assert (len(found), wrong.number, wrong.count) == (2, 3, 5)
    table = b"at,input\n" + b"2026-11-22T09:30:00Z,x\n" * 7
    found, (wrong,) = lines.read_csv(table)
    assert (len(found), wrong.number, wrong.count) == (2, 4, 5)


def test_a_table_is_kept_up_to_where_it_cannot_be_read():
    good = b"2026-11-22T09:30:00Z,x\n"
    found, (wrong,) = lines.read_csv(b"at,input\n" + good * 2 + b'2026-11-22T09:30:00Z,"x"y\n' + good)
    assert (len(found), wrong.number, wrong.count) == (2, 4, 2)
    found, (wrong,) = lines.read_csv(b"at,input\n" + good + b"2026-11-22T09:30:00Z,x,more\n" + good)
    assert (len(found), wrong.number) == (2, 3)
    assert "3 cells" in wrong.words


def test_a_table_of_very_many_columns_is_refused():
    held = io.StringIO()
    csv.writer(held).writerow(["at", "input", *map(str, range(lines.MOST_COLUMNS))])
    found, (wrong,) = lines.read_csv(held.getvalue().encode())
    assert (found, wrong.number) == ([], 1)


def steps(act, *given):
    """How many calls of functions it takes."""
    counted = [0]

    def count(frame, event, argument):
        counted[0] += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        act(*given)
    except otlp.Refused:
        pass
    finally:
        sys.setprofile(None)
    return counted[0]


def choice(number):
    """An event of a span with one message."""
    pair = field(3, field(1, b"content") + field(2, field(1, b"m%d" % number)))
    return field(11, field(2, b"gen_ai.user.message") + pair)


def record(number):
    """A log record of one span, with one message."""
    text = field(2, field(1, b"m%d" % number))
    body = field(5, field(6, field(1, field(1, b"content") + text)))
    return field(2, field(12, b"gen_ai.user.message") + field(9, b"\1" * 16) + field(10, b"\2" * 8) + body)


def read(body, reading):
    """A request read through to reports as they are kept."""
    for report in spans.read(reading(body, otlp.PROTOBUF)):
        shape.storable(report)


@pytest.mark.parametrize(
    "of",
    [
        lambda count: (read, one_span(b"".join(map(choice, range(count)))), otlp.read_traces),
        lambda count: (read, field(1, field(2, b"".join(map(record, range(count))))), otlp.read_logs),
        lambda count: (read, of_spans(EMPTY_SPAN * count), otlp.read_traces),
        lambda count: (lines.read, b'{"at":"2026-11-22T09:30:00Z","input":"x"}\n' * count),
        lambda count: (lines.read, b"{\n" * count),
        lambda count: (lines.read_csv, b"at,input" + b",x" * 400 + b"\n" + b"a\n" * count),
        lambda count: (authzen.read, b'{"a":[' + b'"\\"",' * count + b"1]}"),
    ],
    ids=[
        "events of a span",
        "records of a span",
        "empty spans",
        "lines",
        "broken lines",
        "short rows",
        "a question",
    ],
)
def test_what_is_read_takes_steps_by_its_length(of):
    """Over inputs of 1, 2, 4, 8 times the length, twice the length takes hardly more than twice the steps."""
    counts = [steps(*of(size)) for size in (100, 200, 400, 800)]
    factors = [after / before for before, after in itertools.pairwise(counts)]
    print(counts, [round(one, 2) for one in factors])
    assert max(factors) < 2.2


def test_comparing_messages_of_many_reports_takes_no_square():
    """The number of comparisons of messages, which no profile shows."""
    body = field(1, field(2, b"".join(map(record, range(3_000)))))
    (report,) = spans.read(otlp.read_logs(body, otlp.PROTOBUF))
    assert (report.kind, len(report.input)) == (Kind.EVENTS, 3_000)
