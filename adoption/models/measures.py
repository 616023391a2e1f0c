"""Measures of adoption and value, their goals, and the measurements.

Sources: S0-3, S0-25 to S0-29, S1-17.1, S1-32.
"""

from django.db import models
from django.db.models import F, Q

from adoption.models.instruments import CHOICES, DOWN, INSTRUMENTS, POPULATIONS, UP, USERS, Instrument
from governance.database.row_history import TransactionId, WrittenOnce, governed
from governance.models import ServiceKey, User
from governance.models.constraints import by_whom_and_when
from initiatives.models import Initiative

BETTER = {UP: "More is better", DOWN: "Less is better"}
TYPED, IMPORTED, SENT, SURVEY = "typed", "imported", "sent", "survey"
FROM_OUTSIDE = (SENT, SURVEY)  # figures that no one of the team wrote
CAME = {TYPED: "Typed", IMPORTED: "Imported", SENT: "Sent by a system", SURVEY: "Result of a survey"}


class MeasureQuerySet(models.QuerySet):
    def current(self):
        """Return measures that have not ended."""
        return self.filter(ended_at__isnull=True)


class Measure(models.Model):
    """A measure of adoption or value, declared before its first measurement.

    Its `goals` have baseline and target. `population` names the people it is about, in words. Each of its `teams` needs
    separate measurements. A measure of value is compared with its `counterfactual`.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="measures")
    instrument = models.CharField(max_length=30, choices=CHOICES)
    words = models.CharField(max_length=200)
    population = models.CharField(max_length=200)
    teams = models.JSONField(default=list, blank=True)
    unit = models.CharField(max_length=40, blank=True, default="")
    better = models.CharField(max_length=4, choices=BETTER.items())
    source = models.CharField(max_length=200)
    requirement = models.CharField(max_length=60, blank=True, default="")
    counterfactual = models.TextField(blank=True, default="")
    once = models.UUIDField(null=True, unique=True, editable=False)
    declared_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    declared_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    ended_reason = models.TextField(blank=True, default="")

    objects = MeasureQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "instrument"],
                condition=Q(ended_at__isnull=True) & ~Q(requirement=""),
                name="one_current_measure_per_instrument",
            ),
            by_whom_and_when("ended", name="a_measure_ended_says_who_and_why", reason="ended_reason"),
            models.CheckConstraint(
                name="value_is_compared_with_something",
                condition=~Q(requirement="") | ~Q(counterfactual=""),
            ),
        ]

    def __str__(self) -> str:
        return self.words

    @property
    def how(self) -> Instrument:
        """Return the instrument of the measure."""
        return INSTRUMENTS[self.instrument]


class Goal(WrittenOnce):
    """Baseline, target and number of intended people of a measure, from a moment on.

    The first goal is its declaration. Targets and baselines are shares between 0 and 1 for instruments with shares,
    else in the measure's unit. A further goal has a reason. Older goals are kept, because measurements of their time
    are judged by them. `bound` is the share from which acceptance counts as blind, or down to which overrides do. The
    instrument's is the default.
    """

    measure = models.ForeignKey(Measure, models.PROTECT, related_name="goals")
    number = models.PositiveIntegerField()
    target = models.FloatField()
    baseline = models.FloatField(null=True, blank=True)
    baseline_n = models.PositiveIntegerField(null=True, blank=True)
    intended = models.PositiveIntegerField()
    bound = models.FloatField(null=True, blank=True)
    reason = models.TextField(blank=True, default="")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["measure", "number"]
        constraints = [
            models.UniqueConstraint(fields=["measure", "number"], name="goals_are_numbered"),
            models.CheckConstraint(
                name="a_goal_that_moves_says_why", condition=Q(number=1) | ~Q(number=1) & ~Q(reason="")
            ),
        ]

    def __str__(self) -> str:
        return f"goal {self.number}: {self.target}"


class Measurement(models.Model):
    """One figure of a measure over a period, for one team or all.

    It is so many of `n`, or a mean over `n` with its spread. `key` is the sender's name for it: a repeated key is kept
    once. A correction is a further row that `replaces` the wrong one. With `n` zero it takes the wrong one back.
    `about` is the population. `others` states that nobody and nothing in it was measured before.
    """

    inserted_only = True
    not_governed = "written once and never changed. The audit log has a digest of each measurement"

    xact = models.BigIntegerField(db_default=TransactionId(), editable=False)
    measure = models.ForeignKey(Measure, models.PROTECT, related_name="measurements")
    key = models.CharField(max_length=120)
    starts_on = models.DateField()
    ends_on = models.DateField()
    team = models.CharField(max_length=120, blank=True, default="")
    about = models.CharField(max_length=20, choices=POPULATIONS.items(), default=USERS)
    hits = models.PositiveBigIntegerField(null=True, blank=True)
    value = models.FloatField(null=True, blank=True)
    sd = models.FloatField(null=True, blank=True)
    n = models.PositiveBigIntegerField()
    others = models.BooleanField(default=False)
    came = models.CharField(max_length=10, choices=CAME.items())
    source = models.CharField(max_length=200, blank=True, default="")
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    service_key = models.ForeignKey(ServiceKey, models.PROTECT, null=True, blank=True, related_name="+")
    replaces = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="replaced_by")
    reason = models.CharField(max_length=250, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        ordering = ["measure", "ends_on", "id"]
        constraints = [
            models.UniqueConstraint(fields=["measure", "key"], name="one_measurement_per_key"),
            models.CheckConstraint(name="a_period_has_its_days", condition=Q(starts_on__lte=F("ends_on"))),
            models.CheckConstraint(
                name="a_measurement_is_a_share_or_a_mean",
                condition=Q(hits__isnull=False, value__isnull=True, sd__isnull=True, hits__lte=F("n"))
                | Q(hits__isnull=True, value__isnull=False, sd__isnull=False, sd__gte=0),
            ),
            models.CheckConstraint(
                name="nothing_read_only_to_withdraw", condition=Q(n__gt=0) | Q(replaces__isnull=False)
            ),
            models.CheckConstraint(
                name="a_measurement_comes_from_somebody",
                condition=Q(came=SENT, by__isnull=True, service_key__isnull=False)
                | ~Q(came=SENT) & Q(by__isnull=False, service_key__isnull=True),
            ),
            models.CheckConstraint(
                name="a_measurement_replaces_another",
                condition=Q(replaces__isnull=True) | ~Q(replaces=F("id")),
            ),
        ]
        indexes = [
            models.Index(fields=["measure", "team", "ends_on"], name="measurements_by_team_and_day"),
            models.Index(
                fields=["measure", "ends_on"],
                condition=~Q(came__in=FROM_OUTSIDE),
                name="measurements_from_the_team",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_on} to {self.ends_on}, n {self.n}"


class Tally(models.Model):
    """The sum of a measure's current measurements of a day, for a team and population.

    The day is the end of their periods. `total` is the sum of all single values (n times the mean), `squares` the sum
    of their squares: means and spreads of any number of days follow from these. `heard_at` is the arrival of the
    newest. Charts and verdicts read tallies, except those of measures that count people: a sum would count a person
    who is measured twice as two.
    """

    not_governed = "computed from the recorded measurements, and can be computed again"

    measure = models.ForeignKey(Measure, models.PROTECT, related_name="tallies")
    team = models.CharField(max_length=120, blank=True, default="")
    about = models.CharField(max_length=20, default=USERS)
    day = models.DateField()
    since = models.DateField()
    measurements = models.PositiveIntegerField()
    hits = models.PositiveBigIntegerField()
    n = models.PositiveBigIntegerField()
    total = models.FloatField()
    squares = models.FloatField()
    heard_at = models.DateTimeField()

    class Meta:
        ordering = ["measure", "day", "team"]
        constraints = [
            models.UniqueConstraint(fields=["measure", "day", "team", "about"], name="one_tally_per_day")
        ]

    def __str__(self) -> str:
        return f"{self.day}: n {self.n}"
