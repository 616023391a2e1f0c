"""What a contract answers, read from its clauses by hand.

The reading is written from what `governance.contracts.clauses` and `governance.authorization.decision` say that clauses
mean. It shares only the clauses with the engine. It goes from clause to clause. Each condition is YES, NO, or UNSURE if
the request lacks what the condition compares, or has it with another type. A clause permits if every condition is YES.
It forbids or asks if no condition is NO.
"""

from datetime import timedelta

ALLOW, ASK, DENY = "allow", "needs_approval", "deny"
NOT_SAID = object()
YES, UNSURE, NO = "yes", "unsure", "no"


class Unreadable(Exception):
    """The request holds something that cannot be compared."""


def read(rules, evaluation_request, now, zone):
    """(outcome, code, numbers of clauses, approval) of the request at `now` under a contract that is in force."""
    try:
        asker, said = take_apart(evaluation_request)
        check(rules, said)
    except Unreadable:
        return DENY, "malformed", (), None
    if barred := bounds_broken(rules, asker, said):
        return DENY, f"outside_{barred}", tuple(r.number for r in rules if r.kind == barred), None
    local = now.astimezone(zone)
    answers = {rule.number: speaks(rule, asker, said, local) for rule in rules}
    ordered = sorted(rules, key=lambda rule: rule.number)
    certain = [rule for rule in ordered if answers[rule.number] == YES]
    speaking = [
        rule
        for rule in ordered
        if answers[rule.number] != NO and (rule.kind != "autonomy" or rule in certain)
    ]
    edges = [rule for rule in speaking if rule.kind == "edge_policy"]
    refusing = [rule for rule in edges if rule.terms.then != "ask"]
    if refusing:
        return DENY, "edge_policy", numbers(refusing), None
    if said("context", "failure") is not NOT_SAID and not any(rule.terms.failure for rule in certain):
        return DENY, "edge_unforeseen", (), None
    granting = [rule for rule in certain if rule.kind in ("autonomy", "human_approval")]
    if not granting:
        known = {
            rule.terms.action for rule in rules if rule.kind in ("autonomy", "human_approval", "edge_policy")
        }
        return (
            DENY,
            "not_covered" if evaluation_request["action"]["name"] in known else "unknown_action",
            (),
            None,
        )
    asking = [rule for rule in speaking if rule.kind in ("human_approval", "edge_policy")]
    if not asking:
        return ALLOW, "allowed", numbers(granting), None
    able = set(asking[0].terms.approvers)
    for rule in asking:
        able &= set(rule.terms.approvers)
    if not able or not all(rule.terms.minutes for rule in asking):
        return DENY, "nobody_to_ask", numbers(asking), None
    wait = min(rule.terms.minutes for rule in asking)
    two = any(rule.terms.four_eyes for rule in asking)
    return ASK, "needs_approval", numbers(asking), (frozenset(able), wait, two)


def numbers(rules):
    return tuple(rule.number for rule in rules)


def whole_text(value):
    return type(value) is str and not any(0xD800 <= ord(letter) <= 0xDFFF for letter in value)


def take_apart(evaluation_request):
    """Who asks (its name, and its groups), and a way to look a value up."""
    if type(evaluation_request) is not dict:
        raise Unreadable
    for part, wanted in {"subject": ["type", "id"], "action": ["name"], "resource": ["type", "id"]}.items():
        there = evaluation_request.get(part)
        if type(there) is not dict or type(there.get("properties", {})) not in (dict, type(None)):
            raise Unreadable
        for name in wanted:
            if not whole_text(there.get(name)) or there[name] == "":
                raise Unreadable
    if type(evaluation_request.get("context", {})) not in (dict, type(None)):
        raise Unreadable
    subject = evaluation_request["subject"]
    told = (subject.get("properties") or {}).get("groups")
    groups = [] if told is None else told
    if type(groups) is not list or not all(whole_text(group) for group in groups):
        raise Unreadable
    # A group cannot pass for a subject: names of subjects hold a colon, and groups with one count for nothing.
    asker = {subject["type"] + ":" + subject["id"]} | {group for group in groups if ":" not in group}
    if told is None:
        asker.add(NOT_SAID)

    def said(of, name):
        if (of, name) == ("resource", None):
            return evaluation_request["resource"]["type"]
        if (of, name) == ("action", None):
            return evaluation_request["action"]["name"]
        if (of, name) == ("resource", "id"):  # the id itself, whatever a property of this name says
            return evaluation_request["resource"]["id"]
        there = (
            evaluation_request.get("context") if of == "context" else evaluation_request[of].get("properties")
        )
        value = (there or {}).get(name)
        return NOT_SAID if value is None else value

    return asker, said


def check(rules, said):
    """Every value that some clause looks at has to be of a kind that clauses can be compared with."""
    for rule in rules:
        terms = rule.terms
        looked_at = [(one.of, one.name, one.how in ("at_least", "at_most")) for one in terms.tests]
        if terms.over is not None or terms.up_to is not None:
            looked_at += [("action", "amount", True), ("action", "currency", False)]
        if terms.most is not None:
            looked_at.append(("action", "count", True))
        if terms.failure:
            looked_at.append(("context", "failure", False))
        if rule.kind == "residency" and terms.regions:
            looked_at.append(("context", "region", False))
        for of, name, must_be_number in looked_at:
            value = said(of, name)
            if value is NOT_SAID:
                continue
            number = type(value) is int and -(2**63) < value < 2**63
            limited = (of, name) == ("action", "amount") and (
                terms.over is not None or terms.up_to is not None
            )
            limited = limited or ((of, name) == ("action", "count") and terms.most is not None)
            if limited and number and value < 0:
                raise Unreadable
            if not (number if must_be_number else number or type(value) is bool or whole_text(value)):
                raise Unreadable


def bounds_broken(rules, asker, said):
    """The kind of the first bound of the whole contract that the request lies outside of."""
    named = [name for rule in rules if rule.kind == "audience" for name in rule.terms.audience]
    if named and not any(name in asker for name in named):
        return "audience"
    places = [place for rule in rules if rule.kind == "residency" for place in rule.terms.regions]
    if places and not any(same(said("context", "region"), place) for place in places):
        return "residency"
    return ""


def same(one, other):
    """Equal, and of one type: True is not 1, and "1" is not 1."""
    return type(one) is type(other) and one == other


def speaks(rule, asker, said, local):
    """YES, UNSURE or NO: whether the clause is about this call."""
    terms = rule.terms
    if rule.kind == "edge_policy":
        if not terms.then or not (terms.failure or terms.tests):
            return NO
    elif rule.kind not in ("autonomy", "human_approval") or not terms.action:
        return NO
    answers = [
        yes(not terms.failure or same(said("context", "failure"), terms.failure)),
        yes(not terms.action or terms.action == said("action", None)),
        yes(not terms.resource or terms.resource == said("resource", None)),
        included(terms.audience, asker),
        yes(on_time(terms, local)),
        *limits(terms, said),
        *(passes(one, said) for one in terms.tests),
    ]
    return NO if NO in answers else UNSURE if UNSURE in answers else YES


def yes(true):
    return YES if true else NO


def included(audience, asker):
    if not audience or asker.intersection(audience):
        return YES
    # Nobody said which groups the subject is in, and one of these may be among them.
    return UNSURE if NOT_SAID in asker and any(":" not in name for name in audience) else NO


def on_time(terms, local):
    minute, day = 60 * local.hour + local.minute, local.date()
    if terms.from_minute is not None and terms.until_minute is not None:
        opens, shuts = terms.from_minute, terms.until_minute
        if shuts < opens and minute < shuts:  # the night that began yesterday
            day -= timedelta(days=1)
        elif minute not in range(opens, 1440 if shuts < opens else shuts):
            return False
    if terms.weekdays and day.weekday() + 1 not in terms.weekdays:
        return False
    if terms.holds_from is not None and day < terms.holds_from:
        return False
    return terms.holds_until is None or day <= terms.holds_until


def limits(terms, said):
    if terms.over is not None or terms.up_to is not None:
        amount, currency = said("action", "amount"), said("action", "currency")
        if amount is NOT_SAID:
            yield UNSURE
        else:
            yield yes(
                (terms.over is None or amount > terms.over) and (terms.up_to is None or amount <= terms.up_to)
            )
        yield yes(currency == terms.currency) if type(currency) is str else UNSURE
    if terms.most is not None:
        count = said("action", "count")
        yield UNSURE if count is NOT_SAID else yes(count <= terms.most)


def passes(one, said):
    value = said(one.of, one.name)
    wanted = one.value[0] if isinstance(one.value, tuple) else one.value
    if (one.of, one.name) == ("context", "failure") and value is NOT_SAID:
        return yes(one.how == "differs")  # no failure is no failure of this name
    if type(value) is not type(wanted):
        return UNSURE
    match one.how:
        case "equals":
            return yes(value == one.value)
        case "differs":
            return yes(value != one.value)
        case "at_least":
            return yes(value >= one.value)
        case "at_most":
            return yes(value <= one.value)
        case "one_of":
            return yes(value in one.value)
    raise AssertionError(one.how)
