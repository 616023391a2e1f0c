"""Comparisons of definitions in a child process, with a limit on its processor time.

What is compared was typed by people. A text that a pattern reads for minutes would hold the interpreter's lock, and
with it every thread of a web process. Here it ends a child that serves one process and knows no secret, no database.
"""

import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from initiatives.disagreeing import Conflict, Definition, against_measure, find

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 10  # of processor time for all comparisons of one act; five hundred cases take about two
MEMORY = 1 << 30  # bytes of address space
TOO_LONG = (
    "Comparing this with the other definitions took too long. "
    "Write the format, the meaning and the rule of counting in fewer and plainer words."
)
# A definition with nothing unusual in it. Compared with it, a text that takes too long is refused where it is typed.
PLAIN = Definition(
    "number",
    "-",
    "id",
    "number of customers",
    "10 digits, no leading zeros",
    "customers per month, without tests",
)


class TooLong(Exception):
    """The comparison was ended at its limit; the text says what to do."""

    def __init__(self) -> None:
        super().__init__(TOO_LONG)


def find_all(pairs: Sequence[tuple[Definition, Definition]]) -> list[list[Conflict]]:
    """What `find` says of each pair. Raises TooLong."""
    return _asked("find", pairs)


def against_measure_all(definitions: Sequence[Definition]) -> list[str]:
    """What `against_measure` says of each definition. Raises TooLong."""
    return _asked("against_measure", [(one,) for one in definitions])


ASKED = {"find": find, "against_measure": against_measure}
_one_at_a_time = threading.Lock()
_child: subprocess.Popen[bytes] | None = None


def _asked(name: str, batch: Sequence[tuple]) -> list:
    if not batch:
        return []
    with _one_at_a_time:
        child = _running()
        try:
            pickle.dump((name, list(batch)), child.stdin)
            child.stdin.flush()
            ok, answer = pickle.load(child.stdout)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            child.kill()
            if child.wait() == -signal.SIGVTALRM:
                raise TooLong from None
            raise
    if not ok:
        raise answer
    return answer


def _running() -> subprocess.Popen[bytes]:
    """The child of this process, started where none runs."""
    global _child
    if _child is None or _child.poll() is not None:
        _child = subprocess.Popen(
            [sys.executable, "-m", "initiatives.disagreeing.isolated", str(SECONDS)],
            cwd=ROOT,
            env={"PATH": os.environ.get("PATH", "")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
    return _child


def _forget_child() -> None:
    """A forked process asks a child of its own."""
    global _child, _one_at_a_time
    _child, _one_at_a_time = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_child)


def _serve(seconds: float) -> None:
    """Answer until nobody asks any more. The timer has no handler: it ends the process inside a pattern, too."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    while True:
        try:
            name, batch = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        try:
            answer = (True, [ASKED[name](*one) for one in batch])
        except Exception as fault:
            answer = (False, fault)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        pickle.dump(answer, sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _serve(float(sys.argv[1]))
