"""Rows of the rules and the record."""

from governance.models.absences import Absence, Delegation
from governance.models.access import PasswordLink, Session
from governance.models.audit import Sample, SampledEntry
from governance.models.contracts import (
    Clause,
    ClauseComment,
    Contract,
    ContractApproval,
    ContractVersion,
    VocabularyWord,
)
from governance.models.decisions import DecisionBatch, PolicyDecision
from governance.models.folder import DataFolder
from governance.models.keys import KeyAttempt, ServiceKey
from governance.models.ledger import Checkpoint, Entry, EntryBody, Leaf, Node, Sealing
from governance.models.life import Pulse, TaskRun
from governance.models.notices import Delivery, Notice
from governance.models.people import Board, Membership, SignInAttempt, Unit, User
from governance.models.retention import LegalHold
from governance.models.rulebook import Criterion, Gate, Requirement, Rulebook, SigningRule
from governance.models.stamps import Timestamp
from governance.models.telling import CalendarFeed, Telling

__all__ = [
    "Absence",
    "Board",
    "CalendarFeed",
    "Checkpoint",
    "Clause",
    "ClauseComment",
    "Contract",
    "ContractApproval",
    "ContractVersion",
    "Criterion",
    "DataFolder",
    "DecisionBatch",
    "Delegation",
    "Delivery",
    "Entry",
    "EntryBody",
    "Gate",
    "KeyAttempt",
    "Leaf",
    "LegalHold",
    "Membership",
    "Node",
    "Notice",
    "PasswordLink",
    "PolicyDecision",
    "Pulse",
    "Requirement",
    "Rulebook",
    "Sample",
    "SampledEntry",
    "Sealing",
    "ServiceKey",
    "Session",
    "SignInAttempt",
    "SigningRule",
    "TaskRun",
    "Telling",
    "Timestamp",
    "Unit",
    "User",
    "VocabularyWord",
]
