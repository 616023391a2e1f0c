"""A sheet of one's own initiatives: read, mapped, published; changes that it proposes are taken or left."""

from django.core.exceptions import ValidationError
from django.utils.text import slugify

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import Unit, User
from governance.organisation.actions import add_person
from governance.permission_result import Conflict
from governance.sign_in import password_links
from governance.tables.reader import Line
from governance.vocabulary import Role, Stage
from governance.vocabulary.entry_kinds import EntryKind
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
NO_HARM = "Not stated by the portfolio it came from."


def upload_portfolio(
    *, content: bytes, file_name: str, encoding: str = "", sheet: str = "", by: User
) -> ImportBatch:
    """Read a sheet and keep every row with what would become of it. Nothing is live until it is published.

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
        if opened.rows > MOST_ROWS:
            raise ValidationError(
                {"file": f"The sheet has {opened.rows:,} rows. Send at most {MOST_ROWS:,} at once."}
            )
        lines = list(opened.lines())
        note_reading(batch, opened.table, encoding, sheet)
        batch.reading |= sheet_reading.guessed(lines, batch.columns)
        batch.reading["remarks"] += batch.reading.pop("odd_columns")
        batch.save()
        _plan(batch, lines)
        record_upload(batch)
    return batch


# How a sheet is read


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
    mark: str = "",
    by: User,
) -> ImportBatch:
    """Say how the sheet is read; remembered for the next one. Rows that are live keep what became of them.

    `units`: a key, or "new", by department; `people`: a key, "" for nobody, "invite" by what stands for an owner.
    Whoever is invited gets no mail before the sheet is published.
    Raises ValidationError naming the field.
    """
    if currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise ValidationError({"currency": "Name the currency by its three letters, for instance EUR."})
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
            "mark": mark,
            "unit": str(unit.pk) if unit else "",
            "parent": str(parent.pk) if parent else "",
        }
        reading["stages"] = batch.reading["stages"] | {
            word: [stage if stage in TARGETS else "", "medium", "Chosen by hand."]
            for word, stage in stages.items()
        }
        reading["units"] = batch.reading["units"] | units
        reading["people"] = batch.reading["people"] | _asked(batch, people)
        lines = list(batch_rows.lines_of(batch))
        batch.reading = reading | sheet_reading.with_words(lines, reading, None)
        _remember(kept, batch)
        _plan(batch, lines)
        entries.record(
            EntryKind.INVENTORY_MAPPED,
            batch=batch.pk,
            source=OWN,
            columns=chosen,
            stages=batch.reading["stages"],
        )
    return batch


def _asked(batch: ImportBatch, people: dict[str, str]) -> dict[str, dict]:
    """Who was meant by each word for an owner; who is to be invited is invited when the sheet is published."""
    found = {}
    for word, answer in people.items():
        known = batch.reading["people"].get(word, {})
        if answer == INVITE and not known.get("address"):
            raise ValidationError(
                {"people": f"\u201c{word}\u201d holds no email address. Choose somebody, or nobody."}
            )
        chosen = answer and answer != INVITE
        how = INVITE if answer == INVITE else "chosen" if chosen else ""
        found[word] = known | {"person": int(answer) if chosen else None, "how": how}
    return found


def _invite(batch: ImportBatch, by: User) -> bool:
    """Invite the owners of new initiatives for whom that was chosen, each once; return whether there were any."""
    rows = batch.rows.filter(done_at__isnull=True, decision="import")
    words = {row.mapped["contact"] for row in rows.only("mapped")}
    people = batch.reading["people"]
    groups = {people[word]["group"] for word in words if people.get(word, {}).get("how") == INVITE}
    for group in groups:
        alike = [one for one in people.values() if one.get("group") == group and one["how"] == INVITE]
        person = _invited(alike[0]["name"], alike[0]["address"], by)
        for one in alike:
            one |= {"person": person.pk, "how": "invited"}
    return bool(groups)


def _invited(name: str, address: str, by: User) -> User:
    """An account for somebody whom a sheet names by an address; they sign in by the link of the invitation alone."""
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
    """What is remembered of one's own sheets; a new one for the first."""
    return InventorySource.objects.filter(key=OWN_SHEET).first() or InventorySource(key=OWN_SHEET, words=OWN)


def _remember(kept: InventorySource, batch: ImportBatch) -> None:
    reading = batch.reading
    kept.columns, kept.dates = reading["columns"], reading["dates"]
    kept.stages = kept.stages | reading["stages"]
    kept.fixed = {
        "currency": reading["currency"],
        "mark": reading["mark"],
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


def _plan(batch: ImportBatch, lines: list[Line]) -> None:
    """Rows of the batch as they would be now; those that are live stay as they are."""
    export = batch.reading["export"]
    look = queries.look(batch.uploaded_by, exported=export)
    rows = portfolio_plan.plan(lines, batch.reading, look)
    unsure = [each["text"] for row in rows for each in row.problems if each["kind"] == "two amounts"]
    batch.reading = batch.reading | {"two_amounts": {"count": len(unsure), "text": next(iter(unsure), "")}}
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
        refuse_unless_admin(by)
        one_import_at_a_time()
        batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
        batch_rows.still_current(batch)
        lines = list(batch_rows.lines_of(batch))
        _plan(batch, lines)  # another sheet may have been published meanwhile
        if _invite(batch, by):
            _plan(batch, lines)
            _remember(_own_source(), batch)
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
        entries.record(
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
        initiatives = [row.initiative for row in rows if row.mapped["tier"] == tier]
        keys = [initiative.pk for initiative in initiatives]
        row_history.update_where(Initiative, keys, proposed_tier=tier, worst_credible_harm=NO_HARM)
        entries.record_many(
            EntryKind.RISK_TIER_PROPOSED,
            [(initiative, {"tier": tier, "worst_credible_harm": NO_HARM}) for initiative in initiatives],
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
