"""Rows of pipelines: what an initiative lets file evidence by the token of its platform, and what they filed."""

from django.db import models
from django.db.models import Q
from django.urls import reverse

from governance.database.row_history import WrittenOnce, governed
from governance.models import User
from governance.models.constraints import by_whom_and_when
from governance.vocabulary import PipelinePlatform, ReportFormat
from initiatives.models.evidence import Evidence
from initiatives.models.initiative import Initiative


class PipelineQuerySet(models.QuerySet):
    def current(self):
        """Return the pipelines that have not ended."""
        return self.filter(ended_at__isnull=True)


class Pipeline(models.Model):
    """A pipeline that may file evidence for an initiative, bound to what its platform signs.

    The field `bound` has the required values by name (`initiatives.integration.pipelines.platforms`). A platform that
    Plumbline cannot reach has its public keys in `keys`, in the form of a JWKS. `by` declared it, and counts as the
    author of what it files.
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
            models.CheckConstraint(
                name="pipeline_issuer_is_https", condition=Q(issuer__startswith="https://")
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of its initiative's page of pipelines."""
        return reverse("pipelines", args=[self.initiative.ref]) + f"#pipeline-{self.pk}"


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
    """

    pipeline = models.ForeignKey(Pipeline, models.PROTECT, related_name="reports")
    evidence = models.OneToOneField(Evidence, models.PROTECT, related_name="pipeline_report")
    format = models.CharField(max_length=20, choices=ReportFormat.choices)
    commit = models.CharField(max_length=80, blank=True, default="")
    run = models.CharField(max_length=300, blank=True, default="")
    artefact = models.CharField(max_length=140, blank=True, default="")  # algorithm and digest, "sha256:…"
    figures = models.JSONField(default=dict)
    claims = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        ordering = ["pipeline", "id"]

    def __str__(self) -> str:
        return f"{self.get_format_display()} of {self.at}"
