"""What initiatives are tied to: one whose register is in order, one that found four knowledge bases instead of one."""

from datetime import date, timedelta
from decimal import Decimal

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile

from adoption.demo.chapters import Tale
from adoption.demo.initiatives import INITIATIVES
from adoption.demo.people import Company
from adoption.demo.texts import SOURCES
from governance import clock
from initiatives.contracts.documents import control_mapping
from initiatives.integration.components.register import actions as register_actions
from initiatives.integration.definitions import actions as definition_actions
from initiatives.integration.links import actions as link_actions
from initiatives.integration.links.actions import Place
from initiatives.integration.profiles import actions as profile_actions
from initiatives.integration.residency import actions as residency_actions
from initiatives.integration.resilience import process_actions, traces
from initiatives.integration.systems import accounts
from initiatives.integration.systems import actions as system_actions
from initiatives.models import DefinitionConflict, Link, System, Vendor
from initiatives.portfolio.efforts import actions as effort_actions

MODEL_VENDOR = "Tessera"
TESSERA_TERM = "Tessera master agreement, clause 7.3"
RATE = 110  # euros an hour of work
# Two layers a week, the newest week first.
HOURS = (
    ("observability", "9.5"), ("integration", "22"), ("integration", "31"), ("policy", "6"), ("integration", "27.5"),
    ("runtime", "12"), ("application", "14"), ("integration", "18"), ("model", "11"), ("application", "16"),
    ("model", "24"), ("integration", "4"),
)  # fmt: skip


def of_summary(company: Company, tale: Tale) -> None:
    """The CRM and the billing system, described long before the trial, and agreed to by their owners."""
    with tale.day(326):
        vendor = Vendor.objects.get(name=MODEL_VENDOR)
        residency_actions.file_vendor_term(
            vendor=vendor,
            kind="region",
            reference=TESSERA_TERM,
            words="The processor keeps personal data within the European Union and Switzerland.",
            starts_on=clock.today(),
            allowed=["EU", "CH"],
            by=tale.team.seats["security_privacy"],
        )
    with tale.day(324):
        crm = system_actions.describe_system(
            name="CRM",
            kind="bought",
            location="crm.northgate.example",
            purpose="Accounts, contacts, notes of every call.",
            owner=company["nora"],
            source_of_truth_for=["customer", "account"],
            last_updated_on=clock.today(),
            in_service_since=date(2014, 3, 1),
            regions=["eu-west"],
            by=tale.team.owner,
        )
        for team, what in (
            ("Sales operations", "Own stages of an opportunity"),
            ("Service", "Cases beside the standard ones"),
            ("Finance", "A field for the payer, filled by hand"),
        ):
            system_actions.add_customisation(
                system=crm, team=team, what=what, since=date(2019, 1, 15), by=tale.team.owner
            )
        billing = system_actions.describe_system(
            name="Billing",
            kind="home_grown",
            location="billing.northgate.example",
            purpose="Invoices, payers, what is still open.",
            owner=company["priya"],
            source_of_truth_for=["invoice", "payer"],
            last_updated_on=clock.today(),
            in_service_since=date(2008, 9, 1),
            regions=["CH"],
            by=tale.team.owner,
        )
        for system, purpose in ((crm, "Notes of the last two years"), (billing, "Open invoices")):
            account = accounts.open_account(
                system=system,
                name=f"svc-summary-{system.name.lower()}",
                owner=tale.team.lead,
                privileges="Reads accounts of the pilot teams; writes nothing.",
                review_by=tale.today + timedelta(days=60),
                by=tale.team.owner,
            )
            _link(tale, system, vendor, purpose, account)
    with tale.day(320):
        tale.agree_to_links()


def _link(tale: Tale, system: System, vendor: Vendor, purpose: str, account) -> Link:
    return link_actions.add_link(
        initiative=tale.again(),
        system=system,
        pattern="anchor",
        direction="reads",
        access="api",
        purpose=purpose,
        account=account,
        data_classes=["customer notes"],
        timeout_seconds=8,
        retry="Twice, then it gives up",
        on_failure="The summary leaves that part out and says so.",
        told_users="“Billing did not answer; the open invoices are missing.”",
        transfers=[
            Place("Integration gateway", region="eu-west"),
            Place(f"Model of {vendor}", region=tale.words.region, vendor=vendor),
        ],
        by=tale.team.owner,
    )


def agreed_on_customer(tale: Tale, ago: int) -> None:
    """Two systems mean two things by "customer"; it is found by comparing them, and the steward resolves it."""
    systems = {
        link.system.name: link.system for link in Link.objects.current().filter(initiative=tale.initiative)
    }
    with tale.day(ago):
        definition_actions.name_term(
            name="customer",
            meaning="Whoever buys from us.",
            by=tale.team.seats["architecture_integration"],
        )
        used = definition_actions.use_term(initiative=tale.again(), name="customer", by=tale.team.owner)
        for name, since, said in (
            ("CRM", 2014, {
                "field": "account_id", "counted_unit": "company", "includes": "prospects, former customers",
                "meaning": "A company that somebody talks to, whether it bought or not", "identifier_mask": '"C-"9{6}',
            }),
            ("Billing", 2008, {
                "field": "responsible_no", "counted_unit": "address", "excludes": "prospects",
                "meaning": "Whoever an invoice is sent to; one for each address", "identifier_mask": "9{8}",
            }),
        ):  # fmt: skip
            definition_actions.define(
                term=used.term,
                system=systems[name],
                valid_from=date(since, 1, 1),
                by=tale.team.owner,
                **said,
            )
    with tale.day(ago - 2):
        for conflict in DefinitionConflict.objects.filter(
            initiative=tale.initiative, decided_at__isnull=True
        ):
            definition_actions.reconcile(
                conflict=conflict,
                decision="A summary is of one account; what its addresses owe is added up under it.",
                mapping=[
                    {"one": "C-004711", "other": "20004711", "note": "head office"},
                    {"one": "C-004711", "other": "20004790", "note": "branch in Lyon"},
                ],
                by=tale.team.steward,
            )


def worked(tale: Tale, ago: int, weeks: int, *, waited: dict[str, int]) -> None:
    """What these weeks took, layer by layer, noted together: the model is the small part. `waited`: days, for whom."""
    with tale.day(ago):
        initiative, this = tale.again(), clock.today()
        for number, (layer, hours) in enumerate(HOURS[: weeks * 2]):
            week = this - timedelta(weeks=number // 2)
            effort_actions.note_effort(
                initiative=initiative,
                layer=layer,
                week=week,
                hours=Decimal(hours),
                money=Decimal(hours) * RATE,
                currency="EUR",
                by=tale.team.owner,
            )
        for number, (words, days) in enumerate(waited.items()):
            effort_actions.note_effort(
                initiative=initiative,
                layer="integration",
                week=this - timedelta(weeks=number),
                waited_days=Decimal(days),
                waits_for_words=words,
                by=tale.team.owner,
            )


def four_knowledge_bases(company: Company, tale: Tale) -> None:
    """What everybody called the knowledge base: one is maintained, two went out of date, nobody owns the last."""
    with tale.day(146):
        base = system_actions.describe_system(
            name="Knowledge base of customer service",
            kind="knowledge_collection",
            purpose="How a ticket is answered.",
            regions=["eu-west"],
            owner=company["oona"],
            by=tale.team.owner,
        )
        for name, kind, fields in (
            ("Answers for agents", "wiki", {"owner": company["oona"], "last_updated_on": clock.today()}),
            ("Answers of 2023", "wiki", {"owner": company["yara"], "last_updated_on": date(2023, 11, 6)}),
            ("Wiki of the call centre", "wiki", {"owner": company["ben"], "editable": False}),
            ("Shared folder “Service”", "file_share", {"organised_on": date(2019, 5, 2)}),
        ):
            system_actions.describe_system(
                name=name, kind=kind, collection=base, by=tale.team.owner, **fields
            )
        link_actions.add_link(
            initiative=tale.again(),
            system=base,
            pattern="feed",
            direction="reads",
            access="connector",
            purpose="Drafts of answers",
            data_classes=["customer questions"],
            by=tale.team.owner,
        )


def explored(tale: Tale, ago: int) -> None:
    """What its people wrote down of it: how the work goes, why it is built so, where its answers come from."""
    with tale.day(ago):
        initiative = tale.again()
        crm = Link.objects.current().get(initiative=initiative, system__name="CRM").system
        process_actions.record_process(
            initiative=initiative,
            name="Preparing a call",
            status="documented",
            as_is=[
                {
                    "who": "Account manager",
                    "what": "reads the notes of two years and looks for open invoices",
                },
                {"who": "Account manager", "what": "writes what was agreed on a sheet, and calls"},
            ],
            to_be=[
                {"who": "Assistant", "what": "summarises the account, with the row behind each sentence"},
                {"who": "Account manager", "what": "opens the rows that matter, and calls"},
                {"who": "Owner", "what": "approves each letter before it leaves the team"},
            ],
            by=tale.team.owner,
        )
        control_mapping.record_architecture_decision(
            initiative=initiative,
            title="The summary is written beside the CRM, not in it",
            text="In the CRM it could have written into accounts by itself. Beside it, it can only read; a person "
            "copies what is right. Not chosen: the module of the CRM's vendor, which keeps no log of what it saw.",
            decided_on=clock.today() - timedelta(days=1),
            by=tale.team.lead,
        )
        rows = [f"S-{number},CRM: account {4000 + number}" for number in range(60)]
        traces.add_trace_sample(
            initiative=initiative,
            title="Sixty summaries",
            taken_on=clock.today(),
            result="pass",
            file=ContentFile("\n".join(["output,source", *rows, ""]).encode(), "summaries.csv"),
            by=tale.team.lead,
        )
        notes = [
            f"{place},C-{4000 + place % 90},{place % 7 * 40},2026-{place % 9 + 1:02}"
            for place in range(1, 400)
        ]
        profile_actions.add_profile(
            initiative=initiative,
            system=crm,
            upload=SimpleUploadedFile(
                "notes.csv", "\n".join(["id,account,words,month", *notes, ""]).encode()
            ),
            data_set="Account notes",
            taken_on=clock.today(),
            by=tale.team.lead,
        )


def policy_of_finance(company: Company) -> None:
    """What a unit allows: where the data of its initiatives may be."""
    residency_actions.set_unit_policy(
        unit=company.units["finance"],
        reference="Finance policy 14: data of suppliers",
        words="Invoices and payments stay in the Union and Switzerland.",
        starts_on=clock.today(),
        allowed=["EU", "CH"],
        by=company["seat-security"],
    )


def through_vendor(tale: Tale, ago: int) -> None:
    """Its link is seen to end at the vendor of its model."""
    with tale.day(ago):
        vendor = Vendor.objects.get(name=tale.words.vendor)
        link_actions.change_link(
            link=Link.objects.current().get(initiative=tale.again()),
            transfers=[
                Place("Integration gateway", region=tale.words.region),
                Place(f"Model of {vendor}", region=tale.words.region, vendor=vendor),
            ],
            by=tale.team.owner,
        )


def vendor_term_that_bites(company: Company) -> None:
    """A term of a vendor that forbids the region to which an initiative sends its data: it is held."""
    risk = company["seat-security"]
    vendor = Vendor.objects.get(name="Northlight")
    residency_actions.file_vendor_term(
        vendor=vendor,
        kind="region",
        reference="Northlight order form, annex 2",
        words="Images are read in the United States; no other place is offered.",
        starts_on=clock.today(),
        allowed=["US"],
        by=risk,
    )


def models_in_use(company: Company) -> None:
    """List the models that the stories run, before the first of them does: many run the same."""
    told = [words for words in INITIATIVES.values() if words.task]
    models = {(words.vendor, words.part, words.version, words.region) for words in told}
    for vendor, name, version, region in sorted(models):
        maker = _vendor(company, vendor) if vendor else None
        register_actions.keep_component(
            layer="model", vendor=maker, name=name, version=version, region=region, by=company["admin"]
        )


def systems_in_use(company: Company) -> None:
    """Describe the system that each unit works with, before the first story links to one."""
    for name, purpose, owner in SOURCES.values():
        system_actions.describe_system(
            name=name,
            kind="home_grown",
            purpose=purpose,
            owner=company[owner],
            in_service_since=date(2012, 4, 1),
            regions=["eu-west"],
            by=company["admin"],
        )


def _vendor(company: Company, name: str) -> Vendor:
    return Vendor.objects.filter(name=name).first() or residency_actions.add_vendor(
        name=name, by=company["admin"]
    )


def model_near_its_end(company: Company, ends_on: date) -> None:
    """A model of the register whose vendor stops supporting it on a day, and what follows it."""
    admin, vendor = company["admin"], _vendor(company, "Modelwright")
    newer = register_actions.keep_component(
        layer="model", vendor=vendor, name="Scribe", version="5", region="eu-west", by=admin
    )
    register_actions.keep_component(
        layer="model",
        vendor=vendor,
        name="Scribe",
        version="4",
        region="eu-west",
        end_of_life=ends_on,
        end_of_life_source="Modelwright, calendar of models",
        successor=newer,
        by=admin,
    )
