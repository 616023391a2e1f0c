"""Facts for the pure rules, made by hand: no database, no actions."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from governance.gates.gate_inputs import (
    ContractState,
    Declared,
    DeploymentFact,
    Facts,
    Item,
    Measured,
    Reply,
    ScopeFact,
)
from governance.gates.requirements import ACCEPTED_IN_PERSON, GENERATED_ONLY
from governance.rulebook import parse, shipped_text
from tests.support.rules.plain_rulebook import plain_text

RULEBOOK = parse(plain_text())
# What an item has to be about where the shipped rulebook asks for that.
TESTED = {key: asked.tested[:1] for key, asked in parse(shipped_text()).requirements.items()}
AT = datetime(2026, 11, 2, 12, tzinfo=UTC)
TODAY = AT.date()
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
MODEL = DeploymentFact(1, 1, "model", "Language model m-4", LONG_AGO, None)
CONTRACT = ContractState(1, 1, "c" * 64, LONG_AGO, None)
# Requests that were asked here and calls that are logged here, from ever and for good.
SHOWN = (
    Measured("gov.enforced", "asked", "its systems asked here", LONG_AGO),
    Measured("int.audit_trail", "logged", "the interaction log has calls", LONG_AGO),
)


# The kind of clause that speaks of each requirement about the contract.
CLAUSE_OF = {
    "gov.autonomy": "autonomy",
    "gov.human_approval": "human_approval",
    "prod.q06_human_review": "human_approval",
    "gov.edge_policies": "edge_policy",
    "gov.record_owner": "record_owner",
}


def days_ago(days: int) -> date:
    """A day before the fixed today."""
    return TODAY - timedelta(days=days)


def reply(kind: str = "answered", version: int = 1, accepted_on: date | None = None) -> Reply:
    """An answer in words."""
    by = frozenset({1}) if accepted_on else frozenset()
    return Reply(kind, "words", version, LONG_AGO, accepted_on, accepted_by=by)


def item(pk: int, *keys: str, kind: str = "document", observed_on: date = TODAY, **fields) -> Item:
    """One piece of evidence for `keys`, with its own fingerprint, naming the model that runs."""
    values = {
        "id": pk,
        "kind": kind,
        "title": f"Item {pk}",
        "author_id": 1,
        "observed_on": observed_on,
        "added_at": datetime(observed_on.year, observed_on.month, observed_on.day, tzinfo=UTC),
        "fingerprint": f"sha-{pk}",
        "covers": {key: pk * 10 + place for place, key in enumerate(keys)},
        "components": frozenset({MODEL.id}),
    }
    values["tested"] = next((one for key in keys for one in TESTED.get(key, ())), "")
    if kind in RULEBOOK.result_kinds:
        values["result"] = "pass"
    if kind in RULEBOOK.condition_kinds:
        values["condition"] = "full_population"
    return Item(**(values | fields))


def plain_kind(key: str) -> str:
    """The kind of evidence that grounds a requirement in the plainest way."""
    asked = RULEBOOK.requirements[key]
    if asked.min_evidence:
        return asked.min_evidence
    if asked.min_condition:
        return "test_report"
    return next((kind for kind in asked.evidence if kind != "attestation"), "attestation")


def evidence_of(key: str, pk: int, observed_on: date = TODAY, **fields) -> Item:
    """One item that grounds `key`."""
    kind = fields.pop("kind", plain_kind(key))
    if key in ACCEPTED_IN_PERSON:
        kind = "attestation"
        fields = {"acceptance_role": ACCEPTED_IN_PERSON[key], "acceptance_open": True} | fields
    if key in GENERATED_ONLY:
        fields = {"generated": True} | fields
    if kind == "contract_clause":
        fields = {"clause_of": CONTRACT.id, "clause_kind": CLAUSE_OF.get(key, "residency")} | fields
    return item(pk, key, kind=kind, observed_on=observed_on, **fields)


def one(key: str, *items: Item, answer: Reply | None = None, **fields) -> Facts:
    """The facts of an initiative with one answered requirement and these items."""
    values = {
        "ref": "AI-0001",
        "title": "An initiative",
        "approved_stage": "prototype",
        "answers": {key: answer or reply()},
        "items": items,
        "deployments": (MODEL,),
        "contracts": (CONTRACT,),
    }
    return Facts(**(values | fields))


def everything(approved_stage: str = "mvp", *, without=(), **fields) -> Facts:
    """An initiative for which every requirement of every gate is grounded today, except those in `without`."""
    keys = [key for gate in ("prototype", "mvp", "production") for key in RULEBOOK.gates[gate].requirements()]
    keys = [key for key in dict.fromkeys(keys) if key not in without]
    values = {
        "ref": "AI-0001",
        "title": "An initiative",
        "approved_stage": approved_stage,
        "tier": "limited",
        "answers": {key: reply() for key in keys},
        "items": tuple(evidence_of(key, pk) for pk, key in enumerate(keys, start=1)),
        "deployments": (MODEL,),
        "contracts": (CONTRACT,),
        "declared": {
            key: Declared(key, "It will be shown.", "met")
            for criterion in RULEBOOK.criteria.values()
            for key in criterion.declared_goals
        },
        "scopes": (ScopeFact(1, "40 users", 40, None, False),),
        "people": {"owner": "Marta", "support_owner": "Karim"},
        "owner_id": 7,
        "measured": SHOWN,
    }
    return Facts(**(values | fields))


def swapped(facts: Facts, key: str, *items: Item) -> Facts:
    """The facts with everything offered for `key` replaced by `items`."""
    kept = tuple(other for other in facts.items if key not in other.covers)
    return replace(facts, items=(*kept, *items))
