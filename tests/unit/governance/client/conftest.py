"""A server that plays Plumbline and a client for it, on a clock that only tests turn."""

import pytest

from governance.authorization.client import Plumbline
from tests.support.servers.stand_in_server import KEY, StandIn


class Clock:
    """A clock that moves only when somebody sleeps, or a test turns it."""

    def __init__(self):
        self.now, self.naps = 100.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        assert seconds >= 0
        self.naps.append(seconds)
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def playing(clock):
    """`playing(play)` starts a server that plays it, and a client for it."""
    started = []

    def start(play, **options):
        server = StandIn(play)
        server.__enter__()
        plumbline = Plumbline(server.address, KEY, **{"clock": clock, "sleep": clock.sleep, **options})
        started.append((server, plumbline))
        return server, plumbline

    yield start
    for server, plumbline in started:
        plumbline.close()
        server.__exit__()
