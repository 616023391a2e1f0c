"""What seats sign for at the gates of rulebook 1.0, as it was agreed on (see `agreed_requirements`).

Of a criterion: the seat that signs it; whether it stops the gate and may be waived as a whole; in how many days it
is due; the first letters of the SHA-256 of its words. Below it what it asks.
"""

CRITERIA = """
mvp.real_use_case | business_value | blocking never | at once | 9965323b
    mvp.problem mvp.possibility
mvp.named_owner | business_value | blocking never | at once | 8a91621b
    mvp.owner mvp.duty
mvp.workflow_known | adoption_change | blocking waivable | at once | ad770559
    mvp.workflow mvp.users
mvp.value_measurable | business_value | blocking waivable | at once | e997bb7c
    mvp.success mvp.advance_evidence
mvp.rollout_bounded | risk_compliance | blocking never | at once | ee31af3d
    mvp.rollout mvp.override mvp.observability mvp.risk mvp.expectations
mvp.contract_first | risk_compliance | blocking never | at once | ed6a35e7
    gov.autonomy gov.human_approval gov.edge_policies gov.record_owner
mvp.residency_screen | security_privacy | blocking never | at once | a2bd4644
    int.residency int.inventory
mvp.data_reality | architecture_integration | advisory waivable | at once | c6d5da06
    int.inventory int.sources_condition int.definitions
mvp.lessons_read | adoption_change | advisory waivable | at once | 06d11848
    mvp.lessons_read
production.support_ownership | service_operations | blocking never | at once | 843cf998
    prod.q02_support prod.q09_escalation
production.observability | security_privacy | blocking never | at once | 732ccd1c
    prod.q03_logged prod.monitoring int.audit_trail layer.observability
production.exceptions | architecture_integration | blocking never | at once | c62930d5
    prod.q04_exceptions prod.q05_wrong_output prod.q10_outage int.fallback
production.review_escalation | risk_compliance | blocking never | at once | 4febd8d6
    prod.q06_human_review prod.q09_escalation gov.human_approval
production.governance_satisfied | risk_compliance | blocking never | at once | 838601b8
    prod.q07_governance_evidence gov.autonomy gov.edge_policies gov.record_owner gov.enforced
    gov.impact
production.operational_acceptance | service_operations | blocking never | at once | 2ade08ee
    prod.q01_outcome_owner prod.q02_support prod.q08_change_control prod.maintenance
production.business_depends | business_value | blocking never | at once | 86caf17e
    prod.q01_outcome_owner prod.q11_expectations prod.performance prod.maintenance prod.q10_outage
    production.business_depends
production.test_governance | risk_compliance | blocking never | at once | adc4e8bd
    gov.autonomy gov.human_approval gov.edge_policies gov.record_owner gov.enforced gov.impact
    prod.q06_human_review prod.q07_governance_evidence layer.policy
production.test_integration | architecture_integration | blocking never | at once | f7f7db0b
    int.inventory int.anchor int.definitions int.audit_trail int.fallback int.residency int.identity
    int.sources_condition int.representative layer.runtime layer.observability
production.test_adoption | adoption_change | blocking never | at once | eccfdb48
    adopt.explains adopt.recoverable adopt.burden adopt.trust adopt.usage adopt.behaviour
    prod.q11_expectations
production.mvp_goals | business_value | blocking waivable | at once | 5ef23cde
    mvp.advance_evidence mvp.success
production.model_current | architecture_integration | blocking never | at once | 98edf682
    prod.performance int.anchor
production.layers_auditable | security_privacy | blocking never | at once | 64baf443
    layer.policy layer.runtime layer.observability
production.lessons_captured | adoption_change | blocking waivable | at once | 36f960f1
    production.lessons_captured
stop.reason | business_value | blocking waivable | at once | 0ed1aa18
    stop.reason
stop.postmortem | adoption_change | blocking never | within 30 | 15198388
    stop.postmortem
stop.cleanup | architecture_integration | blocking waivable | within 30 | 645c214e
    stop.cleanup
retire.replacement | service_operations | blocking waivable | at once, emergency 14 | 273301b4
    retire.replacement
retire.notice | adoption_change | blocking waivable | at once, emergency 14 | 3c5f44fd
    retire.notice
retire.records_kept | security_privacy | blocking never | within 30 | 0db3c5cb
    retire.records_kept
retire.access_closed | security_privacy | blocking waivable | within 14 | b8d5ac96
    retire.access_closed
retire.postmortem | adoption_change | blocking never | within 30 | bb2ee174
    retire.postmortem
prototype.honest | business_value | blocking never | at once | 5f258732
    proto.question proto.scope proto.assumptions proto.limitations proto.not_production
    proto.to_advance proto.personal_data
prototype.selected | business_value | blocking never | at once | 580c11e7
    prototype.selected
production.systems_owned | architecture_integration | advisory waivable | at once | 695fac1c
    int.systems_owned
production.behaviour | adoption_change | blocking never | at once | 8ae76f2d
    adopt.behaviour
"""

# Of a gate: how many seats sign at minimal, limited and high risk; its name in a statement; who must be among them.
GATES = """
prototype | 1 1 1 | Intake to prototype | business_value
mvp | 2 3 3 | Prototype to MVP | business_value risk_compliance
production | 2 5 6 | MVP to production | business_value risk_compliance security_privacy service_operations
stop | 0 0 0 | Stop | -
retire | 1 2 2 | Retire (production) | service_operations
"""

# Who signs at minimal risk; what another seat would sign goes to the last of them.
SEATS_AT_MINIMAL = ("business_value", "risk_compliance")
# Requirements of the gate to production that are drawn to be verified at minimal risk.
DRAWN_AT_MINIMAL = 5
# Days after which an approval no longer counts.
SIGN_OFF_DAYS = 45
# What the evidence to advance declares, and the gate to production asks for again.
DECLARED = (
    "workflow_fit",
    "user_usefulness",
    "bounded_business_value",
    "manageable_operational_risk",
    "realistic_supportability",
)

# Days for which a waiver runs at most, and how many an initiative carries at once.
WAIVER_DAYS, WAIVERS = 90, 3
# Days after which a review lapses, and by which the end of an initiative is written up.
REVIEW_DAYS, POST_MORTEM_DAYS = 90, 30
# Days after which the chair says continue or stop, and production is accepted again.
TRIAL_DAYS = {"prototype": 180, "mvp": 270}
ACCEPTED_DAYS = {"limited": 365, "high": 180}
