"""The statement that a seat signs, and the reasons why it goes stale. Pure.

A seat's facts are what its statement names: the initiative in its own words and the items of evidence. See
docs/domain.md, invariant 19. New evidence stales a sign-off only if it supersedes one of these items, or if its result
for the same requirement is not a pass. A requirement that was unmet at signing and is fixed now stales nothing.

`write` receives only these facts of the initiative, so that `stale_reasons` can compare everything that is printed.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from itertools import zip_longest
from textwrap import shorten
from typing import Any, Protocol

from governance import clock
from governance.gates import remarks
from governance.gates.criteria import MET_STATES, Judged
from governance.gates.evidence_rules import expiry_of, unusable
from governance.gates.gate_inputs import Facts, Item, Verification, without_words
from governance.gates.levels import seen_in
from governance.gates.requirements import SATISFIED_STATES
from governance.permission_result import ended
from governance.rulebook import Criterion, ParsedRulebook
from governance.vocabulary import LEVEL_RANK, Level, ScaleTestOutcome, Seat, SignOffVerdict, Stage, shares
from governance.vocabulary.readable_text import shown

# The format of the facts and of the statement. A change of the names of facts raises this number.
FORMAT = 1
# The most characters of an answer that a statement quotes. The digest of the rest follows them.
ANSWER_QUOTED = 600
# The most characters of a verifier's words that a statement quotes. The digest of the rest follows them.
SEEN_QUOTED = 300
MEANINGS: dict[str, str] = {
    SignOffVerdict.APPROVE: "approve that",
    SignOffVerdict.CONDITION: "approve, on the condition below, that",
    SignOffVerdict.OBJECT: "object: I hold that the criteria named below are not met for",
    SignOffVerdict.RECUSE: "recuse myself and give no verdict on",
    SignOffVerdict.WITHDRAWN: "withdraw my earlier sign-off on",
}
UNMET_ADVISORY = "unmet, advisory"
LESS_THAN_MET = ("documented", "with_waiver", "waived")
# The texts of the initiative that a statement prints, by their name among its facts.
TEXTS = {"title": "title", "problem": "problem", "platform": "platform", "harm": "worst credible harm"}
# The longest piece of two texts that a reason quotes, in letters.
QUOTED = 160


def digest(text: str) -> str:
    """Return the SHA-256 of the statement's UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def seat_facts(judged: Judged, gate: str, seat: str) -> dict[str, Any]:
    """Return the facts that the seat's statement names at this gate, as JSON values."""
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
            "remarks": remarks.of_answer(facts, key, judged.at),
            "seen": {
                str(item.id): [_seen(item, one) for one in seen_in(facts, rulebook, key, item, judged.at)]
                for item in (state.items if satisfied else ())
            },
            **_quoted(facts.answers[key].text if key in facts.answers else "", ANSWER_QUOTED),
        }
        if satisfied:
            for item in state.items:
                evidence[str(item.id)] = _named(facts, item)
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
        "harm": facts.harm,
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
        "stepped_back": [
            [
                *map(_stage, (one.source, one.target)),
                clock.local_day(one.at).isoformat(),
                *(one.by, one.reason, one.answered_by, one.answer),
            ]
            for one in (facts.stepped_back if gate != "retire" else ())
        ],
        # Only the gate to production asks for what runs.
        "runs_without": list(judged.support.runs_without) if gate == Stage.PRODUCTION else [],
        "second_looks": list(facts.second_looks_at(judged.at)),  # that agree, that do not
        "accepted_risks": [
            [one.id, one.title, one.accepted_by, one.until.isoformat()]
            for one in facts.accepted_risks_at(judged.at)
        ],
    }


def _stage(stage: str) -> str:
    return str(Stage(stage).label)


def _quoted(text: str, most: int) -> dict[str, str]:
    """Return the quoted words as one line, and the digest of the other words."""
    words = one_line(text)
    rest = words[most:]
    return {"said": words[:most], "rest": digest(rest) if rest else ""}


def _seen(item: Item, one: Verification) -> dict[str, Any]:
    """Return what a statement quotes of a verification, `earlier` if of older content."""
    return {
        "by_id": one.by_id,
        "by": one.by,
        "seat": one.seat,
        "at": one.at.isoformat(timespec="seconds"),
        "seconds": one.seconds,
        "place": one_line(one.place),
        "earlier": one.fingerprint != item.fingerprint,
        **_quoted(one.words, SEEN_QUOTED),
    }


def _named(facts: Facts, item: Item) -> dict[str, str]:
    """Return what a statement names of an item of evidence."""
    return {
        "title": item.title,
        "kind": item.kind,
        "fingerprint": item.fingerprint,
        "observed_on": item.observed_on.isoformat(),
        "remarks": "; ".join(filter(None, (item.remarks, remarks.same_file(facts, item)))),
    }


def covers_contract(rulebook: ParsedRulebook, keys: Iterable[str]) -> bool:
    """Return True if one of these requirements is about the text of the contract."""
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
    """Return the statement, exactly as it is shown, stored and hashed. Its first line is the sentence of the verdict.

    `covered` has the facts of the seat, and its free text is printed as one line. `covered["questions"]` has the open
    questions of the board on its criteria: who asked, the question. `delegate_of` is the holder of the seat if the
    signer is a delegate. Characters that cannot be seen are spelled out.
    """
    seat = Seat.word(covered["seat"])
    gate = rulebook.gates[covered["gate"]]
    stead = f", as delegate of {delegate_of.full_name}" if delegate_of else ""
    lines = [
        f"I, {person.full_name}, in the seat {seat} of the {board}{stead}, {MEANINGS[verdict]} "
        f"{covered['initiative']}, {one_line(covered['title'])}, {_for_whom(covered)}"
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
        lines += ["This sign-off approves all but the unmet advisory criteria.", ""]
    if reason:
        lines += [f"Reason: {one_line(reason)}", ""]
    if condition:
        words = one_line(condition["text"])
        lines += [f"Condition: {words} - {condition['owner_name']}, by {condition['due']}.", ""]
    for asked_by, question in covered.get("questions", ()):
        lines += [f"Open question by {asked_by}: {ended(one_line(question))}", ""]
    lines.append(f"Problem: {ended(one_line(covered['problem']) or 'not recorded')}")
    lines.append(f"Worst credible harm: {ended(one_line(covered['harm']) or 'not recorded')}")
    lines.append(
        f"Platform: {ended(one_line(covered['platform']) or 'none named')}"
        f" The initiative is {'' if covered['confidential'] else 'not '}confidential."
    )
    scopes = [one_line(words) + (" (planned)" if planned else "") for _, words, planned in covered["scope"]]
    lines.append(f"Scope: {'; '.join(scopes) or 'not recorded'}.")
    lines.append(
        f"Owner: {covered['owner'][1] or 'nobody accepted'}. Risk tier: {covered['tier'] or 'not confirmed'}."
    )
    for source, target, day, by, why, answered_by, answer in covered["stepped_back"]:
        lines += [
            f"Stepped back from {source} to {target} on {day}, by {by}.",
            f"Why it stepped back: {ended(one_line(why))}",
            f"What changed since, by {answered_by}: {ended(one_line(answer))}"
            if answer
            else "The step back is not answered yet.",
        ]
    for _, title, accepted_by, until in covered["accepted_risks"]:
        lines.append(f"Accepted risk: {ended(one_line(title))} Accepted by {accepted_by}, until {until}.")
    if covered["contract"]:
        lines.append(
            f"Contract: version {covered['contract']['number']}, sha-256 {covered['contract']['digest']}."
        )
    if covered["runs_without"]:
        lines.append(f"What runs: {without_words(covered['runs_without'])}")
    agree, differ = covered["second_looks"]
    if told := shares.in_words(agree, agree + differ):
        lines.append(f"Second looks at what was verified: {told} agree.")
    lines.append(f"Rulebook: {rulebook.version}, sha-256 {rulebook.digest}.")
    for key, declared in covered["declared_goals"].items():
        said, result = declared or ["nothing declared", ""]
        lines.append(
            f"Declared for {key.replace('_', ' ')}: {ended(one_line(said))} "  # prose: allow
            f"Result: {result or 'none yet'}."
        )
    if verdict.startswith("approve"):
        lines.append("This sign-off ends when any of these facts changes or expires.")
    lines.append(
        f"Signer: {person.full_name}, person {person.pk}. Prepared {at.isoformat(timespec='seconds')}."
    )
    return shown("\n".join(lines) + "\n")


def _for_whom(covered: dict[str, Any]) -> str:
    """Return the scope that the sentence is about: the planned one, or else the present one."""
    scopes = [(planned, one_line(words)) for _, words, planned in covered["scope"]]
    wanted = [words for planned, words in scopes if planned] or [words for _, words in scopes]
    return f"for {'; '.join(wanted)}, " if wanted else ""


def one_line(words: str) -> str:
    """Return the words as one line, so that no text can add a line to a statement."""
    return " ".join(words.split())


def _state_words(criterion: Criterion, covered: dict[str, Any]) -> str:
    """Return the state of the criterion in words, with "advisory" if it is unmet."""
    state = covered["criteria"].get(criterion.key, "not this seat")
    if state == "later":
        return "asked later"
    if state == "documented":
        return str(ScaleTestOutcome.DOCUMENTED.label)
    return UNMET_ADVISORY if state == "unmet" and criterion.severity == "advisory" else state


def _evidence_lines(rulebook: ParsedRulebook, covered: dict[str, Any], key: str) -> Iterator[str]:
    """Yield the level of an answer, its words, and each item that it rests on."""
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
        yield f"    Answer: “{requirement['said']}”{_rest(requirement)}"
    for remark in requirement["remarks"]:
        yield f"    Remark: {one_line(remark)}"
    for pk in requirement["evidence"]:
        item = covered["evidence"][str(pk)]
        yield (
            f"    Evidence: {one_line(item['title'])}, {item['kind'].replace('_', ' ')} observed "
            f"{item['observed_on']}, fingerprint {item['fingerprint']}"
        )
        if item["remarks"]:
            yield f"    Remark: {item['remarks']}."
        for one in requirement["seen"][str(pk)]:
            yield f"      {_verified_line(one)}"


def _verified_line(one: dict[str, Any]) -> str:
    """Return who verified an item, in which seat, how fast, and what they saw."""
    seat = f" ({Seat.word(one['seat'])})" if one["seat"] else ""
    after = f", {one['seconds']} seconds after opening it" if one["seconds"] is not None else ""
    earlier = ", in the earlier version" if one["earlier"] else ""
    return (
        f"Verified by {one['by']}{seat} at {one['at']}{after}{earlier}. "
        f"Seen at “{one['place']}”: “{one['said']}”{_rest(one)}"
    )


def _rest(quoted: dict[str, Any]) -> str:
    """Return the digest of the words that a quotation leaves out, or ""."""
    return f" ... the rest has sha-256 {quoted['rest']}" if quoted["rest"] else ""


def differences(before: str, after: str) -> tuple[list[tuple[str, str]], int]:
    """Return the changed lines of two statements in pairs, and how many are the same.

    One side of a pair is empty if a line was added or removed. The result leaves out what belongs to the sign-off
    itself: signer, time, reason and condition.
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
    """Return why an approval on these signed facts no longer counts."""
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
    if now["stepped_back"] != signed["stepped_back"]:
        reasons.append("a step back, or the answer to it, changed")
    reasons += _accepted_risks_moved(signed["accepted_risks"], now["accepted_risks"])
    if now["contract"] != signed["contract"]:
        number = now["contract"]["number"] if now["contract"] else "none"
        reasons.append(f"the contract changed: now version {number}")
    if now["declared_goals"] != signed["declared_goals"]:
        reasons.append("what was declared, or its result, changed")
    reasons += _second_looks_moved(signed["second_looks"], now["second_looks"])
    if lost := set(now["runs_without"]) - set(signed["runs_without"]):
        reasons.append(f"what runs changed: {without_words(lost).rstrip('.')}")
    items = {item.id: item for item in judged.facts.items}
    for key, then in signed["requirements"].items():
        after = now["requirements"].get(key, then)
        moved = list(_moved(judged, key, then, items, signed_at))
        if remarks.apart(after["remarks"]) - remarks.apart(then["remarks"]):
            reasons.append(f"an answer has a new remark: {rulebook.requirements[key].question}")
        reasons += moved or [
            *_level_moved(rulebook.requirements[key].question, then, after),
            *_seen_moved(then, after, signed["evidence"]),
        ]
    reasons += _evidence_moved(signed, judged.facts, items)
    for key, state in signed["criteria"].items():
        after = now["criteria"].get(key)
        # A criterion that was waived or unmet and is met now is better than what was signed.
        if state in MET_STATES and after not in MET_STATES and not reasons:
            reasons.append(f"no longer met: {rulebook.criteria[key].question}")
        elif state == "met" and after in LESS_THAN_MET and not reasons:
            reasons.append(
                f"no longer met, only {after.replace('_', ' ')}: {rulebook.criteria[key].question}"
            )
    for key, then in signed["requirements"].items():
        held = then["state"] in SATISFIED_STATES
        if not reasons and held and not states[key].satisfies(signed["gate"]):
            reasons.append(f"no longer shown: {rulebook.requirements[key].question} {states[key].words}")
    return list(dict.fromkeys(reasons))


def _initiative_moved(signed: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    """Yield changes of name, problem, platform, harm, confidentiality and owner's name."""
    if now["initiative"] != signed["initiative"]:
        yield f"it was signed for {signed['initiative']}"
    for name, words in TEXTS.items():
        if now[name] != signed[name]:
            before, after = _apart(signed[name], now[name])
            yield f"the {words} changed from {before} to {after}"
    if now["confidential"] != signed["confidential"]:
        before, after = ("confidential", "not confidential")[:: 1 if signed["confidential"] else -1]
        yield f"the confidentiality changed from {before} to {after}"
    if now["owner"][0] == signed["owner"][0] and now["owner"][1] != signed["owner"][1]:
        yield f"the owner's name changed from {signed['owner'][1]} to {now['owner'][1]}"


def _accepted_risks_moved(signed: list[list[Any]], now: list[list[Any]]) -> Iterator[str]:
    """Yield the accepted risks that no longer count, and those accepted since signing."""
    for _, title, _, until in (risk for risk in signed if risk not in now):
        yield f"the accepted risk “{title}” until {until} no longer counts"
    for _, title, _, until in (risk for risk in now if risk not in signed):
        yield f"the risk “{title}” is accepted since, until {until}"


def _second_looks_moved(signed: list[int], now: list[int]) -> Iterator[str]:
    """Yield a reason if fewer second looks agree, or if another number disagrees."""
    (agreed, differed), (agree, differ) = signed, now
    if agree < agreed or differ != differed:
        yield f"second looks agreed {agreed} of {agreed + differed}, now {agree} of {agree + differ}"


def _apart(before: str, after: str) -> tuple[str, str]:
    """Return two texts as quotes. Long texts start at their first different word."""
    if max(len(before), len(after)) > QUOTED:
        pairs = zip(before, after, strict=False)
        same = next(
            (at for at, (one, other) in enumerate(pairs) if one != other), min(len(before), len(after))
        )
        start = before.rfind(" ", 0, same) + 1
        before, after = (("…" if start else "") + words[start:] for words in (before, after))
    return _in_quotes(before), _in_quotes(after)


def _in_quotes(words: str) -> str:
    return f"“{shorten(words, QUOTED, placeholder=' …') or words[:QUOTED]}”" if words else "none"


def _evidence_moved(signed: dict[str, Any], facts: Facts, items: dict[int, Item]) -> Iterator[str]:
    """Yield what changed in the printed facts of each item that is still there."""
    for pk, was in signed["evidence"].items():
        named = _named(facts, items[int(pk)]) if int(pk) in items else was
        for name, said in was.items():
            if named[name] != said:
                yield f"the {name.replace('_', ' ')} of {was['title']} changed from {said} to {named[name]}"


def _level_moved(question: str, then: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """Yield a reason if an answer has a lower level, or fewer days, than at signing."""
    if LEVEL_RANK[after["level"]] < LEVEL_RANK[then["level"]]:
        now_at = Level.word(after["level"]).lower() or "without a level"
        yield f"no longer {then['level']}, now {now_at}: {question}"
    same = (then["evidence"] or then["until"]) and after["evidence"] == then["evidence"]
    # A later last day than at signing is only better.
    longer = after["until"] is None or (then["until"] and after["until"] > then["until"])
    if same and after["until"] != then["until"] and not longer:
        yield f"the last day of its evidence changed, {then['until']}, now {after['until']}: {question}"


def _seen_moved(then: dict[str, Any], after: dict[str, Any], evidence: dict[str, Any]) -> Iterator[str]:
    """Yield the verifications that changed or no longer count since signing.

    A word of another verifier is only better, and so is a later word of the same person that still shows the answer.
    If the requirement rests on other items now, its level shows whether it fell.
    """
    for pk, said in then["seen"].items():
        now = {one["by_id"]: one for one in after["seen"].get(pk, said)}
        for one in said:
            current = now.get(one["by_id"])
            later = current and not current["earlier"] and current["at"] > one["at"]
            if one != current and not later:
                yield f"what {one['by']} saw in {evidence[pk]['title']} is no longer what was signed"


def _moved(
    judged: Judged, key: str, then: dict[str, Any], items: dict[int, Item], signed_at: datetime
) -> Iterator[str]:
    """Yield what happened since signing to the answer and items of one requirement."""
    facts, rulebook, at = judged.facts, judged.rulebook, judged.at
    requirement, state, day = rulebook.requirements[key], judged.states[key], clock.local_day(at)
    if then["answer"] and state.state != "as_decided" and state.answer_version != then["answer"]:
        yield f"the answer changed: {requirement.question}"
    for pk in then["evidence"]:
        item = items.get(pk)
        if item is None:
            yield f"evidence {pk} is gone"
            continue
        # A requirement that was met by its production form is judged as that form.
        form = (
            requirement
            if key in item.covers
            else rulebook.requirements[rulebook.carry.replaced_at_production.get(key, key)]
        )
        why = unusable(facts, rulebook, form, item, at)
        last = expiry_of(facts, form, item)
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
