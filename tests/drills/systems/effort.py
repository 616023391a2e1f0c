"""Effort in Insights in a company of any size: `python -m tests.drills.systems.effort [INITIATIVES] [LINES]`.

So many initiatives, which are ideas without evidence because no figure here looks at it, and so many lines of effort
over two years, a third of them with waiting. Measured: the page, the lines behind a figure, the file, for an auditor
who sees everything and for somebody of one board; how often each asks the database; the page of the initiative with
most lines.
"""

import argparse
import random
import statistics
import time
from datetime import timedelta
from decimal import Decimal

from tests.drills.company import place, thousands

ROUNDS = 7
MOST_SECONDS, MOST_QUERIES = 2.0, 20
LAYERS = (
    "integration",
    "integration",
    "integration",
    "policy",
    "application",
    "runtime",
    "observability",
    "model",
)


def main() -> None:
    """Lay down, measure, print."""
    asked = argparse.ArgumentParser()
    asked.add_argument("initiatives", type=int, nargs="?", default=10_000)
    asked.add_argument("lines", type=int, nargs="?", default=200_000)
    asked.add_argument("--keep", action="store_true", help="keep the company for the next run")
    given = asked.parse_args()
    with place.database(f"effort_{given.initiatives}" if given.keep else None):
        from django.db import connection

        began = time.monotonic()
        cast, folk = found(given.initiatives)
        busiest = lay_down(cast, folk, given.lines)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        print(
            f"{given.initiatives} initiatives and {given.lines} lines of effort, "
            f"laid down in {time.monotonic() - began:.0f} s"
        )
        measure(cast, busiest)


def found(initiatives: int) -> tuple:
    """So many ideas in forty units, and the cast and people of the company."""
    from django.db import transaction

    from governance import clock
    from governance.database import row_history
    from governance.database.row_history import acting
    from governance.models import User
    from initiatives.models import Initiative
    from initiatives.portfolio.registration.actions import next_numbers
    from tests.support import factories

    if User.objects.exists():
        return factories.cast_again(), list(User.objects.filter(login__startswith="person-"))
    cast = factories.make_cast()
    folk, places = thousands._folk(300), thousands._places(cast, 40)
    now, chance = clock.now(), random.Random(initiatives)
    for start in range(0, initiatives, 2_500):
        with transaction.atomic(), acting(by=cast.admin, reason="Founded"):
            row_history.insert_many(
                Initiative,
                [
                    Initiative(
                        number=number,
                        title=f"Idea {number}",
                        unit=chance.choice(places),
                        problem="It takes long.",
                        since=now,
                        registered_at=now,
                        registered_by=chance.choice(folk),
                    )
                    for number in next_numbers(min(2_500, initiatives - start))
                ],
            )
    return cast, folk


def lay_down(cast, folk, lines: int):
    """Lines of effort by chance, the same for the same numbers; returns the initiative that has most of them."""
    from django.db import transaction

    from governance import clock
    from governance.database import row_history
    from governance.database.row_history import acting
    from initiatives.models import Effort, Initiative, System
    from initiatives.portfolio.efforts.effort_import import monday

    chance = random.Random(lines)
    with transaction.atomic(), acting(system="drill", reason="Founded"):
        systems = [
            System(name=f"System {n}", kind="bought", described_by=cast.admin, described_at=clock.now())
            for n in range(200)
        ]
        row_history.insert_many(System, systems)
    keys = list(Initiative.objects.order_by("pk").values_list("pk", flat=True))
    this, now = monday(clock.today()), clock.now()
    left = lines - Effort.objects.count()
    while left > 0:
        rows = []
        for _ in range(min(left, 5_000)):
            waits, kind = chance.random() < 0.33, chance.random()
            rows.append(
                Effort(
                    initiative_id=keys[int(len(keys) * chance.random() ** 2)],
                    layer=chance.choice(LAYERS),
                    week=this - timedelta(weeks=chance.randrange(104)),
                    hours=Decimal(chance.randint(1, 160)) / 4,
                    money=Decimal(chance.randint(10, 9000)) if kind < 0.05 else None,
                    currency=chance.choice(("EUR", "USD", "SEK")) if kind < 0.05 else "",
                    waited_days=Decimal(chance.randint(1, 10)) if waits else None,
                    waits_for=chance.choice(folk) if waits and kind < 0.4 else None,
                    waits_for_system=chance.choice(systems) if waits and 0.4 <= kind < 0.8 else None,
                    waits_for_words=f"team {chance.randrange(300)}" if waits and kind >= 0.8 else "",
                    words="Mapped a field",
                    by=cast.admin,
                    at=now,
                )
            )
        with transaction.atomic(), acting(system="drill", reason="Founded"):
            row_history.insert_many(Effort, rows, batch_size=5_000)
        left -= len(rows)
    return Initiative.objects.get(pk=keys[0])


def measure(cast, busiest) -> None:
    """Each page, its median time and how often it asks."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from governance import clock
    from initiatives.portfolio.efforts.effort_import import monday

    since = monday(clock.today()) - timedelta(weeks=13)
    pages = {
        "money": reverse("insights-money"),
        "people": reverse("insights-people"),
        "its last quarter": f"{reverse('insights-money')}?since={since}",
        "lines behind a figure": f"{reverse('efforts')}?layer=integration&kind=waiting",
        "page of the busiest initiative": reverse("integration-effort", args=[busiest.ref]),
    }
    for who in ("auditor", "chair"):
        client = Client(SERVER_NAME="localhost")
        client.force_login(getattr(cast, who))
        for name, page in pages.items():
            client.get(page)
            took = []
            for _ in range(ROUNDS):
                with CaptureQueriesContext(connection) as queries:
                    began = time.monotonic()
                    answer = client.get(page)
                    took.append(time.monotonic() - began)
                assert answer.status_code == 200, (page, answer.status_code)
            slow = statistics.median(took)
            told = "" if slow <= MOST_SECONDS and len(queries) <= MOST_QUERIES else "  OVER"
            print(f"  {who:<8} {name:<26} {slow:6.3f} s  {len(queries):>3} questions{told}")
        began = time.monotonic()
        answer = client.get(reverse("efforts") + "?format=csv")
        size = sum(len(part) for part in answer.streaming_content)
        print(
            f"  {who:<8} {'the file, all lines':<26} {time.monotonic() - began:6.1f} s  {size / 1e6:.1f} MB"
        )


if __name__ == "__main__":
    main()
