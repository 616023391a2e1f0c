"""The schema of a rulebook text: keys of each table, their kinds, and required ones."""

from dataclasses import dataclass, field
from typing import Any

from governance.vocabulary import CLOSED_STAGES, RUNNING_STAGES, Level, Strength, Tested, Tier

RETENTION_FLOOR_DAYS = 730  # docs/domain.md, invariant 18
WAIVER_CEILING_DAYS = 90  # docs/domain.md, invariant 12
DAYS_CEILING = 36_500  # a century: beyond it, adding days to a date can leave the calendar

# Moves are code (the transitions on Initiative); a rulebook says what a gate asks, not where it leads.
MOVES = {
    "prototype": (["proposed"], "prototype"),
    "mvp": (["prototype"], "mvp"),
    "production": (["mvp"], "production"),
    "stop": (["proposed", "prototype", "mvp"], "stopped"),
    "retire": (["production"], "retired"),
}
# The stage under which a criterion's own evidence is listed; a stop can come from any stage.
OWN_STAGES = {
    "prototype": "prototype",
    "mvp": "mvp",
    "production": "production",
    "retire": "production",
    "stop": "",
}
# How Plumbline measures an answer itself (`governance.gates.levels`): each is one predicate over facts.
WAYS = (
    "acceptance",
    "clause",
    "index",
    "agreement",
    "measurements",
    "decisions",
    "interactions",
    "monitoring",
    "pipeline",
)
FIXED = {
    "open stage": RUNNING_STAGES[1:],
    "stage": (*RUNNING_STAGES[1:], *CLOSED_STAGES),
    "gate": tuple(MOVES),
    "scale test": ("governance", "integration", "adoption"),
    "risk tier": tuple(Tier),
    "level": tuple(Level),
    "way": WAYS,
    "test condition": ("curated", "bounded_real", "full_population"),
    "what is tested": tuple(Tested),
    "row with its own": ("link", "clause"),
    "role": ("business_owner", "technical_lead", "support_owner", "data_steward"),
    "severity": ("blocking", "advisory"),
    "origin": ("seed", "derived", "added"),
    "group": ("stage", "contract", "integration", "adoption", "layer"),
    "stage kind": ("exploration", "validation", "operation", "closed"),
    "default": ("deny",),
    "clause kind": (
        "autonomy",
        "human_approval",
        "edge_policy",
        "record_owner",
        "audience",
        "retention",
        "residency",
    ),
    # Kinds whose form asks for what they hold, and kinds that only a register of the product writes (in code, both).
    "kind with a form": ("test_report", "log_sample", "user_research", "decision_record"),
    "kind of a register": ("attestation", "contract_clause", "drill_record", "telemetry", "system_record"),
}
KINDS = {
    "text": "text between quotes that is not blank",
    "flag": "true or false",
    "count": f"a whole number from 0 to {DAYS_CEILING}",
    "counts": "a list of whole numbers, 0 or more",
    "texts": "a list of texts",
    "some": "a list of at least one text",
    "texts by name": "a table of texts",
    "lists by name": 'a table of lists of texts, such as { soc2 = ["CC1.1"] }',
    "table": "a table",
    "rows": "a list of tables, each under its own [[...]] heading",
}

# Each field: kind, whether it is required, and the names it may use.
FRESHNESS = dict.fromkeys(
    (
        "sign_off_max_age_days",
        "review_expires_days",
        "waiver_max_days",
        "accepted_risk_max_days",
        "grace_days",
        "tier_grace_days",
        "unknown_days",
        "unknown_days_high",
        "owner_vacant_step_back_days",
        "post_mortem_due_days",
        "retrospective_after_go_live_days",
        "shown_here_days",
        "component_end_days",
    ),
    ("count", True, ""),
) | {
    "warn_days_before": ("counts", True, ""),
    "retention_days": ("count", False, ""),
    "pipeline_days": ("count", False, ""),
}
STAGE = (
    {
        "kind": ("text", True, "stage kind"),
        "obligations": ("texts", False, ""),
        "tolerated": ("texts", False, ""),
        "forbidden": ("texts", False, ""),
    }
    | dict.fromkeys(("goal", "question", "meaning", "success_includes"), ("text", False, ""))
    | dict.fromkeys(("max_days_before_review", "reattest_days", "reattest_days_high"), ("count", False, ""))
)
CARRY = dict.fromkeys(
    ("frozen_at_mvp", "live_at_production", "frozen_at_production", "ended_at_production"),
    ("texts", True, "requirement"),
) | {"replaced_at_production": ("texts by name", True, "requirement")}
CARRIES = {
    "result": ("texts", True, "evidence kind"),
    "condition": ("texts", True, "evidence kind"),
    "details": ("texts", False, "kind with a form"),
    "registers": ("texts", False, "kind of a register"),
}
CONTRACT = {
    "seats": ("some", True, "seat"),
    "required_clauses": ("texts", True, "clause kind"),
    "other_clauses": ("texts", True, "clause kind"),
    "default_when_nobody_answers": ("text", True, "default"),
}
SCALE_TEST = {"statement": ("text", True, ""), "items": ("some", True, "requirement")}
ASKED = {
    "key": ("text", True, ""),
    "layer": ("text", True, "layer"),
    "origin": ("text", True, "origin"),
    "question": ("text", True, ""),
    "counts": ("text", True, ""),
    "severity": ("text", True, "severity"),
    "waivable": ("flag", True, ""),
    "crosswalk": ("lists by name", False, ""),
}
# Of a requirement to the owner: levels per tier, why a tier is not asked, how Plumbline measures it.
LEVELLED = {
    "level": ("texts by name", False, ""),
    "level_at_mvp": ("texts by name", False, ""),
    "left_out": ("texts by name", False, ""),
    "ways": ("texts", False, "way"),
    "of_register": ("flag", False, ""),
}
REQUIREMENT = (
    ASKED
    | {
        "stage": ("text", True, "open stage"),
        "group": ("text", True, "group"),
        "evidence": ("some", True, "evidence kind"),
        "tested": ("some", False, "what is tested"),
        "each": ("text", False, "row with its own"),
        "min_evidence": ("text", False, "evidence kind"),
        "min_condition": ("text", False, "test condition"),
        "fresh_days": ("count", True, ""),
        "fresh_days_minimal": ("count", False, ""),
        "fresh_days_high_risk": ("count", False, ""),
        "triggers": ("texts", True, "trigger"),
        "why_fresh": ("text", True, ""),
        "answered_by": ("text", True, "role"),
        "grace_days": ("count", False, ""),
    }
    | LEVELLED
)
CRITERION = (
    ASKED
    | {
        "gate": ("text", True, "gate"),
        "seat": ("text", True, "seat"),
        "requirements": ("some", False, "requirement"),
        "evidence": ("some", False, "evidence kind"),
        "fresh_days": ("count", False, ""),
        "fresh_days_minimal": ("count", False, ""),
        "triggers": ("texts", False, "trigger"),
        "scale_test": ("text", False, "scale test"),
        "due_days": ("count", False, ""),
        "emergency_due_days": ("count", False, ""),
        "declared_goals": ("some", False, ""),
        "declared_goals_minimal": ("some", False, ""),
    }
    | LEVELLED
)
GATE = {
    "title": ("text", True, ""),
    "from": ("some", True, ""),
    "to": ("text", True, "stage"),
    "quorum": ("count", True, ""),
    "quorum_high_risk": ("count", False, ""),
    "must_include": ("texts", True, "seat"),
    "note": ("text", False, ""),
}
LEVELS = {
    "waivers_max": ("count", True, ""),
    "seats_minimal": ("texts", False, "seat"),
    "drawn_at_minimal": ("count", False, ""),
    "pipeline_seat": ("text", False, "seat"),
}
# For each act that is signed: by tier, the least strength of the signature (governance.identity.proofs.demands).
SIGNED_ACTS = (
    "sign_off",
    "decision",
    "contract",
    "role",
    "waiver",
    "verification",
    "switch",
    "attestation",
    "hold",
    "erasure",
    "stage",
    "tier",
    "standalone",
    "seat",
    "identity",
    "rulebook",
)
STRENGTHS = tuple(Strength)
SIGNATURES = dict.fromkeys(SIGNED_ACTS, ("texts by name", False, ""))
WORDS = ("triggers", "seats", "layers", "evidence_kinds")
SECTIONS = {
    "freshness": FRESHNESS,
    "carry_forward": CARRY,
    "evidence_carries": CARRIES,
    "contract": CONTRACT,
    "levels": LEVELS,
    "signatures": SIGNATURES,
    "risk_tiers": dict.fromkeys(FIXED["risk tier"], ("text", True, "")),
}
GROUPS = {  # tables of tables: the names their members must have, and the fields of each
    "stages": ("stage", STAGE),
    "standards": (None, dict.fromkeys(FIXED["open stage"], ("text", True, ""))),
    "scale_tests": ("scale test", SCALE_TEST),
    "gates": ("gate", GATE),
}
ROWS = {"requirement": REQUIREMENT, "criterion": CRITERION}
TOP = (
    {"version": ("text", True, "")}
    | dict.fromkeys(WORDS, ("texts by name", True, ""))
    | dict.fromkeys((*SECTIONS, *GROUPS), ("table", True, ""))
    | {"signatures": ("table", False, "")}
    | dict.fromkeys(ROWS, ("rows", True, ""))
)


@dataclass(frozen=True)
class Shape:
    """The fields of a text at its top and in each section, group and row, by name."""

    top: dict[str, Any]
    sections: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, Any] = field(default_factory=dict)


RULEBOOK = Shape(TOP, SECTIONS, GROUPS, ROWS)
