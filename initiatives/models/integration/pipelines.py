"""Rows of pipelines: what an initiative lets file evidence by the token of its platform, and what they filed."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.urls import reverse

from governance.database.row_history import WrittenOnce, governed
from governance.models import User
from governance.models.constraints import by_whom_and_when
from governance.vocabulary import (
    EvidenceCondition,
    PipelinePlatform,
    ReportFormat,
    Seat,
    Tested,
    ThresholdSide,
)
from initiatives.models.evidence import Evidence
from initiatives.models.initiative import Initiative


class PipelineQuerySet(models.QuerySet):
    def current(self):
        """Return the pipelines that have not ended."""
        return self.filter(ended_at__isnull=True)


class Confirmed(models.Model):
    """A declaration of the team that a seat confirms. The confirmation counts until `confirmed_until`."""

    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_seat = models.CharField(max_length=40, blank=True, default="", choices=Seat.choices)
    confirmed_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def confirmed(self, at: datetime) -> bool:
        """Return True if the confirmation of a seat counts at `at`."""
        return self.confirmed_until is not None and self.confirmed_until > at


class Pipeline(Confirmed):
    """A pipeline that may file evidence for an initiative, bound to what its platform signs.

    The field `bound` has the required values by name (`initiatives.integration.pipelines.platforms`). A platform that
    Plumbline cannot reach has its public keys in `keys`, in the form of a JWKS. `by` declared it, and counts as the
    author of what it files. A seat confirms that this platform, issuer and binding may speak for the initiative.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="pipelines")
    name = models.CharField(max_length=120)
    platform = models.CharField(max_length=20, choices=PipelinePlatform.choices)
    issuer = models.CharField(max_length=255)
    bound = models.JSONField(default=dict)
    keys = models.JSONField(default=list, blank=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    ended_reason = models.TextField(blank=True, default="")

    objects = PipelineQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = [
            by_whom_and_when("ended", name="pipeline_ended_means_who_when_and_why", reason="ended_reason"),
            by_whom_and_when("confirmed", name="pipeline_confirmed_by_a_seat", reason="confirmed_seat"),
            models.CheckConstraint(
                name="pipeline_issuer_is_https", condition=Q(issuer__startswith="https://")
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of its initiative's page of pipelines."""
        return reverse("pipelines", args=[self.initiative.ref]) + f"#pipeline-{self.pk}"


class PipelineBar(Confirmed):
    """The bar of a pipeline for a requirement. The team declares it, and a seat of the requirement confirms it.

    `tests` has the names of the tests that must run, of the drills that it may report, or the one metric of an
    evaluation. `threshold` is the least share of passed tests, or the value that the metric must reach on `side`.
    A later declaration for the same requirement and format ends it.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="+")
    pipeline = models.ForeignKey(Pipeline, models.PROTECT, related_name="bars")
    requirement = models.CharField(max_length=100)
    format = models.CharField(max_length=20, choices=ReportFormat.choices)
    tests = models.JSONField(default=list)
    tested = models.CharField(max_length=40, blank=True, default="", choices=Tested.choices)
    condition = models.CharField(max_length=20, blank=True, default="", choices=EvidenceCondition.choices)
    threshold = models.DecimalField(max_digits=24, decimal_places=12, null=True, blank=True)
    side = models.CharField(
        max_length=20, choices=ThresholdSide.choices, default=ThresholdSide.AT_LEAST.value
    )
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = PipelineQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["pipeline", "requirement", "id"]
        constraints = [
            models.UniqueConstraint(
                name="one_bar_at_a_time",
                fields=["pipeline", "requirement", "format"],
                condition=Q(ended_at__isnull=True),
            ),
            by_whom_and_when("confirmed", name="bar_confirmed_by_a_seat", reason="confirmed_seat"),
        ]

    def __str__(self) -> str:
        return f"{self.requirement}: {self.get_format_display()}"

    def get_absolute_url(self) -> str:
        """Return the address of its pipeline."""
        return self.pipeline.get_absolute_url()


class PipelineToken(models.Model):
    """A token that filed a result. Its id counts once."""

    not_governed = (
        "the id is kept until the token would have expired, and the audit log records what it filed"
    )

    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of issuer and id, or of what was signed
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.digest


class PipelineReport(WrittenOnce):
    """The figures and the run of an item of evidence, as the pipeline reported them.

    `commit`, `run` and `claims` are signed by the platform if it signs them. The body says everything else.
    `measures` has the requirements whose confirmed bar the report was held against. The platform published its key.
    """

    pipeline = models.ForeignKey(Pipeline, models.PROTECT, related_name="reports")
    evidence = models.OneToOneField(Evidence, models.PROTECT, related_name="pipeline_report")
    format = models.CharField(max_length=20, choices=ReportFormat.choices)
    commit = models.CharField(max_length=80, blank=True, default="")
    run = models.CharField(max_length=300, blank=True, default="")
    artefact = models.CharField(max_length=140, blank=True, default="")  # algorithm and digest, "sha256:…"
    figures = models.JSONField(default=dict)
    measures = models.JSONField(default=list)
    claims = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        ordering = ["pipeline", "id"]

    def __str__(self) -> str:
        return f"{self.get_format_display()} of {self.at}"
