"""Where the check of files stands."""

from django.db import models
from django.db.models import Q


class FileCheck(models.Model):
    """What the last check of files found and did not write, and how far files were hashed. At most one row.

    `gone` are the keys of evidence whose files were not as recorded, when there were too many to believe it; an admin
    confirms them. `hashed_to` is the key of the item up to which files were hashed in this round.
    """

    not_governed = "how far a check got, and what it doubts: what an admin confirms leaves entries of its own"
    not_in_admin = "what it doubts has a page of its own, from the desk"

    at = models.DateTimeField()
    looked = models.PositiveIntegerField(default=0)
    gone = models.JSONField(default=list)
    hashed_to = models.BigIntegerField(default=0)
    only = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(name="one_check_of_files", condition=Q(only=True))]

    def __str__(self) -> str:
        return f"{self.looked} files looked for, {len(self.gone)} in doubt"
