"""What the integration register says against a requirement of a case: the one way in which it reaches the gates."""

from django.db import models
from django.db.models import Q

from governance.history import governed
from initiatives.models.holds import HOLD_KINDS
from initiatives.models.initiative import Initiative
from initiatives.models.systems import System


class ShortcomingQuerySet(models.QuerySet):
    def standing(self):
        """What is still so, from whatever moment it counts."""
        return self.filter(ended_at__isnull=True)


class Shortcoming(models.Model):
    """One thing in the register that keeps a requirement from being grounded, from a moment on, perhaps one to come.

    Worked out by `actions.following.follow` from the register alone, and rewritten with every change of it: nobody
    writes or closes one by hand. `source` names what it is about, so that the same finding stays the same row. `hold`:
    the kind of hold that it calls for besides; it caps what is supported from `since` on, though no task ran.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="shortcomings")
    requirement = models.CharField(max_length=60)
    source = models.CharField(max_length=120)
    words = models.TextField()
    fix = models.TextField(blank=True, default="")
    who = models.CharField(max_length=160, blank=True, default="")
    hold = models.CharField(
        max_length=30,
        choices=[(key, words) for key, (words, _, _) in HOLD_KINDS.items()],
        blank=True,
        default="",
    )
    system = models.ForeignKey(System, models.PROTECT, null=True, blank=True, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ShortcomingQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "requirement", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "requirement", "source"],
                condition=Q(ended_at__isnull=True),
                name="one_standing_shortcoming_per_source",
            )
        ]
        indexes = [
            models.Index(
                fields=["initiative"], condition=Q(ended_at__isnull=True), name="shortcomings_by_case"
            ),
            models.Index(
                fields=["system"], condition=Q(ended_at__isnull=True), name="shortcomings_by_system"
            ),
        ]

    def __str__(self) -> str:
        return self.words
