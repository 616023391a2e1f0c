"""What an initiative leads with: the next step, scale tests, nine standards, open requirements by layer."""

import re

import pytest
from bs4 import BeautifulSoup

from adoption.demo import initiative_acts
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.stages import actions as stage_actions
from tests.support import factories
from tests.support.initiatives.initiative_pages import at, text_of

pytestmark = pytest.mark.django_db


def scale_tests(page: str) -> dict[str, tuple[str, str]]:
    """Each scale test on the page: its question, and its state."""
    found = BeautifulSoup(page, "html.parser").select("#tests li")
    rows = [
        (one.select_one(".what > span").get_text(" ", strip=True), one.select_one(".tag").text)
        for one in found
    ]
    return {name: (question, state) for said, state in rows for name, question in [said.split(". ", 1)]}


def test_a_initiative_leads_with_three_questions_and_what_fixes_them(cast, as_):
    initiative = factories.make_mvp(cast)
    page = text_of(as_(cast.owner).get(at("initiative", initiative.ref)))
    assert scale_tests(page) == {
        "Governance": ("Is its contract clear?", "not yet"),
        "Integration": ("Are its layers auditable?", "not yet"),
        "Adoption": ("Is its adoption honest?", "not yet"),
    }
    first = BeautifulSoup(page, "html.parser").select("#tests li")[0]
    assert first.select_one(".why a")["href"].startswith(f"/initiatives/{initiative.ref}/")
    assert "Next:" not in text_of(as_(cast.chair).get(at("initiative", initiative.ref)))


def test_the_next_step_leads_to_what_its_sentence_counts(cast, as_):
    initiative = factories.make_mvp(cast)
    client = as_(cast.owner)
    page = BeautifulSoup(client.get(at("initiative", initiative.ref)).content, "html.parser")
    step = page.select_one(".go")
    mine = int(re.search(r"of which (\d+) yours", step.parent.text)[1])
    assert mine > 1
    listed = BeautifulSoup(client.get(step["href"]).content, "html.parser")
    assert len(listed.select("ul.todo > li")) == mine


def test_an_idea_and_a_prototype_have_no_scale_tests(cast, as_):
    for initiative in (factories.make_initiative(cast), factories.make_prototype(cast, title="Another")):
        page = text_of(as_(cast.owner).get(at("initiative", initiative.ref)))
        assert 'id="tests"' not in page
        assert "Not production-ready" not in page


def test_once_nothing_is_missing_the_owner_is_led_to_the_board_and_to_the_review(cast, as_):
    initiative = factories.make_initiative(cast)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    client, ask = as_(cast.owner), at("review-open", initiative.ref)
    for page in (at("initiative", initiative.ref), at("requirements", initiative.ref)):
        assert f'href="{ask}">Request a review' in text_of(client.get(page)).split("<aside", 1)[0]
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    for page in (at("initiative", initiative.ref), at("requirements", initiative.ref)):
        shown = text_of(client.get(page)).split("<aside", 1)[0]
        assert f'href="{review.get_absolute_url()}">Open the review' in shown


def test_a_test_passes_where_evidence_says_so_and_not_where_somebody_says_no(cast, as_):
    initiative = factories.make_production(cast)
    client = as_(cast.owner)
    shown = scale_tests(text_of(client.get(at("initiative", initiative.ref))))
    assert {name: state for name, (_, state) in shown.items()} == {
        "Governance": "documented by others",
        "Integration": "passes",
        "Adoption": "passes",
    }
    requirement_actions.answer(
        initiative=initiative,
        requirement="adopt.usage",
        kind="no",
        text="Two of thirty use it.",
        by=cast.owner,
    )
    page = text_of(client.get(at("initiative", initiative.ref)))
    assert scale_tests(page)["Adoption"][1] == "not yet"
    assert scale_tests(page)["Governance"][1] == "documented by others"
    assert f"/initiatives/{initiative.ref}/requirements/adopt.usage/" in page


def test_nine_standards_of_this_stage_and_the_next_are_marked(cast, as_):
    initiative = factories.make_prototype(cast)
    page = text_of(as_(cast.owner).get(at("initiative", initiative.ref)))
    part = page[page.index('id="standards"') :]
    part = part[: part.index("</table>")]
    assert part.count("<tr>") == 1 + 9
    rows = dict(re.findall(r'<th scope="row">(.+?)</th>(.+?)</tr>', part, re.DOTALL))
    marks = {name: re.findall(r'<span class="tag[^"]*">(.+?)</span>', row) for name, row in rows.items()}
    assert marks["User expectations"] == ["met", "not met"]
    assert marks["Staffing"] == ["nothing asked", "not met"]
    assert "Who, by name, owns the outcome?" in rows["Staffing"]
    assert f"/initiatives/{initiative.ref}/requirements/mvp.owner/" in rows["Staffing"]


def test_gaps_stand_by_layer_or_by_the_five_judgements(cast, as_):
    initiative = factories.make_initiative(cast)
    client = as_(cast.owner)
    page = text_of(client.get(at("initiative", initiative.ref)))
    assert '<section class="layer"><h3>Model</h3>' in page
    by = text_of(client.get(at("initiative", initiative.ref, by="judgement")))
    assert '<section class="layer"><h3>Reliability</h3>' in by
    assert '<section class="layer"><h3>Model</h3>' not in by
    assert by.count('<div class="gap">') == page.count('<div class="gap">')
    assert 'aria-current="true">by judgement' in by
    assert client.get(at("initiative", initiative.ref, by="junk")).status_code == 200
    listed = text_of(client.get(at("requirements", initiative.ref, judgement="risk")))
    assert 'id="row-proto.scope"' in listed
    assert 'id="row-proto.question"' not in listed
    assert client.get(at("requirements", initiative.ref, judgement="junk")).status_code == 200


def test_a_closed_initiative_is_asked_no_longer(cast, as_):
    initiative = factories.make_initiative(cast)
    stage_actions.stop(initiative=initiative, reason_code="answered_no", reason="It cannot.", by=cast.owner)
    page = text_of(as_(cast.owner).get(at("initiative", initiative.ref)))
    assert 'id="tests"' not in page
