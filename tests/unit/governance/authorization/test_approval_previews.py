"""What a system hands over for its approver: read strictly, and stood for by its digest."""

import hashlib

import pytest

from governance.authorization import approval_previews, authzen
from governance.authorization.approval_previews import Preview, Unreadable

REQUEST = {
    "subject": {"type": "user", "id": "alice"},
    "action": {"name": "send"},
    "resource": {"type": "record", "id": "1"},
}
WRONG = {
    "a text by itself": "Dear Ms Keller",
    "nothing": None,
    "a list": [{"text": "x"}],
    "an empty object": {},
    "both": {"text": "x", "link": "https://example.org/"},
    "another name": {"html": "<b>x</b>"},
    "a name besides": {"text": "x", "title": "y"},
    "what stands for one": {"kind": "text", "sha256": "0" * 64},
    "a number": {"text": 7},
    "an empty text": {"text": ""},
    "spaces": {"text": " \n\t"},
    "too long": {"text": "x" * 20_001},
    "an address too long": {"link": "https://example.org/" + "x" * 2_000},
}
NO_ADDRESSES = (
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "http://example.org/letter",
    "HTTPS://example.org/letter",
    "//example.org/letter",
    "/letter",
    "https://",
    "https:///letter",
    "https:example.org",
    " https://example.org/",
    "https://example.org/\n",
    "https://example.org/a b",
    "https://user@example.org/",
    "https://bank.example@evil.example/",
    "https://evil.example\\.bank.example/",
    "https://example.org\\@evil.example/",
    "https://bänk.example/",
    "https://example.org/\u202egpj",
    'https://example.org/"onmouseover="alert(1)',
    "https://example.org/<b>",
    "https://example.org:port/",
    "https://.example.org/",
    "https://[::1]/",
)


@pytest.mark.parametrize("said", WRONG.values(), ids=WRONG)
def test_what_is_no_preview_is_refused_with_a_sentence(said):
    with pytest.raises(authzen.BadRequest, match=r"^context\.preview.*\.$"):
        authzen.evaluation_request(REQUEST | {"context": {"preview": said}})


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(Unreadable, match="begins with https://"):
        approval_previews.read({"link": address})
    assert approval_previews.host_of(address) == ""


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://files.example.org/letter?id=7#end", "files.example.org"),
        ("https://files.example.org:8443", "files.example.org:8443"),
        ("https://xn--bnk-rla.example/a/(b)@c;d=[e]", "xn--bnk-rla.example"),
        ("https://files.example.org?next=https://evil.example/", "files.example.org"),
    ],
)
def test_the_host_of_an_address_is_named(address, host):
    assert approval_previews.read({"link": address}) == Preview("link", address)
    assert approval_previews.host_of(address) == host


def test_the_longest_text_is_taken():
    assert approval_previews.read({"text": "ü" * 20_000}).content == "ü" * 20_000


def test_a_sealed_request_holds_the_digest_and_not_the_text():
    asked = REQUEST | {"context": {"channel": "mail", "preview": {"text": "Für Sie"}}}
    sealed, preview = approval_previews.sealed(authzen.evaluation_request(asked))
    digest = hashlib.sha256("Für Sie".encode()).hexdigest()
    assert sealed == REQUEST | {"context": {"channel": "mail", "preview": {"kind": "text", "sha256": digest}}}
    assert (preview, preview.digest, preview.words) == (Preview("text", "Für Sie"), digest, 2)
    assert asked["context"]["preview"] == {"text": "Für Sie"}, "what was asked stays as it was"


def test_a_text_and_an_address_of_the_same_letters_are_two():
    address = "https://example.org/a"
    sealed = [
        approval_previews.sealed(REQUEST | {"context": {"preview": {kind: address}}})[0]
        for kind in ("text", "link")
    ]
    assert sealed[0] != sealed[1]
    assert approval_previews.read({"link": address}).words == 0, "nobody knows what stands behind it"


@pytest.mark.parametrize("context", [{}, {"channel": "mail"}, None])
def test_a_request_without_one_stays_as_it_is(context):
    evaluation_request = REQUEST | ({} if context is None else {"context": context})
    assert approval_previews.sealed(evaluation_request) == (evaluation_request, None)
