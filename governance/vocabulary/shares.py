"""Shares of what was seen, with the interval that holds the true share. Pure."""

from math import sqrt

Z_95 = 1.959963984540054  # the 97.5 % quantile of the normal distribution


def wilson(hits: int, of: int, z: float = Z_95) -> tuple[float, float]:
    """Return the 95 % interval of the true rate for `hits` of `of` (Wilson's score).

    Unlike the textbook interval it remains within 0 and 1 and suits small samples (Wilson 1927; Newcombe 1998). Raises
    ValueError if the numbers are not a share.
    """
    if of <= 0 or not 0 <= hits <= of:
        raise ValueError(f"{hits} of {of} is not a share of a sample.")
    share, square = hits / of, z * z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = z / (1 + square / of) * sqrt(share * (1 - share) / of + square / (4 * of * of))
    return (0.0 if hits == 0 else middle - half), (1.0 if hits == of else middle + half)


def in_words(hits: int, of: int) -> str:
    """Return the share with its interval, as "9 of 10 (60 to 98 %)", or "" for 0 of 0."""
    if not of:
        return ""
    low, high = wilson(hits, of)
    return f"{hits} of {of} ({100 * low:.0f} to {100 * high:.0f} %)"
