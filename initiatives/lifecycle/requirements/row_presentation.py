"""Requirements of a gate as pages show them: state in words, evidence with its age, whose turn it is."""

from dataclasses import dataclass

from django.urls import reverse

from governance.gates import requirements
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import AnswerKind, Seat, Stage
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.evidence import artefact_kinds
from initiatives.lifecycle.evidence.verification.queries import item_to_verify
from initiatives.lifecycle.facts import initiative_rows, supported_stage
from initiatives.lifecycle.facts.wording import drawn_words, state_word
from initiatives.lifecycle.initiative.initiative_frame import WhoMay, on_inbox_of, who_answers
from initiatives.models import Answer
from initiatives.models.initiative import gate_out_of

ITEMS_SHOWN = 4
LIVE = "live"


@dataclass(frozen=True)
class Sheet:
    """One list of requirements: those of a gate, or those still live for the approved stage."""

    key: str
    words: str
    title: str
    keys: tuple[str, ...]
    gate: str = ""


def sheets_of(initiative, rulebook) -> list[Sheet]:
    """The lists an initiative can be looked at by: the gate ahead, what the approved stage still asks, the
    other gates.
    """
    facts = _StageFacts(initiative.stage)
    ahead = gate_out_of(initiative.stage)
    sheets = []
    if initiative.stage in (Stage.PROTOTYPE, Stage.MVP, Stage.PRODUCTION):
        words = f"what {stage_word(initiative.stage)} still asks"
        keys = tuple(supported_stage.asked(facts, rulebook))
        sheets.append(Sheet(LIVE, words, f"What {stage_word(initiative.stage)} still asks", keys))
    for gate in rulebook.gates.values():
        title = f"Requirements for {gate.title}"
        sheets.append(Sheet(gate.key, gate.title, title, gate.requirements(), gate.key))
    return sorted(sheets, key=lambda sheet: (sheet.key != ahead, sheet.key != LIVE))


@dataclass(frozen=True)
class _StageFacts:
    """The one fact that `supported_stage.asked` looks at."""

    approved_stage: str


def sheet_of(initiative, sheets: list[Sheet], wanted: str | None, key: str = "") -> Sheet:
    """The list asked for; without a word: live ones in production, those of its end when closed, else the gate ahead.

    With `key`, the first list that has this requirement where the usual one has it not.
    """
    by_key = {sheet.key: sheet for sheet in sheets}
    if wanted in by_key:
        return by_key[wanted]
    usual = {"production": LIVE, "stopped": "stop", "retired": "retire"}.get(initiative.stage)
    found = by_key.get(usual or "", sheets[0])
    if key and key not in found.keys:
        return next((sheet for sheet in sheets if key in sheet.keys), found)
    return found


def rows_of(context, sheet: Sheet) -> list[dict]:
    """Every requirement of the list, in the order of the rulebook."""
    answers = {row.requirement: row for row in _answers(context["initiative"])}
    return [row_of(context, key, answers.get(key), sheet) for key in sheet.keys]


def _answers(initiative):
    return Answer.objects.filter(initiative=initiative).select_related("by", "accepted_by")


def row_of(context, key: str, answer, sheet: Sheet) -> dict:
    """One requirement with its answer, its evidence, its state and whose turn it is."""
    rulebook, facts, may = context["rulebook"], context["facts"], context["may"]
    asked, state = rulebook.requirements[key], context["states"][key]
    gate = sheet.gate or next((c.gate for c in rulebook.criteria_using(key)), "")
    seats = rulebook.seats_for(key, gate) if gate else ()
    items = list(state.items) or facts.items_for(key)
    shown = {item.id for item in items[:ITEMS_SHOWN]}
    lines = artefact_kinds.lines(
        row for row in initiative_rows.rows(context["initiative"], "evidence") if row.pk in shown
    )
    word, tone = state_word(state, gate)
    later = bool(gate) and key in rulebook.deferred(gate)
    satisfied = state.satisfies(gate) if gate else state.satisfied
    mine = _asked_of(context, key, gate)
    there = fix_of(context["initiative"], rulebook, state, may)
    mine = mine or (state.place == requirements.BY_VERIFYING and there is not None)
    can_accept = state.fixed_by == requirements.ITS_SEAT and may.person.pk not in state.verifiers
    can_accept = can_accept and bool(set(may.seats) & set(rulebook.seats_asking(key)))
    return {
        "key": key,
        "asked": asked,
        "days": asked.days(facts.tier),
        "answer": answer,
        "state": state,
        "drawn": drawn_words(facts, rulebook, key, context["now"]),
        "word": word,
        "tone": tone,
        "items": [(item, lines.get(item.id, "")) for item in items[:ITEMS_SHOWN]],
        "more_items": max(0, len(items) - ITEMS_SHOWN),
        "age_from": state.items[0].observed_on if state.items else None,
        "who": "You" if mine else state.fixed_by or who_answers(facts, asked),
        "fix": there or ("", ""),
        "seats": [Seat.word(seat).lower() for seat in seats],
        "later": later,
        "generated": key in requirements.GENERATED_ONLY,
        "mine": mine,
        "can_accept": can_accept
        and initiative_permissions.may_accept_exception(
            context["initiative"], rulebook.seats_asking(key), may.person
        ),
        "group": "met" if satisfied else "mine" if mine or can_accept else "others",
    }


def _asked_of(context, key: str, gate: str) -> bool:
    """Whether the person is the one to answer: what is met, comes later or waits for somebody else is not theirs."""
    rulebook, state = context["rulebook"], context["states"][key]
    satisfied = state.satisfies(gate) if gate else state.satisfied
    later = bool(gate) and key in rulebook.deferred(gate)
    others = satisfied or later or state.state == "waiting" or state.fixed_by
    return not others and on_inbox_of(context["facts"], rulebook.requirements[key], context["may"])


def next_open(context, sheet: Sheet, key: str) -> str:
    """The next requirement of the list that has no answer, can block, and is the person's to answer; "" where none is.

    After `key` in the order of the list, then from its start.
    """
    rulebook = context["rulebook"]
    place = sheet.keys.index(key) if key in sheet.keys else 0
    answered = {row.requirement for row in _answers(context["initiative"])}
    for one in (*sheet.keys[place + 1 :], *sheet.keys[:place]):
        written = (
            one in answered or one in requirements.GENERATED_ONLY or one in requirements.ACCEPTED_IN_PERSON
        )
        if not written and rulebook.requirements[one].blocking and _asked_of(context, one, sheet.gate):
            return one
    return ""


def example_of(key: str, initiative, person):
    """The newest answer to the requirement on another initiative in production that the person may see; None without
    one.

    Its words as they were written there, to learn from; an imported or confidential initiative is no example.
    """
    seen = (
        initiative_permissions.visible_to(person)
        .filter(stage=Stage.PRODUCTION, confidential=False, withdrawn_at__isnull=True)
        .exclude(basis="import")
    )
    found = Answer.objects.filter(requirement=key, kind=AnswerKind.ANSWERED, initiative__in=seen)
    return (
        found.exclude(initiative=initiative)
        .exclude(text="")
        .select_related("initiative")
        .order_by("-at")
        .first()
    )


def fix_of(initiative, rulebook, state, may: WhoMay) -> tuple[str, str] | None:
    """The page, and its words, that fixes what neither an answer nor an upload does; None for all else."""
    if state.state == "unmapped":
        return reverse("contract-map", args=[initiative.ref]), "Open the map of the contract"
    if state.state == "register" or state.place == requirements.IN_REGISTER:
        return reverse("integration", args=[initiative.ref]), "See what the register says"
    if state.place == requirements.BY_VERIFYING:
        item = item_to_verify(state, rulebook, may.seats, may.person.pk)
        if item is None:
            return None
        return reverse("evidence-verify", args=[initiative.ref, item.id, state.key]), "Open and verify"
    if state.place == requirements.IN_DECLARATION:
        return reverse("declaration", args=[initiative.ref]), "Open the declaration"
    if state.place == requirements.BY_GENERATING:
        return (
            (reverse("evidence-index", args=[initiative.ref]), "Generate the index") if may.manage else None
        )
    if state.place == requirements.BY_ACCEPTANCE:
        return _acceptance(initiative, requirements.ACCEPTED_IN_PERSON[state.key], may)
    return None


def _acceptance(initiative, role: str, may: WhoMay) -> tuple[str, str]:
    """Where the role is accepted by whoever is asked for it or holds it, and where somebody is asked."""
    asked = [row for row in initiative_rows.roles(initiative) if row.role == role and row.open]
    own = next((row for row in asked if row.person_id == may.person.pk), None)
    if own is not None:
        return reverse("role-again" if own.accepted_at else "role", args=[own.pk]), "Accept it"
    if not asked and may.propose_role:
        return f"{reverse('role-propose', args=[initiative.ref])}?role={role}", "Propose somebody"
    return reverse("people", args=[initiative.ref]), "See who is asked"
