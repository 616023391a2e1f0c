"""Texts of identity: what is signed has one reading, and names come from claims only if they can be read."""

from datetime import UTC, datetime

import pytest

from governance.identity.proofs import statements
from governance.identity.providers.identity_claims import identity_of, proposed_by
from governance.vocabulary.readable_text import hidden

ISSUER = "https://login.example.org"


def test_a_signed_statement_spells_out_what_a_reader_cannot_see():
    text = statements.write(
        person_id=7,
        act="approve contract",
        purpose="approve the contract of AI-0001, only \u202edraft",
        shown_at=datetime(2026, 11, 25, tzinfo=UTC),
        words={"comment": "fine\u200b", "several": ["a\u2066b"]},
        facts={"title": "Pay\u00adments"},
    )
    assert not hidden(text)
    for words in ("only [U+202E]draft", "fine[U+200B]", "a[U+2066]b", "Pay[U+00AD]ments"):
        assert words in text


def identity(**claims):
    return identity_of({"sub": "x"} | claims, tenant_and_object=False, issuer=ISSUER, guests=False)


@pytest.mark.parametrize("letter", ["\u202e", "\u200b", "\x00", "\ud83d", "\x07"])
def test_a_claim_with_a_hidden_character_names_nobody(letter):
    found = identity(
        name=f"Ana{letter} Ruiz", email=f"ana{letter}@example.org", preferred_username=f"a{letter}"
    )
    assert (found.name, found.mail, found.login) == ("", "", "")
    assert proposed_by({"roles": [f"sales{letter}", "service"]}, "roles") == (["service"], "")


@pytest.mark.parametrize(
    "name",
    [
        "مرحبا",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "Zoë\u00a0Ødegård",
        "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
    ],
)
def test_names_of_every_script_are_taken(name):
    assert identity(name=name).name == " ".join(name.split())
