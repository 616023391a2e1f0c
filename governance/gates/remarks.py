"""Remarks on answers and evidence: differing counts and repeated words. Pure.

A remark refuses nothing and lowers no level. Pages show it beside the item or the answer.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance import clock
from governance.contracts.wording import listed
from governance.gates.gate_inputs import Facts, Item
from governance.vocabulary import EvidenceKind, Layer, Level, Tested, shares
from governance.vocabulary.model_names import is_declared
from governance.vocabulary.phrases import phrase

# fmt: off
_UNITS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
# fmt: on
_VALUES = {word: value for value, word in enumerate(_UNITS, start=1)} | {
    word: 10 * value for value, word in enumerate(_TENS, start=2)
}
_WORD = re.compile(r"\d+(?:,\d+)*(?:\.\d+)?|[a-z]+")
_WHOLE = re.compile(r"\d+|\d{1,3}(?:,\d{3})+")
_OTHERS = re.compile(r"(?<!\d)\d+ other answers?")
_SENTENCE = re.compile(r"[.;:!?]\s|\n")
_VERSION = re.compile(r"[,;(]")
BETWEEN = 2  # words that may stand between a number and its noun: "forty logged calls"
# The nouns for rows of a file, in the plural, by kind of file.
ROWS = frozenset(("rows", "lines", "records", "entries"))
OF_LOG = ROWS | {"calls", "results", "requests", "interactions", "traces"}
OF_TEST = ROWS | {"results", "cases", "examples", "tests"}
OF_RESEARCH = ROWS | {"participants", "respondents", "answers", "interviews"}
LINKS = frozenset(("links",))
OF_KIND = {
    EvidenceKind.LOG_SAMPLE: OF_LOG,
    EvidenceKind.TEST_REPORT: OF_TEST,
    EvidenceKind.USER_RESEARCH: OF_RESEARCH,
}
INVENTORY = "int.inventory"  # the requirement whose answer names the links
# Details of an item that count its file: rows of a table or of JSON lines, or characters of a very short text.
FILE_ROWS, CHARACTERS = "file_rows", "characters"
# In the details of a report of tests that a pipeline filed, and how its data set begins.
SUITE, SUITE_OF = "suite", "Test suite: "
TOLD = "told"  # in such details: the tests that were skipped, did not run or ran again, in words


@dataclass(frozen=True)
class KnownNames:
    """The names that an initiative recorded: its data sets and its linked systems."""

    ref: str
    data_sets: frozenset[str] = frozenset()
    systems: frozenset[str] = frozenset()


def counts_in(text: str, nouns: frozenset[str]) -> list[tuple[int, str]]:
    """Return the counts that a text gives for these plural nouns, as (number, noun).

    Numbers are digits or English words below one thousand. BETWEEN is the most words between a number and its noun.
    """
    found = []
    for sentence in _SENTENCE.split(text.casefold()):
        words = _WORD.findall(sentence.replace("-", " "))
        place = 0
        while place < len(words):
            number, after = _number(words, place)
            if number is None:
                place += 1
                continue
            near = words[after : after + BETWEEN + 1]
            for word in near:
                plural = word if word in nouns else f"{word}s"
                if plural in nouns and (word in nouns or number == 1):
                    found.append((number, plural))
                    break
                if _number([word], 0)[0] is not None or not word.isalpha():
                    break
            place = after
    return found


def _number(words: list[str], place: int) -> tuple[int | None, int]:
    """Return the number that begins at this place, or None, and where it ends."""
    word = words[place]
    if word[0].isdigit():
        return (int(word.replace(",", "")) if _WHOLE.fullmatch(word) else None), place + 1
    if word not in _VALUES:
        return None, place + 1
    value, after = _VALUES[word], place + 1
    if value >= 20 and after < len(words) and 0 < _VALUES.get(words[after], 99) < 10:
        value, after = value + _VALUES[words[after]], after + 1
    if after < len(words) and words[after] == "hundred" and value < 10:
        value, after = 100 * value, after + 1
        start = after + 1 if after + 1 < len(words) and words[after] == "and" else after
        if start < len(words) and words[start] in _VALUES:
            rest, end = _number(words, start)
            if rest is not None and rest < 100:
                value, after = value + rest, end
    return value, after


def beside(stated: Iterable[int], found: int) -> str:
    """Return the first stated count that differs and the count that was found, or ""."""
    other = next((one for one in stated if one != found), None)
    return "" if other is None else phrase("stated {}, found {}", f"{other:,}", f"{found:,}")


def rows_of(kind: str, details: Mapping[str, Any]) -> int | None:
    """Return how many rows were counted in the file of an item, or None."""
    return details.get("rows" if kind == EvidenceKind.LOG_SAMPLE else FILE_ROWS)


def stated_beside_found(kind: str, title: str, details: Mapping[str, Any]) -> str:
    """Return the stated count that differs from the rows of the item's file, or ""."""
    rows = rows_of(kind, details)
    if rows is None or kind not in OF_KIND:
        return ""
    stated = [number for number, _ in counts_in(title, OF_KIND[EvidenceKind(kind)])]
    form = details.get("n")
    return beside([*stated, *([form] if isinstance(form, int) else [])], rows)


def other_data_set(details: Mapping[str, Any], known: KnownNames) -> str:
    """Return the data set that an item names and its initiative did not record, or "".

    The result is "" while the initiative has no recorded data set, and for a suite of tests that a pipeline ran.
    """
    named = details.get("data_set", "")
    if (
        not named
        or SUITE in details
        or not known.data_sets
        or any(_same(named, one) for one in (*known.data_sets, *known.systems))
    ):
        return ""
    return phrase("names data set {}, which {} did not record", named, known.ref)


def _same(one: str, other: str) -> bool:
    """Return True if one name, up to its "," or "(", has the other's words in a row."""
    names = (_VERSION.split(said.casefold())[0] for said in (one, other))
    short, long = sorted((" ".join(re.findall(r"\w+", name)) for name in names), key=len)
    return bool(short) and f" {short} " in f" {long} "


def of_item(kind: str, title: str, details: Mapping[str, Any], known: KnownNames) -> str:
    """Return the remarks on an item, in one line, or ""."""
    told = [stated_beside_found(kind, title, details), other_data_set(details, known)]
    if CHARACTERS in details:
        count = details[CHARACTERS]
        told.append(f"{count} character{'' if count == 1 else 's'}, no table, no page")
    return "; ".join(filter(None, told))


def same_file(facts: Facts, item: Item) -> str:
    """Return that the same file was there before the day of the item, and counts from that day, or ""."""
    first = facts.first_day(item)
    if first == item.observed_on:
        return ""
    return phrase("the same file was observed on {}, and its age counts from that day", first)


def without_link(item: Item) -> str:
    """Return that a drill of a failing source is about no link in use, or ""."""
    if item.kind != EvidenceKind.DRILL_RECORD or item.tested != Tested.FALLBACK or item.link is not None:
        return ""
    return phrase("is about no link in use")


def of_answer(facts: Facts, key: str, at: datetime) -> list[str]:
    """Return the remarks on an answer at `at`: repeated words, and counts that differ.

    The answer about the links is compared with the register. Another is compared with the rows of its item, if only
    one item has counted rows. The models in the rows of its items are compared with what ran on their day.
    """
    reply = facts.answers.get(key)
    if reply is None:
        return []
    told = [same_words(facts, key)]
    if key == INVENTORY and facts.described_at(at):
        links = sum(since <= at and (until is None or until > at) for since, until in facts.described)
        told.append(_sentence(beside(_numbers(reply.text, LINKS), links), "in the integration register"))
    counted = [item for item in facts.items_for(key) if item.rows is not None and _stands(item)]
    if len(counted) == 1 and counted[0].kind in OF_KIND:
        nouns = OF_KIND[EvidenceKind(counted[0].kind)]
        said = beside(_numbers(reply.text, nouns), counted[0].rows or 0)
        told.append(_sentence(said, f"in “{_title(counted[0])}”"))
    told += (other_model(facts, item) for item in facts.items_for(key) if _stands(item))
    return [one for one in told if one]


def other_model(facts: Facts, item: Item) -> str:
    """Return, as a sentence, which models in an item's rows did not run on its day.

    The result is "" if all ran, or if no model was recorded for that day.
    """
    begin, end = clock.midnight_before(item.observed_on), clock.midnight_after(item.observed_on)
    running = [
        one.names
        for one in facts.deployments
        if one.layer == Layer.MODEL and one.since < end and (one.until is None or one.until > begin)
    ]
    others = [name for name in item.models if not is_declared(name, "", frozenset().union(*running))]
    if not running or not others:
        return ""
    did = phrase("which did not run on {}", item.observed_on)
    return f"“{_title(item)}” names {'the model' if len(others) == 1 else 'models'} {listed(others)}, {did}."


def _stands(item: Item) -> bool:
    return item.withdrawn_at is None and item.superseded_by is None


def _title(item: Item) -> str:
    return " ".join(item.title.split())


def _numbers(text: str, nouns: frozenset[str]) -> list[int]:
    return [number for number, _ in counts_in(text, nouns)]


def _sentence(said: str, where: str) -> str:
    return f"{said.capitalize()} {where}." if said else ""


def same_words(facts: Facts, key: str) -> str:
    """Return how many other answers of the initiative repeat this answer, or ""."""
    said = {one: " ".join(reply.text.split()).casefold() for one, reply in facts.answers.items()}
    own = said.pop(key, "")
    others = sum(text == own for text in said.values()) if own else 0
    if not others:
        return ""
    if others == 1:
        return phrase("Same words as 1 other answer.")
    return phrase("Same words as {} other answers.", others)


def apart(told: Iterable[str]) -> set[str]:
    """Return the remarks of an answer without the number of answers that repeat it.

    Another repeat elsewhere changes nothing about the answer, so it does not end a sign-off.
    """
    return {_OTHERS.sub("others", one) for one in told}


def second_looks(facts: Facts, level: str, at: datetime) -> str:
    """Return the result of the second looks beside the level `VERIFIED`, or ""."""
    agree, differ = facts.second_looks_at(at)
    told = shares.in_words(agree, agree + differ) if level == Level.VERIFIED else ""
    return phrase("second looks agree {}", told) if told else ""
