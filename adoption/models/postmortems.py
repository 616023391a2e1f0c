"""Post-mortems: what happened, what it did, which layer it lay in, what others should know."""

from django.db import models
from django.db.models import Q

from governance.history import governed
from governance.models import User
from initiatives.models import Initiative, Obligation
from initiatives.models.versions import LAYERS


class PostMortem(models.Model):
    """One written account that settles one debt: a draft, published by its author, confirmed by the adoption seat."""

    DRAFT, PUBLISHED, CONFIRMED = "draft", "published", "confirmed"
    STATES = {DRAFT: "Draft", PUBLISHED: "Published, waiting for the adoption seat", CONFIRMED: "Confirmed"}

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="post_mortems")
    obligation = models.OneToOneField(Obligation, models.PROTECT, related_name="post_mortem")
    state = models.CharField(max_length=10, choices=STATES.items(), default=DRAFT)
    timeline = models.TextField(blank=True, default="")
    impact = models.TextField(blank=True, default="")
    attribution = models.TextField(blank=True, default="")
    found_layer = models.CharField(max_length=20, choices=LAYERS.items(), blank=True, default="")
    blamed_layer = models.CharField(max_length=20, choices=LAYERS.items(), blank=True, default="")
    no_gaps_because = models.TextField(blank=True, default="")
    author = models.ForeignKey(User, models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    history = governed()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="published_means_who_and_when",
                condition=Q(state="draft", published_at__isnull=True, published_by__isnull=True)
                | ~Q(state="draft") & Q(published_at__isnull=False, published_by__isnull=False),
            ),
            models.CheckConstraint(
                name="confirmed_means_who_and_when",
                condition=~Q(state="confirmed") & Q(confirmed_at__isnull=True, confirmed_by__isnull=True)
                | Q(state="confirmed", confirmed_at__isnull=False, confirmed_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"post-mortem of {self.initiative_id}"


class Lesson(models.Model):
    """What the next team should know, in one layer."""

    post_mortem = models.ForeignKey(PostMortem, models.PROTECT, related_name="lessons")
    text = models.TextField()
    layer = models.CharField(max_length=20, choices=LAYERS.items())
    removed_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["post_mortem", "id"]

    def __str__(self) -> str:
        return self.text[:80]
