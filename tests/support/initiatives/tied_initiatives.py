"""Initiatives tied to systems, and the terms that bind where their data may be: rows as the acts would leave them."""

from datetime import date

from governance import clock
from governance.database.row_history import acting
from initiatives.integration.residency import actions as residency_actions
from initiatives.models import ComponentVersion, Deployment, Link, System, Transfer, Vendor

FROM = date(2026, 1, 1)


def vendor(cast, name: str = "Acme Cloud") -> Vendor:
    return Vendor.objects.filter(name=name).first() or residency_actions.add_vendor(
        name=name, by=cast.seat_security
    )


def system(cast, name: str = "CRM", regions=("CH",), **fields) -> System:
    row = System(
        **{
            "name": name,
            "kind": "bought",
            "owner": cast.steward,
            "regions": list(regions),
            "described_by": cast.lead,
            "described_at": clock.now(),
        }
        | fields
    )
    with acting(by=cast.lead, reason="Described"):
        row.save()
    return row


def link(cast, initiative, to: System, classes=("customer notes",), pattern: str = "feed", **fields) -> Link:
    row = Link(
        **{
            "initiative": initiative,
            "system": to,
            "pattern": pattern,
            "direction": "reads",
            "access": "api",
            "data_classes": list(classes),
            "by": cast.lead,
            "at": clock.now(),
        }
        | fields
    )
    with acting(by=cast.lead, reason="Described"):
        row.save()
    return row


def transfer(cast, of: Link, name: str = "vendor model", region: str = "us-east", **fields) -> Transfer:
    position = Transfer.objects.filter(link=of).count() + 1
    row = Transfer(**{"link": of, "position": position, "name": name, "region": region} | fields)
    with acting(by=cast.lead, reason="Described"):
        row.save()
    return row


def part(cast, initiative, name: str = "Model", versions=()) -> Deployment:
    """A part of the initiative in which deployments follow each other, each (region, from, to); the first of them."""
    number = initiative.deployments.count() + 1
    rows = []
    with acting(by=cast.lead, reason="Described"):
        for index, (region, start, end) in enumerate(versions):
            version = ComponentVersion.objects.create(
                layer="model",
                name=f"{name} {initiative.ref}-{number}",
                version=f"v{index}",
                added_by=cast.lead,
                added_at=clock.now(),
            )
            rows.append(
                Deployment.objects.create(
                    initiative=initiative,
                    part=number,
                    version=version,
                    region=region,
                    runs_from=start,
                    runs_to=end,
                )
            )
    return rows[0]


def term(cast, of: Vendor, **fields):
    """What the vendor's contract says, filed by the security seat: no processing outside the EU, unless told else."""
    return residency_actions.file_vendor_term(
        **{
            "vendor": of,
            "kind": "region",
            "reference": "MSA 4.2",
            "starts_on": FROM,
            "allowed": ["EU"],
            "words": "no processing outside EU",
            "by": cast.seat_security,
        }
        | fields
    )


def policy(cast, unit, **fields):
    return residency_actions.set_unit_policy(
        **{
            "unit": unit,
            "reference": "Data policy 3",
            "starts_on": FROM,
            "forbidden": ["US"],
            "by": cast.seat_security,
        }
        | fields
    )
