"""What the suggestion of similar initiatives costs while somebody types.

    python -m tests.drills.company.similar [INITIATIVES ...]

Titles and problems of real initiatives, and some of none, are typed a few letters at a time, as the page asks for them:
each round is one request through the client, the page and its access included. p50, p95 and the longest, in
milliseconds, for the portfolio of 3,611 and of 10,000 initiatives; more than 150 at p95 fails.
"""

import argparse
import os
import random
import statistics
import time
from pathlib import Path

from tests.drills.company import place, portfolio

MOST = 150.0
TYPED = 60  # initiatives that are typed
STEPS = 5  # requests for each
OF_NONE = (
    ("Robot for the watering of office plants", "Plants die in the holidays since nobody is there."),
    ("Chatbot", "Staff ask the same questions every day and wait for an answer."),
    ("AI tool for data analysis and summarization of documents", "It takes too long to read the documents."),
)


def typed(seed: int) -> list[tuple[str, str]]:
    """What stands in both fields at each request: the title as it grows, then the problem."""
    chance, seen = random.Random(seed), []
    real = [(row.title, row.problem) for row in chance.sample(portfolio.rows(), TYPED)]
    for title, problem in [*real, *OF_NONE]:
        for step in range(1, STEPS + 1):
            seen.append((title[: len(title) * step // STEPS], ""))
        for step in range(1, STEPS + 1):
            seen.append((title, problem[: len(problem) * step // STEPS]))
    return seen


def main() -> None:
    """Lay down each portfolio, type, print; exits with 1 where it takes too long."""
    wanted = argparse.ArgumentParser()
    wanted.add_argument("initiatives", type=int, nargs="*", default=[len(portfolio.rows()), 10_000])
    wanted.add_argument("--keep", action="store_true", help="keep the portfolios for the next run")
    given = wanted.parse_args()
    slow = False
    for initiatives in given.initiatives:
        with place.database(f"portfolio_{initiatives}" if given.keep else None):
            slow |= measured(initiatives) > MOST
    raise SystemExit(int(slow))


def measured(initiatives: int) -> float:
    """p95 of a request over a portfolio of so many initiatives, in milliseconds; told as it is found."""
    from django.test import Client

    from tests.support import factories

    portfolio.found(initiatives)
    client = Client(SERVER_NAME="localhost", headers={"hx-request": "true"})
    client.force_login(factories.cast_again().owner)
    asked = typed(initiatives)
    times, busy = [], []
    for number, (title, problem) in enumerate([*asked[:20], *asked]):
        worked, began = _worked(), time.perf_counter()
        answer = client.post("/initiatives/similar/", {"title": title, "problem": problem})
        took = (time.perf_counter() - began) * 1000
        assert answer.status_code == 200, answer.status_code
        if number >= 20:  # the first ones warm up
            times.append(took)
            busy.append((_worked() - worked) * 1000)
    ranks, of_work = statistics.quantiles(times, n=100), statistics.quantiles(busy, n=100)
    print(
        f"{initiatives} initiatives, {len(times)} requests while typing: p50 {ranks[49]:.0f} ms, "
        f"p95 {ranks[94]:.0f} ms,"
        f" longest {max(times):.0f} ms (at most {MOST:.0f} ms at p95);"
        f" of processors, ours and the database's, p50 {of_work[49]:.0f} ms, p95 {of_work[94]:.0f} ms"
    )
    return ranks[94]


def _worked() -> float:
    """Seconds for which this process and its connection kept a processor busy, whatever else the machine does."""
    from django.db import connection

    connection.ensure_connection()
    server = (
        Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
    )
    return time.process_time() + (int(server[11]) + int(server[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
