"""What the register does not know costs nothing at once: somebody finds it out by a day, and after it it counts."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from adoption.demo import initiative_acts
from governance import clock
from governance.models import Rulebook
from governance.notifications import inbox as notification_inbox
from governance.permission_result import Refused
from governance.vocabulary import STAGE_RANK, ObligationKind
from initiatives.integration.links import actions as link_actions
from initiatives.integration.residency import actions as residency_actions
from initiatives.integration.residency import term_effects
from initiatives.integration.residency.findings import UNIT, Bound, WhatIf
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.findings import sync
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.holds import due_tasks
from initiatives.lifecycle.initiative import rehearsal
from initiatives.models import Hold, Obligation
from tests.support import factories
from tests.support.initiatives.initiative_pages import text_of

pytestmark = pytest.mark.django_db

TIE = {"pattern": "feed", "direction": "reads", "access": "api", "data_classes": ["customer notes"]}


@pytest.fixture
def initiative(cast):
    """An MVP with one link that is described and agreed to; its unit allows data in the EU alone."""
    row = factories.make_mvp(cast)
    residency_actions.set_unit_policy(
        unit=cast.unit,
        reference="Data policy",
        allowed=["EU"],
        starts_on=clock.today(),
        by=cast.seat_security,
    )
    factories.make_link(cast, row, factories.make_system(cast, "Ledger", regions=["eu-west"]), agreed=True)
    return initiative_acts.fresh(row)


@pytest.fixture
def system(cast):
    return factories.make_system(cast, "Order system", regions=["eu-west"], owner=cast.outsider)


def add(cast, initiative, system, region):
    place = link_actions.Place("Relay", region)
    return link_actions.add_link(initiative=initiative, system=system, transfers=[place], by=cast.lead, **TIE)


def supported(initiative) -> str:
    return supported_stage.judged(initiative_acts.fresh(initiative)).support.supported


def found_out(initiative) -> dict[str, Obligation]:
    rows = Obligation.objects.open().filter(initiative=initiative, kind=ObligationKind.UNKNOWN)
    return {row.text: row for row in rows}


def days() -> int:
    return Rulebook.objects.current().parsed.freshness.unknown_days


@pytest.mark.parametrize("region", ["", "the moon"])
def test_a_truthful_unknown_costs_nothing_before_its_day_and_counts_after_it(
    cast, initiative, system, region
):
    before = supported(initiative)
    add(cast, initiative, system, region)
    assert supported(initiative) == before
    assert not Hold.objects.open().filter(initiative=initiative, kind="residency").exists()
    obligation = next(row for text, row in found_out(initiative).items() if "Relay" in text)
    assert obligation.due == clock.today() + timedelta(days=days())
    assert obligation.responsible == cast.lead

    with time_machine.travel(timezone.now() + timedelta(days=days()), tick=False):
        assert STAGE_RANK[supported(initiative)] == STAGE_RANK[before], "its day has not passed"
    with time_machine.travel(timezone.now() + timedelta(days=days() + 1), tick=False):
        sync.follow_register()
        assert supported(initiative) == "prototype"
        assert Hold.objects.open().filter(initiative=initiative, kind="residency").exists()


def test_what_is_known_to_be_forbidden_acts_at_once(cast, initiative, system):
    add(cast, initiative, system, "us-east")
    assert supported(initiative) == "prototype"
    assert Hold.objects.open().filter(initiative=initiative, kind="residency").exists()


def test_writing_the_path_again_keeps_the_day(cast, initiative, system):
    link = add(cast, initiative, system, "")
    due = {row.source: row.due for row in found_out(initiative).values()}
    with time_machine.travel(timezone.now() + timedelta(days=5), tick=False):
        again = [link_actions.Place("Relay", "", None, None), link_actions.Place("Second relay", "eu-west")]
        link_actions.change_link(link=link, transfers=again, by=cast.lead)
        kept = {row.source: row.due for row in found_out(initiative).values()}
        assert kept[f"link:{link.pk}:missing"] == due[f"link:{link.pk}:missing"]


def test_saying_the_region_completes_it_and_nothing_else_does(cast, initiative, system):
    link = add(cast, initiative, system, "")
    obligation = next(row for text, row in found_out(initiative).items() if "Relay" in text)
    with pytest.raises(Refused, match="its cause is gone"):
        hold_deeds.complete_obligation(obligation=obligation, note="Somewhere.", by=cast.lead)
    link_actions.change_link(link=link, transfers=[link_actions.Place("Relay", "eu-west")], by=cast.lead)
    obligation.refresh_from_db()
    assert obligation.completed_at is not None


def test_whoever_can_find_out_has_one_task(cast, initiative, system):
    link = add(cast, initiative, system, "")
    every = [one for line in notification_inbox.tasks_for(cast.lead) for one in (line, *line.parts)]
    (task,) = [one for one in every if "Relay" in one.text]
    assert task.link.endswith(f"/{link.pk}/change/") or str(link.pk) in task.link
    asked = [line for line in notification_inbox.tasks_for(cast.outsider) if "Order system" in line.text]
    assert len(asked) == 1, "the word of the system's owner is one line"


def test_the_owner_of_the_system_is_reminded_to_answer_as_of_any_obligation(cast, initiative, system):
    link = add(cast, initiative, system, "eu-west")
    (obligation,) = [
        row for row in found_out(initiative).values() if row.source == f"link:{link.pk}:agreement"
    ]
    assert obligation.responsible == cast.outsider

    def told(on):
        keys = [one for one in due_tasks.reminders(on) if one.object_key == f"obligation:{obligation.pk}"]
        return {(one.person, one.kind, one.link) for one in keys}

    answer = reverse("link-answer", args=[link.pk])
    for before in (3, 0):
        moment = timezone.now() + timedelta(days=days() - before)
        with time_machine.travel(moment, tick=False):
            assert told(moment) == {(cast.outsider, "due", answer)}
    late = timezone.now() + timedelta(days=days() + 1)
    with time_machine.travel(late, tick=False):
        assert (cast.outsider, "overdue", answer) in told(late)


def test_the_form_says_so_before_it_is_sent(cast, initiative, system):
    told = rehearsal.rehearse(lambda: add(cast, initiative, system, ""), by=cast.lead, initiative=initiative)
    day = f"{clock.today() + timedelta(days=days()):%-d %B}"
    assert any("Relay" in line and day in line and line.startswith("Due from") for line in told)
    assert not any("The supported stage falls" in line for line in told)


def test_the_look_ahead_and_the_page_of_residency_say_what_then_happens(cast, as_, initiative, system):
    add(cast, initiative, system, "the moon")
    rule = {"starts_on": clock.today(), "allowed": ["EEA"]}
    change = WhatIf(also=Bound(UNIT, cast.unit.pk, ("EEA",), (), (), clock.today(), None, "Second policy"))
    told = term_effects.look([initiative.pk], change)
    assert (told.held, told.stays, told.freed) == ({}, {}, {})
    (one,) = told.later[initiative.pk]
    (obligation,) = [row for text, row in found_out(initiative).items() if "the moon" in text]
    day = f"{obligation.due:%-d %B %Y}"
    assert one.words.startswith(
        f"Relay, the moon (region not known): find out the region by {day}. After that day"
    )

    residency_actions.set_unit_policy(
        unit=cast.unit, reference="Second policy", by=cast.seat_security, **rule
    )
    assert not Hold.objects.open().filter(initiative=initiative, kind="residency").exists()
    page = text_of(as_(cast.owner).get(reverse("integration-residency", args=[initiative.ref])))
    assert f"region not known, find out by {day}" in page
    assert "not allowed" not in page
    with time_machine.travel(timezone.now() + timedelta(days=days() + 1), tick=False):
        page = text_of(as_(cast.owner).get(reverse("integration-residency", args=[initiative.ref])))
        assert "region not known, so not allowed" in page


def test_before_the_mvp_the_look_ahead_says_that_it_is_held_at_once(cast, system):
    row = factories.make_prototype(cast)
    initiative_acts.staff(row, cast.team)
    add(cast, initiative_acts.fresh(row), system, "the moon")
    change = WhatIf(also=Bound(UNIT, cast.unit.pk, ("EU",), (), (), clock.today(), None, "Data policy"))
    assert [one.name for one in term_effects.look([row.pk], change).held[row.pk]] == ["Relay"]


def test_before_the_mvp_it_counts_at_once(cast, system):
    row = factories.make_prototype(cast)
    initiative_acts.staff(row, cast.team)
    add(cast, initiative_acts.fresh(row), system, "")
    assert found_out(row) == {}
    facts = supported_stage.facts_of(initiative_acts.fresh(row))
    assert facts.short_of("int.inventory", clock.now())
