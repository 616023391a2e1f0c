"""How people come in: where they are signed in, and the links by which they set a password of their own."""

import hashlib
import secrets

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q

from governance import clock
from governance.models.notices import Outgoing
from governance.models.people import User

INVITATION, RESET, HANDED = "invitation", "reset", "handed"


class Session(AbstractBaseSession):
    """One browser of one person, or of nobody yet. Its key is a secret; pages name it by `mark`."""

    not_governed = "where somebody is signed in now; the sign-in itself is an entry"
    not_in_admin = "its key lets in whoever has it"

    person = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    started_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    device = models.CharField(max_length=80, default="")

    class Meta:
        verbose_name = "session"
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return f"{self.person}, {self.device or 'an unknown browser'}"

    @classmethod
    def get_session_store_class(cls):
        """The store that reads and writes these rows."""
        from governance.sessions import SessionStore

        return SessionStore

    @property
    def mark(self) -> str:
        """What a page may say to mean this session: nothing that anybody could come in with."""
        return hashlib.sha256(f"session {self.session_key}".encode()).hexdigest()[:24]


def new_nonce() -> str:
    """What tells one link from another."""
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
    """The right to set one's password once, until a moment; the mail that carries it is made from this row.

    The link itself is not kept: it is the nonce signed with the secret key (`governance.links`).
    """

    not_governed = "a key to one's own account for a while; the invitation and the password set are entries"

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
