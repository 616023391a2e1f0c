"""Money and dates of an initiative: the word of whoever may describe it, recorded, and of no weight at a gate."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from governance.models import Entry
from governance.permission_result import Refused
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import BusinessCase, Initiative
from initiatives.portfolio.imports.inventories import actions as inventory_actions
from initiatives.portfolio.registration import actions
from tests.acceptance.input.test_inventories import text_upload
from tests.support import factories

pytestmark = pytest.mark.django_db


def test_the_owner_states_it_and_the_page_shows_whose_word_it_is(cast, as_):
    initiative = factories.make_prototype(cast)
    said = {
        "budget": "120000",
        "run_cost": "",
        "benefit": "80000.5",
        "currency": "eur",
        "go_live_on": "2027-03-01",
    }
    page = (
        as_(cast.owner)
        .post(f"/initiatives/{initiative.ref}/do/business-case/", said, follow=True)
        .content.decode()
    )
    row = BusinessCase.objects.get(initiative=initiative)
    assert (row.budget, row.run_cost, row.benefit) == (Decimal(120000), None, Decimal("80000.50"))
    assert (row.currency, row.go_live_on) == ("EUR", date(2027, 3, 1))
    assert "120,000" in page
    assert "Stated by the team, not measured." in page
    entry = Entry.objects.latest("pk")
    assert entry.kind == "business case stated"
    assert Decimal(entry.facts["facts"]["after"]["budget"]) == 120000
    count = Entry.objects.count()
    as_(cast.owner).post(f"/initiatives/{initiative.ref}/do/business-case/", said)
    assert Entry.objects.count() == count, "the same again is no change"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"budget": Decimal(5)}, "currency"),
        ({"budget": Decimal(-5), "currency": "EUR"}, "budget"),
        ({"currency": "EURO"}, "currency"),
    ],
)
def test_what_cannot_be_is_named(cast, said, field):
    initiative = factories.make_prototype(cast)
    with pytest.raises(ValidationError) as wrong:
        actions.state_business_case(initiative=initiative, said=said, by=cast.owner)
    assert field in wrong.value.message_dict


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({"budget": "5"}, {"currency"}),
        ({"budget": "-5", "currency": "EUR"}, {"budget"}),
        ({"budget": "-5"}, {"budget", "currency"}),
        ({"budget": "5", "currency": "EURO"}, {"currency"}),
        ({"budget": "5", "currency": "XXZ"}, {"currency"}),
        ({"budget": "much", "run_cost": "5"}, {"budget", "currency"}),
    ],
)
def test_the_page_names_each_fault_once_and_at_its_field(cast, as_, said, fields):
    initiative = factories.make_prototype(cast)
    answer = as_(cast.owner).post(f"/initiatives/{initiative.ref}/do/business-case/", said)
    errors = answer.context["form"].errors
    assert set(errors) == fields
    assert {len(found) for found in errors.values()} == {1}


def test_others_do_not_and_an_admin_only_while_an_imported_one_has_no_owner(cast):
    initiative = factories.make_prototype(cast)
    for person in (cast.outsider, cast.admin, cast.chair):
        with pytest.raises(Refused):
            actions.state_business_case(initiative=initiative, said={"vendor": "Acme"}, by=person)
    text = "Name;Organisation;Status\nDepot camera;Fleet Ltd;Pilot\n"
    batch = text_upload(cast.admin, text, source="fleet-2026")
    inventory_actions.confirm_batch(batch=batch, by=cast.admin)
    brought = Initiative.objects.get(title="Depot camera")
    assert (
        actions.state_business_case(initiative=brought, said={"vendor": "Acme"}, by=cast.admin).vendor
        == "Acme"
    )
    with pytest.raises(Refused):
        detail_actions.change_details(
            initiative=brought, problem="Crates", platform="", confidential=True, by=cast.admin
        )
    assert detail_actions.rename(
        initiative=brought, title="Crate camera", reason="So it is called.", by=cast.admin
    )
    role = role_actions.propose_role(initiative=brought, role="owner", person=cast.lead, by=cast.admin)
    role_actions.accept_role(assignment=role, by=cast.lead)
    with pytest.raises(Refused):
        actions.state_business_case(initiative=brought, said={"vendor": "Other"}, by=cast.admin)
