"""A published version of the rulebook, with its gates, criteria and requirements.

The source text is what was published. The rows are the same text laid out for lists, filters and the admin. Triggers
keep both unchanged once published. Rules read `Rulebook.parsed`, the parsed text.
"""

from collections.abc import Iterator
from functools import lru_cache

from django.db import models
from django.db.models import F, Q

from governance.database import prepared_statements
from governance.database.request_memo import once
from governance.database.row_history import WrittenOnce, governed
from governance.permission_result import Refused
from governance.rulebook import ParsedRulebook, parse
from governance.vocabulary import TakesEffect


@lru_cache(maxsize=16)
def _parsed(digest: str, source: str) -> ParsedRulebook:
    return parse(source)


@lru_cache(maxsize=16)
def _published(pk: int) -> "Rulebook":
    """A published version, read once per process: its rows no longer change, and its text is long."""
    return Rulebook.objects.get(pk=pk)


def _in_order() -> list[int]:
    """The keys of the published versions, newest first, in SQL: every act asks, and making the query costs more."""
    with prepared_statements.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM governance_rulebook WHERE published_at IS NOT NULL ORDER BY published_at DESC, id DESC"
        )
        return [pk for (pk,) in cursor.fetchall()]


class NoRulebook(Refused):
    """Something asked for the rules before there were any."""

    def __init__(self):
        super().__init__(
            "No rulebook is in force yet.",
            "Ask an admin to load and propose a rulebook, and a chair to publish it.",
            "/rulebook/versions/",
        )


class RulebookQuerySet(models.QuerySet):
    def published(self) -> "RulebookQuerySet":
        """Versions that were put in force, newest first."""
        return self.filter(published_at__isnull=False).order_by("-published_at", "-id")

    def in_force(self) -> "Rulebook | None":
        """Return the version in force, or None before the first."""
        return next(self.kept_versions(), None)

    def kept_versions(self) -> Iterator["Rulebook"]:
        """Return the published versions, newest first, each read once per process."""
        return (_published(pk) for pk in once(("published rulebooks",), _in_order))

    def current(self) -> "Rulebook":
        """Return the version in force. Raises NoRulebook, which is a page in words, while none was published yet."""
        rulebook = self.in_force()
        if rulebook is None:
            raise NoRulebook
        return rulebook

    def kept(self, pk: int) -> "Rulebook":
        """Return a published version by its key, read once per process."""
        return _published(pk)


class Rulebook(models.Model):
    """One version: a draft, or published by an admin and a chair together and then immutable."""

    version = models.CharField(max_length=40, unique=True)
    source = models.TextField()
    digest = models.CharField(max_length=64)
    loaded_at = models.DateTimeField()
    loaded_by = models.ForeignKey("governance.User", models.PROTECT, null=True, related_name="+")
    admin = models.ForeignKey("governance.User", models.PROTECT, null=True, blank=True, related_name="+")
    chair = models.ForeignKey("governance.User", models.PROTECT, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)
    takes_effect = models.CharField(
        max_length=20,
        choices=TakesEffect.choices,
        default=TakesEffect.AT_ONCE,
        db_default=TakesEffect.AT_ONCE,
    )
    # The day from which it decides, where it takes effect on a day.
    effective_on = models.DateField(null=True, blank=True)

    objects = RulebookQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="published_means_admin_and_chair_and_when",
                condition=Q(published_at__isnull=True)
                | Q(published_at__isnull=False, admin__isnull=False, chair__isnull=False)
                & ~Q(admin=F("chair")),
            ),
            models.CheckConstraint(
                name="effective_day_where_on_a_day",
                condition=Q(takes_effect=TakesEffect.ON_A_DAY, effective_on__isnull=False)
                | (~Q(takes_effect=TakesEffect.ON_A_DAY) & Q(effective_on__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"Rulebook {self.version}"

    @property
    def parsed(self) -> ParsedRulebook:
        """Return the rules of this version, parsed once per process."""
        return _parsed(self.digest, self.source)

    @property
    def proposal_stands(self) -> bool:
        """Return True if an admin proposed its publication and is still an admin."""
        return self.admin is not None and self.admin.is_active and self.admin.is_admin

    @property
    def published(self) -> bool:
        """Return True if this version was ever put in force."""
        return self.published_at is not None


class _Part(models.Model):
    rulebook = models.ForeignKey(Rulebook, models.PROTECT, related_name="%(class)s_rows")
    key = models.CharField(max_length=60)
    position = models.PositiveIntegerField()

    class Meta:
        abstract = True
        ordering = ["rulebook", "position"]
        constraints = [
            models.UniqueConstraint(fields=["rulebook", "key"], name="%(class)s_once_per_rulebook")
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.rulebook.version})"


class Gate(_Part):
    """A gate of one rulebook version."""

    title = models.CharField(max_length=120)
    to_stage = models.CharField(max_length=20)
    quorum = models.PositiveIntegerField()
    must_include = models.JSONField(default=list, blank=True)

    history = governed()


class Criterion(_Part):
    """A criterion that a seat signs at a gate."""

    gate_key = models.CharField(max_length=40)
    seat = models.CharField(max_length=40)
    layer = models.CharField(max_length=40)
    severity = models.CharField(max_length=20)
    waivable = models.BooleanField()
    question = models.TextField()
    crosswalk = models.JSONField(default=dict, blank=True)

    history = governed()

    class Meta(_Part.Meta):
        verbose_name_plural = "criteria"


class Requirement(_Part):
    """A requirement that the owner answers with evidence."""

    stage = models.CharField(max_length=20, blank=True)
    layer = models.CharField(max_length=40)
    severity = models.CharField(max_length=20)
    waivable = models.BooleanField()
    fresh_days = models.PositiveIntegerField()
    question = models.TextField()
    crosswalk = models.JSONField(default=dict, blank=True)

    history = governed()


class SigningRule(WrittenOnce):
    """A published rulebook's rule for the signatures at one gate for one risk tier.

    The row is written at publication and never changed. The guards of the database read this table and know no rulebook
    (docs/adr/0040). `about` is the gate, "contract" or "pipeline". `decided_by` is "chair" or the seat that decides. An
    empty value means that the last signature decides.
    """

    CONTRACT, PIPELINE = "contract", "pipeline"
    BY_CHAIR, BY_LAST = "chair", ""

    rulebook = models.ForeignKey(Rulebook, models.PROTECT, related_name="signing_rules")
    about = models.CharField(max_length=40)
    tier = models.CharField(max_length=10, blank=True, default="")
    seats = models.JSONField()
    must_include = models.JSONField()
    quorum = models.PositiveIntegerField()
    max_age_days = models.PositiveIntegerField(null=True)
    blocking = models.JSONField()
    decided_by = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        ordering = ["rulebook", "about", "tier"]
        constraints = [
            models.UniqueConstraint(
                fields=["rulebook", "about", "tier"], name="one_signing_rule_per_gate_and_tier"
            )
        ]

    def __str__(self) -> str:
        return f"{self.about}, {self.tier or 'no tier'} ({self.rulebook.version})"
