"""The five judgements that production is judged on, and which of them each requirement speaks to.

Source: S2-14 (reliability, supportability, traceability, risk, fitness). The rulebook has no column for it, so the
pairing stands here, once; a test holds that each requirement of the default rulebook has exactly one.
"""

from governance.rulebook import Requirement

# In the order of the source.
JUDGEMENTS = {
    "reliability": "Reliability",
    "supportability": "Supportability",
    "traceability": "Traceability",
    "risk": "Risk",
    "fitness": "Fitness",
}
ABOUT = {
    # It does what it is said to do, and fails in ways that were thought of.
    "reliability": (
        "proto.assumptions",
        "proto.limitations",
        "mvp.possibility",
        "prod.q04_exceptions",
        "prod.q05_wrong_output",
        "prod.q08_change_control",
        "prod.q10_outage",
        "prod.performance",
        "int.definitions",
        "int.fallback",
        "int.representative",
        "adopt.recoverable",
        "layer.runtime",
    ),
    # Somebody answers for it, can run it and can afford it.
    "supportability": (
        "mvp.owner",
        "mvp.duty",
        "prod.q01_outcome_owner",
        "prod.q02_support",
        "prod.q09_escalation",
        "prod.monitoring",
        "prod.maintenance",
        "int.identity",
        "int.sources_condition",
        "int.systems_owned",
        "stop.cleanup",
        "retire.access_closed",
    ),
    # What it did, on what ground and under whose rule can be found again.
    "traceability": (
        "mvp.observability",
        "mvp.lessons_read",
        "prod.q03_logged",
        "prod.q07_governance_evidence",
        "gov.record_owner",
        "int.anchor",
        "int.audit_trail",
        "int.inventory",
        "layer.policy",
        "layer.observability",
        "production.lessons_captured",
        "stop.reason",
        "stop.postmortem",
        "retire.records_kept",
        "retire.postmortem",
    ),
    # What it may do, to whom, and who stands between it and harm.
    "risk": (
        "proto.scope",
        "proto.not_production",
        "mvp.rollout",
        "mvp.override",
        "mvp.risk",
        "prod.q06_human_review",
        "gov.autonomy",
        "gov.human_approval",
        "gov.edge_policies",
        "gov.enforced",
        "gov.impact",
        "int.residency",
    ),
    # It solves a real problem for people who know what to expect and have changed how they work.
    "fitness": (
        "proto.question",
        "proto.to_advance",
        "prototype.selected",
        "mvp.problem",
        "mvp.workflow",
        "mvp.users",
        "mvp.success",
        "mvp.advance_evidence",
        "mvp.expectations",
        "prod.q11_expectations",
        "adopt.explains",
        "adopt.burden",
        "adopt.trust",
        "adopt.usage",
        "adopt.behaviour",
        "production.business_depends",
        "retire.replacement",
        "retire.notice",
    ),
}
# What an MVP declares it would prove (S2-10); the other three speak to fitness.
_DECLARED = {"manageable_operational_risk": "risk", "realistic_supportability": "supportability"}
_OF = {key: judgement for judgement, keys in ABOUT.items() for key in keys}
# What only an own rulebook asks is judged by where it stands in the stack.
_OF_LAYER = {
    "model": "reliability",
    "application": "fitness",
    "integration": "supportability",
    "policy": "risk",
    "runtime": "reliability",
    "observability": "traceability",
}


def judgement_of(requirement: Requirement) -> str:
    """The judgement a requirement speaks to: by its key, or by its layer where only an own rulebook knows the key."""
    return _OF.get(requirement.key) or _OF_LAYER.get(requirement.layer, "fitness")


def judgement_of_declared(key: str) -> str:
    """The judgement that something declared at the MVP gate speaks to."""
    return _DECLARED.get(key, "fitness")
