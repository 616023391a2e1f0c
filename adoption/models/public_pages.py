"""The page about an AI for its users, made by the initiative's owner or an admin."""

from django.db import models
from django.db.models import Q

from governance.database.row_history import governed
from governance.models import User
from governance.models.constraints import by_whom_and_when
from governance.runtime import link_tokens
from initiatives.models import Initiative


class PublicPageQuerySet(models.QuerySet):
    def shown(self):
        """Return pages that everyone may open. They are not withdrawn, and their initiative is not confidential."""
        return self.filter(ended_at__isnull=True, initiative__confidential=False)


class PublicPage(models.Model):
    """The address at which everyone who has it reads the purpose and stage of an AI.

    `purpose`: in words for its users. The initiative's own words remain internal.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="public_pages")
    purpose = models.TextField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = PublicPageQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative"],
                condition=Q(ended_at__isnull=True),
                name="one_public_page_per_initiative",
            ),
            by_whom_and_when("ended", name="public_page_ended_means_who_and_when"),
            models.CheckConstraint(name="a_public_page_says_what_it_is_for", condition=~Q(purpose="")),
        ]

    def __str__(self) -> str:
        return f"public page of {self.initiative_id}"

    @property
    def token(self) -> str:
        """Return the end of its address."""
        return link_tokens.token_of(self)
