"""Values of the rulebook changed one at a time: for each that a gate looks at, a test of behaviour must go red.

Run by hand with `python -m tests.drills.rulebook_mutants [--seed N] [--changes 50]`. A change is one value of 1.0
with another valid one in its place: other words, another kind, level, age, seat, severity. It works on a copy of the
project, so that nobody's work is touched, and asks the tests that try gates by what they do (`PURE`, `ACTS`).

Some values no gate looks at: guidance for those who answer, days on which the worker reminds, a value that a tier
leaves out. They are changed and told as well, and are no failure.

A change in governance/rulebook asks for it.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from governance.gates.requirement_state import ACCEPTED_IN_PERSON, GENERATED_ONLY
from governance.rulebook import Criterion, ParsedRulebook, RulebookErrors, parse, schema, shipped_text
from tests.drills.mutants import copy_of_project
from tests.support.initiatives import rulebook_changes
from tests.support.paths import ROOT
from tests.support.rules.rulebook_editing import Place, Text, read, with_values

RULEBOOK = "governance/rulebook/1_0.toml"
# Of the pure rules, without a database; and, where none of them goes red, of acts.
PURE = (
    "--noconftest",
    "tests/unit/initiatives/lifecycle/test_agreed_terms.py",
    "tests/unit/governance/gates/test_agreed_gates.py",
)
ACTS = ("tests/acceptance/rulebook/test_agreed_terms.py",)
TIERS = tuple(schema.FIXED["risk tier"])
# Kinds of change that bite come up more often; each other field that can be edited comes up as well.
OFTEN = {
    ("requirement", "question"): 2,
    ("requirement", "evidence"): 4,
    ("requirement", "min_evidence"): 2,
    ("requirement", "fresh_days"): 4,
    ("requirement", "fresh_days_minimal"): 2,
    ("requirement", "fresh_days_high_risk"): 2,
    ("requirement", "triggers"): 3,
    ("requirement", "severity"): 3,
    ("requirement", "waivable"): 2,
    ("requirement", "answered_by"): 3,
    ("requirement", "level"): 7,
    ("requirement", "left_out"): 3,
    ("requirement", "ways"): 3,
    ("requirement", "of_register"): 2,
    ("criterion", "question"): 2,
    ("criterion", "seat"): 4,
    ("criterion", "requirements"): 4,
    ("criterion", "severity"): 2,
    ("criterion", "waivable"): 2,
    ("criterion", "level"): 2,
    ("gates", "quorum"): 3,
    ("gates", "must_include"): 2,
    ("scale_tests", "items"): 2,
}
WEIGHTS = dict.fromkeys(rulebook_changes.FIELDS, 1) | {field: 2 * often for field, often in OFTEN.items()}
# Nothing is valid below its floor, and years beyond it nobody tries.
del WEIGHTS["freshness", "retention_days"]
TRIES = 200


@dataclass(frozen=True)
class Change:
    """One value in its place, what stood there, and the whole text with it."""

    place: Place
    before: object
    after: object
    source: str

    def __str__(self) -> str:
        if isinstance(self.before, list) and isinstance(self.after, list):
            less = [f"-{word}" for word in self.before if word not in self.after]
            more = [f"+{word}" for word in self.after if word not in self.before]
            return f"{'.'.join(self.place)}: {' '.join(less + more) or 'another order'}"
        return f"{'.'.join(self.place)}: {_short(self.before)} -> {_short(self.after)}"


def _short(value: object) -> str:
    words = "nothing" if value is None else str(value)
    return words if len(words) <= 60 else f"{words[:28]} ... {words[-28:]}"


def changes(source: str, seed: int, number: int) -> Iterator[Change]:
    """So many single changes that are valid, no two of them alike; the same seed gives the same."""
    chance, text, seen = random.Random(seed), read(source), set()
    kinds, weights = list(WEIGHTS), list(WEIGHTS.values())
    for _ in range(number * TRIES):
        if len(seen) == number:
            return
        part, name = chance.choices(kinds, weights)[0]
        try:
            place, value = _other(text, part, name, chance)
            made = with_values(text, {place: value} | _beside(text, place))
        except RulebookErrors:
            continue
        before = text.value(place)
        if before == value or (place, str(value)) in seen:
            continue
        seen.add((place, str(value)))
        yield Change(place, before, value, made.source)
    raise AssertionError(f"fewer than {number} changes of {RULEBOOK} are valid")


def _other(text: Text, part: str, name: str, chance: random.Random) -> tuple[Place, object]:
    """A place of this field, and what stands there instead."""
    if part == "scale_tests" or name == "requirements":
        rows = text.raw[part]
        lists = rows if part == "scale_tests" else [row["key"] for row in rows if name in row]
        place: Place = (part, chance.choice(list(lists)), name)
        asked = text.value(place)
        dropped = chance.choice(asked)
        return place, [key for key in asked if key != dropped] or None
    if name in ("level", "left_out"):
        row = chance.choice([row for row in text.raw[part] if "level" in row])
        if name == "left_out":
            tier = chance.choice(sorted(row["level"]))
            return (part, row["key"], name, tier), "nobody is touched by it at this tier"
        tier = chance.choice(sorted(row["level"]))
        levels = [level for level in schema.FIXED["level"] if level not in ("measured", row["level"][tier])]
        return (part, row["key"], name, tier), chance.choice(levels)
    if name == "ways":
        row = chance.choice(text.raw[part])
        ways = row.get(name, [])
        way = chance.choice(schema.WAYS)
        return (part, row["key"], name), sorted({*ways} ^ {way}) or None
    if name == "of_register":
        row = chance.choice(text.raw[part])
        return (part, row["key"], name), None if row.get(name) else True
    _, values = rulebook_changes.exchanged(text, part, name, chance)
    ((place, value),) = values.items()
    return place, value


def _beside(text: Text, place: Place) -> dict[Place, object]:
    """What goes with a change: a tier that is left out has no level."""
    if place[2:3] != ("left_out",):
        return {}
    part, key, _, tier = place
    return {(part, key, name, tier): None for name in ("level", "level_at_mvp")}


def looked_at(rulebook: ParsedRulebook) -> dict[str, object]:
    """All that gates, and acts by days, look at in a rulebook: rulebooks that are the same in this are one to them."""
    days = rulebook.freshness
    found: dict[str, object] = {
        "days": (days.sign_off_max_age_days, days.review_expires_days, days.post_mortem_due_days),
        "waivers": (days.waiver_max_days, rulebook.waivers_max),
        "drawn": rulebook.drawn_at_minimal,
    }
    for key, stage in rulebook.stages.items():
        if key in ("prototype", "mvp"):
            found[f"age of {key}"] = stage.max_days_before_review
        if key == "production":
            found[f"age of {key}"] = (stage.reattest_days, stage.reattest_days_high)
    for key, row in rulebook.requirements.items():
        kinds = set(row.evidence)
        shown = kinds - {"attestation"}
        # What only a person's acceptance or the generated index meets is measured, whatever level is asked.
        outside = key in GENERATED_ONLY or (key in ACCEPTED_IN_PERSON and kinds == {"attestation"})
        outside = outside or key == "prod.q02_support"
        levels = {
            (gate, tier): bool(row.level_for(tier, gate)) if outside else row.level_for(tier, gate)
            for gate in rulebook.gates_asking(key)
            for tier in TIERS
        }
        asked = [tier for tier in TIERS if rulebook.asks(key, tier)]
        found[key] = (
            row.question,
            kinds,
            row.min_evidence if shown != {row.min_evidence} else "",
            row.min_condition,
            {tier: row.days(tier) for tier in asked},
            set(row.triggers),
            row.answered_by if row.blocking else "",
            row.severity,
            rulebook.waivable_requirement(key),
            levels,
            set(row.ways),
            row.of_register,
        )
    for tier in TIERS:
        seated = rulebook.at_tier(tier)
        for key, gate in seated.gates.items():
            found[f"{key} at {tier}"] = (gate.title, gate.quorum_for(tier), set(gate.must_include))
        for key, criterion in seated.criteria.items():
            found[f"{key} at {tier}"] = (
                criterion.question,
                set(criterion.requirements),
                criterion.seat,
                criterion.severity,
                rulebook.waivable_criterion(key),
                criterion.due_days is None,
                # Of an end that is written up, the term is that of all post-mortems.
                () if key.endswith(".postmortem") else _term(criterion),
            )
    return found


def _term(criterion: Criterion) -> tuple[int | None, int | None]:
    """In how many days it is due, and in how many after an emergency."""
    due = criterion.due_days
    return due, criterion.emergency_due_days if due is None else due


def red_test(change: Change, place: Path, *, counts: bool) -> str:
    """The first of the tests that goes red in the copy at `place` with this change; "" where none does.

    `counts`: whether anything looks at it; acts, which need a database, are tried on such changes alone.
    """
    path = place / RULEBOOK
    path.write_text(change.source, encoding="utf-8")
    try:
        return first_red(PURE, place) or (first_red(ACTS, place) if counts else "")
    finally:
        shutil.copy(ROOT / RULEBOOK, path)


def first_red(tests: tuple[str, ...], place: Path) -> str:
    """The first of these tests that goes red in the copy as it stands; "" where all are green."""
    # The settings of this process are not those of tests.
    mine = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-n0", "--tb=no", "-rfE", *tests],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=900,
        env=mine | {"PLUMBLINE_DATA": str(place / ".data")},
    )
    if run.returncode not in (0, 1):
        raise RuntimeError(f"the tests did not run\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    red = re.search(r"^(?:FAILED|ERROR) \S*?::(\S+)", run.stdout, re.MULTILINE)
    if run.returncode and red is None:
        raise RuntimeError(f"no test is named\n{run.stdout[-2000:]}")
    return red[1] if red else ""


def main(words: list[str]) -> int:
    """Try the changes of a seed. 1 when one that a gate looks at turned nothing red."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--changes", type=int, default=50)
    wanted = parser.parse_args(words)
    source = shipped_text()
    known = looked_at(parse(source))
    felt = beside = missed = 0
    with copy_of_project() as place:
        if red := first_red(PURE, place) or first_red(ACTS, place):
            print(f"red before any change: {red}")
            return 1
        for change in changes(source, wanted.seed, wanted.changes):
            counts = looked_at(parse(change.source)) != known
            red = red_test(change, place, counts=counts)
            felt, beside, missed = (
                felt + bool(red),
                beside + (not red and not counts),
                missed + (not red and counts),
            )
            said = red or ("NONE FELT IT" if counts else "none felt it: no gate looks at it")
            print(f"{change}  [{said}]", flush=True)
    print(
        f"seed {wanted.seed}: {wanted.changes} changes, {felt} felt, {beside} that no gate looks at, {missed} missed"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
