"""Lower the line budgets to what the packages have now: `make budgets`. It raises none and adds none.

`--check`, in `make lint`, names the packages that are over their budget or have more than they need, and changes none.

A budget rises only by hand, in the commit that says why. Each is a full twenty, so that a comment of one more line
needs no commit of its own.
"""

import sys
import tomllib
from pathlib import Path

from tests.support.paths import ROOT

BUDGETS = ROOT / "tests" / "data" / "line_budgets.toml"
STEP = 20
APPS = ("governance", "initiatives", "adoption")
FIX = (
    "Make a package smaller, or raise its budget in tests/data/line_budgets.toml and say why in the commit. "
    "`make budgets` lowers the budgets."
)
SUFFIXES = {".py", ".html", ".svg", ".txt", ".sql"}


def sizes() -> dict[str, int]:
    """Return the lines of each package of the apps, of each folder of templates and of each tier of tests."""
    found: dict[str, int] = {}
    for top in (*APPS, "templates", "tests"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in SUFFIXES and path.is_file() and "data" not in path.relative_to(ROOT).parts:
                parts = path.relative_to(ROOT).parts
                deepest = 3 if top == "initiatives" else 2  # there a wing holds packages
                name = "/".join(parts[: min(deepest, len(parts) - 1)])
                found[name] = found.get(name, 0) + path.read_bytes().count(b"\n")
    return found


def allowance(lines: int) -> int:
    """Return the budget of a package with so many lines: the next full step."""
    return -(-lines // STEP) * STEP


def budgets() -> dict[str, int]:
    """Return the most lines that each of them may have."""
    return tomllib.loads(BUDGETS.read_text())["lines"]


def over() -> dict[str, str]:
    """Return, by package, the lines of each package that is over its budget."""
    allowed = budgets()
    return {
        name: f"{lines} lines, {allowed.get(name, 0)} allowed"
        for name, lines in sizes().items()
        if lines > allowed.get(name, 0)
    }


def loose() -> dict[str, str]:
    """Return, by package, the lines of each package whose budget could be lower."""
    now = sizes()
    return {
        name: f"{now.get(name, 0)} lines, {lines} allowed"
        for name, lines in budgets().items()
        if lines > allowance(now.get(name, 0))
    }


def written(rows: dict[str, int]) -> str:
    """Return the budgets as they stand in their file."""
    head = "# The most lines a package may have (`make lint` checks them). They fall by `make budgets`.\n"
    return (
        head
        + "[lines]\n"
        + "".join(f'"{name}" = {allowance(lines)}\n' for name, lines in sorted(rows.items()))
    )


def main(path: Path = BUDGETS) -> None:
    """Write each budget down that is higher than what its package has, and drop those of packages that went."""
    now, before = sizes(), budgets()
    lowered = {name: min(lines, now[name]) for name, lines in before.items() if name in now}
    path.write_text(written(lowered))
    print(f"{sum(before.values())} lines were allowed, {sum(lowered.values())} are.")


if __name__ == "__main__":
    if "--check" in sys.argv:
        wrong = "\n".join(f"{name}: {said}" for name, said in (over() | loose()).items())
        sys.exit(f"{wrong}\n{FIX}" if wrong else 0)
    main()
