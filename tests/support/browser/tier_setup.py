"""What the owner of an initiative sets up through the pages before its questions: tier, people, contract, scope,
systems.
"""

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
        owner.tab("Overview")
        owner.click("Propose a tier")
        owner.tick(self.tier.capitalize())
        owner.type("Worst credible harm", "A letter reaches the wrong inbox and is handed on.")
        owner.press("Propose tier")
        owner.said("The tier is proposed")
        risk = self.at(self.cast.seat_risk)
        risk.inbox()
        risk.click("Read and confirm")
        risk.bind("Confirm", exact=False)
        risk.said("The tier is confirmed.")
        self.kept.clear()  # what was added before the tier shows nothing that rests on it

    def staff(self) -> None:
        """Who supports it, and who owns the audit trail; at minimal risk the owner keeps that."""
        owner, alone = self.owner, self.tier == Tier.MINIMAL
        owner.tab("People")
        owner.click("Propose people")
        for role in ("Support owner",) if alone else ("Support owner", "Audit trail owner"):
            owner.choose(role, self.cast.support.full_name)
        owner.press("Propose")
        owner.said("is asked to accept.")
        support = self.at(self.cast.support)
        if not alone:
            support.accept_all(2)
            return
        support.inbox()
        support.open("Read and answer")
        support.bind("Accept the role")
        support.said("You are now support owner of")

    def record_model(self) -> None:
        owner = self.owner
        owner.tab("Versions and scope")
        # Of the model the register says everything; the application begins with the title of the initiative.
        # What is about the model alone shows nothing of the rest, which a small tool is asked little about.
        wanted = ["Model"] if self.tier == Tier.MINIMAL else ["Model", "Application"]
        owner.click("Record a version")
        for layer in wanted:
            if layer == "Model":
                owner.choose("Component in the register", "Model")
            owner.send("Record the version" if layer == wanted[-1] else "Record the version and add another")
            owner.said("The version is recorded.")

    def write_contract(self) -> None:
        owner = self.owner
        owner.tab("Contract")
        owner.click("Summarise")
        # For whom, on what and in which regions it begins with what scope and versions say.
        owner.press("Use this template, then send the contract")
        owner.press("Send the contract")
        owner.said("The contract is with the board.")
        for person in (self.cast.seat_value, self.cast.seat_risk):
            seat = self.at(person)
            seat.inbox()
            seat.approve_contract()
            seat.said("You approved the contract.")

    def plan_scope(self) -> None:
        """On the page of versions, where the owner is."""
        owner = self.owner
        owner.click("Record the scope")
        # The unit as users, an end in ninety days, and the promotion to MVP are what the form begins with.
        owner.type("Number of users", str(USERS))
        owner.type("Data classes", "customer notes")
        owner.press("Record the scope")
        owner.said("The scope is recorded.")

    def evidence_rows(self) -> Locator:
        self.owner.tab("Requirements")
        self.owner.tab("Declaration")
        return self.owner.page.locator("article.req")

    def declare(self) -> None:
        owner, rows = self.owner, self.evidence_rows()
        for place in range(rows.count()):
            owner.type(
                "What will be shown?", "It works in each team that has it, every week.", rows.nth(place)
            )
        owner.send("Save and go to the requirements")
        owner.said("Saved.")

    def report_outcomes(self) -> None:
        owner, rows = self.owner, self.evidence_rows()
        for place in range(rows.count()):
            owner.choose("Result", "Met", rows.nth(place))
            owner.type("What was the result?", "It was so in every week of the trial.", rows.nth(place))
        owner.press("Save the declaration")
        for place in range(rows.count()):
            expect(rows.nth(place).locator(".state")).to_contain_text("met")

    def describe(self) -> None:
        """A tool of two clerks stands alone, and a seat accepts that; at high risk one system is described instead."""
        owner = self.owner
        owner.tab("Integration")
        if self.tier != Tier.HIGH:
            owner.click("Declare the initiative standalone")
            owner.fill(
                owner.page.locator("main form[method=post] textarea"), "Letters are typed in and read out."
            )
            owner.press("Declare standalone")
            seat = self.at(self.cast.seats[self.rulebook.seats_asking("int.inventory")[0]])
            self.to_initiative(seat)
            seat.tab("Integration")
            seat.click("Accept the declaration")
            seat.bind("Accept the declaration")
            return
        owner.click("Connect a system")
        owner.click("Add a system that is not in the list")
        owner.type("Name", "Letter archive")
        owner.choose("Kind", "Bought")
        owner.choose("Owner", self.cast.outsider.full_name)
        owner.unfold("More details (you can add these later on the page of the system)")
        owner.type("Regions", "eu-west")
        owner.type("Last updated", clock.today().isoformat())
        owner.press("Add the system")
        self.to_initiative(owner)
        owner.tab("Integration")
        owner.click("Connect a system")
        owner.click("Connect: Letter archive")
        for label, choice in (("Purpose", "Feed"), ("Direction", "Reads"), ("Access", "API")):
            owner.choose(label, choice)
        owner.type("Data classes", "customer notes")
        owner.type("Time-out in seconds", "5")
        owner.type("Retries", "Once, after a second.")
        owner.type("Fallback if the system is missing", "The list of yesterday is shown, with its day.")
        owner.type("Message to users while the system is missing", "That the list is of yesterday.")
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
        owner.choose("Explained by", owner.person.full_name)
        owner.type("Last reviewed on", clock.today().isoformat())
        owner.press("Record the sign-on flow")
        owner.tab("Integration")
        owner.click("Save the register as evidence")
        for box in owner.page.locator("input[name=covers]").all():
            owner.check(box)
        owner.press("Keep as evidence")

    def to_initiative(self, person: Counted) -> None:
        """From wherever they are to the initiative, through the portfolio."""
        person.initiative(TITLE)
