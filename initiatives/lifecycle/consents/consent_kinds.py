"""A kind of consent. The acts are the same for every kind, and each kind declares its differences.

One person asks with a reason. The request takes effect once everyone whose consent it needs has agreed. They are
different people, not the person who asked, and not team members of the initiative. Each of them may refuse it, with a
reason, before that.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from governance import clock
from governance.audit_log import entries
from governance.gates.separation_of_duties import said
from governance.models import User
from governance.people import cooling_off
from governance.permission_result import Answer, Conflict, Refused, no, yes
from governance.vocabulary import Seat
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import roles_and_seats, signers, visibility
from initiatives.lifecycle.access.signers import accounts_of, eligible_signers_of
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.models import AcceptedRisk, Initiative, Waiver
from initiatives.models.reviews import Consent, ConsentState

Row = TypeVar("Row", Waiver, AcceptedRisk)


@dataclass(frozen=True)
class Part:
    """One consent that a kind needs: its column, the person's role, the seats."""

    column: str
    words: str
    who: str
    held_by: Callable[[Initiative, User], bool]
    seats: tuple[str, ...]


def holds_risk_seat(initiative: Initiative, person: User) -> bool:
    """Return True if the person holds the risk seat of the board of the initiative."""
    return roles_and_seats.holds_seat(initiative, person, Seat.RISK_COMPLIANCE)


RISK_SEAT = Part("risk", "risk seat", "the risk seat", holds_risk_seat, (Seat.RISK_COMPLIANCE,))


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[Row]):
    """A kind of consent: its declaration, and the acts on its requests."""

    model: type[Row]
    entries: tuple[EntryKind, ...]  # asked for, agreed to, refused, and run out where that is an entry
    slug: str  # in the names of its addresses and acts: "waiver"
    one: str  # in sentences: "a waiver"
    title: str  # of its page
    introduction: str  # what it is, on its page
    section: str  # the page of a section that its pages belong to
    signature: str  # what the rulebook calls a signature on it
    parts: tuple[Part, ...]
    form: Callable[..., Any]  # (request, initiative, context, rows) -> what asks for it, or None
    wrong: Callable[[Row], dict[str, str]]  # what is wrong with a new request, by field; may raise Conflict
    facts: Callable[[Row], dict]  # what entries and signatures say of a request
    what: Callable[[Row], str]  # what holds once everybody agreed, as a sentence
    follows: str  # from the last consent, as a sentence
    instead: str  # what holds when it is refused, as a sentence
    may_ask: Callable[[Initiative, User], Answer] = initiative_permissions.may_manage
    warnings: Callable[[Initiative], list[str]] = (
        lambda initiative: []
    )  # what everybody must know of the initiative
    # What else a request says, each with its label; the address and the words of what the person may do with it.
    said: Callable[[Row], list[tuple[str, str]]] = lambda row: []
    acts: Callable[[Row, User], list[tuple[str, str]]] = lambda row, person: []
    beside: tuple[str, ...] = ()  # the relations that these read
    # Done with the last consent, and with a refusal.
    after: Callable[[Row, Initiative], None] = lambda row, initiative: None

    @property
    def name(self) -> str:
        """Return the slug in words, for the names of its acts."""
        return self.slug.replace("-", " ")

    @property
    def needs(self) -> str:
        """Return the people whose consent it needs, such as "the chair and the risk seat"."""
        return names(self.parts)

    def rows(self) -> QuerySet[Row]:
        """Return its requests with the rows that its page names."""
        people = ("requested_by", "refused_by", *(part.column for part in self.parts), *self.beside)
        return self.model.objects.select_related("initiative__unit", "initiative__contract", *people)

    def lapsed(self, row: Row) -> dict[Part, list[str]]:
        """Return why agreements to an open request do not count now, by part. Someone must agree there again."""
        given = [part for part in self.parts if getattr(row, f"{part.column}_id") is not None]
        if not given or row.state != ConsentState.ASKED:
            return {}
        signers = eligible_signers_of(row.initiative)
        found = {
            part: signers.why_lapsed(getattr(row, part.column), part.seats, getattr(row, f"{part.column}_at"))
            for part in given
        }
        return {part: reasons for part, reasons in found.items() if reasons}

    def missing(self, row: Row) -> list[Part]:
        """Return the parts in which no one has agreed yet, or whose agreement does not count now."""
        lapsed = self.lapsed(row)
        return [part for part in self.parts if part in lapsed or getattr(row, f"{part.column}_id") is None]

    def may_refuse(self, row: Row, initiative: Initiative, person: User) -> Answer:
        """Allow a person who can agree in one of its parts, and did not ask, to refuse it."""
        if not visibility.may_see(initiative, person):
            return no("You do not have permission to see this initiative.")
        if reasons := signers.barred_from_signing(initiative, person, now=True):
            return no(said(reasons), "Ask someone who is not a team member of the initiative.")
        if row.requested_by_id in accounts_of(person):
            return no(
                phrase("You asked for this, so someone else must agree to {}.", self.one),
                phrase("Ask {}.", self.needs),
            )
        if not any(part.held_by(initiative, person) for part in self.parts):
            return no(
                phrase("You cannot agree to {}: {} must agree.", self.one, self.needs),
                phrase("Ask {}.", self.needs),
            )
        return yes()

    def part_of(self, row: Row, initiative: Initiative, person: User) -> tuple[Part | None, Answer]:
        """Return the part the person can agree in now, or None, and the answer."""
        if not (may := self.may_refuse(row, initiative, person)):
            return None, may
        missing = self.missing(row)
        agreed = {getattr(row, f"{part.column}_id") for part in self.parts if part not in missing}
        if not accounts_of(person) & agreed:
            for part in missing:
                if part.held_by(initiative, person):
                    return part, yes()
        return None, no(
            "You already agreed, or someone else agreed in your role.", phrase("Wait for {}.", names(missing))
        )

    def ask(self, initiative: Initiative, *, by: User, reason: str, **terms) -> Row:
        """Ask for it. Raises Refused, ValidationError by field, and Conflict if the same is requested already."""
        with act(f"request {self.name}", by=by, initiative=initiative, reason=reason) as initiative:
            self.may_ask(initiative, by).or_refuse()
            row = self.model(
                initiative=initiative,
                **terms,
                reason=reason.strip(),
                requested_by=by,
                requested_at=clock.now(),
            )
            wrong = self.wrong(row)
            if not row.reason:
                wrong["reason"] = "Give a reason. The people who answer use your text to decide."
            if wrong:
                raise ValidationError(wrong)
            same = {name: getattr(row, name) for name in self.model.SAME}
            for other in self.model.objects.unanswered().filter(**same):
                if other.state == ConsentState.ASKED:
                    raise Conflict(
                        phrase("{} was already requested.", self.one.capitalize()), "Wait for the answer."
                    )
                # Nobody answered it in its time: it makes room for this one.
                other.refused_at = clock.now()
                other.save()
                for lapsed in self.entries[3:]:
                    entries.record(lapsed, initiative=initiative, **self.facts(other))
            row.save()
            entries.record(self.entries[0], initiative=initiative, **self.facts(row))
        return row

    def agree(self, *, row: Row, by: User) -> Row:
        """Agree in the person's part. The request takes effect once all parts agreed. Raises Refused, Conflict.

        An earlier agreement that no longer counts is taken out, and someone must agree there again.
        """
        with act(f"agree to {self.name}", by=by, initiative=row.initiative_id) as initiative:
            row = self.rows().get(pk=row.pk)
            refuse_answered(row)
            part, may = self.part_of(row, initiative, by)
            if part is None:
                raise Refused(may)
            cooling_off.may_lift(by, roles_and_seats.memberships_on(initiative, by, part.seats)).or_refuse()
            for other in self.lapsed(row):
                setattr(row, other.column, None)
                setattr(row, f"{other.column}_at", None)
            setattr(row, part.column, by)
            setattr(row, f"{part.column}_at", clock.now())
            row.save()
            runs = row.granted_at is not None
            entries.record(
                self.entries[1], initiative=initiative, **self.facts(row), part=part.words, runs=runs
            )
            if runs:
                self.after(row, initiative)
        return row

    def refuse(self, *, row: Row, reason: str, by: User) -> Row:
        """Refuse it, with the reason. Raises Refused, ValidationError, Conflict."""
        with act(f"refuse {self.name}", by=by, initiative=row.initiative_id, reason=reason) as initiative:
            row = self.rows().get(pk=row.pk)
            refuse_answered(row)
            self.may_refuse(row, initiative, by).or_refuse()
            if not reason.strip():
                raise ValidationError({"reason": "Give a reason. The person who asked reads the reason."})
            row.refused_by, row.refused_at, row.refused_reason = by, clock.now(), reason.strip()
            row.save()
            entries.record(
                self.entries[2], initiative=initiative, **self.facts(row), reason=row.refused_reason
            )
            self.after(row, initiative)
        return row


def names(parts: Iterable[Part]) -> str:
    """Return these parts in words."""
    return " and ".join(part.who for part in parts)


def refuse_answered(row: Consent) -> None:
    """Raise Conflict if the request no longer waits for an answer."""
    if row.state != ConsentState.ASKED:
        raise Conflict(
            "This request was answered, or it has expired.", "Ask again if the request is still needed."
        )


def wrong_day(until: date, longest: int) -> dict[str, str]:
    """Return the error by field if the last day is not within `longest` days."""
    last = clock.today() + timedelta(days=longest)
    if until is not None and clock.today() < until <= last:
        return {}
    return {"until": f"Choose a day after today, and at the latest {last:%-d %B %Y}."}
