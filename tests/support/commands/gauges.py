"""Count the lines of the application and the ways to do one act, and write down what fell: `make gauges`.

`--check`, in `make lint`, names each gauge that rose, or that fell and is not written down. A gauge rises only by hand,
in the commit that gives the reason. Lines count to the next full hundred.
"""

import ast
import os
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator

from django.conf import settings

from tests.support.paths import ROOT

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
GAUGES = ROOT / "tests" / "data" / "gauges.toml"
APPS = ("governance", "initiatives", "adoption")
STEP = 100
LONGEST = 600  # lines, from which on a module should be divided by noun
FIX = (
    "Take out what rose, or raise the number in tests/data/gauges.toml and give the reason in the commit. "
    "`make gauges` writes down what fell."
)
# Bases that compare, sign or count a form once.
PROTECTED = {"SigningForm", "BatchSigningForm", "OverwritingForm", "OnceForm"}
# What the AST counts: gauge, and the names whose calls it counts.
CALLS = {
    "addresses": {"path", "re_path"},
    "context_variables": {"ContextVar"},
    "inbox_tasks_by_hand": {"InboxTask"},
    "messages_by_hand": {"about", "told", "Due"},
}


def counted() -> dict[str, int]:
    """Return each gauge with its number now."""
    found: Counter = Counter(own_middleware=sum(one.split(".")[0] in APPS for one in settings.MIDDLEWARE))
    modules = [path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]
    lines = {
        "application_lines": modules,
        "template_lines": [*(ROOT / "templates").rglob("*.html"), *(ROOT / "templates").rglob("*.txt")],
        "test_lines": (ROOT / "tests").rglob("*.py"),
    }
    for name, paths in lines.items():
        found[name] = -(-sum(path.read_bytes().count(b"\n") for path in paths) // STEP) * STEP
    found["long_modules"] = sum(path.read_bytes().count(b"\n") > LONGEST for path in modules)
    trees = [ast.parse(path.read_bytes()) for path in modules]
    helpers = {one.name for tree in trees for one in _functions(tree) if _is_helper(one)}
    for tree in trees:
        found.update(_ways(tree, helpers))
    return dict(sorted(found.items()))


def _ways(tree: ast.Module, helpers: set[str]) -> Iterator[str]:
    """Yield the gauge of each way to do one act in this module, once for each place.

    `helpers`: the names of the functions of all modules that take a request and a form.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", "")
            yield from (gauge for gauge, names in CALLS.items() if name in names)
        elif isinstance(node, ast.ClassDef) and PROTECTED & {
            ast.unparse(base).split(".")[-1] for base in node.bases
        }:
            yield "protected_forms"
    for function in _functions(tree):
        if _is_helper(function):
            yield "helpers_of_forms"
        elif [one.arg for one in function.args.args[:1]] == ["request"] and _called(function) & {
            "is_valid",
            *helpers,
        }:
            yield "form_views"


def _functions(tree: ast.Module) -> list[ast.FunctionDef]:
    return [node for node in tree.body if isinstance(node, ast.FunctionDef)]


def _is_helper(function: ast.FunctionDef) -> bool:
    return {"request", "form"} <= {one.arg for one in function.args.args}


def _called(function: ast.FunctionDef) -> set[str]:
    """Return the names that are called in a function."""
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return {getattr(called, "attr", getattr(called, "id", "")) for called in calls}


def written() -> dict[str, int]:
    """Return the most that each gauge may be."""
    return tomllib.loads(GAUGES.read_text())


def differing() -> list[str]:
    """Return a line for each gauge that is not as it is written down."""
    now, most = counted(), written()
    return [
        f"{name}: {now.get(name, 0)}, written down {most.get(name, 0)}"
        for name in sorted(now | most)
        if now.get(name) != most.get(name)
    ]


def main() -> None:
    """Write down each number that fell. A number that rose stays as it was."""
    now, most = counted(), written()
    kept = {name: min(number, most.get(name, number)) for name, number in now.items()}
    head = "# The most that each gauge may be (`make lint` checks them). They fall by `make gauges`.\n"
    GAUGES.write_text(head + "".join(f"{name} = {number}\n" for name, number in kept.items()))
    print("\n".join(f"{name}: {now[name]}, written down {number}" for name, number in kept.items()))


if __name__ == "__main__":
    if "--check" in sys.argv:
        wrong = "\n".join(differing())
        sys.exit(f"{wrong}\n{FIX}" if wrong else 0)
    main()
