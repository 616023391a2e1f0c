"""The acts on measures: declare by the owner, move the goal, close with a reason."""

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
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.findings.sync import follow
from initiatives.lifecycle.holds.actions import complete_row
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative, Obligation

MOST_PEOPLE = 10_000_000
MOST_FIGURE = 10.0**12


def declare_measure(*, initiative: Initiative, once: UUID | None = None, by: User, **fields) -> Measure:
    """Declare a measure with baseline and target, as owner, before its measurements.

    `fields`: instrument, words, population, source, target, intended. Depending on the instrument also baseline,
    baseline_n, teams, unit, bound, better, counterfactual. Raises ValidationError by field, or Refused.
    """
    return declare_measures(initiative=initiative, declared=[fields | {"once": once}], by=by)[0]


def declare_measures(*, initiative: Initiative, declared: list[Mapping], by: User) -> list[Measure]:
    """Declare measures together, all of them or none, each as `declare_measure` would."""
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
    """Set a new baseline, target or number of people, as owner, with the reason.

    The old goal remains readable. `number` is that of the goal on screen. Conflict for a newer one. A looser target
    counts only for periods that begin after it (`evaluation.strictest`). Raises ValidationError by field, or Refused.
    """
    with act("move goal", by=by, initiative=measure.initiative_id, reason=reason.strip()) as initiative:
        permissions.may_declare(initiative, by).or_refuse()
        measure = _current(measure)
        last = measure.goals.order_by("-number").first()
        if last.number != number:
            raise Conflict(
                phrase("{} changed the goal on {} already.", last.by, said_day(clock.local_day(last.at))),
                "Read the new goal, then try again.",
            )
        wrong = (
            {}
            if reason.strip()
            else {"reason": "Give a reason for the change. The page shows the reason beside the figures."}
        )
        scope = queries.scopes_now([initiative.pk]).get(initiative.pk)
        wrong |= _wrong_goal(fields, measure.how, measure.better, scope)
        if not wrong and all(getattr(last, name) == fields.get(name) for name in _GOAL):
            wrong["target"] = "The new goal is the same as the current goal. Change a value."
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
    """Close a measure as owner, with a reason.

    Its measurements remain readable. Its requirement lacks a measure again.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Give a reason why the measure is closed."})
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
    """Complete the obligations of these silent measures, in the running act."""
    sources = [silence_of(key) for key in measures]
    obligations = Obligation.objects.open().filter(
        initiative=initiative, kind="measurement", source__in=sources
    )
    for obligation in obligations:
        obligation.initiative = initiative
        complete_row(obligation, by=by, note=note)


def silence_of(measure: int) -> str:
    """Return the source of the obligation of a silent measure."""
    return f"measure:{measure}"


def _current(measure: Measure) -> Measure:
    row = Measure.objects.get(pk=measure.pk)
    if row.ended_at is not None:
        raise Conflict(
            phrase("This measure was closed on {}.", said_day(clock.local_day(row.ended_at))),
            "Declare a new measure.",
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
    """Return a goal as the audit log keeps it. Figures are text, because they are not whole numbers."""
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
        return {"instrument": TRAINING_PROVES_NOTHING if training else "Choose how the measure is measured."}
    how, wrong = INSTRUMENTS[key], {}
    for name, words in (
        ("words", "Describe exactly what is counted or timed."),
        ("population", "Describe the group: the real users in scope, in the words of the initiative."),
        ("source", "Name the source of the figures: a log, a survey, or someone who observes."),
    ):
        said = (one.get(name) or "").strip()
        if not said:
            wrong[name] = words
        elif found := no_evidence_in(said) if not how.value else "":
            wrong[name] = found
        elif len(said) > 200:
            wrong[name] = "Use at most 200 letters."
    if how.key in current and not how.value:
        wrong["instrument"] = (
            "This measure exists already. Send measurements to it, change its goal, or close it."
        )
    if how.value and not (one.get("counterfactual") or "").strip():
        wrong["counterfactual"] = "Describe what would have happened without the system."
    if how.value and one.get("better") not in (None, "", UP, DOWN):
        wrong["better"] = "Choose whether more or less is better."
    if len(one.get("unit") or "") > 40:
        wrong["unit"] = "Use at most 40 letters."
    if how.asked_by and _names(one.get("teams")):
        wrong["teams"] = "A survey gives one figure for everyone who answered. Leave the teams empty."
    if any(len(name) > 120 for name in one.get("teams") or ()):
        wrong["teams"] = "Use at most 120 letters for the name of a team."
    return wrong | _wrong_goal(one, how, one.get("better") or how.better, scope)


def _wrong_goal(fields: Mapping, how, better: str, scope) -> dict[str, str]:
    wrong = {}
    target, baseline, bound = (fields.get(name) for name in ("target", "baseline", "bound"))
    intended = fields.get("intended")
    if target is None:
        wrong["target"] = "Enter a target. The target must be set before the first measurement."
    elif not _possible(target, how):
        wrong["target"] = _impossible(how)
    if baseline is not None and not _possible(baseline, how):
        wrong["baseline"] = _impossible(how)
    if how.baseline and baseline is None:
        wrong["baseline"] = (
            "Enter the figure from the time before the system. Without this baseline, the "
            "gain cannot be measured."
        )
    if baseline is not None and not fields.get("baseline_n"):
        wrong["baseline_n"] = "Enter the sample size of the baseline."
    if not wrong and baseline is not None and (target <= baseline if better == UP else target >= baseline):
        wrong["target"] = "The target is not better than the baseline. Enter a better target."
    if intended is None or not 0 < intended <= MOST_PEOPLE:
        wrong["intended"] = "Enter the number of intended users."
    elif how.newest and scope is not None and intended < scope.user_count:
        wrong["intended"] = f"The scope names {scope.user_count} users. Enter at least this number."
    if bound is not None and (how.blind is None or not 0 < bound < 1):
        wrong["bound"] = "Only overrides and acceptance have this limit. Enter a share between 0 and 100 %."
    return wrong


def _impossible(how) -> str:
    if how.asked_by:
        return f"A survey gives points from {LOWEST} to {HIGHEST}."
    return "Enter a share between 0 and 100 %." if how.share else "The figure is too large. Check the unit."


def _possible(value: float, how) -> bool:
    if how.asked_by:
        return LOWEST <= value <= HIGHEST
    return 0 <= value <= 1 if how.share else abs(value) <= MOST_FIGURE
