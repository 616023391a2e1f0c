"""Two who act on one request at once: the second sees what the first did."""

import threading

import pytest
from django.db import connection

from governance import clock
from governance.database.row_history import acting
from governance.interaction_retention import subject_erasure
from governance.models import Entry, Interaction
from governance.permission_result import Conflict, Refused
from initiatives.interactions.requests import actions, copies, erasing, hits, searches
from initiatives.models import SubjectErasure, SubjectExport, SubjectHit, SubjectRequest
from tests.app.governance.interaction_log.test_kept import keep, report
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("unsealed")]


@pytest.fixture
def cast():
    cast = factories.make_cast()
    with unguarded("governance_user"), acting(system="test", reason="Answer requests"):
        for person in (cast.outsider, cast.sponsor):
            person.is_privacy_officer = True
            person.save()
    return cast


@pytest.fixture
def row(cast) -> SubjectRequest:
    initiative = factories.make_mvp(cast)
    keep(report(1), report(2), initiative=initiative.number)
    row = actions.receive(
        kind="erasure",
        channel="mail",
        received_on=clock.today(),
        name="Petra Aebischer",
        contact="Bern",
        identifiers=["customer 4"],
        by=cast.outsider,
    )
    actions.check_identity(request=row, how="Called back", by=cast.outsider)
    searches.search(request=row, by=cast.outsider)
    return row


def at_once(*acts) -> list:
    """What became of each act, all begun together: what it returned, or what it raised."""
    gate, ends = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place, act):
        try:
            gate.wait(30)
            ends[place] = act()
        except (Refused, Conflict) as trouble:
            ends[place] = trouble
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return ends


def test_erased_twice_at_once_it_is_erased_once(cast, row):
    for hit in row.hits.all():
        hits.judge(hit=hit, belongs=True, by=cast.outsider)
    ends = at_once(*[lambda: erasing.erase(request=row, duty="GDPR 17", by=cast.outsider)] * 2)
    assert sorted(type(end) for end in ends if isinstance(end, Conflict)) == [Conflict]
    assert SubjectErasure.objects.count() == 1
    assert subject_erasure.tries(Interaction.objects.select_related("batch")) == (2, 0)
    assert Entry.objects.filter(kind="erased for a request of a person").count() == 1


def test_taken_over_while_the_other_answers_only_one_of_them_handles_it(cast, row):
    ends = at_once(
        lambda: actions.take_over(request=row, why="Away", by=cast.sponsor),
        lambda: actions.answer(
            request=row, outcome="refused", words="Excessive", legal_basis="GDPR 12(5)", by=cast.outsider
        ),
    )
    row.refresh_from_db()
    assert row.handler == cast.sponsor
    # Either it was answered before the other took it, or whoever came second was told who handles it.
    assert bool(row.answered_at) is not isinstance(ends[1], Refused)
    with pytest.raises(Refused):
        actions.close(request=row, by=cast.outsider)


def test_judged_by_a_handler_who_lost_it_meanwhile_is_refused(cast, row):
    first = row.hits.first()
    actions.take_over(request=row, why="Away", by=cast.sponsor)
    with pytest.raises(Refused, match="handles this request"):
        hits.judge(hit=first, belongs=True, by=cast.outsider)
    hits.judge(hit=first, belongs=True, by=cast.sponsor)
    assert SubjectHit.objects.get(pk=first.pk).judged_by == cast.sponsor


def test_searched_twice_and_copied_twice_at_once_each_is_there_once(cast, row):
    at_once(*[lambda: searches.search(request=row, by=cast.outsider)] * 2)
    assert row.hits.count() == 2
    with acting(system="test", reason="They ask for a copy"):
        row.refresh_from_db()
        row.kind = "access"
        row.save()
    for hit in row.hits.all():
        hits.judge(hit=hit, belongs=True, by=cast.outsider)
    ends = at_once(*[lambda: copies.make_copy(request=row, by=cast.outsider)] * 2)
    assert len([end for end in ends if isinstance(end, Conflict)]) == 1
    assert SubjectExport.objects.filter(ended_at=None).count() == 1
