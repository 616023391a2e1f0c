"""Guessing passwords is slow, per account and per address."""

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from governance.models import SignInAttempt
from governance.sign_in import throttling

NOON = datetime(2026, 11, 9, 12, tzinfo=UTC)


@pytest.mark.django_db
def test_five_tries_per_account_then_wait_until_the_first_is_ten_minutes_old():
    for minute in range(5):
        with time_machine.travel(NOON + timedelta(minutes=minute), tick=False):
            assert throttling.enter_try("Owner", f"192.0.2.{minute}", purpose="t") is None
    with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
        assert throttling.enter_try("oWNER ", "192.0.2.9", purpose="t") == NOON + timedelta(minutes=10)
        assert throttling.enter_try("somebody-else", "192.0.2.9", purpose="t") is None
    with time_machine.travel(NOON + timedelta(minutes=10), tick=False):
        assert throttling.enter_try("owner", "192.0.2.9", purpose="t") is None


@pytest.mark.django_db
def test_twenty_tries_per_address_whatever_the_account():
    with time_machine.travel(NOON, tick=False):
        for number in range(20):
            assert throttling.enter_try(f"person-{number}", "192.0.2.1", purpose="t") is None
        assert throttling.enter_try("another", "192.0.2.1", purpose="t") == NOON + throttling.WINDOW
        assert throttling.enter_try("another", "192.0.2.2", purpose="t") is None
        assert throttling.enter_try("yet-another", None, purpose="t") is None


@pytest.mark.django_db
def test_waiting_is_not_made_longer_by_trying():
    with time_machine.travel(NOON, tick=False):
        for _ in range(5):
            throttling.enter_try("owner", None, purpose="t")
    with time_machine.travel(NOON + timedelta(minutes=9), tick=False):
        for _ in range(50):
            assert throttling.enter_try("owner", None, purpose="t") == NOON + throttling.WINDOW
    assert SignInAttempt.objects.count() == 5


@pytest.mark.django_db
def test_old_tries_are_swept_away_and_a_sign_in_takes_back_its_own():
    with time_machine.travel(NOON, tick=False):
        throttling.enter_try("owner", None, purpose="t")
    with time_machine.travel(NOON + timedelta(days=2), tick=False):
        throttling.enter_try("lead", None, purpose="t")
        assert list(SignInAttempt.objects.values_list("login", flat=True)) == ["lead"]
        throttling.forget("LEAD", purpose="t")
    assert not SignInAttempt.objects.exists()


@pytest.mark.parametrize(
    ("address", "read"), [("192.0.2.1", "192.0.2.1"), ("::1", "::1"), ("", None), ("unix", None)]
)
def test_the_address_is_that_of_the_connection(rf, address, read):
    request = rf.get("/", REMOTE_ADDR=address, HTTP_X_FORWARDED_FOR="198.51.100.7")
    assert throttling.address_of(request) == read


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),  # not a proxy of ours: what it says is its own
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        (
            "10.0.0.1",
            "1.2.3.4, 198.51.100.7",
            "198.51.100.7",
        ),  # what a person sent stands before the proxy's word
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "junk", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7, junk", "10.0.0.1"),
        ("", "198.51.100.7", None),
    ],
)
def test_only_named_proxies_are_believed(rf, settings, remote, forwarded, address):
    settings.PROXIES = [ipaddress.ip_network("10.0.0.0/24")]
    request = rf.get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)
    assert throttling.address_of(request) == address
