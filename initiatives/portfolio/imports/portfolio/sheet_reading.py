"""The likely reading of an organisation's sheet. Uncertain words are asked about."""

from collections import Counter
from collections.abc import Iterable

from django.conf import settings

from governance.models import Unit
from governance.people.people_matching import (
    Match,
    active_people,
    address_in,
    name_in,
    name_key,
    spelled_alike,
    spellings,
)
from governance.tables.column_values import sample
from governance.tables.columns import against_order, plain
from governance.tables.reader import Line
from governance.vocabulary import Stage
from initiatives.models import InventorySource
from initiatives.models.imports import OWN_SHEET
from initiatives.portfolio.imports.inventories.reported_stages import TARGETS
from initiatives.portfolio.imports.inventories.stage_words import guess_stage
from initiatives.portfolio.imports.portfolio import queries
from initiatives.portfolio.imports.portfolio.portfolio_columns import FIELDS, GUIDE
from initiatives.portfolio.imports.portfolio.portfolio_plan import NEW_UNIT, text_in
from initiatives.portfolio.initiative_list.portfolio_export import EXPORTED_AS

MOST_STATUSES = 200  # a column with more different words is no status


def guessed(lines: list[Line], columns: list[str]) -> dict:
    """Return how to read a sheet before corrections, from the last one and guesses."""
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
            f"The column “{column[:60]}” is not used for {FIELDS[role]}, because its cells contain "
            "something else."
            for role, column in GUIDE.guess(left, {}, language=language, but=remembered).items()
            if found_now.get(role) != column
        ]
    reading = {
        "export": export,
        "columns": found,
        "odd_columns": remarks,
        "currency": kept.fixed.get("currency", "") if kept else "",
        "dates": "",
        "point": "",
        "comma": "",
        "unit": "",
        "parent": "",
        "stages": {},
        "units": {},
        "people": {},
    }
    days = (text_in(line, found.get("go_live_on"), reading) for line in lines)
    # Days of this sheet show that an order is wrong. They never show that it is right.
    reading["dates"] = kept.dates if kept and not against_order(days, kept.dates) else ""
    top = queries.top_unit()
    reading["unit"] = reading["parent"] = str(top.pk) if top else ""
    return reading | with_words(lines, reading, kept)


def with_words(lines: Iterable[Line], reading: dict, kept: InventorySource | None) -> dict:
    """Return the meaning of the sheet's words: statuses, departments, owners, vendors.

    Each word is listed once. Spellings of one word have one meaning. A remembered meaning counts if its unit is still
    of the organisation, or its person is active.
    """
    lines = list(lines)

    def of(role: str, most: int | None = None) -> list[str]:
        column = reading["columns"].get(role)
        seen = Counter(text_in(line, column, reading) for line in lines) if column else Counter()
        return [word for word, _ in seen.most_common(most)]

    meant = kept.stages if kept else {}
    chosen = kept.fixed.get("units", {}) if kept else {}
    people = kept.fixed.get("people", {}) if kept else {}
    stages = {}
    for group in spelled_alike(of("stage", MOST_STATUSES)):
        said = (known[word] for known in (reading["stages"], meant) for word in group if known.get(word))
        stages |= dict.fromkeys(group, next(said, None) or list(stage_of(group[0])))
    if not reading["columns"].get("stage"):
        stages = {"": reading["stages"].get("") or ["", "none", ""]}
    known, directory = queries.units_by_word(), active_people()
    here = {NEW_UNIT, *(str(unit.pk) for unit in Unit.objects.own())}
    units = {}
    for group in spelled_alike(filter(None, of("unit"))):
        before = (
            said[word]
            for said in (reading["units"], chosen)
            for word in group
            if word in said and str(said[word]) in here
        )
        units |= dict.fromkeys(group, str(next(before, None) or known.get(name_key(group[0]), NEW_UNIT)))
    registered = queries.vendors_by_word()
    vendors = {
        word: registered.get(name_key(word), group[0])
        for group in spelled_alike(of("vendor"))
        for word in group
        if word
    }
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
        "vendors": {word: name for word, name in vendors.items() if word != name},
        "people": owners,
    }


def stage_of(word: str) -> tuple[str, str, str]:
    """Return the likely stage of a status. Words of Plumbline are exact, others a guess."""
    for stage in Stage:
        if word.casefold() in (stage.value, Stage.word(stage).casefold()):
            return (stage.value if stage in TARGETS else "", "high", "")
    return guess_stage(word) if word else ("", "none", "")
