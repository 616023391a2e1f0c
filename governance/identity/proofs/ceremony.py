"""From a statement that was shown to the proof that is kept: frozen, signed, held for the act, written beside it.

Nothing is locked while somebody looks for their passkey, or signs in at their identity provider. What comes back is
compared with facts read anew; where they moved, the ceremony ends and says what changed.
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
    """What was signed is not what would be signed now, or was signed too late; the words are a sentence."""


@dataclass(frozen=True)
class Proof:
    """How somebody signed, held until the act that it is for writes it down."""

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
        """What stands for the statement where others are signed beside it, and in the entries of the act."""
        return digest_of(self.salt, self.statement)

    @property
    def facts(self) -> dict:
        """What the entries of the act say of the signature, and receipts with them."""
        return {"strength": self.strength, "digest": self.digest}


def digest_of(salt: bytes, statement: str) -> str:
    """The digest of a statement: nobody guesses the statement from it without the salt."""
    return entries.commitment(salt, statement.encode()).hex()


# --- Frozen --------------------------------------------------------------------------------------------------


def new_token() -> str:
    """What a form calls its statement by, before and after that was shown."""
    return secrets.token_urlsafe(TOKEN_LETTERS * 3 // 4)


def waits(person: User, token: str) -> bool:
    """Whether a statement of this person lies under the token that can still be signed."""
    now = clock.now()
    return any(row.used_at is None and row.expires_at > now for row in under(person, token))


def under(person: User, token: str) -> list[FrozenStatement]:
    """The statements of this person that are called by the token: one, or those of a batch in their order."""
    return list(named(token).filter(person=person).order_by("pk")) if token else []


def named(token: str) -> QuerySet[FrozenStatement]:
    """What lies under the token, whoever it was shown to."""
    return FrozenStatement.objects.filter(Q(token=token) | Q(token__startswith=f"{token}."))


def freeze(person: User, statement: str, shown_at: datetime, *, token: str = "") -> FrozenStatement:
    """Keep the statement as it is shown now, with the challenge that is good for it alone.

    `token`: under which its form sends it again; what was frozen under that before and not signed is forgotten. One
    that was used, or is somebody else's, is not taken.
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
    """This token, once nothing lies under it; a new one instead of none, of a used one, and of somebody else's."""
    if len(token) != TOKEN_LETTERS:
        return new_token()
    there = named(token)
    there.filter(person=person, used_at=None).delete()
    return new_token() if there.exists() else token


def forget_ended() -> None:
    """Delete what was frozen long ago."""
    FrozenStatement.objects.filter(expires_at__lt=clock.now() - KEPT).delete()


def thaw(person: User, token: str) -> FrozenStatement:
    """The statement that was shown to this person under the token, once and in time. Raises CeremonyEnded."""
    now = clock.now()
    mine = FrozenStatement.objects.filter(token=token, person=person)
    if not mine.filter(used_at=None, expires_at__gt=now).update(used_at=now):
        row = mine.first()
        if row is None:
            raise CeremonyEnded("This was not shown to you to be signed.")
        raise CeremonyEnded("This was signed already." if row.used_at else "That took too long.")
    return mine.get()


def by_passkey(
    person: User, *, token: str, sent: str, again, act: str, purpose: str, address: str | None
) -> Proof:
    """The proof by the assertion that a browser sent for a frozen statement.

    `again(moment)` writes the statement anew, from facts read now, as shown at that moment. Raises CeremonyEnded and
    PasskeyRefused; both leave an entry.
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
    """The proof by the ID token that lies beside a frozen statement; `again` as for a passkey, `least` as the rulebook
    asks now.

    Raises KeyNotSealed, which uses nothing up, and CeremonyEnded, which leaves an entry.
    """
    with ending_recorded(person, purpose, address):
        check_provider_will_do(person, token, least)
        frozen = _same_again(person, token, again)
        if why := provider_tokens.why_not_counting(frozen):
            raise CeremonyEnded(why)
    return proof_of(frozen, act=act, strength=Strength.PROVIDER, evidence=frozen.evidence)


def check_provider_will_do(person: User, token: str, least: Strength) -> None:
    """Raise CeremonyEnded where the rulebook asks for more than an ID token, and KeyNotSealed where its key waits."""
    if Strength.PROVIDER.rank < least.rank:
        raise CeremonyEnded(f"The rulebook asks that this is signed by at least: {least.label.lower()}.")
    provider_tokens.check_sealed(under(person, token))


@contextmanager
def ending_recorded(person: User, purpose: str, address: str | None) -> Iterator[None]:
    """Leave an entry where the ceremony ends inside."""
    try:
        yield
    except CeremonyEnded as ended:
        record_end(person, purpose=purpose, why=str(ended), address=address)
        raise


def _same_again(person: User, token: str, again) -> FrozenStatement:
    """The frozen statement, used up, once it is the one that would be signed now. Raises CeremonyEnded."""
    frozen = thaw(person, token)
    now = again(frozen.shown_at)
    if now != frozen.statement:
        names = ", ".join(statements.changed(frozen.statement, now))
        raise CeremonyEnded(f"What you sign changed since it was shown: {names}.")
    return frozen


def proof_of(frozen: FrozenStatement, **how) -> Proof:
    """The proof of what was frozen: act, strength and what shows it as named."""
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
    """The proof by a password that was right, with a code that was right where `with_code`: our word for it."""
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
    """The proof that is held for an act of this person in this request, no second time; None where there is none."""
    held = _held.get()
    if held is None or person is None:
        return None
    request_id, proof = held
    _held.set(None)
    return proof if request_id == row_history.running_request() and proof.person_id == person.pk else None


@contextmanager
def signing(proof: Proof | None, contract_id: int | None = None) -> Iterator[None]:
    """Have every entry of what is done inside say by which proof it is signed, and keep that; None signs nothing."""
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
