"""A sample with dirt in which `customer_id` means three things, by year: found, how fast, in how much memory.

    python -m tests.drills.systems.profiles [rows ...]

200,000 and 5,000,000 rows unless told; exits with 1 when out of bounds.

Rows are out of order, weeks around each change overlap, one value in twenty is dirt, one date in fifty cannot be read.
"""

import csv
import json
import random
import resource
import shutil
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from initiatives.integration.measurement.measuring_process import run

FIRST, LAST = date(2016, 1, 1), date(2022, 12, 31)
CHANGES = (date(2018, 3, 1), date(2020, 11, 1))
OVERLAP = 14  # days before and after a change in which both ways are in use
LETTERS, DIGITS = "ABCDEFGHJKLMNPQRSTUVWXYZ", "0123456789"
BOUNDS = {200_000: (20, 300), 5_000_000: (540, 500)}  # seconds, MB


def identifier(draw: random.Random, day: date) -> str:
    """What the system wrote into `customer_id` on that day: a contract, an account, a payer."""
    kind = sum(day + timedelta(draw.randint(-OVERLAP, OVERLAP)) >= change for change in CHANGES)
    if kind == 0:
        return f"{draw.randrange(10**10):010}"
    if kind == 1:
        return "".join(draw.choices(LETTERS, k=2)) + f"{draw.randrange(10**8):08}"
    return "001" + "".join(draw.choices(LETTERS + LETTERS.lower() + DIGITS, k=15))


def dirt(draw: random.Random, value: str) -> str:
    """One stray in twenty."""
    if draw.random() > 0.05:
        return value
    return draw.choice(
        ["", "NULL", "n/a", value[:-1], f" {value} ", value.lower(), "see note", "0", "test", value + "X"]
    )


def write(path: Path, rows: int, seed: int = 7) -> None:
    """The sample, row by row to the disk."""
    draw, days = random.Random(seed), (LAST - FIRST).days
    regions, states = ["north", "south", "east", "west"], ["open", "closed", "waiting"]
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["order_id", "customer_id", "opened", "region", "state", "amount", "mail", "note"])
        for number in range(rows):
            day = FIRST + timedelta(draw.randrange(days))
            told = day.isoformat()
            if draw.random() < 0.02:
                told = draw.choice(["", "0000-00-00", "31.02.2019", "2099-01-01", "1900-01-01", "soon"])
            table.writerow(
                [
                    number + 1,
                    dirt(draw, identifier(draw, day)),
                    told,
                    draw.choice(regions),
                    draw.choice(states),
                    f"{draw.lognormvariate(4, 1):.2f}",
                    f"user{draw.randrange(10**6)}@example.org",
                    draw.choice(["", "called, will call back", 'said "no"\ntwice', "ok"]),
                ]
            )


def report(rows: int, folder: Path) -> dict:
    """Write, measure, compare; the file is gone afterwards."""
    path = folder / "sample.csv"
    write(path, rows)
    size, start = path.stat().st_size, time.monotonic()
    try:
        said = run(path, folder=folder, period_column="opened")
    finally:
        path.unlink()
    seconds = time.monotonic() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    column = next(one for one in said["columns"] if one["name"] == "customer_id")
    begins = [era["from"] for era in column["eras"][1:]]
    return {
        "rows": said["rows"],
        "file_mb": size >> 20,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_mb": used.ru_maxrss >> 10,
        "words": column.get("words", ""),
        "begins": begins,
        "months_off": [
            abs((int(told[:4]) * 12 + int(told[5:])) - (real.year * 12 + real.month))
            for told, real in zip(begins, CHANGES, strict=False)
        ],
        "others": [
            one["words"] for one in said["columns"] if one["name"] != "customer_id" and one.get("words")
        ],
    }


def main(sizes: list[int]) -> int:
    """Print one line of JSON for each size."""
    wrong = 0
    for rows in sizes:
        with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as folder:
            if shutil.disk_usage(folder).free < rows * 800 + (2 << 30):
                print(f"not enough room on the disk for {rows:,} rows", file=sys.stderr)
                return 1
            found = report(rows, Path(folder))
        seconds, memory = BOUNDS.get(rows, (540, 500))
        good = (
            found["rows"] == rows
            and len(found["begins"]) == len(CHANGES)
            and max(found["months_off"]) <= 1
            and not found["others"]
            and found["seconds"] < seconds
            and found["peak_mb"] < memory
        )
        wrong += not good
        print(json.dumps({"good": good} | found), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main([int(text) for text in sys.argv[1:]] or list(BOUNDS)))
