"""Rows of the rules and the record."""

from governance.models.audit import Sample, SampledEntry
from governance.models.contracts import (
    Clause,
    ClauseComment,
    Contract,
    ContractApproval,
    ContractVersion,
    VocabularyWord,
)
from governance.models.decisions import DecisionBatch, KeyHeartbeat, OutcomeReport, PolicyDecision
from governance.models.identity.factors import AuthenticatorApp, FactorReset, FactorUse, Passkey, RecoveryCode
from governance.models.identity.signature_proofs import FrozenStatement, SignatureProof
from governance.models.installation import DataFolder, Pulse, TaskRun
from governance.models.interactions import (
    Interaction,
    InteractionBatch,
    InteractionBodies,
    InteractionDigest,
    InteractionKey,
)
from governance.models.ledger import Checkpoint, Entry, EntryBody, Leaf, Node, Sealing, Timestamp
from governance.models.notices import CalendarFeed, Delivery, Notice, SnoozedLine, Telling
from governance.models.people import Absence, Board, Delegation, Membership, SignInAttempt, Unit, User
from governance.models.retention import LegalHold
from governance.models.rulebook import Criterion, Gate, Requirement, Rulebook, SigningRule
from governance.models.sign_in import KeyAttempt, PasswordLink, ServiceKey, Session

__all__ = [
    "Absence",
    "AuthenticatorApp",
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
    "FactorReset",
    "FactorUse",
    "FrozenStatement",
    "Gate",
    "KeyAttempt",
    "KeyHeartbeat",
    "Leaf",
    "LegalHold",
    "Membership",
    "Node",
    "Notice",
    "OutcomeReport",
    "Passkey",
    "PasswordLink",
    "PolicyDecision",
    "Pulse",
    "RecoveryCode",
    "Requirement",
    "Rulebook",
    "Sample",
    "SampledEntry",
    "Sealing",
    "ServiceKey",
    "Session",
    "SignInAttempt",
    "SignatureProof",
    "SigningRule",
    "SnoozedLine",
    "TaskRun",
    "Telling",
    "Timestamp",
    "Unit",
    "User",
    "VocabularyWord",
]
