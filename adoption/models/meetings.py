"""Meetings of a board: day, agenda, attendance, minutes by point, packs."""

from django.db import models
from django.db.models import Q

from governance.database.row_history import WrittenOnce, governed
from governance.models import Board, User
from initiatives.models import Initiative, Review


class MeetingQuerySet(models.QuerySet):
    def ahead(self, day):
        """Return meetings that are planned for this day or a later one."""
        return self.filter(state=Meeting.PLANNED, held_on__gte=day)


class Meeting(models.Model):
    """One meeting of one board. It is planned, held and closed with its minutes, or called off."""

    PLANNED, HELD, CLOSED, CALLED_OFF = "planned", "held", "closed", "called_off"
    STATES = {PLANNED: "Planned", HELD: "In progress", CLOSED: "Closed", CALLED_OFF: "Cancelled"}

    board = models.ForeignKey(Board, models.PROTECT, related_name="meetings")
    held_on = models.DateField()
    place = models.CharField(max_length=200, blank=True, default="")
    state = models.CharField(max_length=10, choices=STATES.items(), default=PLANNED)
    secretary = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    planned_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    planned_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True, blank=True)
    begun_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.TextField(blank=True, default="")

    objects = MeetingQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["-held_on", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["board", "held_on"],
                condition=~Q(state="called_off"),
                name="a_board_meets_once_a_day",
            ),
            models.CheckConstraint(
                name="meeting_states_have_who_and_when",
                condition=Q(state="planned", begun_at__isnull=True, ended_at__isnull=True)
                | Q(state="held", begun_at__isnull=False, begun_by__isnull=False, ended_at__isnull=True)
                | Q(
                    state="closed",
                    begun_at__isnull=False,
                    begun_by__isnull=False,
                    ended_at__isnull=False,
                    ended_by__isnull=False,
                )
                | Q(state="called_off", begun_at__isnull=True, ended_at__isnull=False, ended_by__isnull=False)
                & ~Q(reason=""),
            ),
        ]
        indexes = [models.Index(fields=["held_on"], condition=Q(state="planned"), name="meetings_ahead")]

    def __str__(self) -> str:
        return f"{self.board}, {self.held_on:%-d %B %Y}"

    def get_absolute_url(self) -> str:
        """Return the address of the meeting's page."""
        return f"/meetings/{self.pk}/"

    @property
    def open(self) -> bool:
        """Return True if its agenda, attendance and minutes can still change."""
        return self.state in (self.PLANNED, self.HELD)


class AgendaPoint(models.Model):
    """An agenda point that was added, moved or left out, or that is in a begun meeting.

    An open review of the board's initiatives is on the agenda automatically. Its row exists after an edit, or from the
    beginning of the meeting. `place` orders moved points. The others follow, the decidable ones first.
    """

    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="points")
    review = models.ForeignKey(Review, models.PROTECT, null=True, blank=True, related_name="agenda_points")
    initiative = models.ForeignKey(Initiative, models.PROTECT, null=True, blank=True, related_name="+")
    words = models.CharField(max_length=200, blank=True, default="")
    place = models.PositiveIntegerField(null=True, blank=True)
    reason = models.TextField(blank=True, default="")
    left_out = models.BooleanField(default=False)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    history = governed()

    class Meta:
        ordering = ["meeting", "place", "id"]
        constraints = [
            models.UniqueConstraint(fields=["meeting", "review"], name="a_review_is_one_point"),
            models.CheckConstraint(
                name="a_point_is_a_review_or_words",
                condition=Q(review__isnull=False, initiative__isnull=False, words="")
                | Q(review__isnull=True) & ~Q(words=""),
            ),
            models.CheckConstraint(
                name="left_out_with_a_reason", condition=Q(left_out=False) | ~Q(reason="")
            ),
        ]

    def __str__(self) -> str:
        return self.words or f"review {self.review_id}"

    @property
    def key(self) -> str:
        """Return the key of the point in addresses."""
        return f"p{self.pk}"


class Attendance(models.Model):
    """The attendance of a person asked to the meeting: present or not."""

    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="attendance")
    person = models.ForeignKey(User, models.PROTECT, related_name="+")
    present = models.BooleanField()

    history = governed()

    class Meta:
        verbose_name_plural = "attendance"
        ordering = ["meeting", "person"]
        constraints = [
            models.UniqueConstraint(fields=["meeting", "person"], name="attended_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {'was there' if self.present else 'was not there'}"


class Minutes(WrittenOnce):
    """The minutes of one point, or of the meeting as a whole: a version, written once."""

    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="minutes")
    point = models.ForeignKey(AgendaPoint, models.PROTECT, null=True, blank=True, related_name="minutes")
    version = models.PositiveIntegerField()
    text = models.TextField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "minutes"
        ordering = ["meeting", "point", "version"]
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "point", "version"], nulls_distinct=False, name="minutes_have_one_version"
            )
        ]

    def __str__(self) -> str:
        return self.text[:80]


class Pack(WrittenOnce):
    """A pack: the hash of its bytes, its checkpoint, and a digest per initiative.

    The bytes are not kept here. The hash proves that a file is this pack.
    """

    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="packs")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    audit_log_size = models.BigIntegerField(null=True)
    initiatives = models.JSONField(default=list)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["meeting", "-id"]

    def __str__(self) -> str:
        return self.sha256[:12]
