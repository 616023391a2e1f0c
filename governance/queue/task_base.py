"""Base of tasks, which never wait for the broker or run while the clock is wrong.

Correctness lives in Plumbline's tables: a query finds what is due, and a row keeps what is written. The queue only
carries messages. An act hands its message to a thread of its process and goes on. A queue that hangs blocks only that
thread, and the next periodic job finds a lost message's work.
"""

import atexit
import os
import queue
import threading

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
        """Have the thread that may wait for the queue call `send` soon. This call never waits."""
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
        """Wait at most so long for messages on their way. Returns True if none is left. For processes that end."""
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
    """A task. `needs_right_clock` is True if its effect depends on the day."""

    needs_right_clock = True

    def __call__(self, *args, **kwargs):
        """Do it. Raises ClockOff where this machine's clock is not to be believed."""
        if self.needs_right_clock:
            clock_check.require()
        return self.run(*args, **kwargs)

    def apply_async(self, args=None, kwargs=None, **options):
        """Send as Celery does. The result is None in a web process or a command, because no one waits for it."""
        if current_app.conf.task_always_eager or "producer" in options or current_app.current_worker_task:
            return super().apply_async(args, kwargs, **options)
        queue_messages.send(lambda: super(QueuedTask, self).apply_async(args, kwargs, **options))
        return None


def named(name: str) -> Task:
    """Return the task of this name, such as "governance.tasks.deliver_mail".

    Acts are below the tasks that call them, so acts import by name. Raises ImportError if the task does not exist.
    """
    return import_string(name)


def after_commit(name: str, *args) -> None:
    """Ask for the task of this name after the commit. Its arguments are small and plain."""
    task = named(name)
    # A partial has no name, and the framework names what failed: the error would reach the act that is committed.
    transaction.on_commit(lambda: task.delay(*args), robust=True)
