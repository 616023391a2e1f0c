"""The disclosure control of surveys: the publishable figures from the sums.

Pure, over numbers alone. Every figure rests on five answers or more, and so does every difference of figures: for each
question the teams are put together until each part has five, and the parts add up to everyone. A survey has one
publication, when it is closed (ADR 0033).
"""

from collections.abc import Iterable
from math import sqrt

from adoption.models.instruments import HIGHEST, LOWEST
from adoption.models.surveys import LEAST

Z = 1.959963984540054  # two-sided 95 % of the normal distribution


def parts(counts: dict[int, int], least: int = LEAST) -> list[list[int]]:
    """Return groups of teams, by number, each with `least` answers or more.

    Too few answers in all give no group. The small teams form one group. If it is still too small, the smallest large
    one joins it. Subtraction then reveals neither a part nor a rest of fewer.
    """
    if sum(counts.values()) < least:
        return []
    large = sorted((team for team, n in counts.items() if n >= least), key=lambda team: (counts[team], team))
    small = [team for team, n in counts.items() if n < least]
    if small and sum(counts[team] for team in small) < least:
        small.append(large.pop(0))
    return sorted([[team] for team in large] + ([sorted(small)] if small else []))


def merged(teams: list[dict], least: int = LEAST) -> list[dict]:
    """Return the teams to ask. Teams of fewer than `least` people are combined, under their names."""
    together = parts({place: team["invited"] for place, team in enumerate(teams)}, least)
    return [
        {
            "name": ", ".join(teams[place]["name"] for place in part),
            "invited": sum(teams[place]["invited"] for place in part),
        }
        for part in together
    ]


def estimate(sums: Iterable[float]) -> dict | None:
    """Return mean, spread and 95 % interval on the scale, or None under five answers.

    `sums` is [answers, sum, sum of squares]. The interval is Student's t over the answers and two more, one at each end
    of the scale. The interval remains wide enough for few or equal answers.
    """
    n, total, squares = sums
    if n < LEAST:
        return None
    more = n + 2
    centre = (total + LOWEST + HIGHEST) / more
    spread = max((squares + LOWEST**2 + HIGHEST**2) / more - centre**2, 0) * more / (more - 1)
    half = student(more - 1) * sqrt(spread / more)
    own = max(squares / n - (total / n) ** 2, 0) * n / (n - 1)
    return {
        "n": int(n),
        "mean": round(total / n, 1),
        "sd": round(sqrt(own), 1),
        "low": round(max(LOWEST, centre - half), 1),
        "high": round(min(HIGHEST, centre + half), 1),
    }


def student(freedom: int) -> float:
    """Return Student's two-sided 95 % quantile. An expansion of the normal one, within 0.001 from 6 degrees on."""
    z, v = Z, freedom
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4)
    )


def published(answered: dict[int, int], sums: dict[int, dict[str, list]], keys: list[str]) -> dict | None:
    """Return the publishable results, or None under five answers.

    They are {answered, questions: {key: {all, parts: [{teams, ...}]}}}. A question with fewer than five answers has
    None for all, and no parts. The figure of a whole set is computed from this (`of_set`), never from single people: a
    mean over those who answered all of it would be a second total, and the difference of the two could be one person.
    """
    if sum(answered.values()) < LEAST:
        return None
    questions = {}
    for key in keys:
        found = {team: sums.get(team, {}).get(key, [0, 0, 0]) for team in answered}
        together = parts({team: int(n) for team, (n, _, _) in found.items()})
        questions[key] = {
            "all": estimate(_added(found.values())),
            "parts": [
                {"teams": part} | estimate(_added(found[team] for team in part))
                for part in (together if len(together) > 1 else [])
            ],
        }
    return {"answered": sum(answered.values()), "questions": questions}


def _added(rows) -> list[float]:
    return [sum(column) for column in zip(*rows, strict=True)]


def of_set(figures: list[tuple[dict | None, bool]]) -> dict | None:
    """Return the figure of a whole set, or None if a question lacks one.

    `figures` has the figure of each question, and True if it counts turned round. The spread and interval of the set
    are the means of theirs, which is wide enough for any correlation.
    """
    if not figures or any(figure is None for figure, _ in figures):
        return None
    turned = [_turned(figure) if against else figure for figure, against in figures]
    whole = {
        name: round(sum(one[name] for one in turned) / len(turned), 1)
        for name in ("mean", "sd", "low", "high")
    }
    return whole | {"n": min(one["n"] for one in turned)}


def _turned(figure: dict) -> dict:
    return figure | {
        "mean": round(HIGHEST - figure["mean"], 1),
        "low": round(HIGHEST - figure["high"], 1),
        "high": round(HIGHEST - figure["low"], 1),
    }
