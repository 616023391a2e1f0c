"""Run the tests of what changed, for at most two minutes: `make test-changed`.

What changed is what differs from the tree of the last green `make check`, or else from the commit before the last. The
tests are those that changed, those whose text names what changed, and those in the folders of the changed packages, in
this order. A change of what many tests use runs many: the two minutes then end the run, and `make test` has the rest.
"""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable

from tests.support.paths import ROOT

SECONDS = 120
TIERS = ("unit", "app", "acceptance")
# What one line of a change gives other files to name: an address, a kind of entry.
NAMED = re.compile(
    r"""\bname="([a-z0-9-]{4,})"|\brecord\(\s*"([^"]{4,})"|^[-+]\s+[A-Z_]+ = "([^"]{4,})"$""", re.MULTILINE
)


def git(*arguments: str) -> str:
    """Return what git prints, or an empty text where it fails."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True).stdout


def base() -> str:
    """Return the tree or commit that the working tree is compared with."""
    kept = ROOT / git("rev-parse", "--git-path", "checked-tree").strip()
    tree = kept.read_text().strip() if kept.is_file() else ""
    return tree if tree and git("cat-file", "-t", tree) else "HEAD~1"


def changed_files() -> list[str]:
    """Return the paths that differ from `base()`, with those that git does not have yet."""
    new = git("ls-files", "--others", "--exclude-standard")
    return sorted({*git("diff", "--name-only", base()).splitlines(), *new.splitlines()})


def names(path: str) -> set[str]:
    """Return the names by which a test can speak of a file: its module, or its place among the templates."""
    if path.startswith("templates/"):
        return {path.removeprefix("templates/")}
    if not path.endswith(".py"):
        return {path}
    package, _, module = path.removesuffix(".py").replace("/", ".").rpartition(".")
    return {package} if module == "__init__" else {f"{package}.{module}", f"from {package} import {module}"}


def asked(paths: Iterable[str], texts: dict[str, str], words: Iterable[str] = ()) -> list[str]:
    """Return the files of tests, the nearest first, that a change of these paths and words asks for.

    `texts` has each file of tests with its text.
    """
    paths = list(paths)
    sought = sorted({name for path in paths for name in names(path)} | {f'"{word}"' for word in words})
    mention = re.compile("|".join(map(_pattern, sought))) if sought else None
    folders = {
        f"tests/{tier}/{path.rpartition('/')[0]}/"
        for path in paths
        for tier in TIERS
        if "/" in path and not path.startswith("tests/")
    }
    naming = [path for path in texts if mention and mention.search(texts[path])]
    beside = [path for path in texts if path.rpartition("/")[0] + "/" in folders]
    return list(dict.fromkeys([*(path for path in paths if path in texts), *naming, *beside]))


def _pattern(name: str) -> str:
    """A name as a whole; a module also as one of several that an import names."""
    if name.startswith("from "):
        head, _, module = name.rpartition(" ")
        return rf"{re.escape(head)} (?:\([^)]*\b|[^\n(]*\b){re.escape(module)}\b"
    return rf"(?<![\w.]){re.escape(name)}(?![\w.])" if "/" not in name else re.escape(name)


def main() -> int:
    """Run them; return 1 if one was red, and the code of pytest where the two minutes did not end the run."""
    paths = changed_files()
    found = [name for rows in NAMED.findall(git("diff", base(), "--", "*.py")) for name in rows if name]
    listed = git(
        "ls-files", "--cached", "--others", "--exclude-standard", *(f"tests/{tier}" for tier in TIERS)
    )
    texts = {
        path: (ROOT / path).read_text()
        for path in listed.splitlines()
        if path.rpartition("/")[2].startswith("test_") and (ROOT / path).is_file()
    }
    files = asked(paths, texts, found)
    print(f"{len(paths)} changed files since {base()[:12]} ask for {len(files)} files of tests.", flush=True)
    if not files:
        return 0
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-n",
        "2",
        "--dist",
        "loadfile",
        "--no-loadscope-reorder",
        "-q",
    ]
    run = subprocess.Popen([*command, *files, *sys.argv[1:]], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    over = threading.Timer(SECONDS, run.send_signal, [signal.SIGINT])
    over.start()
    red = False
    for line in run.stdout or ():
        print(line, end="", flush=True)
        red |= line.startswith(("FAILED ", "ERROR "))
    code = run.wait()
    if over.is_alive():
        over.cancel()
        return code
    print("Two minutes are over. `make test` and `make test-all` run the rest.")
    return int(red)


if __name__ == "__main__":
    sys.exit(main())
