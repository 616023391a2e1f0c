"""Insights: every figure against one worked out in plain Python from raw rows of random organisations."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test.utils import CaptureQueriesContext

from adoption.models import PostMortem
from governance import clock
from governance.database.row_history import acting
from governance.gates import standards
from governance.gates.requirements import states_at
from governance.models import Rulebook
from governance.vocabulary import Layer
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.facts import supported_stage, supported_stage_rows
from initiatives.models import Initiative, StageChange
from initiatives.portfolio.efforts import actions as effort_actions
from initiatives.portfolio.efforts import notes
from initiatives.portfolio.insights import figures, reasons
from initiatives.portfolio.insights.reasons import MATTERS, mismatches_of
from tests.support import factories
from tests.support.initiatives.plain_figures import Raw, counted_by
from tests.support.initiatives.random_organisations import arrange

pytestmark = pytest.mark.django_db


def shown(client, path: str):
    """A page, its links by address, and its response."""
    response = client.get(path)
    assert response.status_code == 200, path
    return BeautifulSoup(response.content, "html.parser")


def behind(client, link: str) -> set[str]:
    """The references on all pages of the rows behind a figure."""
    found, page = set(), 1
    while True:
        text = shown(client, f"{link}{'&' if '?' in link else '?'}page={page}")
        refs = {one.text for one in text.select("main tbody .ref")}
        if not refs - found:
            return found
        found |= refs
        page += 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_figure_is_what_the_rows_say(cast, seed):
    arrange(cast, seed)
    today = clock.today()
    for person, since, until, unit in (
        (cast.auditor, None, None, None),
        (cast.chair, today - timedelta(days=400), today - timedelta(days=60), None),
        (cast.outsider, None, None, None),
        (cast.auditor, today - timedelta(days=200), None, cast.elsewhere),
    ):
        wanted = figures.Wanted(clock.now(), Rulebook.objects.in_force(), since, until)
        initiatives = visibility.visible_to(person).live()
        if unit:
            initiatives = initiatives.filter(unit__path__startswith=unit.path)
        facts = figures.Facts(initiatives, wanted)
        told = {key: set(one.keys(facts)) for key, one in figures.all_figures().items()}
        raw = Raw(person, since, until, unit).figures()
        assert told.keys() == raw.keys()
        for key in told:
            assert told[key] == raw[key], (key, person.login, since)
    everything = Raw(cast.auditor).figures()
    assert sum(bool(everything[key]) for key in everything) > len(everything) - 4, (
        "the organisation is varied"
    )


def test_each_number_on_the_page_is_that_of_the_rows_it_leads_to(cast, as_):
    arrange(cast, 4)
    client, raw = as_(cast.auditor), Raw(cast.auditor).figures()
    refs = dict(Initiative.objects.values_list("pk", "number"))
    page = shown(client, "/insights/")
    numbers: dict[str, set[int]] = {}
    for one in page.select('main a[href^="/insights/"]'):
        for label in one.select(".unseen"):
            label.extract()
        first, *_ = one.text.split()
        if first.isdecimal():
            numbers.setdefault(one["href"], set()).add(int(first))
    for key, initiatives in raw.items():
        link = f"/insights/figures/{key}/"
        assert numbers[link] == {len(initiatives)}, key
        assert behind(client, link) == {f"AI-{refs[pk]:04d}" for pk in initiatives}, key
    rows = list(PostMortem.objects.filter(state="published"))
    rows = [
        row
        for row in rows
        if row.initiative_id in {initiative.pk for initiative in Raw(cast.auditor).initiatives}
    ]
    assert numbers.get("/insights/causes/", {0}) == {len(rows)}
    # What a page says of an initiative stands beside it.
    for key in ("funded", "late", "trust-lost", "too-early", "answered-no", "oversold", "underdesigned"):
        found = list(Initiative.objects.filter(pk__in=raw[key]))
        wanted = figures.Wanted(clock.now(), Rulebook.objects.in_force())
        why = reasons.of(key, counted_by(key, wanted), wanted)
        assert all(why.get(initiative.pk) for initiative in found), key


def test_gaps_and_stages_lead_to_the_portfolio_with_as_many_initiatives(cast, as_):
    arrange(cast, 5)
    client = as_(cast.auditor)
    raw = Raw(cast.auditor)
    page = shown(client, "/insights/")
    hard = shown(client, "/insights/flow/").find(attrs={"aria-label": "Open requirements by layer"})
    for row in hard.select("tbody tr"):
        gaps, initiatives = (cell.text.split()[0] for cell in row.select("td"))
        layer = next(key for key, words in Layer.choices if words == row.th.text)
        spans = [raw.span(initiative) for initiative in raw.initiatives]
        counts = [span.gaps[layer] for span in spans if span and layer in span.gaps]
        assert (int(gaps), int(initiatives)) == (sum(counts), len(counts))
        assert len(row.select("a")) == bool(counts), "the figure leads to the initiatives"
    for row, stage in zip(page.select(".board > .card"), ("prototype", "mvp", "production"), strict=True):
        spans = [raw.span(initiative) for initiative in raw.initiatives if initiative.stage == stage]
        short = sum(bool(span and span.unsupported_stages) for span in spans)
        assert [int(number) for number in re.findall(r"\d+", row.text)] == [
            len(spans),
            len(spans) - short,
            short,
        ]
        assert "unsupported=on" in row.select("a")[1]["href"]


def test_matters_are_the_nine_standards_of_the_approved_stage(cast, as_):
    """Real initiatives, judged once more one by one, from the facts alone."""
    factories.make_mvp(cast)
    bare = factories.make_prototype(cast, title="Bare stage")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE initiatives_initiative DISABLE TRIGGER USER")
    Initiative.objects.filter(pk=bare.pk).update(stage="mvp")
    bare = Initiative.objects.get(pk=bare.pk)
    with acting(system="test", reason="A stage without evidence"):
        supported_stage_rows.rewrite([bare])
    (row,) = mismatches_of([bare], Rulebook.objects.current(), clock.now())
    facts, rulebook, now = supported_stage.facts_of(bare), Rulebook.objects.current().parsed, clock.now()
    states = states_at(facts, rulebook, now)
    wanted = {
        matter
        for matter, stages in standards.SHOWN_BY.items()
        if any(states[key].state == "waived" or not states[key].satisfied for key in stages["mvp"])
    }
    assert set(row.matters) == wanted
    assert len(wanted) > 5
    assert MATTERS.keys() == standards.SHOWN_BY.keys()
    client = as_(cast.chair)
    page = shown(client, "/insights/figures/mismatches/").find(
        attrs={"aria-label": "Stage not supported, by topic"}
    )
    for words in MATTERS.values():
        line = next(line for line in page.select("tbody tr") if line.th.text == words)
        matter = next(key for key, said in MATTERS.items() if said == words)
        assert line.td.text.split()[0] == str(int(matter in wanted)), words
        assert behind(client, line.a["href"]) == ({bare.ref} if matter in wanted else set())


def test_an_mvp_is_named_with_the_test_it_fails_and_what_is_missing(cast, as_):
    initiative = factories.make_mvp(cast)
    page = shown(as_(cast.chair), "/insights/")
    columns = {one.h3.text.split(":")[0].strip(): one for one in page.select("#scale ~ div > div")}
    assert list(columns) == ["Ready to scale", "Not ready yet", "Stuck in pilot"]
    (line,) = columns["Not ready yet"].select("li")
    assert line.a.text == initiative.title
    assert "Adoption does not pass." in line.text
    assert "Can users see" not in line.text, "reasons come on demand"
    told = " ".join(columns["Not ready yet"].details.text.split())
    assert "Fails adoption: Can users see why it said what it said?" in told
    later = clock.now() + timedelta(days=300)
    with clock.simulated(later):
        wanted = figures.Wanted(later, Rulebook.objects.in_force())
        (old,) = counted_by("pilots", wanted)
        (why,) = reasons.of("pilots", [old], wanted).values()
    assert "past its limit of 270 days" in why[0]
    assert any(words.startswith("Fails ") for words in why)


def test_money_stands_beside_an_mvp_as_spent_or_else_as_given_and_never_added_across_currencies(cast, as_):
    initiative = factories.make_mvp(cast)

    def line() -> str:
        (found,) = shown(as_(cast.chair), "/insights/").select(".verdict li")
        return " ".join(found.text.split())

    def spend(amount: int, currency: str):
        return effort_actions.note_effort(
            initiative=initiative,
            layer="model",
            week=clock.today(),
            money=Decimal(amount),
            currency=currency,
            by=cast.owner,
        )

    assert "funded" not in line()
    for amount in (1500, 500):
        notes.record_funding(
            initiative=initiative,
            decided_on=clock.today(),
            decided_by="Investment board",
            basis="Budget round",
            amount=Decimal(amount),
            currency="EUR",
            by=cast.owner,
        )
    assert line().endswith("EUR 2,000 funded")
    spend(300, "EUR")
    withdrawn = spend(40, "EUR")
    spend(7, "USD")
    effort_actions.withdraw_effort(effort=withdrawn, reason="Another initiative.", by=cast.owner)
    assert line().endswith("EUR 300, USD 7 spent")


def test_now_opens_with_one_picture_and_five_numbers(cast, as_):
    factories.make_mvp(cast)
    page = shown(as_(cast.chair), "/insights/")
    folds = {one["id"]: one.summary.text for one in page.select(".folds > details")}
    assert list(folds) == ["used", "later", "success", "causes"]
    assert all(re.search(r"\(\d+( of \d+)?( seen| differ)?\)$", words.strip()) for words in folds.values()), (
        folds
    )
    assert not page.select("main details[open]")
    numbers = page.select(".numbers a")
    assert len(numbers) == 5
    assert all(one["href"] and one.b.text.isdecimal() for one in numbers)
    assert all(one.find_next_sibling(class_="why").text.endswith(".") for one in numbers)
    assert re.findall(r"\d+", page.select(".board > .card")[1].text) == ["1", "1", "0"]


def test_what_left_production_before_it_went_in_did_not_come_too_early(cast):
    initiative = factories.make_mvp(cast)
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE initiatives_stagechange DISABLE TRIGGER USER")
    for old, new, days, basis in (
        ("production", "mvp", 100, "step back"),
        ("mvp", "production", 50, "decision"),
    ):
        at = now - timedelta(days=days)
        move = StageChange(
            initiative=initiative, from_stage=old, to_stage=new, at=at, by=cast.chair, basis=basis, entry_id=1
        )
        StageChange.objects.bulk_create([move])
    wanted = figures.Wanted(now, Rulebook.objects.in_force())
    assert not counted_by("too-early", wanted)


def test_a_page_on_paper_says_of_which_moment_unit_and_period_it_is(cast, as_):
    page = shown(as_(cast.auditor), f"/insights/figures/deployed-mvp/?unit={cast.unit.pk}&until=2026-01-31")
    assert page.h1.text == "Deployed: MVP"
    said = " ".join(page.h1.find_parent("header").text.split())
    assert f"Counted on {clock.local(clock.now()):%-d %B %Y} at " in said
    assert f". Unit: {cast.unit} with subunits. Period for events: until 31 January 2026." in said


def test_strangers_count_nothing_of_what_they_may_not_see(cast, as_):
    factories.make_mvp(cast)
    assert "Customer summary" in as_(cast.chair).get("/insights/").content.decode()
    page = as_(cast.outsider).get("/insights/")
    assert page.status_code == 200
    assert "Customer summary" not in page.content.decode()
    assert as_(cast.outsider).get("/insights/figures/nothing-like-it/").status_code == 404


def test_the_page_asks_no_more_of_many_initiatives(cast, as_):
    client = as_(cast.auditor)

    def asked(path="/insights/"):
        client.get(path)
        with CaptureQueriesContext(connection) as found:
            assert client.get(path).status_code == 200
        return len(found)

    factories.make_mvp(cast)
    few = asked()
    arrange(cast, 6)
    assert asked() <= few + 2 <= 34
    assert all(
        asked(f"/insights/figures/{key}/") <= 20 for key in ("pilots", "oversold", "late", "unused-mvp")
    )
