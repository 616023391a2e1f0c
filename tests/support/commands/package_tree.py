"""Write the tree of packages in `docs/architecture.md` from their docstrings: `make tree`.

With `--check`, say whether it is up to date. The order is that of the layers in `pyproject.toml`.
"""

import ast
import re
import sys
import tomllib
from pathlib import Path

from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- tree: begin -->\n", "<!-- tree: end -->\n"
APPS = ("governance", "initiatives", "adoption")
LEFT_OUT = {"migrations", "management", "templatetags"}


def written() -> str:
    """Return the page with the tree as the packages are now. Raises ValueError where the page has no place for it."""
    before, begin, rest = PAGE.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/{PAGE.name} needs the lines {BEGIN.strip()} and {END.strip()}.")
    layers = _layers()
    tables = "\n".join(_table(app, layers) for app in APPS)
    return f"{before}{BEGIN}\n{tables}\n{END}{after}"


def _layers() -> dict[str, list[str]]:
    """By package, the names in it from the top layer down."""
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return {
        container: [name for layer in rule["layers"] for name in re.findall(r"\w+", layer)]
        for rule in rules
        if rule["type"] == "layers"
        for container in rule.get("containers", ())
    }


def _table(app: str, layers: dict[str, list[str]]) -> str:
    rows = [f"| `{_name(path)}/` | {_said(path)} |" for path in _below(ROOT / app, layers)]
    return "\n".join([f"### {app}", "", "| package | what it holds |", "|---|---|", *rows, ""])


def _below(path: Path, layers: dict[str, list[str]]):
    """Every package below a folder, each followed by those in it; a higher layer first."""
    order = layers.get(_name(path).replace("/", "."), [])
    found = [one.parent for one in path.glob("*/__init__.py") if one.parent.name not in LEFT_OUT]
    for one in sorted(found, key=lambda one: (_place(one.name, order), one.name)):
        yield one
        yield from _below(one, layers)


def _place(name: str, order: list[str]) -> int:
    return order.index(name) if name in order else len(order)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _said(path: Path) -> str:
    """Return the first paragraph of the docstring of a package."""
    said = ast.get_docstring(ast.parse((path / "__init__.py").read_text())) or ""
    return " ".join(said.partition("\n\n")[0].split())


def main() -> None:
    """Write the page, or with `--check` exit with 1 and say so where it differs."""
    if "--check" not in sys.argv:
        PAGE.write_text(written())
    elif PAGE.read_text() != written():
        raise SystemExit(f"docs/{PAGE.name} differs from the packages: run `make tree`.")


if __name__ == "__main__":
    main()
