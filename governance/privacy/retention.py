"""Retention of decisions, legal holds, and which initiatives are due for disposal."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.contributions import InitiativeEnd, contributed
from governance.database.row_history import acting
from governance.identity.proofs import ceremony
from governance.models import ContractApproval, LegalHold, User
from governance.people.permissions import may_hold
from governance.permission_result import Refused
from governance.privacy.personal_data import About
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase


def open_hold(*, initiative_ref: str = "", person: User | None = None, reason: str, by: User) -> LegalHold:
    """Hold everything about an initiative, or about a person: until it is lifted nothing of it is erased or disposed
    of.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Give the reason to keep the data."})
    check_held(initiative_ref, person)
    with acting(by=by, reason=reason.strip()), ceremony.signing(ceremony.take(by)):
        may_hold(by).or_refuse()
        hold = LegalHold(
            initiative_ref=initiative_ref,
            person=person,
            reason=reason.strip(),
            opened_by=by,
            opened_at=clock.now(),
        )
        hold.save()
        entries.record(EntryKind.LEGAL_HOLD_OPENED, **_about(hold))
    return hold


def check_held(initiative_ref: str, person: User | None) -> None:
    """Raise ValidationError unless a hold is on one initiative that there is, or on one person."""
    if bool(initiative_ref) == (person is not None):
        raise ValidationError("A legal hold covers one initiative or one person. Choose only one of the two.")
    if initiative_ref and not _ends([initiative_ref]):
        raise ValidationError(phrase("Initiative {} does not exist.", initiative_ref))


def lift_hold(*, hold: LegalHold, reason: str, by: User) -> LegalHold:
    """Lift a legal hold. Data under retention stays."""
    if not reason.strip():
        raise ValidationError({"reason": "Give the reason why the data no longer need to be kept."})
    with acting(by=by, reason=reason.strip()), ceremony.signing(ceremony.take(by)):
        may_hold(by).or_refuse()
        hold = LegalHold.objects.select_for_update().get(pk=hold.pk)
        if hold.lifted_at is not None:
            raise Refused("This legal hold was already lifted.")
        hold.lifted_at, hold.lifted_by, hold.lift_reason = clock.now(), by, reason.strip()
        hold.save()
        entries.record(EntryKind.LEGAL_HOLD_LIFTED, **_about(hold))
    return hold


def _about(hold: LegalHold) -> dict:
    return {"hold": hold.pk, "held_initiative": hold.initiative_ref, "held_person": hold.person_id}


# --- How long ---------------------------------------------------------------------------------------------------------


def free_from(ended_at: datetime) -> date:
    """Return the first day on which the records of an initiative ended then may go."""
    return clock.local_day(ended_at) + timedelta(days=settings.RETENTION_DAYS)


def _ends(refs: list[str] | None) -> list[InitiativeEnd]:
    return [end for ends in contributed.initiative_ends for end in ends(refs)]


@dataclass(frozen=True)
class Kept:
    """The reason to keep something, and the day from which it can go, if known."""

    why: str
    since: date | None = None
    by_hold: bool = False


@dataclass
class RetentionRules:
    """The rules of a day for the named initiatives, from one look at holds and ends."""

    held: set[str] = field(default_factory=set)
    ends: dict[str, datetime | None] = field(default_factory=dict)
    tables: set[str] = field(default_factory=set)
    overridden: bool = False

    @classmethod
    def of(cls, refs: set[str], *, overridden: bool = False) -> "RetentionRules":
        """Return the holds and ends of these initiatives. `overridden` puts retention aside, never a hold."""
        return cls(
            held=set(
                LegalHold.objects.open()
                .filter(initiative_ref__in=refs)
                .values_list("initiative_ref", flat=True)
            ),
            ends={end.ref: end.ended_at for end in _ends(sorted(refs))},
            tables={ContractApproval._meta.db_table, *contributed.decision_tables},
            overridden=overridden,
        )

    def of_entry(self, entry: About) -> Kept | None:
        """Return why this entry is kept, or None if it may be erased."""
        if entry.kind == EntryKind.ERASED:
            return Kept("The row records what was erased.")
        decision = entry.kind in contributed.decisions or entry.table in self.tables
        return self.of_initiative(entry.initiative_ref, decision=decision, at=entry.at)

    def of_initiative(self, ref: str, *, decision: bool, at: datetime | None = None) -> Kept | None:
        """Return why data of this initiative is kept. Deciding data without an initiative is kept from `at` on."""
        if ref in self.held:
            return Kept(f"A legal hold covers {ref}.", by_hold=True)
        if not decision or self.overridden:
            return None
        ended_at = self.ends.get(ref) if ref else at
        if ended_at is None:
            return Kept(f"The row is part of the decision record on {ref}. {ref} has not ended.")
        since = free_from(ended_at)
        if clock.today() >= since:
            return None
        return Kept(f"The row is part of the decision record{f' on {ref}' if ref else ''}.", since)


# --- What is due ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Due:
    """An initiative whose records may go, since when, and the holds that keep them."""

    ref: str
    title: str
    ended_on: date
    since: date
    held_by: tuple[str, ...] = ()


def due() -> list[Due]:
    """Return every initiative that is due for disposal today, the longest due first."""
    held: dict[str, list[str]] = {}
    for hold in LegalHold.objects.open().exclude(initiative_ref=""):
        held.setdefault(hold.initiative_ref, []).append(f"Legal hold {hold.pk}: {hold.reason}")
    found = [
        Due(
            end.ref,
            end.title,
            clock.local_day(end.ended_at),
            free_from(end.ended_at),
            tuple(held.get(end.ref, ())),
        )
        for end in _ends(None)
        if end.ended_at is not None and free_from(end.ended_at) <= clock.today()
    ]
    return sorted(found, key=lambda row: (row.since, row.ref))
