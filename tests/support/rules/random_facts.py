"""Facts of initiatives at random, for the rules of levels: complete ones in which a few things were disturbed.

An initiative in which everything is drawn freely supports nothing. So each begins complete for its tier, and none to
six things happen to it. `AT` is the earliest moment at which such facts may be judged.
"""

from dataclasses import replace
from datetime import timedelta

from governance import clock
from governance.gates.gate_inputs import (
    ContractState,
    Declared,
    DeploymentFact,
    Drawn,
    Facts,
    FindingFact,
    HoldFact,
    Item,
    Measured,
    Reply,
    StandsAlone,
    Verification,
    Void,
    WaiverFact,
)
from governance.rulebook import parse, shipped_text
from governance.vocabulary import KINDS_TESTED, Tested
from tests.support.rules.gate_facts import AT, CLAUSE_OF, CONTRACT, LONG_AGO, MODEL, SHOWN, TODAY

RULEBOOK = parse(shipped_text())
DAY = timedelta(days=1)
TIERS = ("", "minimal", "limited", "high")
STAGES = ("proposed", "prototype", "mvp", "production")
PEOPLE = (96, 97, 98, 99)
ACCEPTED_BY = {
    "mvp.owner": "owner",
    "mvp.duty": "support_owner",
    "prod.q01_outcome_owner": "owner",
    "prod.q02_support": "support_owner",
}
NEXT_MODEL, OTHER_MODEL, NEXT_CONTRACT = 2, 3, 2
ROUNDS = ("review 1", "review 2")
LINKS = (1, 2)
DECLARED_GOALS = [key for criterion in RULEBOOK.criteria.values() for key in criterion.declared_goals]


def later(chance, most=400):
    """A moment to come: at a midnight, or at some hour."""
    if chance.random() < 0.5:
        return clock.midnight_before(TODAY + chance.randint(0, most) * DAY)
    return AT + timedelta(hours=chance.randint(0, most * 24))


def span(chance):
    """From when until when something is so."""
    since = chance.choice([LONG_AGO, AT, later(chance)])
    return since, chance.choice([None, since + timedelta(hours=chance.randint(1, 4000))])


def said(chance, item, version, *, by=None, shows=True, at=None):
    """One person's word about an item."""
    person = by or chance.choice(PEOPLE)
    return Verification(
        person, f"Person {person}", at or item.added_at, version, item.fingerprint, shows, "Page 2."
    )


def heard(item, key, *words):
    """The item with more said about it for one requirement, oldest first."""
    everything = sorted((*item.verifications.get(key, ()), *words), key=lambda one: one.at)
    return replace(item, verifications={**item.verifications, key: tuple(everything)})


class Draft:
    """The parts of an initiative that is being made, each of which may still change."""

    def __init__(self, chance):
        self.chance = chance
        self.tier = chance.choice(TIERS)
        self.approved_stage = chance.choice(STAGES)
        self.answers, self.items, self.made = {}, {}, 0
        self.deployments, self.contracts = [MODEL], [CONTRACT]
        self.declared = {key: Declared(key, "It will be shown.", "met") for key in DECLARED_GOALS}
        self.described, self.alone = [(LONG_AGO, None)], []
        self.waivers, self.requirement_findings, self.holds = [], [], []
        self.measured = list(SHOWN)
        self.decided, self.imported, self.reattest_by = {}, False, None
        self.drawn, self.tier_outdated = [], []
        gates = ["prototype", "mvp", "production"]
        if chance.random() < 0.1:
            gates += ["stop", "retire"]
        for gate in gates:
            for key in RULEBOOK.gates[gate].requirements():
                if key not in self.answers:
                    self.answers[key] = Reply("answered", "words", chance.choice([1, 1, 2, 5]), LONG_AGO)
                    self.add(key)
        if chance.random() < 0.8:
            gates = STAGES[1 : STAGES.index(self.approved_stage) + 1]
            self.decided = {gate: TODAY - chance.randint(0, 500) * DAY for gate in gates}

    @property
    def rank(self):
        """The place of the approved stage; 0 of a closed initiative."""
        return STAGES.index(self.approved_stage) if self.approved_stage in STAGES else 0

    def kind_for(self, key):
        """A kind of evidence that suffices for a requirement, the plainest most often."""
        asked = RULEBOOK.requirements[key]
        if asked.min_evidence:
            return asked.min_evidence
        if asked.min_condition:
            return "test_report"
        others = [kind for kind in asked.evidence if kind != "attestation"]
        wanted = asked.level.get(self.tier or "limited", "")
        if not others or (wanted == "stated" and self.chance.random() < 0.7):
            return "attestation"
        return others[0] if self.chance.random() < 0.8 else self.chance.choice(others)

    def about(self, key, kind):
        """What an item of this kind is about: mostly what the requirement asks for."""
        asked = RULEBOOK.requirements[key].tested
        if kind not in KINDS_TESTED or not asked:
            return ""
        return self.chance.choice(asked if self.chance.random() < 0.95 else ["", *Tested])

    def add(self, key, *, verified=True, **fields):
        """One more item for a requirement, which answers it whole where `fields` do not say otherwise."""
        # No key comes twice, not even of an item that is gone: the file and the place of an item follow from it.
        self.made += 1
        chance, pk = self.chance, self.made
        days = RULEBOOK.requirements[key].fresh_days or 400
        observed = TODAY - chance.randint(0, min(days, 90) // 3) * DAY
        kind = fields.get("kind") or self.kind_for(key)
        if key in ACCEPTED_BY and "kind" not in fields:
            kind = "attestation"
            fields |= {"acceptance_role": ACCEPTED_BY[key], "acceptance_open": True}
        values = {
            "id": pk,
            "kind": kind,
            "title": f"Item {pk}",
            "author_id": 1,
            "observed_on": observed,
            "added_at": clock.midnight_before(observed) + timedelta(hours=chance.randint(0, 11)),
            "fingerprint": f"sha-{pk}",
            "covers": {key: pk * 10},
            "components": frozenset({MODEL.id}),
            "result": "pass" if kind in RULEBOOK.result_kinds else "",
            "condition": "full_population" if kind in RULEBOOK.condition_kinds else "",
            "generated": key == "prod.q07_governance_evidence",
            "clause_of": CONTRACT.id if kind == "contract_clause" and key != "int.residency" else None,
            "clause_kind": CLAUSE_OF.get(key, ""),
        }
        values["tested"] = self.about(key, kind)
        if RULEBOOK.requirements[key].each == "link":
            values["link"] = chance.choice([None, *LINKS])
        item = Item(**(values | fields))
        if verified:
            version = self.answers[key].version if key in self.answers else 1
            both = chance.sample(PEOPLE, 2 if self.tier == "high" or chance.random() < 0.3 else 1)
            item = heard(item, key, *(said(chance, item, version, by=person) for person in both))
        self.items[pk] = item
        return item

    def change(self, item, **fields):
        """The same item with other fields."""
        self.items[item.id] = replace(item, **fields)

    def some(self):
        """An item and one requirement that it covers."""
        item = self.chance.choice(list(self.items.values()))
        return item, self.chance.choice(list(item.covers))

    def some_key(self):
        """A requirement that is answered."""
        return self.chance.choice(list(self.answers))

    def facts(self):
        """The initiative as the rules see it.

        A stage from MVP on that was not decided here can only have been imported.
        """
        reached = [gate for gate in ("mvp", "production") if gate in STAGES[: self.rank + 1]]
        imported = self.imported or any(gate not in self.decided for gate in reached)
        return Facts(
            ref="AI-0001",
            title="An initiative",
            approved_stage=self.approved_stage,
            imported=imported,
            tier=self.tier,
            answers=self.answers,
            items=tuple(self.chance.sample(list(self.items.values()), len(self.items))),
            deployments=tuple(self.deployments),
            contracts=tuple(self.contracts),
            holds=tuple(self.holds),
            waivers=tuple(self.waivers),
            declared=self.declared,
            decided=self.decided,
            reattest_by=self.reattest_by,
            people={"owner": "Marta", "support_owner": "Karim"},
            requirement_findings=tuple(self.requirement_findings),
            owner_id=7,
            measured=tuple(self.measured),
            described=tuple(self.described),
            alone=tuple(self.alone),
            drawn=tuple(self.drawn),
            round=ROUNDS[1],
            tier_outdated=tuple(self.tier_outdated),
        )


# --- What may happen to an initiative
# ---------------------------------------------------------------------------------------


def answer_otherwise(draft):
    key, chance = draft.some_key(), draft.chance
    kind = chance.choice(["no", "not_reported", "not_applicable", "not_applicable", "not_applicable"])
    day = chance.choice([None, TODAY - chance.randint(0, 400) * DAY])
    accepted = day if kind == "not_applicable" else None
    by = frozenset(chance.sample(PEOPLE, chance.randint(1, 2))) if accepted else frozenset()
    draft.answers[key] = replace(draft.answers[key], kind=kind, accepted_on=accepted, accepted_by=by)


def unanswer(draft):
    draft.answers.pop(draft.some_key())


def answer_again(draft):
    key = draft.some_key()
    draft.answers[key] = replace(draft.answers[key], version=draft.answers[key].version + 1)


def age(draft):
    item, key = draft.some()
    days = RULEBOOK.requirements[key].days(draft.tier) or 500
    item = replace(item, observed_on=TODAY - (days + draft.chance.randint(-3, 3)) * DAY)
    draft.change(item, added_at=draft.chance.choice([item.added_at, clock.midnight_before(item.observed_on)]))


def void(draft):
    item, key = draft.some()
    moment = draft.chance.choice([LONG_AGO, AT, later(draft.chance), later(draft.chance, 60)])
    draft.change(item, voids={key: (Void(moment, "scope", "wider"),)})


def end_item(draft):
    item, _ = draft.some()
    fields = [
        {"withdrawn_at": AT - DAY},
        {"superseded_by": 999},
        {"missing": True},
        {"acceptance_open": False},
        {"acceptance_role": "sponsor"},
        {"generated": False},
        {"clause_of": None},
        {"clause_kind": "audience"},
        {"clause_of": NEXT_CONTRACT},
        {"unverified": True},
        {"layers": frozenset({"model"})},
        {"layers": frozenset({"model", "application"})},
        {"components": frozenset()},
        {"components": frozenset({NEXT_MODEL})},
        {"condition": "curated"},
        {"condition": "bounded_real"},
    ]
    draft.change(item, **draft.chance.choice(fields))


def supersede(draft):
    """A newer form of an item: of the same author and kind most often, waiting for its verifier or verified."""
    chance = draft.chance
    item, key = draft.some()
    same = {"fingerprint": item.fingerprint} if chance.random() < 0.1 else {}
    new = draft.add(
        key,
        **same,
        kind=item.kind if chance.random() < 0.85 else chance.choice(RULEBOOK.requirements[key].evidence),
        author_id=item.author_id if chance.random() < 0.85 else 4,
        verified=chance.random() < 0.4,
    )
    draft.change(item, superseded_by=new.id)


def fail(draft):
    chance = draft.chance
    with_result = [
        key for key in draft.answers if set(RULEBOOK.requirements[key].evidence) & RULEBOOK.result_kinds
    ]
    key = chance.choice(with_result)
    kind = chance.choice(sorted(set(RULEBOOK.requirements[key].evidence) & RULEBOOK.result_kinds))
    observed = TODAY - chance.choice([0, 1, 20, 120, 400]) * DAY
    draft.add(
        key,
        kind=kind,
        result=chance.choice(["fail", "partial", "pass"]),
        observed_on=observed,
        verified=chance.random() < 0.5,
        components=chance.choice([frozenset({1}), frozenset({1}), frozenset({NEXT_MODEL}), frozenset()]),
        withdrawn_at=chance.choice([None, None, None, AT - DAY]),
    )


def other_kind(draft):
    item, key = draft.some()
    kind = draft.chance.choice([*RULEBOOK.evidence_kinds, *RULEBOOK.requirements[key].evidence])
    draft.items.pop(item.id)
    spare = draft.add(key, kind=kind, verified=draft.chance.random() < 0.7)
    draft.items[item.id] = replace(spare, id=item.id)
    if spare.id != item.id:
        draft.items.pop(spare.id)


def one_more(draft):
    key = draft.some_key()
    kind = draft.chance.choice(list(RULEBOOK.requirements[key].evidence))
    draft.add(key, kind=kind, verified=draft.chance.random() < 0.5)


def only_papers(draft):
    """Whole parts of the initiative were opened by nobody."""
    for item in list(draft.items.values()):
        if draft.chance.random() < 0.5:
            draft.change(item, verifications={})


def unverify(draft):
    """Of some items all that was said is gone, or all but what one person said."""
    for _ in range(draft.chance.randint(1, 4)):
        item, _ = draft.some()
        kept = draft.chance.choice([0, 1])
        draft.change(item, verifications={key: words[:kept] for key, words in item.verifications.items()})


def say(draft):
    item, key = draft.some()
    chance = draft.chance
    version = draft.answers[key].version if key in draft.answers else 1
    word = said(
        chance,
        item,
        version + chance.choice([0, 0, 0, -1, 1]),
        shows=chance.random() < 0.5,
        at=chance.choice([item.added_at, AT, later(chance), later(chance, 30)]),
    )
    if chance.random() < 0.2:
        word = replace(word, fingerprint="of the file before")
    if chance.random() < 0.4:
        item = replace(item, verifications={})
    draft.items[item.id] = heard(item, key, word)


def free_place(draft):
    """A key of a row of coverage that no other row has: an item is attached to one requirement before the other."""
    taken = {place for one in draft.items.values() for place in one.covers.values()}
    return draft.chance.choice([place for place in range(1, 1000) if place not in taken])


def share(draft):
    """One file for two requirements, or one content sent twice."""
    chance, (item, _) = draft.chance, draft.some()
    other = chance.choice([key for key in draft.answers if key.startswith("layer.")] or [draft.some_key()])
    if chance.random() < 0.5:
        draft.change(item, covers={**item.covers, other: free_place(draft)})
    else:
        twin = draft.add(other, kind=chance.choice(list(RULEBOOK.requirements[other].evidence)))
        layers = [one for one in draft.items.values() if any(key.startswith("layer.") for key in one.covers)]
        draft.change(twin, fingerprint=chance.choice(layers).fingerprint)


def offer(draft):
    """An item that nobody of the team could have made, offered by the team for another requirement."""
    special = [one for one in draft.items.values() if one.acceptance_role or one.generated or one.clause_of]
    if not special:
        return
    item = draft.chance.choice(special)
    fitting = [key for key in RULEBOOK.requirements if item.kind in RULEBOOK.requirements[key].evidence]
    for key in draft.chance.sample(fitting, min(3, len(fitting))):
        for other in list(draft.items.values()):
            if key in other.covers and len(other.covers) == 1 and draft.chance.random() < 0.8:
                draft.items.pop(other.id)
        if item.id in draft.items:
            draft.change(draft.items[item.id], covers={**draft.items[item.id].covers, key: free_place(draft)})


def drill(draft):
    """The links were drilled, each with what came of it, and not each record was opened."""
    chance = draft.chance
    for _ in range(chance.randint(1, 3)):
        draft.add(
            "int.fallback",
            kind="drill_record",
            result=chance.choice(["pass", "pass", "pass", "partial", "fail"]),
            verified=chance.random() < 0.6,
            withdrawn_at=chance.choice([None, None, None, AT - DAY]),
        )


def doubt_failure(draft):
    """Somebody opens a report that failed, and says of it whether it shows the answer."""
    with_result = [one for one in draft.items.values() if one.kind in RULEBOOK.result_kinds]
    if not with_result:
        return
    item = draft.chance.choice(with_result)
    (key, *_) = item.covers
    if key not in draft.answers:
        return
    failed = draft.add(key, kind=item.kind, observed_on=TODAY, result="fail", verified=False)
    word = said(draft.chance, failed, draft.answers[key].version, shows=draft.chance.random() < 0.3)
    draft.items[failed.id] = heard(failed, key, word)


def models(draft):
    chance = draft.chance
    start, next_model = later(chance), DeploymentFact(NEXT_MODEL, 1, "model", "m-5", AT, None)
    next_model = replace(next_model, since=start)
    beside = DeploymentFact(OTHER_MODEL, 2, "model", "m-6", chance.choice([LONG_AGO, start]), None)
    draft.deployments = chance.choice(
        [
            [],
            [replace(MODEL, until=start)],
            [replace(MODEL, until=start), next_model],
            [replace(MODEL, until=start), next_model],
            [MODEL, beside],
            [replace(MODEL, layer="application")],
        ]
    )
    for item in list(draft.items.values()):
        if chance.random() < 0.5:
            named = [{1}, {NEXT_MODEL}, {1, NEXT_MODEL}, {1, NEXT_MODEL}, {1, OTHER_MODEL}]
            draft.change(item, components=frozenset(chance.choice(named)))


def contracts(draft):
    chance, start = draft.chance, later(draft.chance)
    following = ContractState(NEXT_CONTRACT, 2, "d" * 64, start, None)
    draft.contracts = chance.choice(
        [
            [],
            [replace(CONTRACT, until=AT)],
            [replace(CONTRACT, unmapped=((3, "It may send a reply."),))],
            [replace(CONTRACT, until=start), following],
            [replace(CONTRACT, until=start), replace(following, unmapped=((1, "It may."),))],
        ]
    )
    for item in list(draft.items.values()):
        if item.clause_of and chance.random() < 0.3:
            draft.change(item, clause_of=NEXT_CONTRACT)


def register(draft):
    chance = draft.chance
    draft.described = [span(chance) for _ in range(chance.randint(0, 2))]
    if chance.random() < 0.6:
        since, until = span(chance)
        people = frozenset(chance.sample(PEOPLE, chance.randint(1, 2)))
        draft.alone = [StandsAlone(since, until, "Ines", people)]


def finding(draft):
    chance = draft.chance
    of_register = [key for key in RULEBOOK.requirements if key.startswith(("int.", "adopt."))]
    key = chance.choice([*of_register, draft.some_key()])
    since, until = span(chance)
    hold = chance.choice(["", "", "residency", "definition_conflict"])
    cap = {"residency": "prototype", "definition_conflict": "mvp"}.get(hold)
    draft.requirement_findings.append(
        FindingFact(key, "Wiki-C is frozen.", "Fix it.", "", since, until, hold, "Held", cap)
    )


def hold(draft):
    kind, cap = draft.chance.choice([("failed_drill", "mvp"), ("residency", "prototype"), ("concern", None)])
    draft.holds.append(HoldFact(kind, "Held", "for a reason", cap, True))


def waive(draft):
    chance = draft.chance
    allowed = [key for key in RULEBOOK.requirements if RULEBOOK.requirements[key].waivable]
    for key in chance.sample([*allowed, *RULEBOOK.criteria], chance.randint(1, 4)):
        draft.waivers.append(
            WaiverFact(key, chance.choice([LONG_AGO, AT]), TODAY + chance.randint(-1, 90) * DAY, "next month")
        )
        if chance.random() < 0.7:
            draft.answers.pop(key, None)


def waive_beside(draft):
    """Requirements that alone may be waived are, and nothing was said of them."""
    allowed = [key for key in RULEBOOK.requirements if RULEBOOK.waivable_requirement(key)]
    for key in draft.chance.sample(allowed, draft.chance.randint(1, 3)):
        draft.waivers.append(WaiverFact(key, LONG_AGO, TODAY + draft.chance.randint(0, 90) * DAY, "later"))
        draft.answers.pop(key, None)


def measure(draft):
    chance = draft.chance
    with_way = [key for key in RULEBOOK.requirements if RULEBOOK.requirements[key].ways]
    key = chance.choice(with_way)
    since, until = span(chance)
    draft.measured.append(
        Measured(key, chance.choice(RULEBOOK.requirements[key].ways), "41 of 60.", since, until)
    )
    if chance.random() < 0.6:
        for item in list(draft.items.values()):
            if key in item.covers:
                draft.change(item, verifications={})
    if chance.random() < 0.3:
        draft.answers.pop(key, None)


def fall_silent(draft):
    """What is shown here is shown for a time, or never was."""
    since, until = span(draft.chance)
    shown = draft.chance.choice(SHOWN)
    draft.measured = [one for one in draft.measured if one.way != shown.way]
    if draft.chance.random() < 0.6:
        draft.measured.append(replace(shown, since=since, until=until))


def declare_less(draft):
    key = draft.chance.choice(DECLARED_GOALS)
    if draft.chance.random() < 0.5:
        draft.declared = {other: one for other, one in draft.declared.items() if other != key}
    else:
        result = draft.chance.choice(["missed", ""])
        draft.declared = draft.declared | {key: Declared(key, "It will be shown.", result)}


def by_import(draft):
    draft.imported, draft.decided = True, draft.chance.choice([{}, draft.decided])


def decide(draft):
    draft.decided = dict.fromkeys(draft.chance.sample(["prototype", "mvp", "production"], 2), TODAY)


def reattest(draft):
    draft.approved_stage = "production"
    draft.reattest_by = TODAY + draft.chance.randint(-1, 200) * DAY


def draw(draft):
    """A few requirements are drawn, of a review or ahead of an acceptance, and not all of them were opened."""
    chance = draft.chance
    if chance.random() < 0.7:
        draft.tier = "minimal"
    asked = RULEBOOK.gates["production"].requirements()
    for key in chance.sample(asked, chance.randint(1, 6)):
        since, until = span(chance)
        if chance.random() < 0.2:
            since, until = None, None
        moment = since or chance.choice([LONG_AGO, later(chance)])
        draft.drawn.append(Drawn(key, chance.choice(ROUNDS), moment, since, until))
        if chance.random() < 0.4:
            for item in list(draft.items.values()):
                if key in item.covers:
                    draft.change(item, verifications={})


def outdate_tier(draft):
    """Another scope came into force than the tier was confirmed for, perhaps only for a time."""
    since, until = span(draft.chance)
    draft.tier_outdated = [(since, until)]


def lose(draft):
    item, _ = draft.some()
    draft.items.pop(item.id)


def close(draft):
    if draft.chance.random() < 0.2:
        draft.approved_stage = draft.chance.choice(["stopped", "retired"])


EVENTS = (
    answer_otherwise, unanswer, answer_again, age, void, end_item, end_item, supersede, fail, fail, other_kind,
    offer, doubt_failure, drill,
    one_more, only_papers, unverify, unverify, say, say, share, models, contracts, register, finding, hold, waive,
    waive_beside, measure, measure, fall_silent, declare_less, by_import, decide, reattest, draw, draw, outdate_tier,
    lose, close,
)  # fmt: skip


def random_facts(chance, most=6, also=()):
    """An initiative in which none to `most` things happened after it was complete, and each of `also` last."""
    draft = Draft(chance)
    for _ in range(min(chance.randint(0, most), chance.randint(0, most))):
        chance.choice(EVENTS)(draft)
    for event in also:
        event(draft)
    return draft.facts()


def moments_of(facts):
    """Every moment from `AT` on that these facts name or that follows from an age, in order."""
    found = [*facts.described, *facts.tier_outdated]
    grace = timedelta(days=RULEBOOK.freshness.tier_grace_days + 1)
    found += [
        (clock.midnight_before(clock.local_day(one[0]) + grace), None) for one in facts.tier_outdated[:1]
    ]
    for one in (
        *facts.deployments,
        *facts.contracts,
        *facts.alone,
        *facts.measured,
        *facts.requirement_findings,
        *facts.drawn,
    ):
        found.append((one.since, one.until))
    found += [(one.drawn_at, None) for one in facts.drawn]
    named = {moment for pair in found for moment in pair if moment is not None}
    for item in facts.items:
        for key in item.covers:
            if days := RULEBOOK.requirements[key].days(facts.tier):
                named.add(clock.midnight_before(facts.first_day(item) + (days + 1) * DAY))
            named |= {one.at for one in (*item.voids.get(key, ()), *item.verifications.get(key, ()))}
    named |= {clock.midnight_before(waiver.until + DAY) for waiver in facts.waivers}
    if facts.reattest_by:
        named.add(clock.midnight_before(facts.reattest_by + DAY))
    return sorted(moment for moment in named if moment >= AT)
