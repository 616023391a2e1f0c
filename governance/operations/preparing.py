"""The first start by `manage.py run`: how far it is, and the page that browsers see until people can sign in."""

import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

# What the page needs, by its address.
FILES = {"/plumbline.css": "text/css", "/preparing.js": "text/javascript"}
LONGEST = 600  # seconds; a step takes about twenty
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
    """Return the progress of the start that runs now, or None.

    A process that was killed leaves its file. The file does not count if no process has this id, or after ten minutes,
    because another process, or a container, may have the same id.
    """
    try:
        found = Progress(**json.loads(_file().read_text()))
        if time.time() - _file().stat().st_mtime > LONGEST:
            return None
        os.kill(found.process, 0)
    except PermissionError:  # the process runs as another user
        return found
    except (OSError, ValueError, TypeError):
        return None
    return found


def begin(out: Any, percent: int, step: str, following: str, *, people: bool = False) -> None:
    """Tell that a step begins: one line in the terminal (`out`), and the progress for browsers.

    The line has the share of the start that is done, and the seconds since this program began.
    """
    out.write(f"{percent:3} %  {time.monotonic() - _BEGAN:4.0f} s  {step}")
    out.flush()  # or a child would write the line again
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


def serve(listening: socket.socket) -> None:
    """Answer at this socket with the page until the process ends. Later connections wait in the socket."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    BaseServer.serve_forever(server)
