"""QueueMessages: an act never waits for the queue, and what the queue did not take is left to the periodic jobs."""

import signal
import subprocess
import threading
import time

import pytest
from celery import Celery
from django.db import transaction

from governance.queue import broker_settings, task_base
from tests.acceptance.operations.test_run_command import free_port, program


@pytest.fixture
def queue(monkeypatch):
    """The queue messages of a process of its own."""
    fresh = task_base.QueueMessages()
    monkeypatch.setattr(task_base, "queue_messages", fresh)
    return fresh


def test_a_queue_that_hangs_holds_up_one_thread_and_no_act(queue, monkeypatch):
    monkeypatch.setattr(task_base, "MOST_MESSAGES", 3)
    queue._begin()
    hanging = threading.Event()
    done = []
    for _ in range(20):
        queue.send(lambda: (hanging.wait(30), done.append(1)))
    assert not done
    assert not queue.drain(0.05), "and a process that ends does not wait for it for long"
    hanging.set()
    until = time.monotonic() + 10
    while len(done) < 4 and time.monotonic() < until:
        time.sleep(0.01)
    assert 3 <= len(done) <= 4, (
        "one on its way and as many as may wait; the rest was left to the periodic jobs"
    )


def test_a_queue_that_refuses_stops_no_later_message(queue):
    done = []
    queue.send(lambda: 1 / 0)
    queue.send(lambda: done.append(1))
    assert queue.drain(5)
    assert done == [1]


@pytest.mark.django_db(transaction=True)
def test_a_message_that_fails_after_the_commit_does_not_reach_the_act(monkeypatch, caplog):
    class Refusing:
        def delay(self, *args):
            raise OSError("no room for the message")

    monkeypatch.setattr(task_base, "named", lambda name: Refusing())
    with transaction.atomic():
        task_base.after_commit("governance.tasks.seal_audit_log")
    assert "no room for the message" in caplog.text


def test_tasks_of_ours_are_handed_over(queue, monkeypatch):
    app = Celery(
        "apart", task_cls="governance.queue.task_base:QueuedTask", set_as_current=False, broker="memory://"
    )

    @app.task
    def one(number):
        pass

    sent = []
    monkeypatch.setattr("celery.app.task.Task.apply_async", lambda self, *a, **k: sent.append((self, a, k)))
    monkeypatch.setattr(task_base, "current_app", app)
    assert one.delay(7) is None
    assert queue.drain(5)
    assert [args for _, args, _ in sent] == [((7,), {})]


def test_every_task_of_ours_is_such_a_one():
    from governance.celery import app

    app.loader.import_default_modules()
    own = [
        task
        for name, task in app.tasks.items()
        if name.startswith(("governance.", "initiatives.", "adoption."))
    ]
    assert len(own) > 15
    assert all(isinstance(task, task_base.QueuedTask) for task in own)
    of_no_clock = {task.name for task in own if not task.needs_right_clock}
    assert of_no_clock == {"governance.tasks.seal_audit_log", "governance.tasks.load_interactions"}


@pytest.mark.skipif(program("redis-server") is None, reason="no redis-server on this machine")
def test_a_redis_that_hangs_holds_neither_act_nor_probe(queue, tmp_path, monkeypatch):
    """A server of its own, stopped as a dropped firewall state looks like: it takes connections and says nothing."""
    from governance.operations import readiness

    port = free_port()
    server = subprocess.Popen(
        [
            program("redis-server"),
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(tmp_path),
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        url = f"redis://127.0.0.1:{port}/0"
        app = Celery(
            "apart", task_cls="governance.queue.task_base:QueuedTask", set_as_current=False, broker=url
        )
        app.conf.broker_transport_options = broker_settings.transport_options(url, tmp_path)
        app.conf.task_publish_retry_policy = {"max_retries": 1, "interval_start": 0.2, "interval_max": 0.2}

        @app.task
        def ask():
            pass

        monkeypatch.setattr(task_base, "current_app", app)
        monkeypatch.setattr(readiness, "current_app", app)
        monkeypatch.setattr(readiness.settings, "CELERY_BROKER_URL", url)
        until = time.monotonic() + 10
        while readiness.broker() != "ok" and time.monotonic() < until:
            time.sleep(0.1)
        ask.delay()
        assert queue.drain(10)
        server.send_signal(signal.SIGSTOP)
        for _ in range(8):
            ask.delay()
        assert not queue.drain(0), "an act does not wait for the broker"
        assert (
            readiness.Readiness().conditions([readiness.Check("broker", readiness.broker)])["broker"] != "ok"
        )
        server.send_signal(signal.SIGCONT)
        ask.delay()
        assert queue.drain(60), (
            "what was lost is left to the periodic jobs, and the next queue messages arrive"
        )
    finally:
        server.send_signal(signal.SIGCONT)
        server.kill()
        server.wait()
