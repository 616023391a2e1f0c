"""The statement that a seat signs, byte for byte, and why a sign-off went stale. Pure.

A seat's facts are what its statement names: the initiative in its own words and the items of evidence. See
docs/domain.md, invariant 19. New evidence stales a sign-off only if it supersedes one of them, or is a result other
than pass for the same requirement; what was unmet when it was signed and has been fixed since stales nothing.

`write` is handed nothing of the initiative but these facts, so that nothing is printed that `stale_reasons` cannot
compare.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from itertools import zip_longest
from textwrap import shorten
from typing import Any, Protocol

from governance import clock
from governance.gates.criteria import MET_STATES, Judged
from governance.gates.evidence_rules import expiry, unusable
from governance.gates.gate_inputs import Facts, Item
from governance.gates.requirements import SATISFIED_STATES
from governance.permission_result import ended
from governance.rulebook import Criterion, ParsedRulebook
from governance.vocabulary import LEVEL_RANK, Level, Seat, SignOffVerdict
from governance.vocabulary.readable_text import shown

# Of the facts and so of the statement. It is raised when facts are named otherwise.
FORMAT = 1
# Characters of an answer that a statement quotes; of what is longer, the digest of the rest stands beside them.
ANSWER_QUOTED = 600
MEANINGS: dict[str, str] = {
    SignOffVerdict.APPROVE: "approve that",
    SignOffVerdict.CONDITION: "approve, on the condition below, that",
    SignOffVerdict.OBJECT: "object: I hold that the criteria named below are not met for",
    SignOffVerdict.RECUSE: "recuse myself and give no verdict on",
    SignOffVerdict.WITHDRAWN: "withdraw my earlier sign-off on",
}
UNMET_ADVISORY = "unmet, advisory"
# The longest piece of two texts that a reason quotes, in letters.
QUOTED = 160


def digest(text: str) -> str:
    """SHA-256 of the statement's UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def seat_facts(judged: Judged, gate: str, seat: str) -> dict[str, Any]:
    """The facts that this seat covers at this gate: what its statement names, as plain JSON values."""
    facts, rulebook = judged.facts, judged.rulebook
    signed = rulebook.criteria_of(gate, seat)
    asked = dict.fromkeys(key for criterion in signed for key in criterion.requirements)  # in order
    requirements, evidence = {}, {}
    for key in asked:
        state = judged.states[key]
        satisfied = state.satisfies(gate)
        requirements[key] = {
            "state": "met" if satisfied and state.state == "below" else state.state,
            "answer": state.answer_version,
            "evidence": [item.id for item in state.items] if satisfied else [],
            "until": state.last_day.isoformat() if state.last_day else None,
            "level": state.level,
            **_quoted_answer(facts, key),
        }
        if satisfied:
            for item in state.items:
                evidence[str(item.id)] = _named(item)
    declared_goals = {
        key: [facts.declared[key].declared, facts.declared[key].result] if key in facts.declared else None
        for criterion in signed
        for key in criterion.declared_goals
    }
    contract = next((c for c in facts.contracts if c.in_force_at(judged.at)), None)
    return {
        "format": FORMAT,
        "initiative": facts.ref,
        "title": facts.title,
        "problem": facts.problem,
        "platform": facts.platform,
        "confidential": facts.confidential,
        "gate": gate,
        "seat": seat,
        "rulebook": rulebook.digest,
        "criteria": {criterion.key: judged.findings[criterion.key].state for criterion in signed},
        "requirements": requirements,
        "evidence": evidence,
        "declared_goals": declared_goals,
        "contract": {"number": contract.number, "digest": contract.digest}
        if contract and covers_contract(rulebook, asked)
        else None,
        "scope": [[scope.id, scope.words, scope.planned] for scope in facts.scopes],
        "owner": [facts.owner_id, facts.people.get("owner", "")],
        "tier": facts.tier,
    }


def _quoted_answer(facts: Facts, key: str) -> dict[str, str]:
    """The words of the answer that a statement quotes, and the digest of those that it does not."""
    reply = facts.answers.get(key)
    words = one_line(reply.text) if reply else ""
    rest = words[ANSWER_QUOTED:]
    return {"said": words[:ANSWER_QUOTED], "rest": digest(rest) if rest else ""}


def _named(item: Item) -> dict[str, str]:
    """What a statement names of an item of evidence."""
    return {
        "title": item.title,
        "kind": item.kind,
        "fingerprint": item.fingerprint,
        "observed_on": item.observed_on.isoformat(),
    }


def covers_contract(rulebook: ParsedRulebook, keys: Iterable[str]) -> bool:
    """Whether what the contract says is among what these requirements are about."""
    return any(
        "contract_clause" in rulebook.requirements[key].evidence
        or "contract_version" in rulebook.requirements[key].triggers
        for key in keys
    )


class Named(Protocol):
    """A person as a statement names them."""

    pk: Any
    full_name: str


def write(
    rulebook: ParsedRulebook,
    covered: dict[str, Any],
    *,
    person: Named,
    board: str,
    delegate_of: Named | None = None,
    verdict: str,
    reason: str = "",
    objected: tuple[str, ...] = (),
    condition: dict[str, Any] | None = None,
    at: datetime,
) -> str:
    """The statement: exactly what the page shows, what is stored and what the digest is made of.

    `covered`: the facts of the seat; free text among them is printed as one line. `delegate_of`: whose seat it is,
    where the signer stands in. Characters that cannot be seen are spelled out.
    """
    seat = Seat.word(covered["seat"])
    gate = rulebook.gates[covered["gate"]]
    stead = f", as delegate of {delegate_of.full_name}" if delegate_of else ""
    lines = [
        f"I, {person.full_name}, in the seat {seat} of the {board}{stead}, {MEANINGS[verdict]} "
        f"{covered['initiative']}, {one_line(covered['title'])}, "
        + ("meets these criteria of the gate" if verdict.startswith("approve") else "at the gate")
        + f" {gate.title}:",
        "",
    ]
    wanted = objected if verdict == SignOffVerdict.OBJECT else tuple(covered["criteria"])
    for key in wanted:
        criterion = rulebook.criteria[key]
        lines.append(f"- {criterion.question} ({key}): {_state_words(criterion, covered)}")
        if verdict == SignOffVerdict.OBJECT:
            continue
        for required in criterion.requirements:
            lines.extend(_evidence_lines(rulebook, covered, required))
    lines.append("")
    if verdict.startswith("approve") and any(
        _state_words(rulebook.criteria[key], covered) == UNMET_ADVISORY for key in wanted
    ):
        lines += ["What is unmet and advisory is not approved by this; it approves the rest.", ""]
    if reason:
        lines += [f"Reason: {one_line(reason)}", ""]
    if condition:
        words = one_line(condition["text"])
        lines += [f"Condition: {words} - {condition['owner_name']}, by {condition['due']}.", ""]
    lines.append(f"Problem: {ended(one_line(covered['problem']) or 'not recorded')}")
    lines.append(
        f"Platform: {ended(one_line(covered['platform']) or 'none named')} "
        f"Confidential: {'yes' if covered['confidential'] else 'no'}."
    )
    scopes = [one_line(words) + (" (planned)" if planned else "") for _, words, planned in covered["scope"]]
    lines.append(f"Scope: {'; '.join(scopes) or 'not recorded'}.")
    lines.append(
        f"Owner: {covered['owner'][1] or 'nobody accepted'}. Risk tier: {covered['tier'] or 'not confirmed'}."
    )
    if covered["contract"]:
        lines.append(
            f"Contract: version {covered['contract']['number']}, sha-256 {covered['contract']['digest']}."
        )
    lines.append(f"Rulebook: {rulebook.version}, sha-256 {rulebook.digest}.")
    for key, declared in covered["declared_goals"].items():
        said, result = declared or ["nothing declared", ""]
        lines.append(
            f"Declared for {key.replace('_', ' ')}: {ended(one_line(said))} Result: {result or 'none yet'}."
        )
    if verdict.startswith("approve"):
        lines.append("It ends when any of this changes or ages out.")
    lines.append(
        f"Signer: {person.full_name}, person {person.pk}. Prepared {at.isoformat(timespec='seconds')}."
    )
    return shown("\n".join(lines) + "\n")


def one_line(words: str) -> str:
    """Words as one line: nobody adds a line to a statement that looks like one of its own."""
    return " ".join(words.split())


def _state_words(criterion: Criterion, covered: dict[str, Any]) -> str:
    """How the criterion stood, in words: of one that only advises and is not met, both."""
    state = covered["criteria"].get(criterion.key, "not this seat")
    if state == "later":
        return "asked later"
    return UNMET_ADVISORY if state == "unmet" and criterion.severity == "advisory" else state


def _evidence_lines(rulebook: ParsedRulebook, covered: dict[str, Any], key: str) -> Iterator[str]:
    """The level of an answer, its words, and each item that it stands on."""
    requirement = covered["requirements"][key]
    # The answer is named by its version: another one, even with the same evidence, is another statement.
    version = f", answer {requirement['answer']}" if requirement["answer"] else ""
    question = rulebook.requirements[key].question
    state, level = requirement["state"].replace("_", " "), requirement["level"]
    if level:
        state = f"{level}, below what is asked" if state == "below" else level
    until = f", current until {requirement['until']}" if requirement["until"] else ""
    yield f"  - {question} ({key}{version}): {state}{until}"
    if requirement["said"]:
        rest = f" ... the rest has sha-256 {requirement['rest']}" if requirement["rest"] else ""
        yield f"    Answer: “{requirement['said']}”{rest}"
    for pk in requirement["evidence"]:
        item = covered["evidence"][str(pk)]
        yield (
            f"    Evidence: {one_line(item['title'])}, {item['kind'].replace('_', ' ')} observed "
            f"{item['observed_on']}, fingerprint {item['fingerprint']}"
        )


def differences(before: str, after: str) -> tuple[list[tuple[str, str]], int]:
    """Two statements of one seat, line by line: pairs of what was and what is now, and how many lines are the same.

    Either side of a pair is empty where a line came or went. Left out is what belongs to the sign-off and not to what
    it is on: who signs and when, the reason, the condition.
    """
    own = ("Reason: ", "Condition: ")
    was, now = (
        [line for line in text.splitlines()[1:-1] if line and not line.startswith(own)]
        for text in (before, after)
    )
    changed: list[tuple[str, str]] = []
    same = 0
    for kind, low, high, start, end in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if kind == "equal":
            same += high - low
            continue
        pairs = zip_longest(was[low:high], now[start:end], fillvalue="")
        changed += [(one.strip(), other.strip()) for one, other in pairs]
    return changed, same


def stale_reasons(signed: dict[str, Any], judged: Judged, signed_at: datetime) -> list[str]:
    """Why an approval on these signed facts no longer counts as the initiative is judged; empty while it is fresh."""
    rulebook, states, day = judged.rulebook, judged.states, clock.local_day(judged.at)
    reasons = []
    limit = rulebook.freshness.sign_off_max_age_days
    if clock.local_day(signed_at) + timedelta(days=limit) < day:
        reasons.append(f"signed more than {limit} days ago")
    if signed["rulebook"] != rulebook.digest:
        return [*reasons, f"the review was moved to rulebook {rulebook.version}"]
    now = seat_facts(judged, signed["gate"], signed["seat"])
    reasons += _initiative_moved(signed, now)
    if now["scope"] != [list(scope) for scope in signed["scope"]]:
        before = "; ".join(scope[1] for scope in signed["scope"]) or "none"
        after = "; ".join(scope[1] for scope in now["scope"]) or "none"
        reasons.append(f"the scope changed: {before}, now {after}")
    if now["owner"][0] != signed["owner"][0]:
        reasons.append(
            f"the owner changed: {signed['owner'][1] or 'nobody'}, now {now['owner'][1] or 'nobody'}"
        )
    if now["tier"] != signed["tier"]:
        reasons.append(f"the risk tier changed: {signed['tier'] or 'none'}, now {now['tier'] or 'none'}")
    if now["contract"] != signed["contract"]:
        number = now["contract"]["number"] if now["contract"] else "none"
        reasons.append(f"the contract changed: now version {number}")
    if now["declared_goals"] != signed["declared_goals"]:
        reasons.append("what was declared, or its result, changed")
    items = {item.id: item for item in judged.facts.items}
    for key, then in signed["requirements"].items():
        after = now["requirements"].get(key, then)
        moved = list(_moved(judged, key, then, items, signed_at))
        reasons += moved or _level_moved(rulebook.requirements[key].question, then, after)
    reasons += _evidence_moved(signed, items)
    for key, state in signed["criteria"].items():
        after = now["criteria"].get(key)
        # What was waived and is met since, or was unmet and is fixed, is better than what was signed.
        if state in MET_STATES and after not in MET_STATES and not reasons:
            reasons.append(f"no longer met: {rulebook.criteria[key].question}")
        elif state == "met" and after in ("with_waiver", "waived") and not reasons:
            reasons.append(
                f"no longer met, only {after.replace('_', ' ')}: {rulebook.criteria[key].question}"
            )
    for key, then in signed["requirements"].items():
        held = then["state"] in SATISFIED_STATES
        if not reasons and held and not states[key].satisfies(signed["gate"]):
            reasons.append(f"no longer shown: {rulebook.requirements[key].question} {states[key].words}")
    return list(dict.fromkeys(reasons))


def _initiative_moved(signed: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    """What makes it another initiative: its reference, title, problem, platform, who may know of it, the owner's
    name.
    """
    if now["initiative"] != signed["initiative"]:
        yield f"it was signed for {signed['initiative']}"
    for name in ("title", "problem", "platform"):
        if now[name] != signed[name]:
            before, after = _apart(signed[name], now[name])
            yield f"the {name} changed from {before} to {after}"
    if now["confidential"] != signed["confidential"]:
        before, after = ("confidential", "not confidential")[:: 1 if signed["confidential"] else -1]
        yield f"the confidentiality changed from {before} to {after}"
    if now["owner"][0] == signed["owner"][0] and now["owner"][1] != signed["owner"][1]:
        yield f"the owner's name changed from {signed['owner'][1]} to {now['owner'][1]}"


def _apart(before: str, after: str) -> tuple[str, str]:
    """Two texts as a reason quotes them: whole where they are short, else from the word on in which they part."""
    if max(len(before), len(after)) > QUOTED:
        pairs = zip(before, after, strict=False)
        same = next(
            (at for at, (one, other) in enumerate(pairs) if one != other), min(len(before), len(after))
        )
        start = before.rfind(" ", 0, same) + 1
        before, after = (("…" if start else "") + words[start:] for words in (before, after))
    return _quoted(before), _quoted(after)


def _quoted(words: str) -> str:
    return f"“{shorten(words, QUOTED, placeholder=' …') or words[:QUOTED]}”" if words else "none"


def _evidence_moved(signed: dict[str, Any], items: dict[int, Item]) -> Iterator[str]:
    """What a statement prints of an item of evidence, where the item is still there and says something else now."""
    for pk, was in signed["evidence"].items():
        named = _named(items[int(pk)]) if int(pk) in items else was
        for name, said in was.items():
            if named[name] != said:
                yield f"the {name.replace('_', ' ')} of {was['title']} changed from {said} to {named[name]}"


def _level_moved(question: str, then: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """That an answer stands at a lower level than when it was signed, or for fewer days."""
    if LEVEL_RANK[after["level"]] < LEVEL_RANK[then["level"]]:
        now_at = Level.word(after["level"]).lower() or "without a level"
        yield f"no longer {then['level']}, now {now_at}: {question}"
    same = (then["evidence"] or then["until"]) and after["evidence"] == then["evidence"]
    # What lasts longer than when it was signed is only better.
    longer = after["until"] is None or (then["until"] and after["until"] > then["until"])
    if same and after["until"] != then["until"] and not longer:
        yield f"the last day of its evidence changed, {then['until']}, now {after['until']}: {question}"


def _moved(
    judged: Judged, key: str, then: dict[str, Any], items: dict[int, Item], signed_at: datetime
) -> Iterator[str]:
    """What happened, since signing, to the answer and the items that one requirement stood on."""
    facts, rulebook, at = judged.facts, judged.rulebook, judged.at
    requirement, state, day = rulebook.requirements[key], judged.states[key], clock.local_day(at)
    if then["answer"] and state.state != "as_decided" and state.answer_version != then["answer"]:
        yield f"the answer changed: {requirement.question}"
    for pk in then["evidence"]:
        item = items.get(pk)
        if item is None:
            yield f"evidence {pk} is gone"
            continue
        # What stood on its production form is looked at as that form.
        form = (
            requirement
            if key in item.covers
            else rulebook.requirements[rulebook.carry.replaced_at_production.get(key, key)]
        )
        why = unusable(facts, rulebook, form, item, at)
        last = expiry(form, item, facts.tier)
        if why:
            yield why.rstrip(".")
        elif last is not None and day > last and then["until"]:
            yield f"evidence aged out: {item.title} of {item.observed_on:%-d %B %Y}"
    for item in facts.items_for(key):
        newer = (
            item.added_at > signed_at
            and item.kind in requirement.evidence
            and item.kind in rulebook.result_kinds
        )
        if newer and item.result != "pass" and item.withdrawn_at is None:
            yield f"a newer result says {item.result}: {item.title} of {item.observed_on:%-d %B %Y}"
