"""Several statements of one sitting, signed at once: one challenge over the digests of all, a proof for each.

Each proof keeps its own statement, and of the others their digests alone, which nobody guesses a statement from.
"""

import secrets
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from governance import clock
from governance.identity.factors import passkeys
from governance.identity.proofs import ceremony
from governance.identity.proofs.ceremony import LASTS, CeremonyEnded, Proof, digest_of
from governance.models import FrozenStatement, User
from governance.offline import verify
from governance.vocabulary import Strength

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Frozen:
    """Statements as they were shown together, and the one challenge that is good for all of them."""

    token: str
    challenge: bytes
    statement: str  # all of them, one after the other, as whoever signs reads them


def freeze(person: User, statements: Mapping[Key, str], shown_at: datetime) -> Frozen:
    """Keep the statements as they are shown now, in their order, with the challenge that is good for them alone."""
    ceremony.forget_ended()
    token, nonce = secrets.token_urlsafe(24), secrets.token_bytes(32)
    salted = [(secrets.token_bytes(16), text) for text in statements.values()]
    challenge = verify.signature_challenge(nonce, [digest_of(salt, text) for salt, text in salted])
    FrozenStatement.objects.bulk_create(
        FrozenStatement(
            token=_token(token, place),
            person=person,
            statement=text,
            salt=salt,
            nonce=nonce,
            challenge=challenge,
            shown_at=shown_at,
            expires_at=clock.now() + LASTS,
        )
        for place, (salt, text) in enumerate(salted)
    )
    return Frozen(token, challenge, "\n".join(statements.values()))


def _token(token: str, place: int) -> str:
    return f"{token}.{place}"


def by_passkey(
    person: User,
    *,
    token: str,
    sent: str,
    again: Callable[[datetime], Mapping[Key, str]],
    act: str,
    purpose: str,
    address: str | None,
) -> dict[Key, Proof]:
    """The proofs by the one assertion that a browser sent for statements that were frozen together.

    `again(moment)` writes all of them anew, from facts read now, as shown at that moment. Raises CeremonyEnded and
    PasskeyRefused; both leave an entry.
    """
    try:
        first = ceremony.thaw(person, _token(token, 0))
        rows = [first]
        now = again(first.shown_at)
        rows += [ceremony.thaw(person, _token(token, place)) for place in range(1, len(now))]
        more = FrozenStatement.objects.filter(token=_token(token, len(now)), person=person).exists()
        if more or [row.statement for row in rows] != list(now.values()):
            raise CeremonyEnded("What you sign is not what was shown.")
    except CeremonyEnded as ended:
        ceremony.record_end(person, purpose=purpose, why=str(ended), address=address)
        raise
    asserted = passkeys.check(
        person, sent, challenge=bytes(first.challenge), signing=True, purpose=purpose, address=address
    )
    return _together(
        {
            key: Proof(
                person_id=person.pk,
                act=act,
                strength=Strength.PASSKEY,
                statement=row.statement,
                salt=bytes(row.salt),
                shown_at=row.shown_at,
                nonce=bytes(row.nonce),
                passkey=asserted.passkey,
                evidence=asserted.evidence,
            )
            for key, row in zip(now, rows, strict=True)
        }
    )


def by_password(
    person: User, *, act: str, statements: Mapping[Key, str], shown_at: datetime, with_code: bool
) -> dict[Key, Proof]:
    """The proofs by one password that was right, with a code that was right where `with_code`: our word for them."""
    return _together(
        {
            key: ceremony.by_password(person, act=act, statement=text, shown_at=shown_at, with_code=with_code)
            for key, text in statements.items()
        }
    )


def _together(proofs: dict[Key, Proof]) -> dict[Key, Proof]:
    """Each with the digests of all, in the order in which they were shown."""
    digests = tuple(proof.digest for proof in proofs.values())
    return {key: replace(proof, digests=digests) for key, proof in proofs.items()}
