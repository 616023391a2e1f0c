"""Sixty and more things that initiatives share, an initiative that rests on them, and a stranger with an initiative
tied to all of them.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from governance import clock
from governance.database.row_history import acting
from governance.models import User
from governance.offline.verify import GOVERNED
from initiatives.integration.links import actions as link_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import (
    ChangeRecord,
    Customisation,
    DefinitionConflict,
    Hold,
    Initiative,
    Link,
    LinkAnswer,
    Obligation,
    Profile,
    Region,
    RequirementFinding,
    ServiceAccount,
    SourceAcceptance,
    SupportedStagePeriod,
    System,
    Term,
    TermDefinition,
    TermUse,
    Transfer,
    UnitPolicy,
    Vendor,
    VendorTerm,
    Voiding,
)
from initiatives.portfolio.registration import actions as registration_actions
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded

# Whole tables: nobody but who may adds a row here either.
SHARED = (System, Customisation, ServiceAccount, TermDefinition, Term, VendorTerm, UnitPolicy, Region)
# Rows of the initiative that the stranger has nothing to do with.
OF_INITIATIVE = (
    Hold,
    Voiding,
    ChangeRecord,
    RequirementFinding,
    DefinitionConflict,
    Obligation,
    SourceAcceptance,
    Link,
)
SYSTEMS, TERMS, VENDORS = 8, 6, 4


@dataclass
class World:
    """What is shared; the initiative that rests on it; the stranger and the initiative that they work on."""

    initiative: Initiative
    stranger: User
    own: Initiative
    systems: list[System] = field(default_factory=list)
    accounts: list[ServiceAccount] = field(default_factory=list)
    definitions: list[TermDefinition] = field(default_factory=list)
    customisations: list[Customisation] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    vendors: list[Vendor] = field(default_factory=list)
    vendor_terms: list[VendorTerm] = field(default_factory=list)
    policies: list[UnitPolicy] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    samples: list[Profile] = field(default_factory=list)

    @property
    def objects(self) -> int:
        """How many things are shared, the links and transfers of the initiative among them."""
        lists = [value for value in vars(self).values() if isinstance(value, list)]
        links = Link.objects.filter(initiative=self.initiative)
        return sum(map(len, lists)) + links.count() + Transfer.objects.filter(link__in=links).count()

    def state(self) -> dict[str, list]:
        """Every row that must not change, by table."""
        found = {model.__name__: list(model.objects.order_by("pk").values()) for model in SHARED}
        for model in OF_INITIATIVE:
            rows = model.objects.all()
            if model is Voiding:
                rows = rows.filter(evidence__initiative=self.initiative)
            else:
                rows = rows.filter(initiative=self.initiative)
            found[f"{model.__name__} of the initiative"] = list(rows.order_by("pk").values())
        links = Link.objects.filter(initiative=self.initiative)
        found["Transfer"] = list(Transfer.objects.filter(link__in=links).order_by("pk").values())
        found["LinkAnswer"] = list(LinkAnswer.objects.filter(link__in=links).order_by("pk").values())
        found["Uses"] = list(TermUse.objects.filter(initiative=self.initiative).order_by("pk").values())
        spans = SupportedStagePeriod.objects.filter(initiative=self.initiative)
        found["Supported"] = sorted(spans.values_list("supported", "unsupported_stages", "label"))
        found["Stage"] = list(
            Initiative.objects.filter(pk=self.initiative.pk).values_list("stage", flat=True)
        )
        return found


def changed(before: dict, after: dict) -> list[str]:
    """The tables that read otherwise."""
    return [name for name in before if before[name] != after[name]]


def make_world(cast, *, beyond_an_idea: bool) -> World:
    """`beyond_an_idea`: the stranger leads a prototype; else owns an idea."""
    stranger = factories.make_person("stranger", cast.elsewhere)
    own = (
        factories.make_prototype(cast, title="Another thing")
        if beyond_an_idea
        else registration_actions.register(
            title="A stranger's idea", unit=cast.elsewhere, problem="None yet.", owner=stranger, by=stranger
        )
    )
    initiative = factories.make_mvp(cast)
    world = World(initiative, stranger, own)
    for role in ("technical_lead", "data_steward"):
        by = cast.owner if beyond_an_idea else stranger
        held = own.roles.in_force().filter(role=role).first()
        if held is not None:
            role_actions.revoke_role(assignment=held, reason="Another person does this", by=by)
        asked = role_actions.propose_role(initiative=own, role=role, person=stranger, by=by)
        if not asked.accepted_at:
            role_actions.accept_role(assignment=asked, by=stranger)
    with unguarded(*GOVERNED), acting(system="test", reason="What is shared"):
        _share(cast, world)
    _tie(cast, world)
    return world


def _share(cast, world: World) -> None:
    now, today = clock.now(), clock.today()
    world.vendors = [_saved(Vendor(name=f"Vendor {n}")) for n in range(VENDORS)]
    base = _saved(
        System(
            name="Handbooks",
            kind="knowledge_collection",
            owner=cast.outsider,
            described_by=cast.second_admin,
            described_at=now,
        )
    )
    for n in range(SYSTEMS):
        world.systems.append(
            _saved(
                System(
                    name=f"System {n}",
                    kind="wiki" if n % 4 == 3 else "bought",
                    vendor=world.vendors[n % VENDORS],
                    owner=None if n == 5 else cast.outsider,
                    regions=["eu-west"],
                    location=f"host-{n}",
                    last_updated_on=today,
                    collection=base if n % 4 == 3 else None,
                    described_by=cast.second_admin,
                    described_at=now,
                )
            )
        )
    world.systems.append(base)
    world.terms = [
        _saved(Term(name=f"term {n}", meaning=f"Meaning {n}", by=cast.seat_architecture, at=now))
        for n in range(TERMS)
    ]
    for n, system in enumerate(world.systems[:SYSTEMS]):
        account = ServiceAccount(
            system=system,
            name=f"svc-{n}",
            owner=None if n % 3 == 0 else cast.outsider,
            privileges="Reads",
            review_by=today + timedelta(days=60),
            opened_by=cast.second_admin,
            opened_at=now,
        )
        world.accounts.append(_saved(account))
        definition = TermDefinition(
            term=world.terms[n % TERMS],
            system=system,
            field=f"field_{n}",
            meaning=f"What system {n} means",
            by=cast.outsider,
            at=now,
        )
        world.definitions.append(_saved(definition))
    world.customisations = [
        _saved(Customisation(system=system, team="Sales", what="Own stages", by=cast.outsider, at=now))
        for system in world.systems[:4]
    ]
    bound = {"starts_on": today, "by": cast.seat_security, "at": now, "allowed": ["EU"], "reference": "MSA"}
    world.vendor_terms = [
        _saved(VendorTerm(vendor=vendor, kind="region", **bound)) for vendor in world.vendors
    ]
    world.policies = [_saved(UnitPolicy(unit=unit, **bound)) for unit in (cast.unit, cast.elsewhere)]
    world.regions = [_saved(Region(key=f"zone-{n}", words="A zone")) for n in range(2)]


def _tie(cast, world: World) -> None:
    for n, system in enumerate(world.systems):
        transfers = [link_actions.Place("Gateway", "eu-west", world.vendors[n % VENDORS])]
        account = world.accounts[n] if n < SYSTEMS else None
        of = {"transfers": transfers, "account": account}
        if n % 4 != 3:  # sources of the collection are reached through it
            factories.make_link(
                cast, world.initiative, system, agreed=system.owner is not None, by=cast.owner, **of
            )
            transfers = [link_actions.Place("Gateway", "eu-west", world.vendors[n % VENDORS])]
            factories.make_link(cast, world.own, system, by=world.stranger, **of)
    with unguarded(*GOVERNED), acting(system="test", reason="What the initiatives speak of"):
        for initiative, person in ((world.initiative, cast.lead), (world.own, world.stranger)):
            for term in world.terms:
                _saved(TermUse(initiative=initiative, term=term, by=person, at=clock.now()))
        for number, days in enumerate((20, 1)):
            world.samples.append(_saved(_sample(world, number, days)))


def _sample(world: World, number: int, days: int) -> Profile:
    """Two profiles by the stranger of what the initiative rests on; the later one says that a column is gone."""
    gone = {"kind": "schema", "column": "field_0", "words": "field_0 is gone."}
    return Profile(
        initiative=world.own,
        system=world.systems[0],
        data_set="customers",
        tool="count",
        file_name="a.csv",
        sha256="0" * 64,
        taken_on=clock.today() - timedelta(days=days),
        rows=1000,
        findings=[gone] if number else [],
        by=world.stranger,
        at=clock.now(),
    )


def _saved(row):
    row.save()
    return row
