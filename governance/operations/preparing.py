"""The first start by `manage.py run`: how far it is, and the page that browsers see until people can sign in."""

import contextlib
import json
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from governance.runtime import child_processes

# What the page needs, by its address.
FILES = {"/plumbline.css": "text/css", "/preparing.js": "text/javascript"}
_BEGAN = time.monotonic()


@dataclass(frozen=True)
class Progress:
    """The progress of a start: the share of its time in `percent`, the step that runs, and the next step."""

    percent: int
    step: str
    next: str
    people: bool = False  # True when people can sign in
    process: int = 0  # the id of the process that does the step


def _file() -> Path:
    return settings.DATA_DIR / "preparing.json"


def read() -> Progress | None:
    """Return the progress of the start that runs now, or None. A start that was killed does not count."""
    try:
        found = Progress(**json.loads(_file().read_text()))
        os.kill(found.process, 0)
    except PermissionError:  # the process runs as another user
        return found
    except (OSError, ValueError, TypeError):
        return None
    return found


def begin(
    write: Callable[[str], Any], percent: int, step: str, following: str, *, people: bool = False
) -> None:
    """Tell that a step begins: one line in the terminal, and the progress for browsers.

    The line has the share of the start that is done, and the seconds since this program began.
    """
    write(f"{percent:3} %  {time.monotonic() - _BEGAN:4.0f} s  {step}")
    told = Progress(percent, step, following, people, os.getpid())
    written = _file().with_suffix(f".{os.getpid()}")
    written.write_text(json.dumps(asdict(told)))
    written.replace(_file())


def end() -> None:
    """Tell browsers that no start runs."""
    _file().unlink(missing_ok=True)


def page() -> str:
    """Return the page that shows the progress. The page also works without scripts."""
    return render_to_string("preparing.html", {"progress": read()})


class _Handler(BaseHTTPRequestHandler):
    server_version, sys_version = "Plumbline", ""

    def do_GET(self) -> None:
        """Answer each address with the page, except the files that the page needs."""
        if kind := FILES.get(self.path):
            folder = settings.BASE_DIR / "governance" / "static" / "governance"
            self._answer(200, kind, (folder / self.path[1:]).read_bytes())
        else:
            self._answer(503, "text/html; charset=utf-8", page().encode())

    do_HEAD = do_POST = do_GET

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if status == 503:
            self.send_header("Retry-After", "2")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        """Write no line for each request."""


@contextlib.contextmanager
def shown(listening: socket.socket) -> Iterator[None]:
    """Answer at this socket with the page, in a child, until the block ends. Later connections wait in the socket."""

    def serve() -> None:
        child_processes.tie(signal.SIGTERM)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(
            signal.SIGINT, signal.SIG_IGN
        )  # Ctrl-C reaches the whole group, and the run ends this child
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        server.socket.close()
        server.socket = listening
        BaseServer.serve_forever(server)

    child = multiprocessing.get_context("fork").Process(target=serve, daemon=True)
    child.start()
    try:
        yield
    finally:
        child.terminate()
        child.join()
