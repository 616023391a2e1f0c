"""Findings synchronised to initiatives: findings written down, holds opened and closed, supported stages
rewritten.
"""

from collections.abc import Iterable
from datetime import datetime

from governance import clock
from governance.audit_log import entries
from governance.database import request_memo, row_history
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contributions import contributed
from initiatives.lifecycle.facts import finding_rules, rulebook_in_effect
from initiatives.lifecycle.findings import alerts
from initiatives.lifecycle.initiative.act import act, batched, rewrite_supported_stages
from initiatives.models import Hold, Initiative, MeasuredAnswer, RequirementFinding

# Holds that the register alone calls for and closes; residency waits for the chair once its cause is gone.
CALLED_FOR = ("residency", "definition_conflict", "failed_drill")
FAILED_DRILL = "failed_drill"


def follow(initiatives: list[Initiative]) -> list[Initiative]:
    """Write down what the register says against these locked initiatives, in the running act, set-wise.

    Opens and closes the holds that this calls for and rewrites the supported stages of initiatives of which it says
    something else than before; returns those.
    """
    now, keys = clock.now(), [initiative.pk for initiative in initiatives]
    there = finding_rules.there(keys)
    for says, resolve in contributed.resolved_first.items():
        resolve([initiative for initiative in initiatives if initiative.pk in there.by_noun[says]])
    wanted = finding_rules.wanted(keys, there)
    rows = RequirementFinding.objects.current().filter(initiative__in=keys)
    known = {(row.initiative_id, _said(row)): row for row in rows}
    kept = dict.fromkeys((key, one) for key in keys for one in wanted.get(key, ()))
    new = [place for place in kept if place not in known]
    gone = [row for place, row in known.items() if place not in kept]
    if gone:
        row_history.update_where(RequirementFinding, [row.pk for row in gone], ended_at=now)
    if new:
        row_history.insert_many(
            RequirementFinding, [RequirementFinding(initiative_id=key, **vars(one)) for key, one in new]
        )
    touched = {row.initiative_id for row in gone} | {key for key, _ in new}
    said: dict[int, dict[str, list]] = {
        initiative.pk: {"against": [], "gone": []} for initiative in initiatives if initiative.pk in touched
    }
    for key, one in new:
        said[key]["against"].append([one.requirement, _worded(one, now)])
    for row in gone:
        said[row.initiative_id]["gone"].append([row.requirement, _worded(row, now)])
    entries.record_many(
        EntryKind.REGISTER_FOUND,
        [(initiative, said[initiative.pk]) for initiative in initiatives if initiative.pk in touched],
    )
    held = _follow_holds(initiatives, wanted)
    measured = _follow_measured(initiatives, there, now)
    rewritten = [initiative for initiative in initiatives if initiative.pk in touched | held | measured]
    if rewritten:
        rewrite_supported_stages(rewritten)
    return rewritten


def _follow_measured(initiatives: list[Initiative], there: finding_rules.There, now: datetime) -> set[int]:
    """Write down what is measured of these initiatives, and what is no more; returns the keys of the initiatives
    touched.
    """
    found: dict[tuple[int, finding_rules.Measurable], None] = {}
    for measures in contributed.measures:
        if keys := there.to_ask(measures):
            found |= dict.fromkeys(measures(keys))
    rows = MeasuredAnswer.objects.current().filter(
        initiative__in=[initiative.pk for initiative in initiatives]
    )
    known = {(row.initiative_id, _measured(row)): row for row in rows}
    new = [place for place in found if place not in known]
    gone = [row for place, row in known.items() if place not in found]
    if gone:
        row_history.update_where(MeasuredAnswer, [row.pk for row in gone], ended_at=now)
    if new:
        row_history.insert_many(
            MeasuredAnswer, [MeasuredAnswer(initiative_id=key, **vars(one)) for key, one in new]
        )
    return {row.initiative_id for row in gone} | {key for key, _ in new}


def _measured(row: MeasuredAnswer) -> finding_rules.Measurable:
    return finding_rules.Measurable(row.requirement, row.way, row.source, row.words, row.since, row.until)


def follow_more(initiative: Initiative) -> list[Initiative]:
    """The same where apps above have found something out about this locked initiative, which is what may have
    changed.
    """
    there = finding_rules.there([initiative.pk])
    said = any(
        there.by_noun[says] if says in there.by_noun else any(True for _ in says([initiative.pk]))
        for says in contributed.more_says
    )
    return follow([initiative]) if said else []


def _worded(one: finding_rules.Wanted | RequirementFinding, now: datetime) -> str:
    """What the audit log keeps of it: what is not so yet is told with the day from which it will be."""
    return one.words if one.since <= now else f"From {clock.local_day(one.since):%-d %B %Y}: {one.words}"


def _said(row: RequirementFinding) -> finding_rules.Wanted:
    return finding_rules.Wanted(
        row.requirement,
        row.source,
        row.words,
        row.fix,
        row.who,
        row.since,
        row.until,
        row.hold,
        row.system_id,
    )


def _follow_holds(initiatives: list[Initiative], wanted: dict[int, list[finding_rules.Wanted]]) -> set[int]:
    """Open, close, mark as liftable or take that mark away; returns the keys of the initiatives touched."""
    now = clock.now()
    calls: dict[tuple[int, str], list[str]] = {}
    by_key = {initiative.pk: initiative for initiative in initiatives}
    with request_memo.one_look():
        for key, found in wanted.items():
            for one in found:
                if one.hold and one.counts_at(now) and _asked(by_key[key], one.requirement):
                    calls.setdefault((key, one.hold), []).append(one.words)
    rows = Hold.objects.open().filter(
        initiative__in=[initiative.pk for initiative in initiatives],
        kind__in=CALLED_FOR,
        opened_by__isnull=True,
    )
    opened = {(row.initiative_id, row.kind): row for row in rows}
    missing = [
        Hold(initiative_id=key, kind=kind, reason=_reason(words), opened_at=now)
        for (key, kind), words in calls.items()
        if (key, kind) not in opened
    ]
    if missing:
        row_history.insert_many(Hold, missing)
        told = [(by_key[row.initiative_id], {"hold_kind": row.kind, "why": row.reason}) for row in missing]
        entries.record_many(EntryKind.HOLD_OPENED, told)
    ended = [row for place, row in opened.items() if place not in calls]
    closing = [row for row in ended if row.kind != "residency"]
    waiting = [row for row in ended if row.kind == "residency" and row.liftable_since is None]
    again = [row for place, row in opened.items() if place in calls and row.liftable_since is not None]
    if closing:
        why = "Its cause is gone"
        row_history.update_where(Hold, [row.pk for row in closing], lifted_at=now, lift_reason=why)
        entries.record_many(
            EntryKind.HOLD_LIFTED,
            [(by_key[row.initiative_id], {"hold_kind": row.kind, "why": why}) for row in closing],
        )
    if waiting:
        row_history.update_where(Hold, [row.pk for row in waiting], liftable_since=now)
    if again:
        row_history.update_where(Hold, [row.pk for row in again], liftable_since=None)
    current = [row for place, row in opened.items() if place in calls]
    worse = [
        row
        for row in current
        if row.kind == FAILED_DRILL
        and any(words not in row.reason for words in calls[row.initiative_id, row.kind])
    ]
    _say_anew(current, calls)
    _tell(missing, again, worse, by_key, wanted)
    return {row.initiative_id for row in (*missing, *ended, *again)}


def _asked(initiative: Initiative, requirement: str) -> bool:
    """Whether the rulebook that decides for the initiative asks this at its tier: what is left out holds nothing."""
    return rulebook_in_effect.rulebook_of(initiative).parsed.asks(requirement, initiative.tier)


def _say_anew(rows: list[Hold], calls: dict[tuple[int, str], list[str]]) -> None:
    """Open holds say what calls for them now."""
    other: dict[str, list[int]] = {}
    for row in rows:
        reason = _reason(calls[row.initiative_id, row.kind])
        if reason != row.reason:
            other.setdefault(reason, []).append(row.pk)
    for reason, keys in other.items():
        row_history.update_where(Hold, keys, reason=reason)
    for row in rows:
        row.reason = _reason(calls[row.initiative_id, row.kind])


def _tell(
    missing: list[Hold],
    again: list[Hold],
    worse: list[Hold],
    initiatives: dict[int, Initiative],
    wanted: dict[int, list[finding_rules.Wanted]],
) -> None:
    """That holds were opened, stand again after they could have been lifted, or that another drill failed meanwhile."""
    against = {}
    for row in (*missing, *again, *worse):
        row.initiative = initiatives[row.initiative_id]
        against[row.pk] = [one.requirement for one in wanted[row.initiative_id] if one.hold == row.kind]
    alerts.tell_holds(missing, requirements=against)
    alerts.tell_holds([*again, *worse], requirements=against, anew=True)


def _reason(words: list[str]) -> str:
    return " ".join(dict.fromkeys(words))


def lock_initiatives(keys: Iterable[int]) -> list[Initiative]:
    """These initiatives with their units, locked in the order of their keys, in a running act on the register."""
    locked = Initiative.objects.only("pk").all_locked(sorted(set(keys)))
    return list(
        Initiative.objects.select_related("unit").filter(pk__in=[initiative.pk for initiative in locked])
    )


def follow_register() -> list[int]:
    """What time does: terms that begin or end, sources that go out of date. Returns the initiatives that changed.

    What is supported is right at each moment without it; the rows of holds are opened and closed here. Initiatives of
    which anything was ever found or measured are among them: a row that was ended past Plumbline stands again.
    """
    keys = sorted(
        set(RequirementFinding.objects.values_list("initiative", flat=True))
        | set(MeasuredAnswer.objects.values_list("initiative", flat=True))
        | set(Hold.objects.open().filter(kind__in=CALLED_FOR).values_list("initiative", flat=True))
        | {key for rows in contributed.changing for key in rows().values_list("initiative", flat=True)}
        | set(Initiative.objects.filter(links__ended_at__isnull=True).values_list("pk", flat=True))
    )
    changed = []
    for some in batched(keys):
        with act("follow register", system="register job"):
            changed += [initiative.pk for initiative in follow(lock_initiatives(some))]
    return changed
