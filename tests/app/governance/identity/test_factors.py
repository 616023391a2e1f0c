"""Second factors beside passkeys: codes, recovery codes, resets, and the second step of signing in."""

import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import segno
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from webauthn.helpers import base64url_to_bytes

from governance.database.row_history import acting
from governance.identity.factors import codes, passkeys, recovery_codes, resets, second_step, views
from governance.models import AuthenticatorApp, Entry, FactorReset, Notification, RecoveryCode, Session, User
from governance.permission_result import Refused
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.access import signers
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.factories import PASSWORD, make_person
from tests.support.identity.authenticator import ORIGIN, Authenticator, enrolled

NOON = datetime(2026, 11, 9, 12, tzinfo=UTC)
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # that of RFC 6238, appendix B


@pytest.fixture(autouse=True)
def named_address(settings):
    settings.ADDRESS = ORIGIN


@pytest.fixture
def person(db):
    return make_person("ana")


@pytest.fixture
def admin(db):
    with time_machine.travel(NOON - timedelta(days=30), tick=False):
        return make_person("ada", is_admin=True)


def now_code(moment=NOON, secret=SECRET) -> str:
    return pyotp.TOTP(secret).at(moment)


@pytest.fixture
def app(person):
    with time_machine.travel(NOON - timedelta(hours=1), tick=False):
        row = codes.add(person=person, secret=SECRET, code=now_code(NOON - timedelta(hours=1)))
    assert row is not None
    return row


# --- Codes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
    ],
)
def test_codes_are_those_of_the_standard(seconds, code):
    assert codes._matching(SECRET, code, datetime.fromtimestamp(seconds, UTC)) == seconds // 30


def refused(person, code, moment=NOON, **options) -> str:
    with time_machine.travel(moment, tick=False):
        return codes.why_refused(person, code, purpose="sign in", address=None, **options)


def test_a_code_is_good_once_and_for_a_minute(person, app):
    assert refused(person, now_code()) == ""
    assert "already used" in refused(person, now_code())
    later = NOON + timedelta(seconds=30)
    assert "already used" in refused(person, now_code(), later)
    assert refused(person, now_code(later), later + timedelta(seconds=30)) == ""
    late = NOON + timedelta(minutes=5)
    assert "code is wrong" in refused(person, now_code(late), late + timedelta(seconds=60))
    assert "code is wrong" in refused(person, now_code(late), late - timedelta(seconds=30))
    assert Entry.objects.filter(kind=EntryKind.CODE_REFUSED).count() == 4


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12345\u0661", "-12345", "1e3456"]
)
def test_what_is_no_code_is_refused(person, app, typed):
    assert "code is wrong" in refused(person, typed)


def test_spaces_in_a_code_are_nothing(person, app):
    code = now_code()
    assert refused(person, f" {code[:3]} {code[3:]} ") == ""


def test_a_code_older_than_what_is_signed_is_refused(person, app):
    begun = int(NOON.timestamp()) // 30 * 30
    shown = datetime.fromtimestamp(begun + 31, UTC)
    before = pyotp.TOTP(SECRET).at(NOON)
    assert "older than the statement" in refused(person, before, shown, since=shown)
    assert refused(person, now_code(shown), shown, since=shown) == ""


def test_codes_are_tried_five_times(person, app):
    for _ in range(5):
        assert "code is wrong" in refused(person, "000000" if now_code() != "000000" else "000001")
    assert refused(person, now_code()).startswith("Too many")


def test_a_code_of_somebody_else_is_none(person, app):
    assert "no authenticator app" in refused(make_person("ben"), now_code())


def test_the_secret_is_kept_encrypted_and_bound_to_its_person(person, app, settings):
    kept = bytes(AuthenticatorApp.objects.get().secret)
    assert SECRET.encode() not in kept
    app.person_id = make_person("ben").pk
    assert codes._opened(app) is None
    app.refresh_from_db()
    settings.SECRET_KEY = "another secret of another installation"
    assert codes._opened(app) is None
    assert "no authenticator app" in refused(person, now_code())


def test_a_new_app_ends_the_one_before_and_shows_a_first_code(person, app):
    with time_machine.travel(NOON, tick=False):
        assert codes.add(person=person, secret=pyotp.random_base32(), code="000000") is None
        other = pyotp.random_base32()
        row = codes.add(person=person, secret=other, code=now_code(secret=other))
        assert codes.app_of(person) == row
        assert "already used" in codes.why_refused(person, now_code(secret=other), purpose="x", address=None)
    assert AuthenticatorApp.objects.filter(ended_at=None).count() == 1


# --- Recovery codes ------------------------------------------------------------------------------------------


def test_recovery_codes_are_shown_once_and_used_once(person):
    made = recovery_codes.make(person=person)
    assert len(set(made)) == 10
    assert not set(made) & set(RecoveryCode.objects.values_list("hash", flat=True))
    assert recovery_codes.why_refused(person, made[0].upper().replace("-", " "), address=None) == ""
    assert "was already used" in recovery_codes.why_refused(person, made[0], address=None)
    assert recovery_codes.left(person) == 9
    assert "not one of your" in recovery_codes.why_refused(make_person("ben"), made[1], address=None)
    recovery_codes.make(person=person)
    assert "not one of your" in recovery_codes.why_refused(person, made[2], address=None)
    assert (
        Notification.objects.filter(
            person=person, subject__contains="with one of your recovery codes"
        ).count()
        == 1
    )


# --- The second step of signing in ---------------------------------------------------------------------------


def at_second_step(login="ana") -> Client:
    client = Client(HTTP_HOST="localhost:8000")
    answer = client.post("/sign-in/", {"username": login, "password": PASSWORD})
    assert answer["Location"] == "/sign-in/factor/"
    return client


def test_who_has_no_factor_is_in_after_the_password(person):
    client = Client()
    assert client.post("/sign-in/", {"username": "ana", "password": PASSWORD})["Location"] == "/"


def test_between_the_steps_nobody_is_signed_in(person, app):
    client = at_second_step()
    assert client.get("/account/").status_code == 302
    assert not Entry.objects.filter(kind=EntryKind.SIGNED_IN).exists()
    assert not Session.objects.filter(person=person).exists()


def test_a_passkey_lets_in_once_for_its_challenge(person):
    device, _ = enrolled(person)
    client = at_second_step()
    page = client.get("/sign-in/factor/")
    options = page.context["options"]
    challenge = base64url_to_bytes(re.search(r'"challenge": "([^"]+)"', options)[1])
    assert client.post("/sign-in/factor/", {"assertion": device.shown(b"x" * 32)}).status_code == 200
    assert (
        "was refused"
        in client.post("/sign-in/factor/", {"assertion": device.shown(challenge)}).content.decode()
    )
    challenge = base64url_to_bytes(
        re.search(r'"challenge": "([^"]+)"', client.get("/sign-in/factor/").context["options"])[1]
    )
    assert client.post("/sign-in/factor/", {"assertion": device.shown(challenge)}).status_code == 302
    assert client.get("/account/security/").status_code == 200
    assert Entry.objects.get(kind=EntryKind.SIGNED_IN).facts["facts"]["factor"] == "passkey"


def test_a_code_and_a_recovery_code_let_in(person, app):
    made = recovery_codes.make(person=person)
    with time_machine.travel(NOON, tick=False):
        for sent in ({"code": now_code()}, {"recovery": made[0]}):
            client = at_second_step()
            assert client.post("/sign-in/factor/", {"code": "000000"}).status_code == 200
            assert client.post("/sign-in/factor/", {}).status_code == 200
            assert client.post("/sign-in/factor/", sent).status_code == 302
            assert client.get("/account/security/").status_code == 200


def test_the_second_step_lasts_minutes_and_ends_with_the_password(person, app):
    with time_machine.travel(NOON, tick=False):
        client = at_second_step()
        other = at_second_step()
    with time_machine.travel(NOON + timedelta(minutes=6), tick=False):
        answer = client.post("/sign-in/factor/", {"code": now_code(NOON + timedelta(minutes=6))})
        assert answer["Location"] == "/sign-in/"
    with time_machine.travel(NOON + timedelta(minutes=1), tick=False):
        with unguarded("governance_user"), acting(by=person):
            fresh = User.objects.get(pk=person.pk)
            fresh.set_password("a wholly new phrase")
            fresh.save()
        answer = other.post("/sign-in/factor/", {"code": now_code(NOON + timedelta(minutes=1))})
        assert answer["Location"] == "/sign-in/"
    assert not Entry.objects.filter(kind=EntryKind.SIGNED_IN).exists()


def test_it_leads_nowhere_but_to_our_own_pages(person, app):
    with time_machine.travel(NOON, tick=False):
        client = Client()
        client.post("/sign-in/?next=//evil.example/", {"username": "ana", "password": PASSWORD})
        assert client.post("/sign-in/factor/", {"code": now_code()})["Location"] == "/"


# --- Resets --------------------------------------------------------------------------------------------------


def test_a_reset_waits_a_day_is_told_and_ends_everything(person, admin, app):
    with time_machine.travel(NOON, tick=False):
        enrolled(person)
        recovery_codes.make(person=person)
        row = resets.ask(person=person, reason="Called back on the number in the directory.", by=admin)
        assert Notification.objects.filter(person=person, subject__contains="An admin is resetting").exists()
    with time_machine.travel(NOON + timedelta(hours=23), tick=False):
        assert second_step.factors_of(person)
    with time_machine.travel(NOON + timedelta(hours=24), tick=False):
        assert not second_step.factors_of(person)
        assert recovery_codes.left(person) == 0
        person.refresh_from_db()
        assert person.signs_from == NOON + timedelta(hours=48)
        assert resets.carry_out_due() == 0
    row.refresh_from_db()
    assert row.done_at == NOON + timedelta(hours=24)
    assert Entry.objects.get(kind=EntryKind.FACTORS_RESET).facts["facts"]["passkeys"] == 1


def test_its_person_stops_it(person, admin, app):
    with time_machine.travel(NOON, tick=False):
        row = resets.ask(person=person, reason="Somebody called.", by=admin)
        with pytest.raises(Refused, match="Only the person or an admin"):
            resets.stop(reset=row, by=make_person("ben"))
        resets.stop(reset=row, by=person)
        assert Notification.objects.filter(person=admin, subject__contains="was stopped").exists()
    with time_machine.travel(NOON + timedelta(days=2), tick=False):
        assert second_step.factors_of(person)


def test_the_secret_is_shown_as_a_link_and_as_the_qr_code_of_that_link(person, as_):
    client = as_(person)
    page = client.get(reverse("app-add")).content.decode()
    link = f"otpauth://totp/Plumbline:ana?secret={client.session[views.APP]}&issuer=Plumbline"
    assert f'href="{escape(link)}"' in page
    drawn = re.search(r'<div role="img" aria-label="[^"]+">(<svg.+</svg>)</div>', page)
    assert drawn
    assert drawn[1] == segno.make_qr(link, error="m").svg_inline(scale=4, light="white")


def test_who_asks_for_a_reset(person, admin, app):
    with time_machine.travel(NOON, tick=False):
        for by in (person, make_person("ben")):
            with pytest.raises(Refused):
                resets.ask(person=person, reason="x", by=by)
        with pytest.raises(Refused, match="has no passkey"):
            resets.ask(person=make_person("cleo"), reason="x", by=admin)
        resets.ask(person=person, reason="x", by=admin)
        with pytest.raises(Refused, match="is already planned"):
            resets.ask(person=person, reason="x", by=admin)


def test_whoever_reset_gains_nothing_by_the_sign_off(person, admin, app):
    with time_machine.travel(NOON, tick=False):
        resets.ask(person=person, reason="x", by=admin)
        assert signers.signer_of(person, now=True).reset_by == ((admin.pk, admin.full_name),)
        assert signers.signer_of(person).reset_by == ()
    for hours, barred in ((24, True), (47, True), (49, False)):
        with time_machine.travel(NOON + timedelta(hours=hours), tick=False):
            resets.carry_out_due()
            assert bool(signers.signer_of(person, now=True).reset_by) is barred
    assert FactorReset.objects.count() == 1


# --- Pages ---------------------------------------------------------------------------------------------------


def test_a_passkey_is_added_on_its_page_with_the_password(person, as_):
    client, device = as_(person), Authenticator(handle=passkeys.handle_of(person))
    scripted = {"HTTP_ACCEPT": "application/json", "HTTP_HOST": "localhost:8000"}
    wrong = client.post("/account/security/passkeys/add/", {"name": "Phone", "password": "no"}, **scripted)
    assert (wrong.status_code, "password is wrong" in wrong.json()["errors"][0]) == (200, True)
    asked = client.post(
        "/account/security/passkeys/add/", {"name": "Phone", "password": PASSWORD}, **scripted
    )
    sent = device.made(base64url_to_bytes(asked.json()["create"]["challenge"]))
    assert client.post("/account/security/passkeys/add/", {"credential": sent}).status_code == 302
    assert [row.name for row in passkeys.of(person)] == ["Phone"]
    again = client.post("/account/security/passkeys/add/", {"credential": sent}, follow=True)
    assert "No passkey was added, because the time limit has passed." in again.content.decode()
    page = client.get("/account/security/", HTTP_HOST="localhost:8000").content.decode()
    assert "Phone" in page


def test_at_an_address_without_a_name_the_page_says_where(person, as_, settings):
    settings.ALLOWED_HOSTS = ["*"]
    page = as_(person).get("/account/security/", HTTP_HOST="127.0.0.1:8000").content.decode()
    assert 'href="http://localhost:8000/account/security/"' in page
    settings.ADDRESS = "http://127.0.0.1:8000"
    page = as_(person).get("/account/security/", HTTP_HOST="127.0.0.1:8000").content.decode()
    assert "Passkeys need an address with a name" in page
    assert as_(person).get("/account/security/passkeys/add/").status_code == 403


def test_an_app_is_added_and_ended_on_its_page(person, as_):
    with time_machine.travel(NOON, tick=False):
        client = as_(person)
        client.get("/account/security/app/add/")
        secret = client.session["app_secret"]
        sent = {"password": PASSWORD, "first": now_code(secret=secret)}
        assert client.post("/account/security/app/add/", sent)["Location"] == "/account/security/codes/"
    with time_machine.travel(NOON + timedelta(minutes=1), tick=False):
        sent = {"password": PASSWORD}
        assert client.post("/account/security/app/revoke/", sent).status_code == 200
        sent["code"] = now_code(NOON + timedelta(minutes=1), secret)
        assert client.post("/account/security/app/revoke/", sent).status_code == 302
    assert codes.app_of(person) is None


def test_recovery_codes_are_made_on_their_page(person, as_):
    client = as_(person)
    assert client.post("/account/security/codes/", {"password": "no"}).status_code == 200
    assert not RecoveryCode.objects.exists()
    page = client.post("/account/security/codes/", {"password": PASSWORD}).content.decode()
    assert len(re.findall(r"<li>[a-z0-9]{4}(?:-[a-z0-9]{4}){3}</li>", page)) == 10
