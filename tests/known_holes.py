"""Asks the package index that pip is set up with whether a hole is known in what we pin. `make holes`.

Ends with 1 when one is, with 0 when none is or when the index does not say: a network that is down must not stop
anybody's work. The index is pip's own setting, so nothing here names a machine.
"""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE | re.IGNORECASE)
SECONDS = 10
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
    """The holes known in one version, in words. Raises OSError or ValueError when the index does not say."""
    with urllib.request.urlopen(address(of, name, version), timeout=SECONDS) as answer:
        known = json.load(answer).get("vulnerabilities", [])
    return [
        f"{name} {version}: {hole['id']}, mended in {', '.join(hole.get('fixed_in') or ['no version yet'])}"
        for hole in known
        if not hole.get("withdrawn") and not {hole["id"], *hole.get("aliases", [])} & set(ACCEPTED)
    ]


def main(lock: str, of: str) -> int:
    """Ask about every library; say what was found."""
    if urlsplit(of).scheme not in ("http", "https"):
        print("The package index is a folder, which knows of no holes: nothing was checked.")
        return 0
    found, silent = [], 0
    for name, version in pinned(lock):
        try:
            found += holes(of, name, version)
        except urllib.error.HTTPError:
            silent += 1
        except (OSError, ValueError) as trouble:
            print(f"The package index does not answer ({type(trouble).__name__}): nothing more was checked.")
            break
    for line in found:
        print(line)
    if silent:
        print(f"The index says nothing of {silent} of {len(pinned(lock))} libraries.")
    print(f"{len(found)} known hole{'' if len(found) == 1 else 's'}.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(LOCK.read_text(), index()))
