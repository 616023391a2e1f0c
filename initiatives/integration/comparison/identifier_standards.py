"""Identifier standards for definitions, with masks. They are those of python-stdnum that companies meet."""

from importlib import import_module

from stdnum.util import get_module_name

# By module of stdnum: how its numbers are written, without separators.
MASKS = {
    "at.uid": ('"ATU"9{8}',),
    "bic": ("A{6}X{2}", "A{6}X{5}"),
    "casrn": ("9{2,7}-99-9",),
    "ch.ssn": ('"756"9{10}', '"756".9999.9999.99'),
    "ch.uid": ('"CHE"9{9}', '"CHE"-999.999.999'),
    "ch.vat": ('"CHE"9{9}A{2,4}',),
    "cusip": ("X{9}",),
    "de.idnr": ("9{11}",),
    "de.vat": ('"DE"9{9}',),
    "de.wkn": ("X{6}",),
    "ean": ("9{8}", "9{12,14}"),
    "eu.vat": ("A{2}X{2,13}",),
    "fr.siren": ("9{9}",),
    "fr.siret": ("9{14}",),
    "gb.sedol": ("X{7}",),
    "gb.vat": ('"GB"9{9}', '"GB"9{12}', "9{9}", "9{12}"),
    "iban": ("A{2}99X{11,30}",),
    "imei": ("9{14,16}",),
    "imo": ("9{7}", '"IMO"9{7}'),
    "isbn": ("9{9}X", "9{13}"),
    "isin": ("A{2}X{9}9",),
    "isni": ("9{15}X",),
    "iso6346": ("A{4}9{7}",),
    "issn": ("9{7}X", "9999-999X"),
    "lei": ("X{18}99",),
    "us.ein": ("99-9{7}", "9{9}"),
    "vatin": ("A{2}X{2,14}",),
}
# stdnum does not know it: nine digits that a company gives out, without a check digit.
DUNS = "duns"
STANDARDS = dict(
    sorted(
        [
            *((key, get_module_name(import_module(f"stdnum.{key}"))) for key in MASKS),
            (DUNS, "DUNS (Data Universal Numbering System)"),
        ],
        key=lambda one: one[1].casefold(),
    )
)
MASKS[DUNS] = ("9{9}",)


def name_of(key: str) -> str:
    """Return the name of a standard, or its key if the standard is not known."""
    return STANDARDS.get(key, key)


def valid(key: str, number: str) -> bool:
    """Return True if a number and its check digits follow the standard. Unknown standards and DUNS take any text."""
    return key not in STANDARDS or key == DUNS or import_module(f"stdnum.{key}").is_valid(number)
