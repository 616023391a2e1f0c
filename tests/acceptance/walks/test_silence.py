"""Nobody is forgotten, nobody is told twice: runs twice in a row, two at once, a worker down for days, no broker."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection

from adoption.demo import initiative_acts
from governance import clock
from governance.contributions import contributed
from governance.models import Delivery, Notification
from governance.notifications import daily_mail
from governance.notifications import due as notification_due
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.lifecycle.stages import periodic
from tests.support import factories


def story(cast):
    """A prototype whose evidence ages, an open review, a role and an owner to accept, a stopped initiative that
    has obligations.
    """
    initiative = initiative_acts.propose_and_confirm_tier(factories.make_prototype(cast), cast.team)
    review = review_actions.open_review(initiative=initiative, by=cast.owner)
    role_actions.propose_role(initiative=initiative, role="sponsor", person=cast.sponsor, by=cast.owner)
    factories.make_initiative(cast, title="Ticket triage", owner=cast.lead, by=cast.owner)
    stopped = factories.make_prototype(cast, title="Contract reader")
    stage_actions.stop(initiative=stopped, reason_code="no_value", reason="Nobody used it.", by=cast.owner)
    Notification.objects.all().delete()
    return initiative, review


def messages() -> Counter:
    """Every message that is written, with how often: all ones, or somebody was told twice."""
    return Counter(Notification.objects.values_list("person__login", "kind", "object_key", "period"))


def day_by_day(days: range, start) -> None:
    """What the worker does, once a day."""
    for day in days:
        with clock.simulated(start + timedelta(days=day)):
            periodic.recompute()
            review_actions.expire_reviews()
            notification_due.run()
            daily_mail.deliver()


@pytest.mark.django_db
def test_twice_in_a_row_and_after_three_days_of_silence(cast):
    story(cast)
    start = clock.now()
    day_by_day(range(0, 12), start)
    before = messages()
    mails = len(mail.outbox)
    day_by_day(range(11, 12), start)
    assert messages() == before, "the second run of a day told somebody something"
    assert len(mail.outbox) == mails
    assert set(before.values()) == {1}

    with clock.simulated(start + timedelta(days=15)):  # no worker ran on days 12, 13 and 14
        due = set(notification_due.find())
        notification_due.run()
        notification_due.run()
        daily_mail.deliver()
        daily_mail.deliver()
    after = messages()
    fresh = set(after) - set(before)
    assert fresh, "days 14 and 15 have things of their own"
    assert due <= {key_of(notification) for notification in Notification.objects.all()}, (
        "something that is due is told to nobody"
    )
    assert set(after.values()) == {1}
    told = [message.to[0] for message in mail.outbox[mails:]]
    assert sorted(told) == sorted({f"{login}@example.org" for login, *_ in fresh}), (
        "one mail each, and no other"
    )
    kinds = Counter((login, kind, thing) for login, kind, thing, _ in fresh)
    assert set(kinds.values()) == {1}, "of several thresholds passed in silence only the last is told"


def key_of(notification: Notification) -> tuple:
    """The key of a message that is written."""
    return notification.person_id, notification.kind, notification.object_key, notification.period


@pytest.mark.django_db
def test_silence_of_any_length_tells_what_a_daily_worker_would_have_told_last(cast):
    """Whatever the gap, each person's last word on each thing is the one that daily work would have left."""
    story(cast)
    start = clock.now()
    day_by_day(range(0, 40), start)
    last = {}
    for notification in Notification.objects.exclude(kind="decided").order_by("created_at", "pk"):
        last[notification.person_id, notification.kind, notification.object_key] = notification.period
    with clock.simulated(start + timedelta(days=39)):
        still_due = {key[:3]: key[3] for key in notification_due.find()}
    Notification.objects.all().delete()
    Delivery.objects.all().delete()
    with clock.simulated(start + timedelta(days=39)):
        notification_due.run()
    alone = {key_of(notification)[:3]: notification.period for notification in Notification.objects.all()}
    assert alone == still_due
    assert all(last[thing] == period for thing, period in alone.items())


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_open_obligation_each_message_once():
    cast = factories.make_cast()
    story(cast)
    start, rows = clock.now(), []
    for day in (0, 7, 35, 88):
        moment, counts, gate = start + timedelta(days=day), [], threading.Barrier(3)

        def work(moment=moment, counts=counts, gate=gate):
            try:
                gate.wait()
                counts.append(notification_due.run(moment))
            finally:
                connection.close()

        before = Notification.objects.count()
        workers = [threading.Thread(target=work) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len(counts) == 3, "a run failed"
        assert len({count.due for count in counts}) == 1
        assert sum(count.new for count in counts) == Notification.objects.count() - before
        rows.append(Notification.objects.count())
    assert set(messages().values()) == {1}
    assert rows == sorted(set(rows)), "each of these days has something new"


@pytest.mark.django_db
def test_acts_need_no_broker(cast, settings):
    """With the broker away people go on working; what is written to them waits in the tables."""
    from celery import current_app

    current_app.conf.task_always_eager = False
    try:
        current_app.conf.broker_url = "redis://127.0.0.1:1/0"
        initiative = initiative_acts.propose_and_confirm_tier(factories.make_prototype(cast), cast.team)
        review = review_actions.open_review(initiative=initiative, by=cast.owner)
        seat = next(iter(review.rulebook.parsed.gates[review.gate].seats))
        initiative_acts.sign_off(
            review, seat, cast.seats[seat], "object", reason="No.", criteria=criteria(review, seat)
        )
    finally:
        current_app.conf.task_always_eager = settings.CELERY_TASK_ALWAYS_EAGER
        current_app.conf.broker_url = settings.CELERY_BROKER_URL
    assert Notification.objects.filter(kind="review opened").exists()
    daily_mail.deliver()
    assert mail.outbox


def criteria(review, seat) -> tuple[str, ...]:
    """The first criterion of a seat at the review's gate."""
    return (review.rulebook.parsed.criteria_of(review.gate, seat)[0].key,)


def test_every_app_hangs_its_queries_once():
    assert len(contributed.due_queries) == len(set(contributed.due_queries)) == 27
