"""A sheet of one's own initiatives: read, mapped, published; changes that it proposes are taken or left."""

import hashlib
from collections import Counter
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.utils.text import slugify

from governance import clock
from governance.database import row_history
from governance.ledger import record
from governance.models import Unit, User
from governance.organisation.actions import add_person
from governance.people import cooling_off
from governance.people.permissions import may_import
from governance.permission_result import Conflict, all_of
from governance.sign_in import password_links
from governance.tables.columns import guess_columns, order_of, plain
from governance.tables.reader import Line, read_table
from governance.vocabulary import Role, Stage
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.cases.act import act
from initiatives.imports.inventories import batch_rows, import_batch
from initiatives.imports.inventories.actions import one_import_at_a_time
from initiatives.imports.inventories.claims import TARGETS, add_units, import_rows, unit_code
from initiatives.imports.inventories.inventory_columns import guess_stage
from initiatives.imports.portfolio import portfolio_plan, queries
from initiatives.imports.portfolio.people_matching import Match
from initiatives.imports.portfolio.portfolio_columns import AMOUNTS, FIELDS, HEADERS
from initiatives.imports.portfolio.portfolio_plan import NEW_UNIT, OWN
from initiatives.models import (
    BusinessCase,
    ImportBatch,
    ImportRow,
    Initiative,
    InventorySource,
    RoleAssignment,
)
from initiatives.models.imports import OWN_SHEET
from initiatives.portfolio.portfolio_export import EXPORTED_AS

MOST_ROWS = 10_000  # of one sheet; a portfolio of more comes in parts
MOST_STATUSES = 200  # a column with more different words is no status
NO_HARM = "Not stated by the portfolio it came from."


def upload_portfolio(*, content: bytes, file_name: str, encoding: str = "", by: User) -> ImportBatch:
    """Read a sheet and keep every row with what would become of it. Nothing is live until it is published.

    The same file again leads to the first. Raises CodePageUnsure, ValidationError on "file", Refused.
    """
    with act("upload portfolio", by=by, reason=f"Portfolio {file_name[-200:]}"):
        _may(by)
        one_import_at_a_time()
        digest = hashlib.sha256(content).hexdigest()
        first = ImportBatch.objects.standing().filter(sha256=digest, source=OWN_SHEET, repeats=None).first()
        if first is not None and first.rows.filter(done_at__isnull=True).exists():
            return first
        table = read_table(content, encoding=encoding)
        if len(table.lines) > MOST_ROWS:
            raise ValidationError(
                {"file": f"The sheet has {len(table.lines):,} rows; send at most {MOST_ROWS:,} at once."}
            )
        batch = ImportBatch(
            source=OWN_SHEET,
            own=True,
            file_name=file_name[-200:],
            sha256=digest,
            size=len(content),
            encoding=table.encoding,
            columns=table.columns,
            uploaded_by=by,
            uploaded_at=clock.now(),
            reading={
                "delimiter": table.delimiter,
                "sheet": table.sheet,
                "header_line": table.header_line,
                "remarks": table.remarks,
            },
        )
        batch.reading |= _guessed(table.lines, table.columns)
        batch.save()
        _plan(batch, table.lines)
        record.record(
            EntryKind.INVENTORY_UPLOADED,
            batch=batch.pk,
            source=OWN,
            file=batch.file_name,
            sha256=digest,
            repeats=None,
            counts=batch.counts,
        )
    return batch


def _may(by: User) -> None:
    all_of(may_import(by), cooling_off.may_lift(by)).or_refuse()


# How a sheet is read


def _guessed(lines: list[Line], columns: list[str]) -> dict:
    """How the sheet is read before anybody corrected it: as the last one was, the rest by guess."""
    kept = InventorySource.objects.filter(key=OWN_SHEET).first()
    known = {plain(name): name for name in columns}
    exported = {role: known[plain(header)] for role, header in EXPORTED_AS.items() if plain(header) in known}
    export = "reference" in exported and "stage" in exported and plain("Supported stage") in known
    if export:
        found = exported
    else:
        remembered = {
            role: known[plain(name)]
            for role, name in (kept.columns if kept else {}).items()
            if plain(name) in known
        }
        left = [name for name in columns if name not in remembered.values()]
        free = {role: headers for role, headers in HEADERS.items() if role not in remembered}
        found = remembered | guess_columns(left, free)
    reading = {
        "export": export,
        "columns": found,
        "currency": kept.fixed.get("currency", "") if kept else "",
        "dates": kept.dates if kept else "",
        "unit": "",
        "parent": "",
        "stages": {},
        "units": {},
        "people": {},
    }
    top = queries.top_unit()
    reading["unit"] = reading["parent"] = str(top.pk) if top else ""
    return reading | _words(lines, reading, kept)


def _words(lines: Iterable[Line], reading: dict, kept: InventorySource | None) -> dict:
    """The words of the sheet that stand for something here: statuses, departments, owners, each once.

    What was remembered counts while it is still there: a unit that is one's own, a person who is active.
    """
    lines = list(lines)

    def of(role: str, most: int | None = None) -> list[str]:
        column = reading["columns"].get(role)
        seen = (
            Counter(" ".join(line.cells.get(column, "").split()) for line in lines) if column else Counter()
        )
        return [word for word, _ in seen.most_common(most)]

    meant = kept.stages if kept else {}
    chosen = kept.fixed.get("units", {}) if kept else {}
    people = kept.fixed.get("people", {}) if kept else {}
    stages = {
        word: reading["stages"].get(word) or meant.get(word) or list(stage_of(word))
        for word in of("stage", MOST_STATUSES)
    }
    if not reading["columns"].get("stage"):
        stages = {"": reading["stages"].get("") or ["", "none", ""]}
    known, directory = queries.units_by_word(), queries.directory()
    here = {NEW_UNIT, *(str(unit.pk) for unit in Unit.objects.own())}
    units = {}
    for word in filter(None, (word[:120] for word in of("unit"))):
        said = (unit for unit in (reading["units"].get(word), chosen.get(word)) if str(unit) in here)
        units[word] = str(next(said, None) or known.get(word.casefold(), NEW_UNIT))
    owners = {}
    for word in filter(None, of("owner")):
        found = directory.match(word)
        if not found.person and people.get(word) in directory.keys:
            found = Match(people[word], "remembered", found.candidates, found.address)
        owners[word] = reading["people"].get(word) or {
            "person": found.person,
            "how": found.how,
            "candidates": found.candidates,
            "address": found.address,
        }
    dates = reading["dates"]
    if not dates and (column := reading["columns"].get("go_live_on")):
        dates = order_of(line.cells.get(column, "") for line in lines)
    return {"stages": stages, "units": units, "people": owners, "dates": dates}


def stage_of(word: str) -> tuple[str, str, str]:
    """What a status most likely means: our own words exactly, the rest by guess."""
    for stage in Stage:
        if word.casefold() in (stage.value, Stage.word(stage).casefold()):
            return (stage.value if stage in TARGETS else "", "high", "")
    return guess_stage(word) if word else ("", "none", "")


def map_portfolio(
    *,
    batch: ImportBatch,
    columns: dict[str, str],
    stages: dict[str, str],
    units: dict[str, str],
    people: dict[str, str],
    unit: Unit | None,
    parent: Unit | None,
    currency: str = "",
    dates: str = "",
    by: User,
) -> ImportBatch:
    """Say how the sheet is read; remembered for the next one. Rows that are live keep what became of them.

    `units`: a key, or "new", by department; `people`: a key, "" for nobody, "invite" by what stands for an owner.
    Raises ValidationError naming the field.
    """
    chosen = {role: column for role, column in columns.items() if column and role in FIELDS}
    wrong = {}
    if not chosen.get("title"):
        wrong["title"] = "Choose the column with the titles."
    for role, column in chosen.items():
        if column not in batch.columns:
            wrong[role] = "Choose one of the columns of the sheet."
        elif list(chosen.values()).count(column) > 1:
            wrong[role] = "Two fields cannot share a column."
    if currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        wrong["currency"] = "Name the currency by its three letters, for instance EUR."
    if wrong:
        raise ValidationError(wrong)
    with act("map portfolio", by=by, reason="Mapping of a portfolio confirmed"):
        _may(by)
        one_import_at_a_time()
        batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
        batch_rows.still_standing(batch)
        kept = InventorySource.objects.filter(key=OWN_SHEET).first() or InventorySource(
            key=OWN_SHEET, words=OWN
        )
        reading = batch.reading | {
            "columns": chosen,
            "currency": currency.upper(),
            "dates": dates,
            "unit": str(unit.pk) if unit else "",
            "parent": str(parent.pk) if parent else "",
        }
        reading["stages"] = batch.reading["stages"] | {
            word: [stage if stage in TARGETS else "", "medium", "Chosen by hand."]
            for word, stage in stages.items()
        }
        reading["units"] = batch.reading["units"] | units
        reading["people"] = batch.reading["people"] | _asked(batch, people, by)
        lines = list(batch_rows.lines_of(batch))
        batch.reading = reading | _words(lines, reading, None)
        _remember(kept, batch.reading)
        _plan(batch, lines)
        record.record(
            EntryKind.INVENTORY_MAPPED,
            batch=batch.pk,
            source=OWN,
            columns=chosen,
            stages=batch.reading["stages"],
        )
    return batch


def _asked(batch: ImportBatch, people: dict[str, str], by: User) -> dict[str, dict]:
    """Who was meant by each word for an owner; an account is made for who is to be invited."""
    found = {}
    for word, said in people.items():
        known = batch.reading["people"].get(word, {})
        if said == "invite":
            person = _invited(word, known.get("address", ""), by)
            found[word] = known | {"person": person.pk, "how": "invited"}
        else:
            found[word] = known | {"person": int(said) if said else None, "how": "chosen" if said else ""}
    return found


def _invited(word: str, address: str, by: User) -> User:
    """An account for somebody whom a sheet names by an address; they sign in by the link of the invitation alone."""
    if not address:
        raise ValidationError({"people": f"\u201c{word}\u201d holds no mail address to invite."})
    if here := User.objects.active().filter(email__iexact=address).first():
        return here
    stem = slugify(address.partition("@")[0].replace(".", "-")) or "person"
    login, number = stem, 1
    while User.objects.filter(login__iexact=login).exists():
        number += 1
        login = f"{stem}-{number}"
    name = word.replace(address, "").strip(" <>()\"'") or address.partition("@")[0]
    person = add_person(
        login=login, full_name=name[:120], email=address, reason="Named by a portfolio", by=by
    )
    password_links.invite(people=[person], by=by)
    return person


def _remember(kept: InventorySource, reading: dict) -> None:
    kept.columns, kept.dates = reading["columns"], reading["dates"]
    kept.stages = kept.stages | reading["stages"]
    kept.fixed = {
        "currency": reading["currency"],
        "units": kept.fixed.get("units", {})
        | {word: unit for word, unit in reading["units"].items() if unit != NEW_UNIT},
        "people": {
            word: person
            for word, person in (
                kept.fixed.get("people", {})
                | {word: one.get("person") for word, one in reading["people"].items()}
            ).items()
            if person
        },
    }
    kept.save()


def _plan(batch: ImportBatch, lines: list[Line]) -> None:
    """Rows of the batch as they would be now; those that are live stay as they are."""
    export = batch.reading["export"]
    look = queries.look(batch.uploaded_by, exported=export)
    rows = portfolio_plan.plan(lines, batch.reading, look)
    kept = {row.line: row for row in batch.rows.only("line", "decision", "done_at")}
    waiting = [row for row in rows if row.line not in kept or kept[row.line].done_at is None]
    for row in waiting:
        row.batch = batch
        row.pk = kept[row.line].pk if row.line in kept else None
    ImportRow.objects.bulk_create([row for row in waiting if row.pk is None], batch_size=500)
    ImportRow.objects.bulk_update(
        [row for row in waiting if row.line in kept],
        ["mapped", "problems", "decision", "initiative"],
        batch_size=500,
    )
    after = [*waiting, *(row for row in kept.values() if row.done_at)]
    batch.counts = import_batch.counted(after) | {"changed": sum(row.decision == "change" for row in after)}
    batch.save()


# Published


def confirm_portfolio(*, batch: ImportBatch, by: User) -> dict[str, int]:
    """Register what the sheet brings: its units, initiatives, business cases; and ask the owners who are certain.

    Rows set aside wait, and so do proposed changes. Returns the rows by what became of them, and `asked`: how many
    roles were proposed. Raises Refused; Conflict once nothing waits.
    """
    with act("publish portfolio", by=by, reason=f"Own portfolio, file {batch.file_name}"):
        _may(by)
        one_import_at_a_time()
        batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
        batch_rows.still_standing(batch)
        _plan(batch, list(batch_rows.lines_of(batch)))  # another sheet may have been published meanwhile
        waiting = batch.rows.filter(done_at__isnull=True).exclude(decision__in=["triage", "change"])
        rows = list(waiting.order_by("line"))
        if not rows:
            raise Conflict("Nothing of this sheet waits.", "Decide the rows set aside, or upload another.")
        new = [row for row in rows if row.decision == "import"]
        import_rows(batch, new, by, _units(batch, new))
        _state(new)
        _propose_tiers(new)
        asked = _ask_owners(new, by)
        twins = {row.raw_digest: row.initiative_id for row in batch.rows.exclude(initiative=None)}
        twins |= {row.raw_digest: row.initiative_id for row in new}
        for row in rows:
            if row.decision == "merge":
                row.initiative_id = twins.get(row.raw_digest)
        now = clock.now()
        batch_rows.write_outcomes(rows, now)
        counts = import_batch.counted(rows) | {"asked": asked}
        batch.confirmed_by, batch.confirmed_at = by, now
        batch.save()
        record.record(
            EntryKind.INVENTORY_CONFIRMED, batch=batch.pk, source=OWN, organisations=None, counts=counts
        )
    return counts


def _units(batch: ImportBatch, rows: list[ImportRow]) -> dict[tuple[str, str], Unit]:
    """The unit of each department that the rows name; those that are new stand below the one that was chosen.

    A department that became a unit since the sheet was read is that unit.
    """
    known = queries.units_by_word()
    here = {str(unit.pk): unit for unit in Unit.objects.own()}
    codes = set(Unit.objects.values_list("code", flat=True))
    parent = here.get(batch.reading["parent"])
    wanted, found = {}, {}
    for row in rows:
        said, word = row.mapped["unit"], row.mapped["bureau"]
        if said == NEW_UNIT and word.casefold() in known:
            found[OWN, word] = here[str(known[word.casefold()])]
        elif said == NEW_UNIT:
            wanted[word.casefold()] = word
        elif said not in here:
            raise ValidationError({"unit": f"Say which unit line {row.line} belongs to."})
        else:
            found[OWN, word] = here[said]
    names = list(wanted.values())
    made = add_units([(name, unit_code(name, codes, ""), parent) for name in names])
    by_word = {unit.name.casefold(): unit for unit in made}
    for row in rows:
        if (OWN, row.mapped["bureau"]) not in found:
            found[OWN, row.mapped["bureau"]] = by_word[row.mapped["bureau"].casefold()]
    return found


def _state(rows: list[ImportRow]) -> None:
    """The business cases of new initiatives, as their rows state them."""
    stated = []
    for row in rows:
        said = row.mapped
        values = {role: said[role] or None for role in (*AMOUNTS, "go_live_on")}
        words = {"vendor": said["vendor"], "currency": said["currency"], "ticket": said["key"]}
        if any(values.values()) or any(words.values()):
            stated.append(BusinessCase(initiative=row.initiative, **values, **words))
    row_history.insert_many(BusinessCase, stated)


def _propose_tiers(rows: list[ImportRow]) -> None:
    """Tiers that the sheet names are proposed: each counts once the risk seat confirmed it."""
    for tier in {row.mapped["tier"] for row in rows} - {""}:
        cases = [row.initiative for row in rows if row.mapped["tier"] == tier]
        keys = [case.pk for case in cases]
        row_history.update_where(Initiative, keys, proposed_tier=tier, worst_credible_harm=NO_HARM)
        record.record_many(
            EntryKind.RISK_TIER_PROPOSED,
            [(case, {"tier": tier, "worst_credible_harm": NO_HARM}) for case in cases],
        )


def _ask_owners(rows: list[ImportRow], by: User) -> int:
    """Propose each owner who is certain, of initiatives that still run: one message asks for all of theirs."""
    people = User.objects.active().in_bulk({row.mapped["owner"] for row in rows if row.mapped["owner"]})
    now, asked = clock.now(), []
    for row in rows:
        person = people.get(row.mapped["owner"])
        if person is not None and row.mapped["stage"] not in (Stage.STOPPED, Stage.RETIRED):
            asked.append((row.initiative, person))
    row_history.insert_many(
        RoleAssignment,
        [
            RoleAssignment(initiative=case, role=Role.OWNER, person=person, proposed_by=by, proposed_at=now)
            for case, person in asked
        ],
    )
    record.record_many(
        EntryKind.ROLE_PROPOSED,
        [
            (case, {"role": Role.OWNER, "person": person.full_name, "person_id": person.pk})
            for case, person in asked
        ],
    )
    return len(asked)
