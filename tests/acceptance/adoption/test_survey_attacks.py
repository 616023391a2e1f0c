"""Whoever wants to know who answered what, and how: each way is tried, and each goes on only where its defence is away.

What is looked for is a mark that only one person's answer bears: a comment, or the one step that differs.
"""

import json
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models
from django.test import Client

from adoption.models import AnswerBox, Invitation, Survey, SurveyComment
from adoption.surveys import actions as survey_actions
from adoption.surveys import survey_submission
from governance import clock
from governance.audit_log import row_capture
from governance.database.row_history import acting
from governance.models import Entry, SignInAttempt
from tests.support.initiatives import answered_surveys

pytestmark = pytest.mark.django_db

MARK = "only I would say this"


def pages_of(initiative, survey: Survey) -> list[str]:
    """Every page and file on which somebody could look for an answer."""
    at = f"/surveys/{survey.pk}/"
    today = clock.today()
    return [
        f"/initiatives/{initiative.ref}/adoption/surveys/",
        at,
        f"{at}?as_of={today}",
        f"{at}?format=csv",
        f"/initiatives/{initiative.ref}/activity/",
        f"/initiatives/{initiative.ref}/activity/?one={today}",
        "/audit/",
        "/audit/?format=csv",
        f"/search/?q={MARK.split()[0]}",
    ]


def seen_by(client, paths: list[str]) -> str:
    """What one person finds on them, however they answer."""
    found = []
    for path in paths:
        answer = client.get(path)
        body = b"".join(answer) if answer.streaming else answer.content
        found.append(body.decode(errors="replace"))
    return "\n".join(found)


def audit_log() -> str:
    """The whole audit log as an auditor reads it."""
    return "\n".join(
        bytes(entry.body.body).decode()
        for entry in Entry.objects.select_related("body")
        if hasattr(entry, "body")
    )


def everything_kept() -> dict[str, str]:
    """Every row of every table of the house, as text, by table."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models():
            table = model._meta.db_table
            cursor.execute(f"SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM {table} t")
            found[table] = cursor.fetchone()[0]
    return found


def test_under_five_answers_nothing_shows_what_was_said_open_or_closed(cast, initiative, as_):
    survey, paths = answered_surveys.opened(cast, initiative)
    for path in paths["Claims north"][:3]:
        answered_surveys.put(path, 7)
    answered_surveys.put(paths["Claims south"][0], 1, comment=MARK)
    pages = pages_of(initiative, survey)
    for who in ("owner", "chair", "admin", "auditor"):
        assert MARK not in seen_by(as_(getattr(cast, who)), pages), f"{who}, while it is open"
    assert MARK not in audit_log()
    survey = survey_actions.close(survey=survey, by=cast.owner)
    assert survey.results is None
    for who in ("owner", "chair", "admin", "auditor"):
        assert MARK not in seen_by(as_(getattr(cast, who)), pages), f"{who}, when it is closed"
    kept = everything_kept()
    assert not [table for table, rows in kept.items() if MARK in rows], "thrown away"
    assert kept["adoption_answerbox"] == "" == kept["adoption_invitation"]
    # Not by a hand in the database either.
    survey.results = {"answered": 4, "questions": {}}
    with acting(system="test"), pytest.raises(IntegrityError, match="results_of_five"):
        survey.save()


def test_a_total_is_published_once_so_none_can_be_taken_from_the_next(cast, initiative, as_):
    survey, paths = answered_surveys.opened(cast, initiative)
    owner, shown = as_(cast.owner), []
    for number, path in enumerate(paths["Claims north"][:7]):
        answered_surveys.put(path, 7 if number == 5 else 2)
        page = owner.get(f"/surveys/{survey.pk}/")
        shown.append(page.content.decode())
        assert page.context["results"] is None if "results" in page.context else True
        assert b"".join(owner.get(f"/surveys/{survey.pk}/?format=csv")).decode().count("\n") == 1, (
            "its heading"
        )
        assert Survey.objects.get().results is None
    assert all("95 %" not in page for page in shown)
    first = survey_actions.close(survey=survey, by=cast.owner).results
    assert first["questions"]["why.seen"]["all"]["n"] == 7
    assert not answered_surveys.put(paths["Claims north"][7], 7), "nothing is added afterwards"
    assert Survey.objects.get().results == first


def test_no_team_can_be_had_by_taking_the_others_from_everybody(cast, initiative, as_):
    teams = [{"name": name, "invited": 6} for name in ("Red", "Green", "Blue")]
    answers = [("Red", 3)] * 6 + [("Green", 3)] * 5 + [("Blue", 7)] * 2
    survey = answered_surveys.closed(cast, initiative, answers, teams=teams)
    for question in survey.results["questions"].values():
        assert [part["teams"] for part in question["parts"]] == [[0], [1, 2]]
        assert [part["n"] for part in question["parts"]] == [6, 7]
    page = as_(cast.owner).get(f"/surveys/{survey.pk}/").content.decode()
    assert "Green; Blue" in page
    assert ">Blue<" in page, "how many answered is shown"


def test_a_question_left_out_by_one_does_not_show_that_person(cast, initiative):
    """Six answered one statement of a set and five the other: the set is no third total to take the two from."""
    survey, paths = answered_surveys.opened(cast, initiative)
    for path in paths["Claims north"][:5]:
        answered_surveys.put(path, 2)
    answered_surveys.put(paths["Claims north"][5], 7, skipped=("useful.needs",))
    results = survey_actions.close(survey=survey, by=cast.owner).results
    assert set(results) == {"answered", "questions"}
    assert set(results["questions"]) == {"useful.needs", "useful.easy", "why.seen"}
    assert [results["questions"][key]["all"]["n"] for key in ("useful.needs", "useful.easy")] == [5, 6]


def test_answering_leaves_no_entry_no_history_no_session_and_no_moment(cast, initiative):
    _survey, paths = answered_surveys.opened(cast, initiative)
    before = everything_kept()
    assert answered_surveys.send(paths["Claims north"][0], 7, comment=MARK).status_code == 302
    after = everything_kept()
    moved = {table for table in after if after[table] != before[table]}
    assert moved == {"adoption_answerbox", "adoption_invitation"}
    for model in (AnswerBox, Invitation, SurveyComment):
        assert not hasattr(model, "history")
        assert model not in row_capture.captured_models()
        kinds = {type(field) for field in model._meta.concrete_fields}
        assert not kinds & {models.DateField, models.DateTimeField, models.TimeField, models.UUIDField}, model
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
                [model._meta.db_table],
            )
            assert cursor.fetchall() == []


def test_nothing_ties_an_answer_to_a_link(cast, initiative):
    """One row holds all answers; its transaction is that of the newest, and of no row of an invitation."""
    survey, paths = answered_surveys.opened(cast, initiative)
    keys = set(Invitation.objects.values_list("pk", flat=True))
    for number, path in enumerate(paths["Claims north"][:6]):
        answered_surveys.put(path, 1 + number, comment=f"comment {number}")
    left = set(Invitation.objects.values_list("pk", flat=True))
    assert len(keys - left) == 6, "an invitation is gone with its use, not marked"
    box = AnswerBox.objects.get()
    assert set(box.sums) == {"0"}
    for n, total, squares in box.sums["0"].values():
        assert (n, round(total, 6)) == (6, round(sum(range(6)) * 100 / 6, 6))
        assert squares > 0
    for model in (Invitation, AnswerBox):
        named = {field.name for field in model._meta.concrete_fields}
        assert not named & {"person", "user", "by", "at", "email", "address", "number"}, model
    survey_actions.close(survey=survey, by=cast.owner)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM adoption_surveycomment")
        assert cursor.fetchone() == (1,), "laid down together"


def test_comments_and_links_are_in_no_order_of_their_making(cast, initiative, monkeypatch):
    """Twelve in the order they came in by chance: once in half a thousand million."""
    survey, paths = answered_surveys.opened(cast, initiative, teams=[{"name": "All", "invited": 12}])
    order = [survey_submission.hash_of(urlsplit(path).path.split("/")[2]) for path in paths["All"]]
    assert list(Invitation.objects.order_by("pk").values_list("hash", flat=True)) != order
    said = [f"comment {number:02}" for number in range(12)]
    for path, words in zip(paths["All"], said, strict=True):
        answered_surveys.put(path, comment=words)
    within = AnswerBox.objects.get().comments
    assert sorted(within) == said != within
    survey_actions.close(survey=survey, by=cast.owner)
    kept = list(SurveyComment.objects.order_by("pk").values_list("text", flat=True))
    assert sorted(kept) == said
    assert kept not in (said, within)


def test_only_hashes_of_links_are_kept(cast, initiative):
    _, paths = answered_surveys.opened(cast, initiative)
    tokens = [path.split("/")[2] for found in paths.values() for path in found]
    kept = "\n".join(everything_kept().values())
    assert not [token for token in tokens if token in kept or token.replace("-", "") in kept]


def test_nobody_answers_twice(cast, initiative):
    _survey, paths = answered_surveys.opened(cast, initiative)
    one = paths["Claims north"][0]
    first, second = (survey_submission.invitation_of(one.split("/")[2], None) for _ in range(2))
    assert survey_submission.answer(invitation=first, steps={"why.seen": 7})
    assert not survey_submission.answer(invitation=second, steps={"why.seen": 7}), (
        "a second window that was open"
    )
    assert answered_surveys.send(one).status_code == 404
    assert sum(AnswerBox.objects.get().answered.values()) == 1
    assert Invitation.objects.count() == 14


def test_an_answer_is_all_of_it_or_nothing(cast, initiative):
    _survey, paths = answered_surveys.opened(cast, initiative)
    invitation = survey_submission.invitation_of(paths["Claims north"][0].split("/")[2], None)
    with pytest.raises(ValueError, match="no step 9"):
        survey_submission.answer(invitation=invitation, steps={"why.seen": 9})
    with pytest.raises(ValueError, match="trust"):
        survey_submission.answer(invitation=invitation, steps={"trust.rely": 1})
    with pytest.raises(ValueError, match="No question"):
        survey_submission.answer(invitation=invitation, steps={}, comment="Words alone.")
    assert Invitation.objects.count() == 15
    assert AnswerBox.objects.get().answered == {}


def test_the_exported_audit_log_holds_no_single_answer(cast, initiative, tmp_path):
    survey, paths = answered_surveys.opened(cast, initiative)
    for number, path in enumerate(paths["Claims north"][:6]):
        answered_surveys.put(path, 7 if number == 3 else 2, comment=MARK if number == 3 else "")
    survey_actions.close(survey=survey, by=cast.owner)
    assert MARK not in audit_log(), "comments are kept beside the audit log, where they can be taken out"
    closing = [
        json.loads(bytes(entry.body.body))["facts"]
        for entry in Entry.objects.acts().filter(kind="survey closed").select_related("body")
    ]
    assert len(closing) == 1
    assert closing[0]["results"]["answered"] == 6
    comment = SurveyComment.objects.get()
    survey_actions.remove_comment(comment=comment, reason="It names somebody.", by=cast.owner)
    assert MARK not in "\n".join(everything_kept().values())


def test_auditors_logins_do_not_read_the_box(cast, initiative):
    from governance.database import database_roles

    assert {"adoption_answerbox", "adoption_invitation"} <= set(database_roles.hidden_from_auditors())
    assert database_roles.hidden_from_auditors()["adoption_answerbox"] is None
    assert database_roles.hidden_from_auditors()["adoption_invitation"] is None


def test_a_link_that_was_used_says_nothing_about_who_used_it(cast, initiative, as_):
    _survey, paths = answered_surveys.opened(cast, initiative)
    answered_surveys.send(paths["Claims north"][0])
    used, never = (
        Client().get(path).content for path in (paths["Claims north"][0], "/survey/2222-2222-2222-2222/")
    )
    assert used == never
    assert set(SignInAttempt.objects.values_list("purpose", "login")) == {
        (survey_submission.GUESSED, "127.0.0.1")
    }
