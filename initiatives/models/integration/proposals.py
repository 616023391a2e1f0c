"""Rows of changes to shared things, proposed by people who may not make them."""

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
    "account_opened": "New service account",
    "account_changed": "Change of a service account",
    "account_closed": "Close a service account",
    "definition_written": "Meaning of a field",
    "definition_changed": "Change of the meaning of a field",
    "definition_withdrawn": "Withdraw the meaning of a field",
    "term_named": "New business term",
    "term_changed": "Change of a business term",
    "vendor_term_filed": "New term of a vendor",
}
CONFIRMED, DECLINED, WITHDRAWN = "confirmed", "declined", "withdrawn"
PROPOSAL_OUTCOMES = {"": "waits", CONFIRMED: "confirmed", DECLINED: "declined", WITHDRAWN: "withdrawn"}


class ProposedQuerySet(models.QuerySet):
    def waiting(self):
        """Return the proposals without an answer."""
        return self.filter(decided_at__isnull=True)


class ProposedChange(models.Model):
    """A proposed change of something shared. The person who confirms it makes the change.

    The new values are in `fields`, other rows by their keys, days in ISO 8601. The change is about `system`, or an
    account or definition of it.
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
        """Return the address of the page of the proposal."""
        return f"/proposals/{self.pk}/"

    @property
    def about(self):
        """Return the subject of the proposal, or the name of a new business term."""
        found = self.account or self.definition or self.term or self.vendor or self.system
        return found if found is not None else self.fields.get("name", "")
