"""Difference of two rulebooks, in sentences: by stage, gate, criterion and requirement. Pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from governance.rulebook.parsed_rulebook import (
    CarryForward,
    Criterion,
    Gate,
    ParsedRulebook,
    Requirement,
    StageRule,
)
from governance.rulebook.schema import SIGNED_ACTS
from governance.vocabulary import Tier

# The words for each field in a sentence. A field that is missing here has its name.
NAMES = {
    "counts": "what counts",
    "fresh_days": "number of days for which the evidence is current",
    "fresh_days_minimal": "number of days for which the evidence is current, at minimal risk",
    "fresh_days_high_risk": "number of days for which the evidence is current, at high risk",
    "grace_days": "grace period in days",
    "unknown_days": "number of days to complete unknown values of the register",
    "unknown_days_high": "number of days to complete unknown values of the register, at high risk",
    "tier_grace_days": "number of days to confirm the risk tier after a change of scope",
    "due_days": "due date, in days after the stage change",
    "emergency_due_days": "due date in an emergency, in days",
    "min_evidence": "minimum evidence",
    "min_condition": "minimum test condition",
    "triggers": "events that end the evidence at once",
    "evidence": "kinds of evidence that count",
    "tested": "subject of a test, a drill or research",
    "each": "rows that each need their own evidence",
    "answered_by": "who answers",
    "requirements": "requirements of the criterion",
    "why_fresh": "reason why the evidence expires",
    "quorum": "signatures needed",
    "quorum_high_risk": "signatures needed at high risk",
    "must_include": "seats that must sign",
    "max_days_before_review": "number of days until the chair decides to continue or stop",
    "reattest_days": "number of days until production must be accepted again",
    "reattest_days_high": "number of days until production must be accepted again, at high risk",
    "tolerated": "what is tolerated",
    "forbidden": "what is forbidden",
    "sign_off_max_age_days": "number of days for which a signature counts",
    "review_expires_days": "number of days for which a review stays open",
    "waiver_max_days": "maximum number of days of a waiver",
    "accepted_risk_max_days": "maximum number of days of an accepted risk",
    "owner_vacant_step_back_days": "maximum number of days without an owner",
    "post_mortem_due_days": "number of days until a post-mortem is due",
    "retrospective_after_go_live_days": "number of days until the look back at production",
    "shown_here_days": "number of days for which a request or a logged call proves enforcement or logging",
    "component_end_days": "number of days before the end of life of a component when Plumbline asks about it",
    "retention_days": "minimum number of days for which records are kept",
    "warn_days_before": "number of days before a date when people are warned",
    "origin": "where it comes from",
    "own_of": "criterion of the requirement",
    "crosswalk": "paragraphs of outside frameworks",
    "level": "required level",
    "level_at_mvp": "required level at the gate to MVP",
    "left_out": "reason why a tier does not ask the requirement",
    "ways": "methods of measurement",
    "of_register": "unknown while the register is empty",
    "waivers_max": "maximum number of waivers of an initiative at the same time",
    "drawn_at_minimal": "number of requirements drawn for verification, in production at minimal risk",
    "seats_minimal": "seats that sign at minimal risk (the last seat signs for all others)",
    "pipeline_seat": "seat that confirms pipelines",
    "pipeline_days": "number of days for which the confirmation of a pipeline counts",
    "declared_goals_minimal": "goals that must be declared at minimal risk",
    "frozen": "answers that stay as they were decided at a gate",
    "live": "answers that must stay current in production",
    "ended_at_production": "answers that end at production",
    "replaced_at_production": "answers that are replaced by other answers at production",
}
# Tables of words, each with what it is called.
TABLES = {
    "standards": "Expectations of each stage",
    "triggers": "Expiry triggers",
    "seats": "Seats",
    "layers": "Layers",
    "evidence_kinds": "Kinds of evidence",
    "risk_tiers": "Risk tiers",
}

# Sets of kinds of evidence, each with what it is called.
CARRIED = {
    "result_kinds": "kinds with a result",
    "condition_kinds": "kinds with a test condition",
    "detailed_kinds": "kinds whose form asks for details",
    "register_kinds": "kinds that are never uploaded",
}

LEFT_OUT = "left out"  # of a requirement, at a tier that does not ask it

Row = TypeVar("Row", Requirement, Gate, Criterion)


def _strengths(old: ParsedRulebook, new: ParsedRulebook) -> list[str]:
    """Return the changes in the least strength of each act's signature, by tier."""
    return [
        _sentence(
            f"{act.replace('_', '-')} at {tier} risk",
            *(rulebook.signatures.get(act, {}).get(tier, "password") for rulebook in (old, new)),
        )
        for act in SIGNED_ACTS
        for tier in Tier
        if old.signatures.get(act, {}).get(tier, "password")
        != new.signatures.get(act, {}).get(tier, "password")
    ]


@dataclass(frozen=True)
class Section:
    """The differences in one part: sentences, and the gates whose requests change."""

    title: str
    lines: tuple[str, ...]
    gates: frozenset[str] = frozenset()


def differences(old: ParsedRulebook, new: ParsedRulebook) -> list[Section]:
    """Return all differences, part by part in the order of the rulebook."""
    called = _called(old, new)
    terms = [*_fields(old.freshness, new.freshness)]
    for name in ("waivers_max", "seats_minimal", "drawn_at_minimal", "pipeline_seat"):
        if getattr(old, name) != getattr(new, name):
            terms.append(_sentence(_name(name), getattr(old, name), getattr(new, name)))
    sections = [_section("Terms", terms, frozenset(new.gates))]
    for key in _keys(old.stages, new.stages):
        one, other = old.stages.get(key), new.stages.get(key)
        sections.append(_section(f"Stage: {key}", _row(one, other, StageRule)))
    for key in _keys(old.gates, new.gates):
        sections += _gate(old, new, key, called)
    for key in _keys(old.requirements, new.requirements):
        was, becomes = old.requirements.get(key), new.requirements.get(key)
        touched = frozenset(c.gate for rulebook in (old, new) for c in rulebook.criteria_using(key))
        title = f"Requirement: {_newest(was, becomes).question}"
        sections.append(_section(title, _requirement(was, becomes), touched))
    sections.append(_section("Strength of signatures", _strengths(old, new)))
    sections.append(_section("The governance contract", _fields(old.contract, new.contract)))
    carried_on = _fields(_carry(old.carry, called), _carry(new.carry, called))
    sections.append(_section("Requirements after a promotion", carried_on))
    sections.append(_section("Scale tests", _scale_tests(old, new, called)))
    for name, title in TABLES.items():
        sections.append(_section(title, _table(getattr(old, name), getattr(new, name))))
    carried = {words: (getattr(old, name), getattr(new, name)) for name, words in CARRIED.items()}
    lines = (_sentence(words, *kinds) for words, kinds in carried.items() if kinds[0] != kinds[1])
    sections.append(_section("Contents of each kind of evidence", lines))
    return [section for section in sections if section.lines]


def _section(title: str, lines: Iterable[str], gates: frozenset[str] = frozenset()) -> Section:
    return Section(title, tuple(lines), gates)


def _newest(old: Row | None, new: Row | None) -> Row:
    """Return the newer of two, else the older one. Raises LookupError if both are None."""
    newest = new or old
    if newest is None:
        raise LookupError("Neither rulebook has it.")
    return newest


def _called(old: ParsedRulebook, new: ParsedRulebook) -> dict[str, str]:
    """Return the names of requirements for other parts: the question and the key."""
    rows = old.requirements | new.requirements
    return {key: f"“{row.question}” ({key})" for key, row in rows.items()}


def _by_name(keys: Collection[str], called: dict[str, str]) -> tuple[str, ...]:
    return tuple(called.get(key, key) for key in _ordered(keys))


def _requirement(old: Requirement | None, new: Requirement | None) -> Iterator[str]:
    """Yield the changes of a requirement, and for a new one its level for each tier."""
    if old is not None and new is not None:
        tiers = old.level.keys() | new.level.keys()
        old, new = (_with_left_out(row, tiers) for row in (old, new))
    yield from _row(old, new, Requirement)
    if old is None and new is not None and (new.level or new.left_out):
        asked = {tier: _level_or_why(new, tier) for tier in Tier}
        yield f"Required level: {'; '.join(f'{tier}: {words}' for tier, words in asked.items())}."
        if new.level_at_mvp:
            yield _sentence(_name("level_at_mvp"), {}, new.level_at_mvp)


def _level_or_why(row: Requirement, tier: str) -> str:
    return f"{LEFT_OUT}, because “{row.left_out[tier]}”" if tier in row.left_out else row.level.get(tier, "")


def _with_left_out(row: Requirement, tiers: Collection[str]) -> Requirement:
    """Return the row with a word for each tier that it leaves out but the other asks."""
    out = {tier: LEFT_OUT for tier in Tier if tier in tiers and tier in row.left_out}
    return replace(row, level=row.level | out)


def _criterion(row: Criterion | None, called: dict[str, str]) -> Criterion | None:
    return row and replace(row, requirements=_by_name(row.requirements, called))


def _carry(carry: CarryForward, called: dict[str, str]) -> CarryForward:
    return replace(
        carry,
        frozen={gate: frozenset(_by_name(keys, called)) for gate, keys in carry.frozen.items()},
        live=frozenset(_by_name(carry.live, called)),
        ended_at_production=frozenset(_by_name(carry.ended_at_production, called)),
    )


def _scale_tests(old: ParsedRulebook, new: ParsedRulebook, called: dict[str, str]) -> Iterator[str]:
    for key in _keys(old.scale_tests, new.scale_tests):
        was, becomes = old.scale_tests[key], new.scale_tests[key]
        if was.statement != becomes.statement:
            yield _sentence(f"{key}, text", was.statement, becomes.statement)
        if was.items != becomes.items:
            yield _sentence(f"{key}, its items", _by_name(was.items, called), _by_name(becomes.items, called))


def _gate(old: ParsedRulebook, new: ParsedRulebook, key: str, called: dict[str, str]) -> Iterator[Section]:
    """Yield the changes of the gate and of each of its criteria."""
    one, other = old.gates.get(key), new.gates.get(key)
    yield _section(f"Gate: {_newest(one, other).title}", _row(one, other, Gate), frozenset([key]))
    before, after = ({c.key: c for c in gate.criteria} if gate else {} for gate in (one, other))
    for criterion in _keys(before, after):
        was, becomes = before.get(criterion), after.get(criterion)
        lines = _row(_criterion(was, called), _criterion(becomes, called), Criterion)
        yield _section(f"Criterion: {_newest(was, becomes).question}", lines, frozenset([key]))


def _keys(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return the keys of both, in the order of the newer one, and removed keys last."""
    return list(dict.fromkeys([*new, *old]))


def _row(old: Any, new: Any, kind: type) -> Iterator[str]:
    if old is None:
        yield "New: the older version does not have it."
    elif new is None:
        yield "Gone: the newer version does not have it."
    else:
        # Criteria are listed one by one, each under its question.
        yield from _fields(old, new, skip=["criteria"] if kind is Gate else [])


def _fields(old: Any, new: Any, skip: Collection[str] = ()) -> Iterator[str]:
    for one in fields(new):
        before, after = getattr(old, one.name), getattr(new, one.name)
        if one.name not in skip and before != after:
            yield _sentence(_name(one.name), before, after)


def _name(field: str) -> str:
    return NAMES.get(field, field.replace("_", " "))


def _table(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for key in _keys(old, new):
        if old.get(key) != new.get(key):
            yield _sentence(key.replace("_", " "), old.get(key), new.get(key))


def _sentence(name: str, before: Any, after: Any) -> str:
    name = name[:1].upper() + name[1:]
    if isinstance(before, (tuple, frozenset)) and isinstance(after, (tuple, frozenset)):
        return f"{name}: {'; '.join(_came_and_went(before, after)) or 'in a different order'}."
    if isinstance(before, dict) and isinstance(after, dict):
        changed = [key for key in _keys(before, after) if before.get(key) != after.get(key)]
        parts = [_part(_said(key), before.get(key), after.get(key)) for key in changed]
        return f"{name}: {'; '.join(parts)}."
    return f"{name}: {_change(before, after)}."


def _came_and_went(before: Collection[Any], after: Collection[Any]) -> list[str]:
    came = [_said(one) for one in _ordered(after) if one not in before]
    gone = [_said(one) for one in _ordered(before) if one not in after]
    return [f"{word} {', '.join(ones)}" for word, ones in (("added", came), ("gone", gone)) if ones]


def _part(name: str, before: Any, after: Any) -> str:
    """Return the difference under one name. For a set, only what was added or removed."""
    if isinstance(before, frozenset) and isinstance(after, frozenset):
        return f"{name}: {', '.join(_came_and_went(before, after))}"
    return f"{name}: {_change(before, after)}"


def _change(before: Any, after: Any) -> str:
    return f"now {_quoted(after)}, before {_quoted(before)}"


def _quoted(value: Any) -> str:
    """Return words of several words in quotation marks, so that their full stops stay inside."""
    own = isinstance(value, str) and " " in value and value != LEFT_OUT
    return f"“{value}”" if own else _said(value)


def _ordered(values: Collection[Any]) -> list[Any]:
    return sorted(values) if isinstance(values, frozenset) else list(values)


def _said(value: Any) -> str:
    """Return a value in words of people, such as nothing, yes, lists and quoted words."""
    if value is None or value == "" or value == () or value == {}:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (tuple, frozenset)):
        return ", ".join(_said(one) for one in _ordered(value))
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_said(one)}" for key, one in value.items())
    return str(value)
