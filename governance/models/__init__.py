"""Rows of the rules and the record."""

from governance.models.absences import Absence, Delegation
from governance.models.access import PasswordLink, Session
from governance.models.audit import Sample, SampledEntry
from governance.models.contracts import Clause, Contract, ContractApproval, ContractVersion
from governance.models.ledger import Checkpoint, Entry, EntryBody, Leaf, Node, Sealing
from governance.models.life import Pulse, TaskRun
from governance.models.notices import Delivery, Notice
from governance.models.people import Board, Membership, SignInAttempt, Unit, User
from governance.models.retention import LegalHold
from governance.models.rulebook import Criterion, Gate, Requirement, Rulebook
from governance.models.stamps import Timestamp
from governance.models.telling import CalendarFeed, Telling

__all__ = [
    "Absence",
    "Board",
    "CalendarFeed",
    "Checkpoint",
    "Clause",
    "Contract",
    "ContractApproval",
    "ContractVersion",
    "Criterion",
    "Delegation",
    "Delivery",
    "Entry",
    "EntryBody",
    "Gate",
    "Leaf",
    "LegalHold",
    "Membership",
    "Node",
    "Notice",
    "PasswordLink",
    "Pulse",
    "Requirement",
    "Rulebook",
    "Sample",
    "SampledEntry",
    "Sealing",
    "Session",
    "SignInAttempt",
    "TaskRun",
    "Telling",
    "Timestamp",
    "Unit",
    "User",
]
