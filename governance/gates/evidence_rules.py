"""Items of evidence: whether each counts for a requirement at one moment, for how long, and what is missing. Pure.

Source of every rule: docs/domain.md, "What counts as evidence".
"""

from datetime import date, datetime, timedelta
from functools import cache

from governance.gates.gate_inputs import Facts, Item
from governance.gates.requirement_state import (
    ACCEPTED_IN_PERSON,
    BY_ACCEPTANCE,
    GENERATED_ONLY,
    State,
    elsewhere,
    in_words,
    lacking,
)
from governance.permission_result import ended
from governance.rulebook import ParsedRulebook, Requirement
from governance.vocabulary import Layer

CONDITION_RANK = {"": 0, "curated": 1, "bounded_real": 2, "full_population": 3}
ACCEPTANCE_ALWAYS = frozenset({"prod.q02_support"})


def expiry(requirement: Requirement, item: Item, tier: str) -> date | None:
    """The last day on which the item is current for the requirement; None when only a trigger ends it."""
    days = requirement.days(tier)
    return item.observed_on + timedelta(days=days) if days else None


def unusable(
    facts: Facts, rulebook: ParsedRulebook, requirement: Requirement, item: Item, at: datetime
) -> str:
    """Why the item counts for nothing at `at`; empty where it may count. Age and verification are looked at later."""
    key = requirement.key
    if item.withdrawn_at is not None and item.withdrawn_at <= at:
        return f"{item.title} was withdrawn."
    if item.superseded_by is not None:
        return f"{item.title} was superseded by a newer item."
    if item.missing:
        return f"{item.title}: file missing."
    void = item.void_at(key, at)
    if void is not None:
        return f"{item.title} no longer counts: {ended(void.cause)}"
    if item.kind == "attestation" and key in ACCEPTED_IN_PERSON:
        if item.acceptance_role != ACCEPTED_IN_PERSON[key]:
            return "Only the person's own acceptance of the role counts here."
        if not item.acceptance_open:
            return f"{item.title}: that person no longer holds the role."
    if key in GENERATED_ONLY and not item.generated:
        return "Only the generated index counts here."
    if item.clause_of is not None and not any(
        version.id == item.clause_of and version.in_force_at(at) for version in facts.contracts
    ):
        return f"{item.title} cites a contract version that is not in force."
    if (
        "model_version" in requirement.triggers
        and requirement.stage != "prototype"
        and (models := facts.models_at(at))
        and not ({version.id for version in models} <= item.components)
    ):
        return f"{item.title} does not name the model that runs, {', '.join(v.label for v in models)}."
    about_models_only = item.layers and item.layers == {"model"} and item.kind != "attestation"
    if about_models_only and requirement.layer != Layer.MODEL:
        return f"{item.title} is about the model and nothing else; this asks about more."
    if requirement.group == "layer" and _attached_elsewhere_first(facts, rulebook, requirement, item):
        return f"{item.title} already serves another layer's audit; each layer needs its own report."
    return ""


def _attached_elsewhere_first(
    facts: Facts, rulebook: ParsedRulebook, requirement: Requirement, item: Item
) -> bool:
    """Whether the same content was attached earlier to another requirement of the group `layer`."""
    mine = item.covers[requirement.key]
    return any(
        position < mine
        for other in facts.items
        if other.fingerprint == item.fingerprint
        for key, position in other.covers.items()
        if key != requirement.key
        and key in rulebook.requirements
        and rulebook.requirements[key].group == "layer"
    )


@cache
def none_yet(key: str, kinds: tuple[str, ...], version: int) -> State:
    """Most requirements of most initiatives: nothing was offered yet."""
    words = f"No evidence yet: {' or '.join(in_words(kind) for kind in kinds)}."
    fix, place = elsewhere(key, kinds) or ("Add evidence.", "")
    return State(key, "unproven", words, fix, answer_version=version, place=place)


def none_counts(requirement: Requirement, version: int, offered: list[Item], why: str, at: datetime) -> State:
    """Nothing that is offered counts, for the first reason why."""
    voided = any(item.void_at(requirement.key, at) for item in offered)
    return lacking(
        requirement,
        version,
        "voided" if voided else "unproven",
        why,
        "Add newer evidence.",
        tuple(offered[:1]),
    )


def expired_evidence(requirement: Requirement, version: int, stale: Item, tier: str) -> State:
    """What was there is older than the requirement takes."""
    last = expiry(requirement, stale, tier)
    words = (
        f"{stale.title}, observed {stale.observed_on:%-d %B %Y}, expired: it was current "
        f"until {last:%-d %B %Y}."
    )
    return lacking(requirement, version, "expired", words, "Replace it with a newer version.", (stale,))


def too_weak(requirement: Requirement, version: int, passing: list[Item]) -> State | None:
    """What passes and is current, and is still less than the requirement asks; None where it is enough."""
    words, fix, place = "", "", None
    least = CONDITION_RANK[requirement.min_condition or ""]
    if requirement.min_evidence and not any(item.kind == requirement.min_evidence for item in passing):
        kind = in_words(requirement.min_evidence)
        words, fix = f"Needs at least one {kind}.", f"Add a {kind}."
    elif requirement.min_condition and all(CONDITION_RANK[item.condition] < least for item in passing):
        words = f"Tried under easier conditions than {in_words(requirement.min_condition)}."
        fix = "Add a test under the asked condition."
    elif requirement.key in ACCEPTANCE_ALWAYS and not any(item.acceptance_role for item in passing):
        words = "Needs the support owner's own acceptance, beside any document."
        fix, place = "Ask the support owner to accept.", BY_ACCEPTANCE
    return lacking(requirement, version, "weak", words, fix, tuple(passing), place) if words else None


def last_day(requirement: Requirement, passing: list[Item], tier: str, ageless: bool) -> date | None:
    """The last day on which the passing items still meet the requirement, if nothing else changes."""
    if ageless or not requirement.days(tier):
        return None
    groups = needed_of(requirement, passing)
    ends = ([expiry(requirement, item, tier) for item in group] for group in groups)
    return min(max(day for day in days if day is not None) for days in ends)


def needed_of(requirement: Requirement, passing: list[Item]) -> list[list[Item]]:
    """What passes, and of it what each least thing that is asked rests on."""
    needed = [passing]
    if requirement.min_evidence:
        needed.append([item for item in passing if item.kind == requirement.min_evidence])
    if requirement.min_condition:
        least = CONDITION_RANK[requirement.min_condition]
        needed.append([item for item in passing if CONDITION_RANK[item.condition] >= least])
    if requirement.key in ACCEPTANCE_ALWAYS:
        needed.append([item for item in passing if item.acceptance_role])
    return needed


def undeclared(facts: Facts, rulebook: ParsedRulebook) -> list[str]:
    """What the MVP is to show and nobody has declared yet, in words."""
    wanted = [key for criterion in rulebook.criteria.values() for key in criterion.declared_goals]
    return [key.replace("_", " ") for key in wanted if key not in facts.declared]
