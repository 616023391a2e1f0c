"""The offline check of what an identity provider signed: token, key, account, and who is trusted for which keys."""

import json
from random import Random

import pytest

from governance.offline import verify
from governance.offline.verify import Rejected, Signatures, check_signature
from tests.support.identity.signed_rows import ISSUER, NOON, jwk_of, provider_row, urlsafe
from tests.support.servers.identity_provider import CLIENT, RSAKey, by_public_key, signed, unsigned

ALGORITHMS = ("RS256", "ES256", "EdDSA")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_of_each_algorithm_is_right_in_plain_python(algorithm, monkeypatch):
    monkeypatch.setattr(verify, "Ed25519PublicKey", None)
    assert check_signature(provider_row(algorithm)) == "identity provider"


def test_a_token_for_a_list_of_our_client_alone_is_right():
    assert check_signature(provider_row(aud=[CLIENT])) == "identity provider"


def _evidence(**changes) -> dict:
    row = provider_row()
    return row | {"evidence": row["evidence"] | changes}


def test_what_a_provider_did_not_sign_for_this_statement_is_named():
    noon = int(NOON.timestamp())
    another = RSAKey.generate_key(2048, {"kid": "rsa-1"}, private=True).as_dict(private=False)
    whole, twice = provider_row()["evidence"]["id_token"], urlsafe(b'{"a":1,"a":1}')
    wrong = {
        "to a different statement": provider_row() | {"statement": "another"},
        "not made for this statement": provider_row(nonce="A" * 43),
        "was not made for this": provider_row() | {"nonce": urlsafe(b"x" * 32)},
        "does not have 32 bytes": provider_row() | {"nonce": urlsafe(b"x" * 31)},
        "The issuer of the ID token differs": provider_row(iss="https://evil.example"),
        "The client of the ID token differs": provider_row(aud="other"),
        "differs from the client in the audit log": provider_row(aud=[CLIENT, "other"]),
        "does not contain the time": provider_row(auth_time=None),
        "does not contain the time of the sign-in": provider_row(auth_time="now"),
        "is earlier than the statement": provider_row(auth_time=noon - 66),
        "is later than the signature": provider_row(auth_time=noon + 61),
        "not signed by the key": _evidence(jwk=another),
        "signed by the key that was kept": _evidence(
            jwk=jwk_of("ES256") | {"y": jwk_of("ES256")["x"]}, algorithm="RS256"
        ),
        "The algorithm of the ID token differs": _evidence(algorithm="ES256"),
        "algorithm of the ID token differs from": provider_row(sign=lambda claims, alg: unsigned(claims)),
        "differs from the algorithm in the audit log": provider_row(
            sign=lambda claims, alg: by_public_key(claims)
        ),
        "has an unknown type": _evidence(jwk={"kty": "oct", "k": "AAAA"}),
        "not a signed token": _evidence(id_token=whole.rpartition(".")[0]),
        "is not valid Base64url": _evidence(id_token=whole + "="),
        "is not JSON": _evidence(id_token="AAAA" + whole),
        "contains the same name twice": _evidence(id_token=f"{twice}.{twice}.AAAA"),
    }
    for words, broken in wrong.items():
        with pytest.raises(Rejected, match=words):
            check_signature(broken)
    for then in (noon - 65, noon + 60):
        assert check_signature(provider_row(auth_time=then)) == "identity provider"


def test_any_flipped_bit_of_a_token_is_found_at_its_signature():
    random, rows = Random(26), [provider_row(name, number=place) for place, name in enumerate(ALGORITHMS)]
    found = 0
    for _ in range(300):
        row = json.loads(json.dumps(random.choice(rows)))
        kept = row["evidence"]
        holder, name = random.choice(
            [(row, "salt"), (row, "nonce"), (kept, "id_token"), (kept["jwk"], "x"), (kept["jwk"], "n")]
        )
        if name not in holder:
            continue
        pieces = holder[name].split(".")
        place = random.randrange(len(pieces))
        content = bytearray(verify.from_base64url(pieces[place], name))
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
        pieces[place] = urlsafe(bytes(content))
        holder[name] = ".".join(pieces)
        with pytest.raises((Rejected, ValueError, KeyError, TypeError, AttributeError)):
            check_signature(row)
        found += 1
    assert found > 200


def test_tokens_are_checked_by_plain_python_alone(monkeypatch):
    monkeypatch.setattr(verify, "Ed25519PublicKey", None)
    for place, name in enumerate(ALGORITHMS):
        check_signature(provider_row(name, number=place))


# --- What the audit log says of keys and accounts
# ------------------------------------------------------------------------


def entry(table: str, number: int, **row) -> tuple[dict, bytes | None]:
    """The entry of a new row."""
    leaf = {"table": table, "operation": "+", "key": str(number), "xact": 5, "actor": 7, "kind": "row"}
    return leaf, json.dumps({"after": {"id": number} | row}).encode()


def provider_of(**changes):
    said = {"issuer": ISSUER, "client_id": CLIENT, "key_claim": "sub"}
    return entry(verify.PROVIDERS_TABLE, 1, **said | changes)


def key_of(**changes):
    said = {"provider_id": 1, "jwk": jwk_of("RS256"), "fetched_at": "2026-11-01T08:00:00.000000+00:00"}
    return entry(verify.PROVIDER_KEYS_TABLE, 2, **said | changes)


def link_of(**changes):
    said = {
        "person_id": 7,
        "provider_id": 1,
        "key": "subject-1",
        "linked_at": "2026-11-08T12:00:00+00:00",
        "linked_by_id": 7,
        "counts_from": None,
        "ended_at": None,
    }
    return entry(verify.LINKS_TABLE, 3, **said | changes)


def proof(**claims):
    return of_proof(provider_row(**claims))


def of_proof(row: dict):
    return entry(verify.PROOFS_TABLE, row.pop("id"), **row)


def lines(signatures: Signatures, *entries) -> str:
    """What is said once these entries were looked at, in their order."""
    for position, (leaf, body) in enumerate(entries):
        signatures.look(position, leaf, body)
    signatures.finish()
    return " ".join(signatures.lines())


def test_a_key_of_a_provider_is_recorded_before_it_signs_or_named_as_untrusted():
    right = provider_of(), key_of(), link_of(), proof()
    said = lines(Signatures(True, [2, 3, 9]), *right)
    assert (
        f"the key of {ISSUER} as this installation recorded it on 2026-11-01, sealed under checkpoint 2"
        in said
    )
    assert "no checkpoint of this export proves" in lines(Signatures(True, [4]), *right)
    assert "no checkpoint of this export proves" in lines(Signatures(False, [2]), proof())
    trusted = {ISSUER: [verify.key_of_jwk(jwk_of("RS256"))]}
    assert f"a key that you trust for {ISSUER}" in lines(Signatures(True, [2], trusted), *right)
    other = {ISSUER: [verify.key_of_jwk(jwk_of("ES256"))]}
    forged = RSAKey.generate_key(2048, {"kid": "rsa-1"}, private=True)
    by_forged = provider_row(sign=lambda claims, alg: signed(claims, forged))
    by_forged["evidence"]["jwk"] = forged.as_dict(private=False)
    wrong = {
        "is not among the keys that you trust": (Signatures(True, [2], other), *right),
        "was not recorded before the signature": (
            Signatures(True, [2]),
            provider_of(),
            link_of(),
            proof(),
            key_of(),
        ),
        "The key of the provider differs": (
            Signatures(True, [2]),
            provider_of(),
            key_of(),
            link_of(),
            of_proof(by_forged),
        ),
        "provider differs from the key": (Signatures(True, [2]), provider_of(issuer="https://x"), *right[1:]),
        "differs from the key in the audit log": (
            Signatures(True, [2]),
            provider_of(client_id="x"),
            *right[1:],
        ),
        "give different times": (
            Signatures(True, [2]),
            provider_of(),
            key_of(fetched_at="2026-11-02T08:00:00+00:00"),
            *right[2:],
        ),
        "was replaced": (Signatures(True, [2]), provider_of(), key_of(), key_of(jwk=jwk_of("ES256"))),
    }
    for words, (signatures, *entries) in wrong.items():
        with pytest.raises(Rejected, match=words):
            lines(signatures, *entries)


def test_a_token_is_of_the_account_at_the_provider_that_was_linked_with_its_signer():
    before = provider_of(), key_of()
    entra = {"tid": "T-1", "oid": "O-1"}
    at_entra = provider_of(key_claim="tid+oid"), key_of()
    assert lines(Signatures(True, [2]), *at_entra, link_of(key="t-1/o-1"), proof(**entra))
    with pytest.raises(Rejected, match="The account of the ID token"):
        lines(Signatures(True, [2]), *before, link_of(key="t-1/o-1"), proof(**entra))
    wrong = {
        "was not linked with the signer before": (proof(), link_of()),
        "The account of the ID token": (link_of(key="subject-2"), proof()),
        "is at a different provider": (link_of(provider_id=9), proof()),
        "is not the account that is linked": (link_of(person_id=8), proof()),
        "The signer could not sign": (link_of(linked_at="2026-11-08T12:01:00+00:00"), proof()),
        "could not sign with the account at the provider": (
            link_of(counts_from="2026-11-09T12:30:00+00:00"),
            proof(),
        ),
        "at the time of the signature": (link_of(ended_at="2026-11-09T11:00:00+00:00"), proof()),
    }
    for words, entries in wrong.items():
        with pytest.raises(Rejected, match=words):
            lines(Signatures(True, [2]), *before, *entries)


def test_where_an_account_or_a_key_was_erased_its_signature_is_not_called_forged():
    gone = [(leaf, None) for leaf, _ in (key_of(), link_of())]
    assert "1 signatures by identity provider" in lines(Signatures(True, [2]), *gone, proof())


def test_keys_that_somebody_trusts_are_read_from_a_file(tmp_path):
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": [jwk_of("RS256"), {"kty": "oct", "k": "AAAA"}]}))
    assert verify.issuers_of([(ISSUER, str(file))]) == {ISSUER: [verify.key_of_jwk(jwk_of("RS256"))]}
    file.write_text("[]")
    with pytest.raises(Rejected, match="is not a list of keys"):
        verify.issuers_of([(ISSUER, str(file))])
