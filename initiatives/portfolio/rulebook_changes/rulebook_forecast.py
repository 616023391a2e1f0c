"""Forecast: the effects of a rulebook on initiatives, against the one in force.

The same pure functions as elsewhere judge the current facts. No row is written, and no version is published on trial.
Publishing computes the answer in another way, and a test compares both.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from governance import clock
from governance.database.request_memo import afresh, one_look
from governance.gates import criteria
from governance.gates.gate_inputs import Facts
from governance.gates.requirements import state_of
from governance.rulebook import ParsedRulebook
from governance.vocabulary import RUNNING_STAGES, STAGE_RANK, ReviewOutcome
from initiatives.lifecycle.facts import initiative_rows, rulebook_in_effect, supported_stage
from initiatives.lifecycle.initiative import review_state
from initiatives.models import Initiative, Review

# Stages whose lost support becomes an obligation with a day (initiatives.lifecycle.holds.actions.follow_support).
WITH_GRACE = ("mvp", "production")
ROLE_OF = {"business_owner": "owner"}


@dataclass(frozen=True)
class Comparison:
    """Two rulebooks, the moment of publishing, and the last day to restore support.

    `old` is the one in force, or the older one that decides for an initiative. `grace_until` is the day that the chair
    grants, or None for the new rulebook's number of days. `ahead` is True for publishing on a future day.
    """

    old: ParsedRulebook
    new: ParsedRulebook
    at: datetime
    grace_until: date | None = None
    ahead: bool = False

    @property
    def due(self) -> date:
        """Return the last day of the obligations that publishing would open."""
        if self.grace_until is not None:
            return self.grace_until
        return clock.local_day(self.at) + timedelta(days=self.new.freshness.grace_days)

    @property
    def touched(self) -> list[str]:
        """Return the requirements whose state may differ under the new rulebook."""
        old, new = self.old, self.new
        together = (
            old.carry == new.carry
            and old.result_kinds == new.result_kinds
            and {key: one.group for key, one in old.requirements.items()}
            == {key: one.group for key, one in new.requirements.items()}
            and [(one.declared_goals, one.declared_goals_minimal) for one in old.criteria.values()]
            == [(one.declared_goals, one.declared_goals_minimal) for one in new.criteria.values()]
        )
        if not together:
            return list(new.requirements)
        differ = {key for key, one in new.requirements.items() if one != old.requirements[key]}
        # In no scale test before and in one now: whether it alone may be waived is another matter then.
        differ |= old.scale_items ^ new.scale_items
        differ |= {
            key for key, replacement in new.carry.replaced_at_production.items() if replacement in differ
        }
        return [key for key in new.requirements if key in differ]


@dataclass(frozen=True)
class Effect:
    """The effect of publishing on one initiative: stages supported, and requirements.

    `unmet` has what it would newly lack up to its approved stage, with the responsible person. `because` has the other
    causes of a fall or rise, beyond that stage. `obligation` is "opened", "completed" or "".
    """

    initiative: Initiative
    owner_id: int | None
    before: str
    after: str
    label: str
    unmet: tuple[tuple[str, str], ...]
    met: tuple[tuple[str, str], ...]
    because: tuple[tuple[str, str], ...]
    held: tuple[str, ...]
    freed: tuple[str, ...]
    obligation: str
    due: date | None

    @property
    def falls(self) -> int:
        """Return the number of stages that support falls, negative if it rises."""
        return STAGE_RANK.get(self.before, 0) - STAGE_RANK.get(self.after, 0)

    @property
    def changes(self) -> bool:
        """Return True if publishing changes the initiative."""
        return bool(self.falls or self.unmet or self.met or self.held or self.freed or self.obligation)


@dataclass(frozen=True)
class Seen:
    """A sign-off of an open review: if it counts now, and why not after a move."""

    sign_off: int
    seat: str
    person: str
    counts: bool
    stale: tuple[str, ...]


@dataclass(frozen=True)
class Moved:
    """The effect of moving an open review to the new rulebook. Publishing does not move it.

    `again` is True if it could be decided after the same people sign again. `why` has the other blockers.
    """

    review: Review
    owner_id: int | None
    sign_offs: tuple[Seen, ...]
    decidable: bool
    again: bool
    why: tuple[str, ...]


@contextmanager
def looking(two: Comparison) -> Iterator[None]:
    """Read everything once, with the eyes of the day to come where that is asked."""
    with afresh(), one_look(), clock.simulated(two.at) if two.ahead else nullcontext():
        yield


def effects(initiatives: list[Initiative], two: Comparison) -> Iterator[Effect]:
    """Yield the effect of publishing on each of these initiatives, read together."""
    initiative_rows.read_together(initiatives)
    against: dict[ParsedRulebook, tuple[Comparison, list[str]]] = {}
    for initiative in initiatives:
        old = rulebook_in_effect.rulebook_of(initiative, two.at).parsed
        if old not in against:
            mine = replace(two, old=old)
            against[old] = mine, mine.touched
        yield _effect(initiative, *against[old])


def _effect(initiative: Initiative, two: Comparison, touched: list[str]) -> Effect:
    facts, at = supported_stage.under(supported_stage.facts_of(initiative), initiative, two.old), two.at
    then = supported_stage.under(facts, initiative, two.new)
    before = criteria.judge(facts, two.old, at)
    states = {key: before.states[key] for key in two.new.requirements if key in before.states}
    states |= {key: state_of(then, two.new, key, at) for key in touched}
    after = criteria.judged_from(then, two.new, at, states)
    is_now, will_be = before.support, after.support
    lacked, lacks = (
        criteria.gaps_to(before, facts.approved_stage),
        criteria.gaps_to(after, facts.approved_stage),
    )
    holds, held = (
        {one.kind: one.words for one in criteria.holds_at(of, rulebook, at)}
        for of, rulebook in ((facts, two.old), (then, two.new))
    )
    obligation = _obligation(initiative, is_now, will_be, two.ahead)
    unmet = [key for key in lacks if key not in set(lacked)]
    met = [key for key in lacked if key not in set(lacks)]
    falls = STAGE_RANK.get(is_now.supported, 0) - STAGE_RANK.get(will_be.supported, 0)
    causes: list[str] = []
    if falls > 0:
        causes = _in_the_way(after, is_now.supported)
    elif falls < 0:
        causes = _in_the_way(before, will_be.supported)
    return Effect(
        initiative=initiative,
        owner_id=facts.owner_id,
        before=is_now.supported,
        after=will_be.supported,
        label=will_be.label,
        unmet=_whose(facts, two.new, unmet),
        met=_whose(facts, two.old, met),
        because=_whose(
            facts,
            two.new if falls > 0 else two.old,
            [key for key in causes if key not in unmet and key not in met],
        ),
        held=tuple(words for kind, words in held.items() if kind not in holds),
        freed=tuple(words for kind, words in holds.items() if kind not in held),
        obligation=obligation,
        due=two.due if obligation == "opened" else None,
    )


def _in_the_way(judged: criteria.Judged, stage: str) -> list[str]:
    """Return the requirements that keep support below a stage, at gates up to it."""
    found, rulebook = dict[str, None](), judged.rulebook
    for key in RUNNING_STAGES[1 : STAGE_RANK[stage] + 1]:
        for finding in judged.at_gate(rulebook.gate_to(key).key):
            if finding.blocks:
                lacking = (
                    one.key for one in finding.requirements if not one.satisfies(finding.criterion.gate)
                )
                found |= dict.fromkeys(one for one in lacking if rulebook.requirements[one].blocking)
    return list(found)


def _whose(facts: Facts, rulebook: ParsedRulebook, keys: list[str]) -> tuple[tuple[str, str], ...]:
    """Return each key with the person in its role, or the owner, who must find one."""

    def who(key: str) -> str:
        role = rulebook.requirements[key].answered_by
        return facts.people.get(ROLE_OF.get(role, role)) or facts.people.get("owner", "")

    return tuple((key, who(key)) for key in keys)


def _obligation(
    initiative: Initiative, before: criteria.Support, after: criteria.Support, ahead: bool
) -> str:
    """Return "opened", "completed" or "" for the effect on the grace obligation.

    Publishing uses `initiatives.lifecycle.holds.actions.follow_support`. Obligations follow the rulebook in force every
    night until a future day.
    """
    with_grace = initiative.stage in WITH_GRACE
    is_open = any(obligation.kind == "step_back" for obligation in initiative_rows.obligations(initiative))
    if ahead:
        is_open = with_grace and not before.supports_approved_stage and (is_open or not initiative.imported)
    if is_open and (after.supports_approved_stage or not with_grace):
        return "completed"
    return (
        "opened"
        if with_grace and not is_open and not after.supports_approved_stage and not initiative.imported
        else ""
    )


def moved(reviews: Iterable[Review], two: Comparison) -> Iterator[Moved]:
    """Yield the effect of moving each of these open reviews to the new rulebook."""
    for review in reviews:
        yield _moved(review, two)


def _moved(review: Review, two: Comparison) -> Moved:
    initiative = review.initiative
    now = review_state.snapshot_of(review, initiative, two.at)
    facts = supported_stage.under(now.judged.facts, initiative, two.new)
    then = review_state.judged_under(now, criteria.judge(facts, two.new, two.at))
    after = {sign_off.seat: sign_off for sign_off in then.judged_sign_offs}
    again = review_state.as_if_signed_again(then)
    return Moved(
        review=review,
        owner_id=facts.owner_id,
        sign_offs=tuple(
            Seen(row.pk, sign_off.seat, sign_off.person, sign_off.fresh, after[sign_off.seat].stale)
            for row, sign_off in zip(now.sign_offs, now.judged_sign_offs, strict=True)
        ),
        decidable=now.verdict.decidable,
        again=again.decidable,
        why=tuple(f"{one.text} {one.remedy}".strip() for one in again.blockers),
    )


def open_reviews(rulebook_digest: str):
    """Open reviews that are under other rules than this text."""
    return (
        Review.objects.filter(outcome=ReviewOutcome.OPEN)
        .exclude(rulebook__digest=rulebook_digest)
        .select_related("initiative__unit", "initiative__contract", "rulebook")
        .order_by("pk")
    )
