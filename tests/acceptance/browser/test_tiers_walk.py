"""An idea to production at a tier of risk, by everybody it takes at their browsers, and what it costs each of them.

Nothing is done past the pages but what the worker does by itself. With `-s` the clicks, fields, pages and minutes are
printed, stage by stage and person by person; with `--rounds 500` at each tier, in the suite at minimal risk alone.
"""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, expect

from adoption.demo import artefacts
from adoption.demo.measures import DECLARED, SAMPLE
from adoption.measures.evaluation import monday
from adoption.models.instruments import INSTRUMENTS
from governance import clock
from governance.gates.requirements import ACCEPTED_IN_PERSON, GENERATED_ONLY
from governance.models import Rulebook, User
from governance.notices.desk import lines_for
from governance.rulebook import Requirement, load_version
from governance.templatetags.plumbline import stage_word
from governance.transparency_log import sealing
from governance.vocabulary import EvidenceKind, Level, Seat, Tier
from initiatives.models import Initiative
from initiatives.reviews.drawn_questions.actions import draw_due
from tests.support import factories
from tests.support.browser.counted import Counted, Tally
from tests.support.browser.people import Watch
from tests.support.cases import production_at_tier

pytestmark = pytest.mark.django_db(transaction=True)

TITLE = "Letter sorter"
FULL = 500  # rounds from which it is walked at each tier
USERS = 40
MEASURED = {one.requirement for one in INSTRUMENTS.values() if one.requirement}
SEEN = "It says so, with the day."
# In the order of the rulebook, how each kind of evidence is called where it is chosen.
WORDS_OF_KIND = dict(EvidenceKind.choices)
CLAUSES = {
    "gov.autonomy": "Autonomous",
    "gov.human_approval": "Human approval required",
    "gov.edge_policies": "Exceptions",
    "gov.record_owner": "Who owns the change log",
    "prod.q06_human_review": "Human approval required",
    "int.residency": "Data residency",
}
CONDITIONS = {
    "curated": "Curated examples",
    "bounded_real": "Bounded real conditions",
    "full_population": "Full population",
}


def pytest_generate_tests(metafunc):
    """At minimal risk in the suite; at each tier at full length."""
    if "tier" in metafunc.fixturenames:
        full = metafunc.config.getoption("rounds") >= FULL
        metafunc.parametrize("tier", ["minimal", "limited", "high"] if full else ["minimal"])


@pytest.fixture
def cast(transactional_db):
    """An organisation under the rulebook with levels."""
    cast = factories.make_cast()
    factories.make_rulebook(cast.admin, cast.chair, source=load_version("2026.2"))
    return cast


def test_from_an_idea_to_production(watch, cast, tier):
    walk = Walk(watch, cast, tier)
    try:
        walk.to_prototype()
        walk.to_mvp()
        walk.to_production()
    finally:
        print(f"\nAt {tier} risk:", *walk.tally.lines(), sep="\n  ")
    case = Initiative.objects.get(title=TITLE)
    assert (case.stage, case.tier) == ("production", tier)
    assert all(cost.clicks for cost in walk.tally.by_person.values())


class Walk:
    """One case on its way, and everybody who had a hand in it."""

    def __init__(self, watch: Watch, cast, tier: str):
        self.watch, self.cast, self.tier = watch, cast, tier
        self.tally, self.people = Tally(), {}
        self.book = Rulebook.objects.current().book.at_tier(tier)
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
    def case(self) -> Initiative:
        return Initiative.objects.get(title=TITLE)

    # --- Stages ------------------------------------------------------------------------------------------------------

    def to_prototype(self) -> None:
        """An idea is registered, answered in words, and chosen."""
        self.in_turn(
            {
                "registration": self.register,
                "questions of Prototype": lambda: self.answer_gate("prototype", tier=""),
                "board on Prototype": self.choose_idea,
            }
        )
        self.tally.reach("prototype")

    def register(self) -> None:
        owner = self.owner
        owner.follow(owner.page.get_by_role("link", name="Register an initiative"))
        owner.type("Title", TITLE)
        owner.choose("Unit", "Account management")
        owner.type("Problem", "Two clerks sort forty letters a day by hand.")
        owner.choose("Owner", owner.person.full_name)
        owner.press("Register")
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
                "tier": self.settle_tier,
                "people": self.staff,
                "what runs": self.record_model,
                "contract": self.write_contract,
                "scope": self.plan_scope,
                "declaration": self.declare,
                "integration": self.describe,
                "questions of MVP": lambda: self.answer_gate("mvp"),
                "board on MVP": lambda: self.promote("mvp", "A bounded trial with an owner and an end date."),
            }
        )
        self.tally.reach("mvp")

    def to_production(self) -> None:
        """What the business may depend on."""
        self.in_turn(
            {
                "measures": self.measure,
                "drill": self.drill,
                "questions of Production": lambda: self.answer_gate("production"),
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

    # --- What the owner does -----------------------------------------------------------------------------------------

    def settle_tier(self) -> None:
        owner = self.owner
        owner.click("Propose a tier")
        owner.tick(self.tier.capitalize())
        owner.type("Worst credible harm", "A letter reaches the wrong desk and is handed on.")
        owner.press("Propose")
        owner.said("The tier is proposed")
        risk = self.at(self.cast.seat_risk)
        risk.desk()
        risk.click("Read and confirm")
        risk.press("Confirm", exact=False)
        risk.said("The tier is confirmed.")
        self.kept.clear()  # what was added before the tier shows nothing that rests on it

    def staff(self) -> None:
        owner = self.owner
        owner.tab("People")
        for role in ("Support owner", "Audit trail owner"):
            owner.click("Propose a person")
            owner.choose("Role", role)
            owner.choose("Person", self.cast.support.full_name)
            owner.press("Propose")
            owner.said("is asked to accept.")
        support = self.at(self.cast.support)
        for _ in range(2):
            support.desk()
            support.click("Read and answer")
            support.press("I accept")
            support.said("now.")

    def record_model(self) -> None:
        owner = self.owner
        owner.tab("Versions and scope")
        # What is about the model alone shows nothing of the rest, which a small tool is asked little about.
        parts = [("Model", "Language model", "m-4"), ("Application", "Letter sorting", "1.0")]
        for layer, component, version in parts[: 1 if self.tier == Tier.MINIMAL else 2]:
            owner.click("Record a version")
            owner.choose("Layer", layer)
            owner.type("Component", component)
            owner.type("Version", version)
            owner.press("Record it")
            owner.said("The version is recorded.")

    def write_contract(self) -> None:
        owner = self.owner
        owner.tab("Contract")
        owner.click("Summarise")
        owner.press("Start from this")
        owner.click("Edit: clause 1")
        owner.type("How many at once, at most", "200")
        owner.press("Save the clause")
        owner.said("at most 200 at a time.")
        owner.click("Data residency")
        owner.type("Regions", "eu-west")
        owner.press("Save the clause")
        owner.said("Its data go to eu-west")
        owner.click("Done for now")
        owner.click("Send it to the board")
        owner.press("Send it")
        owner.said("The contract is with its seats.")
        for person in (self.cast.seat_value, self.cast.seat_risk):
            seat = self.at(person)
            seat.desk()
            seat.click("Read and approve")
            seat.press("Approve for the seat", exact=False)
            seat.said("You approved the contract.")

    def plan_scope(self) -> None:
        owner = self.owner
        owner.tab("Versions and scope")
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

    def proof_rows(self) -> Locator:
        self.owner.tab("Requirements")
        self.owner.tab("Declaration")
        return self.owner.page.locator("article.req")

    def declare(self) -> None:
        owner, rows = self.owner, self.proof_rows()
        for place in range(rows.count()):
            owner.type("What will be shown", "It is so in every week of the trial.", rows.nth(place))
        owner.press("Save")
        for place in range(rows.count()):
            expect(rows.nth(place)).to_contain_text("declared")

    def report_outcomes(self) -> None:
        owner, rows = self.owner, self.proof_rows()
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
            seat = self.at(self.cast.seats[self.book.seats_asking("int.inventory")[0]])
            self.to_case(seat)
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
        self.to_case(owner)
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
        of_system.desk()
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
        owner.click("Keep it as evidence")
        for box in owner.page.locator("input[name=covers]").all():
            owner.check(box)
        owner.press("Keep it")

    def to_case(self, person: Counted) -> None:
        """From wherever they are to the case, through the portfolio."""
        person.case(TITLE)

    # --- Answers -----------------------------------------------------------------------------------------------------

    def asked(self, gate: str, tier: str) -> list[str]:
        """The questions of the gate at this tier that somebody answers in words."""
        return [
            key
            for key in self.book.gates[gate].requirements()
            if self.book.requirements[key].level_for(tier, gate)
            and self.book.requirements[key].blocking
            and key not in ACCEPTED_IN_PERSON
            and key not in GENERATED_ONLY
            and key not in self.book.deferred(gate)
        ]

    def answer_gate(self, gate: str, tier: str | None = None) -> None:
        """Every question that is open, each on its page with what shows it; one file serves many."""
        owner, tier = self.owner, self.tier if tier is None else tier
        owner.tab("Requirements")
        expect(owner.page.get_by_role("heading", level=1)).to_contain_text(self.book.gates[gate].title)
        asked, mine = self.asked(gate, tier), self.open_rows("Yours")
        # What is another's to answer the owner may answer too; saving leads on only through what is the owner's.
        chained = [key for key in asked if key in mine]
        others = self.open_rows("Waiting for others")
        # Answered by accepting a role, and a clause of the contract has to show it beside that.
        changed = self.open_rows("Yours", "Change")
        shown = [key for key in asked if key in changed]
        for key in (*chained, *(key for key in asked if key in others), *shown):
            if key not in chained[1:]:
                verb = "Change" if key in shown else "Answer"
                owner.unfold("Waiting for others")
                owner.click(verb, owner.page.locator(f"[id='row-{key}']"))
            stated = self.book.requirements[key].level_for(tier, gate) == Level.STATED
            self.answer(key, stated=stated, words=key not in shown, last=key not in chained[:-1])

    def open_rows(self, group: str, verb: str = "Answer") -> set[str]:
        """The questions in this part of the open checklist that wait for an answer, or to be changed."""
        page = self.owner.page
        part = page.locator("main section").filter(has=page.get_by_role("heading", name=group))
        return set(self.owner.unanswered(part, verb))

    def answer(self, key: str, *, stated: bool, words: bool, last: bool) -> None:
        """Say what is so on the page that stands open, and add or offer what shows it; saving opens the next."""
        owner, asked = self.owner, self.book.requirements[key]
        row = owner.page.locator("main")
        expect(owner.page.get_by_role("heading", level=1)).to_contain_text(asked.question)
        if words:
            owner.type("Your answer", f"{asked.counts[:1].upper()}{asked.counts[1:]}.", row)
        if not (stated and "attestation" in asked.evidence):
            self.show(row, asked)
        owner.press(re.compile("^Save(?: and exit)?$") if last else "Save and continue")
        owner.said("Saved.")

    def kind_of(self, asked: Requirement) -> str:
        """The kind of evidence that shows it with the least to fill in; "" where a register writes it."""
        if asked.min_evidence:
            kind = asked.min_evidence
        elif asked.key in MEASURED and "telemetry" in asked.evidence:
            kind = "telemetry"
        elif asked.min_condition:
            kind = "user_research" if "user_research" in asked.evidence else "test_report"
        else:
            order = (
                "document",
                "contract_clause",
                "log_sample",
                "decision_record",
                "user_research",
                "test_report",
            )
            kind = next((kind for kind in order if kind in asked.evidence), asked.evidence[0])
        by_register = self.book.register_kinds - {EvidenceKind.CONTRACT_CLAUSE}
        return "" if kind in by_register else kind

    def condition_of(self, asked: Requirement, kind: str) -> str:
        """Where it was tried: the trial of the prototype on chosen examples, all else on all there is."""
        if kind not in self.book.condition_kinds:
            return ""
        if kind == "user_research":
            return "bounded_real"
        return "curated" if asked.min_condition == "curated" else "full_population"

    def show(self, row: Locator, asked: Requirement) -> None:
        """What shows the answer in this row: an item that was added before, else a new one."""
        owner, kind = self.owner, self.kind_of(asked)
        if not kind:
            return
        alone = asked.key if asked.group == "layer" or kind == "contract_clause" else ""
        pile = (kind, self.condition_of(asked, kind), alone)
        if pile in self.kept:
            owner.choose("Choose from what this initiative has", self.kept[pile], row)
            return
        self.kept[pile] = title = f"{WORDS_OF_KIND[kind]} on {asked.key}"
        owner.unfold("Add evidence")
        picked = row.get_by_label("Kind of evidence")
        if picked.is_visible() and picked.input_value() != kind:
            owner.choose("Kind of evidence", WORDS_OF_KIND[kind], row)
        self.fill_form(row, kind, title, asked)

    def fill_form(self, row: Locator, kind: str, title: str, asked: Requirement) -> None:
        owner, today = self.owner, clock.today().isoformat()
        typed = {
            "test_report": {
                "Data set": "Letters of May",
                "How many were tried": "240",
                "Metric": "accuracy",
                "Figure reached": "0.93",
                "Threshold declared before": "0.85",
            },
            "user_research": {"How many took part": "24", "From": today, "To": today},
            "decision_record": {
                "Who decided": "Ada Moreau",
                "Decided on": today,
                "Board or ticket": "Minutes of the board, item 4",
            },
        }.get(kind, {})
        for label, words in typed.items():
            owner.fill(row.get_by_label(label, exact=True).locator("visible=true"), words)
        if kind == "test_report":
            owner.choose("Good is", "At least", row)
        if kind == "user_research":
            owner.choose("Method", "Interviews", row)
        if kind == "contract_clause":
            owner.choose("Clause", CLAUSES[asked.key], row)
        else:
            self.hand_in(row, kind, title)
        if kind in self.book.result_kinds:
            owner.choose("Result", "Pass", row)
        if kind in self.book.condition_kinds:
            owner.choose("Test conditions", CONDITIONS[self.condition_of(asked, kind)], row)

    def hand_in(self, row: Locator, kind: str, title: str) -> None:
        if kind == "log_sample":
            name, content = f"{title}.csv", artefacts.log_of(title, clock.today()).read()
        else:
            name, content = (
                f"{title}.txt",
                f"{title}\nObserved today; every sentence of the answer stands here.\n".encode(),
            )
        file = {
            "name": name,
            "mimeType": "text/csv" if kind == "log_sample" else "text/plain",
            "buffer": content,
        }
        self.owner.hand_in(row.locator("[name=proof-file]"), file)

    # --- Figures, drills, controls -----------------------------------------------------------------------------------

    def measure(self) -> None:
        """Each figure that the tier asks is declared, read from one table, and filed."""
        owner = self.owner
        wanted = [
            key for key in DECLARED if INSTRUMENTS[key].requirement in self.asked("production", self.tier)
        ]
        for key in wanted:
            words, source, target, baseline = DECLARED[key]
            owner.tab("Adoption")
            owner.follow(owner.page.locator(f"main a[href$='instrument={key}']").first)
            owner.type("What exactly", words)
            owner.type("Whom it is about", f"The {USERS} users in scope")
            owner.type("Where the figures come from", source)
            if baseline is not None:
                owner.type("Baseline", str(baseline))
                owner.type("Read from how many", str(SAMPLE))
            share = INSTRUMENTS[key].share
            owner.type("Target", f"{target * 100:g}" if share else str(target))
            owner.type("How many people it is meant for", str(USERS))
            owner.press("Declare it")
            expect(owner.page.get_by_role("heading", name="Add measurement")).to_be_visible()
        owner.tab("Adoption")
        owner.click("Readings from a table")
        owner.hand_in(
            owner.page.locator("main input[type=file]"),
            {"name": "readings.csv", "mimeType": "text/csv", "buffer": readings(wanted)},
        )
        owner.press("Preview")
        owner.press("Let ", exact=False)
        owner.tab("Adoption")
        filed = [
            key
            for key in self.asked("production", self.tier)
            if key in MEASURED and not self.kind_of(self.book.requirements[key])
        ]
        for key in filed:
            form = owner.page.locator(f"form:has(input[name=requirement][value='{key}'])")
            owner.press("File these readings as evidence", form, exact=False)
            owner.tab("Adoption")

    def drill(self) -> None:
        """One drill, for all that a drill is asked to show."""
        owner = self.owner
        shown = [
            key
            for key in self.asked("production", self.tier)
            if "drill_record" in self.book.requirements[key].evidence
            and not self.kind_of(self.book.requirements[key])
            and key not in MEASURED
        ]
        if not shown:
            return
        owner.tab("Integration")
        owner.click("Drills")
        owner.click("Record a drill")
        owner.choose("What was drilled", "Fallback")
        owner.choose("Fault planted", "No answer in time")
        owner.fill(owner.page.locator("[name=observed_on]"), clock.today().isoformat())
        owner.type("What was expected", "The list of yesterday within five seconds.")
        owner.type("What happened", "The list of yesterday after three seconds; all were told.")
        owner.choose("Result", "Pass")
        owner.hand_in(
            owner.page.get_by_label("Trace"),
            {"name": "trace.jsonl", "mimeType": "application/jsonl", "buffer": b'{"fault": "timeout"}\n'},
        )
        for key in shown:
            box = owner.page.locator(f"input[name=covers][value='{key}']")
            if not box.is_checked():
                owner.check(box)
        owner.press("Record it")

    def map_contract(self) -> None:
        """Each clause is given the control that enforces it, where that is asked."""
        owner = self.owner
        if not self.book.requirements["gov.enforced"].level_for(self.tier, "production"):
            return
        report = next(title for (kind, *_), title in self.kept.items() if kind == "test_report")
        owner.tab("Contract")
        owner.open("Where each clause is enforced")
        for _ in self.case.contract.versions.get().clauses.all():
            owner.click("Name its control")
            owner.tick("Policy: says what is allowed")
            owner.type("What enforces it", "What is not allowed is denied before it runs.")
            owner.choose("What last showed it", report)
            owner.press("Name it")
            owner.said("has its control.")

    def generate_index(self) -> None:
        """The one answer that nobody writes."""
        owner = self.owner
        owner.tab("Requirements")
        owner.click("Generate the index")
        owner.press("Generate it")
        owner.said("The index is generated.")

    # --- The board ---------------------------------------------------------------------------------------------------

    def signers(self, gate: str) -> list[str]:
        """The seats that must sign, and as many others as the quorum needs."""
        rules = self.book.gates[gate]
        seats = [*rules.must_include, *(seat for seat in rules.seats if seat not in rules.must_include)]
        return seats[: max(rules.quorum_for(self.tier), len(rules.must_include))]

    def decide(self, seats: list[str], reason: str) -> None:
        """The review is opened; who has to opens what waits for them; the seats sign, and the chair decides."""
        owner = self.owner
        owner.tab("Overview")
        owner.click("Ask the board to decide")
        owner.press("Open the review")
        owner.said("The review is open.")
        # What the worker does by itself: the record is sealed, and questions are drawn from it.
        sealing.seal()
        draw_due([self.case.pk])
        for seat in [*seats, *(seat for seat in self.book.seats if seat not in seats)]:
            for person in (self.cast.seats[seat], *filter(None, [self.deputies.get(seat)])):
                self.verify(person)
        for seat in seats:
            self.at(self.cast.seats[seat]).sign()
        self.at(self.cast.chair).decide(reason)

    def verify(self, person: User) -> None:
        """Open what waits for this person, item by item, and say where in it they saw what."""
        if not any(line.button == "Open and verify" for line in lines_for(person)):
            return
        verifier = self.at(person)
        verifier.desk()
        verifier.open("Open and verify")
        shows = verifier.page.get_by_label("It shows this")
        while shows.count():
            verifier.check(shows)
            verifier.type("Where in it", "First line")
            verifier.type("What you saw", SEEN)
            with verifier.page.expect_navigation(wait_until="domcontentloaded"):
                verifier.press("Save", exact=False)


def readings(wanted: list[str]) -> bytes:
    """One table of what was counted, with a line for each measure and period."""
    today, lines = clock.today(), io.StringIO()
    table = csv.writer(lines)
    table.writerow(["measure", "from", "to", "team", "n", "hits", "mean", "sd"])
    for key in wanted:
        start, end = today - timedelta(days=6), today
        if INSTRUMENTS[key].weekly:
            for week in (monday(today) - timedelta(weeks=count) for count in range(8, -1, -1)):
                hits = 5 if key == "trust.overrides" else 44
                table.writerow(
                    [key, week, min(week + timedelta(days=6), today), "Account management", 58, hits, "", ""]
                )
        elif key == "burden.time":
            table.writerow([key, start, end, "", SAMPLE, "", 15, 5])
        else:
            n, hits = {
                "recoverable.undone": (40, 37),
                "usage.active": (USERS, 34),
                "usage.new_way": (150, 118),
            }.get(key, (SAMPLE, SAMPLE - 2))
            table.writerow([key, start, end, "", n, hits, "", ""])
    return lines.getvalue().encode()
