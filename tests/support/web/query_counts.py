"""How often a page asks the database, and how many Python functions it calls."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

COUNTED = (3, 11)  # of this version of Python the calls are written down: another one calls more or fewer


def asked(client: Client, address: str, query: dict | None = None) -> int:
    """How often the page asks once it was seen before: what waits in the inbox is counted anew after each act."""
    return cost(client, address, query)[0]


def cost(client: Client, address: str, query: dict | None = None) -> tuple[int, int]:
    """The queries and the thousands of calls of Python functions of a page that was seen before."""
    assert client.get(address, query).status_code == 200, address
    with CaptureQueriesContext(connection) as queries, counted() as calls:
        assert client.get(address, query).status_code == 200, address
    return len(queries), calls[0] // 1000


@contextmanager
def counted() -> Iterator[list[int]]:
    """The number of calls of Python functions inside, in a list of one. Functions written in C are not counted."""
    found, before = [0], sys.getprofile()

    def seen(frame, event, argument) -> None:
        found[0] += event == "call"

    sys.setprofile(seen)
    try:
        yield found
    finally:
        sys.setprofile(before)
