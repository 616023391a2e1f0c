"""The table of defences says what the source says: a defence that moved would otherwise be tried nowhere."""

import ast

from tests.drills.mutants import MUTANTS, ROOT, source_without


def test_every_defence_stands_once_in_its_symbol_and_without_it_the_module_is_still_one():
    troubles = []
    for mutant in MUTANTS:
        try:
            changed = source_without(mutant)
            if mutant.file.endswith(".py"):
                ast.parse(changed)
        except (OSError, SyntaxError, ValueError) as trouble:
            troubles.append(f"{mutant.name}: {trouble}")
        if mutant.instead == mutant.defence:
            troubles.append(f"{mutant.name}: nothing is taken away")
        if not (ROOT / mutant.tests.split()[0].partition("::")[0]).exists():
            troubles.append(f"{mutant.name}: no {mutant.tests}")
    assert not troubles, "\n".join(troubles)


def test_names_are_told_apart():
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 60
