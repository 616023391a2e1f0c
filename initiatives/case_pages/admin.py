"""The cases in the Django admin: read-only, all of them."""

from django.contrib import admin

from governance.web.admin_base import read_only
from initiatives import models
from initiatives.cases.admin_filters import BY_CASE, OF_STAGE
from initiatives.models import imports


def _of_case(model, place, shown, filters=(), search=(), **options):
    """A model whose rows belong to a case: read-only, found and filtered by that case too."""
    read_only(
        model,
        place,
        list_display=("initiative", *shown),
        list_filter=(*filters, *OF_STAGE),
        search_fields=(*BY_CASE, *search),
        **options,
    )


read_only(
    models.Initiative,
    "cases",
    list_display=("ref", "title", "unit", "stage", "basis", "since", "tier", "confidential"),
    list_filter=("stage", "basis", "tier", "confidential", ("unit", admin.RelatedOnlyFieldListFilter)),
    search_fields=(
        "title",
        "former_titles__title",
        "=number",
        "problem",
        "source_key",
        "source_organisation",
    ),
    list_select_related=("unit",),
    date_hierarchy="registered_at",
)
_of_case(models.NotSimilar, ("cases", "Not similar"), ("other", "by", "at"))
read_only(
    models.IntakeLink,
    ("imports", "Intake links"),
    list_display=("unit", "until", "made_by", "made_at", "ended_at"),
    list_filter=("ended_at",),
    search_fields=("unit__name",),
    list_select_related=("unit", "made_by"),
)
read_only(
    models.IntakeRequest,
    ("imports", "Intake requests"),
    list_display=("unit", "received_at", "state", "decided_by", "initiative", "invitation"),
    list_filter=("state", "invitation"),
    search_fields=("unit__name", "problem"),
    list_select_related=("unit", "decided_by", "initiative"),
)
_of_case(models.PastStanding, ("cases", "Past standings"), ("computed_at", "valid_until", "rulebook"), ())
_of_case(
    models.StageChange,
    ("cases", "Stage changes"),
    ("from_stage", "to_stage", "basis", "by", "at"),
    ("to_stage", "basis"),
)
_of_case(
    models.RoleAssignment,
    ("cases", "Roles"),
    ("role", "person", "proposed_at", "accepted_at", "ended_at"),
    ("role",),
    ("person__full_name",),
)
_of_case(
    models.Handover,
    ("away", "Handovers"),
    ("person", "successor", "proposed_by", "proposed_at", "accepted_at", "ended_at"),
    ("accepted_at", "ended_at"),
    ("person__full_name", "successor__full_name"),
    list_select_related=("initiative", "person", "successor", "proposed_by"),
    date_hierarchy="proposed_at",
)
_of_case(models.Standing, "cases", ("rulebook", "computed_at", "valid_until"), ("rulebook",))
_of_case(
    models.Span,
    ("cases", "Spans of support"),
    ("from_at", "until_at", "supported", "shortfall", "label", "held", "next_stale_on"),
    ("supported", "shortfall", "held"),
)
_of_case(
    models.Answer,
    "proof",
    ("requirement", "kind", "by", "at"),
    ("kind", "requirement"),
    ("requirement", "text"),
)
_of_case(
    models.Evidence,
    "proof",
    ("title", "kind", "observed_on", "result", "author", "withdrawn_at"),
    ("kind", "result", "condition"),
    ("title", "sha256", "author__full_name"),
    # What is in the file is for the people of the case; admins see that it exists.
    never_shown=("file",),
    date_hierarchy="observed_on",
)
read_only(
    models.Coverage,
    ("proof", "What evidence covers"),
    list_display=("evidence", "requirement", "added_at"),
    list_filter=("requirement",),
    search_fields=("requirement", "evidence__title"),
    list_select_related=("evidence",),
)
read_only(
    models.EvidenceNames,
    ("proof", "Versions that evidence names"),
    list_display=("evidence", "component_version", "scope_version", "contract_version", "system"),
    list_filter=("evidence__kind",),
    search_fields=("evidence__title",),
    list_select_related=(
        "evidence",
        "component_version__component",
        "scope_version",
        "contract_version__contract",
        "system",
    ),
)
read_only(
    models.Voiding,
    ("proof", "Evidence made void"),
    list_display=("evidence", "requirement", "trigger", "cause", "effective_at"),
    list_filter=("trigger", "requirement"),
    search_fields=("requirement", "cause", "evidence__title"),
    list_select_related=("evidence",),
)
_of_case(
    models.ProofItem,
    ("proof", "Declared before the trial"),
    ("key", "declared_at", "frozen_at", "result"),
    ("key", "result"),
    ("declared",),
)
_of_case(models.Component, "cases", ("layer", "name", "vendor"), ("layer",), ("name", "vendor"))
read_only(
    models.ComponentVersion,
    ("cases", "Versions of components"),
    list_display=("component", "version", "region", "runs_from", "runs_to"),
    list_filter=("region",),
    search_fields=("component__name", "version", "component__initiative__title"),
    list_select_related=("component",),
)
_of_case(
    models.ArchitectureDecision,
    ("cases", "Decisions on architecture"),
    ("title", "decided_on", "by", "at", "withdrawn_at"),
    ("withdrawn_at",),
    ("title", "text"),
    list_select_related=("initiative", "by"),
    date_hierarchy="decided_on",
)
_of_case(
    models.ClauseEnforcement,
    ("proof", "Controls of clauses"),
    ("clause", "layer", "control", "evidence", "by", "at", "ended_at"),
    ("layer", "ended_at"),
    ("control", "clause__sentence", "evidence__title"),
    list_select_related=("initiative", "clause", "evidence", "by"),
)
read_only(
    models.LayerReview,
    ("proof", "Reports on layers read"),
    list_display=("evidence", "requirement", "reviewer", "at"),
    list_filter=("requirement",),
    search_fields=("evidence__title", "words", "reviewer__full_name"),
    list_select_related=("evidence", "reviewer"),
)
read_only(
    models.EvidenceOpening,
    ("proof", "Evidence opened"),
    list_display=("evidence", "person", "at"),
    list_filter=("at",),
    search_fields=("evidence__title", "person__full_name"),
    list_select_related=("evidence", "person"),
)
read_only(
    models.Verification,
    ("proof", "Evidence verified"),
    list_display=("evidence", "requirement", "verifier", "seat", "shows", "at"),
    list_filter=("shows", "requirement"),
    search_fields=("evidence__title", "words", "verifier__full_name"),
    list_select_related=("evidence", "verifier"),
)
_of_case(
    models.DrawnQuestion,
    ("board", "Questions drawn"),
    ("requirement", "review", "renews", "place", "checkpoint", "drawn_at"),
    ("drawn_at",),
    ("requirement",),
    list_select_related=("initiative", "review", "checkpoint"),
)
_of_case(
    models.Measurement,
    ("proof", "Answers measured"),
    ("requirement", "way", "since", "until", "ended_at"),
    ("way", "ended_at"),
    ("words",),
)
_of_case(
    models.StandaloneDeclaration,
    ("cases", "Initiatives that stand alone"),
    ("declared_by", "declared_at", "accepted_by", "accepted_at", "ended_at"),
    ("accepted_seat", "ended_at"),
    ("reason",),
    list_select_related=("initiative", "declared_by", "accepted_by"),
)
_of_case(
    models.ScopeVersion,
    ("cases", "Scopes"),
    ("number", "user_count", "ends_on", "starts_at", "ended_at"),
    ("for_stage",),
    ("users",),
)
_of_case(
    models.ChangeRecord,
    ("cases", "Changes"),
    ("what", "layer", "effective_at", "approver", "recorded_by"),
    ("layer",),
    ("what",),
)
_of_case(
    models.Review, "board", ("gate", "outcome", "opened_by", "opened_at", "ended_at"), ("gate", "outcome")
)
_of_case(
    models.Dependant,
    "cases",
    ("who", "process", "executive", "stated_at", "confirmed_at", "ended_at"),
    ("confirmed_at",),
    ("who", "process", "for_what", "executive__full_name"),
    list_select_related=("initiative", "executive"),
)
_of_case(
    models.Event,
    "cases",
    ("kind", "happened_on", "by", "withdrawn_at"),
    ("kind",),
    ("words",),
    list_select_related=("initiative", "by"),
)
_of_case(
    models.FundingDecision,
    ("cases", "Funding decisions"),
    ("decided_by", "decided_on", "amount", "currency", "claimed", "supported", "withdrawn_at"),
    ("claimed", "supported"),
    ("decided_by", "basis"),
)
_of_case(
    models.Observation,
    "cases",
    ("layer", "observed_on", "by", "withdrawn_at"),
    ("layer",),
    ("words",),
    list_select_related=("initiative", "by"),
)
_of_case(
    models.FormerTitle,
    ("cases", "Former titles"),
    ("title", "until", "by"),
    (),
    ("title",),
    list_select_related=("initiative", "by"),
)
_of_case(
    models.Excuse,
    ("cases", "Obligations let pass by the chair"),
    ("obligation", "by", "at"),
    (),
    ("reason",),
    list_select_related=("initiative", "obligation", "by"),
)
_of_case(
    models.Continuation,
    ("cases", "Continued by the chair"),
    ("stage", "until", "by", "at"),
    ("stage",),
    ("reason",),
    list_select_related=("initiative", "by"),
)
read_only(
    models.Question,
    "board",
    list_display=("review", "criterion", "text", "asked_by", "asked_at", "answered_at"),
    list_filter=("criterion",),
    search_fields=("text", "answer", "review__initiative__title"),
    list_select_related=("review", "asked_by"),
)
read_only(
    models.SignOff,
    ("board", "Votes"),
    list_display=("review", "seat", "person", "verdict", "at"),
    list_filter=("seat", "verdict"),
    search_fields=("person__full_name", "digest", "review__initiative__title"),
    list_select_related=("review", "person"),
    date_hierarchy="at",
)
read_only(
    models.Condition,
    "board",
    list_display=("review", "text", "owner", "due", "met_at"),
    list_filter=("due", "met_at"),
    search_fields=("text", "owner__full_name", "review__initiative__title"),
    list_select_related=("review", "owner"),
)
_of_case(
    models.Waiver,
    "board",
    ("key", "until", "requested_by", "chair_at", "risk_at", "refused_at"),
    ("key",),
    ("reason",),
)
_of_case(
    models.BodyTerm,
    ("board", "Shorter times for interactions"),
    ("days", "until", "requested_by", "risk_at", "auditor_at", "refused_at"),
    ("until",),
    ("legal_basis",),
)
_of_case(
    models.InteractionSelection,
    ("board", "Selections of interactions"),
    ("first", "last", "by_text", "found", "until", "asked_by", "state"),
    ("state", "by_text"),
    ("purpose",),
)
_of_case(
    models.PerformancePromise,
    ("board", "Promised performance"),
    ("median", "most", "errors", "by", "at", "ended_at"),
    ("at", "ended_at"),
    (),
)
_of_case(
    models.OutputSample,
    ("board", "Samples of outputs"),
    ("first", "last", "wanted", "target", "by", "at", "drawn_at"),
    ("at", "drawn_at"),
    (),
)
read_only(
    models.OutputJudgement,
    ("board", "Outputs judged"),
    list_display=("output", "by", "outside", "traces", "at"),
    list_filter=("outside", "traces"),
    search_fields=("words", "by__full_name"),
    list_select_related=("output", "by"),
)
_of_case(
    models.BulkReading,
    ("board", "Readings in bulk"),
    ("selection", "requested_by", "approved_by", "approved_at", "refused_at"),
    ("approved_at", "refused_at"),
    ("reason",),
)
_of_case(
    models.Hold,
    "owed",
    ("kind", "reason", "blocking", "opened_at", "lifted_at"),
    ("kind", "blocking"),
    ("reason",),
)
_of_case(
    models.Obligation,
    ("owed", "Obligations"),
    ("kind", "text", "debtor", "due", "settled_at"),
    ("kind", "due"),
    ("text", "debtor__full_name"),
)
_of_case(models.Gap, "owed", ("text", "owner", "due", "closed_at"), ("due",), ("text", "owner__full_name"))
read_only(
    imports.InventorySource,
    ("imports", "Sources of inventories"),
    list_display=("words", "key"),
    list_filter=("dates",),
    search_fields=("words", "key"),
)
_of_case(
    models.BusinessCase,
    ("cases", "Business cases"),
    ("vendor", "budget", "run_cost", "benefit", "currency", "go_live_on"),
    ("currency",),
    ("vendor", "ticket"),
)
read_only(
    models.ImportBatch,
    ("imports", "Files"),
    list_display=("file_name", "source", "uploaded_by", "uploaded_at", "confirmed_at"),
    list_filter=("source", "confirmed_at"),
    search_fields=("file_name", "sha256"),
    list_select_related=("uploaded_by",),
)
read_only(
    models.ImportRow,
    ("imports", "Rows"),
    list_display=("batch", "line", "decision", "initiative", "done_at"),
    list_filter=("decision", "batch"),
    search_fields=("=line", "raw_digest", "initiative__title", "group"),
    list_select_related=("batch", "initiative"),
)
_of_case(
    models.ApprovalRequest,
    ("contracts", "Calls that people are asked about"),
    ("action", "subject", "resource", "asked_at", "expires_at", "settled_at", "granted"),
    ("granted", "four_eyes"),
    ("action", "subject", "resource", "=reference"),
    date_hierarchy="asked_at",
)
read_only(
    models.ApprovalAnswer,
    ("contracts", "Answers to such calls"),
    list_display=("request", "person", "on_behalf_of", "role", "verdict", "opened_at", "at"),
    list_filter=("verdict", "role"),
    search_fields=("person__full_name", "request__action", "request__initiative__title"),
    list_select_related=("request", "person", "on_behalf_of"),
    date_hierarchy="at",
)
read_only(
    models.ApprovalUse,
    ("contracts", "Approvals used"),
    list_display=("request", "at"),
    list_filter=("at",),
    search_fields=("request__action", "request__initiative__title"),
    list_select_related=("request",),
    date_hierarchy="at",
)
