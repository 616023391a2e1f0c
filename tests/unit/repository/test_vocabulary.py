"""Kinds of entries: each is written somewhere, is a member of the one enumeration, and has a wording."""

import ast
import re
from pathlib import Path

from django.conf import settings

from governance.audit import search as audit_search
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contributions import contributed
from tests.unit.repository.test_architecture import nodes_of, tree_of

ROOT = Path(settings.BASE_DIR)
WRITERS = ("entries.record", "entries.record_many", "EntryOf")
# Shown as they are called, with their facts in brackets: of the house and its people, on no initiative's page.
SAY_THEMSELVES = {
    EntryKind.ACCOUNT_ADDED,
    EntryKind.ACCOUNT_REACTIVATED,
    EntryKind.APPOINTED,
    EntryKind.BOARD_ADDED,
    EntryKind.CALENDAR_ADDRESS_REVOKED,
    EntryKind.CALENDAR_ADDRESS_MADE,
    EntryKind.DEMO_FOUNDED,
    EntryKind.DEMO_TOLD,
    EntryKind.HANDOVER,
    EntryKind.IMPORTED_ROW_DECIDED,
    EntryKind.INVENTORY_MAPPED,
    EntryKind.AUDIT_LOG_EXPORTED,
    EntryKind.REPORTING_DUTY_CHANGED,
    EntryKind.RESTORED,
    EntryKind.SEAT_CONFIRMED,
    EntryKind.SEAT_LEFT,
    EntryKind.USER_CHANGED,
}


def recorded():
    """(module, first argument, its module's tree) of every call in the apps that writes an entry."""
    for app in ("governance", "initiatives", "adoption"):
        for path in sorted((ROOT / app).rglob("*.py")):
            tree = tree_of(path)
            for node in nodes_of(tree):
                if not isinstance(node, ast.Call):
                    continue
                if ast.unparse(node.func) in WRITERS:
                    yield path.relative_to(ROOT).as_posix(), node.args[0], tree
                for (
                    declared
                ) in node.keywords:  # of initiatives.lifecycle.consents, which writes what a kind declares
                    if ast.unparse(node.func) == "Kind" and declared.arg == "entries":
                        yield path.relative_to(ROOT).as_posix(), declared.value, tree


def members(node) -> set[str]:
    """Names of the members that stand in the node."""
    return {
        one.attr
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute) and getattr(one.value, "id", "") == "EntryKind"
    }


def test_every_entry_is_written_with_a_member():
    wrong = []
    for name, kind, _ in recorded():
        texts = [
            one for one in ast.walk(kind) if isinstance(one, ast.Constant) and isinstance(one.value, str)
        ]
        put_together = isinstance(kind, ast.Call) and ast.unparse(kind.func) == "EntryKind"
        if texts and not put_together:
            wrong.append(f"{name}:{kind.lineno} writes {ast.unparse(kind)}")
    assert wrong == []


def test_every_kind_is_written_somewhere():
    written = members(tree_of(ROOT / "governance/privacy/erasure.py"))  # by a statement of its own
    for _, kind, tree in recorded():
        if isinstance(kind, ast.Call):  # EntryKind(f"review {outcome}")
            parts = kind.args[0].values
            shape = "".join(re.escape(one.value) if isinstance(one, ast.Constant) else ".+" for one in parts)
            written |= {one.name for one in EntryKind if re.fullmatch(shape, one)}
        else:  # where a variable says it, the members stand beside it
            written |= members(kind) or members(tree)
    assert set(EntryKind.__members__) - written == set()


def test_every_kind_has_a_wording_or_says_itself():
    worded = set(contributed.sentences) | set(audit_search.SENTENCES)
    assert worded <= set(EntryKind)
    assert set(EntryKind) - worded == SAY_THEMSELVES
