"""Rows of post-mortems: what happened, its effect, its cause's layer, lessons.

Sources: S1-17.2, S1-18.1, S1-18.2, S1-19 and docs/domain.md, invariants 14 and 15.
"""

from django.db import models
from django.db.models import Q

from governance.database.row_history import governed
from governance.models import User
from governance.models.constraints import by_whom_and_when
from governance.vocabulary import Layer
from initiatives.models import Gap, Initiative, Obligation

FAILURE, SUCCESS = "failure", "success"
SIDES = {FAILURE: "Failure", SUCCESS: "Success"}
ASSUMED, FOUND = "assumed", "found"
SAID = {ASSUMED: "Assumed cause at first", FOUND: "Actual cause"}
VOICES = {
    "management": "Management",
    "team": "The team itself",
    "users": "The users",
    "vendor": "The vendor",
    "press": "Press or public",
    "board": "The board",
}
# What a lesson is about across layers: short, so that two teams that met the same thing choose the same word.
PATTERNS = {
    "data_access": "Access to data",
    "definitions": "Definitions that differ",
    "identity": "Sign-on and permissions",
    "sources": "Sources outdated or without an owner",
    "workflow": "Work differs from what was assumed",
    "fallback": "Fallback missing or never tested",
    "ownership": "No owner",
    "evaluation": "Tested on other data or tasks than the real ones",
    "oversight": "People could not check or overrule the system",
    "rollout": "Rolled out too fast or too widely",
    "monitoring": "Not noticed in time",
    "vendor_change": "The vendor changed something",
    "residency": "Data sent to a place where they must not be",
    "cost": "Time or money miscalculated",
}


class PostMortem(models.Model):
    """The account that completes one obligation: a draft, in review, or published.

    The adoption seat publishes it by its confirmation. One that is due and not begun is its `Obligation` alone.
    `version` counts the saves, so that no one hands in or confirms other words than those on their screen.
    """

    DRAFT, IN_REVIEW, PUBLISHED = "draft", "review", "published"
    STATES = {DRAFT: "Draft", IN_REVIEW: "In review", PUBLISHED: "Published"}
    TEXTS = (
        "expected",
        "timeline",
        "impact",
        "detected",
        "made_easy",
        "went_well",
        "lucky",
        "no_lesson_because",
        "no_gaps_because",
    )

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="post_mortems")
    obligation = models.OneToOneField(Obligation, models.PROTECT, related_name="post_mortem")
    state = models.CharField(max_length=10, choices=STATES.items(), default=DRAFT)
    expected = models.TextField(blank=True, default="")
    timeline = models.TextField(blank=True, default="")
    impact = models.TextField(blank=True, default="")
    detected = models.TextField(blank=True, default="")
    made_easy = models.TextField(blank=True, default="")
    went_well = models.TextField(blank=True, default="")
    lucky = models.TextField(blank=True, default="")
    no_lesson_because = models.TextField(blank=True, default="")
    no_gaps_because = models.TextField(blank=True, default="")
    author = models.ForeignKey(User, models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1)
    # The columns keep the names they were recorded under: an audit log is compared with its rows column by column.
    handed_in_at = models.DateTimeField(null=True, blank=True, db_column="published_at")
    handed_in_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", db_column="published_by_id"
    )
    published_at = models.DateTimeField(null=True, blank=True, db_column="confirmed_at")
    published_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", db_column="confirmed_by_id"
    )

    history = governed()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="handed_in_means_who_and_when",
                condition=Q(state="draft", handed_in_at__isnull=True, handed_in_by__isnull=True)
                | ~Q(state="draft") & Q(handed_in_at__isnull=False, handed_in_by__isnull=False),
            ),
            models.CheckConstraint(
                name="published_means_confirmed_by_whom_and_when",
                condition=~Q(state="published") & Q(published_at__isnull=True, published_by__isnull=True)
                | Q(state="published", published_at__isnull=False, published_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"post-mortem of {self.initiative_id}"

    @property
    def looks_back(self) -> bool:
        """Return True if it is the retrospective after go-live. Its pages have other prompts."""
        return self.obligation.kind == "retrospective"


class KeptQuerySet(models.QuerySet):
    """Rows of a post-mortem that were not taken out."""

    def current(self):
        """Return the rows that were not taken out."""
        return self.filter(removed_at__isnull=True)


class Attribution(models.Model):
    """The layer of a cause or a success, found with grounds, or assumed at first.

    An assumed success is called credited. `by_whom` assumed it. `place` is 1 for the main layer: an order, because
    shares of a cause would be invented (S1-19).
    """

    post_mortem = models.ForeignKey(PostMortem, models.PROTECT, related_name="attributions")
    side = models.CharField(max_length=10, choices=SIDES.items())
    said = models.CharField(max_length=10, choices=SAID.items())
    layer = models.CharField(max_length=20, choices=Layer.choices)
    by_whom = models.CharField(max_length=20, choices=VOICES.items(), blank=True, default="")
    place = models.PositiveSmallIntegerField(default=1)
    grounds = models.TextField(blank=True, default="")
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = KeptQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["post_mortem", "side", "said", "place", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["post_mortem", "side", "layer", "by_whom"],
                condition=Q(removed_at__isnull=True, said="assumed"),
                name="each_voice_assumes_a_layer_once",
            ),
            models.UniqueConstraint(
                fields=["post_mortem", "side", "layer"],
                condition=Q(removed_at__isnull=True, said="found"),
                name="a_layer_is_found_once",
            ),
            models.CheckConstraint(
                name="a_voice_is_named_for_an_assumed_cause", condition=Q(by_whom="") | Q(said="assumed")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_side_display()}: {self.get_layer_display()}"


class Lesson(models.Model):
    """A lesson for the next team, in one layer, with what to do instead.

    It comes from a post-mortem, or from outside with its `source`. One from outside counts after its confirmation.
    `systems` are keys of the register, `tags` and `vendors` are words. `repeats` is the lesson that was known when it
    happened again.
    """

    post_mortem = models.ForeignKey(PostMortem, models.PROTECT, null=True, blank=True, related_name="lessons")
    text = models.TextField()
    instead = models.TextField(blank=True, default="")
    layer = models.CharField(max_length=20, choices=Layer.choices)
    pattern = models.CharField(max_length=20, choices=PATTERNS.items(), blank=True, default="")
    tags = models.JSONField(default=list, blank=True)
    systems = models.JSONField(default=list, blank=True)
    vendors = models.JSONField(default=list, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    source = models.TextField(blank=True, default="")
    source_link = models.URLField(max_length=500, blank=True, default="")
    entered_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    entered_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    repeats = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="came_again")

    objects = KeptQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["post_mortem", "id"]
        constraints = [
            models.CheckConstraint(
                name="a_lesson_says_where_it_comes_from",
                condition=Q(
                    post_mortem__isnull=False,
                    source="",
                    entered_by__isnull=True,
                    entered_at__isnull=True,
                    confirmed_at__isnull=True,
                )
                | Q(post_mortem__isnull=True, entered_by__isnull=False, entered_at__isnull=False)
                & ~Q(source=""),
            ),
            models.CheckConstraint(
                name="a_lesson_from_outside_is_confirmed_by_another",
                condition=Q(confirmed_at__isnull=True, confirmed_by__isnull=True)
                | Q(confirmed_at__isnull=False, confirmed_by__isnull=False)
                & ~Q(confirmed_by=models.F("entered_by")),
            ),
            models.CheckConstraint(
                name="no_lesson_repeats_itself",
                condition=Q(repeats__isnull=True) | ~Q(repeats=models.F("id")),
            ),
        ]

    def __str__(self) -> str:
        return self.text[:80]


class LinkedGap(models.Model):
    """A gap of the initiative that was opened from its post-mortem."""

    post_mortem = models.ForeignKey(PostMortem, models.PROTECT, related_name="linked_gaps")
    gap = models.OneToOneField(Gap, models.PROTECT, related_name="opened_in")

    history = governed()

    class Meta:
        ordering = ["post_mortem", "id"]

    def __str__(self) -> str:
        return f"gap {self.gap_id} of {self.post_mortem_id}"


class SectionComment(models.Model):
    """A reader's comment on one section of a post-mortem in review. `section` "" means all of it."""

    post_mortem = models.ForeignKey(PostMortem, models.PROTECT, related_name="comments")
    section = models.CharField(max_length=30, blank=True, default="")
    text = models.TextField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    history = governed()

    class Meta:
        ordering = ["post_mortem", "id"]
        constraints = [by_whom_and_when("resolved", name="a_comment_is_resolved_by_whom")]

    def __str__(self) -> str:
        return self.text[:80]


class Attachment(models.Model):
    """A file of a post-mortem. It has the policy of evidence and a hash in the audit log, but is not evidence."""

    post_mortem = models.ForeignKey(PostMortem, models.PROTECT, related_name="attachments")
    title = models.CharField(max_length=200)
    file = models.FileField(max_length=200)
    file_name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    removed_reason = models.TextField(blank=True, default="")

    objects = KeptQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["post_mortem", "id"]
        constraints = [
            models.CheckConstraint(name="an_attachment_has_its_hash", condition=~Q(sha256="") & ~Q(file="")),
            by_whom_and_when(
                "removed", name="an_attachment_is_taken_out_by_whom_and_why", reason="removed_reason"
            ),
        ]

    def __str__(self) -> str:
        return self.title
