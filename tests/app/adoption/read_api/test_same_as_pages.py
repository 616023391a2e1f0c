"""Every address of the read API by every member of the cast: what the same person's page shows, and nothing else."""

import re
from types import SimpleNamespace

import pytest
from django.test import Client

from adoption.demo import initiative_acts
from governance import clock
from governance.authorization.decision_queries import Place
from governance.database.row_history import acting
from governance.notifications import inbox
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.holds.actions import open_obligation
from initiatives.lifecycle.reviews import actions as review_actions
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives.read_days import (
    Compared,
    page_of_contract,
    page_of_initiative,
    page_of_requirements,
    page_of_review,
    read_of_contract,
    read_of_initiative,
    read_of_requirements,
    read_of_review,
)
from tests.support.servers.api_reader import Reader
from tests.support.servers.asking_systems import System, logged
from tests.support.web.access_table import CAST, TABLE

pytestmark = pytest.mark.django_db


@pytest.fixture
@snapshots.kept
def world(cast):
    """An initiative in review with one of what the API reads, and a confidential one that few people see."""
    initiative = factories.make_mvp(cast)
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    initiative_acts.sign_off(
        review,
        "adoption_change",
        cast.seat_adoption,
        "object",
        reason="No.",
        criteria=("production.behaviour",),
    )
    measure = factories.make_measure(cast, initiative)
    factories.make_measurement(cast, measure)
    with acting(system="test", reason="One of each"):
        about = {"source": f"measure:{measure.pk}", "text": "Measure", "due": clock.today()}
        obligation = open_obligation(initiative, "measurement", **about, responsible=cast.owner)
    asking = System(factories.make_key(cast, initiative)[1].text)
    asking.ask("read")
    (asked,) = logged(initiative_number=initiative.number)
    system = factories.make_system(cast)
    link = factories.make_link(cast, initiative, system)
    factories.make_term(cast)
    hidden = factories.make_initiative(cast, "Confidential")
    detail_actions.change_details(
        initiative=hidden, problem=hidden.problem, platform="", confidential=True, by=cast.owner
    )
    other = factories.make_system(cast, "Payroll")
    factories.make_link(cast, initiative_acts.fresh(hidden), other)
    return SimpleNamespace(
        initiative=initiative_acts.fresh(initiative),
        hidden=hidden,
        review=review,
        obligation=obligation,
        measure=measure,
        asked=asked,
        link=link,
    )


def place_of(world) -> str:
    """The place of the decision that was logged."""
    return str(Place.of(world.asked))


def pairs(world) -> dict[str, tuple[str, str]]:
    """Each address of the API beside the page that shows the same."""
    ref, review, measure = world.initiative.ref, world.review.pk, world.measure.pk
    return {
        "api-initiatives": ("initiatives", "/initiatives/"),
        "api-initiative": (f"initiatives/{ref}", f"/initiatives/{ref}/"),
        "api-requirements": (f"initiatives/{ref}/requirements", f"/initiatives/{ref}/requirements/"),
        "api-tasks": ("tasks", "/"),
        "api-contract": (f"initiatives/{ref}/contract", f"/initiatives/{ref}/contract/"),
        "api-measures": (f"initiatives/{ref}/measures", f"/initiatives/{ref}/adoption/"),
        "api-measurements": (f"measures/{measure}/measurements", f"/measures/{measure}/"),
        "api-obligations": (f"obligations?initiative={ref}", f"/initiatives/{ref}/"),
        "api-reviews": ("reviews", "/reviews/"),
        "api-review": (f"reviews/{review}", f"/reviews/{review}/"),
        "api-decisions": ("decisions", "/decisions/"),
        "api-logged-decisions": (f"initiatives/{ref}/decisions", f"/initiatives/{ref}/decisions/"),
        "api-logged-decision": (
            f"initiatives/{ref}/decisions/{place_of(world)}",
            f"/initiatives/{ref}/decisions/{place_of(world)}/",
        ),
        "api-register": ("registers/components", "/components/"),
    }


def test_every_address_answers_everybody_as_the_page_does(world, cast):
    found = pairs(world)
    assert set(found) == {
        name for name, row in TABLE.items() if name.startswith("api-") and not row.opens
    } - {"api-nothing"}
    wrong = []
    for who in CAST:
        reader, browser = Reader(getattr(cast, who)), Client()
        browser.force_login(getattr(cast, who))
        for name, (address, page) in found.items():
            got, shown = reader.get(address).status_code, browser.get(page).status_code
            if got != shown:
                wrong.append(f"{name}: {who} got {got}, the page answers {shown}")
    assert wrong == []


def test_what_an_address_says_is_what_the_page_shows(world, cast):
    ref, review = world.initiative.ref, world.review.pk
    wrong = []
    for who in CAST:
        one = Compared(getattr(cast, who))
        found = [
            one.portfolio_differs(),
            one.portfolio_differs(mine="true"),
            one.portfolio_differs(approved_stage="mvp"),
            one.differs(
                f"/initiatives/{ref}/",
                f"initiatives/{ref}",
                page_of_initiative,
                lambda reader: read_of_initiative(reader, ref),
            ),
            one.differs(
                f"/initiatives/{ref}/requirements/",
                f"initiatives/{ref}/requirements",
                page_of_requirements,
                lambda reader: read_of_requirements(reader, ref),
            ),
            one.differs(
                f"/initiatives/{ref}/contract/",
                f"initiatives/{ref}/contract",
                page_of_contract,
                lambda reader: read_of_contract(reader, ref),
            ),
            one.differs(
                f"/reviews/{review}/",
                f"reviews/{review}",
                page_of_review,
                lambda reader: read_of_review(reader, review),
            ),
        ]
        wrong += [f"{who}: {words}" for words in found if words]
    assert wrong == []


def test_lists_over_all_initiatives_have_what_the_person_may_open(world, cast):
    for who in CAST:
        person = getattr(cast, who)
        reader = Reader(person)
        seen = {row["ref"] for row in reader.rows("initiatives", limit=1)}
        assert (world.hidden.ref in seen) == (
            who not in ("support", "lead", "steward", "outsider", "sponsor")
        ), who
        for address in ("obligations", "reviews", "registers/links", "registers/deployments", "decisions"):
            named = {row["initiative"] for row in reader.rows(address, limit=2)}
            assert named <= seen, (who, address)
        assert {row["id"] for row in reader.rows("registers/systems")} == {
            row["id"] for row in Reader(cast.admin).rows("registers/systems")
        }


def test_tasks_are_those_of_the_inbox_of_the_owner_of_the_token(world, cast):
    for who in CAST:
        person = getattr(cast, who)
        wanted = sorted(
            (task.verb, task.text, task.ref or None) for task in inbox.tasks_and_snoozed(person)[0]
        )
        rows = list(Reader(person).rows("tasks", limit=1))
        assert sorted((row["verb"], row["text"], row["initiative"]) for row in rows) == wanted, who
    assert any(Reader(cast.owner).rows("tasks", initiative=world.initiative.ref))


def test_admins_do_not_read_who_asked_for_what(world, cast):
    address = f"initiatives/{world.initiative.ref}/decisions"
    (admins,) = Reader(cast.admin).rows(address)
    (leads,) = Reader(cast.lead).rows(address)
    assert (admins["subject"], admins["resource"], admins["reason"], admins["page"]) == (
        None,
        None,
        None,
        None,
    )
    assert leads["subject"] == world.asked.subject
    assert leads["resource"] == world.asked.resource
    assert Reader(cast.admin).get(address, {"subject": world.asked.subject}).status_code == 403
    assert Reader(cast.admin).get(f"{address}/{leads['id']}").status_code == 403
    whole = Reader(cast.lead).read(f"{address}/{leads['id']}")["data"]
    assert whole["request"]["subject"]["id"] == world.asked.request["subject"]["id"]


def test_a_hidden_initiative_is_answered_as_one_that_does_not_exist(world, cast):
    reader = Reader(cast.outsider)
    hidden, absent = reader.get(f"initiatives/{world.initiative.ref}"), reader.get("initiatives/AI-9999")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.json() == absent.json()


def test_a_session_opens_nothing_of_the_api(world, cast, as_):
    assert as_(cast.admin).get("/api/v1/initiatives").status_code == 401


def test_links_lead_to_pages_that_the_person_opens(world, cast, settings):
    reader, browser = Reader(cast.owner), Client()
    browser.force_login(cast.owner)
    ref = world.initiative.ref
    addresses = [
        "initiatives", f"initiatives/{ref}/requirements", "tasks", f"initiatives/{ref}/measures", "reviews",
        "decisions", f"initiatives/{ref}/decisions", "obligations", "registers/systems", "registers/links",
        "registers/terms", "registers/components", "registers/deployments", "registers/vendors",
    ]  # fmt: skip
    for address in addresses:
        for row in reader.rows(address):
            assert row["page"].startswith(settings.ADDRESS)
            page = row["page"].removeprefix(settings.ADDRESS)
            assert browser.get(re.sub("#.*", "", page)).status_code == 200, page
