"""What chance alone does to two samples of one population. Everything called a drift has to be beyond it."""

from math import log, sqrt

SURE = 5.0  # standard errors; many columns and patterns are looked at, so that three would be a false alarm a file


def apart(share: float, rows: float, other: float, others: float) -> float:
    """Standard errors between two shares of so many rows each (two proportions, pooled; half a row of continuity)."""
    if rows <= 0 or others <= 0:
        return 0.0
    pooled = (share * rows + other * others) / (rows + others)
    error = sqrt(pooled * (1 - pooled) * (1 / rows + 1 / others))
    gap = max(0.0, abs(share - other) - 0.5 * (1 / rows + 1 / others))
    return gap / error if error else 0.0


def differ(share: float, rows: float, other: float, others: float, *, least: float) -> bool:
    """Whether two shares differ by at least `least` and by more than chance."""
    return abs(share - other) >= least and apart(share, rows, other, others) > SURE


def came_new(share: float, rows: float, others: float) -> bool:
    """Whether a value that `share` of `rows` have would hardly be missing among `others` rows of the same population.

    Each of its rows would be drawn for the first sample with the odds of the sizes.
    """
    count = share * rows
    return count > 0 and others > 0 and count * log((rows + others) / rows) > 12


def median_error(quantiles: list[float], rows: float) -> float:
    """The standard error of a median, from the quartiles (a normal shape assumed, twice the error for other shapes)."""
    return 2 * 1.253 * abs(quantiles[4] - quantiles[2]) / 1.349 / sqrt(max(1.0, rows))
