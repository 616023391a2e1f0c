"""What the worker does to initiatives: each periodic job finds its work by a query, and may run twice."""

from datetime import timedelta

import pytest
from celery import current_app
from celery.schedules import crontab
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from adoption.demo import initiative_acts
from governance import clock
from governance.models import Entry, Notification, Rulebook
from governance.notifications import due
from initiatives import tasks as initiatives_tasks
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.stages import periodic
from initiatives.models import Review
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.rules.plain_rulebook import plain_text


@pytest.fixture(autouse=True)
def _known_tasks():
    """The tasks of every app, as a worker finds them."""
    current_app.loader.import_default_modules()


def on(days: int):
    """The same hour, some days from now."""
    return clock.simulated(clock.now() + timedelta(days=days))


def test_every_queue_message_of_the_beat_is_a_task_and_drops_when_it_is_late():
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        task = current_app.tasks[entry["task"]]
        assert isinstance(entry["schedule"], (crontab, float))  # at an hour, or every few seconds
        assert entry["options"]["expires"] < 300
        assert (task.acks_late, task.reject_on_worker_lost) == (True, True)
    assert len(settings.CELERY_BEAT_SCHEDULE) == 26


@pytest.mark.django_db
def test_all_tasks_run_twice_on_nothing_and_on_a_initiative(cast):
    initiative = factories.make_prototype(cast)
    for _ in range(2):
        for entry in settings.CELERY_BEAT_SCHEDULE.values():
            current_app.tasks[entry["task"]].delay()
    assert initiative_acts.fresh(initiative).stage == "prototype"


@pytest.mark.django_db
def test_a_supported_stage_that_ran_out_is_rewritten_and_its_grace_opens_obligations_once(cast):
    initiative = factories.make_mvp(cast)
    assert periodic.recompute() == []
    until = initiative.supported_stage.valid_until
    with clock.simulated(until + timedelta(seconds=1)):
        initiatives_tasks.recompute_supported_stages.delay()
        assert periodic.recompute() == []
        obligation = initiative.obligations.get(kind="step_back")
        assert initiative.spans.covering(clock.now()).get().unsupported_stages > 0
        assert obligation.responsible == cast.owner
        grace = Rulebook.objects.current().parsed.freshness.grace_days
        assert obligation.due == clock.last_day_before(until) + timedelta(days=grace)
        assert initiative_acts.fresh(initiative).stage == "mvp", "grace delays no truth and moves no stage"
        initiatives_tasks.recompute_supported_stages.delay()
        assert initiative.obligations.count() == 1


@pytest.mark.django_db
def test_another_rulebook_rewrites_every_supported_stage(cast):
    from initiatives.models import PastSupportedStage, SupportedStage

    initiatives = [factories.make_initiative(cast, title=f"Idea {number}") for number in range(3)]
    text = plain_text().replace('version = "0.9"', 'version = "1.0"')
    rulebook = factories.make_rulebook(cast.admin, cast.chair, text)
    assert {row.rulebook for row in SupportedStage.objects.all()} == {rulebook}

    SupportedStage.objects.update(valid_until=clock.now())
    with CaptureQueriesContext(connection) as queries:
        assert periodic.recompute() == [initiative.pk for initiative in initiatives]
    assert sum("INTO initiatives_pastsupportedstage" in query["sql"] for query in queries) == 1  # together
    assert len(queries) < 20
    assert periodic.recompute() == []
    said = PastSupportedStage.objects.filter(initiative=initiatives[0]).latest("pk")
    assert [span["id"] for span in said.spans] == list(initiatives[0].spans.values_list("pk", flat=True))


@pytest.mark.django_db
def test_reviews_end_when_their_time_is_over(cast):
    initiative = factories.make_initiative(cast)
    review = review_actions.open_review(initiative=initiative, by=cast.owner)
    with on(89):
        initiatives_tasks.expire_reviews.delay()
    assert Review.objects.get().is_open
    with on(90):
        initiatives_tasks.expire_reviews.delay()
        initiatives_tasks.expire_reviews.delay()
    assert Review.objects.get(pk=review.pk).outcome == "expired"
    assert Entry.objects.acts().of_initiative(initiative.ref).filter(kind="review expired").count() == 1
    assert Notification.objects.filter(kind="decided", person=cast.owner).count() == 1


@pytest.mark.django_db
def test_thirty_days_without_an_owner_are_due_by_the_chair_once_and_move_nothing(cast):
    initiative = factories.make_mvp(cast)
    leaving.deactivate(person=cast.owner, reason="left", by=cast.admin)
    with on(29):
        assert periodic.open_vacancy_obligations() == []
    with on(30):
        (obligation,) = periodic.open_vacancy_obligations()
        assert obligation.responsible == cast.chair
        assert obligation.kind == "vacancy"
        assert periodic.open_vacancy_obligations() == []
        due.run()
        notification = Notification.objects.get(kind="due", object_key=f"obligation:{obligation.pk}")
        assert notification.person == cast.chair
        assert notification.link == f"/initiatives/{initiative.ref}/people/"
    assert initiative_acts.fresh(initiative).stage == "mvp"
