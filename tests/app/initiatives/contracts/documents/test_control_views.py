"""Controls of clauses on their pages: one control named for several clauses at once, all or none."""

import pytest

from adoption.demo import initiative_acts
from governance import clock
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.models import ClauseEnforcement
from tests.support import factories
from tests.support.initiatives.initiative_pages import at, text_of

pytestmark = pytest.mark.django_db

CONTROL = {"layer": "policy", "control": "What is not allowed is denied before it runs."}


def in_force(cast):
    """An initiative with a contract in force, and the item that shows its controls."""
    made = factories.make_prototype(cast)
    initiative = factories.make_contract(cast, made, initiative_acts.CLAUSES, initiative_acts.VOCABULARY)
    item = evidence_actions.add_evidence(
        initiative=initiative,
        kind="document",
        title="Denied calls",
        observed_on=clock.today(),
        covers=["mvp.workflow"],
        link="https://example.org/denied",
        by=cast.owner,
    )
    return initiative, item


def test_one_control_is_named_for_the_clauses_that_are_ticked(cast, as_):
    initiative, item = in_force(cast)
    client, place = as_(cast.owner), at("initiative-act", initiative.ref, "name-control")
    assert place in text_of(client.get(at("contract", initiative.ref)))
    first, second, *_rest = initiative.contract.versions.get().clauses.all()
    sent = CONTROL | {"evidence": item.pk, "clauses": [first.pk, second.pk]}
    assert client.post(place, sent).status_code == 302
    named = ClauseEnforcement.objects.current()
    assert set(named.values_list("clause", flat=True)) == {first.pk, second.pk}
    page = text_of(client.get(place))
    assert first.sentence not in page, "it has its control"
    again = client.post(place, sent)
    assert "There is a problem" in text_of(again)
    assert named.count() == 2
    assert as_(cast.seat_risk).get(place).status_code == 403
    assert as_(cast.outsider).get(place).status_code == 404


def test_without_a_clause_or_an_item_nothing_is_named(cast, as_):
    initiative, item = in_force(cast)
    client, place = as_(cast.owner), at("initiative-act", initiative.ref, "name-control")
    none = client.post(place, CONTROL | {"evidence": item.pk})
    assert "Tick the clauses that the control enforces." in text_of(none)
    clause = initiative.contract.versions.get().clauses.first()
    assert "There is a problem" in text_of(client.post(place, CONTROL | {"clauses": [clause.pk]}))
    assert not ClauseEnforcement.objects.current().exists()
