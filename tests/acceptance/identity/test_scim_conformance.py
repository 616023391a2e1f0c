"""The conformance checks of scim2-tester, an independent client, through the whole of SCIM."""

from collections import Counter

import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from initiatives.portfolio.provisioning import api
from tests.support.servers.directories import Sender

LEAST = 60  # checks that pass: fewer mean that the checker did not get through

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_connection():
    """The connection of the test stays open over requests, as the test client of Django sees to."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_every_check_of_an_independent_client_passes(cast, monkeypatch):
    monkeypatch.setattr(api, "RATE", 10**9)
    client = WSGISCIMClient(
        get_wsgi_application(),
        base_url=api.base_of(),
        headers={"Authorization": f"Bearer {Sender(cast.admin).token}"},
    )
    results = check_server(client)
    counts = Counter(result.status for result in results)
    wrong = [
        f"{result.title}: {result.reason}"
        for result in results
        if result.status in (Status.ERROR, Status.CRITICAL, Status.DEVIATION)
    ]
    assert wrong == []
    assert counts[Status.SUCCESS] + counts[Status.COMPLIANT] >= LEAST, counts
