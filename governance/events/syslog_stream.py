"""The audit log as a stream for a SIEM: syslog (RFC 5424) over TLS with octet counting (RFC 5425).

Each entry is one line of JSON, in the order of the sealed tree: the leaf as the export has it, with its place and hash.
A leaf has keys and kinds, and no name and no text: those are in the bodies, which are not sent. Syslog has no answer
to a message. So a batch counts as received once the receiver has closed its side of TLS after ours (close_notify), and
only then the place is kept. A bare end of the connection may come from anyone on the way, so it counts for nothing. A
batch that was cut is sent again from its first line, with the same places.
"""

import json
import socket
import ssl
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction

from governance import clock
from governance.models import AuditLogReader, Checkpoint
from governance.transparency_log import signing_keys

NAME = "syslog"
PRIORITY = 13 * 8 + 6  # facility "log audit", severity "informational"
SECONDS = 20.0  # for one batch
RUN = 150.0  # seconds for one task
BATCH = 500  # entries of one connection


class NotStreamed(RuntimeError):
    """The receiver of the audit log did not take a batch. The text has the reason and what to do."""


def stream() -> int:
    """Send what was sealed since the last time, and return the number of lines. Raises NotStreamed.

    The first line that a receiver gets is the first of the audit log.
    """
    if settings.SYSLOG is None:
        return 0
    AuditLogReader.objects.get_or_create(name=NAME, defaults={"position": 0})
    until, sent = time.monotonic() + RUN, 0
    try:
        while time.monotonic() < until and (count := _send_batch(settings.SYSLOG)):
            sent += count
    except OSError as trouble:  # of the network, of the name and of the certificate alike
        why = _words(settings.SYSLOG, trouble)
        rows = AuditLogReader.objects.filter(name=NAME)
        rows.filter(failing_since=None).update(failing_since=clock.now())
        rows.update(last_error=why)
        raise NotStreamed(why) from None
    AuditLogReader.objects.filter(name=NAME).exclude(failing_since=None).update(
        failing_since=None, last_error=""
    )
    return sent


def _send_batch(receiver: tuple[str, int, str]) -> int:
    """Send one batch under the lock of the place, and keep the new place. Return the number of lines."""
    with transaction.atomic():
        reader = AuditLogReader.objects.select_for_update(skip_locked=True).filter(name=NAME).first()
        if reader is None:  # another worker sends
            return 0
        lines = list(_lines(reader.position))
        if lines:
            _deliver(receiver, b"".join(b"%d %s" % (len(line), line) for line in lines))
            AuditLogReader.objects.filter(pk=reader.pk).update(position=reader.position + len(lines))
    return len(lines)


def _lines(start: int) -> Iterator[bytes]:
    size = Checkpoint.objects.order_by("-pk").values_list("size", flat=True).first() or 0
    host, origin = urlsplit(settings.ADDRESS).hostname or "-", signing_keys.origin()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT position, data, hash FROM governance_leaf WHERE position >= %s AND position < %s ORDER BY position",
            [start, min(size, start + BATCH)],
        )
        for position, data, digest in cursor.fetchall():
            leaf = json.loads(bytes(data))
            line = {"log": origin, "position": position, "leaf_hash": bytes(digest).hex(), **leaf}
            kind = "row" if leaf["table"] else "act"
            head = f"<{PRIORITY}>1 {leaf['recorded_at']} {host} plumbline - {kind} - "
            yield head.encode("ascii") + json.dumps(line, separators=(",", ":")).encode("ascii")


def _deliver(receiver: tuple[str, int, str], frames: bytes) -> None:
    """Send the frames and wait until the receiver has closed too. Raises OSError."""
    host, port, file = receiver
    context = ssl.create_default_context(cafile=file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection((host, port), timeout=SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host, suppress_ragged_eofs=False) as secured,
    ):
        secured.sendall(frames)
        secured.unwrap()


def _words(receiver: tuple[str, int, str], trouble: OSError) -> str:
    host, port, _ = receiver
    if isinstance(trouble, ssl.SSLCertVerificationError):
        return (
            f"The certificate of {host}:{port} is not valid ({trouble.verify_message}). Name the file of its authority "
            "in PLUMBLINE_SYSLOG_CA."
        )
    if isinstance(trouble, ssl.SSLEOFError):
        return (
            f"{host}:{port} closed the connection without the end of TLS (close_notify), so nobody knows whether it "
            "read the entries, which are sent again. Use a receiver that ends TLS: for rsyslog the driver ossl."
        )
    if isinstance(trouble, TimeoutError):
        return f"{host}:{port} does not take the audit log within {SECONDS:.0f} seconds. Check the syslog receiver."
    return (
        f"{host}:{port} does not take the audit log ({trouble.strerror or trouble}). Check PLUMBLINE_SYSLOG and the "
        "syslog receiver."
    )
