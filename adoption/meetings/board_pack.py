"""The contents of a meeting's pack for each initiative.

It has criteria and seats, unmet requirements, open risks, evidence, and entries. Everything is read at one moment as
plain words, and `board_pack_pdf` makes the bytes. The same words give the same bytes.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection

from adoption.meetings import agenda as meeting_agenda
from adoption.models import Meeting
from adoption.reports import findings as report_findings
from governance import clock
from governance.database.request_memo import one_look
from governance.models import Checkpoint, User
from governance.notifications.inbox import CANNOT_BE_JUDGED
from governance.people.boards import read_members
from governance.runtime.logging_setup import each_row
from governance.templatetags.plumbline import seat_word
from governance.transparency_log import sealing
from governance.vocabulary import EvidenceKind, EvidenceResult, Stage
from initiatives.lifecycle.facts import initiative_rows, supported_stage
from initiatives.lifecycle.facts.wording import profile_of, profile_words
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.initiative.initiative_frame import waits_for
from initiatives.lifecycle.reviews import presentation as review_presentation
from initiatives.models import Initiative, Review

PART = 40  # points in one file; a longer agenda comes in parts
NOT_PRODUCTION = "not production-ready"

# The digest of an initiative's audit log: SHA-256 over one line an entry, in the order of their numbers, up to a
# checkpoint.
DIGESTS = """
SELECT e.initiative_ref, count(*), max(e.id), encode(sha256(convert_to(
         string_agg(e.id || ' ' || encode(e.digest, 'hex') || E'\\n', '' ORDER BY e.id), 'UTF8')), 'hex')
  FROM governance_entry e JOIN governance_leaf l ON l.entry_id = e.id
 WHERE e.initiative_ref = ANY(%s) AND l.position < %s GROUP BY e.initiative_ref
"""


@dataclass(frozen=True)
class Recorded:
    """An initiative's audit log up to a checkpoint: entries, newest number, digest."""

    entries: int
    newest: int
    digest: str


@dataclass(frozen=True)
class Table:
    """A table of the pack: its heading, columns and rows.

    `none` is the text for an empty table. `shares` divide the width between the columns if the default does not fit.
    """

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    none: str = ""
    shares: tuple[float, ...] = ()


@dataclass(frozen=True)
class InitiativePages:
    """The pages of the pack about one point."""

    ref: str
    title: str
    marks: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Content:
    """The contents of a pack, without anything that changes by itself."""

    board: str
    held_on: date
    place: str
    made_at: datetime
    agenda: tuple[tuple[str, ...], ...]
    initiatives: tuple[InitiativePages, ...]
    checkpoint: str
    audit_log_size: int | None
    recorded: dict[str, Recorded]


def day(when: date | datetime) -> str:
    """Return a day in words, with its year."""
    return f"{clock.local_day(when) if isinstance(when, datetime) else when:%-d %B %Y}"


def content(meeting: Meeting, person: User, part: int = 1) -> Content:
    """Return the pack of a meeting as this person may read it, its `part` from 1 on."""
    now = clock.now()
    found = meeting_agenda.points(meeting, person)
    told = found[(part - 1) * PART : part * PART]
    initiatives = [point.initiative for point in told if point.initiative is not None]
    checkpoint = sealing.newest()
    recorded = digests([initiative.ref for initiative in initiatives], checkpoint)
    with one_look():
        initiative_rows.read_together(
            initiatives, [point.review for point in told if point.review and point.review.is_open]
        )
        read_members({meeting.board})
        made = each_row(told, lambda point: _pages(point, now, recorded))
        pages = tuple(found or _broken(point) for point, found, _ in made)
    return Content(
        board=str(meeting.board),
        held_on=meeting.held_on,
        place=meeting.place,
        made_at=now,
        agenda=tuple(
            (
                str(place),
                point.title,
                point.initiative.ref if point.initiative else "",
                point.gate,
                state_words(point),
            )
            for place, point in enumerate(found, start=1)
        ),
        initiatives=pages,
        checkpoint=checkpoint.note if checkpoint else "",
        audit_log_size=checkpoint.size if checkpoint else None,
        recorded=recorded,
    )


def state_words(point: meeting_agenda.Point) -> str:
    """Return the state of a point in a few words."""
    if point.review is None:
        return "to be discussed"
    if not point.review.is_open:
        return point.review.get_outcome_display().lower()
    if point.decidable:
        return "can be decided"
    if point.seen and point.seen.broken:
        return CANNOT_BE_JUDGED
    moves = point.seen.moves if point.seen else ()
    return f"waits for {moves[0].who} {moves[0].what}" if moves else "waits"


def digests(refs: list[str], checkpoint: Checkpoint | None) -> dict[str, Recorded]:
    """Return by reference the digest of the entries that the checkpoint covers."""
    if checkpoint is None or not refs:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(DIGESTS, [refs, checkpoint.size])
        return {ref: Recorded(count, newest, digest) for ref, count, newest, digest in cursor.fetchall()}


def _broken(point: meeting_agenda.Point) -> InitiativePages:
    """Return the page of a point whose initiative or review cannot be judged."""
    ref = point.initiative.ref if point.initiative else ""
    return InitiativePages(ref, point.title, (), (("State", CANNOT_BE_JUDGED),))


def _pages(point: meeting_agenda.Point, now: datetime, recorded: dict[str, Recorded]) -> InitiativePages:
    initiative = point.initiative
    if initiative is None:
        return InitiativePages("", point.title, (), (("About", "An item without an initiative"),))
    snapshot = (
        review_state.snapshot_of(point.review, initiative, now)
        if point.review and point.review.is_open
        else None
    )
    judged = supported_stage.judged(initiative, snapshot.judged.facts if snapshot else None, now)
    facts, support = judged.facts, judged.support
    rulebook = snapshot.judged.rulebook if snapshot else judged.rulebook
    marks = [NOT_PRODUCTION] if initiative.stage in (Stage.PROPOSED, Stage.PROTOTYPE) else []
    marks += [support.label] if support.label else []
    told = recorded.get(initiative.ref)
    lines = [
        ("Unit", str(initiative.unit)),
        ("Owner", facts.people.get("owner", "no one accepted")),
        ("Approved stage", Stage(initiative.stage).label),
        ("Supported stage", Stage.word(support.supported) or "-"),
        ("Answers up to the approved stage", _levels(judged) or "-"),
        ("Gate", point.gate or "-"),
        ("State", state_words(point)),
        ("Audit log", f"{told.entries} entries, the newest {told.newest}" if told else "not sealed yet"),
        ("Audit log digest", told.digest if told else "-"),
    ]
    tables = [
        *_of_review(point, snapshot, initiative),
        _risks(point, facts, rulebook, now),
        _evidence(rulebook, facts, now),
    ]
    return InitiativePages(initiative.ref, initiative.title, tuple(marks), tuple(lines), tuple(tables))


def _levels(judged: supported_stage.Judged) -> str:
    """Return the levels of the answers up to the approved stage in words, or ""."""
    asked = supported_stage.asked(judged.facts, judged.rulebook)
    return profile_words(profile_of(judged.states, asked))


def _of_review(point: meeting_agenda.Point, snapshot, initiative: Initiative) -> list[Table]:
    review = point.review
    if review is None:
        return []
    if snapshot is not None:
        lines, sign_offs = (
            review_presentation.live_lines(snapshot),
            review_presentation.live_sign_offs(snapshot),
        )
        rulebook = snapshot.judged.rulebook
    else:
        lines, sign_offs, rulebook = (
            review_presentation.frozen_lines(review),
            review_presentation.frozen_sign_offs(review),
            review.parsed_rulebook,
        )
    found = [_criteria(review, rulebook, lines, sign_offs), _seats(rulebook, review, sign_offs)]
    if snapshot is not None:
        found.append(_unmet(snapshot))
        found.append(
            Table(
                "Blockers of the decision",
                ("What", "Who can resolve the blocker?"),
                tuple((reason.text, reason.remedy) for reason in snapshot.verdict.blockers),
                "No blockers. The review can be decided.",
            )
        )
    return found


def _criteria(review: Review, rulebook, lines, sign_offs) -> Table:
    rows = []
    for line in lines:
        sign_off = sign_offs.get(line.seat)
        word = (
            f"{sign_off.word}, {sign_off.row.person}"
            if sign_off
            else "no sign-off yet"
            if review.is_open
            else "no sign-off"
        )
        rows.append((line.question, line.word, seat_word(line.seat), word))
    return Table("Criteria and seats", ("Criterion", "Now", "Seat", "Sign-off"), tuple(rows))


def _seats(rulebook, review: Review, sign_offs) -> Table:
    rows = []
    for seat in review_presentation.seats_of_gate(rulebook, review.gate):
        sign_off = sign_offs.get(seat)
        if sign_off is None:
            rows.append((seat_word(seat), "no sign-off", "", ""))
            continue
        fresh = "" if not sign_off.row.approves else "stale" if sign_off.stale else "fresh"
        rows.append(
            (
                seat_word(seat),
                f"{sign_off.row.get_verdict_display()}, {sign_off.row.person}, {day(sign_off.row.at)}",
                fresh,
                "; ".join(sign_off.stale) or sign_off.row.reason,
            )
        )
    columns = ("Seat", "Sign-off", "Current or stale", "Why")
    return Table("Sign-offs", columns, tuple(rows), shares=(0.21, 0.35, 0.12, 0.32))


def _unmet(snapshot: review_state.ReviewSnapshot) -> Table:
    """Return a table of open requirements behind blocking criteria. It has what is missing, how to fix it, and who."""
    seen: dict[str, tuple] = {}
    for finding in snapshot.verdict.findings:
        if not finding.blocks:
            continue
        for state in finding.requirements:
            if not state.satisfies(finding.criterion.gate):
                asked = snapshot.judged.rulebook.requirements[state.key]
                who = waits_for(snapshot.initiative, snapshot.judged, state.key)
                seen.setdefault(state.key, (asked.question, state.words, state.fix, who))
    return Table(
        "Unmet requirements",
        ("Requirement", "Missing", "How", "Who"),
        tuple(seen.values()),
        "No unmet requirement blocks the decision.",
    )


def _asked(review: Review | None, facts, rulebook) -> set[str]:
    """Return the requirements up to the approved stage and of the gate under review."""
    gate = rulebook.gates[review.gate].requirements() if review else ()
    return {*supported_stage.asked(facts, rulebook), *gate}


def _risks(point: meeting_agenda.Point, facts, rulebook, now: datetime) -> Table:
    initiative, asked = point.initiative, _asked(point.review, facts, rulebook)
    today = clock.local_day(now)
    rows = [("Hold", f"{hold.words}: {hold.reason}", "") for hold in facts.holds]
    behaviour_reports = list(
        initiative.behaviour_reports.distrust().order_by("observed_on", "kind", "group", "pk")
    )
    weighing = {report_findings.against(row)[0] for row in initiative.behaviour_reports.against()}
    rows += [
        ("Behaviour report", report_findings.told(row, day), report_findings.ANSWERERS)
        for row in behaviour_reports
    ]
    rows += [
        ("Finding", one.words, one.who or one.fix)
        for one in facts.requirement_findings
        if one.counts_at(now) and (one.requirement in asked or one.hold) and one.words not in weighing
    ]
    incidents = (
        initiative.incidents.unfinished().select_related("lead").order_by("severity", "detected_at", "pk")
    )
    rows += [
        (
            "Incident",
            f"{one.title} (severity {one.severity}, "
            f"{one.get_state_display().partition(':')[0].lower()}, known since "
            f"{day(one.detected_at)})",
            str(one.lead or "no lead yet"),
        )
        for one in incidents
    ]
    rows += [("Condition", one.text, f"{one.owner}, due {day(one.due)}") for one in facts.conditions]
    rows += [
        ("Waiver", f"{_question(one.key, rulebook)} {one.reason}", f"until {day(one.until)}")
        for one in facts.waivers
        if one.until >= today
    ]
    rows += [
        ("Accepted risk", f"{one.title}, accepted by {one.accepted_by}", f"until {day(one.until)}")
        for one in facts.accepted_risks_at(now)
    ]
    obligations = initiative.obligations.open().select_related("responsible").order_by("due", "pk")
    rows += [
        ("Due", obligation.text, f"{obligation.responsible or 'no one'}, due {day(obligation.due)}")
        for obligation in obligations
    ]
    gaps = initiative.gaps.filter(closed_at__isnull=True).select_related("owner").order_by("due", "pk")
    rows += [("Gap", gap.text, f"{gap.owner}, due {day(gap.due)}") for gap in gaps]
    return Table("Open risks", ("Kind", "What", "Owner and date"), tuple(rows), "No open risks are recorded.")


def _evidence(rulebook, facts, now: datetime) -> Table:
    today = clock.local_day(now)
    rows = []
    for item in sorted(facts.items, key=lambda item: (item.observed_on, item.id), reverse=True):
        if item.withdrawn_at is not None or item.superseded_by is not None:
            continue
        age = (today - facts.first_day(item)).days
        result = EvidenceResult.word(item.result) if item.result else ""
        notes = [word for word in (result, "file missing" if item.missing else "") if word]
        notes += ["unverified link"] if item.unverified else []
        rows.append(
            (
                _named(item, rulebook),
                str(EvidenceKind.word(item.kind)),
                f"{day(facts.first_day(item))}, {age} day{'' if age == 1 else 's'} old",
                ", ".join(notes),
                item.fingerprint if _has_file(item) else "no file",
            )
        )
    return Table(
        "Evidence",
        ("Item", "Kind", "Observed", "Result", "Fingerprint (SHA-256)"),
        tuple(rows),
        "No evidence yet.",
        shares=(0.34, 0.11, 0.15, 0.08, 0.32),
    )


def _named(item, rulebook) -> str:
    """Return the title of an item. An attestation also has its requirement, because titles repeat."""
    asked = [rulebook.requirements[key].question for key in item.covers if key in rulebook.requirements]
    return f"{item.title}: {asked[0]}" if item.kind == "attestation" and len(asked) == 1 else item.title


def _has_file(item) -> bool:
    """Return True if the fingerprint is a file's digest, not the mark of a fileless row."""
    return not item.fingerprint.startswith("item:")


def _question(key: str, rulebook) -> str:
    """Return the question of a criterion or requirement, or its key if unknown."""
    asked = {one.key: one.question for gate in rulebook.gates.values() for one in gate.criteria}
    asked |= {name: one.question for name, one in rulebook.requirements.items()}
    return asked.get(key, f"{key}:")
