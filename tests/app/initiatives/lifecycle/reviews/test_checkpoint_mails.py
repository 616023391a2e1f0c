"""The checkpoint of a production decision is mailed at once, once, to those who keep it elsewhere."""

from datetime import timedelta

import pytest
from django.core import mail

from governance import clock
from governance.contributions import contributed
from governance.models import Delivery, Notification
from governance.notifications import daily_mail, due, notify
from governance.offline import verify
from governance.transparency_log import sealing, signing_keys
from initiatives import tasks as initiatives_tasks
from initiatives.lifecycle.reviews import checkpoint_mails
from initiatives.models import Review
from tests.support import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def decided(cast) -> Review:
    """The decision by which an initiative went to production, not sealed yet."""
    sealing.seal()
    initiative = factories.make_production(cast)
    return initiative.reviews.get(gate="production")


def kept() -> list[Notification]:
    return list(Notification.objects.filter(kind=checkpoint_mails.KIND).order_by("person__login"))


def test_chair_and_auditor_are_mailed_the_first_checkpoint_that_covers_the_decision(decided, cast):
    initiatives_tasks.mail_checkpoints.delay()
    assert (kept(), mail.outbox) == ([], []), "nothing is sealed yet that could be kept"
    checkpoint = sealing.seal()
    initiatives_tasks.mail_checkpoints.delay()
    assert [row.person.login for row in kept()] == ["auditor", "chair"]
    assert {row.text for row in kept()} == {checkpoint.note}
    assert sorted(message.to[0] for message in mail.outbox) == sorted([cast.auditor.email, cast.chair.email])
    for message in mail.outbox:
        assert message.subject.startswith(f"{decided.initiative.ref} was decided for production")
        assert decided.initiative.title not in message.subject + message.body
        start = message.body.index(checkpoint.note)
        held = message.body[start : start + len(checkpoint.note)]
        assert verify.note_verify(held, signing_keys.known())[0].size == checkpoint.size
    assert all(row.delivery.sent_at for row in kept())

    # Once, however often it is asked and sealed; and the day's mail does not carry it too.
    notify.notify(cast.chair, "checkpoint", "audit log", subject="Another")
    sealing.seal()
    initiatives_tasks.mail_checkpoints.delay()
    assert len(kept()) == len(mail.outbox) == 2
    daily_mail.deliver()
    assert not any(checkpoint.note in message.body for message in mail.outbox[2:])


def test_a_decision_of_each_outcome_and_no_other_gate(decided, cast):
    sealing.seal()
    assert len(list(checkpoint_mails.checkpoints_of_decisions(clock.now()))) == 2
    others = Review.objects.exclude(gate="production")
    assert others.filter(outcome="approved").exists()
    later = clock.now() + checkpoint_mails.LOOKED_BACK + timedelta(days=1)
    assert list(checkpoint_mails.checkpoints_of_decisions(later)) == []


def test_the_weekly_one_goes_on(decided, cast):
    sealing.seal()
    initiatives_tasks.mail_checkpoints.delay()
    due.run()
    weekly = Notification.objects.filter(kind="checkpoint")
    assert [row.person for row in weekly] == [cast.auditor]


def test_it_is_asked_for_when_the_decision_is_committed(
    cast, monkeypatch, django_capture_on_commit_callbacks
):
    asked = []
    monkeypatch.setattr(initiatives_tasks.mail_checkpoints, "delay", lambda: asked.append("mail"))
    monkeypatch.setattr("governance.tasks.seal_audit_log.delay", lambda **_: asked.append("seal"))
    with django_capture_on_commit_callbacks(execute=True):
        checkpoint_mails.soon()
        sealing.soon()
    assert sorted(asked) == ["mail", "seal"]
    with django_capture_on_commit_callbacks(execute=True), clock.simulated(clock.now()):
        checkpoint_mails.soon()
    assert len(asked) == 2


def test_what_failed_is_sent_later(decided, cast, monkeypatch, settings):
    sealing.seal()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1
    initiatives_tasks.mail_checkpoints.delay()
    assert Delivery.objects.filter(kind=Delivery.CHECKPOINT, sent_at__isnull=True).count() == 2
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    with clock.simulated(clock.now() + timedelta(hours=1)):
        initiatives_tasks.mail_checkpoints.delay()
    assert len(mail.outbox) == 2
    assert checkpoint_mails.KIND in contributed.own_mails
