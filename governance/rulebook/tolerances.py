"""What ends each tolerance: beside what a prototype or an MVP may lack, the requirement of a later gate that asks it.

The rulebook says what is tolerated and what later gates ask, not which belongs to which (S2-25.1). The pairing is a
judgement, by the words of the rulebook as shipped; a tolerance in other words has no end named beside it.
"""

ENDS: dict[tuple[str, str], str] = {
    ("prototype", "narrow scope"): "mvp.rollout",
    ("prototype", "controlled examples"): "int.representative",
    ("prototype", "incomplete edge cases"): "gov.edge_policies",
    ("prototype", "manual support behind the scenes"): "mvp.duty",
    ("prototype", "weak or temporary logging"): "mvp.observability",
    ("prototype", "loose governance assumptions"): "gov.autonomy",
    ("prototype", "limited change control"): "prod.q08_change_control",
    ("prototype", "low maintainability"): "prod.maintenance",
    ("mvp", "bounded rollout"): "adopt.usage",
    ("mvp", "partial automation of support"): "prod.q02_support",
    ("mvp", "manual review of every output"): "prod.q06_human_review",
}
