"""What the client reports of decisions, and that it never stands in the way of the system that reports."""

import datetime as dt

import pytest

from governance.authorization.client import Plumbline
from tests.support.servers.stand_in_server import KEY, StandIn, allow, deny, saying

AGENT, TICKET = {"type": "agent", "id": "triage"}, {"type": "ticket", "id": "4711"}
AT = dt.datetime(2026, 3, 2, 9, 5, tzinfo=dt.UTC)


def test_a_decision_says_its_id_and_the_stage(playing):
    _, plumbline = playing(
        saying(allow(id="d-1", stage="mvp"), deny(id="d-2", stage="prototype"), allow()), keep=0
    )
    found = [plumbline.ask(AGENT, "assign_ticket", TICKET) for _ in range(3)]
    assert [(one.id, one.stage) for one in found] == [("d-1", "mvp"), ("d-2", "prototype"), ("", "")]


def test_an_outcome_is_reported_by_the_decision_or_by_its_id(playing):
    server, plumbline = playing(saying(allow(id="d-1"), {"outcome": "done"}))
    decision = plumbline.ask(AGENT, "assign_ticket", TICKET)
    assert plumbline.outcome(decision, "done") == ""
    assert plumbline.outcome("d-1", "undone", at=AT, note="A slip") == ""
    first, second = server.calls[1:]
    assert (first.command, first.path) == ("POST", "/access/v1/outcomes")
    assert first.headers["Authorization"] == f"Bearer {KEY}"
    assert first.body == {"decision": "d-1", "outcome": "done", "at": None, "note": ""}
    assert second.body["note"] == "A slip"
    assert dt.datetime.fromisoformat(second.body["at"]) == AT


def test_a_heartbeat_is_one_word(playing):
    server, plumbline = playing(saying({"heartbeat": True}))
    assert plumbline.heartbeat() == ""
    assert (server.calls[0].path, server.calls[0].body) == ("/access/v1/outcomes", {"heartbeat": True})


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "understand"),
        (404, "does not exist in Plumbline"),
        (409, "contradicts"),
        (429, "too many requests"),
        (503, "error"),
    ],
)
def test_what_was_not_kept_is_said_and_not_raised(playing, status, words):
    _, plumbline = playing(lambda call: call.reply("No, because.", status))
    said = plumbline.outcome("d-1", "done")
    assert words in said
    assert "The answer was: “No, because.”" in said
    assert plumbline.heartbeat()


def test_nothing_a_system_hands_over_or_meets_raises(playing):
    _, plumbline = playing(lambda call: call.drop())
    for of in (None, 7, object(), "d-1"):
        assert plumbline.outcome(of, "done")
    with StandIn(saying({})) as server:
        gone = Plumbline(server.address, KEY)
    assert "cannot be reached" in gone.outcome("d-1", "done")
    gone.close()
