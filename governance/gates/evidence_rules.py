"""Decide whether and how long an item counts for a requirement. Pure.

Source of every rule: docs/domain.md, "What counts as evidence".
"""

import re
from collections.abc import Iterable
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
from governance.vocabulary import Layer, Tested
from governance.vocabulary.phrases import label, phrase
from governance.vocabulary.readable_text import sentence_key

CONDITION_RANK = {"": 0, "curated": 1, "bounded_real": 2, "full_population": 3}
ACCEPTANCE_ALWAYS = frozenset({"prod.q02_support"})
# A page by its number or its rank. "Landing page" or "page_url" names a column or heading, not a page.
PAGE = re.compile(
    r"\bpp?\.\s*\d|\bpages?\s+(?:\d|one\b|two\b|three\b)|\b(?:first|second|third|last|front|title|\d+(?:st|nd|rd|th))\s+page\b",
    re.IGNORECASE,
)


def names_a_page(place: str) -> bool:
    """Return True if a place in an item is a page, such as "First page" or "p. 3"."""
    return PAGE.search(place) is not None


def used_before(said: Iterable[tuple[int, str]]) -> list[bool]:
    """Return for each (person's key, words) whether the person used the words earlier.

    Capitals, spaces and punctuation do not count. The order is the order given.
    """
    known: set[tuple[int, str]] = set()
    found = []
    for person, words in said:
        sentence = (person, sentence_key(words))
        found.append(sentence in known)
        known.add(sentence)
    return found


def expiry(requirement: Requirement, first_day: date, tier: str) -> date | None:
    """Return the last current day of an item, or None if only a trigger ends it.

    `first_day` is the day from which its age counts (`Facts.first_day`).
    """
    days = requirement.days(tier)
    return first_day + timedelta(days=days) if days else None


def expiry_of(facts: Facts, requirement: Requirement, item: Item) -> date | None:
    """Return the last current day of an item of these facts, or None if only a trigger ends it."""
    return expiry(requirement, facts.first_day(item), facts.tier)


def unusable(
    facts: Facts, rulebook: ParsedRulebook, requirement: Requirement, item: Item, at: datetime
) -> str:
    """Return why the item does not count at `at`, age and verification aside, or ""."""
    key = requirement.key
    if item.withdrawn_at is not None and item.withdrawn_at <= at:
        return phrase("{} was withdrawn.", item.title)
    if item.superseded_by is not None:
        return phrase("{} was superseded by a newer item.", item.title)
    if item.missing:
        return phrase("{}: file missing.", item.title)
    void = item.void_at(key, at)
    if void is not None:
        return phrase("{} no longer counts: {}", item.title, ended(void.cause))
    if item.kind == "attestation" and key in ACCEPTED_IN_PERSON:
        if item.acceptance_role != ACCEPTED_IN_PERSON[key]:
            return phrase("Only the person in the role can give this acceptance.")
        if not item.acceptance_open:
            return phrase("{} does not count, because the person no longer has the role.", item.title)
    if key in GENERATED_ONLY and not item.generated:
        return phrase("Only the index that Plumbline generates counts as evidence.")
    if item.clause_of is not None and not any(
        version.id == item.clause_of and version.in_force_at(at) for version in facts.contracts
    ):
        return phrase("{} cites a contract version that is not in force.", item.title)
    if (
        "model_version" in requirement.triggers
        and requirement.stage != "prototype"
        and (models := facts.models_at(at))
        and not ({version.id for version in models} <= item.components)
    ):
        return phrase(
            "{} does not name the model that runs, {}.", item.title, ", ".join(v.label for v in models)
        )
    if not requirement.takes(item.kind, item.tested):
        return f"{item.title} {about_another(requirement, item.tested)}"
    about_models_only = item.layers and item.layers == {"model"} and item.kind != "attestation"
    if about_models_only and requirement.layer != Layer.MODEL:
        return phrase(
            "{} is about the model only, but this requirement covers more than the model.", item.title
        )
    if requirement.group == "layer" and _attached_elsewhere_first(facts, rulebook, requirement, item):
        return phrase(
            "{} is already the audit report of a different layer. Each layer needs its own report.",
            item.title,
        )
    return ""


def about_another(requirement: Requirement, tested: str) -> str:
    """Return the end of a sentence: what was tested, and what the requirement asks."""
    asked = " or ".join(f"“{Tested.word(word)}”" for word in requirement.tested)
    if not tested:
        return phrase("names no subject, but this requirement asks for {}.", asked)
    return phrase("is about “{}”, but this requirement asks for {}.", label(Tested.word(tested)), asked)


def _attached_elsewhere_first(
    facts: Facts, rulebook: ParsedRulebook, requirement: Requirement, item: Item
) -> bool:
    """Return True if the content served another requirement of group `layer` earlier."""
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
    """Return the state of a requirement without any evidence, which is the usual one."""
    words = phrase("No evidence yet: {}.", " or ".join(in_words(kind) for kind in kinds))
    fix, place = elsewhere(key, kinds) or ("Add evidence.", "")
    return State(key, "unproven", words, fix, answer_version=version, place=place)


def none_counts(requirement: Requirement, version: int, offered: list[Item], why: str, at: datetime) -> State:
    """Return the state if no offered item counts, with the first reason."""
    voided = any(item.void_at(requirement.key, at) for item in offered)
    return lacking(
        requirement,
        version,
        "voided" if voided else "unproven",
        why,
        phrase("Add newer evidence."),
        tuple(offered[:1]),
    )


def expired_evidence(facts: Facts, requirement: Requirement, version: int, stale: Item) -> State:
    """Return the state if the evidence is older than the requirement allows."""
    first, last = facts.first_day(stale), expiry_of(facts, requirement, stale)
    words = phrase("{}, observed {}, was current only until {}.", stale.title, first, last)
    return lacking(
        requirement, version, "expired", words, phrase("Replace it with a newer version."), (stale,)
    )


def of_other_link(requirement: Requirement, offered: list[Item], passing: list[Item]) -> Item | None:
    """Return the newest item of a link without a passing item, if each needs one."""
    if requirement.each != "link":
        return None
    shown = {None, *(item.link for item in passing)}
    stands = (item for item in offered if item.withdrawn_at is None and item.superseded_by is None)
    return next((item for item in stands if item.link not in shown), None)


def too_weak(
    requirement: Requirement, version: int, offered: list[Item], passing: list[Item]
) -> State | None:
    """Return the state if the passing items do not suffice, or None."""
    words, fix, place = "", "", None
    least = CONDITION_RANK[requirement.min_condition or ""]
    if requirement.min_evidence and not any(item.kind == requirement.min_evidence for item in passing):
        kind = in_words(requirement.min_evidence)
        words, fix = phrase("This requirement needs at least one {}.", kind), phrase("Add a {}.", kind)
    elif requirement.min_condition and all(CONDITION_RANK[item.condition] < least for item in passing):
        words = phrase("The test condition was easier than {}.", in_words(requirement.min_condition))
        fix = phrase("Add a test under the required condition.")
    elif requirement.key in ACCEPTANCE_ALWAYS and not any(item.acceptance_role for item in passing):
        words = phrase("The support owner must accept in person. A document is not enough.")
        fix, place = phrase("Ask the support owner to accept."), BY_ACCEPTANCE
    elif (other := of_other_link(requirement, offered, passing)) is not None:
        words = phrase(
            "{} does not count. A drill of a different link cannot replace this drill.", other.title
        )
        fix = phrase("Repeat the drill of that link and record the result.")
    return lacking(requirement, version, "weak", words, fix, tuple(passing), place) if words else None


def last_day(facts: Facts, requirement: Requirement, passing: list[Item], ageless: bool) -> date | None:
    """Return the last day on which the passing items still meet the requirement."""
    if ageless or not requirement.days(facts.tier):
        return None
    groups = needed_of(requirement, passing)
    ends = ([expiry_of(facts, requirement, item) for item in group] for group in groups)
    return min(max(day for day in days if day is not None) for days in ends)


def needed_of(requirement: Requirement, passing: list[Item]) -> list[list[Item]]:
    """Return the passing items, and those behind each minimum that is asked."""
    needed = [passing]
    if requirement.min_evidence:
        needed.append([item for item in passing if item.kind == requirement.min_evidence])
    if requirement.min_condition:
        least = CONDITION_RANK[requirement.min_condition]
        needed.append([item for item in passing if CONDITION_RANK[item.condition] >= least])
    if requirement.key in ACCEPTANCE_ALWAYS:
        needed.append([item for item in passing if item.acceptance_role])
    if requirement.each == "link":
        links = {item.link: None for item in passing if item.link is not None}
        needed += ([item for item in passing if item.link == link] for link in links)
    return needed


def undeclared(facts: Facts, rulebook: ParsedRulebook, tier: str) -> list[str]:
    """Return in words what the MVP must show at this tier and no one has declared."""
    criteria = rulebook.at_tier(tier).criteria.values()
    wanted = [key for criterion in criteria for key in criterion.declared_goals]
    return [key.replace("_", " ") for key in wanted if key not in facts.declared]
