"""Asks the package index that pip is set up with whether a hole is known in what we pin. `make holes`.

Ends with 1 when one is, with 0 when the index knows every library and none has one, and with 3 when it does not say so
of all of them: nothing learned is no pass. The index is pip's own setting, so nothing here names a machine.
"""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from tests.support.paths import ROOT

LOCK = ROOT / "requirements.lock"
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE | re.IGNORECASE)
SECONDS = 10
NOTHING_LEARNED = 3  # exit code
# Holes that do not concern us: id -> why, and until when that was last looked at.
ACCEPTED: dict[str, str] = {}


def pinned(lock: str) -> list[tuple[str, str]]:
    """Name and version of every library in a lock."""
    return PIN.findall(lock)


def index() -> str:
    """Where pip looks for packages: its setting, else what it comes with."""
    told = os.environ.get("PIP_INDEX_URL", "")
    if not told:
        asked = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
        told = subprocess.run(asked, capture_output=True, text=True, timeout=60).stdout.strip()
    if not told:
        from pip._internal.models.index import PyPI

        told = PyPI.simple_url
    return told.rstrip("/")


def address(of: str, name: str, version: str) -> str:
    """Where an index of the usual kind describes one version."""
    return f"{of.removesuffix('/simple')}/pypi/{name}/{version}/json"


def holes(of: str, name: str, version: str) -> list[str]:
    """The holes known in one version, in words. Raises OSError, ValueError or KeyError where the index does not say."""
    with urllib.request.urlopen(address(of, name, version), timeout=SECONDS) as answer:
        known = json.load(answer)["vulnerabilities"]
    return [
        f"{name} {version}: {hole['id']}, fixed in {', '.join(hole.get('fixed_in') or ['no version yet'])}"
        for hole in known
        if not hole.get("withdrawn") and not {hole["id"], *hole.get("aliases", [])} & set(ACCEPTED)
    ]


def main(lock: str, of: str) -> int:
    """Ask about every library; say what was found."""
    pins = pinned(lock)
    found, unknown = [], [f"{name} {version}" for name, version in pins]
    if urlsplit(of).scheme in ("http", "https"):
        for name, version in pins:
            try:
                found += holes(of, name, version)
                unknown.remove(f"{name} {version}")
            except (
                urllib.error.HTTPError,
                KeyError,
            ):  # an index that does not know it, or publishes no holes
                continue
            except (OSError, ValueError) as trouble:
                print(f"The package index does not answer ({type(trouble).__name__}).")
                break
    else:
        print("The package index is a folder, which knows of no holes.")
    for line in found:
        print(line)
    print(f"{len(found)} known hole{'' if len(found) == 1 else 's'} in {len(pins) - len(unknown)} libraries.")
    if unknown:
        print(f"NOT CHECKED: the index says nothing of {len(unknown)} of {len(pins)} libraries.")
    return 1 if found else NOTHING_LEARNED if unknown else 0


if __name__ == "__main__":
    sys.exit(main(LOCK.read_text(), index()))
