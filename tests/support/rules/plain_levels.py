"""What the shipped rulebook says of an initiative, read from the documents by hand.

The reading is written from docs/domain.md ("What counts as evidence", "Four levels", the invariants) and from the text
of the rulebook. It shares the facts and the rulebook's values with `governance.gates` and none of its rules: it goes
from requirement to requirement and from item to item, and keeps nothing. It is slow.
"""

from dataclasses import dataclass
from datetime import timedelta

from governance import clock
from tests.support.rules.agreed_cases import CONDITIONS, IN_PERSON
from tests.support.rules.gate_facts import CLAUSE_OF

STRENGTH = {"": 0, "stated": 1, "documented": 2, "verified": 3, "measured": 3}
STAGES = ["proposed", "prototype", "mvp", "production"]
# Nothing else answers it than the acceptance itself, though other kinds are listed beside it.
ACCEPTANCE_NEEDED = ("mvp.owner", "mvp.duty", "prod.q02_support")
# What the logs of systems and of monitoring measure, though the text, which is older, does not name it.
SINCE = {
    ("mvp.observability", "interactions"),
    ("prod.q03_logged", "interactions"),
    ("prod.performance", "interactions"),
    ("prod.monitoring", "monitoring"),
}
NOT_ASKED_OF_IMPORTS = ("proto.not_production", "prototype.selected")
TESTS = ("test_report", "drill_record", "user_research")
FREE = ("as decided", "not asked", "not applicable", "waived")


@dataclass(frozen=True)
class AnswerLevel:
    """How one answer stands: at a level, verified by so many persons; or beside the levels, as one of `FREE`."""

    level: str = ""
    persons: int = 0
    beside: str = ""


NOTHING = AnswerLevel()


@dataclass(frozen=True)
class Reading:
    """What is read of an initiative at one moment."""

    levels: dict[str, str]
    satisfied: dict[tuple[str, str], bool]
    findings: dict[str, str]
    tests: dict[str, str]
    supported: str


def read(facts, rulebook, at):
    """The whole initiative at one moment."""
    answer_levels = {}
    for key in rulebook.requirements:
        answer_levels[key] = answer_level_of(facts, rulebook, key, at)
    satisfied = {}
    for key in rulebook.requirements:
        for gate in gates_that_ask(rulebook, key):
            satisfied[key, gate] = enough(facts, rulebook, key, gate, answer_levels[key], at)
    findings = {}
    for criterion in rulebook.criteria.values():
        findings[criterion.key] = finding(facts, rulebook, criterion, answer_levels, satisfied, at)
    met, tests = {}, {}
    for name, test in rulebook.scale_tests.items():
        met[name] = True
        for key in test.items:
            if answer_levels[key].beside == "waived" or not satisfied[key, "production"]:
                met[name] = False
        tests[name] = "passes" if met[name] else "not_yet"
    if met["governance"] and not shown_here(facts, at):
        tests["governance"] = "documented"
    return Reading(
        levels={key: answer_levels[key].level for key in answer_levels},
        satisfied=satisfied,
        findings=findings,
        tests=tests,
        supported=supported_stage(facts, rulebook, findings, met, at),
    )


def shown_here(facts, at):
    """Whether requests were asked here and calls are logged here."""
    ways = [measured.way for measured in facts.measured if during(measured, at)]
    return "asked" in ways and "logged" in ways


# --- One requirement
# ----------------------------------------------------------------------------------------------------


def gates_that_ask(rulebook, key):
    """The gates that have a criterion with this requirement."""
    found = []
    for criterion in rulebook.criteria.values():
        if key in criterion.requirements and criterion.gate not in found:
            found.append(criterion.gate)
    return found


def level_asked(facts, rulebook, key, gate, at):
    """The level this gate asks at the initiative's tier; "" where the tier leaves the requirement out."""
    requirement = rulebook.requirements[key]
    tier = facts.tier
    if tier == "":
        tier = "minimal" if gate == "prototype" else "limited"
    elif tier_lapsed(facts, rulebook, at):
        # What the tier left out is asked as at the lowest tier that asks it.
        for other in (tier, "minimal", "limited", "high"):
            if any(level_at(requirement, other, one) for one in gates_that_ask(rulebook, key)):
                tier = other
                break
    level = level_at(requirement, tier, gate)
    if gate == "mvp" and tier in requirement.level_at_mvp:
        return level
    # At minimal risk production has a few of its requirements drawn, and what is drawn is verified.
    if gate == "production" and facts.tier == "minimal" and rulebook.drawn_at_minimal and level != "":
        for drawn in facts.drawn:
            if drawn.requirement == key and drawn.since is not None and during(drawn, at):
                return "verified"
    return level


def level_at(requirement, tier, gate):
    """The level that a gate asks at a tier; "" where the tier leaves the requirement out."""
    if gate == "mvp" and tier in requirement.level_at_mvp:
        return requirement.level_at_mvp[tier]
    return requirement.level.get(tier, "")


def tier_lapsed(facts, rulebook, at):
    """Whether the scope in force is another than the tier was confirmed for, and the grace since the first passed."""
    for since, until in facts.tier_outdated:
        if since <= at and (until is None or at < until):
            first = clock.local_day(facts.tier_outdated[0][0])
            return clock.local_day(at) > first + timedelta(days=rulebook.freshness.tier_grace_days)
    return False


def enough(facts, rulebook, key, gate, answer_level, at):
    """Whether this gate is content with how the answer stands."""
    asked = level_asked(facts, rulebook, key, gate, at)
    # "High: by two persons."
    if answer_level.beside == "not applicable" and facts.tier == "high" and gate == "production" and asked:
        return answer_level.persons > 1
    if answer_level.beside in FREE or asked == "":
        return True
    if STRENGTH[answer_level.level] < STRENGTH[asked]:
        return False
    # "At high risk, production asks two persons."
    two = facts.tier == "high" and gate == "production" and asked == "verified"
    return not (two and answer_level.level == "verified" and answer_level.persons < 2)


def answer_level_of(facts, rulebook, key, at):
    """How the answer to one requirement stands, with what was decided, left out, replaced or waived."""
    stage = STAGES.index(facts.approved_stage) if facts.approved_stage in STAGES else 0
    for gate, frozen in rulebook.carry.frozen.items():
        if key in frozen and gate in facts.decided and stage >= STAGES.index(rulebook.gates[gate].to):
            return AnswerLevel(beside="as decided")
    if key in rulebook.carry.ended_at_production and facts.approved_stage == "production":
        return AnswerLevel(beside="not asked")
    if key in NOT_ASKED_OF_IMPORTS and facts.imported and stage > STAGES.index("prototype"):
        return AnswerLevel(beside="not asked")
    if not asked_at_all(facts, rulebook, key, at):
        return AnswerLevel(beside="not asked")

    own = own_answer_level(facts, rulebook, key, at)
    if content(facts, rulebook, key, own, at):
        return own
    if key in rulebook.carry.replaced_at_production:
        replacement = rulebook.carry.replaced_at_production[key]
        later = own_answer_level(facts, rulebook, replacement, at)
        if content(facts, rulebook, replacement, later, at) or facts.approved_stage == "production":
            own = later
    if content(facts, rulebook, key, own, at):
        return own
    if waived(facts, rulebook, key, at):
        return AnswerLevel(beside="waived")
    return own


def asked_at_all(facts, rulebook, key, at):
    """Whether any gate asks the requirement of an initiative of this tier."""
    return any(level_asked(facts, rulebook, key, gate, at) != "" for gate in gates_that_ask(rulebook, key))


def content(facts, rulebook, key, answer_level, at):
    """Whether every gate that asks it is content."""
    return all(enough(facts, rulebook, key, gate, answer_level, at) for gate in gates_that_ask(rulebook, key))


def waived(facts, rulebook, key, at):
    """Whether a waiver of this requirement runs, and may."""
    if not rulebook.requirements[key].waivable:
        return False
    for test in rulebook.scale_tests.values():
        if key in test.items:
            return False
    return waiver_runs(facts, key, at)


def waiver_runs(facts, key, at):
    """Whether a waiver under this key runs through this day."""
    for waiver in facts.waivers:
        if waiver.key == key and waiver.since <= at and clock.local_day(at) <= waiver.until:
            return True
    return False


def own_answer_level(facts, rulebook, key, at):
    """How the answer to one requirement stands by itself."""
    requirement = rulebook.requirements[key]
    reply = facts.answers.get(key)

    # What the register says against it outweighs what was answered and uploaded.
    for short in facts.requirement_findings:
        if short.requirement == key and during(short, at):
            return NOTHING
    # Silence is unknown.
    if requirement.of_register and not described(facts, at):
        for alone in facts.alone:
            if during(alone, at):
                if key == "int.inventory":
                    return AnswerLevel("verified", len(alone.verifiers))
                return AnswerLevel(persons=len(alone.verifiers), beside="not applicable")
        return NOTHING
    if asks_for_model(requirement) and not running_models(facts, at):
        return NOTHING
    # Every clause of the contract in force has a control.
    if key == "gov.enforced":
        for contract in facts.contracts:
            if during(contract, at) and contract.unmapped:
                return NOTHING

    if reply is not None and reply.kind == "not_applicable":
        if reply.accepted_on is not None and current(facts, rulebook, key, reply.accepted_on, at, ages=True):
            return AnswerLevel(persons=len(reply.accepted_by), beside="not applicable")
        return NOTHING
    if reply is not None and reply.kind in ("no", "not_reported"):
        return NOTHING
    if newest_result_says_no(facts, rulebook, key, at):
        return NOTHING
    for measured in facts.measured:
        if (
            measured.requirement == key
            and (measured.way in rulebook.requirements[key].ways or (key, measured.way) in SINCE)
            and during(measured, at)
        ):
            return AnswerLevel("measured")
    if reply is None:
        return NOTHING
    # The declaration is made item by item.
    if key == "mvp.advance_evidence":
        fewer = facts.tier == "minimal" and not tier_lapsed(facts, rulebook, at)
        for criterion in rulebook.criteria.values():
            goals = criterion.declared_goals_minimal if fewer else ()
            for item_key in goals or criterion.declared_goals:
                if item_key not in facts.declared:
                    return NOTHING
    return by_items(facts, rulebook, key, at)


def by_items(facts, rulebook, key, at):
    """How an answer stands by the items offered for it."""
    requirement = rulebook.requirements[key]
    counting = []
    for item in facts.items:
        if key not in item.covers or why_not(facts, rulebook, key, item, at):
            continue
        if refused(facts, key, item, at):
            continue
        if item.kind in rulebook.result_kinds and item.result != "pass":
            continue
        if not current(facts, rulebook, key, first_day(facts, item), at):
            continue
        counting.append(item)
    if not counting:
        return NOTHING

    # Each thing that the rulebook asks for besides: the answer is as strong as the weakest of them.
    needed = [counting]
    if requirement.min_evidence:
        needed.append([item for item in counting if item.kind == requirement.min_evidence])
    if requirement.min_condition:
        least = CONDITIONS.index(requirement.min_condition)
        needed.append([item for item in counting if CONDITIONS.index(item.condition) >= least])
    if key in ACCEPTANCE_NEEDED:
        needed.append([item for item in counting if item.kind == "attestation"])
    # Each link that was ever drilled and stands needs a drill of its own that counts.
    if requirement.each == "link":
        for item in facts.items:
            stands = item.withdrawn_at is None and item.superseded_by is None
            if key in item.covers and item.link is not None and stands and item.added_at <= at:
                needed.append([other for other in counting if other.link == item.link])
    weakest = None
    for group in needed:
        if not group:
            # What is missing leaves somebody's word, where there is one: stated, and no more.
            return AnswerLevel("stated") if any(item.kind == "attestation" for item in counting) else NOTHING
        best, persons = "", 0
        for item in group:
            level = level_of_item(facts, rulebook, key, item, at)
            if STRENGTH[level] > STRENGTH[best] or (level == "measured" and best == "verified"):
                best = level
            # Two persons are two who opened the same thing.
            if level == "verified":
                persons = max(persons, len(counted(facts, rulebook, key, item, at)))
        found = AnswerLevel(best, persons)
        if weakest is None or strength(found) < strength(weakest):
            weakest = found
    return weakest


def strength(answer_level):
    """For comparing two answer levels: measured needs no persons."""
    persons = 99 if answer_level.level == "measured" else answer_level.persons
    return (STRENGTH[answer_level.level], persons)


def level_of_item(facts, rulebook, key, item, at):
    """The level to which one item brings an answer."""
    ways = rulebook.requirements[key].ways
    if item.acceptance_role and "acceptance" in ways:
        return "measured"
    if item.clause_of is not None and "clause" in ways and item.clause_kind == CLAUSE_OF[key]:
        return "measured"
    if item.generated and "index" in ways:
        return "measured"
    if item.kind == "attestation":
        return "stated"
    if counted(facts, rulebook, key, item, at):
        return "verified"
    return "documented"


# --- One item --------------------------------------------------------------------------------------------------------


def why_not(facts, rulebook, key, item, at):
    """Why an item does not count for a requirement, whatever its result and its age; "" where it does."""
    requirement = rulebook.requirements[key]
    # Somebody's word needs no listing: it is stated, and no more.
    if item.kind not in requirement.evidence and item.kind != "attestation":
        return "kind"
    if item.added_at > at:
        return "not added yet"
    if item.withdrawn_at is not None:
        return "withdrawn"
    if item.superseded_by is not None:
        return "superseded"
    if item.missing:
        return "missing"
    for void in item.voids.get(key, ()):
        if void.at <= at:
            return "voided"
    if key == "prod.q07_governance_evidence" and not item.generated:
        return "not generated"
    accepted = item.acceptance_open and item.acceptance_role == IN_PERSON.get(key)
    if key in IN_PERSON and item.kind == "attestation" and not accepted:
        return "not accepted in person"
    if item.clause_of is not None:
        in_force = False
        for contract in facts.contracts:
            if contract.id == item.clause_of and during(contract, at):
                in_force = True
        if not in_force:
            return "not in force"
    if requirement.tested and item.kind in TESTS and item.tested not in requirement.tested:
        return "about something else"
    about_model_alone = set(item.layers) == {"model"} and item.kind != "attestation"
    if about_model_alone and requirement.layer != "model":
        return "about the model alone"
    if asks_for_model(requirement):
        models = running_models(facts, at)
        for model in models:
            if model.id not in item.components:
                return "another model"
    if key.startswith("layer.") and first_layer(facts, item) != key:
        return "another layer's report"
    return ""


def first_layer(facts, item):
    """The layer that the content of this item was attached to first."""
    attached = []
    for other in facts.items:
        if other.fingerprint == item.fingerprint:
            for key, place in other.covers.items():
                if key.startswith("layer."):
                    attached.append((place, key))
    return min(attached)[1]


def newest_result_says_no(facts, rulebook, key, at):
    """Whether the newest item with a result that covers the requirement says anything else than pass.

    Where each link needs its own, the newest of each link, and the newest of none.
    """
    newest = {}
    by_link = rulebook.requirements[key].each == "link"
    for item in facts.items:
        if key not in item.covers or item.kind not in rulebook.result_kinds:
            continue
        if why_not(facts, rulebook, key, item, at):
            continue
        # That somebody does not find it in a report takes a pass away, and never a failure.
        if item.result == "pass" and refused(facts, key, item, at):
            continue
        link = item.link if by_link else None
        if link not in newest or age_of(facts, item) > age_of(facts, newest[link]):
            newest[link] = item
    return any(item.result != "pass" for item in newest.values())


def age_of(facts, item):
    """For finding the newest: by the day it was observed, then when it came."""
    return (first_day(facts, item), item.added_at, item.id)


def first_day(facts, item):
    """The first day on which the file of the item was there; a run of today is of today, whatever came out."""
    if made_anew(item):
        return item.observed_on
    days = [item.observed_on]
    for other in facts.items:
        if other.fingerprint == item.fingerprint:
            there = clock.local_day(other.added_at) if other.withdrawn_at else other.observed_on
            days.append(max(there, other.observed_on))
    return min(days)


def made_anew(item):
    """Whether Plumbline, a register or a pipeline made the item on its day."""
    return item.generated or item.of_pipeline or item.register in ("integration", "measurements")


def verdicts(facts, key, item, at):
    """The last word of each person about this content and this version of the answer, by person."""
    said = {}
    version = facts.answers[key].version if key in facts.answers else 0
    for verification in sorted(item.verifications.get(key, ()), key=lambda one: one.at):
        if verification.at > at:
            continue
        if verification.fingerprint != item.fingerprint or verification.answer_version != version:
            continue
        said[verification.by_id] = verification.shows
    return said


def refused(facts, key, item, at):
    """Whether somebody who opened it says that it does not show it: one is enough."""
    return False in verdicts(facts, key, item, at).values()


def verifiers(facts, key, item, at):
    """Who says that it shows it."""
    return {person for person, shows in verdicts(facts, key, item, at).items() if shows}


def counted(facts, rulebook, key, item, at):
    """Who counts as having verified it: in person, or for fourteen days what it is the newer form of."""
    return verifiers(facts, key, item, at) | renewal(facts, rulebook, key, item, at)


def renewal(facts, rulebook, key, item, at):
    """Who verified the older form of an item, while the newer one waits for its seat."""
    added = item.added_at
    if clock.local_day(at) > clock.local_day(added) + timedelta(days=14) or item.result in (
        "fail",
        "partial",
    ):
        return set()
    for older in facts.items:
        if older.superseded_by != item.id or key not in older.covers:
            continue
        if older.author_id != item.author_id or older.kind != item.kind:
            continue
        if older.withdrawn_at is not None and older.withdrawn_at <= added:
            continue
        if any(void.at <= added for void in older.voids.get(key, ())):
            continue
        if older.fingerprint == item.fingerprint and not made_anew(item):
            continue
        if not current(facts, rulebook, key, first_day(facts, older), added, ages=True):
            continue
        if not refused(facts, key, older, added):
            return verifiers(facts, key, older, added)
    return set()


def current(facts, rulebook, key, day, at, *, ages=False):
    """Whether what was observed on this day is still current; `ages`: of an imported stage too."""
    requirement = rulebook.requirements[key]
    days = requirement.fresh_days
    if facts.tier == "minimal" and requirement.fresh_days_minimal is not None:
        days = requirement.fresh_days_minimal
    if facts.tier == "high" and requirement.fresh_days_high_risk is not None:
        days = requirement.fresh_days_high_risk
    if days == 0:
        return True
    # Of an imported stage frozen answers are asked once and then do not age.
    if facts.imported and not ages and facts.approved_stage in STAGES:
        for gate, frozen in rulebook.carry.frozen.items():
            reached = STAGES.index(facts.approved_stage) >= STAGES.index(rulebook.gates[gate].to)
            if key in frozen and reached and gate not in facts.decided:
                return True
    return clock.local_day(at) <= day + timedelta(days=days)


# --- Time and the register -------------------------------------------------------------------------------------------


def during(one, at):
    """Whether something that begins and may end is so at this moment."""
    return one.since <= at and (one.until is None or at < one.until)


def described(facts, at):
    """Whether anything stands in the integration register."""
    return any(since <= at and (until is None or at < until) for since, until in facts.described)


def running_models(facts, at):
    """The versions of models that run."""
    return [version for version in facts.deployments if version.layer == "model" and during(version, at)]


def asks_for_model(requirement):
    """Whether a requirement is of the running model: a change of it voids the answer. From the MVP on."""
    return "model_version" in requirement.triggers and requirement.stage != "prototype"


# --- Criteria and stages ---------------------------------------------------------------------------------------------


def finding(facts, rulebook, criterion, answer_levels, satisfied, at):
    """How a criterion stands: it is never better than its worst requirement."""
    lacking, carried = [], []
    for key in criterion.requirements:
        if rulebook.requirements[key].severity == "advisory" and criterion.severity == "blocking":
            continue
        if not satisfied[key, criterion.gate]:
            lacking.append(key)
        if answer_levels[key].beside == "waived":
            carried.append(key)
    goals = criterion.declared_goals_minimal if facts.tier == "minimal" else ()
    for item_key in goals or criterion.declared_goals:
        if item_key not in facts.declared or facts.declared[item_key].result != "met":
            lacking.append(item_key)
    may_be_waived = criterion.waivable and not criterion.scale_test
    if not may_be_waived and len(carried) > 1:
        lacking.append("more than one waiver")
    if not lacking:
        if criterion.scale_test == "governance" and not shown_here(facts, at):
            return "documented"
        return "with_waiver" if carried else "met"
    if may_be_waived and waiver_runs(facts, criterion.key, at):
        return "waived"
    return "later" if criterion.due_days is not None else "unmet"


def supported_stage(facts, rulebook, findings, tests, at):
    """The highest stage whose gates, and all gates before, are met; as low as a hold caps it."""
    if facts.approved_stage not in STAGES:
        return ""
    reached = "proposed"
    for stage in STAGES[1:]:
        whole = True
        for criterion in rulebook.criteria.values():
            if rulebook.gates[criterion.gate].to != stage:
                continue
            blocks = criterion.severity == "blocking" and criterion.due_days is None
            if blocks and findings[criterion.key] not in ("met", "documented", "with_waiver", "waived"):
                whole = False
        if stage == "production" and not all(tests.values()):
            whole = False
        if not whole:
            break
        reached = stage
    caps = []
    for hold in facts.holds:
        calling = [one for one in facts.requirement_findings if one.hold == hold.kind and during(one, at)]
        # A row that is open still, where nothing but requirements that the tier leaves out would call for it, is idle.
        if not calling or any(asked_at_all(facts, rulebook, one.requirement, at) for one in calling):
            caps.append(hold.cap)
    for short in facts.requirement_findings:
        if short.hold and during(short, at) and asked_at_all(facts, rulebook, short.requirement, at):
            caps.append(short.cap)
    by = facts.reattest_by
    if facts.approved_stage == "production" and by is not None and clock.local_day(at) > by:
        caps.append("mvp")
    for cap in caps:
        if cap is not None and STAGES.index(cap) < STAGES.index(reached):
            reached = cap
    return reached
