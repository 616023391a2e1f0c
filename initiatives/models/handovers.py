"""Handing over: somebody's whole part in a case, proposed to a successor who takes it in person."""

from django.db import models
from django.db.models import Q

from governance.database.row_history import governed
from governance.models import User
from initiatives.models.initiative import Initiative


class HandoverQuerySet(models.QuerySet):
    def waiting(self):
        """Proposals that the successor has not answered and nobody took back."""
        return self.filter(accepted_at__isnull=True, ended_at__isnull=True)


class Handover(models.Model):
    """What one person holds on one case, proposed to a successor: roles, conditions and gaps.

    The roles are proposed beside it, so that separation of duties sees them; they and the rest pass on when the
    successor accepts. Until then everything stays where it is. Debts stay with whoever owes them.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="handovers")
    person = models.ForeignKey(User, models.PROTECT, related_name="handovers")
    successor = models.ForeignKey(User, models.PROTECT, related_name="handovers_offered")
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    reason = models.TextField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.TextField(blank=True, default="")

    objects = HandoverQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "person"],
                condition=Q(accepted_at__isnull=True, ended_at__isnull=True),
                name="one_handover_of_a_person_and_case_at_a_time",
            ),
            models.CheckConstraint(
                name="accepted_or_ended_not_both",
                condition=Q(accepted_at__isnull=True) | Q(ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="nobody_hands_over_to_themselves", condition=~Q(person=models.F("successor"))
            ),
        ]
        indexes = [
            models.Index(
                fields=["successor"],
                condition=Q(accepted_at__isnull=True, ended_at__isnull=True),
                name="handovers_by_successor",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} to {self.successor}: {self.initiative_id}"
