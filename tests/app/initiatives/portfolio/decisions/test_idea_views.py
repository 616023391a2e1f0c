"""Waiting ideas side by side: those of one's boards, as answered, with what resembles them."""

from datetime import timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup

from governance import clock
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.stages import actions as stage_actions
from tests.support import factories
from tests.support.initiatives import open_reviews
from tests.support.web import query_counts

pytestmark = pytest.mark.django_db


def columns(response) -> list[dict[str, str]]:
    """Each idea as the page shows it: its title, and the words under each heading."""
    found = []
    for article in BeautifulSoup(response.content, "html.parser").select(".ideas > article"):
        said = {
            part.h3.get_text(): " ".join(part.get_text(" ").split()) for part in article.find_all("section")
        }
        found.append(
            {"title": article.h2.get_text(), "head": article.header.get_text(" ", strip=True)} | said
        )
    return found


def test_value_risk_and_feasibility_as_answered(cast, as_):
    review = open_reviews.before_prototype(cast)
    initiative = review.initiative
    detail_actions.propose_tier(
        initiative=initiative, tier="limited", worst_credible_harm="A wrong letter.", by=cast.owner
    )
    other = factories.make_initiative(cast, title="Letter drafts", problem="Letters take a day.")
    with time_machine.travel(clock.now() + timedelta(days=12), tick=False):
        page = as_(cast.chair).get(f"/ideas/?initiative={initiative.ref}&initiative={other.ref}")
    first, second = columns(page)
    answers = {row.requirement: row.text for row in initiative.answers.all()}
    assert first["title"] == initiative.title
    assert "waiting 12 days" in first["head"]
    assert "Marta Lindqvist" in first["head"]
    assert initiative.problem in first["Value"]
    assert " ".join(answers["prototype.selected"].split()) in first["Value"]
    assert " ".join(answers["proto.assumptions"].split()) in first["Risk"]
    assert "limited risk proposed" in first["Risk"]
    assert "A wrong letter." in first["Risk"]
    assert " ".join(answers["proto.scope"].split()) in first["Feasibility"]
    assert "not answered" not in str(first)
    assert "not stated yet" in second["Risk"]
    assert "not answered" in second["Feasibility"]
    assert review.get_absolute_url() in page.content.decode()


def test_similar_initiatives_stand_beside_each_never_itself_and_confidential_ones_never(cast, as_):
    idea = factories.make_initiative(cast, title="Invoice matching")
    near = factories.make_initiative(
        cast, title="Invoice reader", unit=cast.elsewhere, owner=cast.outsider, by=cast.outsider
    )
    hidden = factories.make_initiative(cast, title="Invoice secrets")
    detail_actions.change_details(
        initiative=hidden, problem=hidden.problem, platform="", confidential=True, by=cast.owner
    )
    (shown,) = columns(as_(cast.chair).get(f"/ideas/?initiative={idea.ref}"))
    assert f"Invoice reader {near.ref} Logistics" in shown["Initiatives with similar words"]
    assert idea.ref not in shown["Initiatives with similar words"]
    assert "secrets" not in shown["Initiatives with similar words"]


def test_only_waiting_ideas_of_ones_own_boards(cast, as_):
    idea = factories.make_initiative(cast, title="Alpha")
    far = factories.make_initiative(cast, title="Beta", unit=cast.elsewhere)
    stopped = factories.make_initiative(cast, title="Gamma")
    stage_actions.stop(initiative=stopped, reason_code="no_value", reason="No", by=cast.owner)
    mistake = factories.make_initiative(cast, title="Delta")
    detail_actions.withdraw(initiative=mistake, reason="Twice", by=cast.owner)
    query = "&".join(f"initiative={initiative.ref}" for initiative in (idea, far, stopped, mistake))
    page = as_(cast.chair).get(f"/ideas/?{query}")
    assert [shown["title"] for shown in columns(page)] == ["Alpha"]
    assert [initiative.ref for initiative, _ in page.context["rows"]] == [idea.ref]
    for person in (cast.owner, cast.admin, cast.outsider):
        assert as_(person).get("/ideas/").status_code == 403


def test_five_at_most_and_no_nonsense_breaks_it(cast, as_):
    initiatives = [factories.make_initiative(cast, title=f"Idea {n}") for n in range(6)]
    client = as_(cast.seat_value)
    page = client.get("/ideas/?" + "&".join(f"initiative={initiative.ref}" for initiative in initiatives))
    assert len(columns(page)) == 5
    assert "You can compare at most five ideas" in page.content.decode()
    for query in (
        "initiative=",
        "initiative=AI-",
        "initiative=AI-x",
        "initiative=AI-99999999999999999",
        "initiative=%27",
        "initiative=AI-%C2%B2",
        "page=0",
    ):
        assert client.get(f"/ideas/?{query}").status_code == 200, query


def test_five_ideas_cost_no_query_more_than_two(cast, as_):
    initiatives = [factories.make_initiative(cast, title=f"Idea {n}") for n in range(5)]
    client = as_(cast.chair)

    def asked(some) -> int:
        address = "/ideas/?" + "&".join(f"initiative={initiative.ref}" for initiative in some)
        assert len(columns(client.get(address))) == len(some)
        return query_counts.asked(client, address)

    assert asked(initiatives) == asked(initiatives[:2]) <= 22
