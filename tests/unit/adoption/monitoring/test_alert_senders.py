"""Alerts of three kinds of senders in one shape; what is wrong with one is said, and no text of theirs does harm."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adoption.monitoring import alert_senders
from adoption.monitoring.alert_senders import AHEAD, MOST_ALERTS, MOST_BODY, Unreadable, read

SENT = Path(__file__).parent / "sent"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLAIN = {"rule": "DiskFull", "state": "firing", "started": "2026-11-20T10:00:00Z"}


def of_file(name):
    return read((SENT / f"{name}.json").read_bytes(), NOW)


def plain(**fields):
    """What becomes of one plain alert with these fields: the alert, or why not."""
    batch = read(json.dumps({"alerts": [PLAIN | fields]}).encode(), NOW)
    return batch.alerts[0] if batch.alerts else batch.wrong[0].words


def test_alertmanager():
    batch = of_file("alertmanager")
    firing, resolved = batch.alerts
    assert (batch.wrong, batch.left_out) == ((), 2)
    assert (firing.sender, firing.fingerprint, firing.rule, firing.severity) == (
        "alertmanager",
        "c6eadffa33fcdf37",
        "ErrorRateHigh",
        "critical",
    )
    assert firing.started == datetime(
        2026, 11, 20, 8, 52, 26, 739266, UTC
    )  # nanoseconds, and another time zone
    assert firing.ended is None  # the year 1 means "not said"
    assert firing.summary == "Replies fail"
    assert firing.link.startswith("http://prometheus.example:9090/")
    assert "7.2 % of the replies" in firing.body
    assert resolved.ended == datetime(2026, 11, 20, 8, 55, 30, 500_000, UTC)


def test_alertmanager_before_it_sent_fingerprints_is_known_by_its_labels():
    body = json.loads((SENT / "alertmanager.json").read_text())
    for row in body["alerts"]:
        del row["fingerprint"]
    one, other = read(json.dumps(body).encode(), NOW).alerts
    again = read(json.dumps(body).encode(), NOW).alerts[0]
    assert one.fingerprint == again.fingerprint != other.fingerprint


def test_azure():
    (fired,), (resolved,) = of_file("azure_fired").alerts, of_file("azure_resolved").alerts
    assert fired.sender == "azure"
    assert fired.fingerprint.endswith("b9569717-bc32-442f-add5-83a997729330")
    assert (fired.fingerprint, fired.started) == (resolved.fingerprint, resolved.started)
    assert (fired.rule, fired.severity) == ("reply-drafts latency", "sev1")
    assert (fired.ended, resolved.ended) == (None, datetime(2026, 11, 20, 11, 3, 16, 224631, UTC))
    assert fired.summary == "Answers take longer than 4 s"
    assert fired.link.startswith("https://portal.azure.com/")


def test_plain():
    firing, resolved = of_file("plain").alerts
    assert (firing.sender, firing.fingerprint, firing.rule, firing.severity, firing.ended) == (
        "other",
        "disk-7",
        "DiskFull",
        "critical",
        None,
    )
    assert resolved.ended == datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
    assert plain(state="resolved").ended == NOW


def test_a_heartbeat_holds_no_alert():
    assert read(b'{"heartbeat": true}', NOW) == alert_senders.Batch()
    with pytest.raises(Unreadable):
        read(b'{"heartbeat": 1}', NOW)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[1]", "not a JSON object with alerts"),
        (b'{"a": NaN}', "not JSON"),
        (b"[" * 200_000, "nested more than 64 levels"),
        (b'{"alerts": []}', "no list of alerts"),
        (b'{"schemaId": "AzureMonitorMetricAlert", "data": {}}', "common alert schema"),
        (json.dumps({"alerts": [PLAIN] * (MOST_ALERTS + 1)}).encode(), "max_alerts: 500"),
    ],
)
def test_a_request_that_cannot_be_read_says_how_to_fix_it(body, words):
    with pytest.raises(Unreadable, match=words):
        read(body, NOW)


def test_an_alert_that_is_no_object_is_no_hindrance_to_the_others():
    found = read(json.dumps({"alerts": [1, PLAIN]}).encode(), NOW)
    assert [one.number for one in found.wrong] == [1]
    assert len(found.alerts) == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"rule": ""}, "The alert has no rule"),
        ({"rule": None}, "The alert has no rule"),
        ({"state": "open"}, "state must be firing or resolved"),
        ({"started": None}, "started is not a time"),
        ({"started": "2026-11-20"}, "started is not a time"),
        ({"started": "2026-11-20T10:00:00"}, "with a time zone"),
        ({"started": "0001-01-01T00:00:00Z"}, "started is not a time"),
        ({"started": "9999-12-31T23:59:59-23:59"}, "started is not a time"),
        ({"started": "2026-11-20T12:10:01Z"}, "Set the clock of the sender"),
        ({"state": "resolved", "ended": "2026-11-20T12:10:01Z"}, "Set the clock of the sender"),
        ({"state": "resolved", "ended": "2026-11-20T09:59:59Z"}, "ended is before started"),
    ],
)
def test_an_alert_that_cannot_be_taken_says_why(fields, words):
    assert words in plain(**fields)


def test_a_clock_may_be_fast_by_ten_minutes():
    at = NOW + AHEAD
    assert plain(started=at.isoformat()).started == at
    assert plain(started=at.isoformat(), state="resolved").ended == at
    assert "clock" in plain(started=(at + timedelta(seconds=1)).isoformat())


def test_one_wrong_alert_hinders_no_other():
    batch = read(json.dumps({"alerts": [PLAIN, PLAIN | {"state": "?"}, PLAIN | {"id": "b"}]}).encode(), NOW)
    assert [one.fingerprint for one in batch.alerts] == ["DiskFull", "b"]
    assert [one.number for one in batch.wrong] == [2]


def test_texts_are_one_line_without_letters_that_deceive():
    said = plain(
        summary="first\nsecond\x00 \u202eevil\u2066 \ud800 end", severity="CRIT\tical", rule="a\u200b b"
    )
    assert said.summary == "first second\ufffd [U+202E]evil[U+2066] \ufffd end"
    assert (said.severity, said.rule) == ("crit ical", "a[U+200B] b")
    assert not {"\x00", "\u202e", "\ud800"} & set(said.body)
    said.body.encode()
    assert len(plain(summary="x" * 1000).summary) == 300
    assert plain(summary={"a": 1}).summary == '{"a": 1}'


def test_long_bodies_are_cut():
    assert len(plain(more="x" * 100_000).body) == MOST_BODY + 1


@pytest.mark.parametrize("depth", [900, 940, 960, 980, 990, 1000, 1100, 5000])
def test_deep_nesting_ends_in_words(depth):
    body = json.dumps({"alerts": [PLAIN | {"more": "HERE"}, PLAIN]})
    try:
        batch = read(body.replace('"HERE"', "[" * depth + "]" * depth).encode(), NOW)
    except Unreadable:
        return
    assert len(batch.alerts) + len(batch.wrong) == 2
    assert {one.words for one in batch.wrong} <= {"It is nested too deeply."}


def test_what_cannot_be_kept_as_a_fingerprint_is_known_by_its_digest():
    assert len(plain(id="x" * 201).fingerprint) == 64
    assert plain(id="x" * 200).fingerprint == "x" * 200
    assert len(plain(id="a\x00b").fingerprint) == 64
    assert plain(id="a\x00b").fingerprint != plain(id="a\x00c").fingerprint
    assert plain(id={"a": 1, "b": 2}).fingerprint == plain(id={"b": 2, "a": 1}).fingerprint


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil",
        "https://",
        "https://a b",
        "http://[",
        7,
        "x" * 501,
    ],
)
def test_only_addresses_of_the_web_become_links(link):
    assert plain(link=link).link == ""
