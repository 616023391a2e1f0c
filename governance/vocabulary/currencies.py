"""Currencies of ISO 4217: which codes exist, and how many decimals an amount has. Pure."""

from decimal import Decimal

from iso4217 import Currency

_DIGITS = {one.code: one.exponent for one in Currency if one.exponent is not None}


def wrong_currency(code: str) -> str:
    """Return why a code names no currency, or ""."""
    if code in _DIGITS:
        return ""
    return "Enter a currency of ISO 4217 as three letters, for example EUR."


def digits_of(code: str) -> int:
    """Return the number of decimals of a currency, two for an unknown code."""
    return _DIGITS.get(code, 2)


def wrong_amount(amount: Decimal, code: str, *, as_typed: bool = False) -> str:
    """Return why an amount has too many decimals for its currency, with what to type, or "".

    `as_typed` counts zeros too, since 50.000 can mean two amounts. An unknown code is not judged.
    """
    digits = digits_of(code)
    amount = amount if as_typed else amount.normalize()
    typed = max(0, -int(amount.as_tuple().exponent))
    if typed <= digits:
        return ""
    if digits:
        return f"{code} has {digits} decimals. Enter for example {amount:.{digits}f}."
    whole, part = f"{amount:f}".split(".")
    meant = f"{whole} or {whole}{part}" if not int(part) else whole
    return f"{code} has no decimals. Enter the amount without a point, for example {meant}."
