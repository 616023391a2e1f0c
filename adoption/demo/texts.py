"""What people write in the demo: answers and titles of evidence, in the words of each initiative."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """One initiative in the words of its people. The templates below put them where the rulebook asks."""

    title: str
    unit: str
    owner: str
    problem: str
    task: str = ""  # "it ...": what the system does; like all that follows, an idea does not say it yet
    users: str = ""
    count: int = 0
    place: str = ""
    data: str = ""
    sources: str = ""
    measure: str = ""
    before: str = ""
    after: str = ""
    harm: str = ""
    limit: str = ""  # "it does not ..."
    fallback: str = ""
    part: str = "Language model"
    version: str = "m-4"
    vendor: str = "Modelwright"
    region: str = "eu-west"
    platform: str = ""
    tier: str = "limited"
    crew: str = "yara"

    def fill(self, template: str) -> str:
        """The template in the words of this initiative."""
        return template.format(**self.__dict__, subject=self.title[:1].lower() + self.title[1:])


# What each requirement of the rulebook is answered with.
ANSWERS = {
    "proto.question": "Can a system {task} well enough that {users} would use the result? Yes would be eight of "
    "ten results used as they are; no would be fewer than five.",
    "proto.scope": "Inside: {data}, a sample put together by hand. Outside: everything else, other countries, and "
    "any action that cannot be undone.",
    "proto.assumptions": "That {sources} hold what is needed; that {users} know a good result when they see it. The "
    "weakest is the first: nobody has counted the gaps yet.",
    "proto.limitations": "It does not {limit}. Tried on a curated sample of sixty cases.",
    "proto.not_production": "Everybody who saw it read the line on its first screen: a trial, not ready for "
    "production, nothing here is kept. Shown to the team and two of the {users}.",
    "proto.to_advance": "A written workflow, a named person who answers for operation, a contract that the board "
    "approved, and {measure} measured before and after.",
    "proto.personal_data": "{data}: names and contact details are in them. Each of the sixty was read by a person "
    "first, and what is special to a person was blacked out.",
    "prototype.selected": "Compared with the other ideas of the unit: higher value for the same effort, and no "
    "similar initiative runs anywhere else in the company.",
    "mvp.problem": "{problem} Today: {before} {measure}.",
    "mvp.workflow": "The work of {users} is written down in nine steps. It decides nothing by itself: it can "
    "{task}, a person takes it from there. The redesign costs twelve days and is paid by the unit.",
    "mvp.users": "{count} {users} in {place}, by the list attached; the people behind the data are affected too.",
    "mvp.success": "{measure}: {before} today, {after} by the end of the trial, measured weekly from the logs.",
    "mvp.observability": "Each input and output with user, time and model version, from the first day; the sample "
    "of forty shows it.",
    "mvp.rollout": "{count} {users} in {place}; the group in the directory is the technical bound; the end date is "
    "set in the application.",
    "mvp.override": "Every result can be changed or thrown away before it is used. One override was done and found "
    "in the log.",
    "mvp.risk": "{tier}. Worst credible harm: {harm} Screened with the data protection officer.",
    "mvp.advance_evidence": "The five declared results, eight weeks of usage, and no case in which the harm above "
    "came about.",
    "mvp.possibility": "The prototype's question was answered yes: 83 of 100 results used as they were. This use "
    "needs 80.",
    "mvp.expectations": "The first screen says that this is a trial for {users} in {place}, when it ends, and that "
    "it does not {limit}.",
    "gov.autonomy": "See the clause on what it may do on its own; anything not listed is not allowed.",
    "gov.human_approval": "See the clause on approval; when nobody answers in time, nothing is done.",
    "gov.record_owner": "See the clause on the record owner; the change log is read every Monday.",
    "gov.edge_policies": "See the clause on edge cases; each names a policy or a person.",
    "int.residency": "{data} stay with {vendor} in {region}; the clause forbids any other region. No other transfer.",
    "int.inventory": "Two links: {sources}. Each with owner, access, data classes, region and condition.",
    "int.sources_condition": "Both sources were changed within the last month and have an owner who can edit them.",
    "int.definitions": "The terms were compared field by field; two differences were resolved with a mapping table.",
    "mvp.lessons_read": "Two earlier initiatives were read: measure before the start, and read the vendor's terms on "
    "regions first. Both were done.",
    "prod.q03_logged": "Inputs, outputs, user, model and contract version, source records. 12,418 calls, 12,418 "
    "log lines. Kept 800 days, found by case and by person.",
    "prod.q04_exceptions": "Seven kinds of exception, each with retry and time-out, each tried once. What stays "
    "unsolved lands with the team on duty.",
    "prod.q05_wrong_output": "A button reports it; the team corrects it within a day and looks for other cases "
    "with the same cause; whoever is affected can object by the same way.",
    "prod.q06_human_review": "As the contract's clause on approval says; the runtime was seen refusing without it.",
    "prod.q08_change_control": "Each layer has an approver, a change of model included. The last three records "
    "are attached; rolling back took eleven minutes.",
    "prod.q09_escalation": "Three levels with names and times. The contact test of this quarter was answered in "
    "nine minutes.",
    "prod.q10_outage": "Users go on with {fallback}. Drill with the source down and the model down: fallback after "
    "four minutes, back after twenty.",
    "prod.q11_expectations": "A page of guidance with limits; nine of ten {users} asked could say what it does not "
    "do.",
    "prod.performance": "Promised: 80 of 100 results used as they are. Met: 86, on everything of six weeks.",
    "prod.monitoring": "The team on duty reads the figures every Monday. Last finding: one slow hour, explained.",
    "prod.maintenance": "0.4 people and 38,000 a year; funded in the unit's budget; a model change is planned for "
    "once a year.",
    "gov.enforced": "Each clause is mapped to a control in a layer; every control was tried and held.",
    "gov.impact": "Assessed by somebody outside the team: {harm} Can be put right; who is affected is told how.",
    "int.anchor": "Of two hundred results 197 name their record in {sources}; the three others were wrong and are "
    "explained.",
    "int.audit_trail": "A given decision was found in two minutes, everything about one person in six.",
    "int.fallback": "Per link: ten seconds, two retries, then {fallback}, and the user is told.",
    "int.identity": "One service account per link with the least rights; the sign-on flow is drawn, and the lead "
    "can explain it.",
    "int.representative": "All records of six weeks: 4 % duplicates, 2 % empty fields, no drift.",
    "int.systems_owned": "The owners of {sources} agreed in writing to be depended on.",
    "adopt.explains": "Each result names its source; 26 of 30 {users} could say why it said what it said.",
    "adopt.recoverable": "Undo was used 41 times in six weeks, each time with success.",
    "adopt.burden": "{measure}: {before} before, {after} now, the same task, thirty people.",
    "adopt.trust": "Overrides levelled out at 14 %; nobody accepts blindly: 97 % of results were opened.",
    "adopt.usage": "{count} intended users, 81 % of them weekly.",
    "adopt.behaviour": "Adopted by the teams that took part; one team keeps its old list beside it.",
    "layer.policy": "Audited alone by internal audit; two findings, both closed.",
    "layer.runtime": "A sample of executed actions compared with what policy allowed: no difference.",
    "layer.observability": "A fault was planted; it was seen after three minutes.",
    "production.business_depends": "The head of the unit: without it, {measure} goes back to {before}; bearable "
    "for two days.",
    "production.lessons_captured": "A retrospective of the trial with three lessons; every open gap has an owner "
    "and a day.",
    "retire.replacement": "{users} go back to {fallback}; the successor is chosen and accepted.",
    "retire.notice": "All {users} and the two linked systems were told six weeks ahead.",
    "retire.records_kept": "Logs are kept in the archive until two years after today; one decision was retrieved.",
    "retire.access_closed": "Both service accounts are closed.",
}

DECLARED = {
    "workflow_fit": "Three of four {users} work with it at least weekly without being reminded.",
    "user_usefulness": "Eight of ten results are used as they are.",
    "bounded_business_value": "{measure}: from {before} to {after}.",
    "manageable_operational_risk": "No case of the worst harm, and every override found in the log.",
    "realistic_supportability": "Fewer than five hours of support a week for {count} {users}.",
}
OUTCOMES = {
    "workflow_fit": "Four of five by the sixth week.",
    "user_usefulness": "86 of 100 over the last six weeks.",
    "bounded_business_value": "{after} {measure}, as declared.",
    "manageable_operational_risk": "None; 212 overrides, all of them found.",
    "realistic_supportability": "Three hours a week on average.",
}


@dataclass(frozen=True)
class PlannedEvidence:
    """One item of evidence: what it is, its title, what it covers, who writes it, which clause it cites.

    `drill`: of a drill, its kind, the fault that was planted, and what happened. `tier`: only where the risk is this.
    `count`: how many its title counts, which its rows or its figures hold.
    """

    kind: str
    title: str
    covers: tuple[str, ...]
    by: str = "owner"
    condition: str = ""
    clause: str = ""
    drill: tuple[str, str, str] = ("", "", "")
    tier: str = ""
    count: int = 0


EVIDENCE = {
    "prototype": (
        PlannedEvidence("document", "Screening of the sample: {data}", ("proto.personal_data",)),
        PlannedEvidence(
            "document", "The idea on two pages: {title}",
            ("proto.question", "proto.scope", "proto.assumptions", "proto.not_production", "proto.to_advance"),
            tier="high",
        ),
        PlannedEvidence(
            "test_report", "Sixty curated cases of {subject}", ("proto.limitations",), condition="curated",
            tier="high", count=60,
        ),
        PlannedEvidence(
            "decision_record", "Minutes: the ideas of the unit, side by side", ("prototype.selected",), tier="high",
        ),
    ),
    "mvp": (
        PlannedEvidence(
            "document", "Trial plan {title}: workflow, users, measures",
            ("mvp.problem", "mvp.workflow", "mvp.users", "mvp.success", "mvp.advance_evidence"),
        ),
        PlannedEvidence(
            "document", "Trial terms {title}: bound, override and risk screening",
            ("mvp.rollout", "mvp.override", "mvp.expectations", "mvp.risk"),
        ),
        PlannedEvidence("log_sample", "Forty logged calls of {subject}", ("mvp.observability",), "lead", count=40),
        PlannedEvidence(
            "test_report", "A hundred results of {subject}, judged by {users}", ("mvp.possibility",), "lead",
            "bounded_real", count=100,
        ),
        PlannedEvidence(
            "system_record", "Inventory of links: {sources}",
            ("int.inventory", "int.sources_condition", "int.definitions"), "steward",
        ),
        PlannedEvidence("contract_clause", "Clause: on its own", ("gov.autonomy",), clause="autonomy"),
        PlannedEvidence(
            "contract_clause", "Clause: with approval", ("gov.human_approval", "prod.q06_human_review"),
            clause="human_approval",
        ),
        PlannedEvidence("contract_clause", "Clause: edge cases", ("gov.edge_policies",), clause="edge_policy"),
        PlannedEvidence("document", "Minutes: two earlier initiatives were read", ("mvp.lessons_read",), tier="high"),
        PlannedEvidence("contract_clause", "Clause: record owner", ("gov.record_owner",), clause="record_owner"),
        PlannedEvidence("contract_clause", "Clause: {data} stay in {region}", ("int.residency",), clause="residency"),
    ),
    "production": (
        PlannedEvidence(
            "log_sample", "Two hundred traced results of {subject}",
            ("prod.q03_logged", "int.anchor", "layer.runtime"), "lead", count=200,
        ),
        PlannedEvidence(
            "test_report", "Six weeks of {subject}, every record: quality and coverage",
            ("prod.performance", "int.representative"), "lead", "full_population",
        ),
        PlannedEvidence(
            "test_report", "Exceptions, time-outs and controls of {subject}",
            ("prod.q04_exceptions", "gov.enforced"), "lead", "bounded_real",
        ),
        PlannedEvidence(
            "drill_record", "Outage drill: {fallback}", ("int.fallback", "prod.q10_outage"), "support",
            drill=("fallback", "gone", "{users} went on with {fallback} after four minutes; back after twenty."),
        ),
        PlannedEvidence(
            "drill_record", "Wrong output, found and corrected", ("prod.q05_wrong_output",), "support",
            drill=("override", "wrong_output", "Reported by the button, corrected within the day; two more found."),
        ),
        PlannedEvidence(
            "drill_record", "Contact test", ("prod.q09_escalation",), "support",
            drill=("escalation", "person", "The second level answered after nine minutes."),
        ),
        PlannedEvidence(
            "drill_record", "Retrieval by case and by person", ("int.audit_trail",), "support",
            drill=("retrieval", "none", "A given decision after two minutes, everything about one person after six."),
        ),
        PlannedEvidence(
            "drill_record", "Planted fault", ("layer.observability",), "support",
            drill=("fallback", "error", "The alarm was read after three minutes."),
        ),
        PlannedEvidence("telemetry", "Usage of {subject}", ("adopt.usage",), "support"),
        PlannedEvidence(
            "decision_record", "Minutes of the weekly look at the monitoring", ("prod.monitoring",), "support",
        ),
        PlannedEvidence(
            "user_research", "Thirty {users} asked and watched",
            ("prod.q11_expectations", "adopt.explains", "adopt.recoverable", "adopt.burden", "adopt.trust",
             "adopt.behaviour"),
            condition="bounded_real", count=30,
        ),
        PlannedEvidence(
            "decision_record", "Minutes: run cost, change path and what the unit depends on",
            ("prod.q08_change_control", "prod.maintenance", "production.business_depends"),
        ),
        PlannedEvidence("document", "Impact assessment of {subject}", ("gov.impact",)),
        PlannedEvidence("document", "Agreements of the owners of {sources}", ("int.systems_owned",)),
        PlannedEvidence("document", "Retrospective of the trial: {title}", ("production.lessons_captured",)),
        PlannedEvidence("document", "Audit of the policy layer of {subject}", ("layer.policy",)),
        PlannedEvidence(
            "system_record", "Links, service accounts and sign-on of {subject}",
            ("int.identity", "int.inventory", "int.sources_condition", "int.definitions"), "steward",
        ),
    ),
    "retire": (
        PlannedEvidence("document", "How {users} work from now on", ("retire.replacement",)),
        PlannedEvidence("document", "Notification to {users} and linked systems", ("retire.notice",)),
    ),
}  # fmt: skip

# Answers that are evidence by themselves when their writer says on which day they were true.
ATTESTED = {
    "prototype": (
        "proto.question", "proto.scope", "proto.assumptions", "proto.limitations", "proto.not_production",
        "proto.to_advance", "prototype.selected",
    ),
    "mvp": ("mvp.lessons_read",), "production": ("int.systems_owned",), "retire": (),
}  # fmt: skip

SCREENED = "proto.personal_data"
# The system that a unit works with, what it holds, and who owns it: nobody of the initiatives that are linked to it.
SOURCES = {
    "accounts": ("Contact archive", "Letters, calls and visits of each account.", "felix"),
    "customer-service": ("Ticket system", "Every request and what was answered.", "emil"),
    "finance": ("General ledger", "Invoices, receipts, payments.", "hugo"),
    "stores": ("Store system", "Articles, shelves, staff of each store.", "diego"),
    "hr": ("Personnel files", "Who works here, since when, as what.", "felix"),
    "plants": ("Plant system", "Orders, parts, machines and their logs.", "lena"),
    "logistics": ("Transport system", "Tours, stops, windows.", "diego"),
}
RESULT_KINDS = ("test_report", "drill_record", "telemetry", "log_sample", "user_research")
