"""What the gates of rulebook 1.0 ask, as it was agreed on: one line for each requirement, for a person to read.

Kept by hand beside the rulebook: no test reads a line of it from there. Tests fill initiatives by these lines and ask
the rules about them, so a value of the rulebook that says something else changes what a gate does, and a test is red.
Whoever changes the rulebook on purpose changes the line too, and so says twice what is meant.

Of a requirement: the kinds of artefact that show it; for how many days, at minimal, limited and high risk (`ever`:
until a change ends it); the level that gates ask at these tiers (`-`: left out there). `!`: one of this kind there must
be. `@`: tried under this condition or a harder one.
"""

EVIDENCE = """
proto.question | attestation document | 180 180 180 | stated stated documented
proto.scope | attestation document | 180 180 180 | stated stated documented
proto.assumptions | attestation document | 180 180 180 | stated stated documented
proto.limitations | attestation test_report | 90 90 90 | stated stated documented
proto.not_production | attestation document | 180 180 180 | stated stated documented
proto.to_advance | attestation document | 180 180 180 | stated stated documented
proto.personal_data | document | 180 180 180 | documented documented documented
mvp.problem | attestation document | ever 365 365 | documented documented verified
mvp.workflow | document! user_research | - 365 365 | - documented verified
mvp.owner | attestation | 180 180 180 | documented documented verified
mvp.users | system_record document | 730 365 365 | documented documented verified
mvp.success | document | - 365 365 | - verified verified
mvp.observability | log_sample! document | - 90 90 | - verified verified
mvp.rollout | document system_record | 90 90 90 | documented verified verified
mvp.override | document test_report | - 365 180 | - verified verified
mvp.risk | document | 730 365 180 | documented documented verified
mvp.advance_evidence | document decision_record | 180 180 180 | documented verified verified
mvp.duty | attestation | - 90 90 | - documented verified
mvp.possibility | test_report! @curated | 90 90 90 | documented documented verified
mvp.expectations | document user_research | 180 180 180 | documented documented verified
prod.q01_outcome_owner | attestation decision_record | ever 365 365 | documented verified verified
prod.q02_support | attestation! document | 730 365 365 | documented verified verified
prod.q03_logged | log_sample! test_report | 730 365 365 | documented verified verified
prod.q04_exceptions | document test_report @bounded_real | - 365 180 | - verified verified
prod.q05_wrong_output | document drill_record | 730 365 365 | documented verified verified
prod.q06_human_review | contract_clause! test_report | - 365 365 | - verified verified
prod.q07_governance_evidence | system_record | 730 365 365 | documented verified verified
prod.q08_change_control | document decision_record | ever 365 365 | documented verified verified
prod.q09_escalation | document drill_record | - 365 180 | - verified verified
prod.q10_outage | drill_record! | - 365 180 | - verified verified
prod.q11_expectations | document user_research | 730 365 365 | documented verified verified
prod.performance | test_report! telemetry @bounded_real | 365 365 180 | documented verified verified
prod.monitoring | telemetry decision_record | 365 180 60 | documented verified verified
prod.maintenance | decision_record | - 365 365 | - documented verified
gov.autonomy | contract_clause | ever ever ever | documented verified verified
gov.human_approval | contract_clause | - ever ever | - verified verified
gov.edge_policies | contract_clause | ever ever ever | documented verified verified
gov.record_owner | contract_clause attestation | - ever ever | - verified verified
gov.enforced | test_report! system_record | - 365 365 | - verified verified
gov.impact | document | - 365 180 | - verified verified
int.inventory | system_record | ever 365 365 | documented verified verified
int.anchor | log_sample! test_report | - 365 365 | - verified verified
int.definitions | system_record decision_record | - 365 365 | - verified verified
int.audit_trail | log_sample drill_record! | - 365 180 | - verified verified
int.fallback | drill_record | ever 365 180 | documented verified verified
int.residency | contract_clause! system_record | ever 365 365 | documented verified verified
int.identity | system_record document | - 365 180 | - verified verified
int.sources_condition | system_record | 730 365 365 | documented verified verified
int.representative | test_report! @full_population | - 365 365 | - verified verified
int.systems_owned | attestation document | - 365 365 | - documented documented
adopt.explains | test_report user_research @bounded_real | 365 180 180 | documented verified verified
adopt.recoverable | drill_record user_research | - 180 180 | - verified verified
adopt.burden | user_research telemetry | - 180 180 | - verified verified
adopt.trust | telemetry user_research | - 90 90 | - verified verified
adopt.usage | telemetry! | 90 30 30 | documented verified verified
adopt.behaviour | user_research telemetry | 180 90 90 | documented verified verified
layer.policy | document test_report | - 365 365 | - verified verified
layer.runtime | test_report log_sample | - 365 365 | - verified verified
layer.observability | drill_record telemetry | - 365 365 | - verified verified
mvp.lessons_read | attestation document | 90 90 90 | stated stated documented
production.business_depends | attestation decision_record | 730 365 365 | documented documented verified
production.lessons_captured | document | 90 90 90 | documented verified verified
stop.reason | attestation | ever ever ever | stated stated stated
stop.postmortem | document | ever ever ever | documented documented documented
stop.cleanup | system_record document | ever ever ever | documented documented documented
retire.replacement | document | 90 90 90 | documented documented documented
retire.notice | document | 90 90 90 | documented documented documented
retire.records_kept | system_record document | 365 365 365 | documented documented documented
retire.access_closed | system_record document | ever ever ever | documented documented documented
retire.postmortem | document | ever ever ever | documented documented documented
prototype.selected | attestation decision_record | 180 180 180 | stated stated documented
"""

# Where the gate to MVP asks for another level than the later one does.
LEVEL_AT_MVP = """
mvp.success | - documented verified
mvp.advance_evidence | documented documented verified
gov.autonomy | documented documented verified
gov.human_approval | - documented verified
gov.edge_policies | documented documented verified
gov.record_owner | - documented verified
int.inventory | documented documented verified
int.definitions | - documented verified
int.sources_condition | documented documented verified
"""

# Of a requirement: whose inbox it lies on; whether it alone may be waived; how it is measured without a verifier; which
# changes end its evidence; and the first letters of the SHA-256 of its words, which a statement that is signed carries.
# `register`: unknown while nothing is described in the integration register. `advisory`: it stops no gate.
DUTY = """
proto.question | business_owner | waivable | - | scope | 182e12f2
proto.scope | business_owner | waivable | - | scope | bc47eb82
proto.assumptions | business_owner | waivable | - | model | 5084f4b1
proto.limitations | technical_lead | waivable | - | model | 5736a0f6
proto.not_production | business_owner | waivable | - | scope | 60d86af9
proto.to_advance | business_owner | waivable | - | scope | bbcd98cc
proto.personal_data | business_owner | never | - | scope | 601e5fbb
mvp.problem | business_owner | waivable | - | scope workflow | 8ad74451
mvp.workflow | business_owner | waivable | - | workflow knowledge | 57ace6fd
mvp.owner | business_owner | never | acceptance | owner | a7f1103c
mvp.users | business_owner | waivable | - | scope | d827ed71
mvp.success | business_owner | waivable | - | scope | 12fd7b3b
mvp.observability | technical_lead | waivable | interactions | application model | cdd998d5
mvp.rollout | business_owner | waivable | decisions | scope | 45d4befa
mvp.override | business_owner | waivable | - | application contract | 17f7895c
mvp.risk | business_owner | never | - | scope model source tier | fd1fb1bd
mvp.advance_evidence | business_owner | waivable | - | scope | 118f8385
mvp.duty | support_owner | waivable | acceptance | support | 6a88e048
mvp.possibility | technical_lead | never | - | model | 04f8f7a4
mvp.expectations | business_owner | waivable | - | scope application | 3049afe4
prod.q01_outcome_owner | business_owner | never | acceptance | owner | 1de095b7
prod.q02_support | support_owner | never | acceptance | support | 08548c8c
prod.q03_logged | technical_lead | never | interactions | application model | fa31230e
prod.q04_exceptions | technical_lead | waivable | pipeline | application schema | 0ed76282
prod.q05_wrong_output | business_owner | waivable | - | application model incident | 5a70b8ae
prod.q06_human_review | business_owner | never | clause | contract model scope | ccfffa89
prod.q07_governance_evidence | business_owner | never | index | contract tier | 72dd2120
prod.q08_change_control | technical_lead | waivable | - | application | 918c897e
prod.q09_escalation | support_owner | waivable | - | support owner | 2eaa8ad5
prod.q10_outage | support_owner | waivable | - | application model schema incident | cbeb86b5
prod.q11_expectations | business_owner | never | - | application model scope | 17e699c1
prod.performance | technical_lead | never | interactions | model source | 8515515f
prod.monitoring | support_owner | waivable | monitoring | incident | f642def0
prod.maintenance | business_owner | waivable | - | vendor | 54596d90
gov.autonomy | business_owner | never | clause | scope model | 8be8933e
gov.human_approval | business_owner | never | clause | scope model | f6178589
gov.edge_policies | business_owner | never | clause | incident scope | 1a6c8edd
gov.record_owner | business_owner | never | clause | owner support records | 53bb0aec
gov.enforced | technical_lead | never | - | contract application | ef2a6936
gov.impact | business_owner | never | - | scope model tier | 2e31fc7a
int.inventory | technical_lead | never register | agreement | source schema | 4b101cf0
int.anchor | technical_lead | never | - | source schema model | 2b13306c
int.definitions | data_steward | never register | - | schema | b96d9246
int.audit_trail | technical_lead | never | - | application model | bf94ddae
int.fallback | technical_lead | never register | pipeline | schema application | d40647fe
int.residency | technical_lead | never register | - | vendor source model scope | 4f3056a9
int.identity | technical_lead | never register | - | support source | c7a6fc3c
int.sources_condition | data_steward | never register | - | source | 119e4c17
int.representative | technical_lead | never | - | source schema | 8c98ef66
int.systems_owned | technical_lead | advisory waivable | - | owner | 686b7f39
adopt.explains | business_owner | never | measurements | application model | db96d107
adopt.recoverable | business_owner | never | measurements | application | 6569eec6
adopt.burden | business_owner | never | measurements | workflow application | 5d19f992
adopt.trust | business_owner | never | measurements | model incident | 3b3e5e11
adopt.usage | business_owner | never | measurements | scope | 66adb656
adopt.behaviour | business_owner | never | measurements | scope workflow | 8ae76f2d
layer.policy | technical_lead | never | - | contract | cd0906c6
layer.runtime | technical_lead | never | decisions pipeline | application contract | 9da91a57
layer.observability | technical_lead | never | pipeline | application | cccb2cba
mvp.lessons_read | business_owner | advisory waivable | - | - | 06d11848
production.business_depends | business_owner | never | - | - | 86caf17e
production.lessons_captured | business_owner | waivable | - | - | 36f960f1
stop.reason | business_owner | waivable | - | - | 0ed1aa18
stop.postmortem | business_owner | never | - | - | 15198388
stop.cleanup | business_owner | waivable | - | - | 645c214e
retire.replacement | business_owner | waivable | - | - | 273301b4
retire.notice | business_owner | waivable | - | - | 3c5f44fd
retire.records_kept | business_owner | never | - | - | 0db3c5cb
retire.access_closed | business_owner | waivable | - | - | b8d5ac96
retire.postmortem | business_owner | never | - | - | bb2ee174
prototype.selected | business_owner | never | - | - | 580c11e7
"""
