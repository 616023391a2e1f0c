"""What does not apply at high risk: accepted by one person to MVP, by two for production."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.database import row_history
from governance.gates.requirements import state_of
from governance.models import Rulebook
from governance.permission_result import Refused
from governance.rulebook import shipped_text
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.requirements import actions, standalone
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED

pytestmark = pytest.mark.django_db
KEY, SEAT = "gov.impact", "risk_compliance"


@pytest.fixture
def second(cast):
    """Another holder of the seats that accept here."""
    person = factories.make_person("second-holder")
    for seat in (SEAT, "architecture_integration"):
        factories.make_seat(cast, person, seat)
    return person


@pytest.fixture
def initiative(cast):
    """A prototype of high risk under the shipped rulebook."""
    row = factories.make_prototype(cast)
    initiative_acts.propose_and_confirm_tier(row, cast.team, "high")
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    return initiative_acts.fresh(row)


def state(initiative, key=KEY):
    facts, rulebook = (
        supported_stage.facts_of(initiative_acts.fresh(initiative)),
        Rulebook.objects.current().parsed,
    )
    return state_of(facts, rulebook, key, clock.now())


def said(initiative, cast) -> int:
    """That the requirement does not apply, as its owner says; the version of the answer."""
    return actions.answer(
        initiative=initiative,
        requirement=KEY,
        kind="not_applicable",
        text="It decides nothing about people.",
        by=cast.owner,
    ).version


def test_one_accepts_it_to_mvp_and_two_for_production(initiative, cast, second, as_):
    said(initiative, cast)
    first, other = as_(cast.seats[SEAT]), as_(second)
    for there in (first, other):
        assert reverse("requirement-accept", args=[initiative.ref, KEY]) in there.get("/").content.decode()
    first.post(reverse("requirement-accept", args=[initiative.ref, KEY]), {"version": 1})
    found = state(initiative)
    assert found.words == "One person accepted that this does not apply, but high risk requires two people."
    assert (found.satisfies("mvp"), found.satisfies("production")) == (True, False)

    row = reverse("requirement", args=[initiative.ref, KEY])
    assert "Accept as not applicable" not in first.get(row).content.decode(), "one person is not two"
    assert "Accept as not applicable" in other.get(row).content.decode()
    assert reverse("requirement-accept", args=[initiative.ref, KEY]) not in first.get("/").content.decode()
    other.post(reverse("requirement-accept", args=[initiative.ref, KEY]), {"version": 1})
    assert (state(initiative).state, state(initiative).satisfies("production")) == ("not_applicable", True)
    assert reverse("requirement-accept", args=[initiative.ref, KEY]) not in other.get("/").content.decode()


def test_the_same_person_twice_is_one(initiative, cast, second):
    version = said(initiative, cast)
    for _ in range(2):
        actions.accept_not_applicable(
            initiative=initiative, requirement=KEY, version=version, by=cast.seats[SEAT]
        )
    assert not state(initiative).satisfies("production")


def test_other_words_are_accepted_anew_by_both(initiative, cast, second):
    version = said(initiative, cast)
    for person in (cast.seats[SEAT], second):
        actions.accept_not_applicable(initiative=initiative, requirement=KEY, version=version, by=person)
    actions.answer(
        initiative=initiative, requirement=KEY, kind="not_applicable", text="It has no say.", by=cast.owner
    )
    assert state(initiative).state == "waiting"
    row = initiative.answers.get(requirement=KEY)
    assert (row.second_by, row.second_at, row.second_seat) == (None, None, "")


def test_what_ended_is_accepted_anew_by_both(initiative, cast, second):
    version = said(initiative, cast)
    actions.accept_not_applicable(
        initiative=initiative, requirement=KEY, version=version, by=cast.seats[SEAT]
    )
    days = Rulebook.objects.current().parsed.requirements[KEY].days("high")
    with clock.simulated(clock.midnight_after(clock.today() + timedelta(days=days))):
        actions.accept_not_applicable(initiative=initiative, requirement=KEY, version=version, by=second)
        row = initiative.answers.get(requirement=KEY)
        assert (row.accepted_by, row.second_by) == (second, None)
        assert not state(initiative).satisfies("production")


def test_that_it_stands_alone_likewise(initiative, cast, second, as_):
    row = standalone.declare(initiative=initiative, reason="Notes are typed in.", by=cast.owner)
    standalone.accept(declaration=row, by=cast.seat_architecture)
    assert not state(initiative, "int.inventory").satisfies("production")
    assert not state(initiative, "int.definitions").satisfies("production")
    with pytest.raises(Refused, match="high risk needs two people"):
        standalone.accept(declaration=row, by=cast.seat_architecture)
    page = as_(second).get(reverse("integration", args=[initiative.ref])).content.decode()
    assert "Accept the declaration too" in page
    as_(second).post(reverse("initiative-act", args=[initiative.ref, "accept-alone"]), SIGNED)
    assert state(initiative, "int.inventory").satisfies("production")
    assert state(initiative, "int.definitions").satisfies("production")
    with pytest.raises(Refused, match="already accepted"):
        standalone.accept(declaration=row, by=second)


@pytest.mark.parametrize("place", ["accepted", "second"])
def test_the_database_refuses_a_seat_that_is_not_held(initiative, cast, second, place):
    version = said(initiative, cast)
    if place == "second":
        actions.accept_not_applicable(
            initiative=initiative, requirement=KEY, version=version, by=cast.seats[SEAT]
        )
    row = initiative.answers.get(requirement=KEY)
    for field, value in (("by", cast.seat_adoption), ("at", clock.now()), ("seat", SEAT)):
        setattr(row, f"{place}_{field}", value)
    acting = row_history.acting(by=cast.seat_adoption, reason="")
    with pytest.raises(DatabaseError, match="does not hold the seat"), transaction.atomic(), acting:
        row.save()


def test_a_reopening_ends_both_acceptances(initiative, cast, second):
    version = said(initiative, cast)
    for person in (cast.seats[SEAT], second):
        actions.accept_not_applicable(initiative=initiative, requirement=KEY, version=version, by=person)
    row = initiative.answers.get(requirement=KEY)
    assert row.second_by == second
    factories.stop_and_reopen(cast, initiative)
    row.refresh_from_db()
    assert (row.accepted_by, row.accepted_seat, row.second_by, row.second_seat) == (None, "", None, "")
