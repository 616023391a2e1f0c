"""The page of whoever answers: both languages, no cookie, no log, strict headers, a link once, guesses slowed down."""

import logging
import re
from datetime import timedelta

import pytest
from django.test import Client

from adoption.models import AnswerBox, Invitation
from adoption.surveys import actions as survey_actions
from adoption.surveys import survey_submission
from governance import clock
from governance.models import Session, SignInAttempt
from tests.support.initiatives import answered_surveys

pytestmark = pytest.mark.django_db


@pytest.fixture
def links(cast, initiative):
    """Paths of one open survey that asks everything people can be asked in two minutes."""
    sets = ["load", "useful", "why", "undo", "around"]
    return answered_surveys.opened(cast, initiative, sets=sets)[1]["Claims north"]


def words_of(response) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def test_both_languages_are_whole_and_the_reader_switches(links):
    english, german = (words_of(Client().get(f"{links[0]}?lang={lang}")) for lang in ("en", "de"))
    assert '<html lang="en">' in english
    assert '<html lang="de">' in german
    assert "This takes about 112 seconds" in english
    assert "Das dauert etwa 112 Sekunden" in german
    last = clock.today() + timedelta(days=14)
    assert f"until {last:%-d %B %Y}" in english
    assert re.search(rf"bis zum {last.day}\. [A-ZÄ][a-zä]+ {last.year}\.", german)
    for text, language in ((english, "en"), (german, "de")):
        assert 'href="?lang=de"' in text
        assert 'href="?lang=en"' in text
        assert f'action="?lang={language}"' in text
    own = re.compile(r">([^<>]{12,})<")
    both = set(own.findall(english)) & set(own.findall(german))
    assert {text for text in both if "(1988)" not in text and "(2013)" not in text} <= {
        "Reply drafts, autumn"
    }
    thanks = words_of(Client().get("/survey/thanks/de/"))
    assert "Vielen Dank" in thanks
    assert "Thank you" not in thanks
    nothing = words_of(Client().get("/survey/2222-2222-2222-2222/", headers={"accept-language": "de-CH"}))
    assert "Dieser Link funktioniert nicht" in nothing


def test_the_page_runs_nothing_and_asks_nobody_else(links):
    answer = Client().get(links[0])
    page = answer.content.decode()
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert "csrf" not in page
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "form-action 'self'" in policy
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert not answer.cookies


def test_whoever_is_signed_in_stays_unknown(cast, links, as_):
    client = as_(cast.lead)
    with clock.simulated(clock.now() + timedelta(hours=2)):
        before = list(Session.objects.values_list("pk", "seen_at"))
        answer = client.get(links[0])
        assert not answer.wsgi_request.user.is_authenticated
        assert not answer.cookies
        sent = client.post(links[0], {"why.seen": "5"})
        assert sent.status_code == 302
        assert not sent.cookies
        assert list(Session.objects.values_list("pk", "seen_at")) == before
        client.get("/help/")
        assert list(Session.objects.values_list("pk", "seen_at")) != before, "elsewhere it is noted"


def test_a_link_takes_one_answer_and_then_opens_nothing(links):
    assert Client().post(links[0], {"why.seen": "5"}).url == "/survey/thanks/en/"
    assert Client().post(links[0], {"why.seen": "5"}).status_code == 404
    assert Client().get(links[0]).status_code == 404
    assert sum(AnswerBox.objects.get().answered.values()) == 1
    assert Client().get(links[1].upper().replace("/SURVEY/", "/survey/").replace("-", "")).status_code == 200


def test_an_answer_that_lost_a_race_says_so(links, monkeypatch):
    monkeypatch.setattr(survey_submission, "answer", lambda **_: False)
    answer = Client().post(links[0], {"why.seen": "5"})
    assert answer.status_code == 409
    assert "came too late" in answer.content.decode()


def test_nothing_chosen_or_something_strange_is_said_and_nothing_typed_is_lost(links):
    empty = Client().post(f"{links[0]}?lang=de", {"comment": "Meine Worte"})
    assert empty.status_code == 422
    assert "Sie haben keine Frage beantwortet" in words_of(empty)
    assert "Meine Worte" in words_of(empty)
    strange = Client().post(links[0], {"why.seen": "8", "undo.done": "3", "comment": "x" * 1001})
    assert strange.status_code == 422
    assert "Choose one of the answers on the scale" in words_of(strange)
    assert "under 1000 characters" in words_of(strange)
    assert re.search(r'name="undo.done" value="3"[^>]* checked', words_of(strange))
    assert Invitation.objects.count() == 15


def test_after_the_last_day_and_after_closing_no_link_opens(cast, links):
    with clock.simulated(clock.now() + timedelta(days=15)):
        assert Client().get(links[0]).status_code == 404
        assert not answered_surveys.put(links[0])
    assert Client().get(links[0]).status_code == 200
    invitation = survey_submission.invitation_of(links[0].split("/")[2], None)
    survey_actions.close(survey=invitation.survey, by=cast.owner)
    assert not survey_submission.answer(invitation=invitation, steps={"why.seen": 4})


def test_guesses_are_slowed_down_and_right_links_leave_no_try(links, monkeypatch):
    monkeypatch.setattr(survey_submission, "MISSES", 4)
    for _ in range(6):
        assert Client().get(links[0]).status_code == 200
    assert not SignInAttempt.objects.exists()
    for number in range(4):
        assert Client().get(f"/survey/guess-{number}/").status_code == 404
    slowed = Client().get("/survey/guess-5/")
    assert slowed.status_code == 429
    assert int(slowed["Retry-After"]) > 500
    assert Client().get(links[0]).status_code == 429, "unread"
    assert Client(REMOTE_ADDR="198.51.100.7").get(links[0]).status_code == 200
    assert SignInAttempt.objects.count() == 4
    with clock.simulated(clock.now() + timedelta(minutes=11)):
        assert Client().get(links[0]).status_code == 200


def test_no_line_of_a_log_holds_a_link(links, caplog):
    with caplog.at_level(logging.DEBUG):
        Client().get(links[0])
        Client().post(links[0], {"comment": "x"})
        Client().post(links[0], {"why.seen": "5"})
        Client().get(links[0])
    token = links[0].split("/")[2]
    assert not [record for record in caplog.records if token in record.getMessage()]


def test_secrets_are_random_and_easily_typed():
    tokens = {survey_submission.new_token() for _ in range(500)}
    assert len(tokens) == 500
    assert all(re.fullmatch(r"([2-9a-hjkmnp-tv-z]{4}-){3}[2-9a-hjkmnp-tv-z]{4}", token) for token in tokens)
    one = tokens.pop()
    assert survey_submission.hash_of(one) == survey_submission.hash_of(f" {one.upper().replace('-', ' ')}")
    assert one not in survey_submission.hash_of(one)
