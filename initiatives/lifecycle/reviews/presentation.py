"""What the pages of a review show: the matrix, each criterion with its evidence, the sign-offs, whom it waits for.

An open review is shown as `review_state.snapshot_of` finds it now; one that was decided as it was frozen, never
recomputed.
"""

from collections import Counter
from dataclasses import dataclass, field

from governance.gates import criteria, sign_off_statement
from governance.people import cooling_off
from governance.templatetags.plumbline import moment, seat_word
from governance.vocabulary import Level, Seat, SignOffVerdict
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.evidence import artefact_kinds
from initiatives.lifecycle.evidence.verification.queries import item_to_verify
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.facts.wording import drawn_words, state_word, word_of
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.reviews.sign_offs.actions import statement_for
from initiatives.models import Review, SignOff

CRITERION_STATES = {
    "met": ("met", "ok"),
    "with_waiver": ("with a waiver", "lead"),
    "waived": ("waived", "lead"),
    "unmet": ("not met", "bad"),
    "expired": ("expired evidence", "warn"),
    "later": ("due after the move", ""),
    "advice": ("advice, not met", ""),
    "": ("not judged", ""),
}
OTHER_VERDICTS = {
    SignOffVerdict.CONDITION: "Approve with a condition",
    SignOffVerdict.OBJECT: "Object",
    SignOffVerdict.RECUSE: "Recuse yourself",
}


@dataclass
class Cast:
    """One sign-off as a page shows it, with why it no longer counts."""

    row: SignOff
    stale: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()  # what is new about the seat or the password it was signed with

    @property
    def tone(self) -> str:
        """Approved, stale, objecting, recused: as a colour; `word` says it in words."""
        if self.row.approves:
            return "warn" if self.stale else "ok"
        return "bad" if self.row.verdict == SignOffVerdict.OBJECT else ""

    @property
    def word(self) -> str:
        """The sign-off in one or two words."""
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

    @property
    def word(self) -> str:
        """The state in words: what is met and not yet decided on is there for a seat to review, no more."""
        if self.state == "met" and not self.judged:
            return "ready for review"
        return CRITERION_STATES[self.state][0]

    @property
    def tone(self) -> str:
        """The state as a colour."""
        return CRITERION_STATES[self.state][1]

    @property
    def more(self) -> list[str]:
        """The reasons that the requirements behind it do not say already."""
        asked = tuple(row["question"] for row in self.requirements)
        return [reason for reason in self.reasons if not (self.open and reason.startswith(asked))]

    @property
    def summary(self) -> str:
        """How many requirements stand behind it, and how many of them are met."""
        count = len(self.requirements)
        good = sum(asked["tone"] == "ok" for asked in self.requirements)
        asked = f"{count} requirement{'' if count == 1 else 's'} behind it"
        return f"{asked}, met" if good == count else f"{asked}, {good} met"


def _criterion_state(state: str, criterion, requirement_states) -> str:
    if state == "unmet" and criterion is not None and criterion.severity == "advisory":
        return "advice"
    if state == "unmet" and "expired" in requirement_states:
        return "expired"
    return state


def live_lines(snapshot: review_state.ReviewSnapshot) -> list[Line]:
    """The criteria of an open review as they stand now, each with answers, evidence and the reasons."""
    holds = artefact_kinds.lines(initiative_rows.rows(snapshot.initiative, "evidence"))
    lines = []
    for finding in snapshot.verdict.findings:
        criterion = finding.criterion
        requirements = [
            _requirement(
                state.key,
                snapshot.judged.rulebook.requirements[state.key].question,
                state_word(state, finding.criterion.gate),
                state.words,
                [(item.id, item.title, item.unverified, holds.get(item.id, "")) for item in state.items],
                state.last_day,
                snapshot.judged.facts.answers[state.key].text
                if state.key in snapshot.judged.facts.answers
                else "",
                drawn_words(snapshot.judged.facts, snapshot.judged.rulebook, state.key, snapshot.judged.at)
                if snapshot.draws
                else "",
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
                waivable=snapshot.judged.rulebook.waivable_criterion(criterion.key),
                judged=False,
            )
        )
    return lines


def _requirement(key, question, shown, words, evidence, last_day=None, said="", drawn="") -> dict:
    word, tone = shown
    return {
        "key": key,
        "question": question,
        "word": word,
        "tone": tone,
        "words": words,
        "evidence": evidence,
        "last_day": last_day,
        "said": said,
        "drawn": drawn,
    }


def frozen(asked: dict, question: str, evidence: list) -> dict:
    """A requirement as it was decided, with its level."""
    if asked["state"] in ("met", "below") and asked.get("level"):
        shown = Level.word(asked["level"]).lower(), "ok" if asked["satisfied"] else "warn"
    else:
        shown = word_of(asked["state"])
    return _requirement(asked["key"], question, shown, asked["words"], evidence)


def frozen_lines(review: Review) -> list[Line]:
    """The criteria as they were when the review was decided; without a decision, unjudged."""
    rulebook = review.parsed_rulebook
    if review.findings is None:
        return [
            Line(c.key, c.question, c.seat, "", [], [], counts=c.counts)
            for c in rulebook.gates[review.gate].criteria
        ]
    titles = {item.pk: item for item in review.initiative.evidence.all()}
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
                    artefact_kinds.line(item.kind, item.details, serves[pk]),
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
    """The sign-off that stands for each seat, with every reason why it does not count."""
    return {
        row.seat: Cast(row, sign_off.stale, _fresh(snapshot, row))
        for row, sign_off in zip(snapshot.sign_offs, snapshot.judged_sign_offs, strict=True)
    }


def _fresh(snapshot: review_state.ReviewSnapshot, sign_off: SignOff) -> tuple[str, ...]:
    """What others should know of a sign-off: its seat was granted, or its password reset, after the review was
    opened.
    """
    opened, found = snapshot.review.opened_at, []
    held = [
        row
        for row in snapshot.eligible_signers.members
        if row.person_id == sign_off.person_id and row.seat == sign_off.seat
    ]
    if held and all(row.signs_from is not None and row.starts_at > opened for row in held):
        row = held[0]
        confirmed = f"confirmed by {row.confirmed_by}" if row.confirmed_by_id else "confirmed by nobody"
        found.append(
            f"The seat was given to {sign_off.person} {moment(row.starts_at)}, after this review was opened, by "
            f"{row.granted_by or 'the system'}; {confirmed}"
        )
    reset = sign_off.person.signs_from and sign_off.person.signs_from - cooling_off.LASTS
    if reset and reset > opened:
        found.append(
            f"Somebody else reset the password of {sign_off.person} or made them an admin {moment(reset)}, after this "
            "review was opened"
        )
    return tuple(found)


def cooling(snapshot: review_state.ReviewSnapshot) -> list[str]:
    """Who of the seats of this gate approves nothing yet, why, and from when; nothing for retiring, which waits for
    nobody.
    """
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
    return [f"{seat_word(seat)}: {why}" for seat, why in said if why]


def frozen_sign_offs(review: Review) -> dict[str, Cast]:
    """The sign-offs as they stood when the review ended."""
    stale = {
        sign_off["digest"]: tuple(sign_off["stale"])
        for sign_off in (review.findings or {}).get("sign_offs", ())
    }
    rows = review.sign_offs.latest().select_related("person")
    return {row.seat: Cast(row, stale.get(row.digest, ())) for row in rows}


def seats_of_gate(rulebook, gate: str) -> list[str]:
    """The seats that have a criterion at the gate, in the order of a board."""
    return [seat for seat in Seat if seat in rulebook.gates[gate].seats]


def matrix(
    rulebook, gate: str, lines: list[Line], sign_offs: dict[str, Cast], mine, waiting: dict, ended: bool
):
    """Seats and rows for the component `matrix.html`. `waiting`: who is awaited, by seat."""
    seats = seats_of_gate(rulebook, gate)
    rows = []
    for line in lines:
        cells = []
        for seat in seats:
            cells.append(
                _cell(line, seat, sign_offs.get(seat), mine, waiting, ended) if seat == line.seat else None
            )
        rows.append(
            {
                "text": line.question,
                "link": f"#{line.key}",
                "state": line.word,
                "tone": line.tone,
                "why": "" if line.state == "met" else " ".join(line.reasons[:1]),
                "cells": cells,
            }
        )
    return [(seat, seat_word(seat), seat in mine) for seat in seats], rows


def _cell(line: Line, seat: str, sign_off: Cast | None, mine, waiting, ended: bool) -> dict:
    own = seat in mine and not ended
    if sign_off is None:
        if ended:
            return {"word": "no sign-off", "tone": "", "mine": False}
        word, tone = ("yours", "lead") if own else ("waiting", "")
        return {"word": word, "tone": tone, "who": "" if own else waiting.get(seat, ""), "mine": own}
    word, tone = sign_off.word, sign_off.tone
    if sign_off.row.verdict == SignOffVerdict.OBJECT and line.key not in sign_off.row.criteria:
        word, tone = "no objection here", ""
    why = "; ".join(sign_off.stale) if sign_off.row.approves and sign_off.stale else moment(sign_off.row.at)
    return {
        "word": word,
        "tone": tone,
        "who": sign_off.row.person.full_name,
        "gone": bool(sign_off.row.approves and sign_off.stale),
        "why": why,
        "mine": own,
    }


def decision_state(verdict: criteria.Verdict) -> tuple[str, str]:
    """Whether an open review can be decided, as a tag: words and tone."""
    if verdict.decidable:
        return "ready for decision", "ok"
    count = len(verdict.blockers)
    return f"{count} blocker{'' if count == 1 else 's'}", "warn"


def seats_table(snapshot: review_state.ReviewSnapshot, sign_offs: dict[str, Cast]) -> list[dict]:
    """For each seat of the gate: who can sign, who is barred and why, the sign-off, whether it must be there."""
    rules = snapshot.judged.rulebook.gates[snapshot.review.gate]
    return [
        {
            "seat": seat,
            "able": ", ".join(snapshot.seats[seat].eligible),
            "barred": snapshot.seats[seat].barred,
            "sign_off": sign_offs.get(seat),
            "must": seat in rules.must_include,
        }
        for seat in seats_of_gate(snapshot.judged.rulebook, snapshot.review.gate)
    ]


def own_seats(
    snapshot: review_state.ReviewSnapshot, person, sign_offs: dict[str, Cast], lines: list[Line]
) -> list[dict]:
    """What this person reads and can do for each seat they hold: sign, sign-off otherwise, withdraw; or why not.

    Of a sign-off that no longer counts also what of its statement changed, as `since_signed` tells it.
    """
    found = []
    for seat in initiative_permissions.seats_of(snapshot.initiative, person):
        if seat not in snapshot.judged.rulebook.gates[snapshot.review.gate].seats:
            continue
        sign_off = sign_offs.get(seat)
        unmet = [
            finding.criterion.question
            for finding in snapshot.verdict.findings
            if finding.criterion.seat == seat and finding.blocks
        ]
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
    """What differs between the statement of an approval and the one that this person would sign now.

    As `sign_off_statement.differences` gives it; nothing of a sign-off that is no approval.
    """
    if not sign_off.row.approves:
        return [], 0
    now, _ = statement_for(
        snapshot, sign_off.row.seat, person, verdict=SignOffVerdict.APPROVE, at=snapshot.judged.at
    )
    return sign_off_statement.differences(sign_off.row.statement, now)


def declared_against_results(review: Review) -> list[dict]:
    """What the MVP declared beside what came of it, for the gate that compares them; misses stay visible."""
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
        word, tone = {"met": ("met", "ok"), "missed": ("missed", "bad")}.get(
            result, ("no result yet", "warn")
        )
        compared.append(
            {
                "name": key.replace("_", " ").capitalize(),
                "declared": declared or "Nothing was declared.",
                "word": word,
                "tone": tone,
                "outcome": row.outcome if row and (frozen is None or row.result == result) else "",
                "evidence": row.evidence if row and frozen is None else None,
            }
        )
    return compared


def quorum_words(verdict: criteria.Verdict, rulebook, gate: str) -> str:
    """Fresh approvals against what is needed, as the caption of the matrix."""
    must = [seat_word(key) for key in rulebook.gates[gate].must_include]
    among = f", among them {'; '.join(must)}" if must else ""
    given = verdict.fresh_approvals
    return f"{given} current approval{'' if given == 1 else 's'}; {verdict.quorum} needed{among}"
