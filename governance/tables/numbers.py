"""Read numbers and amounts of people and spreadsheets exactly, or not at all.

The module is pure. One point or comma before three digits can separate thousands or decimals. A number like this has
two readings. Other cells of its column do not decide between them: only a person does.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from governance.tables.cell_values import folded
from governance.vocabulary.currencies import digits_of
from governance.vocabulary.phrases import Phrase, phrase

LONGEST = 60  # characters of a cell that is read as a number
WHOLE, DECIMALS = 14, 17  # digits
LARGEST = Decimal(10) ** 14  # an amount is smaller: what is larger is a number of a contract, say
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
THOUSANDS = re.compile(r"(?:x |\u00d7 ?)?1[.,' ]?000(?:s|er)?|'?000s?|thousands")
AROUND = re.compile(rf"({SIGNS})|([^\W\d_]+)\.?")


class Amount(NamedTuple):
    """A number or an amount of money: its value, None if it was not read, and its currency.

    `about` is True if the text shows that the value is not exact. `either` has the two possible values, and `mark` the
    point or comma that makes them two, "" if something else does.
    """

    value: Decimal | None
    currency: str = ""
    about: bool = False
    either: tuple[Decimal, ...] = ()
    mark: str = ""


class Heading(NamedTuple):
    """The unit and the currency that the heading of a column gives to its cells."""

    times: Decimal = Decimal(1)
    currency: str = ""


class _Cell(NamedTuple):
    meanings: dict[str, Decimal]  # by the decimal mark that each takes for granted, "" for any
    times: Decimal
    currency: str
    about: bool


NOTHING, PLAIN = _Cell({}, Decimal(1), "", False), Heading()
NO_MARKS: Mapping[str, str] = MappingProxyType({})


def parse_number(text: str, mark: str = "") -> Decimal | None:
    """Return the number in the text, or None for all else and for an ambiguous one.

    `mark` is the decimal mark that is known to be used, "" if unknown.
    """
    return _chosen(_numbers(text), mark)


def read_number(
    text: str, *, most: Decimal | int | None = None, whole: bool = False, heading: Heading = PLAIN
) -> Amount:
    """Return the number in the text, in the unit of its `heading`.

    A reading above `most`, or with a fraction if `whole`, is not possible.
    """
    found = {
        by: one
        for by, one in ((by, one * heading.times) for by, one in _numbers(text).items())
        if (most is None or one <= most) and (not whole or one == one.to_integral_value())
    }
    return Amount(_chosen(found, ""), either=tuple(sorted(found.values())) if len(found) > 1 else ())


def why_no_number(text: str, number: Amount, example: str) -> Phrase:
    """Return why a cell is not read as one number, and the way to write one."""
    if not number.either:
        return phrase("“{}” is not a number that can be kept. Write for example {}.", text[:40], example)
    less, more = (f"{value.normalize():f}" for value in number.either[:2])
    return phrase("“{}” can mean {} or {}. Write one of these two numbers.", text[:40], less, more)


def unit_of(heading: str) -> Heading:
    """Return the unit and currency in a heading, such as "Budget (TEUR)" or "Cost in Mio. CHF"."""
    bare = folded(heading)
    parts = re.findall(r"[(\[]([^()\[\]]*)[)\]]", bare) + re.findall(r"(?:\bin|,|/) +([^()\[\]]+)$", bare)
    for part in (part.removeprefix("in ") for part in parts):
        if THOUSANDS.fullmatch(part.strip()):
            return Heading(THOUSAND)
        amount = _around("", THOUSANDS.sub("k", part).strip(), "")
        if amount is not None and (amount[0] != 1 or amount[1]):
            return Heading(*amount[:2])
    last = re.sub(r"[^\w$\u20ac\u00a3]+$", "", bare).rpartition(" ")[2]
    found = _around("", last, "") if last != bare else None
    return Heading(*found[:2]) if found and found[1] else Heading()


def read_amount(
    text: str, marks: Mapping[str, str] = NO_MARKS, *, currency: str = "", heading: Heading = PLAIN
) -> Amount:
    """Return the amount in a cell, such as "1,2 Mio CHF", "(1 250.00)", "ca. 30 TEUR".

    A single point or comma is decimal before a unit of a million or more in the cell. `marks` has the decimal mark that
    a person chose for an amount with a point and for one with a comma. `currency` is that of the file, which decides
    what "$" or "kr" means. A cell with its own unit or currency below a `heading` with a unit has two readings.
    """
    cell = _cell(text, currency or heading.currency)
    meanings = _with_decimals_of(cell)
    asked = ""
    if heading.times != 1 and (cell.times != 1 or cell.currency):
        values = [times * value for value in meanings.values() for times in (Decimal(1), heading.times)]
        meanings = {str(value): value for value in values}
    else:
        meanings = {by: value * heading.times for by, value in meanings.items()}
        asked = max(".,", key=text.rfind) if len(meanings) > 1 else ""
    cents = {by: one.quantize(Decimal("0.01")) for by, one in meanings.items() if abs(one) < LARGEST}
    either = tuple(sorted(set(cents.values()))) if len(cents) > 1 else ()
    value = _chosen(cents, marks.get(asked, ""))
    return Amount(value, cell.currency or heading.currency, cell.about, either, asked)


def _with_decimals_of(cell: _Cell) -> dict[str, Decimal]:
    """Return the readings that have no more decimals than the currency in the cell."""
    if not cell.currency:
        return cell.meanings
    digits = digits_of(cell.currency)
    several = len(cell.meanings) > 1 and cell.times == 1
    return {
        by: value
        for by, value in cell.meanings.items()
        if not (several and -int(value.as_tuple().exponent) > digits)
        and not (digits == 0 and value != value.to_integral_value())
    }


def currency_of(text: str, own: str = "") -> str:
    """Return the code of the currency that a word or sign names, or ""."""
    return _currency(folded(text[:LONGEST]).rstrip("."), own)


def _numbers(text: str) -> dict[str, Decimal]:
    found = re.fullmatch(r"(-?) ?([0-9.,' ]+)", _plain(text))
    sign = -1 if found and found[1] else 1
    return {by: sign * one for by, one in _meanings(found[2].strip()).items()} if found else {}


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
        return NOTHING
    times, currency, minus = around
    if below + minus + bool(found["sign"]) > 1:
        return NOTHING
    meanings = _meanings(found["digits"])
    if len(meanings) > 1 and times >= MILLION:
        meanings = dict([next(iter(meanings.items()))])  # the decimal one
    sign = -1 if below or minus or found["sign"] else 1
    values = {by: sign * number * times for by, number in meanings.items() if number * times < LARGEST}
    return _Cell(values, times, currency, bool(about))


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
