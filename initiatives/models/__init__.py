"""Rows of the cases."""

from initiatives.models.approvals import (
    ApprovalAnswer,
    ApprovalOpening,
    ApprovalRequest,
    ApprovalUse,
    KillSwitch,
)
from initiatives.models.definitions import DefinitionConflict, Term, TermDefinition, TermUse
from initiatives.models.enforcement import ArchitectureDecision, ClauseEnforcement, LayerReview
from initiatives.models.estates import EstateBatch, EstateMapping, EstateRow
from initiatives.models.evidence import (
    Answer,
    AnswerDraft,
    Coverage,
    Evidence,
    EvidenceNames,
    ProofItem,
    Voiding,
)
from initiatives.models.filechecks import FileCheck
from initiatives.models.findings import Shortcoming
from initiatives.models.handovers import Handover
from initiatives.models.holds import Excuse, Gap, Hold, Obligation
from initiatives.models.imports import ImportBatch, ImportRow, InventorySource
from initiatives.models.initiative import (
    Initiative,
    PastStanding,
    RoleAssignment,
    Span,
    StageChange,
    Standing,
)
from initiatives.models.notes import Continuation, Event, FormerTitle, FundingDecision, Observation
from initiatives.models.processes import Drill, Effort, ProcessRecord, SignOnFlow, TraceSample
from initiatives.models.profiles import Drift, Profile
from initiatives.models.proposals import ProposedChange
from initiatives.models.residency import Region, UnitPolicy, Vendor, VendorTerm
from initiatives.models.reviews import Condition, Question, Review, SignOff, Waiver
from initiatives.models.systems import (
    Customisation,
    Hop,
    Link,
    LinkAnswer,
    ServiceAccount,
    SourceAcceptance,
    System,
)
from initiatives.models.versions import ChangeRecord, Component, ComponentVersion, Dependant, ScopeVersion
from initiatives.models.visits import CaseVisit, ReviewVisit
from initiatives.models.whatif import Forecast, Foreseen, RulebookDraft

__all__ = [
    "Answer",
    "AnswerDraft",
    "ApprovalAnswer",
    "ApprovalOpening",
    "ApprovalRequest",
    "ApprovalUse",
    "ArchitectureDecision",
    "CaseVisit",
    "ChangeRecord",
    "ClauseEnforcement",
    "Component",
    "ComponentVersion",
    "Condition",
    "Continuation",
    "Coverage",
    "Customisation",
    "DefinitionConflict",
    "Dependant",
    "Drift",
    "Drill",
    "Effort",
    "EstateBatch",
    "EstateMapping",
    "EstateRow",
    "Event",
    "Evidence",
    "EvidenceNames",
    "Excuse",
    "FileCheck",
    "Forecast",
    "Foreseen",
    "FormerTitle",
    "FundingDecision",
    "Gap",
    "Handover",
    "Hold",
    "Hop",
    "ImportBatch",
    "ImportRow",
    "Initiative",
    "InventorySource",
    "KillSwitch",
    "LayerReview",
    "Link",
    "LinkAnswer",
    "Obligation",
    "Observation",
    "PastStanding",
    "ProcessRecord",
    "Profile",
    "ProofItem",
    "ProposedChange",
    "Question",
    "Region",
    "Review",
    "ReviewVisit",
    "RoleAssignment",
    "RulebookDraft",
    "ScopeVersion",
    "ServiceAccount",
    "Shortcoming",
    "SignOff",
    "SignOnFlow",
    "SourceAcceptance",
    "Span",
    "StageChange",
    "Standing",
    "System",
    "Term",
    "TermDefinition",
    "TermUse",
    "TraceSample",
    "UnitPolicy",
    "Vendor",
    "VendorTerm",
    "Voiding",
    "Waiver",
]
