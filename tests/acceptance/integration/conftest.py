"""An initiative and a system for it to be tied to."""

import pytest

from initiatives.models import Initiative, System
from tests.support import factories
from tests.support.database import snapshots


@pytest.fixture
@snapshots.kept
def mvp(cast) -> Initiative:
    """An MVP whose technical lead can explain how it signs on."""
    initiative = factories.make_mvp(cast)
    factories.make_flow(cast, initiative)
    return initiative


@pytest.fixture
@snapshots.kept
def crm(cast) -> System:
    """A system that the outsider owns."""
    return factories.make_system(cast, "CRM")
