"""The public inventories of a folder, brought in and held against readers of its own.

    python -m tests.drills.company.inventories FOLDER

In databases that are thrown away: every file is imported twice; each row must be imported, merged, unchanged or set
aside with its reason, each raw value the one that a plain reader finds, and the second run must change nothing. Then
the list of 2024 and that of 2025 alone: the moves told must be those that a plain script finds between the two files,
and neither confirming every pair nor taking every move may make a second case. What sources say of the six required
practices is counted over the raw file by a script of its own. Ends with how many things were wrong.
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
from collections import Counter
from pathlib import Path

from tests.drills.company import place

FEDERAL = {
    "us_federal_2024/2023_consolidated_ai_inventory_raw.csv": "us-2023",
    "us_federal_2024/2024_consolidated_ai_inventory_raw_v2.csv": "us-2024",
    "us_federal_2025/2025_individually_reported_AI_use_cases.csv": "us-2025",
    "us_federal_2025/2025_consolidated_COTS_AI_use_cases.csv": "us-2025-cots",
}
RANK = {"idea": 0, "prototype": 1, "mvp": 2, "production": 3}
# By hand from the documentation of both inventories; what is not here is no stage.
STAGES_2024 = {
    "operation and maintenance": "production",
    "in production": "production",
    "in mission": "production",
    "acquisition and/or development": "prototype",
    "initiated": "idea",
    "planned": "idea",
    "ideation": "idea",
    "implementation and assessment": "mvp",
    "retired": "retired",
}
STAGES_2025 = {"pre-deployment": "prototype", "deployed": "production", "pilot": "mvp", "retired": "retired"}
YES = {
    "hi_testing_conducted": {"yes"},
    "hi_assessment_completed": {"yes"},
    "hi_ongoing_monitoring": {
        "yes - monitoring established",
        "yes, sufficient monitoring protocols have been established",
    },
    "hi_training_established": {
        "training established",
        "yes, sufficient and periodic training has been established",
    },
    "hi_failsafe_presence": {"yes"},
    "hi_appeal_process": {
        "appeal process established",
        "yes, an appropriate appeal process has been established",
    },
}
IN_PART = {
    "hi_testing_conducted": {"in-progress", "no"},
    "hi_assessment_completed": {"in-progress", "no"},
    "hi_ongoing_monitoring": {"in-progress", "no", "development of monitoring protocols is in-progess"},
    "hi_training_established": {
        "training in-progress",
        "in-progress",
        "no",
        "establishment of sufficient and periodic training is in-progress",
    },
    "hi_failsafe_presence": {"in-progress", "no"},
    "hi_appeal_process": {
        "appeal process in-progress",
        "in-progress",
        "no",
        "establishment of an appropriate appeal process is in-progress",
    },
}
WAIVED = {"caio waived", "agency caio has waived this minimum practice and reported such waiver to omb"}


def main(folder: Path) -> int:
    """Import, compare, tell; how many things were wrong."""
    wrong: list[str] = []
    with place.database():
        _found()
        for path, source in _files(folder):
            wrong += _one_file(path, source)
        wrong += _practices(folder)
    with place.database():
        wrong += _two_years(folder, _found())
    for line in wrong[:60]:
        print(f"WRONG {line}")
    print(f"{len(wrong)} things wrong")
    return len(wrong)


def _found():
    """Rules, and an admin who may decide."""
    from tests.support import factories

    return factories.make_cast().admin


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
    if again["counts"]["unchanged"] != counts["rows"] or again["cases"] != first["cases"]:
        wrong.append(f"{path.name}: the second run says {again['counts']}, {again['cases']} cases")
    return wrong + [f"{path.name}: {text}" for text in _every_row(path, first["batch"])]


def _import(path: Path, source: str) -> dict:
    from django.db import connection

    from governance.tables.encodings import CodePageUnsure
    from initiatives.imports.inventories.actions import confirm_batch, upload_batch
    from initiatives.models import Initiative

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
    cases = Initiative.objects.count()
    connection.close()
    return {"batch": batch.pk, "counts": counts, "seconds": seconds, "cases": cases}


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

        book = openpyxl.load_workbook(path, data_only=True)
        sheet = book[batch.reading["sheet"]] if batch.reading.get("sheet") else book.worksheets[0]
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


# --- The six practices -----------------------------------------------------------------------------------------------


def _practices(folder: Path) -> list[str]:
    """Page beside script: the deployed high-impact systems, and what each practice comes to."""
    from initiatives.imports.assertions import practices, queries
    from initiatives.models import ImportBatch

    path = folder / next(path for path, source in FEDERAL.items() if source == "us-2025")
    with path.open(encoding="utf-8-sig", newline="") as file:
        about = [
            row
            for row in csv.DictReader(file)
            if row["development_stage"] == "Deployed" and row["is_high_impact"] == "High-impact"
        ]
    wanted = {name: Counter(_said(name, row[name]) for row in about) for name in YES}
    all_six = Counter(_said_of_all([_said(name, row[name]) for name in YES]) for row in about)
    batch = ImportBatch.objects.filter(source="us-2025", repeats=None).latest("pk")
    found = [row.raw for row in queries.deployed_high_impact(batch.rows.all())]
    by_practice, systems = practices.tally(found)
    wrong = []
    print(f"{len(about)} deployed high-impact systems, by a plain script; {len(found)} by the filter")
    if len(about) != len(found):
        wrong.append("the filter finds other systems than the script")
    for name, counts in wanted.items():
        print(f"    {name}: {dict(counts)}")
        if counts != by_practice[name]:
            wrong.append(f"{name}: {dict(by_practice[name])} on the page, {dict(counts)} by the script")
    print(f"    all six: {dict(all_six)}")
    if all_six != systems:
        wrong.append(f"all six: {dict(systems)} on the page, {dict(all_six)} by the script")
    return wrong


def _said(name: str, raw: str) -> str:
    said = re.sub(r"^[a-z]\) ", "", raw.strip().lower())
    if not said:
        return "not reported"
    if said in YES[name]:
        return "all"
    return "part" if said in IN_PART[name] | WAIVED else "unclear"


def _said_of_all(said: list[str]) -> str:
    if "part" in said:
        return "part"
    return said[0] if len(set(said)) == 1 else "unclear"


# --- 2024, then 2025 -------------------------------------------------------------------------------------------------


def _two_years(folder: Path, admin) -> list[str]:
    """Both lists alone: moves as a plain script tells them; every pair confirmed, every move taken, no second case."""
    from initiatives.imports.assertions.pair_actions import answer_pairs
    from initiatives.models import ImportRow, Initiative

    old, new = (folder / path for path, source in FEDERAL.items() if source in ("us-2024", "us-2025"))
    wanted = _plain_moves(old, new)
    first, second = _apart(lambda: _import(old, "us-2024")), _apart(lambda: _import(new, "us-2025"))
    print(f"2024: {first['counts']}\n2025: {second['counts']}")
    rows = ImportRow.objects.filter(batch=second["batch"])
    told = Counter(rows.exclude(move="").values_list("move", flat=True))
    print(
        f"moves told: {dict(told)}, together {sum(told.values())}\nby script: {dict(wanted)}, {sum(wanted.values())}"
    )
    wrong = [] if told == wanted else [f"moves told {dict(told)}, by the script {dict(wanted)}"]
    cases, imported = Initiative.objects.count(), first["cases"] + second["counts"]["imported"]
    if cases != imported:
        wrong.append(f"{cases} cases where {imported} rows were imported")
    began = time.monotonic()
    pairs = list(rows.filter(paired_by="name").exclude(move=""))
    answer_pairs(rows=pairs, same=True, reason="Drill: the same names.", by=admin)
    print(f"{len(pairs)} pairs by name confirmed in {time.monotonic() - began:.1f} s")
    after = Counter(rows.exclude(move="").values_list("move", flat=True))
    if after != wanted:
        wrong.append(f"moves after the pairs were confirmed {dict(after)}")
    wrong += _take_all(rows, admin)
    if Initiative.objects.count() != cases:
        wrong.append(f"{Initiative.objects.count()} cases after all moves, {cases} before")
    return wrong


def _take_all(rows, admin) -> list[str]:
    """Take every move that names a stage; each claim must then be what the newer list says."""
    from initiatives.imports.inventories.actions import decide_row

    wrong, began, taken = [], time.monotonic(), 0
    for row in rows.filter(decision="triage", initiative__isnull=False).select_related("initiative"):
        if row.mapped["stage"]:
            decide_row(row=row, stage=row.mapped["stage"], reason="Drill.", by=admin)
            taken += 1
    for row in rows.filter(decision="taken").select_related("initiative"):
        if row.initiative.stage != row.mapped["stage"] or not row.initiative.imported:
            wrong.append(f"line {row.line}: {row.initiative.stage} for {row.mapped['stage']}")
    print(f"{taken} moves taken in {time.monotonic() - began:.1f} s")
    return wrong


def _plain_moves(old: Path, new: Path) -> Counter:
    """The moves between the two files: by names that each uses for one different line, of systems with a stage."""
    with old.open(encoding="cp1252", errors="replace", newline="") as file:
        before = _by_name(
            csv.DictReader(file), "Agency", "Use Case Name", "Stage of Development", STAGES_2024
        )
    with new.open(encoding="utf-8-sig", newline="") as file:
        after = _by_name(
            csv.DictReader(file), "agency_name", "use_case_name", "development_stage", STAGES_2025
        )
    moves: Counter = Counter()
    for name, stages in after.items():
        known = [stage for stage in before.get(name, []) if stage]  # without a stage it became no case
        if len(stages) == 1 and len(known) == 1:
            moves[_move(known[0], stages[0])] += 1
    return moves


def _by_name(rows, agency: str, title: str, stage: str, words: dict[str, str]) -> dict[tuple, list[str]]:
    found: dict[tuple, list[str]] = {}
    seen = set()
    for row in rows:
        line = tuple(row.values())
        if line in seen:
            continue
        seen.add(line)
        name = tuple(" ".join((row[column] or "").split()).lower() for column in (agency, title))
        said = re.sub(r"^([a-z]\)\s*)+", "", " ".join((row[stage] or "").split()).lower())
        said = re.split(r" [\u2013\u2014-] ", said)[0]
        found.setdefault(name, []).append(words.get(said, ""))
    return found


def _move(before: str, after: str) -> str:
    if not after:
        return "unclassifiable"
    if before == after:
        return "same"
    if after == "retired":
        return "retired"
    if before == "retired":
        return "reactivated"
    steps = RANK[after] - RANK[before]
    return "demoted" if steps < 0 else "promoted" if steps == 1 else "skipped"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    sys.exit(1 if main(parser.parse_args().folder) else 0)
