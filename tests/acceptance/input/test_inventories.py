# ruff: noqa: RUF001 - the characters are what is tested
"""Inventories: read right or asked about, mapped to reported stages, imported without inventing anything."""

import contextlib
import io
from datetime import date, datetime

import openpyxl
import pytest
from django.core.exceptions import ValidationError

from governance.database.row_history import acting
from governance.models import Entry, Notification, Unit
from governance.permission_result import Conflict, Refused
from governance.tables import reader
from governance.tables.columns import against_order, days_in, parse_date
from governance.tables.encodings import CodePageUnsure, decode
from governance.tables.reader import read_table
from initiatives.models import (
    Evidence,
    Hold,
    ImportBatch,
    ImportRow,
    Initiative,
    InventorySource,
    Obligation,
    Review,
    RoleAssignment,
    SignOff,
    StageChange,
    SupportedStage,
    SupportedStagePeriod,
)
from initiatives.portfolio.imports.inventories import actions as inventory_actions
from initiatives.portfolio.imports.inventories import inventory_columns
from initiatives.portfolio.imports.inventories.import_batch import Earlier, counted, planned
from initiatives.portfolio.imports.inventories.inventory_columns import guess_stage
from initiatives.portfolio.imports.inventories.inventory_sources import KNOWN, newcomer
from initiatives.portfolio.imports.inventories.reported_stages import said_by_source
from initiatives.portfolio.imports.removal.actions import undo_batch
from tests.support.input import hostile_tables
from tests.support.paths import EXTRACTS

WORDS = "Name,Stage,Where\nSystème éducatif,Deployed,École\nŒuvre d’été,Pilot,Ça\n"


def content(name: str) -> bytes:
    return (EXTRACTS / name).read_bytes()


def upload(by, name="us_2025.csv", source="us-2025", **options):
    return inventory_actions.upload_batch(
        content=content(name), file_name=name, source=source, by=by, **options
    )


def text_upload(by, text, source="acme", **options):
    return inventory_actions.upload_batch(
        content=text.encode(), file_name="acme.csv", source=source, by=by, **options
    )


def kinds(row) -> set[str]:
    return {each["kind"] for each in row.problems}


# Reading


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_is_read_without_a_question(encoding):
    table = read_table(WORDS.encode(encoding))
    assert [line.cells["Name"] for line in table.lines] == ["Système éducatif", "Œuvre d’été"]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", WORDS),
        ("mac_roman", WORDS),
        ("cp1251", "Имя,Стадия\nСистема распознавания,В эксплуатации\n"),
        ("cp932", "名称,段階\n画像認識システム,運用中\n"),
        ("iso2022_jp", "名称,段階\n画像認識システム,運用中\n"),
    ],
)
def test_a_code_page_that_cannot_be_told_is_asked_for_and_then_right(encoding, text):
    raw = text.encode(encoding)
    with pytest.raises(CodePageUnsure) as asked:
        read_table(raw)
    offered = {page: lines for page, _, lines in asked.value.candidates}
    assert any(line in text for line in offered[encoding])
    assert decode(raw, encoding)[0] == text


def test_a_wrong_choice_is_refused_where_the_bytes_show_it():
    with pytest.raises(ValidationError, match="Choose another"):
        read_table("名称,段階\n画像,運用\n".encode("cp932"), encoding="euc_jp")
    assert decode("Système".encode(), "cp1252") == ("Système", "utf-8")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_mark_before_a_quoted_header_is_none_of_its_letters(encoding):
    table = read_table('"Name, in full",Stage\n"A, B",Pilot\n'.encode(encoding))
    assert table.columns == ["Name, in full", "Stage"]
    assert table.lines[0].cells == {"Name, in full": "A, B", "Stage": "Pilot"}


@pytest.mark.parametrize("choice", ["utf-16", "utf_16", "utf-32"])
def test_unicode_that_somebody_names_needs_no_mark(choice):
    text = "Name,Stage\nÄ,Pilot\n"
    endless = text.encode(f"{choice}-le".replace("_", "-"))
    assert read_table(endless, encoding=choice).lines[0].cells == {"Name": "Ä", "Stage": "Pilot"}
    with contextlib.suppress(ValidationError):
        read_table(b"\x01\x01\x01\x01", encoding=choice)


def test_windows_punctuation_needs_no_question():
    table = read_table(content("doi_2025.csv"))
    assert table.encoding == "cp1252"
    assert any("–" in cell for line in table.lines for cell in line.cells.values())
    assert table.columns[1] == "Use Case Name"
    assert "above the header" in table.remarks[0]


def test_delimiters_line_breaks_duplicate_and_missing_headers_and_crooked_rows():
    table = read_table(b'Inventory of Acme;;;\nName;Other;Other;\n"One\ntwo";a;b;c\nThree;d\n')
    assert table.delimiter == ";"
    assert table.columns == ["Name", "Other", "Other (2)", "Column 4"]
    assert table.lines[0].cells == {"Name": "One\ntwo", "Other": "a", "Other (2)": "b", "Column 4": "c"}
    assert [line.number for line in table.lines] == [3, 5]
    assert "shifted" in table.lines[1].odd[0]
    assert "more than once" in table.remarks[0]


def test_a_workbook_is_read_from_the_sheet_that_holds_the_inventory():
    table = read_table(content("epa_2025.xlsx"))
    assert table.sheet == "All Use Cases"
    assert len(table.lines) == 6
    assert "Selections" in " ".join(table.remarks)
    assert table.lines[0].number == 3


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b"%PDF-1.4", "PDF"),
        (b"\xd0\xcf\x11\xe0 old", "xlsx"),
        (b"PK\x03\x04 broken", "damaged"),
        (b"<html><table></table></html>", "not a table"),
        (b"Name,Stage\n", "no rows"),
        (b'Name,Stage\n"' + b"x" * (reader.MAX_CELL + 10), "without its closing mark"),
    ],
)
def test_what_is_no_inventory_is_refused_with_advice(raw, words):
    with pytest.raises(ValidationError, match=words):
        read_table(raw)


def test_a_workbook_damaged_anywhere_is_read_or_refused_with_advice():
    """A letter lost, or another one: in the directory of the archive, in its parts, in what is packed in them."""
    whole, refused = content("epa_2025.xlsx"), 0
    for place in range(0, len(whole), len(whole) // 150):
        for broken in (
            whole[:place] + whole[place + 1 :],
            whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :],
        ):
            refused += 1
            with contextlib.suppress(ValidationError):  # any other error would be a page that broke down
                read_table(broken)
                refused -= 1
    assert refused > 150


def test_bombs_are_bounded(monkeypatch):
    monkeypatch.setattr(reader, "MAX_ROWS", 10)
    with pytest.raises(ValidationError, match="too large"):
        read_table(b"Name,Stage\n" + b"a,b\n" * 11)
    workbook = openpyxl.Workbook()
    for _ in range(12):
        workbook.active.append(["a", "b"])
    stored = io.BytesIO()
    workbook.save(stored)
    with pytest.raises(ValidationError, match="too large"):
        read_table(stored.getvalue())
    monkeypatch.setattr(reader, "MAX_UNPACKED", 1000)
    with pytest.raises(ValidationError, match="unpacks to far more"):
        read_table(stored.getvalue())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"])
def test_a_workbook_with_entities_is_refused(tmp_path, part, encoding):
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    declared = f'<!DOCTYPE x [<!ENTITY a "wiki"><!ENTITY b SYSTEM "{secret.as_uri()}">]>'
    cells = "".join(f'<c t="inlineStr"><is><t>&{name};</t></is></c>' for name in "ab")
    rows = f"{hostile_tables.HEADER}<row>{cells}</row>"
    words = f"{declared}<worksheet {hostile_tables.SPREADSHEET}><sheetData>{rows}</sheetData></worksheet>"
    with pytest.raises(ValidationError, match=r"cannot be read|No sheet"):
        read_table(hostile_tables.workbook(extra={part: words.encode(encoding)}))


def test_cells_of_a_workbook_come_as_people_see_them():
    workbook = openpyxl.Workbook()
    hidden, last = workbook.create_sheet("Old"), workbook.create_sheet("Lists")
    hidden.sheet_state = "hidden"
    for sheet in (hidden, last):
        sheet.append(["Name", "Value"])
        sheet.append(["x", "y"])
    for _ in range(9):
        hidden.append(["more", "than the others"])
    rows = [
        ("number", 12345678901234, "12345678901234"),
        ("share", 0.125, "0.125"),
        ("leading zeros", "0042", "0042"),
        ("day", date(2025, 3, 4), "2025-03-04 00:00:00"),
        ("time", datetime(2025, 3, 4, 5, 6, 7), "2025-03-04 05:06:07"),
        ("yes", True, "True"),
        ("error", "#N/A", ""),
        ("line", "one\ntwo", "one\ntwo"),
    ]
    workbook.active.append(["Name", "Value"])
    for name, value, _ in rows:
        workbook.active.append([name, value])
    workbook.active["B3"].number_format = "0.00%"
    workbook.active["A14"] = "after blank rows"
    workbook.active.merge_cells("A14:B15")
    stored = io.BytesIO()
    workbook.save(stored)
    table = read_table(stored.getvalue())
    assert [(line.cells["Name"], line.cells["Value"]) for line in table.lines] == [
        *((name, text) for name, _, text in rows),
        ("after blank rows", "after blank rows"),
    ]
    assert table.lines[-1].number == 14
    assert table.remarks[:2] == [
        "Plumbline read the sheet “Sheet” and not Lists, Old (hidden).",
        "Merged cells (one area) were filled with the value of their first cell.",
    ]
    assert ["B8 (#N/A)" in remark for remark in table.remarks[2:]] == [True]
    assert table.sheets == (("Sheet", 9), ("Lists", 1))
    other = read_table(stored.getvalue(), sheet="Lists")
    assert [line.cells for line in other.lines] == [{"Name": "x", "Value": "y"}]
    for unseen in ("Old", "None"):
        with pytest.raises(ValidationError, match="Choose one of “Sheet”, “Lists”"):
            read_table(stored.getvalue(), sheet=unseen)


def test_the_process_that_reads_workbooks_knows_no_secrets_and_ends_in_time(tmp_path, monkeypatch):
    monkeypatch.setenv("PLUMBLINE_SECRET_KEY", "very secret")
    seen, real = {}, reader.subprocess.run

    def run(command, **options):
        seen.update(options)
        return real(command, **options)

    monkeypatch.setattr(reader.subprocess, "run", run)
    assert read_table(hostile_tables.workbook()).columns == ["Name", "Kind"]
    assert set(seen["env"]) == {"PATH"}
    with monkeypatch.context() as small:
        small.setattr(reader, "MEMORY", 60 << 20)
        with pytest.raises(ValidationError, match="far more data than its rows"):
            read_table(
                hostile_tables.workbook(hostile_tables.HEADER + hostile_tables.far_cell("B", 1_000_000))
            )
    slow = tmp_path / "slow.py"
    slow.write_text("import time\ntime.sleep(5)\n")
    monkeypatch.setattr(reader.workbook, "__file__", str(slow))
    monkeypatch.setattr(reader, "SECONDS", 0.1)
    with pytest.raises(ValidationError, match="far more data than its rows"):
        read_table(hostile_tables.workbook())


# Meaning


@pytest.mark.parametrize(
    ("raw", "order", "read"),
    [
        ("2024-10-01 00:00:00", "", "2024-10-01"),
        ("01/2024", "", "2024-01"),
        ("Jul-25", "", "2025-07"),
        ("2025", "", "2025"),
        ("10/1/2023", "mdy", "2023-10-01"),
        ("10/1/2023", "dmy", "2023-01-10"),
        ("10/1/2023", "", ""),
        ("10/13/2023 9:05", "", "2023-10-13"),
        ("01/01/2026 00:00:00 AM", "mdy", "2026-01-01"),
        ("31.12.2024", "", "2024-12-31"),
        ("31/02/2024", "", ""),
        ("1er juin 2025", "", "2025-06-01"),
        ("October 3rd, 2024", "", "2024-10-03"),
        ("3 de octubre de 2024", "", "2024-10-03"),
        ("1\u00ba de mar\u00e7o de 2025", "", "2025-03-01"),
        ("3. M\u00e4rz 2025", "", "2025-03-03"),
        ("May 25", "", ""),
        ("12", "", ""),
        ("Scheduled for FY2025", "mdy", ""),
        ("7/15/1905", "mdy", ""),
    ],
)
def test_dates_are_as_precise_as_written_and_never_guessed(raw, order, read):
    assert parse_date(raw, order) == read


def test_other_days_show_that_an_order_is_wrong_and_never_that_it_is_right():
    assert not against_order(["1/2/2024", "3/14/2024", ""], "mdy")
    assert against_order(["1/2/2024", "14/3/2024"], "mdy")
    assert against_order(["1/2/2024", "3/14/2024"], "dmy")
    assert not against_order(["14/3/2024", "3/14/2024"], "")


@pytest.mark.parametrize(
    ("raw", "days"),
    [
        ("1/2/2024", ["2024-01-02", "2024-02-01"]),
        ("26-03-04", ["2026-03-04"]),
        ("14/3/2024", ["2024-03-14"]),
        ("1.2.2024", ["2024-02-01"]),
        ("soon", []),
    ],
)
def test_the_days_that_a_cell_can_mean(raw, days):
    assert days_in(raw) == days


@pytest.mark.parametrize(
    ("raw", "stage"),
    [
        ("Deployed – The use case is being actively authorized or utilized.", "production"),
        ("b)  Pilot – The use case has been deployed in a limited capacity.", "mvp"),
        ("a) a) Pre-deployment – in a development or acquisition status.", "prototype"),
        ("In production (pilot users only)", "mvp"),
        ("Deployment being tested", "prototype"),
        ("In Betrieb", "production"),
        ("En développement", "prototype"),
        ("Buiten gebruik", "retired"),
        ("Cancelled", "stopped"),
        ("Completed", ""),
        ("Blue", ""),
    ],
)
def test_stages_of_unknown_sources_are_read_in_the_weaker_meaning(raw, stage):
    assert guess_stage(raw)[0] == stage


def test_the_process_remembers_no_long_cell():
    before = inventory_columns._stripped.cache_info().misses
    assert guess_stage("a) Pilot" + " " * 201)[0] == "mvp"
    assert inventory_columns._stripped.cache_info().misses == before


def read_extract(name, key):
    source = KNOWN.get(key) or newcomer(key)
    table = read_table(content(name), encoding=source.code_page, expected=tuple(source.columns.values()))
    return list(planned(lambda: iter(table.lines), table.columns, source, Earlier())[0])


def test_the_preview_of_2025_names_repeated_ids_cells_and_mailboxes():
    rows = read_extract("us_2025.csv", "us-2025")
    assert counted(rows) == {
        "rows": 36, "imported": 28, "merged": 2, "triaged": 6, "rejected": 0, "unchanged": 0, "changed": 0
    }  # fmt: skip
    assert sum("repeated id" in kinds(row) for row in rows) == 4
    named = {row.mapped["key"]: row for row in rows}
    assert "misplaced" in kinds(named["DOL-22"])
    assert {"misplaced", "invalid"} <= kinds(named["73"])
    assert "invalid" in kinds(named["EAC-2"])
    assert "shared mailbox" in kinds(named["DHS-2731"])
    assert any("contact" in kinds(row) for row in rows if "Treasury" in row.mapped["organisation"])
    assert any(row.mapped["title"].startswith("Unnamed system") and "no name" in kinds(row) for row in rows)
    assert all("doubtful stage" in kinds(row) for row in rows if row.mapped["stage"] == "retired")
    assert all(set(row.raw) == set(rows[0].raw) and len(row.raw) == 36 for row in rows)


def test_one_system_listed_by_provider_and_user_is_suggested_not_joined():
    rows = {row.mapped["key"]: row for row in read_extract("us_2025.csv", "us-2025")}
    provider, user = rows["DHS-2731"], rows["DHS-2577"]
    assert provider.decision == user.decision == "import"
    assert [hint["line"] for hint in provider.mapped["suggestions"]] == [user.line]
    assert [hint["line"] for hint in user.mapped["suggestions"]] == [provider.line]


# Acts


def test_nothing_is_live_before_the_confirmation(cast):
    batch = upload(cast.admin)
    assert batch.rows.count() == 36
    assert not Initiative.objects.exists()
    assert not batch.rows.filter(done_at__isnull=False).exists()


def test_an_import_brings_reported_stages_and_invents_nothing(cast):
    counts = inventory_actions.confirm_batch(batch=upload(cast.admin), by=cast.admin)
    assert counts["imported"] == 28
    initiatives = Initiative.objects.all()
    assert {initiative.basis for initiative in initiatives} == {"import"}
    assert all(initiative.registered_by_id is None for initiative in initiatives)
    for model in (Evidence, Hold, Notification, Obligation, Review, RoleAssignment, SignOff):
        assert not model.objects.exists(), model
    assert StageChange.objects.filter(basis="import", consumed=True).count() == 28
    assert Entry.objects.acts().filter(kind="stage changed").count() == 28
    assert Entry.objects.acts().filter(kind="stage changed").first().facts["facts"]["reported"] is True
    said = Initiative.history.filter(history_type="~").values_list("history_change_reason", flat=True)
    assert {words.split(" us-2025")[0] for words in said} == {"Asserted by source"}
    assert SupportedStage.objects.count() == 28
    deployed = SupportedStagePeriod.objects.filter(initiative__stage="production")
    assert {span.supported for span in deployed} <= {"proposed", "prototype"}


def test_a_supported_stage_written_for_many_is_the_one_written_for_each(cast):
    from initiatives.lifecycle.facts import supported_stage_rows

    inventory_actions.confirm_batch(batch=upload(cast.admin), by=cast.admin)
    names = (
        "supported",
        "unsupported_stages",
        "label",
        "gaps",
        "until_at",
        "held",
        "governance",
        "next_expiry_on",
    )
    for stage in ("prototype", "mvp", "production", "retired"):
        initiative = Initiative.objects.filter(stage=stage).order_by("-number").first()
        before = list(initiative.spans.values(*names))
        with acting(system="test", reason="Written for one"):
            supported_stage_rows.rewrite([initiative])
        assert list(initiative.spans.values(*names)) == before


def test_the_same_file_again_changes_nothing_and_is_linked(cast):
    first = upload(cast.admin)
    inventory_actions.confirm_batch(batch=first, by=cast.admin)
    before = (Initiative.objects.count(), ImportRow.objects.count(), Unit.objects.count())
    again = upload(cast.admin)
    assert again.repeats == first
    assert inventory_actions.confirm_batch(batch=again, by=cast.admin) == {
        "rows": 36, "imported": 0, "merged": 0, "triaged": 0, "rejected": 0, "unchanged": 36, "changed": 0
    }  # fmt: skip
    assert before == (Initiative.objects.count(), ImportRow.objects.count(), Unit.objects.count())


def test_lines_known_from_another_file_are_unchanged_and_other_words_are_proposed(cast):
    inventory_actions.confirm_batch(batch=upload(cast.admin), by=cast.admin)
    changed = content("us_2025.csv").replace(b"NEC", b"N.E.C.").replace(b"Appian,", b"Appian ,")
    batch = inventory_actions.upload_batch(
        content=changed, file_name="b.csv", source="us-2025", by=cast.admin
    )
    assert batch.repeats is None
    assert batch.counts["imported"] == 0
    mobile = batch.rows.get(mapped__key="DHS-2731")
    assert mobile.decision == "unchanged"
    assert mobile.initiative.source_key == "DHS-2731"
    assert "known" in kinds(mobile)
    renamed = content("us_2025.csv").replace(b"Mobile Fortify", b"Mobile Fort")
    batch = inventory_actions.upload_batch(
        content=renamed, file_name="c.csv", source="us-2025", by=cast.admin
    )
    row = batch.rows.get(mapped__key="DHS-2731")
    assert row.decision == "change"
    assert row.mapped["changes"][0]["field"] == "title"
    assert not ImportRow.objects.proposing_changes().exists(), "before it is confirmed"
    inventory_actions.confirm_batch(batch=batch, by=cast.admin)
    assert list(ImportRow.objects.proposing_changes()) == list(batch.rows.filter(decision="change"))
    assert Initiative.objects.get(source_key="DHS-2731").title == "Mobile Fortify"
    following = inventory_actions.upload_batch(
        content=renamed + b"\n", file_name="d.csv", source="us-2025", by=cast.admin
    )
    assert following.counts["unchanged"] == following.counts["rows"] == 36


def test_another_stage_in_a_newer_file_is_set_aside_for_a_person(cast):
    inventory_actions.confirm_batch(batch=upload(cast.admin), by=cast.admin)
    initiative = Initiative.objects.get(source_key="DHS-2731")
    changed = content("us_2025.csv").replace(
        b"maac13b75@hq.dhs.gov,,Deployed", b"maac13b75@hq.dhs.gov,,Retired"
    )
    batch = inventory_actions.upload_batch(
        content=changed, file_name="b.csv", source="us-2025", by=cast.admin
    )
    row = batch.rows.get(mapped__key="DHS-2731")
    assert (row.decision, row.initiative) == ("triage", initiative)
    assert "moved" in kinds(row)
    inventory_actions.confirm_batch(batch=batch, by=cast.admin)
    assert Initiative.objects.get(pk=initiative.pk).stage == "production"


def test_two_uploads_that_wait_bring_each_system_once(cast):
    one = upload(cast.admin)
    other = inventory_actions.upload_batch(
        content=content("us_2025.csv") + b"\n", file_name="b.csv", source="us-2025", by=cast.admin
    )
    inventory_actions.confirm_batch(batch=one, by=cast.admin)
    counts = inventory_actions.confirm_batch(batch=other, by=cast.admin)
    assert counts["imported"] == 0
    assert Initiative.objects.count() == 28


def test_an_older_file_is_refused(cast):
    inventory_actions.confirm_batch(batch=upload(cast.admin), by=cast.admin)
    with pytest.raises(ValidationError) as refused:
        upload(cast.admin, "us_2024.csv", "us-2024")
    assert "older than us_2025.csv" in refused.value.message_dict["published_on"][0]


def test_units_are_made_below_imported_or_found_by_name(cast):
    from governance.organisation import actions as organisation_actions

    home = organisation_actions.add_unit(name="Department of Justice", code="doj", by=cast.admin)
    inventory_actions.confirm_batch(batch=upload(cast.admin, own=True), by=cast.admin)
    assert {initiative.unit for initiative in Initiative.objects.filter(source_key__startswith="DOJ-")} == {
        home
    }
    assert not Unit.objects.filter(code="imported").exists()


def test_units_of_an_external_inventory_are_none_of_our_own(cast):
    from governance.organisation import actions as organisation_actions

    home = organisation_actions.add_unit(name="Department of Justice", code="doj", by=cast.admin)
    inventory_actions.confirm_batch(batch=upload(cast.admin), by=cast.admin)
    assert not home.initiatives.exists()
    cbp = Initiative.objects.get(source_key="DHS-2731").unit
    assert (cbp.name, cbp.parent.name, cbp.parent.parent.name) == (
        "CBP",
        "Department of Homeland Security",
        "Imported",
    )
    assert cbp.path == f"/imported/{cbp.parent.code}/{cbp.code}/"


def test_a_row_set_aside_is_decided_by_hand(cast):
    batch = upload(cast.admin)
    first, second = batch.rows.filter(decision="triage")[:2]
    inventory_actions.decide_row(row=first, stage="prototype", reason="Its office told us.", by=cast.admin)
    assert not Initiative.objects.exists()
    inventory_actions.confirm_batch(batch=batch, by=cast.admin)
    initiative = ImportRow.objects.get(pk=first.pk).initiative
    assert initiative.stage == "prototype"
    assert "chosen by hand: Its office told us." in initiative.stage_changes.get().reason
    live = inventory_actions.decide_row(row=second, stage="mvp", reason="Seen in use.", by=cast.admin)
    assert live.initiative.stage == "mvp"
    with pytest.raises(Conflict):
        inventory_actions.decide_row(row=second, stage="mvp", reason="Again.", by=cast.admin)
    third = batch.rows.filter(decision="triage")[0]
    assert inventory_actions.decide_row(row=third, reason="Not AI.", by=cast.admin).decision == "reject"
    with pytest.raises(ValidationError):
        inventory_actions.decide_row(row=batch.rows.filter(decision="triage")[0], by=cast.admin)


def test_only_admins_import(cast):
    for person in (cast.owner, cast.auditor, cast.chair):
        with pytest.raises(Refused):
            upload(person)
    batch = upload(cast.admin)
    with pytest.raises(Refused):
        inventory_actions.confirm_batch(batch=batch, by=cast.owner)
    with pytest.raises(Refused):
        inventory_actions.decide_row(row=batch.rows.filter(decision="triage")[0], reason="x", by=cast.owner)
    assert Entry.objects.acts().filter(kind="refused").count() == 5
    assert ImportBatch.objects.count() == 1


UNSEEN = """Register 2026,,,,
Bezeichnung,Behörde,Status,Zweck,Einsatz seit
Chat-Assistent,Amt Nord,In Betrieb,Fragen beantworten,01.02.2025
Prüfhilfe,Amt Nord,Geplant,Akten prüfen,
Rätsel,Amt Süd,Türkis,,
"""


def test_a_schema_never_seen_is_guessed_mapped_by_hand_and_remembered(cast):
    batch = text_upload(cast.admin, UNSEEN)
    assert batch.reading["columns"]["title"] == "Bezeichnung"
    assert [row.mapped["stage"] for row in batch.rows.all()] == ["production", "proposed", ""]
    columns = {**batch.reading["columns"], "began": "Einsatz seit"}
    batch = inventory_actions.map_batch(batch=batch, columns=columns, stages={"Türkis": "mvp"}, by=cast.admin)
    assert [row.mapped["stage"] for row in batch.rows.all()] == ["production", "proposed", "mvp"]
    assert batch.rows.first().mapped["began"] == "2025-02-01"
    assert InventorySource.objects.get(key="acme").stages["Türkis"][0] == "mvp"
    counts = inventory_actions.confirm_batch(batch=batch, by=cast.admin)
    assert counts["imported"] == 3
    with pytest.raises(Conflict, match="Rows of this file are imported"):
        inventory_actions.map_batch(batch=batch, columns=columns, by=cast.admin)
    following = text_upload(cast.admin, UNSEEN.replace("Rätsel", "Lotse"))
    assert [row.mapped["stage"] for row in following.rows.all()] == ["production", "proposed", "mvp"]
    assert [row.decision for row in following.rows.all()] == ["unchanged", "unchanged", "import"]
    undo_batch(batch=batch, reason="A wrong column.", by=cast.admin)
    anew = text_upload(cast.admin, UNSEEN)
    assert anew.repeats is None
    assert anew.counts["imported"] == 3, "what was undone can be mapped and imported anew"


def test_a_mapping_without_names_or_with_one_column_twice_is_refused(cast):
    batch = text_upload(cast.admin, UNSEEN)
    with pytest.raises(ValidationError) as wrong:
        inventory_actions.map_batch(batch=batch, columns={"title": ""}, by=cast.admin)
    assert "title" in wrong.value.message_dict
    with pytest.raises(ValidationError):
        inventory_actions.map_batch(
            batch=batch, columns={"title": "Status", "stage": "Status"}, by=cast.admin
        )
    with pytest.raises(ValidationError):
        inventory_actions.map_batch(batch=batch, columns={"title": "No such column"}, by=cast.admin)


def test_columns_not_published_read_not_reported(cast):
    published = content("us_2025.csv").decode("utf-8-sig").replace("hi_appeal_process,", "elsewhere,", 1)
    batch = inventory_actions.upload_batch(
        content=published.encode(), file_name="x.csv", source="us-2025", by=cast.admin
    )
    inventory_actions.confirm_batch(batch=batch, by=cast.admin)
    initiative = Initiative.objects.get(source_key="DHS-2577")
    said = dict(said_by_source(initiative)["cells"])
    assert said["Can people affected appeal?"] == ""
    assert said["Was it tested before deployment?"] == "In-progress"
    assert said["Does it involve personally identifiable information?"] == "Yes"


def test_a_published_day_of_our_own_source_guards_against_older_files_too(cast):
    inventory_actions.confirm_batch(
        batch=text_upload(cast.admin, UNSEEN, published_on=date(2026, 3, 1)), by=cast.admin
    )
    with pytest.raises(ValidationError):
        text_upload(cast.admin, UNSEEN + "Neu,Amt,Test,,\n", published_on=date(2025, 3, 1))
