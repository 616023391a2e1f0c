"""Rows of controls, of both logs compared, and of architecture.

Sources: S0-1 (the contract comes before any architecture decision), S0-17 (every clause is mapped to a control), S0-21
(each layer is independently auditable).
"""

from django.db import models
from django.db.models import F, Q

from governance.database.row_history import WrittenOnce, governed
from governance.models import Clause, Rulebook, ServiceKey, User
from governance.models.constraints import by_whom_and_when
from governance.vocabulary import RUNNING_STAGES, Layer, LogFindingKind
from initiatives.models.evidence import Evidence
from initiatives.models.initiative import Initiative
from initiatives.models.integration.components import ARTEFACT_DIGEST

ENFORCING_LAYERS = {layer.value: layer.label for layer in (Layer.POLICY, Layer.RUNTIME, Layer.OBSERVABILITY)}


class EnforcementQuerySet(models.QuerySet):
    def current(self):
        """Return the mappings that were not ended."""
        return self.filter(ended_at__isnull=True)

    def counting(self):
        """Return current mappings with a control and with current, not withdrawn evidence."""
        evidence = Q(
            evidence__isnull=False, evidence__withdrawn_at__isnull=True, evidence__superseded_by__isnull=True
        )
        return self.current().filter(evidence).exclude(control="")


class ClauseEnforcement(models.Model):
    """One control that enforces one clause in one layer, with its newest evidence.

    The control counts for every version whose clause reads exactly the same (`Clause.fingerprint`). A reworded clause
    needs a new mapping.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="enforcements")
    clause = models.ForeignKey(Clause, models.PROTECT, related_name="enforcements")
    layer = models.CharField(max_length=20, choices=ENFORCING_LAYERS.items())
    control = models.TextField()
    evidence = models.ForeignKey(Evidence, models.PROTECT, null=True, blank=True, related_name="enforcements")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = EnforcementQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "clause", "id"]
        constraints = [by_whom_and_when("ended", name="enforcement_ended_means_who_and_when")]

    def __str__(self) -> str:
        return f"{self.get_layer_display()}: {self.control[:60]}"


class LogFindingQuerySet(models.QuerySet):
    def current(self):
        """Return the findings that were not withdrawn."""
        return self.filter(withdrawal__isnull=True)


class DecisionDay(WrittenOnce):
    """The counts in the log of decisions for one key of an initiative and one day.

    The worker writes the row once the day is over. The row stays when the log is shortened, with all that follows from
    it. `subjects` counts those allowed something in the 30 days that end with this one, over all keys.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="decision_days")
    key = models.ForeignKey(ServiceKey, models.PROTECT, related_name="decision_days")
    day = models.DateField()
    asked = models.PositiveBigIntegerField()
    allowed = models.PositiveBigIntegerField()
    subjects = models.PositiveIntegerField()

    class Meta:
        ordering = ["initiative", "day", "key"]
        constraints = [
            models.UniqueConstraint(fields=["initiative", "key", "day"], name="one_count_per_key_and_day"),
            models.CheckConstraint(name="no_more_allowed_than_asked", condition=Q(allowed__lte=F("asked"))),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.asked} questions"


class DeploymentDecision(WrittenOnce):
    """The answer to a pipeline that asked if an artefact may be deployed, with its signed attestation.

    `decision` is the digest of the decision in the log. The row stays when the log is shortened. `envelope` is the DSSE
    envelope as it was signed (`initiatives.contracts.enforcement.deployment_gate`).
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="deployment_decisions")
    key = models.ForeignKey(ServiceKey, models.PROTECT, related_name="deployment_decisions")
    decision = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField()
    artefact = models.CharField(max_length=71)
    version = models.CharField(max_length=80)
    stage = models.CharField(
        max_length=20, choices=[(stage.value, stage.label) for stage in RUNNING_STAGES[1:]]
    )
    reasons = models.JSONField(default=list)
    rulebook = models.ForeignKey(Rulebook, models.PROTECT, related_name="+")
    envelope = models.TextField()

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="deployments_are_decided_for_a_stage", condition=Q(stage__in=RUNNING_STAGES[1:])
            ),
            models.CheckConstraint(
                name="deployment_decisions_name_a_digest", condition=Q(artefact__regex=ARTEFACT_DIGEST)
            ),
        ]
        indexes = [
            models.Index(fields=["initiative", "-at"], name="deployment_decisions_newest"),
            models.Index(fields=["artefact"], name="deployments_by_artefact"),
        ]

    def __str__(self) -> str:
        return f"{self.version} to {self.stage}: {'allowed' if self.allowed else 'denied'}"

    @property
    def allowed(self) -> bool:
        """Return True if the artefact may be deployed."""
        return not self.reasons


class ActName(models.Model):
    """The action of the contract that a sender means by a name, or none.

    Names equal to those of the contract need no row. `name` is as in rows of the log (`shape.act_name`). A withdrawn
    mapping keeps its row for the next mapping of the name.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="act_names")
    name = models.CharField(max_length=100)
    action = models.CharField(max_length=100, blank=True, default="")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["initiative", "name"]
        constraints = [
            models.UniqueConstraint(fields=["initiative", "name"], name="an_act_is_named_once"),
            models.CheckConstraint(name="an_act_has_a_name", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.action or 'no act of the contract'}"


class ReconciledDay(models.Model):
    """The figures of both logs for one day, counted again when a log grows.

    The day is `due` while rows are not counted yet. The count took `seconds`, by the names and models with the digest
    `judged_by`. The field `expected` counts allowed decisions that did not fail, and `logged` those whose act has
    input, output, actor, time and model version in the log by a key. Acts without an action of the contract are in
    `unnamed`, by name, and their sum is in `unmapped`. All interactions of the day are in `calls`.

    Calls with a field on failure are in `tried`, and failed ones in `failed`. Other calls with an output are in
    `outputs`, and those with a source or an earlier retrieval in `sourced`. Calls that name a person are in `named`.
    The field `durations` counts calls that did not fail by bucket (`log_figures.bucket_of`). Once the day is over,
    `subjects` is the number of persons in the four weeks to this day.
    """

    not_governed = "figures that anyone can count again from the sealed rows of both logs"

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="reconciled_days")
    day = models.DateField()
    due = models.BooleanField(default=True)
    judged_at = models.DateTimeField(null=True, blank=True)
    judged_by = models.CharField(max_length=64, blank=True, default="")
    seconds = models.FloatField(default=0)
    done = models.PositiveBigIntegerField(default=0)
    not_done = models.PositiveBigIntegerField(default=0)
    never_asked = models.PositiveBigIntegerField(default=0)
    after_denial = models.PositiveBigIntegerField(default=0)
    probable = models.PositiveBigIntegerField(default=0)
    open = models.PositiveBigIntegerField(default=0)
    unmapped = models.PositiveBigIntegerField(default=0)
    unnamed = models.JSONField(default=dict, blank=True)
    sampling = models.BooleanField(default=False)
    calls = models.PositiveBigIntegerField(default=0)
    expected = models.PositiveBigIntegerField(default=0)
    logged = models.PositiveBigIntegerField(default=0)
    tried = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    outputs = models.PositiveBigIntegerField(default=0)
    sourced = models.PositiveBigIntegerField(default=0)
    named = models.PositiveBigIntegerField(default=0)
    durations = models.JSONField(default=dict, blank=True)
    subjects = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["initiative", "-day"]
        constraints = [
            models.UniqueConstraint(fields=["initiative", "day"], name="one_reconciled_day"),
            models.CheckConstraint(
                name="no_more_logged_than_expected", condition=Q(logged__lte=F("expected"))
            ),
            models.CheckConstraint(
                name="no_more_of_a_day_than_its_calls",
                condition=Q(
                    failed__lte=F("tried"),
                    tried__lte=F("calls"),
                    named__lte=F("calls"),
                    sourced__lte=F("outputs"),
                    outputs__lte=F("tried"),
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["day"], condition=Q(due=True), name="reconciled_days_due"),
        ]

    def __str__(self) -> str:
        return f"{self.initiative} on {self.day}"


class ReconciliationMark(models.Model):
    """The worker's bookmark: batches before `xact`, and reports until `outcomes_to`."""

    not_governed = "the progress of the worker, which finds the same findings if it starts again"

    xact = models.BigIntegerField(default=0)
    outcomes_to = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"before transaction {self.xact}"


class LogFinding(WrittenOnce):
    """An act or model in the logs of an initiative that was not permitted or declared.

    Within the initiative, `act` identifies the subject, and `number` counts repeats: a withdrawn finding may be found
    again. The finding rests on `interaction` and `decision` (its digest). `what` is the act or the model as it was
    named. A `probable` finding shares only key, action and time with its decision: it is shown, and has no obligations.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="log_findings")
    kind = models.CharField(max_length=20, choices=LogFindingKind.choices)
    act = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    what = models.CharField(max_length=250, blank=True, default="")
    at = models.DateTimeField()
    day = models.DateField()
    key = models.ForeignKey(ServiceKey, models.PROTECT, null=True, blank=True, related_name="+")
    interaction = models.BigIntegerField(null=True, blank=True)
    decision = models.CharField(max_length=64, blank=True, default="")
    probable = models.BooleanField(default=False)
    found_at = models.DateTimeField()

    objects = LogFindingQuerySet.as_manager()

    class Meta:
        ordering = ["initiative", "at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "kind", "act", "number"], name="a_log_finding_is_found_once"
            ),
            models.CheckConstraint(
                name="log_finding_is_of_a_known_kind", condition=Q(kind__in=LogFindingKind.values)
            ),
        ]
        indexes = [models.Index(fields=["initiative", "day"], name="log_findings_by_day")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.what}"


class LogFindingWithdrawal(WrittenOnce):
    """The withdrawal of a finding: a late log, a mapped name, or a declared model."""

    finding = models.OneToOneField(LogFinding, models.PROTECT, related_name="withdrawal")
    why = models.CharField(max_length=250)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.finding}, withdrawn"


class ArchitectureDecision(models.Model):
    """A decision on how the system is built, with its day. The contract must be older than the first."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="architecture_decisions")
    title = models.CharField(max_length=200)
    text = models.TextField()
    decided_on = models.DateField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    withdrawn_reason = models.TextField(blank=True, default="")

    history = governed()

    class Meta:
        ordering = ["initiative", "decided_on", "id"]
        constraints = [
            by_whom_and_when(
                "withdrawn",
                name="architecture_decision_withdrawn_means_who_when_and_why",
                reason="withdrawn_reason",
            )
        ]

    def __str__(self) -> str:
        return self.title
