"""Random changes of the record and of what guards it: each is found, and at its place.

A sample of `python -m tests.bench.flips found`, which tries fifty rows,
fifty rows of the ledger, fifty files, twenty hashes and twenty guards.
"""

import random

import pytest

from governance.transparency_log import verification
from tests.attacks import changing

pytestmark = pytest.mark.django_db

SEED, FEW = 21, 3


@pytest.mark.parametrize("group", changing.GROUPS)
def test_changes_are_found_at_their_place(cast, group):
    changing.make_life(cast)
    assert verification.verify().ok
    found, wrong = changing.tried(group, FEW, random.Random(SEED))
    assert (found, wrong) == (FEW, [])
    assert verification.verify().ok
