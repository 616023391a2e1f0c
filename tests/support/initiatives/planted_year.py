"""A year of a portfolio of three initiatives: 40 artefacts filed by the real acts, 12 of which are wrong.

What is wrong with an artefact stands in `PLANTED` alone. `marks` asks the product what it says of it by itself.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from bs4 import BeautifulSoup
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.models import Rulebook
from governance.notifications.inbox import tasks_for
from governance.permission_result import Refused
from governance.rulebook import shipped_text
from initiatives.integration.components.actions import record_component
from initiatives.integration.profiles.actions import add_profile
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.evidence.verification import actions as verification_actions
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.models import Deployment, Drill, Evidence, FoundModelDay, Initiative, Link, Verification
from initiatives.portfolio.found_models import looking
from tests.support import factories

OTHER_DATA, FEWER_ROWS, OTHER_MODEL = "another data set", "fewer rows than said", "another model version"
COPIED, OTHER_LINK = "a copied sentence", "a link without a drill of its own"
# The new model of two of the initiatives, from this day of the year on.
NEW_MODEL_ON = 180
# What pages say of an artefact beside its facts.
REMARKS = re.compile(
    r"stated [\d,]+, found [\d,]+|names (?:the )?(?:data set|model)s? [^.;]*"
    r"|[\d,]+ characters?, no table, no page|Same words as \d+ other answers?|words used before|does not count",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Home:
    """One initiative of the portfolio: its title, its data set, its links, what one row of its work is called."""

    title: str
    data_set: str
    systems: tuple[str, str]
    thing: str
    models: tuple[str, str]

    def model_on(self, day: int) -> str:
        """The model that runs on this day of the year."""
        return self.models[day >= NEW_MODEL_ON]


HOMES = {
    "A": Home(
        "Claims letters", "Claim files of spring", ("Claims system", "Letter store"), "claim", ("m-4", "m-5")
    ),
    "B": Home(
        "Account briefs", "Account notes of May", ("Account store", "Mail archive"), "account", ("m-4", "m-5")
    ),
    "C": Home("Invoice matching", "Invoices of July", ("Ledger", "Order system"), "invoice", ("m-4", "m-4")),
}


@dataclass
class Artefact:
    """One artefact: where and when it is filed, for which requirement, and what is wrong with it ("" for nothing)."""

    number: int
    home: str
    key: str
    kind: str
    wrong: str = ""
    titled: str = ""
    said: dict = field(default_factory=dict)
    day: int = 0
    initiative: Initiative | None = None
    item: Evidence | None = None
    system: str = ""
    refused: str = ""


def _table(head: str, lines: list[str], name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, "\n".join([head, *lines, ""]).encode(), "text/csv")


def results(one: Artefact, rows: int) -> SimpleUploadedFile:
    """A table of tried examples of the initiative's work."""
    thing = HOMES[one.home].thing
    lines = [
        f"{thing}-{one.number}{place:03d},{'right' if place % 11 else 'wrong'},{place % 7 + 1}"
        for place in range(rows)
    ]
    return _table(f"{thing},judged,minutes", lines, f"results-{one.number}.csv")


def calls(one: Artefact, rows: int, model: str = "") -> SimpleUploadedFile:
    """A log of calls of one day."""
    begun, home = datetime.combine(clock.today(), time(9)), HOMES[one.home]
    lines = [
        f"{begun + timedelta(minutes=3 * place):%Y-%m-%dT%H:%M:00Z},u-{place % 9},"
        f"Read {home.thing} {one.number}{place:03d},Read and summed up in {place % 5 + 2} lines,"
        f"{model or home.model_on(one.day)}"
        for place in range(rows)
    ]
    return _table("time,user,prompt,answer,model", lines, f"calls-{one.number}.csv")


def replies(one: Artefact, rows: int) -> SimpleUploadedFile:
    """What people said who were asked, one row for each."""
    lines = [
        f"p-{one.number}{place:02d},{('yes', 'mostly', 'no')[place % 3]},{3 + place % 3}"
        for place in range(rows)
    ]
    return _table("participant,would use it,grade", lines, f"replies-{one.number}.csv")


def page(one: Artefact) -> SimpleUploadedFile:
    """A document of some paragraphs."""
    home = HOMES[one.home]
    text = (
        f"{one.titled or one.key} of {home.title}\n\n"
        f"Each {home.thing} is read by one person of the team before anything is sent.\n"
        f"Who finds a wrong line corrects it the same day and notes the number of the {home.thing}.\n"
        f"Chapter {one.number} of the handbook has the steps and who stands in for whom.\n"
    )
    return SimpleUploadedFile(f"handbook-{one.number}.txt", text.encode(), "text/plain")


def report_of(tested: str, rows: int, *, data_set: str = "", stated: int = 0) -> Callable:
    """The form and the file of a test report."""

    def build(one: Artefact) -> dict:
        details = {
            "tested": tested,
            "data_set": data_set or HOMES[one.home].data_set,
            "n": str(stated or rows),
            "metric": "share of right results",
            "figure": "0.91",
            "threshold": "0.85",
            "side": "at_least",
        }
        return {"details": details, "file": results(one, rows)}

    return build


def log_of(rows: int, model: str = "") -> Callable:
    """The file of a log sample."""
    return lambda one: {"file": calls(one, rows, model)}


def research_of(tested: str, rows: int, stated: int = 0) -> Callable:
    """The form and the file of user research."""

    def build(one: Artefact) -> dict:
        days = [(clock.today() - timedelta(days=back)).isoformat() for back in (12, 1)]
        details = {"tested": tested, "n": str(stated or rows), "starts_on": days[0], "ends_on": days[1]}
        return {"details": details | {"method": "interviews"}, "file": replies(one, rows)}

    return build


def document() -> Callable:
    """The file of a document."""
    return lambda one: {"file": page(one)}


def decision(what: str) -> Callable:
    """The form and the file of a decision record."""

    def build(one: Artefact) -> dict:
        details = {
            "approver": "Elena Novak",
            "decided_on": clock.today().isoformat(),
            "place": f"{what}, item {one.number}",
        }
        return {"details": details, "file": page(one)}

    return build


def drill_of(place: int, *, recorded: int | None = None, whole: bool = False) -> Callable:
    """A fallback drill on one link of the two; `recorded`: on which it is written down, if not on the `whole`."""
    return lambda one: {
        "place": place,
        "recorded": None if whole else place if recorded is None else recorded,
    }


TITLES = {
    "test_report": "{rows} {thing}s tried on {data_set}",
    "log_sample": "{rows} logged calls of {title}",
    "user_research": "Interviews with {rows} participants of {title}",
}
# Number, initiative, requirement, kind, its content, its title where no count belongs in it, what is wrong.
RIGHT = (
    ("A", "mvp.workflow", "user_research", research_of("use", 14)),
    ("A", "mvp.observability", "log_sample", log_of(40)),
    ("A", "mvp.override", "document", document()),
    ("A", "mvp.success", "document", document()),
    ("A", "mvp.risk", "document", document()),
    ("A", "prod.q03_logged", "log_sample", log_of(25)),
    ("A", "prod.performance", "test_report", report_of("quality", 120)),
    ("A", "prod.maintenance", "decision_record", decision("Minutes of the board")),
    ("A", "mvp.expectations", "user_research", research_of("understanding", 9)),
    ("A", "int.fallback", "drill_record", drill_of(0)),
    ("B", "mvp.workflow", "user_research", research_of("use", 11)),
    ("B", "mvp.observability", "log_sample", log_of(30)),
    ("B", "mvp.override", "test_report", report_of("override", 35)),
    ("B", "mvp.success", "document", document()),
    ("B", "prod.q03_logged", "log_sample", log_of(60)),
    ("B", "prod.performance", "test_report", report_of("quality", 90)),
    ("B", "prod.q08_change_control", "decision_record", decision("Minutes of the change board")),
    ("B", "mvp.expectations", "user_research", research_of("understanding", 16)),
    ("B", "int.fallback", "drill_record", drill_of(0)),
    ("C", "mvp.workflow", "user_research", research_of("use", 12)),
    ("C", "mvp.observability", "log_sample", log_of(55)),
    ("C", "mvp.success", "document", document()),
    ("C", "mvp.risk", "document", document()),
    ("C", "prod.performance", "test_report", report_of("quality", 150)),
    ("C", "int.representative", "test_report", report_of("quality", 200)),
    ("C", "prod.maintenance", "decision_record", decision("Minutes of the board")),
    ("C", "int.fallback", "drill_record", drill_of(0)),
    ("C", "int.fallback", "drill_record", drill_of(1)),
)
WRONG = (
    (
        "A",
        "mvp.possibility",
        "test_report",
        report_of("quality", 80, data_set="Account notes of May"),
        OTHER_DATA,
    ),
    (
        "B",
        "mvp.possibility",
        "test_report",
        report_of("quality", 75, data_set="Invoices of July"),
        OTHER_DATA,
    ),
    (
        "C",
        "mvp.possibility",
        "test_report",
        report_of("quality", 64, data_set="Invoices of 2019"),
        OTHER_DATA,
    ),
    ("A", "int.anchor", "log_sample", log_of(12), FEWER_ROWS),
    ("B", "adopt.explains", "test_report", report_of("understanding", 60, stated=240), FEWER_ROWS),
    ("C", "adopt.burden", "user_research", research_of("use", 11, stated=18), FEWER_ROWS),
    ("A", "layer.runtime", "log_sample", log_of(45, model="m-4"), OTHER_MODEL),
    ("B", "int.representative", "test_report", report_of("quality", 110), OTHER_MODEL),
    ("C", "mvp.users", "document", document(), COPIED),
    ("C", "prod.q04_exceptions", "document", document(), COPIED),
    ("A", "int.fallback", "drill_record", drill_of(1, recorded=0), OTHER_LINK),
    ("B", "int.fallback", "drill_record", drill_of(1, whole=True), OTHER_LINK),
)
# The titles that say more rows than there are.
SAYS = {
    "int.anchor": "40 logged calls of {title}",
    "adopt.burden": "Interviews with 18 participants of {title}",
}
# The answer that one of the copied sentences is taken from; no artefact stands behind it.
ANSWERED_BEFORE = (
    "prod.q09_escalation",
    "The team answers first and the second level within an hour.",
)
PLANTED = (*((*one, "") for one in RIGHT), *WRONG)


def plan() -> list[tuple[int, tuple]]:
    """Every artefact with its day, spread over the year; what is wrong lies among the others."""
    places = sorted(range(len(PLANTED)), key=lambda place: (place * 17) % len(PLANTED))
    # Who names the older model does so after the new one began.
    late = [place for place in places if PLANTED[place][-1] == OTHER_MODEL]
    places = [place for place in places if place not in late]
    for order, place in zip((26, 33), late, strict=True):
        places.insert(order, place)
    return [(9 * order + 3, PLANTED[place]) for order, place in enumerate(places)]


class Year:
    """The portfolio and its artefacts, filed one after the other on the simulated clock."""

    def __init__(self, cast):
        self.cast = cast
        factories.make_rulebook(cast.admin, cast.chair, shipped_text())
        self.begun = clock.now()
        self.links: dict[tuple[str, int], Link] = {}
        self.old: dict[str, list] = {}
        self.initiatives = {name: self._home(name) for name in HOMES}
        self.filed: list[Artefact] = []

    def _home(self, name: str) -> Initiative:
        home, cast = HOMES[name], self.cast
        initiative = factories.make_prototype(cast, title=home.title)
        initiative_acts.staff(initiative, cast.team, ("technical_lead",))
        for place, system in enumerate(home.systems):
            self.links[name, place] = factories.make_link(
                cast, initiative_acts.fresh(initiative), factories.make_system(cast, system),
                timeout_seconds=5, retry="Once, after a second.", on_failure="Yesterday's list.",
                told_users="That the list is of yesterday.",
            )  # fmt: skip
        upload = SimpleUploadedFile("customers.csv", b"id,name\n1,Ada\n2,Ben\n", "text/csv")
        add_profile(
            initiative=initiative, system=self.links[name, 0].system, upload=upload, taken_on=clock.today(),
            data_set=home.data_set, by=cast.owner,
        )  # fmt: skip
        if name == "C":
            key, text = ANSWERED_BEFORE
            requirement_actions.answer(
                initiative=initiative, requirement=key, kind="answered", text=text, by=cast.owner
            )
        return initiative_acts.fresh(initiative)

    def file_all(self, seen: Callable[[Artefact], None]) -> None:
        """File every artefact on its day; a day later `seen` is called with it."""
        changed = False
        for number, (day, (home, key, kind, build, wrong)) in enumerate(plan(), start=1):
            if day >= NEW_MODEL_ON and not changed:
                with clock.simulated(self.begun + timedelta(days=NEW_MODEL_ON)):
                    self._change_models()
                changed = True
            one = Artefact(number, home, key, kind, wrong, day=day, initiative=self.initiatives[home])
            with clock.simulated(self.begun + timedelta(days=day)):
                self._file(one, build)
            with clock.simulated(self.begun + timedelta(days=day + 1)):
                looking.look()
                seen(one)
            self.filed.append(one)

    def _change_models(self) -> None:
        for name, home in HOMES.items():
            if home.models[1] != home.models[0]:
                initiative = initiative_acts.fresh(self.initiatives[name])
                before = Deployment.objects.filter(initiative=initiative, version__layer="model").get()
                self.old[name] = [before]
                record_component(
                    initiative=initiative, layer="model", name=before.version.name, version=home.models[1],
                    vendor="Modelwright", region="eu-west", by=self.cast.owner,
                )  # fmt: skip

    def _file(self, one: Artefact, build: Callable) -> None:
        initiative = initiative_acts.fresh(one.initiative)
        fields = build(one)
        if one.kind == "drill_record":
            self._drill(one, initiative, **fields)
            return
        home = HOMES[one.home]
        rows = int(fields.get("details", {}).get("n", 0)) or _rows(fields["file"])
        said = SAYS.get(one.key, "") if one.wrong == FEWER_ROWS else ""
        title = said or TITLES.get(one.kind, "{key} of {title}: page {number}")
        data_set = fields.get("details", {}).get("data_set", "")
        one.titled = title.format(
            rows=rows, thing=home.thing, title=home.title, data_set=data_set, number=one.number,
            key=one.key.partition(".")[2].replace("_", " ").capitalize(),
        )  # fmt: skip
        text = ANSWERED_BEFORE[1] if one.wrong == COPIED and one.key == "prod.q04_exceptions" else ""
        requirement_actions.answer(
            initiative=initiative, requirement=one.key, kind="answered",
            text=text or f"{one.titled}: the team of {home.title} keeps to it, entry {one.number}.",
            by=self.cast.owner,
        )  # fmt: skip
        rulebook = Rulebook.objects.current().parsed
        if one.kind in rulebook.result_kinds:
            fields["result"] = "pass"
        if one.kind in rulebook.condition_kinds:
            fields["condition"] = "full_population"
        if one.wrong == OTHER_MODEL and one.kind == "test_report":
            fields["names"] = self.old[one.home]
        one.item = evidence_actions.add_evidence(
            initiative=initiative_acts.fresh(initiative), kind=one.kind, title=one.titled, covers=[one.key],
            observed_on=clock.today(), by=self.cast.owner, **fields,
        )  # fmt: skip
        self._verify(one)

    def _drill(self, one: Artefact, initiative: Initiative, place: int, recorded: int | None) -> None:
        one.system = HOMES[one.home].systems[place]
        requirement_actions.answer(
            initiative=initiative, requirement=one.key, kind="answered",
            text=f"The fallback of {' and of '.join(HOMES[one.home].systems)} was drilled, see the traces.",
            by=self.cast.owner,
        )  # fmt: skip
        trace = f'{{"fault": "timeout", "source": "{one.system}", "run": {one.number}}}\n'
        drill = factories.make_drill(
            self.cast, initiative_acts.fresh(initiative), covers=[one.key],
            link=None if recorded is None else self.links[one.home, recorded],
            expected=f"When {one.system} does not answer, the list of yesterday is shown.",
            happened=f"{one.system} was cut off; the list of yesterday was shown after three seconds.",
            file=SimpleUploadedFile("trace.jsonl", trace.encode(), "application/jsonl"),
        )  # fmt: skip
        one.item = Drill.objects.select_related("evidence").get(pk=drill.pk).evidence
        one.titled = one.item.title
        self._verify(one)

    def _verify(self, one: Artefact) -> None:
        """The first seat that may opens the item and, three minutes later, says what it saw."""
        one.item = Evidence.objects.select_related("initiative").get(pk=one.item.pk)
        verifier = self.verifier(one)
        opened = clock.now()
        verification_actions.open_item(initiative=one.initiative, evidence=one.item, way="look", by=verifier)
        words = f"Row and line agree with the answer in {one.item.file_name}, entry {one.number}."
        if one.wrong == COPIED and one.key == "mvp.users":
            words = self.words_of_another(verifier, one)
        try:
            with clock.simulated(opened + timedelta(minutes=3)):
                verification_actions.verify(
                    evidence=one.item, requirement=one.key, shows=True, place="Line 2", words=words,
                    fingerprint=one.item.fingerprint, by=verifier,
                    answer_version=one.initiative.answers.get(requirement=one.key).version,
                )  # fmt: skip
        except (ValidationError, Refused) as refusal:
            one.refused = " ".join(getattr(refusal, "messages", [str(refusal)]))

    def verifier(self, one: Artefact):
        """Who sits in a seat that signs for the requirement."""
        seats = Rulebook.objects.current().parsed.at_tier(one.initiative.tier).seats_asking(one.key)
        return self.cast.seats[seats[0]]

    def words_of_another(self, verifier, one: Artefact) -> str:
        """What this person wrote about an earlier artefact."""
        said = Verification.objects.filter(verifier=verifier).exclude(evidence=one.item)
        return said.order_by("pk").first().words


def _rows(file) -> int:
    return len(file.read().splitlines()) - 1 - file.seek(0)


def text_of(client: Client, address: str) -> str:
    """A page as a person reads it."""
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    main = BeautifulSoup(answer.content, "html.parser").find("main")
    return " ".join(main.get_text(" ").split())


def marks(one: Artefact, client: Client, chair) -> list[str]:
    """What the product says of this artefact by itself: refusals, remarks, findings, tasks; read without its truth.

    `client`: of who verifies it.
    """
    ref, found = one.initiative.ref, [f"refused: {one.refused}"] if one.refused else []
    for name, address in {
        "item": reverse("evidence-item", args=[ref, one.item.pk]),
        "page of verifying": reverse("evidence-verify", args=[ref, one.item.pk, one.key]),
        "requirement": reverse("requirement", args=[ref, one.key]),
    }.items():
        told = text_of(client, address)
        if one.kind != "drill_record":
            found += [f"{name}: {said.group()}" for said in REMARKS.finditer(told)]
        elif (undrilled := f"The link to {one.system} has no separate fallback drill.") in told:
            found.append(f"{name}: {undrilled}")
    named = FoundModelDay.objects.filter(source="sample", place=one.item.pk).select_related("found")
    tasks = [task.text for task in tasks_for(chair)]
    found += [f"task: {text}" for day in named for text in tasks if str(day.found) in text]
    return found
