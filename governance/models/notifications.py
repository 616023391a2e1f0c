"""Rows of notifications, mails and events. They report and decide nothing, so only receivers of events are governed."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy

from governance.database.row_history import governed
from governance.models.people import Unit, User


class NotificationQuerySet(models.QuerySet):
    def unread(self):
        """Notifications the person has not opened."""
        return self.filter(read_at__isnull=True)

    def unsent(self):
        """Notifications that no mail has carried yet."""
        return self.filter(delivery__isnull=True)


class Notification(models.Model):
    """One message to one person: unique per person, kind, object and period, however often it is found due."""

    not_governed = "a message about a due task, which no rule uses"

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
    """A task that stays out of a person's inbox until a day. `line` is `inbox.InboxTask.key`."""

    not_governed = "the order of tasks that a person chose, which no rule uses"

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
    # The address of the person that the mail server refused for good at the last attempt.
    refused_address = models.CharField(max_length=254, blank=True, default="")

    class Meta:
        abstract = True


class Delivery(Outgoing):
    """The one mail of a person, kind, matter and day.

    `about` names the matter where a kind has several: the code of the unit of a digest, the minute of a mail about
    approvals, the newest notification of one about the account.
    """

    not_governed = "an email that is not sent yet, which no rule uses"
    DAY, DIGEST, APPROVALS, CHECKPOINT, ACCOUNT = "day", "digest", "approvals", "checkpoint", "account"
    KINDS = {
        DAY: "Email of the day",
        DIGEST: "Weekly digest",
        APPROVALS: "Approval requests",
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
        indexes = [
            models.Index(fields=["person"], name="deliveries_refused", condition=~Q(refused_address=""))
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display().lower()} to {self.person} of {self.day}"


class Preferences(models.Model):
    """The digests and the language that a person chose. A person without a row has the first choice of each."""

    not_governed = "the preferences of a person for notifications and pages, which no rule uses"
    MINE, UNIT, NEVER = "mine", "unit", "never"
    DIGESTS = {
        MINE: gettext_lazy("Every week, for the units where I hold a role or a seat"),
        UNIT: gettext_lazy("Every week, for these units and for my own unit"),
        NEVER: gettext_lazy("Never"),
    }

    person = models.OneToOneField(User, models.CASCADE, related_name="preferences")
    digest = models.CharField(max_length=10, choices=DIGESTS.items(), default=MINE)
    # Empty: the language of the installation.
    language = models.CharField(max_length=10, blank=True, default="")

    def __str__(self) -> str:
        return f"preferences of {self.person}: {self.digest}, {self.language or 'default language'}"


class CalendarFeed(models.Model):
    """The one secret address of a person's calendar. Only its hash is kept. It is revoked with the account."""

    not_governed = "a key to the due dates of a person, and the audit log records its creation and its end"

    person = models.OneToOneField(User, models.CASCADE, related_name="calendar_feed")
    hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    hour_from = models.DateTimeField(null=True, blank=True)
    hour_reads = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"calendar of {self.person}"


class EventReceiver(models.Model):
    """A system or a channel that gets events (`governance.events`), until it is ended.

    `address_box` and `key_box` are its address and the key that signs, encrypted under the secret key of the
    installation. `host` is the part of the address that is shown. Without unit and initiative it gets the events of
    all initiatives.
    """

    hidden_from_auditors = ("address_box", "key_box")

    class Kind(models.TextChoices):
        HMAC = "hmac", gettext_lazy("Webhook, signed with a shared secret (v1)")
        ED25519 = "ed25519", gettext_lazy("Webhook, signed with a key of this installation (v1a)")
        TEAMS = "teams", gettext_lazy("Microsoft Teams (Workflows)")
        SLACK = "slack", gettext_lazy("Slack (incoming webhook)")

    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    owner = models.ForeignKey(User, models.PROTECT, related_name="+")
    host = models.CharField(max_length=260)
    address_box = models.BinaryField(editable=False)
    key_box = models.BinaryField(null=True, blank=True, editable=False)
    public_key = models.CharField(max_length=60, blank=True, default="")
    event_types = models.JSONField(default=list)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="+")
    initiative_ref = models.CharField(max_length=20, blank=True, default="")
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    ended_reason = models.TextField(blank=True, default="")

    history = governed(excluded_fields=["address_box", "key_box"])

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"), condition=Q(ended_at__isnull=True), name="receivers_differ_in_name"
            ),
            models.CheckConstraint(
                name="receiver_of_a_unit_or_an_initiative",
                condition=Q(unit__isnull=True) | Q(initiative_ref=""),
            ),
            models.CheckConstraint(
                name="ended_receiver_has_a_reason",
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, ended_reason="")
                | (Q(ended_at__isnull=False) & ~Q(ended_reason="")),
            ),
            models.CheckConstraint(
                name="receiver_of_webhooks_has_a_key",
                condition=Q(kind__in=["hmac", "ed25519"], key_box__isnull=False)
                | Q(kind__in=["teams", "slack"], key_box__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_chat(self) -> bool:
        """Return True if people read its messages. A test message has no signature and no id."""
        return self.kind in (self.Kind.TEAMS, self.Kind.SLACK)


class AuditLogReader(models.Model):
    """The next place to read in the tree of the audit log for one purpose, and since when sending fails.

    Entries up to `after_entry` are passed over: they were written before the receiver was added, and sealed later.
    """

    not_governed = "how far a copy of the audit log has come, which no rule uses"

    name = models.CharField(max_length=40, unique=True)
    receiver = models.OneToOneField(
        EventReceiver, models.CASCADE, null=True, blank=True, related_name="reader"
    )
    position = models.BigIntegerField()
    after_entry = models.BigIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return f"{self.name} at {self.position}"


class EventDelivery(models.Model):
    """One event on its way to one receiver. It holds no text of the event, which is made anew at each attempt."""

    not_governed = "an event that is sent or waits, which no rule uses"

    receiver = models.ForeignKey(EventReceiver, models.PROTECT, related_name="deliveries")
    message_id = models.CharField(max_length=40)
    event_type = models.CharField(max_length=40)
    entry_id = models.BigIntegerField(null=True)
    initiative_ref = models.CharField(max_length=20, blank=True, default="")
    act = models.CharField(max_length=60)
    due_on = models.DateField(null=True, blank=True)
    happened_at = models.DateTimeField()
    made_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.CharField(max_length=500, blank=True, default="")
    last_error = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        verbose_name_plural = "event deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["receiver", "message_id"], name="one_delivery_per_receiver_and_event"
            )
        ]
        indexes = [
            models.Index(
                fields=["receiver", "initiative_ref", "id"],
                condition=Q(sent_at__isnull=True, given_up_at__isnull=True),
                name="events_waiting",
            ),
            models.Index(fields=["receiver", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.message_id}"
