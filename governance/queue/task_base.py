"""Base of our tasks: asking for one never waits for the broker, and none runs on a machine whose clock is wrong.

Correctness lives in our tables (what is due is a query, what is written a row); the queue only carries messages. So an
act hands its message to a thread of its process and goes on: a queue that hangs holds up that thread and nobody else,
and what is lost with it is found by the next periodic job.
"""

import atexit
import os
import queue
import threading
from functools import partial

import structlog
from celery import Task, current_app
from django.db import transaction
from django.utils.module_loading import import_string

from governance.runtime import clock_check

log = structlog.get_logger("plumbline.queue")

MOST_MESSAGES = 1_000  # that wait for the queue in one process; more are left to the periodic jobs
AT_THE_END = 2.0  # seconds that a process which ends gives the queue messages on their way


class QueueMessages:
    """The queue messages of one process that are on their way to the queue."""

    def __init__(self):
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._waiting: queue.Queue = queue.Queue(MOST_MESSAGES)
        self._thread: threading.Thread | None = None

    def send(self, send) -> None:
        """Have `send` called soon, by the thread that may wait for the queue; never waits itself."""
        if self._process != os.getpid():
            self._begin()  # threads do not outlive a fork
        try:
            self._waiting.put_nowait(send)
        except queue.Full:
            log.warning("the queue does not answer; a queue message is left to the next periodic job")
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep_sending, name="queue messages", daemon=True)
                self._thread.start()

    def drain(self, seconds: float) -> bool:
        """Wait at most so long for what is on its way; whether nothing is left. For processes that end."""
        done = threading.Event()
        if self._process != os.getpid() or self._thread is None:
            return True
        try:
            self._waiting.put_nowait(done.set)
        except queue.Full:
            return False
        return done.wait(seconds)

    def _keep_sending(self) -> None:
        while True:
            send = self._waiting.get()
            try:
                send()
            except (
                Exception
            ) as trouble:  # whatever the transport raises: there are as many kinds as transports
                log.warning(
                    "a queue message did not reach the queue; the next periodic job finds it",
                    trouble=str(trouble),
                )


queue_messages = QueueMessages()
atexit.register(queue_messages.drain, AT_THE_END)


class QueuedTask(Task):
    """A task of ours. `needs_right_clock`: what it does depends on the day."""

    needs_right_clock = True

    def __call__(self, *args, **kwargs):
        """Do it. Raises ClockOff where this machine's clock is not to be believed."""
        if self.needs_right_clock:
            clock_check.require()
        return self.run(*args, **kwargs)

    def apply_async(self, args=None, kwargs=None, **options):
        """As Celery's; from a web process or a command the result is None, because nobody waits for it."""
        if current_app.conf.task_always_eager or "producer" in options or current_app.current_worker_task:
            return super().apply_async(args, kwargs, **options)
        queue_messages.send(lambda: super(QueuedTask, self).apply_async(args, kwargs, **options))
        return None


def named(name: str) -> Task:
    """The task of this name, such as "governance.tasks.deliver_mail": acts lie below the tasks, which call acts.

    Raises ImportError where there is none.
    """
    return import_string(name)


def after_commit(name: str, *args) -> None:
    """Ask for the task of this name once the running transaction is committed; what it is told is small and plain."""
    transaction.on_commit(partial(named(name).delay, *args), robust=True)
