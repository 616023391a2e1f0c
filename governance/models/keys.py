"""Keys of the systems that ask for decisions: shown once, kept as a hash, ended at once."""

from django.db import models
from django.db.models import F, Q

from governance.history import DatabaseNow, governed
from governance.models.constraints import by_whom_and_when
from governance.models.contracts import Contract
from governance.models.people import User

EVALUATE, POLL, READINGS = "evaluate", "approvals", "readings"
KEY_SCOPES = {
    EVALUATE: "Ask for decisions",
    POLL: "Look whether a person has answered",
    READINGS: "Send readings of measures",
}


class ServiceKey(models.Model):
    """A key of one system of one initiative. Its secret is nowhere: `secret_hash` is the SHA-256 of 256 random bits.

    `public` is the part that may be written down: logs and pages name a key by it. `principal` is the person the system
    acts for, who therefore approves nothing that it asks.
    """

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="keys")
    system = models.CharField(max_length=120)
    public = models.CharField(max_length=20, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list)
    principal = models.ForeignKey(User, models.PROTECT, related_name="service_keys")
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    rotates = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="rotated_by", editable=False
    )
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    revoked_reason = models.TextField(blank=True, default="")

    history = governed(excluded_fields=["secret_hash"])

    class Meta:
        ordering = ["contract", "system", "-made_at"]
        constraints = [
            models.CheckConstraint(
                name="key_expires_after_it_is_made", condition=Q(expires_at__gt=F("made_at"))
            ),
            by_whom_and_when("revoked", name="key_revoked_means_who_when_and_why", reason="revoked_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.system} ({self.public})"

    def good_at(self, moment) -> bool:
        """Whether the key opens at `moment`: neither expired nor revoked."""
        return self.expires_at > moment and (self.revoked_at is None or self.revoked_at > moment)


class KeyAttempt(models.Model):
    """A question that came with a key that is none, kept to slow guessing down."""

    not_governed = "counts what is forgotten after a while; nobody is behind a wrong key"
    not_in_admin = "counts what is forgotten after a while"

    public = models.CharField(max_length=20)
    address = models.GenericIPAddressField(null=True)
    at = models.DateTimeField(db_default=DatabaseNow())

    class Meta:
        indexes = [models.Index(fields=["address", "at"], name="key_attempts_by_address")]

    def __str__(self) -> str:
        return f"wrong key {self.public}"
