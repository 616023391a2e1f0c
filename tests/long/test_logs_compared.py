"""Acts planted among two thousand, through the doors that systems use: the worker finds every one, and nothing else.

One day, with 20 of each kind planted; `--rounds 500` plants 200 of each on ten days, among a hundred thousand.

What a system does is sent as JSON lines with its key; what it may do it asks. Batches on one allow, cached allows,
what is sent twice, late and out of order, a system that reports a tenth, and chat that means no action are among it. A
change in initiatives/interactions or governance/interaction_log asks for it.
"""

import json
import random
from datetime import timedelta

import pytest
import time_machine

from governance import clock
from governance.authorization import decision_log
from governance.interaction_log import loading, reading
from governance.interaction_log.intake import interactions
from governance.models import Interaction
from governance.vocabulary import LogFindingKind
from initiatives import tasks
from initiatives.interactions.forms import InteractionFilter
from initiatives.models import LogFinding, LogFindingWithdrawal, ReconciledDay, RequirementFinding
from tests.support import factories
from tests.support.servers.asking_systems import System

pytestmark = pytest.mark.django_db

FULL = 500  # rounds
PLANTED = 20  # of each kind, on each day
ACTION = "summarise"
INSIDE = {
    "subject_groups": ["account_managers"],
    "subject_department": "Account management",
    "subject_place": "Zurich",
    "resource_data_class": "customer notes",
    "action_count": 1,
}


class Planted:
    """Days of two systems, written down before they are sent: lines by id, what was planted, when each is sent."""

    def __init__(self, asks: System, samples: System, days: int, times: int):
        self.days, self.times = days, times  # how often on a day something is done
        self.asks, self.samples = asks, samples
        self.draw = random.Random(11)
        self.lines: list[tuple[System, dict]] = []
        self.late: list[tuple[System, dict]] = []
        self.never_asked: set[str] = set()
        self.after_denial: set[str] = set()
        self.other_model: set[str] = set()

    def line(self, name, at, system=None, *, late=False, **said) -> str:
        body = {
            "id": name,
            "at": at.isoformat(),
            "input": "How long is it good for?",
            "output": "Two years.",
            "model": "m-4",
            "version": "m-4-2026-08-06",
            "subject": f"customer {self.draw.randrange(50)}",
        }
        (self.late if late else self.lines).append((system or self.asks, body | said))
        return name

    def allowed(self, number: int, *, system: System, sampled: float | None = None) -> None:
        """One request that is allowed, and what is done on it: once, as a batch, cached, again."""
        answer = system.ask(ACTION, **INSIDE)
        assert answer["decision"] is True, answer
        at, named = clock.now(), self.draw.random() < 0.7
        told = {"action": ACTION} | ({"decision": answer["context"]["id"]} if named else {})
        if sampled is not None:
            if self.draw.random() > sampled:
                return
            told["sampled"] = sampled
        for turn in range(self.draw.choice([1, 1, 1, 3])):
            late = self.draw.random() < 0.1
            self.line(f"a{number}.{turn}", at + timedelta(milliseconds=100 * turn), system, late=late, **told)
        if self.draw.random() < 0.2:
            report = {"decision": answer["context"]["id"], "outcome": "done"}
            assert system.report(report).status_code in (200, 201, 204)

    def send(self, lines) -> None:
        """Send lines out of order and some of them twice, and have the worker bring them over."""
        lines = lines + self.draw.sample(lines, len(lines) // 10)
        self.draw.shuffle(lines)
        for system in (self.asks, self.samples):
            mine = [json.dumps(body) for of, body in lines if of is system]
            for place in range(0, len(mine), 400):
                answer = system.send("/access/v1/interactions", "\n".join(mine[place : place + 400]))
                assert answer.status_code == 200, answer.content
        interactions.bring_over()
        loading.loader.bring_orphans(interactions._folder)
        decision_log.decisions.bring_over()


@pytest.fixture
def planted(cast, initiative, rounds) -> Planted:
    """What is to be planted, at what length."""
    scopes = ["evaluate", "interactions"]
    asks = System(factories.make_key(cast, initiative, scopes=scopes)[1].text)
    samples = System(factories.make_key(cast, initiative, scopes=scopes, system="Batch summaries")[1].text)
    return Planted(asks, samples, *((10, 4_000) if rounds >= FULL else (1, 800)))


def plant_day(day: Planted, date: int) -> None:
    """One day, from now on; its numbers begin with `date`."""
    every, start = day.times // PLANTED, clock.now()
    with time_machine.travel(start, tick=False) as moment:
        for turn in range(day.times):
            number = date * 100_000 + turn
            moment.shift(7)
            day.allowed(number, system=day.asks)
            day.line(f"c{number}", clock.now(), operation="chat")
            if turn % 4 == 0:
                moment.shift(7)
                day.allowed(50_000 + number, system=day.samples, sampled=0.1)
            if turn % every == 0:  # far from every allow: nothing can be meant but a denial, or nobody's word
                moment.shift(300)
                day.never_asked.add(day.line(f"n{number}", clock.now(), action=ACTION))
                moment.shift(300)
                answer = day.asks.ask(ACTION, **INSIDE | {"resource_data_class": "health records"})
                assert answer["decision"] is False, answer
                told = {"action": ACTION, "decision": answer["context"]["id"]}
                late = turn % (2 * every) == 0
                day.after_denial.add(day.line(f"d{number}", clock.now(), late=late, **told))
                other = ("m-9", "") if late else ("m-4", "m-4-mini")
                name = day.line(f"m{number}", clock.now(), operation="chat", model=other[0], version=other[1])
                day.other_model.add(name)
                moment.shift(300)


def reconcile() -> None:
    """What the worker does until no day waits any more: each run ends after some minutes."""
    tasks.reconcile_logs()
    while ReconciledDay.objects.filter(due=True, judged_at=None).exists():
        tasks.reconcile_logs()


def rows_of(initiative, chosen: str) -> list[Interaction]:
    """What the list of the log shows when this is chosen."""
    form = InteractionFilter({"found": chosen}, keys=initiative.contract.keys.all(), people=True)
    return list(reading.rows(initiative.number, form.compared(initiative)))


def names_of(rows) -> set[str]:
    return {reading.opened(row).report.id for row in rows}


def test_every_act_that_was_planted_is_found_and_nothing_else(initiative, planted):
    start = clock.midnight_before(clock.today() + timedelta(days=1)) + timedelta(
        hours=6
    )  # its contract is in force
    for number in range(planted.days):
        with time_machine.travel(start + timedelta(days=number)):
            plant_day(planted, number)
    count = PLANTED * planted.days
    assert {len(planted.never_asked), len(planted.after_denial), len(planted.other_model)} == {count}
    last = start + timedelta(days=planted.days - 1)
    with time_machine.travel(last + timedelta(hours=16)):
        planted.send(planted.lines)
        reconcile()
        early = LogFinding.objects.count()
        assert names_of(rows_of(initiative, LogFindingKind.NEVER_ASKED)) == planted.never_asked
    with time_machine.travel(last + timedelta(hours=17, minutes=50)):
        planted.send(planted.late)
        reconcile()
        logged = Interaction.objects.filter(initiative_number=initiative.number).count()
        print(f"{logged} interactions, {count} planted of each of three kinds")
        assert logged > 2.3 * planted.days * planted.times
        assert names_of(rows_of(initiative, LogFindingKind.NEVER_ASKED)) == planted.never_asked
        assert names_of(rows_of(initiative, LogFindingKind.AFTER_DENIAL)) == planted.after_denial
        assert names_of(rows_of(initiative, LogFindingKind.OTHER_MODEL)) == planted.other_model
        assert not LogFinding.objects.filter(probable=True).exists()
        kinds = {kind: LogFinding.objects.filter(kind=kind).count() for kind in LogFindingKind}
        models = 2 * planted.days
        assert kinds == {"never_asked": count, "after_denial": count, "other_model": models, "silent": 0}
        assert LogFinding.objects.count() > early > 0
        assert not LogFindingWithdrawal.objects.exists(), "what came late took nothing back"
        rows = list(ReconciledDay.objects.exclude(judged_at=None).filter(calls__gt=0))
        assert len(rows) == planted.days
        for row in rows:
            found = (row.never_asked, row.after_denial, row.not_done, row.open)
            assert found == (PLANTED, PLANTED, 0, 0)
            assert row.sampling
            assert row.unnamed == {"chat": planted.times + PLANTED}
        done = rows_of(initiative, "done")
        assert not names_of(done[:50]) & (planted.never_asked | planted.after_denial)
        sources = {
            one.source.split(":")[1]
            for one in RequirementFinding.objects.current()
            if "interactions" in one.source
        }
        assert sources == {"never_asked", "after_denial", "other_model"}
        reconcile()
        assert LogFinding.objects.count() == 2 * count + models
