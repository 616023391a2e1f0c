"""Pieces of SQL for measuring, made of column numbers and constants of ours alone: c0, c1, ... are the columns."""

from string import ascii_lowercase, ascii_uppercase, digits

from initiatives.integration.measurement.patterns import LONG

STAND_INS = ("null", "n/a", "na", "nan", "none", "nil", "-", "--", "(null)", "#n/a", "\\n", "tbd", "unknown")
# Codes whose letters and digits take turns by chance; most of them are caught here, the others one by one.
MIXED = "[0-9][A-Za-z]+[0-9]+[A-Za-z]|[A-Za-z][0-9]+[A-Za-z]+[0-9]|[a-z][A-Z]+[a-z]+[A-Z]"
SIGNS = "[$€£¥% ''\u00a0]"  # beside a number; the quotation mark is doubled for SQL
SPACES = " \t\n\u00a0\u3000\ufeff"
LONGER, LONGEST = 40, 80  # characters; text with spaces, and any text, above which a value has no mask
LOST = "\ufffd|\u00c3[\u0080-\u00bf]|\u00e2\u20ac|\u00c2[\u00a0-\u00bf]"  # UTF-8 read as something else
CLASSES = {
    ord(letter): kind
    for letters, kind in ((digits, "9"), (ascii_uppercase, "A"), (ascii_lowercase, "a"))
    for letter in letters
}
MONTH_FORMS = ("%d-%b-%Y", "%d %b %Y", "%d-%B-%Y", "%B %d, %Y", "%b %d, %Y")
COARSE_DAYS = {"99999999": "%Y%m%d", "9999-99": "%Y-%m", "9999": "%Y"}  # read as days only where asked to


def literal(text: str) -> str:
    """A text constant."""
    return "'" + text.replace("'", "''") + "'"


def stands_in(value: str) -> str:
    """Whether a value is a word for nothing."""
    return f"(length({value}) < 10 AND lower({value}) IN ({', '.join(map(literal, STAND_INS))}))"


def mask_of(value: str) -> str:
    """The mask of one value, as `mask` makes it in SQL."""
    if len(value) > LONGEST or (len(value) > LONGER and " " in value):
        return LONG
    return value.translate(CLASSES)


def mask(i: int, *, many: bool = False, spaced: bool = False) -> str:
    """The mask of a column, "" for blanks; coarse where it would be another one for every row (`many`)."""
    value = exact = f"c{i}"
    for letters, kind in (("[0-9]", "9"), ("[A-Z]", "A"), ("[a-z]", "a")):
        exact = f"regexp_replace({exact}, '{letters}', '{kind}', 'g')"
    # Values of one class first: those are most, and cost a tenth.
    exact = (
        f"CASE WHEN regexp_full_match({value}, '[0-9]+') THEN repeat('9', length({value}))"
        f" WHEN regexp_full_match({value}, '[a-z]+') THEN repeat('a', length({value}))"
        f" WHEN regexp_full_match({value}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') THEN '9999-99-99'"
        f" WHEN regexp_full_match({value}, '[0-9]+\\.[0-9]{{2}}') THEN repeat('9', length({value}) - 3) || '.99'"
        f" ELSE {exact} END"
    )
    if many and spaced:
        exact = f"CASE WHEN strpos({value}, ' ') > 0 THEN '{LONG}' ELSE {exact} END"
    elif many:
        mixed = f"regexp_replace({value}, '[0-9A-Za-z]', 'X', 'g')"
        exact = f"CASE WHEN regexp_matches({value}, '{MIXED}') THEN {mixed} ELSE {exact} END"
    long = f"length({value}) > {LONGEST} OR (length({value}) > {LONGER} AND strpos({value}, ' ') > 0)"
    return (
        f"CASE WHEN {value} IS NULL OR {stands_in(value)} THEN '' WHEN {long} THEN '{LONG}' ELSE {exact} END"
    )


def first_word(value: str) -> str:
    """What stands before the time of day."""
    return f"split_part(replace({value}, 'T', ' '), ' ', 1)"


def way(value: str, mask: str, *, day_first: bool) -> list[str]:
    """How a day with this mask is read: expressions, the first that finds one counts."""
    mark = next((mark for mark in "-/." if mark in mask), "")
    if mask.startswith("9999-"):
        return [f"try_cast(left({value}, 10) AS DATE)"]
    if mask.startswith("9999"):
        return [f"CAST(try_strptime({first_word(value)}, '%Y{mark}%m{mark}%d') AS DATE)"]
    if "A" in mask:
        return [f"CAST(try_strptime({value}, '{form}') AS DATE)" for form in MONTH_FORMS]
    order = f"%d{mark}%m" if day_first else f"%m{mark}%d"
    year = "%Y" if "9999" in mask else "%y"
    return [f"CAST(try_strptime({first_word(value)}, '{order}{mark}{year}') AS DATE)"]


def day(ways: list[str]) -> str:
    """The first of these readings that is a day people mean."""
    found = f"coalesce({', '.join(dict.fromkeys(ways))}, NULL)"
    return f"(CASE WHEN year({found}) BETWEEN 1900 AND 2100 THEN {found} END)"


def month(day: str) -> str:
    """Months since the year 0."""
    return f"year({day}) * 12 + month({day}) - 1"


def number(i: int, *, signs: bool, comma: bool) -> str:
    """The number a value stands for: without signs beside it; `comma`: it stands before the fraction."""
    value = f"c{i}"
    if signs:
        value = f"regexp_replace({value}, '{SIGNS}', '', 'g')"
        value = f"replace(replace({value}, '.', ''), ',', '.')" if comma else f"replace({value}, ',', '')"
    return f"try_cast({value} AS DOUBLE)"


def lost(i: int) -> str:
    """Whether a value has characters that were lost, or read in the wrong code page before."""
    return f"strlen(c{i}) <> length(c{i}) AND regexp_matches(c{i}, '{LOST}')"
