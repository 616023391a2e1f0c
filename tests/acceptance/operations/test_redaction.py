"""No secret in any log: the step that takes them out, and a drive through everything that handles one."""

import logging
import time

import pytest
import structlog
from django.conf import settings
from django.db import OperationalError
from django.test import Client

from governance.runtime.redaction import BLACK, LONGEST, LONGEST_TRACEBACK, BlackOut
from tests.support import factories

SECRET = "a-secret-of-ours-77"


@pytest.mark.parametrize(
    "line",
    [
        f"postgresql://app:{SECRET}@db.example.org:5432/plumbline does not answer",
        f"smtp+tls://user:{SECRET}@mail.example.org",
        f"Authorization: Bearer {SECRET}",
        f"authorization='Basic {SECRET}'",
        f"Cookie: a=b; session={SECRET}",
        f"Set-Cookie: __Host-session={SECRET}; Secure",
        f"connection failed: password={SECRET} host=x",
        f"{{'password': '{SECRET}', 'login': 'owner'}}",
        f'{{"api_key": "{SECRET}"}}',
        f"csrfmiddlewaretoken={SECRET}&title=x",
        f"secret_key: {SECRET}",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
        f"Forbidden (CSRF token missing.): /password/link/{SECRET}/",
        f"Not Found: /first-admin/{SECRET}/",
        f"Not Found: /calendar/{SECRET}.ics",
        f"the word {SECRET} by itself",
    ],
)
def test_what_looks_like_a_secret_is_taken_out(line):
    black_out = BlackOut([SECRET] if "by itself" in line else [])
    found = black_out.text(line)
    assert SECRET not in found
    assert BLACK in found


@pytest.mark.parametrize(
    "line",
    [
        "The user name or the password is wrong",
        "sealed 12 entries, key plumbline.example.org/audit-log+f00f",
        "https://example.org/a:b@c",
        "initiative not found for this person: AI-0042",
        "the token authority does not answer",
    ],
)
def test_ordinary_lines_stay_as_they_are(line):
    assert BlackOut(["short"]).text(line) == line


def test_values_are_looked_into_by_name_and_depth():
    black_out = BlackOut([SECRET])
    found = black_out(
        None,
        "info",
        {
            "password": "x",
            "user_token": "y",
            "facts": {"secret": "z", "note": [f"with {SECRET}"]},
            "count": 3,
        },
    )
    assert found["password"] == found["user_token"] == found["facts"]["secret"] == BLACK
    assert found["facts"]["note"] == [f"with {BLACK}"]
    assert found["count"] == 3


def test_a_line_break_cannot_forge_a_line(lines):
    logging.getLogger("plumbline.sign_in").warning(
        "failed\ntimestamp='2026-01-01' level='info' event='signed in'"
    )
    assert len(lines) == 1
    assert "\n" not in lines[0]


class Lines(logging.Handler):
    """Everything that is logged, at any level, as the handler of ours would write it."""

    def __init__(self):
        super().__init__(0)
        self.lines: list[str] = []
        options = dict(settings.LOGGING["formatters"]["line"])
        self.setFormatter(options.pop("()")(**options))

    def emit(self, record):
        self.lines.append(self.format(record))


@pytest.fixture
def lines():
    """Listens at the root, with every logger of ours and of the framework wide open."""
    handler, loggers = (
        Lines(),
        [logging.getLogger(name) for name in ("", "plumbline", "django", "django.request")],
    )
    before = [(logger, logger.level) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    yield handler.lines
    logging.getLogger().removeHandler(handler)
    for logger, level in before:
        logger.setLevel(level)


@pytest.mark.django_db
def test_signing_in_setting_passwords_and_breaking_leave_no_secret_in_a_log(
    client, cast, as_, lines, monkeypatch
):
    wrong, new = "a wrong password of 2026", "a new password of 2026"
    client.raise_request_exception = False
    client.post("/sign-in/", {"username": "owner", "password": wrong})
    client.post("/sign-in/", {"username": "owner", "password": factories.PASSWORD})
    own = {"current": factories.PASSWORD, "password": new}
    as_(cast.lead).post("/account/password/", own | {"again": f"{new}!"})
    as_(cast.lead).post("/account/password/", own | {"again": new})

    forged = Client(enforce_csrf_checks=True)
    assert forged.post(f"/password/link/{SECRET}/", {"password": new}).status_code == 403

    def breaks(*_, **__):
        raise OperationalError(f"cannot reach postgresql://app:{SECRET}@db:5432/x with password={new}")

    page = None
    with monkeypatch.context() as patch:
        patch.setattr("initiatives.lifecycle.initiative.initiative_frame.initiative_context", breaks)
        patch.setattr(
            "initiatives.lifecycle.initiative_pages.views.initiative_context", breaks, raising=False
        )
        initiative = factories.make_initiative(cast)
        page = client.get(f"/initiatives/{initiative.ref}/")
    assert page.status_code == 503, "the database is away: come back in a minute"
    said = "\n".join(lines)
    assert "OperationalError" in said
    assert "sign-in failed" in said
    for secret in (wrong, new, factories.PASSWORD, SECRET, settings.SECRET_KEY):
        assert secret not in said, secret
        assert secret not in page.content.decode()
    assert "Traceback" not in page.content.decode()


# --- What strangers send ----------------------------------------------------------------------------------------------

LONG_HOSTS = {
    "labels": "a." * 4_000,
    "schemes": "a+" * 4_000,
    "addresses": "://x:" * 1_600,
    "names": "secret_" * 1_150,
    "letters": "x" * 8_000,
}


@pytest.mark.parametrize("name", LONG_HOSTS)
def test_a_long_host_header_costs_at_most_three_times_a_plain_request(name, db):
    client, seen = Client(raise_request_exception=False), {"plain": [], "long": []}
    hosts = {"plain": ("testserver", 200), "long": (LONG_HOSTS[name], 400)}
    for _ in range(25):  # in turns, so that both meet the same machine
        for kind, (host, status) in hosts.items():
            began = time.thread_time()
            assert client.get("/sign-in/", headers={"host": host}).status_code == status
            seen[kind].append(time.thread_time() - began)
    plain, long = (min(seen[kind]) * 1000 for kind in ("plain", "long"))
    print(
        f"Host header of 8 kB, {name}: {long:.1f} ms, {long / plain:.2f} times a plain request ({plain:.1f} ms)"
    )
    assert long <= 3 * plain


@pytest.mark.parametrize("name", LONG_HOSTS)
def test_a_long_host_header_is_logged_in_part(name, client, lines):
    assert client.get("/sign-in/", headers={"host": LONG_HOSTS[name]}).status_code == 400
    said = [line for line in lines if "HTTP_HOST" in line]
    assert said
    assert all("characters cut]" in line for line in said)
    assert not any(LONG_HOSTS[name][:LONGEST] in line for line in said)


@pytest.mark.parametrize(
    ("where", "level"),
    [("event", "warning"), ("value", "warning"), ("path", "warning"), ("traceback", "exception")],
)
def test_no_more_than_500_letters_of_a_stranger_are_logged(where, level, lines, client, db):
    long = "z" * 40_000
    log = logging.getLogger("plumbline.sign_in")
    if where == "event":
        log.warning("failed for %s", long)
    elif where == "value":
        structlog.get_logger("plumbline.sign_in").warning("failed", facts={"name": [long] * 100, long: 1})
    elif where == "path":
        client.get(f"/{long}")
    else:
        try:
            raise ValueError(long)
        except ValueError:
            log.exception("failed")
    assert lines
    assert "z" * 400 in "".join(lines), "the beginning is kept"
    assert "z" * (LONGEST + 1) not in "".join(lines)
    assert "characters cut]" in "".join(lines)
    assert all(len(line) < 40_000 for line in lines)


@pytest.mark.parametrize("before", [*range(LONGEST - 60, LONGEST + 5, 4), 19_990, 20_000])
@pytest.mark.parametrize(
    "secret",
    [
        f"postgresql://app:{SECRET}@db.example.org",
        f"password={SECRET}",
        f"Authorization: Bearer {SECRET}",
        f"/password/link/{SECRET}/",
        "own",
    ],
)
def test_a_cut_parts_no_secret(before, secret):
    """Wherever the cut falls, nothing of the secret is left that is longer than a coincidence."""
    text = f"{'word ' * (before // 5)}{'w' * (before % 5)} {SECRET if secret == 'own' else secret} {'tail ' * 200}"
    found = BlackOut([SECRET] if secret == "own" else [])(None, "info", {"event": text, "exception": text})
    for said in found.values():
        assert not any(SECRET[at : at + 6] in said for at in range(len(SECRET) - 6))


def test_a_long_traceback_keeps_its_first_and_last_lines():
    text = "\n".join([f"first {'x' * 900}", *["between"] * 9_000, "ValueError: last"])
    said = BlackOut()(None, "info", {"exception": text})["exception"]
    assert said.startswith("first xxx")
    assert said.endswith("ValueError: last")
    assert "[406 characters cut]" in said
    assert len(said) < LONGEST_TRACEBACK + 100
