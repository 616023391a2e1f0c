"""Rows of the rules and the record."""

from governance.models.contracts import Clause, Contract, ContractApproval, ContractVersion
from governance.models.ledger import Entry, EntryBody
from governance.models.notices import Delivery, Notice
from governance.models.people import Board, Membership, SignInAttempt, Unit, User
from governance.models.rulebook import Criterion, Gate, Requirement, Rulebook

__all__ = [
    "Board",
    "Clause",
    "Contract",
    "ContractApproval",
    "ContractVersion",
    "Criterion",
    "Delivery",
    "Entry",
    "EntryBody",
    "Gate",
    "Membership",
    "Notice",
    "Requirement",
    "Rulebook",
    "SignInAttempt",
    "Unit",
    "User",
]
