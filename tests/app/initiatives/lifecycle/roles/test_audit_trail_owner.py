"""Who owns the audit trail: at minimal risk the owner, unless somebody else accepted to; above it somebody by name."""

import pytest
from django.urls import reverse

from adoption.demo import initiative_acts
from governance.permission_result import Refused
from governance.rulebook import shipped_text
from initiatives.contracts.documents import actions as contract_actions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.models import Hold
from tests.support import factories
from tests.support.initiatives.initiative_pages import text_of

pytestmark = pytest.mark.django_db

KIND = "record_owner_vacant"


@pytest.fixture
def shipped():
    """A cast under the shipped rulebook, which does not ask for an audit trail owner at minimal risk."""
    cast = factories.make_cast()
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    return cast


def prototype(cast, tier):
    row = factories.make_initiative(cast)
    initiative_acts.propose_and_confirm_tier(row, cast.team, tier)
    return initiative_acts.fresh(row)


def confirm(cast, initiative, tier):
    row = initiative_acts.fresh(initiative)
    detail_actions.propose_tier(initiative=row, tier=tier, worst_credible_harm="Wrong.", by=cast.owner)
    detail_actions.confirm_tier(initiative=row, tier=tier, by=cast.seat_risk)


def holds(initiative):
    return [row.reason for row in Hold.objects.open().filter(initiative=initiative, kind=KIND)]


def test_at_minimal_risk_a_contract_comes_into_force_with_the_owner_as_audit_trail_owner(shipped, as_):
    row = prototype(shipped, "minimal")
    initiative_acts.contract(row, shipped.team)
    assert holds(row) == []
    page = text_of(as_(shipped.owner).get(reverse("contract", args=[row.ref])))
    assert f"<h2>Audit trail owner</h2><p>{shipped.owner.full_name}</p>" in page
    assert "No one else has to accept the role." in page


def test_above_minimal_risk_a_contract_waits_for_an_audit_trail_owner(shipped):
    row = prototype(shipped, "limited")
    contract_actions.save_contract(
        initiative=row,
        clauses=initiative_acts.CLAUSES,
        vocabulary=initiative_acts.VOCABULARY,
        by=shipped.owner,
    )
    with pytest.raises(Refused, match="No one has accepted to own the change log and the audit trail"):
        contract_actions.propose_contract(initiative=initiative_acts.fresh(row), by=shipped.owner)


def test_a_higher_tier_asks_who_owns_the_audit_trail_of_a_contract_in_force(shipped):
    row = prototype(shipped, "minimal")
    initiative_acts.contract(row, shipped.team)
    confirm(shipped, row, "limited")
    assert holds(row) == [
        "An initiative with limited risk needs an audit trail owner. Someone must accept this role."
    ]
    initiative_acts.staff(initiative_acts.fresh(row), shipped.team, ["record_owner"])
    assert holds(row) == []


def test_minimal_risk_ends_a_hold_for_want_of_an_audit_trail_owner(shipped):
    row = prototype(shipped, "minimal")
    initiative_acts.contract(row, shipped.team)
    for tier, held in (("limited", 1), ("minimal", 0)):
        confirm(shipped, row, tier)
        assert len(holds(row)) == held


def test_a_contract_signed_after_the_tier_rose_asks_too(shipped):
    row = prototype(shipped, "minimal")
    contract_actions.save_contract(
        initiative=row,
        clauses=initiative_acts.CLAUSES,
        vocabulary=initiative_acts.VOCABULARY,
        by=shipped.owner,
    )
    version = contract_actions.propose_contract(initiative=initiative_acts.fresh(row), by=shipped.owner)
    confirm(shipped, row, "high")
    assert holds(row) == [], "no contract is in force yet"
    for seat in ("business_value", "risk_compliance"):
        contract_actions.approve_contract(
            version=version, seat=seat, digest=version.digest, by=shipped.team.seats[seat]
        )
    assert holds(row) == ["The contract is in force, but the audit trail has no owner."]
