"""Initiatives filled by what was agreed on (`agreed_requirements`, `agreed_gates`), and by nothing that the rulebook
says.

Every initiative is an idea without an approved stage: so no earlier decision, no later form of a requirement and no
stage that it should hold stands between what is offered and what a gate says.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from governance import clock
from governance.gates.criteria import JudgedSignOff, SeatState
from governance.gates.gate_inputs import Declared, Facts, Reply, ScopeFact, Verification
from tests.support.rules import agreed_gates, agreed_requirements
from tests.support.rules.gate_facts import AT, CONTRACT, LONG_AGO, MODEL, SHOWN, TODAY, item

TIERS = ("minimal", "limited", "high")
LEVELS = ("", "stated", "documented", "verified")
SEATS = (
    "business_value",
    "risk_compliance",
    "security_privacy",
    "architecture_integration",
    "service_operations",
    "adoption_change",
)
KINDS = (
    "attestation",
    "document",
    "contract_clause",
    "test_report",
    "drill_record",
    "telemetry",
    "log_sample",
    "system_record",
    "user_research",
    "decision_record",
)
WITH_RESULT = ("test_report", "drill_record", "telemetry", "log_sample", "user_research")
WITH_CONDITION = ("test_report", "user_research")
CONDITIONS = ("", "curated", "bounded_real", "full_population")
CHANGES = {
    "model": "model_version",
    "application": "application_version",
    "schema": "integration_schema",
    "source": "data_source",
    "vendor": "vendor_terms",
    "scope": "scope",
    "owner": "owner",
    "support": "support_owner",
    "contract": "contract_version",
    "incident": "incident",
    "tier": "risk_tier",
    "workflow": "workflow",
    "knowledge": "knowledge_holder",
    "records": "record_owner",
}
# Who has to accept in person, and what only Plumbline generates: nothing else meets these, and they are measured.
IN_PERSON = {
    "mvp.owner": "owner",
    "mvp.duty": "support_owner",
    "prod.q01_outcome_owner": "owner",
    "prod.q02_support": "support_owner",
}
GENERATED = ("prod.q07_governance_evidence",)
ONLY_FROM_OUTSIDE = ("mvp.owner", "mvp.duty", "prod.q02_support", *GENERATED)
# On whose inbox a requirement lies, by name.
PEOPLE = {
    "owner": "Marta",
    "support_owner": "Karim",
    "technical_lead": "Lena",
    "data_steward": "Samir",
}
DESCRIBED = ((LONG_AGO, None),)
VERIFIERS = (98, 99)


@dataclass(frozen=True)
class AgreedRequirement:
    """What was agreed on for one requirement; by tier the days (0: until a change ends it) and the level, where
    asked.
    """

    key: str
    kinds: tuple[str, ...]
    must: str
    condition: str
    days: dict[str, int]
    level: dict[str, str]
    level_at_mvp: dict[str, str]
    inbox: str
    blocking: bool
    waivable: bool
    of_register: bool
    ways: tuple[str, ...]
    changes: frozenset[str]
    words: str

    def asked(self, gate: str, tier: str) -> str:
        """The level that this gate asks at this tier; "" where the tier leaves it out."""
        levels = self.level_at_mvp if gate == "mvp" else self.level
        return levels.get(tier, "")

    @property
    def person(self) -> str:
        """The name of whoever the requirement lies with."""
        return PEOPLE["owner" if self.inbox == "business_owner" else self.inbox]


@dataclass(frozen=True)
class Criterion:
    """What was agreed on for one criterion."""

    key: str
    seat: str
    blocking: bool
    waivable: bool
    due: int | None
    emergency: int | None
    words: str
    asks: tuple[str, ...]

    @property
    def gate(self) -> str:
        """The gate that its key begins with."""
        return self.key.partition(".")[0]

    def seat_at(self, tier: str) -> str:
        """Who signs it at this tier."""
        few = agreed_gates.SEATS_AT_MINIMAL
        return self.seat if tier != "minimal" or self.seat in few else few[-1]


@dataclass(frozen=True)
class Gate:
    """What was agreed on for one gate."""

    key: str
    title: str
    quorum: dict[str, int]
    must_sign: tuple[str, ...]

    @property
    def criteria(self) -> list[Criterion]:
        """Its criteria, in their order."""
        return [row for row in CRITERIA.values() if row.gate == self.key]

    def asks(self, tier: str) -> list[str]:
        """What it asks at this tier, each once."""
        keys = dict.fromkeys(key for row in self.criteria for key in row.asks)
        return [key for key in keys if QUESTIONS[key].asked(self.key, tier)]

    def seats(self, tier: str) -> list[str]:
        """Who signs there at this tier."""
        return list(dict.fromkeys(row.seat_at(tier) for row in self.criteria))

    def must_sign_at(self, tier: str) -> list[str]:
        """Who must be among the signers at this tier."""
        few = agreed_gates.SEATS_AT_MINIMAL
        seats = [seat if tier != "minimal" or seat in few else few[-1] for seat in self.must_sign]
        return list(dict.fromkeys(seats))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")]


def _rows(text: str) -> dict[str, list[str]]:
    return {cells[0]: cells[1:] for cells in map(_cells, text.strip().splitlines())}


def _by_tier(words: str) -> dict[str, str]:
    return {tier: word for tier, word in zip(TIERS, words.split(), strict=True) if word != "-"}


def _questions() -> dict[str, AgreedRequirement]:
    duty, at_mvp = _rows(agreed_requirements.DUTY), _rows(agreed_requirements.LEVEL_AT_MVP)
    found = {}
    for key, (kinds, days, level) in _rows(agreed_requirements.EVIDENCE).items():
        inbox, may, ways, changes, words = duty[key]
        said = kinds.split()
        found[key] = AgreedRequirement(
            key,
            tuple(word.rstrip("!") for word in said if word[0] != "@"),
            next((word.rstrip("!") for word in said if word[-1] == "!"), ""),
            next((word[1:] for word in said if word[0] == "@"), ""),
            {tier: 0 if word == "ever" else int(word) for tier, word in _by_tier(days).items()},
            _by_tier(level),
            _by_tier(at_mvp[key][0] if key in at_mvp else level),
            inbox,
            "advisory" not in may.split(),
            "waivable" in may.split(),
            "register" in may.split(),
            tuple(ways.replace("-", "").split()),
            frozenset(CHANGES[word] for word in changes.replace("-", "").split()),
            words,
        )
    return found


def _criteria() -> dict[str, Criterion]:
    found: dict[str, Criterion] = {}
    for line in agreed_gates.CRITERIA.strip().splitlines():
        if line.startswith(" "):
            key, row = found.popitem()
            found[key] = replace(row, asks=(*row.asks, *line.split()))
            continue
        key, seat, may, due, words = _cells(line)
        days = [int(word) for word in due.replace(",", "").split() if word.isdigit()]
        within = days.pop(0) if due.startswith("within") else None
        severity, waiver = may.split()
        found[key] = Criterion(
            key,
            seat,
            severity == "blocking",
            waiver == "waivable",
            within,
            days[0] if days else None,
            words,
            (),
        )
    return found


def _gates() -> dict[str, Gate]:
    return {
        key: Gate(
            key,
            title,
            {tier: int(number) for tier, number in zip(TIERS, quorum.split(), strict=True)},
            tuple(must.replace("-", "").split()),
        )
        for key, (quorum, title, must) in _rows(agreed_gates.GATES).items()
    }


QUESTIONS, CRITERIA, GATES = _questions(), _criteria(), _gates()


def artefact(key, pk=1, *, kind="", by=VERIFIERS, observed=TODAY, **fields):
    """An item for a requirement, verified by these people; of the kind that shows it most plainly, where none is
    named.
    """
    row = QUESTIONS[key]
    others = [
        one for one in row.kinds if one != "attestation" and (not row.condition or one in WITH_CONDITION)
    ]
    kind = kind or row.must or (others[0] if others else "attestation")
    values = {
        "observed_on": observed,
        "added_at": clock.midnight_before(observed),
        "result": "pass" if kind in WITH_RESULT else "",
        "condition": (row.condition or "curated") if kind in WITH_CONDITION else "",
    }
    if kind == "contract_clause":
        # A clause of another kind: an artefact like others, which does not measure.
        values |= {"clause_of": CONTRACT.id, "clause_kind": "audience"}
    if kind == "attestation" and key in IN_PERSON:
        values |= {"acceptance_role": IN_PERSON[key], "acceptance_open": True}
    if key in GENERATED and kind == "system_record":
        values |= {"generated": True}
    made = item(pk, key, kind=kind, **(values | fields))
    said = [
        Verification(person, f"Person {person}", made.added_at, 1, made.fingerprint, True, "Page 2.")
        for person in by
    ]
    return replace(made, verifications={key: tuple(said)})


def at_level(key, level, pk=1, **fields):
    """What brings an answer to exactly this level: nothing for "", a person's word for "stated"."""
    if not level:
        return ()
    if key in ONLY_FROM_OUTSIDE:
        return (artefact(key, pk, by=(), **fields),)
    if level == "stated":
        return (artefact(key, pk, kind="attestation", by=(), acceptance_role="", **fields),)
    return (artefact(key, pk, by=VERIFIERS if level == "verified" else (), **fields),)


def initiative(tier, keys=(), *items, **fields):
    """The facts of an idea in which these requirements are answered and these items offered."""
    values = {
        "ref": "AI-0001",
        "title": "An initiative",
        "approved_stage": "proposed",
        "tier": tier,
        "answers": {key: Reply("answered", "words", 1, LONG_AGO) for key in keys},
        "items": items,
        "deployments": (MODEL,),
        "contracts": (CONTRACT,),
        "declared": {key: Declared(key, "It will be shown.", "met") for key in agreed_gates.DECLARED},
        "scopes": (ScopeFact(1, "40 users", 40, None, False),),
        "people": PEOPLE,
        "owner_id": 7,
        "described": DESCRIBED,
        "measured": SHOWN,
    }
    return Facts(**(values | fields))


def shown(gate, tier, *, without=(), **fields):
    """An initiative in which all that the gate asks at this tier stands at the level asked, and nothing else is
    said.
    """
    row = GATES[gate]
    keys = [key for key in row.asks(tier) if key not in without]
    items = [
        one
        for pk, key in enumerate(keys, start=1)
        for one in at_level(key, QUESTIONS[key].asked(gate, tier), pk)
    ]
    return initiative(tier, keys, *items, **fields)


def board():
    """A board on which each seat is held by a person of its own."""
    return {seat: SeatState(seat, (f"of {seat}",), (), (number,)) for number, seat in enumerate(SEATS, 1)}


def sign_offs(seats):
    """A fresh approval of each of these seats."""
    return tuple(JudgedSignOff(seat, SEATS.index(seat) + 1, f"of {seat}", "approve", AT) for seat in seats)


def days_before(days):
    """The day so many days before the fixed today."""
    return TODAY - timedelta(days=days)
