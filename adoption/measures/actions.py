"""What is measured and against which target: declared by the owner, moved in the open, ended with a reason."""

from collections.abc import Mapping
from uuid import UUID

from django.core.exceptions import ValidationError

from adoption.measures import permissions, queries
from adoption.measures.evaluation import said_day
from adoption.models import Goal, Measure
from adoption.models.instruments import (
    DOWN,
    HIGHEST,
    INSTRUMENTS,
    LOWEST,
    TRAINING_PROVES_NOTHING,
    TRAINING_WORDS,
    UP,
    no_evidence_in,
)
from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.findings.sync import follow
from initiatives.lifecycle.holds.actions import complete_row
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative, Obligation

MOST_PEOPLE = 10_000_000
MOST_FIGURE = 10.0**12


def declare_measure(*, initiative: Initiative, once: UUID | None = None, by: User, **fields) -> Measure:
    """Declare one measure with its baseline and target, as owner, before its first measurement.

    `fields`: instrument, words, population, source, target, intended; and as the instrument asks baseline, baseline_n,
    teams, unit, bound, better, counterfactual. Raises ValidationError by field, or Refused.
    """
    return declare_measures(initiative=initiative, declared=[fields | {"once": once}], by=by)[0]


def declare_measures(*, initiative: Initiative, declared: list[Mapping], by: User) -> list[Measure]:
    """Declare measures together, all of them or none; each as `declare_measure` would."""
    with act("declare measures", by=by, initiative=initiative) as initiative:
        permissions.may_declare(initiative, by).or_refuse()
        sent = [one.get("once") for one in declared if one.get("once")]
        known = {row.once: row for row in Measure.objects.filter(initiative=initiative, once__in=sent)}
        if len(known) == len(declared):
            return [known[one["once"]] for one in declared]
        now, scope = clock.now(), queries.scopes_now([initiative.pk]).get(initiative.pk)
        current = set(initiative.measures.current().values_list("instrument", flat=True))
        rows, goals = [], []
        for one in declared:
            wrong = _wrong(one, current, scope)
            if wrong:
                raise ValidationError(wrong)
            how = INSTRUMENTS[one["instrument"]]
            current.add(how.key)
            rows.append(
                Measure(
                    initiative=initiative,
                    instrument=how.key,
                    words=one["words"].strip(),
                    population=one["population"].strip(),
                    teams=_names(one.get("teams")),
                    unit=(one.get("unit") or how.unit).strip(),
                    better=(one.get("better") if how.value else "") or how.better,
                    source=one["source"].strip(),
                    requirement=how.requirement,
                    counterfactual=(one.get("counterfactual") or "").strip() if how.value else "",
                    once=one.get("once"),
                    declared_by=by,
                    declared_at=now,
                )
            )
        row_history.insert_many(Measure, rows)
        for row, one in zip(rows, declared, strict=True):
            goals.append(_goal(row, 1, one, "", by, now))
        Goal.objects.bulk_create(goals)
        entries.record_many(
            EntryKind.MEASURE_DECLARED,
            [
                (
                    initiative,
                    {"measure": row.pk, "words": row.words, "instrument": row.instrument} | _facts(row, goal),
                )
                for row, goal in zip(rows, goals, strict=True)
            ],
        )
        follow([initiative])
    return rows


def move_goal(*, measure: Measure, number: int, reason: str, by: User, **fields) -> Goal:
    """Set a new baseline, target or number of people, as owner, with the reason; what stood before stays readable.

    `number`: of the goal that the person looked at; Conflict when there is a newer one. A looser target counts only
    for periods that begin after it (`measuring.strictest`). Raises ValidationError by field, or Refused.
    """
    with act("move goal", by=by, initiative=measure.initiative_id, reason=reason.strip()) as initiative:
        permissions.may_declare(initiative, by).or_refuse()
        measure = _current(measure)
        last = measure.goals.order_by("-number").first()
        if last.number != number:
            raise Conflict(
                f"{last.by} moved it on {said_day(clock.local_day(last.at))} already.",
                "Look at the goal again.",
            )
        wrong = {} if reason.strip() else {"reason": "Say why the goal moves; it stands beside the figures."}
        scope = queries.scopes_now([initiative.pk]).get(initiative.pk)
        wrong |= _wrong_goal(fields, measure.how, measure.better, scope)
        if not wrong and all(getattr(last, name) == fields.get(name) for name in _GOAL):
            wrong["target"] = "Nothing moves: this is the goal that stands."
        if wrong:
            raise ValidationError(wrong)
        goal = _goal(measure, last.number + 1, fields, reason.strip(), by, clock.now())
        goal.save()
        entries.record(
            EntryKind.GOAL_MOVED,
            initiative=initiative,
            measure=measure.pk,
            words=measure.words,
            why=goal.reason,
            was=str(last.target),
            **_facts(measure, goal),
        )
        follow([initiative])
    return goal


def close_measure(*, measure: Measure, reason: str, by: User) -> Measure:
    """Close a measure as owner, with a reason; its measurements stay readable, and what it showed is short again."""
    if not reason.strip():
        raise ValidationError({"reason": "Say why it is read no more."})
    with act("close measure", by=by, initiative=measure.initiative_id, reason=reason.strip()) as initiative:
        permissions.may_declare(initiative, by).or_refuse()
        row = _current(measure)
        row.ended_at, row.ended_by, row.ended_reason = clock.now(), by, reason.strip()
        row.save()
        entries.record(
            EntryKind.MEASURE_CLOSED,
            initiative=initiative,
            measure=row.pk,
            words=row.words,
            why=row.ended_reason,
        )
        complete_silence(initiative, [row.pk], "The measure is closed.", by)
        follow([initiative])
    return row


def complete_silence(initiative: Initiative, measures: list[int], note: str, by: User | None) -> None:
    """Complete the obligations of these measures that were silent, in the running act."""
    sources = [silence_of(key) for key in measures]
    obligations = Obligation.objects.open().filter(
        initiative=initiative, kind="measurement", source__in=sources
    )
    for obligation in obligations:
        obligation.initiative = initiative
        complete_row(obligation, by=by, note=note)


def silence_of(measure: int) -> str:
    """The source of the obligation of a silent measure."""
    return f"measure:{measure}"


def _current(measure: Measure) -> Measure:
    row = Measure.objects.get(pk=measure.pk)
    if row.ended_at is not None:
        raise Conflict(
            f"This measure was closed on {said_day(clock.local_day(row.ended_at))}.", "Declare a new one."
        )
    return row


_GOAL = ("target", "baseline", "baseline_n", "intended", "bound")


def _goal(measure: Measure, number: int, fields: Mapping, reason: str, by: User, now) -> Goal:
    return Goal(
        measure=measure,
        number=number,
        reason=reason,
        by=by,
        at=now,
        **{name: fields.get(name) for name in _GOAL},
    )


def _facts(measure: Measure, goal: Goal) -> dict:
    """A goal as the audit log keeps it; figures as text, because they are no whole numbers."""
    return {
        "goal": goal.number,
        "target": str(goal.target),
        "baseline": str(goal.baseline) if goal.baseline is not None else None,
        "baseline_n": goal.baseline_n,
        "intended": goal.intended,
        "bound": str(goal.bound) if goal.bound is not None else None,
        "unit": "share" if measure.how.share else measure.unit,
    }


def _names(said) -> list[str]:
    return list({name.strip().casefold(): name.strip() for name in said or () if name.strip()}.values())


def _wrong(one: Mapping, current: set[str], scope) -> dict[str, str]:
    key = one.get("instrument") or ""
    if key not in INSTRUMENTS:
        training = key.casefold() in TRAINING_WORDS
        return {"instrument": TRAINING_PROVES_NOTHING if training else "Choose how it is measured."}
    how, wrong = INSTRUMENTS[key], {}
    for name, words in (
        ("words", "Say what exactly is counted or timed."),
        ("population", "Say whom it is about: the real users in scope, in the words of the initiative."),
        ("source", "Say where the figures come from: a log, a survey, somebody who observes."),
    ):
        said = (one.get(name) or "").strip()
        if not said:
            wrong[name] = words
        elif found := no_evidence_in(said) if not how.value else "":
            wrong[name] = found
        elif len(said) > 200:
            wrong[name] = "Up to 200 letters."
    if how.key in current and not how.value:
        wrong["instrument"] = (
            "This is measured already. Send measurements to that measure, move its goal, or end it."
        )
    if how.value and not (one.get("counterfactual") or "").strip():
        wrong["counterfactual"] = (
            "Name what it is compared with: what would have happened without the system."
        )
    if how.value and one.get("better") not in (None, "", UP, DOWN):
        wrong["better"] = "Say whether more or less is better."
    if len(one.get("unit") or "") > 40:
        wrong["unit"] = "Up to 40 letters."
    if how.asked_by and _names(one.get("teams")):
        wrong["teams"] = "A survey gives one figure over everybody who answered. Leave the teams out."
    if any(len(name) > 120 for name in one.get("teams") or ()):
        wrong["teams"] = "The name of a team has up to 120 letters."
    return wrong | _wrong_goal(one, how, one.get("better") or how.better, scope)


def _wrong_goal(fields: Mapping, how, better: str, scope) -> dict[str, str]:
    wrong = {}
    target, baseline, bound = (fields.get(name) for name in ("target", "baseline", "bound"))
    intended = fields.get("intended")
    if target is None:
        wrong["target"] = "State the target before the first measurement comes."
    elif not _possible(target, how):
        wrong["target"] = _impossible(how)
    if baseline is not None and not _possible(baseline, how):
        wrong["baseline"] = _impossible(how)
    if how.baseline and baseline is None:
        wrong["baseline"] = "State what it was before: without that nothing says that it got better."
    if baseline is not None and not fields.get("baseline_n"):
        wrong["baseline_n"] = "Say from how many the baseline was read."
    if not wrong and baseline is not None and (target <= baseline if better == UP else target >= baseline):
        wrong["target"] = "The target is no better than the baseline: it would be met by changing nothing."
    if intended is None or not 0 < intended <= MOST_PEOPLE:
        wrong["intended"] = "Say for how many people it is meant."
    elif how.newest and scope is not None and intended < scope.user_count:
        wrong["intended"] = f"The scope names {scope.user_count} users; all of them are intended to use it."
    if bound is not None and (how.blind is None or not 0 < bound < 1):
        wrong["bound"] = "A share between 0 and 100 %, for overrides and acceptance alone."
    return wrong


def _impossible(how) -> str:
    if how.asked_by:
        return f"A survey gives points from {LOWEST} to {HIGHEST}."
    return "A share lies between 0 and 100 %." if how.share else "No such figure is kept."


def _possible(value: float, how) -> bool:
    if how.asked_by:
        return LOWEST <= value <= HIGHEST
    return 0 <= value <= 1 if how.share else abs(value) <= MOST_FIGURE
