"""Crosswalk to outside frameworks: answers, evidence, sign-offs by paragraph.

The pairing is the rulebook's crosswalk. Sign-offs for a requirement are those of the seats whose criteria need it.
The initiative itself judges its evidence, not this module.
"""

from dataclasses import dataclass
from datetime import date

from django.db.models import Prefetch, Q

from governance.gates.evidence_rules import expiry
from initiatives.lifecycle.facts import initiative_rows
from initiatives.models import Answer, Coverage, Initiative, SignOff, Voiding


@dataclass(frozen=True)
class Asked:
    """One requirement of the rulebook under a reference. `signed` are the (gate, seat) that sign for it."""

    reference: str
    key: str
    question: str
    criterion: bool
    signed: tuple[tuple[str, str], ...]


def references(rulebook, framework: str) -> dict[str, list[Asked]]:
    """Return a framework's paragraphs, each with the requirements that answer it."""
    found: dict[str, list[Asked]] = {}
    for rows, criterion in ((rulebook.requirements, False), (rulebook.criteria, True)):
        for row in rows.values():
            for reference in row.crosswalk.get(framework, ()):
                asked = Asked(reference, row.key, row.question, criterion, _signed(rulebook, row, criterion))
                found.setdefault(reference, []).append(asked)
    return dict(sorted(found.items(), key=lambda pair: _natural(pair[0])))


def _signed(rulebook, row, criterion: bool) -> tuple[tuple[str, str], ...]:
    if criterion:
        return ((row.gate, row.seat),)
    pairs = ((one.gate, one.seat) for one in rulebook.criteria.values() if row.key in one.requirements)
    return tuple(dict.fromkeys(pairs))


def _natural(reference: str) -> list:
    """Return a sort key with CC9.2 before CC10.1: digits as numbers, before letters."""
    parts, run = [], ""
    for letter in reference:
        if run and letter.isdecimal() != run[-1].isdecimal():
            parts.append(run)
            run = ""
        run += letter
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in [*parts, run] if part]


@dataclass(frozen=True)
class OfferedEvidence:
    """One item offered for a requirement. `state` is a word if it no longer counts, `last` its last day."""

    evidence: object
    state: str
    last: object


@dataclass(frozen=True)
class Found:
    """The answer, evidence and sign-offs of one initiative for one requirement."""

    initiative: Initiative
    asked: Asked
    answer: Answer | None
    offered: tuple[OfferedEvidence, ...]
    sign_offs: tuple[SignOff, ...]

    @property
    def empty(self) -> bool:
        """Return True if answer, evidence and sign-offs are all missing."""
        return self.answer is None and not self.offered and not self.sign_offs


def found(initiatives: list[Initiative], asked: list[Asked], rulebook) -> list[Found]:
    """Return the rows of these initiatives and requirements, in five queries."""
    keys = {one.key for one in asked if not one.criterion}
    answers = {
        (row.initiative_id, row.requirement): row
        for row in Answer.objects.filter(initiative__in=initiatives, requirement__in=keys).select_related(
            "by"
        )
    }
    offered: dict[tuple, list[OfferedEvidence]] = {}
    by_key = {initiative.pk: initiative for initiative in initiatives}
    first_days = initiative_rows.first_days_of(initiatives)
    for row in _coverage(initiatives, keys):
        initiative = by_key[row.evidence.initiative_id]
        offered.setdefault((initiative.pk, row.requirement), []).append(
            _offered(row, rulebook, initiative.tier, first_days)
        )
    sign_offs: dict[tuple, list[SignOff]] = {}
    for sign_off in _sign_offs(initiatives, asked):
        sign_offs.setdefault((sign_off.review.initiative_id, sign_off.review.gate, sign_off.seat), []).append(
            sign_off
        )
    return [
        Found(
            initiative,
            one,
            answers.get((initiative.pk, one.key)) if not one.criterion else None,
            tuple(offered.get((initiative.pk, one.key), ())) if not one.criterion else (),
            tuple(sign_off for pair in one.signed for sign_off in sign_offs.get((initiative.pk, *pair), ())),
        )
        for initiative in initiatives
        for one in asked
    ]


def _coverage(initiatives, keys):
    return (
        Coverage.objects.filter(evidence__initiative__in=initiatives, requirement__in=keys)
        .select_related("evidence__author", "evidence__superseded_by")
        .prefetch_related(Prefetch("evidence__voidings", Voiding.objects.order_by("id")))
        .order_by("-evidence__observed_on", "-evidence_id")
    )


def _sign_offs(initiatives, asked):
    pairs = {pair for one in asked for pair in one.signed}
    if not pairs:
        return SignOff.objects.none()
    signed = Q()
    for gate, seat in sorted(pairs):
        signed |= Q(review__gate=gate, seat=seat)
    return (
        SignOff.objects.latest()
        .filter(signed, review__initiative__in=initiatives)
        .select_related("review", "person")
        .defer("statement", "facts", "covered_evidence", "review__findings")
        .order_by("at", "pk")
    )


def _offered(row: Coverage, rulebook, tier: str, first_days: dict[int, date]) -> OfferedEvidence:
    item, requirement = row.evidence, rulebook.requirements.get(row.requirement)
    ended = [void for void in item.voidings.all() if void.requirement == row.requirement]
    first = first_days.get(item.pk, item.observed_on)
    last = expiry(requirement, first, tier) if requirement is not None else None
    if item.withdrawn_at is not None:
        return OfferedEvidence(item, "withdrawn", None)
    if hasattr(item, "superseded_by"):
        return OfferedEvidence(item, "superseded", None)
    if item.missing_since is not None:
        return OfferedEvidence(item, "file missing", None)
    if ended:
        return OfferedEvidence(item, "ended by a change", None)
    return OfferedEvidence(item, "", last)
