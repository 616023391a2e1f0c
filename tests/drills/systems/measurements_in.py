"""Measurements by the million through the API: `python -m tests.drills.systems.measurements_in [MEASUREMENTS] [SEED]`.

Sent by a key, in batches, to the view that systems call: out of order, one in twenty sent again, one in fifty corrected
later, some corrections sent again too. Proved: the series that charts and verdicts read are what a sum in Python over
what stands in the end says, day by day and team by team, and the measurements are as many as were told. Measured: the
minutes it took, and the page of the initiative with its charts.
"""

import json
import random
import sys
import time
from collections import defaultdict
from datetime import timedelta

from tests.drills.company import place

BATCH = 5_000
DAYS, TEAMS = 364, 25
SHUFFLED = 40_000  # so many measurements are on their way at once
MOST_SECONDS, MOST_QUERIES = 2.0, 60


def main(wanted: int, seed: int) -> None:
    """Send, prove, measure, print."""
    with place.database():
        from django.conf import settings
        from django.db import connection
        from django.test import Client
        from django.test.utils import CaptureQueriesContext
        from django.urls import reverse

        from adoption import api as adoption_api
        from adoption.models import Measurement, Tally
        from tests.support import factories

        cast = factories.make_cast()
        initiative = factories.make_mvp(cast)
        measures, token = declare(cast, initiative)
        adoption_api.MEASUREMENTS_A_SECOND = 10**9
        chance, client = random.Random(seed), Client()
        counts, told, began = defaultdict(int), Told(), time.monotonic()
        waiting: list[dict] = []
        for row in rows(wanted, measures, chance, told):
            waiting.append(row)
            if len(waiting) >= SHUFFLED:
                chance.shuffle(waiting)
                waiting = send(client, token, waiting, counts, SHUFFLED // 2)
        chance.shuffle(waiting)
        send(client, token, waiting, counts, len(waiting))
        again = told.corrections(chance)
        send(client, token, again, counts, len(again))
        minutes = (time.monotonic() - began) / 60
        kept = {
            (row.measure_id, row.day, row.team): (row.measurements, row.hits, row.n)
            for row in Tally.objects.all()
        }
        assert kept == told.sums(), "the series is not what was told"
        assert Measurement.objects.count() == told.many, (Measurement.objects.count(), told.many)
        print(
            f"{sum(counts.values())} sent in batches of {BATCH}, {told.many} measurements kept, in {minutes:.1f} "
            f"minutes "
            f"({sum(counts.values()) / minutes / 60:.0f} a second): {dict(counts)}; the series is right: "
            f"{len(kept)} days of teams"
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        client.force_login(cast.owner)
        address = reverse("adoption", args=[initiative.ref])
        settings.ALLOWED_HOSTS.append("testserver")
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            began = time.monotonic()
            answer = client.get(address)
            took = time.monotonic() - began
        assert answer.status_code == 200, answer.status_code
        print(
            f"the page with its charts: {took * 1000:.0f} ms, {len(asked)} queries, {len(answer.content)} bytes"
        )
        assert took < MOST_SECONDS
        assert len(asked) <= MOST_QUERIES


def declare(cast, initiative) -> tuple[list, str]:
    """Two measures of the initiative, and the key of the system that sends their measurements."""
    from adoption.measures import actions as measure_actions
    from tests.support import factories

    common = {
        "population": "The users in scope",
        "source": "Log of the application",
        "intended": 40,
        "baseline": None,
        "baseline_n": None,
    }
    declared = measure_actions.declare_measures(
        initiative=initiative,
        declared=[
            common | {"instrument": "usage.new_way", "words": "Work done with it", "target": 0.5},
            common
            | {
                "instrument": "trust.overrides",
                "words": "Outputs overridden",
                "target": 0.2,
                "teams": [f"Team {n}" for n in range(TEAMS)] + ["Account management"],
            },
        ],
        by=cast.owner,
    )
    _, token = factories.make_key(cast, initiative, scopes=["measurements"])
    return declared, token.text


class Told:
    """What was sent, as the sender knows it."""

    def __init__(self):
        self.current: dict[str, dict] = {}
        self.many = 0

    def corrections(self, chance: random.Random) -> list[dict]:
        """A correction for one in fifty, one in ten of these sent twice."""
        sent = []
        for key in chance.sample(sorted(self.current), len(self.current) // 50):
            old = self.current.pop(key)
            new = old | {
                "key": f"{key}/2",
                "replaces": key,
                "hits": old["hits"] // 2,
                "reason": "Counted twice.",
            }
            self.current[new["key"]] = new
            self.many += 1
            sent += [new] * (2 if chance.random() < 0.1 else 1)
        return sent

    def sums(self) -> dict[tuple, tuple[int, int, int]]:
        """What the current measurements add up to, by measure, day and team."""
        from datetime import date

        found: dict[tuple, list[int]] = defaultdict(lambda: [0, 0, 0])
        for row in self.current.values():
            cell = found[row["measure"], date.fromisoformat(row["to"]), row.get("team", "")]
            cell[0] += 1
            cell[1] += row["hits"]
            cell[2] += row["n"]
        return {key: tuple(cell) for key, cell in found.items()}


def rows(wanted: int, measures: list, chance: random.Random, told: Told):
    """So many measurements, with those that are sent again."""
    from governance import clock

    last = clock.today()
    for number in range(wanted):
        day = (last - timedelta(days=chance.randrange(DAYS))).isoformat()
        n = chance.randint(10, 60)
        measure = measures[number % 2]
        row = {
            "key": f"r{number}",
            "measure": measure.pk,
            "from": day,
            "to": day,
            "hits": chance.randint(0, n),
            "n": n,
        } | ({"team": f"Team {chance.randrange(TEAMS)}"} if number % 2 else {})
        told.current[row["key"]] = row
        told.many += 1
        yield row
        if chance.random() < 0.05:
            yield row


def send(client, token: str, waiting: list[dict], counts: dict, many: int) -> list[dict]:
    """Send so many of them in batches; gives back the rest."""
    for start in range(0, many, BATCH):
        batch = waiting[start : min(many, start + BATCH)]
        answer = client.post(
            "/adoption/v1/measurements",
            json.dumps({"measurements": batch}),
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 200, answer.content[:500]
        said = answer.json()
        assert len(said["measurements"]) == len(batch)
        for state, count in said["counts"].items():
            counts[state] += count
        assert not {"wrong", "differs"} & set(said["counts"]), [
            one for one in said["measurements"] if one["state"] in ("wrong", "differs")
        ][:3]
    return waiting[many:]


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    main(*given, *(100_000, 7)[len(given) :])
