"""Random changes of a rulebook that are valid: every field that can be edited comes up, one of them in each turn."""

import random

from governance.rulebook import RulebookErrors, schema
from tests.support.rules.rulebook_editing import PARTS, Place, Text, read, with_values

DAYS = (0, 1, 3, 10, 30, 45, 60, 90, 120, 180, 365, 730)
TRIES = 60
# Every editable field, so that as many changes as there are fields meet each of them.
FIELDS = [(part, name) for part, names in PARTS.items() for name in names]
# Further changes of a turn are mostly of what initiatives are asked: that is where they bite.
BITING = {
    "evidence",
    "min_evidence",
    "min_condition",
    "fresh_days",
    "severity",
    "requirements",
    "reattest_days",
}
WEIGHTS = [8 if name in BITING else 1 for _, name in FIELDS]


def change(source: str, turn: int, version: str, *, most: int = 6) -> tuple[Text, dict[Place, object]]:
    """The text with a few values of it exchanged, valid, and which; the same turn gives the same change."""
    chance, text = random.Random(turn), with_values(read(source), {("version",): version})
    text, values = exchanged(text, *FIELDS[turn % len(FIELDS)], chance)
    for _ in range(chance.randint(0, most - 1)):
        text, more = exchanged(text, *chance.choices(FIELDS, WEIGHTS)[0], chance)
        values |= more
    return text, values


def exchanged(text: Text, part: str, name: str, chance: random.Random) -> tuple[Text, dict[Place, object]]:
    """The text with another valid value in this field, of some row where there are several; as it is without it."""
    if part not in text.raw:
        return text, {}
    for _ in range(TRIES):
        try:
            values = _value(text, part, name, chance)
            return with_values(text, values), values
        except RulebookErrors:
            continue
    raise AssertionError(f"no valid change of {part} {name}")


def _value(text: Text, part: str, name: str, chance: random.Random) -> dict[Place, object]:
    if part in ("freshness", "levels"):
        key: tuple[str, ...] = ()
    elif part in schema.ROWS:
        key = (chance.choice(text.raw[part])["key"],)
    else:
        key = (chance.choice(list(text.raw[part])),)
    kind, required, among = PARTS[part][name]
    place = (part, *key, name)
    before = text.value(place)
    if not required and before is not None and chance.random() < 0.3:
        return {place: None}
    for _ in range(TRIES):
        value = _of_kind(kind, among, before, text, chance)
        if value != before:
            return {place: value}
    return {place: before}


def _of_kind(kind: str, among: str, before, text: Text, chance: random.Random):
    if kind == "flag":
        return not before
    if kind == "count":
        # Quorums are few, days are many: near the value and far from it.
        return chance.choice([max(0, (before or 0) + chance.randint(-2, 2)), chance.choice(DAYS)])
    if kind == "counts":
        return sorted({chance.randint(1, 60) for _ in range(chance.randint(1, 4))}, reverse=True)
    if kind in ("texts", "some"):
        names = text.names(among)
        if before and chance.random() < 0.5:  # one more or one fewer
            word = chance.choice(names)
            return [one for one in before if one != word] if word in before else [*before, word]
        return chance.sample(names, chance.randint(1, min(4, len(names))))
    if among:
        return chance.choice(text.names(among))
    return f"{before or 'Said'} ({chance.randint(1, 9)}, “=so” that it differs)"
