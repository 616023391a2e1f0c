"""Rows of controls of clauses, reports on layers, decisions on architecture.

Sources: S0-1 (the contract comes before any architecture decision), S0-17 (every clause is mapped to a control), S0-21
(each layer is independently auditable).
"""

from django.db import models
from django.db.models import F, Q

from governance.database.row_history import WrittenOnce, governed
from governance.models import Clause, ServiceKey, User
from governance.models.constraints import by_whom_and_when
from governance.vocabulary import Layer
from initiatives.models.evidence import Evidence
from initiatives.models.initiative import Initiative

ENFORCING_LAYERS = {layer.value: layer.label for layer in (Layer.POLICY, Layer.RUNTIME, Layer.OBSERVABILITY)}


class EnforcementQuerySet(models.QuerySet):
    def standing(self):
        """Mappings that nobody ended."""
        return self.filter(ended_at__isnull=True)

    def counting(self):
        """Standing ones that name a control and an item of proof which nobody withdrew and no newer one replaced."""
        proof = Q(
            evidence__isnull=False, evidence__withdrawn_at__isnull=True, evidence__superseded_by__isnull=True
        )
        return self.standing().filter(proof).exclude(control="")


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


class DecisionDay(WrittenOnce):
    """What the log of decisions says of one key of a case and one day.

    Written by the worker once the day is over, and kept with the case: what follows from it stays as it was when the
    log is shortened. `subjects`: how many were allowed something in the 30 days that end with this one, over all keys.
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


class LayerReview(WrittenOnce):
    """That somebody outside the build team read a report on a layer, in person, and what they say of it."""

    evidence = models.ForeignKey(Evidence, models.PROTECT, related_name="layer_reviews")
    requirement = models.CharField(max_length=60)
    reviewer = models.ForeignKey(User, models.PROTECT, related_name="+")
    words = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["evidence", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["evidence", "requirement", "reviewer"], name="one_layer_review_per_person_and_report"
            )
        ]

    def __str__(self) -> str:
        return f"{self.reviewer} read {self.evidence}"


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
