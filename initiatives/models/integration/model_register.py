"""Rows of the model register: models as vendors offer them, and what was measured of them in the use of a case."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from governance.database.row_history import governed
from governance.models import User
from governance.models.constraints import by_whom_and_when
from governance.vocabulary import Comparison, Layer
from initiatives.models.initiative import Initiative
from initiatives.models.integration.residency import Vendor
from initiatives.models.versions import ComponentVersion


class ModelVersion(models.Model):
    """A version of a model as its vendor offers it in a region: until when, where that is said, and what follows it.

    Described once for every case that runs it. `end_of_life`: the first day on which the vendor no longer stands behind
    it. Not confirmed: proposed by somebody who records what runs, and not yet looked at by who keeps the register.
    """

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="models")
    family = models.CharField(max_length=120)
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
        ordering = ["vendor__name", "family", "version", "region"]
        constraints = [
            models.UniqueConstraint(
                "vendor", Lower("family"), Lower("version"), Lower("region"), name="models_are_listed_once"
            ),
            models.CheckConstraint(
                name="an_end_of_life_names_its_source",
                condition=Q(end_of_life__isnull=True) | ~Q(end_of_life_source=""),
            ),
            models.CheckConstraint(name="no_model_follows_itself", condition=~Q(successor=F("id"))),
            by_whom_and_when("confirmed", name="model_confirmed_means_who_and_when"),
        ]

    def __str__(self) -> str:
        return f"{self.family} {self.version}" + (f" ({self.region})" if self.region else "")

    def get_absolute_url(self) -> str:
        """The page of the model: its facts, who runs it, how it did, what replacing it ends."""
        return f"/models/{self.pk}/"

    def unfit_for(self, layer: str, vendor: str) -> dict[str, str]:
        """Why a component of this layer and vendor cannot be this model, by field; a vendor nobody named fits."""
        if layer != Layer.MODEL:
            return {"model_version": "Only a component of the layer model names a model of the register."}
        if vendor.strip() and vendor.strip().casefold() != self.vendor.name.casefold():
            return {"vendor": f"The register says that {self} is of {self.vendor}. Name that, or nobody."}
        return {}


class ModelEvaluation(models.Model):
    """How a model did in the use of one case: data set, metric and threshold, declared before the result is known.

    `n`: examples that the result rests on. `result_by`: who typed the result, which makes it that person's word.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="model_evaluations")
    component_version = models.ForeignKey(ComponentVersion, models.PROTECT, related_name="evaluations")
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
        """Whether the result meets its threshold, computed; None while there is no result."""
        if self.result is None:
            return None
        least = self.comparison == Comparison.AT_LEAST
        return self.result >= self.threshold if least else self.result <= self.threshold
