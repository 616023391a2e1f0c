"""The ways in which people write down how an identifier looks, as patterns over text without accents."""

import re

from initiatives.disagreeing.lexicon import words
from initiatives.disagreeing.named import KINDS
from initiatives.disagreeing.vocabulary import NUMBERS

NAMES = [(name, re.compile(rf"(?<![a-z0-9])(?:{said})(?![a-z0-9])")) for name, (said, _) in KINDS.items()]
N = r"(\d{1,4}|" + "|".join(sorted((re.escape(word) for word in NUMBERS), key=len, reverse=True)) + r")"
DIGIT = (
    r"(?:decimal |numeric |numerische |random |consecutive |running )?(?:digits?|"
    r"numerals?|numeric|ziffern?|chiffres?|"
    r"(?:digit|stellige|ziffrige)s? (?:numbers?|nummer|zahl)|numbers|zahlen)"
)
LETTER = (
    r"(?:capital |upper ?case |lower ?case |latin |gross|grosse? ?)?(?:letters?|"
    r"buchstaben?|lettres?(?: majuscules)?|alpha|grossbuchstaben)"
)
ANY = (
    r"(?:alphanumeric(?:al|s)?(?: (?:characters?|chars?|places|key|code))?|"
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
    (".", re.compile(r"(?<![a-z])(?:dot|full stop|punkt|point)(?![a-z])")),
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
    r"(?<![a-z])(?:big)?int(?:eger)?(?![a-z])|ganzzahl|entier"
)
ZEROS = re.compile(
    r"zero[- ]?(?:padded|filled)|padded with zeros?|leading zeros?|fuhrende[nr]? null|"
    r"nullen aufgefullt|mit nullen|zeros? (?:non significatifs|a gauche)|"
    r"filled with zeros?|left[- ]padded"
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
JOINER = re.compile(r"\+|/|(?<![a-z])(?:plus|and|then|followed|und|et|dann|puis)(?![a-z])")
EXAMPLE = re.compile(r"(?<![\w{\[\\])[A-Z0-9]+(?:[ ./-]?[A-Z0-9]+)+(?![\w}\]])")
SPREAD = re.compile(
    r"(?:with|mit|avec|incl(?:uding|\.)?) (?:dash|hyphen|dot|space|blank|separator|"
    r"bindestrich|punkt|leerzeichen|tiret|espace)|in groups|in blocks|formatted|gruppiert|"
    r"in vierergruppen"
)
STARTS = re.compile(
    r"(?:starts?|starting|begins?|beginning) with |beginnt mit |beginnend mit |"
    r"commence par |commencant par |prefix(?:ed)?(?: with| by)? |prafix |prefixe "
)
MASK = re.compile(
    r"[A-Za-z0-9#./_:+-]*(?:n{2,}|9{3,}|#{2,}|x{2,}|X{2,}|A{2,}|N{2,}|Y{2,}|y{2,}|"
    r"0{4,})[A-Za-z0-9#./_:+-]*|\b[A-Z]+-n\b|\bAAAn\b"
)
BRACED = re.compile(
    r"\^?(?:(?:\[[^\]]+\]|\\d|\\w|[9AaX])(?:\{\d+(?:,\d*)?\}|[+*])?|[A-Z]|"
    r"[-./:_ ])*(?:\[[^\]]+\]|\\d|\\w|[9AaX])\{\d+(?:,\d*)?\}(?:(?:\[[^\]]+\]|\\d|\\w|"
    r"[9AaX])(?:\{\d+(?:,\d*)?\}|[+*])?|[A-Z]|[-./:_ ])*\$?"
)
LITERAL = re.compile(
    r"(?<![A-Za-z0-9'])([A-Z]{1,5}[-/_.]?|\d{1,4}(?=\s*\+))(?=\s*(?:\+|plus\b|and\b|und\b|"
    r"et\b|followed\b|then\b|,|gefolgt\b|suivi\b|dann\b|&|\s\d|\s(?:one|two|three|four|"
    r"five|six|seven|eight|nine|ten|eleven|twelve)\b))"
)
MASK_LETTERS = set("nxcymdhws")
NOT_A_MASK = {"xx", "X" * 2, "nn", "xxx", "X" * 3, "AA", "NN", "AAA", "INN", "ANN"}
STELLIG = re.compile(r"([a-z]{3,12}?)(stellig|ziffrig)[a-z]*(?: (?:nummer|zahl))?")
APART = re.compile(r"(?<=[\w)] )[./-](?= [\w(])")
FIRST = re.compile(r"(?:the )?(?:letters? |digits? )?['\"]?([A-Za-z0-9-]{1,5})")
# Capital letters that name a standard or say what it is, and stand in no identifier.
NO_PREFIX = words("""
UIC ISO UTC ID E MRN ISIN IBAN PLZ ZIP VIN FIN PNR KVNR PZN SKU GTIN EAN GUID UUID SAP ERP NR NO DUNS LEI
KEY TEXT CHAR PIN PLU BIC CAS CP
""")
# What may stand beside a shape and changes nothing of it.
HARMLESS = words("""
a an the of with and plus then followed by in at end start last first may be is are no not without
blanks blank spaces key code text number nummer numero numeric prefix only always exactly format form
like eg long upper lower case sensitive and zero zeros padded filled leading und mit ohne dann gefolgt
von et avec sans puis suivi de des la le un une bis zu max up to string char chars length all digit
digits nullen fuhrender fuhrenden fuhrende null aufgefullt check site row revision day year month
counter serial running per yy mm dd capital capitals letters places middle x technical unique or for
each der die das im am auf id customer country
""")
# The whole description is that it is a figure.
FIGURES_ALONE = re.compile(
    r"(?:auto-?increment(?:ed)?(?: (?:number|integer|id|key))?|(?:big|small)?int(?:eger)?|identity|sequence|"
    r"sequential(?: number)?|running(?: (?:number|no))?|serial(?: number)?|numeric|ganzzahl|entier|"
    r"(?:fort)?laufende nummer|fortlaufend)\W*"
)
JOINED = re.compile(r"\+|(?<![a-z])(?:plus|followed by|then|gefolgt von|dann|puis|suivie? de)(?![a-z])")
# What is said of the whole and is no part of it.
ASIDE = re.compile(
    r"zero|null|padd|unique|eindeutig|case|check|separator|blank|space|never|without|ohne|sans|no |eg|example"
)
EG = re.compile(r"(?i)\be\.?g\.?,?|\bex\.|\blike\b|\bwie\b|\bexample:?")
