"""Events to real receivers over TLS with every fault: each counts once by its id, in the order of its initiative."""

import base64
import ipaddress
import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook

from governance import clock, tasks
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.events import actions, deliveries
from governance.files.safe_fetch import Rules
from governance.models import EventDelivery, EventReceiver
from governance.transparency_log import sealing
from governance.vocabulary.entry_kinds import EntryKind
from tests.support import factories
from tests.support.servers.event_receiver import EventReceiver as Server
from tests.support.servers.tls import certificate

pytestmark = pytest.mark.django_db
HERE = Rules(networks=(ipaddress.ip_network("127.0.0.1/32"),))
STORY = (EntryKind.REVIEW_OPENED, EntryKind.SIGNED_OFF, EntryKind.REVIEW_APPROVED, EntryKind.STAGE_CHANGED)
TYPES = ["review.opened", "sign_off.recorded", "review.decided", "stage.changed"]
MONDAY = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def trusted(monkeypatch, tmp_path):
    """The certificate of the servers, which this machine trusts, and their addresses, which the rules allow."""
    pem = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    monkeypatch.setattr(deliveries, "rules", lambda: HERE)
    monkeypatch.setattr(deliveries, "SECONDS", 3.0)
    return pem


@pytest.fixture
def server(trusted):
    with Server(trusted) as found:
        yield found


def added(cast, server, kind="hmac", name="Tickets"):
    return actions.add_receiver(
        name=name, kind=kind, owner=cast.owner, address=server.url, event_types=TYPES, by=cast.admin
    )


def lived(cast, count: int) -> list[str]:
    """So many initiatives with four events each, one step of each in turn. Return their references."""
    initiatives = [factories.make_initiative(cast, title=f"Number {number}") for number in range(count)]
    for kind in STORY:
        for initiative in initiatives:
            with acting(by=cast.owner, reason="test"):
                entries.record(kind, initiative=initiative)
        sealing.seal()
    return [initiative.ref for initiative in initiatives]


def run_until_quiet(traveller, *, until: datetime | None = None) -> None:
    """Run the task as beat does, and go to the next moment at which something is due."""
    while True:
        tasks.send_events()
        first = {row.initiative_ref: row.next_at for row in deliveries.waiting().order_by("-pk")}
        if not first or (until and min(first.values()) > until):
            return
        traveller.move_to(max(min(first.values()), clock.now() + timedelta(minutes=1)))


def assert_counted_once_in_order(server, refs: list[str]) -> None:
    found: dict[str, list[str]] = {}
    for one in server.counted:
        found.setdefault(one["data"]["ref"], []).append(one["type"])
    assert found == dict.fromkeys(refs, TYPES)


def test_errors_slowness_cuts_and_redirects_lose_and_double_nothing(cast, server):
    _, secret = added(cast, server)
    faults = [
        500,
        "slow",
        302,
        "cut",
        429,
        (503, {"Retry-After": "600"}),
        (503, {"Retry-After": "9" * 20}),
        (503, {"Retry-After": f"Thu, 01 Jan {'9' * 20} 00:00:00 GMT"}),
        (503, {"Retry-After": "-1"}),
        204,
        404,
        "cut",
        500,
        "slow",
        204,
        301,
    ]
    with time_machine.travel(MONDAY, tick=False) as traveller:
        refs = lived(cast, 6)
        server.plan = list(faults)
        run_until_quiet(traveller)
    assert_counted_once_in_order(server, refs)
    assert len(server.got) == 24 + sum(fault != 204 for fault in faults), "each fault costs one more message"
    assert EventDelivery.objects.filter(sent_at=None).count() == 0
    for headers, body in server.got:
        # The library compares the time of the message with the real one, which the story is not in.
        with time_machine.travel(int(headers["webhook-timestamp"])):
            assert Webhook(secret).verify(body.decode(), headers)["type"] in TYPES
    assert len({headers["webhook-id"] for headers, _ in server.got}) == 24


def test_a_receiver_that_is_away_for_two_days_gets_everything_in_order(cast, server):
    added(cast, server, "ed25519")
    public = EventReceiver.objects.get().public_key.removeprefix("whpk_")
    with time_machine.travel(MONDAY, tick=False) as traveller:
        refs = lived(cast, 3)
        server.always = 503
        back = MONDAY + timedelta(days=2)
        run_until_quiet(traveller, until=back)
        assert server.counted == []
        assert [one.receiver.name for one in deliveries.failing()] == ["Tickets"]
        server.always = 204
        traveller.move_to(back)
        run_until_quiet(traveller)
        assert clock.now() < MONDAY + timedelta(days=3)
    assert_counted_once_in_order(server, refs)
    assert not EventDelivery.objects.exclude(given_up_at=None).exists()
    assert not list(deliveries.failing())
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public))
    for headers, body in server.got:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key.verify(base64.b64decode(headers["webhook-signature"].removeprefix("v1a,")), signed)


def test_one_faulty_receiver_delays_no_other(cast, server, trusted):
    with Server(trusted) as slow:
        slow.always = "slow"
        actions.add_receiver(
            name="A slow one",
            kind="hmac",
            owner=cast.owner,
            address=slow.url,
            event_types=TYPES,
            by=cast.admin,
        )
        added(cast, server)
        refs = lived(cast, 4)
        tasks.send_events()
        assert_counted_once_in_order(server, refs)
        assert len(slow.got) == deliveries.AWAY


def test_a_redirect_inside_is_not_followed(cast, server, trusted):
    added(cast, server)
    with Server(trusted) as inside:
        server.plan = [(307, {"Location": inside.url})]
        with time_machine.travel(MONDAY, tick=False) as traveller:
            refs = lived(cast, 1)
            run_until_quiet(traveller)
        assert inside.got == []
    assert_counted_once_in_order(server, refs)


def test_an_address_that_became_private_gets_nothing(cast, server, monkeypatch):
    added(cast, server)
    named = Rules(
        inside=frozenset({server.url.split("/")[2]})
    )  # 127.0.0.1 is not allowed even if it is named
    monkeypatch.setattr(deliveries, "rules", lambda: named)
    lived(cast, 1)
    tasks.send_events()
    assert server.got == []
    row = EventDelivery.objects.order_by("pk").first()
    assert (row.attempts, row.status) == (1, None)
    assert "Name it in PLUMBLINE_EVENT_HOSTS" in row.last_error


def test_a_wrong_certificate_gets_nothing(cast, server, monkeypatch, tmp_path):
    added(cast, server)
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path / "other")))
    lived(cast, 1)
    tasks.send_events()
    assert server.got == []
    assert "certificate of the host is not valid" in EventDelivery.objects.order_by("pk").first().last_error


def test_the_first_bytes_of_a_long_answer_are_kept(cast, server):
    added(cast, server)
    server.plan = [500]
    lived(cast, 1)
    tasks.send_events()
    row = EventDelivery.objects.order_by("pk").first()
    assert (row.status, row.answer) == (500, "answer 500  <b>")


def test_teams_and_slack_get_one_message_for_each_event(cast, server):
    server.always = 202  # as Workflows answers
    added(cast, server, "teams", "Teams")
    added(cast, server, "slack", "Slack")
    refs = lived(cast, 2)
    tasks.send_events()
    bodies = [json.loads(body) for _, body in server.got]
    cards = [body["attachments"][0]["content"] for body in bodies if "attachments" in body]
    posts = [body for body in bodies if "blocks" in body]
    assert (len(cards), len(posts)) == (8, 8)
    assert all("webhook-signature" not in headers for headers, _ in server.got)
    links = {card["actions"][0]["url"] for card in cards}
    assert links == {f"http://127.0.0.1:8000/initiatives/{ref}/" for ref in refs}
