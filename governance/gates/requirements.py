"""Requirements: whether each is grounded by answers and evidence at one moment. Pure.

Source of every rule: docs/domain.md, "What counts as proof".
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache

from governance import clock
from governance.contracts.wording import listed
from governance.gates.gate_inputs import Facts, Item, Reply, Shortcoming, WaiverFact
from governance.permission_result import ended
from governance.rulebook import Book, Requirement
from governance.vocabulary import STAGE_RANK, Layer, Stage

CONDITION_RANK = {"": 0, "curated": 1, "bounded_real": 2, "full_population": 3}

# Grounded only by the person's own acceptance of the role (docs/domain.md, "Attestation").
ACCEPTED_IN_PERSON = {
    "mvp.owner": "owner",
    "mvp.duty": "support_owner",
    "prod.q01_outcome_owner": "owner",
    "prod.q02_support": "support_owner",
}
ACCEPTANCE_ALWAYS = frozenset({"prod.q02_support"})
GENERATED_ONLY = frozenset({"prod.q07_governance_evidence"})
# Where something is mended that neither an answer to the question nor proof added there mends (`State.place`).
IN_DECLARATION, BY_ACCEPTANCE, BY_GENERATING = "declaration", "acceptance", "index"
DECLARATION = "mvp.advance_evidence"
# Grounded only while each clause of the contract in force is mapped to a control (S0-17).
ENFORCED = "gov.enforced"
# What stands against these is answered before these gates are decided, though the rulebook only advises the criterion:
# a lesson that is shown must be answered (docs/domain.md, invariant 15). A waiver of it lets the decision pass.
ANSWERED_FIRST = {"mvp.lessons_read": ("mvp", "production")}
# So many clauses without a control are named by number; beyond that, how many there are.
MOST_NAMED = 8
# So many things that the register says against a requirement are told in words; beyond that, how many there are.
MOST_TOLD = 4
ITS_SEAT = "The seat that signs for it"
UNREAD = "has been read by nobody outside the build team"
OUTSIDER = "Somebody who holds no role on this case"
# Of an imported claim these two are not asked above prototype (docs/domain.md, "carry_forward").
NOT_ASKED_OF_IMPORTS = frozenset({"proto.not_production", "prototype.selected"})

GROUNDED_STATES = frozenset({"grounded", "as_decided", "not_asked", "not_applicable", "waived"})


@dataclass(frozen=True)
class State:
    """The state of one requirement at one moment. `until` is the day from which it can no longer be relied on.

    `mended_by`: who can mend it, where that is nobody who answers for it. `place`: where, when not at the question.
    """

    key: str
    state: str
    words: str
    fix: str = ""
    items: tuple[Item, ...] = ()
    last_day: date | None = None
    answer_version: int = 0
    mended_by: str = ""
    place: str = ""

    @property
    def grounded(self) -> bool:
        """Whether the requirement is satisfied: by proof, by a decision that stands, or by an accepted exception."""
        return self.state in GROUNDED_STATES


def expiry(requirement: Requirement, item: Item, high: bool) -> date | None:
    """The last day on which the item is current for the requirement; None when only a trigger ends it."""
    days = requirement.days(high)
    return item.observed_on + timedelta(days=days) if days else None


def state_of(facts: Facts, book: Book, key: str, at: datetime) -> State:
    """The state of one requirement at `at`, with carry-forward, waivers and replacement taken into account."""
    carried = _carried(facts, book, key)
    if carried is not None:
        return carried
    own = _own_state(facts, book, key, at, ageless=_asked_once(facts, book, key))
    if own.grounded:
        return own
    replacement = book.carry.replaced_at_production.get(key)
    if replacement is not None:
        other = _own_state(facts, book, replacement, at)
        if other.grounded:
            return State(
                key,
                "grounded",
                f"Grounded by its production form, {replacement}.",
                "",
                other.items,
                other.last_day,
                other.answer_version,
            )
        if facts.claimed == Stage.PRODUCTION:
            own = replace(other, key=key, last_day=None)
    waiver = waiver_at(facts, key, at)
    if waiver is not None and book.waivable_requirement(key):
        return State(
            key, "waived", f"Waived until {waiver.until:%-d %B %Y}: {waiver.reason}", "", (), waiver.until
        )
    return own


def _carried(facts: Facts, book: Book, key: str) -> State | None:
    """The state that follows from the claimed stage alone, or None when the requirement is live."""
    if facts.claimed == Stage.PRODUCTION and key in book.carry.ended_at_production:
        return State(key, "not_asked", "Not asked in production: it ended with the MVP.")
    rank = STAGE_RANK.get(facts.claimed, 0)
    for gate_key in book.carry.frozen_by.get(key, ()):
        if rank >= STAGE_RANK[book.gates[gate_key].to] and gate_key in facts.decided:
            day = facts.decided[gate_key]
            return State(key, "as_decided", f"Stands as decided on {day:%-d %B %Y}.")
    if facts.imported and rank > STAGE_RANK["prototype"] and key in NOT_ASKED_OF_IMPORTS:
        return State(key, "not_asked", "Not asked of a claim that was imported above prototype.")
    return None


def _asked_once(facts: Facts, book: Book, key: str) -> bool:
    """Whether age does not count: a frozen answer of a claim that no decision made here stands behind."""
    if key not in book.carry.frozen_by:
        return False
    rank = STAGE_RANK.get(facts.claimed, 0)
    return any(
        rank >= STAGE_RANK[book.gates[gate_key].to] and gate_key not in facts.decided
        for gate_key in book.carry.frozen_by[key]
    )


def _own_state(facts: Facts, book: Book, key: str, at: datetime, ageless: bool = False) -> State:
    requirement = book.requirements[key]
    reply = facts.answers.get(key)
    if reply is None:
        fix, place = _fix_of(requirement, "Answer the question.")
        return State(key, "unanswered", "Not answered yet.", fix, place=place)
    version = reply.version
    if reply.kind == "no":
        return State(
            key,
            "no",
            "Answered no: this does not exist yet.",
            "Bring it about, then answer again.",
            answer_version=version,
        )
    if reply.kind == "not_reported":
        return State(
            key, "not_reported", "Not reported by the source.", "Answer the question.", answer_version=version
        )
    if key == ENFORCED and (words := _unmapped(facts, at)):
        return State(
            key,
            "unmapped",
            words,
            "Name its control on the map of the contract.",
            answer_version=version,
        )
    if short := facts.short_of(key, at):
        return _short(key, short, version)
    if reply.kind == "not_applicable":
        return _not_applicable(requirement, reply, at, facts.high)
    return _proof_state(facts, book, requirement, at, ageless, version)


def _unmapped(facts: Facts, at: datetime) -> str:
    """Which clauses of the contract in force no control enforces; empty when each has one."""
    version = next((version for version in facts.contracts if version.in_force_at(at)), None)
    if version is None or not version.unmapped:
        return ""
    (number, sentence), *others = version.unmapped
    words = f"No control is named for clause {number}: {ended(sentence)}"
    if not others:
        return words
    if len(others) > MOST_NAMED:
        return f"{words} Nor for {len(others)} other clauses."
    numbers = listed([str(other) for other, _ in others])
    return f"{words} Nor for clause{'s' if len(others) > 1 else ''} {numbers}."


def _short(key: str, short: list[Shortcoming], version: int) -> State:
    """What the register says against it: words typed beside it, and files, do not outweigh what it lists."""
    first, *others = short
    words = " ".join(one.words for one in short[:MOST_TOLD])
    if len(others) >= MOST_TOLD:
        words = f"{words} And {len(short) - MOST_TOLD} more."
    whose = {one.who for one in short}
    mended_by = first.who if len(whose) == 1 else ""
    return State(key, "register", words, first.fix, answer_version=version, mended_by=mended_by)


def _not_applicable(requirement: Requirement, reply: Reply, at: datetime, high: bool) -> State:
    if reply.accepted_on is None:
        return State(
            requirement.key,
            "waiting",
            "Said not to apply; its seat has not accepted that.",
            "Accepts it, or says why not.",
            answer_version=reply.version,
            mended_by=ITS_SEAT,
        )
    days = requirement.days(high)
    last = reply.accepted_on + timedelta(days=days) if days else None
    if last is not None and clock.local_day(at) > last:
        return State(
            requirement.key,
            "waiting",
            f"That it does not apply was accepted until {last:%-d %B %Y}.",
            "Accepts it again, or says why not.",
            answer_version=reply.version,
            mended_by=ITS_SEAT,
        )
    return State(
        requirement.key,
        "not_applicable",
        "Does not apply, accepted by its seat.",
        "",
        (),
        last,
        reply.version,
    )


@cache
def _none_yet(key: str, kinds: tuple[str, ...], version: int) -> State:
    """Most requirements of most cases: nothing was offered yet."""
    words = f"No proof yet: {' or '.join(in_words(kind) for kind in kinds)}."
    fix, place = _elsewhere(key, kinds) or ("Add proof.", "")
    return State(key, "unproven", words, fix, answer_version=version, place=place)


def _elsewhere(key: str, kinds: tuple[str, ...]) -> tuple[str, str] | None:
    """What mends a requirement that no answer and no upload grounds, and where; None for all others."""
    if key in GENERATED_ONLY:
        return "Generate the index.", BY_GENERATING
    if key in ACCEPTED_IN_PERSON and kinds == ("attestation",):
        return f"Have the {in_words(ACCEPTED_IN_PERSON[key])} accept it in person.", BY_ACCEPTANCE
    return None


def _fix_of(requirement: Requirement, usual: str) -> tuple[str, str]:
    return _elsewhere(requirement.key, requirement.evidence) or (usual, "")


def _proof_state(
    facts: Facts, book: Book, requirement: Requirement, at: datetime, ageless: bool, version: int
) -> State:
    """The state of an answered requirement by the evidence that is offered for it."""
    key = requirement.key
    if key == DECLARATION and (undeclared := _undeclared(facts, book)):
        words = f"Not declared yet: {', '.join(undeclared)}."
        return _lacking(
            requirement,
            version,
            "unproven",
            words,
            "Declare what the MVP will prove.",
            place=IN_DECLARATION,
        )
    offered = [
        item for item in facts.items_for(key) if item.kind in requirement.evidence and item.added_at <= at
    ]
    if not offered:
        return _none_yet(key, requirement.evidence, version)
    whys = {item.id: _unusable(facts, book, requirement, item, at) for item in offered}
    usable = [item for item in offered if not whys[item.id]]
    standing = [item for item in usable if not _unread(requirement, item)]
    if not standing:
        why = next((why for why in whys.values() if why), "")
        return _none_counts(requirement, version, offered, usable, why, at)
    newest = next((item for item in standing if item.kind in book.result_kinds), None)
    if newest is not None and newest.result != "pass":
        words = f"{newest.title}, observed {newest.observed_on:%-d %B %Y}, says {newest.result}: only a pass counts."
        return _lacking(requirement, version, "failing", words, "Mend it and add a newer result.", (newest,))
    day = clock.local_day(at)
    current = [
        item
        for item in standing
        if ageless or (last := expiry(requirement, item, facts.high)) is None or day <= last
    ]
    passing = [item for item in current if item.kind not in book.result_kinds or item.result == "pass"]
    if not passing:
        return _aged_out(requirement, version, standing[0], facts.high)
    return _too_weak(requirement, version, passing) or State(
        key,
        "grounded",
        "Grounded.",
        "",
        tuple(passing),
        _last_day(requirement, passing, facts.high, ageless),
        version,
    )


def _lacking(
    requirement: Requirement,
    version: int,
    state: str,
    words: str,
    fix: str,
    items: tuple[Item, ...] = (),
    place: str | None = None,
) -> State:
    """A state that grounds nothing. `place`: where it is mended, None for where the requirement usually is."""
    if place is None:
        fix, place = _fix_of(requirement, fix)
    return State(requirement.key, state, words, fix, items, None, version, place=place)


def _none_counts(
    requirement: Requirement, version: int, offered: list[Item], unread: list[Item], why: str, at: datetime
) -> State:
    """Nothing that is offered counts: it waits for a reader outside, else for the first reason why."""
    if unread:
        words, fix = f"{unread[0].title} {UNREAD}.", "Reads it and says so."
        state = _lacking(requirement, version, "unread", words, fix, tuple(unread[:1]))
        return replace(state, mended_by=OUTSIDER)
    voided = any(item.void_at(requirement.key, at) for item in offered)
    return _lacking(
        requirement,
        version,
        "voided" if voided else "unproven",
        why,
        "Add newer proof.",
        tuple(offered[:1]),
    )


def _aged_out(requirement: Requirement, version: int, stale: Item, high: bool) -> State:
    last = expiry(requirement, stale, high)
    words = (
        f"{stale.title}, observed {stale.observed_on:%-d %B %Y}, aged out: it was current "
        f"until {last:%-d %B %Y}."
    )
    return _lacking(requirement, version, "stale", words, "Add a newer one.", (stale,))


def _too_weak(requirement: Requirement, version: int, passing: list[Item]) -> State | None:
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
    return _lacking(requirement, version, "weak", words, fix, tuple(passing), place) if words else None


def discounted(facts: Facts, book: Book, requirement: Requirement, item: Item, at: datetime) -> str:
    """Why an offered item does not count for the requirement at `at`; empty when it does. Age is looked at later."""
    why = _unusable(facts, book, requirement, item, at)
    if not why and _unread(requirement, item):
        return f"{item.title} {UNREAD}. {OUTSIDER} reads it and says so."
    return why


def _unread(requirement: Requirement, item: Item) -> bool:
    """Whether a report on a layer still waits for a reader outside the build team (S0-21).

    A result other than pass counts at once: nobody outside has to read it before it is believed.
    """
    favourable = item.result in ("", "pass")
    return requirement.group == "layer" and favourable and requirement.key not in item.reviewed


def _unusable(facts: Facts, book: Book, requirement: Requirement, item: Item, at: datetime) -> str:
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
        and (models := facts.models_at(at))
        and not ({version.id for version in models} <= item.components)
    ):
        return f"{item.title} does not name the model that runs, {', '.join(v.label for v in models)}."
    about_models_only = item.layers and item.layers == {"model"} and item.kind != "attestation"
    if about_models_only and requirement.layer != Layer.MODEL:
        return f"{item.title} is about the model and nothing else; this asks about more."
    if requirement.group == "layer" and _attached_elsewhere_first(facts, book, requirement, item):
        return f"{item.title} already serves another layer's audit; each layer needs its own report."
    return ""


def _attached_elsewhere_first(facts: Facts, book: Book, requirement: Requirement, item: Item) -> bool:
    """Whether the same content was attached earlier to another requirement of the group `layer`."""
    mine = item.covers[requirement.key]
    return any(
        position < mine
        for other in facts.items
        if other.fingerprint == item.fingerprint
        for key, position in other.covers.items()
        if key != requirement.key and key in book.requirements and book.requirements[key].group == "layer"
    )


def _last_day(requirement: Requirement, passing: list[Item], high: bool, ageless: bool) -> date | None:
    """The last day on which the passing items still ground the requirement, if nothing else changes."""
    if ageless or not requirement.days(high):
        return None
    needed = [passing]
    if requirement.min_evidence:
        needed.append([item for item in passing if item.kind == requirement.min_evidence])
    if requirement.min_condition:
        least = CONDITION_RANK[requirement.min_condition]
        needed.append([item for item in passing if CONDITION_RANK[item.condition] >= least])
    if requirement.key in ACCEPTANCE_ALWAYS:
        needed.append([item for item in passing if item.acceptance_role])
    ends = ([expiry(requirement, item, high) for item in group] for group in needed)
    return min(max(day for day in days if day is not None) for days in ends)


def _undeclared(facts: Facts, book: Book) -> list[str]:
    wanted = [key for criterion in book.criteria.values() for key in criterion.proof_items]
    return [key.replace("_", " ") for key in wanted if key not in facts.declared]


def waiver_at(facts: Facts, key: str, at: datetime) -> WaiverFact | None:
    """The granted waiver of this criterion or requirement that runs at `at`, or None."""
    for waiver in facts.waivers:
        if waiver.key == key and waiver.since <= at and clock.local_day(at) <= waiver.until:
            return waiver
    return None


def in_words(key: str) -> str:
    """A key of the rulebook as words."""
    return key.replace("_", " ")


def states_at(facts: Facts, book: Book, at: datetime) -> dict[str, State]:
    """The state of every requirement of the rulebook at `at`."""
    return {key: state_of(facts, book, key, at) for key in book.requirements}
