"""What a seat signs, byte for byte, and why a signature no longer counts. Pure, like `gates`.

A seat's facts are the items its statement names (invariant 19). New proof stales a vote only if it supersedes one of
them, or is a result other than pass for the same requirement.
"""

import hashlib
from datetime import datetime, timedelta

from governance import clock, gates
from governance.answers import ended
from governance.facts import Facts
from governance.models.people import SEATS
from governance.rulebook import Book

MEANINGS = {
    "approve": "approve that",
    "approve_with_condition": "approve, on the condition below, that",
    "object": "object: I hold that the criteria named below are not met for",
    "recuse": "recuse myself and give no verdict on",
    "withdrawn": "withdraw my earlier vote on",
}


def digest(text: str) -> str:
    """SHA-256 of the statement's UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def seat_facts(facts: Facts, book: Book, gate: str, seat: str, at: datetime, states=None) -> dict:
    """The facts that this seat covers at this gate: what its statement names, as plain JSON values."""
    states = states or gates.states_at(facts, book, at)
    criteria, asked = {}, {}
    for criterion in book.criteria_of(gate, seat):
        criteria[criterion.key] = gates.finding_of(facts, book, criterion, states, at).state
        for key in criterion.requirements:
            asked.setdefault(key)
    requirements, evidence = {}, {}
    for key in asked:
        state = states[key]
        requirements[key] = {
            "state": state.state,
            "answer": state.answer_version,
            "evidence": [item.id for item in state.items] if state.grounded else [],
            "until": state.last_day.isoformat() if state.last_day else None,
        }
        if state.grounded:
            for item in state.items:
                evidence[str(item.id)] = {
                    "title": item.title,
                    "kind": item.kind,
                    "fingerprint": item.fingerprint,
                    "observed_on": item.observed_on.isoformat(),
                }
    proof_items = {
        key: [facts.declared[key].declared, facts.declared[key].result] if key in facts.declared else None
        for criterion in book.criteria_of(gate, seat)
        for key in criterion.proof_items
    }
    contract = next((c for c in facts.contracts if c.in_force_at(at)), None)
    return {
        "case": facts.ref,
        "gate": gate,
        "seat": seat,
        "rulebook": book.digest,
        "criteria": criteria,
        "requirements": requirements,
        "evidence": evidence,
        "proof_items": proof_items,
        "contract": {"number": contract.number, "digest": contract.digest}
        if contract and covers_contract(book, asked)
        else None,
        "scope": [[scope.id, scope.words, scope.planned] for scope in facts.scopes],
        "owner": [facts.owner_id, facts.people.get("owner", "")],
        "tier": facts.tier,
    }


def covers_contract(book: Book, keys) -> bool:
    """Whether what the contract says is among what these requirements are about."""
    return any(
        "contract_clause" in book.requirements[key].evidence
        or "contract_version" in book.requirements[key].triggers
        for key in keys
    )


def write(
    facts: Facts,
    book: Book,
    covered: dict,
    *,
    person,
    board: str,
    delegate_of=None,
    verdict: str,
    reason: str = "",
    objected: tuple[str, ...] = (),
    condition: dict | None = None,
    at: datetime,
) -> str:
    """The statement: exactly what the page shows, what is stored and what the digest is made of.

    `delegate_of`: whose seat it is, where the signer stands in.
    """
    seat = SEATS.get(covered["seat"]) or covered["seat"].replace("_", " ").capitalize()
    gate = book.gates[covered["gate"]]
    stead = f", as delegate of {delegate_of.full_name}" if delegate_of else ""
    lines = [
        f"I, {person.full_name}, in the seat {seat} of the {board}{stead}, {MEANINGS[verdict]} "
        f"{facts.ref}, {facts.title}, "
        + ("meets these criteria of the gate" if verdict.startswith("approve") else "at the gate")
        + f" {gate.title}:",
        "",
    ]
    wanted = objected if verdict == "object" else tuple(covered["criteria"])
    for key in wanted:
        criterion = book.criteria[key]
        lines.append(f"- {criterion.question} ({key}): {covered['criteria'].get(key, 'not this seat')}")
        if verdict == "object":
            continue
        for required in criterion.requirements:
            lines.extend(_proof_lines(book, covered, required))
    lines.append("")
    if reason:
        lines += [f"Reason: {reason}", ""]
    if condition:
        lines += [f"Condition: {condition['text']} - {condition['owner_name']}, by {condition['due']}.", ""]
    scopes = [words + (" (planned)" if planned else "") for _, words, planned in covered["scope"]]
    lines.append(f"Scope: {'; '.join(scopes) or 'not recorded'}.")
    lines.append(
        f"Owner: {covered['owner'][1] or 'nobody accepted'}. Risk tier: {covered['tier'] or 'not confirmed'}."
    )
    if covered["contract"]:
        lines.append(
            f"Contract: version {covered['contract']['number']}, sha-256 {covered['contract']['digest']}."
        )
    lines.append(f"Rulebook: {book.version}, sha-256 {book.digest}.")
    for key, declared in covered["proof_items"].items():
        said, result = declared or ["nothing declared", ""]
        lines.append(f"Declared for {key.replace('_', ' ')}: {ended(said)} Result: {result or 'none yet'}.")
    if verdict.startswith("approve"):
        lines.append("It ends when any of this changes or ages out.")
    lines.append(
        f"Signer: {person.full_name}, person {person.pk}. Prepared {at.isoformat(timespec='seconds')}."
    )
    return "\n".join(lines) + "\n"


def _proof_lines(book: Book, covered: dict, key: str):
    requirement = covered["requirements"][key]
    # The answer is named by its version: another one, even with the same proof, is another statement.
    version = f", answer {requirement['answer']}" if requirement["answer"] else ""
    question = book.requirements[key].question
    if not requirement["evidence"]:
        yield f"  - {question} ({key}{version}): {requirement['state'].replace('_', ' ')}"
        return
    for pk in requirement["evidence"]:
        item = covered["evidence"][str(pk)]
        until = f", current until {requirement['until']}" if requirement["until"] else ""
        yield (
            f"  - {question} ({key}{version}): {item['title']}, {item['kind'].replace('_', ' ')} observed "
            f"{item['observed_on']}{until}, fingerprint {item['fingerprint']}"
        )


def stale_reasons(
    signed: dict, facts: Facts, book: Book, at: datetime, signed_at: datetime, states=None
) -> list[str]:
    """Why an approval on these signed facts no longer counts at `at`; empty while it is fresh."""
    day = clock.local_day(at)
    reasons = []
    limit = book.freshness.sign_off_max_age_days
    if clock.local_day(signed_at) + timedelta(days=limit) < day:
        reasons.append(f"signed more than {limit} days ago")
    if signed["rulebook"] != book.digest:
        return [*reasons, f"the review was moved to rulebook {book.version}"]
    states = states or gates.states_at(facts, book, at)
    now = seat_facts(facts, book, signed["gate"], signed["seat"], at, states)
    if [scope[0] for scope in now["scope"]] != [scope[0] for scope in signed["scope"]]:
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
    if now["proof_items"] != signed["proof_items"]:
        reasons.append("what was declared, or its result, changed")
    items = {item.id: item for item in facts.items}
    for key, then in signed["requirements"].items():
        reasons += _moved(facts, book, key, then, states[key], items, at, signed_at)
    for key, state in signed["criteria"].items():
        after = now["criteria"].get(key)
        if state in ("met", "waived") and after not in ("met", "waived") and not reasons:
            reasons.append(f"no longer met: {book.criteria[key].question}")
    return list(dict.fromkeys(reasons))


def _moved(facts, book, key, then, state, items, at, signed_at):
    """What happened, since signing, to the answer and the items that one requirement stood on."""
    requirement, day = book.requirements[key], clock.local_day(at)
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
            else book.requirements[book.carry.replaced_at_production.get(key, key)]
        )
        why = gates.discounted(facts, book, form, item, at)
        last = gates.expiry(form, item, facts.high)
        if why:
            yield why.rstrip(".")
        elif last is not None and day > last and then["until"]:
            yield f"evidence aged out: {item.title} of {item.observed_on:%-d %B %Y}"
    for item in facts.items_for(key):
        newer = (
            item.added_at > signed_at and item.kind in requirement.evidence and item.kind in book.result_kinds
        )
        if newer and item.result != "pass" and item.withdrawn_at is None:
            yield f"a newer result says {item.result}: {item.title} of {item.observed_on:%-d %B %Y}"
