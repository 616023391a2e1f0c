"""Rows of performance promises."""

from django.db import models
from django.db.models import F, Q

from governance.database.row_history import governed
from governance.models import User
from initiatives.models.initiative import Initiative


class PerformancePromise(models.Model):
    """Promised milliseconds of the median and of 95 in 100 calls, and share of errors.

    It is for the days after its declaration. A newer promise or a withdrawal ends it.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="performance_promises")
    median = models.PositiveIntegerField()
    most = models.PositiveIntegerField()
    errors = models.FloatField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["initiative", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative"],
                condition=Q(ended_at__isnull=True),
                name="one_performance_promise_at_a_time",
            ),
            models.CheckConstraint(
                name="performance_promise_can_be_kept",
                condition=Q(median__gte=1, most__gte=F("median"), errors__gte=0, errors__lt=1),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.median} ms, 95 % in {self.most} ms, {self.errors:.1%} errors"
