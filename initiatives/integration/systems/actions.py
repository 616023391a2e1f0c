"""Acts on systems, which are described once for all initiatives tied to them.

A source that is added, frozen, moved, retired or loses its owner pulls `data_source` in its initiatives, bound to
that system, and voids earlier evidence (triggers of the rulebook, S1-14, S1-24).
"""

from datetime import date

from django.core.exceptions import ValidationError
from django.db.models import Q

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import in_the_future, phrase
from initiatives.integration.systems import permissions
from initiatives.lifecycle.changes.actions import Pulled, pull_many
from initiatives.lifecycle.findings.sync import follow, lock_initiatives
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stages
from initiatives.models import Customisation, Evidence, Initiative, Link, System
from initiatives.models.integration.systems import SYSTEM_KINDS

COLLECTION = "knowledge_collection"
LONGEST_CAUSE = 250
# The described fields of a system. All other fields are internal.
FIELDS = (
    "name",
    "kind",
    "vendor",
    "unit",
    "location",
    "purpose",
    "owner",
    "source_of_truth_for",
    "editable",
    "last_updated_on",
    "updated_every_days",
    "organised_on",
    "in_service_since",
    "regions",
    "knowledge_holder",
    "collection",
    "duplicate_of",
    "source_key",
)
_PAST = ("last_updated_on", "organised_on", "in_service_since")

# Fields that only `may_decide_on` changes, because they end evidence or decide which terms bind elsewhere.
DECIDED = frozenset({"owner", "editable", "regions", "location", "vendor"})


def describe_system(*, by: User, **fields) -> System:
    """Describe a system, once for all initiatives. `fields` are of FIELDS, at least name and kind.

    A new member of a linked collection is a further source for its initiatives. Raises ValidationError or Refused.
    """
    system = System(described_by=by, described_at=clock.now())
    _take(system, fields)
    with act("describe system", by=by, register=True):
        permissions.may_describe(by).or_refuse()
        _check(system)
        if system.collection is not None:
            permissions.may_change_system(system.collection, by).or_refuse()
        initiatives = _locked(system)
        system.save()
        entries.record(
            EntryKind.SYSTEM_DESCRIBED, system=system.name, system_id=system.pk, said=said_of(system)
        )
        reach(
            initiatives,
            f"{system} was added as a source of {system.collection}",
            system=system.collection,
            by=by,
        )
    return system


def change_system(*, system: System, by: User, **fields) -> System:
    """Change the data of a system, its owner included. Fields that are not named stay.

    A call without a change leaves no entry. A system that is frozen, moved (location or regions), loses its owner, or
    leaves a collection pulls `data_source` on the initiatives tied to it. A first description of these facts does
    not.
    """
    with act("change system", by=by, register=True):
        system = _fresh(system)
        permissions.may_change_system(system, by).or_refuse()
        before, was = said_of(system), System.objects.select_related("collection", "owner").get(pk=system.pk)
        _take(system, fields)
        _check(system, was)
        if system.collection_id != was.collection_id:
            for collection in (system.collection, was.collection):
                if collection is not None:
                    permissions.may_change_system(collection, by).or_refuse()
        after = said_of(system)
        changed = [name for name in after if after[name] != before[name]]
        if not changed:
            return system
        if DECIDED & set(changed):
            permissions.may_decide_on(was, by).or_refuse()
        initiatives = _locked(system, was)
        left = was.collection if was.collection_id not in (None, system.collection_id) else None
        joined = system.collection if system.collection_id not in (None, was.collection_id) else None
        if left is not None:
            _pull_on(initiatives, left, f"{system} is no longer a source of {left}", system=was, by=by)
        system.save()
        entries.record(
            EntryKind.SYSTEM_CHANGED,
            system=system.name,
            system_id=system.pk,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
        if joined is not None:
            _pull_on(initiatives, joined, f"{system} was added as a source of {joined}", system=joined, by=by)
        reach(initiatives, _cause(was, system), system=system, by=by)
    return system


def _cause(was: System, system: System) -> str:
    """Return how a source changed in a way that voids evidence, or an empty text."""
    causes = []
    if system.editable is False and was.editable is not False:
        causes.append(f"{system} was frozen: no one can edit it")
    if was.owner_id is not None and system.owner_id is None:
        causes.append(f"{system} has lost its owner")
    for name, words in (("location", "location"), ("regions", "regions")):
        old, new = getattr(was, name), getattr(system, name)
        if old and old != new:
            old, new = (", ".join(one) if isinstance(one, list) else one for one in (old, new))
            causes.append(f"{system} moved, {words}: {old} -> {new or 'not known'}")
    return "; ".join(causes)


def disown_system(*, system: System, reason: str, by: User) -> System:
    """Remove the named owner of a system at their word, and update its initiatives."""
    if not reason.strip():
        raise ValidationError({"reason": "Name the real owner, or explain why you are not the owner."})
    with act("disown system", by=by, register=True, reason=reason):
        system = _fresh(system)
        permissions.may_disown(system, by).or_refuse()
        initiatives = _locked(system)
        system.owner = None
        system.save()
        entries.record(EntryKind.SYSTEM_DISOWNED, system=system.name, system_id=system.pk, why=reason.strip())
        reach(initiatives, f"{system} has lost its owner", system=system, by=by)
    return system


def retire_system(*, system: System, reason: str, by: User) -> System:
    """Record that a system is retired. Initiatives still tied to it are notified, and lack the source."""
    if not reason.strip():
        raise ValidationError({"reason": "Describe what happened to the system, and name its replacement."})
    with act("retire system", by=by, register=True, reason=reason):
        system = _fresh(system)
        if system.retired_at is not None:
            raise Conflict("This system was retired already.")
        permissions.may_decide_on(system, by).or_refuse()
        current = system.members.current().count()
        if current:
            raise ValidationError(
                {
                    "reason": phrase(
                        "{} sources of this collection are still in use. Retire them first, or move them to "
                        "another collection.",
                        current,
                    )
                }
            )
        initiatives = _locked(system)
        system.retired_at, system.retired_by, system.retired_reason = clock.now(), by, reason.strip()
        system.save()
        entries.record(EntryKind.SYSTEM_RETIRED, system=system.name, system_id=system.pk, why=reason.strip())
        reach(initiatives, f"{system} was retired", system=system, by=by)
    return system


def add_customisation(
    *, system: System, team: str, what: str, since: date | None = None, by: User
) -> Customisation:
    """Record that a team changed a system for itself, and since when (S1-2)."""
    wrong = {}
    if not team.strip():
        wrong["team"] = "Name the team."
    if not what.strip():
        wrong["what"] = "Describe the change: fields, statuses, rules."
    if since is not None and since > clock.today():
        wrong["since"] = in_the_future(since, clock.today())
    if wrong:
        raise ValidationError(wrong)
    with act("add customisation", by=by, register=True):
        system = _fresh(system)
        permissions.may_change_system(system, by).or_refuse()
        row = Customisation(
            system=system, team=team.strip(), what=what.strip(), since=since, by=by, at=clock.now()
        )
        row.save()
        entries.record(
            EntryKind.CUSTOMISATION_ADDED,
            system=system.name,
            system_id=system.pk,
            team=row.team,
            what=row.what,
            since=since,
        )
    return row


def close_customisation(*, customisation: Customisation, by: User) -> Customisation:
    """Record that a team's customisation is gone, from today."""
    with act("close customisation", by=by, register=True):
        row = Customisation.objects.select_related("system__owner").get(pk=customisation.pk)
        permissions.may_change_system(row.system, by).or_refuse()
        if row.ended_on is not None:
            raise Conflict("This customisation has already ended.")
        row.ended_on = clock.today()
        row.save()
        entries.record(
            EntryKind.CUSTOMISATION_CLOSED, system=row.system.name, system_id=row.system_id, team=row.team
        )
    return row


# What the acts on the register share


def reach(
    initiatives: list[Initiative], what: str = "", *, system: System | None = None, by: User | None
) -> None:
    """Update these locked initiatives after a change, with voidings and findings.

    `what` is the cause if a source changed. It pulls `data_source`, bound to `system`, if there is evidence.
    """
    pulled = _pull_all(initiatives, what, system=system, by=by) if what else []
    rewritten = {initiative.pk for initiative in follow(initiatives)}
    waiting = [initiative for initiative in pulled if initiative.pk not in rewritten]
    if waiting:
        rewrite_supported_stages(waiting)


def _pull_all(
    initiatives: list[Initiative], what: str, *, system: System | None, by: User | None
) -> list[Initiative]:
    """Pull `data_source` on the initiatives that have evidence, and return these."""
    items = Evidence.objects.filter(
        initiative__in=[initiative.pk for initiative in initiatives], withdrawn_at__isnull=True
    )
    relied = set(items.values_list("initiative", flat=True))
    found = [initiative for initiative in initiatives if initiative.pk in relied]
    pull_many(
        [Pulled(initiative, system) for initiative in found], ["data_source"], what[:LONGEST_CAUSE], by=by
    )
    return found


def _pull_on(
    initiatives: list[Initiative], collection: System, what: str, *, system: System, by: User
) -> None:
    """Pull `data_source` on initiatives tied to a collection with other sources now."""
    links = Link.objects.current().filter(
        initiative__in=[initiative.pk for initiative in initiatives], system=collection
    )
    keys = set(links.values_list("initiative", flat=True))
    found = _pull_all(
        [initiative for initiative in initiatives if initiative.pk in keys], what, system=system, by=by
    )
    if found:
        rewrite_supported_stages(found)


def _locked(*systems: System) -> list[Initiative]:
    """Lock and return the initiatives tied to these systems or their collections."""
    wanted = {key for one in systems for key in (one.pk, one.collection_id) if key}
    links = Link.objects.current().filter(system__in=wanted)
    return lock_initiatives(links.values_list("initiative", flat=True))


def _fresh(system: System) -> System:
    return System.objects.select_related("owner", "collection__owner").get(pk=system.pk)


def _take(system: System, fields: dict) -> None:
    """Put the fields on the row, with texts stripped."""
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise TypeError(f"A system has no {', '.join(sorted(unknown))}.")
    for name, value in fields.items():
        if isinstance(value, (list, tuple)):
            value = list(dict.fromkeys(part.strip() for part in value if part.strip()))
        setattr(system, name, value.strip() if isinstance(value, str) else value)


def said_of(system: System) -> dict:
    """Return the data of a system for the audit log: people and things by name."""
    said = {}
    for name in FIELDS:
        value = getattr(system, name)
        said[name] = str(value) if hasattr(value, "_meta") else value
    return said


def _check(system: System, was: System | None = None) -> None:
    """Raise ValidationError by field if a system is wrong. `was`: the system without the change."""
    wrong = {}
    if not system.name:
        wrong["name"] = "Use the name that the users of the system know."
    elif (
        known := System.objects.current().filter(name__iexact=system.name).exclude(pk=system.pk).first()
    ) is not None:
        wrong["name"] = (
            f"{known} is in the register already. Open that system, or add a word that makes the "
            "difference clear."
        )
    if system.kind not in SYSTEM_KINDS:
        wrong["kind"] = "Choose the kind of system."
    for name in _PAST:
        day = getattr(system, name)
        if day is not None and day > clock.today():
            wrong[name] = in_the_future(day, clock.today())
    if not system.updated_every_days:
        wrong["updated_every_days"] = "Enter at least one day between two updates."
    for name in ("owner", "knowledge_holder"):
        person = getattr(system, name)
        if person is not None and not person.is_active and person != getattr(was, name, None):
            wrong[name] = f"{person} is no longer active. Name someone else."
    wrong |= _wrong_collection(system)
    if system.duplicate_of is not None and system.duplicate_of_id == system.pk:
        wrong["duplicate_of"] = "A system cannot be a duplicate of itself. Choose another system."
    if wrong:
        raise ValidationError(wrong)


def _wrong_collection(system: System) -> dict:
    """Return what is wrong: a collection lists only sources, and nothing lists itself."""
    has_members = system.pk is not None and system.members.current().exists()
    if system.kind != COLLECTION and has_members:
        return {"kind": "This system contains sources. First remove the sources."}
    collection = system.collection
    if collection is None:
        return {}
    if collection.kind != COLLECTION or collection.retired_at is not None:
        return {"collection": f"{collection} is not a collection that is in use. Choose another collection."}
    if system.kind == COLLECTION:
        return {"collection": "A collection cannot contain another collection. Choose a source."}
    return {}


def initiatives_of_owner(person: User) -> set[int]:
    """Return keys of the initiatives tied to systems or accounts of this person."""
    links = Link.objects.current()
    owned = System.objects.current().filter(owner=person)
    tied = {key for pair in owned.values_list("pk", "collection") for key in pair if key}
    found = links.filter(Q(system__in=tied) | Q(account__owner=person))
    return set(found.values_list("initiative", flat=True))


def owner_left(person: User, initiatives: list[Initiative], *, by: User | None) -> None:
    """Update these locked initiatives, inside the act that deactivates an owner."""
    links = Link.objects.current().filter(initiative__in=[initiative.pk for initiative in initiatives])
    for system in System.objects.current().filter(owner=person):
        tied = [key for key in (system.pk, system.collection_id) if key]
        keys = set(links.filter(system__in=tied).values_list("initiative", flat=True))
        _pull_all(
            [initiative for initiative in initiatives if initiative.pk in keys],
            f"{system} has lost its owner",
            system=system,
            by=by,
        )
    follow(initiatives)
