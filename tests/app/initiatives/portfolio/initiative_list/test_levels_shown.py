"""How strongly the answers of an initiative stand, beside what they support: on the portfolio, in its file and in the
pack.
"""

import csv
from datetime import date, timedelta

import pytest

from adoption.demo import initiative_acts
from adoption.meetings.board_pack import _levels
from governance import clock
from governance.gates.requirements import State
from governance.rulebook import shipped_text
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.facts.wording import profile_of, profile_words
from tests.support import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def prototype(cast):
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    return initiative_acts.to_prototype(factories.make_initiative(cast, title="Kept"), cast.team)


def exported(client) -> dict:
    text = b"".join(client.get("/initiatives/export.csv").streaming_content).decode("utf-8-sig")
    return next(row for row in csv.DictReader(text.splitlines()) if row["Title"] == "Kept")


def test_the_profile_stands_beside_the_supported_stage(cast, as_, prototype):
    span = prototype.spans.covering(clock.now()).get()
    states = supported_stage.judged(prototype).states
    asked = [states[key] for key in supported_stage.asked(*_read(prototype))]
    assert sum(span.profile.values()) == len(asked)
    assert span.profile["documented"] == sum(state.level == "documented" for state in asked) > 0
    words = profile_words(span.profile)
    assert "documented" in words
    client = as_(cast.owner)
    assert words in client.get(prototype.get_absolute_url()).content.decode()
    assert exported(client)["Levels of answers"] == words
    assert _levels(supported_stage.judged(prototype)) == words


def test_a_waiver_shows_with_its_first_last_day():
    assert profile_words({"documented": 3, "waived": 2, "waived_until": "2027-03-03"}) == (
        "3 documented, 2 waived until 3 March 2027"
    )
    assert profile_words({"measured": 1, "verified": 2, "stated": 4}) == "1 measured, 2 verified, 4 stated"


def test_what_is_waived_is_counted_with_the_day_that_ends_first():
    day = date(2027, 3, 3)
    states = {
        "a": State("a", "met", "", level="verified"),
        "b": State("b", "waived", "", last_day=day + timedelta(days=9)),
        "c": State("c", "waived", "", last_day=day),
        "d": State("d", "not_asked", ""),
    }
    assert profile_of(states, states) == {"verified": 1, "waived": 2, "waived_until": "2027-03-03"}
    assert profile_of(states, "d") is None


def _read(initiative):
    judged = supported_stage.judged(initiative)
    return judged.facts, judged.rulebook
