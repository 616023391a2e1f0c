"""How much of the real population a curated sample stands for, stratum by stratum (S1-25). Pure."""

from dataclasses import dataclass

from initiatives.integration.measurement.significance import differ

LEAST = 0.02  # shares that differ by less are called the same


@dataclass(frozen=True)
class Stratum:
    """One part of the population: its share there and in the sample, and what that makes it."""

    name: str
    population: float
    sample: float
    state: str  # missing, under, over, fair or unknown (in the sample alone)


@dataclass(frozen=True)
class Cover:
    """What a sample covers: the share of the population in strata that it has, and twice-counted or lacking shares."""

    covered: float
    strata: tuple[Stratum, ...]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    repeated: tuple[str, ...]
    unspoken: float

    @property
    def under(self) -> tuple[str, ...]:
        """Strata with a smaller share of the sample than of the population."""
        return tuple(one.name for one in self.strata if one.state == "under")

    @property
    def over(self) -> tuple[str, ...]:
        """Strata with a larger share of the sample than of the population."""
        return tuple(one.name for one in self.strata if one.state == "over")


def cover(population: list[dict], sample: list[dict], *, rows: int) -> Cover:
    """Compare rows of {stratum, share}, shares from 0 to 1. `rows`: of the sample; a small one is forgiven more.

    `covered`: the population's share in strata of which the sample has any row. `unspoken`: what the population's
    shares lack to 1. Names are compared without case and outer spaces; one named twice is added up and told.
    """
    whole, twice = _added(population)
    part, again = _added(sample)
    names = {_plain(row["stratum"]): row["stratum"].strip() for row in [*sample, *population]}
    strata = []
    for key in sorted(whole, key=lambda key: (-whole[key], key)):
        here, there = part.get(key, 0.0), whole[key]
        state = "fair"
        if not here:
            state = "missing"
        elif differ(here, rows, there, 10**9, least=min(LEAST, there / 2)):
            state = "over" if here > there else "under"
        strata.append(Stratum(names[key], there, here, state))
    unknown = [key for key in part if key not in whole]
    strata += [Stratum(names[key], 0.0, part[key], "unknown") for key in unknown]
    return Cover(
        covered=round(sum(share for key, share in whole.items() if part.get(key)), 6),
        strata=tuple(strata),
        missing=tuple(one.name for one in strata if one.state == "missing"),
        unknown=tuple(names[key] for key in unknown),
        repeated=tuple(names[key] for key in {*twice, *again}),
        unspoken=round(max(0.0, 1 - sum(whole.values())), 6),
    )


def strata_of(column: dict) -> list[dict]:
    """The strata of a measured column that has few values; [] for one that has many."""
    return [{"stratum": value, "share": share} for value, share in (column.get("categories") or {}).items()]


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _added(rows: list[dict]) -> tuple[dict[str, float], set[str]]:
    found: dict[str, float] = {}
    twice = set()
    for row in rows:
        key = _plain(row["stratum"])
        if key in found:
            twice.add(key)
        found[key] = found.get(key, 0.0) + row["share"]
    return found, twice
