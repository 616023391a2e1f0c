"""Our own export, CSV and workbook, read back in: `python -m tests.drills.company.own_portfolio [INITIATIVES]`.

Of a company of so many initiatives it must come back without a change; of 200 edits planted in it each must be shown,
the words of people proposed, what is decided or worked out here refused. Seconds and peak memory stand beside.
"""

import argparse
import csv
import io
import random
import resource
import time

from tests.drills.company import place, thousands

WORDS = {"Title": "title", "Problem": "problem", "Vendor": "vendor", "Ticket": "ticket"}
DECIDED = ("Approved stage", "Supported stage", "Levels of answers", "Owner", "Risk tier")
EDITS = 200


def main() -> None:
    """Found the company, export, read back, plant edits, print."""
    asked = argparse.ArgumentParser()
    asked.add_argument("initiatives", type=int, nargs="?", default=10_000)
    given = asked.parse_args()
    with place.database():
        company = thousands.found(given.initiatives)
        told(company.cast)


def told(cast) -> None:
    """What came back, of both kinds of file, and what became of the edits."""
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(cast.admin)
    for ending in ("csv", "xlsx"):
        began = time.monotonic()
        content = exported(client, ending)
        wrote = time.monotonic() - began
        began = time.monotonic()
        rows = read(cast, content, f"portfolio.{ending}")
        took = time.monotonic() - began
        unchanged = sum(
            row.decision == "unchanged" and not row.mapped["refused"] and not row.mapped["changes"]
            for row in rows
        )
        print(
            f"{ending}: {unchanged:,} of {len(rows):,} rows without a change, written {wrote:.1f} s, read {took:.1f} s"
        )
        for row in [row for row in rows if row.decision != "unchanged" or row.mapped["refused"]][:3]:
            print("   ", row.decision, row.mapped["changes"], row.mapped["refused"], row.problems)
        if ending == "csv":
            edited(cast, content)
    print(f"peak memory of the process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def exported(client, ending: str) -> bytes:
    """The export as it is downloaded."""
    response = client.get(f"/initiatives/export.{ending}")
    return b"".join(response.streaming_content) if response.streaming else response.content


def read(cast, content: bytes, name: str) -> list:
    """The rows as they are planned; the upload is thrown away."""
    from initiatives.portfolio.imports.portfolio.actions import upload_portfolio
    from initiatives.portfolio.imports.removal.actions import discard_batch

    batch = upload_portfolio(content=content, file_name=name, by=cast.admin)
    rows = list(batch.rows.all())
    discard_batch(batch=batch, by=cast.admin)
    return rows


def edited(cast, content: bytes) -> None:
    """Plant edits, one a row, and count what is shown, proposed and refused."""
    table = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    chance = random.Random(200)
    planted = {}
    for number, row in enumerate(chance.sample(table, min(EDITS, len(table)))):
        header = [*WORDS, *DECIDED][number % (len(WORDS) + len(DECIDED))]
        row[header] = "Production" if row[header] != "Production" else "MVP"
        planted[row["Reference"]] = header
    out = io.StringIO()
    writer = csv.DictWriter(out, table[0])
    writer.writeheader()
    writer.writerows(table)
    proposed = refused = wrong = untouched = 0
    for row in read(cast, out.getvalue().encode(), "edited.csv"):
        header = planted.get(row.mapped["reference"])
        changes = [each["field"] for each in row.mapped["changes"]]
        kept = [each["words"] for each in row.mapped["refused"]]
        if header is None:
            untouched += not changes and not kept
        elif header in WORDS and changes == [WORDS[header]] and not kept:
            proposed += 1
        elif header in DECIDED and kept == [header] and not changes:
            refused += 1
        else:
            wrong += 1
    print(
        f"{len(planted)} edits planted: {proposed} proposed, {refused} refused, {wrong} otherwise; "
        f"{untouched:,} of {len(table) - len(planted):,} other rows unchanged"
    )


if __name__ == "__main__":
    main()
