"""Time-stamps from outside: asked for in the form of RFC 3161, kept when they are about our checkpoint."""

import hashlib
import http.server
import threading

import pytest
from django.db import connection

from governance import tasks as governance_tasks
from governance.models import Timestamp
from governance.transparency_log import sealing, timestamping
from governance.transparency_log.timestamping import INTEGER, OCTETS, SEQUENCE, NotStamped, _der, _take
from tests.support.database.many_entries import make_entries

# TimeStampReq for SHA-256, nonce 0x01020304, certificates wanted, as OpenSSL writes it.
QUESTION = "303f0201013031300d060960864801650304020105000420{digest}020401020304" + "0101ff"


@pytest.fixture
def authority(db, settings):
    """An authority that stamps whatever it is asked, once it is told how: `authority.answer` makes its answer."""

    class Authority(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            server.asked.append((self.headers["Content-Type"], asked))
            status, content = server.answer(asked)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Authority)
    server.asked, server.answer = [], lambda asked: (200, granted(token_about(asked)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings.SIGNING_KEY, settings.ORIGIN = bytes(range(32)), "plumbline.invalid/test"
    settings.FORMER_KEYS = []
    settings.TIMESTAMP_URL = f"http://127.0.0.1:{server.server_port}/tsr"
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def parts_of(asked):
    """The digest and the nonce of a request."""
    _, inside, rest = _take(asked)
    assert rest == b""
    _, version, inside = _take(inside)
    _, imprint, inside = _take(inside)
    tag, nonce, inside = _take(inside)
    assert (version, tag, inside.hex()) == (b"\x01", INTEGER, "0101ff")
    _, algorithm, digest = _take(imprint)
    assert algorithm.hex() == "06096086480165030402010500"
    return _take(digest)[1], nonce


def token_about(asked):
    """What stands for a token here: with the digest and the nonce somewhere inside, as in a real one."""
    digest, nonce = parts_of(asked)
    return _der(SEQUENCE, b"\x06\x01\x2a" * 60 + _der(OCTETS, digest) + _der(INTEGER, nonce))


def granted(token, status=b"\x00"):
    return _der(SEQUENCE, _der(SEQUENCE, _der(INTEGER, status)) + token)


def test_a_request_is_written_as_others_write_it():
    digest = hashlib.sha256(b"note").digest()
    asked = timestamping.request_of(digest, bytes([1, 2, 3, 4]))
    assert asked.hex() == QUESTION.format(digest=digest.hex())


def test_the_newest_checkpoint_is_stamped_and_the_token_kept(authority):
    make_entries(2)
    checkpoint = sealing.seal()
    kept = timestamping.stamp()
    ((kind, asked),) = authority.asked
    digest, nonce = parts_of(asked)
    assert kind == "application/timestamp-query"
    assert digest == hashlib.sha256(checkpoint.note.encode()).digest()
    assert len(nonce) == 9
    assert kept.checkpoint == checkpoint
    assert bytes(Timestamp.objects.get().token) == token_about(asked)


def test_one_an_hour_and_only_for_something_new(authority):
    governance_tasks.stamp_audit_log()
    assert Timestamp.objects.count() == 0  # there is no checkpoint yet
    for _ in range(2):
        make_entries(1)
        sealing.seal()
        governance_tasks.stamp_audit_log()
    assert Timestamp.objects.count() == 1
    an_hour_passes()
    governance_tasks.stamp_audit_log()
    assert Timestamp.objects.count() == 2
    an_hour_passes()
    governance_tasks.stamp_audit_log()
    assert Timestamp.objects.count() == 2  # nothing was sealed since
    assert len(authority.asked) == 2


def an_hour_passes():
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE governance_timestamp DISABLE TRIGGER USER")
        cursor.execute("UPDATE governance_timestamp SET at = at - interval '61 minutes'")
        cursor.execute("ALTER TABLE governance_timestamp ENABLE TRIGGER USER")


def test_without_an_authority_nobody_is_asked(authority, settings):
    settings.TIMESTAMP_URL = ""
    make_entries(1)
    sealing.seal()
    assert timestamping.stamp() is None
    assert authority.asked == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda asked: (500, b""), "does not answer"),
        (lambda asked: (200, granted(b"", status=b"\x02")), "refused, with status 2"),
        (lambda asked: (200, granted(token_about(asked), status=b"\x03")), "refused, with status 3"),
        (lambda asked: (200, granted(b"")), "refused, with status 0"),
        (
            lambda asked: (200, granted(_der(SEQUENCE, _der(OCTETS, bytes(32))))),
            "does not belong to this checkpoint",
        ),
        (
            lambda asked: (200, granted(_der(SEQUENCE, _der(OCTETS, parts_of(asked)[0])))),
            "does not belong to this checkpoint",
        ),
        (lambda asked: (200, b""), "does not follow RFC 3161"),
        (lambda asked: (200, b"<html>"), "does not follow RFC 3161"),
        (lambda asked: (200, granted(token_about(asked))[:-1]), "does not follow RFC 3161"),
        (lambda asked: (200, granted(token_about(asked)) + b"x"), "does not follow RFC 3161"),
        (lambda asked: (200, granted(token_about(asked) + b"\x05\x00")), "does not follow RFC 3161"),
        (lambda asked: (200, granted(_der(SEQUENCE, bytes(70_000)))), "does not follow RFC 3161"),
    ],
)
def test_an_answer_that_is_no_stamp_is_not_kept(authority, answer, said):
    make_entries(1)
    sealing.seal()
    authority.answer = answer
    with pytest.raises(NotStamped, match=said):
        timestamping.stamp()
    assert Timestamp.objects.count() == 0


def test_an_authority_that_is_not_there_is_named(authority, settings):
    settings.TIMESTAMP_URL = "http://127.0.0.1:9/tsr"
    make_entries(1)
    sealing.seal()
    with pytest.raises(NotStamped, match="does not answer"):
        timestamping.stamp()
