"""A live file read again with another mapping: what is as imported changes, the rest is proposed or left."""

from datetime import date

import pytest
from django.urls import reverse

from governance.database.row_history import acting
from governance.models import Entry
from governance.permission_result import Conflict, Refused
from initiatives.desk.lines import sheet_changes
from initiatives.imports.assertions.pair_actions import answer_pairs
from initiatives.imports.assertions.queries import lists, rows_read_by
from initiatives.imports.inventories import actions, import_runs, reading_again
from initiatives.imports.removal import actions as removal_actions
from initiatives.models import ImportBatch, ImportRun, Initiative, StageChange
from initiatives.registration import actions as registration_actions
from initiatives.roles import actions as role_actions
from initiatives.stages import actions as stage_actions
from initiatives.worklist.person_worklist import look_of
from tests.support import factories
from tests.support.claims import check_deferred

pytestmark = pytest.mark.django_db
LIST = """System;Goal;Remark;Owner unit;Phase
Letter sorter;Sorts letters;Old words;Fleet;Trial
Depot camera;Counts crates;Old words;Fleet;Trial
Route planner;Fewer empty runs;Old words;Fleet;Phase Q
Old bot;Answered mail;Old words;Fleet;Phase Z
"""
COLUMNS = {"title": "System", "problem": "Remark", "organisation": "Owner unit", "stage": "Phase"}
STAGES = {"Trial": "mvp", "Phase Q": "", "Phase Z": ""}


def uploaded(cast, text=LIST, name="fleet.csv", **options) -> ImportBatch:
    return actions.upload_batch(
        content=text.encode(), file_name=name, source="fleet", own=True, by=cast.admin, **options
    )


def mapped(cast, batch, columns=None, stages=None) -> ImportBatch:
    return actions.map_batch(
        batch=batch, columns=COLUMNS | (columns or {}), stages=STAGES | (stages or {}), by=cast.admin
    )


@pytest.fixture
def first(cast) -> ImportBatch:
    """A file that is live with the wrong column for what a system is for; two rows wait, one of them rejected."""
    batch = mapped(cast, uploaded(cast))
    actions.confirm_batch(batch=batch, by=cast.admin)
    actions.decide_row(row=batch.rows.get(mapped__title="Old bot"), reason="Not ours.", by=cast.admin)
    return batch


def case(title: str) -> Initiative:
    return Initiative.objects.get(title=title)


def own(cast, one: Initiative) -> None:
    role = role_actions.propose_role(case=one, role="owner", person=cast.lead, by=cast.admin)
    role_actions.accept_role(assignment=role, by=cast.lead)


def fates(batch) -> dict[str, str]:
    return {row.mapped["title"]: row.decision for row in batch.rows.all()}


def test_what_is_as_imported_changes_and_what_is_owned_is_proposed(cast, as_, first):
    own(cast, case("Depot camera"))
    second = mapped(
        cast, first, {"problem": "Goal"}, {"Trial": "prototype", "Phase Q": "production", "Phase Z": "mvp"}
    )
    assert second.pk != first.pk
    assert fates(second) == {
        "Letter sorter": "change",
        "Depot camera": "change",
        "Route planner": "import",
        "Old bot": "reject",
    }
    assert (case("Letter sorter").stage, case("Letter sorter").problem) == ("mvp", "Old words"), (
        "not confirmed"
    )
    assert not list(sheet_changes(look_of(cast.lead))), "nothing is proposed before it is confirmed"
    told = [each["text"] for each in second.rows.get(mapped__title="Letter sorter").problems]
    assert "Stage: \u201cPrototype\u201d in place of \u201cMVP\u201d." in told
    counts = actions.confirm_batch(batch=second, by=cast.admin)
    check_deferred()
    assert counts["imported"] == 1
    assert Initiative.objects.count() == 3
    sorter, camera, planner = case("Letter sorter"), case("Depot camera"), case("Route planner")
    assert (sorter.stage, sorter.problem) == ("prototype", "Sorts letters")
    assert (camera.stage, camera.problem) == ("prototype", "Old words"), (
        "the claim is corrected, words are its owner's"
    )
    assert (planner.stage, planner.problem) == ("production", "Fewer empty runs")
    assert StageChange.objects.filter(initiative=sorter).latest("pk").basis == "import"
    assert Entry.objects.filter(kind="imported row decided", case_ref=sorter.ref).exists()
    url = f"/cases/{camera.ref}/proposed-changes/"
    assert [line.link for line in sheet_changes(look_of(cast.lead))] == [url]
    assert "Counts crates" in as_(cast.lead).get(url).content.decode()
    as_(cast.lead).post(url, {"fields_taken": ["problem"]})
    assert case("Depot camera").problem == "Counts crates"
    assert not list(sheet_changes(look_of(cast.lead)))


def test_rows_of_the_first_reading_are_decided_in_the_second_alone(cast, first):
    waits = first.rows.get(mapped__title="Route planner")
    second = mapped(cast, first, stages={"Phase Q": "production"})
    assert list(lists()) == [first], "what is not confirmed is no list"
    with pytest.raises(Conflict, match="read again"):
        actions.decide_row(row=waits, stage="mvp", reason="They say so.", by=cast.admin)
    with pytest.raises(Conflict, match="read again"):
        mapped(cast, first)
    with pytest.raises(Refused, match="read again"):
        removal_actions.undo_batch(batch=first, reason="Wrong.", by=cast.admin)
    actions.confirm_batch(batch=second, by=cast.admin)
    waits.refresh_from_db()
    assert (waits.decision, waits.initiative) == ("unchanged", case("Route planner"))
    assert list(lists()) == [second], "one list, as it was read last"
    assert {row.batch for row in rows_read_by(cast.admin)} == {second}
    assert Initiative.objects.count() == 3


def test_a_reading_that_is_thrown_away_leaves_the_first(cast, first):
    second = mapped(cast, first, {"problem": "Goal"})
    removal_actions.discard_batch(batch=second, by=cast.admin)
    waits = first.rows.get(mapped__title="Route planner")
    assert actions.decide_row(row=waits, stage="mvp", reason="They say so.", by=cast.admin).initiative
    assert case("Letter sorter").problem == "Old words"


def test_what_a_person_changed_since_is_proposed_and_what_was_decided_is_left(cast, as_, first):
    sorter = case("Letter sorter")
    registration_actions.change_details(
        case=sorter, problem="My words", platform="", confidential=False, by=cast.admin
    )
    newer = uploaded(
        cast, "System;Owner unit;Phase\nLetter sorter;Fleet;Closed\n", "newer.csv", backfill=False
    )
    removal_actions.discard_batch(batch=newer, by=cast.admin)
    second = mapped(cast, first, {"problem": "Goal"})
    actions.confirm_batch(batch=second, by=cast.admin)
    assert case("Letter sorter").problem == "My words"
    assert case("Depot camera").problem == "Counts crates"
    row = second.rows.get(mapped__title="Letter sorter")
    assert (row.decision, row.mapped["proposed"]) == ("change", True)
    url = f"/cases/{sorter.ref}/proposed-changes/"
    as_(cast.admin).post(url, {"fields_taken": ["problem"]})
    assert case("Letter sorter").problem == "Sorts letters"


def test_a_claim_corrected_since_is_left(cast, first):
    actions.confirm_batch(batch=mapped(cast, first, stages={"Trial": "prototype"}), by=cast.admin)
    second = ImportBatch.objects.latest("pk")
    again = mapped(cast, second, stages={"Trial": "prototype", "Phase Q": "mvp"})
    assert fates(again)["Letter sorter"] == "unchanged"
    assert fates(again)["Route planner"] == "import"
    actions.confirm_batch(batch=again, by=cast.admin)
    assert case("Letter sorter").stage == "prototype"
    assert Initiative.objects.count() == 3


def test_a_file_behind_a_newer_list_is_not_read_again(cast, first):
    newer = uploaded(cast, LIST.replace("Trial", "Pilot"), "newer.csv", published_on=date(2026, 1, 1))
    actions.confirm_batch(batch=newer, by=cast.admin)
    with pytest.raises(Conflict, match="newer list"):
        mapped(cast, first, {"problem": "Goal"})


def test_units_follow_the_column_where_nothing_was_looked_at_for_them(cast):
    text = "System;Site;Part;Phase\nSorter;North;Post;Trial\nCamera;North;Depot;Trial\n"
    columns = {"title": "System", "problem": "", "organisation": "Part", "stage": "Phase"}
    batch = mapped(cast, uploaded(cast, text), columns)
    actions.confirm_batch(batch=batch, by=cast.admin)
    assert case("Sorter").unit.name == "Post"
    second = mapped(cast, batch, columns | {"organisation": "Site", "bureau": "Part"})
    actions.confirm_batch(batch=second, by=cast.admin)
    sorter = case("Sorter")
    assert (sorter.unit.name, sorter.unit.parent.name, sorter.source_organisation) == (
        "Post",
        "North",
        "North",
    )
    assert Entry.objects.filter(kind="unit set", case_ref=sorter.ref).exists()


def test_many_are_the_workers_and_too_many_are_said(cast, as_, first, monkeypatch):
    second = mapped(cast, first, {"problem": "Goal"})
    monkeypatch.setattr(reading_again, "MOST_CHANGED", 1)
    client, url = as_(cast.admin), reverse("import-confirm", args=[second.pk])
    page = client.get(url).content.decode()
    assert "2 initiatives that are here read otherwise now" in page
    assert "2 initiatives would change" in client.post(url, {"organisations": ["Fleet"]}).content.decode()
    monkeypatch.setattr(reading_again, "MOST_CHANGED", 100)
    monkeypatch.setattr("initiatives.imports.inventories.views.MANY_CHANGED", 1)
    client.post(url, {"organisations": ["Fleet"]})
    assert import_runs.run(ImportRun.objects.get().pk).state == "done"
    assert case("Letter sorter").problem == "Sorts letters"


def test_it_is_read_again_on_the_page_of_the_file(cast, as_, first):
    client, url = as_(cast.admin), reverse("import", args=[first.pk])
    page = client.get(url)
    assert "Read again with this mapping" in page.content.decode()
    form = page.context["mapping"]
    posted = {name: form[name].initial or "" for name in form.fields} | {"problem": "Goal"}
    answer = client.post(url, posted, follow=True)
    second = ImportBatch.objects.latest("pk")
    assert answer.redirect_chain[-1][0] == second.get_absolute_url()
    assert "another reading of a file" in answer.content.decode()
    assert (
        "What it is for: \u201cSorts letters\u201d in place of \u201cOld words\u201d"
        in answer.content.decode()
    )
    old = client.get(url).content.decode()
    assert "go on there" in old
    assert "Read again with this mapping" not in old


def test_a_stage_chosen_by_hand_stays(cast, first):
    actions.decide_row(
        row=first.rows.get(mapped__title="Route planner"), stage="mvp", reason="They say so.", by=cast.admin
    )
    second = mapped(cast, first, {"problem": "Goal"}, {"Phase Q": "production"})
    actions.confirm_batch(batch=second, by=cast.admin)
    planner = case("Route planner")
    assert (planner.stage, planner.problem) == ("mvp", "Fewer empty runs")


def test_a_move_that_an_older_list_began_waits_for_a_person(cast, first):
    lines = LIST.replace("Trial", "Live").replace("System", "Id;System").replace("\nLetter", "\n1;Letter")
    lines = lines.replace("\nDepot", "\n2;Depot").replace("\nRoute", "\n3;Route").replace("\nOld", "\n4;Old")
    older = mapped(cast, uploaded(cast, lines, "b.csv"), {"key": "Id"}, {"Live": "mvp"})
    rows = [row for row in older.rows.all() if row.paired_by == "name"]
    answer_pairs(rows=rows, same=True, reason="The same.", by=cast.admin)
    actions.confirm_batch(batch=older, by=cast.admin)
    again = mapped(cast, older, {"key": "Id"}, {"Live": "production"})
    assert fates(again)["Letter sorter"] == "triage"
    actions.confirm_batch(batch=again, by=cast.admin)
    row = again.rows.get(mapped__title="Letter sorter")
    assert (row.move, row.paired_by, case("Letter sorter").stage) == ("promoted", "person", "mvp")
    actions.decide_row(row=row, stage="production", reason="It runs.", by=cast.admin)
    assert case("Letter sorter").stage == "production"


def test_a_second_reading_is_corrected_before_it_is_confirmed(cast, first):
    second = mapped(cast, first, {"problem": "Goal"})
    corrected = mapped(cast, second, {"problem": ""}, {"Phase Z": "mvp", "Phase Q": "retired"})
    assert corrected == second
    assert fates(second) == {
        "Letter sorter": "unchanged",
        "Depot camera": "unchanged",
        "Route planner": "import",
        "Old bot": "reject",
    }
    second.refresh_from_db()
    assert (second.counts["unchanged"], second.counts["imported"], second.counts["rejected"]) == (2, 1, 1)


def test_a_unit_for_which_systems_were_looked_at_stays(cast, first):
    sorter = case("Letter sorter")
    role = role_actions.propose_role(case=sorter, role="owner", person=cast.owner, by=cast.admin)
    role_actions.accept_role(assignment=role, by=cast.owner)
    factories.make_link(cast, sorter)
    second = mapped(cast, first, {"organisation": "Goal"})
    actions.confirm_batch(batch=second, by=cast.admin)
    assert (case("Letter sorter").unit.name, case("Depot camera").unit.name) == ("Fleet", "Counts crates")
    row = second.rows.get(mapped__title="Letter sorter")
    assert any("left as it is" in each["text"] for each in row.problems)


def test_a_newer_list_since_keeps_a_reading_from_being_confirmed(cast, first):
    second = mapped(cast, first, {"problem": "Goal"})
    newer = uploaded(cast, LIST.replace("Trial", "Pilot"), "newer.csv", published_on=date(2026, 1, 1))
    actions.confirm_batch(batch=newer, by=cast.admin)
    with pytest.raises(Conflict, match="newer list"):
        actions.confirm_batch(batch=second, by=cast.admin)
    assert case("Letter sorter").problem == "Old words"


def test_what_was_decided_since_is_left(cast, first):
    sorter, camera = case("Letter sorter"), case("Depot camera")
    own(cast, sorter)
    stage_actions.stop(case=sorter, reason_code="no_value", reason="Nobody uses it.", by=cast.lead)
    with acting(by=cast.admin, reason="Ours"):
        camera.unit = cast.elsewhere
        camera.save()
    second = mapped(
        cast, first, {"organisation": "Remark", "title": "Goal", "problem": ""}, {"Trial": "prototype"}
    )
    actions.confirm_batch(batch=second, by=cast.admin)
    rows = {row.initiative_id: row for row in second.rows.all()}
    assert (Initiative.objects.get(pk=sorter.pk).stage, rows[sorter.pk].decision) == ("stopped", "taken")
    assert rows[sorter.pk].mapped["taken"] == ["organisation"], (
        "where it is listed, and nothing that was decided"
    )
    assert Initiative.objects.get(pk=sorter.pk).title == "Letter sorter"
    camera = Initiative.objects.get(pk=camera.pk)
    assert (camera.stage, camera.title, camera.unit) == ("prototype", "Counts crates", cast.elsewhere)


def test_the_title_of_what_somebody_owns_is_proposed(cast, first):
    own(cast, case("Depot camera"))
    actions.confirm_batch(batch=mapped(cast, first, {"title": "Goal"}), by=cast.admin)
    assert Initiative.objects.filter(title="Depot camera").exists()
    assert Initiative.objects.filter(title="Sorts letters").exists()
    assert len(list(sheet_changes(look_of(cast.lead)))) == 1


def test_what_waited_waits_again_once_the_second_reading_is_undone(cast, first):
    waits = first.rows.get(mapped__title="Route planner")
    second = mapped(cast, first, stages={"Phase Q": "production"})
    actions.confirm_batch(batch=second, by=cast.admin)
    removal_actions.undo_batch(batch=second, reason="It was an idea.", by=cast.admin)
    waits.refresh_from_db()
    assert (waits.decision, waits.initiative, "closed" in waits.mapped) == ("triage", None, False)
    first.refresh_from_db()
    assert first.counts["triaged"] == 1
    actions.decide_row(row=waits, stage="proposed", reason="An idea.", by=cast.admin)
    assert Initiative.objects.live().get(title="Route planner").stage == "proposed"
    assert list(lists()) == [first]
