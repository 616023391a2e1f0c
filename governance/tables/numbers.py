"""Read numbers and amounts of people and spreadsheets exactly, or not at all.

The module is pure. One point or comma before three digits can separate thousands or decimals. A number like this has
two meanings. `mark`, the decimal mark of its file, decides between them. Without it the number is not read.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from governance.tables.cell_values import folded

LONGEST = 60  # characters of a cell that is read as a number
WHOLE, DECIMALS = 14, 17  # digits
LARGEST = Decimal(10) ** 14  # an amount is smaller: what is larger is a number of a contract, say
DECIMAL_MARKS = {
    "": "only amounts with a clear format",
    ".": "with a decimal point, 1,500.25",
    ",": "with a decimal comma, 1.500,25",
}
# Spaces, apostrophes and minus signs that look the same to a reader.
ALIKE = str.maketrans(
    dict.fromkeys("\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000", " ")
    | dict.fromkeys("\u2019\u02bc\u00b4`\u2018", "'")
    | dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014", "-")
)
WITH_DIGITS = re.compile(
    r"(?P<before>[^0-9]*?)(?P<sign>-?) ?(?P<digits>(?:(?<!\S)[.,])?[0-9](?:[0-9.,' ]*[0-9])?)(?:[.,]-{0,2})?"
    r"(?P<after>[^0-9]*)"
)
SPACES = " '"  # what parts groups beside a point and a comma
GROUPED = {mark: re.compile(rf"[1-9][0-9]{{0,2}}(?:{re.escape(mark)}[0-9]{{3}})+") for mark in ".," + SPACES}
INDIAN = re.compile(r"[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}")
ABOUT = re.compile(
    r"(?:~|\u2248|(?:ca|circa|approx|approximately|about|around|etwa|rund|ungefahr|env|environ|aprox"
    r"|aproximadamente|ongeveer)\b(?!\$)\.?) *"
)
THOUSAND, MILLION, BILLION = Decimal(10) ** 3, Decimal(10) ** 6, Decimal(10) ** 9
# Units of amounts, folded. "mil" is missing: it is a thousand in Spanish and a million in English.
UNITS = (
    dict.fromkeys(("k", "t", "tsd", "tausend", "thousand", "thousands", "dzd", "duizend", "mille"), THOUSAND)
    | dict.fromkeys(("millier", "milliers", "miles", "mila"), THOUSAND)
    | dict.fromkeys(("m", "mm", "mn", "mio", "mill", "mln", "million", "millions", "millionen"), MILLION)
    | dict.fromkeys(("miljoen", "millon", "millones", "milione", "milioni", "milhao", "milhoes"), MILLION)
    | dict.fromkeys(
        ("bn", "b", "billion", "mrd", "mia", "mld", "md", "mds", "milliard", "milliards"), BILLION
    )
    | dict.fromkeys(("milliarde", "milliarden", "miljard", "miliardo", "miliardi"), BILLION)
    | dict.fromkeys(("bilhao", "bilhoes", "mil millones", "mil milhoes"), BILLION)
    | dict.fromkeys(("lakh", "lakhs", "lac"), Decimal(10) ** 5)
    | dict.fromkeys(("crore", "crores", "cr"), Decimal(10) ** 7)
)
CODES = frozenset(
    (
        *("AED", "ARS", "AUD", "BGN", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EUR"),
        *("GBP", "HKD", "HUF", "IDR", "ILS", "INR", "JPY", "KRW", "MXN", "MYR", "NOK", "NZD", "PEN"),
        *("PHP", "PLN", "RON", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "UAH", "USD", "VND", "ZAR"),
    )
)
# Signs and words of one currency, the longer first. A sign of several needs the currency of the file.
NAMED = {
    **{"us$": "USD", "a$": "AUD", "au$": "AUD", "c$": "CAD", "ca$": "CAD", "hk$": "HKD", "nz$": "NZD"},
    **{
        "s$": "SGD",
        "r$": "BRL",
        "nt$": "TWD",
        "\u20ac": "EUR",
        "\u00a3": "GBP",
        "\u20b9": "INR",
        "\u20ba": "TRY",
    },
    **{"\u20a9": "KRW", "\u20b4": "UAH", "\u20ab": "VND", "\u20aa": "ILS", "euro": "EUR", "euros": "EUR"},
    **{"z\u0142": "PLN", "kc": "CZK", "ft": "HUF", "fr": "CHF", "sfr": "CHF"},
}
SHARED = {
    "$": ("USD", "AUD", "CAD", "HKD", "MXN", "NZD", "SGD", "TWD"),
    "\u00a5": ("JPY", "CNY"),
    "kr": ("", "DKK", "NOK", "SEK"),
    "rs": ("", "INR"),
}  # the first is meant where the file names none of the others; "" for none
SIGNS = r"(?:us|au|ca|hk|nz|nt|[acsr])?\$|[\u20ac\u00a3\u00a5\u20b9\u20ba\u20a9\u20b4\u20ab\u20aa]"
AROUND = re.compile(rf"({SIGNS})|([^\W\d_]+)\.?")


class Amount(NamedTuple):
    """An amount of money: its value, None if it was not read, and its currency.

    `about` is True if the text shows that the value is not exact. `either` has the two possible values. `mark` is the
    decimal mark with which it was read, "" if it has none.
    """

    value: Decimal | None
    currency: str = ""
    about: bool = False
    either: tuple[Decimal, ...] = ()
    mark: str = ""


class _Cell(NamedTuple):
    meanings: dict[str, Decimal]  # by the decimal mark that each takes for granted, "" for any
    currency: str
    about: bool


def parse_number(text: str, mark: str = "", *, most: Decimal | int | None = None) -> Decimal | None:
    """Return the number in the text, or None for all else and for an ambiguous one.

    `mark` is the decimal mark of the file, "" if unknown. A number above `most` is not a possible meaning.
    """
    found = re.fullmatch(r"(-?) ?([0-9.,' ]+)", _plain(text))
    meanings = _meanings(found[2].strip()) if found else {}
    number = _chosen({by: one for by, one in meanings.items() if most is None or one <= most}, mark)
    return -number if found and found[1] and number is not None else number


def read_amount(text: str, mark: str = "", *, currency: str = "") -> Amount:
    """Return the amount in a cell, such as "1,2 Mio CHF", "(1 250.00)", "ca. 30 TEUR".

    A single point or comma is decimal before a unit of a million or more. `mark` is as for `parse_number`. `currency`
    is that of the file, which decides what "$" or "kr" means.
    """
    cell = _cell(text, currency)
    either = tuple(sorted(cell.meanings.values())) if len(cell.meanings) > 1 else ()
    used = mark if either else next(iter(cell.meanings), "")
    return Amount(_chosen(cell.meanings, mark), cell.currency, cell.about, either, used)


def currency_of(text: str, own: str = "") -> str:
    """Return the code of the currency that a word or sign names, or ""."""
    return _currency(folded(text[:LONGEST]).rstrip("."), own)


def decimal_marks(values: Iterable[str]) -> set[str]:
    """Return the decimal marks that these cells certainly use, two if they disagree."""
    found = (_cell(text, "").meanings for text in values)
    return {mark for meanings in found if len(meanings) == 1 for mark in meanings} - {""}


def _chosen(meanings: dict[str, Decimal], mark: str) -> Decimal | None:
    return next(iter(meanings.values())) if len(meanings) == 1 else meanings.get(mark) if mark else None


def _plain(text: str) -> str:
    """Return the text with one kind of space, apostrophe and minus, or "" if unfit."""
    bare = text.strip()
    if len(bare) > LONGEST or any(sign.isnumeric() and not sign.isascii() for sign in bare):
        return ""
    return " ".join(bare.translate(ALIKE).split())


def _meanings(digits: str) -> dict[str, Decimal]:
    """Return the values of unsigned digits, by the decimal mark of each, "" for any."""
    mark = max(".,", key=digits.rfind)
    if mark not in digits:
        whole = digits if digits.isdecimal() else _ungrouped(digits, SPACES)
        return {"": Decimal(whole)} if 0 < len(whole) <= WHOLE else {}
    found = {}
    whole, _, decimals = digits.rpartition(mark)
    other = "," if mark == "." else "."
    if decimals.isdecimal() and len(decimals) <= DECIMALS:
        found[mark] = f"{_ungrouped(whole or '0', other + SPACES)}.{decimals}"
    found[other] = _ungrouped(digits, mark)
    return {
        by: Decimal(text)
        for by, text in found.items()
        if text[:1].isdecimal() and len(text.partition(".")[0]) <= WHOLE
    }


def _ungrouped(text: str, marks: str) -> str:
    """Return the digits of a whole number without group marks, or "" for all else."""
    if re.fullmatch(r"0|[1-9][0-9]*", text):
        return text
    for mark in marks:
        if GROUPED[mark].fullmatch(text) or (mark == "," and INDIAN.fullmatch(text)):
            return text.replace(mark, "")
    return ""


def _cell(text: str, own: str) -> _Cell:
    bare = folded(_plain(text))
    about = ABOUT.match(bare)
    bare = bare[about.end() :] if about else bare
    below = False
    if bracketed := re.fullmatch(r"([^()]*)\(([^()]*)\)([^()]*)", bare):
        below = bool(re.search("[0-9]", bracketed[2]))
        bare = " ".join(" ".join(bracketed.groups()).split())
    found = WITH_DIGITS.fullmatch(bare)
    around = _around(found["before"].strip(), found["after"].strip(), own) if found else None
    if found is None or around is None:
        return _Cell({}, "", False)
    times, currency, minus = around
    if below + minus + bool(found["sign"]) > 1:
        return _Cell({}, "", False)
    meanings = _meanings(found["digits"])
    if len(meanings) > 1 and times >= MILLION:
        meanings = dict([next(iter(meanings.items()))])  # the decimal one
    sign = -1 if below or minus or found["sign"] else 1
    values = {by: number * times for by, number in meanings.items() if number * times < LARGEST}
    cents = {by: (sign * value).quantize(Decimal("0.01")) for by, value in values.items()}
    return _Cell(cents, currency, bool(about))


def _around(before: str, after: str, own: str) -> tuple[Decimal, str, bool] | None:
    """Return the unit, currency and minus around the digits, or None for other text."""
    minus = before.startswith("-") + after.startswith("-")
    units: list[Decimal] = []
    currencies, leads = set(), False  # a unit alone before the digits is none
    for place, words in enumerate((before.removeprefix("-"), after.removeprefix("-"))):
        if AROUND.sub("", words).strip():
            return None
        tokens = [sign or word for sign, word in AROUND.findall(words)]
        for token in [" ".join(tokens)] if " ".join(tokens) in UNITS else tokens:
            said = _unit_and_currency(token, own)
            if said is None:
                return None
            units += [said[0]] if said[0] else []
            leads |= place == 0 and bool(said[0])
            currencies |= {said[1]} - {""}
    if minus > 1 or len(units) > 1 or len(currencies) > 1 or (leads and not currencies):
        return None
    return (units[0] if units else Decimal(1)), next(iter(currencies), ""), bool(minus)


def _unit_and_currency(token: str, own: str) -> tuple[Decimal | None, str] | None:
    """Return the unit and currency of a word beside the digits, such as TEUR, or None."""
    if token in UNITS:
        return UNITS[token], ""
    if code := _currency(token, own):
        return None, code
    for place in range(1, len(token)):
        first, last = token[:place], token[place:]
        if first in UNITS and (code := _currency(last, own)):
            return UNITS[first], code
        if last in UNITS and (code := _currency(first, own)):
            return UNITS[last], code
    return None


def _currency(token: str, own: str) -> str:
    if token in SHARED:
        return own if own in SHARED[token] else SHARED[token][0]
    return NAMED.get(token) or (token.upper() if token.upper() in CODES else "")
