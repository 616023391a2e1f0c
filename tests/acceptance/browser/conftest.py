"""The browsers of the walks."""

import pytest

from tests.support.browser.people import Watch


@pytest.fixture
def watch(browser, live_server, cast):
    """Browsers over the live application; whatever one of them complained of fails the test."""
    watch = Watch(browser, live_server.url)
    yield watch
    watch.close()
    assert watch.complaints == []
