"""Acts on what runs: versions of components, scope, reported changes and the triggers they pull."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models import Exists, Max, OuterRef, Prefetch, Q

from governance import clock
from governance.authorization import subject_patterns
from governance.database import row_history
from governance.ledger import record
from governance.models import Rulebook, User
from governance.vocabulary import STAGE_RANK, ReviewOutcome, Stage
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.access import permissions as initiative_permissions
from initiatives.components.register.actions import version_named
from initiatives.components.vendors import vendor_named
from initiatives.facts import initiative_rows
from initiatives.findings.sync import follow, follow_more
from initiatives.initiative.act import act, settle_standing
from initiatives.models import (
    ChangeRecord,
    ComponentVersion,
    Coverage,
    Deployment,
    Evidence,
    Initiative,
    Review,
    ScopeVersion,
    System,
    Voiding,
)

# Which trigger a new version pulls, by the layer of its component (rulebook, [triggers]).
TRIGGER_OF_LAYER = {
    "model": "model_version",
    "application": "application_version",
    "integration": "integration_schema",
    "policy": "application_version",
    "runtime": "application_version",
    "observability": "application_version",
}
# Changes people report in words; versions, scope, contract, roles, tier and incidents pull their own triggers.
REPORTED = ("integration_schema", "data_source", "vendor_terms", "workflow", "knowledge_holder")
EARLY = (Stage.PROPOSED, Stage.PROTOTYPE)
# What ends all proof from before, whatever its requirement lists (docs/domain.md, "reopen").
REOPENED = "reopened"


@dataclass(frozen=True)
class Pulled:
    """What one change is about: the initiative, and of its systems the one that changed, where it is one."""

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
    """Write a change and void, from its moment on, exactly what lists a trigger of it and speaks of what changed."""
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
    """The same change on many locked initiatives, read and written together; an item is ended by it once."""
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
    """Save changes of the same triggers with all that they void, and an entry for each."""
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
    record.record_many(EntryKind.CHANGED, told)


def would_void(initiative: Initiative, triggers: list[str], **versions) -> list[Voiding]:
    """What a change would void, without writing anything: for the page that warns before saving."""
    change = ChangeRecord(
        initiative=initiative, what="this change", triggers=triggers, effective_at=clock.now(), **versions
    )
    frozen = _frozen([initiative])[initiative.pk]
    return [
        row for item in _items([initiative.pk], _listing(triggers)) for row in _voidings(item, change, frozen)
    ]


def _listing(triggers: list[str]) -> list[str]:
    """The requirements that list one of these triggers."""
    book = Rulebook.objects.current().book
    return [key for key, asked in book.requirements.items() if {*asked.triggers, REOPENED} & set(triggers)]


def _items(initiatives: Iterable[int], keys: list[str]):
    """What covers any of these requirements on these initiatives; of its coverage, these alone."""
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
    """By initiative, the requirements whose answers its decided gates froze."""
    book = Rulebook.objects.current().book
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
            for gate, frozen in book.carry.frozen.items()
            if gate in decided.get(initiative.pk, ())
            and STAGE_RANK.get(initiative.stage, 0) >= STAGE_RANK[book.gates[gate].to]
            for key in frozen
        }
        for initiative in initiatives
    }


def _voidings(item: Evidence, change: ChangeRecord, frozen: set[str], keys=None) -> list[Voiding]:
    """Unsaved voidings of one item by one change; frozen answers are never voided (docs/domain.md, invariant 8)."""
    if not touches(item, change):
        return []
    book = Rulebook.objects.current().book
    rows = []
    for cover in item.coverage.all():
        key = cover.requirement
        if (keys is not None and key not in keys) or key in frozen or key not in book.requirements:
            continue
        listed = {*book.requirements[key].triggers, REOPENED}
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
    """Whether what changed is among what the item speaks of. What names the incoming version stands."""
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
    """Void a newly added item by the changes that came, or are planned to come, after it was observed."""
    rows, frozen = [], _frozen([initiative])[initiative.pk]
    for change in initiative.changes.select_related("system"):
        before = REOPENED in change.triggers and item.added_at <= change.effective_at
        if before or clock.local_day(change.effective_at) > item.observed_on:
            rows += _voidings(item, change, frozen, keys)
    Voiding.objects.bulk_create(rows)


def record_component(
    *,
    initiative: Initiative,
    listed: ComponentVersion | None = None,
    layer: str = "",
    name: str = "",
    version: str = "",
    vendor: str = "",
    region: str = "",
    replaces: Deployment | None = None,
    runs_from: datetime | None = None,
    approver: User | None = None,
    rollback: str = "",
    by: User,
) -> Deployment:
    """Record that a version of a component runs, now or from a moment to come.

    `listed`: its row of the register; else layer, name and version are said. What the register lacks is proposed to it
    with its vendor, by default that of the last version of this name. It takes the part of `replaces`, else of what has
    its layer and name, else a part of its own. Where data pass through the part, they are in its region from then on.
    A first version voids nothing. Raises ValidationError or Refused.
    """
    if listed is not None and any(text.strip() for text in (layer, name, version, vendor)):
        raise ValidationError({"listed": "Choose a row of the register or name a component, not both."})
    if (
        listed is not None
        and listed.region
        and region.strip().casefold() not in ("", listed.region.casefold())
    ):
        raise ValidationError({"region": f"The register lists {listed}. Leave the region empty."})
    if replaces is not None and replaces.initiative_id != initiative.pk:
        raise ValidationError({"replaces": "Choose something that this initiative runs."})
    with act("record component", by=by, initiative=initiative, register=True) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        last = initiative.deployments.last_named(*((listed.layer, listed.name) if listed else (layer, name)))
        if listed is None:
            maker = vendor_named(vendor) or (last.version.vendor if last else None)
            listed = version_named(layer, maker, name, version, region, by=by)
        incoming = Deployment(
            initiative=initiative,
            part=_part(initiative, listed, replaces or last),
            version=listed,
            region=region.strip() or listed.region,
            runs_from=runs_from or clock.now(),
        )
        start_version(initiative, incoming, approver=approver, rollback=rollback, by=by)
    return incoming


def _part(initiative: Initiative, row: ComponentVersion, replaces: Deployment | None) -> int:
    """The part of the initiative that a version takes. Raises ValidationError for another layer in the same part."""
    if replaces is None:
        return (initiative.deployments.aggregate(last=Max("part"))["last"] or 0) + 1
    if replaces.version.layer != row.layer:
        raise ValidationError({"replaces": f"{replaces} is in another layer than {row}. Choose another."})
    return replaces.part


def start_version(
    initiative: Initiative,
    incoming: Deployment,
    *,
    approver: User | None = None,
    rollback: str = "",
    by: User,
) -> list[Voiding]:
    """Let a version run in the running act on the locked initiative, in place of the one before in its part; what that
    voids.

    Raises ValidationError where the one before begins later.
    """
    start, layer = incoming.runs_from, incoming.version.layer
    in_part = initiative.deployments.filter(part=incoming.part).select_related("version")
    outgoing = in_part.filter(runs_to__isnull=True).first()
    if outgoing is not None:
        if start < outgoing.runs_from:
            raise ValidationError(
                {"runs_from": f"{outgoing} runs from {outgoing.runs_from:%-d %B %Y}; choose a later moment."}
            )
        outgoing.runs_to = start
        outgoing.save()
    incoming.save()
    record.record(
        EntryKind.COMPONENT_RECORDED,
        initiative=initiative,
        layer=layer,
        version=str(incoming),
        vendor=incoming.version.vendor.name if incoming.version.vendor else "",
        runs_from=start,
        replaces=str(outgoing) if outgoing else None,
    )
    change = None
    if outgoing is not None:
        change = pull(
            initiative,
            [TRIGGER_OF_LAYER[layer]],
            f"{outgoing} to {incoming}"[:250],  # as much as a change takes
            by=by,
            effective_at=start,
            layer=layer,
            outgoing=outgoing,
            incoming=incoming,
            approver=approver,
            rollback=rollback.strip(),
        )
    told = in_part.filter(
        Q(transfers__ended_at__isnull=True, transfers__isnull=False) | Q(version__end_of_life__isnull=False)
    ).exists()
    if not (follow([initiative]) if told else follow_more(initiative)):
        settle_standing(initiative)
    return list(Voiding.objects.filter(change=change).select_related("evidence")) if change else []


def widened(old: ScopeVersion, new: ScopeVersion) -> bool:
    """Whether users, departments, geography or data classes grew (rulebook, trigger `scope`).

    Test subjects are no users: to declare more of them, which only tells more, ends no proof.
    """
    grew = (
        new.user_count > old.user_count
        or (new.live_data and not old.live_data)
        or (new.rollout and not old.rollout)
    )
    return grew or any(
        set(getattr(new, name)) - set(getattr(old, name))
        for name in ("departments", "places", "data_classes")
    )


def check_scope(initiative: Initiative, fields: dict, for_stage: str) -> dict:
    """What is wrong with a scope, by field; empty when nothing is. A prototype has no rollout and no live data."""
    wrong = {}
    if not str(fields.get("users") or "").strip():
        wrong["users"] = "Say who uses it."
    if fields.get("user_count") is None or fields["user_count"] < 0:
        wrong["user_count"] = "Give the number of users; 0 is an answer."
    if fields.get("ends_on") and fields["ends_on"] < clock.today():
        wrong["ends_on"] = "The end lies in the past."
    if trouble := subject_patterns.wrong_with(fields.get("test_subjects") or ()):
        wrong["test_subjects"] = trouble
    early = initiative.stage in EARLY and not for_stage
    if early and fields.get("rollout"):
        wrong["rollout"] = "A prototype has no rollout. Plan this scope for the MVP stage instead."
    if early and fields.get("live_data"):
        wrong["live_data"] = "A prototype has no production data. Plan this scope for the MVP stage instead."
    if for_stage and STAGE_RANK.get(for_stage, 0) != STAGE_RANK.get(initiative.stage, 9) + 1:
        wrong["for_stage"] = "A scope is planned for the next stage only."
    return wrong


def record_scope(*, initiative: Initiative, for_stage: str = "", by: User, **fields) -> ScopeVersion:
    """Record the scope in force from now, or the one planned for the next stage; a wider one pulls `scope`.

    Fields: users, departments, places, data_classes, test_subjects (lists), user_count, ends_on, rollout, live_data.
    """
    with act("record scope", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        if wrong := check_scope(initiative, fields, for_stage):
            raise ValidationError(wrong)
        scope = new_scope(initiative, for_stage, by, fields)
        for planned in initiative.scopes.filter(starts_at__isnull=True, ended_at__isnull=True):
            if for_stage:
                planned.ended_at = clock.now()
                planned.save()
        if not for_stage:
            start_scope(initiative, scope, scope_now(initiative_rows.rows(initiative, "scopes")), by=by)
            rewritten = follow([initiative])  # which teams have to be read hangs on it
        else:
            scope.save()
            record.record(
                EntryKind.SCOPE_PLANNED,
                initiative=initiative,
                number=scope.number,
                users=scope.user_count,
                stage=for_stage,
            )
            rewritten = []
        if not rewritten:
            settle_standing(initiative)
    return scope


def new_scope(initiative, for_stage, by, fields) -> ScopeVersion:
    """The next version of the scope of the locked initiative, in force or planned for a stage; not saved."""
    last = initiative.scopes.order_by("-number").first()
    return ScopeVersion(
        initiative=initiative, number=(last.number if last else 0) + 1, for_stage=for_stage, by=by, **fields
    )


def scope_now(scopes: list[ScopeVersion]) -> ScopeVersion | None:
    """The one of these scopes of an initiative that is in force."""
    running = (row for row in scopes if row.starts_at and row.ended_at is None)
    return max(running, key=lambda row: row.number, default=None)


def start_scope(
    initiative: Initiative, scope: ScopeVersion, outgoing: ScopeVersion | None, *, by: User
) -> None:
    """Put a scope in force inside the running act: `outgoing` ends, and the trigger `scope` is pulled where it grew."""
    if outgoing is not None:
        outgoing.ended_at = clock.now()
        row_history.update_alike(ScopeVersion, [outgoing], ["ended_at"])
    scope.starts_at = clock.now()
    if scope.pk is None:
        scope.save()
    else:
        row_history.update_alike(ScopeVersion, [scope], ["starts_at"])
    record.record(
        EntryKind.SCOPE_IN_FORCE,
        initiative=initiative,
        number=scope.number,
        users=scope.user_count,
        replaces=outgoing.number if outgoing else None,
    )
    if outgoing is not None and widened(outgoing, scope):
        pull(
            initiative,
            ["scope"],
            f"Scope {outgoing.user_count} -> {scope.user_count} users"
            if outgoing.user_count != scope.user_count
            else f"Scope {outgoing.number} -> {scope.number}",
            by=by,
            outgoing_scope=outgoing,
            incoming_scope=scope,
        )


def report_change(
    *, initiative: Initiative, triggers: list[str], what: str, effective_at: datetime | None = None, by: User
) -> ChangeRecord:
    """Report a change that no version shows: a source moved, vendor terms changed, a workflow was redesigned."""
    wrong = {}
    if not what.strip():
        wrong["what"] = "Say what changed; it becomes the cause shown beside voided evidence."
    if not triggers or set(triggers) - set(REPORTED):
        wrong["triggers"] = "Choose at least one kind of change from the list."
    if wrong:
        raise ValidationError(wrong)
    with act("report change", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        change = pull(initiative, list(triggers), what.strip(), by=by, effective_at=effective_at)
        settle_standing(initiative)
    return change


def complete_change(*, change: ChangeRecord, approver: User, rollback: str, by: User) -> ChangeRecord:
    """Add who approved a change of what runs, and the way back."""
    if not rollback.strip():
        raise ValidationError({"rollback": "Say how the change is undone."})
    with act("complete change", by=by, initiative=change.initiative_id) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        change = ChangeRecord.objects.get(pk=change.pk)
        change.approver, change.rollback = approver, rollback.strip()
        change.save()
        record.record(
            EntryKind.CHANGE_COMPLETED, initiative=initiative, what=change.what, approver=approver.full_name
        )
    return change
