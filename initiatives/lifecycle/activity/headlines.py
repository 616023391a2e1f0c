"""The activity of an initiative: decisions as headlines, other events folded.

A page reads a fixed number of decisions, and each fold shows its newest events, however long the activity is.
"""

from dataclasses import dataclass, field

from django.core.paginator import Page
from django.db.models import Count, Q, QuerySet
from django.urls import reverse

from governance.models import ContractApproval
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import HoldKind, Stage
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.activity import timeline
from initiatives.lifecycle.activity.entry_wording import day_of, question
from initiatives.lifecycle.activity.timeline import Line
from initiatives.models import SignOff, StageChange

# What decides about the initiative. The move that a review brings is told by the review's own headline, and the
# approvals of a contract by that of the version that they put in force.
OUTCOMES = {
    EntryKind.REVIEW_APPROVED: ("Approved", "ok"),
    EntryKind.REVIEW_APPROVED_WITH_CONDITIONS: ("Approved with conditions", "ok"),
    EntryKind.REVIEW_REFUSED: ("Rejected", "bad"),
    EntryKind.REVIEW_RETURNED: ("Returned with questions", "warn"),
}
DECISIONS = {
    *OUTCOMES,
    EntryKind.STAGE_CHANGED,
    EntryKind.HOLD_OPENED,
    EntryKind.HOLD_LIFTED,
    EntryKind.CONTRACT_IN_FORCE,
    EntryKind.SWITCHED_OFF,
    EntryKind.SWITCHED_ON,
    EntryKind.CONTINUED,
    EntryKind.RE_ATTESTED,
    EntryKind.RISK_TIER_CONFIRMED,
    EntryKind.RISK_TIER_REFUSED,
    EntryKind.WAIVER_AGREED,
    EntryKind.WITHDRAWN,
}
EVIDENCE = {
    EntryKind.ANSWERED,
    EntryKind.NOT_APPLICABLE_ACCEPTED,
    EntryKind.DECLARED,
    EntryKind.OUTCOME_REPORTED,
    EntryKind.EVALUATION_DECLARED,
    EntryKind.EVALUATION_RESULT_RECORDED,
    EntryKind.EVALUATION_WITHDRAWN,
    EntryKind.DRILL_RECORDED,
    EntryKind.DRILL_WITHDRAWN,
    EntryKind.PROFILE_ADDED,
    EntryKind.TRACE_SAMPLE_ADDED,
    EntryKind.PIPELINE_DECLARED,
    EntryKind.PIPELINE_ENDED,
    EntryKind.PIPELINE_CONFIRMED,
    EntryKind.BAR_DECLARED,
    EntryKind.BAR_CONFIRMED,
    EntryKind.RESULT_FILED,
    EntryKind.FIGURES_FILED,
    EntryKind.MEASUREMENTS_RECORDED,
    EntryKind.FILES_CONFIRMED_GONE,
    *(kind for kind in EntryKind if kind.startswith("evidence ")),
}
PEOPLE = {
    EntryKind.APPOINTED,
    EntryKind.INVITED,
    EntryKind.DELEGATE_NAMED,
    EntryKind.INCIDENT_PART_TAKEN,
    *(kind for kind in EntryKind if kind.startswith(("role ", "handover", "delegation ", "seat "))),
}
# What the page shows: headlines with folds between them, or a list of these kinds; of "everything" no kind is asked.
GROUPS: dict[str, set[EntryKind]] = {
    "decisions": DECISIONS,
    "evidence": EVIDENCE,
    "people": PEOPLE,
    "everything": set(),
}
PAGE, FOLDED = 10, 20  # decisions on a page, and events of a fold
MOVES = {
    "step back": ("Demoted", "bad"),
    "stopped": ("Stopped", "bad"),
    "reopened": ("Reopened", ""),
    "emergency": ("Retired in an emergency", "bad"),
    "import": ("Reported by import", ""),
}


@dataclass(frozen=True)
class Headline:
    """A decision: its act, its words, its tone and what it rested on.

    `seats` and `items` are the numbers of seats that signed and of items they signed on, None if the decision needs
    none. `link` is the page of what it rested on, or "".
    """

    line: Line
    words: str
    tone: str = ""
    seats: int | None = None
    items: int | None = None
    link: str = ""

    @property
    def why(self) -> str:
        """Return the reason that was given with the decision."""
        return str(self.line.facts.get("why") or "")


@dataclass(frozen=True)
class Fold:
    """The smaller events between two decisions: number, newest ones, end keys."""

    count: int
    lines: list[Line]
    after: int | None
    before: int | None

    @property
    def more(self) -> int:
        """Return the number of events that are not among the lines."""
        return self.count - len(self.lines)


@dataclass(frozen=True)
class Told:
    """A part of the activity, newest first: a decision or None, and events before it."""

    headline: Headline | None
    fold: Fold

    @property
    def lines(self) -> list[Line]:
        """Return all acts of it that are shown."""
        return [*([self.headline.line] if self.headline else []), *self.fold.lines]


@dataclass
class _Rested:
    """The seats that signed a review or version, and the items they signed on."""

    seats: set[str] = field(default_factory=set)
    items: set[int] = field(default_factory=set)


def decided(initiative, entries: QuerySet) -> QuerySet:
    """Return the keys of the entries that are decisions, newest first."""
    by_review = StageChange.objects.filter(initiative=initiative, review__isnull=False)
    return (
        entries.filter(kind__in=DECISIONS)
        .exclude(pk__in=by_review.values("entry_id"))
        .values_list("pk", flat=True)
    )


def between(entries: QuerySet, after: int | None, before: int | None) -> QuerySet:
    """Return the entries after one and before another, each None for no limit."""
    if after is not None:
        entries = entries.filter(pk__gt=after)
    return entries.filter(pk__lt=before) if before is not None else entries


def told(initiative, entries: QuerySet, page: Page, rulebook) -> list[Told]:
    """Return the decisions of this page (of `decided`), each with its fold.

    The first page begins with the events since the newest decision. The number of queries is fixed.
    """
    shown = list(page.object_list)
    ends: list[int | None] = [*shown]
    if page.has_next():
        ends.append(page.paginator.object_list[page.end_index()])
    else:
        ends.append(None)
    pairs = list(zip(ends[1:], shown, strict=True))  # (after, before) of what led to each
    if page.number == 1:
        pairs.insert(0, (ends[0], None))
    counts = entries.order_by().aggregate(
        **{str(place): Count("pk", filter=_inside(*pair)) for place, pair in enumerate(pairs)}
    )
    newest = [between(entries, *pair).values_list("pk", flat=True)[:FOLDED] for pair in pairs]
    small = list(newest[0].union(*newest[1:], all=True)) if newest else []
    lines = timeline.lines(initiative, entries.filter(pk__in=[*shown, *small]), rulebook)
    headlines = _headlines(initiative, [line for line in lines if line.pk in set(shown)], rulebook)
    by_pair = {before: headlines.get(before) for before in [*shown, None]}
    return [
        Told(
            by_pair[before],
            Fold(
                counts[str(place)],
                [line for line in lines if _within(line.pk, after, before)],
                after,
                before,
            ),
        )
        for place, (after, before) in enumerate(pairs)
    ]


def _inside(after: int | None, before: int | None) -> Q:
    asked = Q(pk__gt=after) if after is not None else Q(pk__gt=0)
    return asked & Q(pk__lt=before) if before is not None else asked


def _within(key: int, after: int | None, before: int | None) -> bool:
    return (after is None or key > after) and (before is None or key < before)


def _headlines(initiative, lines: list[Line], rulebook) -> dict[int, Headline]:
    """Return these decisions as headlines, by key of the entry."""
    reviews = {line.facts["review"] for line in lines if line.kind in OUTCOMES and line.facts.get("review")}
    versions = {
        line.facts["number"] for line in lines if line.kind == EntryKind.CONTRACT_IN_FORCE and line.facts
    }
    signed = _signed(reviews) if reviews else {}
    approved = _approved(initiative, versions) if versions else {}
    return {line.pk: _headline(initiative, line, rulebook, signed, approved) for line in lines}


def _signed(reviews: set[int]) -> dict[int, _Rested]:
    found: dict[int, _Rested] = {}
    rows = SignOff.objects.latest().filter(review__in=reviews).order_by()
    for review, seat, covered, named in rows.values_list(
        "review_id", "seat", "covered_evidence", "facts__evidence"
    ):
        one = found.setdefault(review, _Rested())
        one.seats.add(seat)
        one.items |= {*covered, *map(int, named or ())}
    return found


def _approved(initiative, versions: set[int]) -> dict[int, int]:
    """Return the number of seats that approved each version, by number of the version."""
    rows = ContractApproval.objects.filter(
        version__contract=initiative.contract_id, version__number__in=versions
    )
    counted = rows.order_by().values("version__number").annotate(seats=Count("seat", distinct=True))
    return {row["version__number"]: row["seats"] for row in counted}


def _headline(
    initiative, line: Line, rulebook, signed: dict[int, _Rested], approved: dict[int, int]
) -> Headline:
    facts = line.facts
    if line.kind in OUTCOMES and facts:
        words, tone = OUTCOMES[EntryKind(line.kind)]
        gate = rulebook.gates.get(facts.get("gate"))
        rested = signed.get(facts.get("review"), _Rested())
        if gate:
            words = f"{words}: {' or '.join(map(stage_word, gate.from_stages))} to {stage_word(gate.to)}"
        return Headline(line, words, tone, len(rested.seats), len(rested.items), line.link)
    if line.kind == EntryKind.CONTRACT_IN_FORCE and facts:
        link = f"{reverse('contract', args=[initiative.ref])}?version={facts['number']}"
        words = f"Contract version {facts['number']} approved, in force from {day_of(facts['starts_at'])}"
        return Headline(line, words, "ok", approved.get(facts["number"], 0), None, link)
    return Headline(line, *_plain(line.kind, facts, rulebook))


def _plain(kind: str, facts: dict, rulebook) -> tuple[str, str]:
    """Return the words and the tone of a decision that rests on no signatures."""
    if kind == EntryKind.STAGE_CHANGED and facts:
        words, tone = MOVES.get(facts["basis"], ("Moved", ""))
        before, after = stage_word(facts["from"]), stage_word(facts["to"])
        return (words if facts["to"] == Stage.STOPPED else f"{words}: {before} to {after}"), tone
    if kind == EntryKind.HOLD_OPENED:
        return f"Put on hold: {HoldKind.word(facts.get('hold_kind', '')).lower()}", "bad"
    if kind == EntryKind.HOLD_LIFTED:
        return f"Hold lifted: {HoldKind.word(facts.get('hold_kind', '')).lower()}", "ok"
    if kind == EntryKind.CONTINUED and facts:
        return f"Continued as {stage_word(facts['stage'])} until {day_of(facts['until'])}", ""
    if kind == EntryKind.RISK_TIER_CONFIRMED and facts:
        return f"Risk tier confirmed: {facts['tier']}", ""
    if kind == EntryKind.RISK_TIER_REFUSED and facts:
        return f"Risk tier refused: {facts['proposed']}", ""
    if kind == EntryKind.WAIVER_AGREED and facts:
        return f"Waiver agreed: {question(rulebook, facts.get('key', ''))}", "warn"
    return PLAIN.get(kind, (kind.capitalize(), ""))


PLAIN: dict[str, tuple[str, str]] = {
    EntryKind.SWITCHED_OFF: ("Systems disabled", "bad"),
    EntryKind.SWITCHED_ON: ("Systems enabled again", "ok"),
    EntryKind.RE_ATTESTED: ("Production confirmed again", "ok"),
    EntryKind.WITHDRAWN: ("Withdrawn", ""),
}
