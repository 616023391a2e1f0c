"""The checker of pages finds what it looks for; that every page passes it, `test_access` and `test_admin` show."""

import pytest
from django.http import HttpResponse

from tests.support.web.security_policy import HEADERS, POLICY, trouble_with


def answer(page: str, **headers) -> HttpResponse:
    """A page under our headers, but for these."""
    return HttpResponse(
        page, headers=HEADERS | {"Content-Security-Policy": "; ".join(sorted(POLICY))} | headers
    )


def test_a_sound_page_has_no_trouble():
    assert (
        trouble_with(answer('<script src="/static/a.js"></script><a href="https://example.org/">out</a>'))
        == []
    )


@pytest.mark.parametrize(
    "page",
    [
        "<script>1</script>",
        "<style>a{}</style>",
        '<p style="color:red">',
        '<p onclick="x()">',
        '<p hx-on:click="x()">',
        '<a href="javascript:x()">',
        '<a href=" JaVaScript:x()">',
        '<img src="data:image/png;base64,xx">',
        '<script src="https://elsewhere.example/a.js"></script>',
        '<link href="//elsewhere.example/a.css">',
        '<base href="/">',
        '<object data="/x">',
    ],
)
def test_what_needs_a_slacker_policy_is_found(page):
    assert trouble_with(answer(page))


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_lacks_is_found(name):
    assert trouble_with(answer("", **{name: "else"}))


@pytest.mark.parametrize("policy", ["", "default-src 'self'", "; ".join(POLICY) + " 'unsafe-inline'"])
def test_a_slacker_policy_is_found(policy):
    assert trouble_with(answer("", **{"Content-Security-Policy": policy}))


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/sign-in/", "/healthz", "/no/such/page/", "/static/no-such-file.css"])
def test_pages_outside_have_it_too(client, path):
    assert trouble_with(client.get(path)) == []


@pytest.mark.django_db
def test_tracing_is_not_answered(client):
    """Nothing repeats a request's headers to whoever sent it."""
    answer = client.generic("TRACE", "/sign-in/", headers={"x-mark": "plumbline-mark"})
    assert answer.status_code == 405
    assert b"plumbline-mark" not in answer.content


@pytest.mark.django_db
def test_signing_out_empties_the_browser(cast, as_):
    answer = as_(cast.owner).post("/sign-out/")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'


@pytest.mark.django_db
def test_pages_that_refuse_have_it_too(cast, as_):
    client = as_(cast.owner)
    assert trouble_with(client.get("/imports/")) == []
    assert trouble_with(client.get("/initiatives/?q=%00")) == []
    assert trouble_with(client.post("/notifications/read/", {}, secure=False)) == []
    client.handler.enforce_csrf_checks = True
    refused = client.post("/notifications/read/", {})
    assert refused.status_code == 403
    assert trouble_with(refused) == []
