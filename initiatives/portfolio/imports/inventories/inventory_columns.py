"""The fields, reported stage and problems read from a row. Each correction is noted."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

from governance.organisation.unit_import import LONGEST_NAME
from governance.tables.cell_values import folded, is_blank, list_as_text, serial_day
from governance.tables.columns import named, parse_date, plain
from governance.tables.reader import Line
from governance.vocabulary import Stage
from initiatives.portfolio.imports.inventories.header_synonyms import GUIDE
from initiatives.portfolio.imports.inventories.inventory_sources import Source
from initiatives.portfolio.imports.inventories.stage_words import guess_stage, unlisted

PROBLEMS = {
    "no stage": "No stage reported",
    "unknown stage": "A stage whose meaning is not known",
    "doubtful stage": "A stage read with doubt",
    "no name": "No name",
    "no organisation": "No organisation",
    "no id": "No id at the source",
    "repeated id": "An id the source uses more than once",
    "misplaced": "A cell that belongs in another column",
    "invalid": "A value the source does not allow there",
    "date": "A date that cannot be read",
    "serial": "A day read from its number",
    "contact": "A contact that is no address",
    "shared mailbox": "A shared mailbox, nobody in person",
    "shifted": "A row with more or fewer cells than columns",
    "lost character": "A character the source lost",
    "cut": "A text longer than is kept in one line",
    "same line": "The same line twice",
    "repeated": "Lines that seem to be one initiative",
    "known": "A line imported before",
    "moved": "Another stage than before",
    "same name": "A name that a line imported before has",
    "decided": "Decided by hand",
    "owner": "An owner who is not asked yet",
    "refused": "A value that is decided here",
    "currency": "An amount without a currency",
    "withheld": "Published although marked as withheld",
}
# Answers that name nothing, beside what stands for a blank everywhere.
NOTHING = {"none", "tbd", "unknown", "to be determined", "onbekend", "unbekannt", "inconnu", "desconocido"}


def says_nothing(raw: str) -> bool:
    """Return True if a cell is blank, marked as blank, or unknown to its source."""
    return is_blank(raw) or folded(raw) in NOTHING


def problem(kind: str, text: str, *, column: str = "", value: str = "") -> dict:
    """Return one problem of a row: its kind, a sentence, the column and the value."""
    return {"kind": kind, "text": text, "column": column, "value": value[:300]}


def resolved(
    source: Source,
    columns: list[str],
    seen_stages: Iterable[str] = (),
    *,
    values: Mapping[str, list[str]] | None = None,
) -> Source:
    """Return the source with its columns in the file, missing ones guessed if allowed.

    `values` has some cells by column, to check the guesses.
    """
    found = named(columns, {role: (name,) for role, name in source.columns.items()})
    if source.guessed:
        known = {plain(name) for name in source.columns.values()}
        left = [name for name in columns if plain(name) not in known]
        found |= GUIDE.guess(
            left,
            values or {},
            language=settings.LANGUAGE_CODE[:2],
            but=source.columns.keys() | source.fixed.keys(),
        )
    stages = dict(source.stages)
    if source.guessed:
        for raw in seen_stages:
            if not is_blank(raw) and not _looked_up(stages, raw):
                stages[raw.strip()] = guess_stage(raw)
    return replace(source, columns=found, stages=stages)


def _bare(text: str) -> str:
    """Return a value in lower case without list letters ("a) "), with single spaces."""
    # The process remembers what comes again, which is short: a cell may hold two hundred thousand characters.
    return _stripped(text) if len(text) <= 200 else _stripped.__wrapped__(text)


@lru_cache(maxsize=4096)
def _stripped(text: str) -> str:
    return unlisted(re.sub(r"\s+", " ", text).strip().casefold())


def _looked_up(stages: dict[str, tuple[str, str, str]], raw: str) -> tuple[str, str, str] | None:
    """Return the meaning of a stage by exact words, or those before a dash or colon."""
    table = {_bare(word): meaning for word, meaning in stages.items()}
    bare = _bare(raw)
    return table.get(bare) or table.get(re.split(r" [\u2013\u2014-] |: ", bare)[0])


def map_row(line: Line, source: Source, organisation: str = "") -> tuple[dict, list[dict]]:
    """Return the fields of one row, and its problems. `source` is resolved."""
    problems: list[dict] = []

    def cell(role: str) -> str:
        column = source.columns.get(role)
        return (line.cells.get(column, "") if column else source.fixed.get(role, "")).strip()

    def said(role: str) -> str:
        text = cell(role)
        return "" if is_blank(text) else list_as_text(text)

    for text in line.odd:
        problems.append(problem("lost character" if "character" in text else "shifted", text))
    mapped = {
        "title": _title(said("title"), line, problems),
        "organisation": said("organisation") or organisation,
        "bureau": re.sub(r"\s+", " ", said("bureau")),
        "key": _key(cell("key"), source.columns.get("key", ""), problems),
        "problem": said("problem"),
        "vendor": said("vendor"),
        "contact": _contact(said("contact"), source.columns.get("contact", ""), problems),
        "began": _date(said("began"), source, problems),
        "suggestions": [],
    }
    if not mapped["organisation"]:
        problems.append(problem("no organisation", "The row names no organisation."))
    for name in long_units(mapped):
        text = f"\u201c{name}\u201d is longer than {LONGEST_NAME} letters. Shorten the name in the source."
        problems.append(problem("cut", text, value=name))
    mapped |= _stage(cell("stage"), source, problems)
    read = {source.columns.get(role) for role in source.columns}
    columns = source.questions or [name for name in line.cells if name not in read]
    mapped["answers"] = {name: line.cells.get(name) for name in columns}
    mapped["odd"] = list(line.odd)
    _check_values(line, source, problems)
    return mapped, problems


def long_units(mapped: Mapping[str, str]) -> list[str]:
    """Return the organisation and its part, if they are too long for the name of a unit."""
    return [name for name in (mapped["organisation"], mapped["bureau"]) if len(name) > LONGEST_NAME]


def _title(raw: str, line: Line, problems: list[dict]) -> str:
    text = re.sub(r"\s+", " ", raw)
    if not text:
        problems.append(problem("no name", "The source gives it no name; somebody must."))
        return f"Unnamed system, line {line.number}"
    return _short(text, 200, "name", problems)


def _short(text: str, limit: int, words: str, problems: list[dict]) -> str:
    if len(text) <= limit:
        return text
    problems.append(
        problem("cut", f"The {words} is longer than {limit} letters; it is whole in the raw row.", value=text)
    )
    return text[: limit - 1].rstrip() + "…"


def _key(raw: str, column: str, problems: list[dict]) -> str:
    if says_nothing(raw):
        text = "The source gives no id." if not raw else f"\u201c{raw}\u201d is a placeholder, not an id."
        problems.append(problem("no id", text, column=column, value=raw))
    return "" if is_blank(raw) else raw[:160]


def _contact(raw: str, column: str, problems: list[dict]) -> str:
    if raw and raw.casefold() not in NOTHING and not re.search(r"[^@\s]@[^@\s]+\.[^@\s]", raw):
        what = "a web address" if urlsplit(raw).scheme in ("http", "https") else "no address"
        problems.append(problem("contact", f"The contact is {what}.", column=column, value=raw))
    return raw


def _stage(raw: str, source: Source, problems: list[dict]) -> dict:
    column = source.columns.get("stage", "")
    if says_nothing(raw):
        problems.append(
            problem("no stage", "The source reports no stage: choose one by hand.", column=column)
        )
        return {"stage": "", "stage_raw": raw, "confidence": "none"}
    meaning = _looked_up(source.stages, raw) or _looked_up(source.stages, list_as_text(raw))
    stage, confidence, note = meaning or ("", "low", "")
    if not stage:
        text = f"\u201c{raw[:120]}\u201d is not a stage known here. {note}".strip()
        problems.append(problem("unknown stage", text, column=column, value=raw))
    elif confidence == "low":
        text = f"\u201c{raw[:120]}\u201d is read as {Stage(stage).label.lower()}. {note}".strip()
        problems.append(problem("doubtful stage", text, column=column, value=raw))
    return {"stage": stage, "stage_raw": raw, "confidence": confidence}


def _check_values(line: Line, source: Source, problems: list[dict]) -> None:
    """Note values that a column does not allow, and if a near column allows them."""
    names = list(source.allowed)
    for place, column in enumerate(names):
        raw = line.cells.get(column, "").strip()
        if not raw or _fits(raw, source.allowed[column]):
            continue
        near = [name for name in names[max(0, place - 3) : place + 4] if _fits(raw, source.allowed[name])]
        words = source.questions.get(column, column)
        if near and raw.casefold() not in ("no", "yes", "other"):
            home = source.questions.get(near[0], near[0])
            text = f"\u201c{raw[:120]}\u201d under \u201c{words}\u201d answers \u201c{home}\u201d: a shifted cell."
            problems.append(problem("misplaced", text, column=column, value=raw))
        else:
            text = f"\u201c{raw[:120]}\u201d is no answer the source allows under \u201c{words}\u201d."
            problems.append(problem("invalid", text, column=column, value=raw))
    withheld = line.cells.get("is_withheld", "") if "is_withheld" in source.allowed else ""
    if withheld.startswith("Yes"):
        text = f"Marked as withheld (\u201c{withheld}\u201d), yet published."
        problems.append(problem("withheld", text, column="is_withheld", value=withheld))


def _fits(raw: str, allowed: tuple[str, ...]) -> bool:
    return _bare(raw) in _bare_set(allowed)


@lru_cache(maxsize=256)
def _bare_set(allowed: tuple[str, ...]) -> frozenset[str]:
    return frozenset(_bare(value) for value in allowed)


def _date(raw: str, source: Source, problems: list[dict]) -> str:
    if says_nothing(raw):
        return ""
    read = parse_date(raw, source.dates)
    if not read and (read := serial_day(raw, since_1904=source.since_1904)):
        text = f"\u201c{raw}\u201d is the number by which a spreadsheet keeps {read}."
        problems.append(problem("serial", text, column=source.columns.get("began", ""), value=raw))
    if not read:
        text = f"\u201c{raw[:60]}\u201d could not be read as a day, month or year without guessing."
        problems.append(problem("date", text, column=source.columns.get("began", ""), value=raw))
    return read
