"""The layout of the data flow: nothing lies on anything else, nothing is cut off, and what is bad is marked."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.web.charts.primitives import LETTER
from initiatives.integration.systems.charts import RIGHT, Flow, Stop, Way, flow

LONG = "Policy share P of the claims department in the old building"
STOPS = st.builds(
    Stop,
    name=st.sampled_from(["CRM", "Integration gateway", LONG]),
    place=st.sampled_from(["", "eu-west", "eu-west, eu-north, fra-9 (region not known)"]),
    note=st.sampled_from(["", "forbidden by Policy 3 (forbidden: US)", f"{LONG}; {LONG}"]),
    bad=st.booleans(),
)
WAYS = st.builds(
    Way,
    title=st.just("CRM: reads notes"),
    stops=st.lists(STOPS, min_size=2, max_size=6).map(tuple),
    direction=st.sampled_from(["reads", "writes", "both"]),
    data=st.sampled_from(["reads", "reads customer notes, health data, production data"]),
    url=st.just("/systems/1/"),
)
FLOWS = st.builds(
    Flow,
    ways=st.lists(WAYS, max_size=6).map(tuple),
    system=STOPS,
    actors=st.lists(STOPS, min_size=1, max_size=4).map(tuple),
)


def boxes(picture) -> list[tuple[float, float, float, float]]:
    """The left, upper, right and lower edge of each place."""
    found = []
    for shape in picture.shapes:
        if shape.kind.startswith("box"):
            x, y = float(shape.x), float(shape.y)
            found.append((x, y, x + float(shape.width), y + float(shape.height)))
    return found


def places_of(drawn: Flow) -> int:
    """How many boxes: the AI system, who acts, each source with its transfers, each system that is written to."""
    return 1 + len(drawn.actors) + sum(1 if way.out else len(way.stops) - 1 for way in drawn.ways)


@given(FLOWS)
def test_no_place_lies_on_another_and_none_is_left_out(drawn):
    for picture in flow(drawn):
        found = boxes(picture)
        assert len(found) == places_of(drawn)
        for (left, top, right, bottom), (x, y, far, low) in combinations(found, 2):
            assert right <= x or far <= left or bottom <= y or low <= top
        assert all(
            left >= 0 and right <= picture.width and low <= picture.height for left, _, right, low in found
        )


@given(FLOWS)
def test_every_word_is_there_inside_the_picture(drawn):
    for picture in flow(drawn):
        shown = " ".join(words.text for words in picture.words)
        stops = [
            drawn.system,
            *drawn.actors,
            *(stop for way in drawn.ways for stop in way.stops[:-1] if not way.out),
        ]
        for stop in stops:
            assert " ".join(stop.name.split()) in shown
            assert stop.note in shown
        assert "…" not in shown
        for words in picture.words:
            if words.anchor == "start":
                assert float(words.x) + len(words.text) * LETTER <= picture.width
            assert 0 < float(words.y) <= picture.height
        said = picture.says
        assert all(stop.name in said for stop in stops)


def test_what_is_bad_is_marked_by_its_border_and_by_a_sign():
    fine, bad = Stop("Gateway", "eu-west"), Stop("Model", "us-east", "forbidden by Policy 3", bad=True)
    drawn = Flow(
        (
            Way(
                "CRM: reads notes",
                (Stop("CRM", "CH"), fine, bad, Stop("AI-0001")),
                "reads",
                "reads notes",
                "/",
            ),
        ),
        Stop("Call notes"),
        (Stop("Clerks"),),
    )
    for picture in flow(drawn):
        assert [shape.kind for shape in picture.shapes if "late" in shape.kind] == ["box late"]
        assert [words.text for words in picture.words if words.kind == "late"] == ["! forbidden by Policy 3"]
        assert "CRM (CH), then Gateway (eu-west), then Model (us-east): forbidden by Policy 3" in picture.says


@pytest.mark.parametrize(("direction", "column"), [("reads", "left"), ("both", "left"), ("writes", "right")])
def test_a_system_that_is_only_written_to_stands_behind_the_ai(direction, column):
    stops = (Stop("AI-0001"), Stop("Ledger")) if direction == "writes" else (Stop("Ledger"), Stop("AI-0001"))
    drawn = Flow((Way("Ledger", stops, direction, "notes", "/"),), Stop("Call notes"), (Stop("Clerks"),))
    broad, _ = flow(drawn)
    at = {words.text: float(words.x) for words in broad.words}
    assert (at["Ledger"] < at["Call notes"]) is (column == "left")
    assert sum(words.text == RIGHT for words in broad.words) == 2
