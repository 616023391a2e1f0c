"""The engine and a plain reading asked the same at random: `python -m tests.drills.systems.readings [COUNT] [SEED]`."""

import os
import random
import sys
import time
from collections import Counter

import django


def main(count: int, seed: int) -> int:
    """Exit 1 when one request was answered differently, or when some outcome is hardly asked for."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    from tests.support.rules.random_contracts import unequal

    began = time.monotonic()
    wrong, codes = unequal(random.Random(seed), count)
    took = time.monotonic() - began
    print(f"{codes.total()} requests (seed {seed}), {len(wrong)} answered differently, {took:.0f} s")
    outcomes = Counter()
    for (outcome, code), number in sorted(codes.items()):
        outcomes[outcome] += number
        print(f"  {number:>7}  {outcome}: {code}")
    for outcome, number in outcomes.most_common():
        print(f"  {number / codes.total():>7.1%}  {outcome}")
    for rules, evaluation_request, now, ours, theirs in wrong[:3]:
        print(f"{rules}\n{evaluation_request}\n{now}\nengine {ours}\nreading {theirs}")
    return bool(wrong) or min(outcomes.values()) < codes.total() / 10


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    sys.exit(main(*(given + [100_000, 5][len(given) :])))
