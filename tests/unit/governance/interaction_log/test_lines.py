"""The plain API of lines: what is read, what is kept, what is refused in which words."""

import json

import pytest

from governance.interaction_log import lines
from governance.interaction_log.shape import Message, Source, ToolCall

GOOD = {"at": "2026-11-22T09:30:00Z", "input": "How long is it good for?", "output": "Two years."}


def test_a_line_is_an_interaction_and_what_has_another_name_is_kept():
    row = GOOD | {
        "model": "m-1",
        "tools": ["search", {"name": "refund", "arguments": {"order": 1}}],
        "sources": [{"id": "d1", "text": "Two years from the day of sale."}],
        "tokens_in": 12,
        "subject": "customer 4",
        "sampled": 0.1,
        "till": 7,
    }
    (report,), wrong = lines.read(json.dumps(row).encode())
    assert not wrong
    assert report.input == (Message("user", "How long is it good for?"),)
    assert report.output[1].tool_calls == (ToolCall("search", "{}"), ToolCall("refund", '{"order": 1}'))
    assert report.retrieval == (Source("d1", "Two years from the day of sale."),)
    assert (report.model, report.tokens_in, report.subject, report.sampled) == ("m-1", 12, "customer 4", 0.1)
    assert report.attributes == {"till": 7}


def test_lines_and_lists_are_read_alike_and_wrong_lines_are_told_by_number():
    body = "\n".join([json.dumps(GOOD), "", "{", json.dumps({"at": GOOD["at"]}), json.dumps(GOOD)])
    found, wrong = lines.read(body.encode())
    assert len(found) == 2
    assert [one.number for one in wrong] == [3, 4]
    assert lines.read(json.dumps([GOOD, GOOD]).encode())[0] == found


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"at": "yesterday"}, "at must be a time"),
        ({"at": "2026-11-22T09:30:00"}, "zone"),
        ({"at": None}, "no time"),
        ({"input": "", "output": None}, "neither input"),
        ({"input": [1]}, "list of messages"),
        ({"tokens_in": -1}, "whole number"),
        ({"span_id": "xyz"}, "hexadecimal"),
        ({"subject": "x" * 301}, "longer"),
        ({"sampled": 2}, "share"),
    ],
)
def test_a_line_that_does_not_fit_says_how_to_fix_it(change, word):
    found, (wrong,) = lines.read(json.dumps(GOOD | change).encode())
    assert not found
    assert word in wrong.words


def test_more_lines_than_a_sending_takes_are_refused(monkeypatch):
    monkeypatch.setattr(lines, "MOST_LINES", 2)
    found, (wrong,) = lines.read(json.dumps([GOOD] * 4).encode())
    assert (len(found), wrong.number) == (2, 3)
