"""Second factors of people: passkeys, authenticator apps, recovery codes, resets."""

from django.db import models
from django.db.models import F, Q

from governance.database.row_history import governed
from governance.models.constraints import by_whom_and_when
from governance.models.people import User


class Passkey(models.Model):
    """A passkey of a person: its public key, in the audit log before it is used.

    It signs from `signs_from` on, or once another person confirmed it. `public_key` is the COSE key, Base64 for
    addresses as `credential` is. `rp_id` is the host name that it was made for. It does not work under another name.
    """

    person = models.ForeignKey(User, models.PROTECT, related_name="passkeys")
    name = models.CharField(max_length=60)
    credential = models.CharField(max_length=1400, unique=True, editable=False)
    public_key = models.TextField(editable=False)
    algorithm = models.IntegerField(editable=False)
    rp_id = models.CharField(max_length=253, editable=False)
    transports = models.JSONField(default=list, editable=False)
    synced = models.BooleanField(default=False, editable=False)
    made_at = models.DateTimeField()
    signs_from = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    history = governed()

    class Meta:
        ordering = ["person", "id"]
        constraints = [
            by_whom_and_when("confirmed", name="passkey_confirmed_means_who_and_when"),
            models.CheckConstraint(
                name="nobody_confirms_their_own_passkey",
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("person")),
            ),
            models.CheckConstraint(
                name="passkey_signs_after_it_is_made", condition=Q(signs_from__gte=F("made_at"))
            ),
            # EdDSA, ES256, RS256: what an export is checked with, without a library.
            models.CheckConstraint(
                name="passkey_of_a_known_algorithm", condition=Q(algorithm__in=[-8, -7, -257])
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def may_sign_at(self, moment) -> bool:
        """Return True if the passkey works at `moment`, and has waited or is confirmed."""
        waited = self.signs_from <= moment or self.confirmed_at is not None
        return waited and (self.ended_at is None or self.ended_at > moment)


class AuthenticatorApp(models.Model):
    """An app that shows one-time codes (RFC 6238). The app counts after a first code.

    `secret` is encrypted under the key of the installation whose mark is `sealed_under`.
    """

    person = models.ForeignKey(User, models.PROTECT, related_name="authenticator_apps")
    secret = models.BinaryField(max_length=80, editable=False)
    sealed_under = models.CharField(max_length=16, editable=False)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    history = governed(excluded_fields=["secret"])

    class Meta:
        ordering = ["person", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person"], condition=Q(ended_at=None), name="one_authenticator_app_of_a_person"
            )
        ]

    def __str__(self) -> str:
        return f"authenticator app of {self.person}"


class FactorUse(models.Model):
    """The last count of a passkey or an app. An equal or lower count means reuse or a copy."""

    not_governed = "a count of uses, and the audit log records each use"

    passkey = models.OneToOneField(Passkey, models.CASCADE, null=True, related_name="use")
    app = models.OneToOneField(AuthenticatorApp, models.CASCADE, null=True, related_name="use")
    counter = models.BigIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_use_is_of_one_factor",
                condition=Q(passkey=None, app__isnull=False) | Q(passkey__isnull=False, app=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.passkey or self.app}: {self.counter}"


class RecoveryCode(models.Model):
    """One of the codes that let their person in once without a factor. `hash` is the SHA-256 of 80 random bits."""

    person = models.ForeignKey(User, models.PROTECT, related_name="recovery_codes")
    hash = models.CharField(max_length=64, editable=False)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    history = governed(excluded_fields=["hash"])

    class Meta:
        ordering = ["person", "id"]
        constraints = [
            models.UniqueConstraint(fields=["person", "hash"], name="recovery_codes_differ"),
            models.CheckConstraint(
                name="recovery_code_is_used_or_ended", condition=Q(used_at=None) | Q(ended_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"recovery code {self.pk} of {self.person}"


class FactorReset(models.Model):
    """An admin's reset of a person's lost factors. It runs after a day unless the person objects."""

    person = models.ForeignKey(User, models.PROTECT, related_name="factor_resets")
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    reason = models.TextField()
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    stopped_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    history = governed()

    class Meta:
        ordering = ["-asked_at"]
        constraints = [
            by_whom_and_when("stopped", name="factor_reset_stopped_means_who_and_when"),
            models.CheckConstraint(
                name="nobody_resets_their_own_factors", condition=~Q(asked_by=F("person"))
            ),
            models.CheckConstraint(
                name="factor_reset_waits", condition=Q(done_at=None) | Q(done_at__gte=F("due_at"))
            ),
            models.CheckConstraint(
                name="factor_reset_is_done_or_stopped", condition=Q(done_at=None) | Q(stopped_at=None)
            ),
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(done_at=None, stopped_at=None),
                name="one_open_factor_reset_of_a_person",
            ),
        ]

    def __str__(self) -> str:
        return f"reset of the factors of {self.person}"
