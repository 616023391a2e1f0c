"""How often a page asks the database."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


def asked(client: Client, address: str, query: dict | None = None) -> int:
    """How often the page asks once it was seen before: what waits in the inbox is counted anew after each act."""
    assert client.get(address, query).status_code == 200, address
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address, query).status_code == 200, address
    return len(queries)
