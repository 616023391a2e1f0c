"""All decisions ever: of every kind, found by every filter, by those who may see the initiative, and as a safe file."""

import csv
import io
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from adoption.demo import initiative_acts
from governance import clock
from governance.models import Entry
from governance.templatetags.plumbline import day
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.risks.accepted_risks import ACCEPTED_RISKS
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.portfolio.insights.decision_register import KINDS
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives import open_reviews

pytestmark = pytest.mark.django_db


def found(client, query="") -> list[tuple[str, str]]:
    """What was decided on which initiative, as the page lists it."""
    return [(row.words, row.ref) for row in client.get(f"/decisions/?{query}").context["rows"]]


@pytest.fixture
def mvp(cast):
    """An MVP: two gates approved, a contract approved, tiers confirmed on the way."""
    return factories.make_mvp(cast)


@pytest.fixture
@snapshots.kept
def idea(cast):
    """An idea whose review went back with questions, and that was then stopped."""
    review = open_reviews.before_prototype(cast, title="=Idea of nobody")
    review_actions.return_review(review=review, reason="Which of the two lists?", by=cast.chair)
    initiative = initiative_acts.fresh(review.initiative)
    stage_actions.stop(initiative=initiative, reason_code="no_value", reason="=1+1", by=cast.owner)
    return initiative_acts.fresh(initiative)


def test_every_kind_of_decision_stands_in_it(cast, as_, mvp, idea):
    hold = hold_deeds.hold(initiative=mvp, reason="Wait.", by=cast.seat_security)
    hold_deeds.lift_hold(hold=hold, reason="Looked into.", by=cast.chair)
    until = clock.today() + timedelta(days=20)
    waiver = WAIVERS.ask(
        mvp, key="production.mvp_goals", reason="The pilot ran short.", until=until, by=cast.owner
    )
    WAIVERS.agree(row=waiver, by=cast.chair)
    WAIVERS.refuse(row=waiver, reason="Not this one.", by=cast.seat_risk)
    ACCEPTED_RISKS.agree(row=factories.ask_risk(cast, mvp, title="Old prices"), by=cast.seat_risk)
    refused = factories.ask_risk(cast, mvp, title="New prices")
    ACCEPTED_RISKS.refuse(row=refused, reason="Nobody knows them.", by=cast.seat_risk)
    before = mvp.tier
    detail_actions.propose_tier(
        initiative=initiative_acts.fresh(mvp),
        tier="high",
        worst_credible_harm="A wrong letter.",
        by=cast.owner,
    )
    detail_actions.confirm_tier(initiative=initiative_acts.fresh(mvp), tier="high", by=cast.seat_risk)
    assert before != "high"
    stage_actions.step_back(
        initiative=initiative_acts.fresh(mvp),
        reason="Fewer people.",
        users_told="By letter.",
        scope={"users": "Two people", "user_count": 2},
        by=cast.chair,
    )
    listed = found(as_(cast.chair))
    of_mvp = [words for words, ref in listed if ref == mvp.ref]
    assert of_mvp.count("Approved") == 2
    assert of_mvp.count("Risk tier confirmed") == 2
    assert of_mvp.count("Contract approved") >= 1
    once = (
        "Hold lifted",
        "Waiver agreed to",
        "Waiver refused",
        "Risk accepted",
        "Risk not accepted",
        "Stepped back",
    )
    for words in once:
        assert of_mvp.count(words) == 1, words
    (row,) = as_(cast.chair).get("/decisions/?what=risk+accepted").context["rows"]
    assert (row.about, row.who, row.link) == (
        "Old prices",
        cast.seat_risk.full_name,
        f"/initiatives/{mvp.ref}/accepted-risks/",
    )
    assert [words for words, ref in listed if ref == idea.ref] == ["Stopped", "Returned with questions"]
    moments = [row.moment for row in as_(cast.chair).get("/decisions/").context["rows"]]
    assert moments == sorted(moments, reverse=True)


def test_going_on_past_its_age_and_what_was_accepted_not_to_apply(cast, as_):
    initiative = factories.make_prototype(cast)
    requirement_actions.answer(
        initiative=initiative,
        requirement="gov.impact",
        kind="not_applicable",
        text="Nobody is judged by it.",
        by=cast.owner,
    )
    requirement_actions.accept_not_applicable(
        initiative=initiative, requirement="gov.impact", version=1, by=cast.seat_risk
    )
    with time_machine.travel(clock.now() + timedelta(days=175), tick=False):
        until = clock.today() + timedelta(days=60)
        was = supported_stage.review_by(initiative_acts.fresh(initiative))
        stage_actions.continue_stage(
            initiative=initiative, reason="One more site.", until=until, was=was, by=cast.chair
        )
        rows = as_(cast.chair).get("/decisions/").context["rows"]
        end = day(until)
    said = {row.words: (row.about, row.said, row.who) for row in rows}
    assert said["Continued"] == (f"until {end}", "One more site.", "Elena Novak")
    about, why, who = said["Accepted as not applicable"]
    assert (why, who) == ("Nobody is judged by it.", "Ines Okafor")
    assert about


def test_every_filter_narrows_it(cast, as_, mvp, idea):
    client = as_(cast.admin)
    everything = found(client)
    assert {ref for _, ref in everything} == {mvp.ref, idea.ref}
    assert {words for words, _ in found(client, "gate=mvp")} == {"Approved"}
    assert found(client, "gate=prototype&what=returned") == [("Returned with questions", idea.ref)]
    assert found(client, "what=stopped") == [("Stopped", idea.ref)]
    assert found(client, "who=Marta") == [("Stopped", idea.ref)]
    assert found(client, "q=two+lists") == [("Returned with questions", idea.ref)]
    assert {ref for _, ref in found(client, f"q={mvp.ref.lower()}")} == {mvp.ref}
    assert found(client, f"unit={cast.elsewhere.pk}") == []
    assert found(client, f"unit={cast.unit.parent.pk}") == everything
    assert found(client, f"board={cast.board.pk}") == everything
    tomorrow = clock.today() + timedelta(days=1)
    assert found(client, f"since={tomorrow}") == []
    assert found(client, f"until={tomorrow}") == everything
    assert found(client, f"since={clock.today()}&what=stopped") == [("Stopped", idea.ref)]


def test_the_words_say_what_it_was_about_and_lead_there(cast, as_, mvp):
    rows = as_(cast.chair).get("/decisions/").context["rows"]
    gate = next(row for row in rows if row.words == "Approved")
    assert gate.link == mvp.reviews.get(gate="mvp").get_absolute_url()
    assert gate.about
    tier = next(row for row in rows if row.words == "Risk tier confirmed")
    assert tier.about == mvp.get_tier_display()
    assert tier.who == cast.seat_risk.full_name
    contract = next(row for row in rows if row.words == "Contract approved")
    assert contract.about.startswith("version 1, ")
    client = as_(cast.chair)
    assert {client.get(row.link).status_code for row in rows} == {200}


def test_strangers_find_nothing(cast, as_, mvp):
    assert found(as_(cast.outsider)) == []
    text = b"".join(as_(cast.outsider).get("/decisions/?format=csv").streaming_content).decode()
    assert mvp.ref not in text


def test_the_file_is_safe_and_taking_it_is_recorded(cast, as_, idea):
    response = as_(cast.chair).get("/decisions/?format=csv&what=stopped")
    text = b"".join(response.streaming_content).decode().lstrip("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["Decision"] for row in rows] == ["Stopped"]
    assert rows[0]["Reference"] == idea.ref
    assert rows[0]["Decided by"] == "Marta Lindqvist"
    assert "=1+1" in rows[0]["Reason"]
    for cell in rows[0].values():
        assert not cell.startswith(("=", "+", "-", "@")), cell
    entry = Entry.objects.filter(kind="export taken").latest("id")
    assert entry.actor_id == cast.chair.pk
    assert entry.facts["facts"] == {"name": "decisions", "of": "what=stopped"}


def test_addresses_that_make_no_sense_still_show_the_page(cast, as_, mvp):
    client = as_(cast.chair)
    for query in (
        "gate=nothing&what=x",
        "board=abc",
        "board=99999999999999999999",
        "unit=x",
        "since=yesterday",
        "since=2026-11-20&until=2020-01-01",
        "page=zero",
        "q=%27%22%3B--%25",
        "q=AI-99999999999999999999",
        "who=" + "x" * 500,
    ):
        for path in ("/decisions/?", "/decisions/?format=csv&"):
            assert client.get(f"{path}{query}").status_code == 200, query
    assert "is ignored" in client.get("/decisions/?gate=nothing").content.decode()


def test_a_constant_number_of_queries(cast, as_, mvp):
    client = as_(cast.chair)

    def asked() -> int:
        client.get("/decisions/")
        with CaptureQueriesContext(connection) as queries:
            client.get("/decisions/?q=a")
        return len(queries)

    few = asked()
    for number in range(4):
        initiative = factories.make_initiative(cast, title=f"A {number}")
        stage_actions.stop(initiative=initiative, reason_code="no_value", reason="No", by=cast.owner)
    assert asked() == few <= 14


def test_every_kind_has_its_words():
    assert len(set(KINDS.values())) == len(KINDS)
