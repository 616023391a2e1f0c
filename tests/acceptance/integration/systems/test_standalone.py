"""An initiative that stands alone: declared by its owner, accepted by a seat, ended by the first link."""

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.database import row_history
from governance.gates import criteria
from governance.gates.requirements import state_of
from governance.models import Rulebook
from governance.notifications.inbox import tasks_for
from governance.permission_result import Conflict, Refused
from governance.rulebook import shipped_text
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.requirements import standalone
from initiatives.lifecycle.roles import actions as role_actions
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED

pytestmark = pytest.mark.django_db


@pytest.fixture
def initiative(cast):
    row = factories.make_prototype(cast)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    return initiative_acts.fresh(row)


def state(initiative, key="int.inventory"):
    facts, rulebook = (
        supported_stage.facts_of(initiative_acts.fresh(initiative)),
        Rulebook.objects.current().parsed,
    )
    return state_of(facts, rulebook, key, clock.now())


def supported(initiative) -> str:
    facts, rulebook = (
        supported_stage.facts_of(initiative_acts.fresh(initiative)),
        Rulebook.objects.current().parsed,
    )
    now = clock.now()
    return criteria.judge(facts, rulebook, now).support.supported


def test_an_empty_register_says_that_nothing_is_known(initiative, cast, as_):
    shown = as_(cast.owner).get(reverse("integration", args=[initiative.ref])).content.decode()
    assert "Unknown: no system is recorded that the initiative reads from" in shown
    assert state(initiative).state == "unknown"


def test_declared_and_accepted_through_the_pages_until_the_first_link(initiative, cast, as_):
    owner, seat = as_(cast.owner), as_(cast.seat_architecture)
    owner.post(
        reverse("initiative-act", args=[initiative.ref, "declare-alone"]),
        {"reason": "Notes are typed in and read out."},
    )
    assert state(initiative).state == "unknown", "the owner's word alone is nobody's answer for it"
    assert (
        "Accept the declaration" in seat.get(reverse("integration", args=[initiative.ref])).content.decode()
    )
    link = reverse("initiative-act", args=[initiative.ref, "accept-alone"])
    assert [line.button for line in tasks_for(cast.seat_architecture) if line.link == link] == [
        "Read and answer"
    ]
    assert not [line for line in tasks_for(cast.seat_value) if line.link == link], "another seat signs for it"
    assert seat.post(link).status_code == 200, "nothing is accepted unsigned"
    seat.post(link, SIGNED)
    assert not [line for line in tasks_for(cast.seat_architecture) if line.link == link]
    assert (state(initiative).state, state(initiative).level) == ("met", "verified")
    assert state(initiative, "int.residency").state == "not_applicable"

    factories.make_link(cast, initiative)
    row = initiative.standalone_declarations.get()
    assert "a link to Customer ledger was recorded" in row.ended_reason
    assert state(initiative, "int.residency").state not in ("unknown", "not_applicable")


def test_only_a_seat_that_signs_for_it_accepts_it(initiative, cast):
    row = standalone.declare(initiative=initiative, reason="Notes are typed in.", by=cast.owner)
    for person in (cast.owner, cast.seat_adoption, cast.admin):
        with pytest.raises(Refused):
            standalone.accept(declaration=row, by=person)
    standalone.accept(declaration=row, by=cast.seat_architecture)
    with pytest.raises(Refused, match="already accepted"):
        standalone.accept(declaration=row, by=cast.seat_architecture)


def test_a_linked_initiative_does_not_stand_alone(initiative, cast):
    factories.make_link(cast, initiative)
    with pytest.raises(Refused, match="linked to systems"):
        standalone.declare(initiative=initiative, reason="It used to be.", by=cast.owner)


def test_it_is_declared_once(initiative, cast):
    standalone.declare(initiative=initiative, reason="Notes are typed in.", by=cast.owner)
    with pytest.raises(Conflict, match="already declared standalone"):
        standalone.declare(initiative=initiative, reason="Still.", by=cast.owner)


def test_describing_a_first_system_costs_a_prototype_nothing(initiative, cast):
    """Under the rulebook before, two systems described truthfully took a prototype's support away."""
    key = "proto.personal_data"
    requirement_actions.answer(
        initiative=initiative, requirement=key, kind="answered", text="None: made up.", by=cast.owner
    )
    initiative_acts.prove(initiative, [key], cast.team, title="Screening of the sample")
    assert supported(initiative) == "prototype"
    for name in ("Ledger", "Calendar"):
        factories.make_link(cast, initiative_acts.fresh(initiative), factories.make_system(cast, name))
    assert supported(initiative) == "prototype"


def test_an_inventory_that_every_owner_agreed_to_is_measured_while_they_do(initiative, cast):
    link = factories.make_link(cast, initiative, agreed=True)
    inventory = state(initiative)
    assert (inventory.level, inventory.state) == ("measured", "met"), inventory.words
    assert "each of 1 link is agreed to by the owner of its system" in inventory.words

    factories.make_link(cast, initiative_acts.fresh(initiative), factories.make_system(cast, "Calendar"))
    assert state(initiative).level != "measured", "the owner of the second has not agreed"
    assert link.initiative.measured_answers.filter(ended_at__isnull=False).exists()


def test_a_key_is_not_a_link_and_the_seat_reads_what_it_is_for(initiative, cast, as_):
    factories.make_contract(cast, initiative, initiative_acts.CLAUSES)
    factories.make_key(cast, initiative_acts.fresh(initiative))
    initiative = initiative_acts.fresh(initiative)
    row = standalone.declare(initiative=initiative, reason="Notes are typed in.", by=cast.owner)
    page = as_(cast.seat_architecture).get(reverse("initiative-act", args=[initiative.ref, "accept-alone"]))
    assert "API key of Account assistant: " in page.content.decode()
    standalone.accept(declaration=row, by=cast.seat_architecture)
    factories.make_key(cast, initiative)
    assert standalone.current_declaration(initiative) == row
    assert state(initiative).state == "met"


def test_the_unknown_question_leads_to_the_register(initiative, cast, as_):
    shown = (
        as_(cast.owner).get(reverse("requirement", args=[initiative.ref, "int.inventory"])).content.decode()
    )
    assert "See the register" in shown


def accepted_past_the_act(row, person) -> None:
    """The row changed as if the seat had accepted it, without the act's checks."""
    row.accepted_by, row.accepted_at, row.accepted_seat = person, clock.now(), "architecture_integration"
    with transaction.atomic(), row_history.acting(by=person, reason=""):
        row.save()


def test_the_database_refuses_who_is_team_member_or_holds_no_seat(initiative, cast):
    row = standalone.declare(initiative=initiative, reason="Notes are typed in.", by=cast.owner)
    for person in (cast.lead, cast.seat_adoption):
        with pytest.raises(DatabaseError, match="does not hold the seat"):
            accepted_past_the_act(row, person)
    role_actions.propose_role(
        initiative=initiative, role="sponsor", person=cast.seat_architecture, by=cast.owner
    )
    with pytest.raises(DatabaseError, match="whose team they are on"):
        accepted_past_the_act(standalone.current_declaration(initiative), cast.seat_architecture)
