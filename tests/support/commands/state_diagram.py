"""Write `docs/stages.md` anew from the state machine: `make diagram`; with `--check`, say whether it is up to date."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from governance.vocabulary import Stage  # noqa: E402
from initiatives.models.initiative import machine  # noqa: E402
from initiatives.models.stage_machine import REPORT_WITHDRAWN, REPORTED  # noqa: E402
from tests.support.paths import ROOT  # noqa: E402

PAGE = ROOT / "docs" / "stages.md"
HEAD = """# Stages and moves

Made by `make diagram` from the state machine on `Initiative` (`initiatives/models/initiative.py`), and compared with it
by `make lint`. Not written by hand: change the machine, then run `make diagram`. Why it stands there alone:
[ADR 50](adr/0050-state-stage-changes-in-one-state-machine.md).
"""
WHO = {
    "raise": "the chair, cooled off",
    "chair": "the chair",
    "stop": "the owner or the chair",
    "import": "an admin, by an import",
}


def written() -> str:
    """The page as the machine says it now."""
    return f"{HEAD}\n{_diagram()}\n{_table()}"


def _moves() -> list:
    """Every move, by where it leads out of and where it leads to, as stages follow each other."""
    order = list(Stage)
    return sorted(machine(), key=lambda one: (order.index(one.source), order.index(one.target), one.name))


def _diagram() -> str:
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    {stage}: {words}" for stage, words in Stage.choices]
    lines.append(f"    [*] --> {Stage.PROPOSED}: registered")
    for one in _moves():
        kind, gate = one.custom["kind"], one.custom["gate"]
        # What an import may report stands in the table: drawn, it hides the way an initiative goes.
        if kind not in (REPORTED, REPORT_WITHDRAWN):
            lines.append(f"    {one.source} --> {one.target}: {kind}{f', gate {gate}' if gate else ''}")
    return "\n".join([*lines, "```", ""])


def _table() -> str:
    lines = ["| from | to | move | basis | who | only when | what it says |", "|---|---|---|---|---|---|---|"]
    for one in _moves():
        wanted = "; ".join(condition.words for condition in one.conditions)
        said = " ".join(one.method.__doc__.split())
        cells = (
            one.source,
            one.target,
            f"`{one.name}`",
            one.custom["basis"],
            WHO[one.custom["who"]],
            wanted,
            said,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Write the page, or with `--check` exit with 1 and say so where it differs."""
    if "--check" not in sys.argv:
        PAGE.write_text(written())
    elif PAGE.read_text() != written():
        raise SystemExit(f"docs/{PAGE.name} differs from the state machine: run `make diagram`.")


if __name__ == "__main__":
    main()
