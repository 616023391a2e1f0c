"""Moves between two lists of one source: told for every pair, taken by a person, never from what was decided here."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from governance.models import Entry
from governance.permission_result import Conflict, Refused
from initiatives.imports.assertions.actions import decide_move
from initiatives.imports.assertions.asserted_moves import asserted_move
from initiatives.imports.assertions.pair_actions import answer_pair, answer_pairs
from initiatives.imports.inventories import actions
from initiatives.imports.removal.actions import undo_batch
from initiatives.models import Hold, Initiative, Obligation
from initiatives.stages import actions as stage_actions

pytestmark = pytest.mark.django_db
HEADER = "Use case name,Agency,Use case ID,Stage\n"
STAGES = {
    "proposed": "Planned",
    "prototype": "Proof of concept",
    "mvp": "Pilot",
    "production": "In production",
    "stopped": "Stopped",
    "retired": "Retired",
}


def listed(by, lines, *, name="a.csv", on=date(2024, 1, 1), confirm=True, **options):
    """A list of the source "acme" with (name, id, stage), confirmed."""
    text = HEADER + "".join(f"{title},Acme,{key},{STAGES.get(stage, stage)}\n" for title, key, stage in lines)
    batch = actions.upload_batch(
        content=text.encode(), file_name=name, source="acme", published_on=on, by=by, **options
    )
    if confirm:
        actions.confirm_batch(batch=batch, by=by)
    return batch


def older_and_newer(cast, before, after):
    listed(cast.admin, before)
    return listed(cast.admin, after, name="b.csv", on=date(2025, 1, 1))


# By hand: what the older list said, what the newer says, and what that is called.
TOLD = [
    ("mvp", "mvp", "same"),
    ("proposed", "prototype", "promoted"),
    ("mvp", "production", "promoted"),
    ("proposed", "mvp", "skipped"),
    ("prototype", "production", "skipped"),
    ("mvp", "stopped", "stopped"),
    ("production", "stopped", "stopped"),
    ("production", "retired", "retired"),
    ("prototype", "retired", "retired"),
    ("production", "mvp", "demoted"),
    ("mvp", "proposed", "demoted"),
    ("stopped", "prototype", "reactivated"),
    ("retired", "production", "reactivated"),
    ("stopped", "retired", "unclassifiable"),
    ("mvp", "", "unclassifiable"),
    ("", "mvp", "unclassifiable"),
    ("mvp", "nearly done", "unclassifiable"),
]


@pytest.mark.parametrize(("before", "after", "move"), TOLD)
def test_each_move_has_its_name(before, after, move):
    assert asserted_move(before, after) == move


def test_a_newer_list_tells_the_move_of_every_pair_by_id_and_moves_nothing(cast):
    told = [row for row in TOLD if row[0] and row[2] != "unclassifiable"]
    before = [(f"System {n}", f"A-{n}", one[0]) for n, one in enumerate(told)]
    after = [(f"Renamed {n}", f"A-{n}", one[1]) for n, one in enumerate(told)]
    batch = older_and_newer(cast, before, after)
    assert Initiative.objects.count() == len(told)
    rows = {row.mapped["key"]: row for row in batch.rows.select_related("initiative")}
    for n, (was, now, move) in enumerate(told):
        row = rows[f"A-{n}"]
        assert (row.move, row.stage_before, row.paired_by) == (move, was, "id")
        assert row.initiative.stage == was, "nothing is taken silently"
        assert row.decision == ("unchanged" if move == "same" else "triage"), (was, now)


def test_a_taken_move_corrects_the_claim_of_its_case_and_makes_no_second_one(cast):
    batch = older_and_newer(cast, [("Bot", "A-1", "mvp")], [("Bot", "A-1", "production")])
    row = batch.rows.get()
    with pytest.raises(ValidationError):
        decide_move(row=row, stage="production", reason=" ", by=cast.admin)
    with pytest.raises(Refused):
        decide_move(row=row, stage="production", reason="Seen.", by=cast.chair)
    row = actions.decide_row(row=row, stage="production", reason="Its office told us.", by=cast.admin)
    case = Initiative.objects.get()
    assert (case.stage, case.basis, row.decision) == ("production", "import", "taken")
    assert row.initiative_id == case.pk
    changes = list(case.stage_changes.order_by("id").values_list("from_stage", "to_stage", "basis"))
    assert changes == [("proposed", "mvp", "import"), ("mvp", "production", "import")]
    assert "Newer claim taken: Its office told us." in case.stage_changes.last().reason
    assert not Obligation.objects.exists()
    assert not Hold.objects.exists()
    entry = Entry.objects.acts().get(kind="asserted move decided")
    assert (entry.case_ref, entry.facts["facts"]["claim"]) == (case.ref, ["mvp", "production"])
    with pytest.raises(Conflict):
        actions.decide_row(row=row, stage="mvp", reason="Again.", by=cast.admin)


def test_a_move_that_is_left_leaves_the_claim(cast):
    batch = older_and_newer(cast, [("Bot", "A-1", "mvp")], [("Bot", "A-1", "retired")])
    row = actions.decide_row(row=batch.rows.get(), reason="Its users say it runs.", by=cast.admin)
    assert (row.decision, Initiative.objects.get().stage) == ("left", "mvp")


def test_a_claim_goes_wherever_its_source_says_and_back(cast):
    listed(cast.admin, [("Bot", "A-1", "production")])
    stages = ("retired", "proposed", "prototype", "stopped", "mvp", "production", "mvp")
    for year, stage in enumerate(stages, 2025):
        lines = [("Bot", "A-1", stage), (f"Of {year}", f"B-{year}", "mvp")]
        batch = listed(cast.admin, lines, name=f"{year}.csv", on=date(year, 1, 1))
        actions.decide_row(
            row=batch.rows.get(line=2), stage=stage, reason="So its source says.", by=cast.admin
        )
        case = Initiative.objects.get(title="Bot")
        assert (case.stage, case.basis) == (stage, "import")


def test_an_idea_of_a_list_is_claimed_by_a_newer_one(cast):
    batch = older_and_newer(cast, [("Bot", "A-1", "proposed")], [("Bot", "A-1", "mvp")])
    actions.decide_row(row=batch.rows.get(), stage="mvp", reason="Its office told us.", by=cast.admin)
    assert (Initiative.objects.get().stage, Initiative.objects.get().basis) == ("mvp", "import")


def test_a_stage_decided_here_is_moved_by_no_list(cast):
    listed(cast.admin, [("Bot", "A-1", "mvp")])
    case = Initiative.objects.get()
    from governance.database.row_history import acting

    with acting(by=cast.admin, reason="Taken over"):
        case.unit = cast.unit
        case.save()
    stage_actions.step_back(
        case=case,
        reason="Too early.",
        users_told="By mail.",
        scope={"users": "Nobody", "user_count": 0},
        by=cast.chair,
    )
    batch = listed(cast.admin, [("Bot", "A-1", "production")], name="b.csv", on=date(2025, 1, 1))
    row = batch.rows.get()
    with pytest.raises(Refused, match="was decided here"):
        actions.decide_row(row=row, stage="production", reason="So they say.", by=cast.admin)
    assert Initiative.objects.get().stage == "prototype"
    assert actions.decide_row(row=row, reason="A gate decides.", by=cast.admin).decision == "left"


def test_an_older_move_is_not_taken_once_a_newer_list_says_otherwise(cast):
    older = older_and_newer(cast, [("Bot", "A-1", "mvp")], [("Bot", "A-1", "retired")])
    lines = [("Bot", "A-1", "mvp"), ("Map", "A-2", "mvp")]
    newer = listed(cast.admin, lines, name="c.csv", on=date(2026, 1, 1))
    assert newer.rows.get(line=2).move == "reactivated", "the very line of a list before the last is told too"
    with pytest.raises(Conflict, match="newer list"):
        actions.decide_row(row=older.rows.get(), stage="retired", reason="Late.", by=cast.admin)
    assert Initiative.objects.get(title="Bot").stage == "mvp"


def test_what_was_undone_says_nothing_more(cast):
    older = older_and_newer(
        cast, [("Bot", "A-1", "mvp"), ("Map", "", "mvp")], [("Bot", "A-1", "retired"), ("Map", "", "retired")]
    )
    lines = [("Bot", "A-1", "production"), ("Map", "", "production")]
    newest = listed(cast.admin, lines, name="c.csv", on=date(2026, 1, 1))
    undo_batch(batch=newest, reason="Another year.", by=cast.admin)
    moved, named = newest.rows.order_by("line")
    with pytest.raises(Conflict, match="undone"):
        actions.decide_row(row=moved, stage="production", reason="So they say.", by=cast.admin)
    with pytest.raises(Conflict, match="undone"):
        answer_pairs(rows=[named], same=False, reason="Another.", by=cast.admin)
    actions.decide_row(row=older.rows.get(line=2), stage="retired", reason="So they say.", by=cast.admin)
    assert Initiative.objects.get(title="Bot").stage == "retired", "what was undone is no newer list"


def test_nothing_of_a_file_that_waits_is_taken(cast):
    listed(cast.admin, [("Bot", "A-1", "mvp")])
    batch = listed(
        cast.admin, [("Bot", "A-1", "production")], name="b.csv", on=date(2025, 1, 1), confirm=False
    )
    with pytest.raises(Refused, match="not confirmed"):
        actions.decide_row(row=batch.rows.get(), stage="production", reason="Seen.", by=cast.admin)


def test_a_name_only_proposes_a_pair_that_a_person_confirms(cast):
    batch = older_and_newer(cast, [("Bot", "", "mvp"), ("Map", "", "mvp")], [("Bot", "B-1", "production")])
    row = batch.rows.get()
    assert (row.initiative, row.decision, row.paired_by, row.move) == (None, "triage", "name", "promoted")
    assert Initiative.objects.count() == 2
    with pytest.raises(Refused, match="may be this system"):
        actions.decide_row(row=row, stage="production", reason="Seen.", by=cast.admin)
    with pytest.raises(Refused):
        answer_pairs(rows=[row], same=True, reason="The same contract.", by=cast.auditor)
    (row,) = answer_pairs(rows=[row], same=True, reason="The same contract.", by=cast.admin)
    case = Initiative.objects.get(title="Bot")
    assert (row.initiative, row.decision, row.paired_by, row.move) == (case, "triage", "person", "promoted")
    assert case.stage == "mvp", "a pair is no move"
    actions.decide_row(row=row, stage="production", reason="Seen.", by=cast.admin)
    assert Initiative.objects.get(title="Bot").stage == "production"
    assert Initiative.objects.count() == 2
    with pytest.raises(Conflict):
        answer_pairs(rows=[row], same=False, reason="No.", by=cast.admin)


def test_a_refused_pair_is_a_system_of_its_own(cast):
    batch = older_and_newer(cast, [("Bot", "", "mvp")], [("Bot", "B-1", "production")])
    (row,) = answer_pairs(rows=[batch.rows.get()], same=False, reason="Another office.", by=cast.admin)
    assert (row.decision, row.move) == ("import", "")
    assert row.initiative.stage == "production"
    assert set(Initiative.objects.values_list("stage", flat=True)) == {"mvp", "production"}
    batch.refresh_from_db()
    assert batch.counts["imported"] == 1


def test_of_several_cases_of_a_name_a_person_chooses_one(cast):
    batch = older_and_newer(
        cast, [("Bot", "A-1", "mvp"), ("Bot", "A-2", "production")], [("Bot", "B-1", "retired")]
    )
    row = batch.rows.get()
    assert (row.decision, row.move) == ("triage", "")
    assert len(row.mapped["candidates"]) == 2
    with pytest.raises(ValidationError):
        answer_pairs(rows=[row], same=True, reason="Surely.", by=cast.admin)
    case = Initiative.objects.get(source_key="A-2")
    row = answer_pair(row=row, case=case, reason="Told by its office.", by=cast.admin)
    assert (row.initiative, row.stage_before, row.move) == (case, "production", "retired")


def test_two_lists_that_waited_bring_a_system_once(cast):
    one = listed(cast.admin, [("Bot", "A-1", "mvp")], confirm=False)
    other = listed(
        cast.admin, [("Bot", "A-1", "production")], name="b.csv", on=date(2025, 1, 1), confirm=False
    )
    actions.confirm_batch(batch=one, by=cast.admin)
    actions.confirm_batch(batch=other, by=cast.admin)
    assert Initiative.objects.count() == 1
    assert other.rows.get().move == "promoted"


def test_a_row_set_aside_is_no_second_case_of_what_a_newer_list_brought(cast):
    older = listed(cast.admin, [("Bot", "A-1", "Quartz")])
    listed(cast.admin, [("Bot", "A-1", "production")], name="b.csv", on=date(2025, 1, 1))
    with pytest.raises(Refused, match="brought this system in already"):
        actions.decide_row(row=older.rows.get(), stage="mvp", reason="Remembered.", by=cast.admin)
    assert Initiative.objects.count() == 1
