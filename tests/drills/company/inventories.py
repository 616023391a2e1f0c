"""The public inventories of a folder, brought in and held against readers of its own.

    python -m tests.drills.company.inventories FOLDER

In databases that are thrown away: every file is imported twice; each row must be imported, merged, unchanged or set
aside with its reason, each raw value the one that a plain reader finds, and the second run must change nothing. Ends
with how many things were wrong.
"""

import argparse
import csv
import io
import json
import os
import re
import resource
import sys
import time
from pathlib import Path

from tests.drills.company import place

FEDERAL = {
    "us_federal_2024/2023_consolidated_ai_inventory_raw.csv": "us-2023",
    "us_federal_2024/2024_consolidated_ai_inventory_raw_v2.csv": "us-2024",
    "us_federal_2025/2025_individually_reported_AI_use_cases.csv": "us-2025",
    "us_federal_2025/2025_consolidated_COTS_AI_use_cases.csv": "us-2025-cots",
}


def main(folder: Path) -> int:
    """Import, compare, tell; how many things were wrong."""
    wrong: list[str] = []
    with place.database():
        from tests.support import factories

        factories.make_cast()
        for path, source in _files(folder):
            wrong += _one_file(path, source)
    for line in wrong[:60]:
        print(f"WRONG {line}")
    print(f"{len(wrong)} things wrong")
    return len(wrong)


def _files(folder: Path) -> list[tuple[Path, str]]:
    agencies = sorted((folder / "us_agency_2025").iterdir())
    return [
        *((folder / path, source) for path, source in FEDERAL.items()),
        *(
            (path, "agency " + re.split(r"[_.]", path.name)[0])
            for path in agencies
            if path.suffix in (".csv", ".xlsx")
        ),
    ]


# --- One file --------------------------------------------------------------------------------------------------------


def _one_file(path: Path, source: str) -> list[str]:
    """Import it twice, each in a process of its own, and look at every row."""
    first = _apart(lambda: _import(path, source))
    again = _apart(lambda: _import(path, source))
    counts = first["counts"]
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    print(
        f"{path.name}: {told}; {first['seconds']:.1f} s, peak {first['peak']} MB; again {again['seconds']:.1f} s"
    )
    wrong = []
    if again["counts"]["unchanged"] != counts["rows"] or again["initiatives"] != first["initiatives"]:
        wrong.append(
            f"{path.name}: the second run says {again['counts']}, {again['initiatives']} initiatives"
        )
    return wrong + [f"{path.name}: {text}" for text in _every_row(path, first["batch"])]


def _import(path: Path, source: str) -> dict:
    from django.db import connection

    from governance.tables.encodings import CodePageUnsure
    from initiatives.models import Initiative
    from initiatives.portfolio.imports.inventories.actions import confirm_batch, upload_batch

    began = time.monotonic()
    options = {
        "content": path.read_bytes(),
        "file_name": path.name,
        "source": source,
        "organisation": "" if source.startswith("us-") else path.name.split("_")[0].replace("-", " ").title(),
        "system": "drill",
    }
    try:
        batch = upload_batch(**options)
    except CodePageUnsure as unsure:
        pages = [page for page, _, _ in unsure.candidates]
        page = "cp1252" if "cp1252" in pages else pages[0]
        print(f"{path.name}: asked for its code page, {page} chosen of {', '.join(pages)}")
        batch = upload_batch(**options, encoding=page)
    counts = confirm_batch(batch=batch, system="drill")
    batch = batch.repeats or batch
    seconds = time.monotonic() - began
    initiatives = Initiative.objects.count()
    connection.close()
    return {"batch": batch.pk, "counts": counts, "seconds": seconds, "initiatives": initiatives}


def _apart(work) -> dict:
    """What `work` returns, done in a process of its own, with the peak of its memory in MB."""
    from django.db import connections

    connections.close_all()
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            found = work()
            found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            with os.fdopen(writing, "w") as out:
                json.dump(found, out)
            sys.stdout.flush()
        except BaseException as trouble:
            print(f"{type(trouble).__name__}: {trouble}", flush=True)
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        text = told.read()
    os.waitpid(child, 0)
    if not text:
        raise SystemExit("An import ended without a word.")
    return json.loads(text)


def _every_row(path: Path, pk: int) -> list[str]:
    """What is wrong with the rows of a batch, beside what a plain reader finds in the file."""
    from initiatives.models import ImportBatch

    batch = ImportBatch.objects.get(pk=pk)
    rows, wrong = list(batch.rows.order_by("line")), []
    first = {row.raw_digest: row for row in reversed(rows)}
    for row in rows:
        if not row.done_at:
            wrong.append(f"line {row.line} was not dealt with")
        if row.decision not in ("import", "unchanged") and not row.problems:
            wrong.append(f"line {row.line} is {row.decision} without a reason")
        twin = first[row.raw_digest]
        if row.decision == "merge" and row.initiative_id != twin.initiative_id:
            wrong.append(f"line {row.line} is merged and not where line {twin.line} is")
        if row.decision == "import" and row.initiative_id is None:
            wrong.append(f"line {row.line} is {row.decision} and tied to nothing")
    plain = _plain(path, batch)
    if len(plain) != len(rows):
        return [*wrong, f"{len(rows)} rows, where a plain reader finds {len(plain)}"]
    different = 0
    for row, cells in zip(rows, plain, strict=True):
        mine = [row.raw.get(name, "") for name in batch.columns]
        wanted = (cells + [""] * len(mine))[: len(mine)]
        for name, one, other in zip(batch.columns, mine, wanted, strict=True):
            if not _same(one, other):
                different += 1
                if different < 6:
                    wrong.append(f"line {row.line}, {name[:30]!r}: {one[:60]!r} for {str(other)[:60]!r}")
    if different:
        wrong.append(f"{different} raw values differ")
    values = sum(len(row.raw) for row in rows)
    print(f"    {len(rows)} rows, {values} raw values beside a plain reader: {different} differ")
    return wrong


def _same(one: str, other) -> bool:
    if isinstance(other, str):
        return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()
    if other is None:
        return one == ""
    if hasattr(other, "isoformat"):
        return one[:10] == other.isoformat()[:10]
    try:
        return float(one) == float(other)
    except ValueError:
        return one == str(other)


def _plain(path: Path, batch) -> list[list]:
    """The rows behind the header, empty ones left out, as csv of the standard library or openpyxl reads them."""
    if path.suffix == ".xlsx":
        import openpyxl

        workbook = openpyxl.load_workbook(path, data_only=True)
        sheet = workbook[batch.reading["sheet"]] if batch.reading.get("sheet") else workbook.worksheets[0]
        rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    else:
        raw = path.read_bytes()
        text = raw.decode(batch.encoding if batch.encoding != "utf-8" else "utf-8-sig", errors="replace")
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=batch.reading["delimiter"]))
    filled = [row for row in rows if any(str(cell or "").strip() for cell in row)]
    names = [re.sub(r"\s+", " ", name) for name in batch.columns[:3]]
    for place_of, row in enumerate(filled):
        if [re.sub(r"\s+", " ", str(cell or "")).strip() for cell in row[:3]] == names:
            return filled[place_of + 1 :]
    raise SystemExit(f"{path.name}: a plain reader finds no header {names}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    sys.exit(1 if main(parser.parse_args().folder) else 0)
