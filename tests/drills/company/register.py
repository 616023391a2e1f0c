"""What pages of the register cost.

    python -m tests.drills.company.register [INITIATIVES] [--systems N] [--links N] [--keep]

Systems and links are laid down set-wise over the initiatives of `thousands`, a few systems busy and most used by a
handful, each link with two transfers; what the register says of them is worked out by its own code. Pages are told as
so many A, the bare page of `eligible_signers.pages`, in the same run.
"""

import argparse
import random
import statistics
import time

from tests.drills.company import place, thousands
from tests.drills.company.pages import ROUNDS, asked, bound, get

MOST = {"systems": 4.0, "busy system": 4.0, "integration": 4.0}
QUERIES = {"systems": 20, "busy system": 20, "integration": 20}
BATCH = 500
KINDS = ("bought", "home_grown", "database", "wiki", "file_share")
REGIONS = ("eu-west", "eu-north", "us-east")
PATTERNS = ("feed", "audit", "anchor", "fallback")


def main() -> None:
    """Found the company and its landscape, measure, print."""
    wanted = argparse.ArgumentParser()
    wanted.add_argument("initiatives", type=int, nargs="?", default=10_000)
    wanted.add_argument("--systems", type=int, default=2_000)
    wanted.add_argument("--links", type=int, default=20_000)
    wanted.add_argument("--keep", action="store_true", help="keep the company for the next run")
    given = wanted.parse_args()
    with place.database(f"register_{given.initiatives}" if given.keep else None):
        from django.conf import settings
        from django.db import connection

        from initiatives.models import Link

        settings.ROOT_URLCONF = "tests.drills.company.urls"
        company = thousands.found(given.initiatives)
        began = time.monotonic()
        if not Link.objects.exists():
            landscape(company, given.systems, given.links)
        print(f"{described()}, laid down in {time.monotonic() - began:.0f} s")
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        connection.close()
        pages(company)


def described() -> str:
    """How large the register is, in words."""
    from initiatives.models import Initiative, Link, RequirementFinding, System

    return (
        f"{Initiative.objects.count()} initiatives, {System.objects.count()} systems, {Link.objects.count()} links,"
        f" {RequirementFinding.objects.current().count()} things that the register says"
    )


def landscape(company, systems: int, links: int) -> None:
    """Systems, the first of them busy, and links of running initiatives to them; the same numbers give the same
    landscape.
    """
    from datetime import timedelta

    from django.db import transaction

    from governance import clock
    from governance.database import row_history
    from governance.database.row_history import acting
    from initiatives.lifecycle.facts import finding_rules
    from initiatives.models import Customisation, Initiative, Link, RequirementFinding, System, Transfer

    chance, now, lead = random.Random(systems), clock.now(), company.cast.lead
    with transaction.atomic(), acting(system="drill", reason="Founded"):
        made = row_history.insert_many(
            System,
            [
                System(
                    name=f"System {number}",
                    kind=chance.choice(KINDS),
                    owner=chance.choice([company.cast.outsider, *company.people, None]),
                    regions=[chance.choice(REGIONS)],
                    editable=chance.random() > 0.1,
                    last_updated_on=clock.today() - timedelta(days=chance.randint(0, 700)),
                    described_by=lead,
                    described_at=now,
                )
                for number in range(systems)
            ],
        )
        row_history.insert_many(
            Customisation,
            [
                Customisation(system=system, team=f"Team {n}", what="Statuses", by=lead, at=now)
                for system in made[::20]
                for n in range(4)
            ],
        )
        initiatives = list(
            Initiative.objects.live().filter(stage__in=["prototype", "mvp", "production", "proposed"])
        )
        places = {(chance.choice(initiatives).pk, made[0].pk) for _ in range(links // 20)}
        while len(places) < links:
            # A few systems are used by many, most by a handful.
            system = made[int(systems * chance.random() ** 3)]
            places.add((chance.choice(initiatives).pk, system.pk))
        tied = row_history.insert_many(
            Link,
            [
                Link(
                    initiative_id=initiative,
                    system_id=system,
                    pattern=chance.choice(PATTERNS),
                    direction="reads",
                    access="api",
                    data_classes=["customer notes"],
                    by=lead,
                    at=now,
                )
                for initiative, system in sorted(places)
            ],
        )
        row_history.insert_many(
            Transfer,
            [
                Transfer(link=link, position=number, name=name, region=chance.choice(REGIONS))
                for link in tied
                for number, name in ((1, "Gateway"), (2, "Model"))
            ],
        )
    keys = sorted({initiative for initiative, _ in places})
    for start in range(0, len(keys), BATCH):
        with transaction.atomic(), acting(system="drill", reason="Founded"):
            some = keys[start : start + BATCH]
            said = RequirementFinding.objects.current().filter(
                initiative__in=some
            )  # of measures, which were there
            known = set(said.values_list("initiative", "requirement", "source"))
            rows = [
                RequirementFinding(initiative_id=initiative, **vars(one))
                for initiative, found in finding_rules.wanted(some).items()
                for one in found
                if (initiative, one.requirement, one.source) not in known
            ]
            row_history.insert_many(RequirementFinding, rows)


def pages(company) -> None:
    """Each page in turn with the bare one, for somebody who sees all initiatives, and for somebody who sees few."""
    from django.db.models import Count
    from django.test import Client
    from django.urls import reverse

    from initiatives.models import Initiative, System

    busy = System.objects.annotate(n=Count("links")).order_by("-n").first()
    initiative = Initiative.objects.live().annotate(n=Count("links")).order_by("-n").first()
    print(f"the busiest system has {busy.n} links, the initiative with most {initiative.n}")
    auditor, outsider, seat = company.cast.auditor, company.cast.outsider, company.cast.seat_risk
    wanted = [
        ("systems", auditor, "/systems/"),
        ("systems", seat, "/systems/"),
        ("systems", outsider, "/systems/"),
        ("systems, searched", auditor, "/systems/?q=12&condition=stale"),
        ("systems, last page", auditor, "/systems/?page=99999"),
        ("busy system", auditor, busy.get_absolute_url()),
        ("busy system", outsider, busy.get_absolute_url()),
        ("integration", auditor, reverse("integration", args=[initiative.ref])),
        ("inbox of an owner", outsider, "/"),
    ]
    for words, person, address in wanted:
        client = Client(SERVER_NAME="localhost")
        client.force_login(person)
        bare, page = [], []
        get(client, address)
        get(client, "/bare/")
        for _ in range(ROUNDS):
            bare.append(get(client, "/bare/"))
            page.append(get(client, address))
        one, other = statistics.median(bare), statistics.median(page)
        count = asked(client, address)
        print(
            f"{words} ({person.full_name}): {other:.1f} ms = {other / one:.1f} x A ({one:.1f} ms)"
            f"{bound(words, other / one, MOST)}, {count} queries{bound(words, count, QUERIES)}"
        )


if __name__ == "__main__":
    main()
