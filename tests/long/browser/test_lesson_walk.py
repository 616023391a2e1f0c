"""From a problem that a user reports to a lesson that another team answers before its gate, page by page.

A change in adoption/reports, adoption/incidents, adoption/postmortems or adoption/lessons asks for it.
"""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from adoption.demo import initiative_acts
from adoption.models import Incident
from adoption.models.lessons import LESSONS_READ
from governance import clock
from governance.organisation import actions as organisation_actions
from initiatives.lifecycle.holds import dependant_deeds
from initiatives.models import Initiative
from tests.acceptance.walks.story import CAREFUL
from tests.support import factories
from tests.support.browser.page_checks import trouble_in
from tests.support.browser.people import Person

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, SECOND = "Call summaries", "Reply drafts"
WRONG = "The summary said my contract ends in May. It ends in October."
ANSWER = "We look into it today; your contract ends in October."
LESSON = "The export of contracts stops at midnight and nobody is told, so summaries name old dates."
INSTEAD = "Ask the ledger for the day of its last export, and leave dates out when it is older than a day."
ANSWERED = "Drafts leave dates out when the export is older than a day; tried on 3 March."
WRITTEN = {
    "Expectations": "Summaries with the dates that the ledger has, never older than a day.",
    "Timeline": "1 March: the export stopped at midnight. 2 March: a customer reported a wrong date.",
    "Impact": "Forty customers read a wrong end of their contract; two gave notification by mistake.",
    "Detection": "By a customer, a day after it began. The ledger could have told within the hour.",
    "Contributing conditions": "No check compares the day of the export with today before a summary is written.",
}


@pytest.fixture
def look():
    """Reads the page that somebody has open in light and dark, wide and narrow; at the end none may be wrong."""
    found = []
    yield lambda somebody, name: found.extend(trouble_in(somebody.page, f"lesson-{name}"))
    assert found == []


@pytest.fixture
def others(cast) -> initiative_acts.Team:
    """Another team of the same board, whose initiative reads the same ledger and asks for its gate soon."""
    stores = organisation_actions.add_unit(
        name="Stores", code="stores", parent=cast.unit.parent, by=cast.admin
    )
    names = {"owner": "Nils Brandt", "support": "Rosa Lind", "lead": "Ivo Marek", "steward": "Tess Okoye"}
    people = {
        role: factories.make_person(f"stores-{role}", stores, full_name=name) for role, name in names.items()
    }
    return initiative_acts.team_for(stores, **people)


@pytest.fixture
def running(cast) -> Initiative:
    """A trial that reads the ledger, and that the warehouse depends on."""
    initiative = factories.make_initiative(cast, title=FIRST)
    factories.make_link(cast, initiative, agreed=True, **CAREFUL)
    initiative = initiative_acts.to_mvp(initiative_acts.to_prototype(initiative, cast.team), cast.team)
    dependant_deeds.add_dependant(
        initiative=initiative,
        who="Warehouse",
        for_what="Calls back customers by what the summary says.",
        bearable_outage_hours=8,
        executive=cast.second_admin,
        by=cast.owner,
    )
    return initiative


@pytest.fixture
def ahead(cast, others, running) -> Initiative:
    """The other team's prototype, with everything shown that its next gate asks for."""
    fields = {"unit": others.unit, "owner": others.owner, "by": others.owner}
    initiative = factories.make_initiative(cast, title=SECOND, **fields)
    ledger = running.links.get().system
    factories.make_link(cast, initiative, ledger, agreed=True, by=others.owner, **CAREFUL)
    initiative = initiative_acts.to_prototype(initiative, others)
    initiative_acts.staff(initiative, others)
    initiative_acts.contract(initiative_acts.fresh(initiative), others)
    initiative_acts.plan_scope(initiative, others)
    initiative_acts.ground_gate(initiative, "mvp", others)
    return initiative


def test_from_a_reported_problem_to_a_lesson_that_another_team_answers(
    watch, cast, running, ahead, others, look
):
    owner, seat = watch.let_in(cast.owner), watch.let_in(cast.seat_adoption)
    user = report(watch, owner, look)
    incident(owner, look)
    user.page.reload()
    expect(user.page.locator("main")).to_contain_text(ANSWER)
    look(user, "report-answered")
    write(owner, look)
    publish(watch.let_in(cast.seat_risk), seat, look)
    learn(watch.let_in(others.owner), seat, look)
    for name in ("business_value", "risk_compliance"):
        initiative_acts.sign_off(ahead.reviews.get(gate="mvp"), name, cast.seats[name])
    seat.inbox()
    seat.click("Review and sign")
    expect(seat.page.locator("#lessons")).to_contain_text(ANSWERED)
    look(seat, "review-answered")
    seat.sign()
    answered = ahead.answers.get(requirement=LESSONS_READ)
    assert ANSWERED in answered.text
    expect(seat.page.locator("main")).to_contain_text(f"{LESSONS_READ}, answer {answered.version}")
    look(seat, "signed")
    chair = watch.let_in(cast.chair)
    chair.decide("A bounded trial that knows what the first one learned.")
    assert initiative_acts.fresh(ahead).stage == "mvp"


def report(watch, owner: Person, look) -> Person:
    """The owner makes an address; somebody reports by it, without an account, and keeps the link to the answer."""
    owner.initiative(FIRST)
    owner.tab("Incidents")
    owner.click("Create public report link")
    owner.press("Make the link")
    owner.said("The new link is ready.")
    look(owner, "incidents")
    user = Person(None, watch.page())
    user.page.goto(owner.page.locator("#reports .mono").inner_text())
    user.type("What happened?", WRONG)
    user.type("On which day?", clock.today().isoformat())
    user.type("What did the AI say or do?", "Your contract ends on 31 May.")
    user.tick("Time or money was lost")
    look(user, "report")
    user.press("Send")
    expect(user.page.get_by_role("heading", name="Keep this link")).to_be_visible()
    look(user, "report-kept")
    return user


def incident(owner: Person, look) -> None:
    """From the inbox: an incident is made of it, written on, resolved and closed; a post-mortem is due by then."""
    owner.inbox()
    look(owner, "inbox-problem")
    owner.open("Read the report")
    look(owner, "problem")
    owner.click("Make it an incident")
    owner.type("What went wrong?", "Summaries name old dates.")
    owner.tick("2: wrong results reached people")
    owner.tick("The system gave wrong results")
    owner.tick("Customer ledger")
    owner.type("Your answer to the reporter", ANSWER)
    owner.follow(owner.page.locator("main").get_by_role("button", name="Make it an incident", exact=True))
    told = owner.page.get_by_role("alert").filter(has_text="Consequences")
    expect(told).to_contain_text(f"Due from {owner.person.full_name} by")
    expect(told).to_contain_text("Post-mortem of the incident: Summaries name old dates")
    expect(told).not_to_contain_text("..")
    expect(told).to_contain_text("Notified at once: Warehouse.")
    expect(told).to_contain_text("Evidence that no longer counts:")
    assert not Incident.objects.exists(), "what is told ahead is not done"
    look(owner, "problem-incident")
    owner.press("Make it an incident")
    owner.said("The report belongs to this incident now.")
    look(owner, "incident-open")

    owner.type("What happened?", "Summaries are sent without dates until the export runs again.")
    owner.send("Add to the timeline")
    owner.click("Take the lead")
    owner.press("Save")
    owner.said("Saved. The person is notified.")
    owner.click("Add the facts")
    owner.type("People affected", "40")
    owner.type("Group affected", "Customers who asked for a summary")
    owner.press("Save the facts")
    owner.click("Start a deadline, or give a reason")
    owner.type("Reason, if no report is required", "No duty covers a wrong date; judged with the risk seat.")
    owner.press("Save")
    owner.click("Update the status")
    owner.tick("resolved: the system works again")
    owner.type("Action taken", "The export runs again, and tells us when it stops.")
    look(owner, "incident-resolving")
    owner.press("Save")
    owner.said("Saved.")
    owner.click("Close the incident")
    owner.type("Conclusion", "An export stopped unseen; it runs, and it is watched.")
    owner.press("Close the incident")
    owner.said("The incident is closed.")
    expect(owner.page.locator("#timeline")).to_contain_text("Summaries are sent without dates")
    expect(owner.page.locator("#obligations")).to_contain_text(
        "Post-mortem of the incident: Summaries name old dates"
    )
    look(owner, "incident-closed")


def write(owner: Person, look) -> None:
    """It is in the inbox, begun, found lacking, completed with a gap, and handed in."""
    page = owner.page
    owner.inbox()
    look(owner, "inbox-obligations")
    owner.open("Write", page.locator("li").filter(has_text="Post-mortem of the incident"))
    look(owner, "post-mortem-start")
    owner.press("Start writing")
    for label, words in WRITTEN.items():
        owner.type(label, words)
    found = page.get_by_role("group", name="Failure: layers of the actual cause, the most important first")
    owner.choose("Layer", "Integration", found)
    owner.type("How do you know?", "The ledger's log shows no export after midnight.", found)
    assumed = page.get_by_role("group", name="Failure: layers that people suspected first")
    owner.choose("Layer", "Model", assumed)
    owner.choose("Source of the assumption", "The users", assumed)
    owner.type(re.compile(r"^\s*Assumption"), "It makes up dates.", assumed)
    owner.fill(page.get_by_label("Lesson 1", exact=True), LESSON)
    owner.type("Better alternative (lesson 1)", INSTEAD)
    owner.choose("Layer (lesson 1)", "Integration")
    owner.choose("Kind of problem (lesson 1)", "Not noticed in time")
    owner.follow(page.get_by_text("Search words").first)
    owner.tick("Customer ledger")
    look(owner, "post-mortem-form")
    owner.send("Save and check before handing in")
    expect(page.get_by_role("alert")).to_contain_text("Open gaps: Record")
    look(owner, "post-mortem-lacking")
    owner.click("Continue writing")
    owner.send("Save and record a gap")
    owner.type("Unresolved problem", "Two other exports of the ledger are not watched either.")
    owner.choose("Owner", "Ravi Menon")
    owner.type("Due", (clock.today() + timedelta(days=30)).isoformat())
    look(owner, "post-mortem-gap")
    owner.press("Record the gap")
    owner.said("The gap is recorded")
    owner.send("Save and check before handing in")
    look(owner, "post-mortem-hand-in")
    owner.send("Hand in the post-mortem")
    expect(page.locator("main")).to_contain_text("The adoption seat has not confirmed it yet")


def publish(risk: Person, seat: Person, look) -> None:
    """A reader comments on a section; the adoption seat reads both, and publishes it by confirming it."""
    risk.initiative(FIRST)
    risk.tab("Lessons")
    risk.click("Read the whole post-mortem")
    risk.click("Comment on Impact")
    risk.type("Your comment", "Were the two who gave notification asked back?")
    look(risk, "post-mortem-comment")
    risk.press("Comment")
    risk.said("Your comment stands beside the section.")
    look(risk, "post-mortem-in-review")
    seat.inbox()
    seat.click("Read and confirm")
    expect(seat.page.locator("main")).to_contain_text("Were the two who gave notification asked back?")
    look(seat, "post-mortem-confirm")
    seat.press("Confirm the post-mortem")
    seat.said("The post-mortem is published.")
    seat.click("Read the whole post-mortem")
    expect(seat.page.locator("main")).to_contain_text("Model, by the users: It makes up dates.")
    look(seat, "post-mortem-published")


def learn(other: Person, seat: Person, look) -> None:
    """The other team finds it in the library and in its inbox; the gate waits until it is answered and signed for."""
    other.page.get_by_role("navigation", name="Main").get_by_role("link", name="Rules and lessons").click()
    other.page.get_by_role("navigation", name="Rules and lessons").get_by_role("link", name="Lessons").click()
    other.type("What do you want to know?", "are we told when an export stops at night?")
    other.send("Search")
    expect(other.page.locator("main")).to_contain_text(LESSON)
    look(other, "library")
    other.open(LESSON[:40])
    look(other, "lesson")
    other.inbox()
    expect(other.page.locator("main")).to_contain_text(f"1 lesson from others: {SECOND}")
    look(other, "inbox-lesson")

    other.initiative(SECOND)
    expect(other.page.locator("main")).to_contain_text("Next step: answer this requirement before the gate.")
    look(other, "initiative-unanswered")
    other.click("Request a review")
    expect(other.page.locator("main")).to_contain_text("Some lessons are not answered yet.")
    expect(other.page.locator("main")).to_contain_text(LESSON)
    expect(other.page.locator("main")).not_to_contain_text("All criteria that the board signs are met.")
    look(other, "review-open")
    other.press("Open the review")
    other.said("The review is open.")
    seat.inbox()
    seat.click("Review and sign")
    expect(seat.page.locator("main")).to_contain_text("A lesson is not answered")
    expect(seat.page.locator("#lessons")).to_contain_text("not answered")
    look(seat, "review-unanswered")

    other.inbox()
    other.click("Answer", other.page.locator("li").filter(has_text="1 lesson from others"))
    other.tick("Applies to this initiative")
    other.type("Action taken, or reason why the lesson does not apply", ANSWERED)
    look(other, "lessons-answer")
    other.press("Save the answers")
    expect(other.page.locator("main")).to_contain_text(ANSWERED)
    look(other, "lessons-answered")
