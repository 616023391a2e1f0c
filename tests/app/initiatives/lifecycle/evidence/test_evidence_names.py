"""What the rules are told of what an item speaks of, from the rows: its versions, and their layers."""

import pytest
from django.core.exceptions import ValidationError

from adoption.demo import initiative_acts
from initiatives.lifecycle.facts import supported_stage
from tests.support import factories

pytestmark = pytest.mark.django_db


def test_an_item_names_the_layers_of_its_versions_the_scope_and_the_contract(cast):
    initiative = factories.make_mvp(cast)
    model, application = (
        initiative.deployments.get(version__layer=layer, runs_to__isnull=True)
        for layer in ("model", "application")
    )
    scope, contract = initiative.scopes.get(ended_at__isnull=True), initiative.contract.versions.get()
    names = {
        "Of the model": [model],
        "Of the model and what is around it": [model, application],
        "Of the scope": [scope],
        "Of the contract": [contract],
        "Of nothing": [],
    }
    for title, versions in names.items():
        initiative_acts.ground(initiative, "mvp.override", cast.team, title=title, names=versions)

    told = {
        item.title: item
        for item in supported_stage.facts_of(initiative_acts.fresh(initiative)).items
        if item.title in names
    }

    assert {title: item.layers for title, item in told.items()} == {
        "Of the model": {"model"},
        "Of the model and what is around it": {"model", "application"},
        "Of the scope": {"scope"},
        "Of the contract": {"contract"},
        "Of nothing": set(),
    }
    assert told["Of the model"].components == {model.pk}
    assert told["Of the model and what is around it"].components == {model.pk, application.pk}
    assert not told["Of the scope"].components | told["Of the contract"].components


def test_an_item_names_no_version_of_another_initiative(cast):
    """The rules look a version's layer up among the versions of the initiative itself."""
    initiative, other = factories.make_mvp(cast), factories.make_mvp(cast, title="Another")
    foreign = other.deployments.first()

    for version in (foreign, other.scopes.first(), other.contract.versions.get()):
        with pytest.raises(ValidationError, match=r"to another (initiative|contract)"):
            initiative_acts.ground(initiative, "mvp.override", cast.team, title="Of another", names=[version])

    assert not initiative.evidence.filter(title="Of another").exists()
