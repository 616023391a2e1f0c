"""The command that imports an inventory: it shows how the file is understood, and asks."""

import io
import json

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.db.models import Q

from initiatives.models import ImportBatch, Initiative
from tests.support.paths import EXTRACTS

WORDS = "Name,Stage,Where\nSystème éducatif,Deployed,École\nŒuvre d\u2019été,Pilot,Ça\n"
UNSEEN = """Register 2026,,,,
Bezeichnung,Behörde,Status,Zweck,Einsatz seit
Chat-Assistent,Amt Nord,In Betrieb,Fragen beantworten,01.02.2025
Prüfhilfe,Amt Nord,Geplant,Akten prüfen,
Rätsel,Amt Süd,Türkis,,
"""


def run(*arguments) -> dict:
    out = io.StringIO()
    call_command("import_inventory", *arguments, "--yes", "--json", stdout=out)
    return json.loads(out.getvalue().splitlines()[-1])


def test_the_command_ends_with_one_object_and_a_dry_run_changes_nothing(cast):
    file = str(EXTRACTS / "us_2025.csv")
    wanted = {"rows": 36, "imported": 28, "merged": 2, "triaged": 6}
    wanted |= {"rejected": 0, "unchanged": 0, "changed": 0}
    assert run(file, "--source", "us-2025", "--dry-run") == wanted
    assert not ImportBatch.objects.exists()
    assert run(file, "--source", "us-2025", "--by", "admin") == wanted
    assert ImportBatch.objects.get().confirmed_by == cast.admin
    assert run(file, "--source", "us-2025")["unchanged"] == 36
    assert Initiative.objects.filter(Q(stage="proposed") | Q(basis="registered")).count() == 0


def told_by_command(*arguments) -> str:
    out = io.StringIO()
    call_command("import_inventory", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_shows_its_mapping_and_asks(cast, tmp_path, monkeypatch):
    file = tmp_path / "register.csv"
    file.write_text(UNSEEN + "Lotse,Amt Süd,,,\nHelfer,,Pilot,,\n")
    arguments = str(file), "--source", "acme"
    dry = told_by_command(*arguments, "--dry-run")
    for line in (
        "Name of the system: Bezeichnung",
        "Vendor: (no column)",
        "In Betrieb: Production",
        "Türkis: unknown, set aside",
        "A stage whose meaning is not known: 1 (line 5)",
        "No stage reported: 1 (line 6)",
        "No organisation: 1 (line 7)",
    ):
        assert f"  {line}\n" in dry
    with pytest.raises(CommandError, match="--yes"):
        told_by_command(*arguments)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda words: "no")
    with pytest.raises(CommandError, match="The import was cancelled"):
        told_by_command(*arguments)
    assert not ImportBatch.objects.exists()
    monkeypatch.setattr("builtins.input", lambda words: "y")
    assert "imported: 2\n" in told_by_command(*arguments)


def test_the_command_reads_the_sheet_it_is_told(cast, tmp_path):
    workbook = openpyxl.Workbook()
    workbook.active.append(["Name", "Stage", "Agency"])
    workbook.active.append(["a", "Pilot", "Acme"])
    other = workbook.create_sheet("Others")
    for row in (["Name", "Stage", "Agency"], ["b", "Pilot", "Acme"], ["c", "Pilot", "Acme"]):
        other.append(row)
    workbook.save(tmp_path / "a.xlsx")
    assert run(str(tmp_path / "a.xlsx"), "--source", "acme", "--sheet", "Sheet")["rows"] == 1
    with pytest.raises(CommandError, match="Choose one of"):
        run(str(tmp_path / "a.xlsx"), "--source", "acme", "--sheet", "Nowhere")


def test_the_command_says_how_to_fix_what_is_wrong(cast, tmp_path):
    file = tmp_path / "a.csv"
    file.write_bytes(WORDS.encode("cp1252"))
    with pytest.raises(CommandError, match="code page"):
        run(str(file), "--source", "acme")
    assert (
        run(str(file), "--source", "acme", "--encoding", "cp1252", "--organisation", "Acme")["imported"] == 2
    )
    with pytest.raises(CommandError, match="is not a file"):
        run(str(tmp_path / "none.csv"), "--source", "acme")
    with pytest.raises(CommandError, match="No active person"):
        run(str(file), "--source", "acme", "--by", "nobody")
    with pytest.raises(CommandError, match="Only admins"):
        run(str(EXTRACTS / "us_2025.csv"), "--source", "us-2025", "--by", "owner")
