"""The whole story in a real browser: from four fields to production, by eleven people who click and type.

A change in templates/ or initiatives/lifecycle asks for it.
"""

import contextlib
import itertools
import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from adoption.demo import initiative_acts
from adoption.demo.measures import adopted
from governance import clock
from governance.models import User
from initiatives.lifecycle.initiative.act import together
from initiatives.models import Initiative
from tests.support.browser.input_ways import WAYS, Keyboard, Slim, Unscripted
from tests.support.browser.people import Person, Watch

pytestmark = pytest.mark.django_db(transaction=True)

TITLE = "Customer summary assistant"
FULL = 500  # rounds from which everything is done by hand, in every way
BY_HAND = 2  # requirements of a gate
PROVED_BY_HAND = 1  # file, and as many clauses, declarations and sign-offs
TRIAL = [
    "Workflow fit",
    "User usefulness",
    "Bounded business value",
    "Manageable operational risk",
    "Realistic supportability",
]
# Each: kind of evidence, what it is, the requirements it proves, and where it was tried.
FOR_MVP = [
    (
        "Document",
        "Plan of the trial",
        [
            "mvp.problem",
            "mvp.workflow",
            "mvp.success",
            "mvp.advance_evidence",
            "mvp.rollout",
            "mvp.override",
            "mvp.risk",
            "mvp.expectations",
        ],
        "",
    ),
    (
        "System record",
        "Extract of the inventory",
        ["mvp.users", "int.inventory", "int.sources_condition", "int.definitions"],
        "",
    ),
    ("Test report", "Trial on curated notes", ["mvp.possibility"], "Curated examples"),
    ("Log sample", "A day of logs", ["mvp.observability"], ""),
]
FOR_MVP_CLAUSES = [
    ("Autonomous", ["gov.autonomy"]),
    ("Human approval required", ["gov.human_approval", "int.residency"]),
    ("Exceptions", ["gov.edge_policies"]),
    ("Ownership of the change log", ["gov.record_owner"]),
]
FOR_PRODUCTION = [
    (
        "Telemetry",
        "Figures of the trial",
        ["prod.monitoring", "adopt.trust", "adopt.usage"],
        "",
    ),
    (
        "Document",
        "Operating handbook",
        [
            "prod.q09_escalation",
            "prod.q05_wrong_output",
            "int.fallback",
            "gov.impact",
            "prod.q08_change_control",
            "prod.q11_expectations",
            "production.lessons_captured",
        ],
        "",
    ),
    ("Log sample", "A month of logs", ["prod.q03_logged", "int.anchor"], ""),
    ("Drill record", "Outage drill", ["int.audit_trail", "prod.q10_outage", "adopt.recoverable"], ""),
    (
        "Test report",
        "Tests on the whole population",
        ["prod.q04_exceptions", "gov.enforced", "prod.performance", "int.representative", "adopt.explains"],
        "Full population",
    ),
    ("System record", "Register of identities", ["int.identity"], ""),
    (
        "User research",
        "Interviews with both teams",
        ["adopt.burden", "adopt.behaviour"],
        "Bounded real conditions",
    ),
    ("Decision record", "Minute of the budget", ["prod.maintenance", "production.business_depends"], ""),
    ("Document", "Audit of the policy layer", ["layer.policy"], ""),
    ("Test report", "Audit of the runtime layer", ["layer.runtime"], "Full population"),
    ("Drill record", "Audit of the observability layer", ["layer.observability"], ""),
]
NO_RESULT = ("Document", "System record", "Decision record", "Contract clause")


def pytest_generate_tests(metafunc):
    """One walk in which everybody has a way of their own; with `--rounds 500` one more in each way alone."""
    if "way" in metafunc.fixturenames:
        full = metafunc.config.getoption("rounds") >= FULL
        metafunc.parametrize("way", WAYS if full else ["each their own"])


class People:
    """Everybody of the walk, each at a browser of their own, used in their own way or in one way by all."""

    def __init__(self, watch: Watch, way: str):
        self.watch, self.way = watch, way
        self.ways = itertools.cycle(WAYS.values())
        self.at: dict[str, Person] = {}

    def sign_in(self, person: User, way: type[Person] | None = None) -> Person:
        """This person at a browser; where each has their own way this one, or the next."""
        way = WAYS.get(self.way) or way or next(self.ways)
        self.at[person.login] = self.watch.sign_in(person, way)
        return self.at[person.login]

    def again(self, somebody: Person, way: type[Person]) -> Person:
        """The same person at the initiative, from here on in another way; where all have one way, as before."""
        if self.way not in WAYS:
            somebody = self.sign_in(somebody.person, way)
            somebody.initiative(TITLE)
        return somebody


def test_from_four_fields_to_production(watch, cast, rounds, way):
    """Register, answer, upload, promote three times; after each gate the page says what stands, upright.

    With `--rounds 500` all is answered and proved by hand, in each way; in the suite the first of each gate, by people
    of whom each has another way, the rest by their acts.
    """
    by_hand, proved = (None, None) if rounds >= FULL else (BY_HAND, PROVED_BY_HAND)
    people = People(watch, way)
    owner = people.sign_in(cast.owner, Keyboard)
    register(owner)
    record_what_runs(owner)
    answer_gate(owner, "Intake to prototype", cast, by_hand)
    open_review(owner)
    value = people.sign_in(cast.seat_value)
    value.sign()
    chair = people.sign_in(cast.chair)
    chair.decide("Worth exploring beside the other ideas.")
    stands_as(owner, "Prototype")
    expect(owner.page.locator("main")).to_contain_text("No contract in force.")

    owner = people.again(owner, Unscripted)
    staff(owner, people, cast)
    risk = people.sign_in(cast.seat_risk)
    if proved:  # by hand in test_contract.py
        initiative_acts.contract(Initiative.objects.get(title=TITLE), cast.team)
    else:
        write_contract(owner)
        for seat in (value, risk):
            approve_contract(seat)
    agree_tier(owner, risk)
    plan_scope(owner)
    declare(owner, proved)
    answer_gate(owner, "Prototype to MVP", cast, by_hand)
    prove(owner, FOR_MVP[:proved], FOR_MVP_CLAUSES[:proved])
    if proved:
        initiative_acts.ground_gate(Initiative.objects.get(title=TITLE), "mvp", cast.team)
    open_review(owner)
    seats = (cast.seat_value, cast.seat_risk, cast.seat_security, cast.seat_architecture, cast.seat_adoption)
    sign_all(seats, people, proved, cast)
    chair.decide("A bounded trial with an owner, a contract and an end date.")
    stands_as(owner, "MVP")

    owner = people.again(owner, Slim)
    answer_gate(owner, "MVP to production", cast, by_hand)
    prove(owner, FOR_PRODUCTION[:proved], [("Human approval required", ["prod.q06_human_review"])])
    report_outcomes(owner, proved)
    map_contract(owner, proved)
    if proved:
        initiative_acts.ground_gate(Initiative.objects.get(title=TITLE), "production", cast.team)
    else:
        adopted(Initiative.objects.get(title=TITLE), cast.team)
        read_reports(people.at[cast.seat_security.login])
    generate_index(owner)
    open_review(owner)
    sign_all((cast.seat_operations, *seats), people, proved, cast)
    chair.decide("The business may depend on it.")
    stands_as(owner, "Production")
    assert len(people.at) >= 8


def sign_all(seats: tuple[User, ...], people: People, by_hand: int | None, cast) -> None:
    """Each reads the statement of their seat and signs it; in the suite so many at their browsers, the rest by acts."""
    for person in seats[:by_hand]:
        (people.at.get(person.login) or people.sign_in(person)).sign()
    review = Initiative.objects.get(title=TITLE).reviews.latest("pk")
    seat_of = {person: seat for seat, person in cast.seats.items()}
    for person in seats[len(seats) if by_hand is None else by_hand :]:
        initiative_acts.sign_off(review, seat_of[person], person)


def register(owner: Person) -> None:
    """Four fields, from the portfolio."""
    owner.initiative_list()
    owner.click("Register an initiative")
    owner.type("Title", TITLE)
    owner.choose("Unit", "Account management")
    with (
        owner.page.expect_response("**/initiatives/similar/**")
        if owner.scripted
        else contextlib.nullcontext()
    ):
        owner.type("Problem", "Preparing a call takes account managers forty minutes.")
    owner.choose("Owner", owner.person.full_name)
    owner.press("Register as a new initiative")
    expect(owner.page.get_by_role("heading", level=1)).to_contain_text(TITLE)
    owner.fits()


def record_what_runs(owner: Person) -> None:
    """The model and the application, before anything is attested about them."""
    for layer, name, version in (("Model", "Language model", "m-4"), ("Application", "Assistant", "1.0")):
        owner.tab("Versions and scope")
        owner.click("Record a version")
        owner.choose("Layer", layer)
        owner.type(re.compile(r"^\s*Component(?! in)"), name)
        owner.type("Version", version)
        owner.press("Record the version")
        owner.said("The version is recorded.")
    owner.fits()


def answer_gate(owner: Person, title: str, cast, by_hand: int | None) -> None:
    """Every requirement of the gate ahead that is open, in place on the requirements: so many by hand, or all."""
    owner.tab("Requirements")
    expect(owner.page.get_by_role("heading", level=1)).to_contain_text(title)
    questions = owner.unanswered()
    assert len(questions) > BY_HAND
    owner.answer(questions[:by_hand])
    initiative = Initiative.objects.get(title=TITLE)
    owner.tab("Requirements")
    of_contract = owner.unanswered(verb="Answer from")
    with together():
        for key in [*questions[len(questions) if by_hand is None else by_hand :], *of_contract]:
            initiative_acts.say(initiative, key, cast.team)
    owner.tab("Requirements")
    expect(owner.page.get_by_role("heading", level=1)).to_contain_text(title)
    assert owner.unanswered() == []
    owner.fits()


def prove(owner: Person, items: list[tuple], clauses: list[tuple]) -> None:
    """Files and clauses, each for the requirements it proves."""
    for kind, title, covers, condition in items:
        owner.prove(kind, title, covers, condition=condition, result=kind not in NO_RESULT)
    for clause, covers in clauses:
        owner.prove("Contract clause", f"The contract says: {clause}", covers, clause=clause, result=False)


def open_review(owner: Person) -> None:
    """Ask the board; the page says beforehand that nothing blocks."""
    owner.initiative(TITLE)
    owner.click("Request a review")
    expect(owner.page.locator("main")).to_contain_text("All criteria that the board signs are met.")
    owner.press("Open the review")
    owner.said("The review is open.")
    owner.fits()


def stands_as(owner: Person, stage: str) -> None:
    """The initiative has the stage, its evidence supports it, and the plumb hangs upright."""
    owner.initiative(TITLE)
    page = owner.page
    expect(page.locator("main header")).to_contain_text(f"{stage}, decided by the Retail board")
    expect(page.locator("main header")).to_contain_text(f"Evidence supports {stage} today.")
    expect(page.locator("main h1 svg")).to_have_attribute(
        "aria-label", "on track: evidence supports the stage"
    )
    expect(page.get_by_role("list", name="Stages").locator("[aria-current=step]")).to_contain_text(
        re.compile(f"{stage}.*evidence supports it", re.S)
    )
    expect(page.locator("#gaps")).to_contain_text("0 open for its approved stage")
    owner.fits()


def staff(owner: Person, people: People, cast) -> None:
    """Four roles are proposed; each person accepts in person, from the inbox."""
    owner.tab("People")
    owner.click("Propose people")
    for role, person in (
        ("Support owner", cast.support),
        ("Technical lead", cast.lead),
        ("Data steward", cast.steward),
        ("Audit trail owner", cast.support),
    ):
        owner.choose(role, person.full_name)
    owner.press("Propose")
    owner.said("are asked to accept.")
    for person, roles in ((cast.support, 2), (cast.lead, 1), (cast.steward, 1)):
        asked = people.sign_in(person)
        if roles > 1:
            asked.accept_all(roles)
        else:
            asked.inbox()
            asked.click("Read and answer")
            asked.bind("Accept the role")
            asked.said("You are now ")


def write_contract(owner: Person) -> None:
    """Started from what others use, one clause changed, one added, and sent to the board."""
    owner.tab("Contract")
    owner.click("Summarise")
    owner.type("Who does the system work for?", "the account team")
    owner.type("What does the system act on?", "account notes")
    owner.press("Use this template")
    owner.click("Edit: clause 1")
    owner.type("Maximum number of items at once", "200")
    owner.press("Save the clause")
    owner.said("It may write summaries on account notes on its own, at most 200 at a time.")
    owner.click("Data residency")
    owner.type("Regions", "eu-west, eu-north")
    owner.press("Save the clause")
    owner.said("Its data go to eu-west and eu-north and to no other place.")
    expect(owner.page.locator("main")).to_contain_text(
        "The contract is complete and has no contradictions. You can send it to the board."
    )
    owner.fits()
    owner.click("Back to the contract")
    owner.click("Send the draft to the board")
    owner.press("Send the contract")
    owner.said("The contract is with the board.")
    owner.fits()


def approve_contract(seat: Person) -> None:
    """Read the text and approve exactly that."""
    seat.initiative(TITLE)
    seat.tab("Contract")
    seat.approve_contract()
    seat.said("You approved the contract.")


def agree_tier(owner: Person, risk: Person) -> None:
    """The owner proposes a tier with the worst credible harm; the risk seat confirms it."""
    owner.initiative(TITLE)
    owner.click("Propose a tier")
    owner.tick("Limited")
    owner.type("Worst credible harm", "A wrong summary costs a customer time.")
    owner.press("Propose tier")
    owner.said("The tier is proposed")
    risk.initiative(TITLE)
    risk.click("Confirm the tier")
    risk.bind("Confirm ", exact=False)
    risk.said("The tier is confirmed.")


def plan_scope(owner: Person) -> None:
    """The bound of the trial, before anybody signs for it."""
    owner.tab("Versions and scope")
    owner.click("Record the scope")
    owner.tick("planned: starts with the promotion to MVP")
    owner.type(re.compile(r"^\s*Users"), "Account managers of two teams")
    owner.type("Number of users", "40")
    owner.type("Departments", "Account management")
    owner.type("Places", "Zurich")
    owner.type("Data classes", "customer notes")
    owner.type("Ends on", (clock.today() + timedelta(days=90)).isoformat())
    owner.tick("Rolled out to users in their work")
    owner.tick("Reads or writes production data")
    owner.press("Record the scope")
    owner.said("The scope is recorded.")


def declare(owner: Person, by_hand: int | None) -> None:
    """What the trial will show, five times, or so many by hand."""
    owner.tab("Requirements")
    owner.tab("Declaration")
    for words in TRIAL[:by_hand]:
        row = owner.page.locator("article.req").filter(has=owner.page.get_by_role("heading", name=words))
        owner.type("What will be shown?", f"By the end of the trial: {words.lower()}, measured weekly.", row)
    owner.press("Save the declaration")
    owner.said("Saved.")
    for words in TRIAL[:by_hand]:
        row = owner.page.locator("article.req").filter(has=owner.page.get_by_role("heading", name=words))
        expect(row).to_contain_text("declared")
    owner.fits()


def report_outcomes(owner: Person, by_hand: int | None) -> None:
    """What came of the five things declared, or of so many."""
    owner.tab("Requirements")
    owner.tab("Declaration")
    for words in TRIAL[:by_hand]:
        row = owner.page.locator("article.req").filter(has=owner.page.get_by_role("heading", name=words))
        owner.choose("Result", "Met", row)
        owner.type("What was the result?", "Shown in every week of the trial.", row)
        owner.choose("Evidence", "Figures of the trial", row)
    owner.press("Save the declaration")
    for words in TRIAL[:by_hand]:
        row = owner.page.locator("article.req").filter(has=owner.page.get_by_role("heading", name=words))
        expect(row.locator(".state")).to_contain_text("met")


def map_contract(owner: Person, by_hand: int | None) -> None:
    """Each clause, or so many, is given the control that enforces it."""
    owner.tab("Contract")
    owner.fits()
    clauses = Initiative.objects.get(title=TITLE).contract.versions.get().clauses.all()
    for _ in clauses[:by_hand]:
        owner.click("Name a control")
        owner.tick("Policy: defines what is allowed")
        owner.type(re.compile(r"^\s*Control\s*$"), "What is not allowed is denied before it runs.")
        owner.choose("Evidence that shows the control", "Figures of the trial")
        owner.press("Name the control")
        owner.said("now has this control.")


def read_reports(seat: Person) -> None:
    """Somebody from outside the build team reads the report on each layer."""
    for layer in ("policy", "runtime", "observability"):
        seat.initiative(TITLE)
        seat.tab("Evidence")
        seat.click(f"Audit of the {layer} layer")
        seat.click("Say that you read it")
        seat.type("What you found", "I read every page. It shows what is asked.")
        seat.press("I have read it")
        seat.said("Your reading stands beside the report.")


def generate_index(owner: Person) -> None:
    """The one answer that nobody writes."""
    owner.tab("Requirements")
    owner.click("Generate the index")
    owner.press("Generate the index")
    owner.said("The index is generated.")
