"""Rows of the cases."""

from initiatives.models.approvals import (
    ApprovalAnswer,
    ApprovalOpening,
    ApprovalRequest,
    ApprovalUse,
    KillSwitch,
)
from initiatives.models.enforcement import ArchitectureDecision, ClauseEnforcement, LayerReview
from initiatives.models.evidence import (
    Answer,
    AnswerDraft,
    Coverage,
    Evidence,
    EvidenceNames,
    FileCheck,
    ProofItem,
    Voiding,
)
from initiatives.models.handovers import Handover
from initiatives.models.holds import Excuse, Gap, Hold, Obligation, Shortcoming
from initiatives.models.imports import (
    EstateBatch,
    EstateMapping,
    EstateRow,
    ImportBatch,
    ImportRow,
    InventorySource,
)
from initiatives.models.initiative import (
    Initiative,
    PastStanding,
    RoleAssignment,
    Span,
    StageChange,
    Standing,
)
from initiatives.models.integration.definitions import DefinitionConflict, Term, TermDefinition, TermUse
from initiatives.models.integration.processes import Drill, Effort, ProcessRecord, SignOnFlow, TraceSample
from initiatives.models.integration.profiles import Drift, Profile
from initiatives.models.integration.proposals import ProposedChange
from initiatives.models.integration.residency import Region, UnitPolicy, Vendor, VendorTerm
from initiatives.models.integration.systems import (
    Customisation,
    Hop,
    Link,
    LinkAnswer,
    ServiceAccount,
    SourceAcceptance,
    System,
)
from initiatives.models.notes import (
    CaseVisit,
    Continuation,
    Event,
    FormerTitle,
    FundingDecision,
    Observation,
    ReviewVisit,
)
from initiatives.models.reviews import Condition, Question, Review, SignOff, Waiver
from initiatives.models.rulebook_changes import Forecast, Foreseen, RulebookDraft
from initiatives.models.versions import ChangeRecord, Component, ComponentVersion, Dependant, ScopeVersion

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
