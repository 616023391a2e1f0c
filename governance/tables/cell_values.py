"""The contents of a cell: blanks in words, lists, and days as serial numbers."""

import ast
import json
import re
import unicodedata
from datetime import date, timedelta
from functools import lru_cache

from governance.vocabulary.readable_text import normalized

# Words of people and programs for an empty cell, folded. "None", "unknown" and "to be determined" may be answers, so
# they are not here.
BLANKS = frozenset(
    (
        *("n/a", "n.a", "na", "n/a.", "not applicable", "not available", "not provided", "not reported"),
        *("blank", "empty", "redacted", "withheld", "null", "nil", "nan", "#n/a", "no data", "no answer"),
        *("nicht zutreffend", "nicht anwendbar", "nicht verfugbar", "keine angabe", "keine angaben"),
        *("k.a", "k. a", "entfallt", "nicht vorhanden", "leer", "geschwarzt"),
        *("n.v.t", "nvt", "niet van toepassing", "niet beschikbaar", "geen gegevens", "onbekend/n.v.t", "leeg"),
        *("s/o", "s.o", "sans objet", "non applicable", "non disponible", "non renseigne", "non communique", "vide"),
        *("n/d", "n.d", "nd", "n/p", "sin datos", "sin informacion", "sin dato", "no aplica", "no disponible"),
        *("no procede", "vacio", "no informado"),
        *("non applicabile", "non disponibile", "non pertinente", "nessun dato", "vuoto"),
        *("nao aplicavel", "nao se aplica", "nao disponivel", "sem dados", "sem informacao", "vazio"),
    )
)  # fmt: skip
# Words for yes and for no, folded.
YES = frozenset(("yes", "y", "true", "1", "x", "ja", "j", "wahr", "oui", "vrai", "si", "sim", "vero"))
NO = frozenset(("no", "n", "false", "0", "nein", "falsch", "non", "faux", "nee", "nao", "falso"))
LONGEST_BLANK = 32  # characters
LONGEST_LIST = 20_000  # characters of a cell that is read as a list
# Spreadsheet numbers of 1 January 1950 and 31 December 2100, counted from 1900.
FIRST_SERIAL, LAST_SERIAL = 18_264, 73_415
EPOCH, LATER_BY = date(1899, 12, 30), 1462  # days by which the count from 1904 begins later


def folded(text: str) -> str:
    """Return a text in lower case, without accents, with single spaces, to compare it."""
    spread = normalized("NFKD", re.sub(r"\s+", " ", text.replace("\u2019", "'")).strip().casefold())
    return "".join(letter for letter in spread if not unicodedata.combining(letter))


@lru_cache(maxsize=4096)
def _says_nothing(text: str) -> bool:
    bare = folded(text).lstrip(" [({<\"'*_-").rstrip(" ])}>\"'*_-")
    return not re.search(r"\w", bare.replace("_", "")) or bare in BLANKS or bare.rstrip(".") in BLANKS


def is_blank(text: str) -> bool:
    """Return True for an empty cell, or one with N/A, [blank], Redacted, --- or "?"."""
    # Only short texts repeat, so only these are cached.
    return (len(text) <= LONGEST_BLANK and _says_nothing(text)) or not text.strip()


def yes_or_no(text: str) -> bool | None:
    """Return the answer in a cell, or None for other text."""
    said = folded(text)
    return said in YES if said in YES | NO else None


def list_as_text(text: str) -> str:
    """Return the items of a JSON or Python list, joined by "; ", or other text as is."""
    bare = text.strip()
    if not bare.startswith("[") or not bare.endswith("]") or len(bare) > LONGEST_LIST:
        return text
    for read in (json.loads, ast.literal_eval):
        try:
            items = read(bare)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(items, list) and all(isinstance(item, (str, int, float)) for item in items):
            return "; ".join(str(item).strip() for item in items if not is_blank(str(item)))
    return text


def serial_day(text: str, *, since_1904: bool = False) -> str:
    """Return the ISO day of a spreadsheet's number for 1950 to 2100, or "".

    `since_1904`: the workbook counts its days from 1904, as those of an old Mac do.
    """
    found = re.fullmatch(r"(\d{5})([.,]\d+)?", text.strip())
    if not found:
        return ""
    number = int(found[1]) + (LATER_BY if since_1904 else 0)
    return (EPOCH + timedelta(days=number)).isoformat() if FIRST_SERIAL <= number <= LAST_SERIAL else ""
