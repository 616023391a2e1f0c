"""The organisation changes, walked in a real browser: a merge of units, a handover, an absence.

A change in governance/organisation, initiatives/portfolio/units, initiatives/lifecycle/roles or
initiatives/inbox/absences asks for it.
"""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from adoption.demo import initiative_acts
from governance import clock
from governance.transparency_log import sealing
from initiatives.lifecycle.reviews import actions as review_actions
from tests.support import factories
from tests.support.browser.page_checks import trouble_in

pytestmark = pytest.mark.django_db(transaction=True)

AGE = timedelta(days=3)


def look(person, name: str) -> None:
    """Nothing is wrong with the open page."""
    assert trouble_in(person.page, name) == []


@pytest.fixture
def cast(transactional_db):
    """An organisation that is some days old, so that there is a day before."""
    with clock.simulated(clock.now() - AGE):
        return factories.make_cast()


def test_two_units_become_one(watch, cast):
    """An admin reads what a merge does and does it; the initiative says so, and the day before still shows the old
    tree.
    """
    with clock.simulated(clock.now() - AGE):
        initiative = factories.make_initiative(cast)
        initiative_acts.parts(initiative, cast.team)
        initiative_acts.ground_gate(initiative, "prototype", cast.team)
        review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
        initiative_acts.sign_off(review, "business_value", cast.seat_value)
    admin = watch.sign_in(cast.admin)
    page = admin.page
    page.goto("/organisation/units/")
    admin.click("Merge: Account management")
    main = page.locator("main")
    admin.choose("Into", "Logistics", main)
    admin.type("Why", "Two teams became one.", main)
    main.get_by_role("button", name="Show the changes").click()
    expect(main).to_contain_text("1 earlier sign-off no longer counts")
    expect(main).to_contain_text("No one can decide on it until a unit above has a board")
    look(admin, "merge")
    main.get_by_role("button", name="Merge", exact=True).click()
    admin.said("is merged")
    expect(main).to_contain_text("Account management, now part of Logistics")
    sealing.seal()
    owner = watch.sign_in(cast.owner)
    owner.page.goto(f"{initiative.get_absolute_url()}activity/")
    told = "moved the initiative from Account management to Logistics"
    expect(owner.page.locator("main")).to_contain_text(told)
    auditor = watch.sign_in(cast.auditor)
    auditor.page.goto("/initiatives/")
    expect(auditor.page.locator("main table")).to_contain_text("Logistics")
    auditor.page.goto(f"/initiatives/?as_of={clock.today() - timedelta(days=1)}")
    expect(auditor.page.locator("main table")).to_contain_text("Account management")


def test_a_long_list_is_typed_into_and_sends_what_it_names(watch, cast):
    """An admin grants a seat on the page of boards; half a name is enough, a wrong one goes nowhere."""
    admin = watch.sign_in(cast.admin)
    page = admin.page
    page.goto(f"/organisation/boards/{cast.board.pk}/seat/?seat=risk_compliance")
    person = page.get_by_label("Person")
    assert person.get_attribute("list"), "more than ten people: a field to type into"
    person.fill("nobody of that name")
    page.get_by_role("button", name="Grant the seat").click()
    assert "until only one name is left" in person.evaluate("field => field.validationMessage")
    person.fill(cast.outsider.full_name.split()[0].lower())
    person.press("Tab")
    expect(person).to_have_value(f"{cast.outsider.full_name} ({cast.outsider.unit})")
    page.get_by_role("button", name="Show the changes").click()
    expect(page.locator("main")).to_contain_text("Consequences")
    expect(person).to_have_value(f"{cast.outsider.full_name} ({cast.outsider.unit})")
    look(admin, "seat-grant")
    admin.bind("Grant the seat")
    expect(page.locator("main")).to_contain_text("was given the seat Risk and compliance of Retail board.")
    look(admin, "boards")
    page.get_by_role("link", name="Units", exact=True).click()
    look(admin, "units")


def test_an_owner_hands_over_and_the_successor_takes_it(watch, cast):
    """The leaver sees everything she holds, asks one successor for all of it, who takes it in person from his inbox."""
    with clock.simulated(clock.now() - AGE):
        first, second = factories.make_initiative(cast), factories.make_initiative(cast, title="Reply drafts")
    owner = watch.sign_in(cast.owner)
    owner.page.get_by_role("link", name="Absence and handover").click()
    owner.click("hand over your initiatives")
    owner.type("Successor for every initiative that you leave empty", "Ravi Menon (lead)")
    owner.type("Why", "I leave at the end of the month.")
    owner.press("Show the effects")
    expect(owner.page.locator("main .note")).to_contain_text(
        f"{first.ref} {first.title}: Ravi Menon is asked"
    )
    look(owner, "handover")
    owner.press("Ask the successors")
    owner.said("Ravi Menon is asked to take over.")
    expect(owner.page.locator("main")).to_contain_text("has not answered")
    lead = watch.sign_in(cast.lead)
    lead.click("Read and answer")
    expect(lead.page.locator("main")).to_contain_text(f"Business owner of {second.ref}")
    look(lead, "handovers")
    lead.page.get_by_label("Reply drafts").uncheck()
    lead.bind("Take over the ticked initiatives")
    lead.said("You took over 1 initiative.")
    lead.page.goto(f"{first.get_absolute_url()}people/")
    expect(lead.page.locator("main")).to_contain_text("Business owner: Ravi Menon")
    owner.page.reload()
    expect(owner.page.locator("main")).not_to_contain_text(first.title)
    owner.page.get_by_role("button", name="Withdraw the request").click()
    owner.said("no longer asked")


def test_somebody_is_away_and_another_sits_for_her(watch, cast):
    """She plans it and names a delegate, who accepts, finds the sign-off in the inbox with for whom, and signs for
    both.

    The seat is in its first day: the inbox says so, until the chair confirms it.
    """
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    holder = watch.sign_in(cast.seat_value)
    holder.page.get_by_role("link", name="Absence and handover").click()
    holder.type("First day away", clock.today().isoformat())
    holder.type("Last day away", (clock.today() + timedelta(days=6)).isoformat())
    holder.choose("Person who sits for you: Business value", "Sam Brook")
    holder.press("Show the effects")
    expect(holder.page.locator("main .note")).to_contain_text("Each sign-off names both")
    look(holder, "away")
    holder.press("Plan the absence")
    holder.said("Plumbline asks the people you named.")
    delegate = watch.sign_in(cast.outsider)
    delegate.open("Read and answer")
    look(delegate, "delegation")
    delegate.bind("Accept to stand in")
    delegate.said("You stand in for Amara Diallo")
    delegate.inbox()
    expect(delegate.page.locator("main")).to_contain_text("for Amara Diallo")
    expect(delegate.page.locator("main")).to_contain_text("Your seat is in its first day")
    look(delegate, "inbox-first-day")
    delegate.click("Read the review")
    expect(delegate.page.locator("#mine")).to_contain_text("Your seat is in its first day")
    look(delegate, "review-first-day")
    chair = watch.sign_in(cast.chair)
    chair.click("Open the seat")
    expect(chair.page.locator("main")).to_contain_text("Sam Brook")
    look(chair, "seat-confirm")
    chair.bind("Confirm the seat")
    delegate.inbox()
    expect(delegate.page.locator("main")).to_contain_text("for Amara Diallo")
    look(delegate, "inbox-for")
    delegate.sign()
    expect(delegate.page.locator("main")).to_contain_text("as delegate of Amara Diallo")
    holder.click("End the absence")
    holder.press("End the absence")
    holder.said("no one stands in now")


def test_the_admin_is_found_by_group(watch, cast):
    """The index is in groups, and a list exports what is chosen."""
    factories.make_initiative(cast)
    admin = watch.sign_in(cast.admin)
    page = admin.page
    page.goto("/admin/")
    group = page.get_by_role("region", name="Messages and sign-ins")
    expect(group.get_by_role("link", name="Emails")).to_be_visible()
    look(admin, "admin-index")
    page.get_by_role("region", name="Initiatives").get_by_role("link", name="Roles").click()
    expect(page.locator("#result_list")).to_contain_text("Marta Lindqvist")
    look(admin, "admin-roles")
    page.locator("#result_list tbody input[type=checkbox]").first.check()
    page.locator("select[name=action]").select_option(label="Export the chosen rows as CSV")
    with page.expect_download() as saved:
        page.locator("button[name=index]").click()
    assert saved.value.suggested_filename.startswith("role-assignments-")
