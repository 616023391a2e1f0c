"""What an initiative leads with: three questions and what fixes them, nine standards, gaps by layer or by judgement."""

import re

import pytest

from adoption.demo import initiative_acts
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.stages import actions as stage_actions
from tests.support import factories
from tests.support.initiatives.initiative_pages import at, text_of

pytestmark = pytest.mark.django_db


def answers(page: str) -> dict[str, str]:
    """Each of the three questions with its answer, as they stand on the page."""
    part = page[page.index('id="questions"') :].split("</section>", 1)[0]
    return dict(re.findall(r"<li>\s*([^<]+?)\s*<span class=\"tag[^\"]*\">(.+?)</span>", part))


def test_a_initiative_leads_with_three_questions_and_what_fixes_them(cast, as_):
    initiative = factories.make_initiative(cast)
    page = text_of(as_(cast.owner).get(at("initiative", initiative.ref)))
    assert answers(page) == {
        "Is its contract clear?": "Not yet",
        "Are its layers auditable?": "Not yet",
        "Is its adoption honest?": "Not yet",
    }
    assert "No contract is in force." in page
    assert f'<a href="/initiatives/{initiative.ref}/contract/">Open the contract' in page
    assert f"/initiatives/{initiative.ref}/requirements/layer.policy/" in page
    assert "Next: 7 requirements are yours before the board can decide." in page
    first = re.search(r'<a class="btn go" href="([^"]+)">Answer the requirement', page)[1]
    assert first.startswith(f"/initiatives/{initiative.ref}/requirements/")
    assert "Next:" not in text_of(as_(cast.chair).get(at("initiative", initiative.ref)))
    # They stand before everything else that the page says.
    assert page.index("Is its contract clear?") < page.index("Before it can become")


def test_once_nothing_is_missing_the_owner_is_led_to_the_board_and_to_the_review(cast, as_):
    initiative = factories.make_initiative(cast)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    client, ask = as_(cast.owner), at("review-open", initiative.ref)
    for page in (at("initiative", initiative.ref), at("requirements", initiative.ref)):
        assert f'href="{ask}">Ask the board to decide' in text_of(client.get(page)).split("<aside", 1)[0]
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    for page in (at("initiative", initiative.ref), at("requirements", initiative.ref)):
        shown = text_of(client.get(page)).split("<aside", 1)[0]
        assert f'href="{review.get_absolute_url()}">Open the review' in shown


def test_they_are_answered_yes_where_evidence_says_so_and_no_where_somebody_does(cast, as_):
    initiative = factories.make_production(cast)
    client = as_(cast.owner)
    assert set(answers(text_of(client.get(at("initiative", initiative.ref)))).values()) == {"Yes"}
    requirement_actions.answer(
        initiative=initiative,
        requirement="adopt.usage",
        kind="no",
        text="Two of thirty use it.",
        by=cast.owner,
    )
    page = text_of(client.get(at("initiative", initiative.ref)))
    assert answers(page)["Is its adoption honest?"] == "No"
    assert answers(page)["Is its contract clear?"] == "Yes"
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
    assert 'id="questions"' not in page
