"""The ways in which people write down how an identifier looks, as patterns over text without accents."""

import re

from initiatives.disagreeing.named import KINDS
from initiatives.disagreeing.tables import words
from initiatives.disagreeing.vocabulary import NUMBERS

NAMES = [(name, re.compile(rf"(?<![a-z0-9])(?:{said})(?![a-z0-9])")) for name, (said, _) in KINDS.items()]
N = r"(\d{1,4}|" + "|".join(sorted((re.escape(word) for word in NUMBERS), key=len, reverse=True)) + r")"
DIGIT = (
    r"(?:decimal |numeric |numerische |random |consecutive |running |last |final |first |trailing |derniers |premiers |"
    r"letzten? |ersten? )?(?:digits?|figures|"
    r"numerals?|numeric|ziffern?|chiffres?|"
    r"(?:digit|stellige|ziffrige)s? (?:numbers?|nummer|zahl)|numbers|zahlen)"
)
LETTER = (
    r"(?:capital |upper ?case |lower ?case |latin |gross|grosse? ?)?(?:letters?|capitals|"
    r"buchstaben?|lettres?(?: majuscules)?|alpha|grossbuchstaben)"
)
ANY = (
    r"(?:(?:(?:upper|lower)[- ]?case |capital )?alphanumeric(?:al|s)?(?: (?:characters?|chars?|places|key|code))?|"
    r"alphanumerische?(?: (?:zeichen|stellen))?|(?:characters?|chars?) alphanumeric|"
    r"caracteres? alphanumeriques?)"
)
SIGN = r"(?:characters?(?: key)?|chars?(?: key)?|zeichen|caracteres?|signs|symbols)"
PLACE = r"(?:places?|positions?|stellen?|stellig[a-z]*|positionen)"
HEX = (
    r"(?:hex(?:adecimal)?(?: (?:chars?|characters?|digits?))?|"
    r"hexadezimal(?:e)?(?: (?:zeichen|ziffern|stellen))?)"
)
CLASSES = (("H", HEX), ("D", DIGIT), ("A", LETTER), ("X", ANY), ("*", PLACE), ("*", SIGN))
RANGE = (
    rf"(?:(?P<upto>up to|max\.?(?:imal)?|maximum|at most|bis zu|hochstens|jusqu'a|"
    rf"maximum de) )?{N}(?:(?: ?(?:-|to|bis|a|or|oder|ou|/) ?){N})?[ -]?"
)
COUNTED = [(kind, re.compile(rf"(?<![\w]){RANGE}{what}(?![a-z])")) for kind, what in CLASSES]
GERMAN = re.compile(rf"(?<![\w]){N}[ -]?(stellig|ziffrig)[a-z]*(?: (?:nummer|zahl))?")
SEPARATORS = (
    ("-", re.compile(r"(?<![a-z])(?:dash|hyphen|bindestrich|tiret)(?![a-z])")),
    (".", re.compile(r"(?<![a-z])(?:dot|full stop|punkt|(?<=chiffres )point|(?<=lettres )point)(?![a-z])")),
    ("/", re.compile(r"(?<![a-z])(?:slash|schragstrich|barre oblique)(?![a-z])")),
    (" ", re.compile(r"(?<![a-z])(?:space|blank|leerzeichen|espace)(?![a-z])")),
    ("_", re.compile(r"(?<![a-z])(?:underscore|unterstrich)(?![a-z])")),
)
SINGLE = (
    (
        "D",
        re.compile(
            r"(?<![a-z])(?:a |one |1 )?(?:check ?digit|control digit|prufziffer|cle de controle|digit)(?![a-z])"
        ),
    ),
    (
        "A",
        re.compile(
            r"(?<![a-z])(?:a |one |1 )?(?:(?:revision|row|site|capital|check|check ?letter|"
            r"prefix) )?(?:letter|buchstabe|lettre)(?![a-z])"
        ),
    ),
)
RUNNING = re.compile(
    r"(?<![a-z])(?:auto-?increment(?:ed)?|running(?: (?:number|no))?|"
    r"consecutive(?: number)?|serial(?: number)?|integer|int|"
    r"bigint|sequence|sequential(?: number)?|laufende nummer|fortlaufend[a-z]*(?: nummer)?|ganzzahl|entier|"
    r"numero sequentiel|numeric|number|nummer|numero|zahl|counter|identity)(?![a-z])"
)
NO_ZEROS = re.compile(
    r"(?:no|without|ohne|sans|stripped|dropped?) (?:of )?(?:the )?(?:leading|filling|"
    r"fuhrende|zeros? (?:non|non) )|(?:leading|fuhrende) (?:zeros?|nullen?) "
    r"(?:are )?(?:cut|stripped|dropped|removed|lost|gone|entfernt)|auto-?increment|"
    r"(?<![a-z])(?:big)?int(?:eger)?(?![a-z])|ganzzahl|entier|"
    r"zeros? (?:in front|at the front|on the left) (?:are )?(?:cut|stripped|dropped|removed|lost|gone)|"
    r"(?<!\w)0\d+ (?:is|as|becomes|(?:is )?stored as|wird|ist|devient) [1-9]"
)
ZEROS = re.compile(
    r"zero[- ]?(?:padded|filled)|with (?:a )?leading 0(?!\d)|mit fuhrender 0(?!\d)|"
    r"(?<!not )(?<!un)(?:left-|right-)?padded|"
    r"padded with zeros?|leading zeros?|fuhrende[nr]? null|"
    r"nullen aufgefullt|mit nullen|zeros? (?:non significatifs|a gauche)|"
    r"filled with zeros?|left[- ]padded|zeros? (?:in front|at the front|on the left)|"
    r"(?:digits|characters|places|ziffern|stellen),? (?:stored |kept |held )?(?:as|als) text"
)
CASE_MATTERS = re.compile(
    r"case[- ]sensitive|upper and lower case differ|"
    r"gross-? ?/?(?:und )?kleinschreibung (?:beachten|wird unterschieden|relevant|zahlt)|"
    r"sensible a la casse|mixed case matters|case matters|case counts"
)
CASE_IGNORED = re.compile(
    r"(?:not|non|no) (?:case[- ]sensitive|sensible a la casse)|case[- ]?insensitive|"
    r"case (?:is )?ignored|ignoring case|gross-? ?/?(?:und )?kleinschreibung (?:egal|"
    r"wird nicht|nicht)|insensible a la casse|any case|case does not matter"
)
SPREAD = re.compile(
    r"(?<!shown )(?<!displayed )(?<!printed )(?:with|mit|avec|incl(?:uding|\.)?|stored with|separated by|"
    r"getrennt durch) (?:dash|hyphen|dot|space|blank|separator|slash|"
    r"bindestrich|punkt|leerzeichen|trennzeichen|tiret|espace|point)|hyphenated|dashed|dotted|"
    r"(?:dash|hyphen|dot|space|separator|punkt|bindestrich|tiret)(?:e?s)? (?:included|kept|inklusive|compris)"
)
# Signs may stand between the groups, at least where it is shown.
GROUPED = re.compile(rf"{SPREAD.pattern}|in (?:groups|blocks)|formatted|gruppiert|in vierergruppen")
NOT_SPREAD = re.compile(
    r"(?:without|no|ohne|sans|w/o|not|stripped of|dropped?|removed) (?:any )?"
    r"(?:dash|hyphen|dot|space|blank|separator|slash|"
    r"bindestrich|punkt|leerzeichen|trennzeichen|tiret|espace|point)|unformatted|(?:dash|hyphen|dot|space|blank|separator)"
    r"(?:e?s)? (?:are )?(?:removed|stripped|dropped|left out|omitted|entfernt)"
)
# Where this is said, all is digits.
NO_LETTERS = re.compile(
    r"(?:no|without|ohne|sans|keine) (?:letters?|buchstaben?|lettres?)|digits only|only digits|nur ziffern"
)
# Where this is said, places are digits.
NUMERIC = re.compile(r"nummer|numeri|zahl|nr(?![a-z])")
# What is said of a check digit or the like that is not among the characters.
TAKEN_AWAY = re.compile(
    r"(?:\W|is|are|was|wird|ist|not|nicht|est|been|being)*\b(?:cut|dropped|removed|missing|omitted|left out|"
    r"not keyed|keyed|"
    r"not stored|stripped|absent|lacking|fehlt|entfallt|entfernt|abgeschnitten|weggelassen|excluded|supprimee?|omise)\b"
)
STARTS = re.compile(
    r"(?:always )?(?:starts?|starting|begins?|beginning|leading|beginnend|beginnt|commence|commencant|debute|debutant|"
    r"prefix(?:ed)?|prafix|prefixe) (?:(?:always )?(?:with|mit|par|by|is|in|at|from|w/)\b ?)?(?:an? |the )?"
    r"(?=(?:letters? |digits? |buchstabe |ziffer |chiffre |lettre )?['\"]?[a-z0-9]{1,6}(?:[-/]|\b))"
    r"(?!zero|nul|blank|space)"
)
MASK = re.compile(
    r"[A-Za-z0-9#./_:+-]*(?:n{2,}|9{3,}|(?<![A-Za-z0-9])9{2}[./_-]9|#{2,}|x{2,}|X{2,}|A{2,}|N{2,}|Y{2,}|y{2,}|"
    r"0{4,})[A-Za-z0-9#./_:+-]*|\b[A-Z]+-n\b|\bAAAn\b"
)
# Groups of a mask with blanks between them: AAA 999, A9999 99 999999.
SPACED = re.compile(r"(?<!\S)(?=\S* )(?:A{1,3}9+|[9A]{2,}|n{2,}|#{2,})(?: (?:9+A?|A+|n+|#+))+(?=[\s,;)]|$)")
LITERAL = re.compile(
    r"(?<![A-Za-z0-9'])([A-Z]{1,5}(?:[-/_.#](?:\d{1,2}[-/_.#])?)?|"
    r"[A-Z]{2,3}\d{1,2}(?=\s*(?:\+|followed\b|plus\b))|\d{1,4}[-/]?(?=\s*(?:\+|followed\b|plus\b|suivi\b|gefolgt\b)))"
    r"(?=\s*(?:\+|plus\b|and\b|und\b|et\b|followed\b|then\b|,|gefolgt\b|suivie?\b|dann\b|&|"
    r"\s\d{1,2}[ -]?(?:digit|ziffer|chiffre|stellig|letter)|\s(?:one|two|three|four|five|six|seven|eight|nine|ten|"
    r"eleven|twelve)\b))"
)
# The parts of a mask between its signs: a run that stands for a class, or a few letters that stand for themselves.
BETWEEN = re.compile(r"[-/.:_#]")
PARTS = re.compile(r"[-/.:_#]|[^-/.:_#]+")
RUN = re.compile(r"n+|N{2,}|9{2,}|x{2,}|X{2,}|a{2,}|A{2,}|y{2}|yyyy|Y{2}|YYYY|mm|dd|hh|MM|DD|HH")
FIXED = re.compile(r"(?!no|nr|num)[A-Za-z]{1,4}\d?|\d{1,3}")
# A few letters, and after a blank, which may be left out in what is stored, the mask of what counts: WTG nn.
PREFIXED = re.compile(r"(?<!\S)([A-Z]{1,4}) (n{2,}(?:[-/.]n+)*)(?=[\s,;)]|$)")
MASK_LETTERS = set("nxcymdhws")
NOT_A_MASK = {"xx", "X" * 2, "nn", "xxx", "X" * 3, "AA", "NN", "AAA", "INN", "ANN"}
STELLIG = re.compile(r"([a-z]{3,12}?)(stellig|ziffrig)[a-z]*(?: (?:nummer|zahl))?")
APART = re.compile(r"(?<=[\w)] )[./-](?= [\w(])")
FIRST = re.compile(
    r"(?:the )?(?:letters? |digits? |Buchstabe |Ziffer |chiffre |lettre )?['\"]?([A-Z0-9]{1,6}[-/]?|[a-z](?![a-z]))"
)
# What is said to stand before or behind the rest, or to be cut off there.
_CUT = r"(?:dropped|cut|removed|stripped|left out|omitted|missing|entfernt|weggelassen|fehlt)"
NO_PREFIX_SAID = re.compile(
    rf"(?:no|without|ohne|sans) (?:the |a |site |country )*(?:prefix|prafix)|prefix\w* (?:is |are )?{_CUT}"
)
PREFIX = re.compile(
    r"(?:with|plus|incl(?:uding|\.)?|mit|avec) (?:the |a |site |country )*(?:prefix|prafix|prefixe)"
)
NO_SUFFIX = re.compile(
    rf"(?:no|without|ohne|sans) (?:the |a |version )*(?:suffix|version|revision)|suffix (?:is )?{_CUT}"
)
SUFFIX = re.compile(
    r"(?:with|plus|incl(?:uding|\.)?|mit|avec) (?:the |a |version )*(?:suffix|version suffix|revision)"
)
# What two descriptions may say to be one way or the other, whatever else they say.
SIDES = {
    what: (re.compile(one), re.compile(other))
    for what, one, other in (
        (
            "clock",
            r"(?<![a-z])(?:utc|gmt|zulu|with z)(?![a-z+])",
            r"(?<![a-z])(?:local|summer time|central european|cest|cet|mez|mesz|ortszeit|heure locale|no zone|"
            r"without zone)(?![a-z])",
        ),
        (
            "decimal mark",
            r"decimal comma|comma as (?:the )?decimal|dezimalkomma|virgule decimale",
            r"decimal point|(?:point|dot) as (?:the )?decimal|dezimalpunkt|point decimal",
        ),
        (
            "percent or fraction",
            r"percent(?!age point)|prozent|pour ?cent|%",
            r"decimal fraction|(?<![a-z])fraction(?![a-z])",
        ),
        ("hexadecimal or decimal", r"(?<![a-z])hex(?:adecimal)?(?![a-z])", r"(?:^|in )decimal(?=$|, \d)"),
        (
            "seconds or a clock's hours",
            r"^(?:(?:in|as) )?(?:milli|micro|nano)?(?:seconds|minutes|hours|sekunden|minuten|secondes)(?![a-z])",
            r"(?<![a-z])hh?:mm",
        ),
        ("revision", r"(?<!without )(?<!no )(?:and|with|plus) revision", r"(?:without|no) revision"),
        (
            "check letter",
            r"(?:with|and|plus) (?:a )?check letter",
            rf"check letter {_CUT}|(?:without|no) check letter",
        ),
    )
}
# So many characters in all, before the parts that they are made of.
TOTAL = re.compile(rf"{RANGE}(?:{DIGIT}|{LETTER}|{ANY}|{SIGN}|{PLACE}|{HEX})(?= ?[:(])")
# A name in words and no code.
IN_WORDS = re.compile(
    r"(?:the )?(?:full |official |short |legal |complete )*"
    r"(?:(?:sur|family |first |last |vor|nach|familien|firmen)?name|nom)"
    r"(?![\w+.-]| ?(?:\+|code|id\b|key|space|prefix|tag))[^\d#+]*"
)
WEB_ADDRESS = re.compile(r"https?://[\w.-]+")
# Capital letters that name a standard or say what it is, and stand in no identifier.
NO_PREFIX = words("""
UIC ISO UTC ID E MRN ISIN IBAN PLZ ZIP VIN FIN PNR KVNR PZN SKU GTIN EAN GUID UUID SAP ERP NR NO DUNS LEI
KEY TEXT CHAR PIN PLU BIC CAS CP
""")
# A part that is named and not counted out: "country, number".
PART = re.compile(
    r"(?:the |a )?(?:[a-z]+ )?(?:number|nummer|numero|no|serial|sequence|counter|year|jahr|annee|suffix|revision|kind|"
    r"site|country|land|code)"
)
# Figures that are counted with and identify nothing.
FIGURES = re.compile(
    r"(?<![a-z])(?:decimals?|percent|prozent|nachkommastellen?|float|boolean|true|yes/no|flag)(?![a-z])"
)
# The whole description is that it is a figure.
FIGURES_ALONE = re.compile(
    r"(?:auto-?increment(?:ed)?(?: (?:number|integer|id|key))?|(?:big|small)?int(?:eger)?|identity|sequence|"
    r"sequential(?: number)?|running(?: (?:number|no))?|serial(?: number)?|numeric|ganzzahl|entier|"
    r"(?:fort)?laufende nummer|fortlaufend)\W*"
)
JOINED = re.compile(r"\+|(?<![a-z])(?:plus|followed by|then|gefolgt von|dann|puis|suivie? de)(?![a-z])")
# Parts that are named and not counted out, with a sign between them or joined in words. What joins two of them is in
# neither, so that each text can be read in one way only.
_WORD = r"(?!(?:plus|and|und|et)\b)[a-z][a-z']"
_NAMED_PART = rf"{_WORD}{{2,}}(?: {_WORD}+){{0,2}}(?: no\.)?"
SIGNED_PARTS = re.compile(rf"{_NAMED_PART}(?:(?: ?/ ?|[-_.]){_NAMED_PART})+")
NAMED_PARTS = re.compile(rf"{_NAMED_PART}(?:(?: ?\+ ?| plus | and | und | et |, ?){_NAMED_PART})+")
# What is said of a whole and names no part of it.
NO_PART = re.compile(
    r"(?<![a-z])(?:no|not|without|with|only|never|ohne|sans|nur|free|text|digits?|letters?|ziffern?|buchstaben?|"
    r"chiffres?|lettres?|\w*stellig\w*|case|capitals?|zeros?|leading|"
    r"numeric|integer|decimals?|point|comma|hyphens?|separators?|or|style|unique|mail|stored|kept|as|in|per|from|is|by|"
    r"one|each|unpadded|padded|n{2,}|x{2,}|y{2,}\w*|j{2,}\w*|dd|mm|hh|a{2,})(?![a-z])"
)
# Parts that may be digits: year and month.
IN_DIGITS = re.compile(
    r"(?:the |two-digit |running |own |serial )*(?:year|month|day|date|time|hour|number|no\.|nummer|numero|sequence|"
    r"counter|code|site|country|jahr|monat|tag|annee|mois)"
)
# What is said of the whole and is no part of it.
ASIDE = re.compile(
    r"zero|null|padd|unique|eindeutig|case|check|separator|blank|space|never|without|ohne|sans|no |eg|example"
)
