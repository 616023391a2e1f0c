"""A source, and the fault kit of the examples in front of it, as a builder starts them."""

import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request, urlopen

PATIENCE = 0.6  # seconds that a caller waits for an answer that is held
TICKET = "/tickets/4711"
SHORT = ("--hold", "5", "--for", "20", "--after", "0")


class Source(BaseHTTPRequestHandler):
    """A ticket system: counts what it is asked, and says something new each time."""

    def do_GET(self):
        self.server.asked += 1
        body = json.dumps({"team": "billing", "number": self.server.asked}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.sent.append((self.headers["Authorization"], self.rfile.read(length)))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def running_source():
    """A source that runs, its address at `.address`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Source)
    server.asked, server.sent = 0, []
    server.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Proxied:
    """The proxy as a builder starts it; use it in a `with`. `record` holds what it printed once it has ended."""

    def __init__(self, folder, address, *options, fault="none"):
        self.folder = folder
        self.process = subprocess.Popen(
            [
                sys.executable,
                "fault_proxy.py",
                "--to",
                address,
                "--port",
                "0",
                "--fault",
                fault,
                *SHORT,
                *options,
            ],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.guard = threading.Timer(30, self.process.kill)
        self.guard.start()
        self.address = self.process.stderr.readline().split()[2].rstrip(",")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.plant("end")
        said, self.complaint = self.process.communicate(timeout=10)
        self.guard.cancel()
        self.record = json.loads(said)

    def plant(self, fault):
        with urlopen(Request(f"{self.address}/.fault/{fault}", method="POST"), timeout=5) as answer:
            return json.load(answer)["fault"]

    def get(self, path=TICKET, *, patience=20):
        with urlopen(self.address + path, timeout=patience) as answer:
            return answer.status, dict(answer.headers), answer.read()

    def trace(self):
        return [json.loads(line) for line in (self.folder / "trace.jsonl").read_text().splitlines()]
