"""Meetings of a board: a day, an agenda, who came, minutes point by point, and the packs that were handed out."""

from django.db import models
from django.db.models import Q

from governance.database.row_history import WrittenOnce, governed
from governance.models import Board, User
from initiatives.models import Initiative, Review


class MeetingQuerySet(models.QuerySet):
    def ahead(self, day):
        """Meetings that are planned for this day or a later one."""
        return self.filter(state=Meeting.PLANNED, held_on__gte=day)


class Meeting(models.Model):
    """One meeting of one board: planned, held from a moment on, closed with its minutes; or called off."""

    PLANNED, HELD, CLOSED, CALLED_OFF = "planned", "held", "closed", "called_off"
    STATES = {PLANNED: "Planned", HELD: "Under way", CLOSED: "Closed", CALLED_OFF: "Called off"}

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
        """The page of the meeting."""
        return f"/meetings/{self.pk}/"

    @property
    def open(self) -> bool:
        """Whether its agenda, attendance and minutes can still change."""
        return self.state in (self.PLANNED, self.HELD)


class AgendaPoint(models.Model):
    """What was said about the agenda: a point put on it, left out of it or moved; all of them once the meeting begins.

    An open review of the board's initiatives is on the agenda by itself; a row stands here as soon as somebody says
    more, or when the meeting begins. `place` orders what was moved; the rest follows, what can be decided first.
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
        """What names it in an address."""
        return f"p{self.pk}"


class Attendance(models.Model):
    """That somebody was at the meeting, or sent word that they would not be."""

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
    """What was said at one point of the agenda, or at the meeting as a whole: a version, written once."""

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
    """That a pack was made: the hash of its bytes, over which checkpoint, with which digest of each initiative's
    record.

    The bytes are not kept here; whoever has the file can show by the hash that it is this one.
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
