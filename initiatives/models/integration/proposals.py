"""What people find wrong with shared things that are not theirs to change: proposed, and answered by who decides."""

from django.db import models
from django.db.models import Q

from governance.database.row_history import governed
from governance.models import User
from initiatives.models.integration.definitions import Term, TermDefinition
from initiatives.models.integration.residency import Vendor
from initiatives.models.integration.systems import ServiceAccount, System

PROPOSED_KINDS = {
    "system_changed": "Change of a system",
    "system_retired": "Retire a system",
    "account_opened": "A service account more",
    "account_changed": "Change of a service account",
    "account_closed": "Close a service account",
    "definition_written": "What a field means",
    "definition_changed": "Change of what a field means",
    "definition_withdrawn": "Withdraw what a field means",
    "term_named": "A business term",
    "term_changed": "Change of a business term",
    "vendor_term_filed": "A term of a vendor",
}
CONFIRMED, DECLINED, WITHDRAWN = "confirmed", "declined", "withdrawn"
PROPOSAL_OUTCOMES = {"": "waits", CONFIRMED: "confirmed", DECLINED: "declined", WITHDRAWN: "withdrawn"}


class ProposedQuerySet(models.QuerySet):
    def waiting(self):
        """Proposals that nobody answered yet."""
        return self.filter(decided_at__isnull=True)


class ProposedChange(models.Model):
    """A change of something shared as somebody proposes it who may not make it: confirmed, it is made by who confirms.

    `fields`: what would be said, by field; other rows by their keys, days as ISO 8601 writes them. `system`: the one
    that it is about, or to which the account or definition belongs.
    """

    kind = models.CharField(max_length=24, choices=PROPOSED_KINDS.items())
    system = models.ForeignKey(System, models.PROTECT, null=True, blank=True, related_name="proposals")
    account = models.ForeignKey(ServiceAccount, models.PROTECT, null=True, blank=True, related_name="+")
    definition = models.ForeignKey(TermDefinition, models.PROTECT, null=True, blank=True, related_name="+")
    term = models.ForeignKey(Term, models.PROTECT, null=True, blank=True, related_name="+")
    vendor = models.ForeignKey(Vendor, models.PROTECT, null=True, blank=True, related_name="+")
    fields = models.JSONField(default=dict, blank=True)
    reason = models.TextField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=12, choices=PROPOSAL_OUTCOMES.items(), blank=True, default="")
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True, default="")

    objects = ProposedQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="proposal_decided_means_who_when_and_how",
                condition=Q(outcome="", decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(outcome="") & Q(decided_by__isnull=False, decided_at__isnull=False),
            ),
            models.CheckConstraint(
                name="a_declined_proposal_says_why", condition=~Q(outcome=DECLINED) | ~Q(answer="")
            ),
            models.CheckConstraint(
                name="nobody_answers_their_own_proposal",
                condition=Q(outcome__in=["", WITHDRAWN]) | ~Q(decided_by=models.F("by")),
            ),
        ]
        indexes = [
            models.Index(fields=["system"], condition=Q(decided_at__isnull=True), name="proposals_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.about}"

    def get_absolute_url(self) -> str:
        """The page of the proposal."""
        return f"/proposals/{self.pk}/"

    @property
    def about(self):
        """The thing that it is about; of a business term that does not exist yet, its name."""
        found = self.account or self.definition or self.term or self.vendor or self.system
        return found if found is not None else self.fields.get("name", "")
