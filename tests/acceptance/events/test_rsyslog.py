"""The audit log to rsyslog over TLS, a receiver that is not ours: every line is in its file once and in order."""

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from governance.events import syslog_stream
from governance.events.syslog_stream import stream
from governance.models import Leaf
from governance.transparency_log import sealing
from tests.support.database.many_entries import make_entries
from tests.support.servers.tls import certificate

pytestmark = pytest.mark.django_db
PROGRAM = shutil.which("rsyslogd", path="/usr/sbin") or shutil.which("rsyslogd")
# Where the modules of this program are, also if it was unpacked and not installed.
MODULES = next(Path(PROGRAM).parents[1].glob("lib/*/rsyslog"), None) if PROGRAM else None
CONFIGURATION = """\
global(DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="{pem}" DefaultNetstreamDriverCertFile="{pem}"
       DefaultNetstreamDriverKeyFile="{pem}" workDirectory="{folder}")
module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
template(name="raw" type="string" string="%rawmsg%\\n")
input(type="imtcp" port="{port}" address="127.0.0.1" ruleset="kept")
ruleset(name="kept") {{ action(type="omfile" file="{folder}/kept.log" template="raw") }}
"""


@pytest.fixture
def rsyslog(tmp_path, settings):
    """A function that starts rsyslog on the port of the settings, and the file that it writes."""
    if MODULES is None or not (MODULES / "lmnsd_ossl.so").exists():
        pytest.skip("no rsyslog with TLS on this machine; on Debian: apt-get install rsyslog-openssl")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    pem, settings_file = certificate(tmp_path), tmp_path / "rsyslog.conf"
    settings_file.write_text(CONFIGURATION.format(pem=pem, folder=tmp_path, port=port))
    settings.SYSLOG = ("127.0.0.1", port, str(pem))
    running: list[subprocess.Popen] = []

    def start() -> subprocess.Popen:
        command = [PROGRAM, "-n", "-i", f"{tmp_path}/pid-{len(running)}", "-f", settings_file, "-M", MODULES]
        running.append(subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL))
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return running[-1]
        raise AssertionError("rsyslog does not listen")

    yield start, tmp_path / "kept.log"
    for one in running:
        one.terminate()
        one.wait(30)


def places(file: Path, count: int) -> list[int]:
    """The places of the lines in the file, once it has so many."""
    until = time.monotonic() + 60
    while time.monotonic() < until and (not file.exists() or len(file.read_text().splitlines()) < count):
        time.sleep(0.1)
    return [json.loads(line[line.index("{") :])["position"] for line in file.read_text().splitlines()]


def test_rsyslog_keeps_every_entry_once_and_in_order_over_a_restart(rsyslog, monkeypatch):
    monkeypatch.setattr(syslog_stream, "BATCH", 100)
    start, file = rsyslog
    first = start()
    make_entries(730)
    sealing.seal()
    assert stream() == Leaf.objects.count()
    assert places(file, Leaf.objects.count()) == list(range(Leaf.objects.count()))
    first.terminate()
    first.wait(30)
    make_entries(270)
    sealing.seal()
    with pytest.raises(syslog_stream.NotStreamed):
        stream()
    start()
    assert stream() == 270
    assert places(file, Leaf.objects.count()) == list(range(Leaf.objects.count()))
