"""A name of a table that is written as text names a table that exists: no rename leaves a guard without its table."""

import ast
import re

from django.apps import apps

from governance.database import database_roles
from governance.offline import verify
from governance.vocabulary import Seat
from governance.vocabulary.entry_kinds import EntryKind
from tests.support.paths import ROOT
from tests.unit.repository.test_architecture import FLOORS, nodes_of, tree_of

NAME = re.compile(r"(?<![\w./])(?:governance|initiatives|adoption)_[a-z0-9]+(?![\w./(-])")
SEATS = set(Seat.values)  # the adoption seat is written as a table would be
FIGURES = {"initiatives_supported"}  # of /metrics, written as a table would be
# What an auditor does not read, by hand: a table that loses its mark is missed here.
HIDDEN = {
    "adoption_answerbox": None,
    "adoption_invitation": None,
    "adoption_sealedsource": None,
    "governance_apitoken": ("secret_hash",),
    "governance_clientkey": ("private_box",),
    "governance_directory": ("secret_hash",),
    "governance_eventreceiver": ("address_box", "key_box"),
    "governance_identityprovider": ("secret_box",),
    "governance_interactionbody": None,
    "governance_interactionkey": ("wrapped",),
    "governance_passwordlink": ("nonce",),
    "governance_roundtrip": None,
    "governance_servicekey": ("secret_hash",),
    "governance_session": None,
    "governance_user": ("password",),
    "initiatives_approvalpreview": ("content",),
}


def tables() -> dict[str, set[str]]:
    """Every table of a model, with its columns."""
    return {
        model._meta.db_table: {field.column for field in model._meta.concrete_fields}
        for model in apps.get_models(include_auto_created=True)
    }


def written(tree: ast.Module) -> set[str]:
    """The names that look like tables in the texts of a module, docstrings among them."""
    return {
        name
        for node in nodes_of(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for name in NAME.findall(node.value)
    }


def test_each_table_named_in_code_exists():
    known = set(tables()) | SEATS | FIGURES
    wrong = {
        path.relative_to(ROOT).as_posix(): sorted(missing)
        for floor in FLOORS
        for path in sorted((ROOT / floor).rglob("*.py"))
        if "/migrations/" not in path.as_posix()
        and (missing := {name for name in written(tree_of(path)) if name not in known})
    }
    assert not wrong, wrong


def test_the_verifier_judges_tables_columns_and_kinds_that_exist():
    known = tables()
    missing = {
        f"{table}.{column}"
        for table, columns in verify.JUDGED.items()
        for column in columns
        if column not in known.get(table, ())
    }
    assert missing == set()
    assert set(verify.JUDGED_ACTS) <= set(EntryKind)


def test_what_an_auditor_does_not_read_is_hidden_and_exists():
    assert database_roles.hidden_from_auditors() == HIDDEN
    known = tables()
    assert {table for table, columns in HIDDEN.items() if not set(columns or ()) <= known[table]} == set()
