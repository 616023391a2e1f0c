"""The audit log by syslog: every entry once, in order, resumed after the receiver was away."""

import json
import re

import pytest
from django.core.exceptions import ImproperlyConfigured

from governance import tasks
from governance.events import syslog_stream
from governance.events.syslog_stream import NotStreamed, stream
from governance.models import AuditLogReader, Leaf
from governance.runtime.environment import syslog_receiver
from governance.transparency_log import sealing
from tests.support.database.many_entries import make_entries
from tests.support.servers.event_receiver import Middleman, SyslogReceiver
from tests.support.servers.tls import certificate

pytestmark = pytest.mark.django_db
FRAME = re.compile(
    r"<110>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) 127\.0\.0\.1 plumbline - (row|act) - (\{.*\})\Z"
)


@pytest.fixture
def pem(tmp_path):
    return certificate(tmp_path)


@pytest.fixture
def siem(pem, settings):
    with SyslogReceiver(pem) as receiver:
        settings.SYSLOG = ("127.0.0.1", receiver.port, str(pem))
        yield receiver


def sealed(count: int) -> int:
    """So many more entries, sealed. Return how many there are."""
    make_entries(count)
    sealing.seal()
    return Leaf.objects.count()


def places(receiver) -> list[int]:
    return [json.loads(FRAME.match(line)[3])["position"] for line in receiver.lines]


def test_every_entry_is_one_line_in_order_and_has_no_body(siem, cast, initiative):
    sealing.seal()
    size = Leaf.objects.count()
    tasks.stream_audit_log()
    assert places(siem) == list(range(size))
    leaf = Leaf.objects.get(position=size - 1)
    said = json.loads(FRAME.match(siem.lines[-1])[3])
    assert said.pop("position") == size - 1
    assert said.pop("leaf_hash") == bytes(leaf.hash).hex()
    assert said.pop("log")
    assert said == json.loads(bytes(leaf.data))
    whole = "\n".join(siem.lines)
    for hidden in (cast.owner.full_name, cast.owner.email, initiative.title):
        assert hidden not in whole
    tasks.stream_audit_log()
    assert len(siem.lines) == size, "nothing is new"


def test_batches_follow_each_other(siem, monkeypatch):
    monkeypatch.setattr(syslog_stream, "BATCH", 10)
    size = sealed(35)
    assert stream() == size
    assert places(siem) == list(range(size))
    assert siem.connections == -(-size // 10)


def test_it_goes_on_where_it_was_after_the_receiver_was_away(pem, settings):
    with SyslogReceiver(pem) as first:
        settings.SYSLOG = ("127.0.0.1", first.port, str(pem))
        size = sealed(5)
        stream()
    sealed(4)
    with pytest.raises(NotStreamed, match="does not take the audit log"):
        stream()
    row = AuditLogReader.objects.get()
    assert (row.position, row.failing_since is not None) == (size, True)
    with SyslogReceiver(pem) as second:
        settings.SYSLOG = ("127.0.0.1", second.port, str(pem))
        assert stream() == Leaf.objects.count() - size
        assert places(second) == list(range(size, Leaf.objects.count()))
    assert AuditLogReader.objects.get().failing_since is None


def test_a_batch_that_was_cut_is_sent_again_with_the_same_places(siem):
    size = sealed(40)
    siem.cut_after = 7
    with pytest.raises(NotStreamed):
        stream()
    assert AuditLogReader.objects.get().position == 0
    siem.cut_after = None
    stream()
    assert list(dict.fromkeys(places(siem))) == list(range(size)), (
        "none is left out, and repeats have their place"
    )


def test_a_middleman_that_swallows_and_closes_is_no_receiver(siem, settings):
    size = sealed(20)
    file = settings.SYSLOG[2]
    with Middleman(siem.port) as middleman:
        settings.SYSLOG = ("127.0.0.1", middleman.port, file)
        for _ in range(2):
            with pytest.raises(NotStreamed, match="close_notify"):
                stream()
        row = AuditLogReader.objects.get()
        assert (row.position, siem.lines, row.failing_since is not None) == (0, [], True)
    settings.SYSLOG = ("127.0.0.1", siem.port, file)
    assert stream() == size
    assert places(siem) == list(range(size))


def test_a_certificate_that_nobody_named_vouches_for_gets_nothing(siem, settings, tmp_path):
    sealed(1)
    (tmp_path / "other").mkdir()
    settings.SYSLOG = ("127.0.0.1", siem.port, str(certificate(tmp_path / "other")))
    with pytest.raises(NotStreamed, match=r"certificate of 127\.0\.0\.1:\d+ is not valid"):
        stream()
    assert siem.lines == []


def test_without_the_setting_nothing_happens(settings):
    settings.SYSLOG = None
    assert stream() == 0
    assert not AuditLogReader.objects.exists()


@pytest.mark.parametrize(
    "text", ["siem", "siem.example.org", "siem.example.org:0", "siem:99999", "tls://x:1", "a b:1"]
)
def test_a_wrong_setting_stops_the_start(monkeypatch, text):
    monkeypatch.setenv("PLUMBLINE_SYSLOG", text)
    with pytest.raises(ImproperlyConfigured, match=r"such as siem\.example\.org:6514"):
        syslog_receiver()


def test_the_setting_takes_a_host_an_address_and_a_file(monkeypatch, pem, tmp_path):
    monkeypatch.setenv("PLUMBLINE_SYSLOG", "siem.example.org:6514")
    assert syslog_receiver() == ("siem.example.org", 6514, "")
    monkeypatch.setenv("PLUMBLINE_SYSLOG", "[2001:db8::1]:6514")
    monkeypatch.setenv("PLUMBLINE_SYSLOG_CA", str(pem))
    assert syslog_receiver() == ("2001:db8::1", 6514, str(pem))
    monkeypatch.setenv("PLUMBLINE_SYSLOG_CA", str(tmp_path / "none.pem"))
    with pytest.raises(ImproperlyConfigured, match=r"PLUMBLINE_SYSLOG_CA is .* cannot be used"):
        syslog_receiver()
