"""Notations of identifiers said in the plain words that wordings.py reads: types of databases, ranges, lists, dates.

Each rule is a pattern and what stands for it; they are applied in their order, to the text as it was typed.
"""

import re

from initiatives.disagreeing.vocabulary import NUMBERS

DIGITS = r"(?:digits?|figures|ziffern|chiffres|stellen|numbers|numerals|n\b)"
LENGTH = r"(?:length|len|lange|länge|longueur|laenge)"
JOINT = r"(?:\+|plus|and|und|et|followed by|then|gefolgt von|dann|puis|suivie? de)"


def _examples(match: re.Match) -> str:
    """A list of examples of one length: EUR, USD, GBP."""
    words = re.findall(r"\w+", match.group("list"))
    if len({len(word) for word in words}) > 1:
        return match.group()
    return f"{len(words[0])} {'digits' if words[0].isdigit() else 'letters'}"


def _range(match: re.Match) -> str:
    """From 10000 to 99999: five digits."""
    least, most = len(match.group(1)), len(match.group(2))
    return f"{least} digits" if least == most else f"{least} to {most} digits"


def _labelled(match: re.Match) -> str:
    """Parts with their names, each with its length: TAC 8 + serial 6 + check digit 1."""
    return re.sub(r"[A-Za-z][A-Za-z. ]* (\d{1,2})", r"\1 digits", match.group())


def _first_of(match: re.Match) -> str:
    """The first of two ends of a range, where both are written alike: BRK0000 - BRK9999."""
    one, other = match.groups()
    runs = [re.sub(r"\d", "9", word) for word in (one, other)]
    return one if runs[0] == runs[1] and re.search(r"[A-Z]", one) else match.group()


def _repeated(match: re.Match) -> str:
    return match.group(1) * int(match.group(2))


def _groups(match: re.Match) -> str:
    """So many groups of so many digits, with a sign between them or none."""
    many, each = (
        int(word) if word.isdigit() else NUMBERS.get(word.lower(), 0) for word in match.group("many", "each")
    )
    if not many or not each or many > 12:
        return match.group()
    said = match.group("apart").lower()
    if re.match(r"\W*(?:no|without|ohne|sans)", said) or not said.strip(" ,"):
        return f"{many * each} digits"
    sign = "dash" if re.search(r"dash|hyphen|bindestrich|tiret", said) else ""
    sign = sign or ("dot" if re.search(r"dot|point|punkt", said) else "slash" if "slash" in said else "space")
    return f" {sign} ".join([f"{each} digits"] * many)


def _dashed(match: re.Match) -> str:
    """3-3-4 with dashes."""
    return " dash ".join(f"{count} digits" for count in match.group(1).split("-"))


def _parted(match: re.Match) -> str:
    """So many digits with a sign after one of them: 6 digits, dash after the second."""
    whole, at = (
        int(word) if word.isdigit() else NUMBERS.get(word.lower()) or ORDINALS.get(word.lower(), 0)
        for word in match.group("many", "at")
    )
    if not 0 < at < whole:
        return match.group()
    return f"{at} digits {match.group('sign')} {whole - at} digits"


ORDINALS = {
    word: place
    for place, several in enumerate(
        ("first 1st", "second 2nd", "third 3rd", "fourth 4th", "fifth 5th", "sixth 6th", "seventh 7th"), 1
    )
    for word in several.split()
}


def _mask_with_legend(match: re.Match) -> str:
    """A mask of letters whose parts are explained with their lengths: LLRKKGGG (land 2, district 1, ...)."""
    mask, legend = match.group("mask", "legend")
    counts = [int(one) for one in re.findall(r"\b\d{1,2}\b", legend)]
    return f"{len(mask)} characters" if counts and sum(counts) == len(mask) else match.group()


RULES = [
    (re.compile(pattern, re.IGNORECASE), said)
    for pattern, said in (
        (r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?: style)?$", "UUID"),
        (r"^[a-z]{2,8}: ?(?=[9X]\(\d)", ""),
        (r"^(?:PIC )?X\(0?(\d{1,2})\)$", r"\1 characters"),
        (r"^\d (?:to|bis|à|-) \d$", "1 digit"),
        (r"^(\d{1,2}) ?[-\u2013] ?(9{2,})$", r"\1 to \2"),
        (r"\b(?:yyyy|jjjj)-(?-i:W)ww\b(?:, ISO)?", "ISO week"),
        (r"\byear,? month,?(?: and)? day (?:in|as) (?:eight|8) digits\b(?: without separators)?", "YYYYMMDD"),
        (r"\byear and month(?=,|$)", "6 digits"),
        (r"\bbase ?64(?:url)?\b[,:]?", ""),
        (r"\b\w+ digits?,? (?:zero|left|0)[- ]padded to (\d{1,2})\b", r"\1 digits, zero-padded"),
        (r"\b(?:string|str|text) ?\((\d+)\)", r"up to \1 characters"),
        (
            r"^(?-i:(A{1,6}|9{1,2}))$",
            lambda match: f"{len(match[1])} {'letters' if match[1][0] == 'A' else 'digits'}",
        ),
        (r"(?<=[A9N#]) / (?=[A9N#])", " or "),
        (r"\b(?P<mask>(?-i:[A-Z]{4,}))\s*\((?P<legend>[^()]*)\)", _mask_with_legend),
        (
            r",\s*(?:\w+ )?(?:check ?digit|prüfziffer) "
            r"(?:over|computed|calculated|from|per|nach|über|berechnet)\b[^,;]*",
            "",
        ),
        (
            r"(?<=\w), (?:the )?(?:last|final|letzte[rs]?|dernier\w*)(?: \w+)? (?:check ?digit|prüfziffer)\b",
            "",
        ),
        (r"\bz\. ?b\.|\bp\. ?ex\.|\bfor example\b|\bzum beispiel\b|\bpar exemple\b|\bbeispiel:", "e.g."),
        (r"^[A-Z]{2}\d{2}(?: \d{4}){2,7}(?: \d{1,4})?$", "IBAN"),
        (r"^(?:n?var)?char2? ?\((\d+)\)\s*[:,;]\s*(?:only )?digits(?: only)?\b", r"\1 digits"),
        (r"^(?:n?var)?char2? ?\(\d+\)\s*[:,;]\s*(?=.*(?:\d|letter|digit|hex))(?!.*characters)", ""),
        (
            rf"\b(\w+ {DIGITS}) (?:preceded by|prefixed (?:with|by)|led by|with (?:a )?leading|after)"
            r"(?: the| an?)?(?: letters?| prefix)? (?-i:([A-Z]{1,5}))\b",
            r"\2 + \1",
        ),
        (r"\b([2-4]|two|three|four) (?:check|control) digits\b", r"\1 digits"),
        (
            rf"\b(\w+ {DIGITS}) (?:preceded by|prefixed (?:with|by)|after|précédée?s (?:de|par)|nach) "
            r"(?:the |dem |l')?(?:year|jahr|année)\b",
            r"2 to 4 digits + \1",
        ),
        (r"^([A-Z]{1,5}-?) ?\+ ?(\d{1,2})$", r"\1 + \2 digits"),
        (
            r"\balphanumeric[,:]? (?:max\.?|up to|maximum|at most) ?(\d{1,2})\b(?: long| chars| characters)?",
            r"up to \1 alphanumeric characters",
        ),
        (r"\balphanumeric[,:]? (\d{1,2}) long\b", r"\1 alphanumeric characters"),
        (rf"\b(?:digits only|only digits|numeric|nur ziffern)[,:]? {LENGTH} (\d{{1,2}})\b", r"\1 digits"),
        (
            r"^(?:PIC )?9\(0?(\d{1,2})\)$|^(?-i:n)(\d{1,2})$|^(\d{1,2})(?-i:N)$",
            lambda match: f"{match[match.lastindex]} digits",
        ),
        (r"^(?-i:an)(\d{1,2})$", r"\1 alphanumeric characters"),
        (r"^an ?\.\.(\d{1,2})$", r"up to \1 alphanumeric characters"),
        (r"^(?-i:a)(\d{1,2})$", r"\1 letters"),
        (r"\b(two|three|2|3)[- ]letter (?:iso )?country (?:code|prefix)", r"\1 letters"),
        (
            rf"\b(?P<many>\w+)[- ]{DIGITS}(?: \w+)?,? (?:with )?(?:an? |the )?"
            r"(?P<sign>dash|hyphen|dot|slash|space|blank)"
            r" after (?:the )?(?P<at>\w+)(?: digits?| one| place)?",
            _parted,
        ),
        (r"\b8-4-4-4-12\b(?: hex\w*)?", "UUID"),
        (
            r"\b(?:uuid|guid)\b[^;]*\b(?:without|no|ohne|sans) (?:dash|hyphen|bindestrich|tiret|separator)\w*"
            r"(?:,? ?32 (?:hex\w*|chars?|characters|zeichen)(?: \w+)?)?",
            "32 hex chars",
        ),
        (r"\buniqueidentifier\b", "UUID"),
        (r"\((\[[^\]]+\](?:\{\d+\})?[^()]{0,12}|\\d(?:\{\d+\})?[^()\w]{0,3})\)\{(\d)\}", _repeated),
        (r"\bA{4}([-./ ]?)MM\1JJ\b", r"YYYY\1MM\1DD"),
        (r"\bJJ([-./ ]?)MM\1A{4}\b", r"DD\1MM\1YYYY"),
        (r"\bTT([-./ ]?)MM\1JJJJ\b", r"dd\1mm\1yyyy"),
        (r"\bJJJJ([-./ ]?)MM\1TT\b", r"yyyy\1mm\1dd"),
        (r"\bJJJJ\b", "yyyy"),
        (r"(?<![\\\w])d\{(\d+)\}", r"\\d{\1}"),
        (r"\b(?:n?var)?char2? ?\(? ?(\d+)(?: (?:char|byte))? ?\)?(?=\W|$)", r"up to \1 characters"),
        (
            r"\b(?:numc|numeric|number|decimal|dec|n) ?\( ?(\d+)(?: ?, ?0)? ?\)|\bnumc ?(\d+)\b",
            lambda match: f"up to {match.group(1) or match.group(2)} digits",
        ),
        (rf"\b(?:numeric|numerisch|digits|num),? {LENGTH}:? (\d+)\b", r"\1 digits"),
        (rf"\b{LENGTH}:? (?:of |von |de )?(\d+)\b(?! ?(?:to|-|bis))(?:, digits only)?", r"\1 characters"),
        (r"^\D{0,8}?(?P<list>\b[A-Z]{2,4}\b(?:\s*[,;|]\s*[A-Z]{2,4}\b)+)[\s,.…]*(?:etc\.?)?$", _examples),
        (r"^\D{0,8}?(?P<list>\b\d{3,6}\b(?:\s*[,;|]\s*\d{3,6}\b)+)[\s,.…]*(?:etc\.?)?$", _examples),
        (r"\b(?:from |von |de )?(?!9+\b)(\d{3,})\s*(?:-|\u2013|to|bis|\.\.+)\s*(\d*9{3,})\b", _range),
        (r"\b(?:between|zwischen|entre) (\w+) (?:and|und|et) (\w+)(?= )", r"\1 to \2"),
        (r"\b(?:at least|min\.?|minimum|mindestens|au moins) (\d+)(?= )", r"\1 to 99"),
        (r"\b[a-z]\w*(?: [a-z]\w*)? ?\((\d{1,2})\)", r"\1 digits"),
        (r"\b([A-Z]+[-/]?\d{2,})\s*(?:-|\u2013|to|bis|\.\.+)\s*([A-Z]+[-/]?\d{2,})\b", _first_of),
        (r"^(?:[a-z][a-z. ]* \d{1,2} ?\+ ?)+[a-z][a-z. ]* \d{1,2}$", _labelled),
        (
            r"\b(?P<many>\w+) (?:groups|blocks|gruppen|blocke|blöcke|groupes) (?:of|von|zu|zu je|de) "
            r"(?P<each>\w+)(?: (?:digits|ziffern|chiffres))"
            r"(?P<apart>,? ?(?:with|without|no|separated by|mit|ohne|getrennt durch|avec|sans)[\w ]*|)",
            _groups,
        ),
        (r"\b(\d{1,2}(?:-\d{1,2}){2,4}) (?:with|by|mit|avec) (?:dash|hyphen|bindestrich|tiret)\w*", _dashed),
        (r"[\"\u201c\u201e'\u2018]([A-Z0-9][A-Z0-9-]{0,5}|[A-Z])[\"\u201d\u201c'\u2019]", r"\1"),
        (
            r"(?i:\b(?:capital |upper-?case )?(?:letter|buchstabe|lettre)) (?-i:([A-Z]))\b(?=\W|$)",
            r"\1",
        ),
        (
            r"(?<=\w)[,;]? +(?:the )?(?:first|last|final|of which|davon|erste[rn]?|letzte[rn]?|premi\w+|derni\w+)"
            r"(?: \w+)? ?(?:=|is |are |sind |ist |being )[^,;]*",
            "",
        ),
        (
            r"(?<=\w),? (?:the )?(?:first|last|of which|davon|erste[rn]?|letzte[rn]?|premi\w+|derni\w+) \w+ "
            r"(?:an? )?(?:letters?|digits?|buchstaben?|ziffern?|lettres?|chiffres?|check\w*(?: ?digit)?)",
            "",
        ),
        (
            r"\b(\w+) (?:chars?|characters|zeichen|places|stellen|caractères)[:,]? \(?(?:only )?"
            r"A-Z ?(?:and|or|und|et|/|,|\+|&)? ?0-9\)?",
            r"\1 alphanumeric",
        ),
        (rf"\bcountry code (?={JOINT} \d+ digits)", "2 to 3 letters "),
        (
            r"(?<!digit )(?<!digits )\b(?:year|jahr|année|annee)(?= ?(?:/|\+|slash|dash|-|,|und|and) ?)",
            "2 to 4 digits",
        ),
        (
            r"(?<=slash, )(?:the )?(?:year|jahr)\b|(?<=/ )(?:year|jahr)\b|(?<=/)(?:year|jahr)\b",
            "2 to 4 digits",
        ),
        (
            r"(?<=/)( ?)(?:running |serial |consecutive |sequential |laufende |numéro )?"
            r"(?:number|no\.?|nummer|nr\.?|counter|zähler|d'ordre)\b",
            r"\1 1 to 12 digits",
        ),
        (r"(?<=digits)( ?)/( ?)(?=\d+ to|\d+ digits)", " slash "),
        (r"\b(digits?|letters?)-(?=\d+ (?:digits?|letters?)\b)", r"\1 dash "),
        (r"(?<=letters)( ?)/( ?)(?=\d+ (?:digits|letters))", " slash "),
        (r"\b(?:numeric|numerisch|numérique) (\d{1,2})(?![\d.]| ?[a-z])", r"\1 digits"),
        (r"\b(alphanumeric|alphanumerisch) (\d{1,2})(?![\d.]| ?[a-z])", r"\2 \1"),
        (
            r"\b(?:last|first|letzten?|ersten?|derniers?|premiers?) (\d+|\w+)(?: digits| ziffern| chiffres)? "
            r"(?:of|der|des|de|du|von)\b.*",
            r"\1 characters",
        ),
    )
]


BARE_COUNT = re.compile(rf"(?<!\w)([1-9]|1[0-2]) ?\+ ?(?=\d{{1,2}} {DIGITS})", re.IGNORECASE)


def in_words(text: str, *, counted: bool = False) -> str:
    """The description with its notations said in plain words.

    `counted`: the first figure of "8 + 4 digits" is a count; else it is the digit that the identifier starts with.
    """
    if counted:
        text = BARE_COUNT.sub(r"\1 digits ", text)
    for pattern, said in RULES:
        text = pattern.sub(said, text)
    return text
