"""Find columns by their headers, and read days, months and years in cells."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from difflib import SequenceMatcher

from governance.tables.cell_values import folded
from governance.tables.encodings import wrong
from governance.tables.numbers import PLAIN, unit_of
from governance.vocabulary.phrases import Phrase, phrase

ALIKE = 0.78  # from which a header may be another
BY_CORE = (
    0.785  # the likeness of a header that asks for the same of another thing: below those that are alike
)
BY_PART = 0.9  # the likeness of a header with a part that is one of the field's
OTHER_LANGUAGE = 0.05  # by which a header in another language is less likely
LANGUAGES = {
    "en": ("en", "eng", "english", "englisch", "anglais", "ingles", "inglese", "engels"),
    "de": ("de", "deu", "ger", "german", "deutsch", "allemand", "aleman", "tedesco", "duits"),
    "fr": ("fr", "fra", "french", "francais", "franzosisch", "frances", "francese", "frans"),
    "es": ("es", "esp", "spa", "spanish", "espanol", "spanisch", "espagnol", "spagnolo", "spaans"),
    "it": ("it", "ita", "italian", "italiano", "italienisch", "italien", "italiaans"),
    "nl": ("nl", "nld", "dutch", "nederlands", "niederlandisch", "neerlandais", "holandes", "olandese"),
    "pt": ("pt", "por", "portuguese", "portugues", "portugiesisch", "portugais", "portoghese", "portugees"),
}
# Words of a header for the subject of the table, or without meaning, folded. The others are what the header asks for.
OF_WHAT = frozenset(
    [
        "ai", "ki", "ia", "ml", "system", "systems", "systeme", "sistema", "systeem", "service", "dienst", "servicio",
        "servizio", "servico", "use", "case", "usecase", "cas", "usage", "caso", "uso", "anwendung", "anwendungsfall",
        "algorithm", "algorithmus", "algorithme", "algoritmo", "algoritme", "project", "projekt", "projet", "proyecto",
        "progetto", "projeto", "initiative", "initiatief", "iniciativa", "iniziativa", "solution", "losung", "solucion",
        "soluzione", "solucao", "application", "applicatie", "aplicacion", "applicazione", "aplicacao", "tool", "outil",
        "herramienta", "strumento", "ferramenta", "werkzeug", "product", "produkt", "produit", "producto", "prodotto",
        "produto", "of", "the", "an", "des", "der", "die", "das", "von", "vom", "du", "de", "d", "la", "le", "les", "l",
        "el", "del", "della", "dell", "di", "do", "da", "van", "het", "information", "informationen", "informations",
        "informacion", "informazioni", "informacoes", "informatie", "info", "details", "detail", "angaben", "text",
        "value", "field", "current", "aktueller", "actuel", "total", "gesamt", "totale", "eur", "euro", "usd", "gbp",
        "chf",
    ]
)  # fmt: skip
COMPOUND = 4  # letters of the last part of a compound
LONGEST_GROUP = 40  # letters of a name that stands over several columns, or below it
# Names that mean little without the name above them.
SHARED_NAMES = {
    *("name", "id", "email", "e-mail", "phone", "title", "date", "role", "unit", "type", "number", "naam", "titel"),
    *("telefon", "telefoon", "datum", "nom", "courriel", "t\u00e9l\u00e9phone", "nombre", "correo", "fecha", "nome"),
}  # fmt: skip
# A word for a sum as the name of a row, folded.
TOTAL = re.compile(
    r"(?:(?:grand|sub|overall)[ -]?)?(?:totals?|sum|summe|somme|suma|soma|somma|totale|totaal)\b(?: [a-z ]{,20})?:?"
    r"|insgesamt:?|gesamt(?:summe)?:?|zwischensumme:?|(?:sub)?totaux:?"
)
LONGEST_DAY = 60  # letters of a cell that is read as a day
LOOKED_AT = 25  # rows among which the header is looked for
# Names of months, folded: English, German, French, Spanish, Italian, Dutch and Portuguese. Three letters of one do.
MONTHS = (
    ("january", "januar", "janvier", "enero", "gennaio", "januari", "janeiro"),
    ("february", "februar", "fevrier", "febrero", "febbraio", "februari", "fevereiro"),
    ("march", "marz", "maerz", "mars", "marzo", "maart", "mrt", "marco"),
    ("april", "avril", "abril", "aprile"),
    ("may", "mai", "mayo", "maggio", "mei", "maio"),
    ("june", "juni", "juin", "junio", "giugno", "junho"),
    ("july", "juli", "juillet", "julio", "luglio", "julho"),
    ("august", "aout", "agosto", "augustus"),
    ("september", "sept", "septembre", "septiembre", "settembre", "setembro"),
    ("october", "oktober", "octobre", "octubre", "ottobre", "outubro"),
    ("november", "novembre", "noviembre", "novembro"),
    ("december", "dezember", "decembre", "diciembre", "dicembre", "dezembro"),
)
# The time after a day, and the forms of days, months and years. `parse_date` has numbers in two orders.
TIME = re.compile(
    r"(?<![T ])[T ]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AP]M)?(Z|[+-]\d\d:?\d\d)?$", re.IGNORECASE
)
WRITTEN = (
    r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
    r"(?P<month>\d{1,2})[-/.](?P<year>\d{4})",
    r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})",
    r"(?P<month>[a-z]{3,10})\.?[-/ ,]+(?P<year>\d{4})",
    r"(?P<month>[a-z]{3,10})\.?(?:[-/]| ?')(?P<year>\d{2})",  # "May 25" can be a day of May
    r"(?P<month>[a-z]{3,10})\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?,? (?P<year>\d{4})",
    r"(?P<day>\d{1,2})(?:(?:st|nd|rd|th|er|[.\u00b0o])? (?:de )?|[-/])(?P<month>[a-z]{3,10})"
    r"\.?(?: (?:de )?|[-/])(?P<year>\d{4}|\d{2})",
    r"(?P<year>\d{4})",
)


# Headers


def plain(text: str) -> str:
    """Return a header for comparison: lower case, single spaces, no outer punctuation."""
    return re.sub(r"[\s_]+", " ", text).strip(" :*?.\u00a0").casefold()


def parts_of(header: str) -> list[str]:
    """Return the parts of a header in two languages or with a note, as `plain` writes them: "Titel / Title"."""
    # A header that occurs more than once, or the answers to its question: "no" is not a number.
    if re.search(r" \(\d+\)$|\b(?:yes|y|ja|j|oui|s[i\u00ed]|sim) ?[/|]", header, re.IGNORECASE):
        return []
    if unit_of(header) != PLAIN:
        header = re.sub(r"(?:\s+in|,) +[^()\[\]]+$", "", header)
    parts = re.split(r"[/|()\[\]]| [\u2013\u2014-] ", header)
    # A word that a line break divides has a hyphen there, of its own or of the break: "go- live", "bud- get".
    whole = (re.sub(r"(?<=\w)-\s+(?=\w)", mark, part) for part in parts for mark in ("-", ""))
    found = list(dict.fromkeys(name for part in whole if (name := plain(part))))
    return [name for name in found if unit_of(f"in ({name})") == PLAIN] or found


def _by_parts(columns: Iterable[str], headers: Mapping[str, Iterable[str]]) -> dict[str, dict[str, bool]]:
    """Return the fields of each column that a part of its header names, and if no part is unknown.

    A column whose parts name different fields has none, so that it is asked about.
    """
    names = {field: {plain(name) for name in known} for field, known in headers.items()}
    found = {}
    for column in columns:
        fields = [{field for field, known in names.items() if part in known} for part in parts_of(column)]
        told = [some for some in fields if some]
        found[column] = dict.fromkeys(set.intersection(*told) if told else (), len(told) == len(fields))
    return found


def expected_in(records: list[tuple[int, list[str]]], expected: Iterable[str]) -> list[int]:
    """Return how many of the expected headers each of the first rows contains."""
    names = {plain(name) for name in expected}
    return [sum(plain(cell) in names for cell in record) for _, record in records[:LOOKED_AT]]


def header_of(
    records: list[tuple[int, list[str]]],
    expected: tuple[str, ...] = (),
    own: list[list[str]] | None = None,
) -> int:
    """Return the place of the header: the row with expected headers, or a wide row.

    Without expected headers it is the first row about as wide as the widest. Two header rows give the upper, or the
    lower if that is as wide. `own` has the rows without filled merged cells, in which a wide title is one cell.
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
    raise wrong("No header row was found. Put the names of the columns in one row directly above the data.")


def whole_header(records: list[tuple[int, list[str]]], place: int) -> tuple[list[str], int, int]:
    """Return the column names, and the first and last row of the header."""
    if place + 1 < len(records) and (
        names := _joined(records[place][1], records[place + 1][1], sure_of_upper=True)
    ):
        return names, place, place + 1
    if place and (names := _joined(records[place - 1][1], records[place][1], sure_of_upper=False)):
        return names, place - 1, place
    return records[place][1], place, place


def _joined(upper: list[str], lower: list[str], *, sure_of_upper: bool) -> list[str] | None:
    """Return names from two header rows ("Contact" over "Name" and "Email"), or None.

    A group is repeated over its merged columns, or fills the first and leaves blanks after it. All other pairs of
    cells must be equal, because the lower row might be the first row of the table.
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


def is_a_total(record: list[str]) -> bool:
    """Return True for a row of totals: a word for a total, and numbers beside it."""
    name, *others = [cell for cell in record if cell.strip()] or [""]
    return bool(TOTAL.fullmatch(folded(name))) and all(re.search(r"\d", cell) for cell in others)


def _no_name(text: str) -> bool:
    return len(text) > LONGEST_GROUP or "@" in text or bool(re.search(r"\d", text))


def columns_of(header: list[str], width: int, used: list[bool]) -> tuple[list[str | None], list[str]]:
    """Return unique column names. Repeated ones get a number, unnamed ones a place."""
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
                f"The header \u201c{name[:80]}\u201d occurs more than once. Occurrence {seen[name]} is "
                "a separate column."
            )
            name = f"{name} ({seen[name]})"
        names.append(name)
    return names, remarks


def present(columns: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Return the columns with the wanted headers, in the order of those headers."""
    by_plain = {plain(name): name for name in reversed(list(columns))}
    return [by_plain[plain(name)] for name in wanted if name and plain(name) in by_plain]


def named(columns: Iterable[str], headers: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Return the column of each field: the first present of the field's headers, or else a part of one header."""
    columns = list(columns)
    found = {field: there[0] for field, known in headers.items() if (there := present(columns, known))}
    for column, fields in _by_parts(columns, headers).items():
        if column not in found.values():
            found = dict.fromkeys(fields, column) | found
    return found


def required(
    columns: Iterable[str],
    headers: dict[str, tuple[str, ...]],
    needed: Iterable[str],
    *,
    unique: bool = True,
) -> dict[str, str]:
    """Return `named`, or raise ValidationError on "file" for missing fields, and for double fields if `unique`."""
    columns = list(columns)
    for known in headers.values() if unique else ():
        names = {plain(name) for name in known}
        found = [name for name in columns if plain(re.sub(r" \(\d+\)$", "", name)) in names]
        if len(found) > 1:
            said = " and ".join(f"\u201c{name[:60]}\u201d" for name in found)
            raise wrong(f"The columns {said} mean the same. Keep only one of these columns.")
    there = named(columns, headers)
    if missing := [f"\u201c{headers[field][0]}\u201d" for field in needed if field not in there]:
        first = ", ".join(names[0] for names in headers.values())
        raise wrong(
            f"The table has no column {' and no column '.join(missing)}. Use these names, in any order: "
            f"{first}."
        )
    return there


def spaced(header: str) -> str:
    """Return a header as folded words, split at punctuation, capitals and digits."""
    text = re.sub(
        r"(?<=[a-z\u00df-\u00ff])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})|(?<=[a-z])(?=\d)", " ", header
    )
    return folded(re.sub(r"[_/\\.,:;*?!()\[\]\"\u00a0-]+", " ", text))


def in_language(words: str) -> tuple[str, str]:
    """Return a header's words without a language at the end, and that language's code."""
    rest, _, last = words.rpartition(" ")
    code = next((code for code, names in LANGUAGES.items() if last in names), "") if rest else ""
    return (rest, code) if code else (words, "")


def _core(words: str) -> str:
    """Return a header's words without its subject: "name ai service" becomes "name"."""
    return " ".join(word for word in words.split() if not word.isdigit() and word not in OF_WHAT)


def guess_columns(
    columns: list[str],
    headers: Mapping[str, tuple[str, ...]],
    *,
    never: Mapping[str, str] | None = None,
    language: str = "",
    fits: Callable[[str, str, bool], bool] = lambda role, column, exact: True,
) -> dict[str, str]:
    """Return the likeliest column of each field, each column and field once.

    `never` has patterns: a matching column is another thing, however similar (a "status date" is not a status), unless
    its header is exactly one of the field's. `language` chooses between columns in two languages. `fits` gets field,
    column and whether the header is exact, and returns True if the cells may be the field.
    """
    pairs = []
    spoken = {column: (plain(column), *in_language(spaced(column))) for column in columns}
    by_parts = _by_parts(columns, headers)
    for role, aliases in headers.items():
        other = re.compile((never or {}).get(role) or r"(?!)")
        known = [(plain(alias), in_language(spaced(alias))[0]) for alias in aliases]
        cores = {_core(words) for _, words in known} - {""}
        for column, (name, words, code) in spoken.items():
            best, exact = 0.0, False
            asked = _core(words)
            barred = bool(other.search(words))
            for place, wanted in enumerate(known):
                if name == wanted[0] or words == wanted[1]:
                    likeness, same = 1.0, not code or name == wanted[0]
                elif barred:
                    continue
                else:
                    likeness, same = max(map(_likeness, (name, words), wanted)), False
                if likeness >= ALIKE and likeness - place / 1000 > best:
                    best, exact = likeness - place / 1000, same
            if not barred and best < BY_PART and role in by_parts[column]:
                best, exact = BY_PART, by_parts[column][role]
            if not barred and best < BY_CORE and asked and _asks(asked, cores):
                best = BY_CORE
            if best and fits(role, column, exact):
                pairs.append((best - OTHER_LANGUAGE * (bool(code) and code != language), role, column))
    chosen: dict[str, str] = {}
    for _, role, column in sorted(pairs, key=lambda pair: -pair[0]):
        if role not in chosen and column not in chosen.values():
            chosen[role] = column
    return chosen


def _asks(asked: str, cores: set[str]) -> bool:
    """Return True if the header asks for one of these, or for several of them."""
    return asked in cores or all(word in cores for word in asked.split())


def _likeness(name: str, alias: str) -> float:
    """Return the likeness of two headers, by letters, a word within or the last part."""
    likeness = 0.0
    if 2 * min(len(name), len(alias)) >= ALIKE * (
        len(name) + len(alias)
    ):  # else they differ too much in length
        matcher = SequenceMatcher(None, name, alias)
        likeness = matcher.ratio() if matcher.quick_ratio() >= ALIKE else 0.0
    if _core(name) and not _core(alias):
        return likeness  # the name of a service is not a service
    if alias in name and len(alias) > 0.4 * len(name) and re.search(rf"\b{re.escape(alias)}\b", name):
        return max(likeness, 0.8)
    # The last part of a compound or of a short header is its meaning: Einsatzstatus, contact email.
    if len(alias) >= COMPOUND and name.endswith(alias) and name.count(" ") <= alias.count(" ") + 3:
        return max(likeness, 0.79)
    return likeness


# Days


def parse_date(raw: str, order: str = "") -> str:
    """Return an ISO day, month (2025-07) or year, as precise as written, or "".

    `order` is "mdy", "dmy" or "ymd" if the source is known to use one. Without it, 3/4/2025 is not guessed. Nor is
    14/3/25, which may begin with its year. 26-03-04 is read only if the source is known to begin with the year.
    """
    text = raw.strip()
    if len(text) > LONGEST_DAY:
        return ""
    text = TIME.sub("", text)
    if found := re.fullmatch(r"(\d{1,2})([-/.])(\d{1,2})[-/.](\d{4}|\d{2})", text):
        first, mark, second, year = found.groups()
        order = "dmy" if mark == "." else order
        short = len(year) == 2 and mark != "."
        by_year = _iso(_year(f"{first:0>2}"), int(second), int(year)) if short else ""
        if by_year and (order in ("", "ymd") or mark == "-"):
            return by_year if order == "ymd" else ""
        order = "" if order == "ymd" else order
        return _ordered(int(first), int(second), _year(year), order)
    text = folded(text)
    for pattern in WRITTEN:
        if found := re.fullmatch(pattern, text):
            said = found.groupdict()
            name, day = said.get("month"), said.get("day")
            month = (int(name) if name.isdigit() else _month(name)) if name else None
            return _iso(_year(said["year"]), month, int(day) if day else None)
    return ""


def _month(name: str) -> int:
    """Return the month of a name or its first letters in any language, 0 if unclear."""
    found = {number for number, names in enumerate(MONTHS, 1) if any(one.startswith(name) for one in names)}
    return found.pop() if len(found) == 1 else 0


def first_day(said: str) -> str:
    """Return the first day of an ISO day, month or year, as an ISO day, or ""."""
    return f"{said}-01-01"[:10] if said else ""


def against_order(values: Iterable[str], order: str) -> bool:
    """Return True if a day cannot be written in this order, "mdy" or "dmy", but only in the other one."""
    other = {"mdy": "dmy", "dmy": "mdy"}.get(order, "")
    return any(other and not parse_date(raw, order) and parse_date(raw, other) for raw in values)


def days_in(raw: str) -> list[str]:
    """Return each day that a cell means in one of the orders, as ISO days: two for 3/4/2025."""
    return sorted({parse_date(raw, order) for order in ("dmy", "mdy", "ymd")} - {""})


def why_no_day(raw: str) -> Phrase:
    """Return why a cell is not read as a day, and the way to write one."""
    if not raw.strip():
        return phrase("The day is missing. Use YYYY-MM-DD, for example 2026-11-16.")
    if found := days_in(raw):
        return phrase(
            "“{}” is not a clear day, because it can be {}. Write the day as YYYY-MM-DD.",
            raw[:40],
            ", ".join(found),
        )
    return phrase("“{}” is not a clear day. Use YYYY-MM-DD, for example 2026-11-16.", raw[:40])


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
    """Return the day, month or year in ISO form, or "" if no calendar has it."""
    try:
        first = date(year, 1 if month is None else month, 1 if day is None else day)
    except ValueError:
        return ""
    precise = 4 if month is None else 7 if day is None else 10
    return first.isoformat()[:precise] if 1950 <= year <= 2100 else ""
