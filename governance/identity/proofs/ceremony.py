"""The way from a shown statement to its proof: frozen, signed, held, written.

No row is locked while a person looks for their passkey, or signs in at their identity provider. The answer is
compared with facts read again. If they have changed, the ceremony ends and names the changes.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from webauthn.helpers import bytes_to_base64url

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.database.row_history import acting
from governance.identity.factors import passkeys
from governance.identity.proofs import provider_tokens, statements
from governance.models import FrozenStatement, Passkey, SignatureProof, User
from governance.offline import verify
from governance.vocabulary import Strength
from governance.vocabulary.entry_kinds import EntryKind

LASTS = timedelta(minutes=5)
TOKEN_LETTERS = 32
KEPT = timedelta(days=1)  # how long a frozen statement lies there after it has ended


class CeremonyEnded(ValueError):
    """The statement has changed or was signed too late. The message is a sentence."""


@dataclass(frozen=True)
class Proof:
    """A person's signature, held until its act writes it down."""

    person_id: int
    act: str
    strength: Strength
    statement: str
    salt: bytes
    shown_at: datetime
    digests: tuple[str, ...] = ()
    nonce: bytes = b""
    passkey: Passkey | None = None
    evidence: dict = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Return the digest of the statement, for other proofs and the entries of the act."""
        return digest_of(self.salt, self.statement)

    @property
    def facts(self) -> dict:
        """Return the facts about the signature for the entries of the act, and receipts."""
        return {"strength": self.strength, "digest": self.digest}


def digest_of(salt: bytes, statement: str) -> str:
    """Return the digest of a statement, which hides the statement without the salt."""
    return entries.commitment(salt, statement.encode()).hex()


# --- Frozen --------------------------------------------------------------------------------------------------


def new_token() -> str:
    """Return a new name for the statement of a form, before and after it is shown."""
    return secrets.token_urlsafe(TOKEN_LETTERS * 3 // 4)


def waits(person: User, token: str) -> bool:
    """Return True if the token has a statement that this person can still sign."""
    now = clock.now()
    return any(row.used_at is None and row.expires_at > now for row in under(person, token))


def under(person: User, token: str) -> list[FrozenStatement]:
    """Return this person's statements of the token: one, or those of a batch in order."""
    return list(named(token).filter(person=person).order_by("pk")) if token else []


def named(token: str) -> QuerySet[FrozenStatement]:
    """Return the statements of the token, of all people."""
    return FrozenStatement.objects.filter(Q(token=token) | Q(token__startswith=f"{token}."))


def freeze(person: User, statement: str, shown_at: datetime, *, token: str = "") -> FrozenStatement:
    """Keep the statement as it is shown now, with a challenge for it alone.

    `token`: the name under which its form sends it again. An earlier unsigned statement of that name is forgotten. A
    used token, or one of another person, is replaced.
    """
    forget_ended()
    token = free_token(person, token)
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(32)
    return FrozenStatement.objects.create(
        token=token,
        person=person,
        statement=statement,
        salt=salt,
        nonce=nonce,
        challenge=verify.signature_challenge(nonce, [digest_of(salt, statement)]),
        shown_at=shown_at,
        expires_at=clock.now() + LASTS,
    )


def free_token(person: User, token: str) -> str:
    """Return this token without its unsigned statements, or a new one if it is not free."""
    if len(token) != TOKEN_LETTERS:
        return new_token()
    there = named(token)
    there.filter(person=person, used_at=None).delete()
    return new_token() if there.exists() else token


def forget_ended() -> None:
    """Delete what was frozen long ago."""
    FrozenStatement.objects.filter(expires_at__lt=clock.now() - KEPT).delete()


def thaw(person: User, token: str) -> FrozenStatement:
    """Return the statement of this person's token, once and in time. Raises CeremonyEnded."""
    now = clock.now()
    mine = FrozenStatement.objects.filter(token=token, person=person)
    if not mine.filter(used_at=None, expires_at__gt=now).update(used_at=now):
        row = mine.first()
        if row is None:
            raise CeremonyEnded("This statement was not shown to you.")
        raise CeremonyEnded(
            "This statement is already signed." if row.used_at else "The time to sign has passed."
        )
    return mine.get()


def by_passkey(
    person: User, *, token: str, sent: str, again, act: str, purpose: str, address: str | None
) -> Proof:
    """Return the proof by the assertion that a browser sent for a frozen statement.

    `again(moment)` writes the statement again, from facts read now, as shown at that moment. Raises CeremonyEnded and
    PasskeyRefused. Both make an entry.
    """
    with ending_recorded(person, purpose, address):
        frozen = _same_again(person, token, again)
    asserted = passkeys.check(
        person, sent, challenge=bytes(frozen.challenge), signing=True, purpose=purpose, address=address
    )
    return proof_of(
        frozen, act=act, strength=Strength.PASSKEY, passkey=asserted.passkey, evidence=asserted.evidence
    )


def by_provider(
    person: User, *, token: str, least: Strength, again, act: str, purpose: str, address: str | None
) -> Proof:
    """Return the proof by the ID token of a frozen statement.

    `again` is as for a passkey, `least` as the rulebook asks now. Raises KeyNotSealed, which uses nothing up, and
    CeremonyEnded, which makes an entry.
    """
    with ending_recorded(person, purpose, address):
        check_provider_will_do(person, token, least)
        frozen = _same_again(person, token, again)
        if why := provider_tokens.why_not_counting(frozen):
            raise CeremonyEnded(why)
    return proof_of(frozen, act=act, strength=Strength.PROVIDER, evidence=frozen.evidence)


def check_provider_will_do(person: User, token: str, least: Strength) -> None:
    """Raise CeremonyEnded if the rulebook asks for more, KeyNotSealed for a new key."""
    if Strength.PROVIDER.rank < least.rank:
        raise CeremonyEnded(f"The rulebook requires a stronger signature, at least: {least.label.lower()}.")
    provider_tokens.check_sealed(under(person, token))


@contextmanager
def ending_recorded(person: User, purpose: str, address: str | None) -> Iterator[None]:
    """Record an entry if the ceremony ends inside."""
    try:
        yield
    except CeremonyEnded as ended:
        record_end(person, purpose=purpose, why=str(ended), address=address)
        raise


def _same_again(person: User, token: str, again) -> FrozenStatement:
    """Return the frozen statement, used up, if it is unchanged. Raises CeremonyEnded."""
    frozen = thaw(person, token)
    now = again(frozen.shown_at)
    if now != frozen.statement:
        names = ", ".join(statements.changed(frozen.statement, now))
        raise CeremonyEnded(f"The statement has changed since it was shown: {names}.")
    return frozen


def proof_of(frozen: FrozenStatement, **how) -> Proof:
    """Return the proof of a frozen statement, with act, strength and evidence."""
    return Proof(
        person_id=frozen.person_id,
        statement=frozen.statement,
        salt=bytes(frozen.salt),
        shown_at=frozen.shown_at,
        digests=(digest_of(bytes(frozen.salt), frozen.statement),),
        nonce=bytes(frozen.nonce),
        **how,
    )


def record_end(person: User, *, purpose: str, why: str, address: str | None) -> None:
    """Leave an entry of a ceremony that ended with nothing signed."""
    with acting(by=person):
        entries.record(
            EntryKind.SIGNATURE_ENDED, login=person.login, purpose=purpose, why=why, address=address
        )


def by_password(person: User, *, act: str, statement: str, shown_at: datetime, with_code: bool) -> Proof:
    """Return the proof by a right password, and code if `with_code`. Others cannot check it."""
    return Proof(
        person_id=person.pk,
        act=act,
        strength=Strength.PASSWORD_AND_CODE if with_code else Strength.PASSWORD,
        statement=statement,
        salt=secrets.token_bytes(16),
        shown_at=shown_at,
    )


# --- Held for the act, and kept --------------------------------------------------------------------------------

_held: ContextVar[tuple[str, Proof] | None] = ContextVar("plumbline_signature", default=None)


def hold(proof: Proof) -> None:
    """Have the next act of this person in this request be signed by it."""
    _held.set((row_history.running_request(), proof))


def take(person: User | None) -> Proof | None:
    """Return the proof held for an act of this person in this request, once, or None."""
    held = _held.get()
    if held is None or person is None:
        return None
    request_id, proof = held
    _held.set(None)
    return proof if request_id == row_history.running_request() and proof.person_id == person.pk else None


@contextmanager
def signing(proof: Proof | None, contract_id: int | None = None) -> Iterator[None]:
    """Put this proof on every entry made inside, and keep it. A proof of None is ignored."""
    with entries.signed(proof.facts) if proof is not None else nullcontext():
        yield
    if proof is not None:
        keep(proof, contract_id)


def keep(proof: Proof, contract_id: int | None) -> SignatureProof:
    """Write the proof down in the transaction of the act that it signs."""
    row = SignatureProof(
        person_id=proof.person_id,
        contract_id=contract_id,
        act=proof.act,
        strength=proof.strength,
        statement=proof.statement,
        salt=bytes_to_base64url(proof.salt),
        digest=proof.digest,
        digests=list(proof.digests or (proof.digest,)),
        nonce=bytes_to_base64url(proof.nonce),
        passkey=proof.passkey,
        evidence=proof.evidence,
        shown_at=proof.shown_at,
        at=max(clock.now(), proof.shown_at),
    )
    row.save()
    return row
