"""Closed sets of words, each with a value for the database and a label for people.

Stages, roles, seats and layers are those of the domain model. The rulebook may contain more seats and layers. Pages,
emails and files print the labels. A value never changes, because the sealed audit log contains it.
"""

from django.db.models import TextChoices


class Words(TextChoices):
    """A closed set of words; in a field as `choices=Stage.choices`."""

    @classmethod
    def word(cls, key: str | None) -> str:
        """Return the label of a key. A key that is unknown here is spelled out."""
        return str(cls(key).label) if key and key in cls else str(key or "").replace("_", " ").capitalize()


class Stage(Words):
    """The stages of an initiative, from an idea to its end."""

    PROPOSED = "proposed", "Proposed idea"
    PROTOTYPE = "prototype", "Prototype"
    MVP = "mvp", "MVP"
    PRODUCTION = "production", "Production"
    STOPPED = "stopped", "Stopped"
    RETIRED = "retired", "Retired"


# From the lowest to the highest.
RUNNING_STAGES = (Stage.PROPOSED, Stage.PROTOTYPE, Stage.MVP, Stage.PRODUCTION)
# Stages without a rollout and without production data.
EARLY_STAGES = (Stage.PROPOSED, Stage.PROTOTYPE)
CLOSED_STAGES = (Stage.STOPPED, Stage.RETIRED)
STAGE_RANK: dict[str, int] = {stage: rank for rank, stage in enumerate(RUNNING_STAGES)}


class Tier(Words):
    """The amount of harm that is credible."""

    MINIMAL = "minimal", "Minimal"
    LIMITED = "limited", "Limited"
    HIGH = "high", "High"


class Role(Words):
    """The roles on an initiative, each accepted in person."""

    OWNER = "owner", "Business owner"
    DEPUTY = "deputy", "Deputy owner"
    SUPPORT_OWNER = "support_owner", "Support owner"
    TECHNICAL_LEAD = "technical_lead", "Technical lead"
    DATA_STEWARD = "data_steward", "Data steward"
    SPONSOR = "sponsor", "Sponsor"
    RECORD_OWNER = "record_owner", "Audit trail owner"


class Seat(Words):
    """The matters that a board signs for, with one seat each."""

    BUSINESS_VALUE = "business_value", "Business value"
    RISK_COMPLIANCE = "risk_compliance", "Risk and compliance"
    SECURITY_PRIVACY = "security_privacy", "Security and privacy"
    ARCHITECTURE_INTEGRATION = "architecture_integration", "Architecture and integration"
    SERVICE_OPERATIONS = "service_operations", "Service operations"
    ADOPTION_CHANGE = "adoption_change", "Adoption and change"


class BoardRole(Words):
    """The roles on a board: its seats, the chair and the deputy chair."""

    BUSINESS_VALUE = Seat.BUSINESS_VALUE.value, Seat.BUSINESS_VALUE.label
    RISK_COMPLIANCE = Seat.RISK_COMPLIANCE.value, Seat.RISK_COMPLIANCE.label
    SECURITY_PRIVACY = Seat.SECURITY_PRIVACY.value, Seat.SECURITY_PRIVACY.label
    ARCHITECTURE_INTEGRATION = Seat.ARCHITECTURE_INTEGRATION.value, Seat.ARCHITECTURE_INTEGRATION.label
    SERVICE_OPERATIONS = Seat.SERVICE_OPERATIONS.value, Seat.SERVICE_OPERATIONS.label
    ADOPTION_CHANGE = Seat.ADOPTION_CHANGE.value, Seat.ADOPTION_CHANGE.label
    CHAIR = "chair", "Chair"
    DEPUTY_CHAIR = "deputy_chair", "Deputy chair"


class Layer(Words):
    """The stack, in its order: from what is asked first to what watches the rest."""

    MODEL = "model", "Model"
    APPLICATION = "application", "Application"
    INTEGRATION = "integration", "Integration"
    POLICY = "policy", "Policy"
    RUNTIME = "runtime", "Runtime"
    OBSERVABILITY = "observability", "Observability"


class SignOffVerdict(Words):
    """The verdicts that a seat can sign."""

    APPROVE = "approve", "Approve"
    CONDITION = "approve_with_condition", "Approve with a condition"
    OBJECT = "object", "Object"
    RECUSE = "recuse", "Recuse"
    WITHDRAWN = "withdrawn", "Withdrawn"


APPROVING = (SignOffVerdict.APPROVE, SignOffVerdict.CONDITION)


class ReviewOutcome(Words):
    """The outcome of a review, or that the review is open."""

    OPEN = "open", "Open"
    APPROVED = "approved", "Approved"
    WITH_CONDITIONS = "approved_with_conditions", "Approved with conditions"
    REFUSED = "refused", "Refused"
    RETURNED = "returned", "Returned with questions"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"


class DecisionOutcome(Words):
    """The answers of the decision API to a running system."""

    ALLOW = "allow", "Allowed"
    DENY = "deny", "Denied"
    NEEDS_APPROVAL = "needs_approval", "Needs approval"


class OutcomeKind(Words):
    """The outcome of an allowed call, as the system reports it."""

    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    UNDONE = "undone", "Undone"


class LogFindingKind(Words):
    """The findings in an interaction log that no one permitted or declared."""

    NEVER_ASKED = "never_asked", "Done and never asked"
    AFTER_DENIAL = "after_denial", "Done after a denial"
    OTHER_MODEL = "other_model", "Model that nobody declared"
    SILENT = "silent", "Silence"


class ClauseKind(Words):
    """The subjects of a contract's clauses."""

    AUTONOMY = "autonomy", "Autonomous"
    HUMAN_APPROVAL = "human_approval", "Human approval required"
    EDGE_POLICY = "edge_policy", "Exceptions"
    RECORD_OWNER = "record_owner", "Ownership of the change log and the audit trail"
    AUDIENCE = "audience", "Audience"
    RETENTION = "retention", "Retention of records"
    RESIDENCY = "residency", "Data residency"


class AnswerKind(Words):
    """The kinds of answer that an owner gives to a requirement."""

    ANSWERED = "answered", "Answered"
    NO = "no", "Not yet"
    NOT_APPLICABLE = "not_applicable", "Not applicable"
    NOT_REPORTED = "not_reported", "Not reported"


class EvidenceKind(Words):
    """The kinds of evidence."""

    ATTESTATION = "attestation", "Attestation"
    DOCUMENT = "document", "Document"
    CONTRACT_CLAUSE = "contract_clause", "Contract clause"
    TEST_REPORT = "test_report", "Test report"
    DRILL_RECORD = "drill_record", "Drill record"
    TELEMETRY = "telemetry", "Telemetry"
    LOG_SAMPLE = "log_sample", "Log sample"
    SYSTEM_RECORD = "system_record", "System record"
    USER_RESEARCH = "user_research", "User research"
    DECISION_RECORD = "decision_record", "Decision record"


class Tested(Words):
    """The subjects of a test report, a drill (as its kind names it) or user research."""

    QUALITY = "quality", "Quality of results"
    FALLBACK = "fallback", "Failure of a source"
    ENFORCEMENT = "enforcement", "Compliance with the contract"
    RECORDS = "records", "Logging and traces"
    OVERRIDE = "override", "Review and correction by a person"
    ESCALATION = "escalation", "Escalation"
    ROLLBACK = "rollback", "Return to an earlier version"
    RETRIEVAL = "retrieval", "Finding a call in the log"
    UNDERSTANDING = "understanding", "Understanding by users"
    USE = "use", "Use at work"


# What shows no control of a contract at work.
SHOWS_NO_CONTROL = (Tested.QUALITY, Tested.UNDERSTANDING, Tested.USE)
# Kinds of evidence that say what they tested.
KINDS_TESTED = frozenset({EvidenceKind.TEST_REPORT, EvidenceKind.DRILL_RECORD, EvidenceKind.USER_RESEARCH})


class Level(Words):
    """The levels of an answer, weakest first. The last two count the same (docs/domain.md, "Four levels")."""

    STATED = "stated", "Stated"
    DOCUMENTED = "documented", "Documented"
    VERIFIED = "verified", "Verified"
    MEASURED = "measured", "Measured"


# 0: not even somebody's word.
LEVEL_RANK = {"": 0, Level.STATED: 1, Level.DOCUMENTED: 2, Level.VERIFIED: 3, Level.MEASURED: 3}


class ScaleTestOutcome(Words):
    """The outcomes of a scale test. `DOCUMENTED`: met, but no running system shows it here."""

    PASSES = "passes", "passes"
    DOCUMENTED = "documented", "documented by others"
    NOT_YET = "not_yet", "does not pass"


class EvidenceResult(Words):
    """The results of a test, a drill or a measurement."""

    PASS = "pass", "Pass"
    PARTIAL = "partial", "Partial"
    FAIL = "fail", "Fail"


class EvidenceCondition(Words):
    """The conditions of a test."""

    CURATED = "curated", "Curated examples"
    BOUNDED_REAL = "bounded_real", "Bounded real conditions"
    FULL_POPULATION = "full_population", "Full population"


class ThresholdSide(Words):
    """On which side of its threshold a figure is good."""

    AT_LEAST = "at_least", "The threshold or more"
    AT_MOST = "at_most", "The threshold or less"


class ResearchMethod(Words):
    """The methods of user research."""

    SURVEY = "survey", "Survey"
    INTERVIEWS = "interviews", "Interviews"
    OBSERVATION = "observation", "Observation at work"
    USABILITY_TEST = "usability_test", "Usability test"


class EvidenceRegister(Words):
    """The register of the product that wrote an item of evidence without an upload."""

    DRILLS = "drills", "The drills of the initiative"
    INTEGRATION = "integration", "The integration register"
    MEASUREMENTS = "measurements", "The measurements of its measures"
    TRACES = "traces", "The trace samples of the initiative"


class PipelinePlatform(Words):
    """The platforms whose signed tokens identify a pipeline."""

    GITHUB = "github", "GitHub Actions"
    GITLAB = "gitlab", "GitLab CI"
    AZURE = "azure", "Azure Pipelines"
    KUBERNETES = "kubernetes", "Kubernetes"
    OTHER = "other", "Another issuer"


class ReportFormat(Words):
    """The formats in which a pipeline files a result."""

    JUNIT = "junit", "JUnit XML"
    TEST_RESULT = "test-result", "in-toto test result"
    EVALUATION = "evaluation", "Evaluation figures"
    CYCLONEDX = "cyclonedx", "CycloneDX"
    DEPLOYMENT = "deployment", "Deployment"
    DRILL = "drill", "Drill result"


class DeclaredResult(Words):
    """The results of what an MVP declared that it would prove."""

    MET = "met", "Met"
    MISSED = "missed", "Missed"


class HoldKind(Words):
    """The reasons for a hold. `cap`: the highest stage it supports, None for all."""

    OWNER_VACANT = "owner_vacant", "No accepted owner"
    RECORD_OWNER_VACANT = "record_owner_vacant", "The contract's audit trail owner is gone"
    RESIDENCY = "residency", "Data leaves the allowed region"
    DEFINITION_CONFLICT = "definition_conflict", "Definitions conflict"
    FAILED_DRILL = "failed_drill", "A drill failed"
    REATTESTATION = "reattestation", "Re-attestation is overdue"
    CONCERN = "concern", "Someone raised a concern"

    @property
    def cap(self) -> Stage | None:
        if self == HoldKind.CONCERN:
            return None
        mild = (HoldKind.DEFINITION_CONFLICT, HoldKind.FAILED_DRILL, HoldKind.REATTESTATION)
        return Stage.MVP if self in mild else Stage.PROTOTYPE


class TakesEffect(Words):
    """The time from which a rulebook decides on evidence. Later reviews always use it."""

    CASE_BY_CASE = "case_by_case", "Case by case"
    AT_ONCE = "at_once", "Immediately"
    ON_A_DAY = "on_a_day", "On a day"


class Comparison(Words):
    """The side of a threshold on which a result is good. The threshold itself is good."""

    AT_LEAST = "at_least", "at least"
    AT_MOST = "at_most", "at most"


class ObligationKind(Words):
    """The kinds of obligation that a person has to meet by a day."""

    POST_MORTEM = "post_mortem", "Post-mortem"
    RETROSPECTIVE = "retrospective", "Retrospective after go-live"
    CRITERION = "criterion", "Item of the gate that was left to do after the move"
    STEP_BACK = "step_back", "Bring support back, or step back"
    STEPPED_BACK = "stepped_back", "Explain what changed since the step back"
    VACANCY = "vacancy", "Find an owner, or step back"
    SERVICE_ACCOUNT = "service_account", "Close a service account that is no longer used"
    MEASUREMENT = "measurement", "Add a measurement to a measure that has been silent for too long"
    FEED = "feed", "Confirm that a feed is switched off"
    SHOWN_BY = "shown_by", "Show what an imported stage lacks"
    UNKNOWN = "unknown", "Find out what the register does not know"


WRITTEN_OBLIGATIONS = (ObligationKind.POST_MORTEM, ObligationKind.RETROSPECTIVE)


class FoundSource(Words):
    """The places where an undeclared model is found."""

    INTERACTIONS = "interactions", "Interaction log"
    DECISIONS = "decisions", "Log of decisions"
    SAMPLE = "sample", "Log sample"
    IMPORT = "import", "Imported table"


class FoundAnswer(Words):
    """The chair's answer on a found model. `DECLARED`: an initiative recorded it first."""

    WAITING = "waiting", "Waiting"
    IDEA = "idea", "Became an idea"
    BELONGS = "belongs", "Belongs to an initiative"
    NOT_OURS = "not ours", "Not AI, or not our organisation's"
    DECLARED = "declared", "Declared meanwhile"


class Strength(Words):
    """The strengths of a signature, from the weakest to the strongest."""

    PASSWORD = "password", "Password"
    PASSWORD_AND_CODE = "password and code", "Password and one-time code"
    PROVIDER = "identity provider", "Fresh sign-in at the identity provider"
    PASSKEY = "passkey", "Passkey"

    @property
    def rank(self) -> int:
        """Return the place of the strength in the order, from 0."""
        return list(Strength).index(self)
