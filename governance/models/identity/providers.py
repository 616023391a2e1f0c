"""Rows of signing in with identity providers: providers, keys, links, round trips.

Other rows keep one human to one account: pairs of accounts that may be one person, and who may break the glass.
"""

import secrets

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from governance import clock
from governance.database.database_roles import EVERYTHING
from governance.database.row_history import governed
from governance.models.constraints import by_whom_and_when
from governance.models.people import User

BREAK_GLASS_SLOTS = (1, 2)


class IdentityProviderQuerySet(models.QuerySet):
    def on(self):
        """Providers that people sign in with now."""
        return self.filter(switched_on=True)


class IdentityProvider(models.Model):
    """An OpenID Connect provider of the organisation. A trigger pins issuer, address part and key claim.

    `secret_box` is the client secret, encrypted under the secret key of the installation
    (`governance.identity.providers.secret_box`). It is never shown again. `signing_acr` has strengths, separated by
    spaces. A token that proves a signature must name one of them. An empty value asks for none.
    """

    hidden_from_auditors = ("secret_box",)

    class Kind(models.TextChoices):
        ENTRA = "entra", "Microsoft Entra ID"
        OKTA = "okta", "Okta"
        KEYCLOAK = "keycloak", "Keycloak"
        PING = "ping", "Ping"
        GOOGLE = "google", "Google"
        OTHER = "other", "Another provider"

    class Authentication(models.TextChoices):
        SECRET = "secret", "Client secret"
        PRIVATE_KEY = "private_key", "Private key of Plumbline (private_key_jwt)"

    class KeyClaim(models.TextChoices):
        SUBJECT = "sub", "sub"
        TENANT_AND_OBJECT = "tid+oid", "tid and oid (Microsoft Entra ID)"

    name = models.CharField(max_length=60)
    slug = models.SlugField(max_length=30, unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    issuer = models.CharField(max_length=300, unique=True)
    client_id = models.CharField(max_length=200)
    authentication = models.CharField(max_length=12, choices=Authentication.choices)
    secret_box = models.BinaryField(null=True, blank=True, editable=False)
    secret_set_at = models.DateTimeField(null=True, blank=True, editable=False)
    scopes = models.CharField(max_length=200, default="openid profile email")
    key_claim = models.CharField(max_length=8, choices=KeyClaim.choices)
    takes_guests = models.BooleanField(default=False)
    makes_people = models.BooleanField(default=False)
    unit_claim = models.CharField(max_length=60, blank=True, default="")
    signing_acr = models.CharField(max_length=200, blank=True, default="")
    switched_on = models.BooleanField(default=False)
    added_at = models.DateTimeField(default=clock.now, editable=False)

    objects = IdentityProviderQuerySet.as_manager()
    history = governed(excluded_fields=["secret_box"])

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="providers_differ_in_name",
                violation_error_message="A provider already has this name. Choose another.",
            ),
            models.CheckConstraint(
                name="provider_asks_for_openid", condition=Q(scopes__regex=r"(^| )openid( |$)")
            ),
            models.CheckConstraint(name="provider_has_a_client", condition=~Q(client_id="")),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raise ValidationError if the claim does not fit the kind, or if the scopes lack openid.

        A change of claim or kind could make someone another person.
        """
        super().clean()
        if self.key_claim and self.is_entra != (self.kind == self.Kind.ENTRA):
            raise ValidationError(
                {"kind": "You cannot change a provider from or to Entra. Add another provider instead."}
            )
        if "openid" not in self.scopes.split(" "):
            raise ValidationError({"scopes": "Add the scope openid. No sign-in works without it."})

    @property
    def is_entra(self) -> bool:
        """Return True if tenant and object identify people, as in Entra."""
        return self.key_claim == self.KeyClaim.TENANT_AND_OBJECT


class ProviderKey(models.Model):
    """A public key that a provider signed with, as it was published: written before its first use, kept for ever."""

    provider = models.ForeignKey(IdentityProvider, models.PROTECT, related_name="keys")
    kid = models.CharField(max_length=200)
    thumbprint = models.CharField(max_length=43)  # RFC 7638, SHA-256
    algorithm = models.CharField(max_length=8)
    jwk = models.JSONField()
    fetched_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["provider", "-fetched_at"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "thumbprint", "kid"], name="provider_key_stands_once")
        ]

    def __str__(self) -> str:
        return f"{self.kid or self.thumbprint} of {self.provider}"


class ClientKey(models.Model):
    """A key by which a provider knows this installation. The public half is published, the other encrypted."""

    hidden_from_auditors = ("private_box",)

    provider = models.ForeignKey(IdentityProvider, models.PROTECT, related_name="client_keys")
    kid = models.CharField(max_length=43, unique=True)
    public_jwk = models.JSONField()
    private_box = models.BinaryField(editable=False)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    history = governed(excluded_fields=["private_box"])

    class Meta:
        ordering = ["provider", "-made_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider"], condition=Q(ended_at__isnull=True), name="one_client_key_signs"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kid} for {self.provider}"


class ExternalIdentityQuerySet(models.QuerySet):
    def open(self):
        """Identities that are linked, in their first day too."""
        return self.filter(ended_at__isnull=True)

    def counting(self, moment):
        """Return the identities that open an account at `moment`."""
        return self.open().filter(Q(counts_from__isnull=True) | Q(counts_from__lte=moment))


class ExternalIdentity(models.Model):
    """A person's identity at a provider. `key` is the value of the pinned claim, never an email address.

    A trigger keeps the key. A link by an admin counts from `counts_from`, and its person can refuse it at any time.
    """

    person = models.ForeignKey(User, models.PROTECT, related_name="external_identities")
    provider = models.ForeignKey(IdentityProvider, models.PROTECT, related_name="identities")
    key = models.CharField(max_length=300)
    subject = models.CharField(max_length=255, blank=True, default="")
    linked_at = models.DateTimeField(default=clock.now)
    linked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    counts_from = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    ended_reason = models.TextField(blank=True, default="")

    objects = ExternalIdentityQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["provider", "person"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "key"], condition=Q(ended_at__isnull=True), name="one_person_an_identity"
            ),
            models.UniqueConstraint(
                fields=["provider", "person"],
                condition=Q(ended_at__isnull=True),
                name="one_identity_a_person",
            ),
            by_whom_and_when("ended", name="identity_ended_means_who_when_and_why", reason="ended_reason"),
            models.CheckConstraint(name="identity_has_a_key", condition=~Q(key="")),
            # Whoever links for somebody else waits a day; oneself, or nobody at the first sign-in, does not.
            models.CheckConstraint(
                name="identity_linked_by_another_waits",
                condition=Q(linked_by__isnull=True) | Q(linked_by=F("person")) | Q(counts_from__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} at {self.provider}"


class SamePerson(models.Model):
    """Two accounts that may be one human. They count as one on every initiative until cleared."""

    one = models.ForeignKey(User, models.PROTECT, related_name="+")
    other = models.ForeignKey(User, models.PROTECT, related_name="+")
    why = models.CharField(max_length=300)
    found_at = models.DateTimeField(default=clock.now)
    found_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    cleared_at = models.DateTimeField(null=True, blank=True)
    cleared_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    cleared_reason = models.TextField(blank=True, default="")

    history = governed()

    class Meta:
        ordering = ["-found_at"]
        verbose_name_plural = "pairs of accounts"
        constraints = [
            models.CheckConstraint(name="pair_is_in_order", condition=Q(one__lt=F("other"))),
            models.UniqueConstraint(
                fields=["one", "other"], condition=Q(cleared_at__isnull=True), name="pair_stands_once"
            ),
            by_whom_and_when("cleared", name="pair_cleared_means_who_when_and_why", reason="cleared_reason"),
            models.CheckConstraint(
                name="pair_is_cleared_by_neither",
                condition=Q(cleared_by__isnull=True) | (~Q(cleared_by=F("one")) & ~Q(cleared_by=F("other"))),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.one} and {self.other}"


class BreakGlass(models.Model):
    """An admin whose local password works in every sign-in policy. The slots allow at most two."""

    slot = models.SmallIntegerField(unique=True, choices=[(slot, str(slot)) for slot in BREAK_GLASS_SLOTS])
    person = models.OneToOneField(User, models.PROTECT, related_name="break_glass")
    marked_at = models.DateTimeField(default=clock.now)
    marked_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    history = governed()

    class Meta:
        ordering = ["slot"]
        verbose_name_plural = "break-glass accounts"
        constraints = [
            models.CheckConstraint(name="two_break_the_glass", condition=Q(slot__in=BREAK_GLASS_SLOTS)),
            models.CheckConstraint(name="nobody_marks_themselves", condition=~Q(marked_by=F("person"))),
        ]

    def __str__(self) -> str:
        return f"{self.person} (break-glass {self.slot})"


class SignInPolicy(models.Model):
    """The single row of sign-in settings. Local accounts are on without the row."""

    ONLY = 1

    id = models.SmallIntegerField(primary_key=True, default=ONLY, choices=[(ONLY, "the only row")])
    local_accounts = models.BooleanField(default=True)
    changed_at = models.DateTimeField(default=clock.now)

    history = governed()

    class Meta:
        verbose_name_plural = "sign-in policy"
        constraints = [models.CheckConstraint(name="one_sign_in_policy", condition=Q(id=1))]

    def __str__(self) -> str:
        return "local accounts on" if self.local_accounts else "local accounts off"


def new_state() -> str:
    """Return a random text that identifies one round trip."""
    return secrets.token_urlsafe(32)


class RoundTrip(models.Model):
    """One question to a provider that its answer must fit.

    It is used once, within minutes, in the same browser. `state` and `browser` are SHA-256 digests. PKCE's verifier is
    encrypted.
    """

    hidden_from_auditors = EVERYTHING
    not_governed = "kept for some minutes, and the audit log records the result"

    provider = models.ForeignKey(IdentityProvider, models.CASCADE, related_name="round_trips")
    purpose = models.CharField(max_length=20)
    state = models.CharField(max_length=64, unique=True)
    browser = models.CharField(max_length=64)
    nonce = models.CharField(max_length=64)
    verifier_box = models.BinaryField()
    max_age = models.IntegerField(null=True)
    acr = models.CharField(max_length=200, default="")
    back = models.CharField(max_length=500, default="")
    person = models.ForeignKey(User, models.CASCADE, null=True, related_name="+")
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="round_trips_by_end")]

    def __str__(self) -> str:
        return f"{self.purpose} at {self.provider}"


class LogoutToken(models.Model):
    """A logout token that a provider sent: its id counts once."""

    not_governed = (
        "the id is kept until the token would have expired, and the audit log records the ended sessions"
    )

    provider = models.ForeignKey(IdentityProvider, models.CASCADE, related_name="+")
    jti = models.CharField(max_length=64)  # SHA-256 of the token's id
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "jti"], name="logout_token_counts_once")]

    def __str__(self) -> str:
        return f"logout by {self.provider}"
