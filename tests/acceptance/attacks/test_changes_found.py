"""Random changes of the audit log and of what guards it: each is found, and at its place.

A sample of `python -m tests.drills.audit_log.flips found`, which tries fifty rows,
fifty rows of the audit log, fifty files, twenty hashes and twenty guards.
"""

import random

import pytest

from governance.transparency_log import verification
from tests.support.attacks import random_changes

pytestmark = pytest.mark.django_db

SEED, FEW = 21, 3


@pytest.mark.parametrize("group", random_changes.GROUPS)
def test_changes_are_found_at_their_place(cast, group):
    random_changes.make_life(cast)
    assert verification.verify().ok
    found, wrong = random_changes.tried(group, FEW, random.Random(SEED))
    assert (found, wrong) == (FEW, [])
    assert verification.verify().ok
