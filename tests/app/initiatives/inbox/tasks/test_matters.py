"""One matter is one line of an inbox: its parts inside it, since when it is possible, and a page that opens."""

from datetime import timedelta

import pytest
import time_machine

from adoption.demo import initiative_acts
from adoption.incidents import actions as incident_actions
from governance import clock
from governance.database.row_history import acting
from governance.models import Rulebook
from governance.notifications import inbox
from governance.vocabulary import ObligationKind
from initiatives.inbox.tasks import calendar, weekly_digest
from initiatives.integration.resilience import inbox as drill_inbox
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.holds import actions as hold_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.holds import due_tasks
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Initiative, Waiver
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives import open_states
from tests.support.initiatives.initiative_pages import at

LATER = (0, 20, 100, 400)  # days after the world was made: nothing is late, until everything is


def make_obligation(initiative: Initiative, kind: str, person, days: int, source: str = "one") -> None:
    with acting(system="test"):
        hold_actions.open_obligation(
            initiative_acts.fresh(initiative),
            kind,
            source=source,
            text=f"{kind} of {initiative.title}",
            due=clock.today() + timedelta(days=days),
            responsible=person,
        )


@pytest.fixture
@snapshots.kept
def world(cast) -> Initiative:
    """A review with a question and an objection, an MVP with obligations, a hold and an incident, and loose ends."""
    initiative = factories.make_initiative(cast, title="Minutes writer")
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    review = review_actions.open_review(initiative=initiative, by=cast.owner)
    review_actions.ask_question(
        review=review, criterion="prototype.honest", text="On which sample?", by=cast.seat_value
    )
    detail_actions.propose_tier(
        initiative=initiative, tier="limited", worst_credible_harm="A wrong summary.", by=cast.owner
    )
    for requirement in ("proto.scope", "proto.question"):
        requirement_actions.answer(
            initiative=initiative,
            requirement=requirement,
            kind="not_applicable",
            text="No sample.",
            by=cast.owner,
        )
    mvp = factories.make_mvp(cast)
    make_obligation(mvp, ObligationKind.STEP_BACK, cast.owner, 14)
    make_obligation(mvp, ObligationKind.CRITERION, cast.owner, 5)
    hold_deeds.hold(initiative=mvp, reason="Wrong answers were sent.", by=cast.chair)
    incident_actions.open_incident(
        initiative=mvp, severity=1, title="Wrong totals", started_at=clock.now(), by=cast.owner
    )
    role_actions.propose_role(initiative=mvp, role="sponsor", person=cast.outsider, by=cast.owner)
    return mvp


@pytest.mark.parametrize("days", LATER)
def test_each_matter_is_one_line_that_opens_and_says_since_when(cast, as_, world, days):
    with time_machine.travel(clock.now() + timedelta(days=days), tick=False):
        for name, person in cast.people.items():
            client, tasks = as_(person), inbox.all_tasks(person)
            matters = [task.matter or task.key for task in tasks]
            assert len(matters) == len(set(matters)), (name, matters)
            for part in [part for task in tasks for part in (task, *task.parts)]:
                assert part.since <= clock.today(), (name, part)
                assert client.get(part.link, follow=True).status_code == 200, (name, part)


def test_what_no_longer_supports_its_stage_is_one_line_of_its_owner(cast, as_, world):
    with time_machine.travel(clock.now() + timedelta(days=100), tick=False):
        tasks = [task for task in inbox.all_tasks(cast.owner) if task.matter == f"support:{world.pk}"]
        (task,) = tasks
        assert "days of grace" in task.text
        assert task.link.endswith("/requirements/")
        kinds = {part.button for part in task.parts}
        assert {"See what is open", "See your requirements"} <= kinds
        page = as_(cast.owner).get("/").content.decode()
        assert f"{len(task.parts)} parts of this" in page
        for part in task.parts:
            assert part.text in page


def test_a_seat_has_one_line_for_an_initiative_under_review(cast, world):
    for seat, person in cast.seats.items():
        refs = [task.ref for task in inbox.all_tasks(person) if task.matter.startswith(("review:", "board:"))]
        assert len(refs) == len(set(refs)), seat


def test_a_seat_waits_since_it_can_sign_and_not_since_the_review_opened(cast):
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    review_actions.open_review(initiative=initiative, by=cast.owner)
    with time_machine.travel(clock.now() + timedelta(days=8), tick=False):
        initiative_acts.ground_gate(initiative, "prototype", cast.team)
        found = [task for task in inbox.all_tasks(cast.seat_value) if task.matter.startswith("review:")]
        assert [task.since for task in found] == [clock.today()]


def test_one_description_makes_the_line_the_reminder_the_day_and_the_digest(cast):
    """A gap, a condition and an obligation: the same words, page and day everywhere."""
    mvp = factories.make_mvp(cast)
    make_obligation(mvp, ObligationKind.CRITERION, cast.lead, 3)
    gap = hold_deeds.open_gap(
        initiative=mvp,
        text="Lists differ.",
        owner=cast.lead,
        due=clock.today() + timedelta(days=3),
        downstream=[],
        by=cast.owner,
    )
    tasks = {task.about[0]: task for task in inbox.all_tasks(cast.lead) if task.due and task.about}
    found = {due.object_key: due for due in due_tasks.reminders(clock.now()) if due.person == cast.lead}
    days = {day.key.replace("-", ":"): day for day in calendar.days(cast.lead)}
    digest = weekly_digest.written([cast.unit], cast.lead, since=clock.now())
    lines = {line.link for section in digest.sections for line in section.lines}
    assert f"gap:{gap.pk}" in tasks
    assert len(tasks) == 2
    for key, task in tasks.items():
        assert (found[key].link, found[key].due_on) == (task.link, task.due)
        assert (days[key].link, days[key].day) == (task.link, task.due)
        assert f"http://127.0.0.1:8000{task.link}" in lines


def test_a_waiver_that_ends_is_a_task_of_the_owner_from_two_weeks_before(cast, as_):
    initiative = factories.make_mvp(cast)
    open_states.waiver_in_force(cast, initiative)
    waiver = initiative.waivers.get()

    def lines(days):
        with time_machine.travel(clock.midnight_before(waiver.until) - timedelta(days=days)):
            found = {due.object_key: due for due in due_tasks.reminders(clock.now())}
            mine = [task for task in inbox.all_tasks(cast.owner) if f"waiver:{waiver.pk}" in task.about]
            return mine, found.get(f"waiver:{waiver.pk}"), [as_(cast.owner).get(one.link) for one in mine]

    assert lines(16)[:2] == ([], None)
    (task,), due, (page,) = lines(13)
    assert (task.due, task.link) == (waiver.until, at("requirement", initiative.ref, waiver.key))
    assert (due.link, due.due_on, due.person) == (task.link, task.due, cast.owner)
    assert page.status_code == 200
    assert lines(-2)[:2] == ([], None), "what it waived is open, which another line says"


def test_the_task_of_a_waived_criterion_names_its_question(cast):
    key, criterion = next(iter(Rulebook.objects.current().parsed.criteria.items()))
    row = Waiver(
        pk=1, initiative=factories.make_mvp(cast), key=key, requested_by=cast.owner, until=clock.today()
    )
    (task,) = due_tasks.of_waivers([row])
    assert criterion.question in task.why
    assert task.act.link == row.get_absolute_url()


def test_a_drill_that_is_due_again_is_a_task_of_who_records_what_runs(cast):
    mvp = factories.make_mvp(cast)
    drill = factories.make_drill(cast, mvp, next_due=clock.today() + timedelta(days=10))
    (task,) = [task for task in inbox.all_tasks(cast.owner) if "drill" in task.text]
    assert task.due == drill.next_due
    assert {due.person for due in drill_inbox.drills(clock.now())} >= {cast.owner}
