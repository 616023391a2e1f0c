"""The content of review pages: seats, criteria, sign-offs, people awaited.

An open review is shown as `review_state.snapshot_of` finds it now. A decided review is shown as frozen, never
recomputed.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from governance import clock
from governance.gates import criteria, remarks, sign_off_statement
from governance.gates.gate_inputs import Item
from governance.people import cooling_off
from governance.permission_result import Reason
from governance.rulebook import ParsedRulebook
from governance.templatetags.plumbline import moment, seat_word
from governance.vocabulary import EvidenceKind, ScaleTestOutcome, Seat, SignOffVerdict
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.access.signers import EligibleSigners, eligible_signers_of
from initiatives.lifecycle.evidence import artefact_kinds
from initiatives.lifecycle.evidence.verification.queries import item_to_verify
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.facts.wording import drawn_words, level_word, state_word, word_of
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.initiative.review_state import seat_states
from initiatives.lifecycle.reviews import review_turn
from initiatives.lifecycle.reviews.sign_offs.actions import may_approve, statement_for
from initiatives.models import Initiative, Review, SignOff

# What a statement names for the machine: keys, versions of answers, fingerprints.
RAW = re.compile(r" \([a-z_]+(\.[a-z0-9_]+)+(, answer \d+)?\)|, fingerprint \S+|, sha-256 [0-9a-f]+")
CRITERION_STATES = {
    "met": ("met", ""),
    "documented": (ScaleTestOutcome.DOCUMENTED.label, ""),
    "with_waiver": ("with a waiver", "lead"),
    "waived": ("waived", "lead"),
    "unmet": ("not met", "bad"),
    "expired": ("expired evidence", "warn"),
    "later": ("due after the change", ""),
    "advice": ("advice, not met", ""),
    "": ("not judged", ""),
}
# The state of a criterion as one sign, where it is not met.
SIGNS = {"unmet": "✗", "expired": "✗", "later": "·", "advice": "·", "": "·"}
# States in which an answer counts, as far as the gate asks for no higher level.
ANSWERED = ("met", "below", "as_decided")
OTHER_VERDICTS = {
    SignOffVerdict.CONDITION: phrase("Approve with a condition"),
    SignOffVerdict.OBJECT: "Object",
    SignOffVerdict.RECUSE: "Recuse yourself",
}


@dataclass
class Cast:
    """One sign-off in the form of a page, with the reasons why it no longer counts."""

    row: SignOff
    stale: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()  # what is new about the seat or the password it was signed with

    @property
    def tone(self) -> str:
        """Return the state as a colour: approved, stale, objecting, recused. `word` has it in words."""
        if self.row.approves:
            return "warn" if self.stale else "ok"
        return "bad" if self.row.verdict == SignOffVerdict.OBJECT else ""

    @property
    def word(self) -> str:
        """Return the sign-off in one or two words."""
        if self.row.approves and self.stale:
            return "expired"
        words: dict[str, str] = {
            SignOffVerdict.APPROVE: "signed",
            SignOffVerdict.CONDITION: "signed, with a condition",
            SignOffVerdict.OBJECT: "objects",
        }
        return words.get(self.row.verdict, "recused")


@dataclass
class Line:
    """One criterion as a page shows it: live or frozen."""

    key: str
    question: str
    seat: str
    state: str
    reasons: list[str]
    requirements: list[dict]
    questions: list = field(default_factory=list)
    counts: str = ""
    waivable: bool = False
    may_ask: bool = False
    open: bool = False
    judged: bool = True
    objections: list[SignOff] = field(default_factory=list)

    @property
    def word(self) -> str:
        """Return the state in words. A criterion that is met and without a sign-off has no green mark."""
        if self.objections:
            return "objected to"
        if self.state == "met" and not self.judged:
            return phrase("met, not signed")
        return CRITERION_STATES[self.state][0]

    @property
    def tone(self) -> str:
        """Return the state as a colour, green once decided with all verified or measured."""
        if self.objections:
            return "bad"
        if self.state == "met":
            shown = self.judged and all(asked["tone"] == "ok" for asked in self.requirements)
            return "ok" if shown else ""
        return CRITERION_STATES[self.state][1]

    @property
    def more(self) -> list[str]:
        """Return the reasons that its requirements do not already have."""
        asked = tuple(row["question"] for row in self.requirements)
        return [reason for reason in self.reasons if not (self.open and reason.startswith(asked))]

    @property
    def summary(self) -> str:
        """Return the number of its requirements, and of those that are met."""
        count = len(self.requirements)
        good = sum(asked["met"] for asked in self.requirements)
        asked = f"{count} requirement{'' if count == 1 else 's'}"
        return f"{asked}, met" if good == count else phrase("{}, {} met", asked, good)


def _criterion_state(state: str, criterion, requirement_states) -> str:
    if state == "unmet" and criterion is not None and criterion.severity == "advisory":
        return "advice"
    if state == "unmet" and "expired" in requirement_states:
        return "expired"
    return state


def live_lines(snapshot: review_state.ReviewSnapshot) -> list[Line]:
    """Return an open review's criteria now, with answers, evidence, reasons."""
    objections = [row for row in snapshot.sign_offs if row.verdict == SignOffVerdict.OBJECT]
    holds = artefact_kinds.lines(
        initiative_rows.rows(snapshot.initiative, "evidence"),
        initiative_rows.known_names(snapshot.initiative),
    )
    lines = []
    for finding in snapshot.verdict.findings:
        criterion = finding.criterion
        requirements = [
            _requirement(
                state.key,
                snapshot.judged.rulebook.requirements[state.key].question,
                state_word(state, finding.criterion.gate),
                state.state in ANSWERED and state.satisfies(finding.criterion.gate),
                state.words,
                _each_once(state.items, holds),
                state.last_day,
                snapshot.judged.facts.answers[state.key].text
                if state.key in snapshot.judged.facts.answers
                else "",
                drawn_words(snapshot.judged.facts, snapshot.judged.rulebook, state.key, snapshot.judged.at)
                if snapshot.draws
                else "",
                " ".join(remarks.of_answer(snapshot.judged.facts, state.key, snapshot.judged.at)),
                remarks.second_looks(snapshot.judged.facts, state.level, snapshot.judged.at),
            )
            for state in finding.requirements
        ]
        lines.append(
            Line(
                key=criterion.key,
                question=criterion.question,
                seat=criterion.seat,
                state=_criterion_state(finding.state, criterion, {s.state for s in finding.requirements}),
                reasons=list(finding.reasons),
                requirements=requirements,
                counts=criterion.counts,
                waivable=not finding.met and snapshot.judged.rulebook.waivable_criterion(criterion.key),
                judged=False,
                objections=[row for row in objections if criterion.key in row.criteria],
            )
        )
    return lines


def _each_once(items: Iterable[Item], holds: dict[int, str]) -> list[tuple[int, str, bool, str]]:
    """Return the rows of these items. An attestation that was given again has one row, the newest."""
    rows = {}
    for item in sorted(items, key=lambda item: item.id):
        again = item.title if item.kind == EvidenceKind.ATTESTATION else item.id
        rows[again] = (item.id, item.title, item.unverified, holds.get(item.id, ""))
    return list(rows.values())


def gone_line(review: Review, key: str) -> Line:
    """Return the line of a criterion that the rulebook of the review no longer has, not judged."""
    one = review.criterion(key)
    reason = phrase("Rulebook {} no longer has this criterion.", review.rulebook.version)
    return Line(key, one.question, one.seat, "", [reason], [], counts=one.counts)


def _requirement(
    key, question, shown, met, words, evidence, last_day=None, said="", drawn="", same="", looks=""
) -> dict:
    word, tone = shown
    return {
        "key": key,
        "question": question,
        "word": word,
        "tone": tone,
        "met": met,
        "words": words,
        "evidence": evidence,
        "last_day": last_day,
        "said": said,
        "drawn": drawn,
        "same": same,
        "looks": looks,
    }


def frozen(asked: dict, question: str, evidence: list) -> dict:
    """Return a requirement as it was decided, with its level."""
    if asked["state"] in ("met", "below") and asked.get("level"):
        shown = level_word(asked["level"], enough=asked["satisfied"])
    else:
        shown = word_of(asked["state"])
    met = asked["state"] in ANSWERED and asked["satisfied"]
    return _requirement(asked["key"], question, shown, met, asked["words"], evidence)


def frozen_lines(review: Review) -> list[Line]:
    """Return the criteria as decided. Without a decision, they are not judged."""
    rulebook = review.parsed_rulebook
    if review.findings is None:
        return [
            Line(c.key, c.question, c.seat, "", [], [], counts=c.counts)
            for c in rulebook.gates[review.gate].criteria
        ]
    titles = {item.pk: item for item in review.initiative.evidence.all()}
    known = initiative_rows.known_names(review.initiative)
    covers = {
        (asked["key"], pk)
        for row in review.findings["criteria"]
        for asked in row["requirements"]
        for pk in asked["evidence"]
    }
    serves = Counter(pk for _, pk in covers)
    lines = []
    for row in review.findings["criteria"]:
        criterion = rulebook.criteria[row["key"]]
        requirements = []
        for asked in row["requirements"]:
            evidence = [
                (
                    item.pk,
                    item.title,
                    item.unverified,
                    artefact_kinds.line(item.kind, item.title, item.details, serves[pk], known),
                )
                for pk in asked["evidence"]
                if (item := titles.get(pk))
            ]
            question = rulebook.requirements[asked["key"]].question
            requirements.append(frozen(asked, question, evidence))
        state = _criterion_state(row["state"], criterion, {asked["state"] for asked in row["requirements"]})
        lines.append(
            Line(
                criterion.key,
                row["question"],
                criterion.seat,
                state,
                row["reasons"],
                requirements,
                counts=criterion.counts,
            )
        )
    return lines


def live_sign_offs(snapshot: review_state.ReviewSnapshot) -> dict[str, Cast]:
    """Return the current sign-off of each seat, with reasons against it."""
    return {
        row.seat: Cast(row, sign_off.stale, _fresh(snapshot, row))
        for row, sign_off in zip(snapshot.sign_offs, snapshot.judged_sign_offs, strict=True)
    }


def _fresh(snapshot: review_state.ReviewSnapshot, sign_off: SignOff) -> tuple[str, ...]:
    """Return notes on a sign-off whose seat or password is newer than the review."""
    opened, found = snapshot.review.opened_at, []
    held = [
        row
        for row in snapshot.eligible_signers.members
        if row.person_id == sign_off.person_id and row.seat == sign_off.seat
    ]
    if held and all(row.signs_from is not None and row.starts_at > opened for row in held):
        row = held[0]
        confirmed = (
            phrase("confirmed by {}", row.confirmed_by) if row.confirmed_by_id else "not confirmed by anyone"
        )
        found.append(
            phrase(
                "{} received the seat {}, after this review was opened, from {}, {}",
                sign_off.person,
                moment(row.starts_at),
                row.granted_by or "the system",
                confirmed,
            )
        )
    reset = sign_off.person.signs_from and sign_off.person.signs_from - cooling_off.LASTS
    if reset and reset > opened:
        found.append(
            phrase(
                "Someone else reset the password of {} or made them an admin {}, after this review "
                "was opened",
                sign_off.person,
                moment(reset),
            )
        )
    return tuple(found)


def cooling(snapshot: review_state.ReviewSnapshot) -> list[str]:
    """Return who of this gate's seats cannot approve yet, why and until when. A retirement has none."""
    review = snapshot.review
    if review.gate == "retire":
        return []
    held: dict[tuple[str, int], list] = {}
    for row in snapshot.eligible_signers.members:
        if row.seat in snapshot.judged.rulebook.gates[review.gate].seats:
            held.setdefault((row.seat, row.person_id), []).append(row)
    said = [
        (seat, cooling_off.why_waits(rows[0].person, rows, snapshot.judged.at))
        for (seat, _), rows in held.items()
    ]
    return [phrase("{}: {}", seat_word(seat), why) for seat, why in said if why]


def frozen_sign_offs(review: Review) -> dict[str, Cast]:
    """Return the sign-offs at the end of the review."""
    stale = {
        sign_off["digest"]: tuple(sign_off["stale"])
        for sign_off in (review.findings or {}).get("sign_offs", ())
    }
    rows = review.sign_offs.latest().select_related("person")
    return {row.seat: Cast(row, stale.get(row.digest, ())) for row in rows}


def seats_of_gate(rulebook, gate: str) -> list[str]:
    """Return the seats that have a criterion at the gate, in the order of a board."""
    return [seat for seat in Seat if seat in rulebook.gates[gate].seats]


def by_seat(
    rulebook, gate: str, lines: list[Line], sign_offs: dict[str, Cast], mine, waiting: dict, ended: bool
) -> list[dict]:
    """Return a row for each seat: its criteria with a sign, and its sign-off. `waiting` has who is awaited, by seat."""
    rows = []
    for seat in seats_of_gate(rulebook, gate):
        cast = sign_offs.get(seat)
        objected = cast.row.criteria if cast and cast.row.verdict == SignOffVerdict.OBJECT else ()
        marks = [
            (line, "✗", "bad") if line.key in objected else (line, SIGNS.get(line.state, "✓"), line.tone)
            for line in lines
            if line.seat == seat
        ]
        awaited = "" if seat in mine else waiting.get(seat, "")
        rows.append(
            {"seat": seat, "marks": marks, "mine": seat in mine and not ended} | _cell(cast, awaited, ended)
        )
    return rows


def _cell(sign_off: Cast | None, waiting: str, ended: bool) -> dict:
    if sign_off is None:
        return (
            {"word": "no sign-off", "tone": ""} if ended else {"word": "waiting", "tone": "", "who": waiting}
        )
    gone = bool(sign_off.row.approves and sign_off.stale)
    return {
        "word": sign_off.word,
        "tone": sign_off.tone,
        "who": sign_off.row.person.full_name,
        "gone": gone,
        "why": "; ".join(sign_off.stale) if gone else moment(sign_off.row.at),
    }


def decision_state(verdict: criteria.Verdict) -> tuple[str, str]:
    """Return a tag, words and tone, for whether an open review can be decided."""
    if verdict.decidable:
        return "ready for decision", "lead"
    return "cannot be decided yet", "warn"


def seats_table(snapshot: review_state.ReviewSnapshot, sign_offs: dict[str, Cast]) -> list[dict]:
    """Return each seat's signers, barred people, sign-off, and if required."""
    must = review_turn.must_sign(snapshot)
    return [
        {
            "seat": seat,
            "able": ", ".join(snapshot.seats[seat].eligible),
            "barred": snapshot.seats[seat].barred,
            "sign_off": sign_offs.get(seat),
            "must": seat in must,
        }
        for seat in seats_of_gate(snapshot.judged.rulebook, snapshot.review.gate)
    ]


def waits(moves: list[review_turn.Move]) -> list[dict]:
    """Return a line for each awaited person or group, with their move and its start."""
    found: dict[str, list[review_turn.Move]] = {}
    for move in moves:
        found.setdefault(move.who, []).append(move)
    return [
        {
            "who": who,
            "what": "; ".join(move.what for move in group),
            "first": min(group, key=lambda m: m.since),
        }
        for who, group in found.items()
    ]


def own_seats(
    snapshot: review_state.ReviewSnapshot, person, sign_offs: dict[str, Cast], lines: list[Line]
) -> list[dict]:
    """Return what this person can do in each of their seats, or why not.

    A stale sign-off also has the changes of its statement (`since_signed`).
    """
    found = []
    for seat in roles_and_seats.seats_of(snapshot.initiative, person):
        if seat not in snapshot.judged.rulebook.gates[snapshot.review.gate].seats:
            continue
        sign_off = sign_offs.get(seat)
        unmet = [
            {
                "key": finding.criterion.key,
                "question": finding.criterion.question,
                "who": criteria.who_can_fix(snapshot.judged.facts, snapshot.judged.rulebook, finding),
            }
            for finding in snapshot.verdict.findings
            if finding.criterion.seat == seat and finding.blocks
        ]
        _, covered = statement_for(
            snapshot, seat, person, verdict=SignOffVerdict.APPROVE, at=snapshot.judged.at
        )
        changed, unchanged = (
            since_signed(snapshot, person, sign_off) if sign_off and sign_off.stale else ([], 0)
        )
        found.append(
            {
                "seat": seat,
                "may": initiative_permissions.may_sign(snapshot.review, seat, person),
                "may_object": initiative_permissions.may_sign(
                    snapshot.review, seat, person, verdict=SignOffVerdict.OBJECT
                ),
                "may_recuse": initiative_permissions.may_sign(
                    snapshot.review, seat, person, verdict=SignOffVerdict.RECUSE
                ),
                "approve": may_approve(snapshot, covered, person),
                "sign_off": sign_off,
                "own_sign_off": sign_off is not None and sign_off.row.person_id == person.pk,
                "done": sign_off is not None and not sign_off.stale,
                "unmet": unmet,
                "lines": [line for line in lines if line.seat == seat],
                "others": OTHER_VERDICTS,
                "to_verify": sum(
                    item_to_verify(snapshot.judged.states[key], snapshot.judged.rulebook, [seat], person.pk)
                    is not None
                    for criterion in snapshot.judged.rulebook.criteria_of(snapshot.review.gate, seat)
                    for key in criterion.requirements
                ),
                "changed": changed,
                "unchanged": unchanged,
            }
        )
    return found


def since_signed(
    snapshot: review_state.ReviewSnapshot, person, sign_off: Cast
) -> tuple[list[tuple[str, str]], int]:
    """Return the differences between an approval's statement and the one to sign now.

    They are those of `sign_off_statement.differences`. Other verdicts have none.
    """
    if not sign_off.row.approves:
        return [], 0
    now, _ = statement_for(
        snapshot, sign_off.row.seat, person, verdict=SignOffVerdict.APPROVE, at=snapshot.judged.at
    )
    pairs, same = sign_off_statement.differences(sign_off.row.statement, now)
    words = [(RAW.sub("", was), RAW.sub("", is_now)) for was, is_now in pairs]
    return [(was, is_now) for was, is_now in words if was != is_now], same


def declared_against_results(review: Review) -> list[dict]:
    """Return the MVP's declared goals beside their results, misses included."""
    rulebook = review.parsed_rulebook
    keys = [key for criterion in rulebook.gates[review.gate].criteria for key in criterion.declared_goals]
    if not keys:
        return []
    frozen = (review.findings or {}).get("declared")
    rows = {row.key: row for row in review.initiative.declared_goals.select_related("evidence")}
    compared = []
    for key in keys:
        row = rows.get(key)
        if frozen is not None:
            declared, result = frozen.get(key, ["", ""])
        else:
            declared, result = (row.declared, row.result) if row else ("", "")
        word, tone = {"met": ("met", ""), "missed": ("missed", "bad")}.get(result, ("no result yet", "warn"))
        compared.append(
            {
                "name": key.replace("_", " ").capitalize(),
                "declared": declared or phrase("No goal was declared."),
                "word": word,
                "tone": tone,
                "outcome": row.outcome if row and (frozen is None or row.result == result) else "",
                "evidence": row.evidence if row and frozen is None else None,
            }
        )
    return compared


def quorum_words(verdict: criteria.Verdict, rulebook, gate: str) -> str:
    """Return the fresh approvals and the needed number, as the caption of the seats."""
    must = [seat_word(key) for key in rulebook.gates[gate].must_include]
    among = phrase(", including {}", " and ".join(must)) if must else ""
    given = verdict.fresh_approvals
    return f"{given} current approval{'' if given == 1 else 's'}, {verdict.quorum} needed{among}"


@dataclass(frozen=True)
class Feasibility:
    """The reviewers that a board has for a gate.

    `never` has the reasons why they cannot decide as it is, and `today` those that pass with time. `waits` has in
    words the people who are away or cannot sign yet, with their first moment.
    """

    seats: dict[str, criteria.SeatState]
    never: tuple[Reason, ...]
    today: tuple[Reason, ...]
    waits: tuple[str, ...]


def feasibility(initiative: Initiative, gate: str, rulebook: ParsedRulebook) -> Feasibility:
    """Return the feasibility with the present board, without the people on the team."""
    eligible_signers = eligible_signers_of(initiative)
    seats = seat_states(eligible_signers)
    chair, why = roles_and_seats.acting_chair(initiative, list(eligible_signers.members))
    nobody = (
        ()
        if chair is not None or not eligible_signers.members
        else (
            Reason(phrase("No one can decide: {}.", why), "Ask an admin to appoint a chair or deputy chair."),
        )
    )
    never = criteria.reach(rulebook, gate, initiative.tier, seats)
    waiting = _waiting(eligible_signers, rulebook.at_tier(initiative.tier).gates[gate].seats)
    there = replace(
        eligible_signers, members=tuple(one for one in eligible_signers.members if one.pk not in waiting)
    )
    today = (
        ()
        if never
        else criteria.reach(rulebook, gate, initiative.tier, seat_states(there))
        if waiting
        else ()
    )
    return Feasibility(seats, (*never, *nobody), today, tuple(dict.fromkeys(waiting.values())))


def _waiting(eligible_signers: EligibleSigners, seats: tuple[str, ...]) -> dict[int, str]:
    """Return by key of the membership why its person in these seats cannot sign now."""
    now, found = clock.now(), {}
    for member in eligible_signers.members:
        if member.seat not in seats:
            continue
        why = (
            f"{member.person} is away" if member.away else cooling_off.why_waits(member.person, [member], now)
        )
        if why:
            found[member.pk] = why
    return found
