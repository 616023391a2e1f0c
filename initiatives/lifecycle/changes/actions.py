"""Acts on changes. A recorded change voids the evidence that lists its trigger."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Prefetch

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import Rulebook, User
from governance.vocabulary import STAGE_RANK, ReviewOutcome
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.facts.initiative_rows import first_day_of
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import (
    ChangeRecord,
    Coverage,
    Evidence,
    Initiative,
    Review,
    System,
    Voiding,
)

# Changes people report in words; versions, scope, contract, roles, tier and incidents pull their own triggers.
REPORTED = ("integration_schema", "data_source", "vendor_terms", "workflow", "knowledge_holder")
# What ends all evidence from before, whatever its requirement lists (docs/domain.md, "reopen").
REOPENED = "reopened"


@dataclass(frozen=True)
class Pulled:
    """The subject of one change: an initiative, and the one system that changed."""

    initiative: Initiative
    system: System | None = None


def pull(
    initiative: Initiative,
    triggers: list[str],
    what: str,
    *,
    by: User | None,
    effective_at: datetime | None = None,
    **versions,
) -> ChangeRecord:
    """Record a change, and void what lists its trigger and names what changed. It voids from its moment on."""
    change = ChangeRecord(
        initiative=initiative,
        what=what,
        triggers=triggers,
        effective_at=effective_at or clock.now(),
        recorded_by=by,
        recorded_at=clock.now(),
        **versions,
    )
    _write([change])
    return change


def pull_many(
    pulled: list[Pulled],
    triggers: list[str],
    what: str,
    *,
    by: User | None,
    effective_at: datetime | None = None,
) -> list[ChangeRecord]:
    """Record the same change on many locked initiatives, with shared queries. It ends an item once."""
    now = clock.now()
    changes = [
        ChangeRecord(
            initiative=one.initiative,
            what=what,
            triggers=triggers,
            effective_at=effective_at or now,
            recorded_by=by,
            recorded_at=now,
            system=one.system,
        )
        for one in pulled
    ]
    if changes:
        _write(changes)
    return changes


def _write(changes: list[ChangeRecord]) -> None:
    """Save changes of the same triggers with their voidings, and an entry for each."""
    row_history.insert_many(ChangeRecord, changes)
    initiatives = {change.initiative_id: change.initiative for change in changes}
    frozen = _frozen(list(initiatives.values()))
    items: dict[int, list[Evidence]] = {}
    for item in _items(initiatives, _listing(changes[0].triggers)):
        items.setdefault(item.initiative_id, []).append(item)
    ended: set[tuple[int, str]] = set()
    rows, told = [], []
    for change in changes:
        found = [
            row
            for item in items.get(change.initiative_id, ())
            for row in _voidings(item, change, frozen[change.initiative_id])
            if (item.pk, row.requirement) not in ended
        ]
        ended |= {(row.evidence_id, row.requirement) for row in found}
        rows += found
        facts = {
            "what": change.what,
            "triggers": change.triggers,
            "effective_at": change.effective_at,
            "voided": [[row.evidence_id, row.requirement] for row in found],
        }
        told.append((initiatives[change.initiative_id], facts))
    Voiding.objects.bulk_create(rows)
    entries.record_many(EntryKind.CHANGED, told)


def would_void(initiative: Initiative, triggers: list[str], **versions) -> list[Voiding]:
    """Return the voidings of a possible change, unsaved, for the page that warns."""
    change = ChangeRecord(
        initiative=initiative, what="this change", triggers=triggers, effective_at=clock.now(), **versions
    )
    frozen = _frozen([initiative])[initiative.pk]
    return [
        row for item in _items([initiative.pk], _listing(triggers)) for row in _voidings(item, change, frozen)
    ]


def _listing(triggers: list[str]) -> list[str]:
    """Return the requirements that list one of these triggers."""
    rulebook = Rulebook.objects.current().parsed
    return [
        key for key, asked in rulebook.requirements.items() if {*asked.triggers, REOPENED} & set(triggers)
    ]


def _items(initiatives: Iterable[int], keys: list[str]):
    """Return items that cover one of these requirements, with that coverage only."""
    covers = Coverage.objects.filter(requirement__in=keys)
    return (
        Evidence.objects.filter(
            Exists(covers.filter(evidence=OuterRef("pk"))),
            initiative__in=list(initiatives),
            withdrawn_at__isnull=True,
        )
        .defer("note")
        .prefetch_related(Prefetch("coverage", covers), "names__deployment")
        .order_by("id")
    )


def _frozen(initiatives: list[Initiative]) -> dict[int, set[str]]:
    """Return by initiative the requirements whose answers its decided gates froze."""
    rulebook = Rulebook.objects.current().parsed
    approved = Review.objects.filter(
        initiative__in=[initiative.pk for initiative in initiatives],
        outcome__in=[ReviewOutcome.APPROVED, ReviewOutcome.WITH_CONDITIONS],
    )
    decided: dict[int, set[str]] = {}
    for initiative, gate in approved.values_list("initiative", "gate"):
        decided.setdefault(initiative, set()).add(gate)
    return {
        initiative.pk: {
            key
            for gate, frozen in rulebook.carry.frozen.items()
            if gate in decided.get(initiative.pk, ())
            and STAGE_RANK.get(initiative.stage, 0) >= STAGE_RANK[rulebook.gates[gate].to]
            for key in frozen
        }
        for initiative in initiatives
    }


def _voidings(item: Evidence, change: ChangeRecord, frozen: set[str], keys=None) -> list[Voiding]:
    """Return unsaved voidings of one item by one change. Frozen answers are kept (docs/domain.md, invariant 8)."""
    if not touches(item, change):
        return []
    rulebook = Rulebook.objects.current().parsed
    rows = []
    for cover in item.coverage.all():
        key = cover.requirement
        if (keys is not None and key not in keys) or key in frozen or key not in rulebook.requirements:
            continue
        listed = {*rulebook.requirements[key].triggers, REOPENED}
        trigger = next((name for name in change.triggers if name in listed), None)
        if trigger is not None:
            rows.append(
                Voiding(
                    evidence=item,
                    requirement=key,
                    trigger=trigger,
                    cause=change.what,
                    change=change,
                    effective_at=change.effective_at,
                    recorded_at=clock.now(),
                )
            )
    return rows


def touches(item: Evidence, change: ChangeRecord) -> bool:
    """Return True if the change affects what the item names. An item that names the incoming version is unaffected."""
    names = list(item.names.all())
    if change.incoming_id:
        named = [name.deployment for name in names if name.deployment_id]
        if any(one.pk == change.incoming_id for one in named):
            return False
        return not named or any(one.part == change.incoming.part for one in named)
    if change.incoming_scope_id:
        return not any(name.scope_version_id == change.incoming_scope_id for name in names)
    if change.incoming_contract_id:
        return not any(name.contract_version_id == change.incoming_contract_id for name in names)
    if change.system_id:
        systems = {name.system_id for name in names if name.system_id}  # a collection speaks of its sources
        return not systems or bool(systems & {change.system_id, change.system.collection_id})
    return True


def void_late(initiative: Initiative, item: Evidence, keys=None) -> None:
    """Void a new item by the changes made, or planned, after the first day on which its content was there."""
    changes = list(initiative.changes.select_related("system"))
    if not changes:
        return
    rows, frozen, first = [], _frozen([initiative])[initiative.pk], first_day_of(item)
    for change in changes:
        before = REOPENED in change.triggers and item.added_at <= change.effective_at
        if before or clock.local_day(change.effective_at) > first:
            rows += _voidings(item, change, frozen, keys)
    Voiding.objects.bulk_create(rows)


def report_change(
    *, initiative: Initiative, triggers: list[str], what: str, effective_at: datetime | None = None, by: User
) -> ChangeRecord:
    """Report a change without a version, such as new vendor terms or a moved source."""
    wrong = {}
    if not what.strip():
        wrong["what"] = (
            "Describe what changed. This text is shown beside evidence that no longer counts after the change."
        )
    if not triggers or set(triggers) - set(REPORTED):
        wrong["triggers"] = "Choose at least one kind of change from the list."
    if wrong:
        raise ValidationError(wrong)
    with act("report change", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        change = pull(initiative, list(triggers), what.strip(), by=by, effective_at=effective_at)
        rewrite_supported_stage(initiative)
    return change


def complete_change(*, change: ChangeRecord, approver: User, rollback: str, by: User) -> ChangeRecord:
    """Add the approver of a change of what runs, and its rollback."""
    if not rollback.strip():
        raise ValidationError({"rollback": "Describe how the change can be undone."})
    with act("complete change", by=by, initiative=change.initiative_id) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        change = ChangeRecord.objects.get(pk=change.pk)
        change.approver, change.rollback = approver, rollback.strip()
        change.save()
        entries.record(
            EntryKind.CHANGE_COMPLETED, initiative=initiative, what=change.what, approver=approver.full_name
        )
    return change
