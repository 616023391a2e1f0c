"""Asking users: the owner's way from a draft to what came of it, its refusals, and what each page says."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client

from adoption.models import AnswerBox, Invitation, Survey
from adoption.surveys import actions as survey_actions
from adoption.surveys import inbox as survey_inbox
from adoption.surveys import presentation as survey_presentation
from adoption.surveys import question_sets
from governance import clock
from governance.models import Entry
from governance.notifications.inbox import all_tasks
from governance.permission_result import Refused
from tests.support.initiatives import answered_surveys

pytestmark = pytest.mark.django_db


def test_from_a_draft_to_what_came_of_it(cast, initiative, as_):
    owner = as_(cast.owner)
    new = f"/initiatives/{initiative.ref}/do/write-survey/"
    offered = owner.get(new).context["form"].initial
    assert offered["closes"] == clock.today() + timedelta(days=14)
    typed = {
        "title": "Reply drafts",
        "sets": ["useful", "why", "undo"],
        "teams": "Claims north, 6\nClaims south: 5\nHelp desk 2",
        "language": "de",
        "closes": str(clock.today() + timedelta(days=10)),
    }
    wrong = owner.post(new, typed | {"teams": "Claims north"})
    assert "Line 1 must be a team" in wrong.content.decode()
    past = owner.post(new, typed | {"closes": str(clock.today() - timedelta(days=1))})
    assert set(past.context["form"].errors) == {"closes"}
    answer = owner.post(new, typed)
    survey = Survey.objects.get()
    assert answer.url == f"/surveys/{survey.pk}/"
    assert "about 63 seconds" in owner.get(answer.url).content.decode()
    page = owner.post(f"/surveys/{survey.pk}/open/", {"by": "sheet"}).content.decode()
    paths = re.findall(r"/survey/[a-z0-9-]{19}/", page)
    assert len(set(paths)) == 13 == Invitation.objects.count()
    assert "Help desk" in page
    assert "/survey/" not in owner.get(f"/surveys/{survey.pk}/").content.decode(), "shown once"
    for step, path in enumerate(paths[:9]):
        told = answered_surveys.send(
            path, 1 + step % 7, sets=survey.sets, comment="Gut so." if step == 3 else ""
        )
        assert told.url == "/survey/thanks/de/"
    shown = owner.get(f"/surveys/{survey.pk}/").content.decode()
    assert "Gut so." not in shown
    assert "95 %" not in shown
    assert owner.post(f"/surveys/{survey.pk}/close/").url == f"/surveys/{survey.pk}/"
    shown = owner.get(f"/surveys/{survey.pk}/").content.decode()
    assert "Gut so." in shown
    assert "n = 9" in shown
    assert "Lewis" in shown
    assert Client().get(paths[0]).status_code == 404
    assert Client().get(paths[12]).status_code == 404
    assert not AnswerBox.objects.exists()
    assert not Invitation.objects.exists()
    assert (
        "Results over time" in owner.get(f"/initiatives/{initiative.ref}/adoption/surveys/").content.decode()
    )
    rows = list(csv.reader(io.StringIO(b"".join(owner.get(f"/surveys/{survey.pk}/?format=csv")).decode())))
    assert rows[-1][6:8] == ["9", "46.3"] or rows[-1][6] == "9"


def test_strangers_board_and_team_do_not_run_it(cast, initiative, as_):
    survey = answered_surveys.make_survey(cast, initiative)
    for who in ("lead", "seat_risk", "chair", "admin", "auditor"):
        answer = as_(getattr(cast, who)).post(f"/surveys/{survey.pk}/open/", {"by": "sheet"})
        assert answer.status_code == 403, who
    assert as_(cast.outsider).get(f"/surveys/{survey.pk}/").status_code == 404
    assert not Invitation.objects.exists()


def test_what_is_wrong_with_a_draft_is_said_at_its_field(cast, initiative):
    for field, value in {
        "title": " ",
        "sets": ["nothing"],
        "teams": [],
        "language": "fr",
    }.items():
        with pytest.raises(ValidationError) as wrong:
            answered_surveys.make_survey(cast, initiative, **{field: value})
        assert list(wrong.value.error_dict) == [field]
    with pytest.raises(ValidationError, match="at most two minutes"):
        answered_surveys.make_survey(cast, initiative, sets=list(question_sets.SETS))


def test_fewer_than_five_people_are_not_asked(cast, initiative):
    survey = answered_surveys.make_survey(cast, initiative, teams=[{"name": "Four", "invited": 4}])
    with pytest.raises(Refused, match="could find out who gave which answer"):
        survey_actions.open_survey(survey=survey, by=cast.owner)


def test_two_surveys_are_never_so_near_that_one_could_be_taken_from_the_other(cast, initiative):
    survey, _ = answered_surveys.opened(cast, initiative)
    second = answered_surveys.make_survey(cast, initiative, title="Another")
    with pytest.raises(Refused, match="Another survey of this initiative is open"):
        survey_actions.open_survey(survey=second, by=cast.owner)
    survey_actions.close(survey=survey, by=cast.owner)
    with pytest.raises(Refused, match="could reveal single answers"):
        survey_actions.open_survey(survey=second, by=cast.owner)
    with clock.simulated(clock.now() + timedelta(days=29)):
        with pytest.raises(Refused, match="last day for answers has passed"):
            survey_actions.open_survey(survey=second, by=cast.owner)
        second = answered_surveys.make_survey(cast, initiative, title="A third")
        assert len(survey_actions.open_survey(survey=second, by=cast.owner)) == 15


def test_lost_links_are_replaced_only_while_nobody_answered(cast, initiative):
    survey, paths = answered_surveys.opened(cast, initiative)
    links = survey_actions.replace_links(survey=survey, by=cast.owner)
    assert not answered_surveys.put(paths["Claims north"][0])
    assert answered_surveys.put(links[0].address)
    with pytest.raises(Refused, match="answered already"):
        survey_actions.replace_links(survey=survey, by=cast.owner)
    assert Invitation.objects.count() == 14


def test_mailed_links_go_out_shuffled_and_no_address_is_kept(cast, initiative, as_):
    survey = answered_surveys.make_survey(cast, initiative, language="de", title="Antworten & Entwürfe")
    owner = as_(cast.owner)
    people = [[f"{team}{n}@example.org" for n in range(size)] for team, size in (("north", 8), ("south", 7))]
    short = owner.post(
        f"/surveys/{survey.pk}/open/",
        {"by": "mail", "team_0": "a@example.org, b", "team_1": ",".join(people[1])},
    )
    assert short.status_code == 422
    assert "Not an email address: b" in short.content.decode()
    assert Survey.objects.get().state == Survey.DRAFT
    assert mail.outbox == []
    typed = {"by": "mail", "team_0": "\n".join(people[0]), "team_1": ", ".join(people[1])}
    page = owner.post(f"/surveys/{survey.pk}/open/", typed).content.decode()
    assert "15 links sent by email" in page
    assert "/survey/" not in page
    assert sorted(one.to[0] for one in mail.outbox) == sorted(people[0] + people[1])
    assert [one.to[0] for one in mail.outbox] != people[0] + people[1]
    words = mail.outbox[0].body
    assert words.startswith("Antworten & Entwürfe")
    assert "How is your work with the AI going" in words
    paths = {re.search(r"/survey/[a-z0-9-]+/", one.body)[0] for one in mail.outbox}
    assert len(paths) == 15
    assert answered_surveys.put(paths.pop())
    kept = b"".join(bytes(entry.body.body) for entry in Entry.objects.select_related("body"))
    assert b"Antworten" in kept
    assert b"north1@" not in kept


def test_the_audit_log_holds_what_was_published_and_nothing_else(cast, initiative):
    survey = answered_surveys.closed(cast, initiative, [("Claims north", 7)] * 5 + [("Claims south", 1)] * 2)
    kinds = list(
        Entry.objects.acts().filter(kind__startswith="survey").order_by("pk").values_list("kind", flat=True)
    )
    assert kinds == ["survey written", "survey opened", "survey closed"]
    assert survey.results["answered"] == 7
    question = survey.results["questions"]["useful.easy"]
    assert question["parts"] == []
    assert question["all"] == {"n": 7, "mean": 71.4, "sd": 48.8, "low": 28.2, "high": 100}


def test_a_figure_says_for_against_or_open_and_never_passes():
    useful, load = question_sets.SETS["useful"], question_sets.SETS["load"]
    assert survey_presentation.says(useful, None, None)[0].startswith("Not enough answers")
    high, low = ({"mean": m, "low": m - 5, "high": m + 5, "n": 30} for m in (80, 20))
    assert survey_presentation.says(useful, high, None)[1] == "ok"
    assert survey_presentation.says(useful, low, None)[1] == "bad"
    assert survey_presentation.says(useful, {"mean": 52, "low": 40, "high": 64, "n": 6}, None)[1] == "warn"
    assert survey_presentation.says(load, high, None)[0].startswith("First figure")
    assert survey_presentation.says(load, low, high)[1] == "ok"
    assert survey_presentation.says(load, high, low)[1] == "bad"


def test_reminders_to_close_and_to_ask_again(cast, initiative):
    survey, _ = answered_surveys.opened(cast, initiative)
    at = clock.now()
    assert list(survey_inbox.to_close(at + timedelta(days=14))) == []
    (due,) = survey_inbox.to_close(at + timedelta(days=15))
    assert (due.person, due.period) == (cast.owner, "after0d")
    with clock.simulated(at + timedelta(days=14)):
        assert due.link not in [task.link for task in all_tasks(cast.owner)]
    with clock.simulated(at + timedelta(days=15)):
        assert due.link in [task.link for task in all_tasks(cast.owner)]
    survey_actions.close(survey=survey, by=cast.owner)
    assert list(survey_inbox.next_due(at + timedelta(days=89))) == []
    (due,) = survey_inbox.next_due(at + timedelta(days=91))
    assert due.person == cast.owner
    assert "have not had a survey for a quarter" in due.subject
    answered_surveys.make_survey(cast, initiative)
    assert list(survey_inbox.next_due(at + timedelta(days=91))) == []
