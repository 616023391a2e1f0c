"""One thing set for many imported initiatives: looked at before, and only of those that nobody owns."""

import pytest
from django.core.exceptions import ValidationError

from governance.models import Entry, Notification
from governance.organisation import actions as organisation_actions
from governance.permission_result import Conflict, Refused
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Initiative, RoleAssignment
from initiatives.portfolio.imports.inventories import actions as inventory_actions
from initiatives.portfolio.imports.portfolio import actions, bulk
from tests.acceptance.input.test_inventories import text_upload
from tests.support import factories

pytestmark = pytest.mark.django_db
SHEET = "Initiative;Status\nA;Pilot\nB;Live\nC;Idea\nD;Retired\n"


@pytest.fixture
def brought(cast):
    """Four imported initiatives, and one registered here."""
    factories.make_initiative(cast, title="Ours")
    batch = actions.upload_portfolio(content=SHEET.encode(), file_name="a.csv", by=cast.admin)
    actions.confirm_portfolio(batch=batch, by=cast.admin)
    return {initiative.title: initiative for initiative in Initiative.objects.filter(title__in="ABCD")}


def test_the_page_shows_what_would_change_and_then_does_it(cast, as_, brought):
    client = as_(cast.admin)
    page = client.get("/imports/several/").content.decode()
    assert brought["A"].ref in page
    assert "Ours" not in page
    sent = {"what": "owner", "owner": cast.lead.pk, "all": "1"}
    looked = client.post("/imports/several/", sent).content.decode()
    assert "3 initiatives would change" in looked
    assert "The initiative is retired." in looked
    assert not RoleAssignment.objects.waiting().filter(person=cast.lead).exists(), "only looked at"
    initiatives = [initiative.number for initiative in brought.values()]
    client.post("/imports/several/", sent | {"step": "apply", "initiative": initiatives, "all": ""})
    assert RoleAssignment.objects.waiting().filter(person=cast.lead).count() == 3
    assert client.get("/imports/several/?lacking=owner").content.decode().count('<th scope="row">') == 1


def test_each_of_the_four_is_set(cast, brought):
    initiatives = list(brought.values())
    bulk.set_for_many(initiatives=initiatives, what="vendor", value="Acme", by=cast.admin)
    bulk.set_for_many(
        initiatives=initiatives,
        what="tier",
        value="high",
        worst_credible_harm="A wrong refusal.",
        by=cast.admin,
    )
    bulk.set_for_many(initiatives=initiatives, what="unit", value=cast.elsewhere, by=cast.admin)
    running = [initiative.pk for title, initiative in brought.items() if title != "D"]
    for initiative in Initiative.objects.filter(pk__in=running).select_related("business_case"):
        assert initiative.business_case.vendor == "Acme"
        assert initiative.unit == cast.elsewhere
        assert initiative.tier == "", "proposed, not confirmed"
    assert Initiative.objects.get(title="A").proposed_tier == "high"
    assert Initiative.objects.get(title="D").proposed_tier == "", "it has ended"
    kinds = Entry.objects.filter(initiative_ref=brought["A"].ref).values_list("kind", flat=True)
    assert {"unit set", "risk tier proposed", "business case stated"} <= set(kinds)
    with pytest.raises(Conflict):
        bulk.set_for_many(initiatives=initiatives, what="vendor", value="Acme", by=cast.admin)


def test_what_somebody_owns_and_what_was_registered_here_stays(cast, brought):
    role = role_actions.propose_role(initiative=brought["A"], role="owner", person=cast.owner, by=cast.admin)
    role_actions.accept_role(assignment=role, by=cast.owner)
    initiatives = [brought["A"], brought["B"], Initiative.objects.get(title="Ours")]
    whys = {one.initiative.title: one.why for one in bulk.preview(initiatives, "vendor", "Acme", cast.admin)}
    assert whys == {
        "A": "Only its owner can propose the tier.",
        "B": "",
        "Ours": "Only its owner can propose the tier.",
    }
    assert bulk.set_for_many(initiatives=initiatives, what="vendor", value="Acme", by=cast.admin) == [
        brought["B"]
    ]
    with pytest.raises(Refused):
        bulk.set_for_many(initiatives=initiatives, what="vendor", value="Beta", by=cast.owner)
    with pytest.raises(ValidationError):
        bulk.set_for_many(initiatives=initiatives, what="tier", value="high", by=cast.admin)


def test_what_external_inventories_name_is_not_set(cast, as_):
    text = "Name;Organisation;Status\nTheirs;Fleet Ltd;Pilot\n"
    batch = text_upload(cast.admin, text, source="fleet-2026")
    inventory_actions.confirm_batch(batch=batch, by=cast.admin)
    theirs = Initiative.objects.get(title="Theirs")
    assert "Theirs" not in as_(cast.admin).get("/imports/several/").content.decode()
    with pytest.raises(Conflict):
        bulk.set_for_many(initiatives=[theirs], what="vendor", value="Acme", by=cast.admin)


def test_another_unit_is_another_board_as_for_a_moved_unit(cast, brought):
    """15a: the entry of the new board, both chairs told, the policies of the unit looked at."""
    board = organisation_actions.add_board(name="Logistics board", unit=cast.elsewhere, by=cast.admin)
    organisation_actions.appoint(board=board, person=cast.outsider, seat="chair", by=cast.admin)
    initiatives = [brought["A"], brought["B"]]
    bulk.set_for_many(initiatives=initiatives, what="unit", value=cast.unit, by=cast.admin)
    Notification.objects.all().delete()
    moved = list(Initiative.objects.filter(title__in="AB"))
    bulk.set_for_many(initiatives=moved, what="unit", value=cast.elsewhere, by=cast.admin)
    kinds = list(Entry.objects.filter(initiative_ref=brought["A"].ref).values_list("kind", flat=True))
    assert kinds.count("board changed") == 2, "from no board, then from one board to another"
    told = Notification.objects.filter(kind="board changed")
    left = {"chair", "deputy-chair", *(person.login for person in cast.seats.values())}
    assert set(told.values_list("person__login", flat=True)) == {
        "outsider",
        *left,
    }
