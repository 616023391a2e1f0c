"""Races of one form: many requests from one page of one browser at once. One adds a row, and all lead to it."""

import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.test import Client
from django.urls import reverse

from initiatives.models import Initiative
from tests.support import factories
from tests.support.database.concurrent_connections import SIZE, Ring

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_many_requests_with_one_form_one_adds_a_row():
    cast, address, browser = factories.make_cast(), reverse("register"), Client()
    browser.force_login(cast.owner)
    page = BeautifulSoup(browser.get(address).content, "html.parser")
    sent = {
        "csrfmiddlewaretoken": page.select_one("main [name=csrfmiddlewaretoken]")["value"],
        "title": "Sorting of letters",
        "problem": "Two people sort letters by hand all morning.",
        "unit": cast.unit.pk,
        "owner": cast.owner.pk,
        "way": "own",
    }

    def send():
        again = Client()
        again.cookies[settings.SESSION_COOKIE_NAME] = browser.cookies[settings.SESSION_COOKIE_NAME].value
        return again.post(address, sent)["Location"]

    with Ring() as ring:
        found = ring.run([send] * SIZE)
    assert {one.kind for one in found} == {"done"}, found
    assert {one.value for one in found} == {Initiative.objects.get().get_absolute_url()}
