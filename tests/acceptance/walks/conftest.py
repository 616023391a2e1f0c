"""The cast of the walks has worked here since before the first story."""

import pytest

from tests.acceptance.walks.story import at
from tests.support import factories


@pytest.fixture
def cast(db) -> factories.Cast:
    """The organisation, its board and the rulebook as of 1 May 2026."""
    with at(2026, 5, 1):
        return factories.make_cast()
