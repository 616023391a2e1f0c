"""Statements frozen while people sign them, and the kept proof of each signature."""

from django.db import models
from django.db.models import Q

from governance.database.row_history import WrittenOnce
from governance.models.contracts import Contract
from governance.models.identity.factors import Passkey
from governance.models.identity.providers import ExternalIdentity
from governance.models.people import User
from governance.vocabulary import Strength


class FrozenStatement(models.Model):
    """A statement as shown to its signer, and its challenge. Usable once, for minutes.

    `identity` is the linked account that has signed the statement at its provider, and `evidence` its later proof. Both
    are empty before that, and for a passkey.
    """

    not_governed = "kept for some minutes, and the signed statement is kept as a SignatureProof"

    token = models.CharField(max_length=43, unique=True)
    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    statement = models.TextField()
    salt = models.BinaryField(max_length=16)
    nonce = models.BinaryField(max_length=32)
    challenge = models.BinaryField(max_length=32)
    shown_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)
    identity = models.ForeignKey(ExternalIdentity, models.CASCADE, null=True, related_name="+")
    evidence = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_statement_signed_at_a_provider_has_its_token",
                condition=Q(identity=None, evidence={}) | Q(identity__isnull=False) & ~Q(evidence={}),
            )
        ]

    def __str__(self) -> str:
        return f"statement shown to {self.person_id} at {self.shown_at}"


class SignatureProof(WrittenOnce):
    """The proof of one signature: the statement, the signer's means, and the strength.

    `digest` (HMAC-SHA256 of the statement under `salt`) is in the entries of the act. `digests` are those of all
    statements signed at once, including this one. `evidence` of a passkey is the output of its authenticator.
    `evidence` of an identity provider is the raw ID token, the key that signed it, and since when that key is recorded.
    The passkey's challenge and the provider's nonce are SHA-256 over a format name, `nonce` and `digests`
    (`governance.offline.verify`). The proof belongs to the initiative of its act, so an export of the initiative has
    it.
    """

    signs = (
        "digest"  # in which column the digest stands that its act says, see governance.audit_log.row_capture
    )

    person = models.ForeignKey(User, models.PROTECT, related_name="signature_proofs")
    contract = models.ForeignKey(Contract, models.PROTECT, null=True, related_name="signature_proofs")
    act = models.CharField(max_length=20)
    strength = models.CharField(max_length=20, choices=Strength.choices)
    statement = models.TextField()
    salt = models.CharField(max_length=32)
    digest = models.CharField(max_length=64)
    digests = models.JSONField()
    nonce = models.CharField(max_length=64, blank=True, default="")
    passkey = models.ForeignKey(Passkey, models.PROTECT, null=True, related_name="proofs")
    evidence = models.JSONField(default=dict)
    shown_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["digest"], name="signature_proofs_by_digest")]
        constraints = [
            models.CheckConstraint(
                name="a_passkey_proof_has_its_passkey",
                condition=Q(strength=Strength.PASSKEY, passkey__isnull=False) & ~Q(evidence={}) & ~Q(nonce="")
                | ~Q(strength=Strength.PASSKEY) & Q(passkey=None),
            ),
            models.CheckConstraint(
                name="a_provider_proof_has_its_token",
                condition=~Q(strength=Strength.PROVIDER) | ~Q(evidence={}) & ~Q(nonce=""),
            ),
            models.CheckConstraint(
                name="a_statement_is_shown_before_it_is_signed", condition=Q(at__gte=models.F("shown_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.act} by {self.person_id}: {self.get_strength_display()}"
