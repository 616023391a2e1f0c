"""Integration in a real browser: scenario 1 from two customers to production, scenario 2 from a knowledge base to a
successor. What the register says at each step is asked here; the rules behind it are tried beside their subjects. A
change in initiatives/integration asks for these.
"""

import re
from datetime import date

import pytest
from playwright.sync_api import expect

from adoption.demo import initiative_acts
from governance.models import Notification
from initiatives.integration.components import actions as components_actions
from initiatives.integration.links import actions as link_actions
from initiatives.integration.residency import actions as residency_actions
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.stages import periodic
from initiatives.portfolio.units import leaving
from tests.acceptance.walks import story
from tests.acceptance.walks.story import at
from tests.support import factories
from tests.support.browser.page_checks import picture
from tests.support.browser.people import Person, Watch

pytestmark = pytest.mark.django_db(transaction=True)

DRILL = "Fallback drill"


def shot(person: Person, name: str) -> None:
    """A picture of the open page in light and dark, wide and narrow, where pictures are asked for."""
    for scheme in ("light", "dark"):
        person.page.emulate_media(color_scheme=scheme)
        picture(person.page, f"scenario-{name}", scheme)
    person.page.emulate_media(color_scheme="light")
    person.page.set_viewport_size({"width": 1280, "height": 900})


def says(person: Person, *words: str) -> None:
    """The open page says all of this."""
    for one in words:
        expect(person.page.locator("body")).to_contain_text(one)


def integration(person: Person, initiative, page: str = "") -> None:
    """To the tab of an initiative, and to one of the pages below it."""
    person.page.goto(initiative.get_absolute_url())
    person.tab("Integration")
    if page:
        person.click(page)


@pytest.fixture
def cast(transactional_db):
    """The organisation, its board and the rulebook as of 1 May 2026."""
    with at(2026, 5, 1):
        return factories.make_cast()


# Scenario 1


def endpoint(initiative, cast, region: str):
    """The same model, at an endpoint in this region."""
    return components_actions.record_component(
        initiative=initiative,
        layer="model",
        name="Language model",
        version="m-4",
        region=region,
        by=cast.lead,
    )


@pytest.fixture
def summary(cast):
    """An MVP of spring, tied to CRM by way of a vendor's model, and to billing; its last fallback drill is old."""
    with at(2026, 5, 10):
        initiative = factories.make_initiative(cast)
        initiative_acts.staff(initiative, cast.team, ("technical_lead",))
        vendor = residency_actions.add_vendor(name="Modelwright", by=cast.lead)
        initiative_acts.parts(initiative, cast.team)
        model = endpoint(initiative, cast, "us-east")
        transfers = [link_actions.Place("vendor model", vendor=vendor, deployment=model)]
        for name in ("CRM", "Billing"):
            system = factories.make_system(cast, name, regions=["CH"])
            way = transfers if name == "CRM" else []
            factories.make_link(cast, initiative, system, agreed=True, transfers=way, **story.CAREFUL)
    with at(2026, 5, 11):
        initiative_acts.ground_gate(initiative, "prototype", cast.team)
        initiative_acts.pass_gate(initiative, cast.team, reason="Worth exploring beside the other ideas.")
    with at(2026, 8, 3):
        initiative = initiative_acts.to_mvp(story.fresh(initiative), cast.team)
    with at(2026, 11, 2):
        factories.make_flow(cast, initiative)
        story.renew(initiative, cast)
        initiative_acts.ground_gate(initiative, "production", cast.team, skip=["prod.q10_outage"])
        requirement_actions.answer(
            initiative=initiative,
            requirement="prod.q10_outage",
            kind="answered",
            text="By hand, drilled.",
            by=cast.owner,
        )
        story.drill(initiative, date(2026, 5, 12), cast.support)
        review = review_actions.open_review(initiative=story.fresh(initiative), by=cast.owner)
    return initiative, review


def test_two_customers_one_forbidden_region_and_a_drill_that_ages(watch, cast, summary):
    initiative, review = summary
    address = f"/reviews/{review.pk}/"
    with at(2026, 11, 2, 14):
        a_term_is_named(watch, cast, initiative)
        three_definitions(watch.let_in(cast.lead), initiative)
        seat = watch.let_in(cast.seat_risk)
        seat.page.goto(address)
        says(seat, "3 open conflicts on customer")
        shot(seat, "1-1-gate")
    with at(2026, 11, 2, 16):
        resolved_by_the_steward(watch.let_in(cast.steward), initiative)
    with at(2026, 11, 3):
        refused_to_the_owner(watch, cast, initiative, review)
    with at(2026, 11, 5):
        watch.let_in(cast.seats["risk_compliance"]).sign()
    with at(2026, 11, 6):
        watch.let_in(cast.seats["architecture_integration"]).sign()
    with at(2026, 11, 9, 0):
        owner = watch.let_in(cast.owner)
        owner.page.goto(address)
        says(owner, "evidence aged out: Fallback drill of 12 May 2026")
        expect(owner.page.locator("#sign-offs s")).to_have_text("Tomas Ek")
        shot(owner, "1-4-aged-out")
    with at(2026, 11, 10):
        drilled_again(watch.let_in(cast.support), initiative)
    with at(2026, 11, 11, 15):
        watch.let_in(cast.seats["architecture_integration"]).sign("See what changed")
        watch.let_in(cast.seats["service_operations"]).sign()
    with at(2026, 11, 12, 10):
        for name in ("security_privacy", "business_value"):  # five seats in all: the sixth is not asked
            watch.let_in(cast.seats[name]).sign()
        chair = watch.let_in(cast.chair)
        chair.inbox()
        chair.click("Read and decide")
        says(chair, "ready for decision")
        shot(chair, "1-6-ready")
    with at(2026, 11, 12, 10, 50):
        a_term_is_filed(watch, cast, initiative, review)
    with at(2026, 11, 16):
        the_vendor_moves(watch, cast, initiative)
    with at(2027, 1, 8):
        proved_and_signed_again(cast, initiative)
    with at(2027, 1, 11):
        chair = watch.let_in(cast.chair)
        chair.decide("Ready, on the new endpoint.")
        chair.page.goto(initiative.get_absolute_url())
        says(chair, "Production")
        shot(chair, "1-9-production")
    with at(2027, 1, 11, 12):
        assert (story.fresh(initiative).stage, story.span(initiative).supported) == (
            "production",
            "production",
        )


def a_term_is_named(watch: Watch, cast, initiative) -> None:
    """1. The architecture seat adds a business term to the glossary."""
    seat = watch.let_in(cast.seat_architecture)
    seat.page.goto("/glossary/")
    seat.click("Add a term")
    seat.type("Term", "customer")
    seat.type("Meaning in your organisation", "Who buys from us.")
    shot(seat, "1-1-term")
    seat.send("Add the term")
    seat.said("The term is in the glossary.")


def three_definitions(lead: Person, initiative) -> None:
    """1.

    The technical lead says what two systems mean by the word; their owner agreed to the links of the initiative.
    """
    integration(lead, initiative, "Definitions")
    lead.click("Add a term")
    lead.type("Term", "customer")
    lead.send("Add the term")
    for system, meaning, form, since, until in (
        ("CRM", "account", "X{18}", "2019-01-01", ""),
        ("Billing", "payer", "9{10}", "2021-01-01", ""),
        ("Billing", "contract", "", "", "2020-12-31"),
    ):
        lead.click("Add a definition")
        lead.choose("System", system)
        lead.type("Field", "customer_id")
        lead.type("Meaning in this system", meaning)
        lead.type("Counted unit", meaning)
        lead.type("Identifier mask", form)
        if since:
            lead.type("For rows from", since)
        if until:
            lead.type("For rows to", until)
        lead.send("Save the definition")
    says(lead, "3 open conflicts", "Conflicts between systems")
    shot(lead, "1-1-conflicts")
    assert not story.state(initiative, "int.definitions").satisfied
    assert story.span(initiative).integration == "not_yet", "the scale test fails"
    lead.page.goto(initiative.get_absolute_url())
    says(lead, "definitions")
    shot(lead, "1-1-initiative")


def resolved_by_the_steward(steward: Person, initiative) -> None:
    """2. Two are brought together with a table, the third is lived with by two reports."""
    integration(steward, initiative, "Definitions")
    for _ in range(2):
        rows = steward.page.locator("main .todo li").filter(has_not_text="depending on the year")
        steward.click("Reconcile", rows.filter(has=steward.page.get_by_role("link", name="Reconcile")).first)
        steward.type("Rule from now on", "One payer per account.")
        steward.type("Mapping table", "001A00000LoXyz = 4711002233\n001B = 4712 = old")
        steward.send("Reconcile")
    steward.click("Accept", steward.page.locator("main .todo"))
    steward.type("Reason", "Rows from before 2021 stay by contract.")
    steward.type(
        "Reports and systems with the difference",
        "Revenue by customer 2019 to 2021, Churn of the pilot region",
    )
    steward.choose("Owner of the remaining gap", steward.person.full_name)
    steward.type("Close by", "2027-03-31")
    shot(steward, "1-2-accept")
    steward.send("Accept the difference")
    says(steward, "resolved", "Revenue by customer 2019 to 2021")
    shot(steward, "1-2-resolved")
    mapped = initiative.conflicts.get(facet="identifier_format").mapping
    assert mapped[1] == {"one": "001B", "other": "4712", "note": "old"}
    assert story.span(initiative).integration == "passes"
    integration(steward, initiative)
    shot(steward, "1-2-integration")


def refused_to_the_owner(watch: Watch, cast, initiative, review) -> None:
    """3. The owner opens the form of the risk seat by its address."""
    owner = watch.let_in(cast.owner)
    answer = owner.page.goto(f"/reviews/{review.pk}/sign/risk_compliance/")
    assert answer.status == 403
    says(owner, "business owner of this initiative")
    shot(owner, "1-3-refused")
    watch.complaints[:] = [one for one in watch.complaints if "403" not in one]
    assert not review.sign_offs.exists()


def drilled_again(support: Person, initiative) -> None:
    """5. Partial is no pass; a day to come is refused and nothing typed is lost; then it passes."""
    add_drill(support, initiative, "2026-11-10", "Partial")
    support.said("The item is added.")
    assert story.state(initiative, "prod.q10_outage").state == "failing"
    add_drill(support, initiative, "2026-11-13", "Pass")
    says(support, "13 November 2026 is in the future. Today is")
    expect(support.page.get_by_label("Title")).to_have_value(DRILL)
    shot(support, "1-5-day-to-come")
    support.type("Observed on", "2026-11-10")
    support.upload(f"{DRILL} that passed")
    support.send("Add the item")
    support.said("The item is added.")
    assert story.state(initiative, "prod.q10_outage").satisfied


def add_drill(support: Person, initiative, day: str, result: str) -> None:
    """The drill record as evidence."""
    support.page.goto(initiative.get_absolute_url())
    support.tab("Evidence")
    support.click("Add evidence")
    support.click("Choose: Drill record")
    support.check(support.page.locator("input[name=covers][value='prod.q10_outage']"))
    support.type("Title", DRILL)
    support.type("Observed on", day)
    support.upload(f"{DRILL} of {day} {result}")
    support.choose("Result", result)
    support.send("Add the item")


def a_term_is_filed(watch: Watch, cast, initiative, review) -> None:
    """8. A vendor term forbids where the vendor's model runs: held at once, seats stale, no way around it."""
    security = watch.let_in(cast.seat_security)
    security.page.goto("/vendors/")
    security.click("Modelwright")
    security.click("File a term")
    security.type("Source", "MSA 4.2")
    security.type("Text", "no processing outside EU")
    security.type("Allowed regions", "EU")
    security.send("File the term")
    says(security, "MSA 4.2", initiative.title)
    shot(security, "1-8-vendor")
    owner = watch.let_in(cast.owner)
    owner.page.goto(initiative.get_absolute_url())
    says(owner, "data leaves the allowed region", "vendor model, us-east")
    shot(owner, "1-8-banner")
    integration(owner, initiative, "Data residency")
    says(owner, "MSA 4.2", "us-east")
    shot(owner, "1-8-residency")
    owner.page.goto(f"{initiative.get_absolute_url()}waivers/")
    expect(owner.page.get_by_role("link", name="Ask for a waiver")).to_have_count(0)
    chair = watch.let_in(cast.chair)
    chair.page.goto(f"/reviews/{review.pk}/")
    says(chair, "sign again")
    shot(chair, "1-8-review")
    stale = {"architecture_integration", "service_operations", "business_value"}
    assert set(story.stale_seats(review)) == stale, "the others have signed nothing that lists vendor terms"
    assert not story.snapshot(review).verdict.decidable
    assert story.span(initiative).supported == "prototype", "what is supported falls without a sign-off"
    told = set(Notification.objects.filter(kind="held").values_list("person__login", flat=True))
    assert {"chair", "owner"} <= told, "the chair is told of a live MVP"
    assert "seat-security" not in told, "whoever filed the term knows"


def the_vendor_moves(watch: Watch, cast, initiative) -> None:
    """9. The same model at an endpoint in the EU: the hold can be lifted, and what it ends is listed."""
    lead = watch.let_in(cast.lead)
    lead.page.goto(f"{initiative.get_absolute_url()}do/record-version/")
    lead.choose("Layer", "Model")
    lead.type(re.compile(r"^\s*Component(?! in)"), "Language model")
    lead.type("Version", "m-4")
    lead.type("Region", "eu-west")
    lead.send("Record the version")
    for key in ("prod.performance", "int.anchor"):
        assert "m-4 (us-east) to Language model m-4 (eu-west)" in story.state(initiative, key).words, key
    integration(lead, initiative, "Data residency")
    says(lead, "eu-west")
    shot(lead, "1-9-path")
    lead.page.goto(f"{initiative.get_absolute_url()}requirements/")
    says(lead, "m-4 (eu-west)")
    shot(lead, "1-9-to-redo")
    chair = watch.let_in(cast.chair)
    chair.page.goto(initiative.get_absolute_url())
    chair.click("Lift")
    chair.type("Why", "The new path stays in the EU.")
    chair.bind("Lift the hold")
    assert not initiative.holds.open().exists()


def proved_and_signed_again(cast, initiative) -> None:
    """Eight weeks of measurements later: proved on the new endpoint, and every seat has signed."""
    story.renew(initiative, cast)
    initiative_acts.ground_gate(initiative, "production", cast.team)
    current = initiative.reviews.filter(outcome="open").first()
    if current is None or story.snapshot(current).verdict.blockers:
        for one in initiative.reviews.filter(outcome="open"):
            review_actions.withdraw_review(review=one, reason="Opened anew with the new path.", by=cast.owner)
        current = review_actions.open_review(initiative=story.fresh(initiative), by=cast.owner)
    for seat, person in cast.seats.items():
        initiative_acts.sign_off(current, seat, person)


# Scenario 2


def test_four_knowledge_bases_a_workflow_in_a_head_and_an_owner_who_leaves(watch, cast):
    initiative, review = story.triage(cast)
    successor = factories.make_person("successor", cast.unit, full_name="Nils Holm")
    with at(2026, 10, 12):
        lead = watch.let_in(cast.lead)
        four_sources(lead, initiative)
        in_a_head(lead, initiative)
    with at(2026, 10, 20, 15):
        another_model(watch.let_in(cast.lead), initiative)
    with at(2026, 10, 21, 9):
        chair = watch.let_in(cast.chair)
        chair.page.goto(f"/reviews/{review.pk}/")
        says(chair, "m-5")
        shot(chair, "2-3-review")
        chair.page.goto(initiative.get_absolute_url())
        says(chair, "MVP: not supported by current evidence", "m-5")
        shot(chair, "2-3-initiative")
    with at(2026, 10, 30):
        holder = cast.board.memberships.get(seat="service_operations")
        factories.make_seat(cast, successor, "service_operations", delegate_of=holder)
        initiative_acts.sign_off(review, "service_operations", successor)
    with at(2026, 11, 2):
        leaving.deactivate(person=cast.owner, reason="Left the company", system="HR feed")
        the_owner_is_gone(watch, cast, initiative, successor)
    with at(2026, 11, 5):
        she_accepts(watch, review, successor)


def four_sources(lead: Person, initiative) -> None:
    """1. "The" knowledge base is a collection without members first, and four sources then."""
    integration(lead, initiative)
    lead.click("Connect a system")
    lead.click("Add a system that is not in the list")
    describe(lead, "Knowledge base", "Knowledge base", {"Owner": str(lead.person)})
    integration(lead, initiative)
    lead.click("Connect a system")
    lead.click("Connect: Knowledge base")
    lead.choose("Purpose", "Source of truth")
    lead.choose("Direction", "Reads")
    lead.choose("Access", "API")
    lead.send("Connect")
    says(lead, "is a collection without sources")
    shot(lead, "2-1-refused")
    owner = str(lead.person)
    for name, kind, fields in (
        ("KB-A", "Wiki", {"Last updated": "2026-10-01", "Owner": owner}),
        ("KB-B", "Wiki", {"Last updated": "2023-06-30", "Owner": owner}),
        (
            "Wiki-C",
            "Wiki",
            {
                "Last updated": "2026-10-01",
                "Owner": owner,
                "Can someone edit it?": "no: it is frozen",
            },
        ),
        ("Share-D", "File share", {"Last organised": "2019-04-01"}),
    ):
        lead.page.goto("/systems/")
        lead.click("Knowledge base")
        lead.click("Add a source")
        describe(lead, name, kind, fields)
    lead.page.goto("/systems/")
    lead.click("Knowledge base")
    says(lead, "Wiki-C", "Share-D")
    shot(lead, "2-1-collection")
    integration(lead, initiative)
    lead.click("Connect a system")
    lead.click("Connect: Knowledge base")
    lead.choose("Purpose", "Source of truth")
    lead.choose("Direction", "Reads")
    lead.choose("Access", "API")
    lead.send("Connect")
    integration(lead, initiative)
    says(
        lead,
        "KB-B is out of date: it was last updated on 30 June 2023.",
        "Share-D has no owner, last organised in 2019.",
        "Wiki-C is frozen: no one can edit it.",
    )
    shot(lead, "2-1-three-reasons")
    assert not story.state(initiative, "int.sources_condition").satisfied


def describe(lead: Person, name: str, kind: str, fields: dict) -> None:
    """The form of a system that is not here yet."""
    lead.type("Name", name)
    lead.choose("Kind", kind)
    lead.unfold("More details (you can add these later on the page of the system)")
    for label, value in fields.items():
        if lead.page.get_by_label(label).first.evaluate("field => field.tagName") == "SELECT":
            lead.choose(label, value)
        else:
            lead.type(label, value)
    lead.send("Add the system")


def in_a_head(lead: Person, initiative) -> None:
    """2. An approval that is written down nowhere: what is supported falls, the approved stage stays."""
    integration(lead, initiative, "Processes and sign-on")
    lead.click("Record a process")
    lead.type("Name", "Approvals above a limit")
    lead.tick("In someone's head")
    lead.type("Known by (description)", "one long-serving colleague")
    lead.fill(lead.page.locator("[name=as_is]"), "Anybody: asks one long-serving colleague")
    lead.send("Record the process")
    says(lead, "Knowledge holder: one long-serving colleague", "not budgeted")
    shot(lead, "2-2-process")
    lead.page.goto(initiative.get_absolute_url())
    says(lead, "MVP: not supported by current evidence", "one long-serving colleague")
    shot(lead, "2-2-initiative")
    assert (story.span(initiative).supported, story.fresh(initiative).stage) == ("prototype", "mvp")


def another_model(lead: Person, initiative) -> None:
    """3. The vendor retires a model; its successor is recorded without anything prepared for it."""
    lead.page.goto(f"{initiative.get_absolute_url()}do/record-version/")
    lead.choose("Layer", "Model")
    lead.type(re.compile(r"^\s*Component(?! in)"), "Language model")
    lead.type("Version", "m-5")
    lead.type("Region", "eu-west")
    lead.type("Runs from", "2026-10-21")
    lead.send("Record the version")
    says(lead, "m-5")
    shot(lead, "2-3-running")


def the_owner_is_gone(watch: Watch, cast, initiative, successor) -> None:
    """4. Her roles ended; the sponsor asks a successor; the admin cannot take it for him."""
    sponsor = watch.let_in(cast.sponsor)
    sponsor.page.goto(initiative.get_absolute_url())
    says(sponsor, "owner")
    shot(sponsor, "2-4-vacant")
    sponsor.page.goto(f"{initiative.get_absolute_url()}people/")
    sponsor.open("Propose a business owner")
    sponsor.choose("Business owner", successor.full_name)
    sponsor.send("Propose")
    says(sponsor, successor.full_name, "not yet accepted")
    shot(sponsor, "2-4-proposed")
    admin = watch.let_in(cast.admin)
    role = initiative.roles.get(role="owner", person=successor)
    admin.page.goto(f"/rows/roles/{role.pk}/accept/")
    says(admin, "Only Nils Holm can answer this")
    expect(admin.page.get_by_role("button", name="Accept the role")).to_be_disabled()
    shot(admin, "2-4-not-for-another")


def she_accepts(watch: Watch, review, successor) -> None:
    """5. The successor takes it in person; what she signed as a delegate no longer counts."""
    somebody = watch.let_in(successor)
    somebody.inbox()
    shot(somebody, "2-5-inbox")
    somebody.click("Read and answer")
    somebody.bind("Accept the role")
    somebody.page.goto(f"/reviews/{review.pk}/")
    says(somebody, f"{successor.full_name} is business owner of this initiative")
    shot(somebody, "2-5-no-longer-counts")


def test_nobody_takes_it_for_a_month(watch, cast):
    """Scenario 2, step 6: an obligation of the chair with the step back filled in; the stage is where it was."""
    with at(2026, 9, 1):
        initiative = factories.make_mvp(cast, title="Ticket triage")
    with at(2026, 11, 2):
        leaving.deactivate(person=cast.owner, reason="Left the company", system="HR feed")
    with at(2026, 12, 2, 12):
        periodic.open_vacancy_obligations()
        chair = watch.let_in(cast.chair)
        chair.inbox()
        says(chair, "Ticket triage")
        shot(chair, "2-6-obligation")
        chair.page.goto(initiative.get_absolute_url())
        chair.page.locator("aside summary", has_text="More").click()
        chair.click("Demote")
        expect(chair.page.get_by_label("Reason for withdrawing the stage")).to_have_value(
            re.compile("No owner since 2 November")
        )
        shot(chair, "2-6-step-back")
        assert story.fresh(initiative).stage == "mvp"
