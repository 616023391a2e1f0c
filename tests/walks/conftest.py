"""The cast of the walks has worked here since before the first story."""

import pytest

from tests import factories
from tests.walks.story import at


@pytest.fixture
def cast(db) -> factories.Cast:
    """The organisation, its board and the rulebook as of 1 May 2026."""
    with at(2026, 5, 1):
        return factories.make_cast()
