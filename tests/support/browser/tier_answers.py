"""How an initiative is answered through the pages: its requirements, what shows each, figures, drills and controls."""

import csv
import io
import re
from datetime import timedelta

from playwright.sync_api import Locator, expect

from adoption.demo import artefacts
from adoption.demo.measures import DECLARED, SAMPLE
from adoption.measures.evaluation import monday
from adoption.models.instruments import INSTRUMENTS
from governance import clock
from governance.gates.requirements import ACCEPTED_IN_PERSON, GENERATED_ONLY
from governance.rulebook import Requirement
from governance.vocabulary import EvidenceKind, Level
from initiatives.models.integration.processes import DRILL_KINDS
from tests.support.browser.tier_setup import USERS, SetUp

MEASURED = {one.requirement for one in INSTRUMENTS.values() if one.requirement}
# In the order of the rulebook, how each kind of evidence is called where it is chosen.
WORDS_OF_KIND = dict(EvidenceKind.choices)
CLAUSES = {
    "gov.autonomy": "Autonomous",
    "gov.human_approval": "Human approval required",
    "gov.edge_policies": "Exceptions",
    "gov.record_owner": "Ownership of the change log",
    "prod.q06_human_review": "Human approval required",
    "int.residency": "Data residency",
}
CONDITIONS = {
    "curated": "Curated examples",
    "bounded_real": "Bounded real conditions",
    "full_population": "Full population",
}


class Answers(SetUp):
    """The answers of an initiative at a tier, each with the least that shows it."""

    def asked(self, gate: str, tier: str) -> list[str]:
        """The requirements of the gate at this tier that somebody answers in words."""
        return [
            key
            for key in self.rulebook.gates[gate].requirements()
            if self.rulebook.requirements[key].level_for(tier, gate)
            and self.rulebook.requirements[key].blocking
            and key not in ACCEPTED_IN_PERSON
            and key not in GENERATED_ONLY
            and key not in self.rulebook.deferred(gate)
        ]

    def answer_gate(self, gate: str, tier: str | None = None) -> None:
        """Every requirement that is open: several in one form, those of a layer each on its page."""
        owner, tier = self.owner, self.tier if tier is None else tier
        if not owner.page.url.endswith("/requirements/"):
            owner.tab("Requirements")
        expect(owner.page.get_by_role("heading", level=1)).to_contain_text(self.rulebook.gates[gate].title)
        asked = self.asked(gate, tier)
        if owner.page.get_by_role("link", name="Answer several at once").count():
            owner.open("Answer several at once")
            self.answer_together(gate)
        mine = self.open_rows("You can do now")
        # What is another's to answer the owner may answer too; saving leads on only through what is the owner's.
        others = self.open_rows("Waits for")
        for key in (*(key for key in asked if key in mine), *(key for key in asked if key in others)):
            if self.rulebook.requirements[key].question not in owner.page.locator("h1").inner_text():
                if "/requirements/" not in owner.page.url or not self.listed(key).count():
                    owner.tab("Requirements")
                owner.unfold("Waits for")
                owner.click("Answer", self.listed(key))
            stated = self.rulebook.requirements[key].level_for(tier, gate) == Level.STATED
            self.answer(key, stated=stated)

    def answer_together(self, gate: str) -> None:
        """From page to page of the form: words, and what shows them."""
        owner, page = self.owner, self.owner.page
        rows = page.locator("main fieldset[id^='row-']")
        while rows.count():
            for row in rows.all():
                key = (row.get_attribute("id") or "").removeprefix("row-")
                counts = self.rulebook.requirements[key].counts
                begun = row.get_by_label("Your answer").input_value()
                if not begun and "If you leave this empty" not in row.inner_text():
                    owner.type("Your answer", f"{counts[:1].upper()}{counts[1:]}.", row)
            for kind, words in WORDS_OF_KIND.items():
                legend = page.get_by_role("group", name=f"Evidence: {words}", exact=True)
                if legend.count():
                    self.add_for_all(legend, kind, gate)
            owner.send("Save and go to next requirements")
            owner.said("saved.")

    def add_for_all(self, part: Locator, kind: str, gate: str) -> None:
        """One item of this kind for the requirements that are named beside it."""
        questions = part.locator("ul.help>li").all_inner_texts()
        shown = [one for one in self.rulebook.requirements.values() if one.question in questions]
        # One item for all of them was tried under the hardest of their conditions.
        asked = [self.condition_of(one, kind) for one in shown]
        condition = max(filter(None, asked), key=list(CONDITIONS).index, default="")
        title = f"{WORDS_OF_KIND[kind]} of {gate} on {shown[0].key}"
        self.kept[kind, condition, ""] = title
        self.fill_form(part, kind, title, condition)

    def listed(self, key: str) -> Locator:
        """The requirement in the list."""
        return self.owner.page.locator(f"[id='row-{key}']")

    def open_rows(self, group: str) -> set[str]:
        """The requirements in this part of the open list of requirements that wait for an answer."""
        page = self.owner.page
        part = page.locator("main section").filter(has=page.get_by_role("heading", name=group))
        return set(self.owner.unanswered(part))

    def answer(self, key: str, *, stated: bool) -> None:
        """Say what is so on the page that stands open, and add or offer what shows it; saving opens the next one."""
        owner, asked = self.owner, self.rulebook.requirements[key]
        row = owner.page.locator("main")
        expect(owner.page.get_by_role("heading", level=1)).to_contain_text(asked.question)
        owner.type("Your answer", f"{asked.counts[:1].upper()}{asked.counts[1:]}.", row)
        if not (stated and "attestation" in asked.evidence):
            self.show(row, asked)
        onward = owner.page.locator("main").get_by_role(
            "button", name="Save and go to next requirement", exact=True
        )
        owner.send(
            "Save and go to next requirement" if onward.count() else re.compile("^Save(?: and close)?$")
        )
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
        by_register = self.rulebook.register_kinds - {EvidenceKind.CONTRACT_CLAUSE}
        return "" if kind in by_register else kind

    def condition_of(self, asked: Requirement, kind: str) -> str:
        """Where it was tried: the trial of the prototype on chosen examples, all else on all there is."""
        if kind not in self.rulebook.condition_kinds:
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
            owner.unfold("Add evidence")
            owner.check(row.get_by_role("radio", name="Item of this initiative"))
            owner.choose("Choose an item of this initiative", self.kept[pile], row)
            return
        self.kept[pile] = title = f"{WORDS_OF_KIND[kind]} on {asked.key}"
        owner.unfold("Add evidence")
        picked = row.get_by_label("Kind of evidence")
        if picked.is_visible() and picked.input_value() != kind:
            owner.choose("Kind of evidence", WORDS_OF_KIND[kind], row)
        if kind == "contract_clause":
            if row.get_by_label("Clause of the contract in force").count():
                owner.tick("Clause of the contract in force", row)
            owner.choose("Clause", CLAUSES[asked.key], row)
        else:
            self.fill_form(row, kind, title, self.condition_of(asked, kind))

    def fill_form(self, row: Locator, kind: str, title: str, condition: str) -> None:
        owner, today = self.owner, clock.today().isoformat()
        typed = {
            "test_report": {
                "Data set": "Letters of May",
                "Number of examples": "240",
                "Result value": "0.93",
                "Threshold declared before": "0.85",
            },
            "user_research": {"Number of people": "24", "From": today, "To": today},
            "decision_record": {
                "Decided by": "Ada Moreau",
                "Decided on": today,
                "Board or ticket": "Minutes of the board, item 4",
            },
        }.get(kind, {})
        for label, words in typed.items():
            owner.fill(row.get_by_label(label, exact=True).locator("visible=true"), words)
        if kind == "user_research":
            owner.choose("Method", "Interviews", row)
        self.hand_in(row, kind, title)
        if kind in self.rulebook.result_kinds and kind != "test_report":  # whose figure says it
            owner.choose("Result", "Pass", row)
        chosen = row.get_by_label("Test conditions")
        if kind in self.rulebook.condition_kinds and chosen.input_value() != condition:
            owner.choose("Test conditions", CONDITIONS[condition], row)

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
        self.owner.hand_in(row.locator("[name$=-file]"), file)

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
            owner.type("Definition", words)
            owner.type("Group", f"The {USERS} users in scope")
            owner.type("Source", source)
            if baseline is not None:
                owner.type(re.compile(r"^\s*Baseline"), str(baseline))
                owner.type("Sample size of the baseline", str(SAMPLE))
            share = INSTRUMENTS[key].share
            owner.type("Target", f"{target * 100:g}" if share else str(target))
            owner.type("Number of intended users", str(USERS))
            owner.press("Declare measure")
            expect(owner.page.get_by_role("heading", name="Add measurement")).to_be_visible()
        owner.tab("Adoption")
        owner.click("Measurements from a table")
        owner.hand_in(
            owner.page.locator("main input[type=file]"),
            {"name": "measurements.csv", "mimeType": "text/csv", "buffer": measurements(wanted)},
        )
        owner.press("Preview")
        owner.press("Import ", exact=False)
        owner.tab("Adoption")
        filed = [
            key
            for key in self.asked("production", self.tier)
            if key in MEASURED and not self.kind_of(self.rulebook.requirements[key])
        ]
        for key in filed:
            form = owner.page.locator(f"form:has(input[name=requirement][value='{key}'])")
            owner.press("File these measurements as evidence", form, exact=False)
            owner.tab("Adoption")

    def drill(self) -> None:
        """A drill of each kind that is asked for, a fallback on the link of the initiative."""
        owner = self.owner
        shown = [
            key
            for key in self.asked("production", self.tier)
            if "drill_record" in self.rulebook.requirements[key].evidence
            and not self.kind_of(self.rulebook.requirements[key])
            and key not in MEASURED
        ]
        kinds: dict[str, list[str]] = {}
        for key in shown:
            asked = self.rulebook.requirements[key].tested
            kinds.setdefault(next((kind for kind in asked if kind in kinds), asked[0]), []).append(key)
        for kind, keys in kinds.items():
            self._drill(owner, kind, keys)

    def _drill(self, owner, kind: str, keys: list[str]) -> None:
        owner.tab("Integration")
        owner.click("Drills")
        owner.click("Record a drill")
        owner.choose("Kind of drill", DRILL_KINDS[kind])
        links = owner.page.locator("[name=link] option:not([value=''])")
        if kind == "fallback" and links.count():
            owner.page.locator("[name=link]").select_option(index=1)
        owner.choose("Fault planted", "No answer in time")
        owner.fill(owner.page.locator("[name=observed_on]"), clock.today().isoformat())
        owner.type("Expected result", "The list of yesterday within five seconds.")
        owner.type("Actual result", "The list of yesterday after three seconds; all were told.")
        owner.choose("Result", "Pass")
        owner.hand_in(
            owner.page.get_by_label(re.compile(r"^\s*Trace")),
            {
                "name": "trace.jsonl",
                "mimeType": "application/jsonl",
                "buffer": f'{{"of": "{kind}"}}\n'.encode(),
            },
        )
        for key in keys:
            box = owner.page.locator(f"input[name=covers][value='{key}']")
            if not box.is_checked():
                owner.check(box)
        owner.press("Record the drill")

    def map_contract(self) -> None:
        """Each clause is given the control that enforces it, where that is asked."""
        owner = self.owner
        if not self.rulebook.requirements["gov.enforced"].level_for(self.tier, "production"):
            return
        report = next(title for (kind, *_), title in self.kept.items() if kind == "test_report")
        owner.tab("Contract")
        owner.click("Name one control for several clauses")
        owner.tick("Policy: defines what is allowed")
        owner.type(re.compile(r"^\s*Control\s*$"), "What is not allowed is denied before it runs.")
        owner.choose("Evidence that shows the control", report)
        for box in owner.page.locator("input[name=clauses]").all():
            owner.check(box)
        owner.press("Name the control")
        owner.said("The clauses now have this control.")

    def generate_index(self) -> None:
        """The one answer that nobody writes."""
        owner = self.owner
        owner.tab("Requirements")
        owner.click("Generate the index")
        owner.press("Generate the index")
        owner.said("The index is generated.")


def measurements(wanted: list[str]) -> bytes:
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
