# SPDX-License-Identifier: Apache-2.0
"""A proxy that plants faults between a system and its source, and writes down what happened. Python's library, no more.

    python3 fault_proxy.py --to http://127.0.0.1:8000 --fault timeout --for 60 --after 20 --log trace.jsonl

Point your system at the proxy (http://127.0.0.1:8099) in place of its source and use it. The fault is planted for
--for seconds and then taken away for --after seconds, so that falling back and coming back are both seen. Faults can
be switched while it runs:

    curl -X POST http://127.0.0.1:8099/.fault/stale      timeout, error, stale, malformed, gone, none; end ends it

Each request leaves one line in the trace: when, which path, which fault, status, milliseconds. Never a body, a query
or a header. At the end a drill record is printed (JSON): the form "Record a drill" takes it together with the trace.
"""

import argparse
import hashlib
import http.client
import json
import os
import re
import signal
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FAULTS = {
    "timeout": "left unanswered",
    "error": "answered with 503",
    "stale": "answered with old data",
    "malformed": "answered with half a body",
    "gone": "cut off",
    "none": "passed on",
}
CONTROL = "/.fault"
TRANSFER_BY_TRANSFER = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "upgrade"),
    *("transfer-encoding", "content-length", "host", "expect"),
}
MOST_KEPT, LARGEST_KEPT = (
    200,
    1_000_000,
)  # answers kept in memory to be given again as old data, and their size
LARGEST_BODY = 20_000_000
SECRET = re.compile(
    r"(?<=/)(?=[^/]*[0-9])[^/]{24,}"
)  # a part of a path that may be a key: long, with a digit


class Drill:
    """What is planted now, what was seen, and the answers that can be given again."""

    def __init__(self, to, log, fault, hold, age):
        self.to, self.log, self.fault, self.hold, self.age = urlsplit(to), log, fault, hold, age
        self.ended, self.noted = threading.Event(), threading.Condition()
        self.lock, self.running = self.noted, 0  # requests that are not noted yet
        self.kept, self.seen = {}, []
        open(log, "w").close()

    def plant(self, fault):
        with self.lock:
            self.fault = fault

    def note(self, path, fault, status, started):
        ms = round((time.monotonic() - started) * 1000)
        now = time.time()
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"
        path = SECRET.sub("***", path)[:200]
        line = {"at": at, "path": path, "fault": fault, "status": status, "ms": ms}
        with self.lock:
            self.seen.append(line)
            with open(self.log, "a", encoding="utf-8") as trace:
                trace.write(json.dumps(line) + "\n")
            self.running -= 1
            self.noted.notify()

    def keep(self, key, answer):
        with self.lock:
            if key not in self.kept and len(self.kept) < MOST_KEPT and len(answer[2]) <= LARGEST_KEPT:
                self.kept[key] = (time.time(), answer)
            return self.kept.get(key, (time.time(), answer))

    def record(self, kind):
        """The drill as the form takes it; what was expected, and whether it passed, people say."""
        with self.lock, open(self.log, "rb") as trace:
            seen, digest = list(self.seen), hashlib.sha256(trace.read()).hexdigest()
        counts = {fault: [line for line in seen if line["fault"] == fault] for fault in FAULTS}
        planted = [fault for fault in FAULTS if fault != "none" and counts[fault]]
        parts = [_met(fault, counts[fault]) for fault in planted]
        if counts["none"]:
            good = sum(line["status"] is not None and line["status"] < 500 for line in counts["none"])
            parts.append(f"With no fault planted, of {len(counts['none'])} passed on {good} went well.")
        return {
            "drill_record": 1,
            "kind": kind,
            "fault": max(planted, key=lambda fault: len(counts[fault]), default="none"),
            "observed_on": time.strftime("%Y-%m-%d"),
            "expected": "",
            "happened": " ".join(parts) or "No request came.",
            "trace": {"name": os.path.basename(self.log), "sha256": digest, "requests": len(seen)},
        }


def _met(fault, lines):
    first, last, slowest = lines[0]["at"][11:19], lines[-1]["at"][11:19], max(line["ms"] for line in lines)
    many = "1 request was" if len(lines) == 1 else f"{len(lines)} requests were"
    return f"{many} {FAULTS[fault]} between {first} and {last} UTC; the longest took {slowest} ms."


class Proxy(BaseHTTPRequestHandler):
    """One request: passed on, or met by the fault that is planted."""

    protocol_version = "HTTP/1.1"

    def take(self):
        drill, started, path = self.server.drill, time.monotonic(), self.path.partition("?")[0]
        if path == CONTROL or path.startswith(CONTROL + "/"):
            return self.control(path[len(CONTROL) + 1 :])
        with drill.lock:
            fault, status, drill.running = drill.fault, None, drill.running + 1
        try:
            status = self.meet(drill, fault)
        except OSError:
            self.close_connection = True  # who asked has hung up
        finally:
            drill.note(path, fault, status, started)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = take

    def control(self, wanted):
        drill = self.server.drill
        if self.command == "POST" and wanted in FAULTS:
            drill.plant(wanted)
        elif self.command == "POST" and wanted == "end":
            drill.ended.set()
        elif wanted:
            return self.answer(
                404, [], b'{"error": "POST /.fault/ and one of: %s, end"}' % ", ".join(FAULTS).encode()
            )
        self.answer(200, [("Content-Type", "application/json")], json.dumps({"fault": drill.fault}).encode())

    def meet(self, drill, fault):
        """Do to this request what the fault does. The status that was answered; None for no answer."""
        if fault == "gone":
            linger = struct.pack("ii", 1, 0)  # the connection is reset, as by a machine that is not there
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            return None
        if fault == "timeout":
            drill.ended.wait(drill.hold)
            self.close_connection = True
            return None
        if fault == "error":
            return self.answer(
                503, [("Content-Type", "application/json")], b'{"error": "planted by fault_proxy"}'
            )
        status, headers, body = self.ask(drill)
        if self.command == "GET" and status == 200:
            kept_at, kept = drill.keep(self.path, (status, headers, body))
            if fault == "stale":
                status, headers, body = kept
                headers = [(name, value) for name, value in headers if name.lower() != "age"]
                headers.append(("Age", str(drill.age + int(time.time() - kept_at))))
        if fault == "malformed":
            body = body[: len(body) // 2] + b'{"'
        return self.answer(status, headers, body)

    def ask(self, drill):
        """The answer of the source; 502 where it gives none."""
        to, length = drill.to, int(self.headers.get("Content-Length") or 0)
        if self.headers.get("Transfer-Encoding") or length > LARGEST_BODY:
            self.close_connection = True
            return 411, [], b"Send a Content-Length of at most 20 MB."
        body = self.rfile.read(length) if length else None
        kind = http.client.HTTPSConnection if to.scheme == "https" else http.client.HTTPConnection
        source = kind(to.hostname, to.port, timeout=drill.hold)
        own = {
            name: value for name, value in self.headers.items() if name.lower() not in TRANSFER_BY_TRANSFER
        }
        try:
            source.request(self.command, to.path.rstrip("/") + self.path, body, own)
            said = source.getresponse()
            found = [
                (name, value) for name, value in said.getheaders() if name.lower() not in TRANSFER_BY_TRANSFER
            ]
            return said.status, found, said.read()
        except (OSError, http.client.HTTPException):
            return 502, [], b"The source does not answer the proxy."
        finally:
            source.close()

    def answer(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        return status

    def log_message(self, *_):
        """The trace says enough."""


class Server(ThreadingHTTPServer):
    daemon_threads, block_on_close = True, False

    def handle_error(self, *_):
        """Who asked has hung up: in a drill that is the point."""


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument(
        "--to", required=True, help="address of the source, for instance http://127.0.0.1:8000"
    )
    options.add_argument("--fault", choices=list(FAULTS), default="none", help="planted at the start")
    options.add_argument(
        "--for", dest="lasts", type=float, default=60, help="seconds of the fault (default: 60)"
    )
    options.add_argument(
        "--after", type=float, default=20, help="seconds without a fault after it (default: 20)"
    )
    options.add_argument(
        "--log", default="trace.jsonl", help="the trace, written anew (default: trace.jsonl)"
    )
    options.add_argument(
        "--kind", default="fallback", help="kind of drill for the audit log (default: fallback)"
    )
    options.add_argument("--host", default="127.0.0.1", help="where it listens (default: this machine alone)")
    options.add_argument("--port", type=int, default=8099, help="0 chooses a free one (default: 8099)")
    options.add_argument(
        "--hold", type=float, default=30, help="seconds a timeout holds a request (default: 30)"
    )
    options.add_argument(
        "--age", type=int, default=86400, help="seconds that old data say to be old (default: a day)"
    )
    chosen = options.parse_args()
    to = urlsplit(chosen.to)
    if to.scheme not in ("http", "https") or not to.hostname or to.username or to.query:
        sys.exit("--to is an address like http://127.0.0.1:8000, without name, password or query.")
    drill = Drill(chosen.to, chosen.log, chosen.fault, chosen.hold, chosen.age)
    server = Server((chosen.host, chosen.port), Proxy)
    server.drill = drill
    signal.signal(signal.SIGTERM, lambda *_: drill.ended.set())
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    print(
        f"Listening on http://{chosen.host}:{server.server_port}, fault: {chosen.fault}",
        file=sys.stderr,
        flush=True,
    )
    try:
        if not drill.ended.wait(chosen.lasts):
            drill.plant("none")
            drill.ended.wait(chosen.after)
    except KeyboardInterrupt:
        pass
    drill.ended.set()  # what is held unanswered is let go, and noted
    server.shutdown()
    with drill.noted:
        drill.noted.wait_for(lambda: not drill.running, chosen.hold)
    record = drill.record(chosen.kind)
    print(json.dumps(record, indent=2))
    if record["fault"] == "none":
        sys.exit("No request met a fault: nothing was drilled.")


if __name__ == "__main__":
    main()
