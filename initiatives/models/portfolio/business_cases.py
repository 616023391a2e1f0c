"""The business case of an initiative: money and dates, as stated."""

from decimal import Decimal

from django.db import models
from django.db.models import Q

from governance.database.row_history import governed
from initiatives.models.initiative import Initiative

# Amounts of a business case, in its currency: what each is called.
AMOUNTS = {
    "budget": "Budget",
    "run_cost": "Run cost a year",
    "benefit": "Benefit a year",
}


class BusinessCase(models.Model):
    """The money, dates and vendor of one initiative, as stated and never measured.

    The amounts `run_cost` and `benefit` (expected) are for a year. `ticket` is its id in the source portfolio or in a
    tracker.
    """

    initiative = models.OneToOneField(Initiative, models.PROTECT, related_name="business_case")
    vendor = models.CharField(max_length=160, blank=True, default="")
    currency = models.CharField(max_length=3, blank=True, default="")
    budget = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    run_cost = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    benefit = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    go_live_on = models.DateField(null=True, blank=True)
    ticket = models.CharField(max_length=160, blank=True, default="")

    history = governed()

    class Meta:
        ordering = ["initiative"]
        constraints = [
            models.CheckConstraint(
                name="amounts_have_a_currency",
                condition=Q(budget__isnull=True, run_cost__isnull=True, benefit__isnull=True)
                | ~Q(currency=""),
            ),
            models.CheckConstraint(
                name="amounts_are_not_negative",
                condition=(Q(budget__isnull=True) | Q(budget__gte=0))
                & (Q(run_cost__isnull=True) | Q(run_cost__gte=0))
                & (Q(benefit__isnull=True) | Q(benefit__gte=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"business case of {self.initiative_id}"

    @property
    def amounts(self) -> list[tuple[str, Decimal]]:
        """Return the stated amounts, each with its name."""
        stated = ((words, getattr(self, name)) for name, words in AMOUNTS.items())
        return [(words, amount) for words, amount in stated if amount is not None]
