"""Rows of the rules and the audit log."""

from governance.models.audit import Sample, SampledEntry
from governance.models.audit_log import Checkpoint, Entry, EntryBody, Leaf, Node, Sealing, Timestamp
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
from governance.models.identity.providers import (
    BreakGlass,
    ClientKey,
    ExternalIdentity,
    IdentityProvider,
    LogoutToken,
    ProviderKey,
    RoundTrip,
    SamePerson,
    SignInPolicy,
)
from governance.models.identity.provisioning import Directory, ManagedAccount, ManagedGroup, ManagedMembership
from governance.models.identity.signature_proofs import FrozenStatement, SignatureProof
from governance.models.installation import DataFolder, ProcessHeartbeat, TaskRun
from governance.models.interactions import (
    Interaction,
    InteractionBatch,
    InteractionBodies,
    InteractionBody,
    InteractionDigest,
    InteractionKey,
)
from governance.models.notifications import CalendarFeed, Delivery, Notification, SnoozedTask, Telling
from governance.models.people import Absence, Board, Delegation, Membership, SignInAttempt, Unit, User
from governance.models.retention import LegalHold
from governance.models.rulebook import Criterion, Gate, Requirement, Rulebook, SigningRule
from governance.models.sign_in import KeyAttempt, PasswordLink, ServiceKey, Session

__all__ = [
    "Absence",
    "AuthenticatorApp",
    "Board",
    "BreakGlass",
    "CalendarFeed",
    "Checkpoint",
    "Clause",
    "ClauseComment",
    "ClientKey",
    "Contract",
    "ContractApproval",
    "ContractVersion",
    "Criterion",
    "DataFolder",
    "DecisionBatch",
    "Delegation",
    "Delivery",
    "Directory",
    "Entry",
    "EntryBody",
    "ExternalIdentity",
    "FactorReset",
    "FactorUse",
    "FrozenStatement",
    "Gate",
    "IdentityProvider",
    "KeyAttempt",
    "KeyHeartbeat",
    "Leaf",
    "LegalHold",
    "LogoutToken",
    "ManagedAccount",
    "ManagedGroup",
    "ManagedMembership",
    "Membership",
    "Node",
    "Notification",
    "OutcomeReport",
    "Passkey",
    "PasswordLink",
    "PolicyDecision",
    "ProcessHeartbeat",
    "ProviderKey",
    "RecoveryCode",
    "Requirement",
    "RoundTrip",
    "Rulebook",
    "SamePerson",
    "Sample",
    "SampledEntry",
    "Sealing",
    "ServiceKey",
    "Session",
    "SignInAttempt",
    "SignInPolicy",
    "SignatureProof",
    "SigningRule",
    "SnoozedTask",
    "TaskRun",
    "Telling",
    "Timestamp",
    "Unit",
    "User",
    "VocabularyWord",
]
