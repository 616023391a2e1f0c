"""Rows of signing in: sessions, password links, failed attempts."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import F, Q
from django.utils.module_loading import import_string

from governance import clock
from governance.database.database_roles import EVERYTHING
from governance.database.row_history import DatabaseNow, WrittenOnce, governed
from governance.models.constraints import by_whom_and_when
from governance.models.contracts import Contract
from governance.models.identity.providers import IdentityProvider
from governance.models.notifications import Outgoing
from governance.models.people import User

INVITATION, RESET, HANDED = "invitation", "reset", "handed"


class Session(AbstractBaseSession):
    """One browser of a person, or of a stranger. Its key is a secret. Pages name it by `mark`."""

    hidden_from_auditors = EVERYTHING
    not_governed = "the current sessions of a person, and the audit log records each sign-in"

    person = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    started_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    device = models.CharField(max_length=80, default="")
    # Where the person signed in with a provider: at which, as whom, in which of its sessions.
    provider = models.ForeignKey(IdentityProvider, models.CASCADE, null=True, related_name="sessions")
    provider_subject = models.CharField(max_length=255, default="")
    provider_session = models.CharField(max_length=255, default="")
    # The last form that this browser sent: its digest, when, and where its answer led (`governance.web.sent_once`).
    sent = models.CharField(max_length=64, default="")
    sent_at = models.DateTimeField(null=True)
    sent_to = models.TextField(default="")

    class Meta:
        verbose_name = "session"
        ordering = ["-seen_at"]
        indexes = [models.Index(fields=["provider", "provider_session"], name="sessions_by_provider_session")]

    def __str__(self) -> str:
        return f"{self.person}, {self.device or 'an unknown browser'}"

    def save(self, *, force_update: bool = False, **kwargs) -> None:
        """Write the row, but for the last form, which another request may have noted meanwhile."""
        if force_update:
            kept = ("session_key", "sent", "sent_at", "sent_to")
            kwargs["update_fields"] = [one.name for one in self._meta.fields if one.name not in kept]
        super().save(force_update=force_update, **kwargs)

    @classmethod
    def get_session_store_class(cls):
        """Return the store that reads and writes these rows."""
        return import_string(f"{settings.SESSION_ENGINE}.SessionStore")

    @property
    def mark(self) -> str:
        """Return the name of this session for pages. No one can sign in with this name."""
        return hashlib.sha256(f"session {self.session_key}".encode()).hexdigest()[:24]


def new_nonce() -> str:
    """Return a random text that identifies one link."""
    return secrets.token_urlsafe(16)


class PasswordLinkQuerySet(models.QuerySet):
    def open(self):
        """Links by which a password can be set now."""
        return self.filter(
            used_at__isnull=True, ended_at__isnull=True, expires_at__gt=clock.now(), person__is_active=True
        )

    def unmailed(self):
        """Links that a mail should still carry."""
        return self.open().filter(sent_at__isnull=True).exclude(purpose=HANDED)


class PasswordLink(Outgoing):
    """The right to set one's password once, until a moment. Its email is made from this row.

    The link itself is not kept. It is the nonce signed with the secret key (`governance.sign_in.password_links`).
    """

    hidden_from_auditors = ("nonce",)
    not_governed = (
        "a link to an account for a limited time, and the audit log records the invitation and the new "
        "password"
    )

    PURPOSES = {INVITATION: "invitation", RESET: "forgotten password", HANDED: "link handed over"}

    person = models.ForeignKey(User, models.CASCADE, related_name="password_links")
    purpose = models.CharField(max_length=12, choices=PURPOSES.items())
    nonce = models.CharField(max_length=32, unique=True, default=new_nonce)
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = PasswordLinkQuerySet.as_manager()

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            models.CheckConstraint(
                name="password_link_is_used_or_ended",
                condition=Q(used_at__isnull=True) | Q(ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="password_link_expires_after_it_is_made", condition=Q(expires_at__gt=models.F("made_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} for {self.person}"


EVALUATE, POLL, MEASUREMENTS, INTERACTIONS, ALERTS, DEPLOYMENTS = (
    "evaluate",
    "approvals",
    "measurements",
    "interactions",
    "alerts",
    "deployments",
)
KEY_SCOPES = {
    EVALUATE: "Request decisions",
    POLL: "Check whether a person has answered",
    MEASUREMENTS: "Send measurements of measures",
    INTERACTIONS: "Send interactions for the interaction log",
    ALERTS: "Send alerts of the monitoring",
    DEPLOYMENTS: "Ask before a deployment",
}


NAME_WITHIN = timedelta(days=14)  # the time to name another person who is responsible for a key


def name_until(left_at: datetime) -> datetime:
    """Return the moment from which the decision API denies the requests of a key whose person left then."""
    return clock.midnight_after(clock.local_day(left_at) + NAME_WITHIN)


class ServiceKey(models.Model):
    """A key of one system of one initiative. Its secret is nowhere: `secret_hash` is the SHA-256 of 256 random bits.

    `public` is the part that may be written down: logs and pages name a key by it. `principal` is the person the system
    acts for, who therefore approves nothing that it asks. `principal_left_at` is when their account ended.
    """

    hidden_from_auditors = ("secret_hash",)

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="keys")
    system = models.CharField(max_length=120)
    public = models.CharField(max_length=20, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list)
    principal = models.ForeignKey(User, models.PROTECT, related_name="service_keys")
    principal_left_at = models.DateTimeField(null=True, blank=True, editable=False)
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

    @property
    def named_until(self) -> datetime | None:
        """Return the moment until which another responsible person must be named, or None if one is there."""
        return name_until(self.principal_left_at) if self.principal_left_at else None

    def good_at(self, moment) -> bool:
        """Return True if the key is neither expired nor revoked at `moment`."""
        return self.expires_at > moment and (self.revoked_at is None or self.revoked_at > moment)


PERSONAL, SERVICE = "personal", "service"
TOKEN_KINDS = {PERSONAL: "Personal token", SERVICE: "Service token"}
# "read" is all that begin with it. The tasks and drafts of a person are only for tokens of that person.
READ, READ_INITIATIVES, READ_DECISIONS, READ_REGISTERS, READ_TASKS, DRAFT = (
    "read",
    "read:initiatives",
    "read:decisions",
    "read:registers",
    "read:tasks",
    "draft",
)
PERSONAL_SCOPES = {DRAFT: "Draft answers and offer evidence. You save or discard each draft."}
SERVICE_SCOPES = {
    READ_INITIATIVES: "Initiatives, requirements, reviews, contracts, measures and obligations",
    READ_DECISIONS: "Decisions of people, and the decision log of systems",
    READ_REGISTERS: "Registers of components, systems, links, terms and vendors",
}
PERSONAL_DAYS = 90  # the longest life of a personal token


class ApiToken(models.Model):
    """A token by which a program reads what its owner may see, and drafts what its owner may write.

    Its secret is nowhere, as with a service key.

    It ends with the account of its owner. `rotates` is the service token that this one replaces.
    """

    hidden_from_auditors = ("secret_hash",)

    kind = models.CharField(max_length=10, choices=TOKEN_KINDS.items())
    name = models.CharField(max_length=120)
    owner = models.ForeignKey(User, models.PROTECT, related_name="api_tokens")
    public = models.CharField(max_length=20, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    rotates = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="rotated_by", editable=False
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    ended_reason = models.TextField(blank=True, default="")

    history = governed(excluded_fields=["secret_hash"])

    class Meta:
        ordering = ["-made_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="token_expires_after_it_is_made", condition=Q(expires_at__gt=F("made_at"))
            ),
            models.CheckConstraint(
                name="personal_token_expires_within_90_days",
                condition=~Q(kind=PERSONAL) | Q(expires_at__lte=F("made_at") + timedelta(days=PERSONAL_DAYS)),
            ),
            # A directory that deactivates an account is no person.
            models.CheckConstraint(
                name="token_ended_means_when_and_why",
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, ended_reason="")
                | Q(ended_at__isnull=False) & ~Q(ended_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.public})"

    def good_at(self, moment: datetime) -> bool:
        """Return True if the token has neither expired nor ended at `moment`. Its owner may have left."""
        return self.expires_at > moment and (self.ended_at is None or self.ended_at > moment)

    def allows(self, scope: str) -> bool:
        """Return True if the token has this scope."""
        return scope in self.scopes or (scope != DRAFT and READ in self.scopes)


class ApiTokenUse(WrittenOnce):
    """The first use of a token on one day."""

    token = models.ForeignKey(ApiToken, models.PROTECT, related_name="uses")
    day = models.DateField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["token", "day"], name="one_use_per_token_and_day")]

    def __str__(self) -> str:
        return f"{self.token} on {self.day}"


class KeyAttempt(models.Model):
    """A request that came with a key that is none, kept to slow guessing down."""

    not_governed = "a count that is kept for a short time, and a wrong key belongs to no account"

    public = models.CharField(max_length=20)
    address = models.GenericIPAddressField(null=True)
    at = models.DateTimeField(db_default=DatabaseNow())

    class Meta:
        indexes = [models.Index(fields=["address", "at"], name="key_attempts_by_address")]

    def __str__(self) -> str:
        return f"wrong key {self.public}"
