"""Closed sets of words, each said once: the value as the database and the audit log keep it, and its label for people.

Stages, roles, seats and layers are those of the domain model; the rulebook may know more seats and layers than these.
Labels are what pages, mails and files print. A value is never changed: it stands in the sealed audit log.
"""

from django.db.models import TextChoices


class Words(TextChoices):
    """A closed set of words; in a field as `choices=Stage.choices`."""

    @classmethod
    def word(cls, key: str | None) -> str:
        """The label of a key; one of an own rulebook, or of another release, is spelt out."""
        return str(cls(key).label) if key and key in cls else str(key or "").replace("_", " ").capitalize()


class Stage(Words):
    """What an initiative is, from an idea to its end."""

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
    """How much harm is credible."""

    MINIMAL = "minimal", "Minimal"
    LIMITED = "limited", "Limited"
    HIGH = "high", "High"


class Role(Words):
    """What somebody accepts in person to be on an initiative."""

    OWNER = "owner", "Business owner"
    DEPUTY = "deputy", "Deputy owner"
    SUPPORT_OWNER = "support_owner", "Support owner"
    TECHNICAL_LEAD = "technical_lead", "Technical lead"
    DATA_STEWARD = "data_steward", "Data steward"
    SPONSOR = "sponsor", "Sponsor"
    RECORD_OWNER = "record_owner", "Audit trail owner"


class Seat(Words):
    """What a board signs for, one seat each."""

    BUSINESS_VALUE = "business_value", "Business value"
    RISK_COMPLIANCE = "risk_compliance", "Risk and compliance"
    SECURITY_PRIVACY = "security_privacy", "Security and privacy"
    ARCHITECTURE_INTEGRATION = "architecture_integration", "Architecture and integration"
    SERVICE_OPERATIONS = "service_operations", "Service operations"
    ADOPTION_CHANGE = "adoption_change", "Adoption and change"


class BoardRole(Words):
    """As what somebody sits on a board: in a seat that signs, or in the chair."""

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
    """What a seat signs."""

    APPROVE = "approve", "Approve"
    CONDITION = "approve_with_condition", "Approve with a condition"
    OBJECT = "object", "Object"
    RECUSE = "recuse", "Recuse"
    WITHDRAWN = "withdrawn", "Withdrawn"


APPROVING = (SignOffVerdict.APPROVE, SignOffVerdict.CONDITION)


class ReviewOutcome(Words):
    """How a review stands or ended."""

    OPEN = "open", "Open"
    APPROVED = "approved", "Approved"
    WITH_CONDITIONS = "approved_with_conditions", "Approved with conditions"
    REFUSED = "refused", "Refused"
    RETURNED = "returned", "Returned with questions"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"


class DecisionOutcome(Words):
    """What a running system is answered."""

    ALLOW = "allow", "Allowed"
    DENY = "deny", "Denied"
    NEEDS_APPROVAL = "needs_approval", "Needs approval"


class OutcomeKind(Words):
    """What came of a call that was allowed, as the system reports it."""

    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    UNDONE = "undone", "Undone"


class LogFindingKind(Words):
    """What the log of interactions shows of an initiative that nobody permitted, declared or announced."""

    NEVER_ASKED = "never_asked", "Done and never asked"
    AFTER_DENIAL = "after_denial", "Done after a denial"
    OTHER_MODEL = "other_model", "Model that nobody declared"
    SILENT = "silent", "Silence"


class ClauseKind(Words):
    """What a clause of a contract is about."""

    AUTONOMY = "autonomy", "Autonomous"
    HUMAN_APPROVAL = "human_approval", "Human approval required"
    EDGE_POLICY = "edge_policy", "Exceptions"
    RECORD_OWNER = "record_owner", "Who owns the change log and the audit trail"
    AUDIENCE = "audience", "For whom"
    RETENTION = "retention", "How long records are kept"
    RESIDENCY = "residency", "Data residency"


class AnswerKind(Words):
    """How the owner answers a requirement."""

    ANSWERED = "answered", "Answered"
    NO = "no", "Not yet"
    NOT_APPLICABLE = "not_applicable", "Not applicable"
    NOT_REPORTED = "not_reported", "Not reported"


class EvidenceKind(Words):
    """What an item of evidence is."""

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


class Level(Words):
    """How strongly an answer stands, weakest first; the last two weigh the same (docs/domain.md, "Four levels")."""

    STATED = "stated", "Stated"
    DOCUMENTED = "documented", "Documented"
    VERIFIED = "verified", "Verified"
    MEASURED = "measured", "Measured"


# 0: not even somebody's word.
LEVEL_RANK = {"": 0, Level.STATED: 1, Level.DOCUMENTED: 2, Level.VERIFIED: 3, Level.MEASURED: 3}


class EvidenceResult(Words):
    """What a test, a drill or a measurement came to."""

    PASS = "pass", "Pass"
    PARTIAL = "partial", "Partial"
    FAIL = "fail", "Fail"


class EvidenceCondition(Words):
    """Under what conditions it was tried."""

    CURATED = "curated", "Curated examples"
    BOUNDED_REAL = "bounded_real", "Bounded real conditions"
    FULL_POPULATION = "full_population", "Full population"


class ThresholdSide(Words):
    """On which side of its threshold a figure is good."""

    AT_LEAST = "at_least", "At least the threshold"
    AT_MOST = "at_most", "At most the threshold"


class ResearchMethod(Words):
    """How users were asked or watched."""

    SURVEY = "survey", "Survey"
    INTERVIEWS = "interviews", "Interviews"
    OBSERVATION = "observation", "Observation at work"
    USABILITY_TEST = "usability_test", "Usability test"


class EvidenceRegister(Words):
    """The register of the product that wrote an item of evidence: nobody uploaded it."""

    DRILLS = "drills", "The drills of the initiative"
    INTEGRATION = "integration", "The integration register"
    MEASUREMENTS = "measurements", "The measurements of its measures"
    TRACES = "traces", "The trace samples of the initiative"


class DeclaredResult(Words):
    """What became of something the MVP declared it would prove."""

    MET = "met", "Met"
    MISSED = "missed", "Missed"


class HoldKind(Words):
    """Why an initiative must not move; `cap`: the highest stage that is supported meanwhile, None for all."""

    OWNER_VACANT = "owner_vacant", "No accepted owner"
    RECORD_OWNER_VACANT = "record_owner_vacant", "The contract's audit trail owner is gone"
    RESIDENCY = "residency", "Data leaves the allowed region"
    DEFINITION_CONFLICT = "definition_conflict", "Definitions conflict"
    FAILED_DRILL = "failed_drill", "A drill failed"
    REATTESTATION = "reattestation", "Re-attestation is overdue"
    CONCERN = "concern", "Somebody raised a concern"

    @property
    def cap(self) -> Stage | None:
        if self == HoldKind.CONCERN:
            return None
        mild = (HoldKind.DEFINITION_CONFLICT, HoldKind.FAILED_DRILL, HoldKind.REATTESTATION)
        return Stage.MVP if self in mild else Stage.PROTOTYPE


class TakesEffect(Words):
    """From when a rulebook decides what evidence supports; reviews that are opened later always use it."""

    CASE_BY_CASE = "case_by_case", "Case by case"
    AT_ONCE = "at_once", "At once"
    ON_A_DAY = "on_a_day", "On a day"


class Comparison(Words):
    """On which side of its threshold a result has to lie; the threshold itself is good enough."""

    AT_LEAST = "at_least", "at least"
    AT_MOST = "at_most", "at most"


class ObligationKind(Words):
    """What somebody has to do by a day."""

    POST_MORTEM = "post_mortem", "Post-mortem"
    RETROSPECTIVE = "retrospective", "Retrospective after go-live"
    CRITERION = "criterion", "Item of the gate that was left to do after the move"
    STEP_BACK = "step_back", "Bring support back, or step back"
    VACANCY = "vacancy", "Find an owner, or step back"
    SERVICE_ACCOUNT = "service_account", "Close a service account that nothing uses any more"
    MEASUREMENT = "measurement", "Add a measurement to a measure that has been silent for too long"
    FEED = "feed", "Confirm that a feed is shut"
    SHOWN_BY = "shown_by", "Show what an imported stage lacks"


WRITTEN_OBLIGATIONS = (ObligationKind.POST_MORTEM, ObligationKind.RETROSPECTIVE)


class IntakeState(Words):
    """What became of a request that came by an intake link."""

    WAITING = "waiting", "Waiting"
    IDEA = "idea", "Became an idea"
    DECLINED = "declined", "Declined"


class Invitation(Words):
    """Whether whoever sent a request is invited by an admin."""

    NONE = "none", "Not asked for"
    ASKED = "asked", "Asked for"
    INVITED = "invited", "Invited"
    LEFT = "left", "Not invited"


class Strength(Words):
    """How a signature shows who gave it, from the weakest to the strongest."""

    PASSWORD = "password", "Password"
    PASSWORD_AND_CODE = "password and code", "Password and one-time code"
    PROVIDER = "identity provider", "Fresh sign-in at the identity provider"
    PASSKEY = "passkey", "Passkey"

    @property
    def rank(self) -> int:
        """Its place in the order, from 0."""
        return list(Strength).index(self)
