"""Figures with what they measure, in one base unit for each measure: 24 hours are a day, 31,500 g are 31.5 kg."""

import functools
import re
from dataclasses import dataclass, replace

from initiatives.disagreeing import tables
from initiatives.disagreeing.vocabulary import MONTHS, NUMBERS, singular

# Two values that differ by less are one: 12 months and 365 days, a month and 31 days.
SAME = 0.034
# Figures in words that are no whole numbers: the measure and the value of each.
PARTS = {"half": ("share", 50), "halb": ("share", 50), "halfte": ("share", 50), "moitie": ("share", 50)}
NO_MARGIN = ("tolerance", "grace", "toleranz", "kulanz", "karenz", "leeway", "margin")
# What may stand between a figure and its unit.
BETWEEN = tables.words("""
full whole complete rolling consecutive calendar more or past last preceding successive entire volle vollen ganze ganzen
vollendete aufeinanderfolgende vergangene zusammenhangende consecutifs pleins months' of the letzten unbroken straight
running clear contiguous
""")
# What multiplies the figure before it; a single letter only behind a currency, "k" everywhere.
MANY_TIMES = {"k": 1e3, "tsd": 1e3, "thousand": 1e3, "tausend": 1e3, "m": 1e6, "million": 1e6, "millions": 1e6,
              "mio": 1e6, "millionen": 1e6, "bn": 1e9, "billion": 1e9, "mrd": 1e9, "mn": 1e6}  # fmt: skip
CURRENCIES = ("eur", "euro", "chf", "gbp", "usd")
MONTH_OF = {month: at for at, month in enumerate(dict.fromkeys(MONTHS.values()))} | {"may": 4}
DAY_AND_MONTH = re.compile(r"(0?[1-9]|[12]\d|3[01])\.(0?[1-9]|1[0-2])")
ORDINALS = {
    word: value
    for value, several in enumerate(
        ("second zweiten deuxieme", "third dritten troisieme", "fourth vierten quatrieme", "fifth funften cinquieme",
         "sixth sechsten sixieme", "seventh siebten septieme", "eighth achten huitieme"),
        start=2,
    )
    for word in several.split()
}  # fmt: skip
# Between a thing and what it counts.
EQUALS = tables.words("is are = counts count as ist sind zahlt zahlen gilt als est vaut compte")
WEIGHT_ENDS = tables.words(", ; . ) and und et if each")
HALVES = dict.fromkeys(("half", "halb", "demi"), 0.5)
# Figures that are read otherwise than they are typed.
SPOKEN = [
    (
        re.compile(r"\b(\d{1,2}):([0-5]\d)(?= ?(?:min|h\b|std))", re.I),
        lambda match: f"{match[1]}.{round(int(match[2]) / 0.6):02}",
    ),
    (re.compile(r"\b(?:half a year|(?:ein\w* )?halb\w* jahr\w*|un demi-an\b)", re.I), "6 months"),
    (re.compile(r"\b(?:half a|eine halbe|un demi-?) ?million", re.I), "500,000"),
    (
        re.compile(
            r"\b(?<!quarter-)(?<!quarter )(?:hourly|stündlich\w*|horaires?) (?=mean|average|value|mittel|wert|moyenne)",
            re.I,
        ),
        "60-minute ",
    ),
]
YEAR = re.compile(r"(?:19|20)\d\d")
# Figures with these before them are names and no amounts: level 2, contract type 1.
NAMING = tables.words(
    "scope scopes stage level levels type class tier l week version category schedule section status code contract no "
    "nr page sheet"
)
# Words before a threshold, and behind it, by whether the figure itself is taken in and on which side of it.
BOUNDS = {
    bound: [tuple(phrase.split()) for phrase in several.split(", ")]
    for bound, several in {
        ">": "over, above, more than, older than, longer than, later than, greater than, higher than, >, uber, "
        "mehr als, alter als, langer als, plus de",
        "<": "under, below, less than, fewer than, younger than, shorter than, lower than, <, unter, weniger als, "
        "junger als, kurzer als, moins de",
        ">=": "at least, minimum, min, >=, =>, from, mindestens, wenigstens, ab, au moins, a partir de, des",
        "<=": "at most, up to, maximum, max, <=, =<, hochstens, bis zu, au plus",
    }.items()
}
OR_BEYOND = ("or", "and", "oder", "und", "ou", "et")
AND_BEYOND = {
    ">=": tables.words("more over above older longer greater higher mehr alter langer hoher plus"),
    "<=": tables.words("less under below fewer younger shorter lower weniger junger kurzer moins"),
}


@dataclass(frozen=True)
class Quantity:
    """One figure: what it measures, how much of it in the base unit, and where its words begin and end.

    `raw` as it was written; `limit`: whether it is a threshold; `bound`: of which kind, where its words say it: over 65
    is >, 65 and over is >=.
    """

    measure: str
    value: float
    at: int
    end: int
    raw: float = 0
    limit: bool = False
    bound: str = ""

    def same(self, other: "Quantity") -> bool:
        """Whether the two are one amount, but for rounding; of whole figures more than 3 days is 4 days or more."""
        if _next_to(self, other):
            return True
        alike = self.raw and other.raw and abs(self.value / self.raw - other.value / other.raw) < 1e-9
        if self.measure == "day of the year" or alike:  # told in one unit
            return abs(self.value - other.value) < 1e-9
        return abs(self.value - other.value) <= SAME * max(abs(self.value), abs(other.value), 1e-9)


def _next_to(one: Quantity, other: Quantity) -> bool:
    """Whether one threshold takes its figure in, and the other is the whole figure before it without itself."""
    by_bound = {one.bound: one, other.bound: other}
    if by_bound.keys() not in ({">", ">="}, {"<", "<="}) or one.measure != other.measure:
        return False
    within, beyond = (by_bound[bound] for bound in sorted(by_bound, key=len, reverse=True))
    unit = beyond.value / beyond.raw if beyond.raw else 0
    step = within.raw - beyond.raw
    whole = not beyond.raw % 1 and abs(within.value - unit * within.raw) < 1e-9
    return whole and step == (1 if beyond.bound == ">" else -1)


@functools.cache
def units() -> tuple[dict[str, tuple[str, float]], dict[str, tuple[str, float]]]:
    """The units by name, and those that are one only behind a figure: what each measures and how many of the base."""
    anywhere: dict[str, tuple[str, float]] = {}
    behind: dict[str, tuple[str, float]] = {}
    for line in tables.lines("units"):
        head, _, names = line.partition(":")
        *measure, times = head.split()
        full, _, short = names.partition("~")
        for table, several in ((anywhere, full), (behind, short)):
            for name in several.split():
                table.setdefault(name, (" ".join(measure), float(times)))
    return anywhere, behind


def number(word: str) -> float | None:
    """The value of a figure or a number word; None of anything else. 31,500 and 1.000 are thousands, 2,55 is not."""
    if not word[0].isdigit():
        return NUMBERS.get(word)
    word = word.replace("'", "")
    if re.fullmatch(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?", word):
        return float(word.replace(",", ""))
    if re.fullmatch(r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?", word):
        return float(word.replace(".", "").replace(",", "."))
    word = word.replace(",", ".")
    return float(word) if word.count(".") < 2 else None


def quantities(words: list[str], concepts: dict[int, str]) -> list[Quantity]:
    """The figures of a text in their order; `concepts` are its concepts by where they begin.

    A figure without a unit measures the thing that follows it: 12 credits, 60 points.
    """
    found: list[Quantity] = []
    at = 0
    while at < len(words):
        one = _quantity(words, at, concepts)
        at += 1
        if one is None:
            continue
        near = {*words[max(0, one.at - 3) : one.at], *words[one.end : one.end + 3]}
        bound = _bound(words, one)
        whole = one.measure.startswith("count ") and not one.value % 1  # more than 2 is 3 or more
        beyond = {">": 1, "<": -1}.get(bound, 0) if whole else 0
        one = replace(
            one,
            value=one.value + beyond,
            raw=(number(words[one.at]) or one.value) + beyond,
            limit=bool(near & tables.markers("limits")),
            bound=bound,
        )
        last = found[-1] if found else None
        if last and last.end == one.at and last.measure == one.measure and one.value < last.value:
            found[-1] = replace(last, value=last.value + one.value, end=one.end)
        else:
            found.append(one)
        at = max(at, one.end)
    return found


def plain(text: str) -> str:
    """The text with figures said as one reads them: 5:59 min, half a million, hourly mean."""
    for pattern, said in SPOKEN:
        text = pattern.sub(said, text)
    return text


def _bound(words: list[str], one: Quantity) -> str:
    """Whether a threshold takes in the figure itself, and on which side of it; empty where that is not said."""
    for bound, phrases in BOUNDS.items():
        for phrase in phrases:
            many = len(phrase)
            if tuple(words[max(0, one.at - many) : one.at]) != phrase:
                continue
            # Not more than 5 is 5 or less; but people who write "not older than" mean "under" as often.
            denied = one.at > many and words[one.at - many - 1] in tables.markers("not")
            return "" if denied else bound
    for at in (one.end, one.end + 1):  # 30 days or more, 30 days overdue or more
        if words[at : at + 1] and words[at] in OR_BEYOND:
            return next(
                (bound for bound, several in AND_BEYOND.items() if {*words[at + 1 : at + 2]} & several), ""
            )
    return ""


def weights(words: list[str]) -> set[float]:
    """What one thing counts, where it says that it is one, two or a half: a double pallet is two, part time = 0.5."""
    found = set()
    for at, word in enumerate(words[:-1]):
        if word not in EQUALS:
            continue
        after = at + 2 if words[at + 1] in ("as", "als", "pour") else at + 1
        if after >= len(words):
            continue
        value = number(words[after]) or HALVES.get(words[after])
        ends = after + 1 == len(words) or words[after + 1] in WEIGHT_ENDS
        if value is not None and value <= 10 and ends:
            found.add(value)
    return found


def _quantity(words: list[str], at: int, concepts: dict[int, str]) -> Quantity | None:
    word = words[at]
    if word in PARTS:
        return None if _unit(words, at + 1, behind=False) else Quantity(*PARTS[word], at, at + 1)
    if word in ("no", "ohne", "without", "sans", "zero") and words[at + 1 : at + 2]:
        return Quantity("margin", 0, at, at + 2) if words[at + 1] in NO_MARGIN else None
    for name, measure in (("no end", "no end"), ("from the first", "time")):
        for phrase in tables.phrases(name).get(word, ()):
            if tuple(words[at : at + len(phrase)]) == phrase:
                return Quantity(measure, 0, at, at + len(phrase))
    value = number(word)
    if value is None and word in ORDINALS:
        return _ordinal(words, at - 1, ORDINALS[word])
    if value is None:
        return _one_span(words, at)
    figure = word[0].isdigit()
    following = words[at + 1] if at + 1 < len(words) else ""
    if following in MONTHS.values():
        return (
            Quantity("day of the year", 100 * (MONTH_OF[following] + 1) + value, at, at + 2)
            if value < 32
            else None
        )
    if following in ("st", "nd", "rd", "th"):
        return _ordinal(words, at, value)
    if at and words[at - 1] == "per" and figure is False and value >= 100:
        return Quantity("per", value, at, at + 1)
    if following == ":" or (following == "." and words[at + 2 : at + 3] and words[at + 2] == "."):
        return None
    numeric = DAY_AND_MONTH.fullmatch(word) if figure and following == "." else None
    if numeric:
        return Quantity("day of the year", 100 * int(numeric[2]) + int(numeric[1]), at, at + 2)
    clock = _clock(words, at, value) if figure else None
    if clock:
        return clock
    if figure and YEAR.fullmatch(word):
        return None
    if figure and words[max(0, at - 2) : at] == ["from", "day"]:
        return Quantity("time", (value - 1) * units()[0]["day"][1], at, at + 1)
    named = next(
        (words[back] for back in range(at - 1, max(at - 6, -1), -1) if not _in_list(words[back])), ""
    )
    if figure and _aged(words, at):
        return Quantity("time", value * units()[0]["year"][1], at, at + 1)
    if figure and named in NAMING:
        return Quantity(f"number of the {named}", value, at, at + 1)
    if following in ("quarter", "quarters"):
        hour = next((k for k in range(at + 2, min(at + 5, len(words))) if words[k] in ("hour", "hours")), 0)
        if hour and set(words[at + 2 : hour]) <= {"of", "an"}:
            return Quantity("time", value * 900, at, hour + 1)
    times = MANY_TIMES.get(following, 1) if figure else 1
    if times > 1 and (len(following) > 1 or following == "k" or (at and words[at - 1] in CURRENCIES)):
        value, following = value * times, words[at + 2] if at + 2 < len(words) else ""
    first = at + 2 if following == "+" else at + 1
    for ahead in range(first, min(first + 3, len(words))):
        unit = _unit(words, ahead, behind=figure and ahead == first)
        if unit:
            return Quantity(unit[0], value * unit[1], at, ahead + 1)
        if words[ahead] not in BETWEEN and words[ahead] not in MANY_TIMES:
            adjective = (
                ahead == first and words[ahead].isalpha() and words[ahead] not in tables.markers("stop")
            )
            if not adjective or not _unit(words, ahead + 1, behind=False):
                break
    if at and words[at - 1] in CURRENCIES:
        return Quantity(f"money {'eur' if words[at - 1] == 'euro' else words[at - 1]}", value, at, at + 1)
    if figure and 0 < value < 1:
        return Quantity("share", value * 100, at, at + 1)
    if value < 2 and not (figure or tables.markers("limits") & set(words[max(0, at - 3) : at])):
        return None
    thing = concepts.get(at + 1)
    beyond = following in OR_BEYOND and {*words[at + 2 : at + 3]} & (AND_BEYOND[">="] | AND_BEYOND["<="])
    if beyond and at + 3 < len(words):  # three or more children
        thing = concepts.get(at + 3)
    elif not thing and following.isalpha() and following not in tables.markers("stop"):
        thing = concepts.get(at + 2)
    return Quantity(f"count {thing or ''}".strip(), value, at, at + 1) if figure or thing else None


def _aged(words: list[str], at: int) -> bool:
    """Whether the figure there is an age: age 5 to 15, im Alter von 6."""
    before = [
        word
        for word in words[max(0, at - 4) : at]
        if not word[0].isdigit() and word not in ("to", "bis", "von", "a")
    ]
    return before[-1:] in (["age"], ["aged"], ["ages"], ["alter"])


def _in_list(word: str) -> bool:
    return word[0].isdigit() or word in (",", "and", "und", "et", "or", "oder", "ou", "&")


def _clock(words: list[str], at: int, value: float) -> Quantity | None:
    """An hour of the day: 23:00, 11 p.m., 8 Uhr."""
    rest = words[at + 1 : at + 4]
    if rest[:1] == [":"] and rest[1:2] and rest[1].isdigit() and value <= 24 and len(rest[1]) == 2:
        if words[at + 3 : at + 4] and words[at + 3].startswith("min"):
            return None
        return Quantity("hour of the day", value % 24 + int(rest[1]) / 60, at, at + 3)
    half = (
        rest[0]
        if rest and rest[0] in ("am", "pm")
        else rest[0] + "m"
        if rest[2:3] == ["m"] and rest[0] in "ap"
        else ""
    )
    if half and value <= 12:
        return Quantity(
            "hour of the day",
            value % 12 + (12 if half == "pm" else 0),
            at,
            at + (2 if rest[0] == half else 4),
        )
    return Quantity("hour of the day", value, at, at + 2) if rest[:1] == ["uhr"] else None


def _ordinal(words: list[str], at: int, value: float) -> Quantity | None:
    """The 31st day, the 18th birthday, the 15th of October."""
    rest = [word for word in words[at + 2 : at + 4] if word not in ("of", "the")]
    if rest and rest[0] in MONTH_OF:
        return Quantity("day of the year", 100 * (MONTH_OF[rest[0]] + 1) + value, at, at + 3)
    if rest and rest[0] == "birthday":
        return Quantity("time", value * units()[0]["year"][1], at, at + 3)
    unit = units()[0].get(rest[0]) if rest else None
    if unit is None or unit[0] != "time":
        return None
    from_then = bool({"from", "ab", "des"} & set(words[max(0, at - 3) : at]))
    return Quantity(unit[0], (value - from_then) * unit[1], max(0, at), at + 3)


def _unit(words: list[str], at: int, *, behind: bool) -> tuple[str, float] | None:
    if at >= len(words):
        return None
    anywhere, short = units()
    word = words[at]
    if (
        word in ("working", "business", "bank", "banking")
        and words[at + 1 : at + 2]
        and words[at + 1][:3] == "day"
    ):
        return "working time", 1
    if word[:9] in ("arbeitsta", "werktage", "werktag", "bankarbei", "werktagen"):
        return "working time", 1
    if word in ("quarter", "half") and words[at + 1 : at + 2] == ["hour"]:
        return "time", 900 if word == "quarter" else 1800
    return anywhere.get(word) or anywhere.get(singular(word)) or (short.get(word) if behind else None)


def _one_span(words: list[str], at: int) -> Quantity | None:
    """One unit without a figure: in the last quarter, within a year, quarter-hourly, per tonne."""
    word = words[at]
    if word in ("per", "je", "pro", "par") and at + 1 < len(words):
        unit = _unit(words, at + 1, behind=False)
        if unit and unit[0] in ("mass", "volume", "energy", "area"):
            return Quantity(unit[0], unit[1], at, at + 2)
    if (
        word in ("quarter", "viertel")
        and words[at + 1 : at + 2]
        and words[at + 1] in ("hour", "hourly", "stunde")
    ):
        return Quantity("time", 900, at, at + 2)
    if word in ("viertelstunde", "viertelstundlich"):
        return Quantity("time", 900, at, at + 1)
    if word in ("a", "an", "the", "eines", "einer") and words[at - 1 : at] in (
        ["in"],
        ["within"],
        ["than"],
        ["innerhalb"],
    ):
        following = at + 2 if words[at + 1 : at + 2] and words[at + 1] in tables.markers("last") else at + 1
    elif word in tables.markers("last"):
        following = at + 1
    else:
        return None
    unit = units()[0].get(words[following]) if following < len(words) else None
    return Quantity(*unit, at, following + 1) if unit and unit[0] == "time" else None
