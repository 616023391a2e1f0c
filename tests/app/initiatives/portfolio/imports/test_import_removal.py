"""A file is thrown away while nothing is live, and an import undone while nobody works on what it brought."""

import pytest
from django.core.exceptions import ValidationError

from governance.models import Entry
from governance.permission_result import Conflict, Refused
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Initiative, InitiativeVisit, RoleAssignment
from initiatives.portfolio.imports.inventories import actions as inventory_actions
from initiatives.portfolio.imports.removal import actions as removal_actions
from tests.acceptance.input.test_inventories import text_upload
from tests.support.initiatives.initiative_pages import at
from tests.support.reported_stages import check_deferred

pytestmark = pytest.mark.django_db
LIST = """Name;Organisation;Status;Purpose
Route planner;Fleet Ltd;Idea;Fewer empty runs
Letter sorter;Fleet Ltd;Pilot;Sorts letters
Depot camera;Fleet Ltd;In production;Counts crates
Old bot;Fleet Ltd;Retired;Answered mail
"""


def bring_in(cast, text=LIST, source="fleet-2026"):
    batch = text_upload(cast.admin, text, source=source)
    inventory_actions.confirm_batch(batch=batch, by=cast.admin)
    return batch


def test_what_is_discarded_can_be_uploaded_again(cast, as_):
    batch = text_upload(cast.admin, LIST, source="fleet-2026")
    page = as_(cast.admin).get(at("imports/discard", batch.pk))
    assert "Discard the file?" in page.content.decode()
    assert as_(cast.admin).post(at("imports/discard", batch.pk)).status_code == 302
    batch.refresh_from_db()
    assert batch.discarded_by == cast.admin
    assert not batch.rows.exists()
    assert Entry.objects.latest("pk").kind == "import discarded"
    with pytest.raises(Conflict, match="This import was discarded"):
        inventory_actions.confirm_batch(batch=batch, by=cast.admin)
    again = text_upload(cast.admin, LIST, source="fleet-2026")
    assert again.repeats is None
    assert again.rows.count() == 4
    assert as_(cast.outsider).get(at("imports/discard", again.pk)).status_code == 403


def test_an_undone_import_leaves_entries_and_numbers_and_nothing_else(cast, as_):
    before = set(Initiative.objects.live().values_list("pk", flat=True))
    batch = bring_in(cast)
    brought = list(removal_actions.brought_by(batch))
    assert len(brought) == 4
    role = role_actions.propose_role(initiative=brought[1], role="owner", person=cast.lead, by=cast.admin)
    assert as_(cast.admin).post(at("imports/undo", batch.pk), {"reason": ""}).status_code == 200
    assert as_(cast.lead).get(brought[1].get_absolute_url()).status_code == 200
    assert InitiativeVisit.objects.filter(initiative=brought[1]).exists(), "looking is not working on it"
    done = as_(cast.admin).post(at("imports/undo", batch.pk), {"reason": "The wrong sheet."}, follow=True)
    assert "4 initiatives are withdrawn" in done.content.decode()
    check_deferred()
    assert set(Initiative.objects.live().values_list("pk", flat=True)) == before
    for initiative in Initiative.objects.filter(pk__in=[one.pk for one in brought]):
        assert (initiative.stage, bool(initiative.withdrawn_at)) == ("proposed", True)
        kinds = set(Entry.objects.filter(initiative_ref=initiative.ref).values_list("kind", flat=True))
        assert "withdrawn" in kinds
    assert not RoleAssignment.objects.waiting().filter(pk=role.pk).exists()
    ended = Entry.objects.get(kind="role ended", initiative_ref=brought[1].ref)
    assert ended.facts["facts"] == {"role": "owner", "person": cast.lead.full_name}
    portfolio = as_(cast.admin).get("/portfolio/?view=list").content.decode()
    assert "Depot camera" not in portfolio
    assert "Letter sorter" not in portfolio
    again = bring_in(cast)
    assert again.repeats is None
    assert removal_actions.brought_by(again).count() == 4, "new initiatives, none of the withdrawn ones"


def test_an_import_is_not_undone_once_somebody_works_on_it(cast):
    batch = bring_in(cast)
    initiative = Initiative.objects.get(title="Letter sorter")
    role = role_actions.propose_role(initiative=initiative, role="owner", person=cast.owner, by=cast.admin)
    role_actions.accept_role(assignment=role, by=cast.owner)
    with pytest.raises(Refused, match=f"People work on 1 .*{initiative.ref}: .*role assignment"):
        removal_actions.undo_batch(batch=batch, reason="Wrong.", by=cast.admin)
    assert Initiative.objects.live().filter(title="Depot camera").exists(), "all or nothing"


def test_an_answer_alone_keeps_an_import(cast):
    batch = bring_in(cast)
    initiative = Initiative.objects.get(title="Route planner")
    role = role_actions.propose_role(initiative=initiative, role="owner", person=cast.owner, by=cast.admin)
    assert not removal_actions.worked_on(removal_actions.brought_by(batch)), "asked, and not accepted"
    role_actions.accept_role(assignment=role, by=cast.owner)
    requirement_actions.answer(
        initiative=initiative,
        requirement="prototype.selected",
        kind="answered",
        text="It pays.",
        by=cast.owner,
    )
    words = removal_actions.worked_on(removal_actions.brought_by(batch))[initiative.ref]
    assert "answer" in words


def test_undoing_needs_a_reason_an_admin_and_live_rows(cast):
    batch = bring_in(cast)
    with pytest.raises(ValidationError):
        removal_actions.undo_batch(batch=batch, reason=" ", by=cast.admin)
    with pytest.raises(Refused):
        removal_actions.undo_batch(batch=batch, reason="Wrong.", by=cast.chair)
    with pytest.raises(Refused, match="Undo the import"):
        removal_actions.discard_batch(batch=batch, by=cast.admin)
    waiting = text_upload(cast.admin, LIST.replace("Depot", "Gate"), source="other-2026")
    with pytest.raises(Refused, match="Open the page of the file and discard it"):
        removal_actions.undo_batch(batch=waiting, reason="Wrong.", by=cast.admin)
    removal_actions.undo_batch(batch=batch, reason="Wrong.", by=cast.admin)
    with pytest.raises(Refused, match="already"):
        removal_actions.undo_batch(batch=batch, reason="Wrong.", by=cast.admin)
