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
    ProofItem,
    Voiding,
)
from initiatives.models.handovers import Handover
from initiatives.models.holds import Gap, Hold, Obligation
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
from initiatives.models.reviews import Condition, Question, Review, SignOff, Waiver
from initiatives.models.versions import ChangeRecord, Component, ComponentVersion, Dependant, ScopeVersion
from initiatives.models.visits import CaseVisit, ReviewVisit

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
    "Dependant",
    "Event",
    "Evidence",
    "EvidenceNames",
    "FormerTitle",
    "FundingDecision",
    "Gap",
    "Handover",
    "Hold",
    "ImportBatch",
    "ImportRow",
    "Initiative",
    "InventorySource",
    "KillSwitch",
    "LayerReview",
    "Obligation",
    "Observation",
    "PastStanding",
    "ProofItem",
    "Question",
    "Review",
    "ReviewVisit",
    "RoleAssignment",
    "ScopeVersion",
    "SignOff",
    "Span",
    "StageChange",
    "Standing",
    "Voiding",
    "Waiver",
]
