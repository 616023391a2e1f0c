"""Requirements of a gate as pages show them: state, evidence, turn."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext_lazy

from governance.gates import levels, remarks, requirements
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import AnswerKind, EvidenceKind, Seat, Stage
from governance.vocabulary.phrases import phrase
from initiatives.contributions import contributed
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.evidence import artefact_kinds
from initiatives.lifecycle.evidence.renewal import Renewal, renewal_of, written_elsewhere
from initiatives.lifecycle.evidence.verification.queries import item_to_verify
from initiatives.lifecycle.facts import initiative_rows, open_requirements, supported_stage
from initiatives.lifecycle.facts.wording import drawn_words, state_word
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import waits_for
from initiatives.lifecycle.initiative.who_may import WhoMay
from initiatives.models import Answer
from initiatives.models.initiative import gate_out_of

ITEMS_SHOWN = 4
LIVE = "live"
# What is recorded before evidence: what the page says, the page step, the words of its button.
FIRST = {
    levels.MODEL: (
        gettext_lazy(
            "First record the model. Otherwise, your evidence stops counting when the model is recorded."
        ),
        "record-version",
        gettext_lazy("Record the model"),
    ),
    levels.SCOPE: (
        gettext_lazy(
            "First plan the scope. Otherwise, your evidence may stop counting when a wider scope starts."
        ),
        "record-scope",
        gettext_lazy("Plan the scope"),
    ),
}
# States of an answer whose evidence is missing, ended, or not enough.
RENEWED = frozenset({"unproven", "voided", "failing", "expired", "weak"})


@dataclass(frozen=True)
class Sheet:
    """One list of requirements: those of a gate, or the live ones."""

    key: str
    words: str
    title: str
    keys: tuple[str, ...]
    gate: str = ""


def sheets_of(initiative, rulebook) -> list[Sheet]:
    """Return an initiative's lists: next gate, approved stage, other gates."""
    facts = _StageFacts(initiative.stage)
    ahead = gate_out_of(initiative.stage)
    sheets = []
    if initiative.stage in (Stage.PROTOTYPE, Stage.MVP, Stage.PRODUCTION):
        words = phrase("the missing evidence for {}", stage_word(initiative.stage))
        keys = tuple(supported_stage.asked(facts, rulebook))
        sheets.append(
            Sheet(LIVE, words, phrase("Missing evidence for {}", stage_word(initiative.stage)), keys)
        )
    for gate in rulebook.gates.values():
        title = phrase("Requirements for {}", gate.title)
        sheets.append(Sheet(gate.key, gate.title, title, gate.requirements(), gate.key))
    return sorted(sheets, key=lambda sheet: (sheet.key != ahead, sheet.key != LIVE))


@dataclass(frozen=True)
class _StageFacts:
    """The one fact that `supported_stage.asked` reads."""

    approved_stage: str


def sheet_of(initiative, sheets: list[Sheet], wanted: str | None, key: str = "") -> Sheet:
    """Return the wanted list, or the usual one of the initiative's stage.

    Production has the live list, and a closed initiative that of its end. With `key`, it is the first list with this
    requirement if the usual one does not have it.
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
    """Return every requirement of the list, in the order of the rulebook."""
    answers = {row.requirement: row for row in _answers(context["initiative"])}
    return [row_of(context, key, answers.get(key), sheet) for key in sheet.keys]


def _answers(initiative):
    return Answer.objects.filter(initiative=initiative).select_related("by", "accepted_by")


def row_of(context, key: str, answer, sheet: Sheet) -> dict:
    """Return one requirement with answer, evidence, state and turn."""
    rulebook, facts, may = context["rulebook"], context["facts"], context["may"]
    asked, state = rulebook.requirements[key], context["states"][key]
    gate = sheet.gate or next((c.gate for c in rulebook.criteria_using(key)), "")
    seats = rulebook.seats_for(key, gate) if gate else ()
    items = list(state.items) or facts.items_for(key)
    shown = {item.id for item in items[:ITEMS_SHOWN]}
    lines = artefact_kinds.lines(
        (row for row in initiative_rows.rows(context["initiative"], "evidence") if row.pk in shown),
        initiative_rows.known_names(context["initiative"]),
    )
    word, tone = state_word(state, gate)
    later = bool(gate) and key in rulebook.deferred(gate)
    satisfied = state.satisfies(gate) if gate else state.satisfied
    mine = _asked_of(context, key, gate)
    there = fix_of(context["initiative"], rulebook, state, may)
    mine = mine or (state.place == requirements.BY_VERIFYING and there is not None)
    first = "" if satisfied else levels.recorded_first(facts, asked, context["now"])
    can_accept = state.fixed_by == requirements.ITS_SEAT and may.person.pk not in state.verifiers
    can_accept = can_accept and bool(set(may.seats) & set(rulebook.seats_asking(key)))
    return {
        "key": key,
        "asked": asked,
        "days": asked.days(facts.tier),
        "answer": answer,
        "state": state,
        "looks": remarks.second_looks(facts, state.level, context["now"]),
        "same": " ".join(remarks.of_answer(facts, key, context["now"])),
        "drawn": drawn_words(facts, rulebook, key, context["now"]),
        "word": word,
        "tone": tone,
        "items": [(item, lines.get(item.id, "")) for item in items[:ITEMS_SHOWN]],
        "more_items": max(0, len(items) - ITEMS_SHOWN),
        "age_from": facts.first_day(state.items[0]) if state.items else None,
        "who": "You" if mine else waits_for(context["initiative"], context["judged_next"], key),
        "fix": there or ("", ""),
        "first": first,
        "first_words": FIRST[first][0] if first else "",
        "first_page": first_page(context["initiative"], first),
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
    """Return True if the person is the one to answer a requirement that is open now."""
    rulebook, state = context["rulebook"], context["states"][key]
    satisfied = state.satisfies(gate) if gate else state.satisfied
    later = bool(gate) and key in rulebook.deferred(gate)
    turn = open_requirements.turn(context["judged_next"], key)
    return not (satisfied or later) and turn in context["may"].turns


def first_page(initiative, first: str) -> tuple[str, str]:
    """Return the page on which this is recorded, and the words of its button; twice "" for nothing."""
    return (
        (reverse("initiative-act", args=[initiative.ref, FIRST[first][1]]), str(FIRST[first][2]))
        if first
        else ("", "")
    )


def next_open(context, sheet: Sheet, key: str) -> str:
    """Return the next blocking requirement for the person to answer, or "".

    The search starts after `key` and wraps around. A requirement that waits for the model or the scope is left out.
    """
    rulebook, facts, now = context["rulebook"], context["facts"], context["now"]
    place = sheet.keys.index(key) if key in sheet.keys else 0
    answered = {row.requirement for row in _answers(context["initiative"])}
    for one in (*sheet.keys[place + 1 :], *sheet.keys[:place]):
        written = (
            one in answered or one in requirements.GENERATED_ONLY or one in requirements.ACCEPTED_IN_PERSON
        )
        asked = rulebook.requirements[one]
        if written or not asked.blocking or levels.recorded_first(facts, asked, now):
            continue
        if _asked_of(context, one, sheet.gate):
            return one
    return ""


def example_of(key: str, initiative, person):
    """Return the newest visible answer to it in production elsewhere, or None.

    The words are unchanged, as an example. Imported and confidential initiatives are left out.
    """
    seen = (
        visibility.visible_to(person)
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
    """Return the page that fixes what no answer or upload fixes, or None."""
    if state.state == "unmapped":
        return reverse("contract", args=[initiative.ref]), phrase("Open the contract")
    if (renewal := _renewed_elsewhere(initiative, rulebook, state)) is not None:
        return (renewal.address, renewal.words) if may.collaborate else None
    if state.place == requirements.IN_DEPLOYMENTS:
        return first_page(initiative, levels.MODEL) if may.change_what_runs else None
    if state.state == "register" or state.place == requirements.IN_REGISTER:
        return reverse("integration", args=[initiative.ref]), phrase("See the register")
    if state.place == requirements.BY_VERIFYING:
        item = item_to_verify(state, rulebook, may.seats, may.person.pk)
        if item is None:
            return None
        return reverse("evidence-verify", args=[initiative.ref, item.id, state.key]), phrase(
            "Open and verify"
        )
    if state.place == requirements.IN_DECLARATION:
        return reverse("declaration", args=[initiative.ref]), phrase("Declare what the MVP will show")
    if state.place == requirements.BY_GENERATING:
        return (
            (reverse("initiative-act", args=[initiative.ref, "generate-index"]), phrase("Generate the index"))
            if may.manage
            else None
        )
    if state.place == requirements.BY_ACCEPTANCE:
        return _acceptance(initiative, requirements.ACCEPTED_IN_PERSON[state.key], may)
    return None


def _renewed_elsewhere(initiative, rulebook, state) -> Renewal | None:
    """Return where the evidence is given, if that is not the page of the requirement: by a measure or a register."""
    asked, measured = rulebook.requirements[state.key], state.key in contributed.renewals
    if state.state == "register":
        return renewal_of(initiative, rulebook, state.key) if measured else None
    if state.place or state.state not in RENEWED or state.satisfied:
        return None
    item = state.items[0] if state.items else None
    registers = rulebook.register_kinds - {EvidenceKind.ATTESTATION, EvidenceKind.CONTRACT_CLAUSE}
    if written_elsewhere(rulebook, asked) or (item is not None and item.kind in registers):
        return renewal_of(initiative, rulebook, state.key, item)
    return None


def _acceptance(initiative, role: str, may: WhoMay) -> tuple[str, str]:
    """Return the page to accept the role, or to propose someone, with its words."""
    asked = [row for row in initiative_rows.roles(initiative) if row.role == role and row.open]
    own = next((row for row in asked if row.person_id == may.person.pk), None)
    if own is not None:
        verb = "accept-again" if own.accepted_at else "accept"
        return reverse("row-act", args=["roles", own.pk, verb]), phrase("Accept the role")
    if not asked and may.propose_role:
        return (
            f"{reverse('initiative-act', args=[initiative.ref, 'role-propose'])}?role={role}",
            "Propose someone",
        )
    return reverse("people", args=[initiative.ref]), phrase("See who was asked")
