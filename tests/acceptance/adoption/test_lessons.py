"""Lessons come back: offered to the initiatives near them, answered before the gate, part of what the board signs."""

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from adoption.demo import initiative_acts
from adoption.incidents import actions as incident_actions
from adoption.lessons import actions as lesson_actions
from adoption.lessons import findings as lesson_findings
from adoption.lessons import inbox as lesson_inbox
from adoption.lessons import lesson_matching
from adoption.lessons import permissions as lesson_permissions
from adoption.lessons.actions import MARK, Said
from adoption.lessons.presentation import at_gate
from adoption.models import Lesson, LessonResponse, LessonWords
from adoption.models.lessons import LESSONS_READ
from adoption.postmortems import actions as postmortem_actions
from adoption.postmortems.writing import write
from governance import clock
from governance.database.row_history import acting
from governance.gates import criteria, requirements
from governance.models import Entry, Notification, Rulebook
from governance.permission_result import Conflict, Refused
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import RequirementFinding
from tests.app.adoption.postmortems.test_postmortems import LESSON, WHOLE
from tests.support import factories
from tests.support.database import snapshots

pytestmark = pytest.mark.django_db


@pytest.fixture
@snapshots.kept
def near(cast):
    """A prototype whose model comes from the vendor that a lesson is about; the library was told first."""
    factories.make_lesson(cast, vendors=["modelwright"])
    return initiative_acts.propose_and_confirm_tier(factories.make_prototype(cast), cast.team)


def lesson() -> Lesson:
    return Lesson.objects.get()


def requirement_findings(initiative):
    return list(RequirementFinding.objects.current().filter(initiative=initiative, requirement=LESSONS_READ))


def ready(cast, initiative):
    """Everything that the MVP gate asks is there, and every seat has signed."""
    initiative_acts.staff(initiative, cast.team)
    initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
    initiative_acts.plan_scope(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "mvp", cast.team)
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    initiative_acts.sign_offs(review, cast.team)
    return review


def answer(initiative, cast, words="Retention is off since May.", applies=True, by=None, seen=0):
    return lesson_actions.respond(
        initiative=initiative, said=[Said(lesson().pk, applies, words, seen)], by=by or cast.owner
    )


def taught(initiative, cast, text: str) -> Lesson:
    """The lesson of a stopped initiative: its post-mortem written, handed in and confirmed."""
    row = postmortem_actions.start(obligation=initiative.obligations.get(kind="post_mortem"), by=cast.owner)
    row = write(post_mortem=row, lessons=[LESSON | {"text": text}], by=cast.owner, **WHOLE)
    row = postmortem_actions.hand_in(post_mortem=row, version=row.version, by=cast.owner)
    postmortem_actions.confirm(post_mortem=row, version=row.version, by=cast.seat_adoption)
    return row.lessons.get()


# The library


def test_the_database_keeps_what_a_lesson_is_found_by(cast):
    row = factories.make_lesson(cast, confirmed=False)
    assert not LessonWords.objects.exists(), "nothing is offered before it is confirmed"
    row = lesson_actions.confirm(lesson=row, by=cast.seat_adoption)
    assert LessonWords.objects.get().lesson == row
    lesson_actions.take_out(lesson=row, reason="It was about another product.", by=cast.admin)
    assert not LessonWords.objects.exists()


def test_a_lesson_from_outside_is_confirmed_by_another(cast):
    for other in (cast.owner, cast.chair, cast.seat_risk, cast.auditor):
        with pytest.raises(Refused):
            factories.make_lesson(cast, by=other)
    row = factories.make_lesson(cast, confirmed=False)
    for other in (cast.admin, cast.owner, cast.chair):
        with pytest.raises(Refused):
            lesson_actions.confirm(lesson=row, by=other)
    with pytest.raises(DatabaseError), transaction.atomic():
        Lesson.objects.filter(pk=row.pk).update(confirmed_by=row.entered_by, confirmed_at=row.entered_at)
    assert lesson_actions.confirm(lesson=row, by=cast.second_admin).confirmed_by == cast.second_admin
    with pytest.raises(ValidationError) as wrong:
        factories.make_lesson(cast, source=" ", text="")
    assert set(wrong.value.error_dict) == {"source", "text"}


# Near


def test_why_a_lesson_is_a_initiatives_own(cast):
    initiative = factories.make_prototype(cast)
    system = factories.make_system(cast)
    factories.make_link(cast, initiative, system)
    tied = factories.make_lesson(
        cast, text="Its export stops at midnight.", systems=[system.pk], layer="integration"
    )
    sold = factories.make_lesson(cast, text="Ask for the region.", vendors=["MODELWRIGHT"])
    worded = factories.make_lesson(cast, text="Depot rotas on paper are read by nobody.", layer="application")
    factories.make_lesson(cast, text="Drones need a licence.", vendors=["Skyward"], layer="application")
    with CaptureQueriesContext(connection) as one:
        found = lesson_matching.lessons_for([initiative])[initiative.pk]
    assert [match.lesson for match in found[:2]] == [tied.pk, sold.pk]
    assert found[0].why[0] == "same system: Customer ledger"
    assert found[1].why[0] == "same vendor: modelwright"
    other = factories.make_prototype(cast, title="Depot rotas", problem="Calls are long.")
    with CaptureQueriesContext(connection) as two:
        both = lesson_matching.lessons_for([initiative, other])
    assert len(two) <= len(one), "as many queries for many initiatives as for one"
    why = {match.lesson: match.why for match in both[other.pk]}
    assert why[worded.pk][0] == "words: depot, rotas"


def test_never_a_flood(cast):
    for number in range(lesson_matching.MOST + 3):
        factories.make_lesson(cast, text=f"Number {number} about this vendor.", vendors=["Modelwright"])
    initiative = factories.make_prototype(cast)
    assert len(lesson_matching.lessons_for([initiative])[initiative.pk]) == lesson_matching.MOST


# The gate


def test_a_lesson_that_is_not_answered_stands_before_the_gate(near, cast):
    review = ready(cast, near)
    (said,) = requirement_findings(near)
    assert said.words.startswith("A lesson is not answered: “Read the vendor's terms")
    verdict = review_state.snapshot_of(review).verdict
    (blocker,) = verdict.blockers
    assert "A lesson is not answered" in str(blocker.text)
    assert cast.owner.full_name in blocker.remedy
    with pytest.raises(Refused):
        review_actions.decide(review=review, outcome="approved", reason="Ready.", by=cast.chair)
    answer(near, cast)
    assert requirement_findings(near) == []
    snapshot = review_state.snapshot_of(review)
    sign_off = next(one for one in snapshot.judged_sign_offs if one.seat == "adoption_change")
    assert sign_off.stale, "what the seat signed was another answer"
    initiative_acts.sign_off(review, "adoption_change", cast.seat_adoption)
    review_actions.decide(review=review, outcome="approved", reason="Ready.", by=cast.chair)
    assert initiative_acts.fresh(near).stage == "mvp"


def test_what_was_said_is_in_the_statement_that_the_seat_signs(near, cast):
    review = ready(cast, near)
    answer(near, cast, "Retention is off since May.")
    row = initiative_acts.sign_off(review, "adoption_change", cast.seat_adoption)
    said = near.answers.get(requirement=LESSONS_READ)
    assert "Retention is off since May." in said.text
    assert f"({LESSONS_READ}, answer {said.version}): stated" in row.statement
    assert "Retention is off since May." in row.statement
    assert f"Evidence: Attested by {cast.owner}" in row.statement
    assert near.evidence.filter(coverage__requirement=LESSONS_READ).latest("pk").note == said.text


def test_the_owners_own_words_stay_above_the_responses(near, cast):
    requirement_actions.answer(
        initiative=near,
        requirement=LESSONS_READ,
        kind="answered",
        text="Two initiatives were read.",
        by=cast.owner,
    )
    answer(near, cast, "First.")
    answer(near, cast, "Second, better.", applies=False, seen=1)
    text = near.answers.get(requirement=LESSONS_READ).text
    assert text.startswith(f"Two initiatives were read.\n\n{MARK}\n- Public incident")
    assert "Does not apply: Second, better." in text
    assert "First." not in text
    assert LessonResponse.objects.count() == 2, "what was said before stays in the audit log"


def test_two_who_answer_at_once_and_who_may(near, cast):
    answer(near, cast)
    with pytest.raises(Conflict):
        answer(near, cast, "Other words.")
    for other in (cast.chair, cast.seat_adoption, cast.outsider, cast.auditor, cast.admin):
        with pytest.raises(Refused):
            answer(near, cast, "Not mine.", by=other, seen=1)
    with pytest.raises(ValidationError):
        answer(near, cast, "  ", seen=1)
    with pytest.raises(ValidationError):
        lesson_actions.respond(initiative=near, said=[Said(999, True, "Nothing.", 0)], by=cast.owner)
    assert Entry.objects.acts().of_initiative(near.ref).filter(kind="lesson answered").count() == 1


def test_a_waiver_of_the_question_lets_the_decision_pass(near, cast):
    facts = supported_stage.facts_of(near)
    from dataclasses import replace
    from datetime import timedelta

    from governance.gates.gate_inputs import WaiverFact

    review_actions.open_review(initiative=near, by=cast.owner)
    facts = supported_stage.facts_of(near)
    at = clock.now()
    assert list(requirements.unanswered(facts, "mvp", at))
    assert not list(requirements.unanswered(facts, "retire", at))
    waived = replace(
        facts, waivers=(WaiverFact(LESSONS_READ, at, clock.today() + timedelta(days=9), "Later."),)
    )
    assert not list(requirements.unanswered(waived, "mvp", at))


def test_a_lesson_published_later_fells_no_running_initiative_and_is_asked_at_its_next_gate(cast):
    prototype, mvp = factories.make_prototype(cast), factories.make_mvp(cast, title="Reply helper")
    production = factories.make_production(cast, title="Route planner")
    row = factories.make_lesson(cast, vendors=["Modelwright"])
    changed = lesson_actions.follow_lesson(row.pk)
    assert set(changed) == {prototype.pk, mvp.pk}
    rulebook, states = Rulebook.objects.current().parsed, {}
    for initiative in (prototype, mvp, production):
        facts = supported_stage.facts_of(initiative_acts.fresh(initiative))
        at = clock.now()
        states[initiative.stage] = criteria.judge(facts, rulebook, at).support.supported
    assert states == {"prototype": "prototype", "mvp": "mvp", "production": "production"}
    assert [line.ref for line in lesson_inbox.tasks(cast.owner)] == [prototype.ref, mvp.ref]
    review = review_actions.open_review(initiative=initiative_acts.fresh(mvp), by=cast.owner)
    assert any(
        "A lesson is not answered" in reason.text
        for reason in review_state.snapshot_of(review).verdict.blockers
    )
    assert Notification.objects.filter(kind="lesson offered", person=cast.owner).count() == 2
    assert lesson_actions.follow_lesson(row.pk) == [], "asked twice is once"
    lesson_actions.take_out(lesson=row, reason="About another product.", by=cast.admin)
    lesson_actions.follow_lesson(row.pk)
    assert not RequirementFinding.objects.current().filter(requirement=LESSONS_READ).exists()


def test_at_the_gate_a_lesson_is_shown_only_to_who_may_read_it(cast):
    first = factories.make_prototype(cast, title="Depot rotas")
    stage_actions.stop(initiative=first, reason_code="no_value", reason="Nobody used it.", by=cast.owner)
    row = taught(first, cast, "Depot rotas on paper are read by nobody.")
    other = factories.make_prototype(cast, title="More depot rotas")
    assert [one.lesson for one in at_gate(other, cast.outsider)] == [row], "not answered"
    lesson_actions.respond(
        initiative=other, said=[Said(row.pk, True, "Rotas are on the wall.")], by=cast.owner
    )
    (shown,) = at_gate(initiative_acts.fresh(other), cast.outsider)
    assert shown.response.words == "Rotas are on the wall."
    with acting(system="test"):
        first = initiative_acts.fresh(first)
        first.confidential = True
        first.save()
    assert at_gate(initiative_acts.fresh(other), cast.outsider) == []
    assert [one.lesson for one in at_gate(initiative_acts.fresh(other), cast.owner)] == [row]


def test_lessons_of_confidential_initiatives_are_nobody_elses(cast):
    stopped = factories.make_prototype(cast, title="Depot rotas")
    detail_actions.change_details(
        initiative=stopped, problem="Calls.", platform="", confidential=True, by=cast.owner
    )
    stage_actions.stop(initiative=stopped, reason_code="no_value", reason="Nobody used it.", by=cast.owner)
    taught(stopped, cast, "Depot rotas on paper are read by nobody.")
    assert LessonWords.objects.count() == 1
    other = factories.make_prototype(cast, title="More depot rotas")
    assert lesson_matching.lessons_for([other])[other.pk] == []


def test_a_initiative_that_becomes_confidential_is_named_to_no_other(
    cast, django_capture_on_commit_callbacks
):
    first = factories.make_mvp(cast, title="Depot rotas")
    incident_actions.open_incident(
        initiative=first, severity=2, title="Rotas of last week", started_at=clock.now(), by=cast.owner
    )
    row = taught(initiative_acts.fresh(first), cast, "Depot rotas on paper are read by nobody.")
    other = factories.make_prototype(cast, title="More depot rotas")

    def named():
        return [
            one.words
            for one in requirement_findings(other)
            if first.ref in one.words and row.text in one.words
        ]

    assert len(named()) == 1
    for confidential, times in ((True, 0), (False, 1)):
        with django_capture_on_commit_callbacks(execute=True):
            detail_actions.change_details(
                initiative=initiative_acts.fresh(first),
                problem=first.problem,
                platform="",
                confidential=confidential,
                by=cast.owner,
            )
        assert len(named()) == times


def test_a_lesson_that_did_not_prevent_its_repeat_is_marked(near, cast, as_):
    known = lesson()
    stage_actions.stop(initiative=near, reason_code="no_value", reason="Prompts were kept.", by=cast.owner)
    own = taught(near, cast, "Ask who pastes before you build.")
    with pytest.raises(Refused):
        lesson_actions.came_again(lesson=own, known=known, by=cast.seat_adoption)
    with acting(by=cast.owner):
        LessonResponse(
            initiative=near,
            lesson=known,
            version=1,
            applies=True,
            words="Switched off.",
            digest=lesson_actions.digest(known),
            by=cast.owner,
            at=clock.now(),
        ).save()
    with pytest.raises(Refused):
        lesson_actions.came_again(lesson=own, known=known, by=cast.seat_risk)
    lesson_actions.came_again(lesson=own, known=known, by=cast.seat_adoption)
    page = as_(cast.seat_adoption).get(reverse("lesson", args=[known.pk])).content.decode()
    assert f"In {near.ref}, although the lesson was answered there" in page
    assert (
        "although the lesson was answered there"
        in as_(cast.outsider).get(reverse("lessons-all")).content.decode()
    )


# Pages


def test_the_library_is_searched_and_filtered(cast, as_):
    factories.make_lesson(cast, vendors=["Modelwright"])
    factories.make_lesson(cast, text="Superseded timetables were quoted as current.", layer="integration")
    reader = as_(cast.outsider)
    page = reader.get(reverse("lessons-all"), {"q": "answers from outdated documents"}).content.decode()
    assert "Superseded timetables" in page
    assert "Read the vendor" not in page
    assert "Read the vendor" in reader.get(reverse("lessons-all"), {"vendor": "Modelwright"}).content.decode()
    page = reader.get(reverse("lessons-all"), {"q": "timetables", "layer": "policy"}).content.decode()
    assert "No lessons match" in page
    assert "Superseded timetables" in reader.get(reverse("search"), {"q": "timetables"}).content.decode()


def test_a_filter_of_no_calendar_shows_nothing_wrong(cast, as_):
    """Attack L6: a year of nine figures was an error 500."""
    client = as_(cast.owner)
    for name in ("year", "system", "unit"):
        for value in ("999999999", "0", "9999", "9" * 5000, "-1", "\u0662\u0660"):
            assert client.get(reverse("lessons-all"), {name: value}).status_code == 200, (name, value)


def test_answered_on_the_page_and_nothing_typed_is_lost(near, cast, as_):
    owner, address = as_(cast.owner), reverse("lessons-answer", args=[near.ref])
    key = lesson().pk
    assert "not answered" in owner.get(reverse("lessons", args=[near.ref])).content.decode()
    half = owner.post(address, {f"words_{key}": "Typed at length.", f"version_{key}": "0"})
    assert half.status_code == 422
    assert "Typed at length." in half.content.decode()
    sent = owner.post(
        address, {f"applies_{key}": "yes", f"words_{key}": "Switched off.", f"version_{key}": "0"}
    )
    assert sent.status_code == 302
    late = owner.post(address, {f"applies_{key}": "no", f"words_{key}": "Not so.", f"version_{key}": "0"})
    assert late.status_code == 409
    assert "Not so." in late.content.decode()
    review = review_actions.open_review(initiative=near, by=cast.owner)
    page = as_(cast.seat_adoption).get(review.get_absolute_url()).content.decode()
    assert "Switched off." in page


def test_shown_while_registering_and_before_a_link(cast, as_):
    system = factories.make_system(cast)
    factories.make_lesson(cast, text="The ledger export stops at midnight.", systems=[system.pk])
    said = {"title": "Export of the ledger", "problem": "It stops."}
    page = as_(cast.outsider).post(reverse("similar"), said).content.decode()
    assert "Lessons from other initiatives" in page
    initiative = factories.make_prototype(cast)
    page = (
        as_(cast.owner)
        .get(reverse("link-add", args=[initiative.ref]), {"system": system.pk})
        .content.decode()
    )
    assert "Lessons learned with Customer ledger" in page


def test_says_costs_one_question_while_the_library_is_empty(cast):
    with CaptureQueriesContext(connection) as asked:
        assert list(lesson_findings.says([1, 2, 3])) == []
    assert len(asked) == 1


def test_who_may_enter_is_told_what_waits(cast):
    row = factories.make_lesson(cast, confirmed=False)
    assert lesson_inbox.tasks(cast.admin) == []
    assert [line.verb for line in lesson_inbox.tasks(cast.seat_adoption)] == ["confirm"]
    assert not lesson_permissions.may_confirm(row, cast.admin)
