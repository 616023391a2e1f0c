"""Defences removed one at a time: for each, a named test must go red. Run by hand with `make mutants`.

A mutant is a symbol of a module, or a function or trigger of a `.sql` file; an expression in it that is the defence;
what stands there instead; and the tests that must notice. It works on a copy of the project, so that nobody's work is
touched. `test_mutants.py` checks in the ordinary suite that every defence still stands where the table says.

A change in a defence that a table of mutants names asks for it.
"""

import ast
import contextlib
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.drills.mutants_of_consents import MUTANTS as OF_CONSENTS
from tests.drills.mutants_of_contracts import MUTANTS as OF_CONTRACTS
from tests.drills.mutants_of_derived_rows import MUTANTS as OF_DERIVED_ROWS
from tests.drills.mutants_of_interactions import MUTANTS as OF_INTERACTIONS
from tests.drills.mutants_of_signatures import MUTANTS as OF_SIGNATURES
from tests.drills.mutants_table import MUTANTS as TABLE
from tests.support.paths import ROOT


@dataclass(frozen=True)
class Mutant:
    """One defence, taken away.

    `symbol`: a function, a class or a name of a module, as `module:Class.method`; or `path.sql:name` for a function or
    trigger of the database.
    """

    name: str
    symbol: str
    defence: str
    instead: str
    tests: str

    @property
    def file(self) -> str:
        """The module or `.sql` file as a path from the root of the project."""
        path = self.symbol.partition(":")[0]
        if path.endswith(".sql"):
            return path
        path = path.replace(".", "/")
        return f"{path}/__init__.py" if (ROOT / path).is_dir() else f"{path}.py"


MUTANTS = [
    Mutant(*row)
    for row in [*TABLE, *OF_CONSENTS, *OF_CONTRACTS, *OF_DERIVED_ROWS, *OF_INTERACTIONS, *OF_SIGNATURES]
]


def source_without(mutant: Mutant) -> str:
    """The file without the defence. Raises ValueError when there is no such symbol, or the defence not once in it."""
    path, name = ROOT / mutant.file, mutant.symbol.partition(":")[2]
    try:
        source, start, end = _statement(path, name) if path.suffix == ".sql" else _definition(path, name)
    except LookupError:
        raise ValueError(f"{mutant.name}: no {mutant.symbol}") from None
    found = source.count(mutant.defence, start, end)
    if found != 1:
        raise ValueError(f"{mutant.name}: found {found} times in {mutant.symbol}")
    return source[:start] + source[start:end].replace(mutant.defence, mutant.instead) + source[end:]


def _statement(path: Path, name: str) -> tuple[str, int, int]:
    """A `.sql` file and where the statement that creates this begins and ends. Raises LookupError."""
    source = path.read_text(encoding="utf-8")
    creates = re.search(rf"^CREATE [A-Z ]*(FUNCTION|TRIGGER) {name}\b", source, re.MULTILINE)
    if creates is None:
        raise LookupError(name)
    last = "$$;" if creates[1] == "FUNCTION" else ";"
    return source, creates.start(), source.index(last, creates.start()) + len(last)


def _definition(path: Path, name: str) -> tuple[str, int, int]:
    """A module and where the definition of this symbol begins and ends. Raises LookupError."""
    source, tree = _read(path)
    node: ast.AST = tree
    for part in name.split("."):
        found = next((inner for inner in _within(node) if _named(inner, part)), None)
        if found is None:
            raise LookupError(part)
        node = found
    lines = source.splitlines(keepends=True)
    return source, sum(map(len, lines[: node.lineno - 1])), sum(map(len, lines[: node.end_lineno]))


@functools.cache
def _read(path: Path) -> tuple[str, ast.Module]:
    source = path.read_text(encoding="utf-8")
    return source, ast.parse(source)


def _within(node: ast.AST):
    """The statements of a body, and those under its conditions."""
    for inner in ast.iter_child_nodes(node):
        yield inner
        if isinstance(inner, ast.If | ast.Try | ast.With | ast.For):
            yield from _within(inner)


def _named(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.target, ast.Name) and node.target.id == name
    return getattr(node, "name", None) == name


def survives(mutant: Mutant, place: Path) -> bool:
    """Whether the named tests stay green in the copy at `place` without the defence: then nothing guards it."""
    path = place / mutant.file
    path.write_text(source_without(mutant), encoding="utf-8")
    try:
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", *mutant.tests.split()],
            cwd=place,
            capture_output=True,
            text=True,
            timeout=900,
            env=os.environ | {"PLUMBLINE_DATA": str(place / ".data")},
        )
    finally:
        shutil.copy(ROOT / mutant.file, path)
    if run.returncode not in (0, 1):
        raise RuntimeError(f"{mutant.name}: the tests did not run\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    return run.returncode == 0


@contextlib.contextmanager
def copy_of_project() -> Iterator[Path]:
    """Give a copy of the project. It goes at the end with the data of its tests, which may lie in memory."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "plumbline"
        shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(".git", ".venv", ".data", "__pycache__"))
        try:
            yield place
        finally:
            forget = "import shutil, tests.settings as own; shutil.rmtree(own.FOLDER)"
            subprocess.run([sys.executable, "-c", forget], cwd=place)


def main(wanted: list[str]) -> int:
    """Try every mutant, or those whose name holds one of the words given. 1 when any survives."""
    survivors = 0
    with copy_of_project() as place:
        for mutant in MUTANTS:
            if wanted and not any(word in mutant.name for word in wanted):
                continue
            alive = survives(mutant, place)
            survivors += alive
            print(f"{'SURVIVES' if alive else 'killed  '}  {mutant.name}  [{mutant.tests}]", flush=True)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
