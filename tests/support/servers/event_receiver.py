"""Receivers of events that have every fault, and a syslog receiver over TLS (RFC 5425), of their own."""

import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class EventReceiver:
    """A server over TLS. Use it in a `with`. `plan` has a status or a fault for each coming request, then 204.

    `got` has every message that it read, `counted` those with a new id and an answer of 2xx, in order.
    """

    def __init__(self, pem: Path):
        self.plan: list[Any] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.counted: list[dict] = []
        self.ids: set[str] = set()
        self.always: Any = 204
        self.done = threading.Event()
        handler = type("OwnCall", (_Call,), {"receiver": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        # The handshake is in the thread of each request, so that a client which gives up stops nobody.
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://127.0.0.1:{self.server.server_port}/events"

    def __enter__(self) -> "EventReceiver":
        threading.Thread(target=self.server.serve_forever, args=(0.005,), daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.done.set()
        self.server.shutdown()
        self.server.server_close()

    def count(self, headers: dict[str, str], body: bytes) -> None:
        """Count a message once by its id, as receivers do."""
        if headers["webhook-id"] not in self.ids:
            self.ids.add(headers["webhook-id"])
            self.counted.append(json.loads(body))


class _Call(BaseHTTPRequestHandler):
    receiver: EventReceiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        receiver = self.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver.got.append((headers, body))
        fault = receiver.plan.pop(0) if receiver.plan else receiver.always
        more: dict[str, str] = {}
        if isinstance(fault, tuple):
            fault, more = fault
        if fault == "slow":
            receiver.done.wait(10)
            return
        if fault == "cut":  # it counted the message, and its answer is lost
            receiver.count(headers, body)
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if 200 <= fault < 300 and "webhook-id" in headers:
            receiver.count(headers, body)
        content = b"" if fault == 204 else f"answer {fault}\x00 <b>".encode()
        self.send_response(fault)
        for name, value in more.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


class SyslogReceiver:
    """A syslog receiver over TLS. Use it in a `with`. `lines` has what it took, `cut_after` cuts a connection.

    With `cut_after` it closes with a reset once it has so many lines of one connection, as a receiver that dies.
    """

    def __init__(self, pem: Path, port: int = 0):
        self.lines: list[str] = []
        self.connections = 0
        self.cut_after: int | None = None
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem)
        self.socket = socket.create_server(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]

    def __enter__(self) -> "SyslogReceiver":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)  # the thread that accepts would keep the port open
        self.socket.close()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            try:
                with self.context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=False) as one:
                    self._take(one)
            except (OSError, ValueError):
                continue

    def _take(self, one: ssl.SSLSocket) -> None:
        stream, taken, figures = one.makefile("rb"), 0, b""
        while byte := stream.read(1):
            if byte != b" ":
                figures += byte
                continue
            self.lines.append(stream.read(int(figures)).decode())
            taken, figures = taken + 1, b""
            if taken == self.cut_after:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                return
        one.unwrap()


class Middleman:
    """Someone on the way to a TLS server. Use it in a `with`. The handshake passes, what follows is swallowed.

    The connection to the client then ends, as that of a server that has read everything and does not end TLS.
    """

    def __init__(self, server: int):
        self.server = server
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def __enter__(self) -> "Middleman":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client, socket.create_connection(("127.0.0.1", self.server)) as server:
                threading.Thread(target=self._back, args=(server, client), daemon=True).start()
                self._forward(client.makefile("rb"), server)
                client.shutdown(socket.SHUT_WR)
                while client.recv(65536):
                    pass

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        try:
            while data := server.recv(65536):
                client.sendall(data)
        except OSError:
            return

    def _forward(self, records: Any, server: socket.socket) -> None:
        """Pass the records of the handshake on: those in plain text, and the first that is encrypted."""
        encrypted = False
        while not encrypted:
            head = records.read(5)
            encrypted = head[0] == 23
            server.sendall(head + records.read(int.from_bytes(head[3:], "big")))
        records.read(5)
