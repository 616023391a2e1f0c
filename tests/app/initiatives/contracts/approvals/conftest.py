"""The key with which a system asks for approval."""

import pytest

from tests.support import factories
from tests.support.database import snapshots


@pytest.fixture
@snapshots.kept
def key(cast, initiative):
    """A key that acts for the technical lead, who approves nothing here."""
    return factories.make_key(cast, initiative, principal=cast.lead, system="Reply drafts")[0]
