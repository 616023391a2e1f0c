"""What somebody typed into a long text is there again after the session ended at the moment of saving.

With `--rounds 500` every form with a long text on every page, in the suite five of them. `-s` prints the pages.
"""

import re

import pytest
from playwright.sync_api import expect

from governance.models import Session
from tests.acceptance.pages.test_access import address, world  # noqa: F401 (a fixture)
from tests.support import factories
from tests.support.web.access_table import CAST, TABLE

pytestmark = pytest.mark.django_db(transaction=True)

FULL = 500  # rounds from which every page is tried
FEW = {"meeting-point", "incident", "waivers", "record-decision", "report-behaviour"}
TYPED = "Three sentences that nobody wants to type twice. " * 20
FORMS = "main form[method=post]:has(textarea)"


def readers(cast, name: str):
    """The first of the cast who opens the page of this name."""
    row = TABLE[name]
    return [getattr(cast, login) for login in CAST if row.read and login in row.opens][:1]


def test_what_was_typed_outlives_the_session(watch, cast, world, rounds):  # noqa: F811
    wrong, tried = [], []
    by_person: dict = {}
    for name in TABLE if rounds >= FULL else sorted(FEW):
        for person in readers(cast, name):
            by_person.setdefault(person.pk, (person, []))[1].append(name)
    for person, names in by_person.values():
        visitor = watch.sign_in(person)
        page = visitor.page
        for name in names:
            answer = page.request.get(address(name, world))
            if (
                not answer.ok
                or "html" not in answer.headers["content-type"]
                or "<textarea" not in answer.text()
            ):
                continue
            page.goto(address(name, world))
            count = page.locator(FORMS).count()
            for place in range(count):
                page.goto(address(name, world))
                page.evaluate(
                    "document.querySelectorAll('main details').forEach((one) => { one.open = true; })"
                )
                form = page.locator(FORMS).nth(place)
                field = form.locator("textarea:visible").first
                if not field.count():
                    continue
                field.fill(TYPED)
                Session.objects.all().delete()
                form.evaluate("(one) => { one.noValidate = true; one.requestSubmit(); }")
                expect(page).to_have_url(re.compile("/sign-in/"))
                visitor.type("User name", person.login)
                visitor.type("Password", factories.PASSWORD)
                visitor.press("Sign in")
                expect(page).not_to_have_url(re.compile("/sign-in/"))
                page.evaluate(
                    "document.querySelectorAll('main details').forEach((one) => { one.open = true; })"
                )
                kept = page.locator(FORMS).nth(place).locator("textarea").first
                tried.append(name)
                if kept.input_value() != TYPED:
                    wrong.append(f"{name}, form {place + 1}: {page.url}")
        page.context.close()
    print(len(tried), "forms of", len(set(tried)), "pages:", *dict.fromkeys(tried))
    assert not wrong, "\n".join(wrong)
    assert len(set(tried)) >= len(FEW)
