"""Rows of component versions, of their deployments, and of model evaluations."""

from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from governance.database.row_history import governed
from governance.database.text_search import Words
from governance.models import User
from governance.models.constraints import by_whom_and_when
from governance.vocabulary import Comparison, Layer
from initiatives.models.initiative import Initiative
from initiatives.models.integration.residency import Vendor

ARTEFACT_DIGEST = r"^sha256:[0-9a-f]{64}\Z"
artefact_digest = RegexValidator(
    ARTEFACT_DIGEST, "Use a SHA-256, for example sha256: and 64 hexadecimal digits in lower case."
)


class ComponentVersion(models.Model):
    """A component in one version, as it is offered in a region. Initiatives share the row.

    A component without a vendor is made by the organisation. On the first day in `end_of_life` the vendor no longer
    supports it. An unconfirmed version was recorded by an initiative, and not yet checked by those who keep the
    register.
    """

    layer = models.CharField(max_length=20, choices=Layer.choices)
    vendor = models.ForeignKey(Vendor, models.PROTECT, null=True, blank=True, related_name="components")
    name = models.CharField(max_length=120)
    version = models.CharField(max_length=80)
    region = models.CharField(max_length=60, blank=True, default="")
    end_of_life = models.DateField(null=True, blank=True)
    end_of_life_source = models.CharField(max_length=250, blank=True, default="")
    successor = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="predecessors")
    added_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["layer", "name", "version", "region", "id"]
        constraints = [
            models.UniqueConstraint(
                "layer",
                "vendor",
                Lower("name"),
                Lower("version"),
                Lower("region"),
                nulls_distinct=False,
                name="component_versions_are_listed_once",
            ),
            models.CheckConstraint(
                name="an_end_of_life_names_its_source",
                condition=Q(end_of_life__isnull=True) | ~Q(end_of_life_source=""),
            ),
            models.CheckConstraint(
                name="no_component_version_follows_itself", condition=~Q(successor=F("id"))
            ),
            by_whom_and_when("confirmed", name="component_version_confirmed_means_who_and_when"),
        ]
        indexes = [GinIndex(Words("name"), name="component_versions_by_words")]

    def __str__(self) -> str:
        return self.in_region(self.region)

    def get_absolute_url(self) -> str:
        """Return the address of the page of the component version."""
        return f"/components/{self.pk}/"

    def in_region(self, region: str) -> str:
        """Return its name and version, with the region if there is one."""
        return f"{self.name} {self.version}" + (f" ({region})" if region else "")


class DeploymentQuerySet(models.QuerySet):
    def running_at(self, moment):
        """Return the deployments that run at `moment`."""
        return self.current_at(moment).filter(runs_from__lte=moment)

    def current_at(self, moment):
        """Return the deployments that run at `moment`, or are planned to begin after it."""
        return self.filter(Q(runs_to__isnull=True) | Q(runs_to__gt=moment))

    def last_named(self, layer: str, name: str):
        """Return the last deployment of this layer and name, planned ones included."""
        same = self.filter(version__layer=layer, version__name__iexact=name.strip())
        return same.select_related("version__vendor").order_by("-runs_from", "-pk").first()


class Deployment(models.Model):
    """A version of the register that an initiative runs, from a moment to a moment.

    It may begin in the future. The number of the place in the initiative's system is `part`. The next version in the
    same part replaces this one. The deployment runs in `region`. `artefact` is the digest of what is deployed, if it is
    known.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="deployments")
    part = models.PositiveIntegerField()
    version = models.ForeignKey(ComponentVersion, models.PROTECT, related_name="deployments")
    region = models.CharField(max_length=60, blank=True, default="")
    artefact = models.CharField(max_length=71, blank=True, default="")
    runs_from = models.DateTimeField()
    runs_to = models.DateTimeField(null=True, blank=True)

    objects = DeploymentQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "part", "runs_from"]
        constraints = [
            models.CheckConstraint(
                name="deployments_end_after_they_start",
                condition=Q(runs_to__isnull=True) | Q(runs_to__gte=F("runs_from")),
            ),
            models.UniqueConstraint(
                fields=["initiative", "part"],
                condition=Q(runs_to__isnull=True),
                name="one_open_deployment_per_part",
            ),
            models.CheckConstraint(
                name="a_deployment_names_a_whole_digest",
                condition=Q(artefact="") | Q(artefact__regex=ARTEFACT_DIGEST),
            ),
        ]

    def __str__(self) -> str:
        return self.version.in_region(self.region)


class ModelEvaluation(models.Model):
    """The result of a model in one initiative, against a threshold declared before.

    Data set and metric are declared before too. The result rests on `n` examples. The person in `result_by` answers for
    it.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="model_evaluations")
    deployment = models.ForeignKey(Deployment, models.PROTECT, related_name="evaluations")
    data_set = models.CharField(max_length=200)
    metric = models.CharField(max_length=120)
    comparison = models.CharField(max_length=10, choices=Comparison.choices)
    threshold = models.DecimalField(max_digits=20, decimal_places=6)
    declared_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    declared_on = models.DateField()
    result = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    n = models.PositiveIntegerField(null=True, blank=True)
    measured_on = models.DateField(null=True, blank=True)
    result_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    result_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    withdrawn_reason = models.TextField(blank=True, default="")

    history = governed()

    class Meta:
        ordering = ["initiative", "declared_on", "id"]
        constraints = [
            models.CheckConstraint(
                name="a_result_has_its_day_its_number_and_its_person",
                condition=Q(
                    result__isnull=True,
                    n__isnull=True,
                    measured_on__isnull=True,
                    result_by__isnull=True,
                    result_at__isnull=True,
                )
                | Q(
                    result__isnull=False,
                    n__gte=1,
                    measured_on__isnull=False,
                    result_by__isnull=False,
                    result_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="a_threshold_is_declared_before_its_result",
                condition=Q(measured_on__isnull=True) | Q(measured_on__gte=F("declared_on")),
            ),
            by_whom_and_when(
                "withdrawn", name="evaluation_withdrawn_means_who_when_and_why", reason="withdrawn_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric} on {self.data_set}"

    @property
    def meets(self) -> bool | None:
        """Return True if the result meets its threshold, or None without a result."""
        if self.result is None:
            return None
        least = self.comparison == Comparison.AT_LEAST
        return self.result >= self.threshold if least else self.result <= self.threshold
