"""A form that a browser sends twice at once counts once. tests/long/test_sent_twice.py tries each page."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from governance import clock
from governance.models import Session
from governance.web import sent_once
from initiatives.models import Initiative

pytestmark = pytest.mark.django_db
REGISTER = reverse("register")


@pytest.fixture
def form(cast, as_):
    """A signed-in browser, and what it sends from the page that registers an idea."""
    client = as_(cast.owner)
    page = BeautifulSoup(client.get(REGISTER).content, "html.parser")
    return client, {
        "csrfmiddlewaretoken": page.select_one("main [name=csrfmiddlewaretoken]")["value"],
        "title": "Sorting of letters",
        "problem": "Two people sort letters by hand all morning.",
        "unit": cast.unit.pk,
        "owner": cast.owner.pk,
        "way": "own",
    }


def test_the_second_is_answered_as_the_first(form):
    client, sent = form
    first, second = client.post(REGISTER, sent), client.post(REGISTER, sent)
    assert first.status_code == second.status_code == 302
    assert first["Location"] == second["Location"] == Initiative.objects.get().get_absolute_url()
    assert "this form twice" in client.get(second["Location"]).content.decode()


def test_another_page_and_another_text_are_other_forms(form):
    client, sent = form
    client.post(REGISTER, sent)
    client.post(REGISTER, sent | {"title": "Sorting of parcels"})
    other = client.get(REGISTER).context["csrf_token"]
    client.post(REGISTER, sent | {"csrfmiddlewaretoken": str(other)})
    assert Initiative.objects.count() == 3


def test_what_is_sent_again_later_is_meant(form):
    client, sent = form
    client.post(REGISTER, sent)
    with clock.simulated(clock.now() + sent_once.AT_ONCE + timedelta(seconds=1)):
        client.post(REGISTER, sent)
    assert Initiative.objects.count() == 2


def test_a_form_with_an_error_is_sent_again_as_often_as_one_likes(form):
    client, sent = form
    for _ in range(2):
        answer = client.post(REGISTER, sent | {"title": ""})
        assert answer.status_code == 200
        assert answer.context["form"].errors["title"]


def test_the_second_waits_for_the_first_and_says_so_in_time(form, monkeypatch):
    client, sent = form
    client.post(REGISTER, sent)
    Session.objects.update(sent_to="")  # as while the first is answered
    monkeypatch.setattr(sent_once, "WAIT", 0)
    assert client.post(REGISTER, sent).status_code == 409
    assert Initiative.objects.count() == 1
