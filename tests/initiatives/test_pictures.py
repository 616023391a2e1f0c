"""The pictures: every figure against one worked out in plain Python from the raw rows of small random organisations."""

import statistics
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from django.db import connection, transaction
from django.db.models import Max
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from governance import actions as ground
from governance import clock
from governance.models import Rulebook
from governance.rulebook import load_default
from initiatives import drawings, figures, filters
from initiatives.models import Initiative, Span, StageChange, Standing
from initiatives.models.initiative import RUNNING
from tests import factories

pytestmark = pytest.mark.django_db

LAYERS = ("model", "integration", "policy")
AFTER = {
    "proposed": [("prototype", "decision"), ("stopped", "stopped")],
    "prototype": [("mvp", "decision"), ("stopped", "stopped")],
    "mvp": [("production", "decision"), ("prototype", "step back"), ("stopped", "stopped")],
    "production": [("retired", "emergency"), ("mvp", "step back")],
    "stopped": [("prototype", "reopened"), ("proposed", "reopened")],
    "retired": [],
}
RANK = {"proposed": 0, "prototype": 1, "mvp": 2, "production": 3}


@dataclass
class Life:
    """One case of a random organisation: its moves with their moments, and what its proof supports from now on."""

    elsewhere: bool
    imported: bool
    withdrawn: bool
    stale_rulebook: bool
    begun: timedelta
    moves: list[tuple[str, str, str, timedelta]] = field(default_factory=list)
    spans: list[dict] = field(default_factory=list)

    @property
    def stage(self) -> str:
        return self.moves[-1][1] if self.moves else "proposed"


@st.composite
def lives(draw) -> Life:
    """A case that moved as the machine allows, at moments up to some 500 days ago, and spans that follow each other."""
    ago = st.integers(0, 500 * 24).map(lambda hours: timedelta(hours=hours, minutes=hours % 60))
    moments = sorted(draw(st.lists(ago, min_size=1, max_size=5, unique=True)), reverse=True)
    life = Life(
        elsewhere=draw(st.booleans()),
        imported=draw(st.integers(0, 4)) == 0,
        withdrawn=False,
        stale_rulebook=draw(st.integers(0, 5)) == 0,
        begun=moments[0],
    )
    stage = "proposed"
    for place, moment in enumerate(moments[1:]):
        if life.imported and place == 0:
            step = draw(st.sampled_from(["prototype", "mvp", "production", "retired"])), "import"
        elif AFTER[stage]:
            step = draw(st.sampled_from(AFTER[stage]))
        else:
            break
        life.moves.append((stage, *step, moment))
        stage = step[0]
    life.imported = bool(life.moves) and life.moves[0][2] == "import"
    life.withdrawn = stage == "proposed" and draw(st.integers(0, 4)) == 0
    starts = sorted({-3, *draw(st.lists(st.integers(1, 120), max_size=3))})
    for start in starts:
        shortfall = draw(st.integers(0, RANK.get(stage, 0)))
        life.spans.append(
            {
                "start": start,
                "shortfall": shortfall,
                "gaps": draw(st.dictionaries(st.sampled_from(LAYERS), st.integers(1, 9))),
                "stale_in": draw(st.none() | st.integers(1, 120)),
            }
        )
    return life


def settle(cast, organisation: list[Life], other: Rulebook, now: datetime) -> None:
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
        Standing.objects.create(
            initiative=case, rulebook=other if life.stale_rulebook else current, computed_at=now
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


# The same figures again, from the rows themselves.


def counted_flow(cases: list[Initiative], now: datetime) -> Counter:
    """(year, month, move) of every move of the last twelve calendar months."""
    today = clock.local_day(now)
    found: Counter = Counter()
    for case in cases:
        changes = list(StageChange.objects.filter(initiative=case).order_by("id"))
        moves = [(change.at, _move(change)) for change in changes]
        if case.basis != "import" and not any(change.basis == "import" for change in changes):
            moves.append((case.registered_at, "registered"))
        for at, move in moves:
            day = clock.local_day(at)
            if (today.year - day.year) * 12 + today.month - day.month < 12:
                found[day.year, day.month, move] += 1
    return found


def _move(change: StageChange) -> str:
    named = {"import": "claimed", "reopened": "reopened", "step back": "stepped_back"}
    return named.get(change.basis, change.to_stage)


def counted_stays(cases: list[Initiative], now: datetime) -> tuple[dict, int]:
    """Days of every stay by (stage, whether it ended), and how many stays are left out because an import began them."""
    found: dict[tuple[str, bool], list[float]] = {}
    asserted = 0
    for case in cases:
        changes = list(StageChange.objects.filter(initiative=case).order_by("id"))
        stays = [(change.to_stage, change.at, change.basis == "import") for change in changes]
        if not any(change.basis == "import" for change in changes):
            stays.insert(0, ("proposed", case.registered_at, False))
        ends = [at for _, at, _ in stays[1:]] + [case.withdrawn_at]
        for (stage, at, by_import), end in zip(stays, ends, strict=True):
            if stage not in RUNNING:
                continue
            if by_import:
                asserted += 1
            else:
                days = ((end or now) - at).total_seconds() / 86400
                found.setdefault((stage, end is not None), []).append(days)
    return found, asserted


def counted_weeks(cases: list[Initiative], now: datetime) -> list[tuple[date, date, int, int, int]]:
    """The next ninety days, day by day, summed up by week."""
    today = clock.local_day(now)
    weeks = []
    for first in range(1, 91, 7):
        days = [today + timedelta(days=n) for n in range(first, min(first + 7, 91))]
        ageing, opening, falling = set(), 0, set()
        for case in cases:
            if case.stage not in RUNNING or case.withdrawn_at or not _computed(case):
                continue
            spans = [s for s in case.spans.order_by("from_at") if s.until_at is None or s.until_at > now]
            before = None
            for span in spans:
                if span.next_stale_on in days and clock.local_day(span.from_at) <= today + timedelta(days=90):
                    ageing.add(case.pk)
                if before is not None and clock.local_day(span.from_at) in days:
                    opening += max(0, sum(span.gaps.values()) - sum(before.gaps.values()))
                    if span.shortfall > before.shortfall:
                        falling.add(case.pk)
                before = span
        weeks.append((days[0], days[-1], len(ageing), opening, len(falling)))
    return weeks


def counted_gaps(cases: list[Initiative], now: datetime) -> dict[str, tuple[int, int]]:
    """Gaps and cases with gaps by layer, from the span that holds now."""
    found: dict[str, list[int]] = {}
    for case in cases:
        if _computed(case):
            for span in case.spans.all():
                if span.from_at <= now and (span.until_at is None or span.until_at > now):
                    for layer, count in span.gaps.items():
                        found.setdefault(layer, []).append(count)
    return {layer: (sum(counts), len(counts)) for layer, counts in found.items()}


def _computed(case: Initiative) -> bool:
    return Standing.objects.get(initiative=case).rulebook_id == Rulebook.objects.current().pk


@pytest.fixture
def other(cast) -> Rulebook:
    """A rulebook that is not in force: what was computed under it is being recomputed."""
    return ground.load_rulebook(source=load_default().replace("2026.1", "2026.0"), by=cast.admin)


@given(organisation=st.lists(lives(), max_size=8))
# Without shrinking: each smaller organisation is as many rows written anew.
@settings(
    phases=[Phase.generate],
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_figure_is_that_of_the_raw_rows(cast, other, organisation):
    now = clock.now()
    with transaction.atomic():
        settle(cast, organisation, other, now)
        rulebook = Rulebook.objects.current()
        everybody = filters.with_standing(Initiative.objects.all(), rulebook, now)
        for cases in (everybody, everybody.filter(unit=cast.unit), everybody.filter(shortfall__gt=0)):
            _same_figures(cases, rulebook, now)
        transaction.set_rollback(True)


def _same_figures(cases, rulebook, now) -> None:
    rows = list(Initiative.objects.filter(pk__in=[case.pk for case in cases]))
    flow = figures.flow(cases, now)
    drawn = {
        (month.year, month.month, move): count
        for move, counts in [*flow.counts.items(), ("claimed", flow.claimed)]
        for month, count in zip(flow.months, counts, strict=True)
        if count
    }
    assert drawn == dict(counted_flow(rows, now))
    stays, (wanted, asserted) = figures.stays(cases, now), counted_stays(rows, now)
    assert {(row.stage, row.ended): row.count for row in stays.rows} == {
        key: len(d) for key, d in wanted.items()
    }
    assert stays.asserted == asserted
    for row in stays.rows:
        days = wanted[row.stage, row.ended]
        quartiles = statistics.quantiles(days, n=4, method="inclusive") if len(days) > 1 else days * 3
        assert [row.lower, row.median, row.upper] == pytest.approx(quartiles, abs=1e-6)
    weeks = [(w.first, w.last, w.ageing, w.opening, w.falling) for w in figures.ageing(cases, rulebook, now)]
    assert weeks == counted_weeks(rows, now)
    gaps = {row.layer: (row.gaps, row.cases) for row in figures.gaps(cases, rulebook, now) if row.gaps}
    assert gaps == counted_gaps(rows, now)


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
    life = Life(False, False, False, False, timedelta(days=40))
    life.moves = [("proposed", "prototype", "decision", timedelta(days=30))]
    life.spans = [
        {"start": -3, "shortfall": 0, "gaps": {"integration": 2, "model": 1}, "stale_in": 10},
        {"start": 10, "shortfall": 1, "gaps": {"integration": 5}, "stale_in": None},
    ]
    settle(cast, [life], None, now)
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
    assert [row[1:] for row in found["Proof that ages out"]][1] == ["1", "2", "1"]
    assert found["Gaps by layer"][0] == ["Model", "1", "1"]
    assert ["Integration", "2", "1"] in found["Gaps by layer"]
    words = " ".join(text.get_text() for text in page.select("svg text"))
    assert "Integration: 2 gaps in 1 case" in words
    assert "n 1" in words


def test_they_follow_the_filters_and_show_nobody_what_is_not_theirs(cast, as_):
    span = {"start": -1, "shortfall": 0, "stale_in": None}
    lives = [
        Life(elsewhere, False, False, False, timedelta(days=3), [], [span | {"gaps": {"model": gaps}}])
        for elsewhere, gaps in ((False, 2), (True, 5))
    ]
    settle(cast, lives, None, clock.now())

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
    rows = (figures.LayerGaps("model", 5000, 900), figures.LayerGaps("policy", 1, 1))
    bars = [shape for shape in drawings.gaps(rows).shapes if shape.kind == "bar"]
    assert [float(bar.width) for bar in bars] == [320.0, 1.5]
