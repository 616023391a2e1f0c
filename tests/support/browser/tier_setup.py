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
ROLES = ("Support owner", "Audit trail owner")


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

    def start_mvp(self) -> None:
        """On one page: what runs, for whom, the tier, who supports it and how the contract begins."""
        owner = self.owner
        owner.tab("Overview")
        owner.click("Start the MVP")
        # Of the model the register says everything. The unit as users and an end in ninety days are suggested.
        owner.choose("Component in the register", "Model")
        owner.type("Number of users", str(USERS))
        owner.type("Data classes", "customer notes")
        owner.tick(self.tier.capitalize())
        owner.type("Worst credible harm", "A letter reaches the wrong inbox and is handed on.")
        if self.tier != Tier.MINIMAL:  # where nobody is asked to support an MVP
            for role in ROLES:
                owner.choose(role, self.cast.support.full_name)
        if self.tier != Tier.HIGH:
            owner.type("Why", "Letters are typed in and read out.")
        owner.choose("Contract template", "Summarise")
        owner.press("Save")
        self.kept.clear()  # what was added before the tier shows nothing that rests on it
        # For whom, on what and in which regions the contract begins with what scope and versions say.
        owner.press("Use this template, then send the contract")
        if self.tier != Tier.MINIMAL:
            self.at(self.cast.support).accept_all(len(ROLES))
            # What is about the model alone shows nothing of the rest, which a small tool is asked little about.
            owner.tab("Versions and scope")
            owner.click("Record a version")
            owner.send("Record the version")
            owner.tab("Contract")
            owner.click("Send the contract")
        owner.press("Send the contract")
        owner.said("The contract is with the board.")

    def decide_together(self) -> None:
        """The risk seat signs what waits for it once, and the other seats what is theirs."""
        risk = self.at(self.cast.seat_risk)
        risk.inbox()
        risk.open("Read and sign together")
        for box in risk.page.locator("main input[name=take]").all():
            risk.check(box)
        risk.bind("Sign the ticked decisions")
        risk.said("You signed ")
        value = self.at(self.cast.seat_value)
        value.inbox()
        value.approve_contract()
        value.said("You approved the contract.")
        if self.tier == Tier.LIMITED:
            seat = self.at(self.cast.seats[self.rulebook.seats_asking("int.inventory")[0]])
            seat.inbox()
            seat.open("Read and answer")
            seat.bind("Accept the declaration")

    def staff(self) -> None:
        """Who supports it, for production at minimal risk; the owner keeps the audit trail."""
        owner = self.owner
        owner.tab("People")
        owner.click("Propose people")
        owner.choose("Support owner", self.cast.support.full_name)
        owner.press("Propose")
        owner.said("is asked to accept.")
        support = self.at(self.cast.support)
        support.inbox()
        support.open("Read and answer")
        support.bind("Accept the role")
        support.said("You are now support owner of")

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
        """At high risk one system is described."""
        owner = self.owner
        owner.tab("Integration")
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
