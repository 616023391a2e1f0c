"""The pictures: every figure against one worked out in plain Python from the raw rows of small random organisations."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.db.models import Max
from django.test.utils import CaptureQueriesContext

from governance import clock
from governance.models import Rulebook
from initiatives.models import Initiative, Span, StageChange, Standing
from initiatives.portfolio import charts as portfolio_charts
from initiatives.portfolio import filters, portfolio_metrics
from tests.support import factories

pytestmark = pytest.mark.django_db

RANK = {"proposed": 0, "prototype": 1, "mvp": 2, "production": 3}


@dataclass
class Life:
    """One case of a random organisation: its moves with their moments, and what its proof supports from now on."""

    begun: timedelta
    elsewhere: bool = False
    imported: bool = False
    withdrawn: bool = False
    before_rulebook: bool = False
    moves: list[tuple[str, str, str, timedelta]] = field(default_factory=list)
    spans: list[dict] = field(default_factory=list)

    @property
    def stage(self) -> str:
        return self.moves[-1][1] if self.moves else "proposed"


def settle(cast, organisation: list[Life], now: datetime) -> None:
    """Put the rows of the organisation there as they are: no act leads to every past within a second."""
    number = Initiative.objects.aggregate(most=Max("number"))["most"] or 0
    current = Rulebook.objects.current()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in (Initiative, StageChange, Span, Standing):
            cursor.execute(f"ALTER TABLE {table._meta.db_table} DISABLE TRIGGER USER")
    for place, life in enumerate(organisation, start=1):
        since = life.moves[-1][3] if life.moves else life.begun
        case = Initiative(
            number=number + place,
            title=f"Case {place}",
            problem="-",
            unit=cast.elsewhere if life.elsewhere else cast.unit,
            stage=life.stage,
            basis=life.moves[-1][2] if life.moves else "registered",
            since=now - since,
            registered_at=now - life.begun,
            registered_by=cast.second_admin,
            withdrawn_at=now - life.begun + timedelta(hours=5) if life.withdrawn else None,
        )
        Initiative.objects.bulk_create([case])
        StageChange.objects.bulk_create(
            StageChange(
                initiative=case,
                from_stage=old,
                to_stage=new,
                basis=basis,
                at=now - at,
                by=cast.chair,
                entry_id=1,
            )
            for old, new, basis, at in life.moves
        )
        published = current.published_at
        Standing.objects.create(
            initiative=case,
            rulebook=current,
            computed_at=published - timedelta(days=1) if life.before_rulebook else published,
        )
        _spans(case, life, now)


def _spans(case: Initiative, life: Life, now: datetime) -> None:
    today = clock.local_day(now)
    begins = [clock.midnight_before(today + timedelta(days=span["start"])) for span in life.spans]
    for span, begin, end in zip(life.spans, begins, [*begins[1:], None], strict=True):
        supported = RANK.get(life.stage, 0) - span["shortfall"]
        Span.objects.create(
            initiative=case,
            from_at=begin,
            until_at=end,
            supported=next(stage for stage, rank in RANK.items() if rank == supported),
            shortfall=span["shortfall"],
            governance=True,
            integration=True,
            adoption=True,
            gaps=span["gaps"],
            next_stale_on=today + timedelta(days=span["stale_in"]) if span["stale_in"] else None,
        )


NOON = datetime(2026, 11, 22, 11, tzinfo=UTC)


def days(number: int) -> timedelta:
    return timedelta(days=number)


def span(start: int, shortfall: int = 0, stale_in: int | None = None, **gaps: int) -> dict:
    return {"start": start, "shortfall": shortfall, "gaps": gaps, "stale_in": stale_in}


# Each figure below is counted by hand from these.
IDEA = ("proposed", "prototype", "decision")
ORGANISATION = [
    Life(
        begun=days(400),  # on 18 October 2025, before the months that are drawn
        moves=[(*IDEA, days(300)), ("prototype", "mvp", "decision", days(200))],
        spans=[span(-3, stale_in=10, model=2), span(12, 1, model=5, policy=1)],
    ),
    Life(
        begun=days(120),
        moves=[(*IDEA, days(100)), ("prototype", "proposed", "step back", days(40))],
        spans=[span(-3, stale_in=95, integration=4)],  # beyond the ninety days
    ),
    Life(
        elsewhere=True,
        imported=True,
        begun=days(60),
        moves=[("proposed", "production", "import", days(60)), ("production", "mvp", "step back", days(10))],
        spans=[span(-3, 1, stale_in=11, policy=3), span(40, 1, policy=2)],
    ),
    Life(
        elsewhere=True,
        begun=days(90),
        moves=[("proposed", "stopped", "stopped", days(50)), ("stopped", "prototype", "reopened", days(20))],
        spans=[span(-3, 1)],
    ),
    Life(withdrawn=True, begun=days(30), spans=[span(-3)]),
    Life(before_rulebook=True, begun=days(5), spans=[span(-3, stale_in=10, model=9)]),
]


def test_every_figure_is_that_of_the_raw_rows(cast):
    with clock.simulated(NOON):
        settle(cast, ORGANISATION, NOON)
        rulebook = Rulebook.objects.current()
        cases = filters.with_standing(Initiative.objects.all(), rulebook, NOON)
        flow = portfolio_metrics.flow(cases, NOON)
        stays = portfolio_metrics.stays(cases, NOON)
        weeks = portfolio_metrics.ageing(cases, rulebook, NOON)
        gaps = portfolio_metrics.gaps(cases, rulebook, NOON)
        elsewhere = portfolio_metrics.gaps(cases.filter(unit=cast.elsewhere), rulebook, NOON)
    assert (flow.months[0], flow.months[-1]) == (date(2025, 12, 1), date(2026, 11, 1))
    drawn = {
        move: {month.month: count for month, count in zip(flow.months, counts, strict=True) if count}
        for move, counts in flow.counts.items()
        if any(counts)
    }
    assert drawn == {
        "registered": {7: 1, 8: 1, 10: 1, 11: 1},
        "prototype": {1: 1, 8: 1},
        "mvp": {5: 1},
        "stepped_back": {10: 1, 11: 1},
        "stopped": {10: 1},
        "reopened": {11: 1},
    }
    assert flow.claimed == (*[0] * 9, 1, 0, 0), "a claim of an import is no move"
    # Days in a stage with their quartiles: of 5 hours, 20, 40 and 100 days, of 5 and 40, and so on.
    assert [(row.stage, row.ended, row.count) for row in stays.rows] == [
        ("proposed", True, 4),
        ("proposed", False, 2),
        ("prototype", True, 2),
        ("prototype", False, 1),
        ("mvp", False, 2),
    ]
    assert [day for row in stays.rows for day in (row.lower, row.median, row.upper)] == pytest.approx(
        [15.0521, 30, 55, 13.75, 22.5, 31.25, 70, 80, 90, 20, 20, 20, 57.5, 105, 152.5], abs=1e-4
    )
    assert stays.asserted == 1, "nobody here knows how long an imported claim had stood"
    assert len(weeks) == 13
    assert [(week.first, week.last) for week in weeks[::12]] == [
        (date(2026, 11, 23), date(2026, 11, 29)),
        (date(2027, 2, 15), date(2027, 2, 20)),
    ]
    assert {
        number: (week.ageing, week.opening, week.falling)
        for number, week in enumerate(weeks)
        if week.ageing or week.opening or week.falling
    } == {1: (2, 4, 1)}
    assert {row.layer: (row.gaps, row.cases) for row in gaps if row.gaps} == {
        "model": (2, 1),
        "integration": (4, 1),
        "policy": (3, 1),
    }
    assert {row.layer: row.gaps for row in elsewhere if row.gaps} == {"policy": 3}


def tables(response) -> dict[str, list[list[str]]]:
    """The tables behind the pictures by their region: rows of cells as text."""
    page = BeautifulSoup(response.content, "html.parser")
    return {
        region["aria-label"]: [
            [cell.get_text(" ", strip=True) for cell in row.find_all(["th", "td"])]
            for row in region.select("tbody tr")
        ]
        for region in page.select(".pictures [role=region]")
    }


def test_each_picture_says_in_words_and_in_a_table_what_it_draws(cast, as_):
    now = clock.now()
    life = Life(timedelta(days=40))
    life.moves = [("proposed", "prototype", "decision", timedelta(days=30))]
    life.spans = [
        {"start": -3, "shortfall": 0, "gaps": {"integration": 2, "model": 1}, "stale_in": 10},
        {"start": 10, "shortfall": 1, "gaps": {"integration": 5}, "stale_in": None},
    ]
    settle(cast, [life], now)
    response = as_(cast.owner).get("/cases/pictures/")
    page = BeautifulSoup(response.content, "html.parser")
    pictures = page.select("svg.chart")
    assert len(pictures) == 4
    for picture in pictures:
        named = picture["aria-labelledby"].split()
        assert [page.find(id=key).name for key in named] == ["title", "desc"]
        assert all(page.find(id=key).get_text(strip=True) for key in named)
        assert picture["role"] == "img"
        assert not picture.select("[style]")
    found = tables(response)
    assert [sum(int(row[2]) for row in found["Flow between stages"])] == [1]
    assert ["Proposed idea", "moved on few: read with care", "1", "10.0", "10.0", "10.0"] in found[
        "Time in stage"
    ]
    assert [row[1:] for row in found["Expiring evidence"]][1] == ["1", "2", "1"]
    assert found["Gaps by layer"][0] == ["Model", "1", "1"]
    assert ["Integration", "2", "1"] in found["Gaps by layer"]
    words = " ".join(text.get_text() for text in page.select("svg text"))
    assert "Integration: 2 gaps in 1 initiative" in words
    assert "n 1" in words


def test_they_follow_the_filters_and_show_nobody_what_is_not_theirs(cast, as_):
    span = {"start": -1, "shortfall": 0, "stale_in": None}
    lives = [
        Life(timedelta(days=3), elsewhere, spans=[span | {"gaps": {"model": gaps}}])
        for elsewhere, gaps in ((False, 2), (True, 5))
    ]
    settle(cast, lives, clock.now())

    def model_gaps(person, query=""):
        return tables(as_(person).get(f"/cases/pictures/{query}"))["Gaps by layer"][0][1]

    assert model_gaps(cast.admin) == "7"
    assert model_gaps(cast.admin, f"?unit={cast.elsewhere.pk}") == "5"
    assert model_gaps(cast.admin, "?q=Case+1") == "2"
    assert model_gaps(cast.owner) == "2"
    assert model_gaps(cast.outsider) == "5"
    assert model_gaps(cast.admin, "?report=permanent-pilots") == "0"


def test_without_cases_nothing_is_drawn_and_no_nonsense_breaks_it(cast, as_):
    client = as_(cast.owner)
    text = client.get("/cases/pictures/").content.decode()
    assert '<svg class="chart"' not in text
    assert "No stay is known yet" in text
    for query in (
        "claimed=nothing",
        "unit=x",
        "q=%27%22%3B--%25s%25",
        "sort=evil",
        "q=" + "x" * 5000,
        "layer=model",
    ):
        assert client.get(f"/cases/pictures/?{query}").status_code == 200, query


def test_a_constant_number_of_queries(cast, as_):
    client = as_(cast.chair)

    def asked() -> int:
        client.get("/cases/pictures/")
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/cases/pictures/?shortfall=on").status_code == 200
        return len(queries)

    factories.make_case(cast)
    few = asked()
    for number in range(4):
        factories.make_case(cast, title=f"Idea {number}")
    assert asked() == few <= 14


def test_a_value_that_is_not_nothing_can_be_seen():
    """However high its neighbours stand."""
    rows = (portfolio_metrics.LayerGaps("model", 5000, 900), portfolio_metrics.LayerGaps("policy", 1, 1))
    bars = [shape for shape in portfolio_charts.gaps(rows).shapes if shape.kind == "bar"]
    assert [float(bar.width) for bar in bars] == [320.0, 1.5]
