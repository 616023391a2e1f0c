"""Artefacts of the demonstration: small, valid files, the form of each kind that has one, and who verifies them."""

import textwrap
from datetime import date, timedelta

from django.core.files.uploadedfile import SimpleUploadedFile

from governance import clock
from governance.gates.gate_inputs import Item
from governance.gates.requirement_state import NEXT_ACCEPTANCE, State
from governance.gates.requirements import states_at
from governance.models import Rulebook, User
from governance.rulebook import ParsedRulebook
from governance.vocabulary import EvidenceKind
from initiatives.integration.record import actions as record_actions
from initiatives.integration.resilience import drills
from initiatives.lifecycle.evidence.verification import actions as verification_actions
from initiatives.lifecycle.evidence.verification.queries import item_to_verify
from initiatives.lifecycle.facts import supported_stage
from initiatives.models import Evidence, Initiative

# What the form of a kind holds where the rulebook asks for one (`ParsedRulebook.detailed_kinds`).
DETAILS = {
    EvidenceKind.TEST_REPORT: {
        "data_set": "Notes of the accounts of May",
        "n": "240",
        "metric": "accuracy",
        "figure": "0.93",
        "threshold": "0.85",
        "side": "at_least",
    },
    EvidenceKind.LOG_SAMPLE: {},
    EvidenceKind.USER_RESEARCH: {"n": "24", "method": "interviews"},
    EvidenceKind.DECISION_RECORD: {"place": "Minutes of the board, item 4"},
}

OUTAGE = ("fallback", "timeout", "The list of yesterday after three seconds; all were told.")


def details_of(kind: str, observed_on: date, approver: str) -> dict:
    """The form of a kind, filled in truthfully for an item observed on this day."""
    given = dict(DETAILS[EvidenceKind(kind)])
    if kind == EvidenceKind.USER_RESEARCH:
        given |= {
            "starts_on": (observed_on - timedelta(days=11)).isoformat(),
            "ends_on": observed_on.isoformat(),
        }
    if kind == EvidenceKind.DECISION_RECORD:
        given |= {"approver": approver, "decided_on": observed_on.isoformat()}
    return given


def log_of(title: str, observed_on: date) -> SimpleUploadedFile:
    """A log sample of a day: four calls, each with its time, actor, input, output and version of the model."""
    rows = [
        f"{observed_on.isoformat()}T09:1{place}:00Z,u-1{place},{asked} ({title}),{said},m-4"
        for place, (asked, said) in enumerate(
            [
                ("Summarise account 4711", "Renewal is due in May."),
                ("Summarise account 4712", "No open offer."),
                ("Who signs for account 4713?", "The branch signs."),
                ("Summarise account 4714", "Not enough notes to say."),
            ]
        )
    ]
    text = "\n".join(["time,user,prompt,answer,model", *rows]) + "\n"
    return SimpleUploadedFile("calls.csv", text.encode(), "text/csv")


def pdf(title: str, sentences=(), observed_on: date | None = None) -> SimpleUploadedFile:
    """A small, valid PDF whose content differs with its title and words, so that each has its own fingerprint."""
    lines = [title, f"Observed on {observed_on:%-d %B %Y}" if observed_on else ""]
    for sentence in sentences:
        lines += ["", *textwrap.wrap(sentence, 84)]
    shown = [
        line.encode("ascii", "replace").decode().translate(str.maketrans({"(": r"\(", ")": r"\)", "\\": "/"}))
        for line in lines
    ]
    body = "BT /F1 12 Tf 14 TL 60 780 Td " + " ".join(f"({line}) Tj T*" for line in shown) + " ET"
    parts = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(body)} >>\nstream\n{body}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    text, places = "%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        places.append(len(text))
        text += f"{number} 0 obj\n{part}\nendobj\n"
    start = len(text)
    text += f"xref\n0 {len(parts) + 1}\n0000000000 65535 f \n"
    text += "".join(f"{place:010d} 00000 n \n" for place in places)
    text += f"trailer << /Size {len(parts) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    name = "".join(letter if letter.isalnum() else "-" for letter in title.lower())[:60]
    return SimpleUploadedFile(f"{name}.pdf", text.encode("latin-1"), "application/pdf")


def written_by_a_register(kind: str, rulebook) -> bool:
    """Whether nobody adds items of this kind, for a register of the initiative writes them; a clause is cited."""
    return kind in rulebook.register_kinds and kind != EvidenceKind.CONTRACT_CLAUSE


def from_register(
    initiative: Initiative, kind: str, keys: list[str], *, owner: User, lead: User, drill=OUTAGE
) -> None:
    """Have the register that writes this kind write it: of systems, of drills, or of measures.

    `drill`: its kind, the fault that was planted, and what happened.
    """
    if kind == EvidenceKind.TELEMETRY:
        from adoption.measurements import evidence_figures  # of the initiatives that are made of these acts

        for key in keys:
            evidence_figures.file_figures(initiative=initiative, requirement=key, by=owner)
    elif kind == EvidenceKind.SYSTEM_RECORD:
        record_actions.record_register(initiative=initiative, covers=keys, by=owner)
    elif kind == EvidenceKind.DRILL_RECORD:
        drills.add_drill(
            initiative=initiative,
            kind=drill[0],
            fault=drill[1],
            expected="What the plan says, within its time.",
            happened=drill[2],
            result="pass",
            observed_on=clock.today(),
            covers=keys,
            file=SimpleUploadedFile(
                "trace.jsonl",
                f'{{"fault": "{drill[1]}", "covers": "{keys[0]}"}}\n'.encode(),
                "application/jsonl",
            ),
            by=lead,
        )


def verify_gate(
    initiative: Initiative, gate: str, seats: dict[str, User], deputies: dict[str, User] | None = None
) -> None:
    """Have seats open what a gate asks to be verified, and say that it shows it, until nothing waits for them.

    `seats`: who holds each. `deputies`: by seat, a second holder, for what two persons verify.
    """
    rulebook = Rulebook.objects.current().parsed.at_tier(Initiative.objects.get(pk=initiative.pk).tier)
    holders = {seat: [one] for seat, one in seats.items()}
    for seat, person in (deputies or {}).items():
        holders[seat].append(person)
    waiting = True
    while waiting:
        facts = supported_stage.facts_of(
            Initiative.objects.select_related("unit", "contract").get(pk=initiative.pk)
        )
        states = states_at(facts, rulebook, clock.now())
        asked = [
            key
            for key in rulebook.gates[gate].requirements()
            if not (states[key].satisfies(gate) and states[key].satisfies(NEXT_ACCEPTANCE))
        ]
        waiting = [found for key in asked if (found := _waiting(states[key], rulebook, holders)) is not None]
        for key, item, person in waiting:
            verify_item(Evidence.objects.get(pk=item.id), key, states[key].answer_version, person)


def _waiting(
    state: State, rulebook: ParsedRulebook, holders: dict[str, list[User]]
) -> tuple[str, Item, User] | None:
    """The requirement of a state with an item that waits for somebody who holds a seat, and that person."""
    for seat in rulebook.seats_asking(state.key):
        for person in holders.get(seat, ()):
            item = item_to_verify(state, rulebook, (seat,), person.pk)
            if item is not None:
                return state.key, item, person
    return None


def verify_item(item: Evidence, key: str, answer_version: int, by: User) -> None:
    """Open an item and say that it shows the answer to a requirement, in this version."""
    verification_actions.open_item(initiative=item.initiative, evidence=item, way="look", by=by)
    verification_actions.verify(
        evidence=item,
        requirement=key,
        shows=True,
        place="First page",
        words="It says so, with the day.",
        fingerprint=item.fingerprint,
        answer_version=answer_version,
        by=by,
    )
