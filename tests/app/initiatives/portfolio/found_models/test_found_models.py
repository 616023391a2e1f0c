"""Models that logs, samples and imports name and nobody declares: found once, answered by the chair, recorded."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction

from adoption.demo import initiative_acts
from governance import clock
from governance.authorization import decision_log
from governance.database.row_history import acting
from governance.interaction_log import loading
from governance.interaction_log.intake import interactions
from governance.interaction_log.shape import Kind
from governance.models import Entry, Interaction
from governance.notifications.inbox import tasks_for
from governance.organisation import actions as organisation_actions
from governance.permission_result import Conflict, Refused
from governance.rulebook import shipped_text
from governance.vocabulary import BoardRole, FoundAnswer, FoundSource, Stage, TakesEffect
from initiatives import tasks
from initiatives.interactions import actions as log_actions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import FoundModel, FoundModelDay, Initiative
from initiatives.portfolio.found_models import actions
from initiatives.portfolio.found_models.looking import MOST_OF_ONE, MOST_WAITING, look
from initiatives.portfolio.imports.portfolio import actions as import_actions
from tests.app.initiatives.contracts.enforcement.test_authzen import FIXTURE
from tests.app.initiatives.integration.components.test_register import confidential
from tests.app.initiatives.interactions.test_reconciling import done
from tests.support import factories
from tests.support.initiatives.initiative_pages import at, text_of
from tests.support.servers.asking_systems import write

pytestmark = pytest.mark.django_db


@pytest.fixture
def initiative(cast):
    """An MVP with a contract and a key that reports; at noon, so that one day is compared."""
    row = factories.make_contract(cast, factories.make_mvp(cast), FIXTURE)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text(), takes_effect=TakesEffect.AT_ONCE)
    with time_machine.travel(clock.midnight_after(clock.today()) + timedelta(hours=12)):
        yield initiative_acts.fresh(row)


@pytest.fixture
def key(cast, initiative):
    return factories.make_key(cast, initiative, days=300, scopes=["evaluate", "interactions"])[0]


def called(initiative, key, model, *, times=1, version="") -> Interaction:
    """Calls of a model in the interaction log."""
    for _ in range(times):
        row = done(initiative, key, kind=Kind.CALL, tool=None, operation="chat", model=model, version=version)
    return row


def looked() -> list[str]:
    """The names that are new."""
    return [row.name for row in look()]


@pytest.fixture
def found(initiative, key) -> FoundModel:
    called(initiative, key, "gpt-9", version="gpt-9-2026-11-01", times=3)
    assert looked() == ["gpt-9-2026-11-01"]
    return FoundModel.objects.get()


def asked(person, words="A model that no initiative declares") -> list:
    return [line for line in tasks_for(person) if line.text.startswith(words)]


# --- Finding ----------------------------------------------------------------------------------------------------------


def test_a_model_of_the_interaction_log_is_asked_about_once_whatever_its_spelling(
    cast, as_, initiative, key, found
):
    assert (found.key, found.unit) == ("gpt-9", initiative.unit)
    (row,) = found.days.all()
    said = (row.source, row.initiative, row.place, row.day, row.times)
    assert said == (FoundSource.INTERACTIONS, initiative, key.pk, clock.today(), 3)
    called(initiative, key, "openai/GPT-9", times=2)
    called(initiative, key, "gpt-9", version="gpt-9-2026-12-24")
    assert looked() == []
    assert sum(FoundModelDay.objects.values_list("times", flat=True)) == 6
    assert looked() == [], "it may run twice"
    assert sum(FoundModelDay.objects.values_list("times", flat=True)) == 6
    (line,) = asked(cast.chair)
    assert (line.verb, line.link) == ("decide", found.get_absolute_url())
    for other in (cast.owner, cast.lead, cast.admin, cast.deputy_chair, cast.seat_risk):
        assert asked(other) == []
    (entry,) = Entry.objects.acts().filter(kind="model found")
    assert entry.facts["facts"]["model"] == "gpt-9-2026-11-01"
    assert entry.initiative_ref == initiative.ref
    page = text_of(as_(cast.chair).get(found.get_absolute_url()))
    assert "Interaction log" in page
    assert key.system in page
    assert initiative.title in page
    assert as_(cast.owner).get(found.get_absolute_url()).status_code == 403


def test_calls_that_came_in_a_file_count_too_and_by_the_day_they_came(cast, as_, initiative):
    line = '{"at": "%s", "model": "quince-2", "input": "Who?", "output": "They."}'
    old = (clock.now() - timedelta(days=20)).isoformat()
    file = "\n".join(line % at for at in (old, clock.now().isoformat()))
    log_actions.import_file(initiative=initiative, name="calls.jsonl", content=file.encode(), by=cast.owner)
    interactions.bring_over()
    loading.loader.bring_orphans(interactions._folder)
    assert looked() == ["quince-2"]
    row = FoundModelDay.objects.get()
    assert (row.place, row.day, row.times) == (0, clock.today(), 2)


def test_what_any_initiative_declares_is_not_found(cast, initiative, key):
    other = factories.make_prototype(cast, title="Another one")
    factories.make_use(cast, other, factories.make_model(cast, name="gpt-9", version="2026-01-01"))
    called(initiative, key, "gpt-9", version="gpt-9-2026-11-01")
    assert looked() == []
    assert not FoundModel.objects.exists()


def test_a_declaration_before_the_answer_ends_the_question(cast, initiative, found):
    factories.make_use(cast, initiative, factories.make_model(cast, name="GPT 9", version="1"))
    assert look() == []
    found.refresh_from_db()
    assert (found.answer, found.initiative, found.answered_by) == (FoundAnswer.DECLARED, initiative, None)
    assert asked(cast.chair) == []
    assert Entry.objects.acts().filter(kind="found model declared").exists()


def test_a_model_that_a_system_names_when_it_asks_is_found(initiative, key):
    request = {"context": {"model": "mistral/Large-7"}}
    for _ in range(2):
        write(initiative, 1, key=key, request=request)
    write(initiative, 1, key=key, request={"context": {"model": {"name": "x"}}})
    decision_log.decisions.bring_over()
    assert [row.key for row in look()] == ["large-7"]
    row = FoundModelDay.objects.get()
    assert (row.source, row.place, row.times) == (FoundSource.DECISIONS, key.pk, 2)


def test_a_model_that_a_log_sample_names_is_found(cast, initiative):
    sample = (
        b"time,user,prompt,answer,model\n2026-03-02T09:14:00Z,u-17,What is owed?,Nothing is owed.,quince-2\n"
    )
    item = evidence_actions.add_evidence(
        initiative=initiative,
        kind="log_sample",
        title="Calls of Monday",
        observed_on=clock.today(),
        covers=["mvp.observability"],
        result="pass",
        file=ContentFile(sample, "calls.csv"),
        by=cast.lead,
    )
    assert [row.name for row in look()] == ["quince-2"]
    row = FoundModelDay.objects.get()
    assert (row.source, row.place, row.day) == (FoundSource.SAMPLE, item.pk, item.observed_on)


def test_models_that_a_table_of_own_initiatives_names_are_found(cast):
    text = f"Initiative;Department;Status;Model\nInvoice reader;{cast.unit.name};Idea;quince-2, quince-3\n"
    text += f"Mail triage;{cast.unit.name};Idea;unknown\nRoute planner;{cast.unit.name};Idea;Quince 2\n"
    batch = import_actions.upload_portfolio(content=text.encode(), file_name="own.csv", by=cast.admin)
    assert look() == [], "nothing of it is live"
    import_actions.confirm_portfolio(batch=batch, by=cast.admin)
    assert {row.key for row in look()} == {"quince-2", "quince-3"}
    rows = FoundModelDay.objects.filter(found__key="quince-2")
    assert {(row.source, row.place, row.initiative.title) for row in rows} == {
        (FoundSource.IMPORT, batch.pk, "Invoice reader"),
        (FoundSource.IMPORT, batch.pk, "Route planner"),
    }


def test_no_more_wait_for_a_unit_than_its_chair_can_answer(initiative, key, monkeypatch, found):
    monkeypatch.setattr("initiatives.portfolio.found_models.looking.MOST_WAITING", 2)
    assert MOST_WAITING == 50
    for name in ("one-x", "two-x"):
        called(initiative, key, name)
    assert len(looked()) == 1
    assert FoundModel.objects.waiting().count() == 2


def test_invented_names_of_one_key_leave_room_and_the_most_used_come_first(cast, initiative, key):
    for number in range(60):
        called(initiative, key, f"invented-{'x' * number}y")
    called(initiative, key, "used-more", times=2)
    assert len(names := looked()) == MOST_OF_ONE
    assert names[0] == "used-more"
    other = factories.make_key(cast, initiative, days=300, scopes=["interactions"], system="Other")[0]
    called(initiative, other, "real-7")
    assert looked() == ["real-7"]


def test_a_long_name_and_one_that_begins_with_a_bracket_are_found(initiative, key):
    for name in ("long " * 40, "[draft] quince"):
        write(initiative, 1, key=key, request={"context": {"model": name}})
    write(initiative, 1, key=key, request={"context": {"model": ["a", "list"]}})
    decision_log.decisions.bring_over()
    names = looked()
    assert "[draft] quince" in names
    assert [(len(name) <= 120, name[-3:]) for name in names if name.startswith("long")] == [(True, "...")]
    assert len(names) == 2


def test_the_hourly_task_looks(initiative, key):
    write(initiative, 1, key=key, request={"context": {"model": "large-7"}})
    decision_log.decisions.bring_over()
    tasks.follow_register()
    assert FoundModel.objects.get().name == "large-7"


# --- Answering --------------------------------------------------------------------------------------------------------


def test_the_chair_makes_an_idea_of_it_and_its_owner_records_the_component(cast, as_, found):
    said = {"title": "Quick drafts", "unit": cast.unit.pk, "problem": "Drafts wait.", "owner": cast.lead.pk}
    page = at("found-models/idea", found.pk)
    assert as_(cast.chair).post(page, said)["Location"] == found.get_absolute_url()
    found.refresh_from_db()
    idea = Initiative.objects.get(title="Quick drafts")
    assert (found.answer, found.initiative, found.answered_by) == (FoundAnswer.IDEA, idea, cast.chair)
    assert (idea.stage, idea.registered_by) == (Stage.PROPOSED, cast.chair)
    assert idea.roles.waiting().get().person == cast.lead
    assert asked(cast.chair) == []
    role_actions.accept_role(assignment=idea.roles.waiting().get(), by=cast.lead)
    (line,) = asked(cast.lead, "Record gpt-9-2026-11-01 as a component of Quick drafts")
    assert line.ref == idea.ref
    assert "layer=model&name=gpt-9-2026-11-01" in line.link
    assert as_(cast.lead).get(line.link).status_code == 200
    factories.make_use(
        cast, idea, factories.make_model(cast, name="gpt-9", version="2026-11-01"), by=cast.lead
    )
    assert asked(cast.lead, "Record gpt-9") == []


def test_the_chair_says_to_which_initiative_it_belongs(cast, as_, initiative, found):
    page = at("found-models/belongs", found.pk)
    as_(cast.chair).post(page, {"initiative": initiative.pk})
    found.refresh_from_db()
    assert (found.answer, found.initiative) == (FoundAnswer.BELONGS, initiative)
    assert [line.ref for line in asked(cast.lead, "Record gpt-9")] == [initiative.ref]
    assert len(asked(cast.owner, "Record gpt-9")) == 1
    assert asked(cast.steward, "Record gpt-9") == asked(cast.chair, "Record gpt-9") == []
    factories.make_use(cast, initiative, factories.make_model(cast, name="GPT 9", version="1"))
    assert asked(cast.lead, "Record gpt-9") == []


def test_a_name_that_is_not_ours_is_not_asked_about_again(cast, as_, initiative, key, found):
    page = at("found-models/not-ours", found.pk)
    assert as_(cast.chair).post(page, {"reason": "  "}).status_code != 302
    as_(cast.chair).post(page, {"reason": "A test name of the vendor."})
    found.refresh_from_db()
    assert (found.answer, found.reason, found.initiative) == (
        FoundAnswer.NOT_OURS,
        "A test name of the vendor.",
        None,
    )
    called(initiative, key, "GPT-9", times=4)
    assert looked() == []
    assert asked(cast.chair) == []
    assert FoundModel.objects.count() == 1
    (entry,) = Entry.objects.acts().filter(kind="found model answered")
    assert entry.facts["facts"]["why"] == "A test name of the vendor."
    shown = text_of(as_(cast.chair).get(at("found-models")))
    assert "not ai, or not our organisation&#x27;s" in shown
    with pytest.raises(Conflict):
        actions.not_ours(found=found, reason="Again", by=cast.chair)


def test_not_ours_of_one_board_leaves_the_question_to_another(cast, initiative, key, found):
    board = organisation_actions.add_board(name="Logistics board", unit=cast.elsewhere, by=cast.admin)
    organisation_actions.appoint(board=board, person=cast.outsider, seat=BoardRole.CHAIR, by=cast.admin)
    other = factories.make_initiative(cast, title="Elsewhere", unit=cast.elsewhere)
    actions.not_ours(found=found, reason="A test name.", by=cast.chair)
    called(initiative, key, "gpt-9")
    assert look() == []
    called(other, None, "GPT-9", times=2)
    (row,) = look()
    assert (row.key, row.unit, row.answer) == (found.key, cast.elsewhere, FoundAnswer.WAITING)
    assert [(one.initiative, one.times) for one in row.days.all()] == [(other, 2)]
    assert (asked(cast.chair), len(asked(cast.outsider))) == ([], 1)
    actions.not_ours(found=row, reason="Nor here.", by=cast.outsider)
    assert look() == []


def test_nobody_else_answers_and_the_initiative_runs(cast, as_, initiative, found):
    for person in (cast.admin, cast.owner, cast.deputy_chair):
        with pytest.raises(Refused, match="Only the chair of the board"):
            actions.not_ours(found=found, reason="No", by=person)
    closed = factories.make_initiative(cast, title="Gone")
    detail_actions.withdraw(initiative=closed, reason="By mistake", by=cast.owner)
    with pytest.raises(ValidationError, match="is not a running initiative"):
        actions.belongs(found=found, initiative=closed, by=cast.chair)
    assert as_(cast.chair).get(at("found-models/elsewhere", found.pk)).status_code == 404


def test_a_confidential_initiative_of_another_board_is_not_named(cast, as_, found):
    other = confidential(cast, factories.make_initiative(cast, title="Merger papers", unit=cast.elsewhere))
    FoundModelDay.objects.create(
        found=found, source=FoundSource.SAMPLE, initiative=other, place=1, day=clock.today(), times=1
    )
    page = text_of(as_(cast.chair).get(found.get_absolute_url()))
    assert "Merger papers" not in page
    assert "an initiative that you cannot see" in page


def test_the_database_keeps_no_answer_without_who_when_and_what(cast, initiative, found):
    now = clock.now()
    wrong = {
        "found_model_answered_means_who_and_when": {"answer": FoundAnswer.BELONGS, "initiative": initiative},
        "found_model_names_its_initiative_or_says_why_not": {
            "answer": FoundAnswer.NOT_OURS,
            "answered_by": cast.chair,
            "answered_at": now,
        },
    }
    for rule, changes in wrong.items():
        with pytest.raises(IntegrityError, match=rule), transaction.atomic(), acting(by=cast.chair):
            FoundModel.objects.filter(pk=found.pk).update(**changes)
    twice = FoundModel(key=found.key, name="GPT-9", unit=found.unit, found_at=now)
    with pytest.raises(IntegrityError), transaction.atomic(), acting(by=cast.chair):
        twice.save()
