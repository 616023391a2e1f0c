"""An idea of a list comes in as an idea; units that a list named are offered to nobody until an admin takes them."""

import pytest
from django.core.exceptions import ValidationError

from governance.models import Unit
from governance.vocabulary import STAGE_RANK
from initiatives.integration.residency.forms import PolicyForm
from initiatives.integration.systems.forms import SystemForm
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Initiative
from initiatives.portfolio.imports.inventories import actions as inventory_actions
from initiatives.portfolio.imports.inventories.inventory_columns import guess_stage
from initiatives.portfolio.registration.forms import RegisterForm
from initiatives.portfolio.units import actions as unit_actions
from tests.acceptance.input.test_inventories import text_upload
from tests.support import factories

pytestmark = pytest.mark.django_db
LIST = """Name;Organisation;Status;Purpose
Route planner;Fleet Ltd;Idea;Fewer empty runs
Letter sorter;Fleet Ltd;Pilot;Sorts letters
"""


@pytest.mark.parametrize(
    "raw",
    [
        "idea",
        "Idea",
        "Ideation",
        "proposed",
        "Proposal",
        "planned",
        "Planned (not in production)",
        "Intake",
        "Geplant",
    ],
)
def test_what_is_only_an_idea_is_guessed_as_one(raw):
    assert guess_stage(raw)[0] == "proposed"


@pytest.mark.parametrize("raw", ["PoC", "poc", "UAT", "Discovery", "projectInDevelopment"])
def test_what_is_tried_is_a_prototype_however_it_is_written(raw):
    assert guess_stage(raw)[0] == "prototype"


@pytest.fixture
def live(cast):
    """A list of an organisation not seen before, confirmed."""
    batch = text_upload(cast.admin, LIST, source="fleet-2026")
    inventory_actions.confirm_batch(batch=batch, by=cast.admin)
    return batch


def test_an_idea_of_an_inventory_becomes_an_idea_without_a_stage(cast, as_, live):
    idea = Initiative.objects.get(title="Route planner")
    other = Initiative.objects.get(title="Letter sorter")
    assert (idea.stage, other.stage) == ("proposed", "mvp")
    assert not idea.stage_changes.exists()
    assert idea.supported_stage
    assert as_(cast.admin).get(idea.get_absolute_url()).status_code == 200
    role = role_actions.propose_role(initiative=idea, role="owner", person=cast.lead, by=cast.admin)
    role_actions.accept_role(assignment=role, by=cast.lead)


def test_a_person_can_say_that_a_word_means_an_idea(cast):
    batch = text_upload(cast.admin, LIST.replace("Idea;", "Hunch;"), source="fleet-2026")
    assert not batch.rows.get(line=2).mapped["stage"]
    columns = batch.reading["columns"]
    inventory_actions.map_batch(
        batch=batch, columns=columns, stages={"Hunch": "proposed", "Pilot": "mvp"}, by=cast.admin
    )
    row = batch.rows.get(line=2)
    assert (row.mapped["stage"], row.decision) == ("proposed", "import")
    assert all(STAGE_RANK.get(row.mapped["stage"], 0) <= STAGE_RANK["mvp"] for row in batch.rows.all())


def test_imported_units_are_offered_in_no_form_of_peoples_own(cast, as_, live):
    unit = Unit.objects.get(name="Fleet Ltd")
    assert unit.imported
    assert unit.label == "Fleet Ltd (imported)"
    forms = (
        RegisterForm(person=cast.owner, visible=Initiative.objects.all()).fields["unit"],
        SystemForm.base_fields["unit"],
        PolicyForm.base_fields["unit"],
    )
    for field in forms:
        assert unit not in field.queryset.all()
        assert cast.unit in field.queryset.all()
    assert "Fleet Ltd" not in as_(cast.owner).get("/initiatives/register/").content.decode()
    with pytest.raises(ValidationError, match="imported list"):
        factories.make_initiative(cast, unit=unit)
    assert "Fleet Ltd" not in as_(cast.chair).get("/initiatives/").content.decode()
    assert "Fleet Ltd (imported)" in as_(cast.chair).get("/initiatives/?whose=external").content.decode()


def test_an_admin_takes_one_over(cast, live):
    unit = Unit.objects.get(name="Fleet Ltd")
    unit_actions.move_unit(unit=unit, into=cast.elsewhere, reason="It is ours now.", by=cast.admin)
    unit = Unit.objects.get(pk=unit.pk)
    assert not unit.imported
    assert factories.make_initiative(cast, unit=unit).unit == unit
