"""The chair decides on what the page of the decision showed, also if the world moves meanwhile."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.database.shown_state import ShownOtherwise
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews.sign_offs import actions as sign_off_actions
from initiatives.models import Condition, Review
from tests.support.initiatives.initiative_pages import SIGNED
from tests.support.initiatives.open_reviews import before_mvp, before_prototype, signed_off
from tests.support.web.pressed_buttons import Page

pytestmark = pytest.mark.django_db
DUE = timedelta(days=20)


def page_of(client, url: str) -> dict:
    """What a browser sends of the page of a decision, with nothing typed."""
    page = Page(client.get(url), url)
    return next(button for button in page.buttons if button.primary).fields(fill=False)


def decides(client, url: str, shown: dict, **typed):
    """The answer to the decision with what the page showed."""
    return client.post(url, shown | {"reason": "Ready."} | typed | SIGNED)


def condition_of(cast, review, person, seat: str, text: str):
    """A sign-off with a condition."""
    said = {"text": text, "owner": cast.owner.pk, "owner_name": str(cast.owner)}
    said |= {"due": (clock.today() + DUE).isoformat()}
    return initiative_acts.sign_off(review, seat, person, "approve_with_condition", condition=said)


def alerts(answer) -> str:
    """The errors that a page says."""
    return " ".join(
        part.get_text(" ") for part in BeautifulSoup(answer.content, "html.parser").select('[role="alert"]')
    )


@pytest.fixture
def review(cast) -> Review:
    return signed_off(cast)


@pytest.fixture
def url(review) -> str:
    return reverse("review-decide", args=[review.pk])


def open_still(review) -> bool:
    return Review.objects.get(pk=review.pk).is_open


def test_a_page_that_shows_what_stands_is_decided(cast, as_, review, url):
    client = as_(cast.chair)
    assert decides(client, url, page_of(client, url)).status_code == 302
    assert not open_still(review)


def test_a_sign_off_withdrawn_since_then_is_named(cast, as_, review, url):
    client = as_(cast.chair)
    shown = page_of(client, url)
    row = review.sign_offs.latest().first()
    sign_off_actions.withdraw_sign_off(sign_off=row, reason="Wrong.", by=row.person)
    answer = decides(client, url, shown)
    assert answer.status_code == 409
    assert str(row.person) in alerts(answer)
    assert "Ready." in answer.content.decode()
    assert open_still(review)


def test_sign_offs_signed_again_since_then_are_named_and_the_new_page_decides(cast, as_, review, url):
    client = as_(cast.chair)
    shown = page_of(client, url)
    initiative = initiative_acts.fresh(review.initiative)
    detail_actions.change_details(
        initiative=initiative, problem="Another.", platform="", confidential=False, by=cast.owner
    )
    initiative_acts.sign_offs(review, cast.team)
    assert decides(client, url, shown).status_code == 409
    assert open_still(review)
    assert decides(client, url, page_of(client, url)).status_code == 302


def test_a_wrong_password_does_not_hide_what_changed(cast, as_, review, url):
    client = as_(cast.chair)
    shown = page_of(client, url)
    row = review.sign_offs.latest().first()
    sign_off_actions.withdraw_sign_off(sign_off=row, reason="Wrong.", by=row.person)
    wrong = client.post(url, shown | {"reason": "Ready.", "password": "not this"})
    kept = BeautifulSoup(wrong.content, "html.parser").select_one("input[name=sign_shown]")["value"]
    assert kept == shown["sign_shown"][0]
    initiative_acts.sign_offs(review, cast.team)
    assert decides(client, url, shown | {"sign_shown": kept}).status_code == 409
    assert open_still(review)


def test_the_act_compares_under_its_lock(cast, review):
    with pytest.raises(ShownOtherwise):
        review_actions.decide(review=review, outcome="approved", reason="", shown={}, by=cast.chair)
    assert open_still(review)


def test_a_condition_that_was_not_shown_is_not_lost(cast, as_):
    review = before_mvp(cast)
    initiative_acts.sign_offs(review, cast.team)
    first = condition_of(cast, review, cast.seat_value, "business_value", "Name the sample.")
    url, client = reverse("review-decide", args=[review.pk]), as_(cast.chair)
    shown = page_of(client, url)
    condition_of(cast, review, cast.seat_risk, "risk_compliance", "Ask the union.")
    typed = {"conditions-1-text": "Log more.", "conditions-1-owner": str(cast.lead.pk)}
    typed |= {"conditions-1-due": (clock.today() + DUE).isoformat()}
    answer = decides(client, url, shown, **typed)
    assert answer.status_code == 409
    assert not Condition.objects.exists()
    again = next(button for button in Page(answer, url).buttons if button.primary).fields(fill=False)
    assert decides(client, url, again).status_code == 302
    said = {row.text: row.proposed_by for row in Condition.objects.all()}
    assert said == {
        first.condition["text"]: cast.seat_value,
        "Ask the union.": cast.seat_risk,
        "Log more.": cast.chair,
    }


def test_a_condition_withdrawn_since_then_is_refused_by_the_act(cast):
    review = before_prototype(cast)
    row = condition_of(cast, review, cast.seat_value, "business_value", "Name the sample.")
    sign_off_actions.withdraw_sign_off(sign_off=row, reason="Wrong.", by=cast.seat_value)
    condition_of(cast, review, cast.seat_value, "business_value", "Name the size.")
    wanted = {"text": "Name the sample.", "owner": cast.owner, "due": clock.today() + DUE, "sign_off": row.pk}
    with pytest.raises(ShownOtherwise):
        review_actions.decide(
            review=review, outcome="approved_with_conditions", reason="", conditions=[wanted], by=cast.chair
        )
    assert not Condition.objects.exists()


def test_a_question_without_an_answer_is_shown_before_the_decision(cast, as_, review, url):
    criterion = review.parsed_rulebook.gates[review.gate].criteria[0].key
    review_actions.ask_question(review=review, criterion=criterion, text="Who checks it?", by=cast.seat_value)
    assert "Who checks it?" in as_(cast.chair).get(url).content.decode()
