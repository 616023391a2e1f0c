"""Receivers of events: who adds them, what is refused, and what is sealed, sent and shown."""

import base64
import json
import re
import socket
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.urls import reverse
from standardwebhooks import Webhook, WebhookVerificationError

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.events import actions, deliveries, webhook_messages
from governance.events.event_types import EVENT_TYPES
from governance.files import safe_fetch
from governance.files.safe_fetch import NotFetched, Posted
from governance.models import AuditLogReader, Entry, EventDelivery, EventReceiver, Notification
from governance.notifications.inbox import tasks_for
from governance.permission_result import Refused
from governance.transparency_log import sealing
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.details import actions as detail_actions
from tests.support import factories
from tests.support.initiatives.initiative_pages import text_of

pytestmark = pytest.mark.django_db
ALL = sorted(EVENT_TYPES)


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    """What would be posted: address, body and headers. `sent.answers` has the coming answers, then 204."""

    class Sent(list):
        answers: list = []

    found = Sent()
    found.answers = []

    def post(url, content, headers, rules, *, seconds, longest):
        found.append((url, content, headers))
        answer = found.answers.pop(0) if found.answers else 204
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Posted) else Posted(answer, "", b"")

    monkeypatch.setattr(safe_fetch, "post", post)
    monkeypatch.setattr(safe_fetch, "check", lambda url, rules: "hooks.example.org")
    return found


def added(cast, kind="hmac", name="Tickets", **more) -> tuple[EventReceiver, str]:
    values = {"address": "https://hooks.example.org/secret-path", "event_types": ALL, "owner": cast.owner}
    return actions.add_receiver(name=name, kind=kind, by=cast.admin, **(values | more))


def happened(initiative, by, *kinds, **facts) -> None:
    """Entries of these kinds, sealed."""
    for kind in kinds:
        with acting(by=by, reason="test"):
            entries.record(kind, initiative=initiative, **facts)
    sealing.seal()


def all_sent() -> int:
    """Send everything that is due, as the tasks do. Return how many were delivered."""
    deliveries.spread()
    return sum(deliveries.send_to(key) for key in deliveries.receivers_due())


# --- Adding ---------------------------------------------------------------------------------------------------------


def test_only_admins_keep_receivers(cast):
    values = {
        "name": "X",
        "kind": "hmac",
        "owner": cast.owner,
        "address": "https://x.example",
        "event_types": ALL,
    }
    with pytest.raises(Refused):
        actions.add_receiver(by=cast.owner, **values)
    row, _ = added(cast)
    for act in (
        lambda: actions.end_receiver(receiver=row, reason="no", by=cast.chair),
        lambda: actions.send_test(receiver=row, by=cast.chair),
    ):
        with pytest.raises(Refused):
            act()


def test_address_and_secret_are_sealed_and_the_secret_is_shown_once(cast, as_):
    form = {
        "name": "Tickets",
        "kind": "hmac",
        "address": "https://hooks.example.org/secret-path",
        "owner": cast.owner.pk,
        "event_types": ["review.opened"],
    }
    client = as_(cast.admin)
    answer = client.post(reverse("event-receiver-add"), form)
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", answer.content.decode())
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == webhook_messages.SECRET_BYTES
    row = EventReceiver.objects.get()
    page = client.get(reverse("event-receiver", args=[row.pk])).content.decode()
    assert "hooks.example.org" in page
    assert "secret-path" not in page
    assert secret not in page
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(convert_from(body, 'UTF8'), ' ') FROM governance_entrybody")
        (bodies,) = cursor.fetchone()
    assert "event receiver added" in bodies
    for hidden in ("secret-path", secret, bytes(row.address_box).hex(), bytes(row.key_box).hex()):
        assert hidden not in bodies
    assert b"secret-path" not in bytes(row.address_box)


def test_the_public_key_of_ed25519_is_shown_and_no_secret(cast):
    row, secret = added(cast, "ed25519")
    assert secret == ""
    assert row.public_key.startswith("whpk_")
    assert (
        Entry.objects.get(kind=EntryKind.EVENT_RECEIVER_ADDED).facts["facts"]["public_key"] == row.public_key
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "tickets"}, "name"),
        ({"event_types": []}, "event_types"),
        ({"event_types": ["review.opened", "other"]}, "event_types"),
        ({"initiative_ref": "AI-9999"}, "initiative_ref"),
        ({"initiative_ref": "nonsense"}, "initiative_ref"),
    ],
)
def test_what_cannot_be_taken_is_refused_at_its_field(cast, change, field):
    added(cast)
    with pytest.raises(ValidationError) as wrong:
        added(cast, **({"name": "Other"} | change))
    assert set(wrong.value.message_dict) == {field}


def test_unit_and_initiative_together_and_an_inactive_owner_are_refused(cast, initiative):
    with pytest.raises(ValidationError, match="not both"):
        added(cast, unit=cast.unit, initiative_ref=initiative.ref)
    gone = factories.make_person("gone", is_active=False)
    with pytest.raises(ValidationError, match="not active"):
        added(cast, owner=gone)


@pytest.mark.parametrize("cause", sorted(actions.REFUSED))
def test_an_address_that_is_not_allowed_is_refused_with_what_to_do(cast, monkeypatch, cause):
    def check(url, rules):
        raise NotFetched("why", cause)

    monkeypatch.setattr(safe_fetch, "check", check)
    with pytest.raises(ValidationError) as wrong:
        added(cast)
    assert wrong.value.message_dict == {"address": [actions.REFUSED[cause]]}


def test_named_hosts_are_the_ones_of_the_setting(settings):
    settings.EVENT_HOSTS = ["hooks.corp.example"]
    assert deliveries.rules().inside == {"hooks.corp.example"}


# --- Where it is posted to ------------------------------------------------------------------------------------------


def says(*addresses):
    return lambda host, port, **_: [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses
    ]


@pytest.fixture
def real(monkeypatch):
    """The functions that `sent` replaced."""
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("http://hooks.example.org/", "scheme"),
        ("https://user:word@hooks.example.org/", "password"),
        ("https://hooks.example.org:8443/", "port"),
        ("https://hooks.example.org/a b", "address"),
        ("ftp://hooks.example.org/", "scheme"),
    ],
)
def test_only_plain_https_addresses_are_posted_to(real, url, cause):
    with pytest.raises(NotFetched) as raised:
        safe_fetch.check(url, safe_fetch.Rules(), look_up=says("8.8.8.8"))
    assert raised.value.cause == cause


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.1.1",
        "169.254.169.254",
        "100.100.100.200",
        "::1",
        "fe80::1",
        "fd00::1",
    ],
)
@pytest.mark.parametrize("others", [[], ["8.8.8.8"]])
def test_addresses_inside_are_refused_when_added_and_when_sent(real, address, others):
    for act in (
        lambda look_up: safe_fetch.check("https://x.example/", safe_fetch.Rules(), look_up=look_up),
        lambda look_up: safe_fetch.post(
            "https://x.example/", b"", {}, safe_fetch.Rules(), seconds=1, longest=1, look_up=look_up
        ),
    ):
        with pytest.raises(NotFetched) as raised:
            act(says(*others, address))
        assert raised.value.cause == "inside"


def test_a_named_host_may_be_private_but_never_local_or_a_service_of_a_cloud(real):
    rules = safe_fetch.Rules(inside=frozenset({"hooks.corp.example", "hooks.corp.example:8443"}))
    url = "https://hooks.corp.example:8443/x"
    assert safe_fetch.check(url, rules, look_up=says("10.1.2.3")) == "hooks.corp.example:8443"
    for address in ("127.0.0.1", "169.254.169.254", "::1"):
        with pytest.raises(NotFetched):
            safe_fetch.check(url, rules, look_up=says(address))


# --- What is sent ---------------------------------------------------------------------------------------------------


def test_a_message_is_thin_and_the_reference_library_verifies_it(cast, initiative, sent):
    _, secret = added(cast)
    happened(initiative, cast.owner, EntryKind.REVIEW_OPENED, why="a text that nobody outside reads")
    assert all_sent() == 1
    ((url, body, headers),) = sent
    assert url == "https://hooks.example.org/secret-path"
    assert len(body) < 20_000
    entry = Entry.objects.filter(kind=EntryKind.REVIEW_OPENED).latest("pk")
    assert Webhook(secret).verify(body.decode(), headers) == {
        "type": "review.opened",
        "timestamp": entry.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "data": {
            "ref": initiative.ref,
            "entry": entry.pk,
            "act": "review opened",
            "link": f"http://127.0.0.1:8000/initiatives/{initiative.ref}/",
            "title": initiative.title,
        },
    }
    for changed in ({"webhook-id": "msg_other"}, {"webhook-timestamp": "1700000000"}):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body.decode(), headers | changed)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.decode() + " ", headers)


def test_an_ed25519_signature_is_verified_by_the_public_key_that_is_shown(cast, initiative, sent):
    row, _ = added(cast, "ed25519")
    happened(initiative, cast.owner, EntryKind.REVIEW_OPENED)
    all_sent()
    ((_, body, headers),) = sent
    version, _, signature = headers["webhook-signature"].partition(",")
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(row.public_key.removeprefix("whpk_")))
    signed = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
    assert version == "v1a"
    key.verify(base64.b64decode(signature), signed)
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(signature), signed + b" ")


@pytest.mark.parametrize("kind", EventReceiver.Kind.values)
def test_the_title_of_a_confidential_initiative_is_sent_to_nobody(cast, sent, kind):
    secret = factories.make_initiative(cast, title="Sale of the northern branch")
    detail_actions.change_details(
        initiative=secret, problem=secret.problem, platform="", confidential=True, by=cast.owner
    )
    added(cast, kind)
    happened(secret, cast.owner, EntryKind.REVIEW_OPENED)
    all_sent()
    assert len(sent) == 1
    assert b"northern" not in sent[0][1]
    assert secret.ref.encode() in sent[0][1]


def test_a_title_cannot_be_a_link_or_markup_in_a_chat(cast, sent):
    title = "<https://evil.example|Approve> & [here](https://evil.example) *now*"
    initiative = factories.make_initiative(cast, title=title)
    added(cast, "slack", name="Slack")
    added(cast, "teams", name="Teams")
    happened(initiative, cast.owner, EntryKind.REVIEW_APPROVED)
    all_sent()
    bodies = [json.loads(body) for _, body, _ in sent]
    (slack,) = [body for body in bodies if "blocks" in body]
    (teams,) = [body for body in bodies if "attachments" in body]
    assert "<" not in slack["text"]
    header, about, link = slack["blocks"]
    assert (header["text"]["type"], header["text"]["text"]) == ("plain_text", "Review approved")
    assert (about["text"]["type"], about["text"]["text"]) == ("plain_text", f"{initiative.ref} {title}")
    assert link["text"]["text"] == f"<http://127.0.0.1:8000/initiatives/{initiative.ref}/|Open in Plumbline>"
    card = teams["attachments"][0]["content"]
    assert {part["type"] for part in card["body"]} == {"RichTextBlock"}
    assert [action["type"] for action in card["actions"]] == ["Action.OpenUrl"], "no act in a chat"
    assert card["actions"][0]["url"] == f"http://127.0.0.1:8000/initiatives/{initiative.ref}/"
    assert all(headers == {"Content-Type": "application/json"} for _, _, headers in sent)


def test_a_receiver_gets_only_what_it_asked_for(cast, initiative, sent):
    other = factories.make_initiative(cast, title="Elsewhere", unit=cast.elsewhere)
    added(cast, name="one", initiative_ref=initiative.ref)
    added(cast, name="unit", unit=cast.unit)
    added(cast, name="types", event_types=["incident.opened"])
    for each in (initiative, other):
        happened(each, cast.owner, EntryKind.REVIEW_OPENED)
    with acting(by=cast.admin, reason="test"):
        entries.record(EntryKind.RULEBOOK_PUBLISHED, version="9")
    sealing.seal()
    deliveries.spread()
    found = EventDelivery.objects.order_by("pk").values_list("receiver__name", "initiative_ref")
    assert sorted(found) == [("one", initiative.ref), ("unit", initiative.ref)]


def test_events_before_a_receiver_was_added_are_not_sent(cast, initiative, sent):
    happened(initiative, cast.owner, EntryKind.REVIEW_OPENED)
    added(cast)
    happened(initiative, cast.owner, EntryKind.REVIEW_WITHDRAWN)
    all_sent()
    assert [json.loads(body)["type"] for _, body, _ in sent] == ["review.closed"]


def test_an_obligation_that_is_due_is_one_event_however_many_people_are_told(cast, initiative, sent):
    added(cast)
    for person in (cast.owner, cast.chair):
        Notification.objects.create(
            person=person,
            kind="due",
            object_key="obligation 7",
            period="3d",
            initiative_ref=initiative.ref,
            subject="words that are not sent",
            due_on=clock.today() + timedelta(days=3),
            created_at=clock.now(),
        )
    all_sent()
    all_sent()
    ((_, body, _),) = sent
    said = json.loads(body)
    assert (said["type"], said["data"]["act"], said["data"]["entry"]) == ("obligation.due", "due", None)
    assert said["data"]["due_on"] == (clock.today() + timedelta(days=3)).isoformat()
    assert b"words that" not in body


def test_an_act_that_is_rolled_back_is_no_event(cast, initiative, sent):
    added(cast)
    with transaction.atomic():
        with acting(by=cast.owner, reason="test"):
            entries.record(EntryKind.REVIEW_OPENED, initiative=initiative)
        transaction.set_rollback(True)
    happened(initiative, cast.owner, EntryKind.REVIEW_WITHDRAWN)
    all_sent()
    assert [json.loads(body)["type"] for _, body, _ in sent] == ["review.closed"]


# --- Attempts -------------------------------------------------------------------------------------------------------


def test_an_event_is_given_up_after_the_documented_attempts(cast, initiative, sent):
    added(cast)
    sent.answers = [500] * 20
    start = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as traveller:
        happened(initiative, cast.owner, EntryKind.REVIEW_OPENED)
        deliveries.spread()
        for attempts in range(1, len(deliveries.RESTS) + 1):
            all_sent()
            (row,) = EventDelivery.objects.all()
            planned = deliveries.RESTS[attempts - 1]
            assert row.attempts == attempts
            assert planned <= row.next_at - clock.now() <= planned * (1 + deliveries.JITTER)
            assert (row.status, row.last_error) == (500, "Status 500.")
            all_sent()
            assert len(sent) == attempts, "it rests"
            traveller.move_to(row.next_at)
        all_sent()
        row.refresh_from_db()
        assert row.given_up_at == clock.now()
        assert timedelta(days=3) < clock.now() - start < timedelta(days=4)
    assert len({headers["webhook-id"] for _, _, headers in sent}) == 1
    assert len({headers["webhook-timestamp"] for _, _, headers in sent}) == 10


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("7200", timedelta(hours=2)),
        ("Mon, 02 Nov 2026 12:00:00 GMT", timedelta(hours=3)),
        ("999999999999", timedelta(days=1)),
        ("5", None),
        ("-5", None),
        ("nonsense", None),
        ("Mon, 02 Nov 2020 12:00:00 GMT", None),
    ],
)
def test_retry_after_is_honoured_up_to_a_day_and_never_shortens_a_rest(cast, initiative, sent, text, rest):
    added(cast)
    sent.answers = [Posted(503, text, b"later")]
    with time_machine.travel(datetime(2026, 11, 2, 9, 0, tzinfo=UTC), tick=False):
        happened(initiative, cast.owner, EntryKind.REVIEW_OPENED)
        all_sent()
        row = EventDelivery.objects.get()
        if rest is None:
            assert timedelta(minutes=1) <= row.next_at - clock.now() <= timedelta(minutes=1.2)
        else:
            assert row.next_at - clock.now() == rest


def test_the_next_event_of_an_initiative_waits_and_others_go(cast, initiative, sent):
    other = factories.make_initiative(cast, title="Another")
    added(cast, event_types=["review.opened", "review.closed"])
    happened(initiative, cast.owner, EntryKind.REVIEW_OPENED, EntryKind.REVIEW_WITHDRAWN)
    happened(other, cast.owner, EntryKind.REVIEW_OPENED)
    sent.answers = [500]
    assert all_sent() == 1
    assert [json.loads(body)["data"]["ref"] for _, body, _ in sent] == [initiative.ref, other.ref]
    EventDelivery.objects.filter(sent_at=None).update(next_at=clock.now())
    assert all_sent() == 2
    assert [json.loads(body)["type"] for _, body, _ in sent[2:]] == ["review.opened", "review.closed"]


def test_an_event_that_waited_for_others_is_given_up_after_five_days(cast, initiative, sent):
    added(cast)
    happened(initiative, cast.owner, EntryKind.REVIEW_OPENED, EntryKind.REVIEW_WITHDRAWN)
    deliveries.spread()
    EventDelivery.objects.update(made_at=clock.now() - deliveries.LIFETIME - timedelta(hours=1))
    sent.answers = [500, 500]
    all_sent()
    assert EventDelivery.objects.filter(given_up_at=None).count() == 0
    assert len(sent) == 2, "each is tried at least once"


def test_a_receiver_that_answers_410_is_ended(cast, initiative, sent):
    row, _ = added(cast)
    happened(initiative, cast.owner, EntryKind.REVIEW_OPENED, EntryKind.REVIEW_WITHDRAWN)
    sent.answers = [410]
    assert all_sent() == 0
    row.refresh_from_db()
    assert (row.ended_by, row.ended_reason) == (None, "The receiver answered 410 Gone")
    assert not deliveries.waiting().exists()
    entry = Entry.objects.get(kind=EntryKind.EVENT_RECEIVER_ENDED)
    assert entry.facts["actor"]["name"] == "system: events"
    happened(initiative, cast.owner, EntryKind.REVIEW_OPENED)
    assert all_sent() == 0
    assert len(sent) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_failure_with_its_reason(cast, initiative, sent, status):
    added(cast)
    happened(initiative, cast.owner, EntryKind.REVIEW_OPENED)
    sent.answers = [status]
    assert all_sent() == 0
    assert "a redirect, which is not followed" in EventDelivery.objects.get().last_error


def test_a_worker_that_died_after_sending_sends_again_with_the_same_id(cast, initiative, sent, monkeypatch):
    added(cast)
    happened(initiative, cast.owner, EntryKind.REVIEW_OPENED)
    deliveries.spread()
    row = deliveries._claim(EventReceiver.objects.get().pk)
    deliveries._post(row, row.receiver)  # and the worker is killed here
    assert all_sent() == 0, "the claim holds"
    with time_machine.travel(clock.now() + deliveries.CLAIM + timedelta(seconds=1)):
        assert all_sent() == 1
    assert len({headers["webhook-id"] for _, _, headers in sent}) == 1


def test_a_run_leaves_a_receiver_that_is_away_alone_after_a_few_failures(cast, sent):
    added(cast)
    for number in range(8):
        happened(
            factories.make_initiative(cast, title=f"Number {number}"), cast.owner, EntryKind.REVIEW_OPENED
        )
    sent.answers = [NotFetched("why", "silent")] * 8
    all_sent()
    assert len(sent) == deliveries.AWAY


def test_a_changed_secret_key_is_said_in_words(cast, initiative, sent, settings):
    added(cast)
    happened(initiative, cast.owner, EntryKind.REVIEW_OPENED)
    settings.SECRET_KEY = "another key of this installation"
    all_sent()
    assert "PLUMBLINE_SECRET_KEY was changed" in EventDelivery.objects.get().last_error
    assert sent == []


def test_old_deliveries_are_removed(cast, initiative, sent):
    added(cast)
    happened(initiative, cast.owner, EntryKind.REVIEW_OPENED)
    all_sent()
    deliveries.forget()
    assert EventDelivery.objects.count() == 1
    with time_machine.travel(clock.now() + deliveries.KEPT + timedelta(days=1)):
        deliveries.forget()
        assert all_sent() == 0
    assert EventDelivery.objects.count() == 0
    assert len(sent) == 1, "it is not found again"


# --- Pages ----------------------------------------------------------------------------------------------------------


def test_the_page_shows_each_delivery_and_sends_again_with_the_same_id(cast, initiative, as_, sent):
    row, _ = added(cast)
    happened(initiative, cast.owner, EntryKind.REVIEW_OPENED)
    sent.answers = [Posted(503, "", b"<script>alert(1)</script>\x00 later")]
    all_sent()
    client, page = as_(cast.admin), reverse("event-receiver", args=[row.pk])
    html = client.get(page).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "Status 503." in text_of(client.get(page))
    assert "next attempt" in text_of(client.get(page))
    assert client.get(f"{page}?state=delivered").context["page"].paginator.count == 0
    delivery = EventDelivery.objects.get()
    client.post(reverse("event-again", args=[delivery.pk]))
    assert all_sent() + EventDelivery.objects.filter(sent_at__isnull=False).count() >= 1
    assert len({headers["webhook-id"] for _, _, headers in sent}) == 1
    assert Entry.objects.filter(kind=EntryKind.EVENT_SENT_AGAIN).count() == 1


def test_a_test_event_is_sent_and_verifies(cast, as_, sent):
    row, secret = added(cast)
    as_(cast.admin).post(reverse("event-receiver-test", args=[row.pk]))
    all_sent()
    ((_, body, headers),) = sent
    assert Webhook(secret).verify(body.decode(), headers)["type"] == "test"


def test_an_admin_ends_a_receiver_with_a_reason(cast, initiative, as_, sent):
    row, _ = added(cast)
    happened(initiative, cast.owner, EntryKind.REVIEW_OPENED)
    deliveries.spread()
    client = as_(cast.admin)
    client.post(reverse("event-receiver-end", args=[row.pk]), {"reason": "Replaced"})
    row.refresh_from_db()
    assert (row.ended_by, row.ended_reason) == (cast.admin, "Replaced")
    assert all_sent() == 0
    assert sent == []
    with pytest.raises(Refused, match="was ended"):
        actions.send_again(delivery=EventDelivery.objects.get(), by=cast.admin)
    added(cast)  # its name is free again


def test_a_receiver_that_fails_for_a_day_is_told_to_admins(cast, initiative, as_, sent):
    added(cast)
    happened(initiative, cast.owner, EntryKind.REVIEW_OPENED)
    sent.answers = [500]
    all_sent()

    def told():
        return [line.text for line in tasks_for(cast.admin) if "gets no events" in line.text]

    assert told() == []
    AuditLogReader.objects.update(failing_since=clock.now() - timedelta(days=1, minutes=1))
    assert told() == ["Tickets gets no events"]
    assert "Receivers that get no events" in text_of(as_(cast.admin).get(reverse("status")))
    EventDelivery.objects.update(next_at=clock.now())
    all_sent()
    assert told() == []
