"""Artefacts of the demonstration: small, valid files, the form of each kind that has one, and who verifies them."""

import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import date, datetime, time, timedelta

from django.core.files.uploadedfile import SimpleUploadedFile

from governance import clock
from governance.files.file_previews import PDF, TABLE
from governance.gates.gate_inputs import Item
from governance.gates.requirement_state import NEXT_ACCEPTANCE, State
from governance.gates.requirements import states_at
from governance.models import Rulebook, User
from governance.rulebook import ParsedRulebook
from governance.vocabulary import KINDS_TESTED, EvidenceKind, Tested
from initiatives.integration.record import actions as record_actions
from initiatives.integration.resilience import drills
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.evidence.artefact_kinds import in_words
from initiatives.lifecycle.evidence.verification import actions as verification_actions
from initiatives.lifecycle.evidence.verification.queries import item_to_verify
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.initiative.act import together
from initiatives.models import Evidence, Initiative

# What the form of a kind holds where the rulebook asks for one (`ParsedRulebook.detailed_kinds`).
DETAILS = {
    EvidenceKind.TEST_REPORT: {"side": "at_least"},
    EvidenceKind.LOG_SAMPLE: {},
    EvidenceKind.USER_RESEARCH: {"n": "24", "method": "interviews"},
    EvidenceKind.DECISION_RECORD: {"place": "Minutes of the board, item 4"},
}

# By what a test report is about: its data set, how many were tried, the metric, the figure and the threshold.
TESTS = {
    Tested.QUALITY: ("Notes of the accounts of May", "240", "accuracy", "0.93", "0.85"),
    Tested.FALLBACK: ("Planted faults", "40", "share caught within the time-out", "1", "0.95"),
    Tested.ENFORCEMENT: ("Calls that the contract forbids", "60", "share refused", "1", "1"),
    Tested.RECORDS: ("Calls of one week", "200", "share with every field", "0.99", "0.98"),
    Tested.OVERRIDE: ("Planted wrong outputs", "30", "share corrected within a day", "0.97", "0.9"),
    Tested.UNDERSTANDING: (
        "Outputs shown to users",
        "24",
        "share of users who found the source",
        "0.92",
        "0.8",
    ),
}
# By kind of drill: the fault that is planted, and what happened.
DRILLED = {
    "fallback": ("timeout", "The list of yesterday after three seconds; all were told."),
    "escalation": ("person", "The second level answered after nine minutes."),
    "override": ("wrong_output", "Reported by the button and corrected within the day."),
    "rollback": ("error", "The earlier version ran again after six minutes."),
    "retrieval": ("none", "A given decision after two minutes, everything about one person after six."),
}
# A line of a page in a file of `pdf`.
WRITTEN = re.compile(r"(?<!\\)\(((?:\\.|[^()\\])*)\) Tj")


def details_of(
    kind: str, observed_on: date, approver: str, tested: str = "", count: int = 0, data: str = ""
) -> dict:
    """The form of a kind, filled in for an item observed on this day.

    `tested`: what it is about. `count`: how many were tried or took part, where its title says it. `data`: on which
    its quality was tried.
    """
    given = dict(DETAILS[EvidenceKind(kind)])
    if kind in KINDS_TESTED:
        given["tested"] = tested
    if kind == EvidenceKind.TEST_REPORT:
        given |= dict(
            zip(("data_set", "n", "metric", "figure", "threshold"), TESTS[Tested(tested)], strict=True)
        )
    if data and tested == Tested.QUALITY:
        given["data_set"] = f"{data[:1].upper()}{data[1:]}, of May"
    if kind == EvidenceKind.USER_RESEARCH:
        given |= {
            "starts_on": (observed_on - timedelta(days=11)).isoformat(),
            "ends_on": observed_on.isoformat(),
        }
    if count and "n" in given:
        given["n"] = str(count)
    if kind == EvidenceKind.DECISION_RECORD:
        given |= {"approver": approver, "decided_on": observed_on.isoformat()}
    return given


def apart(kind: str, keys: list[str], rulebook: ParsedRulebook) -> dict[str, list[str]]:
    """These requirements by what an item of this kind has to be about: "" where it is no test."""
    found: dict[str, list[str]] = {}
    for key in keys:
        asked = rulebook.requirements[key].tested if kind in KINDS_TESTED else ()
        about = next((one for one in asked if one in found), next(iter(asked), ""))
        found.setdefault(about, []).append(key)
    return found


def log_of(title: str, observed_on: date, rows: int = 4, task="summarise account", model="m-4"):
    """A log sample of a day: so many calls, each with its time, actor, input, output and version of the model."""
    begun, said = datetime.combine(observed_on, time(9)), ("Done as asked.", "Not enough to say.", "Done.")
    lines = [
        f"{begun + timedelta(minutes=2 * place):%Y-%m-%dT%H:%M:00Z},u-{10 + place % 7},"
        f"{task.replace(',', '')} {4711 + place} ({title.replace(',', '')}),{said[place % len(said)]},{model}"
        for place in range(rows)
    ]
    text = "\n".join(["time,user,prompt,answer,model", *lines]) + "\n"
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
    initiative: Initiative, kind: str, keys: list[str], *, owner: User, lead: User, drill=()
) -> None:
    """Have the register that writes this kind write it: of systems, of drills, or of measures.

    `drill`: its kind, the fault that was planted, and what happened; empty: as the first of `keys` asks. A fallback
    is drilled on each link.
    """
    if kind == EvidenceKind.TELEMETRY:
        from adoption.measurements import evidence_figures  # of the initiatives that are made of these acts

        for key in keys:
            evidence_figures.file_figures(initiative=initiative, requirement=key, by=owner)
    elif kind == EvidenceKind.SYSTEM_RECORD:
        record_actions.record_register(initiative=initiative, covers=keys, by=owner)
    elif kind == EvidenceKind.DRILL_RECORD:
        asked = Rulebook.objects.current().parsed.requirements[keys[0]]
        name = drill[0] if any(drill) else next(iter(asked.tested), "fallback")
        fault, happened = drill[1:] if any(drill) else DRILLED[name]
        links = list(initiative.links.filter(ended_at__isnull=True)) if name == "fallback" else []
        for link in links or [None]:
            drills.add_drill(
                initiative=initiative,
                link=link,
                kind=name,
                fault=fault,
                expected="What the plan says, within its time.",
                happened=happened,
                result="pass",
                observed_on=clock.today(),
                covers=keys,
                file=SimpleUploadedFile(
                    "trace.jsonl",
                    f'{{"fault": "{fault}", "covers": "{keys[0]}", "of": "{link or initiative}"}}\n'.encode(),
                    "application/jsonl",
                ),
                by=lead,
            )


def verify_gate(
    initiative: Initiative,
    gate: str,
    seats: dict[str, User],
    deputies: dict[str, User] | None = None,
    *,
    reading: bool = False,
) -> datetime:
    """Have seats open what a gate asks to be verified, and say that it shows it, until nothing waits for them.

    `seats`: who holds each. `deputies`: by seat, a second holder, for what two persons verify. `reading`: minutes pass
    on the simulated clock, one item after the other. Returns the moment of the last verdict.
    """
    at = clock.now()
    while True:
        with clock.simulated(at) if reading else nullcontext():
            waiting = _waiting_at(initiative, gate, seats, deputies or {})
        if not waiting:
            return at
        end = at + sum((_reading_time(found.id, person) for _, found, person in waiting), timedelta())
        with _by(end) if reading else nullcontext():
            for state, found, person in waiting:
                item = Evidence.objects.get(pk=found.id)
                opened_at = at if reading else None
                at = verify_item(item, state.key, state.answer_version, person, opened_at=opened_at)


@contextmanager
def _by(end: datetime) -> Iterator[None]:
    """Let what happens end at this moment: what follows from it is written then."""
    with clock.simulated(end), together():
        yield


def _reading_time(item: int, by: User) -> timedelta:
    """How long this person reads the item with this key: 20 to 170 seconds."""
    return timedelta(seconds=20 + (item * 37 + by.pk * 11) % 150)


def refuse_one(initiative: Initiative, gate: str, seats: dict[str, User]) -> Evidence | None:
    """Have a seat refuse the first document that a gate asks to be verified; None where no document waits.

    The seat misses the name of who answers for it, which no document of the demonstration has at first.
    """
    for state, found, person in _waiting_at(initiative, gate, seats, {}):
        if found.kind == EvidenceKind.DOCUMENT:
            item = Evidence.objects.get(pk=found.id)
            words = f"{_name_of(item)} does not name who answers for it."
            start = clock.now()
            with _by(start + _reading_time(item.pk, person)):
                _say(item, state.key, state.answer_version, person, start, shows=False, place="", words=words)
            return item
    return None


def add_second_version(item: Evidence, sentences: list[str]) -> Evidence:
    """Add a document with these sentences in place of one that was refused, by the same author."""
    title = f"{item.title}, second version"[:200]
    return evidence_actions.add_evidence(
        initiative=item.initiative,
        kind=item.kind,
        title=title,
        observed_on=clock.today(),
        covers=[row.requirement for row in item.coverage.all()],
        file=pdf(f"{title} ({item.initiative.ref})", sentences, clock.today()),
        supersedes=item,
        by=item.author,
    )


def _states(initiative: Initiative, at: datetime) -> tuple[dict[str, State], ParsedRulebook]:
    """The state of each requirement as the evidence stands, and the rulebook at the tier."""
    row = Initiative.objects.select_related("unit", "contract").get(pk=initiative.pk)
    rulebook = Rulebook.objects.current().parsed.at_tier(row.tier)
    return states_at(supported_stage.facts_of(row), rulebook, at), rulebook


def unmet(initiative: Initiative, gate: str, at: datetime) -> set[str]:
    """What the MVP gate and this one ask, and the evidence of today does not show at that moment."""
    states, rulebook = _states(initiative, at)
    asked = {key for one in ("mvp", gate) for key in rulebook.gates[one].requirements()}
    return {key for key in asked if not states[key].satisfies(gate)}


def _waiting_at(
    initiative: Initiative, gate: str, seats: dict[str, User], deputies: dict[str, User]
) -> list[tuple[State, Item, User]]:
    """What a gate asks and somebody verifies next: the state, the item and the person."""
    states, rulebook = _states(initiative, clock.now())
    holders = {seat: [one] for seat, one in seats.items()}
    for seat, person in deputies.items():
        holders[seat].append(person)
    asked = [
        key
        for key in rulebook.gates[gate].requirements()
        if not (states[key].satisfies(gate) and states[key].satisfies(NEXT_ACCEPTANCE))
    ]
    return [found for key in asked if (found := _waiting(states[key], rulebook, holders)) is not None]


def _waiting(
    state: State, rulebook: ParsedRulebook, holders: dict[str, list[User]]
) -> tuple[State, Item, User] | None:
    """A state with its item that waits for somebody who holds a seat, and that person."""
    for seat in rulebook.seats_asking(state.key):
        for person in holders.get(seat, ()):
            item = item_to_verify(state, rulebook, (seat,), person.pk)
            if item is not None:
                return state, item, person
    return None


def verify_item(
    item: Evidence, key: str, answer_version: int, by: User, *, opened_at: datetime | None = None
) -> datetime:
    """Open an item and say that it shows the answer to a requirement, in this version, by what stands in it.

    `opened_at`: a simulated moment, after which the reading takes some time. Returns the moment of the verdict.
    """
    place, words = _seen_in(item, key)
    said = f"{_name_of(item)}: {words}"
    return _say(item, key, answer_version, by, opened_at, shows=True, place=place, words=said)


def _say(
    item: Evidence, key: str, answer_version: int, by: User, opened_at: datetime | None, **said
) -> datetime:
    with clock.simulated(opened_at) if opened_at else nullcontext():
        verification_actions.open_item(initiative=item.initiative, evidence=item, way="look", by=by)
    with clock.simulated(opened_at + _reading_time(item.pk, by)) if opened_at else nullcontext():
        row = verification_actions.verify(
            evidence=item,
            requirement=key,
            fingerprint=item.fingerprint,
            answer_version=answer_version,
            by=by,
            **said,
        )
    return row.at


def _name_of(item: Evidence) -> str:
    """How a verifier names an item: no other content has the same name."""
    day = f"{item.observed_on:%-d %B %Y}"
    return (
        f"{item.get_kind_display()} “{item.title}” of {item.initiative.ref}, observed {day}, fingerprint "
        f"{item.fingerprint[:12]}"
    )


def _seen_in(item: Evidence, key: str) -> tuple[str, str]:
    """A place in the item, and what stands there: of a document, the sentence on this requirement."""
    if item.clause is not None:
        return f"Clause {item.clause.number}", f"it reads “{item.clause.sentence}”"
    if not item.file:
        held = in_words(item.kind, item.details)
        return "Its details", held or f"it belongs to {item.initiative.title}"
    with item.file.open("rb") as file:
        content = file.read().decode("latin-1" if item.content_type == PDF else "utf-8")
    if item.content_type == PDF:
        written = [re.sub(r"\\(.)", r"\1", line) for line in WRITTEN.findall(content)]
        heading, *sentences = [" ".join(part.split("\n")) for part in "\n".join(written).split("\n\n")]
        keys = [row.requirement for row in item.coverage.all()]
        if not sentences:
            return "Page 1, heading", f"it is headed “{heading}”"
        place = keys.index(key) % len(sentences)
        return f"Page 1, paragraph {place + 2}", f"it says “{sentences[place]}”"
    rows = content.splitlines()
    if item.content_type == TABLE:
        first, last = rows[1].split(",")[0], rows[-1].split(",")[0]
        return f"Rows 2 to {len(rows)}", f"{len(rows) - 1} rows from {first} to {last}, each with {rows[0]}"
    return "Line 1", f"it reads {rows[0][:200]}"
