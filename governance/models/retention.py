"""Rows of legal holds, on an initiative or on a person."""

from django.db import models
from django.db.models import Q

from governance.database.row_history import governed
from governance.models.people import User


class LegalHoldQuerySet(models.QuerySet):
    def open(self):
        """Return the holds that no one has lifted."""
        return self.filter(lifted_at__isnull=True)

    def initiative_numbers(self) -> list[int]:
        """Return the numbers of the initiatives that these holds are on: 42 of AI-0042."""
        refs = self.exclude(initiative_ref="").values_list("initiative_ref", flat=True)
        return [int(ref.removeprefix("AI-")) for ref in refs]


class LegalHold(models.Model):
    """Everything about an initiative, or about a person, is kept until this is lifted: a claim, an inquiry, a trial."""

    initiative_ref = models.CharField(max_length=20, blank=True, default="")
    person = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="legal_holds")
    reason = models.TextField()
    opened_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    lifted_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lift_reason = models.TextField(blank=True, default="")

    objects = LegalHoldQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="legal_hold_on_a_initiative_or_a_person",
                condition=Q(initiative_ref="", person__isnull=False)
                | ~Q(initiative_ref="") & Q(person__isnull=True),
            ),
            models.CheckConstraint(
                name="legal_hold_lifted_means_who_when_and_why",
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lift_reason="")
                | Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lift_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"legal hold on {self.initiative_ref or f'person {self.person_id}'}"
