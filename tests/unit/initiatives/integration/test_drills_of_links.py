"""A fallback drill of one link never covers another: 2,000 generated registers, more with `--rounds`."""

import random
from collections import Counter
from datetime import timedelta

import pytest

from governance import clock
from governance.gates import evidence_rules
from governance.gates.gate_inputs import FindingFact, Verification, Void
from governance.gates.requirements import state_of
from governance.rulebook import parse, shipped_text
from governance.vocabulary import LEVEL_RANK
from initiatives.integration.resilience import drill_findings
from initiatives.integration.resilience.drill_findings import FAILURE_SAYS, FALLBACK, against
from initiatives.models import Drill, Initiative, Link, System
from tests.support.rules.gate_facts import AT, LONG_AGO, TODAY, item, one

RULEBOOK = parse(shipped_text())
GENERATED = 2_000
BROKEN = 200  # registers after which a rule that was taken away has to be missed
PEOPLE = (97, 98, 99)
DAY = timedelta(days=1)


class Register:
    """The links of one initiative and their drills, each with its record."""

    def __init__(self, seed):
        chance = random.Random(seed)
        self.tier = chance.choice(["minimal", "limited", "high"])
        self.initiative = Initiative(pk=1, stage=chance.choice(["mvp", "production", "production"]))
        self.links = [self.link(chance, pk) for pk in range(1, chance.randint(2, 4))]
        self.drills, self.items = [], {}
        for link in self.links:
            for _ in range(chance.choice([0, 1, 1, 1, 2, 3])):
                self.drill(chance, link)
        for _ in range(chance.choice([0, 0, 1])):
            self.drill(chance, None)

    def link(self, chance, pk):
        """A link that says what happens when its source fails; it is new or old."""
        return Link(
            pk=pk,
            initiative=self.initiative,
            system=System(pk=pk, name=f"System {pk}"),
            at=chance.choice([LONG_AGO, AT - 3 * DAY]),
            **dict.fromkeys(FAILURE_SAYS, 1),
        )

    def drill(self, chance, link):
        """One drill and its record, which may be old, ended, refused, or verified by one or two persons."""
        pk = len(self.drills) + 1
        drill = Drill(
            pk=pk,
            initiative=self.initiative,
            link=link,
            kind=chance.choice(["fallback", "fallback", "fallback", "fallback", "rollback"]),
            result=chance.choice(["pass", "pass", "pass", "pass", "partial", "fail"]),
            observed_on=TODAY - chance.choice([1, 5, 20, 90, 200, 400]) * DAY,
            next_due=chance.choice([None, None, TODAY + 9 * DAY, TODAY - DAY]),
        )
        drill.answers_fallback = drill.kind == "fallback" and chance.random() < 0.9
        self.drills.append(drill)
        if drill.answers_fallback:
            people = chance.sample(PEOPLE, chance.choice([0, 1, 2, 2]))
            added = clock.midnight_after(drill.observed_on)
            said = tuple(
                Verification(by, f"Person {by}", added, 1, f"sha-{pk}", chance.random() < 0.95)
                for by in people
            )
            ended = (Void(AT - DAY, "integration_schema", "A field was renamed."),)
            self.items[pk] = item(
                pk,
                FALLBACK,
                kind="drill_record",
                result=drill.result,
                observed_on=drill.observed_on,
                added_at=added,
                link=link.pk if link else None,
                verifications={FALLBACK: said},
                voids={FALLBACK: ended} if chance.random() < 0.1 else {},
            )

    def state(self, links, drills):
        """How the requirement about fallbacks stands where these are all the links and drills."""
        found = tuple(
            FindingFact(FALLBACK, wanted.words, wanted.fix, "", wanted.since, wanted.until)
            for _, wanted in against(links, drills, RULEBOOK)
            if wanted.requirement == FALLBACK
        )
        items = [self.items[drill.pk] for drill in drills if drill.pk in self.items]
        facts = one(
            FALLBACK,
            *items,
            approved_stage=self.initiative.stage,
            tier=self.tier,
            requirement_findings=found,
            described=((LONG_AGO, None),),
        )
        return state_of(facts, RULEBOOK, FALLBACK, AT)

    def in_grace(self, link):
        """Whether the link is new in production, where its first drill has some days."""
        days = (TODAY - clock.local_day(link.at)).days
        return self.initiative.stage == "production" and days <= RULEBOOK.freshness.grace_days


def covered_by_others(register, seen):
    """The links that stand better beside the drills of other links than by their own drills alone."""
    whole = register.state(register.links, register.drills)
    seen["satisfied" if whole.satisfies("production") else "not satisfied"] += 1
    for link in register.links:
        own = [drill for drill in register.drills if drill.link_id == link.pk]
        if not any(drill.answers_fallback for drill in own):
            seen["links without a drill"] += 1
            if whole.satisfies("production") and not register.in_grace(link):
                yield link.pk
            continue
        alone = register.state([link], own)
        seen["links held back by another"] += alone.satisfies("production") > whole.satisfies("production")
        better = LEVEL_RANK[whole.level] > LEVEL_RANK[alone.level]
        if better or (whole.satisfies("production") and not alone.satisfies("production")):
            yield link.pk


def test_a_drill_of_one_link_never_covers_another_link(rounds):
    seen = Counter()
    number = max(rounds, GENERATED)
    wrong = {seed: found for seed in range(number) if (found := [*covered_by_others(Register(seed), seen)])}
    assert wrong == {}
    assert min(seen[one] for one in seen) > number / 20, seen
    assert len(seen) == 4, seen


@pytest.mark.parametrize(
    ("module", "rule", "other"),
    [
        (evidence_rules, "of_other_link", lambda *_: None),
        (evidence_rules, "needed_of", lambda requirement, passing: [passing]),
        (drill_findings, "_undrilled", lambda *_: ()),
    ],
    ids=["a link without a drill that counts", "a link verified by fewer persons", "a link without a drill"],
)
def test_a_drill_that_covers_another_link_is_found(monkeypatch, module, rule, other):
    monkeypatch.setattr(module, rule, other)
    assert any([*covered_by_others(Register(seed), Counter())] for seed in range(BROKEN))
