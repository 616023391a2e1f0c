"""Rows of processes, sign-on flows, drills, traces to sources, and effort.

Sources: S0-22, S0-24, S1-4, S1-5, S1-8.2, S1-26, S1-27.
"""

from django.db import models
from django.db.models import Q

from governance.database.row_history import WrittenOnce, governed
from governance.models import User
from governance.vocabulary import EvidenceResult, Layer
from initiatives.models.evidence import Evidence
from initiatives.models.initiative import Initiative
from initiatives.models.integration.systems import Link, System
from initiatives.models.notes import Note

DOCUMENTED, PARTIAL, IN_HEAD = "documented", "partial", "in_head"
PROCESS_STATES = {
    DOCUMENTED: "Documented",
    PARTIAL: "Partly documented",
    IN_HEAD: "In someone's head",
}
DRILL_KINDS = {
    "fallback": "Fallback",
    "escalation": "Escalation",
    "override": "Override",
    "rollback": "Rollback",
    "retrieval": "Retrieval",
}
FAULTS = {
    "timeout": "No answer in time",
    "error": "Answers with errors",
    "stale": "Answers with old data",
    "malformed": "Answers with malformed data",
    "gone": "Cannot be reached",
    "person": "A person is absent",
    "wrong_output": "A wrong output",
    "none": "No fault planted",
}


class ProcessRecord(Note):
    """A process that an initiative touches, now and as planned, and who knows it.

    Steps are rows of {who, what}. A `redesign_cost` of None means not budgeted. A new record replaces the earlier one.
    Its holder left at `reopened_at`, and no one present has confirmed it since.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="processes")
    name = models.CharField(max_length=160)
    status = models.CharField(max_length=12, choices=PROCESS_STATES.items())
    holder = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="processes_in_head")
    holder_words = models.CharField(max_length=160, blank=True, default="")
    as_is = models.JSONField(default=list, blank=True)
    to_be = models.JSONField(default=list, blank=True)
    redesign_cost = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    budget_holder = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    reopened_at = models.DateTimeField(null=True, blank=True)
    replaces = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="replaced_by")

    history = governed()

    class Meta(Note.Meta):
        ordering = ["initiative", "name", "-id"]
        constraints = [
            *Note.Meta.constraints,
            models.CheckConstraint(
                name="a_redesign_cost_has_its_currency",
                condition=Q(redesign_cost__isnull=True, currency="")
                | Q(redesign_cost__isnull=False, redesign_cost__gte=0) & ~Q(currency=""),
            ),
            models.CheckConstraint(
                name="what_is_in_a_head_names_whose",
                condition=Q(status=DOCUMENTED) | Q(holder__isnull=False) | ~Q(holder_words=""),
            ),
            models.CheckConstraint(
                name="what_is_reopened_is_in_a_head",
                condition=Q(reopened_at__isnull=True) | Q(status=IN_HEAD, holder__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def held_by(self) -> str:
        """Return the person who knows the process, by name or in words."""
        return self.holder.full_name if self.holder_id else self.holder_words


class SignOnFlow(Note):
    """The sign-on of the initiative's system, step by step, and who can explain it.

    An initiative has one current record.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="sign_on_flows")
    steps = models.JSONField(default=list, blank=True)
    explainer = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="flows_explained")
    diagram = models.ForeignKey(Evidence, models.PROTECT, null=True, blank=True, related_name="+")
    reviewed_on = models.DateField()
    replaces = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="replaced_by")

    history = governed()

    class Meta(Note.Meta):
        ordering = ["initiative", "-id"]

    def __str__(self) -> str:
        return f"sign-on of {self.initiative_id}"


class Drill(Note):
    """A fault planted on purpose: the expectation, the result, and the next due day."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="drills")
    link = models.ForeignKey(Link, models.PROTECT, null=True, blank=True, related_name="drills")
    kind = models.CharField(max_length=20, choices=DRILL_KINDS.items())
    fault = models.CharField(max_length=20, choices=FAULTS.items())
    expected = models.TextField()
    happened = models.TextField()
    result = models.CharField(max_length=10, choices=EvidenceResult.choices)
    observed_on = models.DateField()
    next_due = models.DateField(null=True, blank=True)
    evidence = models.OneToOneField(Evidence, models.PROTECT, null=True, blank=True, related_name="drill")

    history = governed()

    class Meta(Note.Meta):
        ordering = ["initiative", "-observed_on", "-id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} drill of {self.observed_on}"


class TraceSample(WrittenOnce):
    """A sample of outputs with their sources, checked against the register (S0-22).

    The field `lines` has rows of {output, cites: [{said, system, governed}]}. The 95 % interval of the hit rate is from
    `low` to `high`.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="trace_samples")
    title = models.CharField(max_length=160)
    taken_on = models.DateField()
    outputs = models.PositiveIntegerField()
    hits = models.PositiveIntegerField()
    low = models.FloatField()
    high = models.FloatField()
    ungoverned = models.JSONField(default=list)
    lines = models.JSONField(default=list)
    sha256 = models.CharField(max_length=64)
    evidence = models.ForeignKey(Evidence, models.PROTECT, null=True, related_name="trace_samples")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = [
            models.CheckConstraint(
                name="no_more_hits_than_outputs", condition=Q(hits__lte=models.F("outputs"), outputs__gt=0)
            )
        ]

    def __str__(self) -> str:
        return self.title


class Effort(Note):
    """Hours, money and waiting of a week in one layer (S1-8.2). `week` is its Monday.

    The effort waited for `waits_for_*`. The line of an import has the key `source_key`, and enters once. `worked_on`
    and `worked_by` are the day and the person of that line.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="efforts")
    layer = models.CharField(max_length=20, choices=Layer.choices)
    week = models.DateField()
    hours = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    money = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    waited_days = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    waits_for = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    waits_for_system = models.ForeignKey(System, models.PROTECT, null=True, blank=True, related_name="+")
    waits_for_words = models.CharField(max_length=160, blank=True, default="")
    words = models.CharField(max_length=250, blank=True, default="")
    source_key = models.CharField(max_length=160, blank=True, default="")
    worked_on = models.DateField(null=True, blank=True)
    worked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    history = governed()

    class Meta(Note.Meta):
        ordering = ["initiative", "-week", "layer", "id"]
        constraints = [
            *Note.Meta.constraints,
            models.CheckConstraint(
                name="an_effort_says_how_much",
                condition=Q(hours__gt=0) | Q(money__gt=0) | Q(waited_days__gt=0),
            ),
            models.CheckConstraint(
                name="money_spent_has_its_currency",
                condition=Q(money__isnull=True, currency="") | Q(money__isnull=False) & ~Q(currency=""),
            ),
            models.UniqueConstraint(
                fields=["initiative", "source_key"],
                condition=~Q(source_key=""),
                name="one_effort_per_imported_line",
            ),
        ]
        indexes = [models.Index(fields=["week"], name="efforts_by_week")]

    def __str__(self) -> str:
        return f"{self.get_layer_display()}, week of {self.week}"

    @property
    def awaited(self) -> str:
        """Return the person or thing that the effort waited for, in words."""
        if self.waits_for is not None:
            return self.waits_for.full_name
        return self.waits_for_system.name if self.waits_for_system is not None else self.waits_for_words
