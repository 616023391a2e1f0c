"""A company arrives with a sheet of 300 initiatives: imported and its owners asked, by one admin's clicks.

With `-s` the clicks, fields, pages and seconds of the walk are printed, step by step. A change in
initiatives/portfolio/imports asks for it.
"""

import pytest
from playwright.sync_api import expect

from governance import clock
from governance.models import User
from initiatives.lifecycle.roles import inbox as role_inbox
from initiatives.models import Initiative, RoleAssignment
from tests.support import factories
from tests.support.browser.counted import Counted, Tally
from tests.support.browser.page_checks import trouble_in
from tests.support.input import own_sheet

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(cast):
    """The forty people of the sheet, with accounts."""
    made = own_sheet.make()
    for name, login, _ in made.people:
        factories.make_person(login, cast.unit, full_name=name)
    return made


def test_three_hundred_of_ones_own(watch, cast, people):
    tally = Tally()
    admin = Counted(cast.admin, watch, tally)
    page = admin.page
    before = Initiative.objects.count()
    page.goto("/imports/")
    file = {"name": "portfolio.csv", "mimeType": "text/csv", "buffer": people.content}
    admin.hand_in(page.get_by_label("File", exact=True), file)
    source = page.get_by_label("Source", exact=True)
    admin.select(source, source.locator("option[value=own-portfolio]"))
    admin.press("Preview")
    tally.step("upload")
    expect(page.get_by_role("heading", level=1)).to_have_text("portfolio.csv")
    expect(page.get_by_text(f"Owners ({len(people.asked_about)} are not certain)")).to_be_visible()
    assert trouble_in(page, "import") == []
    for word in sorted(people.asked_about):
        choice = page.get_by_label(word, exact=True).and_(page.locator("select"))
        admin.select(choice, choice.locator("option").first)
    admin.fill(page.locator("input[name=currency]"), "EUR")
    admin.press("Use this mapping")
    tally.step("corrections")
    admin.follow(page.get_by_role("link", name="Publish"))
    assert trouble_in(page, "import-confirm") == []
    admin.press("Publish and ask the owners to accept")
    tally.step("publish")
    expect(page.get_by_text("initiatives are in your portfolio")).to_be_visible()
    print("\n", *tally.lines(), sep="\n  ")
    brought = Initiative.objects.filter(source_organisation="Own portfolio")
    assert brought.count() == Initiative.objects.count() - before == len(people.rows)
    assert {initiative.title: initiative.stage for initiative in brought} == people.stages
    asked = RoleAssignment.objects.waiting().filter(role="owner", initiative__in=brought)
    logins = {row.initiative.title: row.person.login for row in asked.select_related("initiative", "person")}
    for title, login in people.owners.items():
        if people.stages[title] != "stopped":
            assert logins[title] == login, title
    told = [due.person for due in role_inbox.roles_to_accept(clock.now())]
    owners = User.objects.filter(pk__in=asked.values("person"))
    assert sorted(person.pk for person in told) == sorted(owners.values_list("pk", flat=True)), (
        "one message each"
    )
    cost = tally.total()
    assert cost.clicks + cost.fields < 40, f"{cost.clicks} clicks and {cost.fields} fields"
