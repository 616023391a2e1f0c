"""Synchronisation of findings: saves them, opens and closes holds. It also rewrites supported stages."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from governance import clock
from governance.audit_log import entries
from governance.database import request_memo, row_history
from governance.vocabulary import ObligationKind, Role, Stage
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contributions import contributed
from initiatives.lifecycle.facts import finding_rules, initiative_rows, rulebook_in_effect
from initiatives.lifecycle.findings import alerts
from initiatives.lifecycle.findings.obligations import complete_row, write_obligations
from initiatives.lifecycle.initiative.act import act, batched, rewrite_supported_stages
from initiatives.models import Hold, Initiative, MeasuredAnswer, Obligation, RequirementFinding, System

# Holds that the register alone calls for and closes; residency waits for the chair once its cause is gone.
CALLED_FOR = ("residency", "definition_conflict", "failed_drill")
FAILED_DRILL = "failed_drill"


def follow(initiatives: list[Initiative]) -> list[Initiative]:
    """Save the register's findings against these locked initiatives, set-wise.

    Opens and closes the resulting holds, and rewrites the supported stages of initiatives whose findings changed.
    Returns those initiatives.
    """
    now, keys = clock.now(), [initiative.pk for initiative in initiatives]
    there = finding_rules.there(keys)
    for says, resolve in contributed.resolved_first.items():
        resolve([initiative for initiative in initiatives if initiative.pk in there.by_noun[says]])
    wanted = _dated(initiatives, finding_rules.wanted(keys, there), there)
    rows = RequirementFinding.objects.current().filter(initiative__in=keys)
    known = {(row.initiative_id, _said(row)): row for row in rows}
    kept = dict.fromkeys((key, one) for key in keys for one in wanted.get(key, ()))
    new = [place for place in kept if place not in known]
    gone = [row for place, row in known.items() if place not in kept]
    if gone:
        row_history.update_where(RequirementFinding, [row.pk for row in gone], ended_at=now)
    if new:
        row_history.insert_many(
            RequirementFinding, [RequirementFinding(initiative_id=key, **one.columns()) for key, one in new]
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


def _dated(
    initiatives: list[Initiative], wanted: dict[int, list[finding_rules.Wanted]], there: finding_rules.There
) -> dict[int, list[finding_rules.Wanted]]:
    """Return the findings with the day from which unknown facts count.

    Someone has to find the fact out by that day. The obligation is opened here for an MVP or production, keeps its
    day on every rewrite, and is completed once no fact is unknown. Reported stages have no obligations. There, and
    before the MVP, an unknown fact counts at once.
    """
    asked: dict[tuple[int, str], finding_rules.Wanted] = {}
    for key, found in wanted.items():
        for one in found:
            if one.unknown is not None:
                asked.setdefault((key, one.unknown.key), one)
    keys = {key for key, _ in asked} | (there.finding_out & {initiative.pk for initiative in initiatives})
    by_key = {initiative.pk: initiative for initiative in initiatives}
    due: dict[tuple[int, str], datetime] = {}
    if keys:
        rows = Obligation.objects.open().filter(initiative__in=keys, kind=ObligationKind.UNKNOWN)
        for row in rows.order_by("pk"):
            if (place := (row.initiative_id, row.source)) in asked:
                due[place] = clock.midnight_after(row.due)
            else:
                row.initiative = by_key[row.initiative_id]
                complete_row(row, by=None, note="The register now has the fact, or no longer needs the fact")
        new = {
            (key, source): one
            for (key, source), one in asked.items()
            if (key, source) not in due and _finds_out(by_key[key])
        }
        opened = _to_find_out(by_key, new)
        if opened:
            write_obligations(opened)
        for row in opened:
            due[row.initiative_id, row.source] = clock.midnight_after(row.due)
    return {
        key: [
            replace(
                one,
                since=max(one.since, due.get((key, one.unknown.key), one.since))
                if one.unknown
                else one.since,
                unknown=None,
            )
            for one in found
        ]
        for key, found in wanted.items()
    }


def _finds_out(initiative: Initiative) -> bool:
    return initiative.stage in (Stage.MVP, Stage.PRODUCTION) and not initiative.imported


def _day_to_find_out(initiative: Initiative) -> date:
    freshness = rulebook_in_effect.rulebook_of(initiative).parsed.freshness
    days = freshness.unknown_days_high if initiative.high_risk else freshness.unknown_days
    return clock.today() + timedelta(days=days)


def days_to_find_out(asked: Iterable[tuple[int, str]]) -> dict[tuple[int, str], date]:
    """Return the last day before each unknown fact counts, by initiative and fact.

    The day is that of its open obligation, or of the one that `follow` would open. Facts that count at once have
    none.
    """
    wanted = set(asked)
    keys = {key for key, _ in wanted}
    days = {
        (initiative.pk, source): _day_to_find_out(initiative)
        for initiative in (Initiative.objects.filter(pk__in=keys) if keys else ())
        if _finds_out(initiative)
        for key, source in wanted
        if key == initiative.pk
    }
    rows = Obligation.objects.open().filter(initiative__in=keys, kind=ObligationKind.UNKNOWN)
    found = {(row.initiative_id, row.source): row.due for row in rows} if keys else {}
    return days | {place: due for place, due in found.items() if place in wanted}


def _to_find_out(
    initiatives: dict[int, Initiative], asked: dict[tuple[int, str], finding_rules.Wanted]
) -> list[Obligation]:
    """Return unsaved obligations to find out the unknown facts.

    The owner of the system gets one if they can, else the technical lead, else the owner of the initiative.
    """
    systems = System.objects.select_related("owner").in_bulk(
        {one.system_id for one in asked.values() if one.system_id and one.unknown and one.unknown.of_system}
    )
    found = []
    for (key, source), one in asked.items():
        initiative = initiatives[key]
        held = {role.role: role.person for role in initiative_rows.roles(initiative) if role.in_force}
        system = systems.get(one.system_id) if one.unknown and one.unknown.of_system else None
        people = (system.owner if system else None, held.get(Role.TECHNICAL_LEAD), held.get(Role.OWNER))
        found.append(
            Obligation(
                initiative=initiative,
                kind=ObligationKind.UNKNOWN,
                source=source,
                text=one.unknown.text[:250] if one.unknown else "",
                due=_day_to_find_out(initiative),
                responsible=next(
                    (person for person in people if person is not None and person.is_active), None
                ),
            )
        )
    return found


def _follow_measured(initiatives: list[Initiative], there: finding_rules.There, now: datetime) -> set[int]:
    """Save the measured answers of these initiatives and end past ones. Returns the changed keys."""
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
    """Save the findings again after an app above found something here."""
    there = finding_rules.there([initiative.pk])
    said = any(
        there.by_noun[says] if says in there.by_noun else any(True for _ in says([initiative.pk]))
        for says in contributed.more_says
    )
    return follow([initiative]) if said else []


def _worded(one: finding_rules.Wanted | RequirementFinding, now: datetime) -> str:
    """Return the finding for the audit log, with its first day if that is later."""
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
    """Open, close, mark as liftable or remove that mark. Returns the keys of the changed initiatives."""
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
        why = "The cause is gone"
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
    """Return True if the deciding rulebook asks this at the tier. A requirement not asked opens no hold."""
    return rulebook_in_effect.rulebook_of(initiative).parsed.asks(requirement, initiative.tier)


def _say_anew(rows: list[Hold], calls: dict[tuple[int, str], list[str]]) -> None:
    """Rewrite the reasons of open holds from the present findings."""
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
    """Alert people to holds that opened, count again or have a new failed drill."""
    against = {}
    for row in (*missing, *again, *worse):
        row.initiative = initiatives[row.initiative_id]
        against[row.pk] = [one.requirement for one in wanted[row.initiative_id] if one.hold == row.kind]
    alerts.tell_holds(missing, requirements=against)
    alerts.tell_holds([*again, *worse], requirements=against, anew=True)


def _reason(words: list[str]) -> str:
    return " ".join(dict.fromkeys(words))


def lock_initiatives(keys: Iterable[int]) -> list[Initiative]:
    """Return these initiatives with units, locked in order, in a register act."""
    locked = Initiative.objects.only("pk").all_locked(sorted(set(keys)))
    return list(
        Initiative.objects.select_related("unit").filter(pk__in=[initiative.pk for initiative in locked])
    )


def follow_register() -> list[int]:
    """Save the changes made by time: terms that begin or end, sources that expire. Returns the initiatives.

    Support is right at each moment without this job, which opens and closes the rows of holds. It covers all
    initiatives that ever had a finding or a measured answer, so it restores a row that was ended outside Plumbline.
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
