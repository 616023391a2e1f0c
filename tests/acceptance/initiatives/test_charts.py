"""The pictures: every figure against one worked out in plain Python from the raw rows of small random organisations."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.db.models import Max
from django.test.utils import CaptureQueriesContext

from governance import clock
from governance.models import Rulebook
from initiatives.models import Initiative, StageChange, SupportedStagePeriod
from initiatives.portfolio.efforts import actions as effort_actions
from initiatives.portfolio.initiative_list import filters
from initiatives.portfolio.insights import charts as portfolio_charts
from initiatives.portfolio.insights import flow as flow_figures
from tests.support import factories
from tests.support.initiatives import told_supported_stages

pytestmark = pytest.mark.django_db

RANK = {"proposed": 0, "prototype": 1, "mvp": 2, "production": 3}


@dataclass
class Life:
    """One initiative of a random organisation: its moves with their moments, and what its evidence supports from now
    on.
    """

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


def arrange(cast, organisation: list[Life], now: datetime) -> None:
    """Put the rows of the organisation there as they are: no act leads to every past within a second."""
    number = Initiative.objects.aggregate(most=Max("number"))["most"] or 0
    current = Rulebook.objects.current()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in (Initiative, StageChange):
            cursor.execute(f"ALTER TABLE {table._meta.db_table} DISABLE TRIGGER USER")
    for place, life in enumerate(organisation, start=1):
        since = life.moves[-1][3] if life.moves else life.begun
        initiative = Initiative(
            number=number + place,
            title=f"Initiative {place}",
            problem="-",
            unit=cast.elsewhere if life.elsewhere else cast.unit,
            stage=life.stage,
            basis=life.moves[-1][2] if life.moves else "registered",
            since=now - since,
            registered_at=now - life.begun,
            registered_by=cast.second_admin,
            withdrawn_at=now - life.begun + timedelta(hours=5) if life.withdrawn else None,
        )
        Initiative.objects.bulk_create([initiative])
        StageChange.objects.bulk_create(
            StageChange(
                initiative=initiative,
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
        told_supported_stages.say(
            initiative,
            _spans(life, now),
            rulebook=current,
            at=published - timedelta(days=1) if life.before_rulebook else published,
        )


def _spans(life: Life, now: datetime) -> list[dict]:
    spans = []
    today = clock.local_day(now)
    begins = [clock.midnight_before(today + timedelta(days=span["start"])) for span in life.spans]
    for span, begin, end in zip(life.spans, begins, [*begins[1:], None], strict=True):
        supported = RANK.get(life.stage, 0) - span["unsupported_stages"]
        spans.append(
            {
                "from_at": begin,
                "until_at": end,
                "supported": next(stage for stage, rank in RANK.items() if rank == supported),
                "unsupported_stages": span["unsupported_stages"],
                "gaps": span["gaps"],
                "next_expiry_on": today + timedelta(days=span["stale_in"]) if span["stale_in"] else None,
            }
        )
    return spans


NOON = datetime(2026, 11, 22, 11, tzinfo=UTC)


def days(number: int) -> timedelta:
    return timedelta(days=number)


def span(start: int, unsupported_stages: int = 0, stale_in: int | None = None, **gaps: int) -> dict:
    return {"start": start, "unsupported_stages": unsupported_stages, "gaps": gaps, "stale_in": stale_in}


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
        arrange(cast, ORGANISATION, NOON)
        rulebook = Rulebook.objects.current()
        initiatives = filters.with_supported_stage(Initiative.objects.all(), rulebook, NOON)
        flow = flow_figures.flow(initiatives, NOON)
        stays = flow_figures.stays(initiatives, NOON)
        weeks = flow_figures.ageing(initiatives, rulebook, NOON)
        gaps = flow_figures.gaps(initiatives, rulebook, NOON)
        elsewhere = flow_figures.gaps(initiatives.filter(unit=cast.elsewhere), rulebook, NOON)
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
    assert flow.reported == (*[0] * 9, 1, 0, 0), "a stage reported by an import is no move"
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
    assert stays.reported == 1, "nobody here knows how long an imported stage had stood"
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
    assert {row.layer: (row.gaps, row.initiatives) for row in gaps if row.gaps} == {
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
    life.moves = [
        ("proposed", "prototype", "decision", timedelta(days=30)),
        ("prototype", "mvp", "decision", timedelta(days=20)),
    ]
    life.spans = [
        {
            "start": -3,
            "unsupported_stages": 0,
            "gaps": {"integration": 2, "model": 1, "policy": 1},
            "stale_in": 10,
        },
        {"start": 10, "unsupported_stages": 1, "gaps": {"integration": 5}, "stale_in": None},
    ]
    arrange(cast, [life], now)
    response = as_(cast.owner).get("/insights/flow/")
    page = BeautifulSoup(response.content, "html.parser")
    pictures = page.select("svg.chart")
    assert len(pictures) == 3, "no money was noted, and what expires has two values: neither is drawn"
    assert page.find(id="ageing-heading").parent.select("details[open] table"), "two values are a table"
    for picture in pictures:
        named = picture["aria-labelledby"].split()
        assert [page.find(id=key).name for key in named] == ["title", "desc"]
        assert all(page.find(id=key).get_text(strip=True) for key in named)
        assert picture["role"] == "group"
        assert all(link["aria-label"] for link in picture.select("a"))
        assert not picture.select("[style]")
    found = tables(response)
    assert [sum(int(row[2]) for row in found["Flow between stages"])] == [1]
    assert not page.find(id="flow-heading").parent.select("details[open]")
    assert ["Proposed idea", "moved on few values, not reliable", "1", "10.0", "10.0", "10.0"] in found[
        "Time in stage"
    ]
    assert [row[1:] for row in found["Expiring evidence"]][1] == ["1", "1", "1"]
    assert found["Open requirements by layer"][0] == ["Model", "1", "1"]
    assert ["Integration", "2", "1"] in found["Open requirements by layer"]
    words = " ".join(text.get_text() for text in page.select("svg text"))
    assert "Integration: 2 open in 1 initiative" in words
    assert "n 1" in words


def test_they_follow_the_filters_and_show_nobody_what_is_not_theirs(cast, as_):
    span = {"start": -1, "unsupported_stages": 0, "stale_in": None}
    lives = [
        Life(timedelta(days=3), elsewhere, spans=[span | {"gaps": {"model": gaps}}])
        for elsewhere, gaps in ((False, 2), (True, 5))
    ]
    arrange(cast, lives, clock.now())

    def model_gaps(person, query=""):
        return tables(as_(person).get(f"/insights/flow/{query}"))["Open requirements by layer"][0][1]

    assert model_gaps(cast.admin) == "7"
    assert model_gaps(cast.admin, f"?unit={cast.elsewhere.pk}") == "5"
    assert model_gaps(cast.admin, "?q=Initiative+1") == "2"
    assert model_gaps(cast.owner) == "2"
    assert model_gaps(cast.outsider) == "5"
    assert model_gaps(cast.admin, "?report=permanent-pilots") == "0"


def listed(client, address: str) -> int:
    """How many initiatives the list at this address has."""
    response = client.get(address)
    assert not response.context["filter"].form.errors, address
    return response.context["totals"]["all"]


def test_every_figure_leads_to_its_initiatives(cast, as_):
    """No fewer and no more: what the bar counts is what the list shows. One initiative moves once a month here."""
    now = clock.now()
    arrange(cast, ORGANISATION, now)
    client = as_(cast.admin)
    context = client.get("/insights/flow/").context
    figures = [(count, to) for _, counts, _ in context["flow_rows"] for count, to in counts]
    figures += [(week.ageing, expires) for week, expires, _ in context["weeks"]]
    figures += [(week.falling, falls) for week, _, falls in context["weeks"]]
    figures += [(row.initiatives, to) for row, to in context["gaps"]]
    assert sum(bool(count) for count, _ in figures) >= 10
    # A withdrawn idea was registered, but is on no list that does not ask for it.
    withdrawn = f"registered.{now - timedelta(days=30):%Y-%m}"
    wrong = [
        (count, listed(client, to), to)
        for count, to in figures
        if withdrawn not in to and listed(client, to) != count
    ]
    assert wrong == []
    areas = [area.url for drawn in context["drawn"].values() for area in drawn.areas]
    assert {to for count, to in figures if count and "falls" not in to} <= set(areas)


def test_spend_stands_against_stage_and_leads_to_its_initiatives(cast, as_):
    mvp = factories.make_mvp(cast)
    idea = factories.make_initiative(cast, title="An idea")
    for initiative, money, currency in (
        (mvp, 900, "CHF"),
        (mvp, 100, "CHF"),
        (mvp, 70, "EUR"),
        (idea, 50, "CHF"),
    ):
        effort_actions.note_effort(
            initiative=initiative,
            layer="model",
            week=clock.today(),
            money=Decimal(money),
            currency=currency,
            by=cast.owner,
        )
    client = as_(cast.owner)
    context = client.get("/insights/money/").context
    found = {
        (row.stage, row.currency): (row.money, row.initiatives, row.short) for row, *_ in context["spend"]
    }
    assert found == {
        ("proposed", "CHF"): (50, 1, 0),
        ("mvp", "CHF"): (1000, 1, 0),
        ("mvp", "EUR"): (70, 1, 0),
    }
    drawn = context["spend_drawn"]
    assert "MVP: CHF 1,000, 0 not supported" in drawn.says
    assert "EUR" not in drawn.says, "money is never added across, nor drawn on one scale"
    for row, to, _ in context["spend"]:
        assert listed(client, to) == row.initiatives
    row = next(row for row, *_ in context["spend"] if row.stage == "mvp")
    initiative_of_row = SupportedStagePeriod.objects.filter(initiative=mvp)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {SupportedStagePeriod._meta.db_table} DISABLE TRIGGER USER")
    initiative_of_row.update(unsupported_stages=1)
    context = client.get("/insights/money/").context
    short, to = next(
        (row, to) for row, _, to in context["spend"] if row.stage == "mvp" and row.currency == "CHF"
    )
    assert (short.short, short.short_initiatives) == (row.money, 1)
    assert listed(client, to) == 1


@pytest.mark.parametrize("figure", ["moved.mvp.1999-01", "expires.junk", "falls.2026-02-31", "spent.", "x"])
def test_a_figure_that_no_chart_draws_is_said_to_be_none(cast, as_, figure):
    response = as_(cast.owner).get(f"/initiatives/?figure={figure}")
    assert response.status_code == 200
    assert response.context["filter"].form.errors["figure"]


def test_without_initiatives_nothing_is_drawn_and_no_nonsense_breaks_it(cast, as_):
    client = as_(cast.owner)
    text = client.get("/insights/flow/").content.decode()
    assert '<svg class="chart"' not in text
    assert "No times are known yet" in text
    for query in (
        "approved_stage=nothing",
        "unit=x",
        "q=%27%22%3B--%25s%25",
        "sort=evil",
        "q=" + "x" * 5000,
        "layer=model",
    ):
        assert client.get(f"/insights/flow/?{query}").status_code == 200, query


def test_a_constant_number_of_queries(cast, as_):
    client = as_(cast.chair)

    def asked() -> int:
        client.get("/insights/flow/")
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/insights/flow/?unsupported=on").status_code == 200
        return len(queries)

    factories.make_initiative(cast)
    few = asked()
    for number in range(4):
        factories.make_initiative(cast, title=f"Idea {number}")
    assert asked() == few <= 14


def test_a_value_that_is_not_nothing_can_be_seen():
    """However high its neighbours stand."""
    rows = (flow_figures.LayerGaps("model", 5000, 900), flow_figures.LayerGaps("policy", 1, 1))
    drawn = portfolio_charts.gaps(rows, lambda **asked: "/initiatives/")
    bars = [shape for shape in drawn.shapes if shape.kind == "bar"]
    assert [float(bar.width) for bar in bars] == [320.0, 1.5]
