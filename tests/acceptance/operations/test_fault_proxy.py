"""The fault kit for builders: each fault is really met through it, and the trace holds nothing that is private."""

import hashlib
import http.client
import json
import subprocess
import sys
from collections import Counter
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.acceptance.operations.test_builder_examples import environment, folder_of
from tests.support.servers.fault_proxy import PATIENCE, TICKET, Proxied, running_source


@pytest.fixture
def folder(tmp_path):
    """A builder's folder: the client as plumbline.py, and the examples."""
    return folder_of(tmp_path)


@pytest.fixture
def source():
    """A source that runs, its address at `.address`."""
    with running_source() as server:
        yield server


def test_each_fault_is_met_and_the_trace_and_record_say_so(folder, source):
    with Proxied(folder, source.address) as proxy:
        first = proxy.get()[2]
        assert json.loads(first)["number"] == 1
        assert json.loads(proxy.get()[2])["number"] == 2, "no fault: each answer is the source's own"

        assert proxy.plant("timeout") == "timeout"
        with pytest.raises(TimeoutError):
            proxy.get(patience=PATIENCE)
        proxy.plant("error")
        with pytest.raises(HTTPError) as met:
            proxy.get()
        assert met.value.code == 503
        proxy.plant("gone")
        with pytest.raises((ConnectionError, http.client.HTTPException, OSError)):
            proxy.get()
        assert source.asked == 2, "none of these three reached the source"

        proxy.plant("stale")
        status, headers, body = proxy.get()
        assert (status, body) == (200, first), "the first answer is given again"
        assert int(headers["Age"]) >= 86400
        proxy.plant("malformed")
        with pytest.raises(json.JSONDecodeError):
            json.loads(proxy.get()[2])
        proxy.plant("none")
        assert json.loads(proxy.get()[2])["team"] == "billing", "and it comes back"

    trace = proxy.trace()
    # A line is written after its answer was read, so the next one can come before.
    assert Counter((line["fault"], line["status"]) for line in trace) == {
        ("none", 200): 3,
        ("timeout", None): 1,
        ("error", 503): 1,
        ("gone", None): 1,
        ("stale", 200): 1,
        ("malformed", 200): 1,
    }
    assert {line["path"] for line in trace} == {TICKET}
    record = proxy.record
    assert (record["kind"], record["expected"], record["trace"]["requests"]) == ("fallback", "", 8)
    assert record["trace"]["sha256"] == hashlib.sha256((folder / "trace.jsonl").read_bytes()).hexdigest()
    for words in (
        "left unanswered",
        "503",
        "old data",
        "half a body",
        "cut off",
        "of 3 passed on 3 went well",
    ):
        assert words in record["happened"], words
    assert proxy.process.returncode == 0


def test_nothing_private_is_logged(folder, source):
    with Proxied(folder, source.address) as proxy:
        sent = Request(
            f"{proxy.address}/hook/abcdef0123456789abcdef0123456789/x?token=geheim",
            data=b"body-geheim",
            headers={"Authorization": "Bearer key-geheim"},
        )
        with urlopen(sent, timeout=5) as answer:
            assert answer.status == 201
    assert source.sent == [("Bearer key-geheim", b"body-geheim")], "it is passed on whole"
    written = (folder / "trace.jsonl").read_text()
    assert "geheim" not in written + json.dumps(proxy.record) + proxy.complaint
    assert proxy.trace()[0]["path"] == "/hook/***/x"
    assert set(proxy.trace()[0]) == {"at", "path", "fault", "status", "ms"}


def test_the_fault_ends_by_itself_and_what_met_none_is_no_drill(folder, source):
    with Proxied(folder, source.address, "--for", "0.3", "--after", "0.3", fault="gone") as proxy:
        proxy.process.wait(5)
    assert proxy.record["fault"] == "none"
    assert proxy.record["happened"] == "No request came."
    assert "nothing was drilled" in proxy.complaint
    assert proxy.process.returncode == 1


def test_it_says_what_is_wrong_with_the_address(folder):
    for to in ("ftp://x", "http://name:word@127.0.0.1:1", "127.0.0.1:80"):
        done = subprocess.run(
            [sys.executable, "fault_proxy.py", "--to", to],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=10,
        )
        assert done.returncode == 1
        assert "without name, password or query" in done.stderr


def test_a_source_that_is_down_by_itself_is_no_planted_fault(folder):
    with Proxied(folder, "http://127.0.0.1:9") as proxy, pytest.raises(HTTPError) as met:
        proxy.get()
    assert met.value.code == 502
    assert [(line["fault"], line["status"]) for line in proxy.trace()] == [("none", 502)]
    assert "of 1 passed on 0 went well" in proxy.record["happened"]


@pytest.mark.parametrize("fault", ["timeout", "error", "stale", "malformed", "gone"])
def test_the_example_agent_falls_back_from_each_fault_and_comes_back(folder, source, fault):
    def run(proxy):
        return subprocess.run(
            [
                sys.executable,
                "plain_script.py",
                "--source",
                proxy.address,
                "--patience",
                "0.5",
                "--wait",
                "0",
            ],
            cwd=folder,
            env=environment("http://127.0.0.1:9"),  # nobody to ask: what counts here is where the ticket goes
            capture_output=True,
            text=True,
            timeout=30,
        ).stdout

    with Proxied(folder, source.address) as proxy:
        assert "{'team': 'billing'}" in run(proxy)
        proxy.plant(fault)
        told = run(proxy)
        assert "fallback: the ticket system cannot be used" in told
        assert "{'team': 'first line'}" in told
        proxy.plant("none")
        assert "{'team': 'billing'}" in run(proxy)
