"""Acts on an organisation's sheet: upload, mapping and publication."""

from collections import Counter

from django.core.exceptions import ValidationError
from django.utils.text import slugify

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import Unit, User
from governance.organisation.actions import add_person
from governance.people.people_matching import name_key
from governance.permission_result import Conflict
from governance.sign_in import password_links
from governance.tables.reader import Line
from governance.vocabulary import Role, Stage
from governance.vocabulary.currencies import wrong_currency
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative.act import act
from initiatives.models import (
    BusinessCase,
    ImportBatch,
    ImportRow,
    Initiative,
    InventorySource,
    RoleAssignment,
)
from initiatives.models.imports import OWN, OWN_SHEET
from initiatives.portfolio.imports.inventories import batch_rows, import_batch
from initiatives.portfolio.imports.inventories.actions import (
    check_columns,
    new_batch,
    note_reading,
    one_import_at_a_time,
    open_inventory,
    record_upload,
    refuse_unless_admin,
    remember_file,
)
from initiatives.portfolio.imports.inventories.inventory_sources import newcomer, source_for
from initiatives.portfolio.imports.inventories.reported_stages import (
    TARGETS,
    add_units,
    import_rows,
    unit_code,
)
from initiatives.portfolio.imports.portfolio import portfolio_plan, queries, sheet_reading
from initiatives.portfolio.imports.portfolio.portfolio_columns import AMOUNTS, FIELDS
from initiatives.portfolio.imports.portfolio.portfolio_plan import INVITE, NEW_UNIT

MOST_ROWS = 10_000  # of one sheet; a portfolio of more comes in parts
NO_HARM = "Not stated by the portfolio that it was imported from."


def upload_portfolio(
    *,
    content: bytes,
    file_name: str,
    encoding: str = "",
    sheet: str = "",
    by: User,
    progress: batch_rows.Progress | None = None,
) -> ImportBatch:
    """Read a sheet and keep each row with its planned result. Rows are live once published.

    The same file again leads to the first. Raises CodePageUnsure, ValidationError on "file", Refused.
    """
    with act("upload portfolio", by=by, reason=f"Portfolio {file_name[-200:]}"):
        refuse_unless_admin(by)
        one_import_at_a_time()
        batch = new_batch(OWN_SHEET, content, file_name, by)
        batch.own = True
        read = ImportBatch.objects.current().filter(sha256=batch.sha256, source=OWN_SHEET, repeats=None)
        first = read.first()
        if first is not None and first.rows.filter(done_at__isnull=True).exists():
            return first
        opened = open_inventory(content, source_for(OWN_SHEET) or newcomer(OWN_SHEET), encoding, sheet)
        refuse_too_many(opened.rows)
        lines = list(opened.lines())
        note_reading(batch, opened.table, encoding, sheet)
        batch.reading |= sheet_reading.guessed(lines, batch.columns)
        batch.reading["remarks"] += batch.reading.pop("odd_columns")
        batch.save()
        _plan(batch, lines, progress)
        record_upload(batch)
    return batch


def refuse_too_many(rows: int) -> None:
    """Raise ValidationError on "file" if a sheet has more rows than one import takes."""
    if rows > MOST_ROWS:
        told = phrase("The sheet has {} rows. Send no more than {} at once.", f"{rows:,}", f"{MOST_ROWS:,}")
        raise ValidationError({"file": told})


# How a sheet is read

# The questions about amounts and days, with the sign that each asks about.
MARKS = {"point": ".", "comma": ",", "dates": "/"}
EXAMPLES = 3  # of one question


def map_portfolio(
    *,
    batch: ImportBatch,
    columns: dict[str, str],
    stages: dict[str, str],
    units: dict[str, str],
    people: dict[str, str],
    repeated: dict[str, str] | None = None,
    unit: Unit | None,
    parent: Unit | None,
    currency: str = "",
    dates: str = "",
    point: str = "",
    comma: str = "",
    by: User,
    progress: batch_rows.Progress | None = None,
) -> ImportBatch:
    """Set how the sheet is read, and keep the mapping for the next one.

    Live rows keep their result. `units` has a key or "new" by department. `people` has a key, "" for no one, or
    "invite" by the word for an owner. `repeated` has the line that counts, or "apart", by lines that share a name. An
    invited person gets no email before the sheet is published. `point` and `comma` have the decimal mark of amounts
    such as 1.250 and 1,250. They count for this sheet only. Raises ValidationError naming the field.
    """
    if currency and (wrong := wrong_currency(currency)):
        raise ValidationError({"currency": wrong})
    chosen = check_columns(columns, FIELDS, batch.columns)
    with act("map portfolio", by=by, reason="Mapping of a portfolio confirmed"):
        refuse_unless_admin(by)
        one_import_at_a_time()
        batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
        batch_rows.still_current(batch)
        kept = _own_source()
        reading = batch.reading | {
            "columns": chosen,
            "currency": currency.upper(),
            "dates": dates,
            "point": point,
            "comma": comma,
            "unit": str(unit.pk) if unit else "",
            "parent": str(parent.pk) if parent else "",
        }
        reading["stages"] = batch.reading["stages"] | {
            word: [stage if stage in TARGETS else "", "medium", "Chosen by hand."]
            for word, stage in stages.items()
        }
        reading["units"] = batch.reading["units"] | units
        reading["people"] = batch.reading["people"] | _asked(batch, people)
        reading["repeated"] = [
            each | {"answer": (repeated or {}).get(each["lines"], each["answer"])}
            for each in batch.reading.get("repeated", ())
        ]
        lines = list(batch_rows.lines_of(batch))
        batch.reading = reading | sheet_reading.with_words(lines, reading, None)
        _remember(kept, batch)
        _plan(batch, lines, progress)
        entries.record(
            EntryKind.INVENTORY_MAPPED,
            batch=batch.pk,
            source=OWN,
            columns=chosen,
            stages=batch.reading["stages"],
        )
    return batch


def _asked(batch: ImportBatch, people: dict[str, str]) -> dict[str, dict]:
    """Return the answer for each word for an owner. Invitations follow when the sheet is published."""
    found = {}
    for word, answer in people.items():
        known = batch.reading["people"].get(word, {})
        if answer == INVITE and not known.get("address"):
            raise ValidationError(
                {"people": phrase("“{}” contains no email address. Choose a person, or no one.", word)}
            )
        chosen = answer and answer != INVITE
        how = INVITE if answer == INVITE else "chosen" if chosen else ""
        found[word] = known | {"person": int(answer) if chosen else None, "how": how}
    return found


def _invite(batch: ImportBatch, by: User) -> bool:
    """Invite the chosen owners of new initiatives, each once, and return True if any."""
    rows = batch.rows.filter(done_at__isnull=True, decision="import")
    words = set(rows.values_list("mapped__contact", flat=True))
    people = batch.reading["people"]
    groups = {people[word]["group"] for word in words if people.get(word, {}).get("how") == INVITE}
    for group in groups:
        alike = [one for one in people.values() if one.get("group") == group and one["how"] == INVITE]
        person = _invited(alike[0]["name"], alike[0]["address"], by)
        for one in alike:
            one |= {"person": person.pk, "how": "invited"}
    return bool(groups)


def _invited(name: str, address: str, by: User) -> User:
    """Return the active account of the email address, or add one and invite them."""
    if here := User.objects.active().filter(email__iexact=address).first():
        return here
    stem = slugify(address.partition("@")[0].replace(".", "-")) or "person"
    login, number = stem, 1
    while User.objects.filter(login__iexact=login).exists():
        number += 1
        login = f"{stem}-{number}"
    person = add_person(
        login=login, full_name=name[:120], email=address, reason="Named by a portfolio", by=by
    )
    password_links.invite(people=[person], by=by)
    return person


def _own_source() -> InventorySource:
    """Return the mapping kept for sheets of the organisation, or a new one."""
    return InventorySource.objects.filter(key=OWN_SHEET).first() or InventorySource(key=OWN_SHEET, words=OWN)


def _remember(kept: InventorySource, batch: ImportBatch) -> None:
    reading = batch.reading
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
    remember_file(kept, batch)


def _plan(batch: ImportBatch, lines: list[Line], progress: batch_rows.Progress | None = None) -> None:
    """Save the rows of the batch as they would be now. Live rows stay unchanged."""
    if progress:
        progress(0, len(lines))
    export = batch.reading["export"]
    look = queries.look(batch.uploaded_by, exported=export)
    batch.reading = dict(batch.reading)
    rows = portfolio_plan.plan(lines, batch.reading, look)
    unsure = [each for row in rows for each in row.problems if each["kind"] == "two readings"]
    asked = {
        name: [each["text"] for each in unsure if each["column"] == mark] for name, mark in MARKS.items()
    }
    batch.reading = batch.reading | {
        "two_readings": {"count": len(unsure)}
        | {name: {"count": len(texts), "texts": texts[:EXAMPLES]} for name, texts in asked.items()}
    }
    kept = {row.line: row for row in batch.rows.only("batch", "line", "decision", "done_at")}
    waiting = [row for row in rows if row.line not in kept or kept[row.line].done_at is None]
    for row in waiting:
        row.batch = batch
        row.pk = kept[row.line].pk if row.line in kept else None
    ImportRow.objects.bulk_create([row for row in waiting if row.pk is None], batch_size=500)
    batch_rows.write_readings([row for row in waiting if row.line in kept])
    after = [*waiting, *(row for row in kept.values() if row.done_at)]
    batch.counts = import_batch.counted(after) | {"changed": sum(row.decision == "change" for row in after)}
    batch.save()


# Published


def confirm_portfolio(
    *, batch: ImportBatch, by: User, progress: batch_rows.Progress | None = None
) -> dict[str, int]:
    """Register the units, initiatives and business cases of the sheet, and ask owners.

    Only certain owners are asked. Rows set aside and proposed changes wait. Returns the number of rows by result, and
    in `asked` the number of proposed roles. Raises Refused, and Conflict once no row waits.
    """
    with act("publish portfolio", by=by, reason=f"Own portfolio, file {batch.file_name}"):
        refuse_unless_admin(by)
        one_import_at_a_time()
        batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
        batch_rows.still_current(batch)
        lines = list(batch_rows.lines_of(batch))
        _plan(batch, lines, progress)  # another sheet may have been published meanwhile
        if _invite(batch, by):
            _plan(batch, lines)
            _remember(_own_source(), batch)
        waiting = batch.rows.filter(done_at__isnull=True).exclude(decision__in=["triage", "change"])
        rows = list(waiting.order_by("line"))
        if not rows:
            raise Conflict(
                "This sheet has no rows to publish.",
                "Decide what to do with each row that is set aside, or upload a different sheet.",
            )
        new = [row for row in rows if row.decision == "import"]
        units = _units(batch, new)
        for start in range(0, len(new), batch_rows.AT_A_TIME):
            some = new[start : start + batch_rows.AT_A_TIME]
            import_rows(batch, some, by, units)
            if progress:
                progress(start + len(some), len(rows))
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
        entries.record(
            EntryKind.INVENTORY_CONFIRMED, batch=batch.pk, source=OWN, organisations=None, counts=counts
        )
    return counts


def _units(batch: ImportBatch, rows: list[ImportRow]) -> dict[tuple[str, str], Unit]:
    """Return the unit of each department in the rows. New units are placed below the chosen unit.

    A department that became a unit after the sheet was read is that unit. A new unit has its most usual spelling.
    """
    known = queries.units_by_word()
    here = {str(unit.pk): unit for unit in Unit.objects.own()}
    codes = set(Unit.objects.values_list("code", flat=True))
    parent = here.get(batch.reading["parent"])
    often = Counter(row.mapped["bureau"] for row in rows)
    usual = {name_key(word): word for word, _ in reversed(often.most_common())}
    wanted, found = {}, {}
    for row in rows:
        said, word = row.mapped["unit"], row.mapped["bureau"]
        key = name_key(word)
        if said == NEW_UNIT and key in known:
            found[OWN, word] = here[str(known[key])]
        elif said == NEW_UNIT:
            wanted[key] = usual[key]
        elif said not in here:
            raise ValidationError({"unit": phrase("Choose the unit for line {}.", row.line)})
        else:
            found[OWN, word] = here[said]
    names = list(wanted.values())
    made = add_units([(name, unit_code(name, codes, ""), parent) for name in names])
    by_word = {name_key(unit.name): unit for unit in made}
    for row in rows:
        if (OWN, row.mapped["bureau"]) not in found:
            found[OWN, row.mapped["bureau"]] = by_word[name_key(row.mapped["bureau"])]
    return found


def _state(rows: list[ImportRow]) -> None:
    """Record the business cases of new initiatives as their rows state them."""
    stated = []
    for row in rows:
        said = row.mapped
        values = {role: said[role] or None for role in (*AMOUNTS, "go_live_on")}
        words = {"vendor": said["vendor"], "currency": said["currency"], "ticket": said["key"]}
        if any(values.values()) or any(words.values()):
            stated.append(BusinessCase(initiative=row.initiative, **values, **words))
    row_history.insert_many(BusinessCase, stated)


def _propose_tiers(rows: list[ImportRow]) -> None:
    """Propose the tiers that the sheet names. A tier counts once the risk seat confirms it."""
    for tier in {row.mapped["tier"] for row in rows} - {""}:
        initiatives = [row.initiative for row in rows if row.mapped["tier"] == tier]
        keys = [initiative.pk for initiative in initiatives]
        row_history.update_where(Initiative, keys, proposed_tier=tier, worst_credible_harm=NO_HARM)
        entries.record_many(
            EntryKind.RISK_TIER_PROPOSED,
            [(initiative, {"tier": tier, "worst_credible_harm": NO_HARM}) for initiative in initiatives],
        )


def _ask_owners(rows: list[ImportRow], by: User) -> int:
    """Propose each certain owner of a running initiative, and return how many."""
    people = User.objects.active().in_bulk({row.mapped["owner"] for row in rows if row.mapped["owner"]})
    now, asked = clock.now(), []
    for row in rows:
        person = people.get(row.mapped["owner"])
        if person is not None and row.mapped["stage"] not in (Stage.STOPPED, Stage.RETIRED):
            asked.append((row.initiative, person))
    row_history.insert_many(
        RoleAssignment,
        [
            RoleAssignment(
                initiative=initiative, role=Role.OWNER, person=person, proposed_by=by, proposed_at=now
            )
            for initiative, person in asked
        ],
    )
    entries.record_many(
        EntryKind.ROLE_PROPOSED,
        [
            (initiative, {"role": Role.OWNER, "person": person.full_name, "person_id": person.pk})
            for initiative, person in asked
        ],
    )
    return len(asked)
