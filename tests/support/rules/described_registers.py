"""Registers at random: rows that only describe, told by real acts of an initiative that had described nothing.

What the acts left is read as the rules see it and laid into the facts of other initiatives: `laid_into`.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from adoption.demo import initiative_acts
from governance import clock
from governance.gates.gate_inputs import Facts, Void
from governance.permission_result import Conflict, Refused
from initiatives.integration.components import actions as component_actions
from initiatives.integration.definitions import actions as definition_actions
from initiatives.integration.links import actions as link_actions
from initiatives.integration.residency import actions as residency_actions
from initiatives.integration.resilience import process_actions
from initiatives.integration.systems import actions as system_actions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.requirements import standalone
from initiatives.models import Initiative, Link, ServiceAccount, System, Term, Vendor
from initiatives.models.integration.processes import PROCESS_STATES
from initiatives.models.integration.systems import SYSTEM_KINDS
from tests.support import factories
from tests.support.rules.gate_facts import MODEL
from tests.support.rules.random_facts import RULEBOOK

DAY = timedelta(days=1)
REGIONS = ("eu-west", "us-east", "CH", "the moon", "")
CLASSES = ("customer notes", "contracts")
FAILURE = {
    "timeout_seconds": 5,
    "retry": "Once, after a second.",
    "on_failure": "The list of yesterday is shown, with its day.",
    "told_users": "That the list is of yesterday.",
}
KINDS_TO_TELL = (
    "link", "source", "transfer", "vendor", "vendor_term", "unit_policy", "account", "flow", "process", "term_use",
    "definition", "customisation", "collection", "model", "model_end", "alone",
)  # fmt: skip


# What somebody says truthfully and does not know in full.
UNKNOWNS = ("unknown_link", "unknown_place", "unsaid_link", "unknown_source")


@dataclass(frozen=True)
class Told:
    """What was told of an initiative from a moment on, by kind of row in order, and the facts of the initiative before
    and after.

    `triggers`: what the acts pulled on the way, each with its moment and its cause.
    """

    at: datetime
    kinds: tuple[str, ...]
    before: Facts
    after: Facts
    triggers: tuple[tuple[datetime, str, str], ...]


def bare_initiative(cast) -> Initiative:
    """A prototype whose people are named, and of which neither a model nor anything around it is recorded."""
    initiative = factories.make_initiative(cast)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    initiative_acts.pass_gate(initiative, cast.team)
    initiative_acts.staff(initiative, cast.team)
    initiative_acts.propose_and_confirm_tier(initiative_acts.fresh(initiative), cast.team)
    return initiative_acts.fresh(initiative)


def linked_initiative(cast, links: int) -> Initiative:
    """An MVP with so many links, each described in full and agreed to; its unit allows data in the EU alone."""
    initiative = factories.make_mvp(cast)
    residency_actions.set_unit_policy(
        unit=cast.unit,
        reference="Data policy",
        allowed=["EU"],
        starts_on=clock.today(),
        by=cast.seat_security,
    )
    for number in range(links):
        system = factories.make_system(cast, f"Ledger {number}", regions=["eu-west"], owner=cast.outsider)
        factories.make_link(cast, initiative, system, agreed=True, **FAILURE)
    initiative_acts.ground_gate(initiative_acts.fresh(initiative), "mvp", cast.team)
    return initiative_acts.fresh(initiative)


def told_of(cast, initiative: Initiative, chance, kinds, *, knows: bool = False, gate: str = "") -> Told:
    """What these rows come to, told one after the other; the database is as it was afterwards.

    `knows`: what is unknown otherwise is known, and in order. `gate`: what a source more ended is shown anew for it.
    """
    with transaction.atomic():
        began = clock.now()
        before = supported_stage.facts_of(initiative_acts.fresh(initiative))
        teller, done = Teller(cast, initiative, chance, knows=knows), []
        for kind in kinds:
            with suppress(ValidationError, Refused, Conflict):
                getattr(teller, kind)()
                done.append(kind)
        if gate:
            initiative_acts.ground_gate(initiative_acts.fresh(initiative), gate, cast.team)
        after = supported_stage.facts_of(initiative_acts.fresh(initiative))
        changes = initiative.changes.order_by("pk").values_list("effective_at", "triggers", "what")
        triggers = tuple((at, trigger, what) for at, listed, what in changes for trigger in listed)
        transaction.set_rollback(True)
    return Told(began, tuple(done), before, after, triggers)


class Teller:
    """Somebody who tells what is so of one initiative, whatever it is; what a row needs before it is told first."""

    def __init__(self, cast, initiative, chance, *, knows: bool = False):
        self.cast, self.initiative, self.chance, self.knows = cast, initiative, chance, knows

    def name(self, of: str) -> str:
        return f"{of} {self.chance.getrandbits(40)}"

    def day(self, first: int, last: int):
        return clock.today() + self.chance.randint(first, last) * DAY

    def pick(self, rows, make: Callable):
        """One of these rows, or a new one."""
        found = list(rows)
        return self.chance.choice(found) if found and self.chance.random() < 0.6 else make()

    def sound(self) -> bool:
        """Whether what is told next happens to be in order."""
        return self.chance.random() < 0.6

    def source(self, **fields) -> System:
        """A system as it is: owned or not, kept or not, here or there."""
        chance, sound = self.chance, self.sound()
        said = {
            "kind": chance.choice([kind for kind in SYSTEM_KINDS if kind != "knowledge_collection"]),
            "owner": chance.choice([self.cast.outsider, self.cast.lead, None]),
            "regions": [region for region in chance.sample(REGIONS, chance.randint(0, 2)) if region],
            "last_updated_on": chance.choice([None, self.day(-900, 0)]),
            "editable": chance.choice([None, True, False]),
        }
        if sound:
            said |= {"owner": self.cast.outsider, "regions": ["eu-west"], "last_updated_on": clock.today()}
            said |= {"editable": True}
        return factories.make_system(self.cast, self.name("System"), **(said | fields))

    def systems(self):
        return System.objects.current().filter(
            links__initiative=self.initiative, links__ended_at__isnull=True
        )

    def links(self):
        return (
            Link.objects.current().filter(initiative=self.initiative).select_related("system", "initiative")
        )

    def link(self, system: System | None = None) -> Link:
        """A tie to a system, said in full or not; its owner may have agreed."""
        sound = self.sound()
        fields = FAILURE if sound else {}
        row = factories.make_link(
            self.cast,
            self.initiative,
            system or self.pick(System.objects.current().exclude(pk__in=self.systems()), self.source),
            pattern=self.chance.choice(["anchor", "feed", "audit"]),
            data_classes=self.chance.sample(CLASSES, 1 if sound else self.chance.randint(0, 2)),
            transfers=[self.place() for _ in range(self.chance.choice([0, 0, 1]))],
            by=self.cast.lead,
            **fields,
        )
        if sound and row.system.owner == self.cast.outsider:
            factories.agree(row)
        return row

    def place(self):
        region = "eu-west" if self.sound() else self.chance.choice(REGIONS)
        vendor = self.chance.choice([None, *Vendor.objects.all()])
        return link_actions.Place(self.name("Place"), region, vendor)

    def transfer(self):
        """Where the data of a link pass through."""
        link = self.pick(self.links(), self.link)
        link_actions.change_link(link=link, transfers=[self.place()], by=self.cast.lead)

    def vendor(self) -> Vendor:
        """A company that runs something, or could."""
        return residency_actions.add_vendor(name=self.name("Vendor"), by=self.cast.lead)

    def regions_said(self) -> dict:
        said = {self.chance.choice(["allowed", "forbidden"]): [self.chance.choice(["EU", "US", "CH"])]}
        classes = [] if self.chance.random() < 0.5 else [self.chance.choice(CLASSES)]
        return said | {"data_classes": classes, "starts_on": self.day(-30, 60)}

    def vendor_term(self):
        """What the contract with a company says of where data may be."""
        residency_actions.file_vendor_term(
            vendor=self.pick(Vendor.objects.all(), self.vendor),
            kind="region",
            reference=self.name("MSA"),
            by=self.cast.seat_security,
            **self.regions_said(),
        )

    def unit_policy(self):
        """What the unit says of where its data may be."""
        residency_actions.set_unit_policy(
            unit=self.cast.unit,
            reference=self.name("Policy"),
            by=self.cast.seat_security,
            **self.regions_said(),
        )

    def account(self):
        """The service account that a link uses, in order or not."""
        link = self.pick(self.links(), self.link)
        fields = {} if self.sound() else {"owner": None, "privileges": "", "review_by": None}
        account: ServiceAccount = factories.make_account(self.cast, link.system, self.name("svc"), **fields)
        link_actions.change_link(link=link, account=account, by=self.cast.lead)

    def flow(self):
        """Sign-on, explained by somebody or by nobody."""
        explainer = self.cast.lead if self.sound() else None
        factories.make_flow(self.cast, self.initiative, explainer=explainer, reviewed_on=self.day(-80, 0))

    def process(self):
        """How the work goes, written down or in somebody's head."""
        status = "documented" if self.sound() else self.chance.choice(list(PROCESS_STATES))
        held = {} if status == "documented" else {"holder_words": "one long-serving colleague"}
        process_actions.record_process(
            initiative=self.initiative,
            name=self.name("Approvals"),
            status=status,
            as_is=[{"who": "Team lead", "what": "approves above 500 EUR"}],
            by=self.cast.owner,
            **held,
        )

    def term_use(self) -> Term:
        """A word that the initiative depends on."""
        term = factories.make_term(self.cast, self.name("term"))
        definition_actions.use_term(initiative=self.initiative, name=term.name, by=self.cast.lead)
        return term

    def definition(self):
        """What two linked systems mean by one word: the same, or not."""
        terms = Term.objects.filter(uses__initiative=self.initiative)
        term = self.pick(terms, self.term_use)
        while self.systems().count() < 2:
            self.link(self.source(owner=self.cast.lead))
        formats = ["9{10}", "9{10}"] if self.sound() else ["9{10}", "X{18}"]
        for system, mask in zip(self.systems()[:2], formats, strict=True):
            definition_actions.define(
                term=term,
                system=system,
                field=self.name("field"),
                meaning="Who buys from us.",
                identifier_mask=mask,
                by=self.cast.lead,
            )

    def customisation(self):
        """That a team changed a system for itself."""
        system = self.pick(self.systems(), lambda: self.link().system)
        system_actions.add_customisation(
            system=system,
            team=self.name("Team"),
            what="Fields of its own.",
            by=system.owner or self.cast.lead,
        )

    def collection(self):
        """A collection of sources, one of which may be in bad condition."""
        parent = self.source(kind="knowledge_collection", owner=self.cast.lead)
        for _ in range(self.chance.randint(1, 2)):
            self.source(kind="wiki", collection=parent)
        self.link(parent)

    def model(self):
        """A model that runs, beside what is recorded; another version of one would be an event."""
        component_actions.record_component(
            initiative=self.initiative,
            layer="model",
            name=self.name("Model"),
            version=self.name("m"),
            region=self.chance.choice(REGIONS),
            by=self.cast.lead,
        )

    def model_end(self):
        """One more model that runs, as the register of components has it, with the end of its life."""
        model = factories.make_model(
            self.cast, name=self.name("Model"), end_of_life=self.day(-30, 300), region="eu-west"
        )
        component_actions.record_component(initiative=self.initiative, listed=model, by=self.cast.owner)

    def unknown_link(self):
        """A link with a station of which nobody knows the region."""
        self._tie(transfers=[self.unknown()])

    def unknown_place(self):
        """A station more of a link that is there."""
        link = self.chance.choice(list(self.links()))
        link_actions.change_link(link=link, transfers=[self.unknown()], by=self.cast.lead)

    def unsaid_link(self):
        """A link of which only the system is said."""
        self._tie(data_classes=["contracts"] if self.knows else [])

    def unknown_source(self):
        """A link to a system of which nobody knows where it is."""
        regions = ["eu-west"] if self.knows else []
        self._tie(self.source(owner=self.cast.outsider, regions=regions))

    def unknown(self):
        name, region = self.name("Place"), self.chance.choice(["", "the moon"])
        return link_actions.Place(name, "eu-west" if self.knows else region)

    def _tie(self, system: System | None = None, **fields):
        system = system or self.source(owner=self.cast.outsider, regions=["eu-west"])
        said = {"pattern": "feed", "direction": "reads", "access": "api", "data_classes": ["contracts"]}
        link_actions.add_link(initiative=self.initiative, system=system, by=self.cast.lead, **(said | fields))

    def alone(self):
        """That it is linked to nothing; a seat may have accepted that."""
        row = standalone.declare(
            initiative=self.initiative, reason="Notes are typed in and read out.", by=self.cast.owner
        )
        if self.sound():
            standalone.accept(declaration=row, by=self.cast.seat_architecture)


def laid_into(facts: Facts, told: Told, at, chance) -> Facts:
    """The facts of another initiative of which the same was told at `at`, and whose register was empty.

    What was pulled on the way ends every item for every requirement that lists it.
    """
    shift = at - told.at

    def new(name):
        """What is there since, moved to that moment."""
        before = getattr(told.before, name)
        rows = [one for one in getattr(told.after, name) if one not in before]
        return [replace(one, since=one.since + shift, until=one.until and one.until + shift) for one in rows]

    runs = new("deployments")
    if runs and chance.random() < 0.7:
        runs[0] = replace(runs[0], id=MODEL.id)
    pulled = {
        key: Void(moment + shift, trigger, what)
        for moment, trigger, what in told.triggers
        for key in RULEBOOK.listing(trigger)
    }
    items = tuple(
        replace(
            item,
            voids=item.voids
            | {key: (*item.voids.get(key, ()), pulled[key]) for key in item.covers if key in pulled},
        )
        for item in facts.items
    )
    return replace(
        facts,
        items=items,
        deployments=(*facts.deployments, *runs),
        described=tuple((one + shift, until and until + shift) for one, until in told.after.described),
        alone=tuple(new("alone")),
        measured=(*facts.measured, *new("measured")),
        requirement_findings=(*facts.requirement_findings, *new("requirement_findings")),
        holds=(*facts.holds, *(hold for hold in told.after.holds if hold not in told.before.holds)),
    )
