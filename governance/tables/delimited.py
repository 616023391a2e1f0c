"""Read delimited text row by row. This module is the only reader of such text, so no caller loses a row in silence."""

import csv
import io
import re
import statistics
from collections.abc import Iterable, Iterator
from itertools import islice

DELIMITERS = ",;\t|"
ONLY_NUMBER = re.compile(r"\s*-?\d+(?:[.,:]\d+)*\s*")
MAX_CELL = 200_000  # characters
csv.field_size_limit(MAX_CELL)  # of the whole process


class BrokenRow(Exception):
    """The row that begins on `line` is not delimited text. No row after this row can be read."""

    def __init__(self, line: int, why: str):
        self.line = line
        super().__init__(why)


def rows_of(text: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the number of its first line. Raises BrokenRow, also for a mark that is never closed.

    `text` yields lines with their ends. A quotation mark inside a quoted cell must be doubled: otherwise a mark that is
    never closed would end at the next quoted cell, and the rows between them would be one cell.
    """
    start, reader = 1, csv.reader(text, delimiter=delimiter, strict=True)
    try:
        for record in reader:
            yield start, record
            start = reader.line_num + 1
    except csv.Error as error:
        raise BrokenRow(start, str(error)) from None


def delimiter_of(text: str) -> str:
    """Return the delimiter for which the first rows agree best on two or more columns.

    One of these rows must look like a header, because marks inside cells never split a header.
    """
    head = text[:200_000]
    best, score = ",", 0.0
    for candidate in DELIMITERS:
        rows = []
        try:
            for _, row in islice(rows_of(io.StringIO(head, newline=""), candidate), 60):
                rows += [row] if any(row) else []
        except BrokenRow:
            pass  # the head may end inside a cell; the rows before it still show the delimiter
        if not rows:
            continue
        widths = [len(row) for row in rows]
        usual = statistics.mode(widths)
        agree = widths.count(usual) / len(widths)
        if not any(len(row) >= 0.7 * usual and not any(map(ONLY_NUMBER.fullmatch, row)) for row in rows):
            agree /= 2
        if usual > 1 and agree * min(usual, 12) > score:
            best, score = candidate, agree * min(usual, 12)
    return best
