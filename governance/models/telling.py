"""How people want to be told: the weekly digest, and a calendar they subscribe to."""

from django.db import models

from governance.models.people import User


class Telling(models.Model):
    """What one person chose; who chose nothing has no row and the first choice of each."""

    not_governed = "how somebody wants to be told: it decides nothing"
    not_in_admin = "a person's own choice"
    MINE, UNIT, NEVER = "mine", "unit", "never"
    DIGESTS = {
        MINE: "Every week, of the units where I hold a role or a seat",
        UNIT: "Every week, of these and of my own unit",
        NEVER: "Never",
    }

    person = models.OneToOneField(User, models.CASCADE, related_name="telling")
    digest = models.CharField(max_length=10, choices=DIGESTS.items(), default=MINE)

    def __str__(self) -> str:
        return f"digest of {self.person}: {self.digest}"


class CalendarFeed(models.Model):
    """The one secret address of a person's calendar. Only its hash is kept; it ends with the account."""

    not_governed = "a key to read one's own days; making and ending it are entries"
    not_in_admin = "the key to somebody's own days"

    person = models.OneToOneField(User, models.CASCADE, related_name="calendar_feed")
    hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    hour_from = models.DateTimeField(null=True, blank=True)
    hour_reads = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"calendar of {self.person}"
