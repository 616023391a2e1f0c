"""Libraries are pinned with their hashes, and a hole that is known in one of them is found."""

import ast
import http.server
import json
import re
import sys
import threading
import tomllib
from importlib.metadata import packages_distributions

import pytest

from tests.support.commands import known_holes
from tests.unit.repository.test_architecture import nodes_of, tree_of

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-s3.lock")
OF_EXTRAS = {"botocore", "storages"}  # imported where a bucket is set; the settings say what to install


def test_every_library_is_pinned_with_its_hashes():
    for name in LOCKS:
        lock = (known_holes.ROOT / name).read_text()
        without = re.sub(r"^\s*#.*\n", "", lock, flags=re.MULTILINE).strip()
        blocks = [block for block in re.split(r"\n(?=[a-z0-9])", f"\n{without}") if block.strip()]
        assert len(blocks) == len(known_holes.pinned(lock)) > 20, name
        loose = [block[:60] for block in blocks if "--hash=sha256:" not in block]
        assert not loose, f"{name}: {loose}"
        assert "://" not in lock, name


def test_every_library_we_name_is_in_the_lock():
    project = tomllib.loads((known_holes.ROOT / "pyproject.toml").read_text())["project"]
    locked = {name for name, _ in known_holes.pinned(known_holes.LOCK.read_text())}
    wanted = {re.match(r"[\w.-]+", line)[0].lower() for line in project["dependencies"]}
    assert wanted <= locked


def test_every_library_that_the_product_imports_is_locked_for_it():
    """`openpyxl` was once named for the tests alone, while the portfolio was exported with it."""
    locked = {name for name, _ in known_holes.pinned(known_holes.LOCK.read_text())}
    known, ours = packages_distributions(), {"governance", "initiatives", "adoption"}
    imported = {}
    for path in (path for app in ours for path in (known_holes.ROOT / app).rglob("*.py")):
        for node in nodes_of(tree_of(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            imported |= {name.partition(".")[0]: path for name in names}
    others = imported.keys() - sys.stdlib_module_names - ours - OF_EXTRAS
    assert len(others) > 20
    assert {name for name in others if not locked & {canonical(one) for one in known[name]}} == set()


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture
def index():
    """A package index that knows of holes: `index.holes[name]`."""

    class Index(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.split("/")[2]
            known = name in server.holes
            listed = server.holes.get(name)
            content = json.dumps({} if listed is None else {"vulnerabilities": listed}).encode()
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Index)
    server.holes = {}
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}/simple"
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


LOCK = "alpha==1.0 \\\n    --hash=sha256:00\nbeta==2.1 ; python_version > '3' \\\n    --hash=sha256:00\n"


def test_a_known_hole_fails_the_check(index, capsys):
    index.holes = {
        "alpha": [],
        "beta": [{"id": "H-1", "aliases": ["C-1"], "fixed_in": ["2.2"], "withdrawn": None}],
    }
    assert known_holes.main(LOCK, index.url) == 1
    assert "beta 2.1: H-1, fixed in 2.2" in capsys.readouterr().out


def test_what_was_withdrawn_or_does_not_concern_us_does_not(index, monkeypatch):
    monkeypatch.setitem(known_holes.ACCEPTED, "C-2", "only on another system")
    index.holes = {
        "alpha": [{"id": "H-1", "fixed_in": [], "withdrawn": "2026-01-01"}],
        "beta": [{"id": "H-2", "aliases": ["C-2"], "fixed_in": []}],
    }
    assert known_holes.main(LOCK, index.url) == 0


def test_a_run_that_learns_nothing_is_no_pass(index, capsys):
    """`make holes` once ended with 0 and "says nothing of 53 of 53 libraries"."""
    nothing = known_holes.NOTHING_LEARNED
    assert nothing not in (0, 1)
    assert known_holes.main(LOCK, index.url) == nothing
    assert "NOT CHECKED: the index says nothing of 2 of 2" in capsys.readouterr().out
    assert known_holes.main(LOCK, "file:///somewhere/simple") == nothing
    assert known_holes.main(LOCK, "http://127.0.0.1:1/simple") == nothing
    assert "does not answer" in capsys.readouterr().out
    index.holes = {"alpha": [], "beta": None}
    assert known_holes.main(LOCK, index.url) == nothing
    assert "says nothing of 1 of 2" in capsys.readouterr().out
