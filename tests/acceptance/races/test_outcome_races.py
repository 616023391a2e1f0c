"""Races around what came of one decision: sixteen connections report it. One row is kept, and nobody is told otherwise.

Three rounds in the suite, `--rounds 500` runs them at full length.
"""

from collections import Counter
from functools import partial

import pytest

from governance import clock
from governance.authorization import outcome_reports
from governance.authorization.outcome_reports import Contradiction, Named, Sent
from governance.models import KeyHeartbeat, OutcomeReport
from tests.support import factories
from tests.support.database.concurrent_connections import SIZE, Ring

pytestmark = pytest.mark.django_db(transaction=True)

INITIATIVE, KEY, FULL = 7, 1, 500


@pytest.fixture
def numbers(rounds):
    """The rounds to run."""
    return range(rounds if rounds >= FULL else 3)


def report(kind: str, decision: str) -> str:
    """Which outcome stands for whoever reports this one; empty where another stands."""
    try:
        return outcome_reports.keep(Sent(kind, decision=decision), initiative=INITIATIVE, key=KEY).kind
    except Contradiction:
        return ""


def test_of_done_and_failed_one_is_kept_and_the_others_are_told(numbers):
    with Ring() as ring:
        for number in numbers:
            named = Named(clock.now(), number.to_bytes(32, "big"), True)
            decision = outcome_reports.issued(INITIATIVE, named)
            found = ring.run([partial(report, kind, decision) for kind in ("done", "failed")] * (SIZE // 2))
            assert {one.kind for one in found} == {"done"}, found
            kept = OutcomeReport.objects.get(decision=named.digest).kind
            assert Counter(one.value for one in found) == {kept: SIZE // 2, "": SIZE // 2}


def test_heartbeats_of_one_key_at_once_are_one():
    cast = factories.make_cast()
    key = factories.make_key(cast, factories.make_mvp(cast))[0]
    with Ring() as ring:
        found = ring.run([partial(outcome_reports.beat, key=key.pk)] * SIZE)
    assert {one.kind for one in found} == {"done"}, found
    assert KeyHeartbeat.objects.count() == 1
