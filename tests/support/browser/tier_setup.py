"""What the owner of an initiative sets up through the pages before its questions: tier, people, contract, scope,
systems.
"""

from datetime import timedelta

from playwright.sync_api import Locator, expect

from governance import clock
from governance.models import Rulebook, User
from governance.vocabulary import Tier
from initiatives.models import Initiative
from tests.support.browser.counted import Counted, Tally
from tests.support.browser.people import Watch
from tests.support.initiatives import production_at_tier

TITLE = "Letter sorter"
USERS = 40


class SetUp:
    """One initiative, everybody who has a hand in it at their browsers, and what the owner sets up for it."""

    def __init__(self, watch: Watch, cast, tier: str):
        self.watch, self.cast, self.tier = watch, cast, tier
        self.tally, self.people = Tally(), {}
        self.rulebook = Rulebook.objects.current().parsed.at_tier(tier)
        self.deputies = production_at_tier.second_holders(cast) if tier == Tier.HIGH else {}
        self.kept: dict[tuple, str] = {}  # what was added before, by what it suffices for

    def at(self, person: User) -> Counted:
        """This person at their browser; they sign in when they are first needed."""
        if person.pk not in self.people:
            self.people[person.pk] = Counted(person, self.watch, self.tally)
        return self.people[person.pk]

    @property
    def owner(self) -> Counted:
        return self.at(self.cast.owner)

    @property
    def initiative(self) -> Initiative:
        return Initiative.objects.get(title=TITLE)

    def agree_tier(self) -> None:
        owner = self.owner
        owner.click("Propose a tier")
        owner.tick(self.tier.capitalize())
        owner.type("Worst credible harm", "A letter reaches the wrong inbox and is handed on.")
        owner.press("Propose")
        owner.said("The tier is proposed")
        risk = self.at(self.cast.seat_risk)
        risk.inbox()
        risk.click("Read and confirm")
        risk.press("Confirm", exact=False)
        risk.said("The tier is confirmed.")
        self.kept.clear()  # what was added before the tier shows nothing that rests on it

    def staff(self) -> None:
        owner = self.owner
        owner.tab("People")
        owner.click("Propose people")
        for role in ("Support owner", "Audit trail owner"):
            owner.choose(role, self.cast.support.full_name)
        owner.press("Propose")
        owner.said("is asked to accept.")
        support = self.at(self.cast.support)
        support.accept_all(2)

    def record_model(self) -> None:
        owner = self.owner
        owner.tab("Versions and scope")
        # What is about the model alone shows nothing of the rest, which a small tool is asked little about.
        parts = [("Model", "Language model", "m-4"), ("Application", "Letter sorting", "1.0")]
        wanted = parts[: 1 if self.tier == Tier.MINIMAL else 2]
        owner.click("Record a version")
        for layer, component, version in wanted:
            owner.choose("Layer", layer)
            owner.type("Component", component)
            owner.type("Version", version)
            owner.send("Record it" if (layer, component, version) == wanted[-1] else "Record it, and another")
            owner.said("The version is recorded.")

    def write_contract(self) -> None:
        owner = self.owner
        owner.tab("Contract")
        owner.click("Summarise")
        owner.type("How many at once, at most", "200")
        owner.type("Regions where data may go", "eu-west")
        owner.press("Start from this and go on to sending it")
        owner.press("Send it")
        owner.said("The contract is with its seats.")
        for person in (self.cast.seat_value, self.cast.seat_risk):
            seat = self.at(person)
            seat.inbox()
            seat.approve_contract()
            seat.said("You approved the contract.")

    def plan_scope(self) -> None:
        """On the page of versions, where the owner is."""
        owner = self.owner
        owner.click("Record the scope")
        owner.tick("planned: with the promotion to MVP")
        owner.type("Who uses it", "Account managers of two teams")
        owner.type("Number of users", str(USERS))
        owner.type("Departments", "Account management")
        owner.type("Places", "Zurich")
        owner.type("Data classes", "customer notes")
        owner.type("Ends on", (clock.today() + timedelta(days=90)).isoformat())
        owner.tick("Rolled out to users in their work")
        owner.tick("Reads or writes production data")
        owner.press("Record it")
        owner.said("The scope is recorded.")

    def evidence_rows(self) -> Locator:
        self.owner.tab("Requirements")
        self.owner.tab("Declaration")
        return self.owner.page.locator("article.req")

    def declare(self) -> None:
        owner, rows = self.owner, self.evidence_rows()
        for place in range(rows.count()):
            owner.type("What will be shown", "It is so in every week of the trial.", rows.nth(place))
        owner.send("Save and continue to the requirements")
        owner.said("Saved.")

    def report_outcomes(self) -> None:
        owner, rows = self.owner, self.evidence_rows()
        for place in range(rows.count()):
            owner.choose("Result", "Met", rows.nth(place))
            owner.type("What was found", "It was so in every week of the trial.", rows.nth(place))
        owner.press("Save")
        for place in range(rows.count()):
            expect(rows.nth(place).locator(".state")).to_contain_text("met")

    def describe(self) -> None:
        """A tool of two clerks stands alone, and a seat accepts that; at high risk one system is described instead."""
        owner = self.owner
        owner.tab("Integration")
        if self.tier != Tier.HIGH:
            owner.click("Declare that it stands alone")
            owner.fill(
                owner.page.locator("main form[method=post] textarea"), "Letters are typed in and read out."
            )
            owner.press("Declare it")
            seat = self.at(self.cast.seats[self.rulebook.seats_asking("int.inventory")[0]])
            self.to_initiative(seat)
            seat.tab("Integration")
            seat.click("Accept it")
            seat.press("Accept it")
            return
        owner.click("Connect a system")
        owner.click("Add a system that is not here")
        owner.type("Name", "Letter archive")
        owner.choose("Kind", "Bought")
        owner.choose("Owner", self.cast.outsider.full_name)
        owner.type("Regions", "eu-west")
        owner.type("Last worked on", clock.today().isoformat())
        owner.press("Describe it")
        self.to_initiative(owner)
        owner.tab("Integration")
        owner.click("Connect a system")
        owner.click("Connect: Letter archive")
        for label, choice in (("What for", "Feed"), ("Direction", "Reads"), ("How", "API")):
            owner.choose(label, choice)
        owner.type("Data classes", "customer notes")
        owner.type("Given up after", "5")
        owner.type("Tried again", "Once, after a second.")
        owner.type("What is done when it is missing", "The list of yesterday is shown, with its day.")
        owner.type("What people are told meanwhile", "That the list is of yesterday.")
        owner.press("Connect")
        of_system = self.at(self.cast.outsider)
        of_system.inbox()
        of_system.open("Read and answer")
        of_system.open("Read and answer", of_system.page.locator("#waiting"))
        of_system.press("I agree")
        owner.tab("Integration")
        owner.click("Processes and sign-on")
        owner.click("Record the flow")
        owner.fill(owner.page.locator("[name=steps]"), "Sorter: asks the directory for a token")
        owner.choose("Who can explain it", owner.person.full_name)
        owner.type("Last gone through on", clock.today().isoformat())
        owner.press("Record it")
        owner.tab("Integration")
        owner.click("Save it as evidence")
        for box in owner.page.locator("input[name=covers]").all():
            owner.check(box)
        owner.press("Save")

    def to_initiative(self, person: Counted) -> None:
        """From wherever they are to the initiative, through the portfolio."""
        person.initiative(TITLE)
