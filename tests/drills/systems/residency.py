"""How long one vendor term takes that touches five hundred initiatives: found, voided, held, recorded, supported stages
rewritten.

    python -m tests.drills.systems.residency [initiatives]

Every initiative is an MVP with evidence of int.residency and prod.maintenance, and a link with two transfers, one of
them of the vendor. The target is two seconds for the whole act (issue 6, must show 5).
"""

import cProfile
import pstats
import sys
import time

MOST_SECONDS = 2.0


def lay_down(cast, count: int):
    """So many initiatives tied to one system through the vendor's transfer, beside one that is not; the vendor."""
    from governance.database.row_history import acting, insert_many
    from initiatives.models import Initiative, Link, System, Transfer, Vendor

    with acting(by=cast.lead, reason="Laid down"):
        acme = Vendor(name="Acme Cloud")
        acme.save()
        from governance import clock

        crm = System(
            name="CRM", kind="bought", regions=["CH"], described_by=cast.lead, described_at=clock.now()
        )
        crm.save()
        initiatives = list(Initiative.objects.filter(stage__in=["mvp", "production"]).order_by("pk")[:count])
        links = insert_many(
            Link,
            [
                Link(
                    initiative=initiative,
                    system=crm,
                    pattern="feed",
                    direction="reads",
                    access="api",
                    data_classes=["customer notes"],
                    by=cast.lead,
                    at=clock.now(),
                )
                for initiative in initiatives
            ],
        )
        insert_many(
            Transfer,
            [
                Transfer(link=link, position=place, name=name, region=region, vendor=vendor)
                for link in links
                for place, (name, region, vendor) in enumerate(
                    [("gateway", "eu-west", None), ("vendor model", "us-east", acme)]
                )
            ],
        )
    return acme, initiatives


def main(count: int) -> int:
    """Run it in a database of its own; returns 1 where the act takes longer than it may."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from governance import clock
    from initiatives.integration.residency import actions as residency_actions
    from initiatives.integration.residency import findings as residency_findings
    from initiatives.lifecycle.findings import sync
    from initiatives.lifecycle.initiative.act import act, batched
    from initiatives.models import Hold
    from tests.drills.company import thousands

    company = thousands.found(round(count * 100 / 30) + 10)
    cast = company.cast
    acme, initiatives = lay_down(cast, count)
    keys = [initiative.pk for initiative in initiatives]
    for some in batched(keys):  # what else the register says of them was said long ago
        with act("laid down", system="drill", register=True):
            sync.follow(sync.lock_initiatives(some))
    fields = {
        "vendor": acme,
        "kind": "region",
        "starts_on": clock.today(),
        "allowed": ["EU"],
        "by": cast.seat_security,
    }
    began = time.perf_counter()
    residency_findings.judge(keys)
    print(f"{len(keys)} initiatives; the rule alone, one statement: {time.perf_counter() - began:.3f} s")
    profile = cProfile.Profile() if "--profile" in sys.argv else None
    with CaptureQueriesContext(connection) as asked:
        began, worked = time.perf_counter(), time.process_time()
        if profile:
            profile.enable()
        term = residency_actions.file_vendor_term(reference="MSA 4.2", **fields)
        if profile:
            profile.disable()
        took, worked = time.perf_counter() - began, time.process_time() - worked
    held = Hold.objects.open().filter(kind="residency").count()
    print(f"filed: {took:.2f} s ({worked:.2f} s of this process), {len(asked)} statements; {held} held")
    for query in sorted(asked.captured_queries, key=lambda one: -float(one["time"]))[:6]:
        print(f"  {query['time']} s  {' '.join(query['sql'].split())[:110]}")
    began = time.perf_counter()
    residency_actions.withdraw_vendor_term(term=term, reason="Misread", by=cast.seat_security)
    print(f"withdrawn: {time.perf_counter() - began:.2f} s")
    if profile:
        pstats.Stats(profile).sort_stats("cumtime").print_stats(45)
    return took > MOST_SECONDS


if __name__ == "__main__":
    from tests.drills.company import place

    with place.database():
        sys.exit(main(next((int(one) for one in sys.argv[1:] if one.isdecimal()), 500)))
