"""How a sheet of one's own is most likely read: columns, words, people, days and amounts; the rest is asked."""

from collections import Counter
from collections.abc import Iterable

from django.conf import settings

from governance.models import Unit
from governance.tables.column_values import sample
from governance.tables.columns import orders_of, plain
from governance.tables.numbers import decimal_marks
from governance.tables.reader import Line
from governance.vocabulary import Stage
from initiatives.models import InventorySource
from initiatives.models.imports import OWN_SHEET
from initiatives.portfolio.imports.inventories.reported_stages import TARGETS
from initiatives.portfolio.imports.inventories.stage_words import guess_stage
from initiatives.portfolio.imports.portfolio import queries
from initiatives.portfolio.imports.portfolio.people_matching import Match, address_in, name_in, spellings
from initiatives.portfolio.imports.portfolio.portfolio_columns import AMOUNTS, FIELDS, GUIDE
from initiatives.portfolio.imports.portfolio.portfolio_plan import NEW_UNIT, text_in
from initiatives.portfolio.initiative_list.portfolio_export import EXPORTED_AS

MOST_STATUSES = 200  # a column with more different words is no status


def guessed(lines: list[Line], columns: list[str]) -> dict:
    """How the sheet is read before anybody corrected it: as the last one was, the rest by guess."""
    kept = InventorySource.objects.filter(key=OWN_SHEET).first()
    known = {plain(name): name for name in columns}
    exported = {role: known[plain(header)] for role, header in EXPORTED_AS.items() if plain(header) in known}
    export = "reference" in exported and "stage" in exported and plain("Supported stage") in known
    remarks: list[str] = []
    if export:
        found = exported
    else:
        remembered = {
            role: known[plain(name)]
            for role, name in (kept.columns if kept else {}).items()
            if plain(name) in known
        }
        left = [name for name in columns if name not in remembered.values()]
        language = settings.LANGUAGE_CODE[:2]
        found_now = GUIDE.guess(left, sample(lines), language=language, but=remembered)
        found = remembered | found_now
        remarks = [
            f"The column \u201c{column[:60]}\u201d is not taken for {FIELDS[role]}: its cells are something else."
            for role, column in GUIDE.guess(left, {}, language=language, but=remembered).items()
            if found_now.get(role) != column
        ]
    reading = {
        "export": export,
        "columns": found,
        "odd_columns": remarks,
        "currency": kept.fixed.get("currency", "") if kept else "",
        "dates": _sole(_orders(lines, found), kept.dates if kept else ""),
        "mark": _sole(_marks(lines, found), kept.fixed.get("mark", "") if kept else ""),
        "unit": "",
        "parent": "",
        "stages": {},
        "units": {},
        "people": {},
    }
    top = queries.top_unit()
    reading["unit"] = reading["parent"] = str(top.pk) if top else ""
    return reading | with_words(lines, reading, kept)


def with_words(lines: Iterable[Line], reading: dict, kept: InventorySource | None) -> dict:
    """The words of the sheet that stand for something here: statuses, departments, owners, each once.

    What was remembered counts while it is still there: a unit that is one's own, a person who is active.
    """
    lines = list(lines)

    def of(role: str, most: int | None = None) -> list[str]:
        column = reading["columns"].get(role)
        seen = Counter(text_in(line, column) for line in lines) if column else Counter()
        return [word for word, _ in seen.most_common(most)]

    meant = kept.stages if kept else {}
    chosen = kept.fixed.get("units", {}) if kept else {}
    people = kept.fixed.get("people", {}) if kept else {}
    stages = {
        word: reading["stages"].get(word) or meant.get(word) or list(stage_of(word))
        for word in of("stage", MOST_STATUSES)
    }
    if not reading["columns"].get("stage"):
        stages = {"": reading["stages"].get("") or ["", "none", ""]}
    known, directory = queries.units_by_word(), queries.directory()
    here = {NEW_UNIT, *(str(unit.pk) for unit in Unit.objects.own())}
    units = {}
    for word in filter(None, (word[:120] for word in of("unit"))):
        before = (unit for unit in (reading["units"].get(word), chosen.get(word)) if str(unit) in here)
        units[word] = str(next(before, None) or known.get(word.casefold(), NEW_UNIT))
    owners = {}
    for word in filter(None, of("owner")):
        found = directory.match(word)
        if not found.person and people.get(word) in directory.keys:
            found = Match(people[word], "remembered", found.candidates, found.address)
        owners[word] = reading["people"].get(word) or {
            "person": found.person,
            "how": found.how,
            "candidates": found.candidates,
            "address": found.address,
        }
    names = {known.pk: known.name for known, _ in directory.people}
    unsure = [word for word, one in owners.items() if not one["person"]]
    for group in spellings(
        unsure, lambda word: [names[pk] for pk in owners[word]["candidates"] if pk in names]
    ):
        for word in group:
            owners[word] |= {"group": group[0], "address": address_in(group), "name": name_in(group)}
    return {
        "stages": stages,
        "units": units,
        "people": owners,
        "dates": reading["dates"] or _sole(_orders(lines, reading["columns"])),
        "mark": reading["mark"] or _sole(_marks(lines, reading["columns"])),
    }


def _orders(lines: Iterable[Line], columns: dict[str, str]) -> set[str]:
    return orders_of(text_in(line, columns.get("go_live_on")) for line in lines)


def _marks(lines: Iterable[Line], columns: dict[str, str]) -> set[str]:
    return decimal_marks(text_in(line, columns.get(role)) for line in lines for role in AMOUNTS)


def _sole(found: set[str], remembered: str = "") -> str:
    """How the cells are written where they agree; where none decides as last time; where they disagree it is asked."""
    return next(iter(found)) if len(found) == 1 else "" if found else remembered


def stage_of(word: str) -> tuple[str, str, str]:
    """What a status most likely means: our own words exactly, the rest by guess."""
    for stage in Stage:
        if word.casefold() in (stage.value, Stage.word(stage).casefold()):
            return (stage.value if stage in TARGETS else "", "high", "")
    return guess_stage(word) if word else ("", "none", "")
