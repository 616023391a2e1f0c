"""What a web process knows of the initiatives whose systems ask it."""

import pytest

from governance.authorization import decision as authorization_decision
from initiatives.contracts.enforcement import decision_cache
from initiatives.contracts.enforcement.decision_cache import Conditions, known_of, policies_of
from tests.app.initiatives.contracts.enforcement.test_authzen import FIXTURE
from tests.support import factories
from tests.support.servers.asking_systems import evaluation_request

pytestmark = pytest.mark.django_db


def test_a_full_store_of_policies_forgets_none_that_is_asked_for(cast, settings, monkeypatch):
    """More contracts than it keeps: those of the running read stay, or their systems would be told there is none."""
    monkeypatch.setattr(decision_cache, "MOST_POLICIES", 0)
    keys = []
    for number in range(3):
        initiative = factories.make_contract(
            cast, factories.make_prototype(cast, title=f"Initiative {number}"), FIXTURE
        )
        keys.append(factories.make_key(cast, initiative)[0].public)
    known = Conditions()
    for public in keys * 2:
        settings.DECISION_FRESH = 0.0
        known.of(public)  # everything that was asked for is read anew
        settings.DECISION_FRESH = 60.0
    assert [len(known.of(public).versions) for public in keys] == [1, 1, 1]


def test_one_initiative_is_known_without_a_key_and_without_a_contract(cast):
    idea = factories.make_initiative(cast)
    known = known_of(idea)
    assert (known.ref, known.contract, known.versions, known.keys) == (idea.ref, None, (), ())
    assert known.condition.stage == "proposed"
    initiative = factories.make_contract(cast, factories.make_prototype(cast), FIXTURE)
    version, _ = known_of(initiative).version_at(initiative.contract.versions.get().starts_at)
    assert version.number == 1
    decision = authorization_decision.decide(
        version, known_of(initiative).condition, evaluation_request("read"), version.starts_at
    )
    assert decision.code == "allowed"
    assert policies_of(initiative.contract.versions.get()).actions == version.policies.actions
