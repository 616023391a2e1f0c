"""Rows of controls of clauses, both logs compared, how long bodies are kept, reports on layers, architecture.

Sources: S0-1 (the contract comes before any architecture decision), S0-17 (every clause is mapped to a control), S0-21
(each layer is independently auditable).
"""

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from governance.database.row_history import WrittenOnce, governed
from governance.models import Clause, ServiceKey, User
from governance.models.constraints import by_whom_and_when
from governance.vocabulary import Layer, LogFindingKind
from initiatives.models.evidence import Evidence
from initiatives.models.initiative import Initiative
from initiatives.models.reviews import ConsentUntilDay, rules_of_consent

ENFORCING_LAYERS = {layer.value: layer.label for layer in (Layer.POLICY, Layer.RUNTIME, Layer.OBSERVABILITY)}


class EnforcementQuerySet(models.QuerySet):
    def current(self):
        """Mappings that nobody ended."""
        return self.filter(ended_at__isnull=True)

    def counting(self):
        """Current ones that name a control and an item of evidence which nobody withdrew and no newer one replaced."""
        evidence = Q(
            evidence__isnull=False, evidence__withdrawn_at__isnull=True, evidence__superseded_by__isnull=True
        )
        return self.current().filter(evidence).exclude(control="")


class ClauseEnforcement(models.Model):
    """One control that enforces one clause, in one layer, and the evidence that last showed it.

    It counts for every version whose clause says exactly the same (`Clause.fingerprint`): a clause that is reworded
    has to be mapped again.
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
        """Findings that were not withdrawn."""
        return self.filter(withdrawal__isnull=True)


class DecisionDay(WrittenOnce):
    """What the log of decisions says of one key of an initiative and one day.

    Written by the worker once the day is over, and kept with the initiative: what follows from it stays as it was when
    the log is shortened. `subjects`: how many were allowed something in the 30 days that end with this one, over all
    keys.
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


class ActName(models.Model):
    """Which action of the contract a sender means by a name; no action where it means none that the contract is about.

    Names that are those of the contract need no row. `name` is as rows of the log have it (`shape.act_name`). What was
    said and then withdrawn keeps its row, for whoever says something of that name again.
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
    """What both logs say together of an initiative and a day: counted from their rows, and again whenever one of them
    grows.

    `due`: something came that is not counted yet. `judged_by` is the digest of names and models by which it was
    counted, `seconds` how long that took. `expected` are allowed decisions that did not fail, `logged` those of them
    whose act the interaction log has with input, output, actor, time and model version. `unnamed` counts acts of no
    action of the contract by their names, `unmapped` all of them; `calls` are all interactions of the day.

    Of these calls `tried` are those that say whether they failed, `failed` those that did; `outputs` those that did not
    and say what came out, `sourced` the outputs that name a source, or before which one was retrieved; `named` are
    those that name a person. `durations` counts the others than failed ones by how long they took
    (`log_figures.bucket_of`). `subjects`: different persons in the four weeks to this day, once it is over.
    """

    not_governed = "figures counted from rows of both logs, which are sealed: anybody counts them again"

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
    """How far what came was looked at: batches of transactions before `xact`, reports until `outcomes_to`."""

    not_governed = "a bookmark of the worker: set back, it looks again and finds the same"

    xact = models.BigIntegerField(default=0)
    outcomes_to = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"before transaction {self.xact}"


class LogFinding(WrittenOnce):
    """Something that the logs of an initiative show and that nobody permitted or declared, with what it rests on.

    `act` names what it is about within the initiative, `number` how often the same was found: what was withdrawn may be
    found again. `interaction` and `decision` (its digest) are those it rests on, `what` the act, or the model, as it
    was named. A `probable` one is tied to its decision by key, action and time alone: it is shown, and has no
    obligations.
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
    """That a finding stands no longer, and why: a log that came late, a name that was mapped, a model declared."""

    finding = models.OneToOneField(LogFinding, models.PROTECT, related_name="withdrawal")
    why = models.CharField(max_length=250)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.finding}, withdrawn"


class ArchitectureDecision(models.Model):
    """A decision on how the system is built, with the day it was made: the contract has to be older than the first."""

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


class BodyTerm(ConsentUntilDay):
    """That what was said to the systems of an initiative is kept for fewer days than 730, until a day, on a legal
    basis.

    `reason` is the legal basis. It needs the risk seat of the board and an auditor. Never under 183 days (EU AI Act,
    Articles 19 and 26(6)).
    """

    PARTS = ("risk", "auditor")
    SAME = ("initiative",)
    LEAST, MOST = 183, 729  # days
    LONGEST = 365  # days that it runs at most

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="body_terms")
    days = models.PositiveSmallIntegerField()
    risk = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    risk_at = models.DateTimeField(null=True, blank=True)
    auditor = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    auditor_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = [
            *rules_of_consent("body_term", ("risk", "auditor"), ("initiative",)),
            models.CheckConstraint(
                name="a_body_term_is_of_183_to_729_days", condition=Q(days__gte=183, days__lte=729)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.days} days until {self.until}"

    def get_absolute_url(self) -> str:
        """The page on how long interactions of its initiative are kept."""
        return reverse("interactions-kept", args=[self.initiative.ref])
