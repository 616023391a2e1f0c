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


def open_hold(*, initiative_ref: str = "", person: User | None = None, reason: str, by: User) -> LegalHold:
    """Hold everything about an initiative, or about a person: until it is lifted nothing of it is erased or disposed
    of.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Say why it must be kept."})
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
        raise ValidationError("A legal hold is on one initiative or on one person.")
    if initiative_ref and not _ends([initiative_ref]):
        raise ValidationError(f"There is no initiative {initiative_ref}.")


def lift_hold(*, hold: LegalHold, reason: str, by: User) -> LegalHold:
    """Lift a legal hold; what retention keeps besides stays kept."""
    if not reason.strip():
        raise ValidationError({"reason": "Say why it need not be kept any more."})
    with acting(by=by, reason=reason.strip()), ceremony.signing(ceremony.take(by)):
        may_hold(by).or_refuse()
        hold = LegalHold.objects.select_for_update().get(pk=hold.pk)
        if hold.lifted_at is not None:
            raise Refused("It was lifted already.")
        hold.lifted_at, hold.lifted_by, hold.lift_reason = clock.now(), by, reason.strip()
        hold.save()
        entries.record(EntryKind.LEGAL_HOLD_LIFTED, **_about(hold))
    return hold


def _about(hold: LegalHold) -> dict:
    return {"hold": hold.pk, "held_initiative": hold.initiative_ref, "held_person": hold.person_id}


# --- How long ---------------------------------------------------------------------------------------------------------


def free_from(ended_at: datetime) -> date:
    """The first day on which the records of an initiative that ended then need not be kept any more."""
    return clock.local_day(ended_at) + timedelta(days=settings.RETENTION_DAYS)


def _ends(refs: list[str] | None) -> list[InitiativeEnd]:
    return [end for ends in contributed.initiative_ends for end in ends(refs)]


@dataclass(frozen=True)
class Kept:
    """Why something is not erased, and from which day it could be; None when nobody can say yet."""

    why: str
    since: date | None = None
    by_hold: bool = False


@dataclass
class RetentionRules:
    """What is kept on a day, of the initiatives named: asked entry by entry, decided from one look at holds and
    initiatives.
    """

    held: set[str] = field(default_factory=set)
    ends: dict[str, datetime | None] = field(default_factory=dict)
    tables: set[str] = field(default_factory=set)
    overridden: bool = False

    @classmethod
    def of(cls, refs: set[str], *, overridden: bool = False) -> "RetentionRules":
        """The holds and ends of these initiatives; `overridden` puts retention aside, never a hold."""
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
        """Why this entry is kept; None when it may be erased."""
        if entry.kind == EntryKind.ERASED:
            return Kept("It says what was erased.")
        decision = entry.kind in contributed.decisions or entry.table in self.tables
        return self.of_initiative(entry.initiative_ref, decision=decision, at=entry.at)

    def of_initiative(self, ref: str, *, decision: bool, at: datetime | None = None) -> Kept | None:
        """Why what belongs to this initiative is kept; what belongs to none and decides something is kept from `at`
        on.
        """
        if ref in self.held:
            return Kept(f"A legal hold is on {ref}.", by_hold=True)
        if not decision or self.overridden:
            return None
        ended_at = self.ends.get(ref) if ref else at
        if ended_at is None:
            return Kept(f"It is the decision record on {ref}, which has not ended.")
        since = free_from(ended_at)
        if clock.today() >= since:
            return None
        return Kept(f"It is the decision record{f' on {ref}' if ref else ''}.", since)


# --- What is due ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Due:
    """An initiative whose records need not be kept any more, since when, and the legal holds that keep them all the
    same.
    """

    ref: str
    title: str
    ended_on: date
    since: date
    held_by: tuple[str, ...] = ()


def due() -> list[Due]:
    """Every initiative that is due for disposal today, the longest due first."""
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
