"""The rulebook as frozen values, made by `parse`, which raises all problems of a text.

Days are calendar days. Keys such as "mvp.owner" are the names that answers, evidence and waivers use.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from governance.offline.verify import quorum_for, seat_at_minimal
from governance.rulebook import schema, validation
from governance.rulebook.pairings import PAIRINGS
from governance.vocabulary import KINDS_TESTED, RUNNING_STAGES, Seat, Stage, Tier


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """Days for the whole rulebook. `retention_days`: how long decision records are kept.

    A request, a heartbeat or a logged call shows for `shown_here_days` that an initiative is enforced or logged. A
    component's replacement is asked for `component_end_days` before its end of life. The confirmation of a
    pipeline counts for `pipeline_days`.
    """

    warn_days_before: tuple[int, ...]
    sign_off_max_age_days: int
    review_expires_days: int
    waiver_max_days: int
    accepted_risk_max_days: int
    grace_days: int
    tier_grace_days: int
    unknown_days: int
    unknown_days_high: int
    owner_vacant_step_back_days: int
    post_mortem_due_days: int
    retrospective_after_go_live_days: int
    shown_here_days: int
    component_end_days: int
    retention_days: int = schema.RETENTION_FLOOR_DAYS
    pipeline_days: int = 365


@dataclass(frozen=True, kw_only=True)
class StageRule:
    """The purpose of a stage, and what it tolerates and forbids, or "", () or None."""

    key: str
    kind: str
    goal: str = ""
    question: str = ""
    meaning: str = ""
    tolerated: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    max_days_before_review: int | None = None
    reattest_days: int | None = None
    reattest_days_high: int | None = None
    obligations: tuple[str, ...] = ()
    success_includes: str = ""


@dataclass(frozen=True, kw_only=True)
class CarryForward:
    """The fate of earlier answers: frozen by a gate, live, ended or replaced (old to new key)."""

    frozen: dict[str, frozenset[str]] = field(hash=False)
    live: frozenset[str]
    ended_at_production: frozenset[str]
    replaced_at_production: dict[str, str] = field(hash=False)

    @cached_property
    def frozen_by(self) -> dict[str, tuple[str, ...]]:
        """Return the gates whose decision freezes an answer, by its requirement's key."""
        keys = {key for keys in self.frozen.values() for key in keys}
        return {key: tuple(gate for gate, held in self.frozen.items() if key in held) for key in keys}


@dataclass(frozen=True, kw_only=True)
class ContractRule:
    """The seats that sign a governance contract, its clauses and its default."""

    seats: tuple[str, ...]
    required_clauses: tuple[str, ...]
    other_clauses: tuple[str, ...]
    default_when_nobody_answers: str


@dataclass(frozen=True, kw_only=True)
class ScaleTest:
    """One of the three tests of production. `items` are requirement keys, never waived."""

    key: str
    statement: str
    items: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One requirement to the owner and its evidence. `own_of`: the criterion that it belongs to."""

    key: str
    stage: str
    group: str
    layer: str
    origin: str
    question: str
    counts: str
    evidence: tuple[str, ...]
    min_evidence: str | None
    min_condition: str | None
    fresh_days: int
    fresh_days_minimal: int | None
    fresh_days_high_risk: int | None
    triggers: tuple[str, ...]
    why_fresh: str
    answered_by: str
    severity: str
    waivable: bool
    grace_days: int | None
    crosswalk: dict[str, tuple[str, ...]] = field(hash=False)
    own_of: str = ""
    level: dict[str, str] = field(default_factory=dict, hash=False)
    left_out: dict[str, str] = field(default_factory=dict, hash=False)
    level_at_mvp: dict[str, str] = field(default_factory=dict, hash=False)
    ways: tuple[str, ...] = ()
    of_register: bool = False
    tested: tuple[str, ...] = ()
    each: str = ""

    def takes(self, kind: str, tested: str) -> bool:
        """Return True if an item of this kind and test ("" if unknown) answers the question."""
        return not self.tested or kind not in KINDS_TESTED or tested in self.tested

    def judged_tier(self, tier: str) -> str:
        """Return the tier to judge by. Without one: minimal for the prototype, else limited."""
        return tier or (Tier.MINIMAL if self.stage == Stage.PROTOTYPE else Tier.LIMITED)

    def level_for(self, tier: str, gate: str) -> str:
        """Return the level of this gate at this tier ("" if unset), or "" if it is left out."""
        judged = self.judged_tier(tier)
        level = self.level.get(judged, "")
        return self.level_at_mvp.get(judged, level) if gate == Stage.MVP else level

    def days(self, tier: str) -> int:
        """Return the days that evidence stays current at this tier ("" if unset). 0: until a trigger."""
        special: dict[str, int | None] = {
            Tier.MINIMAL: self.fresh_days_minimal,
            Tier.HIGH: self.fresh_days_high_risk,
        }
        own = special.get(tier)
        return self.fresh_days if own is None else own

    @property
    def blocking(self) -> bool:
        """Return True if its absence blocks. Otherwise it is advice."""
        return self.severity == "blocking"


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """The matter of one seat at a gate. `requirements`: explicit, of a scale test, own."""

    key: str
    gate: str
    origin: str
    layer: str
    question: str
    counts: str
    requirements: tuple[str, ...]
    scale_test: str
    seat: str
    severity: str
    waivable: bool
    due_days: int | None
    emergency_due_days: int | None
    declared_goals: tuple[str, ...]
    declared_goals_minimal: tuple[str, ...]
    crosswalk: dict[str, tuple[str, ...]] = field(hash=False)
    fresh_days: int | None

    @property
    def blocking(self) -> bool:
        """Return True if it can block the move. With `due_days`, it becomes an obligation."""
        return self.severity == "blocking" and self.due_days is None


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The conditions of a move from one of `from_stages` to `to`."""

    key: str
    title: str
    from_stages: tuple[str, ...]
    to: str
    quorum: int
    quorum_high_risk: int | None
    must_include: tuple[str, ...]
    note: str
    criteria: tuple[Criterion, ...]

    def requirements(self) -> tuple[str, ...]:
        """Return the requirement keys of its criteria, each once, in the order they are asked."""
        return _once(key for criterion in self.criteria for key in criterion.requirements)

    @property
    def seats(self) -> tuple[str, ...]:
        """Return the seats with a criterion at this gate, in order of appearance."""
        return _once(criterion.seat for criterion in self.criteria)

    def quorum_for(self, tier: str | None) -> int:
        """Sign-offs needed for an initiative of this confirmed risk tier (None while unset)."""
        return quorum_for(tier, self.quorum, self.quorum_high_risk)


@dataclass(frozen=True, kw_only=True, eq=False)
class ParsedRulebook:
    """A whole rulebook. Two are equal if their texts are: `digest` is the text's SHA-256, in hex."""

    version: str
    digest: str
    freshness: Freshness
    triggers: dict[str, str]
    seats: dict[str, str]
    layers: dict[str, str]
    evidence_kinds: dict[str, str]
    result_kinds: frozenset[str]
    condition_kinds: frozenset[str]
    detailed_kinds: frozenset[str]
    register_kinds: frozenset[str]
    stages: dict[str, StageRule]
    standards: dict[str, dict[str, str]]
    carry: CarryForward
    risk_tiers: dict[str, str]
    contract: ContractRule
    scale_tests: dict[str, ScaleTest]
    requirements: dict[str, Requirement]
    gates: dict[str, Gate]
    criteria: dict[str, Criterion]
    # Waivers an initiative carries at most at once.
    waivers_max: int
    # Requirements of an initiative of minimal risk that the gate to production draws, and that are then verified.
    drawn_at_minimal: int = 0
    # The seats that sign at minimal risk; the last of them signs for those that do not. Empty: all sit at each tier.
    seats_minimal: tuple[str, ...] = ()
    # The seat that confirms who may speak for a pipeline.
    pipeline_seat: str = Seat.SECURITY_PRIVACY.value
    # The least strength of a signature, by act and tier; what is not there asks for a password.
    signatures: dict[str, dict[str, str]] = field(default_factory=dict)

    def drawn_at(self, tier: str) -> int:
        """Return how many requirements of the gate to production are drawn at this tier."""
        return self.drawn_at_minimal if tier == Tier.MINIMAL else 0

    def __eq__(self, other: object) -> bool:
        return self.digest == other.digest if isinstance(other, ParsedRulebook) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)

    def at_tier(self, tier: str) -> "ParsedRulebook":
        """Return the rulebook as it is signed at a confirmed risk tier ("" while unset).

        Fewer seats sign at minimal risk: the last of `seats_minimal` signs for the others, and a quorum is at most
        the seats that are left. Fewer goals are declared if a criterion has `declared_goals_minimal`. The
        requirements, their levels and days are the same object.
        """
        return self._at_minimal if tier == Tier.MINIMAL else self

    @cached_property
    def _at_minimal(self) -> "ParsedRulebook":
        if not self.seats_minimal and not any(row.declared_goals_minimal for row in self.criteria.values()):
            return self

        def sits(seat: str) -> str:
            return seat_at_minimal(seat, self.seats_minimal) if self.seats_minimal else seat

        criteria = {
            key: replace(
                row,
                seat=sits(row.seat),
                declared_goals=row.declared_goals_minimal or row.declared_goals,
                declared_goals_minimal=(),
            )
            for key, row in self.criteria.items()
        }
        gates = {}
        for key, gate in self.gates.items():
            here = tuple(criteria[row.key] for row in gate.criteria)
            gates[key] = replace(
                gate,
                criteria=here,
                quorum=min(gate.quorum, len({row.seat for row in here})),
                must_include=_once(sits(seat) for seat in gate.must_include),
            )
        return replace(
            self, criteria=criteria, gates=gates, seats_minimal=(), pipeline_seat=sits(self.pipeline_seat)
        )

    def gate_to(self, stage: str) -> Gate | None:
        """Return the gate to this stage, or None, as for `proposed`."""
        return next((gate for gate in self.gates.values() if gate.to == stage), None)

    def requirements_at(self, gate: str | Gate) -> tuple[Requirement, ...]:
        """Return every requirement of the gate, from all stages. `deferred` are those that may wait."""
        return tuple(self.requirements[key] for key in self._gate(gate).requirements())

    def deferred(self, gate: str | Gate) -> frozenset[str]:
        """Return the requirement keys that the gate asks only after the move (`due_days`)."""
        criteria = self._gate(gate).criteria
        now = {key for criterion in criteria if criterion.due_days is None for key in criterion.requirements}
        return frozenset(self._gate(gate).requirements()) - now

    def tolerated(self, stage: str) -> list[tuple[str, Requirement | None, Gate | None]]:
        """Return what an initiative in the stage may lack, with a requirement and a gate.

        The requirement ends that, and the gate is the first that asks for it. Both are None if no requirement is
        known, or if this rulebook does not ask for it.
        """
        rule, found = self.stages.get(stage), []
        ends = PAIRINGS["tolerances"].get(stage, {})
        order = RUNNING_STAGES[RUNNING_STAGES.index(stage) + 1 :] if stage in RUNNING_STAGES else ()
        ahead = [gate for later in order if (gate := self.gate_to(later))]
        for words in rule.tolerated if rule else ():
            key = ends.get(words)
            gate = next((gate for gate in ahead if key in gate.requirements()), None)
            found.append((words, self.requirements.get(key), gate))
        return found

    def criteria_of(self, gate: str | Gate, seat: str) -> tuple[Criterion, ...]:
        """Return the criteria that this seat signs at this gate."""
        return tuple(criterion for criterion in self._gate(gate).criteria if criterion.seat == seat)

    def criteria_using(self, requirement_key: str) -> tuple[Criterion, ...]:
        """Criteria of any gate that ask for this requirement, in the order of the rulebook."""
        return tuple(c for c in self.criteria.values() if requirement_key in c.requirements)

    def seats_asking(self, requirement_key: str) -> tuple[str, ...]:
        """Return the seats with a criterion, at any gate, that asks for this requirement."""
        return _once(criterion.seat for criterion in self.criteria_using(requirement_key))

    def seats_for(self, requirement_key: str, gate: str | Gate) -> tuple[str, ...]:
        """Return the seats whose criteria at this gate ask for the requirement."""
        return _once(c.seat for c in self._gate(gate).criteria if requirement_key in c.requirements)

    def listing(self, trigger: str) -> frozenset[str]:
        """Return the keys of the requirements that list this trigger."""
        return frozenset(
            key for key, requirement in self.requirements.items() if trigger in requirement.triggers
        )

    @cached_property
    def scale_items(self) -> frozenset[str]:
        """Requirement keys that are an item of some scale test."""
        return frozenset(key for test in self.scale_tests.values() for key in test.items)

    def waivable_requirement(self, key: str) -> bool:
        """Return True if it may be waived, which items of a scale test never are (docs/domain.md, invariant 10)."""
        return self.requirements[key].waivable and key not in self.scale_items

    def waivable_criterion(self, key: str) -> bool:
        """Return True if the whole may be waived, which a scale test never is (docs/domain.md, invariant 10)."""
        return self.criteria[key].waivable and not self.criteria[key].scale_test

    def crosswalk_frameworks(self) -> tuple[str, ...]:
        """Return the sorted names of all outside frameworks that are referred to."""
        rows: list[Requirement | Criterion] = [*self.requirements.values(), *self.criteria.values()]
        return tuple(sorted({name for row in rows for name in row.crosswalk}))

    def gates_asking(self, requirement_key: str) -> tuple[str, ...]:
        """Return the gates with a criterion that asks for this requirement."""
        return self._asking.get(requirement_key, ())

    def asks(self, requirement_key: str, tier: str) -> bool:
        """Return True if a gate asks for it at this tier, or if this rulebook lacks it."""
        asked = self.requirements.get(requirement_key)
        if asked is None:
            return True
        return any(asked.level_for(tier, gate) for gate in self.gates_asking(requirement_key))

    @cached_property
    def _asking(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, dict[str, None]] = {}
        for criterion in self.criteria.values():
            for key in criterion.requirements:
                found.setdefault(key, {})[criterion.gate] = None
        return {key: tuple(gates) for key, gates in found.items()}

    def _gate(self, gate: str | Gate) -> Gate:
        return gate if isinstance(gate, Gate) else self.gates[gate]


def shipped_text() -> str:
    """Return the rulebook text that comes with the program."""
    return Path(__file__).with_name("1_0.toml").read_text(encoding="utf-8")


def parse(text: str) -> ParsedRulebook:
    """Read a rulebook text. Raises RulebookErrors naming every problem with its line and what fixes it."""
    raw = validation.checked(text)
    tests = {key: ScaleTest(key=key, **_tuples(table)) for key, table in raw["scale_tests"].items()}
    criteria = {row["key"]: _criterion(row, tests) for row in raw["criterion"]}
    requirements = {row["key"]: _requirement(row) for row in raw["requirement"]}
    requirements |= {row["key"]: _own_requirement(row) for row in raw["criterion"] if "evidence" in row}
    carry = raw["carry_forward"]
    return ParsedRulebook(
        version=raw["version"],
        digest=hashlib.sha256(text.encode()).hexdigest(),
        freshness=Freshness(**_tuples(raw["freshness"])),
        triggers=raw["triggers"],
        seats=raw["seats"],
        layers=raw["layers"],
        evidence_kinds=raw["evidence_kinds"],
        result_kinds=frozenset(raw["evidence_carries"]["result"]),
        condition_kinds=frozenset(raw["evidence_carries"]["condition"]),
        detailed_kinds=frozenset(raw["evidence_carries"].get("details", ())),
        register_kinds=frozenset(raw["evidence_carries"].get("registers", ())),
        stages={key: StageRule(key=key, **_tuples(table)) for key, table in raw["stages"].items()},
        standards=raw["standards"],
        carry=CarryForward(
            frozen={gate: frozenset(carry[f"frozen_at_{gate}"]) for gate in ("mvp", "production")},
            live=frozenset(carry["live_at_production"]),
            ended_at_production=frozenset(carry["ended_at_production"]),
            replaced_at_production=carry["replaced_at_production"],
        ),
        risk_tiers=raw["risk_tiers"],
        contract=ContractRule(**_tuples(raw["contract"])),
        scale_tests=tests,
        requirements=requirements,
        gates={key: _gate_of(key, table, criteria) for key, table in raw["gates"].items()},
        criteria=criteria,
        waivers_max=raw["levels"]["waivers_max"],
        drawn_at_minimal=raw["levels"].get("drawn_at_minimal", 0),
        seats_minimal=tuple(raw["levels"].get("seats_minimal", ())),
        pipeline_seat=raw["levels"].get("pipeline_seat", Seat.SECURITY_PRIVACY.value),
        signatures=raw.get("signatures", {}),
    )


def _once(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(keys))


def _tuples(table: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def _crosswalk(row: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return _tuples(row.get("crosswalk", {}))


def _requirement(row: dict[str, Any]) -> Requirement:
    absent: dict[str, Any] = dict.fromkeys(
        ("min_evidence", "min_condition", "fresh_days_minimal", "fresh_days_high_risk", "grace_days")
    )
    return Requirement(**absent | _tuples(row) | {"crosswalk": _crosswalk(row)})


def _own_requirement(row: dict[str, Any]) -> Requirement:
    """Return the requirement of a criterion with evidence, which has the same key."""
    same = ("key", "layer", "origin", "question", "counts", "severity", "waivable", "fresh_days")
    return Requirement(
        **{name: row[name] for name in same},
        stage=schema.OWN_STAGES[row["gate"]],
        group="own",
        evidence=tuple(row["evidence"]),
        min_evidence=None,
        min_condition=None,
        fresh_days_minimal=row.get("fresh_days_minimal"),
        fresh_days_high_risk=None,
        triggers=tuple(row.get("triggers", ())),
        why_fresh="",
        answered_by="business_owner",
        grace_days=None,
        crosswalk=_crosswalk(row),
        own_of=row["key"],
        level=row.get("level", {}),
        left_out=row.get("left_out", {}),
        level_at_mvp=row.get("level_at_mvp", {}),
        ways=tuple(row.get("ways", ())),
    )


def _criterion(row: dict[str, Any], tests: dict[str, ScaleTest]) -> Criterion:
    same = ("key", "gate", "origin", "layer", "question", "counts", "seat", "severity", "waivable")
    test = row.get("scale_test", "")
    own = [row["key"]] if "evidence" in row else []
    return Criterion(
        **{name: row[name] for name in same},
        requirements=_once([*row.get("requirements", ()), *(tests[test].items if test else ()), *own]),
        scale_test=test,
        due_days=row.get("due_days"),
        emergency_due_days=row.get("emergency_due_days"),
        declared_goals=tuple(row.get("declared_goals", ())),
        declared_goals_minimal=tuple(row.get("declared_goals_minimal", ())),
        crosswalk=_crosswalk(row),
        fresh_days=row.get("fresh_days"),
    )


def _gate_of(key: str, table: dict[str, Any], criteria: dict[str, Criterion]) -> Gate:
    return Gate(
        key=key,
        title=table["title"],
        from_stages=tuple(table["from"]),
        to=table["to"],
        quorum=table["quorum"],
        quorum_high_risk=table.get("quorum_high_risk"),
        must_include=tuple(table["must_include"]),
        note=table.get("note", ""),
        criteria=tuple(criterion for criterion in criteria.values() if criterion.gate == key),
    )
