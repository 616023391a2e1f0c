"""Since when a column means something else: change points in the mix of its patterns, month by month.

A month is `year * 12 + month - 1`. Found by the cheapest description of all months as stretches with one mix each
(log-likelihood and a price for every further stretch); what dirt alone could do is then put back together.
"""

from calendar import month_name
from dataclasses import dataclass
from itertools import pairwise
from math import log

from initiatives.integration.measurement.patterns import BLANK, OTHER, grown

LEAST_ROWS = 20  # of an era, and
LEAST_SHARE = 0.005  # of all rows
NEAR = 0.3  # mixes that differ by less (half the sum of differences) are the same
SAME = 0.05  # months that differ by less need no looking at
SHORT = 2  # months; a shorter stretch between two others is the crossing from one to the other
TOLD = 0.2  # a pattern with a smaller share of an era is not named
MONTHS = list(month_name)[1:]


@dataclass(frozen=True)
class Era:
    """A stretch of months with one mix: first and last month, rows, the share of each pattern."""

    first: int
    last: int
    rows: int
    mix: dict[str, float]

    @property
    def told(self) -> tuple[str, ...]:
        """The patterns that make it, the most frequent first."""
        ordered = sorted(self.mix, key=lambda name: (-self.mix[name], name))
        return tuple(name for name in ordered if self.mix[name] >= TOLD and name != OTHER) or tuple(
            ordered[:1]
        )


def month_words(month: int) -> str:
    """March 2019."""
    return f"{MONTHS[month % 12]} {month // 12}"


def month_key(month: int) -> str:
    """2019-03."""
    return f"{month // 12}-{month % 12 + 1:02}"


def eras_of(months: dict[int, dict[str, int]]) -> list[Era]:
    """The eras of a column, in their order; one where nothing changed. `months`: rows of each pattern by month."""
    kept = sorted(month for month, counts in months.items() if sum(counts.values()))
    if not kept:
        return []
    names = _names(months)
    table = [_row(months[month], names) for month in kept]
    total = sum(map(sum, table))
    blocks = _blocks(table)
    cuts = _cheapest(table, blocks, max(LEAST_ROWS, LEAST_SHARE * total), total, len(names))
    stretches = list(pairwise(cuts))
    stretches = _crossings(table, stretches)
    stretches = _together(table, stretches, names)
    return [
        Era(kept[start], kept[end - 1], sum(whole := _sum(table, start, end)), _shares(whole, names))
        for start, end in stretches
    ]


def _names(months) -> list[str]:
    """The patterns worth telling apart: frequent in all, or in some month that counts."""
    total: dict[str, int] = {}
    for counts in months.values():
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
    rows = sum(total.values())
    named = sorted(
        (name for name in total if name != OTHER and total[name] >= 0.005 * rows),
        key=lambda name: total[name],
    )
    return [*named[::-1][:12], OTHER]


def _row(counts: dict[str, int], names: list[str]) -> list[int]:
    row = [counts.get(name, 0) for name in names[:-1]]
    return [*row, sum(counts.values()) - sum(row)]


def _sum(table, start: int, end: int) -> list[int]:
    return [sum(column) for column in zip(*table[start:end], strict=True)]


def _shares(counts: list[int], names: list[str]) -> dict[str, float]:
    rows = sum(counts)
    return {name: round(count / rows, 4) for name, count in zip(names, counts, strict=True) if count}


def _apart(one: list[int], other: list[int]) -> float:
    ones, others = sum(one) or 1, sum(other) or 1
    return sum(abs(a / ones - b / others) for a, b in zip(one, other, strict=True)) / 2


def _blocks(table) -> list[int]:
    """Where months begin that differ from those before: only there may an era begin."""
    starts, running = [0], list(table[0])
    for place in range(1, len(table)):
        if _apart(running, table[place]) > SAME:
            starts.append(place)
            running = list(table[place])
        else:
            running = [a + b for a, b in zip(running, table[place], strict=True)]
    return [*starts, len(table)]


def _cheapest(table, blocks: list[int], least: float, total: int, kinds: int) -> list[int]:
    """Cuts between months, the first and last place included, that cost least."""
    sums = [[0] * len(table[0])]
    for row in table:
        sums.append([a + b for a, b in zip(sums[-1], row, strict=True)])
    price = 2 * kinds * log(total + 1)
    best = [0.0] + [float("inf")] * (len(blocks) - 1)
    via = [0] * len(blocks)
    for end in range(1, len(blocks)):
        for start in range(end):
            counts = [b - a for a, b in zip(sums[blocks[start]], sums[blocks[end]], strict=True)]
            rows = sum(counts)
            if best[start] == float("inf") or (rows < least and (start, end) != (0, len(blocks) - 1)):
                continue
            cost = best[start] + price - sum(n * log(n / rows) for n in counts if n)
            if cost < best[end]:
                best[end], via[end] = cost, start
    cuts, place = [len(table)], len(blocks) - 1
    while place:
        place = via[place]
        cuts.append(blocks[place])
    return cuts[::-1]


def _crossings(table, stretches):
    """Short stretches whose mix lies between their neighbours' go to them, month by month, by the larger half."""
    place = 1
    while place < len(stretches) - 1:
        start, end = stretches[place]
        if end - start <= SHORT:
            before, after = (_sum(table, *stretches[place + step]) for step in (-1, 1))
            part, rest = _between(_sum(table, start, end), before, after)
            if rest < 0.15 and part is not None:
                middle = start
                while middle < end and (_between(table[middle], before, after)[0] or 0) < 0.5:
                    middle += 1
                stretches[place - 1] = (stretches[place - 1][0], middle)
                stretches[place + 1] = (middle, stretches[place + 1][1])
                del stretches[place]
                continue
        place += 1
    return stretches


def _between(counts, before, after) -> tuple[float | None, float]:
    """How far from one mix to the other these counts lie (0 to 1), and what that leaves unexplained."""
    one, other, own = ([n / (sum(row) or 1) for n in row] for row in (before, after, counts))
    way = [b - a for a, b in zip(one, other, strict=True)]
    length = sum(step * step for step in way)
    if not length:
        return None, 1.0
    part = sum((c - a) * step for c, a, step in zip(own, one, way, strict=True)) / length
    part = min(1.0, max(0.0, part))
    rest = sum(abs(c - a - part * step) for c, a, step in zip(own, one, way, strict=True)) / 2
    return part, rest


def _together(table, stretches, names):
    """Neighbours that dirt, growth of a counter or a small shift tell apart are one."""
    place = 1
    while place < len(stretches):
        before, after = (_sum(table, *stretches[place - step]) for step in (1, 0))
        if _apart(before, after) < NEAR or _counter(before, after, names):
            stretches[place - 1 : place + 1] = [(stretches[place - 1][0], stretches[place][1])]
            place = max(1, place - 1)
        else:
            place += 1
    return stretches


def _counter(before, after, names) -> bool:
    first, then = names[before.index(max(before))], names[after.index(max(after))]
    return first not in (BLANK, OTHER) and grown(first, then)


def words_of(column: str, eras: list[Era]) -> str:
    """The eras in a sentence: "customer_id: “9{10}” until February 2019, “A{2}9{8}” from March 2019." """
    parts = []
    for place, era in enumerate(eras):
        named = " or ".join(
            "blank" if name == BLANK else name if name in ("text", OTHER) else f"“{name}”"
            for name in era.told
        )
        if place == 0:
            parts.append(
                f"{named} until {month_words(eras[1].first - 1) if len(eras) > 1 else month_words(era.last)}"
            )
        elif place == len(eras) - 1:
            parts.append(f"{named} from {month_words(era.first)}")
        else:
            parts.append(f"{named} from {month_words(era.first)} to {month_words(eras[place + 1].first - 1)}")
    return f"{column}: {', '.join(parts)}."
