"""Acts planted among two thousand, through the doors that systems use: the worker finds every one, and nothing else.

What a system does is sent as JSON lines with its key; what it may do it asks. Batches on one allow, cached allows,
what is sent twice, late and out of order, a system that reports a tenth, and chat that means no action are among it.
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
from initiatives.models import LogFinding, LogFindingWithdrawal, ReconciledDay, Shortcoming
from tests.support import factories
from tests.support.servers.asking_systems import System

pytestmark = pytest.mark.django_db

PLANTED = 20
ACTION = "summarise"
INSIDE = {
    "subject_groups": ["account_managers"],
    "subject_department": "Account management",
    "subject_place": "Zurich",
    "resource_data_class": "customer notes",
    "action_count": 1,
}


class Planted:
    """One day of two systems, written down before it is sent: lines by id, what was planted, when each is sent."""

    def __init__(self, asks: System, samples: System):
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
        """One question that is allowed, and what is done on it: once, as a batch, cached, again."""
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
def case(cast):
    return factories.make_mvp(cast)


def planted_day(cast, case) -> Planted:
    scopes = ["evaluate", "interactions"]
    asks = System(factories.make_key(cast, case, scopes=scopes)[1].text)
    samples = System(factories.make_key(cast, case, scopes=scopes, system="Batch summaries")[1].text)
    day = Planted(asks, samples)
    start = clock.now()
    with time_machine.travel(start, tick=False) as moment:
        for number in range(800):
            moment.shift(7)
            day.allowed(number, system=asks)
            day.line(f"c{number}", clock.now(), operation="chat")
            if number % 4 == 0:
                moment.shift(7)
                day.allowed(10_000 + number, system=samples, sampled=0.1)
            if number % 40 == 0:  # far from every allow: nothing can be meant but a denial, or nobody's word
                moment.shift(300)
                day.never_asked.add(day.line(f"n{number}", clock.now(), action=ACTION))
                moment.shift(300)
                answer = asks.ask(ACTION, **INSIDE | {"resource_data_class": "health records"})
                assert answer["decision"] is False, answer
                told = {"action": ACTION, "decision": answer["context"]["id"]}
                day.after_denial.add(day.line(f"d{number}", clock.now(), late=number % 80 == 0, **told))
                other = ("m-9", "") if number % 80 == 0 else ("m-4", "m-4-mini")
                name = day.line(f"m{number}", clock.now(), operation="chat", model=other[0], version=other[1])
                day.other_model.add(name)
                moment.shift(300)
    return day


def rows_of(case, chosen: str) -> list[Interaction]:
    """What the list of the log shows when this is chosen."""
    form = InteractionFilter({"found": chosen}, keys=case.contract.keys.all(), people=True)
    return list(reading.rows(case.number, form.compared(case)))


def names_of(rows) -> set[str]:
    return {reading.opened(row).report.id for row in rows}


def test_every_act_that_was_planted_is_found_and_nothing_else(cast, case):
    start = clock.midnight_before(clock.today() + timedelta(days=1)) + timedelta(
        hours=6
    )  # its contract is in force
    with time_machine.travel(start):
        day = planted_day(cast, case)
    assert {len(day.never_asked), len(day.after_denial), len(day.other_model)} == {PLANTED}
    with time_machine.travel(start + timedelta(hours=10)):
        day.send(day.lines)
        tasks.reconcile_logs()
        early = LogFinding.objects.count()
        assert names_of(rows_of(case, LogFindingKind.NEVER_ASKED)) == day.never_asked
    with time_machine.travel(start + timedelta(hours=14)):
        day.send(day.late)
        tasks.reconcile_logs()
        assert Interaction.objects.filter(case_number=case.number).count() > 1_900
        assert names_of(rows_of(case, LogFindingKind.NEVER_ASKED)) == day.never_asked
        assert names_of(rows_of(case, LogFindingKind.AFTER_DENIAL)) == day.after_denial
        assert names_of(rows_of(case, LogFindingKind.OTHER_MODEL)) == day.other_model
        assert not LogFinding.objects.filter(probable=True).exists()
        kinds = {kind: LogFinding.objects.filter(kind=kind).count() for kind in LogFindingKind}
        assert kinds == {"never_asked": PLANTED, "after_denial": PLANTED, "other_model": 2, "silent": 0}
        assert LogFinding.objects.count() > early > 0
        assert not LogFindingWithdrawal.objects.exists(), "what came late took nothing back"
        (row,) = ReconciledDay.objects.exclude(judged_at=None).filter(calls__gt=0)
        assert (row.never_asked, row.after_denial, row.not_done, row.open) == (PLANTED, PLANTED, 0, 0)
        assert row.sampling
        assert row.unnamed == {"chat": 800 + PLANTED}
        done = rows_of(case, "done")
        assert not names_of(done[:50]) & (day.never_asked | day.after_denial)
        sources = {
            one.source.split(":")[1] for one in Shortcoming.objects.standing() if "interactions" in one.source
        }
        assert sources == {"never_asked", "after_denial", "other_model"}
        tasks.reconcile_logs()
        assert LogFinding.objects.count() == 2 * PLANTED + 2
