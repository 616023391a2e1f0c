"""What standings cost where systems ask: `python -m tests.drills.company.standings [CASES] [--decisions N] [--days N]`.

A company of `thousands`, decided by the shipped rulebook. Each case in MVP and production has a scope and a key,
and its system asks: a million decisions, evenly over the month before and the days to come. Told are the seconds to
publish the rulebook and to work out every standing anew; and, day by day as the beat knocks, how many standings are
rewritten because of the log, of the register and of time, and how many say something else than the day before.
One case in ten serves more people than its scope declares. Nobody verifies the digests of these decisions.
"""

import argparse
import random
import secrets
import time
from datetime import date, timedelta

from tests.drills.company import pages, place, thousands

BEFORE = 30  # days of decisions before the first that is lived
PEOPLE = 40  # who ask, of each case
ASKING = ("mvp", "production")
FIELDS = ("supported", "shortfall", "label", "held", "gaps", "profile", "to_verify", "next_stale_on")

DECISIONS = """
INSERT INTO governance_policydecision
  (at, case_number, version_number, contract_digest, key_id, subject, action, resource, outcome, code, clauses, reason,
   request, request_id, took_us, batch_id, place, digest)
SELECT %(midnight)s::timestamptz + random() * interval '86399 seconds', number, 1, '', key_id,
       'user:' || floor(random() * %(people)s)::int, 'read', 'record:' || n, said, CASE said WHEN 'allow' THEN 'allowed'
       ELSE 'edge_policy' END, '[1]', 'Clause 1.', '{"action": {"name": "read"}}', '', 300, %(batch)s, n,
       sha256(convert_to(%(batch)s || '-' || n, 'UTF8'))
  FROM (SELECT n, keys.*, CASE WHEN random() < 0.9 THEN 'allow' ELSE 'deny' END AS said
          FROM generate_series(1, %(count)s) n
          JOIN (SELECT i.number, k.id AS key_id, row_number() OVER (ORDER BY k.id) AS place, count(*) OVER () AS every
                  FROM governance_servicekey k JOIN initiatives_initiative i USING (contract_id)) keys
            ON keys.place = 1 + (n * 7919 + %(day)s) %% keys.every) asked"""
DIGEST = """
SELECT encode(sha256(string_agg(digest, ''::bytea ORDER BY place)), 'hex'), min(at), max(at)
  FROM governance_policydecision WHERE batch_id = %s"""


def main() -> None:
    """Found, decide, live, print."""
    asked = argparse.ArgumentParser()
    asked.add_argument("cases", type=int, nargs="?", default=10_000)
    asked.add_argument("--decisions", type=int, default=1_000_000, help="in all (default: 1,000,000)")
    asked.add_argument("--days", type=int, default=8, help="days that are lived (default: 8)")
    asked.add_argument("--keep", action="store_true", help="keep the company for the next run")
    given = asked.parse_args()
    with place.database(f"standings_{given.cases}" if given.keep else None):
        from governance import clock
        from governance.models import ServiceKey
        from governance.rulebook import shipped_text
        from tests.support import factories

        company = thousands.found(given.cases)
        print(
            f"{given.cases} cases, {company.evidence} items of evidence: {company.seconds:.0f} s", flush=True
        )
        if not ServiceKey.objects.exists():
            began = time.monotonic()
            factories.make_rulebook(
                company.cast.admin, company.cast.chair, source=shipped_text(), takes_effect="at_once"
            )
            print(f"1.0 published at once: {time.monotonic() - began:.0f} s", flush=True)
            began, keys = time.monotonic(), systems(company)
            first = clock.today() - timedelta(days=BEFORE - 1)
            decide(first, BEFORE + given.days, given.decisions)
            took = time.monotonic() - began
            print(f"{given.decisions} decisions by {keys} keys: {took:.0f} s", flush=True)
        live(given.days)
        pages.standings()


def systems(company) -> int:
    """A scope, a contract and a key for each case that asks; how many there are."""
    from django.db import transaction
    from django.db.models import Case, Value, When

    from governance import clock
    from governance.database import row_history
    from governance.database.row_history import acting
    from governance.models import Contract, ServiceKey
    from initiatives.models import Initiative, ScopeVersion
    from tests.support.attacks.unguarded_writes import unguarded

    chance, now, by = random.Random(company.cases), clock.now(), company.cast.admin
    cases = list(Initiative.objects.filter(stage__in=ASKING, basis="import", contract=None).order_by("pk"))
    with transaction.atomic(), acting(by=by, reason="Founded"):
        contracts = row_history.insert_many(Contract, [Contract(title=case.title) for case in cases])
        keys = [
            ServiceKey(
                contract=contract,
                system="bench",
                public=f"bench{contract.pk}",
                secret_hash=secrets.token_hex(32),
                scopes=["evaluate"],
                principal=by,
                made_by=by,
                made_at=now,
                expires_at=now + timedelta(days=365),
            )
            for contract in contracts
        ]
        with unguarded("governance_servicekey"):  # an admin makes no keys, nor before there is a case
            row_history.insert_many(ServiceKey, keys)
        row_history.insert_many(
            ScopeVersion,
            [
                ScopeVersion(
                    initiative=case,
                    number=1,
                    users="Clerks",
                    user_count=PEOPLE // 2 if chance.random() < 0.1 else PEOPLE,
                    starts_at=now,
                    by=by,
                )
                for case in cases
            ],
        )
        pairs = list(zip(cases, contracts, strict=True))
        for start in range(0, len(pairs), 500):
            some = pairs[start : start + 500]
            whose = Case(*(When(pk=case.pk, then=Value(contract.pk)) for case, contract in some))
            row_history.update_where(Initiative, [case.pk for case, _ in some], contract=whose)
    return len(cases)


def decide(first: date, days: int, count: int) -> None:
    """So many decisions, evenly over these days and the keys; each day's are one batch."""
    from django.db import connection, transaction

    from governance import clock
    from governance.database.row_history import acting
    from governance.models import DecisionBatch

    for day in range(days):
        midnight = clock.midnight_before(first + timedelta(days=day))
        share = count // days + (day < count % days)
        with transaction.atomic(), acting(system="bench", reason="Founded"), connection.cursor() as cursor:
            cursor.execute("SELECT plumbline_decisions_of(%s)", [midnight])
            cursor.execute("SELECT nextval(pg_get_serial_sequence('governance_decisionbatch', 'id'))")
            (batch,) = cursor.fetchone()
            about = {"midnight": midnight, "people": PEOPLE, "batch": batch, "count": share, "day": day}
            cursor.execute(DECISIONS, about)
            cursor.execute(DIGEST, [batch])
            digest, first_at, last_at = cursor.fetchone()
            DecisionBatch.objects.create(
                id=batch,
                spool=f"bench-{batch}",
                count=share,
                first_at=first_at,
                last_at=last_at,
                digest=digest,
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def live(days: int) -> None:
    """What the beat does for standings early in each morning, and what they say afterwards."""
    from governance import clock
    from initiatives.findings import decision_days, sync
    from initiatives.models import Standing
    from initiatives.stages import periodic

    today, was, moved = clock.today(), said(), []
    for day in range(1, days + 1):
        with clock.simulated(clock.midnight_before(today + timedelta(days=day)) + timedelta(hours=4)) as now:
            told = []
            for words, sweep in (
                ("counted", decision_days.count),
                ("register", sync.follow_register),
                ("recomputed", periodic.recompute),
            ):
                began = time.monotonic()
                sweep()
                told.append(f"{words} in {time.monotonic() - began:.1f} s")
            rewritten = Standing.objects.filter(computed_at=now).count()
            is_now = said()
        other = [key for key in is_now if is_now[key] != was.get(key)]
        stages = sum(is_now[key][0] != was[key][0] for key in other if key in was)
        moved.append(len(other))
        print(
            f"day {day}: {', '.join(told)}; {rewritten} rewritten, {len(other)} say something else, "
            f"{stages} another stage",
            flush=True,
        )
        was = is_now
    print(f"{sum(moved) / len(moved):.0f} standings a day say something else than the day before")


def said() -> dict[int, tuple]:
    """What each standing says now."""
    from governance import clock
    from initiatives.models import Span

    rows = Span.objects.covering(clock.now()).values_list("initiative_id", *FIELDS)
    return {key: tuple(map(repr, told)) for key, *told in rows}


if __name__ == "__main__":
    main()
