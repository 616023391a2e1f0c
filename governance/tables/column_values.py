"""Guess columns of fields by headers, and check them by their cells. Pure."""

import re
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from governance.tables.cell_values import folded, is_blank, serial_day, yes_or_no
from governance.tables.columns import guess_columns, parse_date
from governance.tables.numbers import currency_of, read_amount
from governance.tables.reader import Line

LOOKED_AT = 300  # rows of a table
LONGEST = 200  # letters of a cell that are looked at
FEW_WORDS = 12  # that a column of statuses may have, however short the table is
ENOUGH = 5  # cells from which a column is judged by how often its values come again
QUARTER = re.compile(r"Q[1-4][\s/-]*\d{4}|\d{4}[\s/-]*Q[1-4]", re.IGNORECASE)
# Words of names of departments and companies, folded.
COLLECTIVE = re.compile(
    r"\b(?:department|division|office|team|unit|agency|ministry|bureau|council|group|services?|board|authority|university"
    r"|institute|gmbh|ag|inc|ltd|llc|sa|srl|bv|abteilung|amt|behorde|referat|bereich|stelle|ministerium|direction"
    r"|service|ministere|departamento|direccion|ministerio|ufficio|afdeling|dienst|gemeente)\b"
)


def sample(lines: Iterable[Line]) -> dict[str, list[str]]:
    """Return the filled cells of the first rows, by column."""
    found: dict[str, list[str]] = {}
    for line in islice(lines, LOOKED_AT):
        for column, text in line.cells.items():
            if not is_blank(text):
                found.setdefault(column, []).append(" ".join(text[:LONGEST].split()))
    return found


def fits(kind: str, cells: list[str], *, exact: bool) -> bool:
    """Return True if a column with these cells may be of this kind.

    With `exact`, its header is known for the kind. Then only plainly different cells count against it: days or yes and
    no in a column of words, words in a column of amounts.
    """
    if not cells or kind not in KINDS:
        return True
    if exact and kind in ("day", "currency", "id"):
        return True
    if exact and kind == "amount":
        return len(cells) < ENOUGH or _share(cells, _is_amount) > 0
    if exact:
        answers = kind != "status" and _share(cells, _is_answer) > 0.8
        return _share(cells, _is_day) <= 0.8 and not answers
    return KINDS[kind](cells)


def _share(cells: list[str], test: Callable[[str], bool]) -> float:
    return sum(map(test, cells)) / len(cells)


def _is_day(cell: str) -> bool:
    if re.fullmatch(r"\d{4}", cell):
        return 1990 <= int(cell) <= 2060
    return bool(
        QUARTER.fullmatch(cell) or parse_date(cell, "dmy") or parse_date(cell, "mdy") or serial_day(cell)
    )


def _is_answer(cell: str) -> bool:
    return not cell.isdigit() and yes_or_no(cell) is not None


def _is_amount(cell: str) -> bool:
    amount = read_amount(cell)
    return amount.value is not None or bool(amount.either)


def _is_person(cell: str) -> bool:
    """Return True for an address, a login, or a personal name of two to four words."""
    if re.search(r"[^@\s]@[^@\s]", cell):
        return True
    if re.search(r"[\d/&+:;]", cell) or COLLECTIVE.search(folded(cell)):
        return False
    words = cell.replace(",", " ").split()
    return 2 <= len(words) <= 4 or (len(words) == 1 and cell == cell.lower())


def _different(cells: list[str]) -> float:
    return len({cell.casefold() for cell in cells}) / len(cells)


def _is_words(cells: list[str]) -> bool:
    """Return True for words: less than half are days, amounts or yes and no."""
    return max(_share(cells, test) for test in (_is_day, _is_amount, _is_answer)) < 0.5


def _is_title(cells: list[str]) -> bool:
    return _is_words(cells) and (len(cells) < ENOUGH or _different(cells) >= 0.6)


def _is_status(cells: list[str]) -> bool:
    few = len({cell.casefold() for cell in cells}) <= max(FEW_WORDS, len(cells) // 4)
    return few and _is_words(cells)


def _is_id(cells: list[str]) -> bool:
    return _share(cells, lambda cell: len(cell) <= 60) > 0.8 and (
        len(cells) < ENOUGH or _different(cells) >= 0.6
    )


KINDS: Mapping[str, Callable[[list[str]], bool]] = {
    "title": _is_title,
    "status": _is_status,
    "words": _is_words,
    "id": _is_id,
    "person": lambda cells: _share(cells, _is_person) >= 0.5,
    "day": lambda cells: _share(cells, _is_day) >= 0.5,
    "amount": lambda cells: _share(cells, _is_amount) >= 0.5,
    "currency": lambda cells: _share(cells, lambda cell: bool(currency_of(cell))) >= 0.5,
}


@dataclass(frozen=True)
class Guide:
    """The means to guess the columns of one kind of table, by field.

    `headers` has the headers of a field, the likeliest first, and `kinds` the kind of its cells. `never` has a pattern
    of headers that belong to another field, even if they are similar.
    """

    headers: Mapping[str, tuple[str, ...]]
    kinds: Mapping[str, str] = field(default_factory=dict)
    never: Mapping[str, str] = field(default_factory=dict)

    def guess(
        self,
        columns: list[str],
        cells: Mapping[str, list[str]],
        *,
        language: str = "",
        but: Container[str] = (),
    ) -> dict[str, str]:
        """Return the likeliest column of each field, except the fields in `but`.

        `cells` has some cells of each column, as from `sample`. A column without cells is judged by its header alone.
        """
        return guess_columns(
            columns,
            {role: known for role, known in self.headers.items() if role not in but},
            never=self.never,
            language=language,
            fits=lambda role, column, exact: fits(
                self.kinds.get(role, ""), cells.get(column, []), exact=exact
            ),
        )
