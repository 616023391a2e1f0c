"""An idea to production at a tier of risk, by everybody it takes at their browsers, and what it costs each of them.

Nothing is done past the pages but what the worker does by itself. With `-s` the clicks, fields, pages and minutes are
printed, stage by stage and person by person; with `--rounds 500` at each tier, in the suite at minimal risk alone.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from governance.models import User
from governance.notifications.inbox import tasks_for
from governance.rulebook import shipped_text
from governance.templatetags.plumbline import stage_word
from governance.transparency_log import sealing
from governance.vocabulary import Seat, Tier
from initiatives.lifecycle.reviews.drawn_requirements.actions import draw_due
from initiatives.models import Initiative
from tests.support import factories
from tests.support.browser.tier_answers import Answers
from tests.support.browser.tier_setup import TITLE

pytestmark = pytest.mark.django_db(transaction=True)

FULL = 500  # rounds from which it is walked at each tier
# Fields that an owner fills at most until the MVP, their name and password besides.
MOST_FIELDS = {Tier.MINIMAL: 26, Tier.LIMITED: 37}


def pytest_generate_tests(metafunc):
    """At minimal risk in the suite; at each tier at full length."""
    if "tier" in metafunc.fixturenames:
        full = metafunc.config.getoption("rounds") >= FULL
        metafunc.parametrize("tier", ["minimal", "limited", "high"] if full else ["minimal"])


@pytest.fixture
def cast(transactional_db):
    """An organisation under the shipped rulebook, with a model in its register of components."""
    cast = factories.make_cast()
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    factories.make_model(cast, region="eu-west")
    return cast


def test_from_an_idea_to_production(watch, cast, tier):
    walk = Walk(watch, cast, tier)
    try:
        walk.to_prototype()
        walk.to_mvp()
        walk.to_production()
    finally:
        print(f"\nAt {tier} risk:", *walk.tally.lines(), sep="\n  ")
    initiative = Initiative.objects.get(title=TITLE)
    assert (initiative.stage, initiative.tier) == ("production", tier)
    assert all(cost.clicks for cost in walk.tally.by_person.values())
    filled = walk.tally.reached_by["mvp"][cast.owner.full_name].fields - 2
    assert filled <= MOST_FIELDS.get(tier, filled), f"{filled} fields until the MVP"


class Walk(Answers):
    """An initiative on its way, stage by stage, and the board that decides."""

    def to_prototype(self) -> None:
        """An idea is registered, answered in words, and chosen."""
        self.in_turn(
            {
                "registration": self.register,
                "requirements of Prototype": lambda: self.answer_gate("prototype", tier=""),
                "board on Prototype": self.choose_idea,
            }
        )
        self.tally.reach("prototype")

    def register(self) -> None:
        owner = self.owner
        owner.follow(owner.page.get_by_role("link", name="Register an initiative"))
        owner.type("Title", TITLE)
        owner.type("Problem", "Two clerks sort forty letters a day by hand.")
        # Their own unit and they themselves are what the form begins with.
        owner.press("Register as a new initiative")
        expect(owner.page.get_by_role("heading", level=1)).to_contain_text(TITLE)

    def choose_idea(self) -> None:
        self.decide([Seat.BUSINESS_VALUE], "Worth exploring beside the other ideas.")
        self.stands_as("Prototype")

    def stands_as(self, stage: str) -> None:
        owner = self.owner
        owner.tab("Overview")
        expect(owner.page.locator("main header")).to_contain_text(f"Evidence supports {stage} today.")
        expect(owner.page.locator("main h1 svg")).to_have_attribute(
            "aria-label", "on track: evidence supports the stage"
        )

    def to_mvp(self) -> None:
        """A trial with people, a contract and a bound."""
        self.in_turn(
            {
                "start": self.start_mvp,
                "seats": self.decide_together,
                **({"integration": self.describe} if self.tier == Tier.HIGH else {}),
                "declaration": self.declare,
                "requirements of MVP": lambda: self.answer_gate("mvp"),
                "board on MVP": lambda: self.promote("mvp", "A bounded trial with an owner and an end date."),
            }
        )
        self.tally.reach("mvp")

    def to_production(self) -> None:
        """What the business may depend on."""
        self.in_turn(
            {
                **({"people": self.staff} if self.tier == Tier.MINIMAL else {}),
                "measures": self.measure,
                "drill": self.drill,
                "requirements of Production": lambda: self.answer_gate("production"),
                "controls of the contract": self.map_contract,
                "results": self.report_outcomes,
                "index": self.generate_index,
                "board on Production": lambda: self.promote("production", "The business may depend on it."),
            }
        )
        self.tally.reach("production")

    def in_turn(self, steps: dict[str, Callable[[], None]]) -> None:
        """Each step, with what it took noted."""
        for name, step in steps.items():
            step()
            self.tally.step(name)

    def promote(self, gate: str, reason: str) -> None:
        self.decide(self.signers(gate), reason)
        self.stands_as(stage_word(gate))

    # --- The board ---------------------------------------------------------------------------------------------------

    def signers(self, gate: str) -> list[str]:
        """The seats that must sign, and as many others as the quorum needs."""
        rules = self.rulebook.gates[gate]
        seats = [*rules.must_include, *(seat for seat in rules.seats if seat not in rules.must_include)]
        return seats[: max(rules.quorum_for(self.tier), len(rules.must_include))]

    def decide(self, seats: list[str], reason: str) -> None:
        """The review is opened; who has to opens what waits for them; the seats sign, and the chair decides."""
        owner = self.owner
        # Where nothing is missing the list of requirements leads there itself.
        if not owner.page.locator("main").get_by_role("link", name="Request a review").count():
            owner.tab("Overview")
        owner.click("Request a review")
        owner.press("Open the review")
        owner.said("The review is open.")
        # What the worker does by itself: the audit log is sealed, and requirements are drawn from it.
        sealing.seal()
        draw_due([self.initiative.pk])
        for seat in [*seats, *(seat for seat in self.rulebook.seats if seat not in seats)]:
            for person in (self.cast.seats[seat], *filter(None, [self.deputies.get(seat)])):
                self.verify(person)
        for seat in seats:
            self.at(self.cast.seats[seat]).sign()
        self.at(self.cast.chair).decide(reason)

    def verify(self, person: User) -> None:
        """Open what waits for this person, item by item, and say where in it they saw what."""
        if not any(line.button == "Open and verify" for line in tasks_for(person)):
            return
        verifier = self.at(person)
        verifier.inbox()
        verifier.open("Open and verify")
        shows = verifier.page.get_by_label("Yes, it supports the answer")
        while shows.count():
            verifier.check(shows)
            verifier.type("Where in the document?", "First line")
            title = verifier.page.locator(".artefact h2").first.inner_text()
            verifier.type("Your observation", f"{title} says so, with the day.")
            verifier.bind("Save", exact=False)
