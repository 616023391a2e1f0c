"""Columns by their headers, and what stands in cells: days, months, years and numbers, nothing guessed silently."""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher

from governance.tables.cell_values import folded
from governance.tables.encodings import wrong

ALIKE = 0.78  # from which a header may be another
COMPOUND = 4  # letters of the last part of a compound
LONGEST_GROUP = 40  # letters of a name that stands over several columns, or below it
# Names that say little without what stands above them.
SHARED_NAMES = {
    *("name", "id", "email", "e-mail", "phone", "title", "date", "role", "unit", "type", "number", "naam", "titel"),
    *("telefon", "telefoon", "datum", "nom", "courriel", "t\u00e9l\u00e9phone", "nombre", "correo", "fecha", "nome"),
}  # fmt: skip
LOOKED_AT = 25  # rows among which the header is looked for
NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTHS = {name: number for number, name in enumerate(NAMES, start=1)}
# The time behind a day, and how days, months and years are written; numbers in two orders stand in `parse_date`.
TIME = re.compile(r"[T ]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AP]M)?(Z|[+-]\d\d:?\d\d)?$", re.IGNORECASE)
WRITTEN = (
    r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
    r"(?P<month>\d{1,2})[-/.](?P<year>\d{4})",
    r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})",
    r"(?P<month>[A-Za-z]{3,9})\.?[-/ ,]+(?P<year>\d{4}|\d{2})",
    r"(?P<month>[A-Za-z]{3,9})\.? (?P<day>\d{1,2}),? (?P<year>\d{4})",
    r"(?P<day>\d{1,2})[-/ ](?P<month>[A-Za-z]{3,9})\.?[-/ ](?P<year>\d{4}|\d{2})",
    r"(?P<year>\d{4})",
)


# Headers


def plain(text: str) -> str:
    """A header as it is compared: lower case, one space, no punctuation at its ends."""
    return re.sub(r"[\s_]+", " ", text).strip(" :*?.\u00a0").casefold()


def expected_in(records: list[tuple[int, list[str]]], expected: Iterable[str]) -> list[int]:
    """How many of the expected headers stand in each of the first rows."""
    names = {plain(name) for name in expected}
    return [sum(plain(cell) in names for cell in record) for _, record in records[:LOOKED_AT]]


def header_of(
    records: list[tuple[int, list[str]]],
    expected: tuple[str, ...] = (),
    own: list[list[str]] | None = None,
) -> int:
    """The place of the header: the row that holds the expected headers, else the first that is as wide as any.

    Of a header of two rows it is the upper, or the lower where that one is as wide. `own`: the rows as they were before
    merged cells were filled, because a title over many columns is one.
    """
    hits = expected_in(records, expected)
    if expected and max(hits, default=0) >= max(2, len(expected) // 2):
        return hits.index(max(hits))
    rows = own or [record for _, record in records]
    filled = [[cell.strip() for cell in record if cell.strip()] for record in rows[:LOOKED_AT]]
    most = max(map(len, filled), default=0)
    for place, cells in enumerate(filled):
        numbers = any(re.fullmatch(r"[\d.,/: -]+", cell) for cell in cells)
        if len(cells) >= max(1, 0.7 * most) and not numbers:
            return place
        below = records[place + 1][1] if place + 1 < len(records) else []
        joined = _joined(records[place][1], below, sure_of_upper=True) or []
        if sum(map(bool, joined)) >= max(2, 0.7 * most):
            return place
    raise wrong(
        "No header row was found. The file needs one row with the names of its columns above the rows."
    )


def whole_header(records: list[tuple[int, list[str]]], place: int) -> tuple[list[str], int, int]:
    """The names of the columns, and the places of the first and last row of the header: it may have two of them."""
    if place + 1 < len(records) and (
        names := _joined(records[place][1], records[place + 1][1], sure_of_upper=True)
    ):
        return names, place, place + 1
    if place and (names := _joined(records[place - 1][1], records[place][1], sure_of_upper=False)):
        return names, place - 1, place
    return records[place][1], place, place


def _joined(upper: list[str], lower: list[str], *, sure_of_upper: bool) -> list[str] | None:
    """Names from a header of two rows, "Contact" over "Name" and "Email"; None where these are no two such rows.

    A group stands over its columns merged, so that it is repeated, or at the first with blanks behind it. What else
    stands above each other has to be the same, or the lower row might be the first of the table.
    """
    width = max(len(upper), len(lower))
    above, below = ([cell.strip() for cell in row] + [""] * (width - len(row)) for row in (upper, lower))
    groups: dict[int, str] = {}
    merged = False
    start = 0
    while start < width:
        end = start + 1
        if above[start] and below[start] and above[start] != below[start]:
            while end < width and below[end] and above[end] in ("", above[start]):
                merged |= above[end] == above[start]
                end += 1
            if end - start > 1 or not sure_of_upper:
                groups |= dict.fromkeys(range(start, end), above[start])
            else:
                return None
        start = end
    wide = [name for place, name in groups.items() if groups.get(place + 1) == name]
    title = len({name for name in above if name}) == 1 and all(
        place in groups for place in range(width) if below[place]
    )
    texts = [*groups.values(), *(below[place] for place in groups)]
    if not wide or title or any(map(_no_name, texts)):
        return None
    names = [below[place] for place in groups]
    telling = sum(names.count(name) > 1 or plain(name) in SHARED_NAMES for name in names)
    if not merged and 2 * telling < len(names):
        return None
    return [
        f"{groups[place]} {below[place]}"
        if place in groups and below[place].count(" ") < 2
        else below[place] or above[place]
        for place in range(width)
    ]


def _no_name(text: str) -> bool:
    return len(text) > LONGEST_GROUP or "@" in text or bool(re.search(r"\d", text))


def columns_of(header: list[str], width: int, used: list[bool]) -> tuple[list[str | None], list[str]]:
    """Names of columns, each once: repeated ones are numbered, nameless ones that hold something named by place."""
    names: list[str | None] = []
    remarks: list[str] = []
    seen: dict[str, int] = {}
    for i in range(width):
        name = re.sub(r"\s+", " ", header[i]).strip() if i < len(header) else ""
        if not name:
            names.append(f"Column {i + 1}" if used[i] else None)
            if used[i]:
                remarks.append(f"Column {i + 1} has no name in the header.")
            continue
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            remarks.append(
                f"The header \u201c{name[:80]}\u201d stands more than once; number {seen[name]} is kept apart."
            )
            name = f"{name} ({seen[name]})"
        names.append(name)
    return names, remarks


def present(columns: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """The columns that go by the wanted headers, in the order of these."""
    by_plain = {plain(name): name for name in reversed(list(columns))}
    return [by_plain[plain(name)] for name in wanted if name and plain(name) in by_plain]


def named(columns: Iterable[str], headers: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Which column holds which field, by the headers that each field goes by: the first that is there."""
    return {field: there[0] for field, known in headers.items() if (there := present(columns, known))}


def spaced(header: str) -> str:
    """A header as words: at underscores, hyphens, slashes and capitals parted, lower case, without accents."""
    text = re.sub(r"(?<=[a-z\u00df-\u00ff])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})", " ", header)
    return folded(re.sub(r"[_/\\.,:;*?!()\[\]\"\u00a0-]+", " ", text))


def guess_columns(
    columns: list[str],
    headers: dict[str, tuple[str, ...]],
    *,
    never: dict[str, str] | None = None,
) -> dict[str, str]:
    """Which column most likely holds which field: best likeness first, each column and field once.

    `never`: by field a pattern; a column whose words it finds is another thing, however alike (a "status date" is no
    status), unless its header is one of the field's own, letter for letter.
    """
    pairs = []
    spoken = {column: (plain(column), spaced(column)) for column in columns}
    for role, aliases in headers.items():
        other = re.compile((never or {}).get(role) or r"(?!)")
        for place, alias in enumerate(aliases):
            wanted = (plain(alias), spaced(alias))
            for column, names in spoken.items():
                if names[0] == wanted[0] or names[1] == wanted[1]:
                    likeness = 1.0
                elif other.search(names[1]):
                    continue
                else:
                    likeness = max(map(_likeness, names, wanted))
                if likeness >= ALIKE:
                    pairs.append((likeness - place / 1000, role, column))
    chosen: dict[str, str] = {}
    for _, role, column in sorted(pairs, key=lambda pair: -pair[0]):
        if role not in chosen and column not in chosen.values():
            chosen[role] = column
    return chosen


def _likeness(name: str, alias: str) -> float:
    """How alike a header and a known one are: letter by letter, by a word within, by the end of a compound."""
    matcher = SequenceMatcher(None, name, alias)
    close = matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE
    likeness = matcher.ratio() if close else 0.0
    within = re.search(rf"\b{re.escape(alias)}\b", name)
    if within and len(alias) > 0.4 * len(name):
        return max(likeness, 0.8)
    # In a compound, and in a header of a few words, the last says what it is: Einsatzstatus, contact email.
    if len(alias) >= COMPOUND and name.endswith(alias) and name.count(" ") <= alias.count(" ") + 3:
        return max(likeness, 0.79)
    return likeness


# Days


def parse_date(raw: str, order: str = "") -> str:
    """An ISO day, month (2025-07) or year, as precise as written; "" when it cannot be told.

    `order` is "mdy" or "dmy" where the source is known to use one; without it 3/4/2025 is not guessed.
    """
    text = TIME.sub("", raw.strip())
    if found := re.fullmatch(r"(\d{1,2})([-/.])(\d{1,2})[-/.](\d{4}|\d{2})", text):
        first, mark, second, year = found.groups()
        return _ordered(int(first), int(second), _year(year), "dmy" if mark == "." else order)
    for pattern in WRITTEN:
        if found := re.fullmatch(pattern, text):
            said = found.groupdict()
            name, day = said.get("month"), said.get("day")
            month = (int(name) if name.isdigit() else MONTHS.get(name[:3].lower(), 0)) if name else None
            return _iso(_year(said["year"]), month, int(day) if day else None)
    return ""


def first_day(said: str) -> str:
    """The first day of an ISO day, month or year, as an ISO day; "" for none."""
    return f"{said}-01-01"[:10] if said else ""


def order_of(values: Iterable[str]) -> str:
    """Whether the days of a column are written month first or day first, when some of them leave no doubt and agree."""
    found = set()
    for raw in values:
        numbers = re.match(r"\s*(\d{1,2})[-/](\d{1,2})[-/]\d{4}", raw)
        if numbers and int(numbers[2]) > 12:
            found.add("mdy")
        elif numbers and int(numbers[1]) > 12:
            found.add("dmy")
    return found.pop() if len(found) == 1 else ""


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text) if int(text) < 70 else 1900 + int(text)


def _ordered(first: int, second: int, year: int, order: str) -> str:
    if not order:
        if first == second or second > 12:
            order = "mdy"
        elif first > 12:
            order = "dmy"
        else:
            return ""
    return _iso(year, first, second) if order == "mdy" else _iso(year, second, first)


def _iso(year: int, month: int | None = None, day: int | None = None) -> str:
    """The day, month or year in ISO's form; "" for what no calendar has."""
    try:
        first = date(year, 1 if month is None else month, 1 if day is None else day)
    except ValueError:
        return ""
    precise = 4 if month is None else 7 if day is None else 10
    return first.isoformat()[:precise] if 1950 <= year <= 2100 else ""


# Numbers


def parse_number(text: str, *, thousands: bool = False) -> Decimal | None:
    """A plain number, its decimals after a point or a comma; None for all else.

    A comma or point before three digits parts thousands only where `thousands` are meant.
    """
    text = re.sub(r"[\s\u00a0']", "", text)
    if thousands and re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", text):
        text = text.replace(",", "")
    elif thousands and re.fullmatch(r"-?\d{1,3}(\.\d{3})+,\d+", text):
        text = text.replace(".", "").replace(",", ".")
    text = text.replace(",", ".")
    return Decimal(text) if re.fullmatch(r"-?[0-9]{1,13}(\.[0-9]{1,17})?", text) else None
