"""Several statements signed at once: one challenge over all, a proof for each.

Each proof keeps its own statement, and only the digests of the others, from which no one can guess a statement.
"""

import secrets
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from governance import clock
from governance.identity.factors import passkeys
from governance.identity.proofs import ceremony, provider_tokens
from governance.identity.proofs.ceremony import LASTS, CeremonyEnded, Proof, digest_of
from governance.models import FrozenStatement, User
from governance.offline import verify
from governance.vocabulary import Strength

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Frozen:
    """The statements as they were shown together, and the one challenge for all of them."""

    token: str
    challenge: bytes
    statement: str  # all of them, one after the other, as the signer reads them


def freeze(person: User, statements: Mapping[Key, str], shown_at: datetime, *, token: str = "") -> Frozen:
    """Keep the statements as they are shown now, in order, with one challenge.

    `token`: under which their form sends them again, as for a single one.
    """
    ceremony.forget_ended()
    token, nonce = ceremony.free_token(person, token), secrets.token_bytes(32)
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
    acts: Mapping[Key, str],
    purpose: str,
    address: str | None,
) -> dict[Key, Proof]:
    """Return the proofs by the one assertion that a browser sent for these statements.

    `again(moment)` writes all of them again, from facts read now, as shown at that moment. `acts` has the act of each,
    as the rulebook names it. Raises CeremonyEnded and PasskeyRefused. Both make an entry.
    """
    with ceremony.ending_recorded(person, purpose, address):
        rows = _same_again(person, token, again)
    challenge = bytes(next(iter(rows.values())).challenge)
    asserted = passkeys.check(
        person, sent, challenge=challenge, signing=True, purpose=purpose, address=address
    )
    how = {"strength": Strength.PASSKEY, "passkey": asserted.passkey, "evidence": asserted.evidence}
    return _together({key: ceremony.proof_of(row, act=acts[key], **how) for key, row in rows.items()})


def by_provider(
    person: User,
    *,
    token: str,
    least: Strength,
    again: Callable[[datetime], Mapping[Key, str]],
    acts: Mapping[Key, str],
    purpose: str,
    address: str | None,
) -> dict[Key, Proof]:
    """Return the proofs by the one ID token of statements that were frozen together."""
    with ceremony.ending_recorded(person, purpose, address):
        ceremony.check_provider_will_do(person, token, least)
        rows = _same_again(person, token, again)
        if why := provider_tokens.why_not_counting(next(iter(rows.values()))):
            raise CeremonyEnded(why)
    return _together(
        {
            key: ceremony.proof_of(row, act=acts[key], strength=Strength.PROVIDER, evidence=row.evidence)
            for key, row in rows.items()
        }
    )


def _same_again(
    person: User, token: str, again: Callable[[datetime], Mapping[Key, str]]
) -> dict[Key, FrozenStatement]:
    """Return the frozen statements, used up, if they are unchanged. Raises CeremonyEnded."""
    first = ceremony.thaw(person, _token(token, 0))
    now = again(first.shown_at)
    rows = [first, *(ceremony.thaw(person, _token(token, place)) for place in range(1, len(now)))]
    more = FrozenStatement.objects.filter(token=_token(token, len(now)), person=person).exists()
    if more or [row.statement for row in rows] != list(now.values()):
        raise CeremonyEnded("The statements have changed since they were shown.")
    return dict(zip(now, rows, strict=True))


def by_password(
    person: User,
    *,
    acts: Mapping[Key, str],
    statements: Mapping[Key, str],
    shown_at: datetime,
    with_code: bool,
) -> dict[Key, Proof]:
    """Return the proofs by one right password, and code if `with_code`. Others cannot check them."""
    return _together(
        {
            key: ceremony.by_password(
                person, act=acts[key], statement=text, shown_at=shown_at, with_code=with_code
            )
            for key, text in statements.items()
        }
    )


def _together(proofs: dict[Key, Proof]) -> dict[Key, Proof]:
    """Return each proof with the digests of all, in the order of showing."""
    digests = tuple(proof.digest for proof in proofs.values())
    return {key: replace(proof, digests=digests) for key, proof in proofs.items()}
