"""Rows of notifications and mails. Not governed: they report and decide nothing."""

from django.db import models
from django.db.models import Q

from governance.models.people import User


class NotificationQuerySet(models.QuerySet):
    def unread(self):
        """Notifications the person has not opened."""
        return self.filter(read_at__isnull=True)

    def unsent(self):
        """Notifications that no mail has carried yet."""
        return self.filter(delivery__isnull=True)


class Notification(models.Model):
    """One message to one person: unique per person, kind, object and period, however often it is found due."""

    not_governed = "a message due: it reports and decides nothing"

    person = models.ForeignKey(User, models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=40)
    object_key = models.CharField(max_length=80)
    period = models.CharField(max_length=40)
    initiative_ref = models.CharField(max_length=20, blank=True, default="")
    subject = models.CharField(max_length=250)
    text = models.TextField(blank=True, default="")
    link = models.CharField(max_length=250, blank=True, default="")
    due_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    delivery = models.ForeignKey(
        "Delivery", models.SET_NULL, null=True, blank=True, related_name="notifications"
    )

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "kind", "object_key", "period"],
                name="one_notification_per_person_kind_object_period",
            )
        ]
        indexes = [
            models.Index(fields=["person", "-created_at"]),
            models.Index(fields=["person"], condition=Q(delivery__isnull=True), name="notification_unsent"),
            models.Index(fields=["person"], condition=Q(read_at__isnull=True), name="notification_unread"),
        ]

    def __str__(self) -> str:
        return self.subject


class SnoozedTask(models.Model):
    """A task of somebody's inbox that stays out of it until a day; `line` is `inbox.InboxTask.key`."""

    not_governed = "a person's own order of work: it reports and decides nothing"

    person = models.ForeignKey(User, models.CASCADE, related_name="snoozed_tasks")
    task = models.CharField(max_length=300)
    until = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "task"], name="one_snooze_per_person_task")]

    def __str__(self) -> str:
        return f"{self.task} until {self.until}"


class Outgoing(models.Model):
    """A row that a mail carries: claimed by one worker, then sent (`governance.notifications.outbox`)."""

    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")

    class Meta:
        abstract = True


class Delivery(Outgoing):
    """The one mail of a person, kind, matter and day.

    `about` names the matter where a kind has several: the code of the unit of a digest, the minute of a mail about
    approvals, the newest notification of one about the account.
    """

    not_governed = "a mail on its way: it reports and decides nothing"
    DAY, DIGEST, APPROVALS, CHECKPOINT, ACCOUNT = "day", "digest", "approvals", "checkpoint", "account"
    KINDS = {
        DAY: "The day's mail",
        DIGEST: "Weekly digest",
        APPROVALS: "Approvals asked for",
        CHECKPOINT: "Checkpoint of a decision",
        ACCOUNT: "About the account",
    }

    kind = models.CharField(max_length=20, choices=KINDS.items(), default=DAY)
    about = models.CharField(max_length=40, blank=True, default="")
    person = models.ForeignKey(User, models.CASCADE, related_name="deliveries")
    day = models.DateField()

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-day"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "kind", "about", "day"], name="one_mail_per_person_kind_matter_and_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display().lower()} to {self.person} of {self.day}"


class Telling(models.Model):
    """What one person chose; who chose nothing has no row and the first choice of each."""

    not_governed = "how somebody wants to be told: it decides nothing"
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
    """The one secret address of a person's calendar. Only its hash is kept; it is revoked with the account."""

    not_governed = "a key to read one's own days; making and ending it are entries"

    person = models.OneToOneField(User, models.CASCADE, related_name="calendar_feed")
    hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    hour_from = models.DateTimeField(null=True, blank=True)
    hour_reads = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"calendar of {self.person}"
